"""Families on an interval: beta, Kumaraswamy, logit-normal, half-life, uniform, truncated normal.

Here: their densities, draws and quantiles.
Not here: the table of all families (table.py).

Sources and units as in real.py. G is the gamma function.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Operand
from mmm_engine.distributions.family import (
    Argument,
    Arguments,
    Condition,
    Distribution,
    NumpyArguments,
    Parametrisation,
)
from mmm_engine.distributions.real import (
    LOCATION,
    NORMAL_WAYS,
    SCALE,
    normal_density,
    normal_quantile,
    precision,
    with_sigma,
)

_CERTAIN = 1.0 - 1e-12
_LEAST_RATE = 1e-300  # of decay: keeps logarithms finite at the ends


def _positive(name: str) -> Argument:
    return Argument(name, low=0.0)


# --- on (0, 1) ------------------------------------------------------------------------------------


def _beta(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log G(alpha + beta) - log G(alpha) - log G(beta) + (alpha - 1) log(x) + (beta - 1) log(1 - x)."""
    alpha, beta = at["alpha"], at["beta"]
    constant = xp.gammaln(alpha + beta) - xp.gammaln(alpha) - xp.gammaln(beta)
    return constant + (alpha - 1.0) * xp.log(x) + (beta - 1.0) * xp.log1p(-1.0 * x)


def _beta_of_weight(mu: Operand, weight: Operand) -> Arguments:
    return {"alpha": mu * weight, "beta": (1.0 - mu) * weight}


def _beta_of_moments(given: Arguments) -> Arguments:
    """From mean and standard deviation: alpha + beta = mu (1 - mu) / sigma^2 - 1."""
    mu = given["mu"]
    return _beta_of_weight(mu, mu * (1.0 - mu) / given["sigma"] ** 2 - 1.0)


def _beta_quantile(p: Any, at: NumpyArguments) -> Any:
    from scipy.special import betaincinv

    return betaincinv(at["alpha"], at["beta"], p)


BETA = Distribution(
    "Beta",
    "unit",
    (
        Parametrisation((_positive("alpha"), _positive("beta"))),
        Parametrisation(
            # fixed: no pair of priors keeps sigma below its bound
            (Argument("mu", 0.0, 1.0, fixed=True), Argument("sigma", 0.0, fixed=True)),
            _beta_of_moments,
            Condition(
                lambda given: bool(given["sigma"] ** 2 < given["mu"] * (1.0 - given["mu"])),
                "sigma below sqrt(mu (1 - mu))",
            ),
        ),
        Parametrisation(
            (Argument("mu", 0.0, 1.0), _positive("nu")),
            lambda given: _beta_of_weight(given["mu"], given["nu"]),
        ),
    ),
    _beta,
    lambda rng, at, shape: rng.beta(at["alpha"], at["beta"], shape),
    _beta_quantile,
)


