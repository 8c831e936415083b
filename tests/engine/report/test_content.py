"""Claims about a report as a whole: its sections and their order, every word as recorded, frames with holes."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmm_engine.client.windows import FULL, Window
from mmm_engine.report.content import build_content
from mmm_engine.report.figures import draw_charts
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.page import ReportContent
from tests.engine.report.content_words import words
from tests.engine.report.report_cases import leads_inputs

SNAPSHOT = Path(__file__).with_name("report_content_ms.json")


def test_content_is_what_it_was(content: ReportContent) -> None:
    """Every word and the head of every table is as recorded; MMM_UPDATE_SNAPSHOTS=1 records anew."""
    now = words(content)
    if os.environ.get("MMM_UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert now == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_sections_come_in_reading_order(content: ReportContent) -> None:
    """Results first, then how far to trust them, then how to derive them again."""
    assert [section.id for section in content.sections] == [
        "diff", "fit", "contribution", "returns", "curves", "multiplier", "holdout", "trust", "forecast",
        "sampler", "residuals", "checks", "findings", "provenance",
    ]  # fmt: skip
    assert content.appendix == ()


def test_client_report_moves_diagnostics_to_the_appendix(ms: ReportInputs) -> None:
    """A client reads results; the same sections are all still there."""
    client = build_content(ms, "client")
    assert [s.id for s in client.sections] == [
        "diff", "fit", "contribution", "returns", "curves", "multiplier", "holdout", "forecast",
    ]  # fmt: skip
    assert [s.id for s in client.appendix] == [
        "trust",
        "sampler",
        "residuals",
        "checks",
        "findings",
        "provenance",
    ]


def test_ids_are_unique(content: ReportContent) -> None:
    """Anchors of sections and items never collide."""
    ids = [s.id for s in content.sections] + [item.id for s in content.sections for item in s.items]
    assert len(ids) == len(set(ids))


def test_every_chart_has_a_reading_and_a_table(content: ReportContent) -> None:
    """No chart without a sentence and its numbers."""
    for chart in content.charts:
        assert chart.reading.endswith(".")
        assert chart.table.rows
        assert "nan" not in chart.reading.lower()


def test_sections_without_input_are_left_out() -> None:
    """A first refresh without recovery, stability, forecast or time variation still gives a report."""
    sections = {section.id: section for section in build_content(leads_inputs()).sections}
    ids = set(sections)
    assert ids.isdisjoint({"multiplier", "forecast", "diff"})
    assert [item.id for item in sections["trust"].items] == ["readability"]  # the fit itself tells
    assert {"fit", "contribution", "returns", "curves", "holdout", "provenance"} <= ids


def holed(inputs: ReportInputs, place: str) -> ReportInputs:
    """The inputs with one number missing everywhere; ``place`` is "frame.column" or "window/frame.column"."""
    window, _, path = place.rpartition("/")
    name, column = path.split(".")
    if not window:
        return replace(inputs, **{name: getattr(inputs, name).assign(**{column: np.nan})})
    key = Window.named(window)
    report = inputs.windows[key]
    changed = replace(report, **{name: getattr(report, name).assign(**{column: np.nan})})
    return replace(inputs, windows={**inputs.windows, key: changed})


@pytest.mark.parametrize(
    "place",
    [
        "decomposition.mean", "curves.mean", "curves.spend", "multiplier.mean", "spend.spend", "recovery.value",
        "stability.value", "forecast.mean", "ledger.q50", "previous.value", "full/returns.mean", "full/returns.q05",
        "full/health.value", "full/predictions.actual", "h08/scores.value", "h08/predictions.actual",
    ],
)  # fmt: skip
def test_a_hole_in_a_frame_is_said_not_raised(ms: ReportInputs, place: str) -> None:
    """A fleet run at night must not lose a report because one number could not be computed."""
    content = build_content(holed(ms, place))
    assert all("nan" not in chart.reading for chart in content.charts)
    draw_charts(content)


@pytest.mark.parametrize(
    "name", ["curves", "multiplier", "recovery", "stability", "forecast", "ledger", "previous"]
)
def test_an_empty_frame_leaves_its_section_out(ms: ReportInputs, name: str) -> None:
    """No rows is the same as no frame."""
    content = build_content(replace(ms, **{name: getattr(ms, name).iloc[:0]}))
    draw_charts(content)


def test_windows_without_holdout_still_make_a_report(ms: ReportInputs) -> None:
    """With the full fit alone the page says that nothing was held out."""
    content = build_content(replace(ms, windows={FULL: ms.full}))
    assert "No weeks were held out" in content.summary.because
    assert "holdout" not in {section.id for section in content.sections}
