"""Files that were read or written a moment ago are not read again: a refresh asks for most results ten times.

Here: `RecentReads`, values by file and by the state that the file was in.
Not here: how a file becomes a value (io_managers.py); object stores, whose files are copied anew for each reader.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_FILES = 160  # three clients of four windows; their values take some 40 MB, most of it posteriors

_State = tuple[int, int, int, int]


class RecentReads:
    """The values of the files that were read last.

    A file whose content changed is read again: its inode, size and times tell. Stored files are replaced as a whole
    (objects.py), which gives them a new inode.

    Args:
        files: How many are kept.
    """

    def __init__(self, files: int = _FILES) -> None:
        self._files = files
        self._values: OrderedDict[tuple[str, str], tuple[_State, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, kind: str, load: Callable[[Path], Any]) -> Any:
        """What `load(path)` gives, or gave when the file was as it is now.

        Args:
            path: A local file.
            kind: How it is read: one file may be read in several ways.
            load: Reads it.
        """
        state, key = file_state(path), (os.fspath(path), kind)
        with self._lock:
            kept = self._values.get(key)
            if kept is not None and kept[0] == state:
                self._values.move_to_end(key)
                return _apart(kept[1])
        value = load(path)
        self._keep(key, state, value)
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
                self._keep((os.fspath(path), kind), state, _apart(value))

    def _keep(self, key: tuple[str, str], state: _State, value: Any) -> None:
        with self._lock:
            self._values[key] = (state, value)
            self._values.move_to_end(key)
            while len(self._values) > self._files:
                self._values.popitem(last=False)


def file_state(path: Path) -> _State:
    """What changes when a file does: inode, size, times of content and of the inode."""
    seen = path.stat()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _apart(value: Any) -> Any:
    """A reader's own frame or tree, so that what it adds or replaces is not seen by others; the numbers are shared."""
    copy = getattr(value, "copy", None)
    return copy(deep=False) if callable(copy) else value
