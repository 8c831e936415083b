"""Findings: each is planted once and found, and the same rows without it are silent."""

import re

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.config import ChannelConfig, ControlConfig
from mmm_engine.client.model_config import AdstockConfig, ModelConfig
from mmm_engine.errors import DataError
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.parameter_count import count_parameters
from tests.engine.client_cases import shop_config

ROWS = 156
FIRST = {"MS": "2010-01-01"}  # so that no month is still to come


def rows(count=ROWS, freq="W-MON"):
    """Rows in which nothing is odd: two channels in bursts, a control, a target that they move."""
    rng = np.random.default_rng(11)
    tv = rng.gamma(2, 50, count) * (np.arange(count) % 9 < 5)
    radio = rng.gamma(2, 20, count) * (np.arange(count) % 7 < 4)
    price = rng.normal(10, 1, count)
    frame = pd.DataFrame(
        {
            "week": pd.date_range(FIRST.get(freq, "2020-01-06"), periods=count, freq=freq),
            "tv": tv,
            "radio": radio,
        }
    )
    return frame.assign(price=price, revenue=1000 + tv + 2 * radio + 10 * price + rng.normal(0, 20, count))


def findings(frame, config=None):
    """Findings by (code, column)."""
    data = client_data_from_frame(shop_config() if config is None else config, frame)
    return {(finding.code, finding.column): finding for finding in data.findings}


def only(frame, config=None):
    """The one finding of rows in which one thing was planted."""
    (finding,) = findings(frame, config).values()
    assert finding.severity in ("note", "warning")
    assert finding.message
    assert finding.fix
    return finding


@pytest.mark.parametrize("freq", ["W-MON", "D", "MS"])
def test_rows_in_which_nothing_is_odd_have_no_findings(freq):
    """No warning without a cause, whatever the period."""
    assert findings(rows(220 if freq == "D" else ROWS, freq=freq)) == {}


def test_a_target_that_stands_out_is_named_with_its_date():
    """Row 80 brings five times what the rest lead one to expect."""
    frame = rows()
    frame.loc[80, "revenue"] *= 5
    finding = only(frame)
    assert (finding.code, finding.severity, finding.column) == ("target-outlier", "warning", "revenue")
    assert finding.message.startswith("1 value stands out of the target (2021-07-19); the largest, ")
    assert "above what trend, season and controls lead one to expect" in finding.message


def test_peaks_with_a_control_are_no_outliers():
    """What a 0/1 control explains is no accident."""
    shop_closed = rows().assign(price=lambda frame: 1.0 * (np.arange(len(frame)) == 80))
    shop_closed.loc[80, "revenue"] *= 5
    assert findings(shop_closed) == {}


def test_zero_and_negative_revenue_are_named():
    """MAPE is not defined where revenue is 0."""
    frame = rows()
    frame.loc[[3, 9], "revenue"] = [0.0, -5.0]
    found = findings(frame)
    assert found["zero-target", "revenue"].message == "revenue is 0 in 1 row, first on 2020-01-27"
    assert found["negative-target", "revenue"].message == "revenue is negative in 1 row, first on 2020-03-09"
    config = shop_config(target={"column": "revenue", "kind": "conversions"})
    frame.loc[9, "revenue"] = 0.0
    assert ("zero-target", "revenue") not in findings(frame, config)


def test_channels_that_move_together_are_named_as_a_pair():
    """Above 0.95, in either direction."""
    frame = rows().assign(radio=lambda frame: 3 * frame["tv"] + np.random.default_rng(1).normal(90, 30, ROWS))
    found = findings(frame)
    assert found["correlated-channels", "radio"].message.startswith("moves with 'tv' (correlation 0.9")
    assert ("variance-inflation", "tv") in found


def test_a_budget_set_on_last_weeks_sales_is_named():
    """Radio gets a tenth of what was sold the week before: the model would take that for radio's effect."""
    frame, rng = rows(), np.random.default_rng(4)
    for week in range(1, ROWS):
        frame.loc[week, "radio"] = 0.1 * frame.loc[week - 1, "revenue"] * np.exp(rng.normal(0, 0.02))
        frame.loc[week, "revenue"] = 1000 + frame.loc[week, "tv"] + rng.normal(0, 60)
    finding = only(frame)
    assert (finding.code, finding.column) == ("spend-follows-sales", "radio")
    assert finding.message.startswith(
        "follows sales: when the last week sold more, this week spends more (t = "
    )


