"""Bijectors: elementwise maps from the real line to the support of a prior, each with its log Jacobian.

Here: one per support, normal scores of some priors, and one that gives a weakly identified variable Gaussian tails.
Not here: which variable takes which bijector (coordinate_choice.py), maps of several variables (channel_levels.py).

With x = g(z), a density p of x is a density p(g(z)) |dg/dz| of z: each bijector returns log |dg/dz| beside x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Floats
from mmm_engine.distributions.family import Support
from mmm_engine.model.priors import PriorSpec

_LARGEST_RATE = 600.0  # exp(-600) is still a number


@dataclass(frozen=True)
class Bijector:
    """An increasing (or, for a support below an end, decreasing) map from the real line onto a support.

    Attributes:
        name: The map in a word.
        forward: (z, prior, array functions) -> x and log |dx/dz|, both of z's shape; the prior gives ends and scale.
    """

    name: str
    forward: Callable[[Array, PriorSpec, ArrayFunctions], tuple[Array, Array]]


def _identity(z: Array, prior: PriorSpec, xp: ArrayFunctions) -> tuple[Array, Array]:
    """x = z; log slope 0."""
    return z, z * 0.0


def _exp(z: Array, prior: PriorSpec, xp: ArrayFunctions) -> tuple[Array, Array]:
    """x = e^z > 0; dx/dz = e^z, log slope z."""
    return xp.exp(z), z


def _sigmoid(z: Array, prior: PriorSpec, xp: ArrayFunctions) -> tuple[Array, Array]:
    """x = 1 / (1 + e^-z) in (0, 1); dx/dz = x (1 - x), log slope -log(1 + e^-z) - log(1 + e^z)."""
    return xp.sigmoid(z), -xp.softplus(-z) - xp.softplus(z)


def _interval(z: Array, prior: PriorSpec, xp: ArrayFunctions) -> tuple[Array, Array]:
    """Between the prior's ends: x = low + (high - low) sigmoid(z); low + e^z or high - e^z with one end only.

    The log slope is that of the sigmoid plus log(high - low), or z.
    """
    low, high = prior.bounds
    if math.isinf(low) and math.isinf(high):
        return _identity(z, prior, xp)
    if math.isinf(high):
        return low + xp.exp(z), z
    if math.isinf(low):
        return high - xp.exp(z), z
    value, log_slope = _sigmoid(z, prior, xp)
    return low + (high - low) * value, log_slope + math.log(high - low)


def _gaussian_tail_softplus(z: Array, prior: PriorSpec, xp: ArrayFunctions) -> tuple[Array, Array]:
    """`gaussian_tail_softplus` with the prior's typical scale."""
    return gaussian_tail_softplus(z, prior.typical_scale, xp)


def gaussian_tail_softplus(z: Array, scale: Floats | float, xp: ArrayFunctions) -> tuple[Array, Array]:
    """x = s (z Phi(z) + phi(z)) > 0: about s z to the right, a Gaussian tail towards 0.

    Phi and phi are distribution function and density of the standard normal; as phi' = -z phi,

        dx/dz = s (Phi(z) + z phi(z) - z phi(z)) = s Phi(z),  log slope = log Phi(z) + log s.

    A density that is flat at 0 becomes about phi(z) / |z| to the left, where log x would have an exponential tail.

    Args:
        z: Any real numbers.
        scale: s > 0 in the unit of x, a number or one per element.
        xp: Array functions (compiler/array_functions.py).

    Returns:
        x and log slope, both of z's shape.
    """
    below = 0.5 * xp.erfc(-z / math.sqrt(2.0))
    density = xp.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    return scale * (z * below + density), xp.log(below) + np.log(scale)


def _probit(z: Array, prior: PriorSpec, xp: ArrayFunctions) -> tuple[Array, Array]:
    """Normal score of Beta(1, b): x with F(x) = Phi(z), F(x) = 1 - (1 - x)^b; under that prior z is standard normal.

    x = 1 - Phi(-z)^(1/b),  dx/dz = (1/b) Phi(-z)^(1/b - 1) phi(z).
    """
    exponent = 1.0 / float(dict(prior.arguments)["beta"])  # type: ignore[arg-type]
    log_above = _log_above(z, xp)
    log_slope = (exponent - 1.0) * log_above - 0.5 * z**2 - 0.5 * math.log(2.0 * math.pi) + math.log(exponent)
    return -xp.expm1(exponent * log_above), log_slope


