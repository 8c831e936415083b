"""Weeks by their number: "2024-W05", "KW 5 2024", "202405", which may be a month as well.

Here: reading them, telling weeks from months.
Not here: dates of days (dates.py), from when to when a week goes (date_ranges.py).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mmm_engine.files.spacing import NEARLY_EVEN, evenness

# Words for "week" in English, German, French, Spanish, Italian, Portuguese, Dutch, the Scandinavian languages.
_WORD = r"(?:w|wk|week|cw|kw|woche|semaine|semana|settimana|uge|uke|vecka)\b\.?|(?:w|kw|cw|wk)(?=[0-9])"
_MARK = r"[ ,./-]*"
_YEAR_FIRST = re.compile(rf"([0-9]{{4}}){_MARK}(?:{_WORD}){_MARK}([0-9]{{1,2}})(?:-([1-7]))?", re.IGNORECASE)
_WEEK_FIRST = re.compile(
    rf"(?:{_WORD}) *([0-9]{{1,2}})(?:{_MARK}(?:of )?([0-9]{{4}})| ?/ ?([0-9]{{2}}))?", re.IGNORECASE
)
_NUMBER_FIRST = re.compile(rf"([0-9]{{1,2}})\. ?(?:{_WORD}){_MARK}([0-9]{{4}})", re.IGNORECASE)
_NUMBERS = re.compile(r"([0-9]{4})([-/.]?)([0-9]{1,2})")
_YEAR_LAST = re.compile(r"([0-9]{1,2}) ?[-/.] ?([0-9]{4})")


@dataclass(frozen=True)
class NumberedWeek:
    """A week that has a number; ``year`` is None where nobody says it, ``weekday`` 1 where none is said."""

    year: int | None
    number: int
    weekday: int = 1

    def date(self) -> datetime.date | None:
        """The day under ISO 8601, in which weeks begin on Monday; None where the year has no such week."""
        try:
            return datetime.date.fromisocalendar(self.year or 0, self.number, self.weekday)
        except ValueError:
            return None


@dataclass(frozen=True)
class YearAndNumber:
    """A year and a number that is a month or a week; ``is_plain`` where no mark stands between them."""

    year: int
    number: int
    is_plain: bool

    def __str__(self) -> str:
        return f"{self.year}{'' if self.is_plain else '-'}{self.number:02}"

    def date(self, meaning: Literal["month", "week"]) -> datetime.date | None:
        """The first day of the month or of the ISO week, None where there is none."""
        if meaning == "week":
            return NumberedWeek(self.year, self.number).date()
        return datetime.date(self.year, self.number, 1) if 1 <= self.number <= 12 and self.year else None


def numbered_week(text: str) -> NumberedWeek | None:
    """The week that a text names by its number, None for other texts.

    >>> numbered_week("KW 5 2024"), numbered_week("2024-W05"), numbered_week("week 5")
    (NumberedWeek(year=2024, number=5, weekday=1), NumberedWeek(year=2024, number=5, weekday=1), \
NumberedWeek(year=None, number=5, weekday=1))
    """
    if match := _YEAR_FIRST.fullmatch(text):
        return NumberedWeek(int(match[1]), int(match[2]), int(match[3] or 1))
    if match := _NUMBER_FIRST.fullmatch(text):
        return NumberedWeek(int(match[2]), int(match[1]))
    if match := _WEEK_FIRST.fullmatch(text):
        year = match[2] or (f"20{match[3]}" if match[3] else None)
        return NumberedWeek(None if year is None else int(year), int(match[1]))
    return None


def year_and_number(text: str) -> YearAndNumber | None:
    """A year and a number beside it, which may be a month or a week.

    >>> year_and_number("202405"), year_and_number("5/2024"), year_and_number("2024")
    (YearAndNumber(year=2024, number=5, is_plain=True), YearAndNumber(year=2024, number=5, is_plain=False), None)
    """
    if match := _YEAR_LAST.fullmatch(text):
        return YearAndNumber(int(match[2]), int(match[1]), is_plain=False)
    match = _NUMBERS.fullmatch(text)
    if match is None or (not match[2] and len(match[3]) == 1):
        return None
    return YearAndNumber(int(match[1]), int(match[3]), is_plain=not match[2])


def months_or_weeks(parts: Mapping[int, YearAndNumber]) -> Literal["month", "week"] | None:
    """What the numbers of a column are: months as long as none lies above 12, or as weeks would not follow each other.

    "2024-05" is a month wherever it stands (ISO 8601). "202405" is either, and only the rows can tell: thirteen weeks
    that follow each other have a number above 12, months that do so are no weeks that do.

    Returns:
        None where the rows do not tell.
    """
    texts = parts.values()
    weeks, months = (
        _evenness([one.date("week") for one in texts]),
        _evenness([one.date("month") for one in texts]),
    )
    if months is None:
        most = sum(one.number > 12 for one in texts) > len(parts) / 2  # of a year's weeks three quarters
        return "week" if weeks is not None and (most or weeks >= NEARLY_EVEN) else "month"
    if all(one.is_plain for one in texts) and weeks == 1.0 and len(parts) > 1:
        return None if months == 1.0 else "week"
    return "month"


def _evenness(days: Sequence[datetime.date | None]) -> float | None:
    """How evenly the days lie, None where one does not exist."""
    existing = [day for day in days if day is not None]
    return evenness(existing) if len(existing) == len(days) else None