def test_media_that_work_on_for_weeks_do_not_follow_sales():
    """Half of each effect comes a week later, and spend is smooth: sales announce nothing that spend did not cause."""
    frame, rng = rows(), np.random.default_rng(5)
    smooth = np.convolve(rng.gamma(2, 50, ROWS + 4), np.ones(5) / 5, "valid")
    later = np.concatenate([[smooth[0]], smooth[:-1]])
    frame = frame.assign(tv=smooth, revenue=1000 + smooth + later + rng.normal(0, 20, ROWS))
    assert ("spend-follows-sales", "tv") not in findings(frame)


def test_a_column_that_the_others_explain_is_named_with_the_nearest():
    """VIF = 1 / (1 − R²): the sum of two channels and a little noise."""
    noise = np.random.default_rng(1).normal(0, 8, ROWS)
    frame = rows().assign(price=lambda frame: frame["tv"] + frame["radio"] + noise)
    found = findings(frame)
    assert {code for code, _ in found} == {"variance-inflation"}
    assert "above all 'tv'" in found["variance-inflation", "price"].message


def test_few_rows_for_many_parameters_are_a_warning():
    """Fourteen parameters want 42 rows: a delayed adstock has two, a Hill curve three, a wandering baseline two."""
    delayed = {"column": "tv", "adstock": {"kind": "delayed"}}
    finding = only(rows(28), shop_config(channels=[delayed, "radio"]))
    assert (finding.code, finding.column) == ("few-rows", "")
    assert finding.message == "28 rows for 14 parameters (2.0 each); effects will lean on priors"


def test_parameters_are_counted_without_the_weights_of_basis_functions():
    """Intercept and noise, line and steps of the baseline, the channels' own, controls, harmonics, kernels."""
    assert count_parameters(shop_config()) == 2 + 2 + 2 * (1 + 3) + 1
    assert count_parameters(shop_config(model={"baseline": None})) == 2 + 2 * (1 + 3) + 1
    config = shop_config().model_copy(
        update={
            "channels": (
                ChannelConfig(column="tv", saturation="hill", adstock=AdstockConfig(kind="weibull_pdf")),
            ),
            "controls": (ControlConfig(column="price"),),
            "model": ModelConfig(time_varying_media=True, yearly_seasonality=3, likelihood="student_t"),
        }
    )
    assert count_parameters(config) == 2 + 2 + (2 + 3) + 1 + 6 + 2 + 1
    terms = {"trend": {"changepoints": 4}, "events": {"sale": "2020-11-27", "launch": "2021-01-05"}}
    assert count_parameters(shop_config(model=terms)) == count_parameters(shop_config()) - 2 + 4 + 2 + 1


@pytest.mark.parametrize(("column", "factor"), [("tv", 1000.0), ("radio", 0.01), ("revenue", 100.0)])
def test_a_change_of_unit_is_named_with_its_date(column, factor):
    """Euros that become cents, from one row on."""
    frame = rows()
    frame.loc[90:, column] *= factor
    found = findings(frame)
    message = found["level-jump", column].message
    assert "the usual level changes at once (" in message
    assert "on 2021-09-27" in message or column == "radio"  # radio is silent in row 90
    assert {code for code, name in found if name != "revenue"} <= {
        "level-jump",
        "control-sign",
        "spend-looks-like-count",
    }


def test_growth_and_bursts_are_no_change_of_unit():
    """A budget that grows tenfold over the years grows, it does not jump."""
    growing = np.geomspace(1, 10, ROWS)
    assert ("level-jump", "tv") not in findings(rows().assign(tv=lambda frame: frame["tv"] * growing))


