"""The decimal mark of a table, told from its cells.

Here: which of ',' and '.' is the decimal mark, as far as cells can be read in one way only.
Not here: cells as numbers (numbers.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from mmm_engine.files.money_words import money_word, without_money
from mmm_engine.files.table_form import DecimalMark

# Without sign, currency sign and the marks between thousands that are no decimal marks: '1 234,5' is '1234,5'.
_ONE_MARK = re.compile(r"([0-9]*)([.,])([0-9]*)(?:[eE][+-]?[0-9]+)?")
_GROUPS = re.compile(r"[0-9]{1,3}([.,])[0-9]{3}(?:\1[0-9]{3})+")
_GROUPS_AND_MARK = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{3})+([.,])[0-9]*")
_IN_LAKHS = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]*)?")
_NOT_MARKS = re.compile(r"[^0-9.,eE]")
_NO_NUMBER = re.compile(r"[^\W\d_eE]|:")  # letters, and times of day: 00:00:00.000
# a date, as 01.2024 or 2024.01
_MONTH = re.compile(r"(?:0?[1-9]|1[0-2])\.(?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}\.(?:0?[1-9]|1[0-2])")
_ODD_CHARACTERS = 8  # of a number: sign, currency sign, spaces between thousands


def decimal_mark(columns: Iterable[pd.Series], *, is_plain: bool) -> DecimalMark | None:
    """The decimal mark that the cells of a table show, None where they can be read in two ways.

    '3,5', '0,123', '1.234,5' and '1.234.567' show a comma, the same the other way round a point. '1.234' alone shows
    nothing: it is a decimal number in a plain CSV file, and asks elsewhere. Where cells contradict each other, most
    decide.

    Args:
        columns: Cells, text or typed; only text shows something.
        is_plain: Whether the columns are separated by ',' or typed, so that '1.234' is taken for a decimal number.

    >>> decimal_mark([pd.Series(["1.234,50", "12"])], is_plain=False)
    ','
    """
    votes = {".": 0, ",": 0}
    open_marks = set()
    for column in columns:
        if pd.api.types.is_numeric_dtype(column.dtype):
            continue
        word = money_word(column)
        written = [cell.strip() for cell in column if isinstance(cell, str) and ("," in cell or "." in cell)]
        texts = [without_money(text, word) for text in written] if word else written
        if all(_MONTH.fullmatch(text.strip()) for text in texts):
            continue
        for cell in texts:
            mark, is_open = _shown_mark(cell)
            if is_open:
                open_marks.add(mark)
            elif mark is not None:
                votes[mark] += 1
    if votes["."] != votes[","]:
        return "." if votes["."] > votes[","] else ","
    if not any(votes.values()) and (not open_marks or (is_plain and open_marks == {"."})):
        return "."
    return None


def _shown_mark(cell: str) -> tuple[DecimalMark | None, bool]:
    """(the decimal mark of a cell, False); where it can be read in two ways (the mark in it, True)."""
    text = cell.strip()
    digits = _NOT_MARKS.sub("", text)
    strange = len(text) - len(digits) > _ODD_CHARACTERS or _NO_NUMBER.search(text) is not None
    if not digits or strange or not digits[-1].isdigit():
        return None, False
    if _IN_LAKHS.fullmatch(digits):
        return ".", False
    if match := _GROUPS.fullmatch(digits):
        return _other(match[1]), False
    if match := _GROUPS_AND_MARK.fullmatch(digits):
        return (_mark(match[2]), False) if match[1] != match[2] else (None, False)
    match = _ONE_MARK.fullmatch(digits)
    if match is None:
        return None, False
    whole, mark, rest = match[1], match[2], match[3]
    is_open = len(rest) == 3 and 1 <= len(whole) <= 3 and whole[0] != "0" and "e" not in digits.lower()
    return _mark(mark), is_open


def _mark(text: str) -> DecimalMark:
    return "." if text == "." else ","


def _other(text: str) -> DecimalMark:
    return "," if text == "." else "."
