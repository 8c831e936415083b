"""Lift tests as they come: a table beside the client file.

Here: the rows of such a table as settings of the client, every fault of the table.
Not here: what a lift test is (terms.py), how it enters the likelihood (model.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from mmm_engine.client.validation import nearest, place
from mmm_engine.errors import Fault
from mmm_engine.files.cells import Rows
from mmm_engine.files.dates import read_dates
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import Table, read_table, table_from_frame
from mmm_engine.files.yaml_document import Document, shorten

LIFT_COLUMNS = ("channel", "date", "x", "delta_x", "delta_y", "sigma")
_NUMBERS = LIFT_COLUMNS[2:]


def with_lift_tests(document: Document, folder: Path) -> tuple[Document, tuple[Fault, ...]]:
    """The client file with the rows of its calibration table as ``lift_tests``, and every fault of that table."""
    name = document.values.get("calibration")
    if not isinstance(name, str):
        return document, ()
    if document.values.get("lift_tests"):
        found, fix = "'lift_tests' in the file and a table of them", "move the tests into the table"
        return document, (Fault(place(document, ("calibration",)), found, "one of the two", fix),)
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or path.suffix.lower() not in (".csv", ".parquet"):
        return document, ()  # refused by the settings, with its line
    table, faults = read_table(path, set(LIFT_COLUMNS))
    tests: list[dict[str, Any]] = []
    if table is not None and not faults:
        tests, faults = read_lift_tests(table)
        faults += _unknown_channels(tests, document.values.get("channels"), table)
    here = tuple(_of_table(fault, name) for fault in faults)
    return replace(document, values={**document.values, "lift_tests": [] if faults else tests}), here


def _of_table(fault: Fault, name: str) -> Fault:
    """A fault of the table in words that do not speak of the client's rows."""
    wanted = fault.wanted.replace("one row a period", "one row a test")
    return Fault(f"{name}, {fault.where}", fault.found, wanted, fault.fix.replace("'data'", "'calibration'"))


def lift_tests_from_frame(frame: pd.DataFrame) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The rows of a frame as settings, and every fault of them."""
    return read_lift_tests(table_from_frame(frame))


def read_lift_tests(table: Table) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The rows of a table as settings (one mapping a test), and every fault of the table; no rows when there is one."""
    faults = list(_missing_columns(table))
    if faults:
        return [], faults
    days, faults, _ = read_dates(table.columns["date"], "date", table.rows)
    rows = Rows(table.rows, days)
    numbers: dict[str, Any] = {}
    for column in _NUMBERS:
        numbers[column], cell_faults = read_numbers(table.columns[column], column, rows)
        faults += cell_faults
    faults += _value_faults(numbers, rows)
    if faults:
        return [], faults
    channels = [str(cell).strip() for cell in table.columns["channel"]]
    return [
        {
            "channel": channels[row],
            "date": str(days[row]),
            **{column: float(values[row]) for column, values in numbers.items()},
        }
        for row in range(len(table.rows))
    ], []


def _unknown_channels(tests: Sequence[Mapping[str, Any]], channels: object, table: Table) -> Iterator[Fault]:
    """Tests of channels that the client file does not name, by their row; nothing where its channels are unreadable."""
    entries = channels if isinstance(channels, list | Mapping) else []
    named = [entry.get("column") if isinstance(entry, Mapping) else entry for entry in entries]
    known = [name for name in named if isinstance(name, str)]
    for row, test in enumerate(tests if known else ()):
        if test["channel"] not in known:
            where = f"column 'channel', row {table.rows[row]}"
            fix = nearest(test["channel"], known) or "correct the row of this test"
            yield Fault(where, shorten(test["channel"]), f"one of {', '.join(known)}", fix)


def _missing_columns(table: Table) -> Iterator[Fault]:
    for column in LIFT_COLUMNS:
        if table.header.count(column) != 1:
            fix = nearest(column, table.header) or "add the column"
            yield Fault(f"column '{column}'", "no such column", f"the columns {', '.join(LIFT_COLUMNS)}", fix)


def _value_faults(numbers: Mapping[str, Any], rows: Rows) -> Iterator[Fault]:
    """Numbers that no test can have."""
    bad = {
        "x": (numbers["x"] < 0, "0 or more"),
        "delta_x": (
            (numbers["delta_x"] == 0) | (numbers["x"] + numbers["delta_x"] < 0),
            "a change, to not less than 0",
        ),
        "sigma": (numbers["sigma"] <= 0, "a standard error above 0"),
    }
    for column, (wrong, wanted) in bad.items():
        found = wrong.nonzero()[0]
        if len(found):
            shown = f"{numbers[column][found[0]]:g}{rows.others(found)}"
            yield Fault(rows.place(column, int(found[0])), shown, wanted, "correct the row of this test")
