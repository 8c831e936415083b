"""Sheets of Excel workbooks (.xlsx) as cells.

Here: which sheet, its cells with the types that Excel gives them, caps on what a workbook unfolds to.
Not here: the row of the header (header.py), what a cell means (numbers.py, dates.py).
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mmm_engine.files import limits
from mmm_engine.files.header import REACH
from mmm_engine.files.limits import UnreadableError
from mmm_engine.files.money_words import money_word
from mmm_engine.files.yaml_document import plain, shorten

if TYPE_CHECKING:
    import pandas as pd
    from openpyxl.workbook import Workbook

MAX_CELLS = 20_000_000  # a single cell at the far right of a row makes it 16,384 cells wide
_CHUNK = 1_000_000
_SAVE_AGAIN = "open it in Excel and save it again as .xlsx, or save the sheet as 'CSV UTF-8'"

DAYS_FROM_1904 = 1462  # between the beginnings of the two calendars
SheetRow = tuple[int, list[object]]
"""A row of a sheet: its number as Excel shows it, its cells; None is an empty one."""
Place = tuple[int, int]
"""Where a cell of a sheet stands: number of its row, from 1; place in the row, from 0."""


def read_sheet(
    content: bytes, name: str | None, most: int | None = None
) -> tuple[str, list[SheetRow], list[str]]:
    """The filled rows of a sheet.

    Args:
        content: The bytes of an .xlsx file.
        name: Of the sheet; the first one that is not hidden when None.
        most: Rows after which reading ends; all are read when None.

    Returns:
        Name of the sheet, its rows, and the names of the others that are not hidden.

    Raises:
        UnreadableError: If it is no workbook, too large once unpacked, or has no such sheet.
    """
    _measure(content)
    # imported here: it takes a tenth of a second, and most clients keep CSV files
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that no cell depends on
            workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            visible = [sheet.title for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
            chosen = _chosen(visible, [sheet.title for sheet in workbook.worksheets], name)
            return chosen, _rows(workbook, chosen, most), [sheet for sheet in visible if sheet != chosen]
    except UnreadableError:
        raise
    except Exception as error:  # openpyxl raises whatever a broken part of a workbook leads it to
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        found = f"a broken Excel workbook ({plain(reason, 120)})"
        raise UnreadableError(found, "a readable one", _SAVE_AGAIN) from None


def completed(
    content: bytes,
    sheet: str,
    columns: Mapping[str, pd.Series],
    date: str | None,
    place: Callable[[str, int], Place],
) -> dict[str, pd.Series]:
    """Columns with what values alone do not say: days that are counted from 1904, formulas without a stored value.

    Args:
        content: The bytes of a workbook that `read_sheet` has read.
        sheet: Name of the sheet.
        columns: Cells of columns by name, index 0, 1, …
        date: The column of dates.
        place: Where a cell stands, by the name of its column and its index.
    """
    whole = dict(columns)
    if date in whole and begins_in_1904(content):
        whole[date] = whole[date].map(lambda cell: cell + DAYS_FROM_1904 if _is_number(cell) else cell)
    empty = {name: column.index[column.isna() | (column == "")] for name, column in whole.items()}
    if any(map(len, empty.values())):
        written = formulas(content, sheet)
        for name, indices in empty.items():
            for index in indices:
                whole[name][index] = written.get(place(name, index))
    return whole


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def begins_in_1904(content: bytes) -> bool:
    """Whether the days of a workbook that `read_sheet` has read are counted from 1904, as Excel for Macs once did."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        settings = archive.read("xl/workbook.xml") if "xl/workbook.xml" in archive.namelist() else b""
    return re.search(rb'date1904="(?:1|true)"', settings) is not None


