"""Parameters: named values with a role, a unit and priors, and the free variables that carry them.

Here: `ParameterSpec` and its parts, putting a parameter together from its parts, the log density of its priors.
Not here: which parameters a model has (specification.py, terms.py), what a prior says (priors.py), draws
(prior_draws.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions
from mmm_engine.model.priors import PriorSpec


class Role(StrEnum):
    """What a parameter does in the model; names are for people, roles for code."""

    INTERCEPT = "intercept"
    ADSTOCK = "adstock"
    SATURATION_SCALE = "saturation scale"
    HALF_SATURATION = "half-saturation"
    SATURATION_SHAPE = "saturation shape"
    CONTROL_EFFECT = "control effect"
    SEASONALITY = "seasonality"
    WEEKDAY = "day of the week"
    TREND = "trend"
    HOLIDAY = "holiday"
    BASELINE_SLOPE = "slope of the baseline"
    BASELINE_STEP = "step of the baseline"
    EVENT_WIDTH = "event width"
    EVENT_SIZE = "event size"
    TIME_VARIATION_AMPLITUDE = "time-variation amplitude"
    LENGTH_SCALE = "length scale"
    BASIS_COEFFICIENTS = "basis coefficients"
    NOISE_SCALE = "noise scale"
    DEGREES_OF_FREEDOM = "degrees of freedom"


SATURATION_ROLES = frozenset({Role.SATURATION_SCALE, Role.HALF_SATURATION, Role.SATURATION_SHAPE})
MEDIA_ROLES = SATURATION_ROLES | {Role.ADSTOCK}
"""Roles of parameters that each channel has for itself."""


SHOWN_AS = {"gamma_control": "controls"}
"""Names under which data scientists know parameters, where they differ from the model's."""

MODEL_NAMES = {shown: name for name, shown in SHOWN_AS.items()}
"""The way back."""


class Unit(StrEnum):
    """What a parameter is measured in, in model space: target, media and controls are scaled there."""

    NUMBER = "1"
    FRACTION = "fraction"
    PERIODS = "periods"
    DAYS = "days"
    MEDIA = "scaled media"
    PER_MEDIA = "per scaled media"
    MEDIA_PER_TARGET = "scaled media per scaled target"
    TARGET = "scaled target"
    TARGET_PER_MEDIA = "scaled target per scaled media"
    TARGET_PER_CONTROL = "scaled target per scaled control"
    TARGET_PER_TRAINING = "scaled target per length of the training rows"
    TARGET_DAYS = "scaled target times days"

    @property
    def is_of_target(self) -> bool:
        """Whether the scale of the target alone leads back to original units of the target."""
        return self in _OF_TARGET


_OF_TARGET = frozenset({Unit.TARGET, Unit.TARGET_PER_MEDIA, Unit.TARGET_PER_TRAINING, Unit.TARGET_DAYS})


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
    """A parameter of the model: its name, its role, its dimension and the priors of its elements.

    Attributes:
        name: pymc-marketing's name where it has one ("saturation_lam").
        role: What it does in the model.
        unit: What it is measured in, in model space.
        dim: Name of the dimension, None for a scalar.
        parts: One or more priors; their indices cover the elements once.
    """

    name: str
    role: Role
    unit: Unit
    dim: str | None
    parts: tuple[PriorPart, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return sum(len(part.indices) for part in self.parts)

    @property
    def is_positive(self) -> bool:
        """Whether every element has the positive numbers as its support."""
        return all(part.prior.support == "positive" and part.sign > 0 for part in self.parts)


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


def assemble(parameter: ParameterSpec, variables: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """A parameter from its free variables: (..., size), or (...) for a scalar."""
    pieces = [variables[part.name] if part.sign > 0 else -variables[part.name] for part in parameter.parts]
    if parameter.dim is None:
        return pieces[0][..., 0]
    return merge_columns(pieces, [part.indices for part in parameter.parts], xp)


def merge_columns(pieces: Sequence[Array], columns: Sequence[Sequence[int]], xp: ArrayFunctions) -> Array:
    """One array from pieces that each hold some of its columns: the inverse of picking columns.

    Args:
        pieces: Arrays of shape (..., number of their columns), equal up to the last axis.
        columns: Which columns each piece holds, in its order; together 0, 1, ..., n - 1.
        xp: Array functions (compiler/array_functions.py).

    Returns:
        Shape (..., n).

    >>> merge_columns([np.array([7.0]), np.array([5.0, 6.0])], [[2], [0, 1]], np).tolist()
    [5.0, 6.0, 7.0]
    """
    if len(pieces) == 1:
        return pieces[0]
    order = np.argsort([column for piece in columns for column in piece])
    return xp.concatenate(pieces, axis=-1)[..., order]


def log_prior(part: PriorPart, variables: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """Log density of a free variable's elements, summed.

    Args:
        part: The variable.
        variables: Values of it and of the variables its arguments depend on, shape (size,) each.
        xp: Array functions (compiler/array_functions.py).

    Returns:
        A number; constants are kept, so that it equals PyMC's.
    """
    arguments = {
        name: variables[f"{part.name}_{name}"] if isinstance(value, PriorSpec) else value
        for name, value in part.prior.arguments
    }
    value, family = variables[part.name], part.prior.family
    density = family.log_density(value, family.standard(arguments), xp)
    return (density + 0.0 * value).sum()  # a density that is flat has no axis of its own


def with_one_prior(
    name: str, role: Role, unit: Unit, dim: str | None, size: int, prior: PriorSpec
) -> ParameterSpec:
    """A parameter whose elements have one prior."""
    return ParameterSpec(name, role, unit, dim, (PriorPart(name, tuple(range(size)), prior),))


def with_priors(
    name: str, role: Role, unit: Unit, dim: str, priors: list[tuple[PriorSpec, float]]
) -> ParameterSpec:
    """A parameter whose elements may have different priors: elements with the same one become one part."""
    groups: dict[tuple[PriorSpec, float], list[int]] = {}
    for index, key in enumerate(priors):
        groups.setdefault(key, []).append(index)
    parts = tuple(
        PriorPart(name if len(groups) == 1 else f"{name}_{number}", tuple(indices), prior, sign)
        for number, ((prior, sign), indices) in enumerate(groups.items())
    )
    return ParameterSpec(name, role, unit, dim, parts)
