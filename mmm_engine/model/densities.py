"""Log densities of priors as formulas, with PyMC's names and arguments.

Here: every distribution of `priors.SUPPORTS`, on expressions and on numpy arrays alike.
Not here: random draws (prior_draws.py), which parameter has which prior (specification.py).

PyMC has the same formulas (a test compares every one) and takes seconds to import.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from mmm_engine.array_types import Array
from mmm_engine.model.parameters import PriorPart
from mmm_engine.model.priors import PriorSpec

Arguments = Mapping[str, Any]  # numbers, or arrays that broadcast
Density = Callable[[Array, Arguments, Any], Array]

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def log_prior(part: PriorPart, variables: Mapping[str, Array], xp: Any) -> Array:
    """Log density of a free variable's elements, summed.

    Args:
        part: The variable.
        variables: Values of it and of the variables its arguments depend on, shape (size,) each.
        xp: Array functions (arrays.py).
    """
    arguments = {
        name: variables[f"{part.name}_{name}"] if isinstance(value, PriorSpec) else value
        for name, value in part.prior.arguments
    }
    value = variables[part.name]
    density = LOG_DENSITIES[part.prior.distribution](value, arguments, xp)
    return (density + 0.0 * value).sum()  # a density that is flat has no axis of its own


def _scale(given: Arguments) -> Any:
    """The standard deviation, which may be written as a precision."""
    precision = given.get("tau", given.get("lam"))
    return given.get("sigma", 1.0) if precision is None else precision**-0.5


def _normal_density(x: Array, mu: Any, sigma: Any, xp: Any) -> Array:
    return -0.5 * ((x - mu) / sigma) ** 2 - xp.log(sigma) - _HALF_LOG_2PI


def _normal(x: Array, given: Arguments, xp: Any) -> Array:
    return _normal_density(x, given.get("mu", 0.0), _scale(given), xp)


def _half_normal(x: Array, given: Arguments, xp: Any) -> Array:
    return math.log(2.0) + _normal_density(x, 0.0, _scale(given), xp)


def _student(x: Array, given: Arguments, xp: Any) -> Array:
    nu, sigma = given["nu"], _scale(given)
    constant = (
        xp.gammaln((nu + 1.0) / 2.0) - xp.gammaln(nu / 2.0) - 0.5 * xp.log(nu * math.pi) - xp.log(sigma)
    )
    square = ((x - given.get("mu", 0.0)) / sigma) ** 2
    return constant - 0.5 * (nu + 1.0) * xp.log1p(square / nu)


def _half_student(x: Array, given: Arguments, xp: Any) -> Array:
    return math.log(2.0) + _student(x, given, xp)


def _cauchy_density(x: Array, middle: Any, scale: Any, xp: Any) -> Array:
    return -math.log(math.pi) - xp.log(scale) - xp.log1p(((x - middle) / scale) ** 2)


def _cauchy(x: Array, given: Arguments, xp: Any) -> Array:
    return _cauchy_density(x, given["alpha"], given["beta"], xp)


def _half_cauchy(x: Array, given: Arguments, xp: Any) -> Array:
    return math.log(2.0) + _cauchy_density(x, 0.0, given.get("beta", 1.0), xp)


def _exponential(x: Array, given: Arguments, xp: Any) -> Array:
    rate = 1.0 / given["scale"] if "scale" in given else given.get("lam", 1.0)
    return xp.log(rate) - rate * x


def _gamma_density(x: Array, alpha: Any, beta: Any, xp: Any) -> Array:
    return alpha * xp.log(beta) - xp.gammaln(alpha) + (alpha - 1.0) * xp.log(x) - beta * x


def _gamma(x: Array, given: Arguments, xp: Any) -> Array:
    if "alpha" in given:
        return _gamma_density(x, given["alpha"], given["beta"], xp)
    mu, variance = given["mu"], given["sigma"] ** 2
    return _gamma_density(x, mu**2 / variance, mu / variance, xp)


def _chi_squared(x: Array, given: Arguments, xp: Any) -> Array:
    return _gamma_density(x, given["nu"] / 2.0, 0.5, xp)


def _inverse_gamma(x: Array, given: Arguments, xp: Any) -> Array:
    if "alpha" in given:
        alpha, beta = given["alpha"], given.get("beta", 1.0)
    else:
        mu, variance = given["mu"], given["sigma"] ** 2
        alpha, beta = (2.0 * variance + mu**2) / variance, mu * (mu**2 + variance) / variance
    return alpha * xp.log(beta) - xp.gammaln(alpha) - (alpha + 1.0) * xp.log(x) - beta / x


def _log_normal(x: Array, given: Arguments, xp: Any) -> Array:
    return _normal(xp.log(x), given, xp) - xp.log(x)


def _weibull(x: Array, given: Arguments, xp: Any) -> Array:
    alpha, beta = given["alpha"], given["beta"]
    log_ratio = xp.log(x) - xp.log(beta)
    return xp.log(alpha) - xp.log(beta) + (alpha - 1.0) * log_ratio - xp.exp(alpha * log_ratio)


def _wald(x: Array, given: Arguments, xp: Any) -> Array:
    if "mu" in given and "lam" in given:
        mu, lam = given["mu"], given["lam"]
    elif "mu" in given:
        mu, lam = given["mu"], given["mu"] * given.get("phi", 1.0 / given["mu"])
    else:
        mu, lam = given["lam"] / given["phi"], given["lam"]
    above = x - given.get("alpha", 0.0)
    log_above = xp.log(above)
    return 0.5 * xp.log(lam) - _HALF_LOG_2PI - 1.5 * log_above - 0.5 * lam / above * ((above - mu) / mu) ** 2


def _beta(x: Array, given: Arguments, xp: Any) -> Array:
    if "alpha" in given:
        alpha, beta = given["alpha"], given["beta"]
    else:
        mu = given["mu"]
        weight = given["nu"] if "nu" in given else mu * (1.0 - mu) / given["sigma"] ** 2 - 1.0
        alpha, beta = mu * weight, (1.0 - mu) * weight
    constant = xp.gammaln(alpha + beta) - xp.gammaln(alpha) - xp.gammaln(beta)
    return constant + (alpha - 1.0) * xp.log(x) + (beta - 1.0) * xp.log1p(-1.0 * x)


def _kumaraswamy(x: Array, given: Arguments, xp: Any) -> Array:
    a, b = given["a"], given["b"]
    log_x = xp.log(x)
    return xp.log(a) + xp.log(b) + (a - 1.0) * log_x + (b - 1.0) * xp.log1p(-1.0 * xp.exp(a * log_x))


def _logit_normal(x: Array, given: Arguments, xp: Any) -> Array:
    log_x, log_rest = xp.log(x), xp.log1p(-1.0 * x)
    return _normal(log_x - log_rest, given, xp) - log_x - log_rest


def _laplace(x: Array, given: Arguments, xp: Any) -> Array:
    b = given["b"]
    return -1.0 * xp.log(2.0 * b) - xp.abs(x - given.get("mu", 0.0)) / b


def _asymmetric_laplace(x: Array, given: Arguments, xp: Any) -> Array:
    kappa = given["kappa"] if "kappa" in given else (given["q"] / (1.0 - given["q"])) ** 0.5
    b, away = given.get("b", 1.0), x - given.get("mu", 0.0)
    slope = xp.where(away < 0.0, -1.0 / kappa, kappa)
    return xp.log(b / (kappa + 1.0 / kappa)) - away * b * slope


def _logistic(x: Array, given: Arguments, xp: Any) -> Array:
    s = given.get("s", 1.0)
    away = (x - given.get("mu", 0.0)) / s
    return -1.0 * away - xp.log(s) - 2.0 * xp.softplus(-1.0 * away)


def _gumbel(x: Array, given: Arguments, xp: Any) -> Array:
    beta = given.get("beta", 1.0)
    away = (x - given.get("mu", 0.0)) / beta
    return -1.0 * away - xp.exp(-1.0 * away) - xp.log(beta)


def _skew_normal(x: Array, given: Arguments, xp: Any) -> Array:
    away = (x - given.get("mu", 0.0)) / _scale(given)
    skewed = xp.erfc(-1.0 / math.sqrt(2.0) * given.get("alpha", 1.0) * away)
    return _normal(x, given, xp) + xp.log(xp.maximum(skewed, 1e-300))


def _uniform(x: Array, given: Arguments, xp: Any) -> Array:
    return -1.0 * xp.log(given.get("upper", 1.0) - given.get("lower", 0.0)) + 0.0 * x


def _truncated_normal(x: Array, given: Arguments, xp: Any) -> Array:
    mu, sigma = given.get("mu", 0.0), _scale(given)
    low, high = given.get("lower", -math.inf), given.get("upper", math.inf)
    if low == -math.inf and high == math.inf:
        return _normal_density(x, mu, sigma, xp)
    if high == math.inf:
        mass = _tail((low - mu) / sigma, xp)
    elif low == -math.inf:
        mass = _tail((mu - high) / sigma, xp)
    else:
        # the difference of the smaller tails: of two masses near 1 nothing would be left
        above = _tail((low - mu) / sigma, xp) - _tail((high - mu) / sigma, xp)
        below = _tail((mu - high) / sigma, xp) - _tail((mu - low) / sigma, xp)
        mass = xp.where(2.0 * mu - low - high > 0.0, below, above)
    return _normal_density(x, mu, sigma, xp) - xp.log(xp.maximum(mass, 1e-300))


def _tail(z: Any, xp: Any) -> Any:
    """Mass of a standard normal distribution above z, exact far out."""
    return 0.5 * xp.erfc(z / math.sqrt(2.0))


LOG_DENSITIES: dict[str, Density] = {
    "HalfNormal": _half_normal,
    "HalfCauchy": _half_cauchy,
    "HalfStudentT": _half_student,
    "Exponential": _exponential,
    "Gamma": _gamma,
    "InverseGamma": _inverse_gamma,
    "LogNormal": _log_normal,
    "Weibull": _weibull,
    "ChiSquared": _chi_squared,
    "Wald": _wald,
    "Beta": _beta,
    "Kumaraswamy": _kumaraswamy,
    "LogitNormal": _logit_normal,
    "Normal": _normal,
    "StudentT": _student,
    "Laplace": _laplace,
    "AsymmetricLaplace": _asymmetric_laplace,
    "Cauchy": _cauchy,
    "Logistic": _logistic,
    "Gumbel": _gumbel,
    "SkewNormal": _skew_normal,
    "Uniform": _uniform,
    "TruncatedNormal": _truncated_normal,
}
