"""S-shaped curves: the best of all hills, by the number of the acceptance case."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.decisions.s_curves import best_of_all_hills, s_shaped_lines
from tests.engine.decisions.problem_cases import a2, a5, a5b, problem
from tests.engine.decisions.response_cases import hill


def test_a5_all_of_it_on_one() -> None:
    """A5: (150, 0) brings .7615385; (75, 75) brings .756, and the smallest D(p), p = .005, is .8022814."""
    answer = best_of_all_hills(a5(), np.array([75.0, 75.0]))
    np.testing.assert_allclose(answer.end.z, [150.0, 0.0], atol=1e-6)
    assert answer.end.value == pytest.approx(0.7615385, abs=1e-7)
    assert answer.first_bound == pytest.approx(0.8022814, abs=4e-6)
    assert answer.bound - answer.end.value < 2e-5
    np.testing.assert_allclose(
        best_of_all_hills(a5(100.0), np.array([50.0, 50.0])).end.z, [100.0, 0.0], atol=1e-6
    )


def test_a5b_two_of_three() -> None:
    """A5b: (0, 124, 126) brings 1.36245, by trying all whole amounts."""
    answer = best_of_all_hills(a5b(), np.full(3, 250.0 / 3.0))
    assert answer.end.value == pytest.approx(1.362467, abs=1e-6)
    np.testing.assert_allclose(answer.end.z, [0.0, 124.0, 126.0], atol=0.6)
    assert answer.bound - answer.end.value < 2e-5


def test_a10_pulses_beat_even_spend() -> None:
    """A10: 200 over four periods of slope 2 bring 1.0 as 100 twice, .923 as three parts, .8 even."""
    case = problem([hill("one", 1.0, periods=4)], 200.0, by_period=True)
    answer = best_of_all_hills(case, np.full(4, 50.0))
    np.testing.assert_allclose(np.sort(answer.end.z), [0.0, 0.0, 100.0, 100.0], atol=1e-4)
    assert answer.end.value == pytest.approx(1.0, rel=1e-9)
    assert answer.bound - answer.end.value < 2e-5
    assert case.mean(np.full(4, 50.0))[0] == pytest.approx(0.8)
    assert case.mean(np.array([200 / 3, 200 / 3, 200 / 3, 0.0]))[0] == pytest.approx(0.923, abs=5e-4)


def test_random_s_curves_are_not_beaten_by_a_fine_grid() -> None:
    """No plan on a grid of 61 x 61 amounts brings more, and the bound is at least what any of them brings."""
    rng = np.random.default_rng(5)
    for _ in range(5):
        size, at, slope = rng.uniform(0.5, 2.0, 3), rng.uniform(20, 120, 3), rng.uniform(1.2, 4.0, 3)
        case = problem([hill(f"c{i}", size[i], at[i], slope[i]) for i in range(3)], 200.0)
        answer = best_of_all_hills(case, np.full(3, 200.0 / 3.0))
        grid = np.linspace(0.0, 200.0, 61)
        first, second = np.meshgrid(grid, grid)
        third = 200.0 - first - second
        ok = third >= 0.0
        curves = case.lines
        values = sum(curve(x[ok])[:, 0] for curve, x in zip(curves, (first, second, third), strict=True))
        assert answer.end.value >= values.max() - 1e-9
        assert answer.bound >= values.max() - 1e-9
        assert answer.bound - answer.end.value < 5e-5


def test_which_curves_are_s_shaped() -> None:
    """Concave ones are not; a hill of slope 2 is where its range holds the turn, and is not beyond it."""
    assert s_shaped_lines(a2()) == []
    assert s_shaped_lines(a5()) == [0, 1]
    beyond = problem([hill("a", 1.0), hill("b", 1.0)], 500.0, lower=[100.0, 0.0], upper=[400.0, 400.0])
    assert s_shaped_lines(beyond) == [1]