def test_a_column_that_stands_still_at_the_end_is_named():
    """Four periods with the same value, where no run was so long before."""
    frame = rows()
    frame.loc[ROWS - 4 :, "price"] = 10.5
    finding = only(frame)
    assert (finding.code, finding.column) == ("frozen-tail", "price")
    assert finding.message == "the value 10.5 does not move any more since 2022-12-05 (4 rows)"
    frame.loc[20:26, "price"] = 9.0
    assert findings(frame) == {}  # it has stood still for longer before


def test_a_channel_that_was_switched_off_is_not_frozen():
    """Zero spend in the last weeks is a decision; an on/off control is one too."""
    frame = rows()
    frame.loc[ROWS - 12 :, "tv"] = 0
    assert ("frozen-tail", "tv") not in findings(frame)
    assert findings(rows().assign(price=1.0 * (np.arange(ROWS) > 140)), shop_config(controls=[
        {"column": "price", "effect": "any"}])) == {}  # fmt: skip


def test_a_channel_that_starts_in_the_held_out_rows_is_named_with_the_windows():
    """New in the last six weeks: windows h08 and h12 cannot know its effect."""
    frame = rows()
    frame.loc[: ROWS - 7, "radio"] = 0
    finding = findings(frame)["constant-in-window", "radio"]
    assert (
        finding.message == "does not vary in the training rows of h08, h12: its effect there is taken for 0"
    )


def test_a_control_that_moves_against_its_sign_is_named():
    """A price lowers sales; only positive effects are allowed unless the client file says otherwise."""
    frame = rows().assign(revenue=lambda frame: frame["revenue"] - 60 * frame["price"])
    finding = only(frame)
    assert (finding.code, finding.column) == ("control-sign", "price")
    assert "only a positive effect is allowed" in finding.message
    assert finding.fix.startswith("write {column: price, effect: any}")
    for effect in ("any", "negative"):
        assert findings(frame, shop_config(controls=[{"column": "price", "effect": effect}])) == {}
    upwards = rows().assign(revenue=lambda frame: frame["revenue"] + 60 * frame["price"])
    config = shop_config(controls=[{"column": "price", "effect": "negative"}])
    assert only(upwards, config).code == "control-sign"


def test_a_yearly_cycle_that_the_model_lacks_is_suggested():
    """With the setting, or with a time-varying intercept, there is nothing to suggest."""
    wave = 80 * np.sin(2 * np.pi * np.arange(ROWS) / 52.18)
    frame = rows().assign(revenue=lambda frame: frame["revenue"] + wave)
    finding = only(frame)
    assert (finding.code, finding.severity) == ("yearly-cycle", "note")
    assert "yearly_seasonality: 2" in finding.fix
    assert findings(frame, shop_config(model={"yearly_seasonality": 2})) == {}
    assert findings(frame, shop_config(model={"time_varying_intercept": True})) == {}


def test_a_rise_that_the_model_lacks_is_suggested():
    """A line over three years; where the baseline wanders, or another term moves it, there is nothing to suggest."""
    frame = rows().assign(revenue=lambda frame: frame["revenue"] + np.linspace(-80, 80, ROWS))
    finding = only(frame, shop_config(model={"baseline": None}))
    assert (finding.code, finding.severity) == ("linear-trend", "note")
    assert findings(frame) == {}
    assert "trend: {changepoints: 5}" in finding.fix
    assert findings(frame, shop_config(model={"trend": {}})) == {}
    assert findings(frame, shop_config(model={"time_varying_intercept": True})) == {}


def test_an_event_that_no_window_can_learn_is_named():
    """Weeks 0 to 155 begin on 2020-01-06 to 2022-12-26; the last 12, 8 and 4 of them are held out."""
    model = {"events": {"sale": ["2020-11-27", "2022-11-25"], "late": "2022-11-25", "planned": "2023-02-01"}}
    data = client_data_from_frame(shop_config(model=model), rows())
    messages = [finding.message for finding in data.findings]
    assert {finding.code for finding in data.findings} == {"event-unseen"}
    assert messages == [
        "the event 'late' has no day in the training rows of h08, h12: its effect there is its prior's",
        "the event 'planned' has no day in the rows: its effect there is its prior's",
    ]
    late, planned = (finding.fix for finding in data.findings)
    assert "list all days of its kind under one name, or give 'event_effect_size' a narrow prior" in late
    assert late == f"{planned}, and 'holdout_skill' may fail"  # no window hides a row of a planned one