def _kumaraswamy(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log(a b) + (a - 1) log(x) + (b - 1) log(1 - x^a) (Kumaraswamy 1980, doi:10.1016/0022-1694(80)90036-0)."""
    a, b = at["a"], at["b"]
    log_x = xp.log(x)
    return xp.log(a) + xp.log(b) + (a - 1.0) * log_x + (b - 1.0) * xp.log1p(-1.0 * xp.exp(a * log_x))


def _kumaraswamy_upper(p: Any, at: NumpyArguments) -> Any:
    """What lies below a share of 1 - p."""
    return (1 - p ** (1 / at["b"])) ** (1 / at["a"])


KUMARASWAMY = Distribution(
    "Kumaraswamy",
    "unit",
    (Parametrisation((_positive("a"), _positive("b"))),),
    _kumaraswamy,
    lambda rng, at, shape: _kumaraswamy_upper(rng.uniform(size=shape), at),
    lambda p, at: _kumaraswamy_upper(1.0 - np.asarray(p), at),
)


def _logit_normal(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log N(logit x | mu, sigma) - log(x) - log(1 - x)."""
    log_x, log_rest = xp.log(x), xp.log1p(-1.0 * x)
    return normal_density(log_x - log_rest, at["mu"], at["sigma"], xp) - log_x - log_rest


LOGIT_NORMAL = Distribution(
    "LogitNormal",
    "unit",
    NORMAL_WAYS,
    _logit_normal,
    lambda rng, at, shape: 1 / (1 + np.exp(-rng.normal(at["mu"], at["sigma"], shape))),
    lambda p, at: 1 / (1 + np.exp(-normal_quantile(p, at))),
)


def _half_life(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log N(log h | log median, sigma) - log(x) - log(-log x), with h = log 2 / -log x.

    x is the share of an effect that is left after one row, 2^(-1 / h), and h its half-life in rows, log-normal.
    """
    rate = xp.maximum(-1.0 * xp.log(x), _LEAST_RATE)
    log_half_life = math.log(math.log(2.0)) - xp.log(rate)
    density = normal_density(log_half_life, xp.log(at["median"]), at["sigma"], xp)
    return density - xp.log(x) - xp.log(rate)


def _half_life_quantile(p: Any, at: NumpyArguments) -> Any:
    """2^(-1 / h) at the half-life's own quantile: it rises with h."""
    log_median = np.log(at["median"])
    return _retained(normal_quantile(p, {"mu": log_median, "sigma": at["sigma"]}))


def _retained(log_half_life: Any) -> Any:
    """What is left after one row, kept inside (0, 1)."""
    return np.clip(np.exp2(-np.exp(-np.asarray(log_half_life))), _LEAST_RATE, 1.0 - 1e-15)


HALF_LIFE = Distribution(
    "HalfLife",
    "unit",
    (Parametrisation((_positive("median"), SCALE)),),
    _half_life,
    lambda rng, at, shape: _retained(rng.normal(np.log(at["median"]), at["sigma"], shape)),
    _half_life_quantile,
)


# --- between `lower` and `upper` ------------------------------------------------------------------


def _ends(low: float, high: float) -> tuple[Argument, Argument]:
    return Argument("lower", default=low, fixed=True), Argument("upper", default=high, fixed=True)


_ORDERED = Condition(lambda given: bool(given["lower"] < given["upper"]), "lower below upper")


def _uniform(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """-log(upper - lower)."""
    return -1.0 * xp.log(at["upper"] - at["lower"]) + 0.0 * x


UNIFORM = Distribution(
    "Uniform",
    "interval",
    (Parametrisation(_ends(0.0, 1.0), condition=_ORDERED),),
    _uniform,
    lambda rng, at, shape: rng.uniform(at["lower"], at["upper"], shape),
    lambda p, at: at["lower"] + (at["upper"] - at["lower"]) * np.asarray(p),
)


def _truncated_normal(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log N(x | mu, sigma) - log of the normal's mass between the ends."""
    mu, sigma = at["mu"], at["sigma"]
    low, high = at["lower"], at["upper"]
    if low == -math.inf and high == math.inf:
        return normal_density(x, mu, sigma, xp)
    if high == math.inf:
        mass = _tail((low - mu) / sigma, xp)
    elif low == -math.inf:
        mass = _tail((mu - high) / sigma, xp)
    else:
        # the difference of the smaller tails: of two masses near 1 nothing would be left
        above = _tail((low - mu) / sigma, xp) - _tail((high - mu) / sigma, xp)
        below = _tail((mu - high) / sigma, xp) - _tail((mu - low) / sigma, xp)
        mass = xp.where(2.0 * mu - low - high > 0.0, below, above)
    return normal_density(x, mu, sigma, xp) - xp.log(xp.maximum(mass, 1e-300))


def _tail(z: Operand, xp: ArrayFunctions) -> Array:
    """Mass of a standard normal distribution above z, exact far out."""
    return 0.5 * xp.erfc(z / math.sqrt(2.0))


def _truncated_normal_quantile(p: Any, at: NumpyArguments) -> Any:
    """The normal's quantile at Phi(low) + p (Phi(high) - Phi(low)), ends standardised."""
    from scipy.special import ndtr, ndtri

    mu, sigma = at["mu"], at["sigma"]
    low, high = ndtr((at["lower"] - mu) / sigma), ndtr((at["upper"] - mu) / sigma)
    return mu + sigma * ndtri(np.clip(low + (high - low) * p, 1 - _CERTAIN, _CERTAIN))


TRUNCATED_NORMAL = Distribution(
    "TruncatedNormal",
    "interval",
    (
        Parametrisation((LOCATION, SCALE, *_ends(-math.inf, math.inf)), condition=_ORDERED),
        Parametrisation(
            (LOCATION, precision("tau"), *_ends(-math.inf, math.inf)),
            with_sigma("tau", "mu", "lower", "upper"),
            _ORDERED,
        ),
    ),
    _truncated_normal,
    lambda rng, at, shape: _truncated_normal_quantile(rng.random(shape), at),
    _truncated_normal_quantile,
)

FAMILIES = (BETA, KUMARASWAMY, LOGIT_NORMAL, HALF_LIFE, UNIFORM, TRUNCATED_NORMAL)
