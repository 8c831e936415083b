"""One file that holds a home and its inputs, made while the daemon runs, and a home made from it.

Here: `back_up`, `restore`.
Not here: single clients (removal.py), results in an object store, which has copies of its own.

SQLite's backup copies a database as it was at one moment, whatever is written meanwhile
(https://sqlite.org/backup.html). All other files are replaced whole, so that a copy of each is whole too. The
database of the history is left out: it is made again from its Parquet files.

The last member is a seal: the SHA-256 of each file. A copy that broke off between two files is a sound tar file, and a
tar file has no checksums of what it holds.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import lzma
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from mmm_assets import home
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.atomic_write import PRIVATE_FILE, make_private_folder, replace_file
from mmm_engine.history.store import History
from mmm_engine.version import ENGINE_VERSION

HOME, DATA, NOTE, SEAL = "home", "data", "backup.json", "seal.json"
_LEFT_OUT = frozenset({"locks", home.TRIALS, ".logs_queue", "quarantine"})  # folders of a home


def back_up(folder: Path, data: Path, file: Path) -> int:
    """Write a home and its inputs into one tar file, readable by its owner only.

    Args:
        folder: Dagster's home.
        data: Folder of client files.
        file: The tar file; one that is there is replaced once the new one is whole.

    Returns:
        Number of files in it.

    Raises:
        ConfigError: If there is no home or no folder of client files, or the file would lie in what it is a copy of.
    """
    if not folder.is_dir():
        raise ConfigError(
            "backup", Fault("the home", f"no folder {folder}", "a home", "run mmm refresh first")
        )
    if not data.is_dir():
        fix = (
            "name the folder of client files in $MMM_DATA_DIR: a home without them cannot be refreshed again"
        )
        raise ConfigError("backup", Fault("the data folder", f"no folder {data}", "client files", fix))
    for inside in (folder, data):
        if file.resolve().is_relative_to(inside):
            fault = Fault(str(file), f"a file in {inside}", "a file elsewhere", "name another folder")
            raise ConfigError("backup", fault)
    if file.is_dir():
        fault = Fault(str(file), "a folder", "the name of a file", f"write {file / 'mmm.tar'}")
        raise ConfigError("backup", fault)
    try:
        make_private_folder(file.resolve().parent)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG):
            raise
        found = f"a place where no folder can be made ({error.strerror})"
        raise ConfigError(
            "backup", Fault(str(file), found, "a file elsewhere", "name another folder")
        ) from None
    sums: dict[str, str] = {}

    def write(fresh: Path) -> None:
        with tarfile.open(fresh, "w") as archive:
            _add_text(archive, NOTE, json.dumps(_note(folder, data)))
            for path in _files_of_home(folder):
                _add(archive, path, f"{HOME}/{path.relative_to(folder).as_posix()}", sums)
            for path in sorted(data.rglob("*")):
                if path.is_file() and not path.is_relative_to(folder):
                    _add(archive, path, f"{DATA}/{path.relative_to(data).as_posix()}", sums)
            _add_text(archive, SEAL, json.dumps(sums))

    replace_file(file.resolve(), write, mode=PRIVATE_FILE)
    return len(sums)


def restore(file: Path, folder: Path, data: Path) -> int:
    """Make a home and its inputs from a backup.

    Args:
        file: What `back_up` wrote.
        folder: Dagster's home: empty, or not there.
        data: Folder of client files: empty, or not there.

    Returns:
        Number of files that were restored.

    Raises:
        ConfigError: If the file is no backup, not whole or not as it was written, or one of the folders holds
            something.
    """
    if folder == data:
        fix = "name two folders in $DAGSTER_HOME and $MMM_DATA_DIR"
        raise ConfigError("restore", Fault("the folders", f"{folder} twice", "one for each", fix))
    for target in (folder, data):
        if target.is_dir() and any(target.iterdir()):
            found = f"{target}, which is not empty"
            fix = "name empty folders in $DAGSTER_HOME and $MMM_DATA_DIR"
            raise ConfigError("restore", Fault("the folder", found, "an empty folder", fix))
    with _opened(file) as archive:
        for target in (folder, data):
            make_private_folder(target)
        try:
            count = _unpack(archive, folder, data, file)
        except BaseException as error:
            for target in (folder, data):
                _empty(target)
            if isinstance(error, tarfile.TarError | EOFError | zlib.error | lzma.LZMAError):
                raise _no_backup(file, f"{error}: not the whole file") from error
            raise
    if any((folder / "metric_history").glob("*/*.parquet")):
        History(home.history_path(folder)).rebuild()
    return count


def _unpack(archive: tarfile.TarFile, folder: Path, data: Path, file: Path) -> int:
    """Write the files of a backup into their folders; how many they were.

    Raises:
        ConfigError: If they are not those that the backup's seal names; earlier versions wrote none.
    """
    note: dict[str, object] = {}
    seal: dict[str, str] | None = None
    sums: dict[str, str] = {}
    for member in archive:
        top, _, rest = member.name.partition("/")
        if member.name in (NOTE, SEAL) and (opened := archive.extractfile(member)):
            try:
                text = dict(json.loads(opened.read()))
            except (TypeError, ValueError) as error:
                raise _no_backup(file, f"{member.name}: {error}") from error
            note, seal = (text, seal) if member.name == NOTE else (note, text)
        if not rest or top not in (HOME, DATA) or not member.isfile():
            continue
        name, member.name = member.name, rest
        target = folder if top == HOME else data
        archive.extract(member, target, filter="data")
        with (target / rest).open("rb") as written:
            sums[name] = hashlib.file_digest(written, "sha256").hexdigest()
    if seal is None and note.get("is_sealed"):
        raise _no_backup(file, f"{len(sums)} files and no end: not the whole file")
    if seal is not None and seal != sums:
        changed = sorted({name for name, _ in seal.items() ^ sums.items()})
        raise _no_backup(file, f"{changed[0]}, which is not as it was written ({len(changed)} in all)")
    return len(sums)


def _empty(folder: Path) -> None:
    """Delete what is in a folder."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _opened(file: Path) -> tarfile.TarFile:
    """An archive whose first member is the note of a backup."""
    try:
        archive = tarfile.open(file)  # noqa: SIM115 (closed by the caller)
        first = archive.next()
    except tarfile.TarError:
        raise _no_backup(file, "no tar file, or the beginning of one") from None
    except OSError as error:
        raise _no_backup(file, error.strerror or str(error)) from None
    if first is None or first.name != NOTE:
        archive.close()
        raise _no_backup(file, "another archive")
    return archive


