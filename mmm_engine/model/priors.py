"""Priors as plain values: a distribution by name with its arguments, and the parameters of a model that carry them.

Here: reading a prior from the client file, its support, the free variables that carry parameters.
Not here: random draws (prior_draws.py), log densities (densities.py), default priors (transforms.py, structure.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmm_engine.errors import ConfigError, Fault

Floats = NDArray[np.float64]
Array = Any  # a numpy array or an expression

Support = Literal["positive", "unit", "real", "interval"]

SUPPORTS: dict[str, Support] = {
    "HalfNormal": "positive",
    "HalfCauchy": "positive",
    "HalfStudentT": "positive",
    "Exponential": "positive",
    "Gamma": "positive",
    "InverseGamma": "positive",
    "LogNormal": "positive",
    "Weibull": "positive",
    "ChiSquared": "positive",
    "Wald": "positive",
    "Beta": "unit",
    "Kumaraswamy": "unit",
    "LogitNormal": "unit",
    "Normal": "real",
    "StudentT": "real",
    "Laplace": "real",
    "AsymmetricLaplace": "real",
    "Cauchy": "real",
    "Logistic": "real",
    "Gumbel": "real",
    "SkewNormal": "real",
    "Uniform": "interval",
    "TruncatedNormal": "interval",
}


@dataclass(frozen=True)
class PriorSpec:
    """A distribution with numbers, or further priors, as arguments.

    Attributes:
        distribution: A key of `SUPPORTS`; names and arguments are PyMC's.
        arguments: (name, number or prior) pairs, sorted by name.
    """

    distribution: str
    arguments: tuple[tuple[str, float | PriorSpec], ...]

    @property
    def support(self) -> Support:
        """Where the density is positive."""
        return SUPPORTS[self.distribution]

    @property
    def bounds(self) -> tuple[float, float]:
        """Lower and upper end of an interval support."""
        arguments = dict(self.arguments)
        default = (0.0, 1.0) if self.distribution == "Uniform" else (-np.inf, np.inf)
        low, high = arguments.get("lower", default[0]), arguments.get("upper", default[1])
        assert isinstance(low, float)  # noqa: S101  (read_prior saw to it)
        assert isinstance(high, float)  # noqa: S101  (read_prior saw to it)
        return low, high

    def to_mapping(self) -> dict[str, Any]:
        """The prior as the client file writes it."""
        return {"distribution": self.distribution} | {
            name: value.to_mapping() if isinstance(value, PriorSpec) else value
            for name, value in self.arguments
        }

    def __str__(self) -> str:
        """As PyMC writes it: HalfNormal(sigma=1)."""
        inside = ", ".join(
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in self.arguments
        )
        return f"{self.distribution}({inside})"


@dataclass(frozen=True)
class PriorPart:
    """Elements of one parameter that share a prior.

    Attributes:
        name: Name of the free variable; the parameter's own name when it has one part only.
        indices: Which elements of the parameter these are.
        prior: Their common prior.
        sign: -1 where the parameter is minus the variable (effects that must be negative).
    """

    name: str
    indices: tuple[int, ...]
    prior: PriorSpec
    sign: float = 1.0


@dataclass(frozen=True)
class ParameterSpec:
    """A parameter of the model: its name, its dimension and the priors of its elements.

    Attributes:
        name: pymc-marketing's name where it has one ("saturation_lam").
        dim: Name of the dimension, None for a scalar.
        parts: One or more priors; their indices cover the elements once.
    """

    name: str
    dim: str | None
    parts: tuple[PriorPart, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return sum(len(part.indices) for part in self.parts)


def read_prior(value: Any, where: str, who: str) -> PriorSpec:
    """A prior from its mapping in the client file.

    Both spellings of pymc-extras are read: `{distribution: Gamma, mu: 2, sigma: 1}` and
    `{dist: Gamma, kwargs: {mu: 2, sigma: 1}}`. `dims` is accepted and ignored: the term decides its own.

    Raises:
        ConfigError: Naming the setting, the fault and the nearest right word.
    """
    if not isinstance(value, Mapping) or not ({"distribution", "dist"} & set(value)):
        raise ConfigError(
            who,
            Fault(
                where,
                repr(value),
                "a mapping such as {distribution: HalfNormal, sigma: 1}",
                "write the prior so",
            ),
        )
    name = value.get("distribution", value.get("dist"))
    if name not in SUPPORTS:
        near = difflib.get_close_matches(str(name), SUPPORTS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(SUPPORTS)}"
        raise ConfigError(
            who, Fault(where, f"distribution '{name}'", "a distribution that is supported", hint)
        )
    raw = (
        value["kwargs"] if "kwargs" in value else {k: v for k, v in value.items() if k not in _NOT_ARGUMENTS}
    )
    arguments = tuple((key, _read_argument(key, raw[key], where, who)) for key in sorted(raw))
    return PriorSpec(str(name), arguments)


_NOT_ARGUMENTS = {"distribution", "dist", "dims", "centered", "transform"}


def _read_argument(key: str, value: Any, where: str, who: str) -> float | PriorSpec:
    if isinstance(value, Mapping) and key not in ("lower", "upper"):
        return read_prior(value, f"{where}.{key}", who)
    try:
        number = float(value)
    except (TypeError, ValueError):
        fault = Fault(f"{where}.{key}", repr(value), "a number or a prior", "correct it")
        raise ConfigError(who, fault) from None
    if not np.isfinite(number):
        raise ConfigError(who, Fault(f"{where}.{key}", repr(value), "a finite number", "correct it"))
    return number


def free_variables(parameters: tuple[ParameterSpec, ...]) -> Iterator[PriorPart]:
    """All free variables of a model, those that a prior's arguments depend on before the prior itself."""
    for parameter in parameters:
        for part in parameter.parts:
            yield from _with_hyperpriors(part)


def _with_hyperpriors(part: PriorPart) -> Iterator[PriorPart]:
    for name, argument in part.prior.arguments:
        if isinstance(argument, PriorSpec):
            yield from _with_hyperpriors(PriorPart(f"{part.name}_{name}", (0,), argument))
    yield part


def assemble(parameter: ParameterSpec, variables: Mapping[str, Array], xp: Any) -> Array:
    """A parameter from its free variables: (..., size), or (...) for a scalar."""
    pieces = [variables[part.name] if part.sign > 0 else -variables[part.name] for part in parameter.parts]
    if parameter.dim is None:
        return pieces[0][..., 0]
    if len(pieces) == 1:
        return pieces[0]
    order = np.argsort([index for part in parameter.parts for index in part.indices])
    return xp.concatenate(pieces, axis=-1)[..., order]
