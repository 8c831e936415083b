"""Claims about the first screen: verdict, three numbers, what changed, what failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mmm_engine.client.windows import Window
from mmm_engine.report.headline import build_summary, skill_words
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.page import ReportContent, Sheet
from mmm_engine.report.subject import Subject
from mmm_engine.scores.advice import ADVICE
from mmm_engine.scores.verdict import Verdict
from tests.engine.report.content_words import NBSP


def test_verdict_says_which_checks_failed_and_how_good_the_forecast_is(content: ReportContent) -> None:
    """The reason counts failed checks, names them, and quotes the eight-week holdout."""
    assert content.summary.verdict == "usable with care"
    assert content.summary.because == (
        "2 of 5 checks need a look: convergence of the sampler (with the last 12 weeks hidden) and forecast of unseen "
        "rows. With the last 8 weeks hidden, the model forecast them with an average error of 2.9% (MAPE), "
        "28% closer than last season's values."
    )


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [((), "usable"), (("warning",), "usable with care"), (("warning", "error"), "do not use")],
)
def test_verdict_follows_the_worst_failed_check(ms: ReportInputs, severities: Any, verdict: str) -> None:
    """One failed error forbids use, a failed warning asks for care."""
    verdicts = (Verdict("ok", True, "error", True, "fine"),)
    verdicts += tuple(Verdict("bad", False, severity, False, "not fine") for severity in severities)
    assert build_summary(Subject(replace(ms, verdicts=verdicts))).verdict == verdict


def test_what_forbids_use_is_counted_apart_from_what_asks_for_a_look(ms: ReportInputs) -> None:
    """Two failed, said the page, where the terminal said one failed and one warning."""
    verdicts = (
        Verdict("ok", True, "error", True, "fine"),
        Verdict("controls_plausible", False, "error", True, "too much"),
        Verdict("media_known", False, "warning", False, "a guess"),
    )
    summary = build_summary(Subject(replace(ms, verdicts=verdicts)))
    said = (
        "1 of 3 checks failed: share of controls; 1 more needs a look: how well the total of media is known."
    )
    assert summary.because.startswith(said)


def test_windows_that_fail_one_check_share_a_note(ms: ReportInputs) -> None:
    """Several windows, one remark, one fault."""
    failed = [
        Verdict("holdout_calibration", False, "warning", False, f"reason {w}", {}, w)
        for w in map(Window.holding_out, (4, 8))
    ]
    summary = build_summary(Subject(replace(ms, verdicts=tuple(failed))))
    (note,) = summary.failed
    assert note.title == "bias and intervals of forecasts (with the last 4 and 8 weeks hidden)"
    advice = ADVICE["holdout_calibration"]
    assert (note.text, note.fix) == (f"Reason h04. {advice.meaning}", advice.remedy)
    assert summary.checks_failed == 1
    assert summary.because.startswith(
        "1 of 1 check needs a look: bias and intervals of forecasts (with the last 4 and 8 weeks hidden)."
    )


@pytest.mark.parametrize(("rows", "words"), [(7, "4 and 8 weeks"), (1, "4 and 8 days")])
def test_windows_of_daily_clients_are_said_as_they_are(ms: ReportInputs, rows: int, words: str) -> None:
    """Weeks, as long as the history holds so many; days where it is short. Not rows, which would be 28."""
    windows = {
        window: replace(report, horizon=rows * window.holdout) for window, report in ms.windows.items()
    }
    subject = Subject(replace(ms, period="day", windows=windows))
    assert subject.held_out([Window.holding_out(8), Window.holding_out(4)]) == words
    assert subject.window_words(Window.holding_out(8)) == f"last 8 {words.split()[-1]}"
    assert subject.window_words(Window.holding_out(0)) == "all rows"


def test_what_could_not_be_judged_stands_apart(ms: ReportInputs, content: ReportContent) -> None:
    """Neither among the failed checks nor among those that passed."""
    assert content.summary.not_judged == (
        "results in their usual range: 3 of the 26 refreshes needed are recorded",
    )
    (unknown,) = (v for v in ms.verdicts if not v.judged)
    good = Verdict("data_contract", True, "error", True, "fine")
    summary = build_summary(Subject(replace(ms, verdicts=(good, unknown))))
    assert summary.because.startswith("1 check passed, 1 had nothing to judge yet.")
    assert (summary.verdict, summary.failed) == ("usable", ())


def test_no_checks_is_said_plainly(ms: ReportInputs) -> None:
    """A report without checks does not look as if it had passed some."""
    summary = build_summary(Subject(replace(ms, verdicts=())))
    assert summary.because.startswith("No check was run on this model.")


def test_naive_win_is_said_on_the_first_screen(content: ReportContent) -> None:
    """The window that loses against the naive forecast is named."""
    assert content.summary.warnings[0] == (
        "Simply repeating last season's values forecasts the last 12 weeks better than this model."
    )


def test_skill_in_words_has_the_sign_right() -> None:
    """Skill above 0 is closer than naive; below 0 the naive forecast wins."""
    assert skill_words(0.5) == "50% closer than last season's values"
    assert skill_words(-0.5).endswith("which win")
    assert skill_words(-0.5, "the last value") == "50% further off than the last value, which wins"
    assert skill_words(-672.7) == "674 times as far off as last season's values, which win"
    assert "not compared" in skill_words(float("nan"))


@pytest.mark.parametrize(
    ("period", "rows", "words"),
    [
        ("week", 36, "the last value"),
        ("month", 36, "last season's values"),
        ("day", 36, "last week's values"),
        ("month", 12, "earlier values"),
    ],
)
def test_no_last_season_is_named_where_there_was_none(
    ms: ReportInputs, period: Any, rows: int, words: str
) -> None:
    """Of 36 weeks the naive forecast repeats the last value: nobody is told that last year's sales won."""
    window = ms.windows[Window.holding_out(8)]
    short = replace(window, predictions=window.predictions.tail(rows))
    inputs = replace(ms, period=period, windows={**ms.windows, window.window: short})
    summary = build_summary(Subject(inputs))
    assert words in summary.because
    assert words in summary.headlines[0].detail


