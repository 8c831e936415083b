"""Rows that say of themselves that they are totals, as exports of advertising platforms end with one.

Here: leaving them out, with a note.
Not here: rows of totals that were given a date, or stand between others (contract.py).
"""

from __future__ import annotations

import re
from dataclasses import replace

from mmm_engine.files.table import Table, more_rows

_TOTAL = re.compile(
    r"(?:grand ?)?totals?|sum|summe|gesamt(?:summe|ergebnis)?|total g[eé]n[eé]ral|totale|totaal|suma|i alt|totalt",
    re.IGNORECASE,
)


def without_totals(table: Table, date: str) -> tuple[Table, str]:
    """The table without the rows at its ends whose date is a word for a total, and a note of them, empty for none.

    Args:
        table: Cells as they were read.
        date: Column with the dates.
    """
    cells = table.columns.get(date)
    if cells is None or date in table.repeated:
        return table, ""
    is_total = [
        isinstance(cell, str) and _TOTAL.fullmatch(cell.strip().rstrip(": ")) is not None for cell in cells
    ]
    data = [index for index, total in enumerate(is_total) if not total]
    if not data or data[-1] - data[0] + 1 == len(cells):
        return table, ""
    first, end = data[0], data[-1] + 1
    totals = [*table.rows[:first], *table.rows[end:]]
    columns = {name: column.iloc[first:end].reset_index(drop=True) for name, column in table.columns.items()}
    note = f"row {totals[0]}{more_rows(totals[1:])} says that it holds totals and is left out"
    return replace(table, columns=columns, rows=tuple(table.rows[first:end])), note
