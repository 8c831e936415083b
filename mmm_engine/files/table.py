"""Data files as raw cells that remember their row numbers.

Here: opening CSV, Excel and Parquet files of unknown origin, every fault of a file's form.
Not here: archives (packed.py), CSV as text (csv_text.py), sheets (workbook.py), caps on size (limits.py), what a cell
means (numbers.py, dates.py), what rows must satisfy (rows/contract.py).
"""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mmm_engine.errors import Fault
from mmm_engine.files import limits
from mmm_engine.files.cells import left_out, more_rows
from mmm_engine.files.csv_text import format_of, read_csv_text, shown_cell
from mmm_engine.files.decimal_marks import decimal_mark
from mmm_engine.files.header import (
    REACH,
    header_names,
    header_position,
    matching,
    names_by_group,
    usable_name,
)
from mmm_engine.files.limits import EXPORT_AGAIN, SHORTEN, UnreadableError
from mmm_engine.files.notes import is_note
from mmm_engine.files.packed import unpacked
from mmm_engine.files.table_form import SEPARATOR_WORDS, TableForm
from mmm_engine.files.turned import MOST_NAMES, Upright, upright
from mmm_engine.files.yaml_document import plain, shorten

if TYPE_CHECKING:
    import pyarrow  # heavy, and most clients keep CSV files

_PLAIN = TableForm()
_MOST_SHEETS = 12  # of a workbook that are looked into beside the one that is read


@dataclass(frozen=True)
class Table:
    """Cells of a data file before anything is known about them.

    Attributes:
        header: Names of all columns as `usable_name` gives them, in file order.
        columns: Cells of the columns that were wanted, index 0, 1, …; text for CSV, else typed.
        rows: Row number of each row: the line in a CSV file as an editor shows it, the row of a sheet, else counted
            from 1.
        whole: False when rows had to be left out because their cells could not be told apart.
        form: How the table was written, as somebody said or as its cells show; the decimal mark is None where they
            can be read in two ways.
        notes: What was passed over on the way, in words.
        currencies: Sign or code in which a workbook shows the numbers of a column, by its name.
        by_group: What columns are called with the groups above them, in file order; empty without groups.
    """

    header: tuple[str, ...]
    columns: dict[str, pd.Series]
    rows: tuple[int, ...]
    whole: bool = True
    form: TableForm = field(default_factory=TableForm)
    notes: tuple[str, ...] = ()
    currencies: Mapping[str, str] = field(default_factory=dict)
    by_group: tuple[str, ...] = ()

    @property
    def repeated(self) -> frozenset[str]:
        """Names that head more than one column."""
        return frozenset(name for name, count in Counter(self.header).items() if count > 1)


def read_table(
    path: Path, names_to_keep: Collection[str], form: TableForm = _PLAIN, date: str | None = None
) -> tuple[Table | None, list[Fault]]:
    """The cells of a CSV, Excel or Parquet file, packed or not, and every fault of its form.

    Args:
        path: The file; at most ``MAX_BYTES`` bytes and ``MAX_ROWS`` rows.
        names_to_keep: Names of the columns whose cells are kept; the header tells of the others.
        form: What somebody says of how the file was written; the rest is told from the file.
        date: The column of dates; where it is named, a table that lies on its side is read upright.

    Returns:
        The table, None when the file says nothing that rows could be made of; and the faults.
    """
    readers = {".parquet": _parquet_table, ".xlsx": _sheet_table, ".xlsm": _sheet_table}
    try:
        content, suffix = unpacked(_content(path), path.name)
        table, faults = readers.get(suffix, _csv_table)(content, names_to_keep, form, date)
        return _with_decimal_mark(table, form), faults
    except UnreadableError as error:
        return None, [error.fault]


def table_from_frame(frame: pd.DataFrame) -> Table:
    """The cells of a frame, its rows counted from 1."""
    header = tuple(usable_name(str(name)) for name in frame.columns)
    columns = {name: frame.iloc[:, index].reset_index(drop=True) for index, name in enumerate(header)}
    return _with_decimal_mark(Table(header, columns, tuple(range(1, len(frame) + 1))), _PLAIN)


