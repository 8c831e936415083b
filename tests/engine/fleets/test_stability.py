"""Runs that should not matter: another seed, noise on spend, a placebo channel; horizons of rolling origins."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.client.config import SamplerConfig
from mmm_engine.errors import DataError
from mmm_engine.fleets.origins import horizon_scores, origin_holdouts
from mmm_engine.fleets.scored_window import ScoredWindow, fit_window
from mmm_engine.fleets.sensitivity import (
    PLACEBO,
    _with_placebo,
    perturbation_stability,
    placebo_stability,
    seed_stability,
)
from mmm_engine.results.predictive import Prediction
from mmm_engine.rows.window import ScaledInputs, without_scaling
from mmm_engine.scores.forecast_scores import mape
from tests.engine.model_cases import small_inputs

SHORT = SamplerConfig(draws=150, tune=200, chains=2, seed=2, ess_target=None)


@pytest.fixture(scope="module")
def fitted_base(small_window: ScaledInputs) -> ScoredWindow:
    """The small window with a short fit."""
    return fit_window(small_window, sampler=SHORT)


def test_another_seed_moves_little(fitted_base: ScoredWindow) -> None:
    """Sampler noise is small, and the refit has another seed."""
    scores, [again] = seed_stability(fitted_base, sampler=SHORT)
    table = scores.set_index(["channel", "metric"])["value"]
    assert set(scores["split"]) == {"seeds"}
    assert table["all", "stability"] > 0.7
    assert again.posterior.attrs["seed"] == 3


def test_noise_on_spend_has_mean_one(fitted_base: ScoredWindow) -> None:
    """Media and spend move together by a few per cent; the target stays."""
    scores, [again] = perturbation_stability(fitted_base, sampler=SHORT, noise=0.05)
    moved = again.inputs.spend.sum() / fitted_base.inputs.spend.sum()
    assert moved == pytest.approx(1.0, abs=0.02)
    factor = again.inputs.media_scaled[fitted_base.inputs.media_scaled > 0]
    assert 0.03 < np.std(factor / fitted_base.inputs.media_scaled[fitted_base.inputs.media_scaled > 0]) < 0.07
    assert again.inputs.target_scaled is fitted_base.inputs.target_scaled
    assert set(scores["split"]) == {"perturbation"}


def test_placebo_earns_less_than_what_it_copies(fitted_base: ScoredWindow) -> None:
    """Two channels and the placebo of one are three: the code of the other tests serves.

    The fit without the placebo is not made; its returns stand in from the fit with three real channels.
    """
    of_two = fitted_base.posterior.copy()
    of_two["posterior"] = of_two["posterior"].to_dataset().isel(channel=[0, 1])
    two = ScoredWindow.of(small_inputs(channels=["tv", "radio"], time_varying_media=True), of_two)
    two.__dict__["returns"] = fitted_base.returns[fitted_base.returns["channel"] != "search"]
    scores, [again] = placebo_stability(two, channel="tv", sampler=SHORT)
    table = scores.set_index(["channel", "metric"])["value"]
    assert again.inputs.config.channel_names == ("tv", "radio", PLACEBO)
    assert 0 < table[PLACEBO, "roas_ratio"] < 0.5
    assert table[PLACEBO, "roas_q05"] < table[PLACEBO, "roas"]
    assert {"tv", "radio"} <= set(scores.loc[scores["metric"] == "overlap", "channel"])
    assert set(scores["split"]) == {"placebo"}


def test_placebo_is_a_shuffled_copy(small_window: ScaledInputs) -> None:
    """Same values and spend in another order, in the training rows only."""
    more, rows = _with_placebo(small_window, 1, seed=4), small_window.train_rows
    copy, source = more.media_scaled[:rows, 3], small_window.media_scaled[:rows, 1]
    assert np.array_equal(np.sort(copy), np.sort(source))
    assert not np.array_equal(copy, source)
    assert np.array_equal(more.media_scaled[rows:, 3], small_window.media_scaled[rows:, 1])
    assert more.spend[:rows, 3].sum() == pytest.approx(small_window.spend[:rows, 1].sum())
    assert more.scales.media_array()[3] == small_window.scales.media_array()[1]


def test_placebo_of_an_unknown_channel_is_refused(fitted_base: ScoredWindow) -> None:
    """The message lists the channels."""
    with pytest.raises(DataError, match="one of tv, radio, search"):
        placebo_stability(fitted_base, channel="press")


# --- windows and horizons ------------------------------------------------------------------------


def test_origins_go_back_in_steps() -> None:
    """Origins go back in steps, the latest first."""
    assert origin_holdouts(6, 4) == [4, 8, 12, 16, 20, 24]
    assert origin_holdouts(0, 4) == []


def test_horizon_scores_by_hand(small_window: ScaledInputs) -> None:
    """At each horizon the row so far after the cutoff counts, of every fold that reaches it."""
    rows, columns = small_window.train_rows, len(small_window.dates)
    draws = np.tile(small_window.target * 1.1, (5, 1)) + np.arange(5)[:, None]
    prediction = Prediction(small_window.dates, small_window.split, draws, draws)
    scores = horizon_scores([(prediction, small_window)] * 2, horizons=(1, 8, 12))
    table = scores.set_index(["split", "metric"])["value"]
    assert set(scores["split"]) == {"ahead_01", "ahead_08"}
    assert table["ahead_01", "folds"] == 2
    for horizon in (1, 8):
        at = [rows + horizon - 1]
        wanted = mape(small_window.target[at], draws[:, at].mean(axis=0))
        assert table[f"ahead_{horizon:02d}", "mape"] == pytest.approx(wanted)
    assert columns == 60


def test_no_scaling_changes_nothing_but_the_units(small_window: ScaledInputs) -> None:
    """Original units in, scales of one."""
    plain = without_scaling(small_window)
    assert np.array_equal(plain.target, small_window.target)
    assert plain.media_scaled == pytest.approx(small_window.media_scaled * 50.0)
    assert set(plain.scales.media.values()) == {1.0}
