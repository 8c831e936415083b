"""Returns per channel: contribution over money, with units and intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.decomposition import contributions
from mmm_engine.results.response import adstock_weights, response_curves
from mmm_engine.results.returns import (
    RETURN_COLUMNS,
    channel_returns,
    return_scores,
    returns_by_period,
    returns_from_history,
)
from mmm_engine.rows.window import ScaledInputs


def _metric(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    return frame[frame["metric"] == metric].set_index("channel")


def test_roas_is_contribution_over_spend(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """Summed over the training rows, draw by draw; the mean of a ratio with a fixed denominator."""
    frame = channel_returns(fitted_window)
    assert list(frame.columns) == RETURN_COLUMNS
    parts = contributions(fitted_window).isel(date=slice(0, 52)).sum("date").mean("draw")
    spend = small_window.spend[:52].sum(axis=0)
    for position, channel in enumerate(["tv", "radio", "search"]):
        total = float(parts.sel(component=channel))
        assert _metric(frame, "contribution").loc[channel, "mean"] == pytest.approx(total)
        assert _metric(frame, "roas").loc[channel, "mean"] == pytest.approx(total / spend[position])


def test_marginal_return_is_below_the_average_return(fitted_window: FittedWindow) -> None:
    """Michaelis-Menten curves bend down, so the next unit returns less than the average one."""
    frame = channel_returns(fitted_window)
    assert (_metric(frame, "mroas")["mean"] < _metric(frame, "roas")["mean"]).all()


def test_shares_are_of_the_expected_target(fitted_window: FittedWindow) -> None:
    """Channel shares are positive and leave room for the baseline."""
    share = _metric(channel_returns(fitted_window), "share")["mean"]
    assert (share > 0).all()
    assert share.sum() < 1


def test_unpaid_channel_has_no_return(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """Without spend the return is NaN and the row stays."""
    spend = small_window.spend.copy()
    spend[:, 0] = 0.0
    frame = channel_returns(fitted_window.on_rows(replace(small_window, spend=spend)))
    assert np.isnan(_metric(frame, "roas").loc["tv", "mean"])
    assert _metric(frame, "contribution").loc["tv", "mean"] > 0


def test_returns_of_a_period_are_sums_of_its_rows(
    fitted_window: FittedWindow, small_window: ScaledInputs
) -> None:
    """Draw by draw the contributions of the last 13 of 52 rows over their spend: mean and ends of the interval."""
    frame = returns_by_period(fitted_window)
    assert frame["span"].unique().tolist() == ["all", "quarter"]  # 52 rows are no more than a year
    pd.testing.assert_frame_equal(
        frame.loc[(frame["span"] == "all") & (frame["metric"] == "roas"), RETURN_COLUMNS].reset_index(
            drop=True
        ),
        channel_returns(fitted_window).query("metric == 'roas'").reset_index(drop=True),
    )
    parts = contributions(fitted_window).isel(date=slice(39, 52)).sum("date")
    spend = small_window.spend[39:52].sum(axis=0)
    quarter = frame[frame["span"] == "quarter"]
    for position, channel in enumerate(["tv", "radio", "search"]):
        draws = parts.sel(component=channel).to_numpy() / spend[position]
        (row,) = _metric(quarter, "roas").loc[[channel]].to_dict("records")
        expected = [draws.mean(), *np.quantile(draws, [0.05, 0.95])]
        assert [row["mean"], row["q05"], row["q95"]] == pytest.approx(expected)
        assert (row["rows"], row["spend"]) == (13, pytest.approx(spend[position]))


def test_a_period_without_spend_has_no_return(
    fitted_window: FittedWindow, small_window: ScaledInputs
) -> None:
    """Earlier spend may still bring something in it."""
    spend = small_window.spend.copy()
    spend[39:, 0] = 0.0
    frame = returns_by_period(fitted_window.on_rows(replace(small_window, spend=spend))).set_index(
        ["span", "metric"]
    )
    assert np.isnan(frame.loc[("quarter", "roas")].set_index("channel").loc["tv", "q95"])
    assert frame.loc[("all", "roas")].set_index("channel").loc["tv", "q95"] > 0


def test_conversions_have_a_cost_each(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """For a conversions target the cost per conversion is the inverse of the return, quantile by quantile."""
    target = small_window.config.target.model_copy(update={"kind": "conversions"})
    inputs = replace(small_window, config=small_window.config.model_copy(update={"target": target}))
    frame = channel_returns(fitted_window.on_rows(inputs))
    assert _metric(frame, "cpa")["q05"].to_numpy() == pytest.approx(
        1 / _metric(frame, "roas")["q95"].to_numpy(), rel=0.02
    )


def test_curves_rise_from_zero_and_mark_today(fitted_window: FittedWindow) -> None:
    """Each curve starts at zero, never falls; its one current point is the mean of the last four rows, exactly."""
    inputs = fitted_window.inputs
    for name, curve in response_curves(fitted_window).groupby("channel"):
        at = inputs.config.channel_names.index(str(name))
        last = inputs.spend[inputs.train_rows - 4 : inputs.train_rows, at].mean()
        assert curve.loc[curve["current"], "spend"].to_numpy() == pytest.approx([last], rel=1e-12)
        assert curve["mean"].iloc[0] == 0.0
        assert (np.diff(curve["mean"]) >= 0).all()
        assert curve["current"].sum() == 1
        assert not curve.loc[curve["current"], "extrapolated"].any()
        assert curve["extrapolated"].any()


def test_adstock_weights_are_the_kernel(fitted_window: FittedWindow) -> None:
    """Geometric decay: each draw's weights are alpha^lag over their sum, so means sum to one and fall."""
    frame = adstock_weights(fitted_window)
    assert list(frame["channel"].drop_duplicates()) == list(fitted_window.inputs.config.channel_names)
    alpha = fitted_window.posterior["posterior"]["adstock_alpha"].sel(channel="radio").to_numpy().ravel()
    lags = frame["lag"].max() + 1
    powers = alpha[:, None] ** np.arange(lags)
    expected = powers / powers.sum(axis=1, keepdims=True)
    own = frame[frame["channel"] == "radio"]
    assert own["mean"].to_numpy() == pytest.approx(expected.mean(axis=0))
    assert own["q95"].to_numpy() == pytest.approx(np.quantile(expected, 0.95, axis=0))
    assert frame.groupby("channel")["mean"].sum().to_numpy() == pytest.approx(1.0)


def test_returns_survive_the_history(fitted_window: FittedWindow) -> None:
    """What is written as scores is read back as the same returns."""
    frame = channel_returns(fitted_window)
    again = returns_from_history(return_scores(frame))
    assert again is not None
    key = ["channel", "metric"]
    wanted = frame.sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(again.sort_values(key, ignore_index=True), wanted, check_dtype=False)


def test_no_history_has_no_returns() -> None:
    """Scores without returns give None."""
    assert returns_from_history(pd.DataFrame(columns=["split", "channel", "metric", "value", "unit"])) is None
