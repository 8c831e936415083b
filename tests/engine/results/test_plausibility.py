"""Priors stand beside the right parameters; what a fit says of media, controls and baseline is counted as it is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mmm_engine.model.prior_draws import prior_ranges
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.parameter_table import parameter_frame
from mmm_engine.results import plausibility
from mmm_engine.results.plausibility import media_support, plausibility_scores, usual_r_squared
from mmm_engine.results.returns import channel_returns


def _score(window: FittedWindow, metric: str, channel: str = "all") -> float:
    scores = plausibility_scores(window)
    return float(scores.loc[(scores["metric"] == metric) & (scores["channel"] == channel), "value"].item())


def test_parameters_get_the_range_of_their_own_prior(fitted_window: FittedWindow) -> None:
    """Names line up with the specification's order; data that follow the model push against no prior."""
    summary = parameter_frame(fitted_window).set_index("parameter")
    specification = fitted_window.specification
    ranges = prior_ranges(specification.parameters)
    for spec in specification.parameters:
        rows = summary[[name.split("[")[0] == spec.name for name in summary.index]]
        assert np.array_equal(rows[["prior_q01", "prior_q99"]].to_numpy().T, ranges[spec.name])
    inside = summary["q50"].between(summary["prior_q01"], summary["prior_q99"])
    assert inside.mean() > 0.9


def test_a_negative_baseline_is_counted_draw_by_draw_and_row_by_row(fitted_window: FittedWindow) -> None:
    """A quarter of the draws moved far below 0 is a probability of a quarter more."""
    moved = fitted_window.posterior.copy(deep=True)
    moved["posterior"]["intercept"].values[0] = -100.0
    chains = fitted_window.posterior["posterior"].sizes["chain"]
    after = _score(FittedWindow.of(fitted_window.inputs, moved), "baseline_negative")
    before = _score(fitted_window, "baseline_negative")
    assert before < 0.01
    assert after == pytest.approx(before + 1.0 / chains, abs=0.01)


def test_a_baseline_below_zero_says_nothing_of_a_target_that_lies_there_itself(
    fitted_window: FittedWindow,
) -> None:
    """Net flows: more than a tenth of the rows below 0."""
    moved = replace(fitted_window.inputs, target_scaled=fitted_window.inputs.target_scaled - 2.0)
    assert math.isnan(_score(FittedWindow.of(moved, fitted_window.posterior), "baseline_negative"))


def test_a_baseline_below_zero_says_nothing_of_days_on_which_nothing_was_sold(
    fitted_window: FittedWindow,
) -> None:
    """A shop that is closed on every other day: what is expected around 0 there falls to either side of it."""
    rows = fitted_window.inputs.train_rows
    is_open = np.arange(len(fitted_window.inputs.target_scaled)) % 2 == 0
    closed = replace(fitted_window.inputs, target_scaled=fitted_window.inputs.target_scaled * is_open)
    expected = np.tile(np.where(is_open[:rows], 1.0, -0.01), (10, 1))
    expected[0] = -1.0  # one draw of ten says below 0 of the days on which it was open, too
    assert plausibility._share_below_zero(FittedWindow.of(closed, fitted_window.posterior), expected) == 0.1
    assert plausibility._share_below_zero(fitted_window, expected) > 0.5


def test_media_of_a_net_figure_are_known_as_well_as_those_of_its_gross_one(
    fitted_window: FittedWindow,
) -> None:
    """A target whose sum lies below 0 turned every share around: each draw was off by more than a factor of 2."""
    below = replace(fitted_window.inputs, target_scaled=fitted_window.inputs.target_scaled - 2.0)
    turned = FittedWindow.of(below, fitted_window.posterior)
    assert below.target_scaled[: below.train_rows].sum() < 0
    assert _score(turned, "media_share_far") == _score(fitted_window, "media_share_far")
    assert 0 < _score(turned, "media_share_q05") < _score(turned, "media_share_q95")


def test_the_share_of_media_is_that_of_the_returns(fitted_window: FittedWindow) -> None:
    """The sum over channels of contributions, over the sum of the target."""
    returns = channel_returns(fitted_window)
    contribution = returns.loc[returns["metric"] == "contribution", "mean"].sum()
    target = fitted_window.inputs.target[: fitted_window.inputs.train_rows].sum()
    assert _score(fitted_window, "media_share") == pytest.approx(contribution / target, rel=0.1)
    assert _score(fitted_window, "media_share_q05") < _score(fitted_window, "media_share_q95")
    shares = [
        _score(fitted_window, "channel_share", name) for name in fitted_window.inputs.config.channel_names
    ]
    assert sum(shares) == pytest.approx(_score(fitted_window, "media_share"), rel=0.15)


