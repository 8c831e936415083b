"""The seasonal naive forecast: the right value back, its own spread, what it does with short histories."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.scores.forecast_scores import crps, interval_coverage
from mmm_engine.scores.seasonal_naive import MIN_NAIVE_ERRORS, seasonal_naive_draws


def test_a_pure_season_is_forecast_exactly():
    """Past errors are 0, so every draw is the value one season back, also in the second season ahead."""
    season = np.array([5.0, 1.0, 9.0])
    draws = seasonal_naive_draws(np.tile(season, 6), horizon=5, season_length=3, n_draws=7)
    assert draws.tolist() == [[5.0, 1.0, 9.0, 5.0, 1.0]] * 7


def test_growth_is_carried_on():
    """A target that grew by 12 a season is forecast 12 (24) above the last known season."""
    train = np.arange(1.0, 25.0)
    draws = seasonal_naive_draws(train, horizon=14, season_length=12, n_draws=3)
    assert draws.tolist() == [list(np.arange(25.0, 39.0))] * 3


def test_the_spread_is_that_of_the_past_errors():
    """Season 1, values alternating 0 and 1: the last value 1, with errors +1 and -1 in equal parts."""
    train = np.tile([0.0, 1.0], 10)[1:]  # 19 values: 1, 0, ..., 1, so nine errors of each sign
    draws = seasonal_naive_draws(train, horizon=1, season_length=1, n_draws=100)
    values, counts = np.unique(draws, return_counts=True)
    assert values.tolist() == [0.0, 2.0]
    assert counts.tolist() == [50, 50]


def test_a_history_shorter_than_a_season_falls_back_to_the_last_value():
    """20 rows of a 52-week season: the last value, with the errors of the last value at that step."""
    train = np.arange(20.0)
    draws = seasonal_naive_draws(train, horizon=2, season_length=52, n_draws=2)
    assert draws.tolist() == [[20.0, 21.0]] * 2


def test_too_few_errors_fall_back_to_the_training_values():
    """With less than a handful of errors at any lag, what has been seen is what is expected."""
    train = np.array([1.0, 2.0, 3.0, 4.0])
    draws = seasonal_naive_draws(train, horizon=1, season_length=52, n_draws=4)
    assert draws[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_the_fallback_starts_at_the_stated_number_of_errors():
    """One error fewer than ``MIN_NAIVE_ERRORS`` changes the rule."""
    season = 10
    enough = np.arange(float(season + MIN_NAIVE_ERRORS))
    assert (
        seasonal_naive_draws(enough**2, 1, season, 1)[0, 0] != seasonal_naive_draws(enough**2, 1, 52, 1)[0, 0]
    )
    short = enough[1:]
    assert (
        seasonal_naive_draws(short**2, 1, season, 1)[0, 0] == seasonal_naive_draws(short**2, 1, 52, 1)[0, 0]
    )


def test_its_intervals_are_calibrated():
    """On noise around a season the 90% interval holds 90% of the next season, within sampling error."""
    rng = np.random.default_rng(4)
    season = np.arange(52.0)
    covered = []
    for _ in range(40):
        series = np.tile(season, 4) + rng.normal(0, 10, size=208)
        draws = seasonal_naive_draws(series[:156], horizon=52, season_length=52)
        covered.append(interval_coverage(series[156:], draws, 0.9))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)


def test_the_number_of_draws_hardly_moves_the_score():
    """Draws are quantiles, not random: 1000 of them are as good as 20000."""
    rng = np.random.default_rng(5)
    train, actual = rng.normal(100, 20, size=150), rng.normal(100, 20, size=12)
    few, many = (crps(actual, seasonal_naive_draws(train, 12, 52, n)) for n in (1000, 20_000))
    assert few == pytest.approx(many, rel=0.002)


@given(st.integers(1, 30), st.integers(1, 20), st.integers(1, 60), st.integers(1, 5))
def test_every_history_gets_a_forecast(rows, horizon, season_length, n_draws):
    """Any length, horizon and season give finite draws of the shape asked for."""
    draws = seasonal_naive_draws(np.arange(float(rows)), horizon, season_length, n_draws)
    assert draws.shape == (n_draws, horizon)
    assert np.all(np.isfinite(draws))


@pytest.mark.parametrize(
    ("rows", "horizon", "season_length", "n_draws"), [(0, 1, 1, 1), (5, 0, 1, 1), (5, 1, 0, 1)]
)
def test_nothing_to_forecast_is_refused(rows, horizon, season_length, n_draws):
    """No rows, no horizon or no season is a mistake of the caller."""
    with pytest.raises(ValueError, match="naive forecast needs"):
        seasonal_naive_draws(np.zeros(rows), horizon, season_length, n_draws)