def _with_decimal_mark(table: Table, said: TableForm) -> Table:
    """The table with the decimal mark that somebody says or that its cells show."""
    is_plain = table.form.separator in (",", None)
    mark = said.decimal or decimal_mark(table.columns.values(), is_plain=is_plain)
    return replace(table, form=replace(table.form, decimal=mark, dates=said.dates))


def _content(path: Path) -> bytes:
    """The bytes of a regular file of bearable size."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            fix = "name the file inside it in the client file"
            raise UnreadableError("a directory", "a file with rows", fix)
        if not stat.S_ISREG(mode):
            fix = "copy the rows into one"
            raise UnreadableError("something that is not a regular file", "a file with rows", fix)
        with path.open("rb") as stream:
            content = stream.read(limits.MAX_BYTES + 1)
    except FileNotFoundError:
        fix = "put it there or correct 'data' in the client file"
        raise UnreadableError("no such file", "a file with rows", fix) from None
    except OSError as error:
        found = f"no readable file ({error.strerror})"
        raise UnreadableError(found, "a readable file", "check name and rights") from None
    if len(content) > limits.MAX_BYTES:
        raise UnreadableError(f"more than {limits.MAX_BYTES:,} bytes", "a smaller file", SHORTEN)
    if not content.strip():
        raise UnreadableError("an empty file", "a header line and rows", EXPORT_AGAIN)
    return content


def _parquet_table(
    content: bytes, names_to_keep: Collection[str], form: TableForm, date: str | None
) -> tuple[Table, list[Fault]]:
    """Cells of a Parquet file; what it would unfold to is looked at before it is unfolded."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not content.startswith(b"PAR1"):
        found = format_of(content) or "another format"
        fix = "name it .csv if it is a CSV file"
        raise UnreadableError(found, "a Parquet file, as its name says", fix)
    try:
        metadata = pq.read_metadata(pa.BufferReader(content))
        if metadata.num_rows > limits.MAX_ROWS:
            raise UnreadableError(f"{metadata.num_rows:,} rows", f"at most {limits.MAX_ROWS:,} rows", SHORTEN)
        size = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
        if size > limits.MAX_BYTES:
            raise UnreadableError(
                f"{size:,} bytes once unpacked", f"at most {limits.MAX_BYTES:,} bytes", SHORTEN
            )
        leaves = [metadata.schema.column(index) for index in range(metadata.num_columns)]
        # text that a file repeats by reference stays a reference: written out it could be gigabytes
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
        with pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts) as file:
            unpacked = file.read(use_threads=False)
        unpacked.validate(full=True)  # text that is not UTF-8 would only fail once its cells are read
        header = tuple(usable_name(name) for name in unpacked.column_names)
        if turned := _turned(_records_of(unpacked, header), names_to_keep, date, header):
            return _upright(turned, _PLAIN), []
        kept = [(name, index) for index, name in enumerate(header) if name in names_to_keep]
        columns = {name: _cells(name, unpacked.column(index)) for name, index in kept}
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        found = f"a broken Parquet file ({plain(reason, 120)})"
        raise UnreadableError(found, "a readable one", EXPORT_AGAIN) from None
    rows = tuple(range(1, unpacked.num_rows + 1))
    faults = [] if rows else [Fault("the file", "no rows", "one row a period", EXPORT_AGAIN)]
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
            raise UnreadableError(found, "dates, or times of a zone such as 'UTC'", fix, where) from None
        return typed
    cells: list[object] = []
    for chunk in column.chunks:
        texts = [*chunk.dictionary.to_pylist(), None]
        longest = max((len(text) for text in texts if text), default=0)
        if longest > limits.MAX_CELL:  # rows share it here; what is made of it would be theirs
            wanted = f"at most {limits.MAX_CELL:,} characters"
            raise UnreadableError(
                f"a cell of {longest:,} characters", wanted, SHORTEN, f"column '{plain(name)}'"
            )
        cells += [texts[-1 if code is None else code] for code in chunk.indices.to_pylist()]
    return pd.Series(cells, dtype=object)


