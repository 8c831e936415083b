"""Metric history and forecast ledger: every score ever recorded, in one DuckDB file.

Here: what is written when, reading it back, mending either side from the other.
Not here: the columns (tables.py), locks and files (files.py), ledger rows (ledger.py).

The truth are Parquet files: ``metric_history/<client>/<run_id>.parquet`` holds the scores of one run,
``forecast_ledger/<client>.parquet`` the forecasts of one client. The DuckDB file beside them is what is
queried. A fact is written first and the database after it, so the database can always be made again from the
facts: when it is missing, was made by another version of the platform, or is damaged (``rebuild``).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa

from mmm_engine.client.config import check_client_id
from mmm_engine.errors import DamagedHistoryError, Fault, HistoryError
from mmm_engine.files.atomic_write import make_private_folder
from mmm_engine.history import ledger
from mmm_engine.history.files import (
    PATIENCE_SECONDS,
    build_database,
    connection,
    exclusive,
    read_fact,
    replace_rows,
    rows_of_owner,
    write_parquet,
)
from mmm_engine.history.tables import FORECAST_LEDGER, METRIC_HISTORY, TABLES, Table, utc_naive

logger = logging.getLogger(__name__)

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
"""What a run id may look like: it becomes a file name."""

_ORDER = '"recorded_at", "client", "window", "split", "channel", "metric"'

Names = str | Sequence[str] | None
"""One value, several, or None for all."""


def history_rows(
    scores: pd.DataFrame,
    *,
    client: str,
    window: str,
    cutoff: pd.Timestamp,
    horizon: int,
    data_version: str,
    config_version: str,
    engine_version: str,
    run_id: str,
    recorded_at: datetime,
) -> pd.DataFrame:
    """Rows of ``metric_history`` for the score frame of one window.

    Args:
        scores: Columns split, channel, metric, value, unit.
        client: Id of the client.
        window: Name of the window.
        cutoff: Last training date.
        horizon: Held-out periods after it, 0 for ``full``.
        data_version: Version of the client's rows.
        config_version: Version of the client's settings.
        engine_version: Version of this package.
        run_id: The run that computed the scores.
        recorded_at: When; without a zone it is taken as UTC.
    """
    rows = scores.assign(
        client=client,
        window=window,
        cutoff=cutoff,
        horizon=horizon,
        data_version=data_version,
        config_version=config_version,
        engine_version=engine_version,
        run_id=run_id,
        recorded_at=utc_naive(recorded_at),
    )
    return rows[list(METRIC_HISTORY.columns)]


class History:
    """The recorded scores and forecasts of all clients.

    Safe for several processes and threads: every call opens the file for one short transaction and waits for
    others up to ``patience`` seconds.

    Args:
        path: The DuckDB file; made at the first write, with the folders of facts beside it.
        patience: Seconds to wait for other processes.
    """

    def __init__(self, path: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        self.path = path
        self.patience = patience

    def append(self, rows: pd.DataFrame) -> int:
        """Record the scores of one or more runs; recording a run again replaces its rows of the same key.

        Args:
            rows: Columns of ``METRIC_HISTORY`` (see ``history_rows``), any order.

        Returns:
            Number of rows recorded.

        Raises:
            ValueError: If the columns do not fit, a key comes twice, or a run id cannot be a file name.
            ConfigError: If a client id is not allowed.
            HistoryError: If the history cannot be written.
        """
        if rows.empty:
            return 0
        runs = METRIC_HISTORY.to_frame(METRIC_HISTORY.to_arrow(rows)).groupby(list(METRIC_HISTORY.owner))
        files = {self._run_file(str(client), str(run_id)): run for (client, run_id), run in runs}
        with self._exclusive():
            written = [self._write_run(file, run) for file, run in files.items()]
            self._store(METRIC_HISTORY, pa.concat_tables(written))
        return len(rows)

    def read(
        self,
        client: Names = None,
        metric: Names = None,
        window: Names = None,
        split: Names = None,
        *,
        since: datetime | None = None,
        latest: bool = False,
    ) -> pd.DataFrame:
        """Recorded scores, oldest first.

        Args:
            client: Only these clients.
            metric: Only these metrics.
            window: Only these windows.
            split: Only these splits.
            since: Only what was recorded then or later.
            latest: Only the last run of each client, window, split and metric.

        Returns:
            Columns of ``METRIC_HISTORY``, ``cutoff`` and ``recorded_at`` (UTC) as datetime64.

        Raises:
            HistoryError: If the history cannot be read.
        """
        filters = {"client": client, "metric": metric, "window": window, "split": split}
        relation = "latest_metrics" if latest else METRIC_HISTORY.name
        return self._read(METRIC_HISTORY, relation, filters, _ORDER, since=since)

    def freeze_forecast(
        self,
        client: str,
        forecast: pd.DataFrame,
        *,
        cutoff: pd.Timestamp,
        issued_at: datetime,
        run_id: str,
        data_version: str,
    ) -> int:
        """Put a forecast into the ledger; one with the same cutoff and data that is there already stays.

        Args:
            client: Id of the client.
            forecast: Columns date, q05, q25, q50, q75, q95, mean; original units.
            cutoff: Last training date.
            issued_at: When the forecast was made; without a zone it is taken as UTC.
            run_id: The run that made it.
            data_version: Version of the data it was made from.

        Returns:
            Number of periods that were frozen now.

        Raises:
            ValueError: If the forecast is incomplete, overlaps the training dates, or its quantiles cross.
            HistoryError: If the history cannot be written.
        """
        rows = ledger.vintage(
            client, forecast, cutoff=cutoff, issued_at=issued_at, run_id=run_id, data_version=data_version
        )
        rows = FORECAST_LEDGER.to_frame(FORECAST_LEDGER.to_arrow(rows))
        with self._exclusive():
            before = self._read_ledger_facts(client)
            after = ledger.freeze(before, rows)
            self._write_ledger(client, after)
        return len(after) - len(before)

    def score_forecasts(self, client: str, actuals: pd.Series, *, scored_at: datetime | None = None) -> int:
        """Fill in what happened for the client's frozen forecasts.

        Args:
            client: Id of the client.
            actuals: Observed target by date, original units; dates that were never forecast do no harm.
            scored_at: Now, unless given.

        Returns:
            Number of ledger rows whose actual is new or was restated.

        Raises:
            HistoryError: If the history cannot be written.
        """
        with self._exclusive():
            before = self._read_ledger_facts(client)
            if before.empty:
                return 0
            after = ledger.score(before, actuals, scored_at or datetime.now(UTC))
            self._write_ledger(client, after)
        return int((after["actual"].notna() & (after["actual"] != before["actual"])).sum())

    def ledger(self, client: Names = None) -> pd.DataFrame:
        """Frozen forecasts and how they turned out, oldest vintage first.

        Returns:
            Columns of ``FORECAST_LEDGER``, and those of ``ledger.judge``: inside_50, inside_90, error, crps.

        Raises:
            HistoryError: If the history cannot be read.
        """
        order = '"client", "cutoff", "issued_at", "date"'
        return ledger.judge(self._read(FORECAST_LEDGER, FORECAST_LEDGER.name, {"client": client}, order))

    def rebuild(self) -> int:
        """Make the DuckDB file again from the facts; the old file is kept as ``<name>.replaced``.

        Returns:
            Number of rows in the new file.

        Raises:
            HistoryError: If there are no facts, or one of them is damaged and so is the database.
        """
        with self._exclusive():
            if self.path.exists() and not self._has_facts():
                fault = Fault(
                    str(self._home / METRIC_HISTORY.name),
                    "no fact files",
                    "the Parquet files that the history is made from",
                    "put the folder back beside the database; the database was left as it is",
                )
                raise HistoryError("metric history", fault)
            for table in TABLES:
                for file in table.fact_files(self._home):
                    self._read_fact(table, file)
            return build_database(self.path)

    # Facts

    @property
    def _home(self) -> Path:
        return self.path.parent

    def _has_facts(self) -> bool:
        return any(table.fact_files(self._home) for table in TABLES)

    def _run_file(self, client: str, run_id: str) -> Path:
        if not RUN_ID.fullmatch(run_id):
            raise ValueError(f"run id {run_id!r}: wanted letters, digits, '_', '.' and '-', at most 128")
        return METRIC_HISTORY.fact_file(self._home, (check_client_id(client), run_id))

    def _read_fact(self, table: Table, file: Path) -> pa.Table:
        """Rows of a fact file; a damaged one is moved aside and made again from the rows that the database has.

        Raises:
            HistoryError: If the database has no such rows or cannot be read either.
        """
        try:
            return read_fact(table, file)
        except HistoryError as error:
            rows = rows_of_owner(self.path, table, table.owner_of(file), self.patience)
            if rows is None or not rows.num_rows:
                raise
            aside = self._home / "quarantine" / table.name / f"{file.name}.{time.time_ns()}"
            make_private_folder(aside.parent)
            file.replace(aside)
            logger.warning("%s It was moved to %s and made again from the database.", error, aside)
            write_parquet(rows, file)
            return rows

    def _write_run(self, file: Path, run: pd.DataFrame) -> pa.Table:
        """Write the scores of one run, together with those it recorded before; returns all of them."""
        if file.exists():
            earlier = METRIC_HISTORY.to_frame(self._read_fact(METRIC_HISTORY, file))
            run = pd.concat([earlier, run]).drop_duplicates(list(METRIC_HISTORY.key), keep="last")
        rows = METRIC_HISTORY.to_arrow(run)
        write_parquet(rows, file)
        return rows

    def _ledger_file(self, client: str) -> Path:
        return FORECAST_LEDGER.fact_file(self._home, (check_client_id(client),))

    def _read_ledger_facts(self, client: str) -> pd.DataFrame:
        file = self._ledger_file(client)
        rows = (
            self._read_fact(FORECAST_LEDGER, file) if file.exists() else FORECAST_LEDGER.schema.empty_table()
        )
        return FORECAST_LEDGER.to_frame(rows)

    def _write_ledger(self, client: str, ledger: pd.DataFrame) -> None:
        """Write all forecasts of a client, so that a write that was cut off is made good by the next one."""
        rows = FORECAST_LEDGER.to_arrow(ledger)
        write_parquet(rows, self._ledger_file(client))
        self._store(FORECAST_LEDGER, rows)

    # Database

    def _exclusive(self) -> AbstractContextManager[None]:
        return exclusive(self._home / METRIC_HISTORY.name / ".lock", self.patience)

    def _store(self, table: Table, rows: pa.Table) -> None:
        """Bring rows whose facts are written into the database; a damaged one is made again from all facts."""
        try:
            if self.path.exists() and replace_rows(self.path, table, rows, self.patience):
                return
        except DamagedHistoryError as error:
            logger.warning("%s It is made again from the facts.", error)
        build_database(self.path)

    def _read(
        self,
        table: Table,
        relation: str,
        filters: dict[str, Names],
        order: str,
        since: datetime | None = None,
    ) -> pd.DataFrame:
        if not self.path.exists():
            if not self._has_facts():
                return table.to_frame(table.schema.empty_table())
            self.rebuild()
        selected = {column: _as_list(names) for column, names in filters.items() if names is not None}
        # One parameter a value: DuckDB looks through a list of values into a view, not through a subquery.
        conditions = [
            f'"{name}" IN ({", ".join("?" * len(values))})' for name, values in selected.items() if values
        ]
        conditions += ["false" for values in selected.values() if not values]
        parameters: list[object] = [value for values in selected.values() for value in values]
        if since is not None:
            conditions.append('"recorded_at" >= ?')
            parameters.append(utc_naive(since))
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f'SELECT * FROM "{relation}" {where} ORDER BY {order}'  # noqa: S608 (names of this module)
        try:
            return self._query(table, query, parameters)
        except DamagedHistoryError as error:
            if not self._has_facts():
                raise
            logger.warning("%s It is made again from the facts.", error)
            self.rebuild()
            return self._query(table, query, parameters)

    def _query(self, table: Table, query: str, parameters: list[object]) -> pd.DataFrame:
        with connection(self.path, read_only=True, patience=self.patience) as database:
            return table.to_frame(database.sql(query, params=parameters).to_arrow_table())


def _as_list(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
