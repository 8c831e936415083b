"""A plan that was chosen, with everything that lets a reader believe it.

Here: `plan_budget`, from a planning window and a request to a `BudgetPlan`; its certificate, table, comparison with
other plans, frontier, and what tests would be worth.
Not here: the search (optimiser.py), words of advice (plan_words.py) and of client files (client/decision_config.py),
figures (report/figures/).

Money and target: a unit of the target is worth `value` units of money. Gains are money where the value is known
(value times the response gained, less the money spent more), and target units where it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.decision_config import Budget, Objective
from mmm_engine.decisions.ascent import Limits
from mmm_engine.decisions.budget_problem import BudgetProblem
from mmm_engine.decisions.certificate import Certificate, HeldOutGain, certificate_of, held_out_gain
from mmm_engine.decisions.information import value_of_knowing_all, value_of_tests
from mmm_engine.decisions.limits import Rules, check_amount, limits_of, spread_of
from mmm_engine.decisions.one_thread import one_thread
from mmm_engine.decisions.optimiser import Optimum, optimise, optimise_profit, optimise_return
from mmm_engine.decisions.plan_words import (
    CUT,
    HOLD,
    RAISE,
    TEST_FIRST,
    frozen_reason,
    moves_sentence,
    written,
)
from mmm_engine.decisions.planning_window import PlanningWindow
from mmm_engine.errors import DataError, Fault
from mmm_engine.rows.calendar import DAYS_PER_ROW, DAYS_PER_YEAR

SURE_ENOUGH = 0.9
"""Share of draws in which a plan must beat today's before money is said to be moved."""

MOVES = 0.01
"""Share of today's total by which a channel must move for it to be said."""

QUARTERS_PER_YEAR = 4.0


@dataclass(frozen=True)
class BudgetRequest:
    """What a plan is asked for.

    Attributes:
        budget: How much money there is.
        objective: What the plan is chosen for.
        rules: What it must satisfy.
        by_period: Whether each period of a channel is decided on, or its total alone, spread as today.
        value: Money that a unit of the target earns before media are paid; None: not known.
        unreadable: Channels whose return the model cannot read: they go on as today, and a test comes first.
        test_error: Standard error of a test of a channel, as a share of its expected return.
    """

    budget: Budget = field(default_factory=lambda: Budget("today"))
    objective: Objective = field(default_factory=lambda: Objective("mean"))
    rules: Rules = field(default_factory=Rules)
    by_period: bool = False
    value: float | None = None
    unreadable: tuple[str, ...] = ()
    test_error: float = 0.2


