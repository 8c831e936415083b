"""Every parameter as a row: its posterior beside its prior.

Here: the parameter table of a fit with the quantiles of each prior, and the prior draws behind them.
Not here: R-hat and effective sample sizes (diagnostics.py), how priors are written and drawn (model/priors.py).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.prior_draws import draw_variables, prior_ranges
from mmm_engine.model.specification import ModelSpecification, dimension_labels, parameter_values
from mmm_engine.posterior.fitted_window import FittedWindow

PRIOR_DRAWS = 1000


def parameter_frame(window: FittedWindow) -> pd.DataFrame:
    """`parameter_summary` of a fitted window with the prior of every element beside it.

    Returns:
        The columns of the summary, then those of `prior_frame`; model space.
    """
    priors = prior_frame(window.inputs.config, window.specification)
    return window.parameter_summary.merge(priors, on="parameter", how="left")


def prior_frame(config: ClientConfig, specification: ModelSpecification) -> pd.DataFrame:
    """The prior of every parameter element.

    Returns:
        Columns parameter ("saturation_lam[tv]"), prior_mean, prior_sd, prior_q05, prior_q95, prior_q01, prior_q99;
        model space. The numbers come from random draws, so that parameters with priors on their priors have them too;
        mean and sd are those of the draws, also where the distribution has none.
    """
    labels = dimension_labels(config, specification)
    values, ranges = prior_values(specification), prior_ranges(specification.parameters)
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


@lru_cache(maxsize=8)
def prior_values(specification: ModelSpecification) -> dict[str, Floats]:
    """Draws of every parameter from its prior, by name, shape (draw, element); the same at every call."""
    variables = draw_variables(specification.parameters, PRIOR_DRAWS, np.random.default_rng(0))
    values = parameter_values(specification, variables, numpy_functions())
    return {name: np.asarray(value, dtype=float) for name, value in values.items()}
