"""Dagster's SQLite storage: the classes that `mmm_assets.storage.sqlite` keeps open.

Here: names, and the folders of a home's files as Dagster lays them out.
Not here: how the files are kept open (mmm_assets.storage.sqlite).

Apart from the rest of the package, because it loads SQLAlchemy and Alembic: only whoever opens a home pays for them.
"""

from dagster._core.storage.event_log import SqlEventLogStorageMetadata, SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._core.storage.sqlite_storage import _event_logs_directory as event_logs_directory
from dagster._core.storage.sqlite_storage import _runs_directory as runs_directory
from dagster._core.storage.sqlite_storage import _schedule_directory as schedule_directory
from dagster._serdes import ConfigurableClassData

__all__ = [
    "INDEX_SHARD_NAME",
    "ConfigurableClassData",
    "DagsterSqliteStorage",
    "SqlEventLogStorageMetadata",
    "SqliteEventLogStorage",
    "SqliteRunStorage",
    "SqliteScheduleStorage",
    "create_db_conn_string",
    "create_engine",
    "event_logs_directory",
    "runs_directory",
    "schedule_directory",
]
