"""Scores of a forecast against what happened: formulas on arrays, one definition each.

Here: every forecast score of the platform, and the tidy frame of one split.
Not here: the naive forecast to beat (seasonal_naive.py), posteriors against a known truth or each other
(truth_scores.py), what counts as good enough (gates.py).

Conventions, stated once. ``actual`` has shape (row,), ``draws`` shape (draw, row), both in original units
of the target. The point forecast is the mean over draws. A score that is not defined (a division by zero,
an input that is not a number) is NaN, never a number that looks like one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats

SCORE_COLUMNS = ("split", "channel", "metric", "value", "unit")
"""Columns of every score frame; ``channel`` is "all" when a score belongs to no single channel."""


def point_forecast(draws: Floats) -> Floats:
    """Posterior predictive mean, shape (row,), in the units of ``draws`` (draw, row)."""
    return np.asarray(np.mean(draws, axis=0), dtype=np.float64)


def mape(actual: Floats, forecast: Floats) -> float:
    """Mean absolute error relative to each actual, a fraction (0.1 is 10%); NaN when an actual is 0.

    Args:
        actual: Observed target, original units, shape (row,).
        forecast: Point forecast, original units, shape (row,).

    Raises:
        ValueError: If the shapes differ or there is no row.

    Reference: Hyndman & Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001.

    >>> mape(np.array([100.0, 200.0]), np.array([110.0, 180.0]))
    0.1
    """
    _check_rows(actual, forecast)
    if np.any(actual == 0):
        return float("nan")
    return float(np.mean(np.abs(actual - forecast) / np.abs(actual)))


def wape(actual: Floats, forecast: Floats) -> float:
    """Total absolute error over total absolute actual, a fraction; defined with zeros among the actuals.

    Args:
        actual: Observed target, original units, shape (row,).
        forecast: Point forecast, original units, shape (row,).

    Raises:
        ValueError: If the shapes differ or there is no row.

    Reference: Kolassa & Schütz (2007), Foresight 6, 40-43 (no DOI).

    >>> wape(np.array([0.0, 200.0]), np.array([10.0, 190.0]))
    0.1
    """
    _check_rows(actual, forecast)
    return _ratio(np.sum(np.abs(actual - forecast)), np.sum(np.abs(actual)))


def nrmse(actual: Floats, forecast: Floats, train_actual: Floats) -> float:
    """Root mean squared error over the range of the training target, a fraction.

    The range is that of the training rows, because the range of a 4-row split can be tiny.

    Args:
        actual: Observed target, original units, shape (row,).
        forecast: Point forecast, original units, shape (row,).
        train_actual: Target of the training rows, original units, shape (train row,).

    Raises:
        ValueError: If the shapes differ or there is no row.

    Reference: Hyndman & Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001 (scaled errors).

    >>> nrmse(np.array([3.0, 5.0]), np.array([4.0, 4.0]), np.array([0.0, 10.0]))
    0.1
    """
    _check_rows(actual, forecast)
    return _ratio(np.sqrt(np.mean((actual - forecast) ** 2)), np.ptp(train_actual))


def r_squared(actual: Floats, forecast: Floats) -> float:
    """Share of the split's variance explained, 1 - SSE/SST; negative when worse than the split's own mean.

    Args:
        actual: Observed target, original units, shape (row,).
        forecast: Point forecast, original units, shape (row,).

    Raises:
        ValueError: If the shapes differ or there is no row.

    Reference: Kvålseth (1985), doi:10.1080/00031305.1985.10479448, his first definition.

    >>> r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    0.5
    """
    _check_rows(actual, forecast)
    if np.ptp(actual) == 0:  # a mean of equal floats can be off by one bit, so SST alone does not tell
        return float("nan")
    return 1 - _ratio(np.sum((actual - forecast) ** 2), np.sum((actual - np.mean(actual)) ** 2))


def bayes_r_squared(actual: Floats, mean_draws: Floats) -> float:
    """Mean over draws of var(fit) / (var(fit) + var(residual)), in [0, 1].

    It cannot go negative and does not see a constant bias, so it is shown and never gated on.

    Args:
        actual: Observed target, original units, shape (row,).
        mean_draws: Draws of the expected target (no observation noise), original units, shape (draw, row).

    Raises:
        ValueError: If the rows differ or there is none.

    Reference: Gelman, Goodrich, Gabry & Vehtari (2019), doi:10.1080/00031305.2018.1549100.

    >>> bayes_r_squared(np.array([1.0, 2.0, 3.0]), np.array([[11.0, 12.0, 13.0]]))
    1.0
    """
    _check_draws(actual, mean_draws)
    fitted = np.var(mean_draws, axis=1)
    total = fitted + np.var(actual - mean_draws, axis=1)
    if np.any(total == 0):
        return float("nan")
    return float(np.mean(fitted / total))


def bias(actual: Floats, forecast: Floats) -> float:
    """Total error over total actual, a fraction; > 0 means the forecast is too high.

    Args:
        actual: Observed target, original units, shape (row,).
        forecast: Point forecast, original units, shape (row,).

    Raises:
        ValueError: If the shapes differ or there is no row.

    Reference: Hyndman & Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001 (mean error).

    >>> bias(np.array([100.0, 100.0]), np.array([120.0, 100.0]))
    0.1
    """
    _check_rows(actual, forecast)
    return _ratio(np.sum(forecast - actual), np.sum(actual))


def crps_rows(actual: Floats, draws: Floats) -> Floats:
    """Fair continuous ranked probability score of each row, shape (row,), in the units of ``actual``.

    Mean distance of the draws to the actual, less half the mean distance between two different draws
    (n(n - 1) pairs, so that the score does not depend on the number of draws). Sorting turns the pairs into
    a weighted sum: O(n log n). One draw is a point forecast and scores its absolute error. A fair score can
    fall slightly below 0 when a narrow forecast is right.

    Args:
        actual: Observed target, original units, shape (row,).
        draws: Predictive draws, original units, shape (draw, row).

    Raises:
        ValueError: If the rows differ or there is none.

    Reference: Ferro (2014), doi:10.1002/qj.2270 (fair form); Gneiting & Raftery (2007),
    doi:10.1198/016214506000001437 (the score).

    >>> crps_rows(np.array([0.0, 5.0]), np.array([[-1.0, 3.0], [1.0, 3.0]]))
    array([0., 2.])
    """
    _check_draws(actual, draws)
    # Distances do not change with location; around the actual they lose no digits to a large level.
    errors = np.sort(draws - actual, axis=0)
    n_draws = len(errors)
    distance = np.mean(np.abs(errors), axis=0)
    if n_draws == 1:
        return np.asarray(distance, dtype=np.float64)
    # The k-th smallest of n (k from 0) is the larger one in k pairs and the smaller one in n - 1 - k.
    weights = 2.0 * np.arange(n_draws) - (n_draws - 1)
    spread = weights @ errors / (n_draws * (n_draws - 1))
    return np.asarray(distance - spread, dtype=np.float64)


def crps(actual: Floats, draws: Floats) -> float:
    """Fair CRPS averaged over rows, in the units of ``actual``; see ``crps_rows``.

    >>> crps(np.array([0.0, 5.0]), np.array([[-1.0, 3.0], [1.0, 3.0]]))
    1.0
    """
    return float(np.mean(crps_rows(actual, draws)))


def interval_coverage(actual: Floats, draws: Floats, level: float) -> float:
    """Share of rows whose actual lies inside the central predictive interval, its ends included.

    Args:
        actual: Observed target, original units, shape (row,).
        draws: Predictive draws, original units, shape (draw, row).
        level: Interval mass, strictly between 0 and 1.

    Raises:
        ValueError: If ``level`` is outside (0, 1), the rows differ or there is none.

    Reference: Gneiting, Balabdaoui & Raftery (2007), doi:10.1111/j.1467-9868.2007.00587.x.

    >>> interval_coverage(np.array([1.0, 9.0]), np.zeros((4, 2)) + [1.0, 2.0], 0.9)
    0.5
    """
    _check_draws(actual, draws)
    if not 0 < level < 1:
        raise ValueError(f"level must lie strictly between 0 and 1, got {level}")
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return _covered(actual, low, high)


def _covered(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of rows between two bounds; NaN where a number is missing."""
    inside = np.where((low <= actual) & (actual <= high), 1.0, 0.0)
    inside[np.isnan(low) | np.isnan(high) | np.isnan(actual)] = np.nan  # a comparison with NaN is not a miss
    return float(np.mean(inside))