def test_a_flat_curve_keeps_everything_at_a_tenth_of_its_media(fitted_window: FittedWindow) -> None:
    """A half-saturation of nearly 0 of the largest spend is a switch; one of 1,000 a line, which keeps a tenth."""
    (half,) = (
        name for name in fitted_window.posterior["posterior"] if str(name).startswith("saturation_lam")
    )
    name = fitted_window.inputs.config.channel_names[0]
    for value, kept in ((1e-7, 1.0), (1e3, 0.1)):
        moved = fitted_window.posterior.copy(deep=True)
        moved["posterior"][half].values[..., 0] = value
        window = FittedWindow.of(fitted_window.inputs, moved)
        assert _score(window, "kept_at_tenth", name) == pytest.approx(kept, abs=0.02)


def test_what_a_control_moves_does_not_hang_on_where_its_zero_lies(fitted_window: FittedWindow) -> None:
    """A price of 10 ± 1 counted from 0 or from 9: the same movement, another intercept."""
    inputs = fitted_window.inputs
    name = inputs.config.control_names[0]
    shifted = replace(inputs, controls_scaled=inputs.controls_scaled + 5.0)
    before = _score(fitted_window, "control_share", name)
    assert _score(FittedWindow.of(shifted, fitted_window.posterior), "control_share", name) == pytest.approx(
        before
    )
    doubled = replace(inputs, controls_scaled=inputs.controls_scaled * 2.0)
    assert _score(FittedWindow.of(doubled, fitted_window.posterior), "control_share", name) == pytest.approx(
        2.0 * before
    )


class TestSupport:
    """What the rows give media over what the posterior does."""

    rows = 120
    rng = np.random.default_rng(3)
    time = np.linspace(-1.0, 1.0, rows)
    slow = np.column_stack([time, time**2])
    baseline = np.full(rows, 0.7)
    no_controls = np.zeros((rows, 0))

    def test_without_noise_it_is_the_factor(self) -> None:
        """The target holds half of what media are credited with, and a trend."""
        media = self.rng.gamma(2.0, 0.1, self.rows)
        target = 1.0 + 0.5 * media + 0.3 * self.time
        support, sd = media_support(target, media, self.baseline, self.no_controls, self.slow)
        assert support == pytest.approx(0.5)
        assert sd < 1e-9

    def test_media_that_only_follow_the_trend_have_none(self) -> None:
        """A channel that grew while sales grew: without the trend nothing is left of its credit."""
        media = 0.3 + 0.2 * self.time + self.rng.normal(0.0, 0.02, self.rows)
        target = 1.0 + 0.2 * self.time + self.rng.normal(0.0, 0.01, self.rows)
        support, sd = media_support(target, media, self.baseline, self.no_controls, self.slow)
        assert abs(support) < 4.0 * sd
        assert support + 1.645 * sd < 0.5

    def test_its_error_is_that_of_least_squares(self) -> None:
        """Over many noises the estimates spread as their error says."""
        media = self.rng.gamma(2.0, 0.1, self.rows)
        estimates = np.array(
            [
                media_support(
                    1.0 + media + self.rng.normal(0.0, 0.1, self.rows),
                    media,
                    self.baseline,
                    self.no_controls,
                    self.slow,
                )
                for _ in range(400)
            ]
        )
        z = (estimates[:, 0] - 1.0) / estimates[:, 1]
        assert abs(z.mean()) < 4.0 / math.sqrt(len(z))
        assert z.std() == pytest.approx(1.0, abs=0.15)

    def test_media_that_do_not_move_are_not_judged(self) -> None:
        """Constant media are an intercept; too few rows say nothing."""
        target = self.rng.normal(1.0, 0.1, self.rows)
        for media in (np.zeros(self.rows), np.full(self.rows, 0.2)):
            assert all(
                map(math.isnan, media_support(target, media, self.baseline, self.no_controls, self.slow))
            )
        few = slice(12)
        numbers = media_support(
            target[few],
            self.rng.random(12),
            self.baseline[few],
            self.no_controls[few],
            self.slow[few],
        )
        assert all(map(math.isnan, numbers))


class TestUsualRows:
    """R² of the rows that a fit can be asked to follow."""

    fitted = np.tile([1.0, 3.0], 50)
    target = fitted + np.tile([0.1, 0.1, -0.1, -0.1], 25)

    def test_a_few_outliers_are_left_aside(self) -> None:
        """By hand: errors of ±0.1 leave 0.01 of a variance of 1.01, whatever five slips are."""
        target = self.target.copy()
        target[[3, 17, 40, 77, 90]] *= 30.0
        assert usual_r_squared(target, self.fitted) == pytest.approx(1 - 0.01 / 1.01, abs=1e-3)

    def test_what_happens_often_is_no_outlier(self) -> None:
        """A tenth of the rows is what a model has to explain."""
        target = self.target.copy()
        target[::10] *= 30.0
        assert math.isnan(usual_r_squared(target, self.fitted))

    def test_a_fit_of_nothing_explains_nothing(self) -> None:
        """The mean instead of the rows."""
        assert usual_r_squared(self.target, np.full(100, 2.0)) == pytest.approx(0.0)
