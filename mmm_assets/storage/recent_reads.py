"""Files that were read or written a moment ago are not read again: a refresh asks for most results ten times.

Here: `RecentValues`, what was worked out while something was in a state; `RecentReads`, values of files.
Not here: how a file becomes a value (io_managers.py); object stores, whose files are copied anew for each reader.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any

_FILES = 160  # three clients of four windows; their values take some 40 MB, most of it posteriors

_State = tuple[int, int, int, int]


class RecentValues[Value]:
    """The values that were asked for last, each with the state that it holds for; safe among threads.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, tuple[Hashable, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, state: Hashable) -> Value | None:
        """The value that was kept for a key, None where it belongs to another state."""
        with self._lock:
            kept = self._values.get(key)
            if kept is None or kept[0] != state:
                return None
            self._values.move_to_end(key)
            return kept[1]

    def keep(self, key: Hashable, state: Hashable, value: Value) -> None:
        """Keep a value in place of the one that the key had."""
        with self._lock:
            self._values[key] = (state, value)
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)


class RecentReads:
    """The values of the files that were read last.

    A file whose content changed is read again: its inode, size and times tell. Stored files are replaced as a whole
    (objects.py), which gives them a new inode.

    Args:
        files: How many are kept.
    """

    def __init__(self, files: int = _FILES) -> None:
        self._values: RecentValues[Any] = RecentValues(files)

    def read(self, path: Path, kind: str, load: Callable[[Path], Any]) -> Any:
        """What `load(path)` gives, or gave when the file was as it is now.

        Args:
            path: A local file.
            kind: How it is read: one file may be read in several ways.
            load: Reads it.
        """
        state, key = file_state(path), (os.fspath(path), kind)
        value = self._values.get(key, state)
        if value is None:
            value = load(path)
            self._values.keep(key, state, value)
        return _apart(value)

    def written(self, path: Path, kind: str, value: Any, inode: int) -> None:
        """Remember a value that has just been written to a file, as if it had been read from there.

        For formats whose values come back as they were written.

        Args:
            path: A local file; nothing is remembered where it is another one by now.
            kind: How it is read.
            value: What reading it would give; who wrote it changes its numbers no more.
            inode: Of the file that was written.
        """
        with suppress(FileNotFoundError):
            state = file_state(path)
            if state[0] == inode:
                self._values.keep((os.fspath(path), kind), state, _apart(value))


def file_state(path: Path) -> _State:
    """What changes when a file does: inode, size, times of content and of the inode."""
    seen = path.stat()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _apart(value: Any) -> Any:
    """A reader's own frame or tree, so that what it adds or replaces is not seen by others; the numbers are shared."""
    copy = getattr(value, "copy", None)
    return copy(deep=False) if callable(copy) else value
