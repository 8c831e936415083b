"""Families on the positive numbers: halves of symmetric ones, gamma, log-normal, Weibull and their kin.

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
    Distribution,
    Numbers,
    NumpyArguments,
    Parametrisation,
)
from mmm_engine.distributions.real import (
    DEGREES,
    HALF_LOG_2PI,
    NORMAL_WAYS,
    SCALE,
    cauchy_density,
    normal_density,
    normal_quantile,
    precision,
    student_density,
    with_sigma,
)

_LOG_2 = math.log(2.0)


def _positive(name: str, default: float | None = None) -> Argument:
    return Argument(name, low=0.0, default=default)


# --- halves: twice the density of a symmetric one, on one side of 0 -------------------------------


def _half_normal_quantile(p: Any, at: NumpyArguments) -> Any:
    from scipy.special import ndtri

    return at["sigma"] * ndtri((1.0 + np.asarray(p)) / 2.0)


HALF_NORMAL = Distribution(
    "HalfNormal",
    "positive",
    (Parametrisation((SCALE,)), Parametrisation((precision("tau"),), with_sigma("tau"))),
    lambda x, at, xp: _LOG_2 + normal_density(x, 0.0, at["sigma"], xp),
    lambda rng, at, shape: np.abs(rng.normal(0.0, at["sigma"], shape)),
    _half_normal_quantile,
    scale=lambda written: float(written["sigma"] if "sigma" in written else written["tau"] ** -0.5),
    densest_at_zero=True,
)

HALF_CAUCHY = Distribution(
    "HalfCauchy",
    "positive",
    (Parametrisation((_positive("beta", 1.0),)),),
    lambda x, at, xp: _LOG_2 + cauchy_density(x, 0.0, at["beta"], xp),
    lambda rng, at, shape: at["beta"] * np.abs(rng.standard_cauchy(shape)),
    lambda p, at: at["beta"] * np.tan(np.pi / 2.0 * np.asarray(p)),
    densest_at_zero=True,
)


def _half_student_quantile(p: Any, at: NumpyArguments) -> Any:
    from scipy.special import stdtrit

    return at["sigma"] * stdtrit(at["nu"], (1.0 + np.asarray(p)) / 2.0)


HALF_STUDENT_T = Distribution(
    "HalfStudentT",
    "positive",
    (
        Parametrisation((DEGREES, SCALE)),
        Parametrisation((DEGREES, precision("lam")), with_sigma("lam", "nu")),
    ),
    lambda x, at, xp: _LOG_2 + student_density(x, at["nu"], 0.0, at["sigma"], xp),
    lambda rng, at, shape: np.abs(at["sigma"] * rng.standard_t(at["nu"], shape)),
    _half_student_quantile,
    scale=lambda written: float(written["sigma"] if "sigma" in written else written["lam"] ** -0.5),
    densest_at_zero=True,
)


# --- exponential and gamma ------------------------------------------------------------------------


def _exponential(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log(lam) - lam x."""
    rate = at["lam"]
    return xp.log(rate) - rate * x


EXPONENTIAL = Distribution(
    "Exponential",
    "positive",
    (
        Parametrisation((_positive("lam", 1.0),)),
        Parametrisation((_positive("scale"),), lambda given: {"lam": 1.0 / given["scale"]}),
    ),
    _exponential,
    lambda rng, at, shape: rng.exponential(1 / at["lam"], shape),
    lambda p, at: -np.log1p(-np.asarray(p)) / at["lam"],
    scale=lambda written: float(written["scale"] if "scale" in written else 1.0 / written["lam"]),
    densest_at_zero=True,
)


def gamma_density(x: Array, alpha: Operand, beta: Operand, xp: ArrayFunctions) -> Array:
    """alpha log(beta) - log G(alpha) + (alpha - 1) log(x) - beta x: shape alpha, rate beta."""
    return alpha * xp.log(beta) - xp.gammaln(alpha) + (alpha - 1.0) * xp.log(x) - beta * x


def _gamma_of_moments(given: Arguments) -> Arguments:
    """alpha = mu^2 / sigma^2, beta = mu / sigma^2, from mean and standard deviation."""
    mu, variance = given["mu"], given["sigma"] ** 2
    return {"alpha": mu**2 / variance, "beta": mu / variance}


def _gamma_quantile(p: Any, at: NumpyArguments) -> Any:
    from scipy.special import gammaincinv

    return gammaincinv(at["alpha"], p) / at["beta"]


def _gamma_scale(written: Numbers) -> float:
    """The standard deviation."""
    return float(written["sigma"] if "sigma" in written else math.sqrt(written["alpha"]) / written["beta"])


_MOMENTS = (_positive("mu"), _positive("sigma"))
GAMMA = Distribution(
    "Gamma",
    "positive",
    (
        Parametrisation((_positive("alpha"), _positive("beta"))),
        Parametrisation(_MOMENTS, _gamma_of_moments),
    ),
    lambda x, at, xp: gamma_density(x, at["alpha"], at["beta"], xp),
    lambda rng, at, shape: rng.gamma(at["alpha"], 1.0 / at["beta"], shape),
    _gamma_quantile,
    scale=_gamma_scale,
)


