"""What depends on dates beside the year: changepoints of the trend, days of the week, holidays and events.

Here: these as arrays of the model, in model space.
Not here: the formulas they enter (mean.py).
"""

from __future__ import annotations

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.client.model_config import HolidaysConfig
from mmm_engine.model.terms import WEEKDAY_CONTRASTS
from mmm_engine.rows.calendar import Calendar
from mmm_engine.rows.window import ScaledInputs

_DAY = np.timedelta64(1, "D")


def trend_hinges(calendar: Calendar, train_rows: int, changepoints: int) -> Floats:
    """How far each row lies behind each changepoint, 0 before it, shape (date, changepoint).

    Time runs from 0 at the first training row to 1 at the last one and on in the rows after it, where the last slope
    goes on. The changepoints lie at 0, 1/n, ..., (n-1)/n. pymc-marketing has one more, at the last row: it learns
    nothing there and lets forecasts wander off by its prior. Its forecasts also measure time by the rows they are made
    for, which bends the fitted trend; here a row's time does not depend on what is predicted with it.

    Args:
        calendar: Dates of all rows.
        train_rows: How many of them the model is fitted on.
        changepoints: n, 0 for no trend.
    """
    since = (calendar.days - calendar.days[0]) / _DAY
    time = since / since[train_rows - 1]
    starts = np.arange(changepoints) / max(changepoints, 1)
    return np.asarray(np.maximum(time[:, None] - starts, 0.0), dtype=float)


def weekday_contrasts(calendar: Calendar) -> Floats:
    """Six orthonormal contrasts of the days of the week at each row, shape (date, contrast).

    The effect of day d is the sum of its contrasts times their coefficients: the seven effects add up to zero, and
    with equal priors on the coefficients each day has the same prior (Helmert contrasts; Gelman and Hill 2007, Data
    Analysis Using Regression and Multilevel/Hierarchical Models, ISBN 978-0-521-68689-1, section 11.6, on why a
    batch of effects is centred).
    """
    steps = np.arange(1, WEEKDAY_CONTRASTS + 1)
    days = np.arange(WEEKDAY_CONTRASTS + 1)[:, None]
    helmert = np.where(days < steps, 1.0, np.where(days == steps, -steps, 0.0))
    return np.asarray((helmert / np.sqrt(steps * (steps + 1.0)))[calendar.weekdays])


def holiday_shares(calendar: Calendar, holidays: HolidaysConfig | None) -> Floats:
    """The share of each row's days that a holiday covers, shape (date, 1 + holiday): of all holidays, then of each.

    Effects per share mean the same for daily, weekly and monthly rows: what would be if it were that holiday on all
    days of the row.
    """
    if holidays is None:
        return np.zeros((len(calendar), 0))
    first, last = calendar.covered_days
    length = (last - first) / _DAY + 1.0
    shares = np.zeros((len(first), 1 + len(holidays.days)))
    for position, holiday in enumerate(holidays.days, start=1):
        for once in holiday.days:
            start, end = np.datetime64(once.start), np.datetime64(once.end)
            shared = (np.minimum(last, end) - np.maximum(first, start)) / _DAY + 1.0
            shares[:, position] += np.maximum(shared, 0.0) / length
    shares[:, 0] = shares[:, 1:].sum(axis=1)
    return shares


def event_occurrences(inputs: ScaledInputs) -> tuple[Floats, Floats]:
    """Days between each row and each occurrence of an event, (date, occurrence); whose it is, (occurrence, event).

    A row that shares a day with the occurrence has distance 0, another one the days from its nearest day to the
    occurrence's. For daily rows this is pymc-marketing's distance; theirs counts from a row's date alone, so that an
    event at the end of a week, or in the middle of a month, would belong to the next row or to none.
    """
    events = inputs.config.model.events
    first, last = inputs.calendar.covered_days
    occurrences = [(number, once) for number, event in enumerate(events) for once in event.days]
    distance = np.zeros((len(first), len(occurrences)))
    members = np.zeros((len(occurrences), len(events)))
    for position, (number, once) in enumerate(occurrences):
        to_start = (np.datetime64(once.start) - last) / _DAY
        since_end = (first - np.datetime64(once.end)) / _DAY
        distance[:, position] = np.maximum(np.maximum(to_start, since_end), 0.0)
        members[position, number] = 1.0
    return distance, members
