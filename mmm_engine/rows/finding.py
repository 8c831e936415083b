"""Something that a reader of a client's rows should know.

Here: `Finding`.
Not here: what is found (findings.py, and notes in contract.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """Something about the data that does not stop a refresh but that its reader should know.

    Attributes:
        code: Kind of finding, stable across versions ("unsorted", "target-outlier").
        severity: ``note`` for the record, ``warning`` for what may mislead the model.
        column: Column it is about, empty when it is about the whole table.
        message: What was found, with dates and numbers.
        fix: What the reader can do about it.
    """

    code: str
    severity: Literal["note", "warning"]
    column: str
    message: str
    fix: str
