"""Risk over all channels jointly, by the number of the acceptance case."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, qmc

from mmm_engine.decisions.risk import best_chance, best_worst_share, worst_share
from tests.engine.decisions.problem_cases import problem
from tests.engine.decisions.response_cases import half, linear, root


def a7():
    """A7: two draws a = (6, 3) and (2, 5) of square roots, B = 100."""
    return problem([root("one", [6.0, 2.0]), root("two", [3.0, 5.0])], 100.0)


def test_a7_the_worst_case_is_another_plan() -> None:
    """A7: the worst half is best at (20, 80), 24 sqrt 5; quantiles channel by channel would say (30.77, 69.23)."""
    end, gap = best_worst_share(a7(), 0.5, np.array([50.0, 50.0]))
    np.testing.assert_allclose(end.z, [20.0, 80.0], atol=1e-3)
    assert end.value == pytest.approx(24 * np.sqrt(5), rel=1e-6)
    assert gap < 1e-4
    by_channel = np.array([30.7692, 69.2308])
    assert worst_share(a7().draws(by_channel), 0.5) == pytest.approx(52.6965, abs=1e-4)


def test_a12_the_chance_of_reaching_a_target() -> None:
    """A12: linear returns, mean (2, 1.5), sd (1.5, .5): shares (.1818, .8182) earn their money with P = .88529."""
    normal = norm.ppf(qmc.Sobol(2, seed=1).random(2**13))
    normal = (normal - normal.mean(axis=0)) / normal.std(axis=0)
    returns = np.array([2.0, 1.5]) + normal * np.array([1.5, 0.5])
    case = problem([linear("one", returns[:, 0]), linear("two", returns[:, 1])], 1.0)
    end = best_chance(case, 1.0, [np.array([0.5, 0.5])])
    np.testing.assert_allclose(end.z, [0.1818, 0.8182], atol=0.02)
    assert end.value == pytest.approx(0.88529, abs=0.003)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_no_plan_of_a_grid_has_better_worst_draws(share: float) -> None:
    """Nor does any beat the plan by more than the gap it came with."""
    rng = np.random.default_rng(8)
    case = problem([half("one", rng.gamma(2, 30, 400), 50.0), half("two", rng.gamma(9, 6, 400), 30.0)], 100.0)
    end, gap = best_worst_share(case, share, np.array([50.0, 50.0]))
    grid = [worst_share(case.draws(np.array([x, 100.0 - x])), share) for x in np.linspace(0.0, 100.0, 201)]
    assert end.value >= max(grid) - 1e-9
    assert end.value + gap >= max(grid)
    assert gap < 1e-3 * end.value
    assert end.value == pytest.approx(worst_share(case.draws(end.z), share), rel=1e-12)


def test_more_caution_gives_up_more_of_the_mean() -> None:
    """The mean falls as the share of draws looked at does."""
    rng = np.random.default_rng(9)
    case = problem([half("one", rng.gamma(2, 30, 300), 50.0), half("two", rng.gamma(9, 6, 300), 30.0)], 100.0)
    means = [
        case.mean(best_worst_share(case, share, np.array([50.0, 50.0]))[0].z)[0] for share in (0.9, 0.5, 0.1)
    ]
    assert means == sorted(means, reverse=True)
