"""What is wrong with the names in a header.

Here: columns that are missing or come twice, a first line that holds no names, names that are all in one cell, names
that look like what was meant and are written with other letters.
Not here: which row the header is (files/header.py), which columns a client needs (contract.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from mmm_engine.client.validation import nearest
from mmm_engine.errors import Fault
from mmm_engine.files.dates import looks_like_a_date
from mmm_engine.files.header import usable_name
from mmm_engine.files.table import Table
from mmm_engine.files.table_form import SEPARATORS
from mmm_engine.files.yaml_document import plain

_MARKS = (",", ";", "\t", "|", "^", "~", ":", "/", "\\", "\x01", "\x1f", " ")
"""What may stand between names that are all in one cell; Hive writes the control character 1."""

_LONGEST = 1000  # characters of a cell that may be a name
_LATIN_LOOKS = dict(zip("аеорсухіјѕһԁԛԝкмтнвАВЕКМНОРСТУХІЈЅαορνικτυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
                        "aeopcyxijshdqwkmtnbABEKMHOPCTYXIJSaopviktuABEZHIKMNOPTYX", strict=True))  # fmt: skip
"""Letters of Cyrillic and Greek that look like Latin ones, after https://unicode.org/reports/tr39/."""


def header_faults(needed: Mapping[str, str], table: Table) -> Iterator[Fault]:
    """Every fault of the header; one where it is none at all.

    Args:
        needed: Role of every column that the client needs.
        table: Cells as they were read.
    """
    if not set(needed) & set(table.header) and (fault := _no_header(needed, table)):
        yield fault
        return
    looks: _Looks | None = None
    for column, role in needed.items():
        if column not in table.header:
            names = ", ".join(plain(name, 40) for name in table.header[:12])
            listed = names + (", …" if len(table.header) > 12 else "")
            looks = looks or _Looks(table.header)
            fix = looks.alike(column) or nearest(column, table.header)
            fix = fix or "add the column, or correct its name in the client file"
            found = f"no such column (there are: {listed})"
            yield Fault(f"column '{column}', header", found, f"a column of this name ({role})", fix)
        elif column in table.repeated:
            found = f"{table.header.count(column)} columns of this name"
            fix = "delete one where they hold the same, else give each a name of its own"
            pairs = zip(table.header, table.by_group, strict=False)
            if called := [name for below, name in pairs if below == column != name]:
                listed = " or ".join(f"'{plain(name, 60)}'" for name in dict.fromkeys(called))
                fix = f"say which, with the group that stands above it: {listed}"
            yield Fault(f"column '{column}', header", found, "one", fix)


def _no_header(needed: Mapping[str, str], table: Table) -> Fault | None:
    """The fault of a table whose first line holds data, or all names in one cell."""
    names = set(needed)
    for cell in table.header[:12]:
        for mark in _MARKS:
            inside = {usable_name(part.strip('"')) for part in cell.split(mark)}
            if len(names & inside) > len(names) / 2 and len(names) > 1:
                where = "header"
                between = "spaces" if mark == " " else "tabs" if mark == "\t" else repr(mark)
                found = f"the names of columns in one cell, with {between} between them: '{plain(cell, 60)}'"
                fix = "save the table again as CSV, separated by commas"
                if mark in (*SEPARATORS, "\t"):
                    fix += " and without quotes around whole lines, or correct 'csv: {separator: …}' in the client file"
                return Fault(where, found, "a cell for each name", fix)
    if any(map(looks_like_a_date, table.header)) and not any(map(_is_name, table.header)):
        found = (
            f"the cells of a row instead of names ({', '.join(plain(cell, 20) for cell in table.header[:5])})"
        )
        fix = f"write the names above the rows: {', '.join(plain(name, 40) for name in list(needed)[:8])}"
        return Fault("header", found, "a first line with the names of the columns", fix)
    return None


def _is_name(cell: str) -> bool:
    return re.search(r"[^\W\d_]{2,}", cell) is not None and not looks_like_a_date(cell)


class _Looks:
    """What the names of a header look like, worked out once: a file may have ten thousand of them."""

    def __init__(self, header: Sequence[str]) -> None:
        names = [name for name in reversed(header) if len(name) <= _LONGEST]
        self._latin = {_latin(name): name for name in names}
        self._saved_once = {_saved_once(name): name for name in names}

    def alike(self, column: str) -> str:
        """What is to be done about a name that looks like one that is missing; empty where none does."""
        if name := self._latin.get(_latin(column)):
            pairs = zip_longest(name, column, fillvalue="")
            letter = next((one for one, other in pairs if one and one != other), "")
            strange = (
                f" ('{plain(letter)}' is {unicodedata.name(letter, 'another letter')})" if letter else ""
            )
            return f"'{plain(name, 40)}' looks the same and is another name{strange}: rename it in the file"
        if name := self._saved_once.get(column):
            fix = "save the file as UTF-8 again from where it was made, or use the name as it stands"
            return f"'{plain(name, 40)}' is this name in UTF-8 that was read as Windows-1252: {fix}"
        return ""


def _latin(name: str) -> str:
    """The name in the letters that it looks like; wide letters are narrow ones."""
    letters = unicodedata.normalize("NFKC", name)
    return "".join(_LATIN_LOOKS.get(letter, letter) for letter in letters)


def _saved_once(name: str) -> str:
    """The name as it was before its UTF-8 was taken for another encoding; itself where it was not."""
    try:
        return name.encode("cp1252").decode()
    except UnicodeError:
        return name
