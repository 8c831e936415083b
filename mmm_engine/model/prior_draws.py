"""Random draws from priors with numpy alone.

Here: every distribution of `priors.SUPPORTS`, with PyMC's names and arguments.
Not here: densities (priors.py), parameters made of several priors (priors.assemble).

PyMC draws the same (a test compares the two) and takes seconds to import and to build each draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.model.parameters import ParameterSpec, PriorPart, free_variables
from mmm_engine.model.priors import PriorSpec

Arguments = Mapping[str, Any]  # numbers, or draws of shape (draw, 1)
Sampler = Callable[[np.random.Generator, Arguments, tuple[int, ...]], Any]

RANGE = (0.01, 0.99)
_RANGE_DRAWS = 20_000
_CERTAIN = 1.0 - 1e-12
_DENSEST_AT_ZERO = ("HalfNormal", "HalfCauchy", "HalfStudentT", "Exponential")


def draw_part(part: PriorPart, drawn: Mapping[str, Floats], draws: int, rng: np.random.Generator) -> Floats:
    """Draws of one free variable, shape (draw, size).

    Args:
        part: The variable.
        drawn: Draws of the variables that its arguments depend on, shape (draw, size) each.
        draws: How many.
        rng: Source of randomness.
    """
    arguments = {
        name: drawn[f"{part.name}_{name}"][:, :1] if isinstance(value, PriorSpec) else value
        for name, value in part.prior.arguments
    }
    shape = (draws, len(part.indices))
    return np.asarray(_SAMPLERS[part.prior.distribution](rng, arguments, shape), dtype=float)


def draw_variables(
    parameters: tuple[ParameterSpec, ...], draws: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draws of every free variable by name, shape (draw, size) each; priors on priors are drawn first."""
    drawn: dict[str, Floats] = {}
    for part in free_variables(parameters):
        drawn[part.name] = draw_part(part, drawn, draws, rng)
    return drawn


@cache
def prior_ranges(parameters: tuple[ParameterSpec, ...]) -> dict[str, Floats]:
    """The 1% and 99% quantiles of every element of every parameter, shape (2, size) by name; from 20,000 draws.

    A prior that is densest at 0 (half-normal, exponential) has nothing against small values: its range begins at 0.
    """
    drawn = draw_variables(parameters, _RANGE_DRAWS, np.random.default_rng(0))
    ranges = {}
    for parameter in parameters:
        ranges[parameter.name] = np.empty((2, parameter.size))
        for part in parameter.parts:
            quantiles = np.quantile(part.sign * drawn[part.name], RANGE, axis=0)
            if part.prior.distribution in _DENSEST_AT_ZERO:
                quantiles[0 if part.sign > 0 else 1] = 0.0
            ranges[parameter.name][:, list(part.indices)] = quantiles
    return ranges


def _sigma(given: Arguments) -> Any:
    """The standard deviation, which may be written as a precision."""
    precision = given.get("tau", given.get("lam"))
    return given.get("sigma", 1.0) if precision is None else np.asarray(precision, dtype=float) ** -0.5


