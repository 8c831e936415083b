"""A copy of client files that lie in an object store (``s3://bucket/clients``), brought up to date by looking there.

Here: what changed there since the last look, fetching it, forgetting what is gone.
Not here: where client files are (home.py), when they are new (automation/sensors.py), results (storage/objects.py).

Files are read by many hands, Excel's reader among them, which want a folder. What is fetched is decided by the store's
own fingerprint of an object (ETag, MD5), without one by size and time.
"""

from __future__ import annotations

import fcntl
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.atomic_write import make_private_folder, replace_file

LOOK_SECONDS = 10.0  # between two looks of one process
_SEEN, _LOCK = ".seen.json", ".lock"
_FINGERPRINTS = ("ETag", "etag", "md5Hash", "content_md5")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")
_looked: dict[Path, float] = {}
_log = logging.getLogger(__name__)


def current_copy(address: Any, folder: Path, every: float = LOOK_SECONDS) -> Path:
    """The folder that holds a copy of what lies below an address, made current.

    Args:
        address: A `upath.UPath` in an object store.
        folder: Of the copy; other files in it are deleted.
        every: Seconds for which a look counts.

    Returns:
        The folder.

    Raises:
        ConfigError: If the store cannot be read and there is no copy yet, or it has lost every file.
    """
    if time.monotonic() - _looked.get(folder, -every) < every:
        return folder
    make_private_folder(folder)
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        seen: dict[str, str] = json.loads(_text(folder / _SEEN) or "{}")
        try:
            there = _listing(address)
            if seen and not there:
                raise FileNotFoundError("it is empty, where there were files")
            _fetch(address, folder, {name: sign for name, sign in there.items() if seen.get(name) != sign})
        except Exception as error:  # each store has errors of its own
            if not seen:
                fix = "check address, rights and network, or name a folder"
                raise ConfigError(str(address), Fault("client files", _words(error), "files", fix)) from error
            _log.warning(
                "%s cannot be read (%s): client files are those of the last look", address, _words(error)
            )
            _looked[folder] = time.monotonic()  # each file would wait for a store that does not answer
            return folder
        for name in set(seen) - set(there):
            (folder / name).unlink(missing_ok=True)
        replace_file(folder / _SEEN, lambda path: path.write_text(json.dumps(there)))
    _looked[folder] = time.monotonic()
    return folder


def _listing(address: Any) -> dict[str, str]:
    """Name below the address to the fingerprint of each object; names that would lead out of a folder are left out."""
    root = str(address.path).rstrip("/")
    found = address.fs.find(root, detail=True)
    names = {str(path)[len(root) :].lstrip("/"): about for path, about in found.items()}
    return {name: _fingerprint(about) for name, about in names.items() if _is_plain(name)}


def _is_plain(name: str) -> bool:
    return bool(name) and not any(part.startswith(".") for part in PurePosixPath(name).parts)


def _fingerprint(about: Mapping[str, Any]) -> str:
    for name in _FINGERPRINTS:
        if about.get(name):
            return str(about[name])
    return " ".join([str(about.get("size")), *(str(about[name]) for name in _TIMES if about.get(name))])


def _fetch(address: Any, folder: Path, names: Mapping[str, str]) -> None:
    for name in names:
        content: bytes = (address / name).read_bytes()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        replace_file(folder / name, lambda path, content=content: path.write_bytes(content))  # type: ignore[misc]


def _text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
