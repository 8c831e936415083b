"""Fixed and free budgets, objectives, and SciPy as the reference, by the number of the acceptance case."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, minimize

from mmm_engine.client.decision_config import Objective
from mmm_engine.decisions.optimiser import optimise, optimise_profit, optimise_return
from tests.engine.decisions.problem_cases import a2, a5, problem
from tests.engine.decisions.response_cases import hill, random_channel

MEAN = Objective("mean")


def test_a4_profit_and_target_marginal_return() -> None:
    """A4: value 4: B = 110, R = 85, profit 230, return 3.0909; prices are in the response."""
    best = optimise_profit(a2(None), 4.0, np.zeros(3))
    np.testing.assert_allclose(best.end.z, [50.0, 60.0, 0.0], atol=1e-6)
    assert best.end.value == pytest.approx(85.0, rel=1e-8)
    assert best.end.price == pytest.approx(0.25)
    assert 4.0 * best.end.value - best.end.z.sum() == pytest.approx(230.0, rel=1e-9)
    assert best.gap < 1e-6


def test_a4b_target_return() -> None:
    """A4b: value 4, return 2: the budget is 200 exactly."""
    best = optimise_return(a2(None, upper=[500.0] * 3), 4.0, 2.0, np.zeros(3))
    assert best is not None
    assert best.end.z.sum() == pytest.approx(200.0, rel=1e-8)
    assert 4.0 * best.end.value / best.end.z.sum() == pytest.approx(2.0, rel=1e-8)


def test_a_return_that_no_budget_has() -> None:
    """None where even the smallest budget returns less; all that is allowed where everything returns more."""
    assert optimise_return(a2(None, lower=[100.0] * 3, upper=[500.0] * 3), 4.0, 10.0, np.zeros(3)) is None
    whole = optimise_return(a2(None, upper=[10.0, 10.0, 10.0]), 4.0, 0.1, np.zeros(3))
    assert whole is not None
    np.testing.assert_allclose(whole.end.z, 10.0)


@pytest.mark.parametrize(
    ("more", "spend", "brings"),
    [
        (10.0, (70.0, 120.0, 20.0), 99.238095),
        (50.0, (110.0, 120.0, 20.0), 104.446429),
        (100.0, (144.44, 135.56, 20.0), 108.357143),
    ],
)
def test_a11_where_the_next_amount_goes(more: float, spend: tuple[float, ...], brings: float) -> None:
    """A11: no channel below today's (60, 120, 20); all to the first until the second is as good."""
    today = np.array([60.0, 120.0, 20.0])
    case = a2(200.0 + more, lower=today, upper=[1000.0] * 3)
    best = optimise(case, MEAN, today, today)
    np.testing.assert_allclose(best.end.z, spend, atol=0.01)
    assert best.end.value == pytest.approx(brings, rel=1e-7)
    if more == 50.0:
        assert best.end.price == pytest.approx(25 / 256, rel=1e-6)
    np.testing.assert_allclose(a2().mean(today)[1], [0.2066, 0.0816, 0.0625], atol=5e-5)


def test_s_curves_come_with_a_gap_and_other_ways_say_that_they_have_none() -> None:
    """A5 through the front door; with carry-over by period only the neighbourhood is known."""
    assert optimise(a5(), MEAN, np.array([75.0, 75.0]), np.array([75.0, 75.0])).gap < 2e-5
    lagged = problem([hill("one", 1.0, periods=4, weights=(0.7, 0.3))], 200.0, by_period=True)
    best = optimise(lagged, MEAN, np.full(4, 50.0), np.full(4, 50.0))
    assert np.isnan(best.gap)
    assert best.end.value > lagged.mean(np.full(4, 50.0))[0]


def test_scipy_finds_nothing_better() -> None:
    """SLSQP's best of three starts on eight random problems is never better by more than 1e-6."""
    rng = np.random.default_rng(11)
    for number in range(8):
        by_period = number % 2 == 1
        channels = [random_channel(f"c{at}", 100 * number + at, periods=3) for at in range(4)]
        n = 12 if by_period else 4
        lower, upper = rng.uniform(0, 0.5, n), rng.uniform(2, 9, n)
        amount = float(lower.sum() + rng.uniform(0.1, 0.9) * (upper - lower).sum())
        case = problem(channels, amount, by_period=by_period, lower=lower, upper=upper)
        best = optimise(case, MEAN, lower, lower)
        reference = max(
            -minimize(
                lambda z, case=case: (-case.mean(z)[0], -case.mean(z)[1]),
                rng.uniform(lower, upper),
                jac=True,
                method="SLSQP",
                bounds=Bounds(lower, upper),
                constraints=LinearConstraint(np.ones(n), amount, amount),
                options={"maxiter": 300, "ftol": 1e-12},
            ).fun
            for _ in range(3)
        )
        assert best.end.value >= reference - 1e-6 * abs(reference)
        assert best.gap < 1e-7 * best.end.value
