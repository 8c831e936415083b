"""Files of the history: one lock, atomic Parquet facts, short DuckDB connections.

Here: how a process waits for its turn, writes a file so that it is whole or not there, opens the database for
the length of one transaction, and makes it from the facts.
Not here: what the rows are (tables.py), what is written when (store.py).

DuckDB lets one process write or many read and refuses everybody else at once, so every opening is retried for
a while. Writers of the platform queue on a lock file first: facts and database then change together, and a
killed process frees the lock by dying.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import batched
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mmm_engine.errors import DamagedHistoryError, Fault, HistoryError
from mmm_engine.files.atomic_write import PRIVATE_FILE, make_private_folder, replace_file
from mmm_engine.history.tables import METRIC_HISTORY, TABLES, Table, definitions, definitions_version

PATIENCE_SECONDS = 60.0
"""How long to wait for other processes; one transaction takes some hundredths of a second."""

_PAUSE_FIRST, _PAUSE_LONGEST = 0.02, 0.25
_ROWS = b"mmm_rows"  # in the metadata of a fact file: how many rows were written
_FACTS_AT_ONCE = 500
_MISTAKES = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.IntegrityError,
)  # of our code, not of the file
_DAMAGE = (
    duckdb.SerializationException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.CatalogException,
)
_DAMAGE_WORDS = (
    "not a valid DuckDB database file",
    "checksum",
    "Corrupt",
    "corrupt",
    "Could not read enough bytes",
)
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES, errno.EROFS)
_NOT_WRITTEN = "fsync failed"  # what DuckDB says of a disk that fails, without the system's words
_BUSY = ("Could not set lock on file", "different configuration than existing connections")


@contextmanager
def exclusive(lock: Path, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the lock file; released when the block ends, however it ends, also by a killed process.

    Raises:
        HistoryError: If other processes held it for ``patience`` seconds.
    """
    make_private_folder(lock.parent)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        _wait_for(lambda: fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB), _is_taken, lock, patience)
        yield
    finally:
        os.close(handle)


