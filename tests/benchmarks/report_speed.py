"""Reports: size of the pages, seconds to render them, seconds until a browser shows them.

Run `python -m tests.benchmarks.report_speed`; it needs Chromium. Each page is opened five times in a tab of its own.
``opens`` ends with the load event: everything to read stands on the screen. ``charts`` ends when the last chart below
is drawn, which happens while nobody has scrolled there yet.
Not here: any claim about what a page says (tests/engine).
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mmm_engine.report.portfolio import render_portfolio
from mmm_engine.report.render import build_report, write_report
from tests.engine.report.browser import Browser, new_browser
from tests.engine.report.report_cases import ms_inputs
from tests.engine.report.test_portfolio import MADE, many_clients

REPEATS = 5
DRAWN = "document.documentElement.dataset.charts === 'drawn'"


def main() -> None:
    """Print one line a page."""
    inputs = ms_inputs()
    makers: dict[str, Callable[[], str]] = {
        "client report, 13 channels": lambda: build_report(inputs),
        "the same for the client": lambda: build_report(inputs, audience="client"),
        "portfolio, 5,000 clients": lambda: render_portfolio(many_clients(5000), generated_at=MADE),
    }
    print(f"{'page':28} {'MB':>5} {'render s':>9} {'opens s':>8} {'charts s':>9}   (medians of {REPEATS})")
    with tempfile.TemporaryDirectory() as folder, new_browser() as browser:
        build_report(inputs)  # packs plotly once
        for name, make in makers.items():
            began = time.perf_counter()
            page = make()
            render = time.perf_counter() - began
            path = write_report(page, Path(folder) / "page.html")
            has_charts = "plotly-packed" in page
            times = [_open(browser, path, has_charts) for _ in range(REPEATS)]
            opens, drawn = (statistics.median(column) for column in zip(*times, strict=True))
            charts = f"{drawn:9.2f}" if has_charts else f"{'':9}"
            print(f"{name:28} {len(page.encode()) / 1e6:5.2f} {render:9.2f} {opens:8.2f} {charts}")


def _open(browser: Browser, path: Path, has_charts: bool) -> tuple[float, float]:
    """Seconds until the load event, and until the last chart is drawn."""
    with browser.tab() as tab:
        began = time.perf_counter()
        opened = tab.open(path)
        if has_charts:
            tab.wait_for(DRAWN)
        return opened, time.perf_counter() - began


if __name__ == "__main__":
    main()
