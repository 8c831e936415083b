"""Claims about the report in a real browser: it runs quietly, asks for nothing, works on a phone and on paper.

Skipped where no Chromium is installed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from mmm_engine.report import numbers
from mmm_engine.report.content import build_content
from mmm_engine.report.render import build_report, write_report
from tests.engine.report import case_advice
from tests.engine.report.browser import CHROMIUM, Browser, Page
from tests.engine.report.case_frames import period_returns_frame
from tests.engine.report.report_cases import HOSTILE, ms_inputs

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

DRAWN = "document.documentElement.dataset.charts === 'drawn'"
INK = "{}.layout.template.layout.font.color"
DARK_INK = "rgba(28,36,48,1)"  # of the light theme
OPENS_WITHIN = 5.0  # seconds; 0.5 s on an idle machine, the rest is for a busy one


Drawn = Callable[[str], Page]


@pytest.fixture(scope="module")
def drawn(browser: Browser, reports: dict[str, Path]) -> Iterator[Drawn]:
    """Tabs with a report whose charts are drawn, each opened once: for claims that only look."""
    with ExitStack() as tabs:

        @cache
        def opened(name: str) -> Page:
            tab = tabs.enter_context(browser.tab())
            tab.open(reports[name])
            tab.wait_for(DRAWN)
            return tab

        yield opened


@pytest.mark.parametrize("name", ["client", "leads", "hostile", "advice"])
def test_report_runs_quietly_and_asks_for_nothing(name: str, reports: dict[str, Path], drawn: Drawn) -> None:
    """No console error, no policy violation, no request but the file itself; every chart is drawn."""
    page = drawn(name)
    assert page.problems == []
    assert page.requests == [reports[name].resolve().as_uri()]
    assert page.evaluate("document.querySelectorAll('.plot.failed').length") == 0
    assert page.evaluate(
        "[...document.querySelectorAll('.plot')].every(p => p.querySelector('svg.main-svg'))"
    )
    assert page.open_seconds < OPENS_WITHIN


def test_every_section_is_present_and_reachable(reports: dict[str, Path], page: Page) -> None:
    """The navigation leads to each section of the content."""
    page.open(reports["ms"])
    for section in build_content(ms_inputs()).sections:
        assert page.evaluate(f"document.getElementById('{section.id}').getBoundingClientRect().height > 0")
        assert page.evaluate(f"document.querySelector('.contents a[href=\"#{section.id}\"]') !== null")


def test_first_screen_comes_before_any_chart(reports: dict[str, Path], page: Page) -> None:
    """Verdict and warnings stand within the first screen, and charts below wait until someone comes near."""
    page.open(reports["ms"])
    assert page.evaluate("document.querySelector('#summary .warnings').getBoundingClientRect().bottom") < 700
    assert page.evaluate("document.getElementById('summary').getBoundingClientRect().bottom") < 1200
    assert page.evaluate("document.querySelectorAll('.plot.waiting').length") > 5
    page.wait_for(DRAWN)
    assert page.evaluate("document.querySelectorAll('.plot.waiting').length") == 0


@pytest.mark.parametrize("name", ["leads", "hostile", "advice"])
def test_phone_needs_no_sideways_scrolling(name: str, reports: dict[str, Path], page: Page) -> None:
    """At 390 pixels nothing is wider than the screen, and small multiples take their narrow form."""
    page.open(reports[name], width=390, height=844)
    page.wait_for(DRAWN)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("document.getElementById('plot-response-curves').dataset.shape") == "narrow"
    assert page.evaluate(
        "[...document.querySelectorAll('.plot svg.main-svg')].every(s => s.getBoundingClientRect().right <= 390)"
    )
    assert page.problems == []


ANSWER = "document.querySelector('.sliders [data-answer={}]').textContent"


def test_sliders_answer_at_once_from_the_page(reports: dict[str, Path], page: Page) -> None:
    """At 0 nothing is gained; the suggested plan gains what the report says; a channel that cannot be read stays."""
    page.open(reports["advice"])
    assert page.evaluate(ANSWER.format("gain")) == "€0"
    assert page.evaluate(ANSWER.format("better")) == "it is today"
    page.evaluate("document.querySelector('.sliders [data-set=plan]').click()")
    plan, record = case_advice.advised(), case_advice.record()
    shares = [round(float(one["plan"]), 2) for one in record["grid"]["channels"]]
    tried = plan.compare({"tried": plan.window.current * shares}).set_index("plan").loc["tried"]
    assert shown(page, "gain") == pytest.approx(tried["gain"], rel=0.02)
    low, high = page.evaluate(ANSWER.format("interval")).split(" to ")
    assert number(low) == pytest.approx(tried["gain_q05"], rel=0.02)
    assert number(high) == pytest.approx(tried["gain_q95"], rel=0.02)
    assert shown(page, "better") == pytest.approx(100 * tried["beats_today"], abs=0.6)
    assert page.evaluate("document.querySelector('.sliders input:disabled').value") == "0"
    assert page.requests == [reports["advice"].resolve().as_uri()]


def test_a_slider_moved_by_hand_says_where_the_model_has_seen_nothing(
    reports: dict[str, Path], page: Page
) -> None:
    """Half as much again of a channel: its money, the whole spend and a warning; down to nothing, none of it."""
    page.open(reports["advice"], width=390, height=844)
    move = (
        "(value => { const input = document.querySelector('.sliders input:not(:disabled)');"
        " input.value = value; input.dispatchEvent(new Event('input', {bubbles: true})); })"
    )
    page.evaluate("document.querySelector('.sliders input').dataset.seen = '1.2'")
    page.evaluate(f"{move}(50)")
    today = [one["today"] for one in case_advice.record()["grid"]["channels"]]
    assert shown(page, "spend") == pytest.approx(sum(today) + 0.5 * today[0], rel=0.01)
    assert "than ever seen: snapchat" in page.evaluate(ANSWER.format("beyond"))
    page.evaluate(f"{move}(-100)")
    assert shown(page, "spend") == pytest.approx(sum(today[1:]), rel=0.01)
    assert page.evaluate(ANSWER.format("beyond")) == ""
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.problems == []


def test_a_plan_beyond_the_sliders_is_not_shown_as_another(reports: dict[str, Path], page: Page) -> None:
    """Where the plan gives twice as much, a slider stops at half as much again, and the answer says so."""
    page.open(reports["advice"])
    page.evaluate("document.querySelector('.sliders input:not(:disabled)').dataset.plan = '2.0'")
    page.evaluate("document.querySelector('.sliders [data-set=plan]').click()")
    assert "gives more than the slider reaches: snapchat" in page.evaluate(ANSWER.format("beyond"))
    page.evaluate("document.querySelector('.sliders [data-set=today]').click()")
    assert "reaches" not in page.evaluate(ANSWER.format("beyond"))


def shown(page: Page, answer: str) -> float:
    """The number of one of the sliders' answers."""
    return number(page.evaluate(ANSWER.format(answer)))


