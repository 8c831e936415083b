"""What a posterior says that no sensible business does, in numbers: shares, negative baselines, flat curves.

Here: the numbers, from draws.
Not here: what is too much (scores/plausibility.py, client/thresholds.py), parameters that push against their priors
(posterior/parameter_table.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.model.arrays import with_media
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.draw_evaluation import channel_totals, expected_targets

Draws = dict[str, Floats]  # parameters by name, shape (draw, ...)

_A_TENTH = 0.1
_ENOUGH_DRAWS = 1000
_Row = tuple[str, str, str, float, str]


def plausibility_scores(window: FittedWindow) -> pd.DataFrame:
    """Plausibility of a fit over its training rows.

    With A_c the sum of channel c's contribution over the rows and Y the sum of the target:

        media_share           median over draws of sum_c A_c / Y; also its 5% and 95% points (`_q05`, `_q95`)
        media_share_prior_q95 the 95% point of the same under the prior
        channel_share         median of A_c / Y, one for each channel
        kept_at_tenth         median of A_c with a tenth of all media, over A_c: 0.1 where the curve is a line, near 1
                              where it is flat, so that the channel looks like baseline
        control_share         mean of the control's sum of contributions over Y, one for each control
        baseline_negative     probability that a row's expected target without media lies below 0
        residual_autocorrelation   correlation of neighbouring errors of the mean

    Returns:
        Rows of a score frame: split ("all"), channel (a channel, a control or "all"), metric, value, unit.
    """
    draws = _some_draws(window)
    scores = [
        *_of_media(window, draws),
        *_of_controls(window, draws),
        _baseline_negative(window, draws),
        _autocorrelation(window, draws),
    ]
    return pd.DataFrame(scores, columns=["split", "channel", "metric", "value", "unit"])


def _some_draws(window: FittedWindow) -> Draws:
    """Some thousand of the draws, spread over the chains: enough for these numbers."""
    draws = window.draws
    step = max(1, len(next(iter(draws.values()))) // _ENOUGH_DRAWS)
    return {name: values[::step] for name, values in draws.items()}


def _of_media(window: FittedWindow, draws: Draws) -> Iterator[_Row]:
    data, specification = window.training_arrays, window.specification
    target = _target_sum(window)
    sums = channel_totals(draws, data, specification).contribution_scaled
    share = sums.sum(axis=1) / target
    for name, level in (("", 0.5), ("_q05", 0.05), ("_q95", 0.95)):
        yield _row(f"media_share{name}", float(np.quantile(share, level)))
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
        rows = window.inputs.controls_scaled[: window.inputs.train_rows].sum(axis=0)
        shares = draws["gamma_control"].mean(axis=0) * rows / _target_sum(window)
        for name, share in zip(names, shares, strict=True):
            yield _row("control_share", float(share), name)


def _baseline_negative(window: FittedWindow, draws: Draws) -> _Row:
    without_media = with_media(window.training_arrays, 0.0)
    baseline = expected_targets(draws, without_media, window.specification)
    return _row("baseline_negative", float((baseline < 0.0).mean()))


def _autocorrelation(window: FittedWindow, draws: Draws) -> _Row:
    rows = window.inputs.train_rows
    expected = expected_targets(draws, window.training_arrays, window.specification).mean(axis=0)
    error: Floats = window.inputs.target_scaled[:rows] - expected
    error = error - error.mean()
    power = float(error @ error)
    return _row(
        "residual_autocorrelation", float(error[1:] @ error[:-1]) / power if power else np.nan, unit="score"
    )


def _target_sum(window: FittedWindow) -> float:
    return float(window.inputs.target_scaled[: window.inputs.train_rows].sum())


def _row(metric: str, value: float, channel: str = "all", unit: str = "fraction") -> _Row:
    return ("all", channel, metric, value, unit)
