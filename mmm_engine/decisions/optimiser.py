"""The plan that is best for an objective, for a fixed or a free budget.

Here: `optimise` (fixed budget), `optimise_free` (profit, target returns), which search answers which question.
Not here: the searches (ascent.py, s_curves.py, risk.py), limits from words (limits.py), what is reported
(budget_plan.py).

With R*(B) the best mean response of a budget B and lambda its derivative, v the value of a unit of the response: profit
v R*(B) - B is largest where v lambda = 1; the largest budget of average return r solves v R*(B) = r B; the one whose
next unit returns m solves v lambda = m. R* is concave where the curves are, so that each has one root.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.client.decision_config import Objective
from mmm_engine.decisions.ascent import Stationary, ascend, nearest
from mmm_engine.decisions.budget_problem import BudgetProblem, net_of_cost
from mmm_engine.decisions.risk import best_chance, best_worst_share
from mmm_engine.decisions.s_curves import best_of_all_hills, s_shaped_lines

_MOST_BUDGETS = 60


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best plan found, and how good it is known to be.

    Attributes:
        end: Its stationary point; `value` is that of the objective.
        gap: No plan within the limits is better by more than this; NaN where only the neighbourhood is known.
        method: How it was found, in words.
    """

    end: Stationary
    gap: float
    method: str


def optimise(problem: BudgetProblem, objective: Objective, start: Floats, today: Floats) -> Optimum:
    """The best plan within the limits of a problem.

    Args:
        problem: With limits; their amount is feasible.
        objective: What is to be made large.
        start: Variables to begin with.
        today: Variables of today's plan, which "beat" compares with.
    """
    if objective.kind == "mean":
        return _largest_mean(problem, start)
    mean = _largest_mean(problem, start)
    if objective.kind == "worst":
        end, gap = best_worst_share(problem, objective.number, mean.end.z)
        shaped = bool(s_shaped_lines(problem))
        return Optimum(end, float("nan") if shaped else gap, "Newton steps on the worst draws")
    target = problem.draws(today) if objective.kind == "beat" else objective.number
    cautious, _ = best_worst_share(problem, 0.5, mean.end.z)
    starts = [mean.end.z, cautious.z, nearest(problem.limits, start)]
    end = best_chance(problem, target, starts)
    return Optimum(end, float("nan"), "Newton steps on the probability, from three starts")


def optimise_profit(problem: BudgetProblem, value: float, start: Floats) -> Optimum:
    """The plan of largest profit `value` R - B, the budget being free; the value of its end is the response.

    Args:
        problem: With limits; their amount is not looked at.
        value: Money per unit of the response.
        start: Variables to begin with.
    """
    limits = problem.limits.with_amount(None)
    profit = net_of_cost(problem.mean, value, limits.cost)
    starts = [start, limits.lower, limits.upper]
    starts += _pulses(problem) if s_shaped_lines(problem) else []
    ends = [ascend(profit, one, limits) for one in (starts if s_shaped_lines(problem) else starts[:1])]
    best = max(ends, key=lambda end: end.value)
    mean, gradient, _ = problem.mean(best.z)
    gap = best.shortfall / value if len(ends) == 1 else float("nan")
    # prices in the response: what a unit of money must bring is 1 / value
    end = replace(
        best,
        value=mean,
        gradient=gradient,
        price=1.0 / value,
        row_prices=best.row_prices / value,
        bound_prices=best.bound_prices / value,
    )
    return Optimum(end, gap, "Newton steps on profit")


def optimise_return(problem: BudgetProblem, value: float, wanted: float, start: Floats) -> Optimum | None:
    """The largest budget whose average return `value` R*(B) / B is at least `wanted`; None where no budget has it.

    Args:
        problem: With limits that some budget satisfies.
        value: Money per unit of the response.
        wanted: Return on the money of all channels together.
        start: Variables to begin with.
    """
    ends = problem.limits.feasible_amounts()
    assert ends is not None  # noqa: S101  (limits were checked)
    low, high = ends

    def at(amount: float, z: Floats) -> tuple[Optimum, float]:
        """The best plan of a budget, and what it returns above what is wanted."""
        best = _largest_mean(problem.with_limits(problem.limits.with_amount(amount)), z)
        return best, value * best.end.value - wanted * amount

    best, over = at(high, start)
    if over >= 0.0:
        return best
    amount = high
    for _ in range(_MOST_BUDGETS):
        # from the right, Newton's steps on a concave function never pass the root
        slope = value * best.end.price - wanted
        ahead = amount - over / slope if slope < 0.0 else -np.inf
        ahead = ahead if low < ahead < amount else (low + amount) / 2.0
        if abs(ahead - amount) <= 1e-12 * high:
            break
        found, above = at(ahead, best.end.z)
        if above > 1e-9 * wanted * high:  # passed, as only happens where curves are S-shaped
            low = ahead
            if amount - low <= 1e-9 * high:
                return found
            continue
        best, over, amount = found, above, ahead
        if abs(over) <= 1e-12 * max(wanted * amount, 1e-300):
            break
    smallest, above = at(ends[0], best.end.z)
    return best if over >= -1e-9 * wanted * max(amount, 1e-300) else (smallest if above >= 0.0 else None)


def _largest_mean(problem: BudgetProblem, start: Floats) -> Optimum:
    if not s_shaped_lines(problem):
        end = ascend(problem.mean, start, problem.limits)
        return Optimum(end, end.shortfall, "Newton steps; the response is concave")
    if problem.separable and not len(problem.limits.rows) and problem.limits.amount is not None:
        answer = best_of_all_hills(problem, start)
        words = f"branch and bound over S-shaped curves, {answer.parts} parts"
        return Optimum(answer.end, answer.bound - answer.end.value, words)
    ends = [ascend(problem.mean, one, problem.limits) for one in (start, *_pulses(problem))]
    best = max(ends, key=lambda end: end.value)
    return Optimum(best, float("nan"), f"Newton steps from {len(ends)} starts; curves are S-shaped")


def _pulses(problem: BudgetProblem) -> list[Floats]:
    """Starts in which S-shaped channels spend in some of the periods only, and in which some of them spend nothing."""
    upper, lower, n = problem.limits.upper, problem.limits.lower, len(problem.limits.upper)
    channels = len(problem.responses)
    starts = [lower.copy(), upper.copy()]
    for at in range(channels):
        place = slice(at * n // channels, (at + 1) * n // channels)
        one = lower.copy()
        one[place] = upper[place]
        starts.append(one)
    if problem.by_period:
        for every in range(2, min(problem.periods, 6) + 1):
            on = np.tile(np.arange(problem.periods) % every == 0, channels)
            starts.append(np.where(on, upper, lower))
    return starts