@dataclass(frozen=True, eq=False)
class BudgetPlan:
    """The plan, and what is known of it.

    Attributes:
        window: The periods it is for.
        request: What was asked for.
        problem: Its variables and limits, the amount included.
        optimum: Where the search ended.
        spend: The plan: money, shape (period, channel).
    """

    window: PlanningWindow
    request: BudgetRequest
    problem: BudgetProblem
    optimum: Optimum
    spend: Floats

    @cached_property
    def certificate(self) -> Certificate:
        """Why no other plan within the limits is better."""
        return certificate_of(self.window, self.problem, self.optimum, self.spend)

    @cached_property
    @one_thread
    def gain(self) -> HeldOutGain:
        """How much better than today it is, judged on draws that did not choose it."""
        return held_out_gain(
            self.window, self.problem, self.request.objective, self.optimum.end.z, self.request.value
        )

    @property
    def gain_unit(self) -> str:
        """What gains are measured in."""
        if self.request.value is None:
            return self.window.target_kind
        return self.window.currency or "money"

    @property
    def acts(self) -> bool:
        """Whether it is sure enough that the plan beats today's for money to be moved."""
        return self.gain.better >= SURE_ENOUGH and self.gain.gain > 0.0

    @cached_property
    def sentence(self) -> str:
        """What to do, and how sure that is, in one sentence."""
        gain, unit = self.gain, self.gain_unit if self.gain_unit != "money" else "in money"
        mean, low, high = (written(amount) for amount in (gain.gain, gain.gain_q05, gain.gain_q95))
        span = f"{mean} {unit} (90%: {low} to {high})"
        when = f"in the next {self.window.periods} {self.window.period}s"
        if self.frozen:
            return f"Hold: {self.frozen}."
        if not self.acts:
            return f"Hold: no plan within the limits is sure enough to beat today's; the best gains {span} {when}."
        return moves_sentence(self.table, f"{span} {when}", gain.better)

    @property
    def frozen(self) -> str:
        """Why no money can move at all, "" where some can."""
        limits, channels = self.problem.limits, self.window.channels
        room = (limits.upper - limits.lower > 1e-9 * np.maximum(limits.upper, 1.0)).reshape(len(channels), -1)
        paid = [name for name, is_paid in zip(channels, self.window.paid, strict=True) if is_paid]
        free = [name for name, each in zip(channels, room, strict=True) if each.any() and name in paid]
        return frozen_reason(paid, free, self.request.unreadable)

    @cached_property
    def response_draws(self) -> dict[str, Floats]:
        """What today's plan and this one bring per channel, each of shape (channel, draw)."""
        return {
            "today": self.problem.channel_draws(self.window.current),
            "plan": self.problem.channel_draws(self.spend),
        }

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per channel.

        Columns: channel; today and plan (money); change (a share of today); advice (raise, hold, cut, test first);
        response_today and response_plan (expected, target units); marginal, marginal_q05 and marginal_q95: what the
        next unit of money brings today, in money where the value is known; beats_break_even: the probability that it
        is more than 1 (NaN where the value is not known).
        """
        window, value = self.window, self.request.value
        today, plan = window.current.sum(axis=0), self.spend.sum(axis=0)
        totals = replace(self.problem, shares=window.shares, limits=_box(today))
        marginal = totals.gradient_draws(today) * (1.0 if value is None else value)
        low, high = np.quantile(marginal, [0.05, 0.95], axis=1)
        change = np.where(today > 0.0, plan / np.where(today > 0.0, today, 1.0) - 1.0, np.nan)
        beats = (marginal > 1.0).mean(axis=1) if value is not None else np.full(len(today), np.nan)
        return pd.DataFrame(
            {
                "channel": list(window.channels),
                "today": today,
                "plan": plan,
                "change": change,
                "advice": [self._advice(at, today[at], plan[at]) for at in range(len(today))],
                "response_today": self.response_draws["today"].mean(axis=1),
                "response_plan": self.response_draws["plan"].mean(axis=1),
                "marginal": marginal.mean(axis=1),
                "marginal_q05": low,
                "marginal_q95": high,
                "beats_break_even": beats,
            }
        )

    @property
    def plan(self) -> pd.DataFrame:
        """Money per period: date and one column per channel."""
        return self.window.frame(self.spend)

    @property
    def media(self) -> pd.DataFrame:
        """Media per period in the units of the client's rows: what `forecast: {plan: ...}` of a client file takes."""
        return self.window.media_frame(self.spend)

    @cached_property
    @one_thread
    def tests(self) -> pd.DataFrame:
        """What a test of each channel would be worth, best first.

        Columns: channel; worth: expected gain in a quarter (three months) of plans like this one; unit. The row "all
        channels" is what knowing every parameter were worth: no test can be worth more.
        """
        rules = self.request.rules
        released = tuple(name for name in rules.keep if name not in self.request.unreadable)
        limits = limits_of(self.window, replace(rules, keep=released), by_period=False)
        amount = self.problem.limits.amount
        shares = spread_of(self.window, rules, limits)
        problem = BudgetProblem(self.window.responses, shares, limits.with_amount(amount))
        start = self.spend.sum(axis=0)
        best = optimise(problem, Objective("mean"), start, self.window.current.sum(axis=0)).end.z
        per_year = DAYS_PER_YEAR / DAYS_PER_ROW[self.window.period]
        worth = (self.request.value or 1.0) * per_year / QUARTERS_PER_YEAR / self.window.periods
        tests = value_of_tests(problem, best, self.window.current, self.request.test_error)
        frame = pd.DataFrame({"channel": list(self.window.channels), "worth": tests * worth})
        frame = frame[self.window.paid].sort_values("worth", ascending=False, kind="stable")
        everything = pd.DataFrame(
            {"channel": ["all channels"], "worth": [value_of_knowing_all(problem, best) * worth]}
        )
        return pd.concat([frame, everything], ignore_index=True).assign(unit=self.gain_unit)

    def compare(self, plans: Mapping[str, Any]) -> pd.DataFrame:
        """Named plans beside today's and this one, on the same draws.

        Args:
            plans: By name, each in a form that `PlanningWindow.spend_of` takes.

        Returns:
            Columns plan; spend; response, response_q05, response_q95 (target units); gain, gain_q05, gain_q95 (over
            today's); beats_today: share of draws; best: share of draws in which no other plan here gains more.
        """
        spends = {"today": self.window.current, "this plan": self.spend}
        spends |= {name: self.window.spend_of(plan, f"plan '{name}'") for name, plan in plans.items()}
        draws = {name: self.problem.channel_draws(spend).sum(axis=0) for name, spend in spends.items()}
        gains = np.stack([self._gain(draws[name], spend) for name, spend in spends.items()])
        first = gains.argmax(axis=0)
        rows = []
        for at, (name, spend) in enumerate(spends.items()):
            low, high = np.quantile(draws[name], [0.05, 0.95])
            gain_low, gain_high = np.quantile(gains[at], [0.05, 0.95])
            rows.append(
                {
                    "plan": name,
                    "spend": float(spend.sum(axis=0)[self.window.paid].sum()),
                    "response": draws[name].mean(),
                    "response_q05": low,
                    "response_q95": high,
                    "gain": gains[at].mean(),
                    "gain_q05": gain_low,
                    "gain_q95": gain_high,
                    "beats_today": float((gains[at] > 0.0).mean()),
                    "best": float((first == at).mean()),
                }
            )
        return pd.DataFrame(rows)

    @one_thread
    def frontier(self, points: int = 20) -> pd.DataFrame:
        """The best plan of each of several budgets, from half of today's to half as much again where limits allow it.

        Returns:
            Columns budget; response, response_q05, response_q95; marginal: what the next unit of money brings (money
            where the value is known); profit where the value is known; then the total of each channel.
        """
        window, value = self.window, self.request.value
        limits = limits_of(window, self.request.rules, by_period=self.request.by_period)
        feasible = limits.feasible_amounts()
        assert feasible is not None  # noqa: S101  (the plan itself is within them)
        today = float((window.current.sum(axis=0) * window.paid).sum())
        low, high = max(feasible[0], 0.5 * today), min(feasible[1], 1.5 * today)
        if high <= low:
            low, high = feasible
        rows, z = [], self.optimum.end.z
        for amount in np.linspace(low, high, points):
            problem = self.problem.with_limits(limits.with_amount(float(amount)))
            best = optimise(problem, self.request.objective, z, self.problem.variables(window.current))
            z = best.end.z
            draws = problem.draws(z)
            bottom, top = np.quantile(draws, [0.05, 0.95])
            _, gradient, _ = (
                problem.mean(z) if self.request.objective.kind != "mean" else (0, best.end.gradient, 0)
            )
            free = best.end.free & (limits.cost > 0.0)
            marginal = float(gradient[free].mean()) if free.any() else best.end.price
            row = {
                "budget": float(amount),
                "response": draws.mean(),
                "response_q05": bottom,
                "response_q95": top,
                "marginal": marginal * (1.0 if value is None else value),
                "profit": float("nan") if value is None else value * draws.mean() - float(amount),
            }
            rows.append(row | dict(zip(window.channels, problem.spend(z).sum(axis=0), strict=True)))
        return pd.DataFrame(rows)

    def _gain(self, draws: Floats, spend: Floats) -> Floats:
        """Gain of a plan over today's per draw."""
        more = draws - self.response_draws["today"].sum(axis=0)
        if self.request.value is None:
            return np.asarray(more)
        paid = self.window.paid
        spent_more = float(spend[:, paid].sum() - self.window.current[:, paid].sum())
        return np.asarray(self.request.value * more - spent_more)

    def _advice(self, at: int, today: float, plan: float) -> str:
        if self.window.channels[at] in self.request.unreadable:
            return TEST_FIRST
        if not self.acts or abs(plan - today) <= MOVES * max(today, 1e-300):
            return HOLD
        return RAISE if plan > today else CUT


