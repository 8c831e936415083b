"""Dagster's Postgres storage with connections that stay open and events that are written together.

Here: `PooledStorage`, named as `storage` in the dagster.yaml of deploy/workers.
Not here: tables and queries, which are Dagster's own; its stock storage reads and writes the same database.

The stock storage connects anew for each of the thousand queries of a refresh, and Postgres starts a process for each
connection. A run of four windows is announced by 48 events, which the daemon writes one by one before it can make the
next run; here they are one statement. Materialisations of several partitions Dagster itself writes together, once it is
told how many at most (`DAGSTER_EVENT_BATCH_SIZE`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import Engine

from mmm_assets.dagster_private.postgres import (
    ConfigurableClassData,
    DagsterEventType,
    DagsterPostgresStorage,
    EventLogEntry,
    PostgresEventLogStorage,
    SqlEventLogStorageTable,
    create_engine,
    get_token_provider_from_config,
    pg_url_from_config,
)

BATCH = "100"  # events in one statement at most; a run of four windows is announced by 52
KEPT_CONNECTIONS = 2  # of each process; more are opened and closed while threads need them
MORE_CONNECTIONS = 40
RENEWED_SECONDS = 600  # proxies between a process and its database end connections that are idle for long
_PLANNED = {DagsterEventType.ASSET_MATERIALIZATION_PLANNED, DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED}


class BatchedEventLog(PostgresEventLogStorage):  # type: ignore[misc]
    """Event log that writes what a run is about to make in one statement."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        self._tables: set[str] = set()
        super().__init__(*arguments, **settings)

    def has_table(self, table_name: str) -> bool:
        """Whether the database has a table; one that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events; those that announce what a run makes in one statement, others as Dagster does."""
        if not events or {event.get_dagster_event().event_type for event in events} - _PLANNED:
            super().store_event_batch(events)
            return
        rows = [self._event_to_row(event) for event in events]
        with self._connect() as connection:
            stored = connection.execute(
                SqlEventLogStorageTable.insert().returning(
                    SqlEventLogStorageTable.c.id, sort_by_parameter_order=True
                ),
                rows,
            )
            ids = [int(row[0]) for row in stored]
        last = {
            str(event.get_dagster_event().asset_key): (event, number)
            for event, number in zip(events, ids, strict=True)
            if event.dagster_event_type is DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        }
        with self.index_transaction() as connection:
            for asset in sorted(
                last
            ):  # in one order everywhere: two processes that wait for each other would be ended
                self._store_asset_event(connection, *last[asset])
        for event, number in zip(events, ids, strict=True):
            if event.dagster_event_type is DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
                self.store_asset_check_event(event, number)

    def dispose(self) -> None:
        """Close every connection; one that is needed later is opened again."""
        super().dispose()
        self._engine.dispose()


class PooledStorage(DagsterPostgresStorage):  # type: ignore[misc]
    """Runs, events and schedules of an instance in Postgres, by a few connections that stay open."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
        token_provider: Any = None,
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data, token_provider)
        self._event_log_storage = BatchedEventLog(
            postgres_url, should_autocreate_tables, token_provider=token_provider
        )
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", BATCH)
        if token_provider is None:  # Dagster fetches a token for each connection that it makes itself
            pool = pooled_engine(postgres_url)
            for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
                storage._engine = pool

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """The storage that dagster.yaml names."""
        return cls(
            postgres_url=pg_url_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
            token_provider=get_token_provider_from_config(config_value),
        )


def pooled_engine(address: str) -> Engine:
    """An engine whose connections stay open, and are tried before use: the database may have been restarted."""
    return create_engine(
        address,
        isolation_level="AUTOCOMMIT",
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MORE_CONNECTIONS,
        pool_recycle=RENEWED_SECONDS,
        pool_pre_ping=True,
        pool_use_lifo=True,
    )
