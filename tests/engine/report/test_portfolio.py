"""Claims about the page of all clients: worst first, fast at 5,000 rows, blind to markup in names."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmm_engine.report.portfolio import (
    MEASURES,
    portfolio_rows,
    render_portfolio,
    summary_words,
    verdict_counts,
)
from mmm_engine.report.render import write_report
from tests.engine.report.browser import CHROMIUM, Page
from tests.engine.report.report_cases import HOSTILE

MADE = datetime(2024, 11, 4, 7, 0)
OPENS_WITHIN = 6.0  # seconds for 5,000 rows; 0.4 s on an idle machine, the rest is for a busy one
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def client_row(client: str, verdict: str = "usable", **numbers: object) -> dict[str, object]:
    """One client with healthy numbers, but for those given."""
    healthy: dict[str, object] = {
        "client": client, "verdict": verdict, "reason": "", "last_date": pd.Timestamp("2024-10-28"),
        "recorded_at": datetime(2024, 11, 4, 6, 12), "stale_days": 7.0, "mape_h08": 0.06, "skill_h08": 0.3,
        "coverage_90_h08": 0.9, "rhat_max": 1.002, "ess_min": 900.0, "divergences": 0.0, "stability": 0.9,
        "seconds": 180.0, "drift": 0.4, "trend": [0.08, 0.07, 0.06],
    }  # fmt: skip
    return {**healthy, **numbers}


def many_clients(number: int, seed: int = 5) -> pd.DataFrame:
    """A portfolio with a few bad clients and numbers that sort."""
    rng = np.random.default_rng(seed)
    verdicts = rng.choice(["usable", "usable with care", "do not use"], number, p=[0.85, 0.12, 0.03])
    rows = [
        client_row(f"client-{place:04d}", str(verdict), reason="" if verdict == "usable" else "skill -0.1: naive wins",
                   mape_h08=float(rng.uniform(0.02, 0.4)), skill_h08=float(rng.normal(0.2, 0.2)),
                   trend=[float(value) for value in rng.uniform(0.05, 0.1, 20)])
        for place, verdict in enumerate(verdicts)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def hostile_clients() -> pd.DataFrame:
    """Clients whose names and reasons try to be code."""
    return pd.DataFrame([client_row(name, "do not use", reason=name) for name in HOSTILE.values()])


def test_worst_client_comes_first() -> None:
    """By verdict, then by the age of its data, then by skill; never refreshed counts as bad."""
    frame = pd.DataFrame(
        [
            client_row("fine"),
            client_row("care", "usable with care"),
            client_row("naive-wins", "do not use", skill_h08=-0.4),
            client_row("old", "do not use", stale_days=40.0),
            client_row("absent", "never refreshed"),
        ]
    )
    assert [row.client for row in portfolio_rows(frame)] == ["old", "naive-wins", "absent", "care", "fine"]


def test_unknown_verdict_is_treated_as_bad() -> None:
    """A word nobody foresaw never sinks below the good clients."""
    frame = pd.DataFrame([client_row("fine"), client_row("odd", "held back by its canary")])
    assert next(iter(portfolio_rows(frame))).client == "odd"
    assert next(iter(verdict_counts(portfolio_rows(frame)))) == "held back by its canary"


def test_missing_numbers_stay_missing() -> None:
    """A client without a refresh has empty cells, not zeros."""
    frame = pd.DataFrame(
        [client_row("new", "never refreshed", **{m.name: np.nan for m in MEASURES}, last_date=None)]
    )
    [row] = portfolio_rows(frame.assign(trend=[None], recorded_at=pd.NaT))
    assert set(row.numbers) == {None}
    assert (row.last_date, row.recorded_at, row.trend) == ("", "", ())


def test_summary_counts_who_needs_a_human() -> None:
    """One sentence with both counts."""
    frame = pd.DataFrame(
        [client_row("a"), client_row("b", "do not use"), client_row("c", "usable with care")]
    )
    assert summary_words(portfolio_rows(frame)) == (
        "Of 3 clients, 1 needs a human today, 1 is usable with care and 1 is usable."
    )


def test_a_first_refresh_under_way_needs_nobody() -> None:
    """It is counted apart from clients that need a human; its pill has a tone of its own."""
    frame = pd.DataFrame([client_row("a"), client_row("b", "first refresh under way")])
    rows = portfolio_rows(frame)
    assert summary_words(rows) == "Of 2 clients, 1 is refreshed for the first time and 1 is usable."
    assert [row.client for row in rows] == ["b", "a"]


def test_clients_that_stand_alike_are_in_natural_order() -> None:
    """toy2 before toy10, where verdict, age and skill are the same."""
    frame = pd.DataFrame([client_row(name) for name in ("toy10", "toy2", "shop")])
    assert [row.client for row in portfolio_rows(frame)] == ["shop", "toy2", "toy10"]


def test_summary_does_not_praise_beside_marked_numbers() -> None:
    """Where cells are marked, the sentence above them says so."""
    frame = pd.DataFrame([client_row("a"), client_row("b", stability=0.5)])
    assert summary_words(portfolio_rows(frame)).endswith(
        "2 are usable. Numbers of 1 lie beyond a limit and are marked."
    )


def test_reason_is_told_in_words_worst_first() -> None:
    """One plain sentence of the worst check, the names of the others; no raw score."""
    reasons = [
        "holdout_skill (h08): skill -0.1, wanted above 0",
        "stability: 0.7",
        "prior_pushes (full, h04): z 2.1",
    ]
    [row] = portfolio_rows(pd.DataFrame([client_row("a", "usable with care", reason="raw", reasons=reasons)]))
    assert row.reason == (
        "Forecast of unseen rows: simply repeating earlier values forecast recent rows better than this model. "
        "Also: stability of channel shares and parameters inside their priors."
    )
    [good] = portfolio_rows(pd.DataFrame([client_row("b", reasons=[])]))
    assert good.reason == "No check failed."
    [planned] = portfolio_rows(
        pd.DataFrame([client_row("b", reasons=[], budget="Budget: raise tv; cut radio.")])
    )
    assert planned.reason == "No check failed. Budget: raise tv; cut radio."


def test_data_are_late_by_the_rhythm_of_the_client() -> None:
    """Forty days are late for a weekly client, not for a monthly one."""
    weekly = client_row("weekly", stale_days=40.0, late_after=17.5)
    monthly = client_row("monthly", stale_days=40.0, late_after=76.0)
    marked = {row.client: row.marked for row in portfolio_rows(pd.DataFrame([weekly, monthly]))}
    assert marked == {"weekly": True, "monthly": False}


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "//elsewhere/x", "/etc/passwd", "\\\\host\\x", "data:text/html,x"]
)
def test_links_stay_relative(address: str) -> None:
    """A report address that leads anywhere else is dropped."""
    frame = pd.DataFrame([{**client_row("a"), "report": address}])
    assert portfolio_rows(frame)[0].link == ""


def test_client_names_cannot_climb_out_of_the_report_folder() -> None:
    """Slashes and dots of a name are encoded in its link."""
    frame = pd.DataFrame([client_row("../../secret"), client_row("a b&c")])
    links = {row.client: row.link for row in portfolio_rows(frame)}
    assert links["../../secret"] == "../report/..%2F..%2Fsecret.html"
    assert links["a b&c"] == "../report/a%20b%26c.html"


def test_page_is_self_contained_and_small() -> None:
    """5,000 clients take a few megabytes and nothing from elsewhere."""
    page = render_portfolio(many_clients(5000), generated_at=MADE)
    assert len(page.encode()) < 4_000_000
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    assert "default-src &#39;none&#39;" in page


def test_hostile_names_stay_inside_the_data() -> None:
    """No name can close the data script or appear as markup."""
    page = render_portfolio(hostile_clients(), generated_at=MADE)
    assert page.count("<script") == 2
    data = re.search(r'id="page-data">(.*?)</script>', page, re.S)
    assert data is not None
    assert "<" not in data[1]
    assert len(json.loads(data[1])["rows"]) == len(HOSTILE)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 5,000 clients."""
    path = tmp_path_factory.mktemp("portfolio") / "portfolio.html"
    return write_report(render_portfolio(many_clients(5000), generated_at=MADE), path)


