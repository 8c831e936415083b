"""Convex quadratic programs with bounds, rows of limits and one budget, with the multipliers of everything that binds.

Here: `solve`; `solve_separable` for those whose variables meet in the budget alone.
Not here: functions that are not quadratic (ascent.py).

Methods: predictor and corrector of a primal-dual interior point (Mehrotra 1992, doi:10.1137/0802028; Nocedal & Wright
2006, section 16.6); for separable programs the root of a falling, piecewise linear function of the price (Brucker
1984, doi:10.1016/0167-6377(84)90010-5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmm_engine.array_types import Floats

_MOST_STEPS = 80
_TOLERANCE = 1e-14


@dataclass(frozen=True, eq=False)
class QuadraticSolution:
    """The least point of a quadratic program.

    Attributes:
        x: The point, shape (n,).
        budget: Multiplier of the budget; 0 without one.
        lower: Multipliers of the lower bounds, shape (n,).
        upper: Multipliers of the upper bounds, shape (n,).
        rows: Multipliers of the rows, shape (m,).
    """

    x: Floats
    budget: float
    lower: Floats
    upper: Floats
    rows: Floats


def solve(
    curvature: Floats,
    gradient: Floats,
    lower: Floats,
    upper: Floats,
    rows: Floats,
    most: Floats,
    cost: Floats | None = None,
    amount: float = 0.0,
) -> QuadraticSolution:
    """The x that makes gradient x - x curvature x / 2 largest under limits.

    Args:
        curvature: Positive semidefinite, shape (n, n).
        gradient: Shape (n,).
        lower: Bounds, each below its upper one, shape (n,).
        upper: Bounds, shape (n,).
        rows: Shape (m, n): rows x <= most.
        most: Shape (m,).
        cost: Shape (n,): cost x = amount; no budget when None.
        amount: Of the budget.

    The numbers should be of the order of one. An infeasible program ends at a point that breaks its limits.
    """
    n, m = len(gradient), len(most)
    has_budget = cost is not None
    prices = np.zeros(n) if cost is None else cost
    x = (lower + upper) / 2.0
    slack = [np.maximum(x - lower, 1e-3), np.maximum(upper - x, 1e-3), np.maximum(most - rows @ x, 1e-3)]
    size = max(1.0, float(np.abs(gradient).max(initial=0.0)))
    dual = [np.full(n, size), np.full(n, size), np.full(m, size)]
    price = 0.0
    count = 2 * n + m
    matrix = np.zeros((n + 1 + m, n + 1 + m))
    matrix[:n, n] = matrix[n, :n] = prices
    matrix[n, n] = 0.0 if has_budget else 1.0
    matrix[n + 1 :, :n], matrix[:n, n + 1 :] = rows, rows.T
    on_diagonal = np.arange(n + 1, n + 1 + m)
    for _ in range(_MOST_STEPS):
        stationary = curvature @ x - gradient + price * prices - dual[0] + dual[1] + rows.T @ dual[2]
        missing = [x - lower - slack[0], upper - x - slack[1], most - rows @ x - slack[2]]
        unspent = (amount - float(prices @ x)) if has_budget else 0.0
        gap = sum(float(s @ z) for s, z in zip(slack, dual, strict=True)) / count
        residual = max(float(np.abs(stationary).max()), *(float(np.abs(r).max(initial=0.0)) for r in missing))
        widest = max(float((s * z).max(initial=0.0)) for s, z in zip(slack, dual, strict=True))
        if widest < _TOLERANCE * size and max(residual, abs(unspent)) < 100.0 * _TOLERANCE * size:
            break
        if widest < 1e-4 * _TOLERANCE * size:  # what residual there is, is rounding
            break
        ratio = [z / s for s, z in zip(slack, dual, strict=True)]
        matrix[:n, :n] = curvature + np.diag(ratio[0] + ratio[1])
        matrix[on_diagonal, on_diagonal] = -1.0 / ratio[2]
        system = _System(matrix)

        def direction(
            target: list[Floats],
            ratio: list[Floats] = ratio,
            missing: list[Floats] = missing,
            stationary: Floats = stationary,
            unspent: float = unspent,
            system: _System = system,
            slack: list[Floats] = slack,
            dual: list[Floats] = dual,
        ) -> tuple[Floats, float, list[Floats], list[Floats]]:
            """Steps of x, price, slacks and duals that bring products of slack and dual to `target` in first order."""
            # dz = (target - s z - z ds) / s and ds = missing +- dx leave a system in dx, the price and the rows' dz
            pull = [(t - s * z) / s for t, s, z in zip(target, slack, dual, strict=True)]
            shift = [p - r * e for p, r, e in zip(pull, ratio, missing, strict=True)]
            right = np.concatenate([-stationary + shift[0] - shift[1], [unspent], -shift[2] / ratio[2]])
            step = system.solve(right)
            dx = step[:n]
            ds = [missing[0] + dx, missing[1] - dx, missing[2] - rows @ dx]
            dz = [p - r * d for p, r, d in zip(pull[:2], ratio[:2], ds[:2], strict=True)]
            return dx, float(step[n]), ds, [*dz, step[n + 1 :]]

        dx, dprice, ds, dz = direction([np.zeros(n), np.zeros(n), np.zeros(m)])
        primal, adjoint = _longest(slack, ds), _longest(dual, dz)
        after = (
            sum(
                float((s + primal * d) @ (z + adjoint * e))
                for s, d, z, e in zip(slack, ds, dual, dz, strict=True)
            )
            / count
        )
        centre = (after / gap) ** 3 * gap if gap > 0 else 0.0
        dx, dprice, ds, dz = direction([centre - d * e for d, e in zip(ds, dz, strict=True)])
        # one length for both: the curvature ties the residual of the duals to x
        length = min(1.0, 0.9995 * min(_longest(slack, ds), _longest(dual, dz)))
        x = x + length * dx
        price += length * dprice if has_budget else 0.0
        slack = [s + length * d for s, d in zip(slack, ds, strict=True)]
        dual = [z + length * e for z, e in zip(dual, dz, strict=True)]
    return QuadraticSolution(np.clip(x, lower, upper), price, *dual)


def solve_separable(
    curvature: Floats, gradient: Floats, lower: Floats, upper: Floats, cost: Floats, amount: float
) -> tuple[Floats, float]:
    """The x that makes sum_i gradient_i x_i - curvature_i x_i^2 / 2 largest with cost x = amount, and the price.

    Args:
        curvature: Above 0, shape (n,).
        gradient: Shape (n,).
        lower: Shape (n,).
        upper: Shape (n,).
        cost: 1, or 0 for variables that take nothing from the budget, shape (n,); not all 0.
        amount: Within cost lower and cost upper.

    >>> x, price = solve_separable(np.ones(2), np.array([3.0, 1.0]), np.zeros(2), np.full(2, 9.0), np.ones(2), 3.0)
    >>> x.round(9).tolist(), round(price, 9)
    ([2.5, 0.5], 0.5)
    """

    def at(price: Floats) -> Floats:
        """x at each price, shape (price, n)."""
        return np.asarray(np.clip((gradient - np.multiply.outer(price, cost)) / curvature, lower, upper))

    paid = cost > 0.0
    turns = np.concatenate([gradient - curvature * lower, gradient - curvature * upper])
    turns = np.unique(turns[np.concatenate([paid, paid])])
    spent = at(turns) @ cost  # falls with the price
    right = int(np.clip(np.searchsorted(-spent, -amount), 1, len(turns) - 1)) if len(turns) > 1 else 0
    left = max(right - 1, 0)
    step = spent[left] - spent[right]
    share = (spent[left] - amount) / step if step > 0.0 else 0.0
    price = turns[left] + min(max(share, 0.0), 1.0) * (turns[right] - turns[left])
    return at(np.array([price]))[0], float(price)


class _System:
    """A linear system that is solved for several right sides, each made exact by a second look at what is left over."""

    def __init__(self, matrix: Floats) -> None:
        scale = np.abs(matrix).max(axis=0)
        self._scale = 1.0 / np.sqrt(np.where(scale > 0.0, scale, 1.0))
        self._matrix = matrix * np.outer(self._scale, self._scale)
        try:
            self._inverse = np.linalg.inv(self._matrix)
        except np.linalg.LinAlgError:
            self._inverse = np.linalg.inv(self._matrix + 1e-12 * np.eye(len(matrix)))

    def solve(self, right: Floats) -> Floats:
        """The vector that the matrix makes `right` of."""
        right = right * self._scale
        step = self._inverse @ right
        step += self._inverse @ (right - self._matrix @ step)
        return np.asarray(step * self._scale)


def _longest(values: list[Floats], steps: list[Floats]) -> float:
    """The longest part of a step, up to the whole, that keeps values above 0."""
    longest = 1.0
    for value, step in zip(values, steps, strict=True):
        falling = step < 0.0
        if falling.any():
            longest = min(longest, float((-value[falling] / step[falling]).min()))
    return longest
