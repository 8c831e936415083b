"""Rolling origins: how good forecasts are 1, 2, 4, 8 and 12 rows ahead, over many cutoffs.

Here: which windows rolling origins are, their scores by how far ahead a row lies.
Not here: scores of one window (holdout.py), fitting it (scored_window.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.windows import Window
from mmm_engine.fleets.scored_window import ScoredWindow, fit_window
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.results.predictive import Prediction
from mmm_engine.rows.client_data import ClientData
from mmm_engine.rows.window import ScaledInputs, scale_window
from mmm_engine.scores.forecast_scores import (
    SCORE_COLUMNS,
    bias,
    crps_rows,
    interval_coverage,
    mape,
    point_forecast,
    skill,
    wape,
)
from mmm_engine.scores.seasonal_naive import seasonal_naive_draws

HORIZONS = (1, 2, 4, 8, 12)


def origin_holdouts(origins: int, step: int) -> list[int]:
    """Held-out rows (of daily rows: weeks) of rolling origins, the latest origin first: `step` apart.

    >>> origin_holdouts(3, 4)
    [4, 8, 12]
    """
    return [step * number for number in range(1, origins + 1)]


def origin_scores(
    data: ClientData,
    origins: int,
    step: int,
    *,
    fitted: Mapping[Window, ScoredWindow] | None = None,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
) -> pd.DataFrame:
    """Fit the window of every origin and score the rows it holds out by how far ahead they lie.

    Args:
        data: The client's rows.
        origins: How many; origin k holds out the last k times `step` rows.
        step: Rows between two origins; of daily rows weeks, as in all windows.
        fitted: Windows of these rows that are fitted already.
        sampler: Settings of the fits; the client's own when None.
        progress: Listener of the fits.

    Returns:
        The frame of `horizon_scores`.

    Raises:
        DataError: If an origin leaves too few training rows.
    """
    origin_windows = [Window.holding_out(rows) for rows in origin_holdouts(origins, step)]
    folds = []
    for inputs in [scale_window(data, window) for window in origin_windows]:  # too few rows: before any fit
        scored = (fitted or {}).get(inputs.window) or fit_window(
            inputs, sampler=sampler, progress=progress, label=f"{data.config.client} {inputs.window}"
        )
        folds.append((scored.prediction, scored.inputs))
    return horizon_scores(folds)


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
    return seasonal_naive_draws(train, horizon, inputs.calendar.season_length)[:, -1]