def number(text: str) -> float:
    """The number at the start of a text, with its suffix for thousands; the sign of a currency may stand before it."""
    match = re.match(r"([\u2212+]?)[\u2060\u20ac]*([\d.]+)([kM]?)", text)
    assert match
    size = float(match[2]) * {"k": 1e3, "M": 1e6, "": 1.0}[match[3]]
    return -size if match[1] == "\N{MINUS SIGN}" else size


def test_dark_and_light_redraw_the_charts(reports: dict[str, Path], page: Page) -> None:
    """The toggle turns page and charts; the system's wish is followed at first."""
    page.open(reports["leads"], dark=True)
    page.wait_for(DRAWN)
    ink = INK.format("document.getElementById('plot-fit-over-time')")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ink) == "rgba(230,235,242,1)"
    dark = page.evaluate(background)
    page.evaluate("document.getElementById('theme').click()")
    page.wait_for(f"{ink} === '{DARK_INK}'")
    assert page.evaluate(background) != dark
    assert page.evaluate("document.getElementById('theme').textContent") == "Dark"
    assert page.problems == []


def test_hover_and_zoom_work(reports: dict[str, Path], page: Page) -> None:
    """Pointing at a chart shows its values; dragging over it zooms in."""
    page.open(reports["leads"])
    page.wait_for(DRAWN)
    plot = "document.getElementById('plot-fit-over-time')"
    page.evaluate(f"{plot}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    area = f"{plot}.querySelector('.nsewdrag').getBoundingClientRect()"
    left, top, width, height = page.evaluate(
        f"(({{left, top, width, height}}) => [left, top, width, height])({area})"
    )
    middle = top + height / 2
    page.mouse("mouseMoved", left + width / 2, middle)
    page.wait_for(f"{plot}.querySelectorAll('.hoverlayer text').length > 0")
    seen = f"((range) => new Date(range[1]) - new Date(range[0]))({plot}._fullLayout.xaxis.range)"
    before = page.evaluate(seen)
    page.drag((left + width * 0.3, middle), (left + width * 0.5, middle))
    page.wait_for(f"{seen} < {before} * 0.5")
    assert page.problems == []


def test_axe_finds_no_serious_fault(reports: dict[str, Path], page: Page) -> None:
    """Contrast, names, roles, headings, tables, dark and light: with every chart drawn and every table unfolded."""
    page.open(reports["client"], dark=True)
    page.wait_for(DRAWN)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.accessibility_faults() == []
    page.evaluate("document.getElementById('theme').click()")
    page.wait_for(
        f"[...document.querySelectorAll('.plot')].every(plot => {INK.format('plot')} === '{DARK_INK}')"
    )
    assert page.accessibility_faults() == []


@pytest.mark.parametrize(
    ("row", "style"), [(1, "color: #aaa"), (40, "color: #aaa"), (40, "background: #333")]
)
def test_axe_finds_one_faulty_cell_among_many_like_it(
    row: int, style: str, tmp_path: Path, page: Page
) -> None:
    """Rows that look alike are checked once, a row with one pale cell for itself."""
    cells = [f"<td>{number}</td><td style='{style}'>seven</td>" if number == row else f"<td>{number}</td><td>seven</td>"
             for number in range(50)]  # fmt: skip
    table = "".join(f"<tr><th scope=row>week</th>{pair}</tr>" for pair in cells)
    path = tmp_path / "table.html"
    path.write_text(
        f"<!doctype html><html lang=en><title>t</title><main><h1>t</h1><table>{table}</table></main>"
    )
    page.open(path)
    faults = page.accessibility_faults()
    assert [fault.partition(":")[0] for fault in faults] == ["color-contrast"]
    assert page.evaluate("document.querySelectorAll('tr').length") == 2


def test_table_behind_a_chart_unfolds(reports: dict[str, Path], page: Page) -> None:
    """The numbers of a chart are one click away, with headings a screen reader can use."""
    page.open(reports["ms"])
    table = "document.querySelector('#returns-by-channel details table')"
    assert page.evaluate(f"{table}.checkVisibility()") is False
    page.evaluate("document.querySelector('#returns-by-channel details summary').click()")
    assert page.evaluate(f"{table}.checkVisibility()") is True
    assert page.evaluate(f"{table}.querySelectorAll('tbody th[scope=row]').length") == 12


def test_tables_sort_by_their_headings(reports: dict[str, Path], page: Page) -> None:
    """First click ascending, second descending, by value and not by how it is written."""
    page.open(reports["ms"])
    table = "document.querySelector('#returns-by-channel table')"
    heading = f"{table}.tHead.rows[0].cells[1]"
    shown = f"[...{table}.tBodies[0].rows].map(r => Number(r.cells[1].dataset.value))"
    as_written = page.evaluate(shown)
    page.evaluate(f"{heading}.querySelector('button').click()")
    assert page.evaluate(f"{heading}.getAttribute('aria-sort')") == "ascending"
    assert page.evaluate(shown) == sorted(as_written)
    page.evaluate(f"{heading}.querySelector('button').click()")
    assert page.evaluate(f"{heading}.getAttribute('aria-sort')") == "descending"
    assert page.evaluate(shown) == sorted(as_written, reverse=True)
    assert page.problems == []


def test_saved_csv_holds_exact_numbers_and_no_formula(drawn: Drawn) -> None:
    """The CSV of a chart has full precision, and a name that a spreadsheet would run is text."""
    page = drawn("hostile")
    lines = page.evaluate("tableAsCsv(document.querySelector('#returns-by-channel details table'))").split(
        "\r\n"
    )
    assert len(lines) == 14
    exact = page.evaluate("document.querySelector('#returns-by-channel td.number').dataset.value")
    assert exact in lines[1]
    assert len(exact) > 6
    cells = [line for line in lines if "cmd|" in line]
    assert cells
    assert all("\"'=cmd|" in line or line.startswith("'=cmd|") for line in cells)
    assert page.evaluate("[csvCell('=1+1'), csvCell('-5'), csvCell('-x'), csvCell('a,b')]") == [
        "'=1+1", "-5", "'-x", '"a,b"',
    ]  # fmt: skip


def test_hostile_names_are_text_in_the_page_and_in_the_charts(drawn: Drawn) -> None:
    """Nothing ran, nothing became an element, and the names can be read in tables and in chart labels."""
    page = drawn("hostile")
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert page.evaluate("document.querySelectorAll('img, iframe, object, svg a, main a').length") == 0
    assert HOSTILE["snapchat_cost"] in page.evaluate("document.body.textContent")
    labels = page.evaluate("[...document.querySelectorAll('svg text')].map(t => t.textContent).join(' | ')")
    assert "<script>window" in labels
    assert "{{ 7*7 }} {%" in labels
    assert page.evaluate("[...document.querySelectorAll('svg text')].every(t => !t.querySelector('a'))")


def test_report_prints_on_paper(reports: dict[str, Path], page: Page, tmp_path: Path) -> None:
    """Printing gives a PDF of several pages, with charts at the width of the paper and in light colours."""
    page.open(reports["leads"], dark=True)
    page.wait_for(DRAWN)
    page.evaluate(
        "window.addEventListener('beforeprint', () => { window.printed = "
        "document.getElementById('plot-fit-over-time')._fullLayout.width; })"
    )
    printed = page.pdf(tmp_path / "leads.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert (
        printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") + printed.count(b"/Type/Page") >= 1
    )
    assert page.evaluate("window.printed") == 690
    assert page.problems == []


@pytest.mark.parametrize("name", ["ms", "client"])
def test_printing_right_after_opening_prints_every_chart(
    name: str, reports: dict[str, Path], page: Page, tmp_path: Path
) -> None:
    """Nobody scrolled and nothing was waited for: each chart is drawn at the width of the paper all the same."""
    page.open(reports[name])
    page.evaluate(
        "window.addEventListener('beforeprint', () => { window.printed = "
        "[...document.querySelectorAll('.plot')].map(plot => [plot.querySelectorAll('svg.main-svg').length > 0, "
        "plot._fullLayout && plot._fullLayout.width]); })"
    )
    assert page.pdf(tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    printed = page.evaluate("window.printed")
    assert len(printed) == page.evaluate("document.querySelectorAll('.plot').length")
    assert all(shown == [True, 690] for shown in printed)
    page.wait_for(DRAWN)
    assert page.evaluate("document.querySelectorAll('.plot.waiting, .plot.failed').length") == 0
    assert page.problems == []


def test_client_page_is_short_on_a_phone(reports: dict[str, Path], page: Page) -> None:
    """Thirteen channels take at most nine screens, without any sideways scrolling."""
    page.open(reports["client"], width=390, height=844)
    page.wait_for(DRAWN)
    assert page.evaluate("document.documentElement.scrollHeight") <= 9 * 844
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("name", ["client", "advice"])
def test_tables_on_a_phone_are_cards_or_scroll_with_a_cue(
    name: str, reports: dict[str, Path], page: Page
) -> None:
    """No word is broken into columns of letters, no empty cell takes a line, and what scrolls shows that it does."""
    page.open(reports[name], width=390, height=844)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    boxes = page.evaluate(
        "[...document.querySelectorAll('.scroll')].map(box => ({cards: box.classList.contains('cards'),"
        " wide: box.scrollWidth > box.clientWidth + 1, cue: getComputedStyle(box).backgroundImage !== 'none',"
        " head: getComputedStyle(box.querySelector('thead')).position,"
        " narrow: [...box.querySelectorAll('tbody th, tbody td')].filter(cell => cell.clientWidth"
        " && cell.textContent.trim().length > 6 && cell.clientWidth < 40).length}))"
    )
    assert boxes
    for box in boxes:
        assert box["narrow"] == 0
        assert box["head"] == "absolute" if box["cards"] else True
        assert not (box["cards"] and box["wide"])
        assert box["cue"] or not box["wide"]
    empty = "[...document.querySelectorAll('.cards td')].filter(cell => !cell.textContent.trim() && cell.offsetHeight)"
    assert page.evaluate(f"{empty}.length") == 0


def test_a_period_is_chosen_by_a_button_and_paper_has_all(page: Page, tmp_path: Path) -> None:
    """All rows first; a button shows the rows of its period; paper shows every period, as does the saved table."""
    ms = ms_inputs()
    path = write_report(
        build_report(replace(ms, period_returns=period_returns_frame(ms))), tmp_path / "ms.html"
    )
    page.open(path)
    sheet = "document.getElementById('returns-by-period')"
    shown_rows = f"[...{sheet}.querySelectorAll('tbody tr')].filter(row => row.offsetHeight)"
    rows = f"{shown_rows}.map(row => row.cells[1].textContent)"
    pressed = f"{sheet}.querySelector('[aria-pressed=true]').textContent"
    assert page.evaluate(f"[...{sheet}.querySelectorAll('.choices button')].map(b => b.textContent)") == [
        "All rows",
        "Last year",
        "Last quarter",
    ]
    assert (page.evaluate(rows), page.evaluate(pressed)) == (["All rows"] * 12, "All rows")
    page.evaluate(f"{sheet}.querySelectorAll('.choices button')[2].click()")
    assert (page.evaluate(rows), page.evaluate(pressed)) == (["Last quarter"] * 12, "Last quarter")
    assert page.evaluate(f"tableAsCsv({sheet}.querySelector('table')).trim().split('\\n').length") == 37
    page.call("Emulation.setEmulatedMedia", media="print")
    assert len(page.evaluate(rows)) == 36
    page.call("Emulation.setEmulatedMedia", media="")
    assert page.problems == []


def test_parts_for_few_are_closed_on_a_phone_and_print_whole(
    reports: dict[str, Path], page: Page, tmp_path: Path
) -> None:
    """Closed on a phone only, opened by a tap or a link; charts in them are drawn then, and for paper."""
    closed = "document.querySelectorAll('.for-few:not([open])').length"
    page.open(reports["ms"])
    assert page.evaluate(closed) == 0
    assert page.evaluate("document.querySelector('.for-few > summary').offsetHeight") == 0
    page.open(reports["ms"], width=390, height=844)
    page.wait_for(DRAWN)
    assert page.evaluate(closed) == page.evaluate("document.querySelectorAll('.for-few').length") > 5
    page.evaluate("location.hash = '#sampler'")
    page.wait_for(
        "[...document.querySelectorAll('#sampler .plot')].every(plot => plot.dataset.state === 'drawn')"
    )
    assert page.evaluate("document.querySelectorAll('#sampler .plot').length") > 0
    page.evaluate(
        "window.addEventListener('beforeprint', () => { window.printed = "
        "[...document.querySelectorAll('.plot')].every(plot => plot.offsetHeight && plot._fullLayout.width === 690); })"
    )
    page.pdf(tmp_path / "ms.pdf")
    assert page.evaluate("window.printed")
    assert page.evaluate(closed) > 5
    assert page.problems == []


def test_paper_has_no_heading_of_what_only_a_screen_can_do(page: Page, tmp_path: Path) -> None:
    """Sliders are not printed; on a client's page their section has nothing else."""
    path = write_report(
        build_report(replace(case_advice.advice_inputs(), advice_ledger=None), audience="client"),
        tmp_path / "client.html",
    )
    page.open(path)
    height = "document.getElementById('budget').offsetHeight"
    assert page.evaluate(height) > 0
    page.call("Emulation.setEmulatedMedia", media="print")
    assert page.evaluate(height) == 0
    page.call("Emulation.setEmulatedMedia", media="")


def test_a_channel_has_one_colour_on_the_page(drawn: Drawn) -> None:
    """As drawn: the dot of its return and the line of its response curve."""
    page = drawn("ms")
    dots = page.evaluate(
        "(trace => Object.fromEntries(trace.y.map((name, at) => [name, trace.marker.color[at]])))"
        "(document.getElementById('plot-returns-by-channel').data.find(trace => trace.name === 'average'))"
    )
    curves = page.evaluate(
        "(plot => Object.fromEntries(plot.layout.annotations.map((title, at) => [title.text,"
        " plot.data.filter(trace => trace.name === 'spend seen')[at].line.color])))"
        "(document.getElementById('plot-response-curves'))"
    )
    grey = "rgba(147,160,176,1)"
    both = [name for name in dots if name in curves and grey not in (dots[name], curves[name])]
    assert len(both) > 5
    assert {name: dots[name] for name in both} == {name: curves[name] for name in both}


def test_axis_and_script_write_numbers_as_the_page_does(drawn: Drawn) -> None:
    """A billion is a B on axes and sliders, as in sentences; no axis says G or m for a thousandth."""
    page = drawn("advice")
    assert page.evaluate("shortAmount(5e9, ['€', ''])") == numbers.compact(5e9, "EUR")
    assert page.evaluate("shortAmount(-1234.5, ['€', ''])") == numbers.compact(-1234.5, "EUR")
    assert page.evaluate("shortAmount(0.5, ['', '\\u00a0conversions'])") == numbers.compact(
        0.5, "conversions"
    )
    ticks = page.evaluate(
        "Plotly.newPlot(document.body.appendChild(document.createElement('div')), [{y: [0, 5e9]}],"
        " {yaxis: {exponentformat: 'B', separatethousands: true, minexponent: 3}})"
        ".then(plot => [...plot.querySelectorAll('.ytick text')].map(tick => tick.textContent))"
    )
    assert numbers.compact(5e9) in ticks
