"""Claims about what a reader could take for a contradiction: one number for one thing, no columns without numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.windows import FULL
from mmm_engine.report.content import build_content
from mmm_engine.report.figures.contribution import channel_ranks
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.page import Chart, ReportContent, Sheet
from mmm_engine.report.sections.recent import recent_words, spans
from mmm_engine.report.sections.returns import _returns_reading
from mmm_engine.report.sections.trust import _drift_sheet
from mmm_engine.report.subject import Subject
from mmm_engine.scores.verdict import Severity, Verdict
from tests.engine.report.case_advice import record as advice_record
from tests.engine.report.report_cases import ms_inputs


def item_of(content: ReportContent, name: str) -> Any:
    """The item of a page with this id."""
    (item,) = (item for section in content.sections for item in section.items if item.id == name)
    return item


def test_a_client_reads_one_number_for_the_next_unit_of_money(ms: ReportInputs) -> None:
    """The plan's, from today's spend; what it would have brought over all rows is the analyst's, and says so."""
    client = item_of(build_content(ms, "client"), "returns-by-channel")
    assert "marginal" not in client.frames["returns"].columns
    assert not any("ext unit" in column.label for column in client.table.columns)
    analyst = item_of(build_content(ms), "returns-by-channel")
    assert "marginal" in analyst.frames["returns"].columns
    assert [c.label for c in analyst.table.columns if "ext unit" in c.label] == [
        "Next unit over all rows (€)"
    ]


def test_recent_rows_are_told_without_signed_percentages(ms: ReportInputs) -> None:
    """So and so much less than before, not "-13% against" it; amounts that moved keep their signs."""
    subject = Subject(ms)
    now, before, year = spans(subject)
    assert now is not None
    assert before is not None
    said = recent_words(subject, replace(now, target=87.0), replace(before, target=100.0), year)
    assert " came to €87, 13% less than in the 4 weeks before and " in said
    assert " than a year ago. The model puts the difference to before, −\u2060€13, down to " in said
    assert said.endswith(" it does not explain.")
    assert (
        recent_words(subject, now, replace(before, target=0.0), None).count("up from nothing in the 4 weeks")
        == 1
    )


def test_tables_of_the_budget_name_channels_as_the_page_does() -> None:
    """As the charts beside them; the file's columns stand in the table of returns."""
    content = build_content(replace(ms_inputs(), advice=advice_record()))
    labels = set(Subject(ms_inputs()).labels.values())
    for name in ("budget-moves", "budget-tests"):
        told = {str(row[0]) for row in item_of(content, name).table.rows}
        assert not any("_" in label for label in told)
        assert told & labels


def test_drift_without_a_history_is_a_closed_table_of_reasons() -> None:
    """No column of "not defined"; a series that is watched brings its numbers back."""
    unknown = pd.DataFrame({"stream": ["crps", "bias"], "value": np.nan, "usual": np.nan, "statistic": np.nan,
                            "limit": np.nan, "alarm": False, "reason": "1 of the 26 refreshes needed"})  # fmt: skip
    sheet = _drift_sheet(unknown)
    assert sheet.is_folded
    assert [column.label for column in sheet.table.columns] == ["Series", "State", "Reason"]
    watched = _drift_sheet(unknown.assign(value=[0.1, np.nan], usual=0.1, statistic=0.2, limit=[1.0, np.nan]))
    assert not watched.is_folded
    assert [column.label for column in watched.table.columns][1:5] == ["Now", "Usually", "Statistic", "Limit"]


@pytest.mark.parametrize("outcome", ["passed", "failed"])
def test_what_to_do_is_a_column_only_where_something_failed(outcome: str, ms: ReportInputs) -> None:
    """Of checks that passed nobody has to do anything."""
    is_passed = outcome == "passed"
    verdict = Verdict("stability", is_passed, "error", False, "weighted overlap 0.7")
    sheet = item_of(build_content(replace(ms, verdicts=(verdict,))), "all-checks")
    assert isinstance(sheet, Sheet)
    assert ("What it means, what to do" in [column.label for column in sheet.table.columns]) is not is_passed


def test_a_phone_shows_each_result_up_to_its_first_chart(content: ReportContent) -> None:
    """Diagnostics are closed there as a whole; nothing is closed behind an end of the section."""
    shown = {section.id: section.on_phone for section in content.sections}
    assert shown["sampler"] == shown["checks"] == 0
    for section in content.sections:
        if section.on_phone:
            assert isinstance(section.items[section.on_phone - 1], Chart)
            assert not any(isinstance(item, Chart) for item in section.items[: section.on_phone - 1])
            assert section.on_phone < len(section.items)
    assert shown["contribution"] == 1


