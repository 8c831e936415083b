"""Data files as raw cells that remember their row numbers.

Here: opening CSV and Parquet files of unknown origin, every fault of a file's form, caps on their size.
Not here: what a cell means (cells.py), what rows must satisfy (contract.py).
"""

from __future__ import annotations

import csv
import io
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mmm_engine.documents import shorten
from mmm_engine.errors import Fault

MAX_BYTES = 200_000_000
MAX_ROWS = 100_000

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
_SAVE_AS_CSV = "open it where it was made and save it as 'CSV UTF-8' (separated by commas)"


@dataclass(frozen=True)
class Table:
    """Cells of a data file before anything is known about them.

    Attributes:
        header: Names of all columns, without the spaces around them, in file order.
        columns: Cells of each named column, index 0, 1, …; text for CSV, typed for Parquet and frames.
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


def read_table(path: Path) -> tuple[Table | None, list[Fault]]:
    """The cells of a ``.csv`` or ``.parquet`` file, and every fault of its form.

    Args:
        path: The file; at most ``MAX_BYTES`` bytes and ``MAX_ROWS`` rows.

    Returns:
        The table, None when the file says nothing that rows could be made of; and the faults.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return _no_table("a directory", "a file with rows", "name the file inside it in the client file")
        if not stat.S_ISREG(status.st_mode):
            return _no_table(
                "something that is not a regular file", "a file with rows", "copy the rows into one"
            )
        if status.st_size > MAX_BYTES:
            return _no_table(f"{status.st_size:,} bytes", f"at most {MAX_BYTES:,} bytes", _SHORTEN)
        content = path.read_bytes()
    except FileNotFoundError:
        return _no_table(
            "no such file", "a file with rows", "put it there or correct 'data' in the client file"
        )
    except OSError as error:
        return _no_table(f"no readable file ({error.strerror})", "a readable file", "check name and rights")
    if not content.strip():
        return _no_table("an empty file", "a header line and rows", "export the data again")
    return _parquet_table(content) if path.suffix.lower() == ".parquet" else _csv_table(content)


def table_from_frame(frame: pd.DataFrame) -> Table:
    """The cells of a frame, its rows counted from 1."""
    header = tuple(str(name).strip() for name in frame.columns)
    columns = {name: frame.iloc[:, index].reset_index(drop=True) for index, name in enumerate(header)}
    return Table(header, columns, tuple(range(1, len(frame) + 1)))


_SHORTEN = "leave out columns and rows that the model does not use"


def _no_table(found: str, wanted: str, fix: str, where: str = "the file") -> tuple[None, list[Fault]]:
    return None, [Fault(where, found, wanted, fix)]


def _parquet_table(content: bytes) -> tuple[Table | None, list[Fault]]:
    """Cells of a Parquet file; what it would unfold to is checked before it is unfolded."""
    import pyarrow as pa  # heavy, and most clients keep CSV files
    import pyarrow.parquet as pq

    if not content.startswith(b"PAR1"):
        found = _format_of(content) or "another format"
        return _no_table(found, "a Parquet file, as its name says", "name it .csv if it is a CSV file")
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            if file.metadata.num_rows > MAX_ROWS:
                return _no_table(f"{file.metadata.num_rows:,} rows", f"at most {MAX_ROWS:,} rows", _SHORTEN)
            groups = (file.metadata.row_group(index) for index in range(file.num_row_groups))
            size = sum(group.total_byte_size for group in groups)
            if size > MAX_BYTES:
                return _no_table(f"{size:,} bytes once unpacked", f"at most {MAX_BYTES:,} bytes", _SHORTEN)
            unpacked = file.read(use_threads=False)
            header = tuple(name.strip() for name in unpacked.column_names)
            columns = {name: unpacked.column(index).to_pandas() for index, name in enumerate(header)}
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return _no_table(f"a broken Parquet file ({reason[:120]})", "a readable one", "export the data again")
    rows = tuple(range(1, unpacked.num_rows + 1))
    faults = [] if rows else [Fault("the file", "no rows", "one row a period", "export the data again")]
    return Table(header, columns, rows), faults


def _csv_table(content: bytes) -> tuple[Table | None, list[Fault]]:
    """Cells of a CSV file in UTF-8, separated by commas."""
    if (found := _format_of(content)) is not None:
        return _no_table(found, "a CSV file in UTF-8, as its name says", _SAVE_AS_CSV)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = f"byte 0x{content[error.start]:02x}, which is not UTF-8"
        return _no_table(found, "text in UTF-8", _SAVE_AS_CSV, f"row {line}")
    if "\0" in text:
        return _no_table("zero bytes, so a binary file", "a CSV file in UTF-8", _SAVE_AS_CSV)
    records: list[tuple[int, list[str]]] = []
    try:
        for record in _records(text):
            records.append(record)
            if len(records) > MAX_ROWS + 1:
                return _no_table(f"more than {MAX_ROWS:,} rows", f"at most {MAX_ROWS:,} rows", _SHORTEN)
    except _BrokenLineError as error:
        return _no_table(
            f"a line that breaks the CSV form ({error})", "pairs of quotes", _QUOTES, f"row {error.line}"
        )
    if not records:
        return _no_table("only blank lines", "a header line and rows", "export the data again")
    return _table_of(records)


_QUOTES = 'look for a quote (") that is opened and not closed, from this line on'


class _BrokenLineError(Exception):
    """A line that the csv module refuses."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line it starts on, cells without the spaces around them) of every line that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise _BrokenLineError(str(error), line) from error
        if any(cells):
            yield line, cells


def _table_of(records: Sequence[tuple[int, list[str]]]) -> tuple[Table | None, list[Fault]]:
    """A table whose first record is the header; rows with too few or too many cells are faults."""
    (line, header), *body = records
    if len(header) == 1:
        separator = next((mark for mark in ";\t|" if mark in header[0]), None)
        if separator is not None:
            found = f"columns separated by {shorten(separator)}"
            return _no_table(found, "columns separated by ','", _SAVE_AS_CSV, f"row {line}")
    if not body:
        return _no_table("a header and no rows", "one row a period", "export the data again")
    ragged = [(row, len(cells)) for row, cells in body if len(cells) != len(header)]
    faults = []
    if ragged:
        where, count = f"row {ragged[0][0]}", ragged[0][1]
        found = f"{count} cells{more_rows([row for row, _ in ragged[1:]])}"
        fix = "look for a missing or an extra comma; a number such as 1,234 is two cells: write 1234"
        faults.append(Fault(where, found, f"{len(header)} cells, as in the header", fix))
    kept = [(row, cells) for row, cells in body if len(cells) == len(header)]
    columns = {
        name: pd.Series([cells[index] for _, cells in kept], dtype=object)
        for index, name in enumerate(header)
    }
    return Table(tuple(header), columns, tuple(row for row, _ in kept), whole=not ragged), faults


def more_rows(rows: Sequence[int]) -> str:
    """``" (and in 3 more rows: 12, 13, 20)"`` for the rows after the first."""
    if not rows:
        return ""
    listed = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
    return f" (and in {len(rows)} more {'row' if len(rows) == 1 else 'rows'}: {listed})"


def _format_of(content: bytes) -> str | None:
    """What the first bytes say the file really is, None for text that may be CSV."""
    start = content[:64].lstrip()
    return next((name for signature, name in _SIGNATURES if start.startswith(signature)), None)
