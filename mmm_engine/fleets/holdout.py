"""Holdout: how well a window's model forecasts the rows it has not seen.

Here: the scores of one window, train and test, from its posterior; the scores of many windows by horizon.
Not here: the formulas (metrics.py), which windows there are (windows.py), thresholds (gates.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mmm_engine.metrics import (
    SCORE_COLUMNS,
    bias,
    crps_rows,
    interval_coverage,
    mape,
    point_forecast,
    score_split,
    skill,
    wape,
)
from mmm_engine.naive import seasonal_naive_draws
from mmm_engine.periods import SEASON_LENGTH
from mmm_engine.predict import Prediction, predict
from mmm_engine.scaling import ScaledInputs

Floats = NDArray[np.float64]

HORIZONS = (1, 2, 4, 8, 12)


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
        naive = seasonal_naive_draws(train, inputs.horizon, SEASON_LENGTH[inputs.period])
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


def horizon_scores(
    folds: Sequence[tuple[Prediction, ScaledInputs]], horizons: Sequence[int] = HORIZONS
) -> pd.DataFrame:
    """Scores by how far ahead a row was forecast, over rolling origins.

    A fold is a window; at horizon h it brings the one row that lies h rows after its cutoff. Folds whose held-out rows
    end before that bring nothing, and a horizon that no fold reaches has no rows.

    Args:
        folds: Predictions of each window with the window.
        horizons: Rows ahead.

    Returns:
        Split "ahead_01", "ahead_02", ...; channel "all"; metrics mape, wape, bias, crps (over the mean absolute
        training target of each fold), coverage_50, coverage_90, skill, and folds, the number of windows behind them.
    """
    rows: list[tuple[str, str, str, float, str]] = []
    for horizon in horizons:
        reached = [fold for fold in folds if fold[1].horizon >= horizon]
        if reached:
            split = f"ahead_{horizon:02d}"
            rows += [(split, "all", *score) for score in _scores_ahead(reached, horizon)]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def _scores_ahead(
    folds: Sequence[tuple[Prediction, ScaledInputs]], horizon: int
) -> list[tuple[str, float, str]]:
    """(metric, value, unit) of the rows that lie `horizon` rows after the cutoff of each fold."""
    positions = [inputs.train_rows + horizon - 1 for _, inputs in folds]
    actual = np.array([inputs.target[at] for (_, inputs), at in zip(folds, positions, strict=True)])
    columns = [prediction.draws[:, at] for (prediction, _), at in zip(folds, positions, strict=True)]
    draws = np.column_stack([column[: min(map(len, columns))] for column in columns])
    naive = np.column_stack([_naive_ahead(inputs, horizon) for _, inputs in folds])
    level = np.array([np.abs(inputs.target[: inputs.train_rows]).mean() for _, inputs in folds])
    forecast = point_forecast(draws)
    model_crps, naive_crps = crps_rows(actual, draws), crps_rows(actual, naive)
    return [
        ("mape", mape(actual, forecast), "fraction"),
        ("wape", wape(actual, forecast), "fraction"),
        ("bias", bias(actual, forecast), "fraction"),
        ("crps", float((model_crps / level).mean()), "fraction"),
        ("coverage_50", interval_coverage(actual, draws, 0.5), "fraction"),
        ("coverage_90", interval_coverage(actual, draws, 0.9), "fraction"),
        ("skill", skill(float(model_crps.mean()), float(naive_crps.mean())), "score"),
        ("folds", float(len(folds)), "count"),
    ]


def _naive_ahead(inputs: ScaledInputs, horizon: int) -> Floats:
    train = inputs.target[: inputs.train_rows]
    return seasonal_naive_draws(train, horizon, SEASON_LENGTH[inputs.period])[:, -1]
