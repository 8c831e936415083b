"""Dagster's SQLite storage with connections that stay open.

Here: engines that are made once per file, named as `storage` in dagster.yaml.
Not here: tables and queries, which are Dagster's own; the files stay readable by its stock storage.

The stock storage makes an engine, compiles every statement and opens, syncs and closes a file for each of the thousand
queries of a refresh. Write-ahead logs let a commit wait for the operating system only (``synchronous=NORMAL``): a
killed process loses nothing, a power cut may lose the last events, never the file (https://sqlite.org/pragma.html).

Every run has a file of its own, with all tables and indexes in it and a page of 4 kB for each: 100 kB before the first
event. Here it begins as a copy of an empty one with small pages: making 26 tables and indexes anew, and writing the
file anew with small pages at its end, took a twelfth of the processor time of a small client's refresh.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import dagster as dg
from sqlalchemy import Connection, Engine, event, text

from mmm_assets.dagster_private.evaluations import pack_evaluations
from mmm_assets.dagster_private.sqlite import (
    INDEX_SHARD_NAME,
    ConfigurableClassData,
    DagsterSqliteStorage,
    SqlEventLogStorageMetadata,
    SqliteEventLogStorage,
    SqliteRunStorage,
    SqliteScheduleStorage,
    create_db_conn_string,
    create_engine,
    event_logs_directory,
    runs_directory,
    schedule_directory,
)

BUSY_SECONDS = 30.0
_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
OPEN_FILES = 16  # every run has an event file of its own; the oldest are closed
PACKED_PAGE = 512  # bytes, the smallest that SQLite has; of the file of a run
INDEX_PAGE = 1024  # of the index of all runs: an event of 2.2 kB has a usual page of 4 kB for itself


def open_engine(address: str) -> Engine:
    """An engine whose connections are kept and do not sync on every commit."""
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _relax)
    return engine


def revision_of(file: Path, beside: str = "alembic_version") -> str:
    """The version that Dagster's tables in a file have; "" without tables, or without the one named ``beside``.

    Dagster reads all its migrations to learn the same, at each opening of each file. A damaged file has no version
    here, so that Dagster opens it and says what is wrong.
    """
    if not file.is_file():
        return ""
    query = "SELECT version_num FROM alembic_version, sqlite_master WHERE type = 'table' AND name = ?"
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as database:
        row = database.execute(query, (beside,)).fetchone()
        return str(row[0]) if row else ""
    return ""


def pack(file: Path, page: int = PACKED_PAGE) -> bool:
    """Write a file anew with small pages: each of its 26 tables and indexes, empty or not, has at least one.

    A file that another process has open stays as it is. Readers see the same rows before and after.

    Returns:
        Whether the file was written anew.
    """
    if not file.is_file():
        return False
    with closing(sqlite3.connect(file, timeout=0.0, isolation_level=None)) as database:
        if database.execute("PRAGMA page_size").fetchone()[0] <= page:
            return False
        try:
            # Pages keep their size under a write-ahead log, which only the last one to have the file open can end.
            if database.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete":
                return False
            database.execute(f"PRAGMA page_size={page}")
            database.execute("VACUUM")
        except sqlite3.OperationalError:  # in use, or no place to write it
            return False
        finally:
            with suppress(sqlite3.OperationalError):
                database.execute("PRAGMA journal_mode=WAL")
    return True


class KeptEventLog(SqliteEventLogStorage):
    """Event log whose files stay open between queries."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        self._revision = ""
        index = Path(base_dir) / f"{INDEX_SHARD_NAME}.db"
        is_new = not index.exists()
        super().__init__(base_dir, inst_data)
        if is_new and INDEX_SHARD_NAME in self._engines:
            self._engines.pop(INDEX_SHARD_NAME).dispose()
            pack(index, INDEX_PAGE)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; one that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            self._engines[shard] = open_engine(self.conn_string_for_shard(shard))
        self._engines.move_to_end(shard)
        if len(self._engines) > OPEN_FILES:
            self._close(*self._engines.popitem(last=False))
        return self._engines[shard]

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Make the tables; Dagster's migrations, some hundred files to load, are read for a new home only."""
        file = Path(str(engine.url.database))
        if self._revision and not for_index_shard and not file.exists():
            _begin(file, _empty_log(self._revision))
            return
        self._revision = revision_of(file)
        if not self._revision:
            super()._initdb(engine, for_index_shard)
            self._revision = revision_of(file)

    def dispose(self) -> None:
        """Close every file."""
        super().dispose()
        with self._db_lock:
            while self._engines:
                self._close(*self._engines.popitem())

    def _close(self, shard: str, engine: Engine) -> None:
        engine.dispose()
        if shard != INDEX_SHARD_NAME:  # that of a run
            pack(Path(self.path_for_shard(shard)))


class _OpenedAsItIs:
    """Storages of one file: one whose tables are there is opened without reading Dagster's migrations.

    Dagster makes the file where there is none, and completes one of an old version.
    """

    file_name: ClassVar[str]
    table_beside: ClassVar[str] = "alembic_version"  # that a whole file has beside its version

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Self:
        """The storage below a folder."""
        is_whole = revision_of(Path(base_dir) / f"{cls.file_name}.db", beside=cls.table_beside)
        if not is_whole:
            return super().from_local(base_dir, inst_data)  # type: ignore[misc,no-any-return]
        return cls(create_db_conn_string(base_dir, cls.file_name), inst_data)  # type: ignore[call-arg]


class KeptRuns(_OpenedAsItIs, SqliteRunStorage):
    """Run storage whose file stays open between queries."""

    file_name = "runs"
    table_beside = "instance_info"
    _engine: Engine | None = None

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection in a transaction."""
        if self._engine is None:
            self._engine = open_engine(self._conn_string)
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        super().dispose()
        if self._engine is not None:
            self._engine.dispose()


class KeptSchedules(_OpenedAsItIs, SqliteScheduleStorage):
    """Schedule storage that opens a file without reading Dagster's migrations."""

    file_name = "schedules"


class KeptStorage(DagsterSqliteStorage):
    """Runs, events and schedules of an instance in SQLite files below its home, as Dagster lays them out."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        pack_evaluations()
        self.base_dir = base_dir
        self._run_storage = KeptRuns.from_local(runs_directory(base_dir))
        self._event_log_storage = KeptEventLog(event_logs_directory(base_dir))
        self._schedule_storage = KeptSchedules.from_local(schedule_directory(base_dir))
        self._inst_data = inst_data
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def config_type(cls) -> Any:
        """The home."""
        return {"base_dir": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """The storage that dagster.yaml names."""
        return cls.from_local(inst_data=inst_data, **config_value)


@lru_cache(maxsize=4)
def _empty_log(revision: str) -> bytes:
    """The file of a run without events: all tables, small pages, a write-ahead log."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        engine = open_engine(f"sqlite:///{file}")
        with engine.connect() as connection:
            connection.execute(text(f"PRAGMA page_size={PACKED_PAGE}"))  # before the first table is made
            connection.execute(text("PRAGMA journal_mode=WAL"))
            SqlEventLogStorageMetadata.create_all(connection)
            connection.execute(text(_VERSION_TABLE))
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
            connection.commit()
        engine.dispose()  # the last to have it open brings the log into the file
        return file.read_bytes()


def _begin(file: Path, content: bytes) -> None:
    """Make a file with this content as a whole; one that another process has made meanwhile stays."""
    made = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    made.write_bytes(content)
    try:
        os.link(made, file)
    except FileExistsError:
        pass
    except OSError:  # no hard links here
        made.replace(file)
    finally:
        made.unlink(missing_ok=True)


def _relax(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
