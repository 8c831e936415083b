"""Rows as people have them in a notebook, made the frame that the library reads.

Here: what is no frame, refused with the line that makes one of it; dates in the index.
Not here: columns and cells (mmm_engine.rows.contract, new_rows.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mmm_engine.errors import DataError, Fault


def frame_of(rows: object, who: str, date_column: str | None = None) -> pd.DataFrame:
    """Rows as a frame whose dates are a column; nothing is copied where that is so already.

    Args:
        rows: What was passed.
        who: Names the model and the argument in messages.
        date_column: Column of the dates. An index of this name is taken as that column.

    Raises:
        DataError: If it is no pandas frame, or its dates are in an index of another name.
    """
    if not isinstance(rows, pd.DataFrame):
        found = f"{type(rows).__module__}.{type(rows).__qualname__}".removeprefix("builtins.")
        raise DataError(who, Fault("the rows", f"a value of type {found}", "a pandas DataFrame", _how(rows)))
    if date_column is None or {date_column, "date"} & set(rows.columns):
        return rows
    if rows.index.name == date_column:
        return rows.reset_index()
    if isinstance(rows.index, pd.DatetimeIndex | pd.PeriodIndex):
        name = "without a name" if rows.index.name is None else f"named '{rows.index.name}'"
        fix = f"pass frame.rename_axis(index={date_column!r}).reset_index()"
        wanted = f"a column '{date_column}'"
        raise DataError(who, Fault("the dates", f"dates in an index {name}", wanted, fix))
    return rows


def _how(rows: object) -> str:
    """The line that makes a frame of it."""
    if isinstance(rows, str | Path):
        reader = {".parquet": "read_parquet", ".xlsx": "read_excel"}.get(Path(rows).suffix, "read_csv")
        return f"pass pandas.{reader}({str(rows)!r})"
    if hasattr(rows, "to_pandas"):
        return "pass frame.to_pandas()"
    if isinstance(rows, Mapping):
        return "pass pandas.DataFrame(columns), with one list for each column"
    return "pass pandas.DataFrame(rows, columns=[...]), with the name of each column"
