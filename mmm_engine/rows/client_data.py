"""Validated rows of one client.

Here: ClientData and the doors to it: a client's data file, a frame, a client's two files together.
Not here: the rules (contract.py), the warnings (findings.py), scaling and windows (window.py).
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.client_file import inspect_client_config
from mmm_engine.client.config import ClientConfig, check_client_id
from mmm_engine.errors import ConfigError, DataError, Fault
from mmm_engine.files.folder import folder_faults
from mmm_engine.files.table import Table, read_table, table_from_frame
from mmm_engine.files.table_form import TableForm
from mmm_engine.rows.calendar import Calendar, Period
from mmm_engine.rows.contract import check_rows, needed_columns
from mmm_engine.rows.finding import Finding
from mmm_engine.rows.findings import find_warnings
from mmm_engine.rows.long_table import long_table, missing_names, widened
from mmm_engine.rows.panel import has_repeated_dates, panel_fault, panel_of_other_days
from mmm_engine.rows.regressors import Regressors
from mmm_engine.rows.suggestions import Suggestion, suggestions


@dataclass(frozen=True)
class ClientData:
    """Rows of one client that satisfy the data contract, in original units.

    Attributes:
        config: Settings of the client.
        frame: ``date`` (datetime64[ns]), then target, channels, controls and cost columns under their own
            names as float64; one row a period, ascending, RangeIndex.
        calendar: The dates of the rows and their period.
        findings: What a reader should know about the rows.
        data_version: 12 hex digits of the rows; the same rows from another file format give the same.
        form: How their file was written, as far as that is not plain.
        currency_of_cells: Sign or code that all cells of money carry which have one, empty where they have none.
    """

    config: ClientConfig
    frame: pd.DataFrame
    calendar: Calendar
    findings: tuple[Finding, ...]
    data_version: str
    form: TableForm = field(default_factory=TableForm)
    currency_of_cells: str = ""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.frame)

    @property
    def period(self) -> Period:
        """What one row is: a day, a week or a month."""
        return self.calendar.period

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Dates, shape (date,)."""
        return pd.DatetimeIndex(self.frame["date"], name="date")

    @property
    def target(self) -> Floats:
        """Target, shape (date,)."""
        return self._values([self.config.target.column])[:, 0]

    @property
    def media(self) -> Floats:
        """Channels in their own units, shape (date, channel)."""
        return self._values(self.config.channel_names)

    @property
    def spend(self) -> Floats:
        """Money spent: a channel's cost column where it has one, else the channel; shape (date, channel)."""
        return self._values([channel.cost or channel.column for channel in self.config.channels])

    @property
    def controls(self) -> Floats:
        """Controls, shape (date, control)."""
        return self._values(self.config.control_names)

    @property
    def suggestions(self) -> tuple[Suggestion, ...]:
        """Settings of the model that the rows ask for and the client file does not have."""
        return suggestions(Regressors(self.config, self.frame, self.calendar))

    def first(self, rows: int) -> ClientData:
        """The first ``rows`` rows; the findings are those of all rows."""
        frame = self.frame.iloc[:rows].reset_index(drop=True)
        calendar, version = self.calendar.first(rows), _data_version(frame)
        return replace(self, frame=frame, calendar=calendar, data_version=version)

    def _values(self, columns: Sequence[str]) -> Floats:
        return self.frame[list(columns)].to_numpy(dtype=np.float64, copy=True)


def read_client_data(config: ClientConfig, folder: Path) -> ClientData:
    """The rows in a client's data file.

    Args:
        config: Settings of the client; ``config.data`` is relative to ``folder``.
        folder: The data folder, which the file must not leave.

    Raises:
        DataError: With every fault of the file.
    """
    data, faults = _inspect_data_file(config, folder)
    if faults or data is None:
        raise DataError(f"client '{config.client}', {config.data}", faults)
    return data


def client_data_from_frame(config: ClientConfig, frame: pd.DataFrame) -> ClientData:
    """The rows in a frame, checked as those of a file are.

    Args:
        config: Settings of the client.
        frame: The columns of the client; dates under the client's name or under ``date``. Messages count its
            rows from 1.

    Raises:
        DataError: With every fault of the frame.
    """
    if config.date not in frame.columns and "date" in frame.columns:
        frame = frame.rename(columns={"date": config.date})
    data, faults = _checked(config, table_from_frame(frame))
    if faults or data is None:
        raise DataError(f"client '{config.client}', rows given as a frame", faults)
    return data


def read_client(client: str, folder: Path) -> ClientData:
    """The rows of a client, from ``<client>.yaml`` and the data file that it names.

    Raises:
        ConfigError: With every fault of the client file and, as far as the rest of that file allows to look
            at it, of the data file.
        DataError: With every fault of the data file, when the client file has none.
    """
    path = folder / f"{check_client_id(client)}.yaml"
    config, faults = inspect_client_config(path)
    if not faults and config is not None:
        return read_client_data(config, folder)
    here = [replace(fault, where=f"{path.name}, {fault.where}") for fault in faults]
    if config is not None:
        _, data_faults = _inspect_data_file(config, folder)
        here += [replace(fault, where=f"{config.data}, {fault.where}") for fault in data_faults]
    raise ConfigError(f"client '{client}'", here)


def _inspect_data_file(config: ClientConfig, folder: Path) -> tuple[ClientData | None, list[Fault]]:
    path = folder / config.data
    if outside := folder_faults(path, folder):
        return None, list(outside)
    table, faults = read_table(path, needed_columns(config), config.table_form, config.date)
    if table is None:
        return None, faults
    repeats = has_repeated_dates(config, table)
    if repeats or missing_names(config, table):
        every, _ = read_table(path, table.header, config.table_form, config.date)
        if every is not None and (long := long_table(config, every)) is not None:
            table, long_faults = widened(config, long)
            faults += long_faults
            if table is None:
                return None, faults
        elif every is not None and repeats and (panel := panel_fault(config, every)) is not None:
            return None, [*faults, panel]
    data, row_faults = _checked(config, table)
    if data is None and not repeats:
        every, _ = read_table(path, table.header, config.table_form, config.date)
        if every is not None and (panel := panel_of_other_days(config, every)) is not None:
            return None, [*faults, panel]
    return data, faults + row_faults


def _checked(config: ClientConfig, table: Table) -> tuple[ClientData | None, list[Fault]]:
    checked, faults = check_rows(config, table)
    if checked is None:
        return None, faults
    warnings = find_warnings(config, checked.frame, checked.calendar, datetime.date.today())
    findings = (*checked.findings, *warnings)
    version = _data_version(checked.frame)
    form = checked.form.beside_the_plain()
    frame, calendar = checked.frame, checked.calendar
    return ClientData(config, frame, calendar, findings, version, form, checked.currency), []


def _data_version(frame: pd.DataFrame) -> str:
    """Hash of the rows that does not depend on file format, order of rows or order of columns."""
    digest = hashlib.sha256()
    digest.update(frame["date"].to_numpy().astype("datetime64[D]").astype("<i8").tobytes())
    for column in sorted(frame.columns.drop("date")):
        digest.update(b"\0" + column.encode("utf-8", "surrogatepass") + b"\0")
        digest.update(frame[column].to_numpy(dtype="<f8").tobytes())
    return digest.hexdigest()[:12]