@contextmanager
def connection(
    path: Path, *, read_only: bool, patience: float = PATIENCE_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for one short piece of work, closed however the work ends.

    Raises:
        HistoryError: If another process keeps the file for ``patience`` seconds, or it cannot be read.
        OSError: If the disk is full or fails, or this user has no right to the file.
    """
    try:
        opened = _wait_for(lambda: duckdb.connect(path, read_only=read_only), _is_busy, path, patience)
        try:
            yield opened
        finally:
            opened.close()
    except _MISTAKES:
        raise
    except duckdb.Error as error:
        for number in _OF_THE_DISK:
            if os.strerror(number) in str(error):  # DuckDB hands the system's words on, not its number
                raise OSError(number, os.strerror(number), str(path)) from error
        if _NOT_WRITTEN in str(error):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path)) from error
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:  # DuckDB reports some damage in the damaged file's own words
        raise unreadable(path, duckdb.SerializationException("unreadable content")) from error


def replace_rows(path: Path, table: Table, rows: pa.Table, patience: float = PATIENCE_SECONDS) -> bool:
    """Bring the rows of whole fact files into the database, in place of those it has of them; one transaction.

    Returns:
        False, with nothing written, when the database was made with other definitions than today's.

    Raises:
        HistoryError: If another process keeps the file for ``patience`` seconds, or it cannot be written.
    """
    with connection(path, read_only=False, patience=patience) as database:
        if _definitions_of(database) != definitions_version():
            return False
        database.register("incoming", rows)
        database.begin()
        database.execute(table.delete_sql("incoming"))
        database.execute(table.insert_sql("incoming"))
        database.commit()
        return True


def build_database(path: Path) -> int:
    """Make the database from all fact files beside the old one, then let it take its place.

    The old file is kept as ``<name>.replaced``. Call it with the lock held: a writer in between would write
    into the file that goes.

    Returns:
        Number of rows in the new database.

    Raises:
        HistoryError: If a fact file is damaged; the old database is then left as it is.
    """
    fresh = path.parent / METRIC_HISTORY.name / f".{path.name}.tmp"  # a private folder, until its mode is set
    make_private_folder(fresh.parent)
    for leftover in (fresh, Path(f"{fresh}.wal")):
        leftover.unlink(missing_ok=True)
    with connection(fresh, read_only=False) as database:
        for statement in definitions():
            database.execute(statement)
        database.execute(f"COMMENT ON TABLE {METRIC_HISTORY.name} IS '{definitions_version()}'")
        rows = sum(_load_facts(database, table, path.parent) for table in TABLES)
    fresh.chmod(PRIVATE_FILE)
    for ending in ("", ".wal"):  # what the old file had not yet merged belongs to it, not to the new one
        old = Path(f"{path}{ending}")
        if old.exists():
            old.replace(f"{path}.replaced{ending}")
    fresh.replace(path)
    return rows


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a Parquet file that is whole or absent at every moment, readable by its owner only."""
    make_private_folder(path.parent)
    counted = table.replace_schema_metadata({**(table.schema.metadata or {}), _ROWS: str(len(table))})
    replace_file(
        path,
        lambda temporary: pq.write_table(counted, temporary, write_page_checksum=True),
        mode=PRIVATE_FILE,
    )


def read_fact(table: Table, file: Path) -> pa.Table:
    """Rows of one fact file.

    Raises:
        HistoryError: If the file is damaged, lacks a column, or holds rows that belong into another file.
    """
    try:
        # One file object, not a path: a folder named a=b would be read as a column.
        with file.open("rb") as opened:
            stored = pq.read_table(opened, columns=table.schema.names, page_checksum_verification=True)
        rows = stored.select(table.schema.names).cast(table.schema)
        _check_footer(stored, rows)
        rows.validate(full=True)
    except Exception as error:  # Arrow has an error of its own for each kind of damage
        if isinstance(error, MemoryError | ImportError) or getattr(error, "errno", None) is not None:
            raise  # of the system, not of the file
        raise _bad_fact(file, f"a file that is not a fact file ({_first_line(error)})") from error
    for column, owner in zip(table.owner, table.owner_of(file), strict=True):
        others = set(pc.unique(rows[column]).to_pylist()) - {owner}
        if others:
            raise _bad_fact(file, f"rows of {column} {sorted(others)[0]!r}, perhaps a copy of another file")
    return rows


def _check_footer(stored: pa.Table, rows: pa.Table) -> None:
    """Refuse what checksums of pages do not cover: another number of rows, another unit of time, times beyond bounds.

    Raises:
        ValueError: If the rows as they were stored are not those that were written.
    """
    written = (stored.schema.metadata or {}).get(_ROWS)
    if written is not None and int(written) != len(rows):
        raise ValueError(f"{len(rows)} rows where {int(written)} were written")
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if pa.types.is_temporal(column.type):
            if stored.schema.field(name).type != column.type:
                raise ValueError(f"column {name} in another unit of time")
            column.cast(pa.timestamp("ns"))


def rows_of_owner(
    path: Path, table: Table, owner: Sequence[str], patience: float = PATIENCE_SECONDS
) -> pa.Table | None:
    """The rows that the database has of one fact file; None when it cannot be read.

    Args:
        path: The database.
        table: Their table.
        owner: Values of the columns ``table.owner``.
        patience: Seconds to wait for other processes.
    """
    if not path.exists():
        return None
    columns = ", ".join(f'"{name}"' for name in table.schema.names)
    condition = " AND ".join(f'"{name}" = ?' for name in table.owner)
    query = f'SELECT {columns} FROM "{table.name}" WHERE {condition}'  # noqa: S608 (names of our tables)
    try:
        with connection(path, read_only=True, patience=patience) as database:
            return database.sql(query, params=list(owner)).to_arrow_table().cast(table.schema)
    except (HistoryError, OSError, *_MISTAKES):
        return None


def unreadable(path: Path, error: Exception) -> HistoryError:
    """What to tell the user when DuckDB cannot work with the file."""
    fault = Fault(
        str(path),
        _first_line(error),
        "a metric history that can be opened",
        "mend access rights or disk space if that is what it says; if the file is damaged, make it again "
        "from the recorded facts with `mmm history --rebuild` (the damaged file is kept beside it)",
    )
    damaged = isinstance(error, _DAMAGE) or any(words in str(error) for words in _DAMAGE_WORDS)
    return (DamagedHistoryError if damaged else HistoryError)("metric history", fault)


def _load_facts(database: duckdb.DuckDBPyConnection, table: Table, home: Path) -> int:
    """Write all facts of a table into an empty database; returns the number of rows."""
    count = 0
    for files in batched(table.fact_files(home), _FACTS_AT_ONCE):
        rows = pa.concat_tables([read_fact(table, file) for file in files])
        database.register("incoming", rows)
        database.execute(table.insert_sql("incoming"))
        count += rows.num_rows
    return count


def _definitions_of(database: duckdb.DuckDBPyConnection) -> str | None:
    """Version of the definitions that the database was made with; None when it is not one of ours."""
    query = "SELECT comment FROM duckdb_tables() WHERE table_name = ?"
    rows = database.execute(
        query, [METRIC_HISTORY.name]
    ).fetchall()  # all: a result half read blocks the next
    return rows[0][0] if rows else None


def _bad_fact(file: Path, found: str) -> HistoryError:
    wanted = "a Parquet file as the platform wrote it"
    fix = "put it back from a backup, or move it out of the folder to go on without its rows"
    return HistoryError("metric history", Fault(str(file), found, wanted, fix))


def _wait_for[T](
    attempt: Callable[[], T], busy: Callable[[Exception], bool], path: Path, patience: float
) -> T:
    """Try until it works; random pauses, so that waiting processes do not meet again and again."""
    deadline = time.monotonic() + patience
    longest = _PAUSE_FIRST
    while True:
        try:
            return attempt()
        except (duckdb.Error, OSError) as error:
            if not busy(error):
                raise
            if time.monotonic() >= deadline:
                fault = Fault(
                    str(path),
                    f"another process keeps it open for more than {patience:g} s ({_first_line(error)})",
                    "a history that is free for a moment",
                    "close the program that holds it (a database browser opened for writing?) and try again",
                )
                raise HistoryError("metric history", fault) from error
        time.sleep(random.uniform(0, longest))  # noqa: S311 (a pause, not a secret)
        longest = min(2 * longest, _PAUSE_LONGEST)


def _is_taken(error: Exception) -> bool:
    """Whether another process holds the lock file."""
    return isinstance(error, BlockingIOError)


def _is_busy(error: Exception) -> bool:
    """Whether DuckDB refused because the file is open elsewhere, in this process or another."""
    return isinstance(error, duckdb.Error) and any(words in str(error) for words in _BUSY)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].partition(" See also ")[0]
