"""The last good report, its stale mark, the status beside it, and the page of all clients."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_assets.io_managers import HtmlFiles
from mmm_assets.portfolio import render_portfolio
from mmm_assets.publication import Publication, Status, mark_stale

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = "<!doctype html><html><head><title>t</title></head><body class='x'><p>results</p></body></html>"


class NoHistory:
    """A history without rows."""

    def read(self, *names, **filters):
        """No rows."""
        return pd.DataFrame(columns=["client", "window", "split", "channel", "metric", "value"])


@given(st.lists(st.text(max_size=30), max_size=4))
def test_marking_stale_twice_leaves_one_banner_and_the_page_as_it_was(reasons):
    """Whatever the reasons say, also markup and comments."""
    once = mark_stale(PAGE, reasons, NOW)
    twice = mark_stale(once, ["R-hat 1.2"], NOW + timedelta(days=1))
    assert twice == mark_stale(PAGE, ["R-hat 1.2"], NOW + timedelta(days=1))
    assert once.endswith("<p>results</p></body></html>")


def test_reasons_are_text_and_never_markup():
    """A column name in a reason cannot become a script."""
    page = mark_stale(PAGE, ["<script>alert(1)</script>"], NOW)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_refusal_keeps_the_good_page_and_says_when_it_was_made(tmp_path):
    """Publish, refuse, publish: status and banner follow."""
    publication, pages = Publication(root=str(tmp_path)), HtmlFiles(root=str(tmp_path))
    pages.write("report", "ms", PAGE)
    publication.publish("ms", "usable", [], "r1", NOW, "d1")
    failed = publication.refuse("ms", ["R-hat 1.2"], "r2", NOW + timedelta(days=7), page="<p>refused</p>")
    status = publication.status("ms")
    assert (status.published, status.verdict, status.reasons) == (False, "do not use", ("R-hat 1.2",))
    assert status.good_at == NOW.isoformat(timespec="seconds")
    assert failed.read_text() == "<p>refused</p>"
    assert "Stale since 2026-03-08" in pages.read("report", "ms")
    pages.write("report", "ms", PAGE)
    publication.publish("ms", "usable with care", ["holdout"], "r3", NOW + timedelta(days=8), "d2")
    assert publication.status("ms").published
    assert not failed.exists()


def test_a_client_that_never_had_a_good_page_gets_none(tmp_path):
    """Only the refused page and the status exist."""
    publication = Publication(root=str(tmp_path))
    publication.refuse("ms", ["bad rows"], "r1", NOW)
    assert not publication.report_path("ms").exists()
    assert publication.status("ms").good_at == ""


def test_the_portfolio_lists_the_worst_first_with_the_reason():
    """Refused, never refreshed, usable with care, usable."""
    statuses = [
        Status("fine", "usable", True, (), "r", NOW.isoformat(), good_at=NOW.isoformat()),
        Status(
            "careful",
            "usable with care",
            True,
            ("holdout_skill (h12): naive is better",),
            "r",
            NOW.isoformat(),
        ),
        Status("refused", "do not use", False, ("R-hat <1.2>",), "r", NOW.isoformat()),
    ]
    page = render_portfolio(["careful", "fine", "new", "refused"], statuses, NoHistory(), NOW)
    positions = [page.index(f"<td>{client}</td>") for client in ("refused", "new", "careful", "fine")]
    assert positions == sorted(positions)
    assert "R-hat &lt;1.2&gt;" in page
    assert "4 clients, 1 with a refused refresh, 1 never refreshed" in page


def test_an_empty_portfolio_is_a_page_too():
    """Before the first client."""
    assert render_portfolio([], [], NoHistory(), NOW).endswith("</html>\n")


@pytest.mark.parametrize("client", ["../evil", "A", ""])
def test_a_status_is_never_a_path_elsewhere(tmp_path, client):
    """The id is checked before any path is made."""
    with pytest.raises(Exception, match="client"):
        Publication(root=str(tmp_path)).status(client)
