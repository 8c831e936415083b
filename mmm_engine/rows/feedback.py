"""Spend that follows sales: whether a channel was bought after sales rose, rather than the other way round.

Here: how clearly last period's sales announce a channel's spend.
Not here: what is told of it (findings.py), what it means for a return (scores/identification.py).
"""

from __future__ import annotations

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.rows.outliers import outliers
from mmm_engine.rows.regressors import Regressors, residual

FOLLOWS_T = 3.5
"""t value from which a channel's spend is said to follow sales: chance goes beyond it once in 4,000 channels."""

_LEAST_SPARE = 20  # rows beyond the number of regressors, below which nothing is said
_NEIGHBOURS = 3  # rows whose errors may hang together


def spend_following_sales(rows: Regressors) -> dict[str, float]:
    """Per channel the t value of last period's target for this period's media, all else the same.

    "All else": the channel's own media of the two periods before, the other channels and the controls of this period
    and the one before, trend, curvature and season, day of the week. Sales that media cause say nothing beyond the
    media that caused them, so that the value is standard normal there; a budget set on last period's sales, or an ad
    that is clicked by people who would have bought, makes it large. Spend that follows a demand which nobody recorded
    shows only as far as that demand lasts from one period to the next. Granger (1969), doi:10.2307/1912791; errors of
    neighbouring rows may hang together (Newey & West 1987, doi:10.2307/1913610). Rows that stand out of the target, and
    those after them, are left out: where a shop was closed, sales and spend stop together.

    Returns:
        NaN for a channel with too few rows, or without anything of its own.
    """
    base = np.column_stack([rows.trend(), np.square(np.linspace(-1, 1, len(rows))), rows.yearly()])
    controls, media = (
        rows.standardised(names) for names in (rows.config.control_names, rows.config.channel_names)
    )
    target = rows.target / np.abs(rows.target).max()
    usual = np.ones(len(rows), dtype=bool)
    usual[list(outliers(rows))] = False
    kept = usual[2:] & usual[1:-1]
    result = {}
    for position, name in enumerate(rows.config.channel_names):
        spent, others = media[:, position], np.delete(media, position, axis=1)
        shared = [base[2:], controls[2:], controls[1:-1], others[2:], others[1:-1]]
        design = np.column_stack([*shared, spent[1:-1], spent[:-2]])
        result[name] = _t_value(spent[2:][kept], design[kept], target[1:-1][kept])
    return result


def _t_value(explained: Floats, design: Floats, added: Floats) -> float:
    """t value of one more regressor, its error by Newey and West from errors that leave the row out (HC3)."""
    spare = len(explained) - np.linalg.matrix_rank(design) - 1
    if spare < _LEAST_SPARE:
        return float("nan")
    outcome, regressor = residual(explained, design), residual(added, design)
    size = float(regressor @ regressor)
    if size <= 1e-10 * float(added @ added) or not outcome.any():
        return float("nan")
    effect = float(regressor @ outcome) / size
    pull = np.minimum(np.square(regressor) / size, 0.99)  # a single row that decides alone must not look sure
    scores = regressor * (outcome - effect * regressor) / (1 - pull)
    variance = float(scores @ scores)
    for lag in range(1, _NEIGHBOURS + 1):
        variance += 2 * (1 - lag / (_NEIGHBOURS + 1)) * float(scores[lag:] @ scores[:-lag])
    variance *= len(explained) / spare
    return effect * size / float(np.sqrt(variance)) if variance > 0 else float("nan")
