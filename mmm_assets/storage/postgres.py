"""Dagster's Postgres storage with connections that stay open and events that are written together.

Here: `PooledStorage`, named as `storage` in the dagster.yaml of deploy/workers.
Not here: tables and queries, which are Dagster's own; its stock storage reads and writes the same database.

The stock storage connects anew for each of the thousand queries of a refresh, and Postgres starts a process for each
connection. A run of four windows is announced by 48 events, which the daemon writes one by one before it can make the
next run; here they are one statement. Materialisations of several partitions Dagster itself writes together, once it is
told how many at most (`DAGSTER_EVENT_BATCH_SIZE`).
"""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from sqlalchemy import Engine
from sqlalchemy import event as engine_event
from sqlalchemy.exc import DisconnectionError

from mmm_assets.dagster_private.evaluations import pack_evaluations
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
TRUSTED_SECONDS = 0.2  # a connection that was used just now is not tried: events come in bursts
RENEWED_SECONDS = 600  # proxies between a process and its database end connections that are idle for long
_PLANNED = {DagsterEventType.ASSET_MATERIALIZATION_PLANNED, DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED}


SCHEMA_QUESTIONS = (  # of runs, events and schedules; a migration may add columns and tables, none takes any away
    ("has_run_stats_index_cols", "has_backfill_id_column", "has_backfill_tags_table"),
    ("has_table", "has_asset_key_col", "_has_asset_key_col_on_connection"),
    ("has_secondary_index_table", "_has_instigators_table", "_has_asset_daemon_asset_evaluations_table"),
)


class BatchedEventLog(PostgresEventLogStorage):  # type: ignore[misc]
    """Event log that writes what a run is about to make in one statement."""

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
            for asset in sorted(last):  # in one order everywhere: two that wait for each other would be ended
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
        pack_evaluations()
        super().__init__(postgres_url, should_autocreate_tables, inst_data, token_provider)
        self._event_log_storage = BatchedEventLog(
            postgres_url, should_autocreate_tables, token_provider=token_provider
        )
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", BATCH)
        for storage, questions in zip(
            (self._run_storage, self._event_log_storage, self._schedule_storage),
            SCHEMA_QUESTIONS,
            strict=True,
        ):
            _ask_until_yes(storage, questions)
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


def _ask_until_yes(storage: Any, questions: Sequence[str]) -> None:
    """Let a storage remember which columns and tables there are; it asks Postgres' catalogue before most queries."""
    for question in questions:
        setattr(storage, question, functools.partial(_answer, getattr(storage, question), set()))


def _answer(ask: Callable[..., bool], yes: set[Any], *arguments: Any) -> bool:
    name = tuple(word for word in arguments if isinstance(word, str))  # the rest are connections
    if name not in yes and ask(*arguments):
        yes.add(name)
    return name in yes


def pooled_engine(address: str) -> Engine:
    """An engine whose connections stay open, and are tried before use: the database may have been restarted."""
    engine = create_engine(
        address,
        isolation_level="AUTOCOMMIT",
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MORE_CONNECTIONS,
        pool_recycle=RENEWED_SECONDS,
        pool_use_lifo=True,
    )
    engine_event.listen(engine, "checkin", _note_use)
    engine_event.listen(engine, "checkout", _try_it)
    return engine


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _try_it(connection: Any, record: Any, _proxy: Any) -> None:
    """Try a connection that was not used just now.

    Raises:
        DisconnectionError: If it is gone; SQLAlchemy then connects again.
    """
    if time.monotonic() - record.info.get("used", math.inf) < TRUSTED_SECONDS:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except connection.Error as error:
        raise DisconnectionError from error
