"""The 13-channel client and its report; one Chromium for all claims about pages, and the reports it opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mmm_engine.report.content import build_content
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.page import ReportContent
from mmm_engine.report.render import build_report, write_report
from tests.conftest import Once
from tests.engine.report.browser import Browser, Page, new_browser
from tests.engine.report.case_advice import advice_inputs
from tests.engine.report.report_cases import hostile_inputs, leads_inputs, ms_inputs


@pytest.fixture(scope="session")
def ms() -> ReportInputs:
    """The 13-channel client."""
    return ms_inputs()


@pytest.fixture(scope="session")
def content(ms: ReportInputs) -> ReportContent:
    """Its report for analysts."""
    return build_content(ms)


@pytest.fixture(scope="session")
def reports(once: Once) -> dict[str, Path]:
    """Files of the reports that the browser opens."""

    def write(folder: Path) -> None:
        write_report(build_report(ms_inputs()), folder / "ms.html")
        write_report(build_report(ms_inputs(), audience="client"), folder / "client.html")
        write_report(build_report(leads_inputs()), folder / "leads.html")
        write_report(build_report(hostile_inputs()), folder / "hostile.html")
        write_report(build_report(advice_inputs()), folder / "advice.html")

    return {path.stem: path for path in once("reports", write).glob("*.html")}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all claims."""
    with new_browser() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of its own."""
    with browser.tab() as tab:
        yield tab
