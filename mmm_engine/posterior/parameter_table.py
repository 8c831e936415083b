"""Every parameter as a row: its posterior beside its prior.

Here: the parameter table of a fit with the quantiles of each prior, and the prior draws behind them.
Not here: R-hat and effective sample sizes (sampler.py), how priors are written and drawn (priors.py).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.array_types import Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.prior_draws import draw_variables, prior_ranges
from mmm_engine.model.specification import (
    ModelSpecification,
    dimension_labels,
    model_specification,
    parameter_values,
)
from mmm_engine.posterior.diagnostics import parameter_summary
from mmm_engine.rows.window import ScaledInputs

PRIOR_DRAWS = 1000


def parameter_frame(posterior: xr.DataTree, config: ClientConfig) -> pd.DataFrame:
    """`sampler.parameter_summary` with the prior of every element.

    Returns:
        Its columns, then prior_mean, prior_sd, prior_q05, prior_q95; model space. The prior's numbers come from 1000
        draws, so that parameters with priors on their priors have them too; mean and sd are those of the draws, also
        where the distribution has none.
    """
    return parameter_summary(posterior).merge(prior_frame(config), on="parameter", how="left")


def prior_frame(config: ClientConfig) -> pd.DataFrame:
    """One row per parameter element: parameter, prior_mean, prior_sd, prior_q05, prior_q95; model space."""
    specification = model_specification(config)
    labels = dimension_labels(config, specification)
    values = prior_values(specification)
    names: list[str] = []
    for spec in specification.parameters:
        elements = [""] if spec.dim is None else [f"[{label}]" for label in labels[spec.dim]]
        names += [f"{spec.name}{element}" for element in elements]
    draws = np.column_stack([values[spec.name].reshape(PRIOR_DRAWS, -1) for spec in specification.parameters])
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    return pd.DataFrame(
        {
            "parameter": names,
            "prior_mean": draws.mean(axis=0),
            "prior_sd": draws.std(axis=0, ddof=1),
            "prior_q05": low,
            "prior_q95": high,
        }
    )


@lru_cache(maxsize=8)
def prior_values(specification: ModelSpecification) -> dict[str, Floats]:
    """Draws of every parameter from its prior, by name, shape (draw, element); the same at every call."""
    variables = draw_variables(specification.parameters, PRIOR_DRAWS, np.random.default_rng(0))
    values = parameter_values(specification, variables, numpy_functions())
    return {name: np.asarray(value, dtype=float) for name, value in values.items()}


def with_prior_ranges(summary: pd.DataFrame, inputs: ScaledInputs) -> pd.DataFrame:
    """A parameter summary with the 1% and 99% quantiles of each prior beside it.

    Args:
        summary: Output of `sampler.parameter_summary`: elements in the order of the posterior's variables.
        inputs: The window that was fitted.
    """
    specification = model_specification(inputs.config)
    ranges = prior_ranges(specification.parameters)
    low, high = np.concatenate([ranges[spec.name] for spec in specification.parameters], axis=1)
    return summary.assign(prior_q01=low, prior_q99=high)
