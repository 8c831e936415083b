"""Caps on data files, and the error of a file that no table can be made of.

Not here: opening files (table.py).
"""

from __future__ import annotations

from mmm_engine.errors import Fault

MAX_BYTES = 200_000_000
MAX_ROWS = 100_000
MAX_LINE = 1_000_000  # characters
MAX_CELL = 131_072  # characters, as in a CSV file (Python's csv)
MAX_LINES = 1_000_000  # blank ones and those within quotes counted

EXPORT_AGAIN = "export the data again"
SHORTEN = "leave out columns and rows that the model does not use"


class UnreadableError(Exception):
    """A file that no table can be made of; ``fault`` says why."""

    def __init__(self, found: str, wanted: str, fix: str, where: str = "the file") -> None:
        super().__init__(found)
        self.fault = Fault(where, found, wanted, fix)
