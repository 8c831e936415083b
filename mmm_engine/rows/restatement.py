"""A client's new rows against those of the last refresh: rows that are gone, values that were restated.

Here: whether a new file takes back more than files usually do.
Not here: what a move of results is due to (fleets/refresh_diff.py), which rows the last ones were (storage/).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.errors import DataError, Fault
from mmm_engine.rows.calendar import Period
from mmm_engine.rows.client_data import ClientData

SETTLING_ROWS: dict[Period, int] = {"day": 28, "week": 4, "month": 1}
"""The last rows of a file, by what a row is: attribution and returns are still being booked there."""


def refuse_restated(before: ClientData, now: ClientData) -> None:
    """Refuses rows that take back what earlier ones said.

    Rows may be added, the oldest may leave as new ones come (an export of the last three years), the last four weeks
    may change freely, and each column may be restated by ``thresholds.restated_max`` in the rows before them:

    restated = sum |new - old| / sum |old|.

    Args:
        before: The rows that were accepted last.
        now: The new ones.

    Raises:
        DataError: With every fault and how to accept the rows all the same.
    """
    accept = f"hand in the whole file again; if the new one is right: mmm refresh {now.config.client} --accept-restated"
    faults = [*_lost_rows(before, now, accept), *_restated_columns(before, now, accept)]
    if faults:
        raise DataError(f"client '{now.config.client}', {now.config.data}", faults)


def restated_share(old: Floats, new: Floats) -> float:
    """sum |new - old| / sum |old|, of two arrays of one shape; 0 where both are 0 everywhere.

    >>> restated_share(np.array([10.0, 10.0]), np.array([12.0, 10.0]))
    0.1
    """
    moved, size = float(np.abs(new - old).sum()), float(np.abs(old).sum())
    return moved / size if size else (0.0 if moved == 0.0 else np.inf)


def _lost_rows(before: ClientData, now: ClientData, accept: str) -> Iterator[Fault]:
    """Rows that the last file had and this one has not."""
    if before.period != now.period:
        found = f"rows by {now.period}, at the last refresh rows by {before.period}"
        yield Fault("all rows", found, f"rows by {before.period}", accept)
        return
    old, new = before.calendar.days, now.calendar.days
    lost = old[~np.isin(old, new)]
    leaving = lost[lost < new[0]]
    added = int((new > old[-1]).sum())
    if len(lost) > len(leaving) or len(leaving) > added:
        span = f"{lost[0]}" if len(lost) == 1 else f"{lost[0]} to {lost[-1]}"
        gone = "1 row is gone" if len(lost) == 1 else f"{len(lost)} rows are gone"
        found = f"{gone} that the file had at the last refresh ({span}); it now ends on {new[-1]}"
        yield Fault("all rows", found, "the rows it had, and newer ones", accept)


def _restated_columns(before: ClientData, now: ClientData, accept: str) -> Iterator[Fault]:
    """Columns whose settled rows say something else than they did."""
    settled = before.frame.iloc[: max(len(before) - SETTLING_ROWS[before.period], 0)]
    together = settled.merge(now.frame, on="date", suffixes=("", " now"))
    bound = now.config.thresholds.restated_max
    for column in settled.columns.drop("date"):
        if column not in now.frame.columns or not len(together):
            continue
        old, new = together[column].to_numpy(), together[f"{column} now"].to_numpy()
        share = restated_share(old, new)
        if share > bound:
            most = int(np.abs(new - old).argmax())
            day = together["date"].iloc[most].date()
            size = f"by {share:.0%}" if np.isfinite(share) else "from 0"
            found = (
                f"restated {size} since the last refresh, most on {day} (from {old[most]:g} to {new[most]:g})"
            )
            wanted = f"at most {bound:.0%} (thresholds.restated_max) in rows older than four weeks"
            yield Fault(f"column '{column}'", found, wanted, accept)