def _sheet_table(
    content: bytes, names_to_keep: Collection[str], form: TableForm, date: str | None
) -> tuple[Table, list[Fault]]:
    """Cells of a sheet of a workbook; rows are numbered as Excel shows them."""
    from mmm_engine.files.workbook import completed, money_of_formats, read_sheet

    if not content.startswith(b"PK\x03\x04"):
        found = format_of(content) or "another format"
        fix = "save it as an Excel workbook (.xlsx), or name it .csv if it is text"
        raise UnreadableError(found, "an .xlsx file, as its name says", fix)
    sheet, rows, others = read_sheet(content, form.sheet)
    texts = _first_texts(rows)
    start = header_position(texts, names_to_keep)
    names = header_names(texts, start, names_to_keep) if texts else []
    complete = [other for other in others[:_MOST_SHEETS] if _sheet_has_all(content, other, names_to_keep)]
    if form.sheet is None and len(complete) == 1 and not _has_all(names, names_to_keep):
        return _sheet_table(content, names_to_keep, replace(form, sheet=complete[0]), date)
    if not texts:
        raise UnreadableError(f"an empty sheet '{plain(sheet, 40)}'", "a header and rows", EXPORT_AGAIN)
    found_form = TableForm(sheet=sheet if others or form.sheet else None)
    header = tuple(map(usable_name, names))
    repeats = [number for number, cells in rows[start + 1 :] if cells == rows[start][1]]
    data = [row for row in rows[start + 1 :] if row[0] not in repeats]
    if turned := _turned(rows, names_to_keep, date, header):
        places = {name: (line, turned.numbers[0] - 1) for name, line in turned.lines.items()}
        columns = completed(
            content,
            sheet,
            turned.columns,
            date,
            lambda name, index: (turned.lines[name], turned.numbers[index] - 1),
        )
        currencies = money_of_formats(content, sheet, places)
        return replace(_upright(turned, found_form), columns=columns, currencies=currencies), []
    if not data:
        raise UnreadableError("a header and no rows", "one row a period", EXPORT_AGAIN)
    columns = {
        name: pd.Series([cells[index] if index < len(cells) else None for _, cells in data], dtype=object)
        for index, name in enumerate(header)
        if name in names_to_keep
    }
    columns = completed(
        content, sheet, columns, date, lambda name, index: (data[index][0], header.index(name))
    )
    notes = (
        *_passed_over(start, rows[start][0], is_joined=names != texts[start]),
        *left_out(repeats, "repeats the header"),
        *_sheets_alike(complete if _has_all(names, names_to_keep) else []),
    )
    first = {name: (data[0][0], index) for index, name in enumerate(header)}
    currencies = money_of_formats(content, sheet, first)
    numbers = tuple(number for number, _ in data)
    by_group = tuple(map(usable_name, names_by_group(texts, start)))
    return Table(header, columns, numbers, True, found_form, notes, currencies, by_group), []


def _first_texts(rows: Sequence[tuple[int, list[object]]]) -> list[list[str]]:
    """The rows of a sheet among which its header is looked for, as text."""
    return [["" if cell is None else str(cell) for cell in cells] for _, cells in rows[: REACH + 1]]


def _sheets_alike(sheets: Sequence[str]) -> Iterator[str]:
    """A note of other sheets with the same columns, as those of other years may be."""
    if sheets:
        listed = ", ".join(f"'{plain(sheet, 40)}'" for sheet in sheets)
        yield f"rows of other sheets with these columns are not read ({listed}): put what belongs together into one"


def _sheet_has_all(content: bytes, sheet: str, names: Collection[str]) -> bool:
    """Whether the header of a sheet has all of some names."""
    from mmm_engine.files.workbook import read_sheet

    texts = _first_texts(read_sheet(content, sheet, REACH + 1)[1])
    return bool(texts) and _has_all(header_names(texts, header_position(texts, names), names), names)


def _has_all(header: Sequence[str], names: Collection[str]) -> bool:
    return matching(header, names) == len(set(names))