def test_an_event_explains_the_row_that_it_lies_in():
    """What has a term of its own needs no look."""
    frame = rows()
    frame.loc[80, "revenue"] *= 5
    assert findings(frame, shop_config(model={"events": {"sale": "2021-07-22"}})) == {}


def test_doubtful_lift_tests_are_named():
    """One in a week to come, one beyond all spend, one that goes down when spend goes up; a sound one is silent."""
    largest = float(rows()["tv"].max())
    sound = {"channel": "tv", "date": "2021-03-03", "x": 40.0, "delta_x": 20.0, "delta_y": 15.0, "sigma": 5.0}
    assert (
        findings(rows(), shop_config(lift_tests=[sound, {**sound, "delta_x": -20.0, "delta_y": -9.0}])) == {}
    )
    doubtful = [{**sound, "date": "2023-01-02"}, {**sound, "x": largest}, {**sound, "delta_y": -15.0}]
    data = client_data_from_frame(shop_config(lift_tests=doubtful), rows())
    assert [(finding.code, finding.column) for finding in data.findings] == [
        ("lift-test-outside", "tv"), ("lift-test-range", "tv"), ("lift-test-sign", "tv")
    ]  # fmt: skip
    assert data.findings[0].message == "lift test 1 (2023-01-02) lies outside the rows and does not count"
    assert data.findings[1].message.startswith(f"lift test 2 (2021-03-03) goes to {largest + 20:.4g}, ")


def test_a_lift_test_that_is_still_measured_is_named():
    """It has begun, and its cool-down reaches beyond the last row; the rows' own media are no surprise."""
    last = str(rows()["week"].max())[:10]
    test = {"channel": "tv", "date": last, "delta_x": 1.0, "delta_y": 15.0, "sigma": 5.0}
    assert findings(rows(), shop_config(lift_tests=[test])) == {}
    data = client_data_from_frame(shop_config(lift_tests=[{**test, "cool_down": 1}]), rows())
    (finding,) = data.findings
    assert finding.message == f"lift test 1 ({last}) reaches beyond the last row and does not count yet"
    assert finding.fix == "nothing, if these rows are still to come; else correct its end or cool_down"


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_findings_do_not_depend_on_the_unit(scale):
    """Cents, euros or millions: the same warnings."""
    frame = rows()
    frame.loc[80, "revenue"] *= 5
    scaled = frame.assign(**{name: frame[name] * scale for name in ("tv", "radio", "price", "revenue")})
    assert findings(scaled).keys() == findings(frame).keys()


def test_media_that_run_without_cost_are_told_with_their_share():
    """Costs of every other row are missing: half of the media cost nothing; a free row here and there is none."""
    config = shop_config(channels=[{"column": "tv", "unit": "views", "cost": "tv_cost"}, "radio"])
    frame = rows().assign(tv_cost=lambda frame: frame["tv"] / 2)
    assert findings(frame, config) == {}
    running = np.flatnonzero(frame["tv"] > 0)
    frame.loc[running[::2], "tv_cost"] = 0.0
    finding = only(frame, config)
    share = frame["tv"][running[::2]].sum() / frame["tv"].sum()
    assert (finding.code, finding.severity, finding.column) == ("cost-missing", "warning", "tv_cost")
    assert finding.message.startswith(
        f"is 0 in {len(running[::2])} of the {len(running)} rows in which 'tv' runs, first on 2020-01-06: {share:.0%}"
    )


@pytest.mark.parametrize("name", ["tv_impressions", "TVClicks", "imps", "youtube views", "GRP_tv"])
def test_spend_that_is_called_like_a_count_is_told(name):
    """A name of a count without a word of money, unless the client file says what it counts or what it cost."""
    frame = rows().rename(columns={"tv": name})
    found = findings(frame, shop_config(channels=[name, "radio"]))
    assert found["spend-looks-like-count", name].message.startswith(
        "is taken for money and is called like a count"
    )
    assert findings(frame, shop_config(channels=[{"column": name, "unit": "impressions"}, "radio"])) == {}


