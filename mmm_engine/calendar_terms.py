"""What depends on dates beside the seasons: changepoints of the trend, days of events, the rows of lift tests.

Here: these as arrays of the model, in model space.
Not here: the formulas they enter (model.py).
"""

from __future__ import annotations

import numpy as np

from mmm_engine.cells import Days, Floats
from mmm_engine.config import ClientConfig
from mmm_engine.scaling import ScaledInputs

_DAY = np.timedelta64(1, "D")


def trend_hinges(days: Days, train_rows: int, changepoints: int) -> Floats:
    """How far each row lies behind each changepoint, 0 before it, shape (date, changepoint).

    Time runs from 0 at the first training row to 1 at the last one; the changepoints lie at 0, 1/n, ..., (n-1)/n. (One
    at the very end, as pymc-marketing has it, would learn nothing and let forecasts wander off by its prior.)

    Args:
        days: Dates of all rows.
        train_rows: How many of them the model is fitted on.
        changepoints: n, 0 for no trend.
    """
    since = (days - days[0]) / _DAY
    time = since / since[train_rows - 1]
    starts = np.arange(changepoints) / max(changepoints, 1)
    return np.asarray(np.maximum(time[:, None] - starts, 0.0), dtype=float)


def event_occurrences(config: ClientConfig, days: Days) -> tuple[Floats, Floats]:
    """Days to the nearest day of each occurrence, 0 within it, (date, occurrence); whose it is, (occurrence, event).

    Args:
        config: The client's settings.
        days: Dates of the rows.
    """
    events = config.model.events
    occurrences = [(number, days_) for number, event in enumerate(events) for days_ in event.days]
    distance = np.zeros((len(days), len(occurrences)))
    members = np.zeros((len(occurrences), len(events)))
    for position, (number, occurrence) in enumerate(occurrences):
        after_start = (days - np.datetime64(occurrence.start)) / _DAY
        after_end = (days - np.datetime64(occurrence.end)) / _DAY
        distance[:, position] = np.maximum(np.maximum(-after_start, after_end), 0.0)
        members[position, number] = 1.0
    return distance, members


def lift_arrays(inputs: ScaledInputs) -> dict[str, Floats]:
    """The lift tests whose period is a training row: lift_from, lift_to, lift_rows, lift_gain and lift_sigma.

    A test in a period that is held out is left out: the window must not know what came later.
    """
    config, scales, rows = inputs.config, inputs.scales, inputs.train_rows
    days = inputs.dates.to_numpy().astype("datetime64[D]")
    tests = [(test, row_of(days, test.date)) for test in config.lift_tests]
    known = [(test, row) for test, row in tests if row is not None and row < rows]
    before, after = (np.zeros((len(known), len(config.channels))) for _ in range(2))
    at = np.zeros((len(known), len(days)))
    for number, (test, row) in enumerate(known):
        channel = config.channel_names.index(test.channel)
        before[number, channel] = test.x / scales.media[test.channel]
        after[number, channel] = (test.x + test.delta_x) / scales.media[test.channel]
        at[number, row] = 1.0
    return {
        "lift_from": before,
        "lift_to": after,
        "lift_rows": at,
        "lift_gain": np.array([test.delta_y for test, _ in known], dtype=float) / scales.target,
        "lift_sigma": np.array([test.sigma for test, _ in known], dtype=float) / scales.target,
    }


def row_of(days: Days, date: str) -> int | None:
    """The row whose period holds a date: the last one that does not begin after it; None outside the rows."""
    day = np.datetime64(date)
    row = int(np.searchsorted(days, day, side="right")) - 1
    length = (days[1] - days[0]) if len(days) > 1 else _DAY
    return row if row >= 0 and (row < len(days) - 1 or day < days[-1] + length) else None
