"""What a posterior says that no sensible business does: a baseline below 0, parameters that push against their prior.

Here: the numbers, from draws.
Not here: what is too much (scores/gates.py, client/thresholds.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.array_types import axis_length
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.draw_chunks import draw_chunks
from mmm_engine.model.mean import baseline_terms
from mmm_engine.posterior.fitted_window import FittedWindow


def plausibility_scores(window: FittedWindow) -> pd.DataFrame:
    """Probability that the baseline (intercept and what follows the calendar) of a training row lies below 0.

    Returns:
        One row of a score frame: split, channel ("all"), metric ("baseline_negative"), value, unit.
    """
    rows = window.inputs.train_rows
    below = total = 0
    for chunk in draw_chunks(window.draws):
        intercept, calendar = baseline_terms(chunk, window.arrays, window.specification, numpy_functions())
        shape = (axis_length(intercept, 0), len(window.inputs.dates))
        baseline = np.broadcast_to(np.asarray(intercept), shape)
        for part in calendar.values():
            baseline = baseline + part
        below += int((baseline[:, :rows] < 0).sum())
        total += baseline[:, :rows].size
    score = ("all", "all", "baseline_negative", below / total, "fraction")
    return pd.DataFrame([score], columns=["split", "channel", "metric", "value", "unit"])
