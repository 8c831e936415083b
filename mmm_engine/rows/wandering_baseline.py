"""A baseline that wanders: time and steps at each row, and how large the steps are in a client's training rows.

Here: the regressors of the walk; the size of its steps, judged before the fit by a regression of the target in which
everything else is integrated out.
Not here: what the model makes of them (model/mean.py), other scales (window.py).

One size of steps for all clients is too small for a baseline that walks, whose walk is then credited to media, and too
large for one that stands still, whose forecast then strays. Learning the size in the fit doubles its time. With s the
size of the steps, as a multiple of what their prior says, and the training rows in model space,

    y = X b + s W u + e,    b ~ N(m, D),    u ~ N(0, w^2 I / n),    e ~ N(0, sigma^2 / p I),

where W are the n steps, w = `BASELINE_WALK`, p the power of the likelihood, and X a constant, a line, the season, days
of the week, holidays, events and controls that the client file names, and each channel's media with a short and a long
carry-over on a curve of medium bend. b and u are integrated out; with log s ~ N(-0.5, 0.8^2) and log sigma uniform

    s = exp E[log s | y]                                                                           (1)

on a grid: the evidence of MacKay (1992), Bayesian Interpolation, doi:10.1162/neco.1992.4.3.415, with the posterior mean
in the place of the largest value, which may be 0.
"""

from __future__ import annotations

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.client.model_config import BaselineConfig
from mmm_engine.client.return_priors import EXPECTED_MEDIA_SHARE
from mmm_engine.rows.calendar import DAYS_PER_ROW, Calendar
from mmm_engine.rows.client_data import ClientData
from mmm_engine.rows.regressors import Regressors

BASELINE_WALK = 0.17
"""Standard deviation of the walk at the last training row where s is 1: n knots have steps of 0.17 / sqrt(n)."""

PRIOR_MEAN, PRIOR_SD = -0.5, 0.8
"""Of log s: a walk of 0.10 of the largest target at the last training row, 0.03 to 0.39 in nine of ten cases."""

_SIZES = np.exp(np.linspace(PRIOR_MEAN - 3.0 * PRIOR_SD, PRIOR_MEAN + 3.0 * PRIOR_SD, 19))
_NOISES = np.exp(np.linspace(np.log(0.004), np.log(0.5), 15))

# Standard deviations of the other coefficients, model space: about those of the default priors.
_LEVEL, _LEVEL_SD, _LINE_SD, _CALENDAR_SD, _CONTROL_SD = 0.5, 1.0, 0.2, 0.3, 1.0
_MEDIA_SD = 1.5  # as a multiple of what a channel is expected to bring

_HALF_LIVES = (4.0, 21.0)  # days
_HALF_SATURATION = 0.6  # of the largest media: the median of its default prior
_DIGITS = 4  # fewer than machines differ in


def baseline_steps(
    calendar: Calendar, train_rows: int, baseline: BaselineConfig | None
) -> tuple[Floats, Floats]:
    """Time of each row, (date, 1), and how much of each step of the baseline a row has behind it, (date, step).

    Time runs from 0 at the first training row to 1 at the last one and on. Step k of n rises from 0 to 1 on the span
    from (k - 1) / n to k / n, so that the level is straight between knots and each step stays. Steps go on for half
    the length of the training rows after the last of them, where they are known by their prior alone.

    Args:
        calendar: Dates of all rows.
        train_rows: How many of them the model is fitted on.
        baseline: Its knots, n, and number of steps; None for a baseline that does not wander.
    """
    if baseline is None:
        return np.zeros((len(calendar), 0)), np.zeros((len(calendar), 0))
    since = (calendar.days - calendar.days[0]) / np.timedelta64(1, "D")
    time = np.asarray(since / since[train_rows - 1], dtype=float)[:, None]
    return time, np.clip(time * baseline.knots - np.arange(baseline.steps), 0.0, 1.0)


