"""Cells as numbers, or the reason why not.

Here: turning the cells of one column into float64, one fault for each kind of faulty cell, names of rows.
Not here: opening files (table.py), which decimal mark a table has (decimal_marks.py), currencies (money_words.py),
dates (dates.py), rules across cells and columns (rows/contract.py).
"""

from __future__ import annotations

import decimal
import math
import numbers
import re

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.errors import Fault
from mmm_engine.files.cells import MISSING_WORDS, Flaw, Rows, faults_of, is_missing, kind_of
from mmm_engine.files.money_words import money_word, without_money
from mmm_engine.files.table_form import DecimalMark
from mmm_engine.files.yaml_document import shorten

_LONGEST = 100  # characters of a number that somebody may have meant
MAX_NUMBER = 1e15  # squares of larger ones overflow in the checks, and no client earns or spends as much

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_SPACES = " '’\u00a0\u2007\u2009\u202f"  # between thousands, whatever the decimal mark
_IN_GROUPS = {
    mark: re.compile(
        rf"[+-]?[0-9]{{1,3}}(?:([{other}{_SPACES}])[0-9]{{3}}(?:\1[0-9]{{3}})*)(?:{escaped}[0-9]*)?"
    )
    for mark, other, escaped in ((".", ",", r"\."), (",", ".", ","))
}
_IN_LAKHS = re.compile(r"[+-]?[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]*)?")  # 12,34,567.50, as in India
_OPEN = re.compile(r"[+-]?[0-9]{1,3}[.,][0-9]{3}")
_IN_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_BELOW_THOUSAND = re.compile(r"[+-]?[0-9]{1,3}")
_FEW = 3  # cells that may have three digits behind the mark by chance
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[.,][0-9]{3})*(?:[.,][0-9]*)?")
_IN_BRACKETS = re.compile(r"\([0-9.]+\)")
_MINUS_BEHIND = re.compile(r"([0-9][0-9., ]*)[-\N{MINUS SIGN}]")
_EXCEL_ERRORS = frozenset({"#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#null!", "#num!"})
_INFINITE = frozenset({"inf", "infinity", "∞"})
_BOOLEANS = frozenset({"true", "false", "yes", "no"})


def read_numbers(
    cells: pd.Series,
    column: str,
    rows: Rows,
    decimal_mark: DecimalMark | None = ".",
    *,
    is_mark_said: bool = True,
) -> tuple[Floats, list[Fault]]:
    """The cells of a column as numbers.

    Thousands may be grouped by spaces, apostrophes or the mark that is not the decimal mark, and one and the same
    currency sign or code may stand before or after the numbers of a column.

    Args:
        cells: Text or typed cells, index 0, 1, ….
        column: Name of the column.
        rows: Names of the rows.
        decimal_mark: That of the table; None when nothing tells, so that '1.234' and '1,234' are faults.
        is_mark_said: Whether somebody says that mark. Where the other cells of the table tell it, a column that looks
            grouped by it ('818', '1.257') is a fault: read as decimals, the one would be 650 times the other.

    Returns:
        float64 of shape (row,) with NaN for faulty cells, and one fault for each kind of faulty cell.
    """
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_complex_dtype(cells.dtype):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        suspects = np.flatnonzero(~(np.abs(values) <= MAX_NUMBER))
        flaws = {int(index): _number_flaw(float(values[index])) for index in suspects}
    else:
        sign = money_word(cells)
        parsed = [_number(cell, decimal_mark, sign) for cell in cells]
        flaws = {index: value for index, value in enumerate(parsed) if isinstance(value, Flaw)}
        if decimal_mark is not None and not is_mark_said:
            flaws |= _perhaps_grouped(cells, decimal_mark, sign)
        values = np.array(
            [math.nan if isinstance(value, Flaw) else value for value in parsed], dtype=np.float64
        )
    values = values + 0.0  # a copy that is ours, and -0.0 becomes 0.0
    values[list(flaws)] = np.nan
    return values, faults_of(flaws, column, rows)


def _perhaps_grouped(cells: pd.Series, decimal_mark: DecimalMark, sign: str) -> dict[int, Flaw]:
    """The cells of a column in which the decimal mark of the table seems to group thousands.

    Then three digits follow it in every cell that has it, and cells without it are whole numbers below a thousand;
    decimals of three digits would end in a zero, or be whole, only where they are written with their zeros.
    """
    texts = {
        index: _bare(cell.strip(), sign)
        for index, cell in enumerate(cells)
        if isinstance(cell, str) and len(cell) <= _LONGEST
    }
    grouped = {index: text for index, text in texts.items() if _IN_THOUSANDS.fullmatch(text)}
    others = {text for index, text in texts.items() if index not in grouped}
    if (
        len(set(grouped.values())) <= _FEW
        or any(decimal_mark not in text for text in grouped.values())
        or not any(text.strip("+-0") for text in others)
        or not all(_BELOW_THOUSAND.fullmatch(text) for text in others)
    ):
        return {}
    wanted = (
        f"numbers that can be read in one way only ('{decimal_mark}' seems to group thousands in this column)"
    )
    as_decimals = f"'csv: {{decimal: \"{decimal_mark}\"}}' (mmm add: --decimal)"
    return {
        index: Flaw(
            f"{shorten(cells[index].strip(), 30)}, which is {re.sub('[.,]', '', text)} or {text.replace(',', '.')}",
            wanted,
            f"export without marks between thousands; if these are decimals, say {as_decimals}",
        )
        for index, text in grouped.items()
    }


