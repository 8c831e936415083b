"""Holdout: how well a window's model forecasts the rows it has not seen.

Here: the scores of one window, train and test, from its posterior.
Not here: the formulas (scores/forecast_scores.py), which windows there are (rows/window.py), scores by horizon
(origins.py), thresholds (scores/gates.py).
"""

from __future__ import annotations

import pandas as pd

from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.predictive import Prediction, predict
from mmm_engine.scores.forecast_scores import score_split
from mmm_engine.scores.seasonal_naive import seasonal_naive_draws


def score_window(window: FittedWindow, prediction: Prediction | None = None) -> pd.DataFrame:
    """Scores of the training rows and, where there are any, of the held-out rows.

    Args:
        window: The fitted window.
        prediction: Its predictions, when they are already at hand.

    Returns:
        Columns split ("train", "test"), channel ("all"), metric, value, unit.
    """
    inputs, prediction = window.inputs, prediction or predict(window)
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