@one_thread
def plan_budget(window: PlanningWindow, request: BudgetRequest) -> BudgetPlan:
    """The best plan for the periods of a window.

    Raises:
        DataError: If a name is unknown, limits exclude each other, the budget is outside of what they allow (the
            message says what that is), money has no value but a profit or return is asked for, or no budget has the
            return.
    """
    request = _with_frozen(request)
    rules, kind = request.rules, request.budget.kind
    if kind in ("profit", "roi", "mroi") and request.value is None:
        fix = "set 'margin' (money that a unit of the target earns before media)"
        found = f"'{kind}', and no value of the target"
        raise DataError(f"client '{window.client}', plan", Fault("budget", found, "a value in money", fix))
    if kind == "more":
        rules = replace(rules, never_less=True, within=None)
    elif kind == "less":
        rules = replace(rules, never_more=True, within=None)
    limits = limits_of(window, rules, by_period=request.by_period)
    shares = None if request.by_period else spread_of(window, rules, limits)
    problem = BudgetProblem(window.responses, shares, limits)
    today = problem.variables(window.current)
    optimum, amount = _solved(window, problem, request, limits, today)
    problem = problem.with_limits(limits.with_amount(amount))
    return BudgetPlan(window, replace(request, rules=rules), problem, optimum, problem.spend(optimum.end.z))


