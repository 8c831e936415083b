"""What could be known at best: the oracle's posterior, what the model is told, and their table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.truth.baseline import season_forms, season_shape
from tests.benchmarks.truth.clients import careful_client
from tests.benchmarks.truth.floor import INFORMED, ORACLES, WORDS, summary
from tests.benchmarks.truth.informed import Told, informed_client
from tests.benchmarks.truth.oracle import (
    Evidence,
    Knowledge,
    ReturnFamily,
    draw_contributions,
    evidence,
    oracle_fit,
)
from tests.benchmarks.truth.recipes import draw_recipe
from tests.benchmarks.truth.scoring import score_fit
from tests.benchmarks.truth.test_worlds import plain_recipe
from tests.benchmarks.truth.worlds import World, build_world, make_world


def plain_world(**changes: object) -> World:
    """A weekly world of two channels without anything special."""
    return build_world(plain_recipe(**changes))


def one_channel(precision: float, projection: float) -> Evidence:
    """What rows say of one contribution."""
    return Evidence(np.array([[precision]]), np.array([projection]))


def test_one_channel_has_the_posterior_of_a_sum_over_a_grid() -> None:
    """Prior of log theta / 2: normal with variance 1.2² + 0.55²; rows: theta = 1.5 ± 0.5."""
    family = ReturnFamily(np.array([2.0]), np.array([True]))
    draws = draw_contributions(one_channel(4.0, 6.0), family, np.random.default_rng(2)).ravel()
    log_theta = np.linspace(-8, 4, 20_001)
    theta = 2.0 * np.exp(log_theta)
    weight = np.exp(-0.5 * log_theta**2 / (1.2**2 + 0.55**2) - 0.5 * ((theta - 1.5) / 0.5) ** 2)
    cumulated = np.cumsum(weight) / weight.sum()
    exact = np.interp([0.05, 0.5, 0.95], cumulated, theta)
    np.testing.assert_allclose(np.quantile(draws, [0.05, 0.5, 0.95]), exact, rtol=0.03)


def test_where_rows_say_nothing_the_prior_comes_back() -> None:
    """With a spread that is told, variances are 1.2² + 0.3² and two paid channels have 1.2² in common."""
    family = ReturnFamily(np.ones(3), np.array([True, True, False]), spread=0.3, learnt=False)
    silent = Evidence(np.zeros((3, 3)), np.zeros(3))
    draws = np.log(draw_contributions(silent, family, np.random.default_rng(3)).reshape(-1, 3))
    of_mean = 1.2**2 + 0.3**2 / 2
    expected = [[1.53, 1.44, of_mean], [1.44, 1.53, of_mean], [of_mean, of_mean, of_mean + 1.2**2]]
    np.testing.assert_allclose(family.covariance(), expected)
    np.testing.assert_allclose(np.cov(draws.T), expected, rtol=0.08)


def test_an_unknown_constant_costs_what_centring_costs() -> None:
    """A constant that may be anything: A is the sum of squares around the mean over the variance of the noise."""
    shape = np.array([1.0, 2.0, 3.0, 6.0])
    flat = 0.25 * np.eye(4) + 1e8 * np.ones((4, 4))
    told = evidence(5.0 * shape + 100.0, shape[:, None], flat)
    assert told.precision[0, 0] == pytest.approx((4 + 1 + 0 + 9) / 0.25, rel=1e-5)
    assert told.projection[0] / told.precision[0, 0] == pytest.approx(5.0, rel=1e-5)


def test_rows_without_noise_tell_the_oracle_the_truth() -> None:
    """Also beside a baseline of which it knows the forms alone."""
    world = plain_world(noise=1e-4, trend="linear", trend_size=0.3)
    for knowledge in (Knowledge(baseline=True), Knowledge(baseline=False)):
        scores = score_fit(world, oracle_fit(world, knowledge, 100))
        assert max(channel["width"] for channel in scores["channels"]) < 0.01
        assert scores["media"]["ratio"] == pytest.approx(1.0, abs=0.005)


def test_the_oracle_knows_less_the_less_it_is_told() -> None:
    """Intervals of the total widen from the whole baseline to its forms, and where rows count by half."""
    world = plain_world(trend="walk", trend_size=0.3, season=0.12)
    widths = [
        score_fit(world, oracle_fit(world, knowledge, 200))["media"]["width"]
        for knowledge in (Knowledge(True), Knowledge(False), Knowledge(False, power=0.5))
    ]
    assert widths[0] < widths[1] < widths[2]


def test_a_channel_without_effect_is_known_to_have_none() -> None:
    """And the others are drawn without it."""
    channels = plain_recipe().channels
    world = plain_world(channels=(channels[0], replace(channels[1], null=True)))
    contribution = oracle_fit(world, Knowledge(True), 20).contribution
    assert (contribution[:, 1] == 0.0).all()
    assert (contribution[:, 0] > 0.0).all()


def test_every_season_is_a_sum_of_its_forms() -> None:
    """Least squares leaves nothing, whatever the season's phase."""
    dates = pd.date_range("2022-01-03", periods=120, freq="W-MON")
    forms = season_forms(dates)
    for seed in range(8):
        season = season_shape(np.random.default_rng(seed), dates)
        coefficients = np.linalg.lstsq(forms, season, rcond=None)[0]
        np.testing.assert_allclose(forms @ coefficients, season, atol=1e-9)


