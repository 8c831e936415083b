"""Claims about the numbers and words of a report, on inputs that are made up by hand."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.client.windows import FULL, Window
from mmm_engine.report import wording
from mmm_engine.report.content import build_content
from mmm_engine.report.figures import draw_charts
from mmm_engine.report.figures.contribution import decomposition_area
from mmm_engine.report.headline import build_summary, skill_words
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.page import Chart, Column, ReportContent, Sheet, table_of, write_cell
from mmm_engine.report.sections.calibration import coverage_by_level
from mmm_engine.report.sections.contribution import ranks_by_quarter, shares_against_spend
from mmm_engine.report.sections.response import relative_slopes
from mmm_engine.report.sections.returns import return_rows
from mmm_engine.report.subject import Subject
from mmm_engine.scores.gates import Verdict
from tests.engine.report.report_cases import HOSTILE, hostile_inputs, leads_inputs, ms_inputs, score

SNAPSHOT = Path(__file__).with_name("report_content_ms.json")
NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture(scope="module")
def ms() -> ReportInputs:
    """The 13-channel client."""
    return ms_inputs()


@pytest.fixture(scope="module")
def content(ms: ReportInputs) -> ReportContent:
    """Its report for analysts."""
    return build_content(ms)


def readings(content: ReportContent) -> dict[str, str]:
    """Reading of every chart and sheet by id."""
    items = (item for section in content.sections + content.appendix for item in section.items)
    return {item.id: item.reading for item in items if hasattr(item, "reading")}


# --- the whole ----------------------------------------------------------------------------------


def words(content: ReportContent) -> Any:
    """The report without its frames; of each table the heading and the first two rows."""

    def trim(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: trim(item) for key, item in value.items() if key not in {"frames", "options"}}
            if "rows" in kept and "caption" in kept:
                kept["rows"] = kept["rows"][:2]
            return kept
        if isinstance(value, list | tuple):
            return [trim(item) for item in value]
        return float(f"{value:.6g}") if isinstance(value, float) else value

    chart_free = replace(content, sections=_plain(content.sections), appendix=_plain(content.appendix))
    return json.loads(json.dumps(trim(asdict(chart_free))))


def _plain(sections: Any) -> Any:
    def bare(item: Any) -> Any:
        return replace(item, frames={}, options={}) if isinstance(item, Chart) else item

    return tuple(replace(section, items=tuple(bare(item) for item in section.items)) for section in sections)


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
    ids = {section.id for section in build_content(leads_inputs()).sections}
    assert ids.isdisjoint({"multiplier", "trust", "forecast", "diff"})
    assert {"fit", "contribution", "returns", "curves", "holdout", "provenance"} <= ids


# --- the first screen ---------------------------------------------------------------------------


def test_verdict_says_which_checks_failed_and_how_good_the_forecast_is(content: ReportContent) -> None:
    """The reason counts failed checks, names them, and quotes the eight-week holdout."""
    assert content.summary.verdict == "usable with care"
    assert content.summary.because == (
        "2 of 8 checks failed: forecast of unseen rows (last 12) and convergence of the sampler (last 12). "
        "With the last 8 weeks hidden, the model's forecast was 2.9% off on average (MAPE), "
        "28% closer than the seasonal naive forecast."
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


def test_windows_that_fail_one_check_share_a_note(ms: ReportInputs) -> None:
    """Four windows, one remark; the count stays that of the checks."""
    failed = [
        Verdict("holdout_skill", False, "warning", False, f"reason {w}", {}, w)
        for w in map(Window.holding_out, (4, 8))
    ]
    summary = build_summary(Subject(replace(ms, verdicts=tuple(failed))))
    assert [(note.title, note.text) for note in summary.failed] == [
        ("forecast of unseen rows (last 4 and last 8)", "Reason h04.")
    ]
    assert summary.checks_failed == 2
    assert summary.because.startswith("2 of 2 checks failed: forecast of unseen rows (last 4 and last 8).")


def test_no_checks_is_said_plainly(ms: ReportInputs) -> None:
    """A report without checks does not look as if it had passed some."""
    summary = build_summary(Subject(replace(ms, verdicts=())))
    assert summary.because.startswith("No check was run on this model.")


def test_naive_win_is_said_on_the_first_screen(content: ReportContent) -> None:
    """The window that loses against the naive forecast is named."""
    assert content.summary.warnings[0] == (
        "The seasonal naive forecast (the same week one season ago) beats this model on the last 12 weeks."
    )


def test_skill_in_words_has_the_sign_right() -> None:
    """Skill above 0 is closer than naive; below 0 the naive forecast wins."""
    assert skill_words(0.5) == "50% closer than the seasonal naive forecast"
    assert skill_words(-0.5).endswith("which wins")
    assert "not compared" in skill_words(float("nan"))


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
    assert roas.value == f"{gained / paid['spend'].sum():.2f}"
    assert roas.unit == "EUR per EUR"


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
        "ROAS of google ads shopping went from 2.74 to 5.48 (+100%), "
        "because of new periods (+1.92) and settings (+0.548)."
    )


def test_a_cause_within_the_noise_of_the_sampler_is_not_named(ms: ReportInputs) -> None:
    """Parts below two standard deviations between seeds explain nothing."""
    assert ms.diff is not None
    noisy = replace(ms, diff=ms.diff.assign(noise=10.0))
    [*_, roas] = build_summary(Subject(noisy)).changes
    assert roas.endswith("(+100%), no cause stands clear of the sampler's noise.")


def test_diff_draws_the_largest_movers_and_tables_every_part(content: ReportContent) -> None:
    """The waterfall has three channels, largest relative move first; its parts are those of the table."""
    [waterfall, causes] = next(s for s in content.sections if s.id == "diff").items
    assert isinstance(waterfall, Chart)
    assert waterfall.frames["diff"]["channel"].nunique() == 3
    assert waterfall.reading.startswith("Google ads shopping +2.74 because of new periods (+1.92)")
    assert len(waterfall.table.rows) == 9
    assert isinstance(causes, Chart)
    assert causes.reading.startswith("Of all movement, over 12 channels: new periods 70%, settings 20%")


def test_shares_are_explained_where_no_return_moved(ms: ReportInputs) -> None:
    """A move of a share is told in percentage points."""
    assert ms.diff is not None
    shares = ms.diff.assign(metric="share", change=ms.diff["change"] / 100, before=0.1, after=0.12, noise=0.0)
    section = next(s for s in build_content(replace(ms, diff=shares)).sections if s.id == "diff")
    assert isinstance(section.items[0], Chart)
    assert "percentage points" in section.items[0].reading
    assert "share of ecommerce revenue" in section.items[0].title


def test_drift_alarm_stands_on_the_first_screen_and_in_its_table(content: ReportContent) -> None:
    """With the numbers; a series with too short a past says so."""
    assert content.summary.warnings[-1] == (
        "Drift alarm: crps has left its usual range: now 0.09, usually 0.05."
    )
    sheet = next(item for s in content.sections for item in s.items if item.id == "drift")
    assert isinstance(sheet, Sheet)
    assert sheet.reading == "1 of 3 watched series left their usual range."
    assert [row[5] for row in sheet.table.rows] == ["alarm", "usual", "usual", "too few refreshes"]


def test_calibration_counts_what_each_interval_held(ms: ReportInputs) -> None:
    """Ten unseen rows whose PIT is spread evenly: each interval holds what it promises."""
    even = np.arange(0.05, 1, 0.1)
    pit = pd.DataFrame({"rows": "test", "pit": even})
    coverage = coverage_by_level(pit).set_index("level")
    assert coverage["held"].to_dict() == pytest.approx({0.1: 0.2, 0.2: 0.2, 0.3: 0.4, 0.4: 0.4, 0.5: 0.6, 0.6: 0.6,
                                                        0.7: 0.8, 0.8: 0.8, 0.9: 1.0})  # fmt: skip
    assert coverage.loc[0.9, "high"] == 1.0
    assert coverage.loc[0.5, "low"] < 0.5 < coverage.loc[0.5, "high"]


def test_calibration_says_when_intervals_are_too_narrow(ms: ReportInputs) -> None:
    """All unseen rows fell above the prediction."""
    h12 = ms.windows[Window.holding_out(12)]
    low = replace(h12, predictions=h12.predictions.assign(pit=1.0))
    content = build_content(replace(ms, windows={**ms.windows, h12.window: low}))
    chart = next(chart for chart in content.charts if chart.id == "calibration")
    assert "The intervals of unseen weeks are too narrow" in chart.reading


def test_chains_are_shown_with_what_is_wrong_with_them(content: ReportContent) -> None:
    """Six rank plots, the energy with its BFMI, and where the two divergent draws lie."""
    charts = {chart.id: chart for chart in content.charts}
    assert charts["rank-plots"].frames["ranks"]["parameter"].nunique() == 6
    assert "the smallest BFMI of any chain is 0.82 (above 0.3 wanted), enough" in charts["energy"].reading
    assert charts["divergences"].reading.startswith("2 divergent draws of the full fit lie at")


def test_identified_decides_what_may_be_read(ms: ReportInputs) -> None:
    """The verdict of the recovery fleet goes before the recovery score."""
    frame = ms.recovery
    assert frame is not None
    told = {"snapchat_cost": 0.0, "google_ads_video_cost": 0.5, "google_ads_search_men_cost": 1.0}
    rows = [score("recovery", name, "identified", value) for name, value in told.items()]
    others = frame[(frame["metric"] != "identified") | ~frame["channel"].isin(told)]
    subject = Subject(replace(ms, recovery=pd.concat([others, pd.DataFrame(rows)], ignore_index=True)))
    verdicts = subject.recovery.set_index("channel")["verdict"]
    assert verdicts["snapchat_cost"] == "do not read"
    assert verdicts["google_ads_video_cost"] == "read with care"
    assert verdicts["google_ads_search_men_cost"] == "can be read"
    assert "snapchat_cost" in subject.unreadable


def test_results_of_earlier_versions_are_read_by_the_same_rule(ms: ReportInputs) -> None:
    """They stored no verdict: a recovery of 0.65 is read with care, as a refresh of today would call it."""
    frame = ms.recovery
    assert frame is not None
    older = frame[frame["metric"] != "identified"]
    older = older.assign(value=older["value"].where(older["metric"] != "contribution_recovery", 0.65))
    assert set(Subject(replace(ms, recovery=older)).recovery["verdict"]) == {"read with care"}


def test_first_refresh_has_no_changes(ms: ReportInputs) -> None:
    """Without an earlier refresh nothing is invented."""
    summary = build_summary(Subject(replace(ms, previous=None)))
    assert summary.changes == ()
    assert summary.changes_since == ""


# --- returns ------------------------------------------------------------------------------------


def test_channel_that_recovery_did_not_find_must_not_be_read(content: ReportContent) -> None:
    """It is marked on the first screen, in the notes, in the table and on the chart."""
    assert "Do not read the ROAS of facebook ads engagement" in content.summary.warnings[1]
    chart = next(chart for chart in content.charts if chart.id == "returns-by-channel")
    marks = {row[0]: row[-2] for row in chart.table.rows}
    assert marks["facebook ads engagement"] == "do not read"
    assert sum(bool(mark) for mark in marks.values()) == 1
    assert chart.options["unreadable"] == ("facebook_ads_engagement_cost",)


def test_channel_without_a_cost_is_warned_about_by_its_effect(ms: ReportInputs) -> None:
    """There is no ROAS of views, so the warning does not speak of one."""
    frame = ms.recovery
    assert frame is not None
    bad = frame.assign(value=frame["value"].where(frame["channel"] != "youtube_organic_views", 0.0))
    words = Subject(replace(ms, recovery=bad)).unreadable_words
    assert words == "the ROAS of facebook ads engagement, or the effect of youtube organic views"


def test_unreadable_channel_is_never_best_or_worst(ms: ReportInputs) -> None:
    """The headline does not quote a return that must not be read."""
    best = "google_ads_search_brand_cost"
    frame = ms.recovery
    assert frame is not None
    bad = frame.assign(value=frame["value"].where(frame["channel"] != best, 0.0))
    headline = build_summary(Subject(replace(ms, recovery=bad))).headlines[2]
    assert "google ads search brand" not in headline.detail


def test_channel_without_a_cost_has_no_roas(ms: ReportInputs, content: ReportContent) -> None:
    """Views are not money: the channel leaves ROAS and shares, and has its own table."""
    assert "youtube_organic_views" not in set(return_rows(Subject(ms))["channel"])
    sheet = next(item for s in content.sections for item in s.items if item.id == "unpaid")
    assert [row[0] for row in sheet.table.rows] == ["youtube organic views"]
    assert sheet.table.rows[0][2] == "views"


def test_client_without_paid_channels_has_a_report(ms: ReportInputs) -> None:
    """Organic media only: no ROAS anywhere, and the page says so."""
    content = build_content(replace(ms, spend=ms.spend.assign(unit="views")))
    assert content.summary.headlines[2].value == "not defined"
    assert {chart.id for chart in content.charts}.isdisjoint({"returns-by-channel", "shares", "marginal"})


def test_marginal_cost_is_one_over_marginal_return() -> None:
    """For conversions, 0.02 more conversions per EUR mean 50 EUR for the next one; quantiles swap ends."""
    inputs = leads_inputs()
    returns = inputs.full.returns
    is_tv = (returns["channel"] == "tv_spend") & (returns["metric"] == "mroas")
    changed = returns.copy()
    changed.loc[is_tv, ["mean", "q05", "q95"]] = [0.02, 0.01, 0.04]
    full = replace(inputs.full, returns=changed)
    row = (
        return_rows(Subject(replace(inputs, windows={**inputs.windows, FULL: full})))
        .set_index("channel")
        .loc["tv_spend"]
    )
    assert row["marginal"] == pytest.approx(50.0)
    assert row["marginal_q05"] == pytest.approx(25.0)
    assert row["marginal_q95"] == pytest.approx(100.0)


def test_conversions_are_told_as_cost_per_conversion() -> None:
    """A conversions client reads costs, cheapest first."""
    content = build_content(leads_inputs())
    section = next(s for s in content.sections if s.id == "returns")
    assert section.title == "Cost per conversion"
    assert readings(content)["returns-by-channel"] == (
        f"search brings a conversion for 37.4{NBSP}EUR, radio for 158{NBSP}EUR; bars that overlap cannot be told apart."
    )


def test_currency_that_is_not_known_leaves_no_empty_brackets(ms: ReportInputs) -> None:
    """Without a currency the words still read."""
    spend = ms.spend.assign(unit=ms.spend["unit"].replace("EUR", "spend"))
    content = build_content(replace(ms, currency_unit="", spend=spend))
    text = json.dumps(words(content), ensure_ascii=False)
    assert "()" not in text
    assert "1 unit of money" in text
    assert content.summary.headlines[2].unit == "revenue per unit of spend"


# --- readings that can be checked by hand -------------------------------------------------------


def test_trend_and_events_are_parts_of_their_own(ms: ReportInputs) -> None:
    """Each has its line; an area shows a falling trend within the baseline, and all areas still make the whole."""
    rows = ms.decomposition
    falling = rows[rows["component"] == "baseline"].assign(component="trend", kind="trend")
    falling["mean"] *= -0.2 * np.linspace(0, 1, len(falling))
    sale = falling.assign(component="black_friday", kind="event", mean=100.0)
    inputs = replace(ms, decomposition=pd.concat([rows, falling, sale], ignore_index=True))
    totals = Subject(inputs).totals
    assert list(totals["kind"].unique())[:2] == ["baseline", "trend"]
    assert list(totals["kind"].unique())[-2:] == ["event", "channel"]
    said = readings(build_content(inputs))
    assert "events" in said["parts"]
    areas = decomposition_area(inputs.decomposition).data
    assert [area.name for area in areas][:1] == ["baseline and trend"]
    assert "black friday" in [area.name for area in areas]
    assert sum(np.sum(area.y) for area in areas) == pytest.approx(totals["mean"].sum())


def test_shares_against_spend_sum_to_one() -> None:
    """Half the spend that brings a quarter of the contribution."""
    paid = pd.DataFrame({"channel": ["a", "b"], "spend": [50.0, 50.0], "contribution": [25.0, 75.0]})
    shares = shares_against_spend(paid)
    assert list(shares["spend_share"]) == [0.5, 0.5]
    assert list(shares["contribution_share"]) == [0.25, 0.75]
    assert list(shares["roas"]) == [0.5, 1.5]


def test_relative_slope_of_a_michaelis_menten_curve() -> None:
    """At spend equal to the half-saturation point the next unit brings half of the average one."""
    spend = np.linspace(0, 4, 401)
    curve = pd.DataFrame(
        {"channel": "a", "spend": spend, "mean": spend / (1 + spend), "current": spend == 1.0}
    )
    assert relative_slopes(curve)["a"] == pytest.approx(0.5, abs=1e-3)


def test_ranks_by_quarter_start_at_one() -> None:
    """Two channels that swap places between two quarters."""
    dates = pd.to_datetime(["2024-01-01", "2024-04-01"]).repeat(2)
    frame = pd.DataFrame(
        {"date": dates, "component": ["a", "b"] * 2, "kind": "channel", "mean": [2.0, 1.0, 1.0, 2.0]}
    )
    assert list(ranks_by_quarter(frame)["rank"]) == [1, 2, 2, 1]


def test_scores_reading_names_the_windows_that_lose(content: ReportContent) -> None:
    """Two windows win, the twelve-week one loses by 7%."""
    assert readings(content)["holdout-scores"] == (
        "The model beats the seasonal naive forecast on 2 of 3 windows; the naive forecast wins on the last 12 weeks "
        "(at worst the model is 7.0% worse than the seasonal naive forecast)."
    )


def test_sampler_reading_names_the_worst_of_all_windows(content: ReportContent) -> None:
    """Divergences are located, R-hat and ESS are the worst of all fits."""
    assert readings(content)["sampler-health"] == (
        "3 divergences (in the fit of last 12); over all fits the largest R-hat is 1.013 (1.01 or less wanted) and the "
        "smallest effective sample size 912 (400 or more wanted)."
    )


def test_forecast_is_compared_with_the_year_before(ms: ReportInputs) -> None:
    """A forecast of the same values as a year earlier is +0%."""
    past = ms.full.predictions.set_index("date")["actual"]
    assert ms.forecast is not None
    before = past.reindex(pd.DatetimeIndex(ms.forecast["date"]) - pd.Timedelta(weeks=52)).to_numpy()
    content = build_content(replace(ms, forecast=ms.forecast.assign(mean=before)))
    assert ", +0% against the same weeks a year earlier" in readings(content)["fan"]


def test_accuracy_table_has_train_test_and_all(content: ReportContent) -> None:
    """R², MAPE and WAPE for training rows, unseen rows and both together."""
    sheet = next(item for s in content.sections for item in s.items if item.id == "accuracy")
    assert [column.label for column in sheet.table.columns] == [
        "Window",
        "Rows",
        "Count",
        "R²",
        "MAPE",
        "WAPE",
        "NRMSE",
    ]
    assert [(row[0], row[1], row[2]) for row in sheet.table.rows[:4]] == [
        ("all rows", "train", 161.0), ("last 4", "train", 157.0), ("last 4", "test", 4.0), ("last 4", "all", 161.0),
    ]  # fmt: skip


def test_ledger_without_arrived_forecasts_is_left_out(ms: ReportInputs) -> None:
    """A ledger that holds only the forecast just made has nothing to compare."""
    assert ms.ledger is not None
    content = build_content(replace(ms, ledger=ms.ledger.assign(actual=np.nan)))
    assert "ledger" not in {chart.id for chart in content.charts}


def test_recovery_rows_of_parameters_are_not_channels(ms: ReportInputs) -> None:
    """A parameter's recovery never turns into a verdict on a channel."""
    extra = pd.DataFrame([score("recovery", "intercept", "recovery", 0.01)])
    subject = Subject(replace(ms, recovery=pd.concat([ms.recovery, extra])))
    assert "intercept" not in set(subject.recovery["channel"])
    assert subject.unreadable == ("facebook_ads_engagement_cost",)


