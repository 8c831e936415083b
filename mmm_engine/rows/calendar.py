"""Days, weeks and months as the spacing of a client's rows.

Here: `Calendar`, the dates of rows together with their period: which dates there should be, which come next, which days
a row covers, how many rows make a season and a year; the period that dates show.
Not here: what happens when dates are missing (contract.py), dates as people write them (files/dates.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from mmm_engine.array_types import Days, Floats, Integers

Period = Literal["day", "week", "month"]

DAYS_PER_YEAR = 365.25
DAYS_PER_ROW: dict[Period, float] = {"day": 1.0, "week": 7.0, "month": DAYS_PER_YEAR / 12.0}
"""Days that a row stands for; of months the mean."""
YEAR_BACK: dict[Period, int] = {"day": 364, "week": 52, "month": 12}
"""Rows from a row to the one a year before that is like it: days go back to the same day of the week."""

_PERIODS_PER_YEAR: dict[Period, int] = {"day": 365, "week": 52, "month": 12}
SEASON_LENGTH: dict[Period, int] = {"day": 7, "week": 52, "month": 12}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TYPICAL_STEPS: dict[Period, tuple[int, int]] = {"day": (1, 1), "week": (7, 7), "month": (28, 31)}
_SHORTEST_MONTH = 28


@dataclass(frozen=True, eq=False)
class Calendar:
    """The dates of rows and the period between them; a value that cannot be changed.

    Attributes:
        days: Date of each row, ascending, kept as datetime64[D], shape (date,).
        period: What one row is.

    >>> Calendar(np.array(["2024-01-31", "2024-02-29"], dtype="datetime64[D]"), "month").next_days(2)
    array(['2024-03-31', '2024-04-30'], dtype='datetime64[D]')
    """

    days: Days
    period: Period

    def __post_init__(self) -> None:
        days = np.array(self.days, dtype="datetime64[D]")  # a copy, so that nobody else can write to it
        days.flags.writeable = False
        object.__setattr__(self, "days", days)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.days)

    @property
    def periods(self) -> str:
        """The period in the plural, for messages: "days", "weeks" or "months"."""
        return f"{self.period}s"

    @property
    def periods_per_year(self) -> int:
        """Rows in a year: 365 days, 52 weeks or 12 months."""
        return _PERIODS_PER_YEAR[self.period]

    @property
    def season_length(self) -> int:
        """Rows after which the strongest season returns: 7 days, 52 weeks or 12 months."""
        return SEASON_LENGTH[self.period]

    @property
    def weekdays(self) -> Integers:
        """Day of the week of each row, 0 (Monday) to 6, shape (date,)."""
        return _weekday_numbers(self.days)

    def shared_days(self, start: np.datetime64, end: np.datetime64) -> Floats:
        """How many of the days from one to another each row covers, shape (date,)."""
        first, last = self.covered_days
        return np.maximum(
            (np.minimum(last, end) - np.maximum(first, start)) / np.timedelta64(1, "D") + 1.0, 0.0
        )

    @property
    def year_back(self) -> int:
        """Rows from a row to the one a year before that is like it: days go back to the same day of the week."""
        return YEAR_BACK[self.period]

    def first(self, rows: int) -> Calendar:
        """The calendar of the first ``rows`` rows."""
        return Calendar(self.days[:rows], self.period)

    def extended(self, count: int) -> Calendar:
        """The calendar of these rows and of the ``count`` rows that follow them."""
        return Calendar(np.concatenate([self.days, self.next_days(count)]), self.period)

    def next_days(self, count: int) -> Days:
        """The ``count`` dates that follow the last one, shape (count,)."""
        steps = np.arange(1, count + 1)
        if self.period == "month":
            return _in_months(_months(self.days[-1:]) + steps, _anchor_day(self.days))
        following: Days = self.days[-1] + steps * (1 if self.period == "day" else 7)
        return following

    def expected_days(self) -> Days:
        """All dates that there should be from the first date to the last, ascending.

        Weeks start on the weekday that most rows have; months on the day that most rows have, or on the last day
        of a month that is too short for it.
        """
        days = self.days
        everyday: Days = days[0] + np.arange(int((days[-1] - days[0]).astype(np.int64)) + 1)
        if self.period == "day":
            return everyday
        if self.period == "week":
            expected: Days = everyday[_weekday_numbers(everyday) == _most_common(_weekday_numbers(days))]
            return expected
        dated = _in_months(np.unique(_months(everyday)), _anchor_day(days))
        within: Days = dated[(dated >= days[0]) & (dated <= days[-1])]
        return within

    @cached_property
    def covered_days(self) -> tuple[Days, Days]:
        """The first and the last day of each row, shape (date,) each; the dates must have no gaps.

        A row is dated by its first day and lasts until the next one; months that are dated by their last day are
        whole calendar months.

        >>> months = Calendar(np.array(["2024-01-31", "2024-02-29"], dtype="datetime64[D]"), "month")
        >>> months.covered_days[0]
        array(['2024-01-01', '2024-02-01'], dtype='datetime64[D]')
        """
        if self.period == "month" and (_in_months(_months(self.days), 31) == self.days).all():
            return _months(self.days).astype("datetime64[D]"), self.days
        return self.days, np.append(self.days[1:], self.next_days(1)) - np.timedelta64(1, "D")

    def row_of(self, day: str) -> int | None:
        """The row that covers a day (YYYY-MM-DD), None outside the rows; the dates must have no gaps."""
        first, last = self.covered_days
        row = int(np.searchsorted(last, np.datetime64(day)))
        return row if row < len(self) and first[row] <= np.datetime64(day) else None


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