def _exponential(z: Array, prior: PriorSpec, xp: ArrayFunctions) -> tuple[Array, Array]:
    """Normal score of Exponential(lam): x with 1 - exp(-lam x) = Phi(z); under that prior z is standard normal.

    x = -log Phi(-z) / lam,  dx/dz = phi(z) / (lam Phi(-z)).
    """
    rate = float(dict(prior.arguments)["lam"])  # type: ignore[arg-type]
    log_above = _log_above(z, xp)
    return -log_above / rate, -0.5 * z**2 - 0.5 * math.log(2.0 * math.pi) - log_above - math.log(rate)


def _log_normal(z: Array, prior: PriorSpec, xp: ArrayFunctions) -> tuple[Array, Array]:
    """Normal score of LogNormal(mu, sigma): x = exp(mu + sigma z), log slope log(sigma x)."""
    arguments = dict(prior.arguments)
    mu, sigma = float(arguments["mu"]), float(arguments["sigma"])  # type: ignore[arg-type]
    log_value = mu + sigma * z
    return xp.exp(log_value), log_value + math.log(sigma)


def _log_above(z: Array, xp: ArrayFunctions) -> Array:
    """log Phi(-z), by the tail that is small, so that neither end rounds to 0 or 1."""
    tail = 0.5 * xp.erfc(xp.abs(z) / math.sqrt(2.0))
    return xp.where(z < 0.0, xp.log1p(-tail), xp.log(xp.maximum(tail, 1e-300)))


def _half_life(z: Array, prior: PriorSpec, xp: ArrayFunctions) -> tuple[Array, Array]:
    """Normal score of a half-life prior: log h = log(median) + sigma z, x = exp(-r) with r = log(2) / h.

    dx/dz = sigma r exp(-r), so that under the prior z is standard normal. Where exp(-r) would round to 0, x stays and
    the log slope goes on as the density of z needs it: -z^2 / 2.
    """
    arguments = dict(prior.arguments)
    median, sigma = float(arguments["median"]), float(arguments["sigma"])  # type: ignore[arg-type]
    log_rate = math.log(math.log(2.0) / median)
    lowest = (log_rate - math.log(_LARGEST_RATE)) / sigma
    inside = xp.maximum(z, lowest)
    rate = xp.exp(log_rate - sigma * inside)
    log_slope = math.log(sigma) + log_rate - sigma * inside - rate - 0.5 * (z**2 - inside**2)
    return xp.exp(-rate), log_slope


IDENTITY = Bijector("identity", _identity)
EXP = Bijector("exp", _exp)
SIGMOID = Bijector("sigmoid", _sigmoid)
INTERVAL = Bijector("interval", _interval)
GAUSSIAN_TAIL_SOFTPLUS = Bijector("Gaussian-tail softplus", _gaussian_tail_softplus)
PROBIT = Bijector("probit (normal score)", _probit)
HALF_LIFE = Bijector("half-life (normal score)", _half_life)
EXPONENTIAL = Bijector("exponential (normal score)", _exponential)
LOG_NORMAL = Bijector("log-normal (normal score)", _log_normal)

BY_SUPPORT: dict[Support, Bijector] = {
    "positive": EXP,
    "unit": SIGMOID,
    "real": IDENTITY,
    "interval": INTERVAL,
}
"""As PyMC's default transforms have them."""

_SCORES = {
    ("Beta", frozenset({"alpha", "beta"})): PROBIT,
    ("HalfLife", frozenset({"median", "sigma"})): HALF_LIFE,
    ("Exponential", frozenset({"lam"})): EXPONENTIAL,
    ("LogNormal", frozenset({"mu", "sigma"})): LOG_NORMAL,
}


def normal_score(prior: PriorSpec) -> Bijector | None:
    """The map under which the variable is standard normal as its prior has it; None where it has no closed form here.

    Args:
        prior: With numbers as arguments; one that hangs on other variables has no map of its own.
    """
    arguments = dict(prior.arguments)
    if not all(isinstance(value, float) for value in arguments.values()):
        return None
    if prior.distribution == "Beta" and arguments.get("alpha") != 1.0:
        return None
    return _SCORES.get((prior.distribution, frozenset(arguments)))