CLIENTS = "[...document.querySelectorAll('#rows th')].map(th => th.textContent)"


@in_browser
def test_five_thousand_clients_open_quickly_and_quietly(large: Path, page: Page) -> None:
    """The worst are there at once; the console stays empty and nothing is requested."""
    page.open(large)
    assert page.open_seconds < OPENS_WITHIN
    assert page.evaluate(f"{CLIENTS}.length") >= 100
    assert page.evaluate("document.querySelector('#rows .pill').textContent") == "✕do not use"
    assert page.problems == []
    assert page.requests == [large.resolve().as_uri()]


@in_browser
def test_table_sorts_and_filters(large: Path, page: Page) -> None:
    """A heading sorts, a second click turns the order, verdicts and words filter."""
    page.open(large)
    mape = "document.querySelector('th[data-key=mape_h08]')"
    shown = (
        "[...document.querySelectorAll('#rows td[data-label=MAPE]')].map(td => parseFloat(td.textContent))"
    )
    page.evaluate(f"{mape}.querySelector('button').click()")
    values = page.evaluate(shown)
    assert values == sorted(values)
    assert page.evaluate(f"{mape}.getAttribute('aria-sort')") == "ascending"
    page.evaluate(f"{mape}.querySelector('button').click()")
    values = page.evaluate(shown)
    assert values == sorted(values, reverse=True)
    page.evaluate("document.querySelector('.chip[data-verdict=\"do not use\"]').click()")
    assert (
        page.evaluate("new Set([...document.querySelectorAll('#rows .pill')].map(p => p.textContent)).size")
        == 1
    )
    page.evaluate(
        "(() => { const f = document.getElementById('find'); f.value = 'no such client';"
        " f.dispatchEvent(new Event('input')); })()"
    )
    assert page.evaluate("document.getElementById('nothing').hidden") is False
    assert page.evaluate("document.getElementById('shown').textContent") == "0 of 5,000 clients"
    assert page.problems == []


