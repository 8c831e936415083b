"""The last good report, its stale mark, the status beside it, and the page of all clients."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_assets.pages.portfolio import portfolio_frame
from mmm_assets.pages.publication import Publication, Status, mark_stale
from mmm_assets.runs import Refresh
from mmm_assets.storage.io_managers import HtmlFiles
from mmm_engine.report.portfolio import portfolio_rows

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = "<!doctype html><html><head><title>t</title></head><body class='x'><p>results</p></body></html>"


def at(name: str, days: int = 0) -> Refresh:
    """A refresh of one minute that ended so many days after NOW."""
    end = NOW + timedelta(days=days)
    return Refresh(name, end - timedelta(minutes=1), end, "mmm refresh ms")


class NoHistory:
    """A history without rows."""

    def read(self, *names, **filters):
        """No rows."""
        return pd.DataFrame(columns=["client", "window", "split", "channel", "metric", "value", "cutoff"])


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
    publication.publish("ms", "usable", [], at("r1"))
    failed = publication.refuse("ms", ["R-hat 1.2"], at("r2", days=7), page="<p>refused</p>")
    status = publication.status("ms")
    assert (status.published, status.verdict, status.reasons) == (False, "do not use", ("R-hat 1.2",))
    assert status.good_at == NOW.isoformat(timespec="seconds")
    assert failed.read_text() == "<p>refused</p>"
    assert "Stale since 2026-03-08" in pages.read("report", "ms")
    pages.write("report", "ms", PAGE)
    publication.publish("ms", "usable with care", ["holdout"], at("r3", days=8))
    assert publication.status("ms").published
    assert not failed.exists()


def test_the_page_for_the_client_turns_stale_with_the_analysts(tmp_path):
    """Nobody reads refused results under an old date."""
    publication, pages = Publication(root=str(tmp_path)), HtmlFiles(root=str(tmp_path))
    pages.write("report", "ms", PAGE)
    assert not publication.wants_client_page("ms")
    publication.put_client_page("ms", PAGE)
    publication.publish("ms", "usable", [], at("r1"))
    publication.refuse("ms", ["R-hat 1.2"], at("r2", days=7))
    assert "Stale since 2026-03-08" in publication.client_path("ms").read_text()
    assert publication.wants_client_page("ms")


def test_open_drift_alarms_stand_first_in_the_reason():
    """With the largest first; a client without alarms keeps its reason."""
    rows = pd.DataFrame(
        {
            "client": ["ms", "ms", "ms", "acme"],
            "metric": ["drift_crps", "drift_bias", "drift_mix", "drift_crps"],
            "value": [1.2, 1.6, 0.3, 0.5],
            **dict.fromkeys(("window", "split"), "full"),
            "channel": "all",
            "cutoff": pd.Timestamp("2026-01-05"),
        }
    )

    class Recorded:
        """A history of these rows."""

        def read(self, *names, **filters):
            """The latest rows; no trend."""
            return rows if filters.get("latest") else rows.iloc[:0]

    now = NOW.isoformat()
    statuses = [Status(c, "usable", True, (), "r", now, 1.0, good_at=now) for c in ("acme", "ms")]
    frame = portfolio_frame(["acme", "ms"], statuses, Recorded(), NOW).set_index("client")
    assert frame["reason"].to_dict() == {"acme": "", "ms": "drift alarm: bias, crps"}
    assert frame["drift"].to_dict() == {"acme": 0.5, "ms": 1.6}


def test_a_client_that_never_had_a_good_page_gets_none(tmp_path):
    """Only the refused page and the status exist."""
    publication = Publication(root=str(tmp_path))
    publication.refuse("ms", ["bad rows"], at("r1"))
    assert not publication.report_path("ms").exists()
    assert publication.status("ms").good_at == ""


def test_the_portfolio_has_every_client_with_its_reason():
    """Refreshed, refused and never refreshed ones; only a published page is linked."""
    now = NOW.isoformat()
    statuses = [
        Status("fine", "usable", True, (), "r", now, 61.0, now, "Budget: hold."),
        Status("refused", "do not use", False, ("R-hat 1.2", "ESS 3"), "r", now, 5.0),
    ]
    frame = portfolio_frame(["fine", "new", "refused"], statuses, NoHistory(), NOW).set_index("client")
    assert frame["verdict"].to_dict() == {"fine": "usable", "new": "never refreshed", "refused": "do not use"}
    assert frame.loc["refused", "reason"] == "R-hat 1.2; ESS 3"
    assert frame["report"].to_dict() == {"fine": "../report/fine.html", "new": "", "refused": ""}
    assert frame.loc["fine", "seconds"] == 61.0
    frame = portfolio_frame(["fine", "new", "refused"], statuses, NoHistory(), NOW, {"new", "fine"})
    assert list(frame["verdict"]) == ["usable", "first refresh under way", "do not use"]
    assert frame["reason"].iloc[1] == "its first refresh has not come to its end yet"
    frame = frame.set_index("client")
    (fine, *_) = [row for row in portfolio_rows(frame.reset_index()) if row.client == "fine"]
    assert fine.reason == "No check failed. Budget: hold."  # what a client is to do, without opening its page


def test_the_portfolio_shows_the_numbers_of_the_last_refresh(refreshed):
    """From the metric history: scores of h08, sampler health of full, age of the data."""
    from mmm_engine.history.store import History
    from mmm_engine.report.portfolio import MEASURES

    history = History(refreshed / "home" / "metric_history.duckdb")
    statuses = [Publication(root=str(refreshed / "home")).status(client) for client in ("app", "shop")]
    frame = portfolio_frame(["app", "shop"], statuses, history, datetime(2025, 3, 1, tzinfo=UTC)).set_index(
        "client"
    )
    assert {measure.name for measure in MEASURES} <= set(frame.columns)
    mape = history.read("shop", "mape", "h08", "test")["value"].item()
    assert frame.loc["shop", "mape_h08"] == mape
    assert frame.loc["shop", "trend"] == [mape]
    assert frame.loc["shop", "stale_days"] == 12
    assert frame.loc["shop", "late_after"] == 7 + 1.5 * 7  # weekly rows, refreshed once
    assert frame.loc["shop", "seconds"] > 0


def test_an_empty_portfolio_is_a_page_too():
    """Before the first client."""
    from mmm_engine.report.portfolio import render_portfolio

    assert "No client is known yet" in render_portfolio(
        portfolio_frame([], [], NoHistory(), NOW), generated_at=NOW
    )


@pytest.mark.parametrize("client", ["../evil", "A", ""])
def test_a_status_is_never_a_path_elsewhere(tmp_path, client):
    """The id is checked before any path is made."""
    with pytest.raises(Exception, match="client"):
        Publication(root=str(tmp_path)).status(client)


def test_hostile_names_reach_the_interface_as_plain_text(tmp_path):
    """Dagster renders markdown metadata as markup and tables as text: cells are text.

    The one Markdown there is holds a picture and no text of a client (tests/engine/report/test_glance.py).
    """
    from pathlib import Path

    import dagster as dg

    import mmm_assets
    from mmm_assets import metadata

    name = "<script>alert(1)</script> [x](javascript:y) {{ 7*7 }} =1+1"
    value = metadata.table(pd.DataFrame({"channel": [name], "value": [1.0]}))
    assert isinstance(value, dg.TableMetadataValue)
    assert value.records[0].data["channel"] == name
    sources = Path(mmm_assets.__file__).parent.rglob("*.py")
    marked = {path.name: path.read_text().count("MetadataValue.md(") for path in sources}
    assert {name: count for name, count in marked.items() if count} == {"outputs.py": 1}
    assert (
        '"glance": dg.MetadataValue.md(glance)'
        in Path(mmm_assets.__file__, "../assets/outputs.py").resolve().read_text()
    )
