"""The records of a CSV file of unknown origin: encoding, separator, the row of its header.

Here: text in the forms in which spreadsheets and servers export it, every fault of that form.
Not here: opening files (table.py), what a cell means (numbers.py, dates.py).
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mmm_engine.files import limits
from mmm_engine.files.header import REACH, header_names, header_position, matching, names_by_group
from mmm_engine.files.limits import UnreadableError
from mmm_engine.files.table_form import SEPARATORS, Encoding, Separator, TableForm

SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "a Feather file"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format", "an SQLite database"),
    (b"<", "HTML or XML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
"""First bytes of files that are no CSV, and what they are."""

_A_CSV_FILE = "a CSV file, as its name says"
_SAVE_AS_CSV = "open it where it was made and save it as 'CSV UTF-8' (separated by commas)"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UTF_8_MARKS = re.compile(
    b"(?:\xef\xbb\xbf|\xc3\xaf\xc2\xbb\xc2\xbf)*"
)  # the second is one that was read as Latin-1
_CODECS: dict[Encoding, str] = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "windows-1252": "cp1252"}
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\s,;]*', re.IGNORECASE | re.DOTALL)

Record = tuple[int, list[str]]
"""A record of a CSV file: the line that it starts on, its cells."""


@dataclass(frozen=True)
class CsvText:
    """A CSV file as text whose form is known.

    Attributes:
        content: The bytes of the file.
        encoding: Of the text.
        separator: Between cells.
        lines_to_skip: Lines before the first record: Excel's ``sep=;``.
        records_to_skip: Records before the header, titles for the most part.
        names: The cells of the header, with those above it where it is in two rows.
        by_group: What its columns are called with the groups above them; empty without groups.
    """

    content: bytes
    encoding: Encoding
    separator: Separator
    lines_to_skip: int
    records_to_skip: int
    names: Sequence[str]
    by_group: Sequence[str]

    def records(self) -> Iterator[Record]:
        """The header and the records after it, blank ones left out.

        Raises:
            UnreadableError: At a line that breaks the form of a CSV file.
        """
        return islice(self.every_record(), self.records_to_skip, None)

    def every_record(self) -> Iterator[Record]:
        """The records of the file, blank ones left out, those above the header too."""
        lines = islice(_lines(self.content, self.encoding), self.lines_to_skip, None)
        reader = csv.reader(lines, strict=True, delimiter=_delimiter(self.separator))
        while True:
            line = reader.line_num + 1 + self.lines_to_skip
            try:
                cells = next(reader, None)
            except csv.Error as error:
                found = f"a line that breaks the CSV form ({error})"
                fix = 'look for a quote (") that is opened and not closed, from this line on'
                raise UnreadableError(found, "pairs of quotes", fix, f"row {line}") from None
            if cells is None:
                return
            if _is_filled(cells):
                yield line, cells


def read_csv_text(content: bytes, names: Collection[str], form: TableForm) -> CsvText:
    """A CSV file whose form is what somebody says, or else what its first lines show.

    The separator is the one under which the header holds most of ``names``, then the one that most lines agree on.

    Args:
        content: The bytes of the file.
        names: Names of columns that are looked for in its header.
        form: What somebody says of the file.

    Raises:
        UnreadableError: If it is no CSV file, or its text is in another encoding.
    """
    if (another := format_of(content)) is not None:
        endings = {"a gzip archive": ".csv.gz", "a zip archive or an Excel workbook": ".zip or .xlsx"}
        fix = _SAVE_AS_CSV + (f", or name it {endings[another]}" if another in endings else "")
        raise UnreadableError(another, _A_CSV_FILE, fix)
    content = content[len(_UTF_8_MARKS.match(content)[0]) :]  # type: ignore[index]  # matches nothing, too
    content = _with_byte_order(content, is_said=form.encoding == "utf-16")
    encoding = _encoding_of(content, form.encoding)
    first_lines = list(islice(_lines(content, encoding), REACH + 1))
    told = _SEPARATOR_LINE.fullmatch(first_lines[0]) if first_lines else None
    first_lines = first_lines[1:] if told else first_lines
    announced = (
        _separator_named(told[1]) if told else None
    )  # also by files that were saved again, with another
    tried = SEPARATORS if form.separator is None else (form.separator,)
    begins = {mark: _beginning(first_lines, mark) for mark in tried}
    likelihoods = {mark: _likelihood(begins[mark], names) for mark in tried}
    best = max(tried, key=lambda mark: (likelihoods[mark][0], mark == announced, likelihoods[mark][1]))
    place = header_position(begins[best], names)
    header = header_names(begins[best], place, names) if begins[best] else []
    by_group = names_by_group(begins[best], place)
    return CsvText(content, encoding, best, int(told is not None), place, header, by_group)


def format_of(content: bytes) -> str | None:
    """What the first bytes say the file really is, None for text that may be CSV."""
    start = content[:64].lstrip()
    return next((name for signature, name in SIGNATURES if start.startswith(signature)), None)


def shown_cell(cell: str) -> str:
    """A cell as Excel shows it: without the spaces around it, and the marks by which a number is kept as text.

    >>> shown_cell(' ="0012" '), shown_cell("'12.5"), shown_cell("'s")
    ('0012', '12.5', "'s")
    """
    text = cell.strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        return text[2:-1].strip()
    return text[1:] if text[:1] == "'" and text[1:2].isdigit() else text


def _likelihood(records: Sequence[Sequence[str]], names: Collection[str]) -> tuple[int, float]:
    """(names in the header, how many cells most records have, by how many have them): the more, the likelier."""
    if not records:
        return 0, 0.0
    header = header_names(records, header_position(records, names), names)
    width, count = Counter(map(len, records)).most_common(1)[0]
    return matching(header, names), count / len(records) * (width - 1)


def _beginning(lines: Sequence[str], separator: Separator) -> list[list[str]]:
    """The first records under a separator, as far as they can be read."""
    records: list[list[str]] = []
    reader = csv.reader(lines, delimiter=_delimiter(separator))
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            return records
        if cells is None:
            return records
        if _is_filled(cells):
            records.append(cells)


def _is_filled(cells: Sequence[str]) -> bool:
    return any(cells) and any(cell.strip() for cell in cells)


def _delimiter(separator: Separator) -> str:
    return "\t" if separator == "tab" else separator


def _separator_named(letter: str) -> Separator | None:
    return next((separator for separator in SEPARATORS if _delimiter(separator) == letter), None)


def _encoding_of(content: bytes, said: Encoding | None) -> Encoding:
    """The encoding that somebody says, or that the first bytes show; all of the text is in it."""
    encoding: Encoding = said or ("utf-16" if content.startswith(_UTF_16) else "utf-8")
    try:
        text = content.decode(_CODECS[encoding])
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            found = f"text that is not {encoding.upper()}"
            raise UnreadableError(found, "text in the encoding that is said", _SAVE_AS_CSV) from None
        found = f"byte 0x{content[error.start]:02x}, which is not UTF-8"
        line = content[: error.start].count(b"\n") + 1
        fix = f"{_SAVE_AS_CSV}, or say 'csv: {{encoding: windows-1252}}' (mmm add: --encoding windows-1252)"
        raise UnreadableError(found, "text in UTF-8", fix, f"row {line}") from None
    if "\0" in text:
        raise UnreadableError("zero bytes, so a binary file", _A_CSV_FILE, _SAVE_AS_CSV)
    return encoding


def _with_byte_order(content: bytes, *, is_said: bool) -> bytes:
    """UTF-16 with the mark of its byte order, which a zero beside each Latin letter tells."""
    places = [content[place:200:2] for place in (0, 1)]
    zeros = [bool(part) and part.count(0) > 0.9 * len(part) for part in places]
    if content.startswith(_UTF_16) or not (is_said or (any(zeros) and not all(zeros))):
        return content
    little, big = _UTF_16
    return (big if zeros[0] else little) + content


def _lines(content: bytes, encoding: Encoding) -> Iterator[str]:
    """Lines as editors count them, ended by any of the three line endings; none of absurd length."""
    stream = io.TextIOWrapper(io.BytesIO(content), _CODECS[encoding], newline="")
    for number, line in enumerate(stream, start=1):
        if number > limits.MAX_LINES:
            found, wanted = f"more than {limits.MAX_LINES:,} lines", f"at most {limits.MAX_ROWS:,} rows"
            raise UnreadableError(found, wanted, limits.SHORTEN)
        if len(line) > limits.MAX_LINE:
            found = f"a line of {len(line):,} characters"
            raise UnreadableError(found, f"at most {limits.MAX_LINE:,}", limits.SHORTEN, f"row {number}")
        yield line
