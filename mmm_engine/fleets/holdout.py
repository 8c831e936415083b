"""Holdout: how well a window's model forecasts the rows it has not seen.

Here: the scores of one window, train and test, from its posterior.
Not here: the formulas (scores/forecast_scores.py), which windows there are (rows/window.py), scores by horizon
(origins.py), thresholds (scores/gates.py).
"""

from __future__ import annotations

import pandas as pd

from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.predictive import Prediction, predict
from mmm_engine.rows.window import unseen_in_training
from mmm_engine.scores.forecast_scores import SCORE_COLUMNS, score_split
from mmm_engine.scores.seasonal_naive import seasonal_naive_draws


def score_window(window: FittedWindow, prediction: Prediction | None = None) -> pd.DataFrame:
    """Scores of the training rows and, where there are any, of the held-out rows.

    Args:
        window: The fitted window.
        prediction: Its predictions, when they are already at hand.

    Returns:
        Columns split ("train", "test"), channel ("all"), metric, value, unit; ``unseen`` is 1 for each channel and
        control that has no training row, so that the forecast took its effect for 0.
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
        unseen = [("test", name, "unseen", 1.0, "flag") for name in unseen_in_training(inputs)]
        frames += [pd.DataFrame(unseen, columns=list(SCORE_COLUMNS))] if unseen else []
    return pd.concat(frames, ignore_index=True)