@pytest.mark.parametrize(
    "name", ["tv", "cost_per_click", "impressions_spend", "preview", "review_budget", "reachout"]
)
def test_spend_by_any_other_name_is_not_told(name):
    """Words within words are no words, and money is money."""
    frame = rows().rename(columns={"tv": name})
    assert findings(frame, shop_config(channels=[name, "radio"])) == {}


def test_spend_beyond_all_revenue_is_told():
    """Nobody spends several times what is sold on one channel: impressions; a count to explain says nothing of it."""
    frame = rows().assign(tv=lambda frame: (frame["tv"] * 100).round())
    found = findings(frame)["spend-looks-like-count", "tv"]
    times = frame["tv"].sum() / frame["revenue"].sum()
    assert f"adds up to {times:.2g} times the revenue in whole numbers" in found.message
    config = shop_config(target={"column": "revenue", "kind": "conversions"})
    assert ("spend-looks-like-count", "tv") not in findings(frame, config)


@pytest.mark.parametrize("season", [None, 2, 6])
def test_sales_days_that_come_every_year_are_named_with_the_event_to_write(season):
    """A season of any order is too smooth for single rows; written as the event that it names, they are explained."""
    frame = rows()
    frame.loc[[47, 99, 151], "revenue"] *= 3
    settings = {} if season is None else {"yearly_seasonality": season}
    finding = findings(frame, shop_config(model=settings))["recurring-outlier", "revenue"]
    assert finding.message.startswith(
        "3 values stand out of the target around the same time of several years (2020-11-30, 2021-11-29, 2022-11-28)"
    )
    assert "events: {peak: [2020-11-30, 2021-11-29, 2022-11-28]}" in finding.fix
    days = [str(day.date()) for day in frame.loc[[47, 99, 151], "week"]]
    assert findings(frame, shop_config(model={**settings, "events": {"peak": days}})) == {}


def test_a_slip_that_came_again_is_named():
    """Two exports that lost most of a week, a year apart."""
    frame = rows()
    frame.loc[[60, 112], "revenue"] /= 10
    assert only(frame).code == "recurring-outlier"


@pytest.mark.parametrize("likelihood", ["normal", "student_t"])
def test_a_level_that_drops_and_comes_back_is_named_with_both_days(likelihood):
    """A third of all sales are gone for half a year, as by a closed shop."""
    frame = rows()
    frame.loc[70:99, "revenue"] -= 400
    finding = only(frame, shop_config(model={"likelihood": likelihood}))
    assert (finding.code, finding.severity, finding.column) == ("level-step", "warning", "revenue")
    down, up = re.findall(r"([+-][\d,.]+) on ([\d-]+)", finding.message)
    assert (down[1], up[1]) == (str(frame["week"][70].date()), str(frame["week"][100].date()))
    assert float(down[0]) == pytest.approx(-400, abs=60)
    assert float(up[0]) == pytest.approx(400, abs=60)


def test_a_control_of_the_new_level_explains_it():
    """The remedy that the finding names."""
    frame = rows()
    closed = (np.arange(ROWS) >= 70).astype(float)
    frame = frame.assign(price=closed, revenue=frame["revenue"] + 400 * closed)
    assert findings(frame) == {}


@pytest.mark.parametrize("shape", ["growth", "season", "walk", "launch of a channel"])
@pytest.mark.parametrize("seed", range(3))
def test_what_moves_slowly_is_no_step(shape, seed):
    """A drift, a season, growth, and a channel that begins at a level of its own."""
    frame, at = rows(), np.arange(ROWS)
    noise = np.random.default_rng(seed).normal(size=ROWS)
    if shape == "launch of a channel":
        frame["tv"] = np.where(at >= 80, 300 + 20 * noise, 0.0)
        frame["revenue"] += 2 * frame["tv"]
    else:
        moved = {
            "growth": 500 * at / ROWS,
            "season": 300 * np.sin(2 * np.pi * at / 52.18),
            "walk": 15 * np.cumsum(noise),
        }
        frame["revenue"] += moved[shape]
    assert ("level-step", "revenue") not in findings(frame)