@in_browser
@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_axe_finds_no_serious_fault(width: int, dark: bool, tmp_path: Path, page: Page) -> None:
    """Contrast, names, roles and tables, at a desk and on a phone, light and dark."""
    path = write_report(render_portfolio(many_clients(60), generated_at=MADE), tmp_path / "portfolio.html")
    page.open(path, width=width, height=900, dark=dark)
    assert page.accessibility_faults() == []


@in_browser
@pytest.mark.parametrize("width", [390, 800, 1221, 1280, 1366, 1481])
def test_the_table_stays_inside_its_card_at_any_width(width: int, tmp_path: Path, page: Page) -> None:
    """No column runs out of the card or makes the page scroll sideways."""
    worst = client_row("northern-lights-shop", "usable with care", stale_days=1390.0, divergences=1234.0,
                       reasons=["stability: overlap 0.56"], rhat_max=1.2, ess_min=12345.0, seconds=12345.0)  # fmt: skip
    path = write_report(render_portfolio(pd.DataFrame([worst]), generated_at=MADE), tmp_path / "page.html")
    page.open(path, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = "document.querySelector('#clients {}').getBoundingClientRect().right"
    assert page.evaluate(inside.format("table")) <= page.evaluate(
        "document.getElementById('clients').getBoundingClientRect().right"
    )


def test_a_count_without_a_limit_is_not_marked() -> None:
    """A few divergent draws are judged by their share, which a check does; their number alone says nothing."""
    [row] = portfolio_rows(pd.DataFrame([client_row("a", divergences=3.0)]))
    assert not row.marked


def test_the_filter_of_late_data_says_how_many_there_are() -> None:
    """Like those of verdicts; a client of unknown age counts, as the filter shows it."""
    late = [client_row("old", stale_days=40.0), client_row("new"), client_row("unknown", stale_days=np.nan)]
    assert "data late <b>2</b>" in render_portfolio(pd.DataFrame(late), generated_at=MADE)


@in_browser
def test_late_clients_are_marked_and_every_trend_is_drawn(tmp_path: Path, page: Page) -> None:
    """By their own limit; one refresh is a dot, none a dash."""
    rows = [
        client_row("weekly", stale_days=40.0, late_after=17.5, trend=[0.06]),
        client_row("monthly", stale_days=40.0, late_after=76.0, trend=[]),
        client_row("daily", stale_days=1.0, late_after=3.0),
    ]
    path = write_report(render_portfolio(pd.DataFrame(rows), generated_at=MADE), tmp_path / "portfolio.html")
    page.open(path)
    cells = "[...document.querySelectorAll('#rows tr')].map(row => [row.querySelector('th').textContent, {}])"
    late = dict(
        page.evaluate(cells.format("row.querySelector('[data-label=\\'Days old\\'] .beyond') !== null"))
    )
    assert late == {"weekly": True, "monthly": False, "daily": False}
    trend = "row.querySelector('[data-label=Trend]')"
    drawn = dict(
        page.evaluate(cells.format(f"{trend}.querySelectorAll('circle').length || {trend}.textContent"))
    )
    assert drawn == {"weekly": 1, "monthly": "–", "daily": 1}
    page.evaluate("document.getElementById('stale').click()")
    assert page.evaluate(CLIENTS) == ["weekly"]
    assert page.problems == []


@in_browser
def test_portfolio_prints(large: Path, page: Page, tmp_path: Path) -> None:
    """The worst thousand of five thousand clients go on paper; here only the first sheets of them."""
    page.open(large)
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {CLIENTS}.length; }})")
    assert page.pdf(tmp_path / "portfolio.pdf", sheets="1-2").read_bytes().startswith(b"%PDF")
    assert page.evaluate("window.printed") >= 1000
    assert page.problems == []


@in_browser
def test_more_rows_come_while_scrolling(large: Path, page: Page) -> None:
    """Scrolling to the end draws the next hundred."""
    page.open(large)
    before = page.evaluate(f"{CLIENTS}.length")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for(f"{CLIENTS}.length > {before}")


@in_browser
def test_hostile_names_are_text_on_phone_and_desk(tmp_path: Path, page: Page) -> None:
    """Names are shown, nothing runs, and a phone needs no sideways scrolling."""
    path = write_report(render_portfolio(hostile_clients(), generated_at=MADE), tmp_path / "hostile.html")
    page.open(path, width=390, height=844)
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert HOSTILE["snapchat_cost"] in page.evaluate(CLIENTS)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.problems == []
