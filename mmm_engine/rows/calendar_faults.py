"""What is wrong with the dates of rows: twice, missing, beside the others, of a spacing that is not modelled.

Here: the calendar of a table, or why it has none.
Not here: cells that are no dates (files/dates.py), the calendar itself (calendar.py), panels (panel.py).
"""

from __future__ import annotations

import numpy as np

from mmm_engine.array_types import Days
from mmm_engine.errors import Fault
from mmm_engine.files.cells import Rows
from mmm_engine.rows.calendar import Calendar, period_of, weekday

_FORTNIGHT = 14  # days
_MOST_CLOSED = 0.8  # share of the missing days that closed weekdays must explain


def calendar_faults(column: str, rows: Rows, whole: bool) -> tuple[Calendar | None, list[Fault]]:
    """The different dates of the rows with their period, and duplicates, gaps and dates that do not fit it.

    Args:
        column: Name of the column of dates.
        rows: The rows with their dates, none missing.
        whole: False when rows of the file had to be left out, so that gaps say nothing.
    """
    order = np.argsort(rows.days, kind="stable")
    ascending = rows.days[order]
    faults = []
    repeated = order[1:][ascending[1:] == ascending[:-1]]
    if len(repeated):
        first = int(repeated[0])
        earlier = int(np.flatnonzero(rows.days == rows.days[first])[0])
        found = f"the date of row {rows.numbers[earlier]} again{rows.others(repeated)}"
        fix = "delete the copy, or add the two rows up if both are true"
        faults.append(Fault(rows.place(column, first), found, "each date once", fix))
    unique = np.unique(ascending)
    if len(unique) < 2 or not whole:
        return None, faults
    period = period_of(unique)
    if period is None:
        steps = np.diff(unique).astype(np.int64)
        found = f"rows {int(np.median(steps))} days apart (from {steps.min()} to {steps.max()})"
        fix = "add the missing rows, or add rows up to weeks or months"
        if steps.min() >= _FORTNIGHT:
            fix = "export the file by week or by month: what is longer cannot be cut into them"
        where = rows.place(column, int(order[0]))
        return None, [*faults, Fault(where, found, "one row a day, a week or a month", fix)]
    calendar = Calendar(unique, period)
    return calendar, faults + _spacing_faults(column, rows, calendar)


def _spacing_faults(column: str, rows: Rows, calendar: Calendar) -> list[Fault]:
    """Dates that the period does not lead to, and dates that it leads to without a row."""
    period, expected = calendar.period, calendar.expected_days()
    beside = np.flatnonzero(~np.isin(rows.days, expected))
    missing = expected[~np.isin(expected, calendar.days)]
    faults = []
    if period == "month" and _is_of_whole_weeks(calendar.days):
        first = rows.place(column, int(np.argmin(rows.days)))
        found = "rows of 4 or 5 weeks each, as retail calendars have them (4-4-5)"
        return [Fault(first, found, "one row a week or a calendar month", "export the file by week")]
    if len(beside):
        day = rows.days[beside[0]]
        found = f"{day}, a {weekday(day)}{rows.others(beside)}"
        usual = f"{weekday(expected[0])}s" if period == "week" and len(expected) else f"one row a {period}"
        wanted = f"{usual} as in most rows, evenly spaced"
        is_once_a_month = period == "month" and len(np.unique(_months(calendar.days))) == len(calendar.days)
        fix = (
            "date each row by the first day of its month"
            if is_once_a_month
            else "correct the date of this row"
        )
        faults.append(Fault(rows.place(column, int(beside[0])), found, wanted, fix))
    if len(missing) > len(beside):  # a date that was moved leaves a hole behind: one fault is enough
        last_before = calendar.days[calendar.days < missing[0]][-1]
        before = int(np.flatnonzero(rows.days == last_before)[0])
        listed = ", ".join(map(str, missing[:4])) + (", …" if len(missing) > 4 else "")
        found = f"no row for {len(missing)} of {len(expected)} dates after it: {listed}"
        fix = "add the rows (spend 0 is allowed), or start after the gap"
        if closed := _closed_weekdays(calendar, missing):
            found = f"no row for {len(missing)} of {len(expected)} dates, {closed} for the most part"
            fix = "add rows up to weeks"
        faults.append(Fault(rows.place(column, before), found, f"one row a {period} without gaps", fix))
    return faults


def _is_of_whole_weeks(days: Days) -> bool:
    """Whether all dates of monthly rows lie four or five weeks apart."""
    return bool(np.isin(np.diff(days).astype(np.int64), (28, 35)).all())


def _closed_weekdays(calendar: Calendar, missing: Days) -> str:
    """The days of the week that daily rows never have, in words; empty where others are missing too."""
    if calendar.period != "day":
        return ""
    present = set(map(weekday, calendar.days))
    closed = [name for name in dict.fromkeys(map(weekday, missing)) if name not in present]
    count = sum(weekday(day) in closed for day in missing)
    return " and ".join(f"{name}s" for name in closed) if count >= _MOST_CLOSED * len(missing) else ""


def _months(days: Days) -> Days:
    return days.astype("datetime64[M]")
