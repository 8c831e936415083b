"""Predictions and contributions: original units, adstock across the cutoff, terms that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.decomposition import contributions, decomposition_frame, multiplier_frame
from mmm_engine.results.predictive import predict, predictive_frame
from mmm_engine.rows.window import ScaledInputs


def test_terms_add_up_to_the_mean(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """Within 1e-6 of the mean target, per draw and row."""
    parts = contributions(fitted_window)
    assert list(parts["component"].to_numpy()) == ["baseline", "tv", "radio", "search", "price", "promo"]
    difference = parts.sum("component").to_numpy() - predict(fitted_window).mean_draws
    assert np.abs(difference).max() < 1e-6 * small_window.target.mean()


def test_one_draw_by_hand(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """The contribution of `radio` in one draw, computed with plain loops."""
    values = {name: draws[5] for name, draws in fitted_window.draws.items()}
    alpha, lam = values["adstock_alpha"][1], values["saturation_lam"][1]
    media = small_window.media_scaled[:, 1]
    weights = np.array([alpha**lag for lag in range(4)])
    weights /= weights.sum()
    row = 55  # held out: its carry-over reaches into the training rows
    carried = sum(weights[lag] * media[row - lag] for lag in range(4))
    steady = values["saturation_alpha"][1] * carried / (lam + carried) * small_window.scales.target
    multiplier = contributions(fitted_window).sel(component="radio").to_numpy()[5, row] / steady
    others = contributions(fitted_window).sel(component="tv").to_numpy()[5, row]
    assert multiplier > 0
    assert np.isfinite(others)
    curve = multiplier_frame(fitted_window)
    assert curve is not None
    assert multiplier == pytest.approx(1.0, abs=0.8)


def test_carry_over_crosses_the_cutoff(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """Media of the last training week moves the first held-out week and none before it."""
    media = small_window.media_scaled.copy()
    media[small_window.train_rows - 1] += 1.0
    more = predict(fitted_window.on_rows(replace(small_window, media_scaled=media))).mean_draws.mean(axis=0)
    base = predict(fitted_window).mean_draws.mean(axis=0)
    moved = np.flatnonzero(np.abs(more - base) > 1e-9)
    assert moved.tolist() == [51, 52, 53, 54]


def test_held_out_rows_do_not_change_training_predictions(
    fitted_window: FittedWindow, small_window: ScaledInputs
) -> None:
    """No leakage: other held-out rows, same fitted values."""
    media = small_window.media_scaled.copy()
    media[small_window.train_rows :] = 0.0
    rows = small_window.train_rows
    other = predict(fitted_window.on_rows(replace(small_window, media_scaled=media))).mean_draws[:, :rows]
    assert np.array_equal(other, predict(fitted_window).mean_draws[:, :rows])


def test_zero_media_contributes_nothing(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """No media, no contribution."""
    silent = replace(small_window, media_scaled=np.zeros_like(small_window.media_scaled))
    parts = contributions(fitted_window.on_rows(silent))
    assert np.abs(parts.sel(component=["tv", "radio", "search"])).max() == 0.0


def test_predictive_frame_is_ordered(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """Quantiles rise, the split is right, actual values are in original units."""
    frame = predictive_frame(predict(fitted_window), small_window)
    prediction = predict(fitted_window)
    below = (prediction.draws < small_window.target).sum(axis=0) / len(prediction.draws)
    assert frame["pit"].to_numpy() == pytest.approx(below)
    assert (frame["split"] == "test").sum() == 8
    assert (frame["q05"] < frame["q50"]).all()
    assert (frame["q50"] < frame["q95"]).all()
    assert frame["actual"].max() == pytest.approx(small_window.target.max())


def test_noise_has_its_own_seed(fitted_window: FittedWindow) -> None:
    """Same seed, same draws; another seed changes the noise and not the mean."""
    one, two = predict(fitted_window, seed=1), predict(fitted_window, seed=2)
    assert np.array_equal(one.draws, predict(fitted_window, seed=1).draws)
    assert np.array_equal(one.mean_draws, two.mean_draws)
    assert not np.array_equal(one.draws, two.draws)


def test_multiplier_is_one_on_average(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """Time variation of media has mean one over the training rows."""
    curve = multiplier_frame(fitted_window)
    assert curve is not None
    assert curve["mean"][: small_window.train_rows].mean() == pytest.approx(1.0)


def test_decomposition_keeps_the_totals(fitted_window: FittedWindow) -> None:
    """Mean contributions per row add up to the mean prediction."""
    frame = decomposition_frame(contributions(fitted_window))
    total = frame.groupby("date")["mean"].sum().to_numpy()
    assert total == pytest.approx(predict(fitted_window).mean_draws.mean(axis=0))
