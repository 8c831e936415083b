"""Data files as raw cells that remember their row numbers.

Here: opening CSV and Parquet files of unknown origin, every fault of a file's form, caps on their size.
Not here: what a cell means (numbers.py, dates.py), what rows must satisfy (rows/contract.py).
"""

from __future__ import annotations

import csv
import io
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mmm_engine.errors import Fault
from mmm_engine.files.yaml_document import plain, shorten

if TYPE_CHECKING:
    import pyarrow  # heavy, and most clients keep CSV files

MAX_BYTES = 200_000_000
MAX_ROWS = 100_000
MAX_LINE = 1_000_000  # characters
MAX_LINES = 1_000_000  # blank ones and those within quotes counted

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format", "an SQLite database"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
    (b"<", "HTML or XML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
_A_CSV_FILE = "a CSV file in UTF-8, as its name says"
_EXPORT_AGAIN = "export the data again"
_SHORTEN = "leave out columns and rows that the model does not use"
_SAVE_AS_CSV = "open it where it was made and save it as 'CSV UTF-8' (separated by commas)"


@dataclass(frozen=True)
class Table:
    """Cells of a data file before anything is known about them.

    Attributes:
        header: Names of all columns, without the spaces around them, in file order.
        columns: Cells of the columns that were wanted, index 0, 1, …; text for CSV, else typed.
        rows: Row number of each row: the line in a CSV file as an editor shows it, else counted from 1.
        whole: False when rows had to be left out because their cells could not be told apart.
    """

    header: tuple[str, ...]
    columns: dict[str, pd.Series]
    rows: tuple[int, ...]
    whole: bool = True

    @property
    def repeated(self) -> frozenset[str]:
        """Names that head more than one column."""
        return frozenset(name for name, count in Counter(self.header).items() if count > 1)


def read_table(path: Path, names_to_keep: Collection[str]) -> tuple[Table | None, list[Fault]]:
    """The cells of a ``.csv`` or ``.parquet`` file, and every fault of its form.

    Args:
        path: The file; at most ``MAX_BYTES`` bytes and ``MAX_ROWS`` rows.
        names_to_keep: Names of the columns whose cells are kept; the header tells of the others.

    Returns:
        The table, None when the file says nothing that rows could be made of; and the faults.
    """
    try:
        content = _content(path)
        return (_parquet_table if path.suffix.lower() == ".parquet" else _csv_table)(content, names_to_keep)
    except _UnreadableError as error:
        return None, [error.fault]


def table_from_frame(frame: pd.DataFrame) -> Table:
    """The cells of a frame, its rows counted from 1."""
    header = tuple(str(name).strip() for name in frame.columns)
    columns = {name: frame.iloc[:, index].reset_index(drop=True) for index, name in enumerate(header)}
    return Table(header, columns, tuple(range(1, len(frame) + 1)))


def more_rows(rows: Sequence[int]) -> str:
    """``" (and in 3 more rows: 12, 13, 20)"`` for the rows after the first."""
    if not rows:
        return ""
    listed = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
    return f" (and in {len(rows)} more {'row' if len(rows) == 1 else 'rows'}: {listed})"


class _UnreadableError(Exception):
    """A file that no table can be made of."""

    def __init__(self, found: str, wanted: str, fix: str, where: str = "the file") -> None:
        super().__init__(found)
        self.fault = Fault(where, found, wanted, fix)


def _content(path: Path) -> bytes:
    """The bytes of a regular file of bearable size."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            fix = "name the file inside it in the client file"
            raise _UnreadableError("a directory", "a file with rows", fix)
        if not stat.S_ISREG(mode):
            fix = "copy the rows into one"
            raise _UnreadableError("something that is not a regular file", "a file with rows", fix)
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        fix = "put it there or correct 'data' in the client file"
        raise _UnreadableError("no such file", "a file with rows", fix) from None
    except OSError as error:
        found = f"no readable file ({error.strerror})"
        raise _UnreadableError(found, "a readable file", "check name and rights") from None
    if len(content) > MAX_BYTES:
        raise _UnreadableError(f"more than {MAX_BYTES:,} bytes", "a smaller file", _SHORTEN)
    if not content.strip():
        raise _UnreadableError("an empty file", "a header line and rows", _EXPORT_AGAIN)
    return content


def _parquet_table(content: bytes, names_to_keep: Collection[str]) -> tuple[Table | None, list[Fault]]:
    """Cells of a Parquet file; what it would unfold to is looked at before it is unfolded."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not content.startswith(b"PAR1"):
        found = _format_of(content) or "another format"
        fix = "name it .csv if it is a CSV file"
        raise _UnreadableError(found, "a Parquet file, as its name says", fix)
    try:
        metadata = pq.read_metadata(pa.BufferReader(content))
        if metadata.num_rows > MAX_ROWS:
            raise _UnreadableError(f"{metadata.num_rows:,} rows", f"at most {MAX_ROWS:,} rows", _SHORTEN)
        size = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
        if size > MAX_BYTES:
            raise _UnreadableError(f"{size:,} bytes once unpacked", f"at most {MAX_BYTES:,} bytes", _SHORTEN)
        leaves = [metadata.schema.column(index) for index in range(metadata.num_columns)]
        # text that a file repeats by reference stays a reference: written out it could be gigabytes
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
        with pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts) as file:
            unpacked = file.read(use_threads=False)
        unpacked.validate(full=True)  # text that is not UTF-8 would only fail once its cells are read
        header = tuple(name.strip() for name in unpacked.column_names)
        kept = [(name, index) for index, name in enumerate(header) if name in names_to_keep]
        columns = {name: _cells(name, unpacked.column(index)) for name, index in kept}
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        found = f"a broken Parquet file ({plain(reason, 120)})"
        raise _UnreadableError(found, "a readable one", _EXPORT_AGAIN) from None
    rows = tuple(range(1, unpacked.num_rows + 1))
    faults = [] if rows else [Fault("the file", "no rows", "one row a period", _EXPORT_AGAIN)]
    return Table(header, columns, rows), faults


