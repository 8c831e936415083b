"""Families on the real line: normal, Student's t, Laplace, Cauchy, logistic, Gumbel and their skewed kin.

Here: their densities, draws and quantiles, and the pieces that families on other supports share.
Not here: the table of all families (table.py).

Formulas and names of arguments are PyMC's (https://www.pymc.io/projects/docs/en/stable/api/distributions.html); where
another source is not named, they are those of Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions (1994,
1995). Densities are densities of x, in 1 over the unit of x; constants are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Operand
from mmm_engine.distributions.family import Argument, Arguments, Distribution, NumpyArguments, Parametrisation

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)

LOCATION = Argument("mu", default=0.0)
SCALE = Argument("sigma", low=0.0, default=1.0)


def precision(name: str) -> Argument:
    """A precision, 1 / sigma^2, under one of its two names."""
    return Argument(name, low=0.0)


def with_sigma(name: str, *before: str) -> Callable[[Arguments], Arguments]:
    """From a precision to sigma = precision^(-1/2); the arguments `before` are kept as they are."""
    return lambda given: {kept: given[kept] for kept in before} | {"sigma": given[name] ** -0.5}


def normal_density(x: Array, mu: Operand, sigma: Operand, xp: ArrayFunctions) -> Array:
    """log N(x | mu, sigma) = -((x - mu) / sigma)^2 / 2 - log(sigma) - log(2 pi) / 2."""
    return -0.5 * ((x - mu) / sigma) ** 2 - xp.log(sigma) - HALF_LOG_2PI


def _normal(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    return normal_density(x, at["mu"], at["sigma"], xp)


def _normal_draws(rng: np.random.Generator, at: NumpyArguments, shape: tuple[int, ...]) -> Any:
    return rng.normal(at["mu"], at["sigma"], shape)


def normal_quantile(p: Any, at: NumpyArguments) -> Any:
    """mu + sigma Phi^(-1)(p)."""
    from scipy.special import ndtri

    return at["mu"] + at["sigma"] * ndtri(p)


NORMAL_WAYS = (
    Parametrisation((LOCATION, SCALE)),
    Parametrisation((LOCATION, precision("tau")), with_sigma("tau", "mu")),
)
NORMAL = Distribution("Normal", "real", NORMAL_WAYS, _normal, _normal_draws, normal_quantile)


# --- Student's t ----------------------------------------------------------------------------------


def student_density(x: Array, nu: Operand, mu: Operand, sigma: Operand, xp: ArrayFunctions) -> Array:
    """log t(x | nu, mu, sigma), nu degrees of freedom.

    log G((nu+1)/2) - log G(nu/2) - log(nu pi)/2 - log(sigma) - (nu+1)/2 log(1 + ((x-mu)/sigma)^2 / nu), G the gamma
    function.
    """
    constant = (
        xp.gammaln((nu + 1.0) / 2.0) - xp.gammaln(nu / 2.0) - 0.5 * xp.log(nu * math.pi) - xp.log(sigma)
    )
    square = ((x - mu) / sigma) ** 2
    return constant - 0.5 * (nu + 1.0) * xp.log1p(square / nu)


def _student(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    return student_density(x, at["nu"], at["mu"], at["sigma"], xp)


def _student_draws(rng: np.random.Generator, at: NumpyArguments, shape: tuple[int, ...]) -> Any:
    return at["mu"] + at["sigma"] * rng.standard_t(at["nu"], shape)


def _student_quantile(p: Any, at: NumpyArguments) -> Any:
    from scipy.special import stdtrit

    return at["mu"] + at["sigma"] * stdtrit(at["nu"], p)


DEGREES = Argument("nu", low=0.0)
STUDENT_T = Distribution(
    "StudentT",
    "real",
    (
        Parametrisation((DEGREES, LOCATION, SCALE)),
        Parametrisation((DEGREES, LOCATION, precision("lam")), with_sigma("lam", "nu", "mu")),
    ),
    _student,
    _student_draws,
    _student_quantile,
)


# --- Laplace --------------------------------------------------------------------------------------


def _laplace(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """-log(2 b) - |x - mu| / b."""
    b = at["b"]
    return -1.0 * xp.log(2.0 * b) - xp.abs(x - at["mu"]) / b


def _laplace_quantile(p: Any, at: NumpyArguments) -> Any:
    above = np.asarray(p) - 0.5
    return at["mu"] - at["b"] * np.sign(above) * np.log1p(-2.0 * np.abs(above))


LAPLACE = Distribution(
    "Laplace",
    "real",
    (Parametrisation((LOCATION, Argument("b", low=0.0))),),
    _laplace,
    lambda rng, at, shape: rng.laplace(at["mu"], at["b"], shape),
    _laplace_quantile,
)


def _asymmetric_laplace(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log(b / (kappa + 1/kappa)) - b |x - mu| kappa^sign(x - mu); b is a rate here, as in PyMC.

    Kotz, Kozubowski & Podgórski 2001, The Laplace Distribution and Generalizations, eq. 3.1.10.
    """
    kappa, b, away = at["kappa"], at["b"], x - at["mu"]
    slope = xp.where(away < 0.0, -1.0 / kappa, kappa)
    return xp.log(b / (kappa + 1.0 / kappa)) - away * b * slope


