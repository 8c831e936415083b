"""Dates in the forms in which exports write them; a date that can be read in two ways is refused.

Here: turning the cells of one column into days.
Not here: names of months (month_names.py), weeks by number (week_numbers.py), ranges as texts (date_ranges.py), order,
gaps and spacing of the days (rows/calendar.py, rows/contract.py).
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmm_engine.array_types import Days
from mmm_engine.errors import Fault
from mmm_engine.files.cells import MISSING_WORDS, Flaw, Rows, faults_of, is_missing, kind_of
from mmm_engine.files.date_ranges import DateRange, date_range, without_word_of_week
from mmm_engine.files.day_counts import counted_days
from mmm_engine.files.month_names import date_with_month_name
from mmm_engine.files.spacing import NEARLY_EVEN, evenness
from mmm_engine.files.table_form import DateOrder
from mmm_engine.files.week_numbers import YearAndNumber, months_or_weeks, numbered_week, year_and_number
from mmm_engine.files.yaml_document import shorten

_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?))?"
_MIDNIGHT = rf"(?:[T ](?:0?0:00(?::00(?:\.0+)?)?|12:00(?::00)? ?[aA][mM]){_ZONE})?"
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/.]) ?([0-9]{{1,2}})\2 ?([0-9]{{1,2}})\.?{_MIDNIGHT}")
_YEAR_LAST = re.compile(rf"([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([0-9]{{4}}){_MIDNIGHT}")
_SHORT_YEAR = re.compile(rf"([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([0-9]{{2}}){_MIDNIGHT}")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_IN_EAST_ASIA = re.compile(r"([0-9]{4}) ?[年년] ?([0-9]{1,2}) ?[月월](?: ?([0-9]{1,2}) ?[日일])?")
_MONTH_WITH_M = re.compile(r"([0-9]{4})[- ]?M([0-9]{2})")
_QUARTER = re.compile(r"[0-9]{4}[-/ ]?Q[1-4]|Q[1-4][-/ ]?[0-9]{4}", re.IGNORECASE)
_ISO_WEEK = re.compile(r"[0-9]{4}-?[Ww][0-9]{1,2}")
_WITH_TIME = re.compile(r"[0-9].*[T ][0-9]{1,2}:[0-9]{2}.*")
_WRITE_ISO = "write dates as YYYY-MM-DD"
_YEARS = (1900, 2200)
_LONGEST = 100  # characters of a date
_CENTURY = 69  # years of two digits from here on are those of the last century, as POSIX has it


@dataclass(frozen=True)
class OrderShown:
    """An order of day, month and year that had to be worked out.

    Attributes:
        order: The order.
        reason: What shows it, in words.
    """

    order: DateOrder
    reason: str

    def sentence(self, column: str) -> str:
        """What was taken, and why."""
        return f"dates of column '{column}' were read as {self.order}, as {self.reason} shows"


def read_dates(
    cells: pd.Series, column: str, row_numbers: Sequence[int], order: DateOrder | None = None
) -> tuple[Days, list[Fault], OrderShown | None]:
    """The cells of a column as dates.

    Year first (ISO and its look-alikes) is taken as it stands, and so are months by name in any of eight languages and
    weeks by number, which are those of ISO 8601 and dated by their Monday. A row that says from when to when it goes is
    dated by its first day. A column of numbers may count days or seconds (`day_counts`). Day and month before the year
    are taken when some cell of the column has a part above 12 and no cell contradicts it. Years of two digits may stand
    first or last: the order is the only one that gives days, weeks or months without disorder. "202405" is a month or a
    week, whichever lets the rows follow each other. A column that can be read in two ways is ambiguous.

    Args:
        cells: Text, dates or timestamps at midnight, index 0, 1, ….
        column: Name of the column.
        row_numbers: Row number of each row.
        order: Of day, month and year, when somebody says it.

    Returns:
        datetime64[D] of shape (row,) with NaT for faulty cells; the faults; and the order of day, month and year, when
        it had to be worked out.
    """
    rows = Rows.undated(row_numbers)
    counted = counted_days(cells)
    firsts, lasts = _first_and_last(cells, {} if counted is None else counted.days)
    flaws = {index: part for index, part in firsts.items() if isinstance(part, Flaw)}
    open_dates = {index: part for index, part in firsts.items() if isinstance(part, ThreeParts)}
    dates = {index: part for index, part in firsts.items() if isinstance(part, datetime.date)}
    if numbered := {index: part for index, part in firsts.items() if isinstance(part, YearAndNumber)}:
        in_numbers = _of_numbers(numbered, is_alone=not dates and not open_dates)
        dates |= {index: part for index, part in in_numbers.items() if isinstance(part, datetime.date)}
        flaws |= {index: part for index, part in in_numbers.items() if isinstance(part, Flaw)}
    taken: DateOrder = order or "day/month/year"
    shown = None
    if open_dates and dates:
        flaws |= _other_form(open_dates, dates, cells)
    elif open_dates:
        ends = {index: last for index, (_, last) in lasts.items() if isinstance(last, ThreeParts)}
        telling = {index: ends[index] for index in ends if ends[index].tells and not open_dates[index].tells}
        taken, shown, order_flaws = _order_of(open_dates | telling, rows, order)
        flaws |= order_flaws
        for index, parts in open_dates.items():
            in_order = parts.date(taken)
            if in_order is not None:
                dates[index] = in_order
            else:
                flaws.setdefault(index, _no_such_date(_text(cells[index])))
    flaws |= _set_right_by_ends(dates, lasts, taken, cells)
    days = rows.days.copy()
    for index in dates.keys() - flaws.keys():
        days[index] = np.datetime64(dates[index], "D")
    return days, faults_of(flaws, column, rows), shown


def looks_like_a_date(cell: object) -> bool:
    """Whether a cell says a day, a week, a month or a range of days, in whatever order its parts stand.

    >>> looks_like_a_date("03/04/2024"), looks_like_a_date("Total"), looks_like_a_date("")
    (True, False, False)
    """
    if not isinstance(_date_in(cell), Flaw):
        return True
    return isinstance(cell, str) and date_range(cell.strip()[:_LONGEST]) is not None


def words_of_dates(cells: Iterable[object]) -> Iterator[str]:
    """What was taken for granted where a column has no dates of days, in words.

    >>> list(words_of_dates(["KW 5 2024", "KW 6 2024"]))
    ['weeks by number are those of ISO 8601, dated by their Monday']
    """
    if (counted := counted_days(cells := list(cells))) is not None:
        yield counted.words
    texts = [str(cell).strip()[:_LONGEST] for cell in cells if isinstance(cell, str | int | np.integer)]
    numbers = {index: one for index, text in enumerate(texts) if (one := year_and_number(text))}
    are_weeks = len(numbers) == len(texts) > 0 and months_or_weeks(numbers) == "week"
    if are_weeks or any(numbered_week(text) and not _ISO_WEEK.fullmatch(text) for text in texts):
        yield "weeks by number are those of ISO 8601, dated by their Monday"
    if any(date_range(text) and not numbered_week(text) for text in texts):
        yield "rows that say from when to when they go are dated by their first day"


def _first_and_last(
    cells: pd.Series, counted: Mapping[int, datetime.date]
) -> tuple[dict[int, _Read], dict[int, tuple[DateRange, _Read]]]:
    """What each cell says, of a range its first day; and of the ranges what they say of their last one."""
    firsts, lasts = {}, {}
    for index, cell in enumerate(cells):
        part = counted.get(index) or _date_in(cell)
        span = (
            date_range(cell.strip()[:_LONGEST]) if isinstance(part, Flaw) and isinstance(cell, str) else None
        )
        if span is not None:
            part, last = _date_in_text(span.first), _date_in_text(span.last)
            lasts[index] = span, last
            part = last if isinstance(last, Flaw) else part
        firsts[index] = part
    return firsts, lasts


def _of_numbers(numbered: Mapping[int, YearAndNumber], *, is_alone: bool) -> dict[int, datetime.date | Flaw]:
    """The dates of years with a month or a week; beside other dates they are months."""
    meaning = months_or_weeks(numbered) if is_alone else "month"
    if meaning is None:
        wanted, fix = "dates that can be read in one way only", "write months as 2024-05, weeks as 2024-W05"
        return {
            index: Flaw(f"{one}, which is month {one.number} or week {one.number}", wanted, fix)
            for index, one in numbered.items()
        }
    return {
        index: _in_years(one.date(meaning)) or _no_such_date(f"'{one}'") for index, one in numbered.items()
    }


def _set_right_by_ends(
    dates: dict[int, datetime.date],
    lasts: Mapping[int, tuple[DateRange, _Read]],
    order: DateOrder,
    cells: pd.Series,
) -> dict[int, Flaw]:
    """Flaws of ranges that end before they begin, or after the next one begins; the year of first days set right."""
    ends: dict[int, datetime.date] = {}
    flaws = {}
    for index in dates.keys() & lasts.keys():
        span, part = lasts[index]
        last = part.date(order) if isinstance(part, ThreeParts) else part
        if not isinstance(last, datetime.date):
            flaws[index] = _no_such_date(_text(cells[index]))
            continue
        if dates[index] > last and span.year_is_of_last:
            dates[index] = _date(last.year - 1, dates[index].month, dates[index].day) or dates[index]
        if dates[index] > last:
            wanted = "a range that ends after it begins"
            flaws[index] = Flaw(_text(cells[index]), wanted, "correct the dates of this row")
        ends[index] = last
    ascending = sorted(ends.keys() - flaws.keys(), key=lambda index: dates[index])
    for index, after in itertools.pairwise(ascending):
        if dates[index] < dates[after] < ends[index]:
            found = f"{_text(cells[index])}, which goes on while the next row begins ({dates[after]})"
            fix = "export what belongs to each period alone: days in two rows count twice"
            flaws[index] = Flaw(found, "ranges that follow each other", fix)
    return flaws


def _other_form(
    open_dates: dict[int, ThreeParts], dates: dict[int, datetime.date], cells: pd.Series
) -> dict[int, Flaw]:
    """Flaws of the cells that are written in the rarer of two forms."""
    wanted = "one form of date in the whole column (most rows have another)"
    rarer = list(open_dates) if len(open_dates) <= len(dates) else list(dates)
    return {index: Flaw(_text(cells[index]), wanted, _WRITE_ISO) for index in rarer}


@dataclass(frozen=True)
class ThreeParts:
    """A date of three numbers whose order the other cells tell; only its last one may have four digits."""

    first: int
    second: int
    third: int
    has_short_year: bool

    def __str__(self) -> str:
        year = f"{self.third:02}" if self.has_short_year else str(self.third)
        return f"{self.first:02}/{self.second:02}/{year}"

    @property
    def tells(self) -> bool:
        """Whether one of its parts can only be a day."""
        return not self.has_short_year and max(self.first, self.second) > 12

    def date(self, order: DateOrder) -> datetime.date | None:
        """The date under an order, None where there is no such day."""
        place = {name: index for index, name in enumerate(order.split("/"))}
        parts = (self.first, self.second, self.third)
        year, month, day = (parts[place[name]] for name in ("year", "month", "day"))
        if self.has_short_year:
            year = _with_century(year)
        return _date(year, month, day)


_Read = datetime.date | ThreeParts | YearAndNumber | Flaw
"""What one cell says, as far as it can be told without the others."""


def _order_of(
    dates: dict[int, ThreeParts], rows: Rows, said: DateOrder | None
) -> tuple[DateOrder, OrderShown | None, dict[int, Flaw]]:
    """(the order that is taken, what shows it if it had to be worked out, flaws of cells that leave it open)."""
    if said is not None:
        return said, None, {}
    if any(date.has_short_year for date in dates.values()):
        return _order_of_short_years(dates, rows)
    day_first = [index for index, date in dates.items() if date.first > 12]
    month_first = [index for index, date in dates.items() if date.second > 12]
    if day_first and month_first:
        odd, usual = sorted((day_first, month_first), key=len)
        found = f"day and month in another order than {rows.label(usual[0])} has"
        wanted = "one order in the whole column"
        order: DateOrder = "day/month/year" if usual is day_first else "month/day/year"
        return order, None, {index: Flaw(found, wanted, _WRITE_ISO) for index in odd}
    if day_first or month_first:
        order = "day/month/year" if day_first else "month/day/year"
        return order, OrderShown(order, rows.label((day_first or month_first)[0])), {}
    wanted = "dates that can be read in one way only (no row here has a part above 12)"
    return "day/month/year", None, _unclear(dates, wanted, "day/month/year")


def _order_of_short_years(
    dates: dict[int, ThreeParts], rows: Rows
) -> tuple[DateOrder, OrderShown | None, dict[int, Flaw]]:
    """The same for years of two digits: the only order under which the rows are as evenly spaced as rows should be."""
    orders: tuple[DateOrder, ...] = ("day/month/year", "month/day/year", "year/month/day")
    possible = {order: [date.date(order) for date in dates.values()] for order in orders}
    whole = [order for order in orders if None not in possible[order]]
    even_share = {order: evenness([day for day in possible[order] if day is not None]) for order in whole}
    even = [order for order in whole if even_share[order] == 1.0]
    even = even or [order for order in whole if even_share[order] >= NEARLY_EVEN]
    chosen = even or whole
    if len(chosen) == 1:
        return chosen[0], OrderShown(chosen[0], "the spacing of the rows" if even else "every row"), {}
    wanted = "dates that can be read in one way only (years have two digits here)"
    return orders[0], None, _unclear(dates, wanted, chosen[0] if chosen else orders[0])


def _unclear(dates: dict[int, ThreeParts], wanted: str, example: DateOrder) -> dict[int, Flaw]:
    fix = f"{_WRITE_ISO}, or say the order: 'csv: {{dates: {example}}}' (mmm add: --dates {example})"
    return {
        index: Flaw(f"{date}, which is ambiguous", wanted, fix)
        for index, date in dates.items()
        if date.first != date.second or date.has_short_year
    }


def _date_in(cell: object) -> _Read:
    """One cell as a date, as far as it can be told without the other cells."""
    if isinstance(cell, str):
        return _date_in_text(cell.strip())
    if is_missing(cell):
        return _missing()
    if isinstance(cell, pd.Period):
        cell = cell.start_time.date()
    if isinstance(cell, datetime.datetime):
        cell = _without_noise(cell)
        if cell.time() != datetime.time():
            return _with_time(str(cell))
        cell = cell.date()
    if isinstance(cell, datetime.date):
        return cell if _YEARS[0] <= cell.year <= _YEARS[1] else _no_such_date(str(cell))
    if isinstance(cell, int | np.integer) and 0 <= cell < 10**8:
        return _date_in_text(str(cell))
    return Flaw(kind_of(cell), "a date", _WRITE_ISO)


def _without_noise(moment: datetime.datetime) -> datetime.datetime:
    """A moment without the part of a second by which spreadsheets, which count days in fractions, miss midnight."""
    second = moment.replace(microsecond=0)
    return second + datetime.timedelta(seconds=1) if moment.microsecond >= 500_000 else second


def _date_in_text(text: str) -> _Read:
    shown, text = _text(text), without_word_of_week(text[:_LONGEST])
    if text.lower() in MISSING_WORDS:
        return _missing()
    if match := _YEAR_LAST.fullmatch(text):
        return ThreeParts(int(match[1]), int(match[3]), int(match[4]), has_short_year=False)
    if match := _SHORT_YEAR.fullmatch(text):
        return ThreeParts(int(match[1]), int(match[3]), int(match[4]), has_short_year=True)
    if match := _YEAR_FIRST.fullmatch(text):
        parts = (int(match[1]), int(match[3]), int(match[4]))
    elif match := _COMPACT.fullmatch(text):
        parts = (int(match[1]), int(match[2]), int(match[3]))
    elif (numbered := year_and_number(text)) is not None:
        return numbered
    elif match := _IN_EAST_ASIA.fullmatch(text) or _MONTH_WITH_M.fullmatch(text):
        day = match[3] if match.re is _IN_EAST_ASIA else None
        parts = (int(match[1]), int(match[2]), int(day or 1))
    elif (week := numbered_week(text)) is not None:
        if week.year is None:
            return Flaw(f"{shown}, a week without its year", "a date", "write the year too: 2024-W05")
        wanted = "a week that the year has under ISO 8601 (52, some years 53, from Monday to Sunday)"
        return _in_years(week.date()) or Flaw(shown, wanted, f"{_WRITE_ISO}: the first day of the week")
    elif (named := date_with_month_name(text)) is not None:
        parts = (named[0] if named[0] >= 100 else _with_century(named[0]), *named[1:])
    elif re.fullmatch(r"[0-9]{5}(\.0)?", text):
        fix = f"format the column as dates before the export: {_WRITE_ISO}"
        return Flaw(f"{shown}, a spreadsheet's day number", "a date, not a number", fix)
    elif re.fullmatch(r"[0-9]{1,2}", text):
        return Flaw(f"{shown}, a week or month without its year", "a date", "write the year too: 2024-W05")
    elif _QUARTER.fullmatch(text):
        return Flaw(f"{shown}, a quarter", "a day, a week or a month", "export the rows by week or month")
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


def _with_century(year: int) -> int:
    return year + (1900 if year >= _CENTURY else 2000)


def _in_years(date: datetime.date | None) -> datetime.date | None:
    """The date if it lies in years that rows can have."""
    return date if date is not None and _YEARS[0] <= date.year <= _YEARS[1] else None


def _text(cell: object) -> str:
    return shorten(cell if isinstance(cell, str) else str(cell), 30)
