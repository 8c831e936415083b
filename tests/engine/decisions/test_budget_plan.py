"""A chosen plan: its certificate, what it says to do, comparisons, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mmm_engine.client.decision_config import Budget, Objective
from mmm_engine.decisions.advice_record import advice_record
from mmm_engine.decisions.budget_plan import BudgetPlan, BudgetRequest, plan_budget
from mmm_engine.decisions.certificate import held_out_gain
from mmm_engine.decisions.limits import Group, Rules
from mmm_engine.decisions.planning_window import PlanningWindow, planning_window
from mmm_engine.errors import DataError
from tests.engine.decisions.test_planning_window import fitted


@pytest.fixture(scope="module")
def window() -> PlanningWindow:
    """Five coming weeks of three channels, draws of the prior."""
    return planning_window(fitted(sampler={"draws": 50, "tune": 50, "chains": 2}), 5)


def planned(
    window: PlanningWindow, budget: str | float = "last_4", objective: str = "mean", **options: Any
) -> BudgetPlan:
    """The plan of a request in words; options are those of `Rules` and of `BudgetRequest`."""
    read, aim = Budget.read(budget), Objective.read(objective)
    assert read is not None
    assert aim is not None
    rules = Rules(**{name: options.pop(name) for name in list(options) if name in Rules.__dataclass_fields__})
    return plan_budget(window, BudgetRequest(budget=read, objective=aim, rules=rules, **options))


def test_the_same_money_brings_more(window: PlanningWindow) -> None:
    """Today's budget within 30% of today's channels: never worse than today, marginals agree or bounds bind."""
    plan = planned(window)
    assert plan.spend.sum() == pytest.approx(window.current.sum(), rel=1e-9)
    assert plan.response_draws["plan"].sum(axis=0).mean() >= plan.response_draws["today"].sum(axis=0).mean()
    assert plan.certificate.is_tight
    table = plan.table.set_index("channel")
    assert (table["plan"] <= table["today"] * 1.3 + 1e-9).all()
    assert (table["plan"] >= table["today"] * 0.7 - 1e-9).all()
    binding = set(plan.certificate.binding["what"])
    free = [name for name in window.channels if name not in binding]
    assert len(free) <= len(window.channels)


def test_by_period_is_never_worse_than_totals(window: PlanningWindow) -> None:
    """More freedom, the same money; totals still stay within 30% of today's."""
    totals, cells = planned(window), planned(window, by_period=True)
    assert cells.optimum.end.value >= totals.optimum.end.value - 1e-9
    change = cells.spend.sum(axis=0) / window.current.sum(axis=0)
    assert (change <= 1.3 + 1e-6).all()
    assert (change >= 0.7 - 1e-6).all()
    assert not window.beyond_seen(cells.spend * (1 - 1e-9)).any()
    assert cells.certificate.spread < 1e-6


def test_kept_channels_keep_todays_plan(window: PlanningWindow) -> None:
    """Not nothing: what they spend today, period by period."""
    plan = planned(window, keep=("radio",), unreadable=("tv",))
    np.testing.assert_allclose(plan.spend[:, [0, 1]], window.current[:, [0, 1]])
    advice = plan.table.set_index("channel")["advice"]
    assert advice["tv"] == "test first"
    assert advice["radio"] == "hold"
    assert set(plan.tests["channel"]) == {"tv", "radio", "search", "all channels"}
    assert (plan.tests["worth"] <= plan.tests["worth"].iloc[-1] * 1.05 + 1e-9).all()


def test_more_and_less_money_move_one_way(window: PlanningWindow) -> None:
    """The next money goes on top of today's, the last comes off it."""
    total = window.current.sum()
    more, less = planned(window, "+10%", beyond_seen=True), planned(window, "-20%")
    assert more.spend.sum() == pytest.approx(1.1 * total)
    assert (more.spend.sum(axis=0) >= window.current.sum(axis=0) - 1e-9).all()
    assert less.spend.sum() == pytest.approx(0.8 * total)
    assert (less.spend.sum(axis=0) <= window.current.sum(axis=0) + 1e-9).all()