def _csv_table(
    content: bytes, names_to_keep: Collection[str], form: TableForm, date: str | None
) -> tuple[Table, list[Fault]]:
    """Cells of a CSV file; rows with too few or too many of them are left out and are faults."""
    text = read_csv_text(content, names_to_keep, form)
    records = text.records()
    line, names = next(records, (0, []))
    header = tuple(map(usable_name, text.names or names))
    if not header:
        raise UnreadableError("only blank lines", "a header line and rows", EXPORT_AGAIN)
    found_form = TableForm(separator=text.separator, encoding=text.encoding)
    if turned := _turned(text.every_record(), names_to_keep, date, header):
        return _upright(turned, found_form), []
    kept = [index for index, name in enumerate(header) if name in names_to_keep]
    # rows may leave out the last columns that have no name
    named = max((place for place, name in enumerate(header, start=1) if name), default=len(header))
    rows: dict[int, list[str]] = {}
    ragged: dict[int, list[str]] = {}
    repeats = []
    for row, cells in records:
        if cells == names:
            repeats.append(row)
            continue
        if len(rows) + len(ragged) == limits.MAX_ROWS:
            found, wanted = f"more than {limits.MAX_ROWS:,} rows", f"at most {limits.MAX_ROWS:,} rows"
            raise UnreadableError(found, wanted, SHORTEN)
        if named <= len(cells) <= len(header) or (len(cells) > len(header) and not any(cells[len(header) :])):
            rows[row] = [shown_cell(cells[index]) if index < len(cells) else "" for index in kept]
        else:
            ragged[row] = cells
    below = [row for row in ragged if row > max(rows, default=0) and is_note(ragged[row])]
    for row in below:
        del ragged[row]
    if not rows and not ragged:
        raise UnreadableError("a header and no rows", "one row a period", EXPORT_AGAIN)
    faults = []
    if ragged:
        first, *others = ragged
        is_cut = others == [] and first > max(rows, default=first) and len(ragged[first]) < len(header)
        mark = "comma" if text.separator == "," else SEPARATOR_WORDS[text.separator]
        fix = f"look for a missing or an extra {mark}"
        fix += ", or delete the note" if len(ragged[first]) == 1 else ""
        if is_cut:
            fix = f"export again if the file was cut off here, or {fix}"
        elif rows and first > max(rows):
            fix = f"delete what stands below the table, or {fix}"
        fix += "; a number such as 1,234 is two cells: write 1234" if text.separator == "," else ""
        wanted_cells = f"{len(header)} {'cell' if len(header) == 1 else 'cells'}, as in the header"
        count = len(ragged[first])
        found = f"{count} {'cell' if count == 1 else 'cells'}{more_rows(others)}"
        faults.append(Fault(f"row {first}", found, wanted_cells, fix))
    columns = {
        header[index]: pd.Series([cells[position] for cells in rows.values()], dtype=object)
        for position, index in enumerate(kept)
    }
    notes = [
        *_passed_over(text.records_to_skip, line, is_joined=list(text.names) != names),
        *left_out(repeats, "repeats the header"),
        *left_out(below, "is a note"),
    ]
    by_group = tuple(map(usable_name, text.by_group))
    table = Table(header, columns, tuple(rows), not ragged, found_form, tuple(notes), by_group=by_group)
    return table, faults


def _records_of(unpacked: pyarrow.Table, header: tuple[str, ...]) -> Iterator[tuple[int, list[object]]]:
    """Names and rows of a Parquet file, as rows of a sheet."""
    yield 1, list(header)
    columns = [_cells(name, column) for name, column in zip(header, unpacked.columns, strict=True)]
    for number, row in enumerate(zip(*columns, strict=True), start=2):
        yield number, list(row)


def _turned(
    records: Iterable[tuple[int, Sequence[object]]],
    names_to_keep: Collection[str],
    date: str | None,
    header: tuple[str, ...],
) -> Upright | None:
    """A table that lies on its side, read upright; None where nobody names its dates, or its header has all names."""
    if date is None or _has_all(header, names_to_keep):
        return None
    return upright(list(islice(records, MOST_NAMES + 1)), names_to_keep, date)


def _upright(turned: Upright, form: TableForm) -> Table:
    """A table that lay on its side, as one."""
    return Table(turned.header, turned.columns, turned.numbers, form=form, notes=(turned.note,))


def _passed_over(count: int, line: int, *, is_joined: bool) -> tuple[str, ...]:
    """A note of the rows above the header, where there are any; they may be a part of it."""
    if not count:
        return ()
    if is_joined:
        return (f"the header stands in row {line} and above it",)
    titles = f"{count} {'row' if count == 1 else 'rows'}"
    return (f"the header stands in row {line}; {titles} above it passed over",)
