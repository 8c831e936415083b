"""Holdout: how well a window's model forecasts the rows it has not seen.

Here: the scores of one window, train and test, from its posterior.
Not here: the formulas (metrics.py), which windows there are (windows.py), scores by horizon (origins.py), thresholds
(gates.py).
"""

from __future__ import annotations

import pandas as pd
import xarray as xr

from mmm_engine.results.predictive import Prediction, predict
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.scores.forecast_scores import score_split
from mmm_engine.scores.seasonal_naive import seasonal_naive_draws


def score_window(
    posterior: xr.DataTree, inputs: ScaledInputs, prediction: Prediction | None = None
) -> pd.DataFrame:
    """Scores of the training rows and, where there are any, of the held-out rows.

    Args:
        posterior: Output of `sampler.fit`.
        inputs: The window it was fitted on.
        prediction: Its predictions, when they are already at hand.

    Returns:
        Columns split ("train", "test"), channel ("all"), metric, value, unit.
    """
    prediction = prediction or predict(posterior, inputs)
    rows, actual = inputs.train_rows, inputs.target
    train = actual[:rows]
    frames = [
        score_split(train, prediction.draws[:, :rows], prediction.mean_draws[:, :rows], train, split="train")
    ]
    if inputs.horizon:
        naive = seasonal_naive_draws(train, inputs.horizon, inputs.calendar.season_length)
        frames.append(
            score_split(
                actual[rows:],
                prediction.draws[:, rows:],
                prediction.mean_draws[:, rows:],
                train,
                split="test",
                naive_draws=naive,
            )
        )
    return pd.concat(frames, ignore_index=True)
