"""Rows as text for other programs.

Here: CSV whose cells no spreadsheet runs as a formula.
Not here: tables for the terminal (tables.py).
"""

from __future__ import annotations

import re

from mmm_assets.types import DataFrame

_FORMULA = re.compile(r"^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")  # wide ones run in Excel for East Asia
_NUMBER = re.compile(r"^[-+]?[\d.]+(e[-+]?\d+)?$", re.IGNORECASE)


def csv_text(rows: DataFrame) -> str:
    """The rows as CSV; text that a spreadsheet would run as a formula starts with an apostrophe."""
    from pandas.api.types import is_numeric_dtype

    safe = {
        str(name): column if is_numeric_dtype(column) else column.map(plain_cell, na_action="ignore")
        for name, column in rows.items()
    }
    return str(rows.assign(**safe).rename(columns=plain_cell).to_csv(index=False, lineterminator="\r\n"))


def plain_cell(value: object) -> object:
    """A cell that stays text in a spreadsheet; anything but text is left as it is.

    >>> plain_cell("=1+1"), plain_cell("-5"), plain_cell("tv")
    ("'=1+1", '-5', 'tv')
    """
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.match(value):
        return f"'{value}"
    return value
