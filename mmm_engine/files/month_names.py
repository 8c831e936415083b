"""Dates whose month is a word: "03 Jan 2022", "3. März 2022", "Jan-22".

Here: names of months in the languages of the exports that people bring.
Not here: dates of numbers alone (dates.py).
"""

from __future__ import annotations

import re
import unicodedata

# Beginnings that tell a month, accents left out: English, German, French, Spanish, Italian, Portuguese, Dutch, Danish.
_MONTHS: tuple[tuple[str, ...], ...] = (
    ("jan", "ene", "gen"), ("feb", "fev"), ("mar", "maerz", "mrt", "maart"), ("apr", "avr", "abr"),
    ("may", "mai", "mag", "mei", "maj"), ("jun", "juin", "giu"), ("jul", "juil", "lug"), ("aug", "aou", "ago"),
    ("sep", "set"), ("oct", "okt", "ott", "out"), ("nov",), ("dec", "dez", "dic"),
)  # fmt: skip
_WEEKDAY = r"(?:[^\W\d_]{2,12}\.?,? +)?"
_MIDNIGHT = r"(?:,? 0?0:00(?::00)?)?"
_DAY_FIRST = re.compile(
    rf"{_WEEKDAY}([0-9]{{1,2}})(?:st|nd|rd|th|er|\.)?[ ./-]*(?:de )?([^\W\d_]{{3,12}})"
    rf"\.?,?[ ./-]*(?:de )?([0-9]{{4}}|[0-9]{{2}}){_MIDNIGHT}"
)
_MONTH_FIRST = re.compile(
    rf"{_WEEKDAY}([^\W\d_]{{3,12}})\.?[ /-]*([0-9]{{1,2}})(?:st|nd|rd|th)?,? *[ /-]([0-9]{{4}}){_MIDNIGHT}"
)
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})[ /-]([^\W\d_]{{3,12}})\.?[ /-]([0-9]{{1,2}}){_MIDNIGHT}")
_MONTH_ALONE = re.compile(r"([^\W\d_]{3,12})\.?[ /-]*'?([0-9]{4}|[0-9]{2})")


def date_with_month_name(text: str) -> tuple[int, int, int] | None:
    """Year (perhaps of two digits), month and day; a month without a day is its first day. None for other texts.

    >>> date_with_month_name("03 Jan 2022"), date_with_month_name("3. März 2022"), date_with_month_name("Jan-22")
    ((2022, 1, 3), (2022, 3, 3), (22, 1, 1))
    """
    if match := _DAY_FIRST.fullmatch(text):
        day, name, year = match.groups()
    elif match := _MONTH_FIRST.fullmatch(text):
        name, day, year = match.groups()
    elif match := _YEAR_FIRST.fullmatch(text):
        year, name, day = match.groups()
    elif match := _MONTH_ALONE.fullmatch(text):
        (name, year), day = match.groups(), "1"
    else:
        return None
    month = _month(name)
    return None if month is None else (int(year), month, int(day))


def _month(name: str) -> int | None:
    letters = unicodedata.normalize("NFKD", name.lower())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return next((number for number, names in enumerate(_MONTHS, 1) if plain.startswith(names)), None)
