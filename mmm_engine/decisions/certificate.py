"""What is known of a plan that was chosen: why no other is better, and by how much it beats today's.

Here: `Certificate` (prices, spread, gap, what binds, cells beyond what was seen), `HeldOutGain` (on draws that did not
choose).
Not here: the search (optimiser.py).

The draws that chose a plan flatter it (Smith & Winkler 2006, doi:10.1287/mnsc.1050.0451). So each half of the draws
chooses a plan of its own, and the other half judges it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.decision_config import Objective
from mmm_engine.decisions.ascent import ascend
from mmm_engine.decisions.budget_problem import BudgetProblem
from mmm_engine.decisions.optimiser import Optimum, optimise
from mmm_engine.decisions.planning_window import PlanningWindow
from mmm_engine.decisions.risk import worst_share

WORST = 0.05
"""Share of draws whose mean gain is reported as the worst case."""

NEGLIGIBLE = 1e-5
"""Share of the objective that another plan may bring more without anybody noticing."""

_FEW_DRAWS = 40
_ROUNDING = 1e-9  # of what today brings: a plan of the same amounts must not win by its last digits


@dataclass(frozen=True, eq=False)
class Certificate:
    """Why no other plan within the limits is better.

    Attributes:
        method: How the plan was found.
        price: What one more unit of the budget brings (lambda), target units.
        spread: Largest difference of a free variable's marginal from the price, as a share of it.
        gap: No plan within the limits is better by more than this, in units of the objective; NaN where it is not
            known.
        gap_share: The same as a share of the objective.
        binding: Bounds and limits that bind: what, side ("at least" or "at most"), limit, price (what one more unit of
            money of room would bring, target units).
        beyond_seen: Cells with more than the largest amount ever seen: date, channel, amount, largest.
        without_history: Channels that never had media: nothing is known of them but their prior.
        price_of_caution: Expected response given up for an objective other than the mean, target units.
    """

    method: str
    price: float
    spread: float
    gap: float
    gap_share: float
    binding: pd.DataFrame
    beyond_seen: pd.DataFrame
    without_history: tuple[str, ...]
    price_of_caution: float

    @property
    def is_tight(self) -> bool:
        """Whether the plan is known to be the best within a hundred thousandth, and marginals agree to a millionth."""
        return bool(self.gap_share <= NEGLIGIBLE and self.spread <= 1e-6)


@dataclass(frozen=True)
class HeldOutGain:
    """How much better than today a plan is, on draws that did not choose it.

    Attributes:
        better: Share of draws in which it gains.
        gain: Expected gain, money where the value of the target is known, else target units.
        gain_q05: Its 5% quantile.
        gain_q95: Its 95% quantile.
        worst: Mean gain of the worst 5% of draws.
        promised: Expected gain on the draws that chose it.
    """

    better: float
    gain: float
    gain_q05: float
    gain_q95: float
    worst: float
    promised: float


def certificate_of(
    window: PlanningWindow, problem: BudgetProblem, optimum: Optimum, spend: Floats
) -> Certificate:
    """The certificate of a plan; `spend` is its money, shape (period, channel)."""
    end, limits = optimum.end, problem.limits
    scale = abs(end.value) or 1.0
    binding = [
        (name, "at most" if price > 0.0 else "at least", float(end.z[at]), abs(float(price)))
        for at, (name, price) in enumerate(
            zip(_variable_names(window, problem), end.bound_prices, strict=True)
        )
        if limits.upper[at] > limits.lower[at] and abs(price) > 1e-9 * max(abs(end.price), 1e-300)
    ]
    binding += [
        (name.split(":")[0], name.split(": ")[-1].rsplit(" ", 1)[0], abs(float(most)), float(price))
        for name, most, price in zip(limits.row_names, limits.most, end.row_prices, strict=True)
        if price > 1e-7 * max(abs(end.price), 1e-300)
    ]
    binding.sort(key=lambda row: -row[3])
    periods, channels = np.nonzero(window.beyond_seen(spend))
    return Certificate(
        method=optimum.method,
        price=end.price,
        spread=end.spread,
        gap=optimum.gap,
        gap_share=optimum.gap / scale,
        binding=pd.DataFrame(binding, columns=["what", "side", "limit", "price"]),
        beyond_seen=pd.DataFrame(
            {
                "date": window.dates[periods],
                "channel": [window.channels[at] for at in channels],
                "amount": spend[periods, channels],
                "largest": window.largest[periods, channels],
            }
        ),
        without_history=tuple(
            name for at, name in enumerate(window.channels) if not window.largest[:, at].any()
        ),
        price_of_caution=_price_of_caution(problem, optimum),
    )


def held_out_gain(
    window: PlanningWindow, problem: BudgetProblem, objective: Objective, z: Floats, value: float | None
) -> HeldOutGain:
    """Gains over today's plan of plans that half of the draws chose, on the other half.

    Args:
        window: With today's plan.
        problem: With limits and amount.
        objective: For which the halves choose.
        z: The plan, with which they begin.
        value: Of a unit of the target in money; None: gains are in target units.
    """
    today = problem.variables(window.current)
    now = problem.channel_draws(window.current).sum(axis=0)
    size = float(np.abs(now).mean())
    rounding = _ROUNDING * size * (1.0 if value is None else value)

    def gains(of: BudgetProblem, plan: Floats, brings_now: Floats) -> Floats:
        more = of.channel_draws(of.spend(plan)).sum(axis=0) - brings_now
        spent_more = float(problem.limits.cost @ (plan - today))
        gain = more if value is None else value * more - spent_more
        return np.where(np.abs(gain) <= rounding, 0.0, gain)

    on_all = gains(problem, z, now)
    draws = problem.responses[0].draws_count
    if draws < _FEW_DRAWS:
        judged = on_all
    else:
        even, odd = slice(0, None, 2), slice(1, None, 2)
        halves = [problem.of_draws(half) for half in (even, odd)]
        plans = [_chosen(half, objective, z, today) for half in halves]
        judged = np.concatenate([gains(halves[1], plans[0], now[odd]), gains(halves[0], plans[1], now[even])])
    low, high = np.quantile(judged, [0.05, 0.95])
    return HeldOutGain(
        better=float((judged > 0.0).mean()),
        gain=float(judged.mean()),
        gain_q05=float(low),
        gain_q95=float(high),
        worst=worst_share(judged, WORST),
        promised=float(on_all.mean()),
    )


def _chosen(half: BudgetProblem, objective: Objective, z: Floats, today: Floats) -> Floats:
    """The plan that half of the draws chooses; the hill is that of the plan of all draws."""
    if objective.kind == "mean":
        return ascend(half.mean, z, half.limits, tolerance=1e-6).z
    return optimise(half, objective, z, today).end.z


def _price_of_caution(problem: BudgetProblem, optimum: Optimum) -> float:
    mean = problem.mean(optimum.end.z)[0]
    if abs(mean - optimum.end.value) <= 1e-12 * abs(mean):
        return 0.0
    best = optimise(problem, Objective("mean"), optimum.end.z, optimum.end.z)
    return max(best.end.value - mean, 0.0)


def _variable_names(window: PlanningWindow, problem: BudgetProblem) -> list[str]:
    if not problem.by_period:
        return list(window.channels)
    return [f"{channel}, {date:%Y-%m-%d}" for channel in window.channels for date in window.dates]