@pytest.mark.parametrize(
    ("quarters", "compact", "ticks"),
    [
        (6, False, ["Q3<br>2020", "Q4", "Q1<br>2021", "Q2", "Q3", "Q4"]),
        (13, True, ["2021", "2022", "2023"]),
        (40, False, [str(year) for year in range(2021, 2031)]),
    ],
)
def test_quarters_do_not_run_into_each_other_on_the_axis(
    quarters: int, compact: bool, ticks: list[str]
) -> None:
    """Each by its name while there is room, then years alone."""
    dates = pd.date_range("2020-07-01", periods=quarters, freq="QS")
    ranks = pd.DataFrame({"date": dates, "channel": "tv", "contribution": 1.0, "rank": 1})
    axis = channel_ranks(ranks, compact=compact).layout.xaxis
    assert list(axis.ticktext) == ticks
    assert len(axis.tickvals) == len(ticks)


@pytest.mark.parametrize(
    ("lows", "highs", "words"),
    [
        ([1.2, 1.1, 0.5], [2.0, 2.0, 0.9], "2 brought back more than was spent and 1 brought back less, each with"),
        ([1.2, 0.5, 0.6], [2.0, 2.0, 1.9], "1 brought back more than was spent, each with 95% certainty; of 2 it"),
        ([0.5, 0.5, 0.6], [2.0, 2.0, 1.9], "none is certain to have brought back more than was spent, or less."),
    ],
)  # fmt: skip
def test_the_reading_of_returns_says_what_is_sure(
    lows: list[float], highs: list[float], words: str, ms: ReportInputs
) -> None:
    """Counts by which side of 1 the 90% interval lies on."""
    frame = pd.DataFrame({"channel": list("abc"), "q05": lows, "q95": highs})
    assert words in _returns_reading(Subject(ms), frame)


@pytest.mark.parametrize(
    ("worth", "words", "cells"),
    [
        ([1.3e-13, 0.12], "would change this plan by next to nothing: it needs no test.", [0.0, 0.0]),
        (
            [1.3e-13, 900.0],
            "No test of one channel would change this plan; to know everything is worth",
            [0.0, 900.0],
        ),
        ([500.0, 900.0], "within 20% is worth", [500.0, 900.0]),
    ],
)
def test_what_a_test_is_worth_is_nothing_below_a_limit(
    worth: list[float], words: str, cells: list[float]
) -> None:
    """A plan that is sure needs no test; the rounding of a computer (1.31e-13) is not what one is worth."""
    record = advice_record()
    record["frontier"] = [{**point, "response": 100_000.0} for point in record["frontier"]]
    record["tests"] = [
        {"channel": "snapchat_cost", "worth": worth[0]},
        {"channel": "all channels", "worth": worth[1]},
    ]
    sheet = item_of(build_content(replace(ms_inputs(), advice=record)), "budget-tests")
    assert words in sheet.reading
    assert [row[1] for row in sheet.table.rows] == cells


def test_sentences_begin_with_a_capital_and_totals_that_are_right_say_so(ms: ReportInputs) -> None:
    """Also where a channel's name comes first; "0% too low" is no sentence."""
    content = build_content(ms)
    for section in content.sections:
        for item in section.items:
            said = getattr(item, "reading", "")
            assert said[:1] == said[:1].upper(), said
    exact = {
        window: replace(known, predictions=known.predictions.assign(mean=known.predictions["actual"]))
        for window, known in ms.windows.items()
    }
    right = build_content(replace(ms, windows=exact))
    assert "total right" in item_of(right, "held-out").reading


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        ([("residuals", "warning")], "with care. Something that lasts for several rows is missing"),
        (
            [("residuals", "warning"), ("media_known", "warning")],
            "may take the credit for it. One more thing to be careful of stands below. ",
        ),
        (
            [("residuals", "warning"), ("fit_explains", "error"), ("media_known", "warning")],
            "Do not act on these numbers. The model cannot follow even the rows that it was made from. 2 more "
            "stand below. ",
        ),
    ],
    ids=["one", "two", "an error is told first"],
)
def test_a_clients_first_screen_says_what_to_be_careful_of(
    ms: ReportInputs, failed: list[tuple[str, Severity]], said: str
) -> None:
    """The worst in words, and that there is more: a verdict alone sent the reader to the end of the page."""
    verdicts = tuple(
        Verdict(name, False, severity, severity == "error", "x", {}, FULL) for name, severity in failed
    )
    summary = build_content(replace(ms, verdicts=verdicts), "client").summary
    assert said in f"{summary.because} "
