"""Draws of priors: distributed as PyMC says, quantiles that are the density's, ranges of whole parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.distributions.table import DISTRIBUTIONS
from mmm_engine.model.parameters import ParameterSpec, PriorPart, Role, Unit
from mmm_engine.model.prior_draws import draw_part, prior_ranges
from mmm_engine.model.priors import PriorSpec, read_prior

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
    {"distribution": "HalfLife", "median": 2.0, "sigma": 0.7},
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
    assert set(DISTRIBUTIONS) == {prior["distribution"] for prior in PRIORS}


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: "-".join(map(str, prior.values())))
def test_draws_are_distributed_as_pymc_says(prior: dict[str, object]) -> None:
    """PyMC's distribution function at our draws is uniform: largest gap below that of chance (1 in 10,000)."""
    import pymc as pm

    part = PriorPart("x", (0,), read_prior(prior, "prior", "test"))
    draws = np.sort(draw_part(part, {}, 4000, np.random.default_rng(3))[:, 0])
    arguments = {name: value for name, value in prior.items() if name != "distribution"}
    if prior["distribution"] == "HalfLife":  # the logarithm of the half-life in rows is normal
        draws, prior = np.log(-math.log(2.0) / np.log(draws)), {"distribution": "Normal"}
        arguments = {"mu": math.log(2.0), "sigma": 0.7}
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


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: "-".join(map(str, prior.values())))
@pytest.mark.filterwarnings("ignore:overflow")
def test_quantiles_are_those_of_the_density(prior: dict[str, Any]) -> None:
    """The density's mass below a quantile is its probability; families without a formula say so."""
    family = DISTRIBUTIONS[prior["distribution"]]
    written = {name: value for name, value in prior.items() if name != "distribution"}
    standard, (low, high) = family.standard(written), family.bounds(written)
    if family.quantile is None:
        assert family.name in ("Wald", "SkewNormal")
        return

    def height(x: float) -> float:
        return float(np.exp(family.log_density(np.array([x]), standard, numpy_functions()))[0])

    for probability in (0.05, 0.5, 0.9):
        quantile = float(family.quantile(np.array([probability]), standard)[0])
        below, above = (
            integrate.quad(height, *ends, limit=300)[0] for ends in ((low, quantile), (quantile, high))
        )
        assert below == pytest.approx(probability, abs=1e-6)
        assert above == pytest.approx(1.0 - probability, abs=1e-6)


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: "-".join(map(str, prior.values())))
def test_typical_scales_are_lengths_of_the_variable(prior: dict[str, Any]) -> None:
    """Positive and finite; that of a gamma is its standard deviation, however it is written."""
    assert 0.0 < read_prior(prior, "prior", "test").typical_scale < math.inf
    by_rate = read_prior({"distribution": "Gamma", "alpha": 4.0, "beta": 2.0}, "prior", "test")
    assert by_rate.typical_scale == pytest.approx(1.0)
    by_precision = read_prior({"distribution": "HalfNormal", "tau": 0.25}, "prior", "test")
    assert by_precision.typical_scale == pytest.approx(2.0)


def test_ranges_follow_parts_signs_and_hyperpriors() -> None:
    """A parameter of two parts, one of them negative, and one whose scale has a prior of its own."""
    half = PriorSpec("HalfNormal", (("sigma", 1.0),))
    nested = PriorSpec("Normal", (("mu", 10.0), ("sigma", half)))
    ranges = prior_ranges(
        (
            ParameterSpec(
                "a",
                Role.CONTROL_EFFECT,
                Unit.NUMBER,
                "d",
                (PriorPart("a_up", (1,), half), PriorPart("a_down", (0, 2), half, -1.0)),
            ),
            ParameterSpec("b", Role.INTERCEPT, Unit.NUMBER, None, (PriorPart("b", (0,), nested),)),
        )
    )
    low, high = ranges["a"]
    # the 99% quantile of |z| is 2.5758; nothing near 0 is too small for a half-normal
    assert high[1] == pytest.approx(2.576, rel=0.03)
    assert low[[0, 2]] == pytest.approx(-2.576, rel=0.03)
    assert low[1] == high[0] == high[2] == 0.0
    assert ranges["b"][0][0] < 10 - 2.3 * 0.8
    assert ranges["b"][1][0] > 10 + 2.3 * 0.8
