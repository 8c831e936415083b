"""A world as a client of the engine, with the settings that a careful user would choose.

Here: one function of what a user can see (`VisibleRows`), never of the truth: spacing, length, and the findings of the
data contract decide.
Not here: priors and forms of the media, which are what the study compares (`schemes.py`).

| setting | rule |
|---|---|
| carry-over | 8 weeks: `max_lag` 8 for weekly rows, 28 for daily ones (costs grow with it), 3 for monthly ones |
| yearly season | order 2 where the contract finds a yearly cycle (it looks from two years of rows on) |
| trend | none: the baseline of the default wanders (schemes with another one say so) |
| days of the week | six 0/1 controls for daily rows whose target has a weekly rhythm (F test at 1%) |
| controls | effect of any sign |
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.config import ClientConfig
from mmm_engine.rows.client_data import ClientData, client_data_from_frame
from tests.benchmarks.truth.media import Floats
from tests.benchmarks.truth.worlds import VisibleRows

MAX_LAG = {"day": 28, "week": 8, "month": 3}
SETTINGS_BY_FINDING: dict[str, dict[str, Any]] = {
    "yearly-cycle": {"yearly_seasonality": 2},
}
_WEEKDAYS = ("tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKLY_RHYTHM = 0.01  # chance of calling a rhythm what is none


def careful_client(rows: VisibleRows) -> ClientData:
    """The client with the settings of the table above.

    Raises:
        DataError: If the rows break the data contract.
    """
    plain = client_data_from_frame(_config(rows, "week", {}, ()), rows.frame)
    frame = rows.frame
    weekdays: tuple[str, ...] = ()
    if plain.period == "day" and _has_weekly_rhythm(plain):
        frame, weekdays = _with_weekdays(rows.frame), _WEEKDAYS
    looked_at = client_data_from_frame(_config(rows, plain.period, {}, weekdays), frame)
    settings: dict[str, Any] = {}
    for finding in looked_at.findings:
        settings |= SETTINGS_BY_FINDING.get(finding.code, {})
    return client_data_from_frame(_config(rows, plain.period, settings, weekdays), frame)


def _config(
    rows: VisibleRows, spacing: str, model: dict[str, Any], more_controls: tuple[str, ...]
) -> ClientConfig:
    return client_config_from_mapping(
        {
            "client": rows.name,
            "data": f"{rows.name}.csv",
            "date": "date",
            "target": {"column": "sales", "kind": "conversions" if rows.conversions else "revenue"},
            "channels": [
                {"column": channel.column, "unit": channel.unit, "cost": channel.cost}
                for channel in rows.channels
            ],
            "controls": [{"column": name, "effect": "any"} for name in (*rows.controls, *more_controls)],
            "model": {
                "adstock": {"kind": "geometric", "max_lag": MAX_LAG[spacing]},
                **model,
            },
        }
    )


def _has_weekly_rhythm(data: ClientData) -> bool:
    """Whether the day of the week explains what a line, channels and controls leave open (F test)."""
    line = np.column_stack([np.ones(len(data)), np.linspace(-1, 1, len(data))])
    inputs = np.column_stack([data.media, data.controls])
    without = np.column_stack([line, (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)])
    weekday = data.dates.day_of_week.to_numpy()
    with_days = np.column_stack([without, weekday[:, None] == np.arange(1, 7)])
    spare = len(data) - with_days.shape[1]
    if spare < 5:
        return False
    open_without, open_with = (_unexplained(data.target, design) for design in (without, with_days))
    statistic = (open_without - open_with) / 6 / (open_with / spare)
    return bool(f_distribution.sf(statistic, 6, spare) < _WEEKLY_RHYTHM)


def _unexplained(target: Floats, design: Floats) -> float:
    """Sum of squares that a least-squares fit leaves."""
    return float(np.square(target - design @ np.linalg.lstsq(design, target, rcond=None)[0]).sum())


def _with_weekdays(frame: pd.DataFrame) -> pd.DataFrame:
    weekday = pd.DatetimeIndex(frame["date"]).day_of_week
    return frame.assign(
        **{name: (weekday == day).astype(float) for day, name in enumerate(_WEEKDAYS, start=1)}
    )