def _with_frozen(request: BudgetRequest) -> BudgetRequest:
    """Channels that cannot be read are kept."""
    keep = tuple(dict.fromkeys((*request.rules.keep, *request.unreadable)))
    return replace(request, rules=replace(request.rules, keep=keep))


def _solved(
    window: PlanningWindow, problem: BudgetProblem, request: BudgetRequest, limits: Limits, today: Floats
) -> tuple[Optimum, float]:
    """The best plan of a request, and its budget."""
    budget, value = request.budget, request.value
    spent = float(limits.cost @ today)
    if budget.kind in ("profit", "mroi", "roi"):
        assert value is not None  # noqa: S101
        check_amount(window, limits, float(np.clip(spent, *(limits.feasible_amounts() or (spent, spent)))))
        if budget.kind == "roi":
            best = optimise_return(problem, value, budget.number, today)
            if best is None:
                fault = Fault(
                    "budget",
                    f"roi {budget.number:g}",
                    "a return that the smallest budget of the limits has",
                    "ask for a lower return, or widen the limits downwards",
                )
                raise DataError(f"client '{window.client}', plan", fault)
        else:
            worth = value / budget.number if budget.kind == "mroi" else value
            best = optimise_profit(problem, worth, today)
        return best, float(limits.cost @ best.end.z)
    move = budget.number * spent if budget.is_share else budget.number
    amount = {"today": spent, "amount": budget.number, "more": spent + move, "less": spent - move}[
        budget.kind
    ]
    check_amount(window, limits, amount)
    feasible = limits.feasible_amounts()
    assert feasible is not None  # noqa: S101  (it was checked)
    amount = float(np.clip(amount, *feasible))
    fixed = problem.with_limits(limits.with_amount(amount))
    return optimise(fixed, request.objective, today, today), amount


def _box(today: Floats) -> Limits:
    return Limits.box(np.zeros(len(today)), np.maximum(today, 1.0))
