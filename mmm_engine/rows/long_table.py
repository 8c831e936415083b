"""Long tables: a row for each date and channel, as exports of advertising platforms and databases have them.

Here: recognising one by the names that stand in its cells instead of its header, reading these as columns, and what it
leaves open.
Not here: a row for each date and region (panel.py), a column for each date (files/turned.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.errors import Fault
from mmm_engine.files.cells import Rows, is_missing
from mmm_engine.files.header import usable_name
from mmm_engine.files.money_words import money_word
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import Table
from mmm_engine.files.yaml_document import plain
from mmm_engine.rows.blank_media import with_zeros
from mmm_engine.rows.contract import needed_columns
from mmm_engine.rows.end_rows import periods_alone

_READABLE = 0.5  # share of its cells that are numbers, from which on a column is one of numbers


@dataclass(frozen=True)
class LongTable:
    """A long table whose parts are known.

    Attributes:
        table: The cells of all columns.
        dates: Text of the date of each row.
        label_column: The column in whose cells names of the client's columns stand.
        labels: Its cells as names.
        names: The names among them that the client needs, in its order.
    """

    table: Table
    dates: Sequence[str]
    label_column: str
    labels: Sequence[str]
    names: tuple[str, ...]

    @property
    def place(self) -> str:
        """The column of names, as messages call it."""
        return f"column '{plain(self.label_column, 40)}'"


def missing_names(config: ClientConfig, table: Table) -> list[str]:
    """Columns that the client needs and the header does not have; none where the dates are not there either."""
    names = [name for name in needed_columns(config) if name not in table.header]
    return [] if config.date in names else names


def long_table(config: ClientConfig, table: Table) -> LongTable | None:
    """A table as a long one, None when no date comes again, or no column holds two names that its header lacks.

    Where it lacks one name only, a column that holds that one is enough.

    Args:
        config: Settings of the client.
        table: The cells of all columns.
    """
    table, notes = periods_alone(table, config)
    table = replace(table, notes=(*table.notes, *notes))
    missing = missing_names(config, table)
    labels = {
        name: [usable_name(str(cell)) for cell in cells]
        for name, cells in table.columns.items()
        if name not in needed_columns(config) and name not in table.repeated
    }
    held = {name: [one for one in missing if one in set(cells)] for name, cells in labels.items()}
    name = max(held, key=lambda one: len(held[one]), default=None)
    if name is None or len(held[name]) < min(2, len(missing)) or not missing:
        return None
    dates = [str(cell).strip() for cell in table.columns[config.date]]
    if len(set(dates)) == len(dates):
        return None  # a row for each date, with words beside it
    return LongTable(table, dates, name, labels[name], tuple(held[name]))


def widened(config: ClientConfig, long: LongTable) -> tuple[Table | None, list[Fault]]:
    """The table with a row for each date and a column for each name; or why it cannot be had.

    Media of one date and name are added up, as campaigns are; where there is no row for them they are 0. The target and
    controls stand once for each date: in a row of their own, or the same in all rows.

    Args:
        config: Settings of the client.
        long: The table.
    """
    column, faults = _column_of_values(config, long)
    if column is None:
        return None, faults
    values, texts = column.numbers, column.cells
    media = {*config.channel_names, *config.cost_names}
    if repeated := _repeated(long, values, media):
        return None, [*faults, repeated]
    first = {date: index for index, date in reversed(list(enumerate(long.dates)))}
    order = sorted(first.values())
    place = {long.dates[index]: row for row, index in enumerate(order)}
    columns = {config.date: _taken(long.table.columns[config.date], order)}
    for name in needed_columns(config):
        if name in long.table.columns and name != config.date:
            columns[name], fault = _once_for_each_date(name, long, order)
            faults += [] if fault is None else [fault]
    rows = np.array([place[date] for date in long.dates])
    without_row = []
    currencies = dict(long.table.currencies)
    for name in long.names:
        here = np.array([label == name for label in long.labels])
        is_there = np.bincount(rows[here], minlength=len(order)) > 0
        sums = np.bincount(rows[here], weights=values[here], minlength=len(order))
        if name in media and not is_there.all():
            without_row.append(f"'{plain(name, 40)}' ({int((~is_there).sum())})")
        columns[name] = pd.Series(np.where(is_there | (name in media), sums, np.nan))
        currencies[name] = money_word(texts[here]) or long.table.currencies.get(column.name, "")
    note = f"{long.place} says what each row holds: its names are read as columns"
    if without_row:
        note += f"; dates without a row count as 0: {', '.join(without_row)}"
    numbers = tuple(long.table.rows[index] for index in order)
    header = tuple(dict.fromkeys((*columns, *long.labels)))
    notes = (*long.table.notes, note)
    currencies = {name: word for name, word in currencies.items() if word}
    table = replace(
        long.table, header=header, columns=columns, rows=numbers, notes=notes, currencies=currencies
    )
    return (None if faults else table), faults


@dataclass(frozen=True)
class _Values:
    """The column that holds what the names stand for.

    Attributes:
        name: Its header.
        cells: Its cells, shape (row,).
        numbers: What they say, 0 in rows of names that are not needed, shape (row,).
    """

    name: str
    cells: pd.Series
    numbers: Floats


def _column_of_values(config: ClientConfig, long: LongTable) -> tuple[_Values | None, list[Fault]]:
    """The numbers of all rows that have a needed name, in the only column that has them; the faults of their cells."""
    places = [index for index, label in enumerate(long.labels) if label in long.names]
    is_media = set(long.names) <= {*config.channel_names, *config.cost_names}
    candidates = {}
    for name, cells in long.table.columns.items():
        if name not in (*needed_columns(config), long.label_column):
            chosen, _ = with_zeros(config, _taken(cells, places), name, "channel" if is_media else "other")
            read, faults = _numbers_of_names(long, chosen, places, name)
            if np.isfinite(read).mean() >= _READABLE:
                candidates[name] = read, faults
    if len(candidates) == 1:
        values = np.zeros(len(long.labels))
        name, (values[places], faults) = next(iter(candidates.items()))
        return _Values(name, long.table.columns[name], values), faults
    found = f"{_listed(long.names)}: names of columns in the cells of a long table"
    if candidates:
        found += f", and several columns of numbers ({_listed(list(candidates))})"
        fix = (
            f"leave the others out, or turn it: frame.pivot_table(index='{plain(config.date, 40)}', "
            f"columns='{plain(long.label_column, 40)}', values='{plain(next(iter(candidates)), 40)}', aggfunc='sum')"
        )
    else:
        names = _listed(sorted(set(long.labels)), 12)
        fix = f"name target, channels and controls as these cells do ({names}), or correct the names"
    return None, [Fault(long.place, found, "one column of numbers, which belong to these names", fix)]


def _numbers_of_names(
    long: LongTable, chosen: pd.Series, places: list[int], column: str
) -> tuple[Floats, list[Fault]]:
    """The numbers of some rows; names whose cells carry different currencies are read apart, as columns would be."""
    labels = np.array([long.labels[index] for index in places])
    words = {name: money_word(chosen[labels == name]) for name in long.names}
    values, faults = np.full(len(places), np.nan), []
    for word in dict.fromkeys(words.values()):
        here = np.flatnonzero([words[label] == word for label in labels])
        rows = Rows.undated([long.table.rows[places[index]] for index in here])
        values[here], some = read_numbers(_taken(chosen, list(here)), column, rows, long.table.form.decimal)
        faults += some
    return values, faults


def _repeated(long: LongTable, values: Floats, media: set[str]) -> Fault | None:
    """A row that is there twice and would count twice; two values of a date for what is not added up."""
    rows: dict[tuple[str, ...], int] = {}
    once: dict[tuple[str, str], int] = {}
    every = zip(*long.table.columns.values(), strict=True)
    for index, (cells, date, name) in enumerate(zip(every, long.dates, long.labels, strict=True)):
        number = long.table.rows[index]
        before = rows.setdefault(tuple(map(str, cells)), index)
        if before != index and values[index] != 0:
            found = f"the same cells as in row {long.table.rows[before]}"
            return Fault(f"row {number}", found, "each row once", "delete the copy, or add the two up")
        before = once.setdefault((date, name), index)
        if before != index and name in long.names and name not in media:
            found = f"'{plain(name, 40)}' of {plain(date, 30)} again, as in row {long.table.rows[before]}"
            fix = "add the rows up, or take their average, whichever is true of it"
            return Fault(f"{long.place}, row {number}", found, "one row for each date", fix)
    return None


def _once_for_each_date(name: str, long: LongTable, order: list[int]) -> tuple[pd.Series, Fault | None]:
    """The cells of a column that says the same in all rows of a date, which may be blank in some."""
    cells = long.table.columns[name]
    texts = ["" if is_missing(cell) else str(cell).strip() for cell in cells]
    filled: dict[str, int] = {}
    for index, date in enumerate(long.dates):
        if not texts[index]:
            continue
        before = filled.setdefault(date, index)
        if texts[before] != texts[index]:
            found = f"{plain(texts[index], 30)} for {plain(date, 30)}, and {plain(texts[before], 30)} in row "
            found += f"{long.table.rows[before]}: a long table"
            fix = (
                "take it from where it is counted once, as a sum over channels is what platforms claim; "
                "if the rows are parts of it, add them up"
            )
            where = f"column '{plain(name, 40)}', row {long.table.rows[index]}"
            return cells, Fault(where, found, "one value for each date", fix)
    return _taken(cells, [filled.get(long.dates[index], index) for index in order]), None


def _taken(cells: pd.Series, places: Sequence[int]) -> pd.Series:
    return cells.iloc[list(places)].reset_index(drop=True)


def _listed(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(plain(name, 30) for name in names[:most]) + (", …" if len(names) > most else "")
