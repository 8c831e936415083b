"""What depends on dates beside the year: changepoints of the trend, days of the week, holidays and events.

Here: these as arrays of the model, in model space.
Not here: the formulas they enter (mean.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.client.model_config import EventConfig, HolidaysConfig
from mmm_engine.model.terms import WEEKDAY_CONTRASTS
from mmm_engine.rows.calendar import Calendar

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
            shares[:, position] += calendar.shared_days(start, end) / length
    shares[:, 0] = shares[:, 1:].sum(axis=1)
    return shares


def event_occurrences(events: Sequence[EventConfig], calendar: Calendar) -> tuple[Floats, Floats, Floats]:
    """Where each occurrence of an event falls.

    In daily rows an event works around its days: a row's distance is the number of days to the nearest of them, as
    pymc-marketing counts. A week or a month is longer than that: there an occurrence belongs to the rows that share
    days with it and to no other, divided between them by its days.

    Returns:
        Distance in days, shape (date, occurrence); the share of the occurrence that may fall on each row, 1 for daily
        rows, same shape; whose it is, (occurrence, event).
    """
    first, last = calendar.covered_days
    daily = calendar.period == "day"
    occurrences = [(number, once) for number, event in enumerate(events) for once in event.days]
    distance = np.zeros((len(first), len(occurrences)))
    shares = np.ones_like(distance)
    members = np.zeros((len(occurrences), len(events)))
    for position, (number, once) in enumerate(occurrences):
        members[position, number] = 1.0
        start, end = np.datetime64(once.start), np.datetime64(once.end)
        if daily:
            beyond = np.maximum((start - last) / _DAY, (first - end) / _DAY)
            distance[:, position] = np.maximum(beyond, 0.0)
        else:
            shares[:, position] = calendar.shared_days(start, end) / ((end - start) / _DAY + 1.0)
    return distance, shares, members
