"""What a family of distributions is: its support, the ways to write its arguments, and its functions.

Here: the types `Argument`, `Parametrisation` and `Distribution`.
Not here: the families themselves (positive.py, real.py, bounded.py), checking what a user wrote (arguments.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Operand

Support = Literal["positive", "unit", "real", "interval"]
"""(0, inf), (0, 1), the real line, or between the arguments `lower` and `upper`."""

Arguments = Mapping[str, Operand]
"""Arguments by name: numbers, or arrays or expressions that broadcast against the values."""

NumpyArguments = Mapping[str, Any]
"""Arguments by name, numbers or numpy arrays: what draws and quantiles take, which no compiler writes down."""

Numbers = Mapping[str, float]
"""Arguments by name, each a number."""

Written = Mapping[str, object]
"""Arguments as a user wrote them: numbers, priors, or what is neither."""

SUPPORT_ENDS: dict[Support, tuple[float, float]] = {
    "positive": (0.0, math.inf),
    "unit": (0.0, 1.0),
    "real": (-math.inf, math.inf),
}


@dataclass(frozen=True)
class Argument:
    """An argument of a distribution and the open interval it must lie in.

    Attributes:
        name: PyMC's name.
        low: Values must lie above it.
        high: Values must lie below it.
        default: What holds when the argument is not written; None where it must be.
        fixed: Whether it must be a number: a prior on it is not supported.
    """

    name: str
    low: float = -math.inf
    high: float = math.inf
    default: float | None = None
    fixed: bool = False

    @property
    def wanted(self) -> str:
        """The allowed values in words."""
        if math.isinf(self.low) and math.isinf(self.high):
            return "a number"
        if math.isinf(self.high):
            return f"a number above {self.low:g}"
        return f"a number above {self.low:g} and below {self.high:g}"

    def __str__(self) -> str:
        """Name and range: "sigma > 0", "0 < mu < 1"."""
        low = f"{self.low:g} < " if not math.isinf(self.low) and not math.isinf(self.high) else ""
        high = f" < {self.high:g}" if not math.isinf(self.high) else ""
        return (
            f"{low}{self.name}{high}"
            if high
            else f"{self.name} > {self.low:g}"
            if self.low == 0
            else self.name
        )


@dataclass(frozen=True)
class Condition:
    """What two arguments must satisfy together.

    Attributes:
        holds: Says of numbers whether they do.
        wanted: The condition in words.
    """

    holds: Callable[[Numbers], bool]
    wanted: str


def _as_written(arguments: Arguments) -> Arguments:
    return arguments


@dataclass(frozen=True)
class Parametrisation:
    """One way to write a distribution's arguments.

    Attributes:
        arguments: All arguments of this way.
        standard: From them to the arguments that the family's functions take.
        condition: What they must satisfy together, None for nothing.
    """

    arguments: tuple[Argument, ...]
    standard: Callable[[Arguments], Arguments] = _as_written
    condition: Condition | None = None

    @property
    def names(self) -> frozenset[str]:
        """Names of all arguments."""
        return frozenset(argument.name for argument in self.arguments)

    @property
    def required(self) -> frozenset[str]:
        """Names of the arguments without a default."""
        return frozenset(argument.name for argument in self.arguments if argument.default is None)

    def complete(self, arguments: Written) -> dict[str, Any]:
        """The arguments with defaults in place of those that are not written."""
        return {one.name: arguments.get(one.name, one.default) for one in self.arguments}


@dataclass(frozen=True)
class Distribution:
    """A family of distributions with PyMC's name and arguments.

    Attributes:
        name: PyMC's name.
        support: Where the density is positive.
        parametrisations: The ways to write its arguments; at most one of them fits what a user writes.
        log_density: (x, standard arguments, array functions) -> log density at each x, constants included.
        draw: (source of randomness, standard arguments, shape) -> draws; arguments broadcast against the shape.
        quantile: (probabilities, standard arguments) -> quantiles; None where there is no formula.
        scale: (arguments as written, defaults filled in) -> a length on which the density changes.
        densest_at_zero: Whether the density is greatest at 0, the end of the support.
    """

    name: str
    support: Support
    parametrisations: tuple[Parametrisation, ...]
    log_density: Callable[[Array, Arguments, ArrayFunctions], Array]
    draw: Callable[[np.random.Generator, NumpyArguments, tuple[int, ...]], Any]
    quantile: Callable[[Any, NumpyArguments], Any] | None
    scale: Callable[[Numbers], float] = lambda _: 1.0
    densest_at_zero: bool = False

    def parametrisation(self, names: frozenset[str]) -> Parametrisation | None:
        """The way to write arguments that has all these names and no other required ones; None if there is none."""
        fitting = (way for way in self.parametrisations if way.required <= names <= way.names)
        return next(fitting, None)

    def standard(self, arguments: Arguments) -> Arguments:
        """Arguments as the family's functions take them, from any way to write them.

        Raises:
            ValueError: If no parametrisation has these arguments.
        """
        way = self._way(arguments)
        return way.standard(way.complete(arguments))

    def typical_scale(self, arguments: Written) -> float:
        """A length on which the density changes, in units of the variable; 1 where an argument is not a number."""
        way = self._way(arguments)
        complete = way.complete(arguments)
        numbers = all(isinstance(value, int | float) for value in complete.values())
        return self.scale(complete) if numbers else 1.0

    def bounds(self, arguments: Written) -> tuple[float, float]:
        """The ends of the support."""
        if self.support != "interval":
            return SUPPORT_ENDS[self.support]
        complete = self._way(arguments).complete(arguments)
        return float(complete["lower"]), float(complete["upper"])

    @property
    def signature(self) -> str:
        """The ways to write it with the ranges of its arguments: "Gamma(alpha > 0, beta > 0) or Gamma(mu > 0, …)"."""
        return " or ".join(
            f"{self.name}({', '.join(map(str, way.arguments))})" for way in self.parametrisations
        )

    def _way(self, arguments: Written) -> Parametrisation:
        way = self.parametrisation(frozenset(arguments))
        if way is None:
            raise ValueError(f"arguments {sorted(arguments)}: not {self.signature}")
        return way
