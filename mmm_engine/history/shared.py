"""Recorded facts that several machines share: the same Parquet files in one place that all of them reach.

Here: which of the shared files this machine has, fetching what others wrote, handing out what was written here.
Not here: what the files hold (tables.py), the database that answers (store.py), which place that is (its caller).

Every machine keeps copies of the shared files beside its database, and a note of which state of each it has. A file
is written whole by the one run that owns it: a run's scores by that run, a client's forecasts by the one run of that
client that there is at a time. Nobody waits for anybody.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from mmm_engine.errors import Fault, HistoryError
from mmm_engine.files.atomic_write import PRIVATE_FILE, make_private_folder, replace_file, write_text
from mmm_engine.history.tables import TABLES, Table

PATIENCE_SECONDS = 150.0
"""How long to try again while the shared place refuses; the fit that is being recorded took longer."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
logger = logging.getLogger(__name__)


class SharedFacts:
    """Fact files in a place that several machines reach.

    Args:
        home: Folder of this machine's copies.
        place: Their root: a folder that is mounted everywhere, or a `upath.UPath` of an object store.
        patience: Seconds to try again while it refuses.
    """

    def __init__(self, home: Path, place: Path, patience: float = PATIENCE_SECONDS) -> None:
        self._home, self._place, self._patience = home, place, patience

    def fetch(self, client: str | None = None) -> Iterator[tuple[Table, Path]]:
        """Copy what others have written since the last time; table and copy of each file that is new or has changed.

        A file counts as fetched when the caller asks for the next one, or for no more.

        Args:
            client: Only its files.

        Raises:
            HistoryError: If the place cannot be read.
        """
        for table in TABLES:
            noted = self._noted(table, client)
            for name, state in sorted(self._states(table, client).items()):
                if noted.get(name) == state:
                    continue
                copy = self._home / name
                self.fetch_file(copy)
                if copy.exists():
                    yield table, copy
                self._note(table, name, state)

    def hand_out(self, table: Table, file: Path) -> None:
        """Put a file that was written here where all machines see it.

        Raises:
            HistoryError: If the place cannot be written.
        """
        self.hand_out_file(file)
        name = file.relative_to(self._home).as_posix()
        state = self._states(table, table.owner_of(file)[0]).get(name)
        if state is not None:
            self._note(table, name, state)

    def fetch_file(self, file: Path) -> None:
        """Copy one shared file, whatever it holds, to its place on this machine; nothing when it is not shared.

        Raises:
            HistoryError: If the place cannot be read.
        """
        name = file.relative_to(self._home).as_posix()
        try:
            content = self._patiently((self._place / name).read_bytes, name)
        except FileNotFoundError:
            return
        make_private_folder(file.parent)
        replace_file(file, partial(Path.write_bytes, data=content), mode=PRIVATE_FILE)

    def fetch_folder(self, folder: Path) -> None:
        """Copy every shared file of a folder to its place on this machine; nothing when none is shared.

        Raises:
            HistoryError: If the place cannot be read.
        """
        name = folder.relative_to(self._home).as_posix()
        shared = self._place / name
        names = self._patiently(
            lambda: [path.name for path in shared.iterdir()] if shared.is_dir() else [], name
        )
        for each in names:
            self.fetch_file(folder / each)

    def hand_out_file(self, file: Path) -> None:
        """Put one file of this machine, whatever it holds, where all machines see it.

        Raises:
            HistoryError: If the place cannot be written.
        """
        name = file.relative_to(self._home).as_posix()
        place, content = self._place / name, file.read_bytes()

        def put() -> None:
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(place, Path):
                replace_file(place, lambda fresh: fresh.write_bytes(content))
            else:
                place.write_bytes(content)

        self._patiently(put, name)

    def _states(self, table: Table, client: str | None) -> dict[str, str]:
        """Shared files of a table with what tells one state of each from another."""
        root = self._place / table.name
        if isinstance(root, Path):
            return {
                file.relative_to(self._place).as_posix(): f"{file.stat().st_mtime_ns}-{file.stat().st_size}"
                for file in table.fact_files(self._place, client or "*")
            }
        single = len(table.owner) == 1
        prefix = root.path if client is None else f"{root.path}/{client}{'.parquet' if single else ''}"
        files = root.fs
        listed = self._patiently(
            lambda: (files.invalidate_cache(), files.find(prefix, detail=True))[1], str(root)
        )
        start = len(self._place.path.rstrip("/")) + 1
        return {name[start:]: _state(info) for name, info in listed.items() if name.endswith(".parquet")}

    def _note_file(self, table: Table, client: str) -> Path:
        return self._home / "shared_facts" / table.name / f"{client}.json"

    def _noted(self, table: Table, client: str | None) -> dict[str, str]:
        if client is not None:
            note = self._note_file(table, client)
            return dict(json.loads(note.read_text())) if note.exists() else {}
        notes = (self._home / "shared_facts" / table.name).glob("*.json")
        return {name: state for note in notes for name, state in json.loads(note.read_text()).items()}

    def _note(self, table: Table, name: str, state: str) -> None:
        client = table.owner_of(self._home / name)[0]
        note = self._note_file(table, client)
        make_private_folder(note.parent)
        write_text(note, json.dumps({**self._noted(table, client), name: state}))

    def _patiently[T](self, action: Callable[[], T], what: str) -> T:
        """Do something with the place, again and again while it refuses."""
        deadline, longest = time.monotonic() + self._patience, _FIRST_PAUSE
        while True:
            try:
                return action()
            except FileNotFoundError:
                raise
            except OSError as error:
                if isinstance(error, PermissionError) or time.monotonic() + longest > deadline:
                    raise HistoryError("metric history", _refused(f"{self._place}/{what}", error)) from error
                logger.warning("%s/%s: %s; trying again", self._place, what, error)
            time.sleep(random.uniform(longest / 2, longest))  # noqa: S311 (a pause, not a secret)
            longest = min(2 * longest, _LONGEST_PAUSE)


def _state(info: dict[str, object]) -> str:
    """What changes with the content of an object, as its store says it."""
    marks = ("ETag", "etag", "md5Hash", "generation", "LastModified", "created", "mtime")
    return "-".join(str(info[mark]) for mark in (*marks, "size") if mark in info)


def _refused(where: str, error: OSError) -> Fault:
    wanted = "storage that can be read and written"
    return Fault(
        where, f"{type(error).__name__}: {error}", wanted, "mend access to the storage, then repeat the run"
    )
