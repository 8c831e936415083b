"""Limits of a plan from what people say: how far channels may move, amounts, groups, kept channels, steps.

Here: `Group`, `Rules`, and the `Limits` that they mean for totals or for amounts per period; how totals are spread over
the periods; refusals with the budgets that would be feasible.
Not here: the search within limits (ascent.py).

A channel stays within a share of today's total, and no period gets more than the most it ever got, unless it is
allowed. Where nothing else limits it, a channel gets at most ten times what all channels get today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.decisions.ascent import Limits
from mmm_engine.decisions.planning_window import PlanningWindow, plan_names
from mmm_engine.errors import DataError, Fault

_TIMES_TODAY = 10.0


@dataclass(frozen=True)
class Group:
    """Channels whose money together has limits, for the whole window.

    Attributes:
        name: For messages.
        channels: Names.
        least: Smallest amount.
        most: Largest amount.
    """

    name: str
    channels: tuple[str, ...]
    least: float = 0.0
    most: float = np.inf


@dataclass(frozen=True)
class Rules:
    """What a plan must satisfy beside its budget.

    Attributes:
        within: How far the total of a channel may move from today's, as a share; None: not limited.
        bounds: Smallest and largest amount of a channel, for the whole window; or one of each for every period, where
            periods are planned. They count instead of `within`.
        groups: Limits of several channels together.
        keep: Channels that go on as today.
        step: Largest change of a channel's amount from one period to the next, as a share of its mean amount today; for
            plans by period. None: not limited.
        beyond_seen: Whether a period may get more than the largest amount ever seen in one.
        never_less: Whether no channel may get less than today ("where does the next amount go").
        never_more: Whether no channel may get more than today.
    """

    within: float | None = 0.3
    bounds: Mapping[str, tuple[float | Floats, float | Floats]] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    keep: tuple[str, ...] = ()
    step: float | None = None
    beyond_seen: bool = False
    never_less: bool = False
    never_more: bool = False


def limits_of(window: PlanningWindow, rules: Rules, *, by_period: bool) -> Limits:
    """The limits of totals per channel, or of amounts per period; without an amount.

    Raises:
        DataError: With every name that no channel has, and every pair of limits that excludes itself.
    """
    fixed = set(plan_names(rules.keep, window, "keep"))
    plan_names(list(rules.bounds), window, "bounds")
    for group in rules.groups:
        plan_names(group.channels, window, f"group '{group.name}'")
    fixed |= set(np.flatnonzero(~window.paid).tolist())
    faults: list[Fault] = []
    lower, upper, rows = [], [], list[tuple[Floats, float, str]]()
    for at, channel in enumerate(window.channels):
        low, high, own = _of_channel(window, rules, at, at in fixed, by_period)
        if (low > high * (1.0 + 1e-12) + 1e-12).any():
            worst = int(np.argmax(low - high))
            found = f"at least {low[worst]:g} and at most {high[worst]:g}"
            fix = "widen its bounds, or allow more than was ever seen"
            faults.append(Fault(f"channel '{channel}'", found, "limits that leave room", fix))
        lower.append(low)
        upper.append(np.maximum(low, high))
        rows += own
    if faults:
        raise DataError(f"client '{window.client}', plan", faults)
    rows += _of_groups(window, rules, by_period)
    if by_period and rules.step is not None:
        rows += _of_steps(window, rules.step, fixed)
    low, high = np.concatenate(lower), np.concatenate(upper)
    width = window.periods if by_period else 1
    return Limits(
        lower=low,
        upper=high,
        cost=np.repeat(window.paid.astype(float), width),
        rows=np.array([row for row, _, _ in rows]).reshape(len(rows), len(low)),
        most=np.array([most for _, most, _ in rows]),
        row_names=tuple(name for _, _, name in rows),
    )


def spread_of(window: PlanningWindow, rules: Rules, limits: Limits) -> Floats:
    """Shares of the periods in each channel's total, shape (period, channel), columns adding up to one.

    As today, evened out as far as it takes for the largest total that the limits allow to stay, in every period, within
    the largest amount ever seen. A channel that cannot move is spread as today.

    Args:
        window: With today's plan.
        rules: Which may allow more than was ever seen.
        limits: Of totals.
    """
    shares = window.shares.copy()
    if rules.beyond_seen:
        return shares
    for at in np.flatnonzero(limits.upper > limits.lower).tolist():
        most, seen = float(limits.upper[at]), window.largest[:, at]
        level = seen / max(float(seen.sum()), 1e-300)  # what fits whenever anything does
        over = most * shares[:, at] - seen
        if (over > 0.0).any():
            room = most * (shares[:, at] - level)
            part = float((over / np.where(room > 0.0, room, np.inf)).max())
            shares[:, at] += min(max(part, 0.0), 1.0) * (level - shares[:, at])
    return shares


def check_amount(window: PlanningWindow, limits: Limits, amount: float) -> None:
    """Refuses a budget that the limits do not allow.

    Raises:
        DataError: With the smallest and the largest feasible budget.
    """
    feasible = limits.feasible_amounts()
    if feasible is None:
        fault = Fault("limits", "limits that exclude each other", "limits that leave room", "widen them")
        raise DataError(f"client '{window.client}', plan", fault)
    low, high = feasible
    room = 1e-9 * max(high, 1.0)
    if not low - room <= amount <= high + room:
        wanted = f"{low:.10g} to {high:.10g}, which the limits allow"
        fix = "choose a budget in that range, or widen bounds, groups, 'within' or what is kept"
        raise DataError(f"client '{window.client}', plan", Fault("budget", f"{amount:.10g}", wanted, fix))


def _of_channel(
    window: PlanningWindow, rules: Rules, at: int, fixed: bool, by_period: bool
) -> tuple[Floats, Floats, list[tuple[Floats, float, str]]]:
    """Bounds of a channel's variables, and rows for its total where periods are variables."""
    channel, today = window.channels[at], window.current[:, at]
    total = float(today.sum())
    if fixed:
        both = today.copy() if by_period else np.array([total])
        return both, both, []
    everything = _TIMES_TODAY * float(window.current[:, window.paid].sum())
    low, high = 0.0, everything
    cells = (np.zeros(window.periods), np.full(window.periods, everything))
    if channel in rules.bounds:
        first, last = rules.bounds[channel]
        if np.ndim(first) or np.ndim(last):
            cells = tuple(np.broadcast_to(np.asarray(end, float), window.periods) for end in (first, last))  # type: ignore[assignment]
            low, high = (float(end.sum()) for end in cells) if not by_period else (0.0, everything)
        else:
            low, high = float(first), float(last)
    elif rules.within is not None:
        low, high = total * max(0.0, 1.0 - rules.within), total * (1.0 + rules.within)
    low = max(low, total) if rules.never_less else low
    high = min(high, total) if rules.never_more else high
    seen = np.full(window.periods, np.inf) if rules.beyond_seen else window.largest[:, at]
    if not by_period:
        return np.array([low]), np.array([min(high, float(seen.sum()))]), []
    least, most_cells = cells
    if rules.never_less:
        least = np.maximum(least, today)
    if rules.never_more:
        most_cells = np.minimum(most_cells, today)
    most_cells = np.minimum(most_cells, np.maximum(seen, today))
    most_cells = np.minimum(most_cells, high)
    row = np.zeros(len(window.channels) * window.periods)
    row[at * window.periods : (at + 1) * window.periods] = 1.0
    rows = []
    if most_cells.sum() > high:
        rows.append((row, high, f"{channel}: at most {high:.6g}"))
    if low > least.sum():
        rows.append((-row, -low, f"{channel}: at least {low:.6g}"))
    return least, most_cells, rows


def _of_groups(window: PlanningWindow, rules: Rules, by_period: bool) -> Iterator[tuple[Floats, float, str]]:
    width = window.periods if by_period else 1
    for group in rules.groups:
        member = np.array([channel in group.channels for channel in window.channels], dtype=float)
        row = np.repeat(member, width)
        if np.isfinite(group.most):
            yield row, group.most, f"{group.name}: at most {group.most:.6g}"
        if group.least > 0.0:
            yield -row, -group.least, f"{group.name}: at least {group.least:.6g}"


def _of_steps(window: PlanningWindow, step: float, fixed: set[int]) -> Iterator[tuple[Floats, float, str]]:
    for at, channel in enumerate(window.channels):
        most = step * float(window.current[:, at].mean())
        if at in fixed or most <= 0.0:
            continue
        for period in range(window.periods - 1):
            row = np.zeros(len(window.channels) * window.periods)
            place = at * window.periods + period
            row[place], row[place + 1] = -1.0, 1.0
            for sign in (1.0, -1.0):
                yield sign * row, most, f"{channel}: steps of at most {most:.6g}"
