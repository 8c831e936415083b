"""The naive forecast that a model must beat.

Here: the seasonal naive forecast as draws, with its own spread.
Not here: the score of a model against it (forecast_scores.py: ``skill``).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mmm_engine.array_types import Floats

MIN_NAIVE_ERRORS = 8
"""Fewer past errors than this do not make a spread: the naive forecast falls back to a shorter lag."""


def seasonal_naive_draws(
    train_actual: Floats, horizon: int, season_length: int, n_draws: int = 1000
) -> Floats:
    """The same season before, with the spread of that rule's own past errors.

    The point for step h is the value one season back (two when h is longer than a season, and so on). Its
    spread is the set of errors that rule made inside the training rows. They keep their mean: a target that
    grew by 100 a year is forecast 100 above last year, a harder and fairer benchmark than last year's
    value. With fewer than ``MIN_NAIVE_ERRORS`` past errors at the seasonal lag, the last value stands in,
    with the errors it made h steps on; with too few of those as well, the training values themselves.

    The draws are evenly spaced quantiles of that distribution, so the forecast needs no seed. They are sorted
    within each row: right for scores row by row, not for sums over rows.

    Args:
        train_actual: Target of the training rows, oldest first, original units, shape (train row,).
        horizon: Number of rows to forecast.
        season_length: Rows in a season (52 weeks, 7 days, 12 months).
        n_draws: Number of draws returned.

    Returns:
        Draws in original units, shape (draw, row).

    Raises:
        ValueError: If there is no training row, or a count is below 1.

    Reference: Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd ed., sections 5.2
    and 5.5, ISBN 978-0-9875071-3-6.

    >>> years = np.tile([10.0, 20.0, 30.0, 40.0], 4)
    >>> seasonal_naive_draws(years, horizon=5, season_length=4, n_draws=1)
    array([[10., 20., 30., 40., 10.]])
    """
    if train_actual.size == 0 or min(horizon, season_length, n_draws) < 1:
        raise ValueError(
            f"a naive forecast needs training rows and counts of at least 1, got {train_actual.size} rows, "
            f"horizon {horizon}, season_length {season_length}, n_draws {n_draws}"
        )
    probabilities = (np.arange(n_draws) + 0.5) / n_draws
    rows = [_naive_values(train_actual, step, season_length) for step in range(1, horizon + 1)]
    return np.column_stack([np.quantile(values, probabilities, method="inverted_cdf") for values in rows])


Repeated = Literal["season", "last", "rows"]
"""What the naive forecast repeats: the season before, the last value, or any of the training rows."""


def repeated(train_rows: int, horizon: int, season_length: int) -> Repeated:
    """What the naive forecast of the last step repeats, for words about it; arguments as above.

    >>> repeated(130, 8, 52), repeated(45, 8, 52), repeated(10, 8, 52)
    ('season', 'last', 'rows')
    """
    if train_rows - season_length * -(-horizon // season_length) >= MIN_NAIVE_ERRORS:
        return "season"
    return "last" if train_rows - horizon >= MIN_NAIVE_ERRORS else "rows"


def _naive_values(train_actual: Floats, step: int, season_length: int) -> Floats:
    """Equally likely values of the naive forecast for one step ahead, shape (value,)."""
    rows = train_actual.size
    seasonal_lag = season_length * -(-step // season_length)  # the nearest whole season that is already known
    for lag in (seasonal_lag, step):
        if rows - lag >= MIN_NAIVE_ERRORS:
            errors = train_actual[lag:] - train_actual[:-lag]
            return np.asarray(train_actual[rows + step - 1 - lag] + errors, dtype=np.float64)
    return train_actual