def test_a_season_that_was_seen_once_is_named():
    """Two years are what it takes to see it come again."""
    config = shop_config(model={"yearly_seasonality": 2})
    finding = findings(rows(80), config)["short-season", "revenue"]
    assert "learnt from 80 rows, 1.5 years" in finding.message
    assert ("short-season", "revenue") not in findings(rows(110), config)
    assert ("short-season", "revenue") not in findings(rows(80))


def test_a_season_of_less_than_a_year_is_refused():
    """Nothing of it can come again; the message says the setting, the rows and what to do."""
    with pytest.raises(
        DataError, match=r"setting 'model\.yearly_seasonality': found 48 rows by week; wanted a year of rows"
    ):
        findings(rows(48), shop_config(model={"yearly_seasonality": 2}))


def test_weeks_in_which_sales_and_spend_stop_together_are_no_feedback():
    """A shop that was closed: no budget followed its sales."""
    frame = rows()
    frame.loc[30:32, ["tv", "radio", "revenue"]] = 0.0
    assert {code for code, _ in findings(frame)} == {"target-outlier", "zero-target"}


@pytest.mark.parametrize(("freq", "period"), [("W-MON", "week"), ("MS", "month")])
def test_a_last_row_that_was_exported_before_its_period_was_over_is_named(freq, period):
    """Three days of a week: everything in it is a part, and no outlier beside it is told."""
    frame = rows(freq=freq)
    frame.loc[ROWS - 1, ["revenue", "tv", "radio"]] *= 0.4
    finding = only(frame)
    assert (finding.code, finding.severity, finding.column) == ("unfinished-row", "warning", "revenue")
    assert f"the {period} may not have been over" in finding.message
    frame.loc[30, "revenue"] = frame.loc[ROWS - 1, "revenue"]  # it has been as low before
    assert ("unfinished-row", "revenue") not in findings(frame)


def test_money_in_micros_is_named():
    """As interfaces of advertising platforms give it; it adds up to more than the revenue, as a count would."""
    frame = (
        rows().rename(columns={"tv": "cost_micros"}).assign(cost_micros=lambda one: one["cost_micros"] * 1e6)
    )
    config = shop_config(channels=[{"column": "cost_micros"}, {"column": "radio"}])
    finding = only(frame, config)
    assert (finding.code, finding.severity, finding.column) == ("spend-in-micros", "warning", "cost_micros")
    assert finding.fix == "divide the column by 1,000,000"


@pytest.mark.parametrize(
    ("freq", "to_come"), [("W-MON", 3), ("D", 3), ("MS", 3), ("ME", 3), ("W-MON", 0), ("D", 0), ("MS", 0)]
)
def test_rows_that_have_not_come_yet_are_named(freq, to_come):
    """A plan that was pasted below; the row of the present day, week or month has begun, and is none of them."""
    today = pd.Timestamp.today().normalize()
    frame = rows(80, freq="W-MON" if freq == "W-MON" else "D").assign(price=1.0 * (np.arange(80) % 11 < 3))
    offset = pd.tseries.frequencies.to_offset(freq)
    last = offset.rollforward(today) if freq == "ME" else offset.rollback(today)
    frame["week"] = pd.date_range(end=last, periods=80 - to_come, freq=freq).append(
        pd.date_range(last + offset, periods=to_come, freq=freq)
    )
    told = findings(frame)
    if freq == "D":
        to_come = max(to_come - 1, 0)  # it may be tomorrow already where the rows come from
    assert (("rows-to-come", "week") in told) == (to_come > 0)
    if to_come:
        finding = told["rows-to-come", "week"]
        assert finding.severity == "warning"
        assert f"in {to_come} of 80 rows, from {frame['week'].iloc[-to_come]:%Y-%m-%d}" in finding.message