def _cells(name: str, column: pyarrow.ChunkedArray) -> pd.Series:
    """A Parquet column as a series; text that rows share stays one object."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        try:
            typed: pd.Series = column.to_pandas()
        except LookupError:
            found = f"the time zone {shorten(getattr(column.type, 'tz', ''))}, which does not exist"
            fix = "export the column as plain dates"
            where = f"column '{plain(name)}'"
            raise _UnreadableError(found, "dates, or times of a zone such as 'UTC'", fix, where) from None
        return typed
    cells: list[object] = []
    for chunk in column.chunks:
        texts = [*chunk.dictionary.to_pylist(), None]
        cells += [texts[-1 if code is None else code] for code in chunk.indices.to_pylist()]
    return pd.Series(cells, dtype=object)


def _csv_table(content: bytes, names_to_keep: Collection[str]) -> tuple[Table | None, list[Fault]]:
    """Cells of a CSV file; rows with too few or too many of them are left out and are faults."""
    records = _records(content)
    line, names = next(records, (0, []))
    header = tuple(name.strip() for name in names)
    if not header:
        raise _UnreadableError("only blank lines", "a header line and rows", _EXPORT_AGAIN)
    if len(header) == 1 and (separator := next((mark for mark in ";\t|" if mark in names[0]), None)):
        found = f"columns separated by {shorten(separator)}"
        raise _UnreadableError(found, "columns separated by ','", _SAVE_AS_CSV, f"row {line}")
    kept = [index for index, name in enumerate(header) if name in names_to_keep]
    rows: dict[int, list[str]] = {}
    ragged: dict[int, int] = {}
    for line, cells in records:
        if len(rows) + len(ragged) == MAX_ROWS:
            raise _UnreadableError(f"more than {MAX_ROWS:,} rows", f"at most {MAX_ROWS:,} rows", _SHORTEN)
        if len(cells) == len(header):
            rows[line] = [cells[index].strip() for index in kept]
        else:
            ragged[line] = len(cells)
    if not rows and not ragged:
        raise _UnreadableError("a header and no rows", "one row a period", _EXPORT_AGAIN)
    faults = []
    if ragged:
        first, *others = ragged
        fix = "look for a missing or an extra comma; a number such as 1,234 is two cells: write 1234"
        wanted_cells = f"{len(header)} cells, as in the header"
        faults.append(Fault(f"row {first}", f"{ragged[first]} cells{more_rows(others)}", wanted_cells, fix))
    columns = {
        header[index]: pd.Series([cells[position] for cells in rows.values()], dtype=object)
        for position, index in enumerate(kept)
    }
    return Table(header, columns, tuple(rows), whole=not ragged), faults


def _records(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """(line it starts on, cells) of every record of a CSV file in UTF-8 that is not blank."""
    if (found := _format_of(content)) is not None:
        raise _UnreadableError(found, _A_CSV_FILE, _SAVE_AS_CSV)
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{content[error.start]:02x}, which is not UTF-8"
        line = content[: error.start].count(b"\n") + 1
        raise _UnreadableError(found, "text in UTF-8", _SAVE_AS_CSV, f"row {line}") from None
    if b"\0" in content:
        raise _UnreadableError("zero bytes, so a binary file", _A_CSV_FILE, _SAVE_AS_CSV)
    reader = csv.reader(_lines(content), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            found = f"a line that breaks the CSV form ({error})"
            fix = 'look for a quote (") that is opened and not closed, from this line on'
            raise _UnreadableError(found, "pairs of quotes", fix, f"row {line}") from None
        if cells is None:
            return
        if any(cells) and any(cell.strip() for cell in cells):
            yield line, cells


def _lines(content: bytes) -> Iterator[str]:
    """Lines as editors count them, ended by any of the three line endings; none of absurd length."""
    for number, line in enumerate(io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline=""), start=1):
        if number > MAX_LINES:
            raise _UnreadableError(f"more than {MAX_LINES:,} lines", f"at most {MAX_ROWS:,} rows", _SHORTEN)
        if len(line) > MAX_LINE:
            found = f"a line of {len(line):,} characters"
            raise _UnreadableError(found, f"at most {MAX_LINE:,}", _SHORTEN, f"row {number}")
        yield line


def _format_of(content: bytes) -> str | None:
    """What the first bytes say the file really is, None for text that may be CSV."""
    start = content[:64].lstrip()
    return next((name for signature, name in _SIGNATURES if start.startswith(signature)), None)