def test_a_small_share_is_not_nothing(ms: ReportInputs) -> None:
    """Media that bring 0.01% of sales do not bring "0%", nor does the largest channel."""
    parts = ms.decomposition.copy()
    parts.loc[parts["kind"] == "channel", "mean"] *= 1e-4
    share = build_summary(Subject(replace(ms, decomposition=parts))).headlines[1]
    assert share.value == "under 0.1%"
    assert share.detail.endswith("with under 0.1%.")


def test_headlines_are_error_media_share_and_return(ms: ReportInputs, content: ReportContent) -> None:
    """Three numbers; share and return can be worked out from the frames by hand."""
    error, share, roas = content.summary.headlines
    assert error.value == "2.9%"
    totals = ms.decomposition.groupby("kind")["mean"].sum()
    assert share.value == f"{100 * totals['channel'] / totals.sum():.0f}%"
    paid = ms.spend[ms.spend["unit"] == "EUR"]
    gained = (
        ms.full.returns.query("metric == 'contribution'")
        .set_index("channel")
        .loc[paid["channel"], "mean"]
        .sum()
    )
    assert roas.value == f"€{gained / paid['spend'].sum():.2f}"
    assert roas.unit == "revenue per €1 spent"


def test_zero_in_the_target_quotes_wape(ms: ReportInputs) -> None:
    """Where MAPE is not defined the error is WAPE, and says so."""
    h08 = ms.windows[Window.holding_out(8)]
    scores = h08.scores.assign(value=h08.scores["value"].where(h08.scores["metric"] != "mape"))
    summary = build_summary(
        Subject(replace(ms, windows={**ms.windows, h08.window: replace(h08, scores=scores)}))
    )
    assert "(WAPE)" in summary.because
    assert "not defined" not in summary.because


def test_changes_compare_with_the_previous_refresh(content: ReportContent) -> None:
    """New rows, the moved error and the one ROAS that moved by more than a tenth."""
    new, error, roas = content.summary.changes
    assert new == f"1 new week of data, up to 28{NBSP}Oct{NBSP}2024."
    assert error == "Forecast error down to 2.9% from 6.1%."
    assert roas == (
        "Return of google ads shopping went from €2.74 to €5.48 (+100%), "
        "because of new periods (+1.92) and settings (+0.548)."
    )


def test_a_cause_within_the_noise_of_the_sampler_is_not_named(ms: ReportInputs) -> None:
    """Parts below two standard deviations between seeds explain nothing."""
    assert ms.diff is not None
    noisy = replace(ms, diff=ms.diff.assign(noise=10.0))
    [*_, roas] = build_summary(Subject(noisy)).changes
    assert roas.endswith("(+100%), no more than fitting the same rows again may give.")


def test_drift_alarm_stands_on_the_first_screen_and_in_its_table(content: ReportContent) -> None:
    """With the numbers; a series with too short a past says so."""
    assert content.summary.warnings[-1] == (
        "Drift alarm: crps has left its usual range: now 0.09, usually 0.05."
    )
    sheet = next(item for s in content.sections for item in s.items if item.id == "drift")
    assert isinstance(sheet, Sheet)
    assert sheet.reading == "1 of 3 watched series left their usual range."
    assert [row[5] for row in sheet.table.rows] == ["alarm", "usual", "usual", "too few refreshes"]


def test_first_refresh_has_no_changes(ms: ReportInputs) -> None:
    """Without an earlier refresh nothing is invented."""
    summary = build_summary(Subject(replace(ms, previous=None)))
    assert summary.changes == ()
    assert summary.changes_since == ""
