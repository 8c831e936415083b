"""Blank cells of media, which many exports leave where nothing was spent.

Here: zeros in their place where the client file says so, and saying that it can be said where it does not.
Not here: what counts as blank (files/cells.py), blank targets and controls, whose values nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from mmm_engine.client.config import ClientConfig
from mmm_engine.errors import Fault
from mmm_engine.files.cells import is_blank
from mmm_engine.rows.finding import Finding

_MEDIA = ("channel", "cost")
_SAY_SO = "if blank always means 0 here, say 'csv: {blank_media_is_zero: true}' (mmm add: --blank-is-zero)"


def with_zeros(
    config: ClientConfig, cells: pd.Series, column: str, role: str
) -> tuple[pd.Series, list[Finding]]:
    """The cells of a column of media with 0 in blank ones, if the client file says so, and a note of it.

    Args:
        config: Settings of the client.
        cells: Text or typed cells.
        column: Name of the column.
        role: What it is to the client.
    """
    if not config.csv.blank_media_is_zero or role not in _MEDIA:
        return cells, []
    blank = cells.map(is_blank).astype(bool)
    if not blank.any():
        return cells, []
    count = int(blank.sum())
    words = f"{count} blank {'cell counts' if count == 1 else 'cells count'} as 0"
    note = Finding("blank-media", "note", column, words, "nothing if nothing was spent there")
    return cells.astype(object).where(~blank, 0), [note]


def say_so(faults: Sequence[Fault], cells: pd.Series, role: str) -> list[Fault]:
    """The faults of a column of media; where its cells are blank and all others are sound, with what can be said.

    Args:
        faults: Faults of the column.
        cells: Its cells.
        role: What it is to the client.
    """
    if role in _MEDIA and len(faults) == 1 and cells.map(is_blank).any():
        return [replace(faults[0], fix=f"{faults[0].fix}; {_SAY_SO}")]
    return list(faults)
