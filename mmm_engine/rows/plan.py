"""The plan of a forecast: media and controls of the coming periods, from a file or a frame.

Here: reading and checking a plan; which of its rows still lie ahead.
Not here: what is assumed where nothing is planned (results/forecast.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from mmm_engine.array_types import Days, Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.client.validation import nearest
from mmm_engine.errors import DataError, Fault
from mmm_engine.files.cells import Rows
from mmm_engine.files.dates import read_dates
from mmm_engine.files.folder import folder_faults
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import Table, read_table, table_from_frame
from mmm_engine.rows.calendar import Calendar

PLAN_ROWS_MAX = 13


class Observed(Protocol):
    """What a plan goes on from: a client's rows, or a window without held-out rows."""

    @property
    def config(self) -> ClientConfig:
        """Settings of the client."""

    @property
    def calendar(self) -> Calendar:
        """Dates of the rows and their period."""


def client_plan(folder: Path, observed: Observed) -> pd.DataFrame | None:
    """The plan that a client's file names, as `read_plan` gives it; None when it names none.

    Args:
        folder: The data folder, which the plan must not leave.
        observed: The client's rows, or its window without held-out rows.

    Raises:
        DataError: With every fault of the plan.
    """
    name = observed.config.forecast.plan
    if name is None:
        return None
    if outside := folder_faults(folder / name, folder):
        raise DataError(f"client '{observed.config.client}', plan {name}", outside)
    return read_plan(folder / name, observed)


def read_plan(source: Path | pd.DataFrame, observed: Observed) -> pd.DataFrame:
    """Planned media and controls of the periods that lie ahead, checked, one row per period.

    Rows of periods that have been observed are passed over, so that a plan of a quarter serves every week of it.

    Args:
        source: A CSV, Excel or Parquet file, or a frame: date, every channel, and the controls that are known;
            original units.
        observed: The rows that the plan goes on from.

    Returns:
        The planned columns, in order of date, from the first period ahead on; no rows when the plan has ended.

    Raises:
        DataError: With every fault: unknown columns, cells that are no numbers or below 0, dates that leave a period
            out or reach further than 13 periods.
    """
    config = observed.config
    allowed = {config.date, "date", *config.channel_names, *config.control_names}
    who = f"client '{config.client}', plan" + (f" {source.name}" if isinstance(source, Path) else "")
    if isinstance(source, Path):
        table, faults = read_table(source, allowed)
        if table is None or faults:
            raise DataError(who, faults)
    else:
        table = table_from_frame(source)
    faults = list(_header_faults(table, allowed, config.channel_names))
    dated = config.date if config.date in table.header else "date"
    if dated not in table.header:
        faults.append(Fault(f"column '{config.date}'", "no such column", "the dates of the plan", "add it"))
    if faults:
        raise DataError(who, faults)
    days, faults, _ = read_dates(table.columns[dated], dated, table.rows)
    columns, rows = {}, Rows(table.rows, days)
    for name in (*config.channel_names, *config.control_names):
        if name in table.columns:
            columns[name], cell_faults = read_numbers(table.columns[name], name, rows, table.form.decimal)
            faults += cell_faults
            if name in config.channel_names:
                faults += _negative_faults(name, columns[name], rows)
    if not faults:
        faults = list(_calendar_faults(dated, days, observed.calendar))
    if faults:
        raise DataError(who, faults)
    order = np.argsort(days)
    ahead = order[days[order] > observed.calendar.days[-1]]
    planned: pd.DataFrame = pd.DataFrame(columns).iloc[ahead].reset_index(drop=True)
    return planned


def _header_faults(table: Table, allowed: set[str], channels: tuple[str, ...]) -> Iterator[Fault]:
    for name in channels:
        if name not in table.header:
            fix = nearest(name, table.header) or "add the column (0 is allowed)"
            yield Fault(f"column '{name}'", "no such column", "one column per channel", fix)
    for name in sorted(set(table.header) - allowed):
        near = nearest(name, allowed)
        if near:  # a misspelt control would be replaced by last year's pattern in silence
            yield Fault(
                f"column '{name}'", "a column that the model does not know", "a channel or control", near
            )


def _negative_faults(name: str, values: Floats, rows: Rows) -> Iterator[Fault]:
    negative = np.flatnonzero(values < 0)
    if len(negative):
        found = f"{values[negative[0]]:g}{rows.others(negative)}"
        yield Fault(rows.place(name, int(negative[0])), found, "0 or more", "correct the plan")


def _calendar_faults(column: str, days: Days, observed: Calendar) -> Iterator[Fault]:
    ahead = np.sort(days[days > observed.days[-1]])
    if len(ahead) > PLAN_ROWS_MAX:
        found = f"{len(ahead)} rows after the last row of the data"
        yield Fault("plan", found, f"at most {PLAN_ROWS_MAX}", "leave out the last ones")
        return
    expected = observed.next_days(len(ahead))
    if not np.array_equal(ahead, expected):
        first = ahead[ahead != expected][0]
        wanted = f"one row a {observed.period} from {expected[0]} to {expected[-1]}, after the last row of the data"
        yield Fault(f"column '{column}'", f"{first}", wanted, "correct the dates of the plan")
