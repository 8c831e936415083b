"""Rows above or below the others that are no periods: totals, units below the header, notes below the table.

Here: leaving out those that say that they are totals, those without a date that hold the sums of their columns, and
those that hold neither a date nor a number, with a note.
Not here: rows of totals that were given a date, or stand between others (contract.py).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.files.cells import Rows, is_blank, is_missing, left_out
from mmm_engine.files.dates import looks_like_a_date
from mmm_engine.files.day_counts import may_count_days
from mmm_engine.files.notes import is_note
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import Table

_TOTAL = re.compile(
    r"(?:(?:grand ?)?totals?|sum|summe|gesamt(?:summe|ergebnis)?|total g[eé]n[eé]ral|totale|totaal|suma|i alt|totalt)"
    r"(?:\s*[:\u2013-].*)?",  # "Total: account"
    re.IGNORECASE,
)
_ROUNDED = 1e-3  # of a sum: a platform adds up before it rounds, and shows rounded rows


def periods_alone(table: Table, config: ClientConfig) -> tuple[Table, list[str]]:
    """The table without the rows at its ends that are no periods, and a note for each kind of them.

    A row is a total when its date is a word for one; or when its date is none, be it blank or a word of any language,
    and its target and media hold the sums of the other rows, at least one, in cells that are not blank. A row without
    a date in which the client's columns hold no digit says what they count, or is a note.

    Args:
        table: Cells as they were read.
        config: Says which columns are those of the client.
    """
    cells = table.columns.get(config.date)
    if cells is None or config.date in table.repeated:
        return table, []
    says_so = {index for index, cell in enumerate(cells) if _is_word_for_total(cell)}
    undated = says_so | set(_undated_ends(list(cells)))
    data = [index for index in range(len(cells)) if index not in undated]
    if not undated or not data:
        return table, []
    first, end = data[0], data[-1] + 1
    outside = [*range(first), *range(end, len(cells))]
    words = says_so.intersection(outside)
    sums = _rows_of_sums(table, config, [index for index in outside if index not in words], first, end)
    others = [index for index in outside if index not in words | sums]
    silent = {index for index in others if _holds_no_number(table, config.date, index)}
    kept = [index for index in range(len(cells)) if index not in words | sums | silent]
    columns = {name: column.iloc[kept].reset_index(drop=True) for name, column in table.columns.items()}
    told = {
        "says that it holds totals": words,
        "has no date, holds the sums of the other rows": sums,
        "holds neither a date nor a number": silent,
    }
    notes = [
        note
        for why, places in told.items()
        for note in left_out([table.rows[at] for at in sorted(places)], why)
    ]
    return replace(table, columns=columns, rows=tuple(table.rows[index] for index in kept)), notes


def _holds_no_number(table: Table, date: str, index: int) -> bool:
    """Whether there is no digit in any cell of a row, but for one that is a note in the place of its date."""
    cells = [column.iloc[index] for name, column in table.columns.items() if name != date]
    first = table.columns[date].iloc[index]
    cells += [] if is_note([first]) else [first]
    return not any(not is_missing(cell) and re.search("[0-9]", str(cell)) for cell in cells)


def _is_word_for_total(cell: object) -> bool:
    return isinstance(cell, str) and _TOTAL.fullmatch(cell.strip().rstrip(": ")) is not None


def _undated_ends(cells: list[object]) -> Iterator[int]:
    """The rows without a date above the first and below the last row that has one."""
    upwards = range(len(cells) - 1, -1, -1)
    for places in (range(len(cells)), upwards):
        yield from itertools.takewhile(lambda place: not _is_dated(cells[place]), places)


def _is_dated(cell: object) -> bool:
    return looks_like_a_date(cell) or may_count_days(cell)


def _rows_of_sums(
    table: Table, config: ClientConfig, candidates: list[int], first: int, end: int
) -> set[int]:
    """Those of some rows that hold the sums of the rows from ``first`` to before ``end``."""
    matches = dict.fromkeys(candidates, 0)
    names = dict.fromkeys((config.target.column, *config.channel_names, *config.cost_names))
    for name in names:
        if name not in table.columns or name in table.repeated:
            continue
        values = _numbers(table, name)
        total = float(np.nansum(values[first:end]))
        for index in list(matches):
            if is_blank(table.columns[name].iloc[index]):
                continue
            if abs(values[index] - total) <= _ROUNDED * abs(total):
                matches[index] += total != 0
            else:  # also where the cell is no number
                del matches[index]
    return {index for index, count in matches.items() if count}


def _numbers(table: Table, name: str) -> Floats:
    return read_numbers(table.columns[name], name, Rows.undated(table.rows), table.form.decimal)[0]
