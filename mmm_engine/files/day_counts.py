"""Dates as numbers: days of a spreadsheet's calendar, seconds since 1970 as databases and browsers count them.

Here: telling from a whole column what its numbers count.
Not here: single cells (dates.py), 20240115 and 202403, which are dates as people read them.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mmm_engine.files.cells import is_blank
from mmm_engine.files.spacing import NEARLY_EVEN, evenness

_SPREADSHEET_DAYS = (32_874, 62_093)  # 1990 to 2069, where five digits are no year with a week
_FIRST_SPREADSHEET_DAY = datetime.date(1899, 12, 30)  # of the calendar that begins in 1900
_FIRST_SECOND = datetime.date(1970, 1, 1)
_SECONDS = (300_000_000, 4_000_000_000)  # 1979 to 2096
_PARTS = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}
_DAY = 86_400  # seconds
_WHOLE = re.compile(r"([0-9]{5,19})(?:\.0+)?")


@dataclass(frozen=True)
class CountedDays:
    """The dates of a column of numbers.

    Attributes:
        days: Date by the place of its cell, for all cells that are not blank.
        words: What the numbers were taken for.
    """

    days: Mapping[int, datetime.date]
    words: str


def counted_days(cells: Iterable[object]) -> CountedDays | None:
    """The dates of a column whose cells count days or seconds, all of them, so that the rows are days, weeks or months.

    Args:
        cells: Text or typed cells.

    Returns:
        None for other columns.

    >>> list(counted_days(["45292", "45299", "45306"]).days.values())[1]
    datetime.date(2024, 1, 8)
    """
    filled = {index: cell for index, cell in enumerate(cells) if not is_blank(cell)}
    counts = {}
    for index, cell in filled.items():
        count = _count(cell)
        if count is None:
            return None
        counts[index] = count
    if len(set(counts.values())) < 2:
        return None
    first, unit, words = _meaning(min(counts.values()), max(counts.values()))
    if not unit or any(count % unit for count in counts.values()):
        return None
    days = {index: first + datetime.timedelta(days=count // unit) for index, count in counts.items()}
    return CountedDays(days, words) if evenness(list(days.values())) >= NEARLY_EVEN else None


def may_count_days(cell: object) -> bool:
    """Whether a cell alone is a number that may count days or seconds; its column has to tell."""
    count = _count(cell)
    return count is not None and count >= _SPREADSHEET_DAYS[0]


def _meaning(least: int, most: int) -> tuple[datetime.date, int, str]:
    """(the day of number 0, how much a day counts, in words); 0 where nothing is counted so."""
    if _SPREADSHEET_DAYS[0] <= least <= most <= _SPREADSHEET_DAYS[1]:
        return _FIRST_SPREADSHEET_DAY, 1, "numbers are days of a spreadsheet's calendar that begins in 1900"
    for parts, name in _PARTS.items():
        if _SECONDS[0] * parts <= least <= most <= _SECONDS[1] * parts:
            return _FIRST_SECOND, _DAY * parts, f"numbers are {name} since 1970, at midnight in Greenwich"
    return _FIRST_SECOND, 0, ""


def _count(cell: object) -> int | None:
    """A cell as a whole number, None where it is none."""
    if isinstance(cell, str):
        match = _WHOLE.fullmatch(cell.strip())
        return None if match is None else int(match[1])
    if isinstance(cell, bool | np.bool_):
        return None
    if isinstance(cell, int | np.integer):
        return int(cell)
    return int(cell) if isinstance(cell, float | np.floating) and float(cell).is_integer() else None
