"""Normal score of a half-life's prior: the density of z is standard normal, slopes are right, ends stay finite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.priors import PriorSpec, read_prior
from mmm_engine.posterior.bijectors import HALF_LIFE

XP = numpy_functions()
PRIORS = [{"median": 1.0, "sigma": 1.0}, {"median": 49.0, "sigma": 2.0}, {"median": 0.053, "sigma": 2.0}]
"""Of weekly rows, of daily rows with a delayed adstock, of monthly rows with one."""


def _prior(arguments: dict[str, float]) -> PriorSpec:
    return read_prior({"distribution": "HalfLife", **arguments}, "prior", "test")


@pytest.mark.parametrize("arguments", PRIORS, ids=str)
def test_under_its_prior_the_coordinate_is_standard_normal(arguments: dict[str, float]) -> None:
    """log p(x) + log |dx/dz| = -z^2 / 2 - log(2 pi) / 2, also where the half-life is too short for a number."""
    prior, z = _prior(arguments), np.linspace(-9.0, 5.0, 57)
    x, log_slope = HALF_LIFE.forward(z, prior, XP)
    assert ((np.asarray(x) > 0.0) & (np.asarray(x) < 1.0)).all()
    density = prior.family.log_density(x, prior.family.standard(dict(prior.arguments)), XP) + log_slope
    assert np.asarray(density) == pytest.approx(-0.5 * z**2 - 0.5 * math.log(2 * math.pi), abs=1e-6)


@pytest.mark.parametrize("arguments", PRIORS, ids=str)
def test_slopes_are_those_of_the_map(arguments: dict[str, Any]) -> None:
    """Against central differences, where x is not yet 0 or 1."""
    prior, z = _prior(arguments), np.linspace(-0.8, 2.0, 15)
    forward = lambda at: np.asarray(HALF_LIFE.forward(at, prior, XP)[0])  # noqa: E731
    numeric = (forward(z + 1e-6) - forward(z - 1e-6)) / 2e-6
    assert np.exp(np.asarray(HALF_LIFE.forward(z, prior, XP)[1])) == pytest.approx(
        numeric, rel=1e-5, abs=1e-12
    )