def _normal(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    return rng.normal(given.get("mu", 0.0), _sigma(given), shape)


def _student(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    return given.get("mu", 0.0) + _sigma(given) * rng.standard_t(given["nu"], shape)


def _gamma(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    if "alpha" in given:
        return rng.gamma(given["alpha"], 1.0 / given["beta"], shape)
    mu, variance = given["mu"], given["sigma"] ** 2
    return rng.gamma(mu**2 / variance, variance / mu, shape)


def _inverse_gamma(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    if "mu" not in given:
        return given.get("beta", 1.0) / rng.gamma(given["alpha"], 1.0, shape)
    mu, variance = given["mu"], given["sigma"] ** 2
    return mu * (mu**2 + variance) / variance / rng.gamma((2 * variance + mu**2) / variance, 1.0, shape)


def _beta(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    if "alpha" in given:
        return rng.beta(given["alpha"], given["beta"], shape)
    mu = given["mu"]
    weight = given["nu"] if "nu" in given else mu * (1 - mu) / given["sigma"] ** 2 - 1
    return rng.beta(mu * weight, (1 - mu) * weight, shape)


def _wald(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    if "mu" in given and "lam" in given:
        mu, lam = given["mu"], given["lam"]
    elif "mu" in given:
        mu, lam = given["mu"], given["mu"] * given.get("phi", 1.0 / given["mu"])
    else:
        mu, lam = given["lam"] / given["phi"], given["lam"]
    return given.get("alpha", 0.0) + rng.wald(mu, lam, shape)


def _asymmetric_laplace(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    kappa = given["kappa"] if "kappa" in given else (given["q"] / (1 - given["q"])) ** 0.5
    below = kappa**2 / (1 + kappa**2)
    chance, mu, b = rng.uniform(size=shape), given.get("mu", 0.0), given.get("b", 1.0)
    left = mu + kappa * np.log(chance / below) / b
    right = mu - np.log((1 - chance) * (1 + kappa**2)) / (kappa * b)
    return np.where(chance <= below, left, right)


def _skew_normal(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    alpha = given.get("alpha", 1.0)
    delta = alpha / np.sqrt(1 + alpha**2)
    half, other = np.abs(rng.standard_normal(shape)), rng.standard_normal(shape)
    return given.get("mu", 0.0) + _sigma(given) * (delta * half + np.sqrt(1 - delta**2) * other)


def _truncated_normal(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    from scipy.special import ndtr, ndtri

    mu, sigma = given.get("mu", 0.0), _sigma(given)
    low, high = (ndtr((given.get(end, default) - mu) / sigma) for end, default in _ENDS)
    return mu + sigma * ndtri(np.clip(rng.uniform(low, high, shape), 1 - _CERTAIN, _CERTAIN))


def _kumaraswamy(rng: np.random.Generator, given: Arguments, shape: tuple[int, ...]) -> Any:
    return (1 - rng.uniform(size=shape) ** (1 / given["b"])) ** (1 / given["a"])


_ENDS = (("lower", -np.inf), ("upper", np.inf))
_SAMPLERS: dict[str, Sampler] = {
    "HalfNormal": lambda rng, given, shape: np.abs(rng.normal(0.0, _sigma(given), shape)),
    "HalfCauchy": lambda rng, given, shape: given.get("beta", 1.0) * np.abs(rng.standard_cauchy(shape)),
    "HalfStudentT": lambda rng, given, shape: np.abs(_student(rng, given, shape)),
    "Exponential": lambda rng, given, shape: rng.exponential(
        given.get("scale", 1 / given.get("lam", 1.0)), shape
    ),
    "Gamma": _gamma,
    "InverseGamma": _inverse_gamma,
    "LogNormal": lambda rng, given, shape: np.exp(_normal(rng, given, shape)),
    "Weibull": lambda rng, given, shape: given["beta"] * rng.weibull(given["alpha"], shape),
    "ChiSquared": lambda rng, given, shape: rng.chisquare(given["nu"], shape),
    "Wald": _wald,
    "Beta": _beta,
    "Kumaraswamy": _kumaraswamy,
    "LogitNormal": lambda rng, given, shape: 1 / (1 + np.exp(-_normal(rng, given, shape))),
    "Normal": _normal,
    "StudentT": _student,
    "Laplace": lambda rng, given, shape: rng.laplace(given.get("mu", 0.0), given["b"], shape),
    "AsymmetricLaplace": _asymmetric_laplace,
    "Cauchy": lambda rng, given, shape: given["alpha"] + given["beta"] * rng.standard_cauchy(shape),
    "Logistic": lambda rng, given, shape: rng.logistic(given.get("mu", 0.0), given.get("s", 1.0), shape),
    "Gumbel": lambda rng, given, shape: rng.gumbel(given.get("mu", 0.0), given.get("beta", 1.0), shape),
    "SkewNormal": _skew_normal,
    "Uniform": lambda rng, given, shape: rng.uniform(given.get("lower", 0.0), given.get("upper", 1.0), shape),
    "TruncatedNormal": _truncated_normal,
}
