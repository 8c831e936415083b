"""Parameters: named values with priors, and the free variables that carry them.

Here: `ParameterSpec` and its parts, putting a parameter together from its parts, the log density of its priors.
Not here: which parameters a model has (specification.py), what a prior says (priors.py), draws (prior_draws.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmm_engine.array_types import Array
from mmm_engine.model.priors import PriorSpec


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


def log_prior(part: PriorPart, variables: Mapping[str, Array], xp: Any) -> Array:
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
