"""From posterior draws to the target: predictions and contributions in original units, train and held-out rows alike.

Here: the only place where draws leave model space. All rows of a window are computed together, so the adstock of the
first held-out row sees the last training rows.
Not here: scores of predictions (scores/forecast_scores.py), money per channel (returns.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmm_engine.array_types import Floats
from mmm_engine.model.likelihood import draw_targets, expected_target
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.draw_evaluation import expected_targets
from mmm_engine.results.quantiles import quantile_columns
from mmm_engine.rows.window import ScaledInputs


@dataclass(frozen=True)
class Prediction:
    """Posterior predictive draws of every row of a window, original units.

    Attributes:
        dates: Shape (date,).
        split: "train" or "test", shape (date,).
        mean_draws: Expected target per draw, shape (draw, date).
        draws: With observation noise, shape (draw, date).
    """

    dates: pd.DatetimeIndex
    split: NDArray[np.str_]
    mean_draws: Floats
    draws: Floats


def predict(window: FittedWindow, *, seed: int | None = None) -> Prediction:
    """Posterior predictive draws of the training and the held-out rows.

    Args:
        window: The fitted window; rows after the training rows are predicted.
        seed: Seed of the observation noise; that of the fit when None.
    """
    inputs, draws, specification = window.inputs, window.draws, window.specification
    location = expected_targets(draws, window.arrays, specification)
    rng = np.random.default_rng(window.posterior.attrs.get("seed", 0) if seed is None else seed)
    scale = inputs.scales.target
    target_scaled = draw_targets(location, draws, specification, rng)
    mean_scaled = expected_target(location, draws, specification)
    return Prediction(inputs.dates, inputs.split, mean_scaled * scale, target_scaled * scale)


def predictive_frame(prediction: Prediction, inputs: ScaledInputs) -> pd.DataFrame:
    """Actual target and predictive quantiles per row: date, split, actual, mean, q05, q25, q50, q75, q95, pit.

    ``pit``, the probability integral transform, is the share of draws below the actual value: uniform on [0, 1] over
    rows that the model has not seen when its forecasts are right about their own uncertainty.
    """
    return pd.DataFrame(
        {
            "date": prediction.dates,
            "split": prediction.split,
            "actual": inputs.target,
            "mean": prediction.mean_draws.mean(axis=0),
            **quantile_columns(prediction.draws),
            "pit": (prediction.draws < inputs.target).mean(axis=0),
        }
    )
