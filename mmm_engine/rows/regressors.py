"""Checked rows as a regression sees them: what findings are computed from.

Not here: what is worth telling (findings.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmm_engine.array_types import Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.client.model_config import EventConfig
from mmm_engine.rows.calendar import Calendar


@dataclass(frozen=True)
class Regressors:
    """Rows with the regressors that several findings share."""

    config: ClientConfig
    frame: pd.DataFrame
    calendar: Calendar

    def __len__(self) -> int:
        return len(self.frame)

    def values(self, column: str) -> Floats:
        """One column, shape (date,)."""
        return self.frame[column].to_numpy(dtype=np.float64)

    @property
    def target(self) -> Floats:
        """The target, shape (date,)."""
        return self.values(self.config.target.column)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Channels and controls."""
        return self.config.channel_names + self.config.control_names

    def within(self, event: EventConfig) -> NDArray[np.bool_]:
        """Whether each row shares a day with an event, shape (date,)."""
        first, last = self.calendar.covered_days
        spans = [(np.datetime64(once.start), np.datetime64(once.end)) for once in event.days]
        shared: NDArray[np.bool_] = np.any([(start <= last) & (first <= end) for start, end in spans], axis=0)
        return shared

    def day(self, index: int) -> str:
        """Date of a row as text."""
        return str(self.calendar.days[index])

    def standardised(self, columns: Sequence[str]) -> Floats:
        """Columns with mean 0 and standard deviation 1, shape (date, column)."""
        if not columns:
            return np.empty((len(self), 0))
        values = self.frame[list(columns)].to_numpy(dtype=np.float64)
        values = values / np.abs(values).max(axis=0)
        scaled: Floats = (values - values.mean(axis=0)) / values.std(axis=0)
        return scaled

    def line(self) -> Floats:
        """Intercept and linear trend, shape (date, 2)."""
        return np.column_stack([np.ones(len(self)), np.linspace(-1, 1, len(self))])

    def weekdays(self) -> Floats:
        """Whether a daily row is a Tuesday, …, a Sunday, shape (date, 6); for longer rows (date, 0)."""
        if self.calendar.period != "day":
            return np.empty((len(self), 0))
        return np.asarray(self.calendar.weekdays[:, None] == np.arange(1, 7), dtype=float)

    def trend(self) -> Floats:
        """Intercept and linear trend, for daily rows the days of the week too; shape (date, regressor)."""
        return np.column_stack([self.line(), self.weekdays()])

    def holidays(self) -> Floats:
        """Whether each row shares a day with each public holiday, shape (date, holiday)."""
        settings = self.config.model.holidays
        days = [self.within(holiday) for holiday in settings.days] if settings else []
        return np.column_stack(days).astype(float) if days else np.empty((len(self), 0))

    def events(self) -> Floats:
        """Days that each row shares with each event, of those that some rows have more of, shape (date, event)."""
        columns = []
        for event in self.config.model.events:
            spans = [(np.datetime64(once.start), np.datetime64(once.end)) for once in event.days]
            columns.append(np.sum([self.calendar.shared_days(start, end) for start, end in spans], axis=0))
        told_apart = [column for column in columns if column.std() > 0]
        return np.column_stack(told_apart) if told_apart else np.empty((len(self), 0))

    def yearly(self, harmonics: int = 2, years: int = 2) -> Floats:
        """Harmonics of the year, shape (date, 2 × harmonics); none for fewer years of rows."""
        year = self.calendar.periods_per_year
        if len(self) < years * year:
            return np.empty((len(self), 0))
        phase = 2 * np.pi * np.arange(len(self)) / year
        orders = range(1, min(harmonics, (year - 1) // 2) + 1)
        return np.column_stack([wave(order * phase) for order in orders for wave in (np.sin, np.cos)])


def residual(target: Floats, design: Floats) -> Floats:
    """What a least-squares fit of ``design`` leaves of ``target``, shape (date,)."""
    unexplained: Floats = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    return unexplained
