"""What a posterior says that no sensible business does: a baseline below 0, parameters that push against their prior.

Here: the numbers, from draws.
Not here: what is too much (gates.py, thresholds.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.mean import baseline_terms, model_data
from mmm_engine.model.prior_draws import prior_ranges
from mmm_engine.model.specification import model_structure
from mmm_engine.results.predictive import draw_chunks, flat_draws
from mmm_engine.rows.window import ScaledInputs


def plausibility_scores(posterior: xr.DataTree, inputs: ScaledInputs) -> pd.DataFrame:
    """Probability that the baseline (intercept, seasonality, trend) of a training row lies below 0.

    Returns:
        One row of a score frame: split, channel ("all"), metric ("baseline_negative"), value, unit.
    """
    structure, data = model_structure(inputs.config), model_data(inputs, model_structure(inputs.config))
    values, rows = flat_draws(posterior), inputs.train_rows
    below = total = 0
    for chunk in draw_chunks(values):
        intercept, *others = baseline_terms(chunk, data, structure, numpy_functions())
        baseline = np.broadcast_to(intercept, (len(intercept), len(inputs.dates)))
        for part in others:
            baseline = baseline if part is None else baseline + part
        below += int((baseline[:, :rows] < 0).sum())
        total += baseline[:, :rows].size
    score = ("all", "all", "baseline_negative", below / total, "fraction")
    return pd.DataFrame([score], columns=["split", "channel", "metric", "value", "unit"])


def with_prior_ranges(summary: pd.DataFrame, inputs: ScaledInputs) -> pd.DataFrame:
    """A parameter summary with the 1% and 99% quantiles of each prior beside it.

    Args:
        summary: Output of `sampler.parameter_summary`: elements in the order of the posterior's variables.
        inputs: The window that was fitted.
    """
    structure = model_structure(inputs.config)
    ranges = prior_ranges(structure.parameters)
    low, high = np.concatenate([ranges[spec.name] for spec in structure.parameters], axis=1)
    return summary.assign(prior_q01=low, prior_q99=high)
