"""Lift tests as they come: a table beside the client file.

Here: the rows of such a table as `LiftTest` values with every fault of the table, and the table of such values.
Not here: what a lift test is (lift_test_config.py), how it enters the likelihood (model/lift_tests.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mmm_engine.array_types import Days, Floats
from mmm_engine.client.lift_test_config import MOST_TESTS, LiftTest
from mmm_engine.client.validation import DATA_SUFFIXES, nearest, place
from mmm_engine.errors import Fault
from mmm_engine.files.cells import MISSING_WORDS, Rows, is_missing
from mmm_engine.files.dates import read_dates
from mmm_engine.files.folder import stays_inside
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import Table, read_table
from mmm_engine.files.yaml_document import Document, plain, shorten

LIFT_COLUMNS = ("channel", "date", "x", "delta_x", "delta_y", "sigma")
"""Columns that a table must have; cells of x may be empty."""

OPTIONAL_COLUMNS = ("end", "cool_down", "share", "heterogeneity", "ageing")
"""Columns that it may have; an empty cell means what a missing column means."""

_DEFAULTS = {"x": math.nan, "cool_down": 0.0, "share": 1.0, "heterogeneity": 0.0, "ageing": 0.0}
"""What an empty cell means, of the columns with numbers."""


def named_lift_tests(document: Document, folder: Path) -> tuple[tuple[LiftTest, ...], tuple[Fault, ...]]:
    """The lift tests in the table that a client file names under ``calibration``, and every fault of that table.

    Args:
        document: The client file.
        folder: The data folder, which the table must not leave.

    Returns:
        The tests in the order of the table, none of them when there is any fault; and the faults. A path that the
        settings refuse anyway, with its line, gives neither.
    """
    name = document.values.get("calibration")
    if not isinstance(name, str):
        return (), ()
    if document.values.get("lift_tests"):
        found, fix = "'lift_tests' in the file and a table of them", "move the tests into the table"
        return (), (Fault(place(document, ("calibration",)), found, "one of the two", fix),)
    path = folder / name
    if not stays_inside(path, folder) or path.suffix.lower() not in DATA_SUFFIXES:
        return (), ()
    tests: tuple[LiftTest, ...] = ()
    table, faults = read_table(path, {*LIFT_COLUMNS, *OPTIONAL_COLUMNS})
    if table is not None and not faults:
        tests, faults = read_lift_tests(table)
        faults += _unknown_channels(tests, _channel_names(document), table)
    return () if faults else tests, tuple(_of_table(fault, name) for fault in faults)


def _of_table(fault: Fault, name: str) -> Fault:
    """A fault of the table in words that do not speak of the client's rows."""
    wanted = fault.wanted.replace("one row a period", "one row a test")
    return Fault(f"{name}, {fault.where}", fault.found, wanted, fault.fix.replace("'data'", "'calibration'"))


def read_lift_tests(table: Table) -> tuple[tuple[LiftTest, ...], list[Fault]]:
    """The rows of a table as lift tests, and every fault of the table; no tests when there is a fault.

    Args:
        table: Cells of the columns `LIFT_COLUMNS` and of any of `OPTIONAL_COLUMNS`, one row a test, in original units.
    """
    faults = list(_header_faults(table))
    if len(table.rows) > MOST_TESTS:
        found, fix = (
            f"{len(table.rows):,} rows",
            "join tests of the same weeks, leave out those that say little",
        )
        faults.append(Fault("the file", found, f"at most {MOST_TESTS:,} tests", fix))
    if faults:
        return (), faults
    days, faults, _ = read_dates(table.columns["date"], "date", table.rows)
    rows, ends = Rows(table.rows, days), days.copy()
    numbers = {name: np.full(len(days), default) for name, default in _DEFAULTS.items()}
    for column in (*LIFT_COLUMNS[2:], *OPTIONAL_COLUMNS):
        if column not in table.header:
            continue
        cells, optional = table.columns[column], column in (*_DEFAULTS, "end")
        filled = [row for row, cell in enumerate(cells) if not (optional and _is_empty(cell))]
        rows_filled = Rows([rows.numbers[row] for row in filled], days[filled])
        cells = cells.iloc[filled].reset_index(drop=True)
        if column == "end":
            ends[filled], cell_faults, _ = read_dates(cells, column, rows_filled.numbers)
        else:
            numbers.setdefault(column, np.empty(len(days)))
            numbers[column][filled], cell_faults = read_numbers(
                cells, column, rows_filled, table.form.decimal
            )
        faults += cell_faults
    faults += _value_faults(numbers, ends, rows)
    if faults:
        return (), faults
    channels = [str(cell).strip() for cell in table.columns["channel"]]
    tests = tuple(
        LiftTest(
            channel=channels[row],
            date=str(days[row]),
            end=str(ends[row]) if ends[row] > days[row] else None,
            cool_down=int(numbers["cool_down"][row]),
            share=float(numbers["share"][row]),
            x=None if math.isnan(numbers["x"][row]) else float(numbers["x"][row]),
            delta_x=float(numbers["delta_x"][row]),
            delta_y=float(numbers["delta_y"][row]),
            sigma=float(numbers["sigma"][row]),
            heterogeneity=float(numbers["heterogeneity"][row]),
            ageing=float(numbers["ageing"][row]),
        )
        for row in range(len(table.rows))
    )
    return tests, []


