"""Claims about the numbers and sentences of single sections, on inputs that are made up by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.windows import FULL, Window
from mmm_engine.report.content import build_content
from mmm_engine.report.figures import draw_chart
from mmm_engine.report.figures.contribution import decomposition_area
from mmm_engine.report.headline import build_summary
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.page import Chart, Notes, ReportContent
from mmm_engine.report.sections.calibration import coverage_by_level
from mmm_engine.report.sections.contribution import (
    ranks_by_quarter,
    shares_against_spend,
    whole_quarters,
)
from mmm_engine.report.sections.forecast import fan_chart
from mmm_engine.report.sections.recent import recent_section, spans
from mmm_engine.report.sections.response import relative_slopes
from mmm_engine.report.sections.returns import return_rows
from mmm_engine.report.sections.returns_by_period import returns_by_period
from mmm_engine.report.subject import Subject
from tests.engine.report.case_client import score
from tests.engine.report.case_frames import period_returns_frame
from tests.engine.report.content_words import readings, words
from tests.engine.report.report_cases import leads_inputs


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


def test_calibration_says_when_intervals_are_wider_than_needed(ms: ReportInputs) -> None:
    """All of twelve unseen rows fell into the 50% interval, which 90% intervals alone cannot tell."""
    h12 = ms.windows[Window.holding_out(12)]
    centred = replace(h12, predictions=h12.predictions.assign(pit=0.5))
    content = build_content(replace(ms, windows={**ms.windows, h12.window: centred}))
    chart = next(chart for chart in content.charts if chart.id == "calibration")
    assert "The intervals of unseen weeks are wider than needed" in chart.reading
    assert "3 to 9 of 12 into right 50% intervals, 8 to 12 into 90% intervals" in chart.reading


def test_chains_are_shown_with_what_is_wrong_with_them(content: ReportContent) -> None:
    """Six rank plots, the energy with its BFMI, and where the two divergent draws lie."""
    charts = {chart.id: chart for chart in content.charts}
    assert charts["rank-plots"].frames["ranks"]["parameter"].nunique() == 6
    assert "the smallest BFMI of any chain is 0.82 (above 0.3 wanted), enough" in charts["energy"].reading
    assert charts["divergences"].reading.startswith("2 divergent draws of the full fit lie at")


def with_evidence(inputs: ReportInputs, channel: str, **numbers: float) -> ReportInputs:
    """The inputs with other evidence on one channel of the window of all rows."""
    scores = inputs.full.scores
    is_changed = (scores["channel"] == channel) & scores["metric"].isin(numbers)
    rows = [score("train", channel, metric, value) for metric, value in numbers.items()]
    changed = pd.concat([scores[~is_changed], pd.DataFrame(rows)], ignore_index=True)
    return replace(inputs, windows={**inputs.windows, FULL: replace(inputs.full, scores=changed)})


def test_what_is_known_of_a_channel_decides_whether_it_may_be_read(ms: ReportInputs) -> None:
    """A factor of 2.7 each way is read with care, one of 3.7 not at all, whatever one simulation found."""
    inputs = with_evidence(
        with_evidence(ms, "snapchat_cost", log_sd=0.8), "google_ads_video_cost", log_sd=0.6
    )
    subject = Subject(inputs)
    told = subject.readability.set_index("channel")
    assert told.loc["snapchat_cost", "verdict"] == "do not read"
    assert told.loc["snapchat_cost", "factor"] == pytest.approx(3.73, abs=0.01)
    assert told.loc["google_ads_video_cost", "verdict"] == "read with care"
    assert told.loc["google_ads_search_brand_cost", "verdict"] == "can be read"
    assert "snapchat_cost" in subject.unreadable


def test_channels_that_trade_places_are_told_with_their_partner(ms: ReportInputs) -> None:
    """Only the sum of two channels is known; the note names the other by its label."""
    names = [str(name) for name in ms.spend["channel"]]
    pair = {
        "partner": float(names.index("snapchat_cost")),
        "partner_correlation": -0.8,
        "together_log_sd": 0.2,
    }
    inputs = with_evidence(ms, "google_ads_video_cost", log_sd=1.1, **pair)
    section = next(section for section in build_content(inputs).sections if section.id == "returns")
    notes = next(item for item in section.items if isinstance(item, Notes))
    note = next(note for note in notes.items if "google ads video" in note.title)
    assert note.text.startswith("Only its sum with snapchat can be read")
    assert note.fix.startswith("Read the two as one")


def test_channel_that_is_not_known_must_not_be_read(content: ReportContent) -> None:
    """It is marked on the first screen, in the notes, in the table and on the chart."""
    assert "Do not read the return of facebook ads engagement" in content.summary.warnings[1]
    assert "it could be several times smaller or larger" in content.summary.warnings[1]
    chart = next(chart for chart in content.charts if chart.id == "returns-by-channel")
    marks = {row[0]: row[-2] for row in chart.table.rows}
    assert marks["facebook ads engagement"] == "do not read"
    assert list(marks.values()).count("do not read") == 1
    assert chart.options["unreadable"] == ("facebook_ads_engagement_cost",)


def test_channel_without_a_cost_is_warned_about_by_its_effect(ms: ReportInputs) -> None:
    """There is no ROAS of views, so the warning does not speak of one."""
    words = Subject(with_evidence(ms, "youtube_organic_views", log_sd=1.0)).unreadable_words
    assert words == "the return of facebook ads engagement, or the effect of youtube organic views"


def test_unreadable_channel_is_never_best_or_worst(ms: ReportInputs) -> None:
    """The headline does not quote a return that must not be read."""
    headline = build_summary(
        Subject(with_evidence(ms, "google_ads_search_brand_cost", robust_log_sd=1.0))
    ).headlines[2]
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
        "Search brings a conversion for €37.44, radio for €158; bars that overlap cannot be told apart."
    )


def test_currency_that_is_not_known_leaves_no_empty_brackets(ms: ReportInputs) -> None:
    """Without a currency the words still read."""
    spend = ms.spend.assign(unit=ms.spend["unit"].replace("EUR", "spend"))
    content = build_content(replace(ms, currency_unit="", spend=spend))
    text = json.dumps(words(content), ensure_ascii=False)
    assert "()" not in text
    assert "1 unit of money" in text
    assert content.summary.headlines[2].unit == "revenue per unit of money spent"


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


def test_ranks_are_of_whole_quarters_only() -> None:
    """Two channels that swap places; the quarter that the rows only begin, and the one they only end, have no rank."""
    dates = pd.date_range("2023-12-01", "2024-07-01", freq="MS")
    sizes = [9.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 9.0]
    rows = {"a": sizes, "b": [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0]}
    frame = pd.DataFrame(
        [
            (date, name, "channel", value)
            for name, values in rows.items()
            for date, value in zip(dates, values, strict=True)
        ],
        columns=["date", "component", "kind", "mean"],
    )
    ranks = ranks_by_quarter(frame, "month")
    assert list(ranks["date"].drop_duplicates()) == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-04-01")]
    assert ranks.set_index(["channel", "date"]).loc["a", "rank"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("first", "last", "whole"),
    [
        ("2024-01-01", "2024-03-25", True),
        ("2024-01-08", "2024-03-25", False),
        ("2024-01-01", "2024-03-18", False),
    ],
)
def test_a_week_belongs_to_the_quarter_in_which_it_begins(first: str, last: str, whole: bool) -> None:
    """The first quarter of 2024 is whole with its thirteen Mondays."""
    dates = pd.Series(pd.date_range(first, last, freq="W-MON"))
    assert bool(whole_quarters(dates, "week").all()) is whole


def test_recent_rows_are_compared_with_those_before_and_a_year_ago(ms: ReportInputs) -> None:
    """Sums of four weeks each, worked out by hand from the frames; the causes add up to the whole difference."""
    now, before, year = spans(Subject(ms))
    actual = ms.full.predictions["actual"].to_numpy()
    media = ms.decomposition[ms.decomposition["kind"] == "channel"].groupby("date")["mean"].sum().to_numpy()
    for span, rows in ((now, slice(-4, None)), (before, slice(-8, -4)), (year, slice(-56, -52))):
        assert span is not None
        assert span.target == pytest.approx(actual[rows].sum())
        assert span.media == pytest.approx(media[rows].sum())
    dates = ms.full.predictions["date"]
    spend = pd.DataFrame(
        {"date": dates, "channel": "snapchat_cost", "spend": np.arange(len(dates), dtype=float)}
    )
    views = spend.assign(channel="youtube_organic_views", spend=1e9)
    paid, *_ = spans(Subject(replace(ms, spend_by_date=pd.concat([spend, views]))))
    assert paid is not None
    assert paid.spend == pytest.approx(157 + 158 + 159 + 160)  # views cost nothing


def test_returns_by_period_have_intervals_and_a_choice(ms: ReportInputs) -> None:
    """Every paid channel in each period, in the order of spend; a period without spend has no return, and says so."""
    (sheet,) = returns_by_period(Subject(replace(ms, period_returns=period_returns_frame(ms))))
    assert [column.label for column in sheet.table.columns] == [
        "Channel",
        "Period",
        "Return (€)",
        "5%",
        "95%",
        "Spend (€)",
    ]
    assert sheet.choose == "Period"
    assert [row[1] for row in sheet.table.rows] == ["All rows"] * 12 + ["Last year"] * 12 + [
        "Last quarter"
    ] * 12
    assert sheet.table.rows[0][0] == sheet.table.rows[12][0] == Subject(ms).label(ms.paid_channels[0])
    assert sheet.table.rows[0][2:5] == (2.0, 1.0, 3.0)
    assert sheet.table.rows[24][2:5] == (None, None, None)
    assert sheet.reading.startswith(
        f"{Subject(ms).label(ms.paid_channels[1]).capitalize()} differs most: €4.00 in the last quarter "
        "(90% interval €2.00 to €6.00), €2.00 over all rows."
    )
    assert returns_by_period(Subject(ms)) == ()
    only = period_returns_frame(ms).query("span == 'all'")
    assert returns_by_period(Subject(replace(ms, period_returns=only))) == ()


def test_few_rows_have_no_comparison(ms: ReportInputs) -> None:
    """Seven weeks hold four, but not the four before."""
    short = replace(ms.full, predictions=ms.full.predictions.tail(7))
    assert recent_section(Subject(replace(ms, windows={FULL: short}))) is None


@pytest.mark.parametrize(
    ("assumed", "words"),
    [
        (
            {"planned": 0, "otherwise": "last_year"},
            "media like those of a year ago, because no plan is given.",
        ),
        ({"planned": 8, "otherwise": "recent"}, "Media follow the client's plan."),
        ({"planned": 3, "otherwise": "recent"}, "plan for 3 weeks, then those of the last weeks."),
        (
            {"planned": 8, "otherwise": "recent", "beyond": {"snapchat_cost": 1.4}},
            "is a guess: snapchat (+40%).",
        ),
    ],
)
def test_forecast_says_which_media_it_assumes(ms: ReportInputs, assumed: dict[str, Any], words: str) -> None:
    """From what the forecast recorded; plans beyond anything seen are named."""
    assert ms.forecast is not None
    forecast = ms.forecast.copy()
    forecast.attrs["media"] = {"beyond": {}, "beyond_rows": [], **assumed}
    chart = fan_chart(Subject(replace(ms, forecast=forecast)))
    assert chart is not None
    assert words in chart.reading


def test_a_channel_has_one_colour_in_every_chart(content: ReportContent) -> None:
    """Every chart that colours channels is handed the same table, and no two channels of it share a colour but grey."""
    tables = {chart.id: chart.options["tokens"] for chart in content.charts if "tokens" in chart.options}
    assert {
        "decomposition",
        "waterfall",
        "ranks",
        "returns-by-channel",
        "marginal",
        "response-curves",
    } <= set(tables)
    (first, *others) = tables.values()
    assert all(other == first for other in others)
    assert isinstance(first, dict)
    colours = [token for token in first.values() if token != "other"]
    assert len(colours) == len(set(colours)) == 11


def test_every_bubble_has_a_name(content: ReportContent) -> None:
    """On the chart, or by a number that the legend explains, at a desk and on a phone."""
    chart = next(chart for chart in content.charts if chart.id == "marginal")
    for drawing in (draw_chart(chart).wide, draw_chart(chart).narrow):
        assert drawing is not None
        _, bubbles, *legend = drawing.data
        assert all(bubbles.text)
        numbered = [text for text in bubbles.text if text.isdigit()]
        assert [trace.name.split(" ", 1)[0] for trace in legend] == sorted(numbered, key=int)


def test_the_largest_control_has_its_name(content: ReportContent) -> None:
    """It is not folded into "2 controls"."""
    chart = next(chart for chart in content.charts if chart.id == "decomposition")
    names = {trace.name for trace in draw_chart(chart).wide.data}
    assert {"events", "emails delivered"} <= names


def test_scores_reading_names_the_windows_that_lose(content: ReportContent) -> None:
    """Two windows win, the twelve-week one loses by 7%."""
    assert readings(content)["holdout-scores"] == (
        "The model forecasts better than last season's values on 2 of 3 windows; repeating last season's values wins "
        "on the last 12 weeks (at worst the model is 7.0% further off than last season's values)."
    )


def test_sampler_reading_names_the_worst_of_all_windows(content: ReportContent) -> None:
    """Divergences are located, R-hat and ESS are the worst of all fits."""
    assert readings(content)["sampler-health"] == (
        "3 divergences (in the fit of last 12 weeks); over all fits the largest R-hat is 1.013 (1.01 or less wanted) "
        "and the smallest effective sample size 912 (400 or more wanted)."
    )


def test_forecast_is_compared_with_the_year_before(ms: ReportInputs) -> None:
    """A forecast of the same values as a year earlier is as much; sentences have no signed percentages."""
    past = ms.full.predictions.set_index("date")["actual"]
    assert ms.forecast is not None
    before = past.reindex(pd.DatetimeIndex(ms.forecast["date"]) - pd.Timedelta(weeks=52)).to_numpy()
    content = build_content(replace(ms, forecast=ms.forecast.assign(mean=before)))
    assert ", as much as in the same weeks a year earlier" in readings(content)["fan"]


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
        ("all rows", "train", 161.0),
        ("last 4 weeks", "train", 157.0),
        ("last 4 weeks", "test", 4.0),
        ("last 4 weeks", "all", 161.0),
    ]


def test_ledger_without_arrived_forecasts_is_left_out(ms: ReportInputs) -> None:
    """A ledger that holds only the forecast just made has nothing to compare."""
    assert ms.ledger is not None
    content = build_content(replace(ms, ledger=ms.ledger.assign(actual=np.nan)))
    assert "ledger" not in {chart.id for chart in content.charts}


def test_recovery_rows_of_parameters_are_not_channels(ms: ReportInputs) -> None:
    """A parameter's recovery never turns into a verdict on a channel."""
    extra = pd.DataFrame([score("recovery", "intercept", "recovery", 0.01)])
    subject = Subject(replace(ms, recovery=pd.concat([ms.recovery, extra])))
    assert "intercept" not in set(subject.readability["channel"])
    assert subject.unreadable == ("facebook_ads_engagement_cost",)


def test_results_of_earlier_versions_are_not_tested(ms: ReportInputs) -> None:
    """They stored nothing that tells how well a channel is known: no channel is marked, no chart is drawn."""
    scores = ms.full.scores[ms.full.scores["channel"] == "all"]
    older = replace(ms, windows={**ms.windows, FULL: replace(ms.full, scores=scores)})
    assert Subject(older).unreadable == ()
    assert "readability" not in {chart.id for chart in build_content(older).charts}


def test_many_simulations_can_refuse_a_channel(ms: ReportInputs) -> None:
    """Nine of twenty intervals held the truth: the channel is not read, however narrow they are."""
    frame, channel = ms.recovery, "snapchat_cost"
    assert frame is not None
    value = frame["value"].where(
        ~((frame["channel"] == channel) & frame["metric"].str.endswith("coverage_90")), 0.45
    )
    refuted = frame.assign(value=value.where(frame["metric"] != "simulations", 20.0))
    subject = Subject(replace(ms, recovery=refuted))
    assert subject.readings[channel].reason == "refuted"
    assert channel in subject.unreadable
