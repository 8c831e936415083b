"""Claims about a report as a whole: its sections and their order, every word as recorded, frames with holes."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmm_engine.client.windows import FULL, Window
from mmm_engine.report import numbers
from mmm_engine.report.content import build_content
from mmm_engine.report.figures import draw_charts
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.page import Notes, ReportContent
from mmm_engine.report.plain_words import CHECKS, FINDINGS
from mmm_engine.report.sections.far_off import rows_far_off
from mmm_engine.report.subject import Subject
from mmm_engine.rows import findings, thin_evidence
from mmm_engine.rows.usual_spread import usual_spread
from mmm_engine.scores.advice import ADVICE
from tests.engine.report.content_words import words
from tests.engine.report.report_cases import leads_inputs, ms_inputs

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
        "recent", "diff", "fit", "contribution", "returns", "curves", "multiplier", "holdout", "trust",
        "forecast", "sampler", "residuals", "checks", "findings", "provenance",
    ]  # fmt: skip


JARGON = re.compile(
    r"\w\[|NRMSE|CRPS|MAPE|WAPE|R-hat|\bESS\b|[Pp]osterior|\b[Pp]rior|\bdraws|[Ss]ampler|[Cc]hains|\bskill|z-score"
)


@pytest.mark.parametrize("name", ["ms", "leads"])
def test_client_page_is_short_and_free_of_statistics(name: str) -> None:
    """What to do, what changed, how sure, what comes, how good the data are; no score and no parameter has its name."""
    inputs = ms_inputs() if name == "ms" else leads_inputs()
    client = build_content(inputs, "client")
    ids = [section.id for section in client.sections]
    assert ids == [each for each in ("changes", "sure", "forecast", "quality") if each in ids]
    assert {"changes", "sure", "quality"} <= set(ids)
    assert len(client.charts) <= 2
    said = json.dumps([words(client)["summary"], words(client)["sections"]], ensure_ascii=False)
    assert JARGON.findall(said) == []


def test_client_page_has_no_version_numbers(ms: ReportInputs) -> None:
    """That settings changed is told; from which to which is for analysts."""
    assert ms.previous is not None
    before = ms.previous.assign(config_version="0123456789ab", engine_version="0.0.9")
    inputs = replace(ms, previous=before)
    told = {
        who: json.dumps(words(build_content(inputs, who)), ensure_ascii=False)
        for who in ("client", "analyst")
    }
    assert "The settings of the model changed since then." in told["client"]
    assert "The program that fits the model changed since then." in told["client"]
    assert "0123456789ab" not in told["client"]
    assert "The settings changed since then (from 0123456789ab to " in told["analyst"]


def test_client_page_tells_every_failed_check_and_warning(ms: ReportInputs) -> None:
    """Each in one plain sentence: nothing that an analyst is warned of is kept from the client."""
    (quality,) = [section for section in build_content(ms, "client").sections if section.id == "quality"]
    (notes,) = quality.items
    assert isinstance(notes, Notes)
    titles = [note.title for note in notes.items]
    failed = {verdict.check for verdict in ms.verdicts if verdict.failed}
    assert {CHECKS[check] for check in failed} <= set(titles)
    warnings = [finding for finding in ms.findings if finding.severity == "warning"]
    assert len(titles) >= len(failed) + len(warnings)


def test_every_check_and_finding_has_plain_words() -> None:
    """A check or a kind of finding that is added later needs a sentence for clients too."""
    told = set(ADVICE) - {"canary_found", "history_rows", "report_self_contained"}
    assert told == set(CHECKS)
    source = "".join(
        Path(module.__file__).read_text(encoding="utf-8") for module in (findings, thin_evidence)
    )
    assert set(re.findall(r'Finding\("([a-z-]+)", "warning"', source)) <= set(FINDINGS)


def test_good_news_is_not_told_where_rows_lie_far_off(ms: ReportInputs) -> None:
    """A row ten usual deviations off is said with its day, even where every check passed."""
    rows = ms.full.predictions.copy()
    off = rows["actual"] - rows["mean"]
    usual = float(usual_spread(off.to_numpy(dtype=float)))
    rows.loc[100, "actual"] = rows.loc[100, "mean"] + 10 * usual
    windows = {**ms.windows, FULL: replace(ms.full, predictions=rows)}
    quiet = replace(ms, verdicts=(), findings=(), windows=windows)
    said = rows_far_off(Subject(quiet))
    assert numbers.day(rows.loc[100, "date"]) in said
    for audience, place in (("client", "quality"), ("analyst", "findings")):
        content = build_content(quiet, audience)  # type: ignore[arg-type]
        (section,) = [section for section in content.sections if section.id == place]
        notes = section.items[0]
        assert isinstance(notes, Notes)
        assert all(note.tone != "good" for note in notes.items)


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
