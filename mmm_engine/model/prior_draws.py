"""Random draws of a model's free variables from their priors, with numpy alone.

Here: all variables, priors on priors first; parameters made of them; the range in which a prior expects a parameter.
Not here: how a family is drawn from (distributions/), parameters made of several variables (parameters.assemble).

PyMC draws the same (a test compares the two) and takes seconds to import and to build each draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.arrays import ModelData
from mmm_engine.model.media_transforms import SATURATIONS
from mmm_engine.model.parameters import ParameterSpec, PriorPart, free_variables
from mmm_engine.model.priors import PriorSpec
from mmm_engine.model.return_priors import draw_scales
from mmm_engine.model.specification import ModelSpecification, parameter_values

PRIOR_DRAWS = 1000
RANGE = (0.01, 0.99)
_RANGE_DRAWS = 20_000


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
    shape, family = (draws, len(part.indices)), part.prior.family
    return np.asarray(family.draw(rng, family.standard(arguments), shape), dtype=float)


def draw_variables(
    parameters: tuple[ParameterSpec, ...], draws: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draws of every free variable by name, shape (draw, size) each; priors on priors are drawn first."""
    drawn: dict[str, Floats] = {}
    for part in free_variables(parameters):
        drawn[part.name] = draw_part(part, drawn, draws, rng)
    return drawn


def draw_parameters(
    specification: ModelSpecification, data: ModelData, draws: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draws of every parameter by name, model space, shape (draw, ...).

    Args:
        specification: The model.
        data: Training rows; only scales that follow from priors on returns hang on them.
        draws: How many.
        rng: Source of randomness.
    """
    variables = draw_variables(specification.parameters, draws, rng)
    values = {
        name: np.asarray(value, dtype=float)
        for name, value in parameter_values(specification, variables, numpy_functions()).items()
    }
    if specification.returns is None:
        return values
    scales = draw_scales(values, data, specification, rng)
    for group in specification.saturations:
        scale = SATURATIONS[group.kind].scale
        if scale is not None:
            values[dict(group.parameters)[scale]] = scales[:, list(group.channels)]
    return values


def prior_values(specification: ModelSpecification, data: ModelData) -> dict[str, Floats]:
    """Draws of every parameter from its prior, by name, shape (draw, element); the same at every call."""
    return draw_parameters(specification, data, PRIOR_DRAWS, np.random.default_rng(0))


@cache
def prior_ranges(parameters: tuple[ParameterSpec, ...]) -> dict[str, Floats]:
    """The 1% and 99% quantiles of every element of every parameter, shape (2, size) by name; from 20,000 draws.

    A prior that is densest at 0 (half-normal, exponential) has nothing against small values: its range begins at 0.
    Scales that follow from returns have no range here: it hangs on the rows (`draw_parameters`).
    """
    drawn = draw_variables(parameters, _RANGE_DRAWS, np.random.default_rng(0))
    ranges = {}
    for parameter in parameters:
        ranges[parameter.name] = np.empty((2, parameter.size))
        for part in parameter.parts:
            quantiles = np.quantile(part.sign * drawn[part.name], RANGE, axis=0)
            if part.prior.family.densest_at_zero:
                quantiles[0 if part.sign > 0 else 1] = 0.0
            ranges[parameter.name][:, list(part.indices)] = quantiles
    return ranges
