"""Tables kept as Parquet facts beside the DuckDB file that is made from them.

Here: `FactStore`: reading and writing the facts of an owner, bringing them into the database, querying it, making it
again from the facts.
Not here: what other machines recorded (shared.py), locks, files and connections (files.py), which rows there are
(store.py, advice_store.py).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa

from mmm_engine.client.config import check_client_id
from mmm_engine.errors import DamagedHistoryError, Fault, HistoryError
from mmm_engine.files.atomic_write import make_private_folder
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
from mmm_engine.history.shared import SharedFacts
from mmm_engine.history.tables import METRIC_HISTORY, TABLES, Table, utc_naive

logger = logging.getLogger(__name__)

Names = str | Sequence[str] | None
"""One value, several, or None for all."""


class FactStore:
    """The recorded tables of all clients.

    Safe for several processes and threads: every call opens the file for one short transaction and waits for
    others up to ``patience`` seconds.

    Args:
        path: The DuckDB file; made at the first write, with the folders of facts beside it.
        patience: Seconds to wait for other processes.
        shared: Root of the facts that other machines read and write too; None when this machine is the only one.
    """

    def __init__(self, path: Path, *, patience: float = PATIENCE_SECONDS, shared: Path | None = None) -> None:
        self.path = path
        self.patience = patience
        self.shared = shared
        self._others = None if shared is None else SharedFacts(path.parent, shared)

    def rebuild(self) -> int:
        """Make the DuckDB file again from the facts; the old file is kept as ``<name>.replaced``.

        Returns:
            Number of rows in the new file.

        Raises:
            HistoryError: If there are no facts, or one of them is damaged and so is the database.
        """
        with self._exclusive():
            self._fetch(None, store=False)
            if self.path.exists() and not self._has_facts():
                fault = Fault(
                    str(self._home / METRIC_HISTORY.name),
                    "no fact files",
                    "the Parquet files that the history is made from",
                    "put the folder back beside the database; the database was left as it is",
                )
                raise HistoryError("metric history", fault)
            return self._build()

    # Facts

    @property
    def _home(self) -> Path:
        return self.path.parent

    def _has_facts(self) -> bool:
        return any(table.fact_files(self._home) for table in TABLES)

    def _build(self) -> int:
        """Make the DuckDB file from the facts that are on this machine; the lock is held."""
        for table in TABLES:
            for file in table.fact_files(self._home):
                self._read_fact(table, file)
        return build_database(self.path)

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

    def _client_facts(self, table: Table, client: str) -> pd.DataFrame:
        """Every row of a client in a table with one fact file for each client; the lock is held."""
        self._fetch([client])
        file = table.fact_file(self._home, (check_client_id(client),))
        return table.to_frame(self._read_fact(table, file) if file.exists() else table.schema.empty_table())

    def _write_client_facts(self, table: Table, client: str, frame: pd.DataFrame) -> None:
        """Write all rows of a client, so that a write that was cut off is made good by the next one."""
        rows = table.to_arrow(frame)
        self._write(table, rows, table.fact_file(self._home, (check_client_id(client),)))
        self._store(table, rows)

    def _write(self, table: Table, rows: pa.Table, file: Path) -> None:
        write_parquet(rows, file)
        if self._others is not None:
            self._others.hand_out(table, file)

    def _fetch(self, clients: Iterable[str] | None, *, store: bool = True) -> None:
        """Bring what other machines have recorded of some clients, or of all; the lock is held."""
        if self._others is None:
            return
        store = store and self.path.exists()
        for client in [None] if clients is None else clients:
            for table, file in self._others.fetch(client):
                if store:
                    self._store(table, self._read_fact(table, file))

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
        if self._others is not None:
            names = filters["client"]
            with self._exclusive():
                self._fetch(None if names is None else _as_list(names))
        if not self.path.exists():
            if not self._has_facts():
                return table.to_frame(table.schema.empty_table())
            with self._exclusive():
                self._build()  # of others' facts those that were asked for: the rest is fetched when it is
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
