"""What keeps a home from being used: a full disk, missing rights, damaged records of Dagster.

Here: telling from an error which of them it is, finding damaged records and moving them into the quarantine.
Not here: damaged results (io_managers.py) and a damaged history (mmm_engine.history), which mend themselves.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from mmm_engine.errors import Fault, MMMError
from mmm_engine.files.atomic_write import make_private_folder

RECORDS = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
"""Dagster's SQLite files in a home; beside the second lies one for each run."""

_BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite keeps of one database
_ENOUGH_BYTES = 1_000_000

DiskFault = Literal["rights", "full", "broken", "place"]
_RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_PLACE = (errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP)
_FAULTS_BY_NUMBER: dict[int, DiskFault] = {
    **dict.fromkeys(_RIGHTS, "rights"),
    **dict.fromkeys(_FULL, "full"),
    **dict.fromkeys(_NO_PLACE, "place"),
    errno.EIO: "broken",
}
_REMEDIES: dict[DiskFault, tuple[str, str]] = {
    "rights": (
        "a folder that can be written",
        "give this user the right to write there, or name another folder in $DAGSTER_HOME or $MMM_CACHE_DIR",
    ),
    "place": (
        "a folder, or a name that is free for one",
        "name another folder in $DAGSTER_HOME, $MMM_DATA_DIR or with --to",
    ),
    "full": ("free disk space", "free some (a quota counts too), then run the same command again"),
    "broken": (
        "a disk that reads and writes",
        "look at the disk and at how it is connected (the system's log says more), then run the same command again",
    ),
}


class HomeError(MMMError):
    """A home that cannot be used as it is."""


def home_fault(error: BaseException, home: Path) -> HomeError | None:
    """What is wrong with a home, None where an error has another reason.

    Args:
        error: What was raised while the home was used; its causes are looked at too.
        home: Dagster's home.
    """
    for part in _with_causes(error):
        if isinstance(part, OSError) and (kind := _FAULTS_BY_NUMBER.get(part.errno or 0)) is not None:
            place = Path(os.fsdecode(part.filename)) if part.filename else home
            return _of_disk(place, part.strerror or str(part), kind)
        if isinstance(part, sqlite3.Error):
            return _of_records(part, home)
        if words := _of_settings(part):
            fix = "correct the file; where there is none the shipped settings are put"
            fault = Fault("dagster.yaml", words, "settings that Dagster knows", fix)
            return HomeError(f"home {home}", fault)
    return None


def damaged_records(home: Path) -> dict[Path, str]:
    """Files of Dagster's records that SQLite cannot read, with what it says of them."""
    files = [home / name for name in RECORDS]
    files += sorted((home / "history" / "runs").glob("*.db"))
    checked = {file: _damage(file) for file in dict.fromkeys(files) if file.is_file()}
    return {file: reason for file, reason in checked.items() if reason}


def set_aside(home: Path) -> list[Path]:
    """Move damaged records into the quarantine; where they are then.

    Raises:
        HomeError: If a process has one of them open: it would go on writing into the file that was moved.
    """
    damaged = damaged_records(home)
    refuse_open(home, damaged)
    moved = []
    for file in damaged:
        folder = home / "quarantine" / file.parent.relative_to(home)
        make_private_folder(folder)
        stamp = time.time_ns()
        for ending in _BESIDE:
            part = Path(f"{file}{ending}")
            if part.exists():
                moved.append(part.replace(folder / f"{part.name}.{stamp}"))
    return moved


def refuse_open(home: Path, files: Iterable[Path]) -> None:
    """Refuse to touch Dagster's records while somebody uses them.

    Raises:
        HomeError: If another process has one of the files open.
    """
    for file in files:
        if holders := processes_with(file):
            found = f"process {', '.join(map(str, holders))}, which has it open"
            fix = "stop `mmm ui` and running refreshes, then run the same command again"
            raise HomeError(f"home {home}", Fault(str(file), found, "a file that nobody uses", fix))


def processes_with(file: Path) -> list[int]:
    """Ids of other processes of this machine that have a file open, as far as /proc tells."""
    target, found = str(file.resolve()), set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError, ValueError):
            if os.readlink(link) == target:
                found.add(int(link.parts[2]))
    return sorted(found - {os.getpid()})


def _damage(file: Path) -> str:
    """Why a database cannot be read; "" for a sound one."""
    try:
        with closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
        ) as database:
            (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if answer != "ok":
                return str(answer)
            is_empty = not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            return "an empty file" if is_empty and file.parent.name == "history" else ""
    except sqlite3.OperationalError:  # busy, no rights: not damage
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)


def _of_settings(error: BaseException) -> str:
    """What is wrong with dagster.yaml, "" where an error has another reason; by their names, as classes are heavy."""
    if type(error).__name__ == "DagsterInvalidConfigError":
        return (
            str(error).partition("Error 1: ")[2].partition(". Expected")[0] or "settings that Dagster refuses"
        )
    mark = getattr(error, "problem_mark", None)  # of PyYAML; client files have a reader of their own
    return (
        ""
        if mark is None
        else f"text that breaks YAML in line {mark.line + 1} ({getattr(error, 'problem', '')})"
    )


def _of_records(error: sqlite3.Error, home: Path) -> HomeError:
    """An error of SQLite in words."""
    who, words = f"home {home}", str(error)
    if damaged := damaged_records(home):
        faults = [
            Fault(str(file), f"damaged records of Dagster ({reason})", "a readable SQLite file", _REPAIR)
            for file, reason in damaged.items()
        ]
        return HomeError(who, faults)
    free = shutil.disk_usage(home).free if home.exists() else _ENOUGH_BYTES
    if "full" in words or free < _ENOUGH_BYTES:
        return _of_disk(home, words, "full")
    if "disk I/O" in words:
        return _of_disk(home, words, "broken")
    if "readonly" in words or "unable to open" in words:
        return _of_disk(home, words, "rights")
    fix = "stop whatever keeps the home busy, then run the same command again"
    return HomeError(who, Fault("Dagster's records", words, "an SQLite file that answers", fix))


_REPAIR = "run: mmm repair (it keeps the damaged file and makes a new one; results, pages and history stay)"


def _of_disk(place: Path, words: str, kind: DiskFault) -> HomeError:
    wanted, fix = _REMEDIES[kind]
    return HomeError("mmm", Fault(str(place), words, wanted, fix))


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """An error, what a database library wrapped in it, and what it came from."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        part = waiting.pop(0)
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        original = getattr(part, "orig", None)  # of SQLAlchemy's errors
        waiting += [
            original if isinstance(original, BaseException) else None,
            part.__cause__,
            part.__context__,
        ]
