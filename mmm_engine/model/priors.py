"""Priors as plain values: a distribution by name with its arguments, and the parameters of a model that carry them.

Here: reading a prior from the client file, its support, the free variables that carry parameters.
Not here: random draws (prior_draws.py), log densities (densities.py), default priors (default_priors.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mmm_engine.client.validation import nearest
from mmm_engine.errors import ConfigError, Fault

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
        hint = nearest(str(name), SUPPORTS) or f"use one of {', '.join(SUPPORTS)}"
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
