"""Recovery: truth from the prior or the posterior, many simulations, the verdict per channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from mmm_engine.client.config import SamplerConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.errors import FitError
from mmm_engine.fleets.recovery import (
    rank_ecdf,
    recovery_scores,
    refits,
    summarise_recovery,
)
from mmm_engine.fleets.simulated_targets import simulate_target, simulate_targets
from mmm_engine.model.arrays import model_data
from mmm_engine.model.mean import mean, mean_terms
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.rows.window import ScaledInputs
from tests.engine.model_cases import small_inputs

SHORT = SamplerConfig(draws=100, tune=200, chains=2, seed=2, ess_target=None)


def test_truth_from_a_posterior_is_one_of_its_draws(
    fitted_window: FittedWindow, small_window: ScaledInputs
) -> None:
    """Parameters of one draw belong together, and the target follows them."""
    simulated = simulate_target(small_window, 5, fitted_window)
    draws = fitted_window.draws
    number = int(np.flatnonzero(draws["intercept"] == simulated.truth["intercept"])[0])
    assert np.array_equal(draws["adstock_alpha"][number], simulated.truth["adstock_alpha"])
    own = simulated.inputs.target_scaled
    assert np.corrcoef(own, small_window.target_scaled[: small_window.train_rows])[0, 1] > 0.8


def test_each_simulation_has_its_own_truth(small_window: ScaledInputs) -> None:
    """The first of many is the one that is drawn alone."""
    targets = simulate_targets(small_window, 3)
    first, second = next(targets), next(targets)
    assert np.array_equal(first.inputs.target_scaled, simulate_target(small_window, 3).inputs.target_scaled)
    assert not np.array_equal(first.truth["saturation_lam"], second.truth["saturation_lam"])


def test_the_noise_of_a_target_does_not_hang_on_its_truth() -> None:
    """Over 100 seeds, the intercept says nothing about the noise of the first row.

    While both came from one stream, its first number made both: the rank correlation with the noise's size was 1.
    """
    window = small_inputs()
    specification = model_specification(window.config, "week")
    intercepts, noise_sizes = [], []
    for seed in range(100):
        simulated = simulate_target(window, seed)
        arrays = model_data(simulated.inputs, specification)
        truth = {name: value[None] for name, value in simulated.truth.items()}
        expected = np.asarray(mean(mean_terms(truth, arrays, specification, numpy_functions())))[0]
        noise = simulated.inputs.target_scaled - expected
        intercepts.append(float(truth["intercept"].item()))
        noise_sizes.append(abs(float(noise[0] / truth["y_sigma"].item())))
    assert abs(spearmanr(intercepts, noise_sizes).statistic) < 0.35


def test_absurd_priors_are_refused(small_window: ScaledInputs) -> None:
    """Targets that are negative in most rows are not simulated; when all are, the priors are named."""
    priors = {"intercept": {"distribution": "Normal", "mu": -50, "sigma": 1}}
    model = small_window.config.model.model_copy(update={"priors": priors})
    absurd = replace(small_window, config=small_window.config.model_copy(update={"model": model}))
    with pytest.raises(FitError, match="tighten the priors"):
        simulate_target(absurd, 1)


def test_several_simulations(fitted_window: FittedWindow, small_window: ScaledInputs) -> None:
    """Coverage comes with its band, channels with contribution and ROAS; what can be read is the fit's to say."""
    scores = recovery_scores(small_window, sampler=SHORT, n_simulations=3, fitted=fitted_window)
    table = scores.set_index(["channel", "metric"])["value"]
    assert table["all", "simulations"] == 3
    assert 0 <= table["all", "rejected_share"] < 1
    for channel in small_window.config.channel_names:
        low, high = (
            table[channel, "contribution_coverage_90_low"],
            table[channel, "contribution_coverage_90_high"],
        )
        assert low <= table[channel, "contribution_coverage_90"] <= high
        assert table[channel, "roas_recovery"] == pytest.approx(table[channel, "contribution_recovery"])
        assert table[channel, "contribution_contraction"] <= 1
    assert set(scores["split"]) == {"recovery"}


def test_refit_of_another_likelihood_simulates_its_noise(small_window: ScaledInputs) -> None:
    """Heavy tails are simulated where the model has them."""
    model = small_window.config.model.model_copy(update={"likelihood": "student_t"})
    heavy = replace(small_window, config=small_window.config.model_copy(update={"model": model}))
    assert "y_nu" in simulate_target(heavy, 1).truth


def test_refits_are_lazy(small_window: ScaledInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fitted before it is asked for, and nothing is kept of earlier refits."""
    fitted: list[str] = []
    monkeypatch.setattr(
        "mmm_engine.fleets.recovery.fit_window", lambda inputs, **options: fitted.append(options["label"])
    )
    many = refits(small_window, 1_000_000, sampler=SHORT)
    assert fitted == []
    next(many)
    assert fitted == ["toy recovery 1/1000000"]


def _simulations(ranks: np.ndarray) -> list[pd.DataFrame]:
    """Frames as `score_refit` gives them, for one channel with these ranks."""
    rows = {"kind": "contribution", "name": "tv", "recovery": 0.9, "contraction": 0.9, "covered": True}
    return [pd.DataFrame([{**rows, "rank": rank}]) for rank in ranks]


def test_ranks_that_pile_up_leave_their_band() -> None:
    """Uniform ranks stay inside the simultaneous band; ranks in the middle (intervals too wide) do not."""
    even = _simulations(np.linspace(0, 99, 50).astype(int))
    middle = _simulations(np.linspace(40, 60, 50).astype(int))
    for simulations, inside in ((even, 1.0), (middle, 0.0)):
        scores = summarise_recovery(simulations).set_index(["channel", "metric"])["value"]
        assert scores["tv", "contribution_ranks_inside"] == inside
    band = rank_ecdf(even)
    assert (band["low"] <= band["high"]).all()
    assert band["ecdf"].iloc[[0, -1]].tolist() == [0.0, 1.0]
