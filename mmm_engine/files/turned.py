"""Tables that lie on their side: a column for each date, a row for each name.

Here: recognising one by the names in its first columns, reading it as if it stood upright.
Not here: tables with a row for each date and name (rows/long_table.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from mmm_engine.files.dates import looks_like_a_date
from mmm_engine.files.header import matching, usable_name

_LABELS_WITHIN = 5  # columns that may hold the names: before them stand groups, units, numbers
_LEAST_DATES = 2
MOST_NAMES = 1000  # rows that such a table may have: a client has fewer columns

Records = Sequence[tuple[int, Sequence[object]]]
"""Rows of a file as far as they hold anything, each with its number."""


@dataclass(frozen=True)
class Upright:
    """A table that lies on its side, as it would stand.

    Attributes:
        header: Names of the columns, in the order of the file's rows.
        columns: Cells of the columns that were looked for.
        numbers: Number of each row: that of the file's column, counted from 1.
        lines: Number of the file's row that each of the columns was, by name.
        note: What was done, in words.
    """

    header: tuple[str, ...]
    columns: dict[str, pd.Series]
    numbers: tuple[int, ...]
    lines: dict[str, int]
    note: str = "the file has a column for each date: it is read turned, so that 'row 5' is its fifth column"


def upright(records: Records, names: Collection[str], date: str) -> Upright | None:
    """A table that lies on its side as one that stands; None when it is none.

    It is one when more of ``names`` stand in one of its first columns than in any of its rows, below or beside a row
    of dates. What stands before the first date (units, groups) is passed over; what stands behind the last one
    becomes a row without a date.

    Args:
        records: The rows of the file, at most ``MOST_NAMES`` below a header.
        names: Names of columns that are looked for.
        date: The one among them whose cells are dates; their row may have another name, or none.
    """
    if len(records) > MOST_NAMES or len(names) < 2:
        return None
    texts = [[_text(cell) for cell in cells] for _, cells in records]
    labels, place = max(
        ((_column(texts, index), index) for index in range(_LABELS_WITHIN)),
        key=lambda column: matching(column[0], names),
    )
    wanted = set(names)
    matches = [index for index, label in enumerate(labels) if label in wanted]
    if len(matches) < 2 or len(set(labels) & wanted) <= max(matching(row, names) for row in texts):
        return None
    dates = _row_of_dates(records, labels, matches[0], date)
    if dates is None:
        return None
    line = records[dates][1]
    start = next(index for index in range(place + 1, len(line)) if looks_like_a_date(line[index]))
    named = [(date, dates), *((labels[row], row) for row in matches if row != dates)]
    header = tuple(name if row != dates else date for row, name in enumerate(labels) if name or row == dates)
    width = max(_filled(records[row][1]) for _, row in named)
    cells = {name: [_cell(records[row][1], column) for column in range(start, width)] for name, row in named}
    kept = [index for index in range(width - start) if any(_text(column[index]) for column in cells.values())]
    columns = {
        name: pd.Series([column[index] for index in kept], dtype=object) for name, column in cells.items()
    }
    lines = {name: records[row][0] for name, row in named}
    return Upright(header, columns, tuple(start + index + 1 for index in kept), lines)


def _row_of_dates(records: Records, labels: Sequence[str], first: int, date: str) -> int | None:
    """Place of the row of dates: the one that is named so, or else the nearest above the names that holds dates."""
    candidates = [place for place, label in enumerate(labels) if label == date]
    candidates += range(first - 1, -1, -1) if date not in labels else []
    for place in candidates:
        if sum(map(looks_like_a_date, records[place][1])) >= _LEAST_DATES:
            return place
    return None


def _text(cell: object) -> str:
    return "" if cell is None else usable_name(str(cell))


def _column(texts: Sequence[Sequence[str]], index: int) -> list[str]:
    return [row[index] if index < len(row) else "" for row in texts]


def _cell(cells: Sequence[object], column: int) -> object:
    cell = cells[column] if column < len(cells) else ""
    return cell.strip() if isinstance(cell, str) else cell


def _filled(cells: Sequence[object]) -> int:
    """Cells of a row up to the last one that holds anything."""
    return max((place for place, cell in enumerate(cells, start=1) if _text(cell)), default=0)
