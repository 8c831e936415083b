"""Panels: files with a row per week and region (or brand, or shop) where a client is one series.

Here: recognising a panel by its repeated dates, or by series whose dates lie between those of others; the column that
tells its series apart, what can be done.
Not here: single dates that are there twice (contract.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmm_engine.array_types import Days
from mmm_engine.client.config import ClientConfig
from mmm_engine.errors import Fault
from mmm_engine.files.dates import read_dates
from mmm_engine.files.table import Table
from mmm_engine.files.yaml_document import plain
from mmm_engine.rows.calendar import Calendar, Period, period_of, weekday

_USUAL = 0.5  # share of dates that are there more than once, from which on a file is a panel
_SHOWN = 4
_EVEN = 0.9  # share of a series' dates that its period leads to, from which on it is one
_LEAST_ROWS = 3  # of a series
_FEW_WEEKDAYS = (
    4  # that rows of several weekly series have together; five may be those on which a shop is open
)


def has_repeated_dates(config: ClientConfig, table: Table) -> bool:
    """Whether at least half of the dates of a table are there more than once."""
    if config.date not in table.columns or config.date in table.repeated:
        return False
    counts = Counter(str(cell) for cell in table.columns[config.date])
    return sum(count > 1 for count in counts.values()) >= max(2.0, _USUAL * len(counts))


def panel_fault(config: ClientConfig, table: Table) -> Fault | None:
    """The fault of a panel, which names the column that tells its series apart; None when the table is none.

    Args:
        config: Settings of the client.
        table: The cells of all columns.
    """
    days, faults, _ = read_dates(table.columns[config.date], config.date, table.rows, table.form.dates)
    if faults:
        return None
    labels = _labels(config, table, days)
    counts = np.unique(days, return_counts=True)[1]
    times = f"{counts.max()} times" if counts.min() == counts.max() else f"up to {counts.max()} times"
    if labels is None:
        if np.array_equal(*_first_and_second(table, days)):
            return None  # rows that were exported twice
        found = f"each date {times}, in rows that differ: a panel (several series in one file)"
        fix = "add the rows of a date up, or cut the file into one for each series and add each as a client"
        return Fault(f"column '{config.date}'", found, "one row for each date: a client is one series", fix)
    name, values = labels
    shown = ", ".join(plain(value, 30) for value in values[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
    found = f"each date {times}, once for each value of '{plain(name, 40)}' ({shown}): a panel"
    target = table.columns.get(config.target.column)
    if target is not None and _is_same_in_each_date(target, days):
        found = (
            found.removesuffix("a panel")
            + f"a long table ('{config.target.column}' does not differ among them)"
        )
        fix = (
            f"name these values as channels (mmm add: --channels {','.join(values[:_SHOWN])}), each is then a column; "
            "or add the rows of a date up into one channel"
        )
        return Fault(f"column '{config.date}'", found, "one row for each date, or names of columns", fix)
    fix = (
        f"add the rows of a date up (spend and sales; a price is averaged), or cut the file by '{plain(name, 40)}' "
        "and add each part as a client of its own"
    )
    return Fault(f"column '{config.date}'", found, "one row for each date: a client is one series", fix)


def panel_of_other_days(config: ClientConfig, table: Table) -> Fault | None:
    """The fault of a panel each of whose series has dates of its own (Mondays, Wednesdays); None when it is none.

    Args:
        config: Settings of the client.
        table: The cells of all columns.
    """
    if config.date not in table.columns or config.date in table.repeated:
        return None
    days, faults, _ = read_dates(table.columns[config.date], config.date, table.rows, table.form.dates)
    unique = np.unique(days)
    if faults or np.isnat(days).any() or len(unique) < len(days) or len(unique) < 2:
        return None
    weekdays = dict.fromkeys(map(weekday, unique))
    period = period_of(unique)
    if period in ("week", "month") or (period == "day" and len(weekdays) > _FEW_WEEKDAYS):
        return None
    wanted = "one row for each date: a client is one series"
    for name, texts in _columns_beside(config, table):
        if not 1 < len(set(texts)) <= len(texts) / _LEAST_ROWS:
            continue
        groups = pd.Series(days).groupby(texts, sort=False)
        series = {str(value): own.to_numpy().astype("datetime64[D]") for value, own in groups}
        if (span := _one_period(list(series.values()))) is None:
            continue
        words = [
            f"{plain(value, 30)} {f'on {weekday(own[0])}s' if span == 'week' else f'from {own.min()}'}"
            for value, own in list(series.items())[:_SHOWN]
        ]
        shown = ", ".join(words) + (", …" if len(series) > _SHOWN else "")
        found = f"one row a {span} for each value of '{plain(name, 40)}' ({shown}): a panel"
        fix = (
            f"date all rows of a {span} by its first day and add them up (spend and sales; a price is averaged), or "
            f"cut the file by '{plain(name, 40)}' and add each part as a client of its own"
        )
        return Fault(f"column '{config.date}'", found, wanted, fix)
    by_weekday = [days[[weekday(day) == name for day in days]] for name in weekdays]
    if period is not None or _one_period(by_weekday) != "week":
        return None
    found = f"rows on {' and '.join(f'{name}s' for name in weekdays)} of each week: perhaps a panel (several series)"
    fix = (
        "date all rows of a week by its first day and add them up, or cut the file into one for each series and "
        "add each as a client"
    )
    return Fault(f"column '{config.date}'", found, wanted, fix)


def _one_period(series: Sequence[Days]) -> Period | None:
    """Week or month when each of some series has one row in each, nearly without gaps; else None."""
    periods = set()
    for days in series:
        ascending = np.sort(days)
        period = period_of(ascending) if len(days) >= _LEAST_ROWS else None
        if period not in ("week", "month"):
            return None
        expected = Calendar(ascending, period).expected_days()
        if min(np.isin(days, expected).mean(), np.isin(expected, days).mean()) < _EVEN:
            return None
        periods.add(period)
    return periods.pop() if len(periods) == 1 else None


def _columns_beside(config: ClientConfig, table: Table) -> Iterator[tuple[str, list[str]]]:
    """Columns that the client does not name, with their cells as text: what may tell series apart."""
    for name, cells in table.columns.items():
        if name not in (config.date, config.target.column, *config.channel_names, *config.cost_names):
            yield name, [str(cell) for cell in cells]


def _is_same_in_each_date(cells: pd.Series, days: Days) -> bool:
    texts = cells.astype(str)
    return len(set(zip(days.tolist(), texts, strict=True))) == len(set(days.tolist()))


def _labels(config: ClientConfig, table: Table, days: Days) -> tuple[str, Sequence[str]] | None:
    """The column that differs in all rows of a date, with its values; where there are several that with fewest."""
    candidates = []
    for name, texts in _columns_beside(config, table):
        values = sorted(set(texts))
        if 1 < len(values) <= len(texts) / 2 and len(set(zip(days.tolist(), texts, strict=True))) == len(
            texts
        ):
            candidates.append((len(values), name, values))
    if not candidates:
        return None
    _, name, values = min(candidates)
    return name, values


def _first_and_second(table: Table, days: Days) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The cells of the first and of the second row of each date that has two, as text, shape (date, column)."""
    frame = pd.DataFrame({name: cells.astype(str) for name, cells in table.columns.items()})
    place = frame.groupby(days).cumcount().to_numpy()
    twice = np.isin(days, days[place == 1])
    first = frame[(place == 0) & twice].to_numpy()[np.argsort(days[(place == 0) & twice], kind="stable")]
    second = frame[place == 1].to_numpy()[np.argsort(days[place == 1], kind="stable")]
    return first, second
