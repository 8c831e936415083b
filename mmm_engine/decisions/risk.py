"""Attitudes to risk: the mean of the worst draws, and the probability of reaching a target, over all channels jointly.

Here: `worst_share` (CVaR) and `chance` as functions that can be made large, made smooth; the plans that do it.
Not here: the mean response (budget_problem.py), what a plan is compared with (certificate.py).

The mean of the worst share a of draws is max over t of t - E[max(t - R_d, 0)] / a (Rockafellar & Uryasev 2000,
doi:10.21314/JOR.2000.038), concave in spend where every R_d is. Adding quantiles channel by channel would be another
question: it knows no hedging. Kinks are rounded with a width that shrinks from step to step (Chen & Mangasarian 1996,
doi:10.1007/BF00249052): the end is the answer to the exact question within that width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.decisions.ascent import Function, Stationary, ascend
from mmm_engine.decisions.budget_problem import BudgetProblem

_NARROWER = 0.25
_WIDTHS_MOST = 14
_CLOSE_ENOUGH = 1e-6


def worst_share(draws: Floats, share: float) -> float:
    """Mean of the lowest share of draws, the draw at the edge counted in part.

    >>> worst_share(np.array([4.0, 1.0, 3.0, 2.0]), 0.5), worst_share(np.array([1.0, 3.0]), 0.75)
    (1.5, 1.6666666666666667)
    """
    ordered = np.sort(draws)
    weights = np.clip(share * len(ordered) - np.arange(len(ordered)), 0.0, 1.0)
    return float(ordered @ weights / weights.sum())


def best_worst_share(problem: BudgetProblem, share: float, start: Floats) -> tuple[Stationary, float]:
    """The plan whose worst share of draws is best on average, and how much better any other can be.

    Args:
        problem: With its limits.
        share: Of draws, in (0, 1).
        start: Variables to begin with.

    Returns:
        Where the search ended (its value is exact, not rounded), and the duality gap.
    """

    def smooth(width: float) -> Function:
        return lambda z: _smooth_worst_share(problem, z, share, width)

    best, most = None, np.inf
    for width, end in _narrowed(problem, smooth, start):
        end_value = worst_share(problem.draws(end.z), share)
        # the rounded function is never above the exact one, and below it by at most width log(2) / share
        most = min(most, end.value + end.shortfall + width * np.log(2.0) / share)
        best = replace(end, value=end_value) if best is None or end_value > best.value else best
        if most - best.value < _CLOSE_ENOUGH * abs(best.value):
            break
    assert best is not None  # noqa: S101
    return best, max(float(most - best.value), 0.0)


def best_chance(problem: BudgetProblem, target: Floats | float, starts: Sequence[Floats]) -> Stationary:
    """The plan that reaches a target in most draws, from the best of several starts; its value is the share of draws.

    Args:
        problem: With its limits.
        target: One for all draws, or one for each, shape (draw,).
        starts: Variables to begin with.
    """

    def smooth(width: float) -> Function:
        return lambda z: _smooth_chance(problem, z, target, width)

    ends = [
        replace(end, value=float((problem.draws(end.z) >= target).mean()))
        for start in starts
        for _, end in _narrowed(problem, smooth, start, steps=5)
    ]
    return max(ends, key=lambda end: end.value)


def _narrowed(
    problem: BudgetProblem, smooth: Callable[[float], Function], start: Floats, steps: int = _WIDTHS_MOST
) -> Iterator[tuple[float, Stationary]]:
    """Ascents of a rounded function, each from the end of the one before with a smaller width: width and end."""
    draws = problem.draws(start)
    width = float(draws.std()) or max(float(np.abs(draws).max()), 1e-12)
    for _ in range(steps):
        end = ascend(smooth(width), start, problem.limits, tolerance=1e-9)
        yield width, end
        start, width = end.z, width * _NARROWER


def _smooth_worst_share(
    problem: BudgetProblem, z: Floats, share: float, width: float
) -> tuple[float, Floats, Floats]:
    """max over t of t - E[width softplus((t - R_d) / width)] / share, its gradient and Hessian."""
    draws = problem.draws(z)
    t = _edge(draws, share, width)
    u = (t - draws) / width
    below = _sigmoid(u)  # E[below] = share
    value = t - width * float(np.logaddexp(0.0, u).mean()) / share
    count = len(draws)
    _, gradient, hessian = problem.weighted(z, below / (share * count))
    slopes = problem.gradient_draws(z)
    at_edge = below * (1.0 - below) / (share * width * count)
    total = float(at_edge.sum())
    if total > 0.0:
        mean = slopes @ at_edge
        hessian = hessian - (slopes * at_edge) @ slopes.T + np.outer(mean, mean) / total
    return value, gradient, hessian


def _edge(draws: Floats, share: float, width: float) -> float:
    """The t at which the mean of sigmoid((t - R_d) / width) is the share, by bisection and Newton steps."""
    low, high = float(draws.min()) - 40.0 * width, float(draws.max()) + 40.0 * width
    t = float(np.quantile(draws, share))
    for _ in range(100):
        below = _sigmoid((t - draws) / width)
        miss = float(below.mean()) - share
        low, high = (t, high) if miss < 0.0 else (low, t)
        slope = float((below * (1.0 - below)).mean()) / width
        ahead = t - miss / slope if slope > 0.0 else np.inf
        ahead = ahead if low < ahead < high else (low + high) / 2.0
        if abs(miss) < 1e-14 or ahead == t:
            break
        t = ahead
    return t


def _smooth_chance(
    problem: BudgetProblem, z: Floats, target: Floats | float, width: float
) -> tuple[float, Floats, Floats]:
    """E[sigmoid((R_d - target) / width)], its gradient and Hessian."""
    draws = problem.draws(z)
    above = _sigmoid((draws - target) / width)
    count = len(draws)
    slope = above * (1.0 - above) / (width * count)
    _, gradient, hessian = problem.weighted(z, slope)
    slopes = problem.gradient_draws(z)
    bend = slope * (1.0 - 2.0 * above) / width
    return float(above.mean()), gradient, hessian + (slopes * bend) @ slopes.T


def _sigmoid(u: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * u)))
