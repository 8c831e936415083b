"""From posterior draws to the target: predictions and contributions in original units, train and held-out rows alike.

Here: the only place where draws leave model space. All rows of a window are computed together, so the adstock of the
first held-out row sees the last training rows.
Not here: scores of predictions (metrics.py), money per channel (returns.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mmm_engine.array_types import Floats
from mmm_engine.model.arrays import model_data
from mmm_engine.model.likelihood import draw_targets, expected_target
from mmm_engine.model.specification import model_specification
from mmm_engine.results.draw_evaluation import expected_targets
from mmm_engine.results.draws import QUANTILES, flat_draws
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


def predict(posterior: xr.DataTree, inputs: ScaledInputs, *, seed: int | None = None) -> Prediction:
    """Posterior predictive draws of the training and the held-out rows.

    Args:
        posterior: Output of `sampler.fit`.
        inputs: The window it was fitted on; rows after the training rows are predicted.
        seed: Seed of the observation noise; that of the fit when None.
    """
    specification = model_specification(inputs.config)
    values = flat_draws(posterior)
    location = expected_targets(values, model_data(inputs, specification), specification)
    rng = np.random.default_rng(posterior.attrs.get("seed", 0) if seed is None else seed)
    scale = inputs.scales.target
    drawn = draw_targets(location, values, specification, rng)
    expected = expected_target(location, values, specification)
    return Prediction(inputs.dates, inputs.split, expected * scale, drawn * scale)


def predictive_frame(prediction: Prediction, inputs: ScaledInputs) -> pd.DataFrame:
    """Actual target and predictive quantiles per row: date, split, actual, mean, q05, q25, q50, q75, q95, pit.

    ``pit``, the probability integral transform, is the share of draws below the actual value: uniform on [0, 1] over
    rows that the model has not seen when its forecasts are right about their own uncertainty.
    """
    quantiles = np.quantile(prediction.draws, list(QUANTILES.values()), axis=0)
    return pd.DataFrame(
        {
            "date": prediction.dates,
            "split": prediction.split,
            "actual": inputs.target,
            "mean": prediction.mean_draws.mean(axis=0),
            **dict(zip(QUANTILES, quantiles, strict=True)),
            "pit": (prediction.draws < inputs.target).mean(axis=0),
        }
    )
