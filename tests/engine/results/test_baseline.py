"""Prior ranges are those of PyMC's priors; pushes and negative baselines are counted as they are."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.model.parameters import ParameterSpec, PriorPart
from mmm_engine.model.prior_draws import _SAMPLERS, draw_part, prior_ranges
from mmm_engine.model.priors import SUPPORTS, PriorSpec, read_prior
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.parameter_table import parameter_frame
from mmm_engine.results.baseline import plausibility_scores

PRIORS = [
    {"distribution": "HalfNormal", "sigma": 2.0},
    {"distribution": "HalfNormal", "tau": 4.0},
    {"distribution": "HalfCauchy", "beta": 0.5},
    {"distribution": "HalfStudentT", "nu": 4.0, "sigma": 2.0},
    {"distribution": "Exponential", "lam": 3.0},
    {"distribution": "Exponential", "scale": 3.0},
    {"distribution": "Gamma", "alpha": 3.0, "beta": 2.0},
    {"distribution": "Gamma", "mu": 3.0, "sigma": 2.0},
    {"distribution": "InverseGamma", "alpha": 3.0, "beta": 2.0},
    {"distribution": "InverseGamma", "mu": 3.0, "sigma": 2.0},
    {"distribution": "LogNormal", "mu": 0.5, "sigma": 0.7},
    {"distribution": "Weibull", "alpha": 2.0, "beta": 3.0},
    {"distribution": "ChiSquared", "nu": 3.0},
    {"distribution": "Wald", "mu": 2.0, "lam": 3.0},
    {"distribution": "Wald", "mu": 2.0, "phi": 3.0},
    {"distribution": "Beta", "alpha": 1.0, "beta": 3.0},
    {"distribution": "Beta", "mu": 0.3, "sigma": 0.1},
    {"distribution": "Beta", "mu": 0.3, "nu": 6.0},
    {"distribution": "Kumaraswamy", "a": 2.0, "b": 3.0},
    {"distribution": "LogitNormal", "mu": 0.5, "sigma": 1.5},
    {"distribution": "Normal", "mu": 1.0, "sigma": 2.0},
    {"distribution": "StudentT", "nu": 5.0, "mu": 1.0, "sigma": 2.0},
    {"distribution": "StudentT", "nu": 5.0, "lam": 4.0},
    {"distribution": "Laplace", "mu": 1.0, "b": 2.0},
    {"distribution": "AsymmetricLaplace", "kappa": 2.0, "mu": 1.0, "b": 0.5},
    {"distribution": "AsymmetricLaplace", "q": 0.3, "mu": 1.0, "b": 0.5},
    {"distribution": "Cauchy", "alpha": 1.0, "beta": 2.0},
    {"distribution": "Logistic", "mu": 1.0, "s": 2.0},
    {"distribution": "Gumbel", "mu": 1.0, "beta": 2.0},
    {"distribution": "SkewNormal", "mu": 1.0, "sigma": 2.0, "alpha": 4.0},
    {"distribution": "Uniform", "lower": -1.0, "upper": 3.0},
    {"distribution": "TruncatedNormal", "mu": 1.0, "sigma": 2.0, "lower": 0.0},
    {"distribution": "TruncatedNormal", "mu": 1.0, "sigma": 2.0, "lower": -1.0, "upper": 2.0},
]


def test_every_supported_distribution_is_drawn_and_compared() -> None:
    """Nobody adds a prior without a sampler and a comparison."""
    assert set(_SAMPLERS) == set(SUPPORTS) == {prior["distribution"] for prior in PRIORS}


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: "-".join(map(str, prior.values())))
def test_draws_are_distributed_as_pymc_says(prior: dict[str, object]) -> None:
    """PyMC's distribution function at our draws is uniform: largest gap below that of chance (1 in 10,000)."""
    import pymc as pm

    part = PriorPart("x", (0,), read_prior(prior, "prior", "test"))
    draws = np.sort(draw_part(part, {}, 4000, np.random.default_rng(3))[:, 0])
    arguments = {name: value for name, value in prior.items() if name != "distribution"}
    distribution = getattr(pm, str(prior["distribution"])).dist(**arguments)
    try:
        if prior["distribution"] == "Wald":  # whose distribution function in PyMC 6 is not that of its draws
            raise NotImplementedError
        chance = np.exp(pm.logcdf(distribution, draws).eval())
    except NotImplementedError:  # its own draws stand for it
        theirs = np.sort(pm.draw(distribution, 20_000, random_seed=5))
        chance = np.searchsorted(theirs, draws) / len(theirs)
    gap = np.abs(chance - (np.arange(4000) + 0.5) / 4000).max()
    assert gap < 2.3 / np.sqrt(4000) * 1.1


def test_ranges_follow_parts_signs_and_hyperpriors() -> None:
    """A parameter of two parts, one of them negative, and one whose scale has a prior of its own."""
    half = PriorSpec("HalfNormal", (("sigma", 1.0),))
    nested = PriorSpec("Normal", (("mu", 10.0), ("sigma", half)))
    ranges = prior_ranges(
        (
            ParameterSpec("a", "d", (PriorPart("a_up", (1,), half), PriorPart("a_down", (0, 2), half, -1.0))),
            ParameterSpec("b", None, (PriorPart("b", (0,), nested),)),
        )
    )
    low, high = ranges["a"]
    # the 99% quantile of |z| is 2.5758; nothing near 0 is too small for a half-normal
    assert high[1] == pytest.approx(2.576, rel=0.03)
    assert low[[0, 2]] == pytest.approx(-2.576, rel=0.03)
    assert low[1] == high[0] == high[2] == 0.0
    assert ranges["b"][0][0] < 10 - 2.3 * 0.8
    assert ranges["b"][1][0] > 10 + 2.3 * 0.8


def test_parameters_get_the_range_of_their_own_prior(fitted_window: FittedWindow) -> None:
    """Names line up with the specification's order; data that follow the model push against no prior."""
    summary = parameter_frame(fitted_window).set_index("parameter")
    specification = fitted_window.specification
    ranges = prior_ranges(specification.parameters)
    for spec in specification.parameters:
        rows = summary[[name.split("[")[0] == spec.name for name in summary.index]]
        assert np.array_equal(rows[["prior_q01", "prior_q99"]].to_numpy().T, ranges[spec.name])
    inside = summary["q50"].between(summary["prior_q01"], summary["prior_q99"])
    assert inside.mean() > 0.9


def test_a_negative_baseline_is_counted_draw_by_draw_and_row_by_row(fitted_window: FittedWindow) -> None:
    """A quarter of the draws moved far below 0 is a probability of a quarter more."""
    before = plausibility_scores(fitted_window)["value"].item()
    moved = fitted_window.posterior.copy(deep=True)
    moved["posterior"]["intercept"].values[0, :150] = -100.0
    after = plausibility_scores(FittedWindow.of(fitted_window.inputs, moved))["value"].item()
    assert before < 0.01
    assert after == pytest.approx(before + 0.25, abs=0.01)
