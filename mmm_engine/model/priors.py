"""Priors as plain values: a distribution by name with its arguments.

Here: `PriorSpec`, and reading one from the client file.
Not here: the families of distributions (distributions/), which parameter has which prior (specification.py), draws
(prior_draws.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmm_engine.client.validation import nearest
from mmm_engine.distributions.arguments import as_number, prior_problems, written_arguments
from mmm_engine.distributions.family import Distribution, Parametrisation, Support
from mmm_engine.distributions.table import DISTRIBUTIONS
from mmm_engine.errors import ConfigError, Fault

_FROM_RETURN = Distribution(
    "FromReturn",
    "positive",
    (Parametrisation(()),),
    lambda x, at, xp: x * 0.0,
    lambda rng, at, shape: np.ones(shape),
    None,
)


@dataclass(frozen=True)
class PriorSpec:
    """A distribution with numbers, or further priors, as arguments.

    Attributes:
        distribution: A key of `DISTRIBUTIONS`; names and arguments are PyMC's.
        arguments: (name, number or prior) pairs, sorted by name.
    """

    distribution: str
    arguments: tuple[tuple[str, float | PriorSpec], ...]

    @property
    def family(self) -> Distribution:
        """The distribution with its functions."""
        return _FROM_RETURN if self.distribution == _FROM_RETURN.name else DISTRIBUTIONS[self.distribution]

    @property
    def support(self) -> Support:
        """Where the density is positive."""
        return self.family.support

    @property
    def bounds(self) -> tuple[float, float]:
        """Lower and upper end of the support."""
        return self.family.bounds(dict(self.arguments))

    @property
    def typical_scale(self) -> float:
        """A length on which the density changes; any positive number is valid, this one is convenient."""
        return self.family.typical_scale(dict(self.arguments))

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


FROM_RETURN = PriorSpec(_FROM_RETURN.name, ())
"""Marks the scale of a curve that follows from a prior on a return (return_priors.py); no user can write it."""


def read_prior(value: Any, where: str, who: str) -> PriorSpec:
    """A prior from its mapping in the client file.

    Both spellings of pymc-extras are read: `{distribution: Gamma, mu: 2, sigma: 1}` and
    `{dist: Gamma, kwargs: {mu: 2, sigma: 1}}`. `dims` is accepted and ignored: the term decides its own.

    Args:
        value: The mapping.
        where: The setting it stands in.
        who: Whose prior it is, for messages.

    Raises:
        ConfigError: With every fault: name of the distribution, names and ranges of arguments.
    """
    faults = [
        Fault(
            ".".join((where, *problem.path)),
            problem.found,
            problem.wanted,
            nearest(problem.word, problem.choices) or problem.fix,
        )
        for problem in prior_problems(value)
    ]
    if faults:
        raise ConfigError(who, faults)
    return _prior(value)


def _prior(written: Mapping[str, Any]) -> PriorSpec:
    arguments = sorted(written_arguments(written).items())
    name = written.get("distribution", written.get("dist"))
    return PriorSpec(str(name), tuple((key, _argument(entry)) for key, entry in arguments))


def _argument(value: Any) -> float | PriorSpec:
    if isinstance(value, Mapping):
        return _prior(value)
    number = as_number(value)
    if number is None:
        raise TypeError(f"{value!r} is neither a number nor a prior: prior_problems saw to it")
    return number