@pytest.mark.parametrize("column", ["revenue", "tv"])
@pytest.mark.parametrize("yearly", [False, True])
def test_a_column_that_adds_up_what_came_before_is_named(column, yearly):
    """From the first row on, or from each January on."""
    frame = rows()
    frame[column] = (frame.groupby(frame["week"].dt.year)[column] if yearly else frame[column]).cumsum()
    finding = findings(frame)["running-total", column]
    assert finding.message == f"never falls{' but to begin anew' * yearly}, as a running total does"
    assert finding.fix.startswith("export what belongs to each week alone")


def test_budgets_that_are_only_raised_are_no_running_totals():
    """A level that stays for a quarter and rises then."""
    frame = rows().assign(tv=100.0 + 10 * (np.arange(ROWS) // 13))
    assert ("running-total", "tv") not in findings(frame)


def test_money_in_rows_without_media_is_told():
    """The mirror image of media without money: the return is too bad by as much."""
    config = shop_config(channels=[{"column": "tv", "unit": "views", "cost": "tv_cost"}, "radio"])
    frame = rows().assign(tv_cost=lambda frame: frame["tv"] / 2)
    frame.loc[frame.index < ROWS // 2, "tv"] = 0.0
    idle = frame["tv_cost"][: ROWS // 2]
    finding = findings(frame, config)["media-missing", "tv"]
    first = str(frame["week"][idle.gt(0).idxmax()].date())
    assert finding.message.startswith(
        f"is 0 in {int((idle > 0).sum())} of the {int((frame['tv_cost'] > 0).sum())} rows in which 'tv_cost' is not, "
        f"first on {first}: {idle.sum() / frame['tv_cost'].sum():.0%} of its money bought nothing"
    )


@pytest.mark.parametrize(
    ("places", "factor", "is_told"), [((30,), 1000, 1), ((7, 30), 100, 1), ((30,), 5, 0)]
)
def test_single_rows_far_above_all_others_are_told(places, factor, is_told):
    """A slip of the decimal mark, once or the same one twice; not a strong week."""
    frame = rows()
    frame.loc[list(places), "tv"] = frame["tv"].max() * factor
    told = [finding for (code, _), finding in findings(frame).items() if code == "lone-peak"]
    assert [finding.column for finding in told] == ["tv"] * is_told
    for finding in told:
        assert all(str(frame["week"][place].date()) in finding.message for place in places)


def test_a_channel_of_one_burst_has_no_peak():
    """Nothing else is there to be compared with."""
    frame = rows().assign(tv=0.0)
    frame.loc[30, "tv"] = 5000.0
    assert ("lone-peak", "tv") not in findings(frame)


@pytest.mark.parametrize("column", ["tv", "price"])
def test_a_column_that_is_made_of_the_target_is_told(column):
    """A budget of a tenth of sales, or orders as a control: it would explain all."""
    frame = rows()
    frame[column] = (frame["revenue"] * 0.1).round(2)
    assert ("mirrors-target", column) in findings(frame)


def test_events_that_nothing_tells_apart_are_told():
    """Two of the same rows, and one that has every row."""
    year = {"start": "2020-01-06", "end": "2023-12-31"}
    events = {"sale": ["2021-07-19"], "launch": ["2021-07-20"], "always": [year], "other": ["2021-09-20"]}
    config = shop_config(model=ModelConfig.model_validate({"events": events}))
    told = [
        finding.message
        for finding in client_data_from_frame(config, rows()).findings
        if finding.code == "event-inseparable"
    ]
    assert told == [
        "the event 'launch' has the same rows as 'sale': nothing tells their effects apart",
        "the event 'always' has no row without it: nothing tells their effects apart",
    ]


def test_a_net_figure_is_not_told_of_refunds():
    """Its priors allow a baseline below 0, as the refusal of such a target says to write."""
    prior = {"intercept": {"distribution": "Normal", "mu": 0, "sigma": 1}}
    config = shop_config(model=ModelConfig.model_validate({"priors": prior}))
    finding = findings(rows().assign(revenue=lambda frame: frame["revenue"] - 3000), config)[
        "negative-target", "revenue"
    ]
    assert finding.fix == "nothing if it is a net figure: the priors allow a baseline below 0"
