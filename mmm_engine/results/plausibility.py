"""What a posterior says that no sensible business does, in numbers: shares, negative baselines, flat curves.

Here: the numbers, from draws.
Not here: what is too much (scores/plausibility.py, client/thresholds.py), parameters that push against their priors
(posterior/parameter_table.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.model.arrays import with_media
from mmm_engine.model.time_variation import fourier_modes
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.draw_evaluation import channel_totals, expected_targets
from mmm_engine.rows.contract import BELOW_ZERO_MAX
from mmm_engine.rows.outliers import OUTLIER_Z
from mmm_engine.rows.usual_spread import usual_spread
from mmm_engine.rows.window import ScaledInputs

Draws = dict[str, Floats]  # parameters by name, shape (draw, ...)

_A_TENTH = 0.1
_ENOUGH_DRAWS = 1000
_LOWEST_ROWS = 0.05
_ORDER, _TWO_YEARS = 5, 720  # of slow movements
_LEAST_SPARE = 10  # rows beyond the number of terms
_FAR = 2.0  # times the median of what media bring
_FEW_UNUSUAL = 0.05
_NOTHING = 1e-10  # of the media's own power
_Row = tuple[str, str, str, float, str]


def plausibility_scores(window: FittedWindow) -> pd.DataFrame:
    """Plausibility of a fit over its training rows.

    With A_c the sum of channel c's contribution over the rows and Y the size of the sum of the target:

        media_share           median over draws of sum_c A_c / Y; also its 5% and 95% points (`_q05`, `_q95`)
        media_share_far       probability that they bring more than twice or less than half of that median
        media_share_prior_q95 the 95% point of the same under the prior
        channel_share         median of A_c / Y, one for each channel
        kept_at_tenth         median of A_c with a tenth of all media, over A_c: 0.1 where the curve is a line, near 1
                              where it is flat, so that the channel looks like baseline
        control_share         mean contribution of a control above the 5% point of its rows, over the mean target, one
                              for each: where its 0 lies says nothing, what its movements bring does
        r_squared_usual       R² of the rows whose errors are no outliers (beyond six robust standard deviations), as
                              long as those are at most a twentieth: a few slips of an export say nothing of a model
        baseline_negative     probability that a row's expected target without media lies below 0, of rows in which
                              something was sold; NaN for net figures, whose level may do so with media too
        media_support         what the rows give media over what the posterior does (`media_support`); `_sd` its error

    Returns:
        Rows of a score frame: split ("all"), channel (a channel, a control or "all"), metric, value, unit.
    """
    draws = _some_draws(window)
    data, specification = window.training_arrays, window.specification
    expected = expected_targets(draws, data, specification)
    without_media = expected_targets(draws, with_media(data, 0.0), specification)
    scores = [
        *_of_media(window, draws),
        *_of_controls(window, draws),
        _row("baseline_negative", _share_below_zero(window, without_media)),
        *_of_support(window, expected.mean(axis=0), without_media.mean(axis=0)),
        _row("r_squared_usual", usual_r_squared(_target(window), expected.mean(axis=0)), unit="score"),
    ]
    return pd.DataFrame(scores, columns=["split", "channel", "metric", "value", "unit"])


def _some_draws(window: FittedWindow) -> Draws:
    """Some thousand of the draws, spread over the chains: enough for these numbers."""
    draws = window.draws
    step = max(1, len(next(iter(draws.values()))) // _ENOUGH_DRAWS)
    return {name: values[::step] for name, values in draws.items()}


def _share_below_zero(window: FittedWindow, without_media: Floats) -> float:
    """Share of draws and rows without media below 0, NaN where more than a tenth of the target lies there itself.

    Rows in which nothing was sold do not count: a shop that is closed on Sundays is expected around 0 there.
    """
    target = window.inputs.target_scaled[: window.inputs.train_rows]
    if (target < 0.0).mean() > BELOW_ZERO_MAX:
        return math.nan
    return float((without_media[:, target != 0.0] < 0.0).mean())


def _of_media(window: FittedWindow, draws: Draws) -> Iterator[_Row]:
    data, specification = window.training_arrays, window.specification
    target = abs(float(_target(window).sum()))  # of a net figure below 0 the size
    sums = channel_totals(draws, data, specification).contribution_scaled
    share = sums.sum(axis=1) / target
    for name, level in (("", 0.5), ("_q05", 0.05), ("_q95", 0.95)):
        yield _row(f"media_share{name}", float(np.quantile(share, level)))
    middle = np.median(share)
    yield _row("media_share_far", float(((share > _FAR * middle) | (share < middle / _FAR)).mean()))
    prior = channel_totals(window.prior_draws, data, specification).contribution_scaled
    yield _row("media_share_prior_q95", float(np.quantile(prior.sum(axis=1) / target, 0.95)))
    fewer = channel_totals(draws, with_media(data, _A_TENTH), specification).contribution_scaled
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.median(fewer / sums, axis=0)
    for name, value, of_channel in zip(window.inputs.config.channel_names, kept, sums.T, strict=True):
        if of_channel.any():  # a channel without media in these rows brings nothing
            yield _row("channel_share", float(np.median(of_channel) / target), name)
            yield _row("kept_at_tenth", float(value), name)


def _of_controls(window: FittedWindow, draws: Draws) -> Iterator[_Row]:
    names = window.inputs.config.control_names
    if names:
        controls = window.inputs.controls_scaled[: window.inputs.train_rows]
        contribution = controls * draws["gamma_control"].mean(axis=0)
        above = contribution.mean(axis=0) - np.quantile(contribution, _LOWEST_ROWS, axis=0)
        for name, share in zip(names, above / _target(window).mean(), strict=True):
            yield _row("control_share", float(share), name)


def _of_support(window: FittedWindow, expected: Floats, without_media: Floats) -> Iterator[_Row]:
    inputs = window.inputs
    controls = inputs.controls_scaled[: inputs.train_rows]
    slow = _slow_movements(inputs)
    support, sd = media_support(_target(window), expected - without_media, without_media, controls, slow)
    yield _row("media_support", support, unit="score")
    yield _row("media_support_sd", sd, unit="score")


def media_support(
    target: Floats, media: Floats, without_media: Floats, controls: Floats, slow: Floats
) -> tuple[float, float]:
    """The coefficient of what media bring in a regression that lets slow movements go free, and its error.

        target_t = b media_t + c without_media_t + controls_t d + slow_t e + error_t

    where media_t and without_media_t are posterior means. b is 1 where the movements of media from row to row support
    what they are credited with. Near 0 media took the credit for a trend or season that the model does not have; with
    a large error the rows say nothing either way. An added-variable test of the specification, cf. Hausman (1978),
    doi:10.2307/1913827.

    Args:
        target: Shape (row,).
        media: Shape (row,).
        without_media: Shape (row,).
        controls: Shape (row, control).
        slow: Trend and season, shape (row, term).

    Returns:
        NaN for both where media do not move, or hardly more rows than terms are there.
    """
    others = np.column_stack([np.ones(len(target)), without_media, controls, slow])
    own = media - others @ np.linalg.lstsq(others, media, rcond=None)[0]
    open_target = target - others @ np.linalg.lstsq(others, target, rcond=None)[0]
    spare = len(target) - np.linalg.matrix_rank(others) - 1
    power = float(own @ own)
    if spare < _LEAST_SPARE or power <= _NOTHING * float(media @ media) or not media.any():
        return math.nan, math.nan
    coefficient = float(own @ open_target) / power
    error = open_target - coefficient * own
    return coefficient, math.sqrt(float(error @ error) / spare / power)


def usual_r_squared(target: Floats, fitted: Floats) -> float:
    """R² of the rows whose errors are usual: within six standard deviations by their median absolute deviation.

    Args:
        target: Shape (row,).
        fitted: Shape (row,).

    Returns:
        NaN where more than a twentieth of the rows are unusual, so that they belong to what is to be explained, or
        where the target of the others does not vary.
    """
    error = target - fitted
    usual = np.abs(error - np.median(error)) <= OUTLIER_Z * usual_spread(error)
    if (~usual).mean() > _FEW_UNUSUAL or not np.ptp(target[usual]) > 0.0:
        return math.nan
    return float(1.0 - np.square(error[usual]).sum() / np.square(target[usual] - target[usual].mean()).sum())


def _slow_movements(inputs: ScaledInputs) -> Floats:
    """Polynomials of time up to order 5, and from two years of rows on two waves of the year, shape (row, term)."""
    dates = inputs.dates[: inputs.train_rows]
    time = np.linspace(-1.0, 1.0, len(dates))
    terms = [np.polynomial.legendre.legvander(time, _ORDER)[:, 1:]]
    if (dates[-1] - dates[0]).days >= _TWO_YEARS:
        terms.append(fourier_modes(dates.day_of_year.to_numpy(float), 2))
    return np.column_stack(terms)


def _target(window: FittedWindow) -> Floats:
    return window.inputs.target_scaled[: window.inputs.train_rows]


def _row(metric: str, value: float, channel: str = "all", unit: str = "fraction") -> _Row:
    return ("all", channel, metric, value, unit)
