"""The header of a table: names that can be typed, and the row that it stands in.

Not here: which columns a client needs (rows/contract.py).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from itertools import zip_longest

REACH = 50  # rows within which a header is looked for
_HEADER_ROWS = 3  # above the last one of a header
_LONGEST = 1000  # characters of a cell that may be a name: under a wrong separator a line is one cell
_WIDEST = 1000  # cells of a header in several rows
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"  # letters that show nothing: fillers of Hangul, a blank of Braille


def usable_name(text: str) -> str:
    r"""A column's name as somebody who sees it would type it.

    Characters that take no room (zero-width spaces, direction marks, soft hyphens) are left out, spaces of other kinds
    and line breaks become spaces, those around the name go. A letter and an accent become the letter that has it (NFC,
    https://unicode.org/reports/tr15/): both look the same.

    >>> usable_name("\u200btv\u00a0cost\n(EUR) ")
    'tv cost (EUR)'
    """
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    seen = (letter for letter in composed if unicodedata.category(letter) != "Cf")
    return "".join(" " if letter.isspace() or letter in _BLANKS else letter for letter in seen).strip()


def header_position(records: Sequence[Sequence[str]], names: Collection[str]) -> int:
    """Which of the first records of a table is its header, counted from 0.

    It is the first of those that hold most of ``names``, alone or with the one above (`header_names`). Where none holds
    any, titles above a table are told by their width: the header is the first record with at least half as many filled
    cells as most records have.

    Args:
        records: The first records of the table, none of them blank.
        names: Names of columns that are looked for.

    >>> header_position([["Weekly report", ""], ["week", "tv"], ["2024-01-01", "3"]], {"week", "tv"})
    1
    """
    matches = [matching(record, names) for record in records]
    if max(matches, default=0) < len(set(names)):
        matches = [matching(header_names(records, place, names), names) for place in range(len(records))]
    if max(matches, default=0):
        return matches.index(max(matches))
    filled = [sum(bool(cell.strip()) for cell in record) for record in records]
    usual = sorted(filled)[len(filled) // 2] if filled else 0
    return next((place for place, count in enumerate(filled) if count >= max(2, usual / 2)), 0)


def header_names(records: Sequence[Sequence[str]], place: int, names: Collection[str]) -> list[str]:
    """The names in a header, which may go over several rows: whichever reading gives most of ``names``.

    A blank cell may stand below its name, as spreadsheets write cells that were joined over rows; or a group may stand
    above the names of its columns, which are then called by both ('Spend tv').

    >>> header_names([["week", "Spend", ""], ["", "tv", "radio"]], 1, {"week", "tv", "radio"})
    ['week', 'tv', 'radio']
    >>> header_names([["week", "Spend", ""], ["", "tv", "radio"]], 1, {"week", "Spend tv"})
    ['week', 'Spend tv', 'Spend radio']
    """
    readings = [list(records[place])]
    if len(records[place]) > _WIDEST or matching(records[place], names) == len(set(names)):
        return readings[0]
    for above in reversed(records[max(0, place - _HEADER_ROWS) : place]):
        pairs = zip_longest(readings[-1], above, fillvalue="")
        readings.append([name if name.strip() else upper for name, upper in pairs])
    if place:
        readings.append(_called_by_group(records[place - 1], records[place]))
    return max(readings, key=lambda reading: matching(reading, names))


def names_by_group(records: Sequence[Sequence[str]], place: int) -> list[str]:
    """What columns are called with the groups in the row above the header; none where no groups stand there.

    Args:
        records: The first records of the table, none of them blank.
        place: Which of them is the header.

    >>> names_by_group([["", "Spend", "", "Clicks"], ["week", "tv", "radio", "tv"]], 1)
    ['week', 'Spend tv', 'Spend radio', 'Clicks tv']
    >>> names_by_group([["Weekly report", ""], ["week", "tv"]], 1)
    []
    """
    above = records[place - 1] if place else []
    is_groups = sum(bool(cell.strip()) for cell in above) > 1 and len(above) <= _WIDEST
    return _called_by_group(above, records[place]) if is_groups else []


def _called_by_group(groups: Sequence[str], names: Sequence[str]) -> list[str]:
    """Each name behind its group, which stands above it or further left."""
    called, group = [], ""
    for name, above in zip_longest(names, groups, fillvalue=""):
        group = above.strip() or (group if name.strip() else "")
        called.append(f"{group} {name.strip()}".strip())
    return called


def matching(record: Sequence[str], names: Collection[str]) -> int:
    """How many of ``names`` are cells of a record."""
    return len({usable_name(cell) for cell in record if len(cell) <= _LONGEST} & set(names))
