"""The best spend where response curves first rise steeper and steeper: the answer among all hills, with its proof.

Here: whether a problem has such curves, branch and bound over them, the duality gap.
Not here: the ascent of one hill (ascent.py).

Equal marginals prove nothing where curves are S-shaped: half of the budget on each of two such channels has them, and
loses to all of it on one. For separable f(x) = sum f_i(x_i) and a price p of money,

    D(p) = p B + sum_i max over x_i of (f_i(x_i) - p x_i)

is at least the best value; its smallest value over p belongs to the concave envelopes of the f_i (Aubin & Ekeland 1976,
doi:10.1287/moor.1.3.225). Where the envelope's answer lies in a part that a curve does not touch, the range of that
channel is split there, and both halves are bounded again, until no part can hold more than the best plan found.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from itertools import count, pairwise

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.decisions.ascent import Limits, Stationary, ascend
from mmm_engine.decisions.budget_problem import BudgetProblem
from mmm_engine.decisions.channel_response import ChannelResponse, MeanLine

_GRID = 129
_FINER = 17
_MOST_PARTS = 60
_DRAWS_LOOKED_AT = 256
_TOLERANCE = 1e-5  # of the value: how near the bound must come


@dataclass(frozen=True, eq=False)
class _Curve:
    """The mean response to one variable, and its values on a grid, which every part of the range looks at.

    Attributes:
        line: x -> value, slope, curvature at each, shape (x, 3).
        grid: Ascending, shape (grid,).
        known: `line` there, shape (grid, 3).
    """

    line: MeanLine
    grid: Floats
    known: Floats

    @classmethod
    def on(cls, line: MeanLine, low: float, high: float) -> _Curve:
        """A curve on a grid over its whole range."""
        grid = low + (high - low) * np.linspace(0.0, 1.0, _GRID) if high > low else np.array([low])
        return cls(line, grid, line(grid))

    def within(self, low: float, high: float, more: Floats | None = None) -> tuple[Floats, Floats]:
        """Points between two ends, with the ends and `more` points, and the curve there."""
        inside = (self.grid > low) & (self.grid < high)
        ends = np.array([low, high]) if high > low else np.array([low])
        extra = ends if more is None else np.concatenate([ends, np.clip(more, low, high)])
        x = np.concatenate([self.grid[inside], extra])
        y = np.concatenate([self.known[inside], self.line(extra)])
        x, order = np.unique(x, return_index=True)
        return x, y[order]


@dataclass(frozen=True, eq=False)
class GlobalAnswer:
    """The best of all hills.

    Attributes:
        end: The best plan's stationary point.
        bound: No plan within the limits brings more, up to what the grid of each curve does not see.
        first_bound: The bound before any range was split: the smallest D(p).
        parts: How many parts were bounded.
    """

    end: Stationary
    bound: float
    first_bound: float
    parts: int


def may_be_s_shaped(response: ChannelResponse) -> bool:
    """Whether the curve of some draw has a part that rises steeper and steeper."""
    if response.kind == "hill_sigmoid":
        return bool((response.parameters["lam"] > 0.0).any())
    return response.kind == "hill" and bool((response.parameters["slope"] > 1.0).any())


def s_shaped_lines(problem: BudgetProblem) -> list[int]:
    """Channels whose mean response to their total is not concave within its limits.

    A look at some of the draws is enough: the question is whether there is such a part, not where it ends.
    """
    if problem.by_period:
        return [at for at, response in enumerate(problem.responses) if _has_clear_turn(problem, response, at)]
    lower, upper = problem.limits.lower, problem.limits.upper
    return [
        at
        for at, response in enumerate(problem.responses)
        if may_be_s_shaped(response)
        and upper[at] > lower[at]
        and _bends_up(problem, response, at, float(lower[at]), float(upper[at]))
    ]


def best_of_all_hills(problem: BudgetProblem, start: Floats) -> GlobalAnswer:
    """The best plan under bounds and a budget, where curves may be S-shaped.

    Args:
        problem: Separable, without limits of groups, with an amount.
        start: A plan to begin with.
    """
    assert problem.limits.amount is not None  # noqa: S101  (a free budget has no price to search for)
    limits, amount = _within_budget(problem.limits), problem.limits.amount
    ranges = zip(problem.lines, limits.lower.tolist(), limits.upper.tolist(), strict=True)
    curves = [_Curve.on(line, low, high) for line, low, high in ranges]
    order = count()
    best = ascend(problem.mean, start, limits)
    first_bound, z = _bounded(curves, limits, amount, finer=True)
    parts, queue = 1, [(-first_bound, next(order), limits, z)]
    bound = first_bound
    while queue:
        bound = -queue[0][0]
        if bound <= best.value + _TOLERANCE * abs(best.value) or parts > _MOST_PARTS:
            break
        _, _, within, z = heapq.heappop(queue)
        found = ascend(problem.mean, z, limits)
        best = found if found.value > best.value else best
        channel = _least_touched(curves, within, z)
        for side in _split(within, channel, float(z[channel])):
            feasible = side.feasible_amounts()
            if feasible is None or not feasible[0] <= amount <= feasible[1]:
                continue
            inner = ascend(problem.mean, z, side)
            if inner.value > best.value:  # on its way to the best it may leave the part
                again = ascend(problem.mean, inner.z, limits)
                best = again if again.value >= inner.value else inner
            most, point = _bounded(curves, side, amount)
            if _is_concave(curves, side):
                most = min(most, inner.value + inner.shortfall)
            parts += 1
            heapq.heappush(queue, (-min(most, bound), next(order), side, point))
    else:
        bound = best.value
    return GlobalAnswer(best, max(bound, best.value), first_bound, parts)


def _has_clear_turn(problem: BudgetProblem, response: ChannelResponse, at: int) -> bool:
    """Whether an amount of one period within its limits lies where the curve rises steeper and steeper."""
    if not may_be_s_shaped(response):
        return False
    place = slice(at * problem.periods, (at + 1) * problem.periods)
    low, high = float(problem.limits.lower[place].min()), float(problem.limits.upper[place].max())
    alone = replace(problem, shares=np.full((problem.periods, len(problem.responses)), 1.0 / problem.periods))
    periods = problem.periods
    return high > low and _bends_up(alone, response, at, low * periods, high * periods)


def _bends_up(problem: BudgetProblem, response: ChannelResponse, at: int, low: float, high: float) -> bool:
    some = response.of_draws(slice(0, None, max(1, response.draws_count // _DRAWS_LOOKED_AT)))
    weights = np.full(some.draws_count, 1.0 / some.draws_count)
    assert problem.shares is not None  # noqa: S101
    totals = low + (high - low) * np.linspace(0.02, 1.0, 33)
    _, slope, curvature = some.line(problem.shares[:, at], weights)(totals).T
    return bool((curvature * (high - low) > 1e-3 * np.abs(slope).max()).any())


def _bounded(
    curves: list[_Curve], limits: Limits, amount: float, *, finer: bool = False
) -> tuple[float, Floats]:
    """The smallest D(p) within limits, and spend that belongs to it and is worth the budget.

    Args:
        curves: Of all variables.
        limits: Of the part.
        amount: The budget.
        finer: Whether to look once more, with a finer grid around the answer.
    """
    z, more = limits.lower, [np.zeros(0)] * len(curves)
    for _ in range(2 if finer else 1):
        points = [
            curve.within(low, high, extra)
            for curve, low, high, extra in zip(
                curves, limits.lower.tolist(), limits.upper.tolist(), more, strict=True
            )
        ]
        grids, heights = [x for x, _ in points], [y[:, 0] for _, y in points]
        hulls = [_hull(grid, height) for grid, height in zip(grids, heights, strict=True)]
        price, z = _envelope_answer(grids, heights, hulls, limits, amount)
        cells = (limits.upper - limits.lower) / (_GRID - 1)
        more = [x + cell * np.linspace(-1.0, 1.0, _FINER) for x, cell in zip(z, cells, strict=True)]
    return price * amount + sum(
        _most_at(curve.line, grid, height, price * cost)
        for curve, grid, height, cost in zip(curves, grids, heights, limits.cost, strict=True)
    ), z


def _within_budget(limits: Limits) -> Limits:
    """Upper bounds no larger than what the budget leaves when the others get their least."""
    assert limits.amount is not None  # noqa: S101
    rest = limits.amount - float(limits.cost @ limits.lower)
    room = np.where(limits.cost > 0.0, limits.lower + rest, np.inf)
    return replace(limits, upper=np.minimum(limits.upper, room))


def _is_concave(curves: list[_Curve], limits: Limits) -> bool:
    """Whether every curve is concave within the limits, on the grid."""
    return all(
        bool((curve.within(low, high)[1][:, 2] <= 0.0).all())
        for curve, low, high in zip(curves, limits.lower.tolist(), limits.upper.tolist(), strict=True)
        if high > low
    )


def _hull(x: Floats, y: Floats) -> list[int]:
    """Points of the least concave function above points that ascend in x (Andrew's monotone chain)."""
    hull: list[int] = []
    for at in range(len(x)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (y[b] - y[a]) * (x[at] - x[a]) > (y[at] - y[a]) * (x[b] - x[a]):
                break
            hull.pop()
        hull.append(at)
    return hull


def _envelope_answer(
    grids: list[Floats], heights: list[Floats], hulls: list[list[int]], limits: Limits, amount: float
) -> tuple[float, Floats]:
    """The budget spent along the pieces of all envelopes, steepest first: the last piece's slope, and the spend."""
    z = limits.lower.copy()
    pieces = []
    for at, (grid, height, hull) in enumerate(zip(grids, heights, hulls, strict=True)):
        for a, b in pairwise(hull):
            width = float(grid[b] - grid[a])
            pieces.append((float(height[b] - height[a]) / width, at, width))
    pieces.sort(key=lambda piece: (-piece[0], piece[1]))
    left, price = amount - float(limits.cost @ z), 0.0
    for slope, at, width in pieces:
        if limits.cost[at] == 0.0:
            z[at] += width if slope > 0.0 else 0.0
            continue
        step = min(width, left)
        if left <= 0.0:
            break
        price = slope
        z[at] += step
        left -= step
    return max(price, 0.0), np.minimum(z, limits.upper)


def _most_at(curve: MeanLine, grid: Floats, height: Floats, price: float) -> float:
    """The largest f(x) - price x of one channel: every peak of the grid, made exact by Newton steps."""
    gain = height - price * grid
    around = np.concatenate([[-np.inf], gain, [-np.inf]])
    peaks = np.flatnonzero((gain >= around[:-2]) & (gain >= around[2:]))
    most, x = float(gain.max()), grid[peaks]
    low, high = grid[np.maximum(peaks - 1, 0)], grid[np.minimum(peaks + 1, len(grid) - 1)]
    for _ in range(6):
        value, slope, curvature = curve(x).T
        most = max(most, float((value - price * x).max()))
        bends = np.isfinite(slope) & (curvature < 0.0)
        x = np.clip(np.where(bends, x - (slope - price) / np.where(bends, curvature, 1.0), x), low, high)
    return most


def _least_touched(curves: list[_Curve], limits: Limits, z: Floats) -> int:
    """The variable whose envelope lies highest above its curve at z; the first where all are touched."""
    gaps = []
    for curve, low, high, x in zip(
        curves, limits.lower.tolist(), limits.upper.tolist(), z.tolist(), strict=True
    ):
        grid, values = curve.within(low, high, np.array([x]))
        hull, there = _hull(grid, values[:, 0]), int(np.searchsorted(grid, x))
        above = float(np.interp(x, grid[hull], values[hull, 0])) - float(values[min(there, len(grid) - 1), 0])
        gaps.append(above if high > low else -1.0)
    return int(np.argmax(gaps))


def _split(limits: Limits, channel: int, place: float) -> tuple[Limits, Limits]:
    """The limits with the channel below and above a place; in the middle where the place is an end."""
    low, high = float(limits.lower[channel]), float(limits.upper[channel])
    if not low + 1e-3 * (high - low) < place < high - 1e-3 * (high - low):
        place = (low + high) / 2.0
    upper, lower = limits.upper.copy(), limits.lower.copy()
    upper[channel], lower[channel] = place, place
    return replace(limits, upper=upper), replace(limits, lower=lower)
