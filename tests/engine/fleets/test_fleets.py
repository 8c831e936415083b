"""Fleets: holdout, recovery, stability and forecast on a fitted window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.windows import FULL
from mmm_engine.errors import DataError
from mmm_engine.fleets.holdout import score_window
from mmm_engine.fleets.recovery import recovery_scores
from mmm_engine.fleets.simulated_targets import simulate_target
from mmm_engine.fleets.stability import stability_scores
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.forecast import extend_inputs, forecast
from mmm_engine.rows.window import ScaledInputs


def test_window_is_scored_on_both_splits(fitted_window: FittedWindow) -> None:
    """Train and test, with skill against the naive forecast on test only; a good model fits its rows."""
    scores = score_window(fitted_window)
    table = scores.pivot(index="metric", columns="split", values="value")
    assert table.loc["r_squared", "train"] > 0.9
    assert table.loc["mape", "test"] < 0.2
    assert np.isnan(table.loc["skill", "train"])
    assert np.isfinite(table.loc["skill", "test"])


def test_full_window_has_no_test_split(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """Nothing held out, nothing to score there."""
    full = small_window.first(small_window.train_rows)
    assert set(score_window(fitted_window.on_rows(full))["split"]) == {"train"}


@pytest.fixture
def full(small_window: ScaledInputs) -> ScaledInputs:
    """The training rows alone."""
    return replace(small_window.first(small_window.train_rows), window=FULL)


def test_forecast_follows_the_last_row(fitted_window: FittedWindow, full: ScaledInputs) -> None:
    """Weekly dates after the last one, quantiles in order."""
    frame = forecast(fitted_window.on_rows(full), horizon=5)
    assert list(frame.columns) == ["date", "q05", "q25", "q50", "q75", "q95", "mean"]
    assert frame["date"].iloc[0] == full.dates[-1] + pd.Timedelta(weeks=1)
    assert (frame[["q05", "q25", "q50", "q75", "q95"]].diff(axis=1).iloc[:, 1:] > 0).all(axis=None)


def test_plan_is_used(fitted_window: FittedWindow, full: ScaledInputs) -> None:
    """No media at all forecasts less than last year's media."""
    names = [*full.config.channel_names, *full.config.control_names]
    silent = pd.DataFrame(0.0, index=range(4), columns=names)
    assert (
        forecast(fitted_window.on_rows(full), horizon=4, plan=silent)["mean"].max()
        < forecast(fitted_window.on_rows(full))["mean"].min()
    )


def test_without_a_plan_last_year_repeats(full: ScaledInputs) -> None:
    """52 rows of history: the first future week is the first row again."""
    extended = extend_inputs(full, 3)
    assert np.array_equal(extended.media_scaled[-3:], full.media_scaled[:3])
    assert np.isnan(extended.target_scaled[-3:]).all()


def test_wrong_plan_is_refused_with_all_faults(full: ScaledInputs) -> None:
    """A missing column and a wrong number of rows, in one message."""
    with pytest.raises(DataError, match=r"2 faults(?s:.)*column 'search'(?s:.)*3 rows"):
        extend_inputs(full, 2, pd.DataFrame(0.0, index=range(3), columns=["tv", "radio", "price", "promo"]))
    with pytest.raises(DataError, match="1 to 53 periods"):
        extend_inputs(full, 0)


def test_forecast_needs_all_rows(small_window: ScaledInputs) -> None:
    """A window that holds rows out is not forecast from."""
    with pytest.raises(DataError, match="use 'full'"):
        extend_inputs(small_window, 4)


def test_simulated_target_does_not_look_at_the_real_one(full: ScaledInputs) -> None:
    """Same seed, other target: same simulation; another seed: another truth."""
    other = replace(full, target_scaled=full.target_scaled[::-1].copy())
    one, two = simulate_target(full, 3), simulate_target(other, 3)
    assert np.array_equal(one.inputs.target_scaled, two.inputs.target_scaled)
    assert not np.array_equal(one.truth["saturation_lam"], simulate_target(full, 4).truth["saturation_lam"])


def test_recovery_finds_what_the_data_can_tell(full: ScaledInputs) -> None:
    """A refit of a simulated target scores every parameter and channel; the noise level is found well."""
    scores = recovery_scores(
        full, sampler=SamplerConfig(draws=200, tune=300, chains=2, seed=2, ess_target=None)
    )
    table = scores.pivot(index="channel", columns="metric", values="value")
    assert table.loc["y_sigma", "recovery"] > 0.7
    assert {"controls", "intercept", "saturation_lam", "saturation_alpha", "adstock_alpha"} <= set(
        table.index
    )
    assert {"tv", "radio", "search"} <= set(table.index)
    assert table["recovery"].dropna().between(0, 1).all()


def _returns(share: dict[str, tuple[float, float, float]]) -> pd.DataFrame:
    rows = []
    for channel, (low, middle, high) in share.items():
        rows.append((channel, "share", middle, low, high))
        rows.append((channel, "roas", 10 * middle, 10 * low, 10 * high))
    return pd.DataFrame(rows, columns=["channel", "metric", "mean", "q25", "q75"])


def test_stability_by_hand() -> None:
    """`a` keeps its interval, `b` shifts by half of it: weighted by shares 0.3 and 0.1."""
    before = _returns({"a": (0.2, 0.3, 0.4), "b": (0.05, 0.1, 0.15)})
    after = _returns({"a": (0.2, 0.3, 0.4), "b": (0.1, 0.15, 0.2)})
    scores = stability_scores([before, after]).set_index(["channel", "metric"])["value"]
    assert scores["a", "overlap"] == pytest.approx(1.0)
    assert scores["b", "overlap"] == pytest.approx(0.5)
    assert scores["b", "share_change"] == pytest.approx(-0.05)
    assert scores["b", "roas_change"] == pytest.approx(0.1 / 0.15 - 1)
    assert scores["all", "stability"] == pytest.approx((0.3 * 1.0 + 0.1 * 0.5) / 0.4)


def test_last_refresh_is_compared_when_known() -> None:
    """A second split appears; a channel that is new has no overlap and no weight."""
    now = _returns({"a": (0.2, 0.3, 0.4), "new": (0.1, 0.2, 0.3)})
    scores = stability_scores([now], previous=_returns({"a": (0.2, 0.3, 0.4)}))
    assert set(scores["split"]) == {"refresh"}
    table = scores.set_index(["channel", "metric"])["value"]
    assert np.isnan(table["new", "overlap"])
    assert table["all", "stability"] == pytest.approx(1.0)


def test_single_window_has_nothing_to_compare() -> None:
    """One window, no last refresh: no rows."""
    assert stability_scores([_returns({"a": (0.2, 0.3, 0.4)})]).empty
