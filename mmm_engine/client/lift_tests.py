"""Lift tests as they come: a table beside the client file.

Here: the rows of such a table as `LiftTest` values with every fault of the table, and the table of such values.
Not here: what a lift test is (model_config.py), how it enters the likelihood (model/likelihood.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.lift_test_config import LiftTest
from mmm_engine.client.validation import DATA_SUFFIXES, nearest, place
from mmm_engine.errors import Fault
from mmm_engine.files.cells import Rows
from mmm_engine.files.dates import read_dates
from mmm_engine.files.folder import stays_inside
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import Table, read_table
from mmm_engine.files.yaml_document import Document, shorten

LIFT_COLUMNS = ("channel", "date", "x", "delta_x", "delta_y", "sigma")
_NUMBERS = LIFT_COLUMNS[2:]


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
    table, faults = read_table(path, set(LIFT_COLUMNS))
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
        table: Cells of the columns `LIFT_COLUMNS`, one row a test, numbers in original units.
    """
    faults = list(_missing_columns(table))
    if faults:
        return (), faults
    days, faults, _ = read_dates(table.columns["date"], "date", table.rows)
    rows = Rows(table.rows, days)
    numbers: dict[str, Floats] = {}
    for column in _NUMBERS:
        numbers[column], cell_faults = read_numbers(table.columns[column], column, rows)
        faults += cell_faults
    faults += _value_faults(numbers, rows)
    if faults:
        return (), faults
    channels = [str(cell).strip() for cell in table.columns["channel"]]
    tests = tuple(
        LiftTest(
            channel=channels[row],
            date=str(days[row]),
            x=float(numbers["x"][row]),
            delta_x=float(numbers["delta_x"][row]),
            delta_y=float(numbers["delta_y"][row]),
            sigma=float(numbers["sigma"][row]),
        )
        for row in range(len(table.rows))
    )
    return tests, []


def lift_test_frame(tests: Iterable[LiftTest]) -> pd.DataFrame:
    """Lift tests as the table that `read_lift_tests` reads: columns `LIFT_COLUMNS`, one row a test."""
    return pd.DataFrame([test.model_dump() for test in tests], columns=list(LIFT_COLUMNS))


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


def _missing_columns(table: Table) -> Iterator[Fault]:
    for column in LIFT_COLUMNS:
        if table.header.count(column) != 1:
            fix = nearest(column, table.header) or "add the column"
            yield Fault(f"column '{column}'", "no such column", f"the columns {', '.join(LIFT_COLUMNS)}", fix)


def _value_faults(numbers: Mapping[str, Floats], rows: Rows) -> Iterator[Fault]:
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
        indices = wrong.nonzero()[0]
        if len(indices):
            shown = f"{numbers[column][indices[0]]:g}{rows.others(indices)}"
            yield Fault(rows.place(column, int(indices[0])), shown, wanted, "correct the row of this test")