def skill(crps_model: float, crps_naive: float) -> float:
    """Improvement over the naive forecast, 1 - CRPS(model)/CRPS(naive); < 0 says the naive forecast wins.

    Args:
        crps_model: CRPS of the model, any unit.
        crps_naive: CRPS of the naive forecast on the same rows, same unit.

    Reference: Gneiting & Raftery (2007), doi:10.1198/016214506000001437 (skill scores).

    >>> skill(5.0, 10.0)
    0.5
    """
    return 1 - _ratio(crps_model, crps_naive)


def score_split(
    actual: Floats,
    draws: Floats,
    mean_draws: Floats,
    train_actual: Floats,
    *,
    split: str,
    naive_draws: Floats | None = None,
) -> pd.DataFrame:
    """All forecast scores of one split of one window, one row per metric.

    Args:
        actual: Observed target of the split, original units, shape (row,).
        draws: Predictive draws with observation noise, original units, shape (draw, row).
        mean_draws: Draws of the expected target, original units, shape (draw, row); for ``bayes_r_squared``.
        train_actual: Target of the training rows, original units, shape (train row,).
        split: "train" or "test".
        naive_draws: The naive forecast of the same rows, original units, shape (draw, row). Without it there
            is no ``skill`` row: training rows have no forecast made before them to be compared with.

    Returns:
        A frame with the columns ``SCORE_COLUMNS``; ``unit`` is "fraction", "target" or "score".

    Raises:
        ValueError: If the rows of the arrays differ or there is none.
    """
    forecast, units = point_forecast(draws), crps(actual, draws)
    low, lower, upper, high = np.quantile(
        draws, [0.05, 0.25, 0.75, 0.95], axis=0
    )  # sorts once for both intervals
    scores: list[tuple[str, float, str]] = [
        ("mape", mape(actual, forecast), "fraction"),
        ("wape", wape(actual, forecast), "fraction"),
        ("nrmse", nrmse(actual, forecast, train_actual), "fraction"),
        ("r_squared", r_squared(actual, forecast), "score"),
        ("bayes_r_squared", bayes_r_squared(actual, mean_draws), "score"),
        ("bias", bias(actual, forecast), "fraction"),
        ("crps", _ratio(units, np.mean(np.abs(train_actual))), "fraction"),
        ("crps_units", units, "target"),
        ("coverage_50", _covered(actual, lower, upper), "fraction"),
        ("coverage_90", _covered(actual, low, high), "fraction"),
    ]
    if naive_draws is not None:
        scores.append(("skill", skill(units, crps(actual, naive_draws)), "score"))
    rows = [(split, "all", metric, value, unit) for metric, value, unit in scores]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def _ratio(numerator: float | np.floating, denominator: float | np.floating) -> float:
    """Numerator over denominator as a plain float; NaN over 0."""
    return float(numerator / denominator) if denominator != 0 else float("nan")


def _check_rows(actual: Floats, forecast: Floats) -> None:
    """Refuse all but two equally long, non-empty vectors: numpy would broadcast them in silence."""
    if actual.ndim != 1 or actual.shape != forecast.shape or actual.size == 0:
        raise ValueError(
            f"wanted actual and forecast of one shape (row,) with at least one row, "
            f"got {actual.shape} and {forecast.shape}"
        )


def _check_draws(actual: Floats, draws: Floats) -> None:
    """Refuse draws that are not (draw, row) for exactly the rows of ``actual``."""
    if actual.ndim != 1 or draws.ndim != 2 or draws.shape[1] != actual.size or draws.size == 0:
        raise ValueError(
            f"wanted actual of shape (row,) and draws of shape (draw, row) with at least one of each, "
            f"got {actual.shape} and {draws.shape}"
        )
