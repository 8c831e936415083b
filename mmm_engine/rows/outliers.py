"""Rows that stand out of the target.

Here: which rows neither trend, seasons, holidays, events nor controls explain, and which of them come again every year.
Not here: what is told of them (findings.py), what they suggest (suggestions.py).
"""

from __future__ import annotations

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.rows.calendar import Calendar
from mmm_engine.rows.regressors import Regressors, residual
from mmm_engine.rows.usual_spread import usual_spread

OUTLIER_Z = 6.0  # robust z of the target beyond which a row needs an explanation


RARE_MIN = 0.25  # share of rows of 0 from which on a target counts as rare


def is_rare(rows: Regressors) -> bool:
    """Whether so many rows of the target are 0 that each row is a matter of chance."""
    return float((rows.target == 0.0).mean()) >= RARE_MIN


def outliers(rows: Regressors) -> dict[int, float]:
    """Rows that stand out once, with how many robust standard deviations."""
    return {index: z for index, (z, recurs) in _standing_out(rows).items() if not recurs}


def recurring_outliers(rows: Regressors) -> dict[int, float]:
    """Rows that stand out as others around the same time of another year do: sales days, or a slip that came again.

    None where a single row stands out and its neighbour of another year somewhat, as at the top of a sharp season.
    """
    recurring = {index: z for index, (z, recurs) in _standing_out(rows).items() if recurs}
    return recurring if len(recurring) > 1 else {}


def _standing_out(rows: Regressors) -> dict[int, tuple[float, bool]]:
    """Rows that stand out, with their robust z and whether they come again; events are explained.

    The season is what the client's model has, at least of order 2: a smooth one cannot follow single rows. Where a
    quarter of the rows or more are 0 the median says nothing of the spread: every sale would stand out.
    """
    target = rows.target / np.abs(rows.target).max()
    controls = rows.standardised(rows.config.control_names)
    season = rows.yearly(max(rows.config.model.yearly_seasonality or 0, 2))
    unexplained = residual(target, np.column_stack([rows.trend(), season, rows.holidays(), controls]))
    spread = float(usual_spread(unexplained))
    if is_rare(rows):
        spread = max(spread, float(unexplained.std()))
    if spread <= 1e-9:
        return {}
    z = (unexplained - np.median(unexplained)) / spread
    for event in rows.config.model.events:
        z[rows.within(event)] = 0.0  # explained
    standing_out = np.flatnonzero(np.abs(z) > OUTLIER_Z)
    return {int(index): (float(z[index]), _recurs(z, index, rows.calendar)) for index in standing_out}


def words_of_recurring(rows: Regressors, recurring: dict[int, float]) -> str:
    """Which rows stand out again and again, and how far the largest."""
    worst = max(recurring.values(), key=abs)
    listed = ", ".join(rows.day(index) for index in list(recurring)[:5]) + (
        ", …" if len(recurring) > 5 else ""
    )
    return (
        f"{len(recurring)} values stand out of the target around the same time of several years ({listed}), by up to "
        f"{abs(worst):.0f} standard deviations: nothing in the model can follow them"
    )


def words_of_outliers(rows: Regressors, outlying: dict[int, float]) -> str:
    """Which rows stand out, and how far the largest."""
    worst = max(outlying, key=lambda index: abs(outlying[index]))
    listed = ", ".join(rows.day(index) for index in list(outlying)[:5]) + (", …" if len(outlying) > 5 else "")
    value = float(rows.target[worst])
    amount = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return (
        f"{len(outlying)} {'value stands' if len(outlying) == 1 else 'values stand'} out of the target "
        f"({listed}); the largest, {amount} on {rows.day(worst)}, "
        f"lies {abs(outlying[worst]):.0f} standard deviations {'above' if outlying[worst] > 0 else 'below'} "
        "what trend, season and controls lead one to expect"
    )


def _recurs(z: Floats, index: np.intp, calendar: Calendar) -> bool:
    """Whether the target also stands out, the same way, around the same time of another year."""
    year = calendar.periods_per_year
    near = 3 if calendar.period == "day" else 1
    for centre in (*range(int(index) - year, -near, -year), *range(int(index) + year, len(z) + near, year)):
        around = z[max(centre - near, 0) : centre + near + 1]
        if len(around) and (np.sign(z[index]) * around).max() > OUTLIER_Z / 2:
            return True
    return False