# --- words --------------------------------------------------------------------------------------


def test_cells_write_what_their_column_means() -> None:
    """A share is a percentage, a missing number is said to be missing."""
    assert write_cell(0.0978, "share") == "9.8%"
    assert write_cell(float("nan"), "share") == "not defined"
    assert write_cell(1234567.0, "number") == "1,234,567"


def test_tables_keep_missing_values(content: ReportContent) -> None:
    """NaN in a frame is an empty cell that says so, never a dropped row."""
    table = table_of(pd.DataFrame({"a": [1.0, np.nan]}), "t", {"a": Column("A")})
    assert table.rows == ((1.0,), (None,))
    assert table.written() == [["1"], ["not defined"]]


@given(st.text(max_size=400))
def test_display_names_are_one_bounded_line(name: str) -> None:
    """Whatever a column is called, its label is short, on one line, without control characters."""
    label = wording.display_name(name, 30)
    assert 0 < len(label) <= 32  # two more when isolated
    assert not any(character in label for character in "\n\r\t\x00\u2028")
    label.encode()


@given(st.lists(st.text(max_size=60), min_size=1, max_size=12))
def test_labels_never_merge_two_names(names: list[str]) -> None:
    """Two columns that look alike keep labels of their own."""
    labels = wording.display_names(names, 20)
    assert len(set(labels.values())) == len(set(names))


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_are_never_raw(value: float) -> None:
    """No 'nan', 'inf' or twenty digits reach a reader."""
    for text in (
        wording.compact(value),
        wording.grouped(value),
        wording.percent(value),
        wording.decimal(value),
    ):
        assert "nan" not in text
        assert "inf" not in text
        assert len(text) <= 24


def test_hostile_names_make_a_report() -> None:
    """Names that try to be code are shortened and isolated, and nothing else changes."""
    content = build_content(hostile_inputs())
    assert [chart.id for chart in content.charts] == [chart.id for chart in build_content(ms_inputs()).charts]
    labels = Subject(hostile_inputs()).labels
    assert len({labels[name] for name in HOSTILE.values()}) == len(HOSTILE)


# --- frames with holes ----------------------------------------------------------------------------


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
