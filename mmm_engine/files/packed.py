"""Files in an archive: a table that was packed for a mail or a bucket.

Here: unpacking gzip files and zip archives of one file, as far as a data file may be large.
Not here: what is inside (table.py), workbooks, which are zip archives of many parts (workbook.py).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO

from mmm_engine.files import limits
from mmm_engine.files.limits import UnreadableError
from mmm_engine.files.yaml_document import plain

PACKED_SUFFIXES = (".gz", ".zip")
_CHUNK = 1_000_000
_PACK_AGAIN = "pack the file again, or take it out of the archive"


def inner_suffix(name: str) -> str:
    """The ending that tells what a file of this name holds, in small letters: that of 'rows.csv.gz' is '.csv'."""
    path = PurePosixPath(name.lower())
    return path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix


def unpacked(content: bytes, name: str) -> tuple[bytes, str]:
    """The file in an archive, and the ending that tells what it holds; other files as they are.

    Args:
        content: The bytes of a file.
        name: Its name; an archive is told by its ending.

    Raises:
        UnreadableError: If it is a broken archive, holds several files, or is too large once unpacked.
    """
    suffix = PurePosixPath(name.lower()).suffix
    if suffix == ".gz":
        return _gunzipped(content), inner_suffix(name)
    if suffix == ".zip":
        return _only_file(content)
    return content, suffix


def _gunzipped(content: bytes) -> bytes:
    parts, size, rest = [], 0, content
    try:
        while rest:
            stream = zlib.decompressobj(wbits=31)
            while rest and not stream.eof:
                parts.append(stream.decompress(rest, _CHUNK))
                size += len(parts[-1])
                _refuse_above(size)
                rest = stream.unconsumed_tail
            if not stream.eof:
                raise UnreadableError("a gzip file that breaks off", "a whole one", _PACK_AGAIN)
            rest = stream.unused_data.lstrip(b"\0")
    except zlib.error:
        raise UnreadableError("no gzip file", "one, as its name says", _PACK_AGAIN) from None
    return b"".join(parts)


def _only_file(content: bytes) -> tuple[bytes, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [part for part in archive.infolist() if not part.is_dir() and not _is_of_the_system(part)]
            if len(parts) != 1:
                listed = ", ".join(plain(part.filename, 40) for part in parts[:4]) or "none"
                found = f"a zip archive of {len(parts)} files ({listed})"
                raise UnreadableError(
                    found, "an archive of one file", "take the file with the rows out of it"
                )
            with archive.open(parts[0]) as stream:
                return _read(stream), inner_suffix(parts[0].filename)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        found = f"a zip archive that cannot be read ({plain(str(error), 120)})"
        raise UnreadableError(found, "a readable one without a password", _PACK_AGAIN) from None


def _read(stream: IO[bytes]) -> bytes:
    parts, size = [], 0
    while chunk := stream.read(_CHUNK):
        parts.append(chunk)
        size += len(chunk)
        _refuse_above(size)
    return b"".join(parts)


def _is_of_the_system(part: zipfile.ZipInfo) -> bool:
    """Whether macOS or Windows put a file there that nobody sees."""
    path = PurePosixPath(part.filename)
    return path.parts[0] == "__MACOSX" or path.name in (".DS_Store", "Thumbs.db", "desktop.ini")


def _refuse_above(size: int) -> None:
    if size > limits.MAX_BYTES:
        found = f"more than {limits.MAX_BYTES:,} bytes once unpacked"
        raise UnreadableError(found, "a smaller file", limits.SHORTEN)
