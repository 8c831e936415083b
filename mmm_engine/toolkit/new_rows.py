"""Rows that arrive after a model was built: to predict for, or to go on with.

Here: rows inside the fitted ones and right after them put into a window, new and restated periods put into a client's
data.
Not here: predictions (results/predictive.py), the rules that all rows of a client must satisfy (rows/contract.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmm_engine.array_types import Days, Floats
from mmm_engine.client.validation import nearest
from mmm_engine.errors import DataError, Fault
from mmm_engine.files.cells import Rows
from mmm_engine.files.dates import read_dates
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import Table, table_from_frame
from mmm_engine.rows.calendar import Calendar
from mmm_engine.rows.client_data import ClientData, client_data_from_frame
from mmm_engine.rows.contract import needed_columns
from mmm_engine.rows.window import ScaledInputs

RESTATED_COLUMNS = ["date", "column", "before", "after"]


@dataclass(frozen=True)
class PlacedRows:
    """A window that holds new rows at their place.

    Attributes:
        inputs: The window; rows after its last one are held-out rows whose target is NaN.
        positions: Row of `inputs` of each new row, in the order they were given, shape (row,).
    """

    inputs: ScaledInputs
    positions: NDArray[np.intp]


def place_rows(inputs: ScaledInputs, frame: pd.DataFrame) -> PlacedRows:
    """New values of fitted rows, and rows that follow them, put into a window.

    Args:
        inputs: The window.
        frame: Date, channels and controls in original units; other columns are not looked at. Rows with a date of the
            window replace its media and controls; all others must follow its last row without a gap.

    Raises:
        DataError: With every fault of the rows.
    """
    config = inputs.config
    who = f"client '{config.client}', rows to predict"
    roles = {config.date: "date"} | dict.fromkeys(config.channel_names, "channel")
    days, values = _read(frame, roles | dict.fromkeys(config.control_names, "control"), who)
    inside = np.isin(days, inputs.calendar.days)
    if not inside.all():
        faults = list(_place_faults(config.date, days, inside, inputs.calendar))
        if faults:
            raise DataError(who, faults)
        rows = int((~inside).sum())
        inputs = inputs.extended(
            np.zeros((rows, len(config.channels))), np.zeros((rows, len(config.controls)))
        )
    positions = np.searchsorted(inputs.calendar.days, days)
    media, controls = inputs.media_scaled.copy(), inputs.controls_scaled.copy()
    media[positions] = _columns(values, config.channel_names) / inputs.scales.media_array()
    controls[positions] = _columns(values, config.control_names) / inputs.scales.control_array()
    return PlacedRows(replace(inputs, media_scaled=media, controls_scaled=controls), positions)


def append_rows(data: ClientData, frame: pd.DataFrame) -> tuple[ClientData, pd.DataFrame]:
    """A client's data with new periods, and what the new rows say otherwise about periods that were known.

    Args:
        data: The client's rows so far.
        frame: All columns of the client, in original units; periods that are known already may come again.

    Returns:
        The data, with the newest word on every period; and one row per restated cell: date, column, before, after.

    Raises:
        DataError: With every fault of the rows, or of all rows together (a gap between old and new ones).
    """
    config = data.config
    days, values = _read(frame, needed_columns(config), f"client '{config.client}', new rows")
    dates = pd.DatetimeIndex(days.astype("datetime64[ns]"), name="date")
    new = pd.DataFrame(values, index=dates)
    old = data.frame.set_index("date")
    both = old.index.intersection(new.index)
    before, after = old.loc[both], new.loc[both, old.columns]
    moved = (before != after).to_numpy()
    rows, columns = np.nonzero(moved)
    restated = pd.DataFrame(
        {
            "date": both[rows],
            "column": old.columns[columns],
            "before": before.to_numpy()[moved],
            "after": after.to_numpy()[moved],
        }
    )
    combined = pd.concat([old.drop(index=both), new[old.columns]]).sort_index()
    return client_data_from_frame(config, combined.reset_index()), restated[RESTATED_COLUMNS]


def _read(frame: pd.DataFrame, roles: Mapping[str, str], who: str) -> tuple[Days, dict[str, Floats]]:
    """Dates and numbers of the columns that are needed.

    Raises:
        DataError: With every column that is missing and every cell that cannot be read.
    """
    date = next(column for column, role in roles.items() if role == "date")
    if date not in frame.columns and "date" in frame.columns:
        frame = frame.rename(columns={"date": date})
    table = table_from_frame(frame)
    faults = list(_missing_columns(table, roles))
    if not table.rows:
        faults.append(Fault("all rows", "none", "at least one row", "pass the rows you mean"))
    if faults:
        raise DataError(who, faults)
    days, faults, _ = read_dates(table.columns[date], date, table.rows)
    rows = Rows(table.rows, days)
    faults += _repeated_dates(date, rows)
    values: dict[str, Floats] = {}
    for column, role in roles.items():
        if role == "date":
            continue
        values[column], cell_faults = read_numbers(table.columns[column], column, rows, table.form.decimal)
        faults += cell_faults
        negative = np.flatnonzero(values[column] < 0)
        if role in ("channel", "cost") and len(negative):
            found = f"{values[column][negative[0]]:g}{rows.others(negative)}"
            faults.append(Fault(rows.place(column, int(negative[0])), found, "0 or more", "correct the rows"))
    if faults:
        raise DataError(who, faults)
    return days, values


def _missing_columns(table: Table, roles: Mapping[str, str]) -> Iterator[Fault]:
    for column, role in roles.items():
        count = table.header.count(column)
        if count != 1:
            found = f"{count} columns of this name" if count else "no such column"
            fix = nearest(column, table.header) or "add the column" if not count else "keep one of them"
            yield Fault(f"column '{column}'", found, f"one column of this name ({role})", fix)


def _repeated_dates(column: str, rows: Rows) -> Iterator[Fault]:
    known = ~np.isnat(rows.days)
    unique, counts = np.unique(rows.days[known], return_counts=True)
    if (counts > 1).any():
        again = np.flatnonzero(rows.days == unique[counts > 1][0])
        yield Fault(
            rows.place(column, int(again[1])), "a date that comes twice", "each date once", "delete one row"
        )


def _place_faults(column: str, days: Days, inside: NDArray[np.bool_], fitted: Calendar) -> Iterator[Fault]:
    """Why rows are neither inside the fitted ones nor right after them."""
    beyond = days[~inside]
    where, following = f"column '{column}'", fitted.next_days(len(beyond))
    first, last = fitted.days[0], fitted.days[-1]
    wanted = f"dates of fitted rows from {first} to {last}, or the rows from {following[0]} on without a gap"
    beside = beyond[beyond <= last]
    if len(beside):
        fix = "use the dates of the fitted rows" if beside[0] >= first else "leave those rows out"
        yield Fault(where, f"{beside[0]}, which is no fitted row", wanted, fix)
        return
    missing = following[~np.isin(following, beyond)]
    if len(missing):
        found = f"no row for {missing[0]}, the {_nth(following, missing[0])} row after {last}"
        yield Fault(where, found, wanted, "add the rows up to the last one you ask for (spend 0 is allowed)")


def _nth(following: Days, day: np.datetime64) -> str:
    number = int(np.searchsorted(following, day)) + 1
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def _columns(values: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    rows = len(next(iter(values.values())))
    return np.column_stack([values[name] for name in names]) if names else np.zeros((rows, 0))
