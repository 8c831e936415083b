"""Planning the budget of `ms`: our optimiser and SciPy's SLSQP on the same draws, rows and bounds.

    python -m tests.benchmarks.plan --out FILE

Here: the figures of `make bench ARGS="--only plan"`, in one process after one fit; seconds are processor time.
Not here: pymc-marketing's optimiser (plan_peer.py), tables (bench.py).

All 13 channels are paid with money, between 0 and the largest amount ever seen; 13 weeks, spread evenly.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mmm_engine.client.decision_config import Objective
from mmm_engine.decisions.ascent import Limits, ascend
from mmm_engine.decisions.budget_problem import BudgetProblem
from mmm_engine.decisions.information import value_of_tests
from mmm_engine.decisions.one_thread import one_thread
from mmm_engine.decisions.optimiser import optimise
from mmm_engine.decisions.planning_window import PlanningWindow, planning_window
from mmm_engine.posterior.fit import fit
from tests.benchmarks.cases import windows

PERIODS, REPEATS, PROBLEMS, STARTS = 13, 5, 100, 20
OUTCOMES, TEST_ERROR = 64, 0.2
MEAN = Objective("mean")


def seconds(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, Any]:
    """Least processor time of several runs, and the result."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return min(times), result


def problem_of(window: PlanningWindow, *, by_period: bool) -> BudgetProblem:
    """The benchmark's problem: today's budget, each amount between 0 and the largest ever seen."""
    largest = window.largest if by_period else window.largest.sum(axis=0, keepdims=True)
    upper = largest.T.ravel()
    limits = Limits.box(np.zeros(len(upper)), upper, float(window.current.sum()))
    shares = None if by_period else np.full((PERIODS, len(window.channels)), 1.0 / PERIODS)
    return BudgetProblem(window.responses, shares, limits)


def slsqp(problem: BudgetProblem, start: np.ndarray) -> Any:
    """SciPy's answer, with our gradient."""
    from scipy.optimize import Bounds, LinearConstraint, minimize

    limits = problem.limits
    assert limits.amount is not None
    scale = limits.amount / len(start)
    size = problem.mean(start)[0]
    result = minimize(
        lambda x: tuple(np.array(part) / size for part in _negative(problem, x * scale, scale)),
        start / scale,
        jac=True,
        method="SLSQP",
        bounds=Bounds(limits.lower / scale, limits.upper / scale),
        constraints=LinearConstraint(limits.cost, limits.amount / scale, limits.amount / scale),
        options={"maxiter": 1000, "ftol": 1e-9},
    )
    return result.x * scale, int(result.nit)


def _negative(problem: BudgetProblem, z: np.ndarray, scale: float) -> tuple[float, np.ndarray]:
    value, gradient, _ = problem.mean(z)
    return -value, -gradient * scale


def spread(problem: BudgetProblem, z: np.ndarray) -> float:
    """Spread of marginals over free variables, over their mean."""
    gradient, limits = problem.mean(z)[1], problem.limits
    room = 1e-6 * (limits.upper - limits.lower)
    free = (z - limits.lower > room) & (limits.upper - z > room)
    return float(np.ptp(gradient[free]) / gradient[free].mean())


@one_thread
def figures() -> dict[str, Any]:
    """Every figure of this section."""
    fitted = fit(windows("ms", ["full"])[0])
    found: dict[str, Any] = {}
    found["window_s"], window = seconds(lambda: planning_window(fitted, PERIODS, basis=PERIODS), 2)
    window = replace(window, paid=np.ones(len(window.channels), dtype=bool))
    for name, by_period in (("totals", False), ("amounts per week", True)):
        problem = problem_of(window, by_period=by_period)
        limits = problem.limits
        start = limits.upper * (limits.amount or 0.0) / limits.upper.sum()
        problem.mean(start)
        ours_s, best = seconds(lambda p=problem, s=start: optimise(p, MEAN, s, s))
        peer_s, (z, steps) = seconds(lambda p=problem, s=start: slsqp(p, s), 1 if by_period else REPEATS)
        found[name] = {
            "seconds": ours_s,
            "slsqp_seconds": peer_s,
            "steps": best.end.steps,
            "slsqp_steps": steps,
            "value": best.end.value,
            "slsqp_value": problem.mean(z)[0],
            "spread": best.end.spread,
            "slsqp_spread": spread(problem, z),
            "gap_share": best.gap / best.end.value,
        }
        if not by_period:
            found["frontier_s"], _ = seconds(lambda p=problem, b=best: _frontier(p, b.end.z), 2)
            found["worse"] = _worse_than_slsqp(problem)
    return found


