"""Cells of a table: names of rows in messages, what counts as missing, faults of many cells as few sentences.

Not here: what stands in a cell (numbers.py, dates.py), opening files (table.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmm_engine.array_types import Days
from mmm_engine.errors import Fault

MISSING_WORDS = frozenset(
    {
        "",
        "na",
        "n/a",
        "n.a.",
        "n.a",
        "n/d",
        "n.d.",
        "k.a.",
        "nan",
        "null",
        "none",
        "nil",
        "<na>",
        "nat",
        "(blank)",
    }
    | {"-", "--", "\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}", "?", ".", "(null)", "\\n"}
)


def more_rows(rows: Sequence[int]) -> str:
    """``" (and in 3 more rows: 12, 13, 20)"`` for the rows after the first."""
    if not rows:
        return ""
    listed = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
    return f" (and in {len(rows)} more {'row' if len(rows) == 1 else 'rows'}: {listed})"


def left_out(rows: Sequence[int], words: str) -> Iterator[str]:
    """A note of rows that are no periods, where there are any: ``"row 62 is a note and is left out"``."""
    if rows:
        yield f"row {rows[0]}{more_rows(rows[1:])} {words} and is left out"


@dataclass(frozen=True)
class Rows:
    """Names of rows in messages.

    Attributes:
        numbers: Row number of each row, as the file's editor shows it.
        days: Date of each row, NaT where it is unknown, shape (row,).
    """

    numbers: Sequence[int]
    days: Days

    @classmethod
    def undated(cls, numbers: Sequence[int]) -> Self:
        """Rows whose dates are not known (yet)."""
        return cls(numbers, np.full(len(numbers), np.datetime64("NaT", "D")))

    def label(self, index: int) -> str:
        """``"row 12 (2023-03-27)"``."""
        day = self.days[index]
        return f"row {self.numbers[index]}" + ("" if np.isnat(day) else f" ({day})")

    def place(self, column: str, index: int) -> str:
        """``"column 'tv', row 12 (2023-03-27)"``."""
        return f"column '{column}', {self.label(index)}"

    def others(self, indices: Sequence[int] | NDArray[np.intp]) -> str:
        """``" (and in 3 more rows: 13, 14, 20)"`` for the rows after the first of ``indices``."""
        return more_rows([self.numbers[index] for index in indices[1:]])


@dataclass(frozen=True)
class Flaw:
    """Why a cell cannot be read; cells of a column that miss the same ``wanted`` make one fault."""

    found: str
    wanted: str
    fix: str


_KINDS = {"ndarray": "a list", "list": "a list", "dict": "a record of several values", "bytes": "bytes"}


def kind_of(cell: object) -> str:
    """What a cell of a typed file holds that is neither text, number nor date, in words.

    >>> kind_of([1, 2]), kind_of({"a": 1})
    ('a list', 'a record of several values')
    """
    name = type(cell).__name__
    return _KINDS.get(name, f"a {name}")


def is_missing(cell: object) -> bool:
    """Whether a typed cell is one of the ways to say that there is nothing."""
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell))


def is_blank(cell: object) -> bool:
    """Whether a cell, text or typed, is one of the ways to say that there is nothing."""
    return is_missing(cell) or (isinstance(cell, str) and cell.strip().lower() in MISSING_WORDS)


def faults_of(flaws: Mapping[int, Flaw], column: str, rows: Rows) -> list[Fault]:
    """One fault for each kind of flaw, placed at its first row and counting the others."""
    kinds: dict[str, list[int]] = {}
    for index in sorted(flaws):
        kinds.setdefault(flaws[index].wanted, []).append(index)
    return [
        Fault(
            rows.place(column, indices[0]),
            flaws[indices[0]].found + rows.others(indices),
            flaws[indices[0]].wanted,
            flaws[indices[0]].fix,
        )
        for indices in kinds.values()
    ]