def _asymmetric_laplace_quantile(p: Any, at: NumpyArguments) -> Any:
    """Below mu lies a share of kappa^2 / (1 + kappa^2)."""
    kappa, mu, b = at["kappa"], at["mu"], at["b"]
    below = kappa**2 / (1 + kappa**2)
    left = mu + kappa * np.log(p / below) / b
    right = mu - np.log((1 - p) * (1 + kappa**2)) / (kappa * b)
    return np.where(p <= below, left, right)


_RATE = Argument("b", low=0.0, default=1.0)
ASYMMETRIC_LAPLACE = Distribution(
    "AsymmetricLaplace",
    "real",
    (
        Parametrisation((Argument("kappa", low=0.0), LOCATION, _RATE)),
        Parametrisation(
            (Argument("q", low=0.0, high=1.0), LOCATION, _RATE),
            lambda given: {
                "kappa": (given["q"] / (1.0 - given["q"])) ** 0.5,
                "mu": given["mu"],
                "b": given["b"],
            },
        ),
    ),
    _asymmetric_laplace,
    lambda rng, at, shape: _asymmetric_laplace_quantile(rng.uniform(size=shape), at),
    _asymmetric_laplace_quantile,
)


# --- Cauchy, logistic, Gumbel ---------------------------------------------------------------------


def cauchy_density(x: Array, middle: Operand, scale: Operand, xp: ArrayFunctions) -> Array:
    """-log(pi) - log(scale) - log(1 + ((x - middle) / scale)^2)."""
    return -math.log(math.pi) - xp.log(scale) - xp.log1p(((x - middle) / scale) ** 2)


CAUCHY = Distribution(
    "Cauchy",
    "real",
    (Parametrisation((Argument("alpha"), Argument("beta", low=0.0))),),
    lambda x, at, xp: cauchy_density(x, at["alpha"], at["beta"], xp),
    lambda rng, at, shape: at["alpha"] + at["beta"] * rng.standard_cauchy(shape),
    lambda p, at: at["alpha"] + at["beta"] * np.tan(np.pi * (np.asarray(p) - 0.5)),
)


def _logistic(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """-z - log(s) - 2 log(1 + e^(-z)), z = (x - mu) / s."""
    s = at["s"]
    away = (x - at["mu"]) / s
    return -1.0 * away - xp.log(s) - 2.0 * xp.softplus(-1.0 * away)


LOGISTIC = Distribution(
    "Logistic",
    "real",
    (Parametrisation((LOCATION, Argument("s", low=0.0, default=1.0))),),
    _logistic,
    lambda rng, at, shape: rng.logistic(at["mu"], at["s"], shape),
    lambda p, at: at["mu"] + at["s"] * (np.log(p) - np.log1p(-np.asarray(p))),
)


def _gumbel(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """-z - e^(-z) - log(beta), z = (x - mu) / beta."""
    beta = at["beta"]
    away = (x - at["mu"]) / beta
    return -1.0 * away - xp.exp(-1.0 * away) - xp.log(beta)


GUMBEL = Distribution(
    "Gumbel",
    "real",
    (Parametrisation((LOCATION, Argument("beta", low=0.0, default=1.0))),),
    _gumbel,
    lambda rng, at, shape: rng.gumbel(at["mu"], at["beta"], shape),
    lambda p, at: at["mu"] - at["beta"] * np.log(-np.log(p)),
)


# --- skewed normal --------------------------------------------------------------------------------


def _skew_normal(x: Array, at: Arguments, xp: ArrayFunctions) -> Array:
    """log N(x | mu, sigma) + log(2 Phi(alpha (x - mu) / sigma)).

    Azzalini 1985, "A class of distributions which includes the normal ones", Scandinavian Journal of Statistics 12.
    """
    away = (x - at["mu"]) / at["sigma"]
    skewed = xp.erfc(-1.0 / math.sqrt(2.0) * at["alpha"] * away)
    return _normal(x, at, xp) + xp.log(xp.maximum(skewed, 1e-300))


def _skew_normal_draws(rng: np.random.Generator, at: NumpyArguments, shape: tuple[int, ...]) -> Any:
    """mu + sigma (delta |u| + sqrt(1 - delta^2) v), u and v standard normal, delta = alpha / sqrt(1 + alpha^2)."""
    alpha = at["alpha"]
    delta = alpha / np.sqrt(1 + alpha**2)
    half, other = np.abs(rng.standard_normal(shape)), rng.standard_normal(shape)
    return at["mu"] + at["sigma"] * (delta * half + np.sqrt(1 - delta**2) * other)


_SKEW = Argument("alpha", default=1.0)
SKEW_NORMAL = Distribution(
    "SkewNormal",
    "real",
    (
        Parametrisation((LOCATION, SCALE, _SKEW)),
        Parametrisation((LOCATION, precision("tau"), _SKEW), with_sigma("tau", "mu", "alpha")),
    ),
    _skew_normal,
    _skew_normal_draws,
    None,
)

FAMILIES = (NORMAL, STUDENT_T, LAPLACE, ASYMMETRIC_LAPLACE, CAUCHY, LOGISTIC, GUMBEL, SKEW_NORMAL)