def _bare(text: str, sign: str) -> str:
    """A number without the column's currency, its minus as a keyboard has it."""
    return without_money(text, sign).replace("\N{MINUS SIGN}", "-")


def _number(cell: object, decimal_mark: DecimalMark | None, sign: str) -> float | Flaw:
    """One cell as a number; ``sign`` is the currency sign or code of the column."""
    if isinstance(cell, str):
        text = cell.strip()
        if len(text) > _LONGEST:
            return Flaw(f"a text of {len(text)} characters", "a number", "write the plain number")
        bare = _bare(text, sign)
        if decimal_mark is None and _OPEN.fullmatch(bare):
            return _open_flaw(text, bare)
        plain_text = _plain_number(bare, decimal_mark or ".")
        if plain_text is not None:
            value = float(plain_text)
            return value if abs(value) <= MAX_NUMBER else _number_flaw(value)
        return _text_flaw(text, decimal_mark or ".", sign)
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
    return Flaw(kind_of(cell), "a number", "write the plain number")


def _plain_number(text: str, decimal_mark: DecimalMark) -> str | None:
    """A number as Python writes it, None when the text is none."""
    if grouped := _IN_GROUPS[decimal_mark].fullmatch(text):
        text = text.replace(grouped[1], "")
    elif decimal_mark == "." and _IN_LAKHS.fullmatch(text):
        text = text.replace(",", "")
    if decimal_mark == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    return text if _NUMBER.fullmatch(text) else None


def _open_flaw(text: str, bare: str) -> Flaw:
    """Why a number whose mark may be a decimal mark or one between thousands is not read."""
    whole, fraction = re.sub("[.,]", "", bare), re.sub("[.,]", ".", bare)
    point, comma = (fraction, whole) if "." in bare else (whole, fraction)
    fix = (
        f"write 'csv: {{decimal: \".\"}}' if it is {point}, 'csv: {{decimal: \",\"}}' if it is {comma} "
        "(mmm add: --decimal)"
    )
    wanted = "numbers that can be read in one way only (nothing in the file tells the decimal mark)"
    return Flaw(f"{shorten(text, 30)}, which is {whole} or {fraction}", wanted, fix)


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


def _text_flaw(text: str, decimal_mark: DecimalMark, sign: str) -> Flaw:
    """Why text is no number, with the remedy for the ways in which spreadsheets write numbers."""
    word, shown = text.lower(), shorten(text, 30)
    if word in MISSING_WORDS:
        return _missing(f"a missing value ({shown})" if text else "a blank cell")
    if text.startswith("="):
        fix = (
            "open the workbook in Excel, save it and take the saved file: whatever wrote it stored no results"
        )
        return Flaw(f"the formula {shown} without its result", "a number", fix)
    if word in _EXCEL_ERRORS:
        return Flaw(f"the error {shown}", "a number, not an error", "mend the formula and export again")
    if word.lstrip("+-") in _INFINITE:
        return _number_flaw(math.inf)
    if word in _BOOLEANS:
        return Flaw(f"the text {shown}", "1 or 0", "write 1 for yes and 0 for no")
    if money_word([text]) not in ("", sign):
        wanted = f"the same currency in every row (another row has {sign})"
        return Flaw(shown, wanted, "bring the whole column to one currency, and leave its sign or code out")
    if text.endswith("%"):
        number = text.rstrip("% \u00a0\u202f")
        instead = "write plain numbers with a point as the decimal mark"
        if len(number) < 20 and _plain_number(number, decimal_mark) is not None:
            instead = f"write {number}"
        return Flaw(shown, "a number without a percent sign", instead)
    if _GROUPED.fullmatch(text) and _shows_other_mark(text, decimal_mark):
        wanted = (
            f"a number with a decimal {'point' if decimal_mark == '.' else 'comma'}, as most of the file has"
        )
        return Flaw(shown, wanted, "export the whole file with one decimal mark")
    if behind := _MINUS_BEHIND.fullmatch(text):
        return Flaw(shown, "a minus before the number", f"write -{behind[1][:20].strip()}")
    if text[:1] in ("<", ">") and text[1:].strip()[:1].isdigit():
        return Flaw(f"the bound {shown}", "a number", "write 0 or what is usual below or above it")
    if _IN_BRACKETS.fullmatch(text):
        return Flaw(shown, "a number without brackets", f"write -{text[1:-1][:20]} if it is negative")
    return Flaw(f"the text {shown}", "a number", "write plain numbers such as 1234.5 (no units, no notes)")


def _shows_other_mark(text: str, decimal_mark: DecimalMark) -> bool:
    return _plain_number(text, "," if decimal_mark == "." else ".") is not None