def lift_test_frame(tests: Iterable[LiftTest]) -> pd.DataFrame:
    """Lift tests as the table that `read_lift_tests` reads, one row a test; optional columns where one is needed."""
    written = [test.model_dump() for test in tests]
    defaults = {"end": None, **_DEFAULTS}
    needed = [name for name in OPTIONAL_COLUMNS if any(row[name] != defaults[name] for row in written)]
    return pd.DataFrame(written, columns=[*LIFT_COLUMNS, *needed])


def _is_empty(cell: object) -> bool:
    """Whether a cell holds nothing, in any of the ways in which people write that."""
    return is_missing(cell) or (isinstance(cell, str) and cell.strip().lower() in MISSING_WORDS)


def _channel_names(document: Document) -> list[str]:
    """The channels that a client file names, in whatever form; none where its channels are unreadable."""
    channels = document.values.get("channels")
    entries = channels if isinstance(channels, list | Mapping) else []
    columns = [entry.get("column") if isinstance(entry, Mapping) else entry for entry in entries]
    return [column for column in columns if isinstance(column, str)]


def _unknown_channels(tests: Sequence[LiftTest], channels: Sequence[str], table: Table) -> Iterator[Fault]:
    """Tests of channels that the client does not have, by their row; nothing where its channels are not known."""
    for row, test in enumerate(tests if channels else ()):
        if test.channel not in channels:
            where = f"column 'channel', row {table.rows[row]}"
            fix = nearest(test.channel, channels) or "correct the row of this test"
            yield Fault(where, shorten(test.channel), f"one of {', '.join(channels)}", fix)


def _header_faults(table: Table) -> Iterator[Fault]:
    """Columns that are missing, there twice, or called almost like one that a table may have."""
    may_have = f"the columns {', '.join(LIFT_COLUMNS)}"
    for column in LIFT_COLUMNS:
        if table.header.count(column) != 1:
            fix = nearest(column, table.header) or "add the column"
            yield Fault(f"column '{column}'", "no such column", may_have, fix)
    for column in OPTIONAL_COLUMNS:
        if table.header.count(column) > 1:
            yield Fault(
                f"column '{column}'", "two columns of this name", "one", "rename or delete the others"
            )
    for name in table.header:
        if name not in (*LIFT_COLUMNS, *OPTIONAL_COLUMNS) and (fix := nearest(name, OPTIONAL_COLUMNS)):
            wanted = f"{may_have}, and where needed {', '.join(OPTIONAL_COLUMNS)}"
            yield Fault(f"column '{plain(name, 40)}'", "a column that nothing reads", wanted, fix)


def _value_faults(numbers: Mapping[str, Floats], ends: Days, rows: Rows) -> Iterator[Fault]:
    """Numbers and dates that no test can have."""
    x, delta_x, cool_down, share = (numbers[name] for name in ("x", "delta_x", "cool_down", "share"))
    bad = {
        "x": (x < 0, "0 or more"),
        "delta_x": ((delta_x == 0) | (x + delta_x < 0), "a change, to not less than 0"),
        "sigma": (numbers["sigma"] <= 0, "a standard error above 0"),
        "cool_down": ((cool_down % 1 != 0) | (cool_down < 0) | (cool_down > 104), "whole periods, 0 to 104"),
        "share": ((share <= 0) | (share > 1), "a number above 0, 1 at most"),
        "heterogeneity": (numbers["heterogeneity"] < 0, "0 or more"),
        "ageing": (numbers["ageing"] < 0, "0 or more"),
    }
    for column, (wrong, wanted) in bad.items():
        indices = wrong.nonzero()[0]
        if len(indices):
            shown = f"{numbers[column][indices[0]]:g}{rows.others(indices)}"
            yield Fault(rows.place(column, int(indices[0])), shown, wanted, "correct the row of this test")
    early = (ends < rows.days).nonzero()[0]
    if len(early):
        shown = f"{ends[early[0]]}{rows.others(early)}"
        yield Fault(rows.place("end", int(early[0])), shown, "the date or later", "swap the two days")
