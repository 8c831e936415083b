"""Rows that say from when to when they go: "2024-01-01 - 2024-01-07", "01.01.-07.01.2024", "Jan 1 – Jan 7, 2024".

Here: the first and the last day as texts, the first one with the year that only the last one has.
Not here: what the texts mean (dates.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPACED = re.compile(r" +(?:[-–—~]|to|until|through|bis|au|al?|tot|t/m|til|till) +| *[–—] *", re.IGNORECASE)
_FROM = re.compile(r"(?:from|von|vom|du|dal?|del?) +", re.IGNORECASE)
_ISO = re.compile(r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})/([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})")
_TIGHT = re.compile(  # without space around the '-', which the dates themselves do not have
    r"([0-9]{8}|[0-9]{1,2}[./](?:[0-9]{1,2}(?:[./](?:[0-9]{4}|[0-9]{2})?)?)?)-([0-9]{8}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4})"
)
_DAYS_OF_MONTH = re.compile(  # "Jan 1-7, 2024"
    r"([^\W\d_]{3,12}\.? )([0-9]{1,2}) ?[-–—] ?([0-9]{1,2})(,? [0-9]{4})"
)
_DAYS_BEFORE_MONTH = re.compile(r"([0-9]{1,2}\.?) ?[-–—] ?([0-9]{1,2})(\.? [^\W\d_]{3,12}\.?,? [0-9]{4})")
_YEAR = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")
_NUMBERS_ALONE = re.compile(r"([0-9]{1,2})([./])(?:([0-9]{1,2})[./]?)?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})[./]([0-9]{1,2})[./]([0-9]{4}|[0-9]{2})")
_TIME_OF_DAY = re.compile(r"[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?$")
_OF_A_WEEK = re.compile(
    r"(?:w/c|wc|week (?:of|commencing|starting|beginning|from)|woche (?:ab|vom)):? +", re.IGNORECASE
)


@dataclass(frozen=True)
class DateRange:
    """The first and the last day of a row as texts.

    Attributes:
        first: With its year.
        last: Without a time of day: a range that ends at 23:59 ends on that day.
        year_is_of_last: Whether the first day had no year of its own, so that it may lie in the year before.
    """

    first: str
    last: str
    year_is_of_last: bool


def date_range(text: str) -> DateRange | None:
    """The range that a text says, None for other texts.

    >>> date_range("2024-01-01 - 2024-01-07")
    DateRange(first='2024-01-01', last='2024-01-07', year_is_of_last=False)
    >>> date_range("29.12.-04.01.2025")
    DateRange(first='29.12.2025', last='04.01.2025', year_is_of_last=True)
    """
    if match := _DAYS_OF_MONTH.fullmatch(text):
        month, first, last, year = match.groups()
        return DateRange(month + first + year, month + last + year, year_is_of_last=False)
    if match := _DAYS_BEFORE_MONTH.fullmatch(text):
        first, last, rest = match.groups()
        return DateRange(first + rest, last + rest, year_is_of_last=False)
    if match := _ISO.fullmatch(text) or _TIGHT.fullmatch(text):
        first, last = match.groups()
    else:
        parts = _SPACED.split(_FROM.sub("", text, count=1))
        if len(parts) != 2 or not all(re.search(r"[0-9]", part) for part in parts):
            return None
        first, last = parts
    last = _TIME_OF_DAY.sub("", last)
    whole = _with_year(first, last)
    return DateRange(whole, last, year_is_of_last=whole != first)


def without_word_of_week(text: str) -> str:
    """A date without the word that says that a week begins on it.

    >>> without_word_of_week("w/c 01/01/2024"), without_word_of_week("Week of Jan 1, 2024")
    ('01/01/2024', 'Jan 1, 2024')
    """
    return _OF_A_WEEK.sub("", text, count=1) if _OF_A_WEEK.match(text) else text


def _with_year(first: str, last: str) -> str:
    """The first day with what only the last one says: its year, or its month and its year."""
    numbers, ending = _NUMBERS_ALONE.fullmatch(first), _YEAR_LAST.fullmatch(last)
    if numbers and ending:
        mark = numbers[2]
        if numbers[3] is None:  # "1.-7.1.2024"
            return f"{numbers[1]}{mark}{ending[2]}{mark}{ending[3]}" if mark == "." else first
        return f"{numbers[1]}{mark}{numbers[3]}{mark}{ending[3]}"
    year = _YEAR.search(last)
    if year and not _YEAR.search(first) and re.search(r"[^\W\d_]", first):
        return f"{first} {year[0]}"
    return first
