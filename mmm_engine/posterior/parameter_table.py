"""Every parameter as a row: its posterior beside its prior.

Here: the parameter table of a fit with the quantiles of each prior, and the prior draws behind them.
Not here: R-hat and effective sample sizes (diagnostics.py), how priors are written and drawn (model/priors.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.model.arrays import ModelData
from mmm_engine.model.prior_draws import RANGE, draw_parameters, prior_ranges
from mmm_engine.model.priors import FROM_RETURN
from mmm_engine.model.specification import ModelSpecification, dimension_labels
from mmm_engine.posterior.fitted_window import FittedWindow

PRIOR_DRAWS = 1000


def parameter_frame(window: FittedWindow) -> pd.DataFrame:
    """`parameter_summary` of a fitted window with the prior of every element beside it.

    Returns:
        The columns of the summary, then those of `prior_frame`; model space.
    """
    priors = prior_frame(window.inputs.config, window.specification, window.training_arrays)
    return window.parameter_summary.merge(priors, on="parameter", how="left")


def prior_frame(config: ClientConfig, specification: ModelSpecification, data: ModelData) -> pd.DataFrame:
    """The prior of every parameter element.

    Args:
        config: The client, for names of channels and controls.
        specification: Its model.
        data: Training rows, on which scales hang that follow from priors on returns.

    Returns:
        Columns parameter ("saturation_lam[tv]"), prior_mean, prior_sd, prior_q05, prior_q95, prior_q01, prior_q99;
        model space. The numbers come from random draws, so that parameters with priors on their priors have them too;
        mean and sd are those of the draws, also where the distribution has none.
    """
    labels = dimension_labels(config, specification)
    values, ranges = prior_values(specification, data), dict(prior_ranges(specification.parameters))
    for spec in specification.parameters:
        if any(part.prior == FROM_RETURN for part in spec.parts):
            ranges[spec.name] = np.quantile(values[spec.name], RANGE, axis=0)
    names: list[str] = []
    for spec in specification.parameters:
        elements = [""] if spec.dim is None else [f"[{label}]" for label in labels[spec.dim]]
        names += [f"{spec.name}{element}" for element in elements]
    draws = np.column_stack([values[spec.name].reshape(PRIOR_DRAWS, -1) for spec in specification.parameters])
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    lowest, highest = np.concatenate([ranges[spec.name] for spec in specification.parameters], axis=1)
    return pd.DataFrame(
        {
            "parameter": names,
            "prior_mean": draws.mean(axis=0),
            "prior_sd": draws.std(axis=0, ddof=1),
            "prior_q05": low,
            "prior_q95": high,
            "prior_q01": lowest,
            "prior_q99": highest,
        }
    )


def prior_values(specification: ModelSpecification, data: ModelData) -> dict[str, Floats]:
    """Draws of every parameter from its prior, by name, shape (draw, element); the same at every call."""
    return draw_parameters(specification, data, PRIOR_DRAWS, np.random.default_rng(0))
