"""Columns that tell a model too little, although they vary: what they do is little, or happened once.

Here: findings about a target that stands nearly still or is often 0, and about channels that hardly vary, ran only
once, or are booked when they are paid.
Not here: columns that do not vary at all (contract.py, and per window findings.py), channels alike (findings.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmm_engine.rows.calendar import Period
from mmm_engine.rows.finding import Finding
from mmm_engine.rows.outliers import is_rare
from mmm_engine.rows.regressors import Regressors

STILL_MAX = 0.01  # standard deviation over mean below which a target counts as a stock that hardly moves
ALIKE_MAX = 0.03  # the same of a channel that always runs
ONE_STRETCH_MAX: dict[Period, int] = {"day": 56, "week": 8, "month": 2}
"""Rows in a row, some two months, up to which other causes of the same time are hard to tell apart."""

_LEAST_GAPS = 5  # between payments, so that even ones are no chance
_UNEVEN: dict[Period, int] = {"day": 3, "week": 1, "month": 0}  # of months 28 to 31 days, 4 or 5 weeks


def thin_evidence(rows: Regressors) -> Iterator[Finding]:
    """Every finding of this module."""
    yield from _still_target(rows)
    yield from _rare_target(rows)
    yield from _constant_channels(rows)
    yield from _single_stretches(rows)
    yield from _invoices(rows)


def _still_target(rows: Regressors) -> Iterator[Finding]:
    """Customers at hand, balances, subscribers: what media move is a rounding error of the level."""
    moves = _variation(rows, rows.config.target.column)
    if moves < STILL_MAX:
        message = (
            f"moves by {_percent(moves)} of its level (standard deviation over mean): nearly all of it stays "
            "whatever media do, and the priors on what media bring are made for sales that come and go"
        )
        fix = "explain what is new in each row (orders, new customers, net change), not a stock that stays"
        yield Finding("still-target", "warning", rows.config.target.column, message, fix)


def _rare_target(rows: Regressors) -> Iterator[Finding]:
    """Sales that happen now and then: row by row they are chance, however media work."""
    if is_rare(rows):
        zeros, period = int((rows.target == 0.0).sum()), rows.calendar.period
        message = f"is 0 in {zeros} of {len(rows)} rows: sales this rare are mostly chance from {period} to {period}"
        fix = "add the rows up to longer ones, or explain a step before it that happens more often (leads, visits)"
        if rows.config.model.likelihood_name == "StudentT":
            fix += "; leave out 'likelihood: student_t', whose peak has no end over so many equal rows"
        yield Finding("rare-target", "warning", rows.config.target.column, message, fix)


def _constant_channels(rows: Regressors) -> Iterator[Finding]:
    for name in rows.config.channel_names:
        moves = _variation(rows, name)
        if moves < ALIKE_MAX and (rows.values(name) > 0).all():
            message = (
                f"is nearly the same in every row (standard deviation {_percent(moves)} of the mean): "
                "what it brings cannot be told from the baseline"
            )
            fix = "read no return of it; spend that varies, or a lift test, would tell"
            yield Finding("constant-channel", "warning", name, message, fix)


def _single_stretches(rows: Regressors) -> Iterator[Finding]:
    for name in rows.config.channel_names:
        running = np.flatnonzero(rows.values(name) > 0)
        first, last = int(running[0]), int(running[-1])
        stretch = last - first + 1
        if stretch > ONE_STRETCH_MAX[rows.calendar.period]:
            continue
        if last == len(rows) - 1:
            message = f"began {stretch} {_plural(stretch)} before the end, on {rows.day(first)}"
            fix = "read no return of it until it has more history; a lift test tells sooner"
        else:
            message = (
                f"runs from {rows.day(first)} to {rows.day(last)} alone, in {stretch} of {len(rows)} rows"
            )
            fix = "merge it with a channel like it, or make it an event ('events' under 'model')"
        message += ": whatever else happened then counts as its effect"
        yield Finding("single-stretch", "warning", name, message, fix)


def _invoices(rows: Regressors) -> Iterator[Finding]:
    """Money that is booked when it is paid: media that ran all month seem to have worked for a week."""
    period = rows.calendar.period
    for name in rows.config.channel_names:
        gaps = np.diff(np.flatnonzero(rows.values(name) > 0))
        if len(gaps) < _LEAST_GAPS or gaps.min() < 2 or np.ptp(gaps) > _UNEVEN[period]:
            continue
        usual = f"{gaps.min()}" if gaps.min() == gaps.max() else f"{gaps.min()} or {gaps.max()}"
        message = (
            f"is spent once in {usual} {period}s, {len(gaps) + 1} times, as invoices are: media that ran in between "
            "seem to have brought nothing there"
        )
        fix = "spread each amount over the rows in which the media ran; if they ran in these rows alone, leave it"
        yield Finding("booked-by-invoice", "warning", name, message, fix)


def _variation(rows: Regressors, column: str) -> float:
    """Standard deviation over the size of the mean."""
    values = rows.values(column) / np.abs(rows.values(column)).max()
    return float(values.std() / max(abs(float(values.mean())), 1e-12))


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g}%"


def _plural(count: int) -> str:
    return "row" if count == 1 else "rows"
