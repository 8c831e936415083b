"""Cells as numbers, or the reason why not.

Here: turning the cells of one column into float64, one fault for each kind of faulty cell, names of rows.
Not here: opening files (table.py), dates (dates.py), rules across cells and columns (rows/contract.py).
"""

from __future__ import annotations

import decimal
import math
import numbers
import re
import unicodedata

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.errors import Fault
from mmm_engine.files.cells import MISSING_WORDS, Flaw, Rows, faults_of, is_missing
from mmm_engine.files.yaml_document import shorten

_LONGEST = 100  # characters of a number that somebody may have meant
MAX_NUMBER = 1e15  # squares of larger ones overflow in the checks, and no client earns or spends as much

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:[,' \u00a0\u202f][0-9]{3})+(?:\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9.]*,[0-9]+")
_IN_BRACKETS = re.compile(r"\([0-9.]+\)")
_EXCEL_ERRORS = frozenset({"#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#null!", "#num!"})
_INFINITE = frozenset({"inf", "infinity", "∞"})
_BOOLEANS = frozenset({"true", "false", "yes", "no"})


def read_numbers(cells: pd.Series, column: str, rows: Rows) -> tuple[Floats, list[Fault]]:
    """The cells of a column as numbers.

    Args:
        cells: Text or typed cells, index 0, 1, ….
        column: Name of the column.
        rows: Names of the rows.

    Returns:
        float64 of shape (row,) with NaN for faulty cells, and one fault for each kind of faulty cell.
    """
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_complex_dtype(cells.dtype):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        suspects = np.flatnonzero(~(np.abs(values) <= MAX_NUMBER))
        flaws = {int(index): _number_flaw(float(values[index])) for index in suspects}
    else:
        parsed = [_number(cell) for cell in cells]
        flaws = {index: value for index, value in enumerate(parsed) if isinstance(value, Flaw)}
        values = np.array(
            [math.nan if isinstance(value, Flaw) else value for value in parsed], dtype=np.float64
        )
    values = values + 0.0  # a copy that is ours, and -0.0 becomes 0.0
    values[list(flaws)] = np.nan
    return values, faults_of(flaws, column, rows)


def _number(cell: object) -> float | Flaw:
    """One cell as a number."""
    if isinstance(cell, str):
        text = cell.strip()
        if len(text) > _LONGEST:
            return Flaw(f"a text of {len(text)} characters", "a number", "write the plain number")
        if _NUMBER.fullmatch(text):
            value = float(text)
            return value if abs(value) <= MAX_NUMBER else _number_flaw(value)
        return _text_flaw(text)
    if isinstance(cell, bool | np.bool_):
        return float(cell)
    if isinstance(cell, numbers.Real | decimal.Decimal):
        try:
            value = float(cell)
        except (OverflowError, ValueError):
            value = math.inf
        return value if abs(value) <= MAX_NUMBER else _number_flaw(value)
    if is_missing(cell):
        return _number_flaw(math.nan)
    return Flaw(f"a {type(cell).__name__}", "a number", "write the plain number")


def _number_flaw(value: float) -> Flaw:
    """Why a number that was read cannot be used."""
    if math.isnan(value):
        return _missing("a missing value")
    if math.isinf(value):
        return Flaw("an infinite value", "a finite number", "replace it by the true number")
    return Flaw(f"{value:g}", f"a number up to {MAX_NUMBER:g}", "check the unit of this column")


def _missing(found: str) -> Flaw:
    fix = "write 0 where nothing was spent or counted, otherwise look the number up"
    return Flaw(found, "a number in every row", fix)


def _text_flaw(text: str) -> Flaw:
    """Why text is no plain number, with the remedy for the ways in which spreadsheets write numbers."""
    word, shown = text.lower(), shorten(text, 30)
    if word in MISSING_WORDS:
        return _missing(f"a missing value ({shown})" if text else "a blank cell")
    if word in _EXCEL_ERRORS:
        return Flaw(f"the error {shown}", "a number, not an error", "mend the formula and export again")
    if word.lstrip("+-") in _INFINITE:
        return _number_flaw(math.inf)
    if word in _BOOLEANS:
        return Flaw(f"the text {shown}", "1 or 0", "write 1 for yes and 0 for no")
    digits = re.sub(r"[^0-9.-]", "", text)
    instead = f"write {digits}" if len(digits) < 20 and _NUMBER.fullmatch(digits) else "write plain numbers"
    marks = re.sub(r"[^0-9.,-]", "", text)
    if _DECIMAL_COMMA.fullmatch(marks) and not _THOUSANDS.fullmatch(marks):
        instead = "write plain numbers with a point as the decimal mark"
    if _THOUSANDS.fullmatch(text):
        return Flaw(shown, "a number without thousands separators", f"{instead} (export without grouping)")
    if any(unicodedata.category(letter) == "Sc" for letter in text):
        return Flaw(shown, "a number without a currency sign", instead)
    if text.endswith("%"):
        return Flaw(shown, "a number without a percent sign", instead)
    if _DECIMAL_COMMA.fullmatch(text):
        return Flaw(shown, "a number with a decimal point", "export with a point as the decimal mark")
    if _IN_BRACKETS.fullmatch(text):
        return Flaw(shown, "a number without brackets", f"write -{digits[:20]} if it is negative")
    return Flaw(f"the text {shown}", "a number", "write plain numbers such as 1234.5 (no units, no notes)")
