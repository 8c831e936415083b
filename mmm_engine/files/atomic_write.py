"""Files that are whole or absent at every moment, and folders that only their owner can open.

Here: replacing a file in one step, text written so, private folders.
Not here: what stands in the files (whoever writes them), the DuckDB file, which has transactions (history/files.py).
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable
from pathlib import Path

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_AS_USUAL, _FOLDER_AS_USUAL = 0o666, 0o777  # what the process's umask leaves of it


def replace_file(path: Path, write: Callable[[Path], object], mode: int = _AS_USUAL) -> None:
    """Put a file in place in one step: readers see the old one or the new one, never a part of it.

    Args:
        path: The file; its folder exists.
        write: Fills the temporary file beside it whose path it is given.
        mode: Rights of the file, before anything is written into it.

    Raises:
        FileExistsError: If a device, a pipe or a folder has the name: a file in its place would break what it serves.
        NotADirectoryError: If no file can be made there, as in /proc.
        Exception: Whatever ``write`` raises; the old file is then as it was, and the temporary one is gone.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "something that is no file has this name", str(path))
    temporary = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:12]}")
    try:
        try:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise
            raise NotADirectoryError(errno.ENOTDIR, "no file can be made there", str(path)) from None
        write(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())  # else a power cut could leave an empty file under the final name
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # a write does not know the name of its file
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 file or nothing; its folder exists."""
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def make_folder(folder: Path, mode: int = _FOLDER_AS_USUAL) -> None:
    """Make a folder, and those above it; one that exists is left as it is.

    Raises:
        OSError: If it cannot be made; a `NotADirectoryError` where nothing can, as in /proc.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except FileNotFoundError:
        raise NotADirectoryError(errno.ENOTDIR, "no folder can be made there", str(folder)) from None


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it, that only their owner can open; what exists is left as it is.

    Raises:
        OSError: If it cannot be made, or something else has its name.
    """
    for missing in reversed([part for part in (folder, *folder.parents) if not part.exists()]):
        make_folder(missing, PRIVATE_FOLDER)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