def test_what_the_model_is_told_is_the_truth() -> None:
    """Told all, sales are a constant plus each column times a factor plus noise; costs are what was spent."""
    world = plain_world(trend="walk", trend_size=0.3, season=0.12)
    assert world.workings is not None
    assert world.expected is not None
    data = informed_client(world, Told(curves=True, baseline=True))
    totals = world.contribution.sum(axis=0)
    media = (data.media / data.media.sum(axis=0)) @ totals
    noise = world.rows.frame["sales"].to_numpy() - world.expected
    np.testing.assert_allclose(data.target - media - noise, (world.expected - world.media_effect).mean())
    np.testing.assert_allclose(data.spend, world.spend)
    assert data.config.channel_names == careful_client(world.rows).config.channel_names
    assert data.config.model.saturation == "none"
    assert data.config.model.baseline is None


def test_told_the_carry_over_alone_the_model_keeps_its_curves_and_its_baseline() -> None:
    """A channel that works on the day of its spend and is linear has the same column, up to its mean."""
    channels = plain_recipe().channels
    at_once = replace(channels[0], adstock="none", adstock_parameters={})
    world = plain_world(channels=(at_once, channels[1]))
    data = informed_client(world, Told(carry_over=True))
    usual = careful_client(world.rows)
    spent = usual.media[:, 0]
    np.testing.assert_allclose(
        data.media[:, 0] / data.media[:, 0].mean(), spent / spent.mean(), atol=2e-4
    )  # cents
    assert data.config.model.adstock.kind == "none"
    assert data.config.model.saturation == usual.config.model.saturation
    assert data.config.model.baseline == usual.config.model.baseline
    np.testing.assert_allclose(data.target, usual.target)


def test_organic_channels_stay_without_a_cost() -> None:
    """Their return is that of no money, whatever the column holds."""
    number = next(n for n in range(40) if any(c.unit == "posts" for c in draw_recipe(n, 1).channels))
    world = make_world(number)
    data = informed_client(world, Told(carry_over=True))
    assert data.config.paid == careful_client(world.rows).config.paid


def test_stored_worlds_are_refused() -> None:
    """They do not say how they came about."""
    world = replace(make_world(3), workings=None)
    for ask in (lambda: oracle_fit(world, Knowledge(True)), lambda: informed_client(world, Told())):
        with pytest.raises(ValueError, match=r"s1w003.*without its workings"):
            ask()


def test_the_table_has_a_row_per_observer() -> None:
    """With widths by size, and the words of each."""
    world = plain_world(media_share=0.02)
    records = [
        {
            "world": world.rows.name,
            "scheme": name,
            "window": "full",
            "seconds": 0.0,
            "tags": world.tags,
            **score_fit(world, oracle_fit(world, knowledge, 20)),
        }
        for name, knowledge in list(ORACLES.items())[:2]
    ]
    table = summary(records)
    assert [WORDS[name] in table for name in list(ORACLES)[:2]] == [True, True]
    assert "channels 0.5%–2.0% of sales" in table


def test_every_observer_has_words() -> None:
    """The page would have its bare name."""
    assert set(WORDS) == {*ORACLES, *INFORMED, "calibrated"}
    assert Path(__file__).with_name("floor.py").exists()