def formulas(content: bytes, sheet: str) -> dict[Place, str]:
    """Formulas of a sheet by their places, whether or not their values are stored.

    Excel stores both; a program that only writes workbooks stores no values, and Excel works them out on opening.

    Args:
        content: The bytes of a workbook that `read_sheet` has read.
        sheet: Name of the sheet.
    """
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells = load_workbook(io.BytesIO(content), read_only=True)[sheet]
        cells.reset_dimensions()
        return {
            (number, index): cell
            for number, row in enumerate(cells.iter_rows(values_only=True), start=1)
            for index, cell in enumerate(row)
            if isinstance(cell, str) and cell.startswith("=")
        }


def money_of_formats(content: bytes, sheet: str, places: Mapping[str, Place]) -> dict[str, str]:
    """Signs or codes of currencies in which cells show their numbers, by name: Excel keeps them in formats.

    Args:
        content: The bytes of a workbook that `read_sheet` has read.
        sheet: Name of the sheet.
        places: Where a cell of each name stands.
    """
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells = load_workbook(io.BytesIO(content), read_only=True)[sheet]
        cells.reset_dimensions()
        lines = {line for line, _ in places.values()}
        rows = {line: next(cells.iter_rows(line, line), ()) for line in lines}
        words = {
            name: money_of_format(getattr(rows[line][index], "number_format", "") or "")
            for name, (line, index) in places.items()
            if index < len(rows[line])
        }
    return {name: word for name, word in words.items() if word}


def money_of_format(text: str) -> str:
    """The sign or code of a currency in a number format, empty where it has none.

    >>> money_of_format('#,##0.00 [$€-407]'), money_of_format('"US$"#,##0'), money_of_format('[$-409]0.00')
    ('€', 'US$', '')
    """
    text = re.sub(r"\[\$-[^\]]*\]", "", text)  # a language without a sign
    marked = re.search(r"\[\$([^\]-]+)", text)
    shown = [marked[1]] if marked else [*re.findall(r'"([^"]+)"', text), *re.findall(r"[^\w\s\"\[\]]", text)]
    return money_word(f"1 {word.strip()}" for word in shown)


def _measure(content: bytes) -> None:
    """Refuses what would unfold to more than a data file may hold; sizes in the archive's index are not trusted."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = 0
            for part in archive.infolist():
                with archive.open(part) as stream:
                    while chunk := stream.read(_CHUNK):
                        size += len(chunk)
                        if size > limits.MAX_BYTES:
                            found = f"more than {limits.MAX_BYTES:,} bytes once unpacked"
                            raise UnreadableError(found, "a smaller workbook", limits.SHORTEN)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        found = f"no Excel workbook ({plain(str(error), 120)})"
        raise UnreadableError(found, "an .xlsx file, as its name says", _SAVE_AGAIN) from None


def _chosen(visible: Sequence[str], every: Sequence[str], name: str | None) -> str:
    if name is None and visible:
        return visible[0]
    if name is None or name not in every:
        found = "no sheet" if name is None else f"no sheet {shorten(name)}"
        listed = ", ".join(plain(title, 40) for title in every[:12])
        wanted = f"one of its sheets: {listed}"
        raise UnreadableError(found, wanted, "name it with 'sheet' in the client file (mmm add: --sheet)")
    return name


def _rows(workbook: Workbook, name: str, most: int | None) -> list[SheetRow]:
    """The rows of a sheet that hold anything, without the empty cells at their ends."""
    rows: list[SheetRow] = []
    sheet = workbook[name]
    sheet.reset_dimensions()  # what a workbook says of its size may be wrong
    size = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells: list[object] = list(row)
        while cells and (cells[-1] is None or cells[-1] == ""):
            cells.pop()
        size += len(cells)
        if cells:
            rows.append((number, cells))
        if len(rows) == most:
            break
        if number > limits.MAX_LINES or len(rows) > limits.MAX_ROWS + REACH or size > MAX_CELLS:
            found = f"more than {limits.MAX_ROWS:,} rows or {MAX_CELLS:,} cells"
            raise UnreadableError(found, f"at most {limits.MAX_ROWS:,} rows", limits.SHORTEN)
    return rows