def _no_backup(file: Path, found: str) -> ConfigError:
    return ConfigError("restore", Fault(str(file), found, "a file that mmm backup wrote", "name such a file"))


def _note(folder: Path, data: Path) -> dict[str, object]:
    made = datetime.now(UTC).isoformat(timespec="seconds")
    note = {"made": made, "version": ENGINE_VERSION, "home": str(folder), "data": str(data)}
    return {**note, "is_sealed": True}


def _files_of_home(folder: Path) -> Iterator[Path]:
    """Files of a home that cannot be made again; what SQLite keeps beside its databases is in their copies."""
    for top in sorted(folder.iterdir()):
        if top.is_dir() and top.name not in _LEFT_OUT:
            yield from (path for path in sorted(top.rglob("*")) if path.is_file() and not _is_passing(path))
        elif top.is_file() and not top.name.startswith("metric_history.duckdb"):
            yield top


def _is_passing(path: Path) -> bool:
    """Whether a file belongs to a moment: a write that is under way, a lock, the log beside a database."""
    return ".tmp-" in path.name or path.name == ".lock" or path.name.endswith(("-wal", "-shm", "-journal"))


def _add(archive: tarfile.TarFile, path: Path, name: str, sums: dict[str, str]) -> None:
    """Add a file as it is now, and its checksum; nothing when it is gone meanwhile."""
    if path.name.endswith(".db"):  # the suffix of ".db", which has the events without a run, is empty
        _add_database(archive, path, name, sums)
        return
    with suppress(FileNotFoundError), path.open("rb") as opened:
        _add_opened(archive, opened, name, sums)


class _Summing(io.RawIOBase):
    """A file whose checksum grows with what is read of it: what is written meanwhile is not in the copy."""

    def __init__(self, opened: BinaryIO) -> None:
        self._opened = opened
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        part = self._opened.read(size)
        self.sum.update(part)
        return part


def _add_opened(archive: tarfile.TarFile, opened: BinaryIO, name: str, sums: dict[str, str]) -> None:
    member = archive.gettarinfo(arcname=name, fileobj=opened)
    reader = _Summing(opened)
    archive.addfile(member, reader)
    sums[name] = reader.sum.hexdigest()


def _add_database(archive: tarfile.TarFile, path: Path, name: str, sums: dict[str, str]) -> None:
    """Add an SQLite file with what is still in its log; nothing when it is gone meanwhile."""
    address = f"{path.absolute().as_uri()}?mode=ro"  # a file that is gone is not made anew
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "copy.db")
        try:
            with (
                closing(sqlite3.connect(address, uri=True, timeout=60)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
        except sqlite3.OperationalError:
            if path.exists():
                raise
            return
        with copy.open("rb") as opened:
            _add_opened(archive, opened, name, sums)


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), PRIVATE_FILE
    archive.addfile(member, io.BytesIO(content))
