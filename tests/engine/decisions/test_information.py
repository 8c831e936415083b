"""What knowing more is worth: A8, and the formula against sampled outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.decisions.ascent import ascend
from mmm_engine.decisions.information import value_of_knowing_all, value_of_tests
from tests.engine.decisions.problem_cases import problem
from tests.engine.decisions.response_cases import half, root


def test_a8_regret_of_the_mean_optimum() -> None:
    """A8: knowing which of A7's two draws holds is worth 3.8983; the quadratic model says 3.9775."""
    case = problem([root("one", [6.0, 2.0]), root("two", [3.0, 5.0])], 100.0)
    end = ascend(case.mean, np.array([20.0, 80.0]), case.limits)
    np.testing.assert_allclose(end.z, [50.0, 50.0], rtol=1e-6)
    assert end.value == pytest.approx(56.5685, abs=1e-4)
    np.testing.assert_allclose(case.draws(end.z), [63.64, 49.50], atol=0.01)
    alone = [problem([root("one", a), root("two", b)], 100.0) for a, b in ((6.0, 3.0), (2.0, 5.0))]
    exact = np.mean([ascend(one.mean, end.z, one.limits).value for one in alone]) - end.value
    assert exact == pytest.approx(3.8983, abs=1e-4)
    assert value_of_knowing_all(case, end.z) == pytest.approx(3.9775, abs=1e-3)


def test_a_test_is_worth_what_sampled_outcomes_say() -> None:
    """Value of a test of each of three channels, against 400 outcomes sampled and acted upon; the same order."""
    rng = np.random.default_rng(2)
    draws = 4000
    sizes = np.array([60.0, 50.0, 40.0]) * np.exp(rng.normal(0, [0.1, 0.25, 0.05], (draws, 3)))
    case = problem([half(f"c{i}", sizes[:, i], k) for i, k in enumerate((50.0, 30.0, 40.0))], 100.0)
    end = ascend(case.mean, np.full(3, 100.0 / 3.0), case.limits)
    today = np.full((1, 3), 100.0 / 3.0)
    formula = value_of_tests(case, end.z, today, 0.1)
    sampled = np.zeros(3)
    for at, response in enumerate(case.responses):
        returned = response.draws(today[:, at]) / today[:, at].sum()
        error = 0.1 * returned.mean()
        gains = []
        for outcome in rng.choice(returned, 400) + rng.normal(0, error, 400):
            weights = np.exp(-0.5 * ((outcome - returned) / error) ** 2)
            weights /= weights.sum()
            # of x / (k + x) times a size, the mean over weighted draws is that of the mean size
            told = problem(
                [half(f"c{i}", weights @ sizes[:, i], k) for i, k in enumerate((50.0, 30.0, 40.0))], 100.0
            )
            gains.append(ascend(told.mean, end.z, told.limits).value - told.mean(end.z)[0])
        sampled[at] = np.mean(gains)
    np.testing.assert_allclose(formula, sampled, rtol=0.35, atol=0.01)
    assert list(np.argsort(formula)) == list(np.argsort(sampled)) == [2, 0, 1]


def test_nothing_can_be_gained_where_nothing_can_be_moved() -> None:
    """Without uncertainty, and between bounds that fix every channel, knowing more is worth nothing."""
    sure = problem([half("one", 50.0, 50.0), half("two", 40.0, 20.0)], 100.0)
    end = ascend(sure.mean, np.array([50.0, 50.0]), sure.limits)
    assert value_of_knowing_all(sure, end.z) == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(value_of_tests(sure, end.z, np.full((1, 2), 50.0), 0.1), 0.0, atol=1e-9)
    fixed = problem([root("one", [6.0, 2.0]), root("two", [3.0, 5.0])], 100.0, lower=[50, 50], upper=[50, 50])
    assert value_of_knowing_all(fixed, np.array([50.0, 50.0])) == 0.0