def test_free_budgets_stop_where_money_earns_what_was_asked(window: PlanningWindow) -> None:
    """Profit: marginals of 1 or bounds that bind; a target return is met."""
    value = 0.02
    profit = planned(window, "profit", value=value, within=0.9, beyond_seen=True)
    end = profit.optimum.end
    assert profit.certificate.spread < 1e-6
    np.testing.assert_allclose(value * end.gradient[end.free], 1.0, rtol=1e-6)
    whole = planned(window, value=value)
    returned = value * whole.response_draws["plan"].sum(axis=0).mean() / whole.spend.sum()
    target = planned(window, f"roi {returned:.6f}", value=value)
    reached = value * target.response_draws["plan"].sum(axis=0).mean() / target.spend.sum()
    assert reached == pytest.approx(returned, rel=1e-4)
    assert target.spend.sum() == pytest.approx(whole.spend.sum(), rel=1e-3)


@pytest.mark.parametrize("objective", ["worst 10%", "beat today", "reach 3000"])
def test_caution_has_a_price(window: PlanningWindow, objective: str) -> None:
    """Another objective is at least as good at its own aim, and gives up some of the mean."""
    mean, other = planned(window), planned(window, objective=objective)
    assert other.certificate.price_of_caution >= 0.0
    assert other.certificate.price_of_caution == pytest.approx(
        mean.optimum.end.value - other.problem.mean(other.optimum.end.z)[0], abs=1e-6 * mean.optimum.end.value
    )


def test_groups_and_steps_hold(window: PlanningWindow) -> None:
    """Together at most so much, and no step larger than a fifth of today's mean."""
    most = 0.9 * window.current[:, :2].sum()
    grouped = planned(window, groups=(Group("screens", ("tv", "radio"), most=most),))
    assert grouped.spend[:, :2].sum() <= most * (1 + 1e-9)
    assert "screens" in set(grouped.certificate.binding["what"])
    smooth = planned(window, by_period=True, step=0.2, within=None)
    steps = np.abs(np.diff(smooth.spend, axis=0)).max(axis=0)
    assert (steps <= 0.2 * window.current.mean(axis=0) + 1e-6).all()


def test_plans_are_compared_on_the_same_draws(window: PlanningWindow) -> None:
    """Today's gains nothing over itself; shares of being best add up to one."""
    plan = planned(window, value=0.02)
    frame = plan.compare({"double": 2.0 * window.current, "none": dict.fromkeys(window.channels, 0.0)})
    frame = frame.set_index("plan")
    assert list(frame.index) == ["today", "this plan", "double", "none"]
    assert frame.loc["today", "gain"] == 0.0
    assert frame.loc["none", "response"] == 0.0
    assert frame.loc["none", "gain"] == pytest.approx(
        window.current.sum() - 0.02 * frame.loc["today", "response"]
    )
    assert frame["best"].sum() == pytest.approx(1.0)


def test_the_frontier_rises_ever_slower(window: PlanningWindow) -> None:
    """More money brings more, the next unit ever less; at today's budget it is this plan."""
    plan = planned(window)
    frontier = plan.frontier(9)
    assert frontier["response"].is_monotonic_increasing
    assert (np.diff(frontier["response"], 2) <= 1e-9).all()
    at_today = np.interp(window.current.sum(), frontier["budget"], frontier["response"])
    assert at_today == pytest.approx(plan.optimum.end.value, rel=1e-3)
    totals = frontier[list(window.channels)].sum(axis=1)
    np.testing.assert_allclose(totals, frontier["budget"], rtol=1e-9)


def test_the_judge_did_not_choose(window: PlanningWindow) -> None:
    """The judged gain is not above the promised one by more than noise, and both halves judge."""
    gain = planned(window, within=0.9).gain
    assert gain.gain <= gain.promised + 1e-9
    assert gain.gain_q05 <= gain.gain <= gain.gain_q95
    assert gain.worst <= gain.gain_q05
    assert 0.0 <= gain.better <= 1.0


