"""Dagster's Postgres storage: the classes that `mmm_assets.storage.postgres` makes cheaper.

Here: names; not imported on one machine, where their package is missing.
Not here: what is cheaper (mmm_assets.storage.postgres).
"""

from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.sql import create_engine
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import get_token_provider_from_config, pg_url_from_config

__all__ = [
    "ConfigurableClassData",
    "DagsterEventType",
    "DagsterPostgresStorage",
    "EventLogEntry",
    "PostgresEventLogStorage",
    "SqlEventLogStorageTable",
    "create_engine",
    "get_token_provider_from_config",
    "pg_url_from_config",
]
