"""Concave problems with exact answers, by the number of their acceptance case, and what prices mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.decisions.ascent import Limits, ascend, nearest
from mmm_engine.decisions.budget_problem import BudgetProblem, net_of_cost
from tests.engine.decisions.problem_cases import a1, a2, problem
from tests.engine.decisions.response_cases import channel, half, random_channel, root


def best(of: BudgetProblem):
    """The end of an ascent from nothing."""
    return ascend(of.mean, np.zeros(len(of.limits.lower)), of.limits)


def test_a1_square_roots() -> None:
    """A1: x = (36, 64), R = 50, and the next unit brings .25."""
    end = best(a1())
    np.testing.assert_allclose(end.z, [36.0, 64.0], rtol=1e-8)
    assert (end.value, end.price) == pytest.approx((50.0, 0.25), rel=1e-9)
    assert end.spread < 1e-9


@given(st.lists(st.floats(0.2, 50.0), min_size=1, max_size=6), st.floats(0.01, 1e7))
def test_a1_in_general(sizes: list[float], amount: float) -> None:
    """A1: x_i = B a_i^2 / sum a^2 and R = sqrt(B sum a^2), for any sizes and budget."""
    squares = np.array(sizes) ** 2
    end = best(problem([root(f"c{at}", size) for at, size in enumerate(sizes)], amount))
    np.testing.assert_allclose(end.z, amount * squares / squares.sum(), rtol=1e-6)
    assert end.value == pytest.approx(np.sqrt(amount * squares.sum()), rel=1e-9)


@pytest.mark.parametrize(
    ("amount", "spend", "brings", "price"),
    [(200.0, (100.0, 100.0, 0.0), 100.0, 1 / 9), (400.0, (187.5, 170.0, 42.5), 113.736842, 0.04432133)],
)
def test_a2_some_channels_get_nothing(
    amount: float, spend: tuple[float, ...], brings: float, price: float
) -> None:
    """A2: x_i = max(0, sqrt(beta_i k_i / price) - k_i)."""
    end = best(a2(amount))
    np.testing.assert_allclose(end.z, spend, atol=1e-6)
    assert end.value == pytest.approx(brings, rel=1e-8)
    assert end.price == pytest.approx(price, rel=1e-6)
    assert end.shortfall < 1e-8 * brings


def test_a2_the_third_channel_enters_at_230() -> None:
    """A2: it gets nothing below a budget of 230, and something above."""
    assert best(a2(229.9)).z[2] == 0.0
    assert best(a2(230.1)).z[2] > 0.0


def test_a2f_frontier() -> None:
    """A2f: R*(B) = 130 - 8100 / (B + 70) from B = 20, where the first channel enters, to 230."""
    for amount in np.linspace(20.0, 230.0, 12):
        assert best(a2(amount)).value == pytest.approx(130.0 - 8100.0 / (amount + 70.0), rel=1e-9)


def test_a3_a_cap_has_a_price() -> None:
    """A3: with x2 <= 60 the answer is (131.25, 60, 8.75); one more unit of the cap brings .1739."""
    end = best(a2(200.0, upper=[1000.0, 60.0, 1000.0]))
    np.testing.assert_allclose(end.z, [131.25, 60.0, 8.75], rtol=1e-7)
    assert (end.value, end.price) == pytest.approx((96.931034, 0.07609988), rel=1e-7)
    assert end.bound_prices[1] == pytest.approx(0.17390012, rel=1e-6)
    looser = best(a2(200.0, upper=[1000.0, 60.01, 1000.0]))
    assert (looser.value - end.value) / 0.01 == pytest.approx(0.1739, rel=1e-3)


def test_a3_a_cap_on_a_group_costs_the_same() -> None:
    """A row that says x2 <= 60 has the answer and the price of the bound."""
    limits = a2().limits
    grouped = Limits(
        limits.lower, limits.upper, limits.cost, np.array([[0.0, 1.0, 0.0]]), np.array([60.0]), ("g",), 200.0
    )
    end = best(a2().with_limits(grouped))
    np.testing.assert_allclose(end.z, [131.25, 60.0, 8.75], rtol=1e-6)
    assert end.row_prices[0] == pytest.approx(0.17390012, rel=1e-6)
    assert end.spread < 1e-8


def test_a4_profit_stops_where_the_next_unit_earns_itself() -> None:
    """A4: at 4 per unit the free budget is 110: (50, 60, 0), profit 230."""
    free = a2(None)
    end = ascend(net_of_cost(free.mean, 4.0, free.limits.cost), np.zeros(3), free.limits)
    np.testing.assert_allclose(end.z, [50.0, 60.0, 0.0], atol=1e-6)
    assert end.value == pytest.approx(230.0, rel=1e-9)
    np.testing.assert_allclose(4.0 * free.mean(end.z)[1], [1.0, 1.0, 0.36], rtol=1e-6)


def test_a9_carry_over_prefers_early_spend() -> None:
    """A9: sqrt with carry-over .2 and no carry-out: B = 144 goes (100, 44), R = 18."""
    early = channel("a", "root", 1.0, periods=2, weights=(1.0, 0.2), carry_out=False, alpha=0.5)
    end = best(problem([early], 144.0, by_period=True))
    np.testing.assert_allclose(end.z, [100.0, 44.0], rtol=1e-6)
    assert end.value == pytest.approx(18.0, rel=1e-10)
    even = problem([early], 144.0).mean(np.array([144.0]))[0]
    assert even == pytest.approx(17.7804, abs=5e-5)


def test_a13_geos_share_by_what_they_bring() -> None:
    """A13: beta pop sqrt(x / pop): (40, 30) and 22.135944; by population it is 20.916501."""
    geos = problem([root("small", 2.0, rate=1.0), root("large", 1.0 * 3.0 / np.sqrt(3.0))], 70.0)
    end = best(geos)
    np.testing.assert_allclose(end.z, [40.0, 30.0], rtol=1e-7)
    assert end.value == pytest.approx(22.135944, rel=1e-7)
    assert geos.mean(np.array([17.5, 52.5]))[0] == pytest.approx(20.916501, rel=1e-7)


@pytest.mark.parametrize(
    ("growth", "sizes", "amount", "spend", "brings"),
    [((0.5, 0.5), (1.0, 8.0), 17.0, (1.0, 16.0), 17.0), ((0.0, 0.5), (1.0, 2.0), 12.0, (8.0, 4.0), 5.656854)],
)
def test_a14_prices_that_rise_with_spend(
    growth: tuple[float, ...],
    sizes: tuple[float, ...],
    amount: float,
    spend: tuple[float, ...],
    brings: float,
) -> None:
    """A14: u = s^(1 - g); the marginal price is 1 / (1 - g) of the price, which re-pricing by hand forgets."""
    channels = [
        root(f"c{at}", size, price_growth=g) for at, (size, g) in enumerate(zip(sizes, growth, strict=True))
    ]
    priced = problem(channels, amount)
    end = best(priced)
    np.testing.assert_allclose(end.z, spend, rtol=1e-6)
    assert end.value == pytest.approx(brings, rel=1e-7)
    if growth[0] == 0.0:
        assert priced.mean(np.array([4.815, 7.185]))[0] == pytest.approx(5.468738, rel=1e-4)


# --- laws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_period", [False, True])
def test_a_plan_by_period_is_never_worse_than_even_spend(by_period: bool) -> None:
    """Marginals of free cells agree to 1e-9, and nothing within the limits brings visibly more."""
    channels = [random_channel(f"c{at}", at) for at in range(4)]
    cells = problem(channels, 20.0, by_period=True)
    end, totals = best(cells), best(problem(channels, 20.0))
    assert end.value >= totals.value
    assert end.spread < 1e-9
    assert end.shortfall < 1e-8 * end.value
    assert end.z.sum() == pytest.approx(20.0, rel=1e-12)


@given(st.permutations(range(3)), st.sampled_from([1e-6, 1e-3, 1e3, 1e6]))
def test_units_of_money_and_order_change_nothing(order: list[int], unit: float) -> None:
    """Money times a thousand leaves shares alone and divides the price; channels in another order are the same ones."""
    sizes, halves = (50.0, 80.0, 9.0), (50.0, 20.0, 100.0)
    channels = [half(f"c{at}", sizes[at], halves[at], rate=1.0 / unit) for at in order]
    end = best(problem(channels, 400.0 * unit))
    np.testing.assert_allclose(end.z / unit, np.array([187.5, 170.0, 42.5])[order], rtol=1e-6)
    assert end.price * unit == pytest.approx(0.04432133, rel=1e-6)
    assert end.spread < 1e-8


def test_draws_in_another_order_change_nothing() -> None:
    """The mean knows no order."""
    channels = [random_channel(f"c{at}", at) for at in range(3)]
    turned = [one.of_draws(np.arange(7)[::-1]) for one in channels]
    np.testing.assert_allclose(best(problem(channels, 9.0)).z, best(problem(turned, 9.0)).z, rtol=1e-7)


def test_a_flat_channel_gets_its_floor_and_one_that_is_fixed_stays() -> None:
    """What brings nothing gets no more than it must; a kept channel keeps what it has."""
    channels = [half("flat", 0.0, 10.0), half("one", 50.0, 50.0), half("kept", 80.0, 20.0)]
    end = best(problem(channels, 100.0, lower=[5.0, 0.0, 30.0], upper=[50.0, 100.0, 30.0]))
    np.testing.assert_allclose(end.z, [5.0, 65.0, 30.0], rtol=1e-9)


@pytest.mark.parametrize("amount", [0.0, 1000.0])
def test_edges_of_the_budget(amount: float) -> None:
    """Nothing, and all that the bounds allow."""
    end = best(a2(amount, upper=[500.0, 300.0, 200.0]))
    np.testing.assert_allclose(end.z, np.array([500.0, 300.0, 200.0]) * amount / 1000.0, atol=1e-6)


def test_one_channel_one_period() -> None:
    """There is nothing to choose."""
    assert best(problem([root("only", 2.0)], 49.0)).z == pytest.approx([49.0])


def test_feasible_budgets_are_told() -> None:
    """Bounds alone, and with a group; None where limits exclude each other."""
    limits = Limits.box(np.array([1.0, 2.0]), np.array([10.0, 20.0]))
    assert limits.feasible_amounts() == (3.0, 30.0)
    group = Limits(
        *(getattr(limits, n) for n in ("lower", "upper", "cost")), np.ones((1, 2)), np.array([12.0])
    )
    assert group.feasible_amounts() == pytest.approx((3.0, 12.0))
    assert Limits.box(np.array([3.0]), np.array([2.0])).feasible_amounts() is None
    impossible = Limits(
        *(getattr(limits, n) for n in ("lower", "upper", "cost")), np.ones((1, 2)), np.array([2.0])
    )
    assert impossible.feasible_amounts() is None


@given(st.lists(st.floats(-5, 25), min_size=3, max_size=3))
def test_the_nearest_point_is_within_the_limits(z: list[float]) -> None:
    """And a point that is within them stays."""
    limits = Limits.box(np.zeros(3), np.full(3, 10.0), 12.0)
    point = nearest(limits, np.array(z))
    assert point.sum() == pytest.approx(12.0, rel=1e-9)
    assert (point >= 0.0).all()
    assert (point <= 10.0).all()
    np.testing.assert_allclose(nearest(limits, point), point, atol=1e-5)


def test_one_free_channel_is_no_proof() -> None:
    """Where all others lie at bounds its marginal is the price by itself; the others must be rightly there."""
    channels = [half("a", 50.0, 50.0), half("b", 80.0, 20.0), half("c", 60.0, 30.0), half("d", 9.0, 100.0)]
    today = np.array([70.0, 50.0, 40.0, 40.0])
    case = problem(channels, 200.0, lower=today * 0.7, upper=today * 1.3)
    for start in (today, today * 0.7, np.array([91.0, 35.0, 34.0, 40.0])):
        end = ascend(case.mean, start, case.limits)
        assert end.shortfall < 1e-9 * end.value
        assert end.value == pytest.approx(best(case).value, rel=1e-12)