def _chi_squared_quantile(p: Any, at: NumpyArguments) -> Any:
    from scipy.special import gammaincinv

    return 2.0 * gammaincinv(at["nu"] / 2.0, p)


CHI_SQUARED = Distribution(
    "ChiSquared",
    "positive",
    (Parametrisation((DEGREES,)),),
    lambda x, at, xp: gamma_density(x, at["nu"] / 2.0, 0.5, xp),
    lambda rng, at, shape: rng.chisquare(at["nu"], shape),
    _chi_squared_quantile,
)


def _inverse_gamma(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """alpha log(beta) - log G(alpha) - (alpha + 1) log(x) - beta / x: 1/x is Gamma(alpha, beta)."""
    alpha, beta = at["alpha"], at["beta"]
    return alpha * xp.log(beta) - xp.gammaln(alpha) - (alpha + 1.0) * xp.log(x) - beta / x


def _inverse_gamma_of_moments(given: Arguments) -> Arguments:
    """alpha = 2 + mu^2 / sigma^2, beta = mu (1 + mu^2 / sigma^2), from mean and standard deviation."""
    mu, variance = given["mu"], given["sigma"] ** 2
    return {"alpha": (2.0 * variance + mu**2) / variance, "beta": mu * (mu**2 + variance) / variance}


def _inverse_gamma_quantile(p: Any, at: NumpyArguments) -> Any:
    from scipy.special import gammainccinv

    return at["beta"] / gammainccinv(at["alpha"], p)


INVERSE_GAMMA = Distribution(
    "InverseGamma",
    "positive",
    (
        Parametrisation((_positive("alpha"), _positive("beta", 1.0))),
        Parametrisation(_MOMENTS, _inverse_gamma_of_moments),
    ),
    _inverse_gamma,
    lambda rng, at, shape: at["beta"] / rng.gamma(at["alpha"], 1.0, shape),
    _inverse_gamma_quantile,
)


# --- log-normal, Weibull, inverse Gaussian --------------------------------------------------------


def _log_normal(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log N(log x | mu, sigma) - log x."""
    return normal_density(xp.log(x), at["mu"], at["sigma"], xp) - xp.log(x)


LOG_NORMAL = Distribution(
    "LogNormal",
    "positive",
    NORMAL_WAYS,
    _log_normal,
    lambda rng, at, shape: np.exp(rng.normal(at["mu"], at["sigma"], shape)),
    lambda p, at: np.exp(normal_quantile(p, at)),
)


def _weibull(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log(alpha / beta) + (alpha - 1) log(x / beta) - (x / beta)^alpha: shape alpha, scale beta."""
    alpha, beta = at["alpha"], at["beta"]
    log_ratio = xp.log(x) - xp.log(beta)
    return xp.log(alpha) - xp.log(beta) + (alpha - 1.0) * log_ratio - xp.exp(alpha * log_ratio)


WEIBULL = Distribution(
    "Weibull",
    "positive",
    (Parametrisation((_positive("alpha"), _positive("beta"))),),
    _weibull,
    lambda rng, at, shape: at["beta"] * rng.weibull(at["alpha"], shape),
    lambda p, at: at["beta"] * (-np.log1p(-np.asarray(p))) ** (1.0 / at["alpha"]),
)


def _wald(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log(lam / (2 pi x^3)) / 2 - lam ((x - mu) / mu)^2 / (2 x): inverse Gaussian of mean mu."""
    mu, lam = at["mu"], at["lam"]
    log_x = xp.log(x)
    return 0.5 * xp.log(lam) - HALF_LOG_2PI - 1.5 * log_x - 0.5 * lam / x * ((x - mu) / mu) ** 2


WALD = Distribution(
    "Wald",
    "positive",
    (
        Parametrisation((_positive("mu"), _positive("lam"))),
        Parametrisation(
            (_positive("mu"), _positive("phi")),
            lambda given: {"mu": given["mu"], "lam": given["mu"] * given["phi"]},
        ),
        Parametrisation(
            (_positive("lam"), _positive("phi")),
            lambda given: {"mu": given["lam"] / given["phi"], "lam": given["lam"]},
        ),
        Parametrisation((_positive("mu"),), lambda given: {"mu": given["mu"], "lam": 1.0}),
    ),
    _wald,
    lambda rng, at, shape: rng.wald(at["mu"], at["lam"], shape),
    None,
)

FAMILIES = (
    HALF_NORMAL,
    HALF_CAUCHY,
    HALF_STUDENT_T,
    EXPONENTIAL,
    GAMMA,
    INVERSE_GAMMA,
    LOG_NORMAL,
    WEIBULL,
    CHI_SQUARED,
    WALD,
)
