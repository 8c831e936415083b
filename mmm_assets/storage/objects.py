"""Stored files that may lie in an object store: written whole, read through a copy, moved.

Here: the same few actions for a folder of this machine and for an address (``s3://bucket/mmm``).
Not here: which files there are (io_managers.py, pages/publication.py), where they are (mmm_assets.home).

On this machine a file is written beside its place and renamed. An object store has no renaming, and needs none: an
object appears whole or not at all. Paths are `pathlib.Path` here and `upath.UPath` there
(https://universal-pathlib.readthedocs.io), which have the same methods.
"""

from __future__ import annotations

import logging
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mmm_engine.files.atomic_write import make_private_folder, replace_file

PATIENCE_SECONDS = 150.0  # an object store that refuses for a minute or two costs no fit
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
logger = logging.getLogger(__name__)


def is_local(path: Path) -> bool:
    """Whether a path lies in a file system of this machine."""
    return isinstance(path, Path)


def put(path: Path, dump: Callable[[Path], object]) -> None:
    """Put a file in place in one step: readers see the old one or the new one, never a part of it.

    Args:
        path: Its place; folders above it are made.
        dump: Writes the content to a file of this machine whose path it is given.

    Raises:
        OSError: If it cannot be written, for an object store after `PATIENCE_SECONDS` of trying.
    """
    if is_local(path):
        make_private_folder(path.parent)
        replace_file(path, dump)
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, path.name)
        dump(whole)
        content = whole.read_bytes()
    patiently(lambda: path.write_bytes(content), f"{path}: cannot be written")


def put_text(path: Path, text: str) -> None:
    """Put a UTF-8 file in place in one step."""
    put(path, lambda whole: whole.write_text(text, encoding="utf-8", newline="\n"))


@contextmanager
def local_copy(path: Path) -> Iterator[Path]:
    """The file itself where it is on this machine, else a copy for the length of the block.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if is_local(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, path.name)
        copy.write_bytes(patiently(path.read_bytes, f"{path}: cannot be read"))
        yield copy


def move(path: Path, place: Path) -> None:
    """Move a file within its storage; folders above the new place are made."""
    if is_local(path):
        make_private_folder(place.parent)
    path.rename(place)


def patiently[T](action: Callable[[], T], what: str) -> T:
    """Do something with an object store, again and again while it refuses.

    Args:
        action: Done anew each time; nothing of it may remain when it fails.
        what: Said in the log when it fails.

    Raises:
        OSError: If it still fails after `PATIENCE_SECONDS`, and at once if it can never succeed.
    """
    deadline, longest = time.monotonic() + PATIENCE_SECONDS, _FIRST_PAUSE
    while True:
        try:
            return action()
        except _FINAL:
            raise
        except OSError as error:
            if time.monotonic() + longest > deadline:
                raise
            logger.warning("%s (%s); trying again", what, error)
        time.sleep(random.uniform(longest / 2, longest))  # noqa: S311 (a pause, not a secret)
        longest = min(2 * longest, _LONGEST_PAUSE)
