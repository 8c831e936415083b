"""Days, weeks and months as the spacing of a client's rows.

Here: which period the dates of a client have, which dates there should be, which come next, which days a row covers.
Not here: what happens when dates are missing (contract.py).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mmm_engine.array_types import Days, Integers

Period = Literal["day", "week", "month"]

PERIODS_PER_YEAR: dict[Period, int] = {"day": 365, "week": 52, "month": 12}
# Rows after which the strongest season returns: the seasonal naive forecast repeats the row so far back.
SEASON_LENGTH: dict[Period, int] = {"day": 7, "week": 52, "month": 12}

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TYPICAL_STEPS: dict[Period, tuple[int, int]] = {"day": (1, 1), "week": (7, 7), "month": (28, 31)}
_SHORTEST_MONTH = 28


def period_of(days: Days) -> Period | None:
    """The period whose length most steps have; None for other spacings.

    Args:
        days: At least two different dates, ascending.

    >>> period_of(np.array(["2024-01-01", "2024-01-08", "2024-01-15"], dtype="datetime64[D]"))
    'week'
    """
    typical = float(np.median(np.diff(days).astype(np.int64)))
    return next((period for period, (low, high) in _TYPICAL_STEPS.items() if low <= typical <= high), None)


def weekday(day: np.datetime64) -> str:
    """English name of the weekday."""
    return _WEEKDAYS[int(_weekday_numbers(np.array([day]))[0])]


def expected_days(days: Days, period: Period) -> Days:
    """All dates that rows should have from the first date to the last, ascending.

    Weeks start on the weekday that most rows have; months on the day that most rows have, or on the last day
    of a month that is too short for it.
    """
    everyday: Days = days[0] + np.arange(int((days[-1] - days[0]).astype(np.int64)) + 1)
    if period == "day":
        return everyday
    if period == "week":
        expected: Days = everyday[_weekday_numbers(everyday) == _most_common(_weekday_numbers(days))]
        return expected
    dated = _in_months(np.unique(_months(everyday)), _anchor_day(days))
    within: Days = dated[(dated >= days[0]) & (dated <= days[-1])]
    return within


def next_days(days: Days, period: Period, count: int) -> Days:
    """The ``count`` dates that follow the last one.

    >>> next_days(np.array(["2024-01-31", "2024-02-29"], dtype="datetime64[D]"), "month", 2)
    array(['2024-03-31', '2024-04-30'], dtype='datetime64[D]')
    """
    steps = np.arange(1, count + 1)
    if period == "month":
        return _in_months(_months(days[-1:]) + steps, _anchor_day(days))
    following: Days = days[-1] + steps * (1 if period == "day" else 7)
    return following


def covered_days(days: Days, period: Period) -> tuple[Days, Days]:
    """The first and the last day of each row, shape (date,) each.

    A row is dated by its first day and lasts until the next one; months that are dated by their last day are whole
    calendar months.

    Args:
        days: Dates of the rows, ascending and without gaps.
        period: Their spacing.

    >>> covered_days(np.array(["2024-01-31", "2024-02-29"], dtype="datetime64[D]"), "month")[0]
    array(['2024-01-01', '2024-02-01'], dtype='datetime64[D]')
    """
    if period == "month" and (_in_months(_months(days), 31) == days).all():
        return _months(days).astype("datetime64[D]"), days
    return days, np.append(days[1:], next_days(days, period, 1)) - np.timedelta64(1, "D")


def row_of(days: Days, period: Period, day: str) -> int | None:
    """The row that covers a day; None outside the rows.

    Args:
        days: Dates of the rows, ascending and without gaps.
        period: Their spacing.
        day: YYYY-MM-DD.
    """
    first, last = covered_days(days, period)
    row = int(np.searchsorted(last, np.datetime64(day)))
    return row if row < len(days) and first[row] <= np.datetime64(day) else None


def _weekday_numbers(days: Days) -> Integers:
    numbers: Integers = (days.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    return numbers


def _months(days: Days) -> Days:
    return days.astype("datetime64[M]")


def _days_of_month(days: Days) -> Integers:
    numbers: Integers = (days - _months(days).astype("datetime64[D]")).astype(np.int64) + 1
    return numbers


def _anchor_day(days: Days) -> int:
    """Day of the month on which rows are dated; month ends count as the longest month's."""
    numbers = _days_of_month(days)
    common = _most_common(numbers)
    return int(numbers.max()) if common >= _SHORTEST_MONTH else common


def _in_months(months: Days, day: int) -> Days:
    starts = months.astype("datetime64[D]")
    lengths = ((months + 1).astype("datetime64[D]") - starts).astype(np.int64)
    dated: Days = starts + (np.minimum(day, lengths) - 1)
    return dated


def _most_common(numbers: Integers) -> int:
    values, counts = np.unique(numbers, return_counts=True)
    return int(values[counts.argmax()])
