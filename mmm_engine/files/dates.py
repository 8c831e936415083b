"""Dates in the forms in which exports write them; a date that can be read in two ways is refused.

Here: turning the cells of one column into days.
Not here: order, gaps and spacing of the days (rows/calendar.py, rows/contract.py).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmm_engine.array_types import Days
from mmm_engine.errors import Fault
from mmm_engine.files.cells import MISSING_WORDS, Flaw, Rows, faults_of, is_missing
from mmm_engine.files.yaml_document import shorten

_MIDNIGHT = r"(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?"
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_MIDNIGHT}")
_YEAR_LAST = re.compile(rf"([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([0-9]{{4}}){_MIDNIGHT}")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_WITH_TIME = re.compile(r"[0-9].*[T ][0-9]{1,2}:[0-9]{2}.*")
_WRITE_ISO = "write dates as YYYY-MM-DD"
_YEARS = (1900, 2200)


def read_dates(
    cells: pd.Series, column: str, row_numbers: Sequence[int]
) -> tuple[Days, list[Fault], str | None]:
    """The cells of a column as dates.

    Year first (ISO and its look-alikes) is taken as it stands. Day and month before the year are taken when
    some cell of the column has a part above 12 and no cell contradicts it; otherwise the column is ambiguous.

    Args:
        cells: Text, dates or timestamps at midnight, index 0, 1, ….
        column: Name of the column.
        row_numbers: Row number of each row.

    Returns:
        datetime64[D] of shape (row,) with NaT for faulty cells; the faults; and, when the order of day and
        month had to be worked out, a sentence that says how.
    """
    rows = Rows(row_numbers, np.full(len(cells), np.datetime64("NaT", "D")))
    dates: dict[int, datetime.date] = {}
    open_dates: dict[int, _YearLast] = {}
    flaws: dict[int, Flaw] = {}
    for index, cell in enumerate(cells):
        match _date_in(cell):
            case Flaw() as flaw:
                flaws[index] = flaw
            case _YearLast() as parts:
                open_dates[index] = parts
            case datetime.date() as date:
                dates[index] = date
    note = None
    if open_dates and dates:
        flaws |= _other_form(open_dates, dates, cells)
    elif open_dates:
        day_first, note, order_flaws = _order_of(open_dates, rows, column)
        flaws |= order_flaws
        for index, parts in open_dates.items():
            in_order = parts.date(day_first)
            if in_order is not None:
                dates[index] = in_order
            else:
                flaws.setdefault(index, _no_such_date(_text(cells[index])))
    days = rows.days.copy()
    for index in dates.keys() - flaws.keys():
        days[index] = np.datetime64(dates[index], "D")
    return days, faults_of(flaws, column, rows), note


def _other_form(
    open_dates: dict[int, _YearLast], dates: dict[int, datetime.date], cells: pd.Series
) -> dict[int, Flaw]:
    """Flaws of the cells that are written in the rarer of two forms."""
    wanted = "one form of date in the whole column (most rows have another)"
    rarer = list(open_dates) if len(open_dates) <= len(dates) else list(dates)
    return {index: Flaw(_text(cells[index]), wanted, _WRITE_ISO) for index in rarer}


@dataclass(frozen=True)
class _YearLast:
    """A date whose first two parts may be day and month or month and day."""

    first: int
    second: int
    year: int

    def __str__(self) -> str:
        return f"{self.first:02}/{self.second:02}/{self.year}"

    def date(self, day_first: bool) -> datetime.date | None:
        day, month = (self.first, self.second) if day_first else (self.second, self.first)
        return _date(self.year, month, day)


def _order_of(
    dates: dict[int, _YearLast], rows: Rows, column: str
) -> tuple[bool, str | None, dict[int, Flaw]]:
    """(whether the day comes first, a sentence that says what told so, flaws of cells that leave it open)."""
    day_first = [index for index, date in dates.items() if date.first > 12]
    month_first = [index for index, date in dates.items() if date.second > 12]
    if day_first and month_first:
        odd, usual = sorted((day_first, month_first), key=len)
        found = f"day and month in another order than {rows.label(usual[0])} has"
        wanted = "one order in the whole column"
        return usual is day_first, None, {index: Flaw(found, wanted, _WRITE_ISO) for index in odd}
    if day_first or month_first:
        order = "day/month/year" if day_first else "month/day/year"
        told = rows.label((day_first or month_first)[0])
        return bool(day_first), f"dates of column '{column}' were read as {order}, as {told} shows", {}
    wanted = "dates that can be read in one way only (no row here has a part above 12)"
    unclear = {
        index: Flaw(f"{date}, which is ambiguous", wanted, f"{_WRITE_ISO}, then nobody has to guess")
        for index, date in dates.items()
        if date.first != date.second
    }
    return True, None, unclear


def _date_in(cell: object) -> datetime.date | _YearLast | Flaw:
    """One cell as a date, as far as it can be told without the other cells."""
    if isinstance(cell, str):
        return _date_in_text(cell.strip())
    if is_missing(cell):
        return _missing()
    if isinstance(cell, datetime.datetime):
        if cell.time() != datetime.time():
            return _with_time(str(cell))
        cell = cell.date()
    if isinstance(cell, datetime.date):
        return cell if _YEARS[0] <= cell.year <= _YEARS[1] else _no_such_date(str(cell))
    if isinstance(cell, int | np.integer) and 0 <= cell < 10**8:
        return _date_in_text(str(cell))
    return Flaw(f"a {type(cell).__name__}", "a date", _WRITE_ISO)


def _date_in_text(text: str) -> datetime.date | _YearLast | Flaw:
    text, shown = text[:100], _text(text)  # no date is longer
    if text.lower() in MISSING_WORDS:
        return _missing()
    if match := _YEAR_LAST.fullmatch(text):
        return _YearLast(int(match[1]), int(match[3]), int(match[4]))
    if match := _YEAR_FIRST.fullmatch(text):
        parts = (int(match[1]), int(match[3]), int(match[4]))
    elif match := _COMPACT.fullmatch(text):
        parts = (int(match[1]), int(match[2]), int(match[3]))
    elif match := _MONTH.fullmatch(text):
        parts = (int(match[1]), int(match[2]), 1)
    elif re.fullmatch(r"[0-9]{5}(\.0)?", text):
        fix = f"format the column as dates before the export: {_WRITE_ISO}"
        return Flaw(f"{shown}, a spreadsheet's day number", "a date, not a number", fix)
    elif _WITH_TIME.fullmatch(text):
        return _with_time(shown)
    else:
        return Flaw(f"{shown}, which is no date", "a date", f"{_WRITE_ISO}; delete rows of totals and notes")
    date = _date(*parts)
    return _no_such_date(shown) if date is None else date


def _missing() -> Flaw:
    return Flaw("a missing date", "a date in every row", "fill in the date or delete the row")


def _with_time(shown: str) -> Flaw:
    found = f"{shown}, with a time of day or a time zone"
    return Flaw(found, "a date alone", f"{_WRITE_ISO}; one row is one day, week or month")


def _no_such_date(shown: str) -> Flaw:
    return Flaw(shown, f"a date that exists, from {_YEARS[0]} to {_YEARS[1]}", _WRITE_ISO)


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day) if _YEARS[0] <= year <= _YEARS[1] else None
    except ValueError:
        return None


def _text(cell: object) -> str:
    return shorten(cell if isinstance(cell, str) else str(cell), 30)
