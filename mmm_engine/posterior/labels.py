"""The names on draws of parameters: putting them there, and whether those of a posterior are a configuration's.

Here: `parameter_group`, `check_labels`.
Not here: what the labels of a model are (model/specification.py), what is done with draws (results/).

Machine code takes draws by position. A posterior whose channels were dropped, added or put in another order since it
was fitted would give other numbers without a word, so that names are compared before draws are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from mmm_engine.array_types import Array
from mmm_engine.client.config import ClientConfig
from mmm_engine.errors import Fault, FitError
from mmm_engine.model.parameters import ParameterSpec
from mmm_engine.model.specification import ModelSpecification, dimension_labels


def parameter_group(
    draws: Mapping[str, Array], config: ClientConfig, specification: ModelSpecification
) -> xr.Dataset:
    """Draws of all parameters with their dimensions and labels.

    Args:
        draws: By the name of the parameter, shape (chain, draw) or (chain, draw, size).
        config: The client's configuration.
        specification: The model of that configuration.
    """
    parameters, labels = specification.parameters, dimension_labels(config, specification)
    variables = {spec.name: (_dims(spec), np.asarray(draws[spec.name])) for spec in parameters}
    return xr.Dataset(
        variables, coords={spec.dim: labels[spec.dim] for spec in parameters if spec.dim is not None}
    )


def check_labels(posterior: xr.DataTree, config: ClientConfig, specification: ModelSpecification) -> None:
    """Compares the labels of a posterior with those that a fit of the configuration would have.

    Args:
        posterior: Group `posterior` with a variable for each parameter, and labels of its dimensions.
        config: The client's configuration.
        specification: The model of that configuration.

    Raises:
        FitError: If a parameter or a label is missing, is one too many, or stands at another place.
    """
    group, expected = posterior["posterior"], dimension_labels(config, specification)
    faults = []
    names = [spec.name for spec in specification.parameters]
    if set(names) != set(map(str, group.data_vars)):
        faults.append(_fault("parameters", sorted(map(str, group.data_vars)), sorted(names)))
    for dim in dict.fromkeys(spec.dim for spec in specification.parameters if spec.dim is not None):
        labels = group[dim].to_numpy().tolist() if dim in group.coords else None
        if labels != expected[dim]:
            faults.append(_fault(f"dimension '{dim}'", labels, expected[dim]))
    for spec in specification.parameters:
        if spec.name in group.data_vars:
            dims = _dims(spec)
            if group[spec.name].dims != dims:
                faults.append(_fault(f"parameter '{spec.name}'", list(group[spec.name].dims), list(dims)))
    if faults:
        raise FitError(f"client '{config.client}', the fitted posterior", faults)


def _dims(spec: ParameterSpec) -> tuple[str, ...]:
    return ("chain", "draw") if spec.dim is None else ("chain", "draw", spec.dim)


def _fault(where: str, found: list[Any] | None, expected: list[Any]) -> Fault:
    named = "no labels" if found is None else ", ".join(map(str, found)) or "none"
    return Fault(
        where,
        named,
        f"{', '.join(map(str, expected)) or 'none'}, in this order, as the configuration has them",
        "fit the window again, or use the configuration it was fitted with",
    )
