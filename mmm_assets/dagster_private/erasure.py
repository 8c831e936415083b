"""Records of a client in Dagster's SQLite files: found and deleted for good.

Here: runs, events, outcomes of checks, ticks, partitions and cursors that name a client; files without their traces.
Not here: what the platform itself stores of a client (mmm_assets.lifecycle).

Dagster can delete runs and partitions, but not events without a run, outcomes of checks, ticks, or names in cursors;
and a deleted row stays readable in the file until SQLite writes it anew (VACUUM, https://sqlite.org/lang_vacuum.html).
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from mmm_assets.dagster_private.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

_SECONDS = 60.0
_PARTITION = "(partition = :client OR partition LIKE :windows ESCAPE '\\')"
_TAG = (  # "0" is a number of retries too, "full" a window too
    f"(key IN (:tag, '{PARTITION_NAME_TAG}', '{PARTITION_NAME_TAG}/client',"
    f" '{ASSET_PARTITION_RANGE_START_TAG}', '{ASSET_PARTITION_RANGE_END_TAG}')"
    " AND (value = :client OR value LIKE :windows ESCAPE '\\'))"
)
_WORDS = {  # file -> table -> column with free text; rows that name the client go
    "runs.db": {"bulk_actions": "body"},
    "schedules.db": {"job_ticks": "tick_body", "asset_daemon_asset_evaluations": "asset_evaluation_body"},
}
_CURSORS = (("jobs", "job_body"), ("instigators", "instigator_body"))


def erase_client(home: Path, client: str, tag: str) -> list[str]:
    """Delete everything that Dagster's files say of a client; nobody else may have them open.

    Args:
        home: Dagster's home.
        client: Id of the client.
        tag: Key of the platform's own tag that names a run's client.

    Returns:
        Ids of the runs that were deleted.
    """
    history, values = home / "history", _values(client) | {"tag": tag}
    with _open(history / "runs.db") as database:
        tagged = f"SELECT run_id FROM run_tags WHERE {_TAG} UNION SELECT run_id FROM runs WHERE {_PARTITION}"  # noqa: S608
        run_ids = [row[0] for row in database.execute(tagged, values)]
        _delete_runs(database, ("runs", "run_tags"), run_ids)
        _delete_named(database, _WORDS["runs.db"], client)
        database.execute(f"DELETE FROM backfill_tags WHERE {_TAG}", values)  # noqa: S608
    with _open(history / "runs" / "index.db") as database:
        _delete_events(database, values, run_ids)
        _delete_runs(database, ("asset_check_executions",), run_ids)
        database.execute(f"DELETE FROM asset_check_executions WHERE {_PARTITION}", values)  # noqa: S608
        database.execute("DELETE FROM dynamic_partitions WHERE partition = :client", values)
        for column in ("last_materialization", "asset_details", "cached_status_data"):
            named = f"UPDATE asset_keys SET {column} = NULL WHERE names_client({column}, :client)"  # noqa: S608
            database.execute(named, values)
    for run_id in run_ids:
        for file in (history / "runs").glob(f"{run_id}.db*"):
            file.unlink()
    if (history / "runs" / ".db").is_file():  # of events without a run
        with _open(history / "runs" / ".db") as database:
            database.execute(f"DELETE FROM event_logs WHERE {_PARTITION}", values)  # noqa: S608
    with _open(home / "schedules" / "schedules.db") as database:
        _delete_named(database, _WORDS["schedules.db"], client)
        for table, column in _CURSORS:
            for number, body in database.execute(f"SELECT id, {column} FROM {table}").fetchall():  # noqa: S608
                changed = json.dumps(_without(json.loads(body), client))
                database.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (changed, number))  # noqa: S608
    return run_ids


def names_client(text: object, client: str) -> bool:
    """Whether a text has the id as a word of its own.

    >>> names_client('{"partition": "shop|full"}', "shop"), names_client("workshop, shop-2", "shop")
    (True, False)
    """
    return bool(re.search(rf"(?<![a-z0-9_-]){re.escape(client)}(?![a-z0-9_-])", str(text or "")))


@contextmanager
def _open(file: Path) -> Iterator[sqlite3.Connection]:
    """A database in one transaction, which is written anew afterwards: no deleted row stays readable in it."""
    with closing(sqlite3.connect(file, timeout=_SECONDS)) as database:
        database.create_function("names_client", 2, names_client, deterministic=True)
        with database:
            yield database
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _values(client: str) -> dict[str, str]:
    """The client, and the pattern of its windows: '_' stands for any letter in a pattern, and may be in an id."""
    return {"client": client, "windows": client.replace("_", "\\_") + "|%"}


def _delete_runs(database: sqlite3.Connection, tables: tuple[str, ...], run_ids: list[str]) -> None:
    for table in tables:
        database.executemany(f"DELETE FROM {table} WHERE run_id = ?", [(run_id,) for run_id in run_ids])  # noqa: S608


def _delete_events(database: sqlite3.Connection, values: dict[str, str], run_ids: list[str]) -> None:
    """Delete events of partitions and of runs, with their tags."""
    query = f"SELECT id FROM event_logs WHERE {_PARTITION}"  # noqa: S608
    numbers = [row[0] for row in database.execute(query, values)]
    for run_id in run_ids:
        numbers += [
            row[0] for row in database.execute("SELECT id FROM event_logs WHERE run_id = ?", (run_id,))
        ]
    database.executemany("DELETE FROM asset_event_tags WHERE event_id = ?", [(number,) for number in numbers])
    database.executemany("DELETE FROM event_logs WHERE id = ?", [(number,) for number in numbers])


def _delete_named(database: sqlite3.Connection, tables: dict[str, str], client: str) -> None:
    for table, column in tables.items():
        database.execute(f"DELETE FROM {table} WHERE names_client({column}, ?)", (client,))  # noqa: S608


def _without(value: Any, client: str) -> Any:
    """A value without the entries of a client, also within texts that are JSON themselves (a sensor's cursor)."""
    if isinstance(value, dict):
        is_object = "__class__" in value  # its names are fields of Dagster's, whatever a client is called
        return {name: _without(part, client) for name, part in value.items() if is_object or name != client}
    if isinstance(value, list):
        return [_without(part, client) for part in value if part != client]
    if isinstance(value, str) and value.startswith(("{", "[")) and names_client(value, client):
        try:
            return json.dumps(_without(json.loads(value), client), separators=(",", ":"))
        except ValueError:
            return value
    return value
