"""What it is worth to know more before money is moved: everything, or the return of one channel from a test.

Here: `value_of_knowing_all` and `value_of_tests`, by a quadratic model of the response around the best plan.
Not here: the best plan (ascent.py), how a test is run.

With the gradient g_d of draw d at the best plan x*, its mean g, the Hessian H of the mean, and the limits X, knowing
all is worth E_d[max over x in X of g_d (x - x*) + (x - x*) H (x - x*) / 2] less the same of g. A test of channel j
measures its return r_j with a standard error s; its outcome moves the expected gradient along c = Cov(g_d, r_j) by a
normal number e of variance 1 / (Var r_j + s^2), and is worth E_e[max of the same with g + c e]. Without limits that is
c M c / (2 (Var r_j + s^2)), M the inverse of -H on the plane of the budget. (Raiffa & Schlaifer 1961; preposterior
analysis in normal form.) The formula needs no sampling of outcomes; a benchmark compares it with nested Monte Carlo.
"""

from __future__ import annotations

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.decisions.ascent import Limits
from mmm_engine.decisions.budget_problem import BudgetProblem
from mmm_engine.decisions.quadratic_program import solve, solve_separable

_DRAWS_MOST = 1000
_NODES = 15  # of Gauss-Hermite quadrature over the outcomes of a test


def value_of_knowing_all(problem: BudgetProblem, z: Floats) -> float:
    """Expected gain in target units when every parameter were known before the money is spent.

    It is the expected regret of the best plan, too.

    Args:
        problem: Of totals per channel.
        z: Its best plan, shape (channel,).
    """
    slopes = problem.gradient_draws(z)
    every = max(1, slopes.shape[1] // _DRAWS_MOST)
    model = _Quadratic(problem, z)
    gains = [model.best(slope) for slope in slopes[:, ::every].T]
    return max(float(np.mean(gains)) - model.best(slopes.mean(axis=1)), 0.0)


def value_of_tests(problem: BudgetProblem, z: Floats, today: Floats, error: float) -> Floats:
    """Expected gain in target units from a test of each channel before the money is spent, shape (channel,).

    Args:
        problem: Of totals per channel; what a channel could get after a test lies within its limits.
        z: The best plan without a test, shape (channel,).
        today: Spend at which the test measures the return, shape (period, channel).
        error: Standard error of the test, as a share of the channel's expected return.
    """
    slopes = problem.gradient_draws(z)
    mean = slopes.mean(axis=1)
    model = _Quadratic(problem, z)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    now = model.best(mean)
    worth = np.zeros(len(problem.responses))
    for at, response in enumerate(problem.responses):
        spent = float(today[:, at].sum())
        if spent <= 0.0:
            continue
        returned = response.draws(today[:, at]) / spent
        noise = returned.var() + (error * returned.mean()) ** 2
        if noise <= 0.0:
            continue
        moves = (slopes - mean[:, None]) @ (returned - returned.mean()) / len(returned) / np.sqrt(noise)
        gains = [model.best(mean + moves * node) for node in nodes]
        worth[at] = max(float(weights @ gains) - now, 0.0)
    return worth


class _Quadratic:
    """The response around a plan to second order, within the limits.

    Args:
        problem: Of totals per channel.
        z: The plan.
    """

    def __init__(self, problem: BudgetProblem, z: Floats) -> None:
        limits: Limits = problem.limits
        _, gradient, hessian = problem.mean(z)
        curvature = np.maximum(-np.diag(hessian), 0.0)
        movable = limits.upper > limits.lower
        self._movable = movable
        self._unit = float((limits.upper - limits.lower).max(initial=0.0)) or 1.0
        self._size = float(np.abs(gradient).max(initial=0.0)) * self._unit or 1.0
        self._curvature = np.maximum(curvature[movable] * self._unit**2 / self._size, 1e-9)
        self._lower, self._upper = (
            ((side - z) / self._unit)[movable] for side in (limits.lower, limits.upper)
        )
        self._cost = None if limits.amount is None else limits.cost[movable]
        self._rows, self._most = limits.rows[:, movable], (limits.most - limits.rows @ z) / self._unit

    def best(self, slope: Floats) -> float:
        """The largest value under another gradient, over that of the plan itself."""
        if not self._movable.any():
            return 0.0
        slope = slope[self._movable] * self._unit / self._size
        if self._cost is not None and self._cost.any() and not len(self._most):
            x, _ = solve_separable(self._curvature, slope, self._lower, self._upper, self._cost, 0.0)
        else:
            cost = self._cost if self._cost is not None and self._cost.any() else None
            x = solve(
                np.diag(self._curvature), slope, self._lower, self._upper, self._rows, self._most, cost, 0.0
            ).x
        return float(slope @ x - 0.5 * x @ (self._curvature * x)) * self._size
