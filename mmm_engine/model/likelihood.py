"""The distribution of the target around the mean, and what lift tests say about it.

Here: log likelihood, random targets, the expected target.
Not here: the mean (mean.py), lift tests (lift_tests.py), priors (distributions/).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Floats, Operand
from mmm_engine.model.arrays import ModelData
from mmm_engine.model.lift_tests import lift_gains, log_lift_likelihood
from mmm_engine.model.mean import MeanTerms, mean
from mmm_engine.model.specification import ModelSpecification


def log_likelihood(
    values: Mapping[str, Array],
    terms: MeanTerms,
    data: ModelData,
    specification: ModelSpecification,
    xp: ArrayFunctions,
) -> Array:
    """Log likelihood of the target of `data` and of the lift tests, a number.

    With w = `data.likelihood_power`, rows y and lift tests d it is

        w sum_t log p(y_t | values) + log p(d | values):

    a power posterior, in which rows count as if there were w times as many. No curve is exactly the true one, and the
    more rows there are the surer a model becomes of what it has wrong; with w < 1 its intervals stay as wide as their
    errors are (Miller & Dunson 2019, doi:10.1080/01621459.2018.1469995; Bissiri, Holmes & Walker 2016,
    doi:10.1111/rssb.12158). Lift tests say for themselves how wrong they may be, and count in full.

    Constants are kept, so that the value equals PyMC's where w is 1.

    Args:
        values: Parameters by name.
        terms: Output of `mean_terms` for them.
        data: Training rows.
        specification: The model.
        xp: Array functions.
    """
    expected = mean(terms)
    arguments = noise_arguments(values, specification)
    sigma = arguments["sigma"]
    rows = data.target_scaled.shape[0]
    squares = ((data.target_scaled - expected) / sigma) ** 2
    lifts: Operand = 0.0
    if specification.lift_channels:
        gains = lift_gains(values, data, specification, terms.multiplier, xp)
        lifts = log_lift_likelihood(gains, data, xp)
    if specification.likelihood == "StudentT":
        nu = arguments["nu"]
        constant = (
            xp.gammaln((nu + 1.0) / 2.0) - xp.gammaln(nu / 2.0) - 0.5 * xp.log(nu * math.pi) - xp.log(sigma)
        )
        student = rows * constant - 0.5 * (nu + 1.0) * xp.log1p(squares / nu).sum()
        return lifts + data.likelihood_power * student
    normal = -0.5 * squares.sum() - rows * (xp.log(sigma) + 0.5 * math.log(2.0 * math.pi))
    if specification.likelihood == "TruncatedNormal":
        normal = normal - xp.log(_share_above_zero(expected / sigma, xp)).sum()
    return lifts + data.likelihood_power * normal


def row_log_likelihood(
    target: Floats, location: Floats, values: dict[str, Floats], specification: ModelSpecification
) -> Floats:
    """Log likelihood of each row for every draw, lift tests left out, shape (draw, date).

    Summed over rows, times the power of the likelihood, it is `log_likelihood` of a model without lift tests.

    Args:
        target: The target, model space, shape (date,).
        location: Sum of all terms, model space, shape (draw, date).
        values: Parameters by name, shape (draw, ...).
        specification: The model.
    """
    from scipy.special import gammaln, log_ndtr

    sigma = _noise_sd(values, specification)
    squares = np.square((target - location) / sigma)
    if specification.likelihood == "StudentT":
        nu = np.asarray(_per_draw(noise_arguments(values, specification)["nu"]))
        constant = gammaln((nu + 1.0) / 2.0) - gammaln(nu / 2.0) - 0.5 * np.log(nu * math.pi) - np.log(sigma)
        return np.asarray(constant - 0.5 * (nu + 1.0) * np.log1p(squares / nu))
    normal = -0.5 * squares - np.log(sigma) - 0.5 * math.log(2.0 * math.pi)
    return np.asarray(
        normal - log_ndtr(location / sigma) if specification.likelihood == "TruncatedNormal" else normal
    )


def _share_above_zero(standardised: Array, xp: ArrayFunctions) -> Array:
    """Mass of a normal distribution above 0, from its mean in standard deviations; never 0."""
    return xp.maximum(0.5 * xp.erfc(-standardised / math.sqrt(2.0)), 1e-300)


def draw_targets(
    location: Floats, values: dict[str, Floats], specification: ModelSpecification, rng: np.random.Generator
) -> Floats:
    """Random targets around the sum of all terms, model space, shape (draw, date).

    Args:
        location: Sum of all terms, shape (draw, date).
        values: Parameters by name, shape (draw, ...).
        specification: The model.
        rng: Source of randomness.
    """
    from scipy.special import ndtr, ndtri

    sigma = _noise_sd(values, specification)
    if specification.likelihood == "Normal":
        return np.asarray(location + rng.standard_normal(location.shape) * sigma)
    if specification.likelihood == "TruncatedNormal":
        # by inversion in the upper tail, which is exact also where almost all of the normal lies below 0
        above = ndtr(location / sigma)
        drawn = location - sigma * ndtri(above * (1.0 - rng.uniform(size=location.shape)))
        return np.asarray(np.maximum(drawn, 0.0))
    nu = _per_draw(noise_arguments(values, specification)["nu"])
    return np.asarray(location + rng.standard_t(nu, location.shape) * sigma)


def expected_target(location: Floats, values: dict[str, Floats], specification: ModelSpecification) -> Floats:
    """Mean of the target given the sum of all terms, model space, shape (draw, date).

    It is that sum, except where a likelihood ends at 0: what would lie below is spread above.
    """
    from scipy.special import log_ndtr

    if specification.likelihood != "TruncatedNormal":
        return location
    sigma = _noise_sd(values, specification)
    standardised = location / sigma
    log_density = -0.5 * standardised**2 - 0.5 * np.log(2.0 * np.pi)
    return np.asarray(location + sigma * np.exp(log_density - log_ndtr(standardised)))


def noise_arguments(values: Mapping[str, Array], specification: ModelSpecification) -> dict[str, Operand]:
    """Arguments of the target's distribution by name: fixed numbers, or parameters from `values`."""
    return {
        argument.name: values[argument.value] if isinstance(argument.value, str) else argument.value
        for argument in specification.noise_arguments
    }


def _noise_sd(values: dict[str, Floats], specification: ModelSpecification) -> Floats | float:
    return _per_draw(noise_arguments(values, specification)["sigma"])


def _per_draw(argument: Operand) -> Floats | float:
    """An argument that has one value per draw, beside dates: shape (draw, 1)."""
    return argument if isinstance(argument, float) else np.asarray(argument)[:, None]
