"""What a posterior says that no sensible business does: a baseline below 0, parameters that push against their prior.

Here: the numbers, from draws.
Not here: what is too much (gates.py, thresholds.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.arrays import model_data
from mmm_engine.model.mean import baseline_terms
from mmm_engine.model.specification import model_specification
from mmm_engine.results.draws import draw_chunks, flat_draws
from mmm_engine.rows.window import ScaledInputs


def plausibility_scores(posterior: xr.DataTree, inputs: ScaledInputs) -> pd.DataFrame:
    """Probability that the baseline (intercept, seasonality, trend) of a training row lies below 0.

    Returns:
        One row of a score frame: split, channel ("all"), metric ("baseline_negative"), value, unit.
    """
    specification, data = (
        model_specification(inputs.config),
        model_data(inputs, model_specification(inputs.config)),
    )
    values, rows = flat_draws(posterior), inputs.train_rows
    below = total = 0
    for chunk in draw_chunks(values):
        intercept, *others = baseline_terms(chunk, data, specification, numpy_functions())
        baseline = np.broadcast_to(intercept, (len(intercept), len(inputs.dates)))
        for part in others:
            baseline = baseline if part is None else baseline + part
        below += int((baseline[:, :rows] < 0).sum())
        total += baseline[:, :rows].size
    score = ("all", "all", "baseline_negative", below / total, "fraction")
    return pd.DataFrame([score], columns=["split", "channel", "metric", "value", "unit"])
