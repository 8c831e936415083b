"""The largest value of a smooth function of spend under limits, by Newton steps.

Here: `Limits` (bounds, rows, a budget), `ascend` and the stationary point that it ends in, with its multipliers.
Not here: which function and which limits (budget_problem.py, risk.py), more than one hill (s_curves.py).

Each step solves the quadratic model of the function exactly under all limits (quadratic_program.py), so that few
evaluations are needed: an evaluation looks at all draws, a quadratic program at none. For a concave function the
point is the largest, and what binds says how much at most is missing to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmm_engine.array_types import Floats
from mmm_engine.decisions.quadratic_program import solve, solve_separable

Function = Callable[[Floats], tuple[float, Floats, Floats]]
"""z -> value, gradient of shape (n,), Hessian of shape (n, n)."""

_MOST_STEPS = 60
_BINDING = 1e-9  # share of the range of a variable
_ENOUGH = 1e-9  # share of the value that may be missing to the largest


@dataclass(frozen=True, eq=False)
class Limits:
    """What spend must satisfy: lower <= z <= upper, rows z <= most, and cost z = amount where there is an amount.

    Attributes:
        lower: Shape (n,).
        upper: Shape (n,).
        cost: What a unit of each variable takes from the budget, shape (n,): 1, or 0 where no money is spent.
        rows: Shape (m, n).
        most: Shape (m,).
        row_names: What each row says, for messages.
        amount: The budget; None where it is free.
    """

    lower: Floats
    upper: Floats
    cost: Floats
    rows: Floats
    most: Floats
    row_names: tuple[str, ...] = ()
    amount: float | None = None

    @classmethod
    def box(cls, lower: Floats, upper: Floats, amount: float | None = None) -> Limits:
        """Bounds and a budget alone."""
        n = len(lower)
        return cls(lower, upper, np.ones(n), np.zeros((0, n)), np.zeros(0), (), amount)

    def with_amount(self, amount: float | None) -> Limits:
        """The same limits with another budget."""
        return replace(self, amount=amount)

    def feasible_amounts(self) -> tuple[float, float] | None:
        """The smallest and the largest budget that the bounds and rows allow; None where they exclude each other."""
        if (self.lower > self.upper).any():
            return None
        if not len(self.rows):
            return float(self.cost @ self.lower), float(self.cost @ self.upper)
        from scipy.optimize import linprog

        bounds = np.column_stack([self.lower, self.upper])
        ends = [linprog(sign * self.cost, self.rows, self.most, bounds=bounds) for sign in (1.0, -1.0)]
        if not all(end.success for end in ends):
            return None
        return float(ends[0].fun), float(-ends[1].fun)


@dataclass(frozen=True, eq=False)
class Stationary:
    """Where an ascent ended.

    Attributes:
        z: The point, shape (n,).
        value: Of the function there.
        gradient: Of the function there, shape (n,).
        price: What one more unit of the budget brings; 0 where the budget is free.
        row_prices: What one more unit of each row's limit brings, shape (m,), 0 or more.
        bound_prices: What one more unit of a binding bound brings: above 0 at an upper bound, below 0 at a lower one
            (what one unit less would bring), shape (n,).
        free: Variables between their bounds, shape (n,).
        spread: Largest difference of a free variable's marginal (less prices of rows) from the price, over the price.
        shortfall: How much a concave function can be larger anywhere within the limits.
        steps: Newton steps taken.
    """

    z: Floats
    value: float
    gradient: Floats
    price: float
    row_prices: Floats
    bound_prices: Floats
    free: NDArray[np.bool_]
    spread: float
    shortfall: float
    steps: int


def nearest(limits: Limits, z: Floats) -> Floats:
    """The point within the limits that is nearest to z."""
    movable = limits.upper > limits.lower
    if not movable.any():
        return limits.lower.copy()
    unit = float((limits.upper - limits.lower)[movable].max())
    z = np.where(movable, z, limits.lower)
    return _quadratic_step(limits, limits.lower, np.eye(len(z)), (z - limits.lower) / unit, unit)[0]


def ascend(function: Function, start: Floats, limits: Limits, tolerance: float = 1e-11) -> Stationary:
    """Newton steps from a point until none brings more.

    Args:
        function: To be made large.
        start: Where to begin, shape (n,); the nearest point within the limits is taken.
        limits: Within which to stay; the budget is feasible.
        tolerance: Spread of marginals at which to stop.
    """
    z = nearest(limits, start)
    value, gradient, hessian = function(z)
    movable = limits.upper > limits.lower
    if not movable.any():
        return _ended(limits, z, value, gradient, 0.0, np.zeros(len(limits.most)), 0)
    unit = float((limits.upper - limits.lower)[movable].max())
    best = _ended(limits, z, value, gradient, *_no_prices(limits), 0)
    steep = np.zeros(len(z), dtype=bool)
    for step in range(1, _MOST_STEPS + 1):
        size = max(float(np.abs(gradient).max()) * unit, 1e-300)
        curvature = _positive(-hessian) * unit**2 / size
        near = _kept_away(limits, z, steep)
        target, price, row_prices = _quadratic_step(near, z, curvature, gradient * unit / size, unit)
        price, row_prices = price * size / unit, row_prices * size / unit
        if step == 1:
            best = _ended(limits, z, value, gradient, price, row_prices, 0)
        move = target - z
        promise = float(gradient @ move)
        if promise <= 1e-16 * max(abs(value), 1e-300) and best.spread <= 1e-9 and _is_best(best):
            break
        share, reached = 1.0, function(target)
        noise = 1e-13 * abs(value)
        wants_back = (target <= limits.lower) & (z > target) & (reached[1] > price * limits.cost) & ~steep
        if wants_back.any() and _too_far(value, promise, share, reached, move, noise):
            steep |= wants_back
            continue
        while _too_far(value, promise, share, reached, move, noise) and share > 1e-10:
            share *= _turning(promise, float(reached[1] @ move))
            reached = function(z + share * move)
        if reached[0] < value - noise:
            break
        z = z + share * move
        value, gradient, hessian = reached
        ended = _ended(limits, z, value, gradient, price, row_prices, step)
        better = ended.value > best.value + noise or ended.shortfall < best.shortfall
        best = ended if better else best
        if (ended.spread <= tolerance and _is_best(ended)) or (not better and share == 1.0):
            break
    return best


def _is_best(end: Stationary) -> bool:
    """Whether a concave function can hardly be larger: marginals of free variables alone say nothing of the others."""
    return end.shortfall <= _ENOUGH * max(abs(end.value), 1e-300)


def _kept_away(limits: Limits, z: Floats, steep: NDArray[np.bool_]) -> Limits:
    """Limits in which variables whose slope explodes at their lower bound come near it by parts of the way only."""
    if not steep.any():
        return limits
    return replace(limits, lower=np.where(steep, limits.lower + 0.02 * (z - limits.lower), limits.lower))


def _too_far(
    value: float,
    promise: float,
    share: float,
    reached: tuple[float, Floats, Floats],
    move: Floats,
    noise: float,
) -> bool:
    """Whether a step brings hardly more, or leads steeply down where it ends (the conditions of Wolfe)."""
    rise, slope = reached[0] - value, float(reached[1] @ move)
    return rise < 1e-4 * share * promise - noise or (slope < -0.9 * promise and promise > noise)


def _turning(before: float, after: float) -> float:
    """Where a slope that falls along a line from `before` to `after` is 0: a share of the step, 0.1 to 0.5."""
    return min(0.5, max(0.1, before / (before - after))) if after < before else 0.5


def _no_prices(limits: Limits) -> tuple[float, Floats]:
    return 0.0, np.zeros(len(limits.most))


def _quadratic_step(
    limits: Limits, z: Floats, curvature: Floats, gradient: Floats, unit: float
) -> tuple[Floats, float, Floats]:
    """The best point of a quadratic model around z, with the prices of the budget and the rows.

    Args:
        limits: Within which it lies.
        z: Where the model is taken.
        curvature: Of the model, per unit squared.
        gradient: Of the model, per unit.
        unit: The size of variables.
    """
    movable = limits.upper > limits.lower
    fixed = np.where(movable, z, limits.lower)
    budget = None if limits.amount is None else limits.cost[movable]
    if budget is not None and not budget.any():
        budget = None
    spent = float(limits.cost @ fixed)
    diagonal = np.diag(curvature)
    if (
        budget is not None
        and not len(limits.rows)
        and np.count_nonzero(curvature) == np.count_nonzero(diagonal)
    ):
        floor = 1e-14 * max(float(diagonal.max()), 1e-300)
        x, price = solve_separable(
            np.maximum(diagonal[movable], floor),
            gradient[movable],
            (limits.lower - fixed)[movable] / unit,
            (limits.upper - fixed)[movable] / unit,
            budget,
            ((limits.amount or 0.0) - spent) / unit,
        )
        target = fixed.copy()
        target[movable] += unit * x
        return _snapped(limits, target), price, np.zeros(0)
    solution = solve(
        curvature[np.ix_(movable, movable)],
        gradient[movable],
        (limits.lower - fixed)[movable] / unit,
        (limits.upper - fixed)[movable] / unit,
        limits.rows[:, movable],
        (limits.most - limits.rows @ fixed) / unit,
        budget,
        0.0 if limits.amount is None else (limits.amount - spent) / unit,
    )
    # at the end of an interior-point method a bound binds where its multiplier is larger than the room that is left
    x, low, high = solution.x, (limits.lower - fixed)[movable] / unit, (limits.upper - fixed)[movable] / unit
    x = np.where(solution.lower > x - low, low, np.where(solution.upper > high - x, high, x))
    target = fixed.copy()
    target[movable] += unit * x
    return _snapped(limits, target), solution.budget, solution.rows


def _snapped(limits: Limits, z: Floats) -> Floats:
    """Points within a billionth of a bound are on it; the other variables carry the difference."""
    near = _BINDING * (limits.upper - limits.lower)
    low, high = z - limits.lower <= near, limits.upper - z <= near
    snapped = np.where(high, limits.upper, np.where(low, limits.lower, z))
    free = ~(low | high) & (limits.cost > 0.0)
    if limits.amount is not None and free.any() and not len(limits.rows):
        snapped[free] += (limits.amount - float(limits.cost @ snapped)) / np.count_nonzero(free)
    return np.asarray(np.clip(snapped, limits.lower, limits.upper))


def _positive(matrix: Floats) -> Floats:
    """A matrix with its negative eigenvalues turned to positive ones: the model of a hill where there is a valley."""
    diagonal = np.diag(matrix)
    if np.count_nonzero(matrix) == np.count_nonzero(diagonal):
        return np.diag(np.abs(diagonal))
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= 0.0:
        return matrix
    return np.asarray((vectors * np.abs(values)) @ vectors.T)


def _prices(
    limits: Limits, z: Floats, gradient: Floats, free: NDArray[np.bool_], price: float, row_prices: Floats
) -> tuple[float, Floats]:
    """Prices of the budget and of the rows that bind, from the marginals of free variables by least squares."""
    room = limits.most - limits.rows @ z
    unit = float((limits.upper - limits.lower).max(initial=0.0))
    binds = np.flatnonzero((room <= 1e-7 * unit) & (row_prices > 0.0))
    prices = np.zeros(len(row_prices))
    if not free.any():
        prices[binds] = row_prices[binds]
        return price, prices
    columns = limits.rows[binds].T[free]
    if limits.amount is not None:
        columns = np.column_stack([limits.cost[free], columns])
    if not columns.shape[1]:
        return price, prices
    found = np.linalg.lstsq(columns, gradient[free], rcond=None)[0]
    if limits.amount is not None:
        price, found = float(found[0]), found[1:]
    prices[binds] = np.maximum(found, 0.0)
    return price, prices


def _ended(
    limits: Limits,
    z: Floats,
    value: float,
    gradient: Floats,
    price: float,
    row_prices: Floats,
    steps: int,
) -> Stationary:
    """A point with its prices: that of the budget from the marginals of the free variables, where there are any."""
    near = _BINDING * (limits.upper - limits.lower)
    low, high = z - limits.lower <= near, limits.upper - z <= near
    free = ~(low | high)
    price, row_prices = _prices(limits, z, gradient, free, price, row_prices)
    marginals = gradient - limits.rows.T @ row_prices
    paid = limits.cost > 0.0
    if limits.amount is None:
        price = 0.0
    elif not (free & paid).any() and price == 0.0 and paid.any():
        price = max(float(np.max(np.where(high, 0.0, marginals)[paid])), 0.0)
    rest = marginals - price * limits.cost
    size = max(abs(price), float(np.abs(gradient).max(initial=0.0)) * 1e-12, 1e-300)
    if limits.amount is None:
        size = max(float(np.abs(gradient[free]).max(initial=0.0)), 1.0)
    spread = float(np.abs(rest[free]).max(initial=0.0)) / size
    slack = np.where(rest > 0.0, limits.upper - z, z - limits.lower)
    shortfall = float(np.abs(rest) @ slack) + float(
        row_prices @ np.maximum(limits.most - limits.rows @ z, 0.0)
    )
    bound_prices = np.where(free, 0.0, rest)
    return Stationary(z, value, gradient, price, row_prices, bound_prices, free, spread, shortfall, steps)
