"""Rows that hold less or more than their period.

Here: a last row that was exported before its period was over, rows of days that have not come, columns that add up all
rows before.
Not here: what is told of them (findings.py), a row of totals (contract.py).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import numpy as np

from mmm_engine.rows.regressors import Regressors

UNFINISHED = 0.75
"""Share of the least of all targets before below which the last row may be a part of its period."""
_RISES = 0.5  # share of rows in which a running total rises: spend pauses
_ANEW = 0.5  # of the value before, below which a fall is the beginning of a new year's total


def is_unfinished(rows: Regressors) -> bool:
    """Whether the target of the last row lies clearly below every other row's."""
    target = rows.target
    return bool(target[:-1].min() > 0 and 0 <= target[-1] < UNFINISHED * target[:-1].min())


def rows_to_come(rows: Regressors, today: datetime.date) -> int:
    """How many of the last rows begin after today; a day more is let pass, which it may be elsewhere already."""
    begun = rows.calendar.covered_days[0] <= np.datetime64(today) + np.timedelta64(1, "D")
    return int((~begun).sum())


def running_totals(rows: Regressors) -> Iterator[str]:
    """The target, channels and costs that only rise, but for a new beginning once a year."""
    config = rows.config
    for column in dict.fromkeys((config.target.column, *config.channel_names, *config.cost_names)):
        values = rows.values(column)
        steps = np.diff(values)
        falls = np.flatnonzero(steps < 0)
        if (
            (steps > 0).mean() > _RISES
            and len(falls) <= len(values) / rows.calendar.periods_per_year
            and (values[falls + 1] < _ANEW * values[falls]).all()
        ):
            yield column
