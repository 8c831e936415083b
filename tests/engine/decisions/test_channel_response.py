"""The response of one channel: formulas by hand, and derivatives against small steps."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.decisions.channel_response import ChannelResponse
from tests.engine.decisions.response_cases import channel, linear, random_channel, root

CASES = {
    "carry-in, seasons and prices": random_channel("a", 1),
    "prices that grow with spend": channel(
        "b", "root", 2.0, periods=5, weights=(1.0, 0.5), price_growth=0.4, reference=3.0, alpha=0.5
    ),
    "no carry-over": channel("c", "logistic", 1.5, periods=5, lam=0.8),
    "cut off after the window": channel(
        "d", "michaelis_menten", [1.0, 2.0], periods=5, weights=(0.5, 0.3, 0.2), carry_out=False, lam=0.8
    ),
    "lags longer than the window": channel("e", "tanh", 1.0, periods=5, weights=(1,) * 8, b=2.0, c=1.0),
}


def mean(response: ChannelResponse, spend: np.ndarray) -> float:
    """Mean over draws."""
    return float(response.draws(spend).mean())


@pytest.mark.parametrize("case", CASES)
def test_derivatives_are_what_small_steps_say(case: str) -> None:
    """Gradient and Hessian of the mean, and the gradient of each draw."""
    response, spend = CASES[case], np.array([0.7, 1.3, 0.2, 2.0, 0.9])
    uniform = np.full(response.draws_count, 1.0 / response.draws_count)
    value, gradient, hessian = response.weighted(spend, uniform)
    assert value == pytest.approx(mean(response, spend), rel=1e-12)
    steps = 1e-5 * np.eye(5)
    slopes = [(mean(response, spend + s) - mean(response, spend - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6)
    np.testing.assert_allclose(response.gradient_draws(spend).mean(axis=1), gradient, rtol=1e-12)
    curvatures = [
        (response.weighted(spend + s, uniform)[1] - response.weighted(spend - s, uniform)[1]) / 2e-5
        for s in steps
    ]
    np.testing.assert_allclose(hessian, curvatures, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_a_total_is_spread_in_its_shares(case: str) -> None:
    """The line of a pattern has the value, slope and curvature of the plan that it stands for."""
    response, pattern = CASES[case], np.array([0.1, 0.3, 0.2, 0.05, 0.35])
    uniform = np.full(response.draws_count, 1.0 / response.draws_count)
    line = response.line(pattern, uniform)
    value, slope, curvature = line(np.array([6.0]))[0]
    expected, gradient, hessian = response.weighted(6.0 * pattern, uniform)
    assert value == pytest.approx(expected, rel=1e-12)
    assert slope == pytest.approx(gradient @ pattern, rel=1e-12)
    assert curvature == pytest.approx(pattern @ hessian @ pattern, rel=1e-10)


def test_nothing_spent_brings_nothing() -> None:
    """Also where media of the rows before go on working: that is not this plan's."""
    assert np.abs(CASES["carry-in, seasons and prices"].row_draws(np.zeros(5))).max() == 0.0


@pytest.mark.parametrize(
    ("periods", "shares"),
    [
        (4, {0.3: 0.8937, 0.5: 0.7656, 0.8: 0.4096, 0.9: 0.2262}),
        (13, {0.3: 0.967, 0.5: 0.9231, 0.8: 0.7092, 0.9: 0.4837}),
    ],
)
def test_a6_carry_out_is_part_of_the_response(periods: int, shares: dict[float, float]) -> None:
    """A6: of steady spend under geometric carry-over, 1 - a (1 - a^T) / (T (1 - a)) works inside the window."""
    for alpha, share in shares.items():
        weights = alpha ** np.arange(250)
        rows = linear("a", 1.0, periods=periods, weights=weights / weights.sum()).row_draws(np.ones(periods))
        assert rows.sum() == pytest.approx(periods, rel=1e-9)
        assert rows[:periods].sum() / rows.sum() == pytest.approx(share, abs=5e-5)
        exact = 1 - alpha * (1 - alpha**periods) / (periods * (1 - alpha))
        assert rows[:periods].sum() / rows.sum() == pytest.approx(exact, rel=1e-9)


def test_a6_without_carry_out_the_wrong_channel_wins() -> None:
    """A6: a channel of twice the effect that works for long looks worse than a quick one if cut off."""

    def brings(alpha: float, size: float, carry_out: bool) -> float:
        weights = alpha ** np.arange(250)
        response = linear("a", size, periods=4, weights=weights / weights.sum(), carry_out=carry_out)
        return mean(response, np.ones(4))

    assert brings(0.8, 2.0, True) == pytest.approx(2 * brings(0.42, 1.0, True), rel=1e-9)
    assert brings(0.8, 2.0, False) < brings(0.42, 1.0, False)  # for every alpha below .428
    assert brings(0.8, 2.0, False) > brings(0.44, 1.0, False)


def test_prices_that_grow_buy_less() -> None:
    """u = rate x^(1 - g) reference^g: at the reference the price is the price; beyond it media get dearer."""
    response = root("a", 1.0, rate=2.0, price_growth=0.5, reference=4.0)
    np.testing.assert_allclose(response.media(np.array([4.0])), 8.0)
    np.testing.assert_allclose(response.media(np.array([16.0])), 16.0)


def test_draws_can_be_chosen() -> None:
    """Some draws alone respond as they do among all."""
    response, spend = random_channel("a", 2), np.arange(5.0)
    chosen = np.array([4, 0])
    np.testing.assert_array_equal(response.of_draws(chosen).draws(spend), response.draws(spend)[chosen])