def test_what_cannot_be_meant_is_refused(window: PlanningWindow) -> None:
    """Unknown names, budgets out of reach (with what can be reached), profit without a value, returns nobody has."""
    total = window.current.sum()
    for options, words in (
        ({"keep": ("telly",)}, "'telly'"),
        ({"budget": 10.0 * total}, "which the limits allow"),
        ({"budget": "profit"}, "set 'margin'"),
        ({"budget": "roi 1000", "value": 1e-6}, "ask for a lower return"),
        ({"bounds": {"tv": (1e9, 2e9)}}, "limits that leave room"),
    ):
        with pytest.raises(DataError, match=words):
            planned(window, **options)
    with pytest.raises(DataError, match=f"{0.7 * total:.5g}"[:4].replace(".", "\\.")):
        planned(window, 0.1 * total)


def test_more_than_was_ever_seen_is_said_cell_by_cell(window: PlanningWindow) -> None:
    """Forbidden by default; where it is allowed, each such cell is listed with the largest amount seen."""
    big = replace(window, current=window.largest * 0.99)
    assert not planned(big, "last_4").certificate.beyond_seen.size
    beyond = planned(big, "+10%", beyond_seen=True).certificate.beyond_seen
    assert len(beyond)
    assert (beyond["amount"] > beyond["largest"]).all()


def test_a_channel_that_was_never_used_is_named() -> None:
    """It gets nothing, and the certificate says that it is for want of history."""
    from mmm_engine.posterior.fitted_window import FittedWindow
    from tests.engine.model_cases import drawn_from_prior, small_inputs

    inputs = small_inputs(held_out=0)
    silent = replace(inputs, media_scaled=inputs.media_scaled * [1, 1, 0], spend=inputs.spend * [1, 1, 0])
    window = planning_window(FittedWindow.of(silent, drawn_from_prior(inputs)), 4)
    plan = planned(window)
    assert plan.certificate.without_history == ("search",)
    assert plan.spend[:, 2].sum() == 0.0


def test_a_plan_that_changes_nothing_never_wins() -> None:
    """All channels kept: it beats today's in no draw, whatever the last digits say, and the advice is to hold."""
    window = planning_window(fitted(), 4)
    plan = plan_budget(window, BudgetRequest(unreadable=window.channels))
    np.testing.assert_allclose(plan.spend, window.current, rtol=1e-12)
    assert (plan.gain.better, plan.gain.gain) == (0.0, 0.0)
    assert not plan.acts
    nudged = plan_budget(window, BudgetRequest(unreadable=window.channels))
    spend = window.current * (1.0 + 1e-14)
    assert (
        held_out_gain(window, nudged.problem, nudged.request.objective, spend.sum(axis=0), None).better == 0.0
    )


def test_a_plan_where_nothing_may_move_says_so(window: PlanningWindow) -> None:
    """Not that no plan was sure enough: there was none to choose. Why, by channel; one that may move is enough."""
    every = window.channels
    assert planned(window, unreadable=every).sentence == (
        "Hold: the model cannot read the return of any channel, so that all go on as today; "
        f"test one first ({', '.join(every)})."
    )
    kept = planned(window, keep=every[:2], unreadable=every[2:])
    assert kept.sentence == (
        f"Hold: nothing may move: the limits keep {every[0]}, {every[1]} as today, and the model cannot read the "
        f"return of {every[2]}."
    )
    assert advice_record(kept)["frozen"] in kept.sentence
    assert planned(window, within=0.0).frozen.startswith("nothing may move: the limits keep")
    assert planned(window, keep=every[1:]).frozen == ""


def test_certainty_is_said_as_people_say_it(window: PlanningWindow) -> None:
    """Draws never know that something is certain: no 100% in the sentence, whatever all of them agree on."""
    plan = planned(window)
    vars(plan)["gain"] = replace(plan.gain, better=1.0, gain=max(plan.gain.gain, 1.0))
    assert "beats today in nearly every draw." in plan.sentence
    assert "100%" not in plan.sentence