def _frontier(problem: BudgetProblem, z: np.ndarray) -> list[np.ndarray]:
    """Twenty budgets from half of today's to half as much again, with bands."""
    bands = []
    for share in np.linspace(0.5, 1.5, 20):
        limits = problem.limits.with_amount(share * (problem.limits.amount or 0.0))
        part = problem.with_limits(limits)
        z = optimise(part, MEAN, z, z).end.z
        bands.append(np.quantile(part.draws(z), [0.05, 0.5, 0.95]))
    return bands


def _worse_than_slsqp(problem: BudgetProblem) -> dict[str, float]:
    """Over random bounds and budgets: by how much the best of many starts of SLSQP is better, as a share, at most."""
    few = problem.of_draws(slice(0, None, 40))
    rng, worst = np.random.default_rng(1), -np.inf
    for _ in range(PROBLEMS):
        whole = few.limits.upper
        lower, upper = rng.uniform(0.0, 0.3, 13) * whole, rng.uniform(0.4, 1.0, 13) * whole
        amount = float(lower.sum() + rng.uniform(0.1, 0.9) * (upper - lower).sum())
        case = few.with_limits(Limits.box(lower, upper, amount))
        best = optimise(case, MEAN, lower, lower).end.value
        starts = (rng.uniform(lower, upper) for _ in range(STARTS))
        reference = max(case.mean(_feasible(slsqp(case, start)[0], case.limits))[0] for start in starts)
        worst = max(worst, reference / best - 1.0)
    return {"problems": PROBLEMS, "starts": STARTS, "slsqp_better_by": float(worst)}


def information(problem: BudgetProblem, window: PlanningWindow) -> dict[str, list[float]]:
    """What a test of each channel is worth: by the quadratic formula, and by nested Monte Carlo; target units.

    Outcomes of a test are drawn (a draw's return with a fifth of noise); each weighs the draws anew, and the best plan
    under these weights is compared, under the same weights, with the best plan without a test. Channels move by 30% at
    most, as in ordinary advice.
    """
    today = window.current.sum(axis=0)
    within = Limits.box(0.7 * today, np.minimum(1.3 * today, window.largest.sum(axis=0)), float(today.sum()))
    few = problem.of_draws(slice(0, None, 10)).with_limits(within)
    best = optimise(few, MEAN, few.limits.upper, few.limits.upper).end.z
    formula_s, quadratic = seconds(lambda: value_of_tests(few, best, window.current, TEST_ERROR), 2)
    start, nested = time.process_time(), []
    for at, response in enumerate(few.responses):
        spend = window.current[:, at]
        returned = response.draws(spend) / max(float(spend.sum()), 1e-300)
        noise = TEST_ERROR * returned.mean()
        rng, gains = np.random.default_rng([1, at]), []
        for outcome in rng.choice(returned, OUTCOMES) + noise * rng.standard_normal(OUTCOMES):
            weights = np.exp(-0.5 * ((outcome - returned) / noise) ** 2)
            weights /= weights.sum()
            mean = partial(few.weighted, draw_weights=weights)
            gains.append(ascend(mean, best, few.limits, tolerance=1e-6).value - mean(best)[0])
        nested.append(float(np.mean(gains)))
    return {
        "formula": quadratic.tolist(),
        "nested": nested,
        "seconds": [formula_s, time.process_time() - start],
    }


def _feasible(z: np.ndarray, limits: Limits) -> np.ndarray:
    from mmm_engine.decisions.ascent import nearest

    return nearest(limits, z)


def main() -> None:
    """Measure, and write the answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    Path(parser.parse_args().out).write_text(json.dumps(figures()))


if __name__ == "__main__":
    main()