def baseline_scale(train: ClientData, target: Floats, media: Floats, controls: Floats) -> float:
    """s of (1); 1 for a client whose baseline does not wander, or whose file says how large its steps are.

    Args:
        train: The training rows.
        target: Their target over its largest size, shape (row,).
        media: Their media over the largest of each channel, shape (row, channel).
        controls: Their controls over the largest size of each, shape (row, control).
    """
    model = train.config.model
    if model.baseline is None or "baseline_step" in model.priors:
        return 1.0
    time, steps = baseline_steps(train.calendar, len(train), model.baseline)
    usual = steps[:, : model.baseline.knots] * BASELINE_WALK / np.sqrt(model.baseline.knots)
    others = [_terms(train, time, controls), _media(train, media, float(np.abs(target).sum()))]
    expected = _LEVEL + others[1].sum(axis=1) / _MEDIA_SD
    evidence = log_evidence(target - expected, np.hstack(others), usual, model.likelihood_power)
    by_size = np.logaddexp.reduce(evidence, axis=1) - 0.5 * ((np.log(_SIZES) - PRIOR_MEAN) / PRIOR_SD) ** 2
    weights = np.exp(by_size - by_size.max())
    size = float(np.exp(np.log(_SIZES) @ weights / weights.sum()))
    return float(f"{size:.{_DIGITS}g}")


def log_evidence(target: Floats, others: Floats, steps: Floats, power: float) -> Floats:
    """Log evidence of every size of the steps and every noise, up to a constant, shape (size, noise).

    With v = sigma^2 / p and Z the columns times their standard deviations, it is that of N(0, v I + Z Z') at the
    target, in the eigenvectors of Z'Z, and (1 - p) rows × log(sigma) for rows that count by the power p.

    Args:
        target: What is left of the target when the means of all coefficients are taken away, shape (row,).
        others: Regressors times the standard deviations of their coefficients, shape (row, element).
        steps: The same of the steps where s is 1, shape (row, step).
        power: p.
    """
    columns = np.hstack([others, steps])
    sizes = np.hstack(
        [np.ones((len(_SIZES), others.shape[1])), np.repeat(_SIZES[:, None], steps.shape[1], axis=1)]
    )
    gram, score = columns.T @ columns, columns.T @ target
    values, vectors = np.linalg.eigh(sizes[:, :, None] * gram * sizes[:, None, :])
    values = np.maximum(values, 0.0)[:, None, :]
    scores = np.einsum("sij,si->sj", vectors, sizes * score)[:, None, :]
    variance = (_NOISES**2 / power)[:, None]
    determinant = len(target) * np.log(variance[:, 0]) + np.log1p(values / variance).sum(axis=-1)
    square = target @ target / variance[:, 0] - (scores**2 / (variance * (variance + values))).sum(axis=-1)
    rows_by_power = (1.0 - power) * len(target) * np.log(_NOISES)
    return np.asarray(rows_by_power - 0.5 * (determinant + square))


def _terms(train: ClientData, time: Floats, controls: Floats) -> Floats:
    """Constant, line, calendar and controls, times the standard deviations of their coefficients, (row, element)."""
    model, rows = train.config.model, Regressors(train.config, train.frame, train.calendar)
    calendar = [rows.holidays(), (rows.events() > 0.0).astype(float)]
    if model.yearly_seasonality:
        calendar.append(rows.yearly(model.yearly_seasonality, years=0))
    if model.weekly_seasonality:
        calendar.append(rows.weekdays())
    parts = [np.full((len(time), 1), _LEVEL_SD), time * _LINE_SD]
    return np.hstack([*parts, np.hstack(calendar) * _CALENDAR_SD, controls * _CONTROL_SD])


def _media(train: ClientData, media: Floats, total: float) -> Floats:
    """Media with each carry-over, times the standard deviations of their coefficients, shape (row, feature).

    A feature adds up to what its channel is expected to bring, divided by the carry-overs.
    """
    paid = np.array(train.config.paid)
    money = np.where(paid, train.spend.sum(axis=0), 0.0)
    shares = np.where(paid, money / max(money.sum(), 1e-300), 1.0 / len(money))
    features = []
    for half_life in _HALF_LIVES:
        left = 2.0 ** (-DAYS_PER_ROW[train.period] / half_life)
        carried = np.zeros(media.shape[1])
        carried_rows = np.empty_like(media)
        for row, fresh in enumerate(media):
            carried = left * carried + (1.0 - left) * fresh
            carried_rows[row] = carried
        curve = carried_rows / (carried_rows + _HALF_SATURATION)
        sums = curve.sum(axis=0)
        active = sums > 0.0
        features.append(curve[:, active] / sums[active] * shares[active])
    return np.hstack(features) * EXPECTED_MEDIA_SHARE * total / len(_HALF_LIVES) * _MEDIA_SD
