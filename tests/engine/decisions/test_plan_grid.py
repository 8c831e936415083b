"""The grid that a page of sliders adds up: the gains of the plan itself, draw by draw, to two bytes."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mmm_engine.decisions.budget_plan import BudgetPlan, BudgetRequest, plan_budget
from mmm_engine.decisions.plan_grid import SHARES, gain_grid
from mmm_engine.decisions.planning_window import planning_window
from tests.engine.decisions.test_planning_window import fitted


def decoded(grid: dict[str, Any], at: int) -> np.ndarray:
    """Gains of one channel, shape (share, draw)."""
    channel = grid["channels"][at]
    flat = np.frombuffer(base64.b64decode(channel["gains"]), dtype="<i2")
    return flat.reshape(len(grid["shares"]), grid["draws"]) * channel["unit"]


def planned(value: float | None, **changes: Any) -> BudgetPlan:
    """The best plan of a small client."""
    return plan_budget(replace(planning_window(fitted(), 4), **changes), BudgetRequest(value=value))


@pytest.mark.parametrize("value", [None, 0.3])
def test_gains_of_channels_add_up_to_those_of_a_plan(value: float | None) -> None:
    """Shares of 0, 1.2 and 1.5: the same as the comparison of plans says, within half a step of two bytes."""
    plan = planned(value)
    grid = json.loads(json.dumps(gain_grid(plan), allow_nan=False))
    shares = np.array([0.0, 1.2, 1.5])
    compared = plan.compare({"tried": plan.window.current * shares}).set_index("plan").loc["tried"]
    places = [int(np.flatnonzero(np.isclose(SHARES, share))[0]) for share in shares]
    total = sum(decoded(grid, at)[place] for at, place in enumerate(places))
    error = sum(channel["unit"] for channel in grid["channels"])
    assert total.mean() == pytest.approx(compared["gain"], abs=error)
    assert np.quantile(total, 0.05) == pytest.approx(compared["gain_q05"], abs=error)


def test_today_gains_exactly_nothing() -> None:
    """The share 1 is a row of zeros."""
    grid = gain_grid(planned(0.3))
    at = grid["shares"].index(1.0)
    assert all(not decoded(grid, channel)[at].any() for channel in range(len(grid["channels"])))


def test_only_paid_channels_that_spend_have_a_slider() -> None:
    """A share of nothing is nothing, and views are no money."""
    window = planning_window(fitted(), 4)
    current = window.current.copy()
    current[:, 0] = 0.0
    plan = planned(None, current=current, paid=np.array([True, False, True]))
    assert [channel["channel"] for channel in gain_grid(plan)["channels"]] == [window.channels[2]]
