"""Normal scores of priors: the density of z is standard normal, slopes are right, ends stay finite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.priors import PriorSpec, read_prior
from mmm_engine.posterior.bijectors import Bijector, normal_score

XP = numpy_functions()
PRIORS: list[dict[str, Any]] = [
    {"distribution": "HalfLife", "median": 1.0, "sigma": 1.0},  # of weekly rows
    {"distribution": "HalfLife", "median": 49.0, "sigma": 2.0},  # of daily rows with a delayed adstock
    {"distribution": "HalfLife", "median": 0.053, "sigma": 2.0},  # of monthly rows with one
    {"distribution": "Beta", "alpha": 1.0, "beta": 3.0},
    {"distribution": "Exponential", "lam": 10.0},  # how much time-varying media vary
    {"distribution": "LogNormal", "mu": -0.5, "sigma": 0.8},  # half-saturation points
]


def _prior(arguments: dict[str, Any]) -> PriorSpec:
    return read_prior(arguments, "prior", "test")


def _score(prior: PriorSpec) -> Bijector:
    bijector = normal_score(prior)
    assert bijector is not None
    return bijector


@pytest.mark.parametrize("arguments", PRIORS, ids=str)
def test_under_its_prior_the_coordinate_is_standard_normal(arguments: dict[str, Any]) -> None:
    """log p(x) + log |dx/dz| = -z^2 / 2 - log(2 pi) / 2, also where the half-life is too short for a number."""
    prior, z = _prior(arguments), np.linspace(-9.0, 5.0, 57)
    x, log_slope = _score(prior).forward(z, prior, XP)
    assert (np.asarray(x) > 0.0).all()
    density = prior.family.log_density(x, prior.family.standard(dict(prior.arguments)), XP) + log_slope
    assert np.asarray(density) == pytest.approx(-0.5 * z**2 - 0.5 * math.log(2 * math.pi), abs=1e-6)


@pytest.mark.parametrize("arguments", PRIORS, ids=str)
def test_slopes_are_those_of_the_map(arguments: dict[str, Any]) -> None:
    """Against central differences, where x is not yet 0 or 1."""
    prior, z = _prior(arguments), np.linspace(-0.8, 2.0, 15)
    forward = lambda at: np.asarray(_score(prior).forward(at, prior, XP)[0])  # noqa: E731
    numeric = (forward(z + 1e-6) - forward(z - 1e-6)) / 2e-6
    assert np.exp(np.asarray(_score(prior).forward(z, prior, XP)[1])) == pytest.approx(
        numeric, rel=1e-5, abs=1e-12
    )


def test_an_exponential_keeps_its_ends() -> None:
    """Worked by hand: half of the mass lies below log(2) / lam, and far out the value is z^2 / 2 and a little more."""
    prior = _prior({"distribution": "Exponential", "lam": 2.0})
    x, _ = _score(prior).forward(np.array([-30.0, 0.0, 30.0]), prior, XP)
    assert 0.0 < x[0] < 1e-190
    assert x[1] == pytest.approx(math.log(2.0) / 2.0)
    # -log Phi(-30) = 450 + log(30 sqrt(2 pi)) + 1/900 + ...
    assert x[2] == pytest.approx(
        (450.0 + math.log(30.0 * math.sqrt(2.0 * math.pi)) + 1 / 900) / 2.0, rel=1e-6
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"distribution": "Beta", "alpha": 2.0, "beta": 3.0},
        {"distribution": "HalfNormal", "sigma": 1.0},
        {
            "distribution": "LogNormal",
            "mu": {"distribution": "Normal", "mu": 0.0, "sigma": 1.0},
            "sigma": 1.0,
        },
    ],
    ids=str,
)
def test_other_priors_have_none(arguments: dict[str, Any]) -> None:
    """Without a closed form, or where an argument is drawn too."""
    assert normal_score(_prior(arguments)) is None
