"""How well each channel's contribution is known, by the draws of a fit: the evidence behind "can this be read?".

Here: widths of log contributions, as the model has them and as rows that err together have them; what was learnt
beyond the prior; channels out of line with the others, channels that trade places.
Not here: what follows from it (scores/identification.py), simulated truths (fleets/recovery.py).

The posterior mean of g, a function of the parameters, moves with the weight of row t by the posterior covariance of g
with the row's part l_t of the log likelihood, its influence:

    I_t = cov(g, l_t | y)                                                                           (1)

so that the variance of the estimate over data like these, whatever the model believes of its noise, is the
infinitesimal jackknife's sum of I_t^2, and where neighbouring rows err together that of Newey and West with Bartlett
weights:

    V_L = sum_t I_t^2 + 2 sum_{l=1..L} (1 - l/(L+1)) sum_t I_t I_{t-l}                              (2)

Of the posterior variance only the part that rows account for, V_0, is replaced; prior and lift tests keep theirs:

    robust variance = max(var(g) - V_0, 0) + V_L                                                    (3)

References: Giordano & Broderick (2023), doi:10.48550/arXiv.2305.06466 (Bayesian infinitesimal jackknife); Newey & West
(1987), doi:10.2307/1913610.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.model.likelihood import row_log_likelihood
from mmm_engine.model.prior_draws import prior_values
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.draw_evaluation import channel_totals, expected_targets
from mmm_engine.rows.calendar import DAYS_PER_ROW
from mmm_engine.rows.feedback import spend_following_sales
from mmm_engine.rows.regressors import Regressors

CHANNEL_SPREAD = 0.7
"""Sd of log returns among a client's channels, as far as is known before a fit."""

_SMALLEST = (
    1e-12  # of the target's scale: contributions below it count as this, so that their logarithm exists
)
_UNITS = {"upper_share": "fraction", "partner": "position"}


def channel_evidence(window: FittedWindow) -> pd.DataFrame:
    """How well each channel's contribution is known, over the training rows.

    Returns:
        A score frame (split "train"), one row per channel and metric:

        - log_sd: posterior sd of the logarithm of the contribution;
        - robust_log_sd: the same by (3), with L = ceil(sqrt(rows));
        - log_contraction: 1 - posterior variance / prior variance of that logarithm;
        - out_of_line: the channel's median log return less that of the other paid channels (weighted by their
          precision), in standard deviations of that difference where returns spread by `CHANNEL_SPREAD`; NaN for
          channels without spend and with fewer than two others to compare with;
        - upper_share: 95% quantile of the contribution over the sum of the target;
        - follows_sales: t value of last period's sales for this channel's media (rows/feedback.py);
        - partner: position (from 0) of the channel whose contribution goes down most when this one's goes up;
        - partner_correlation: how much so, the posterior correlation of both contributions;
        - together_log_sd: robust_log_sd of the sum of both. The last three are NaN for a single channel.

        For channel "all": residual_autocorrelation, of neighbouring training rows, and days_per_row.
    """
    inputs, specification = window.inputs, window.specification
    rows = inputs.train_rows
    target, draws = inputs.target_scaled[:rows], window.draws
    contribution = channel_totals(draws, window.training_arrays, specification).contribution_scaled
    location = expected_targets(draws, window.training_arrays, specification)
    prior = channel_totals(
        prior_values(specification, window.training_arrays), window.training_arrays, specification
    ).contribution_scaled
    logs, prior_logs = _logarithm(contribution), _logarithm(prior)
    row_likelihood = inputs.config.model.likelihood_power * row_log_likelihood(
        target, location, draws, specification
    )
    partner, correlation = _partners(contribution)
    together = _logarithm(contribution + contribution[:, partner])
    is_single = contribution.shape[1] < 2
    training = inputs.first(rows)
    follows = spend_following_sales(Regressors(inputs.config, training.frame(), training.calendar))
    metrics = {
        "log_sd": logs.std(axis=0),
        "robust_log_sd": robust_sd(logs, row_likelihood),
        "log_contraction": 1 - logs.var(axis=0) / prior_logs.var(axis=0),
        "out_of_line": out_of_line(logs, inputs.money_in_training),
        "upper_share": np.quantile(contribution, 0.95, axis=0) / target.sum(),
        "follows_sales": np.array([follows[name] for name in inputs.config.channel_names]),
        "partner": np.where(is_single, np.nan, partner),
        "partner_correlation": np.where(is_single, np.nan, correlation),
        "together_log_sd": np.where(is_single, np.nan, robust_sd(together, row_likelihood)),
    }
    scores = [
        ("train", channel, metric, float(values[position]), _UNITS.get(metric, "score"))
        for position, channel in enumerate(inputs.config.channel_names)
        for metric, values in metrics.items()
    ]
    residual = target - location.mean(axis=0)
    scores.append(("train", "all", "residual_autocorrelation", _autocorrelation(residual), "score"))
    scores.append(("train", "all", "days_per_row", DAYS_PER_ROW[inputs.period], "days"))
    return pd.DataFrame(scores, columns=["split", "channel", "metric", "value", "unit"])


def robust_sd(values: Floats, row_likelihood: Floats) -> Floats:
    """Posterior sd of functions of the parameters that holds where neighbouring rows err together, by (1) to (3).

    Args:
        values: Draws of the functions, shape (draw, function).
        row_likelihood: What each row adds to the log density, up to a constant of the row, shape (draw, date).

    Returns:
        Shape (function,).
    """
    draws, rows = row_likelihood.shape
    centred = values - values.mean(axis=0)
    influence = centred.T @ (row_likelihood - row_likelihood.mean(axis=0)) / (draws - 1)
    influence = influence - influence.mean(axis=1, keepdims=True)
    longest = math.ceil(math.sqrt(rows))
    independent = np.square(influence).sum(axis=1)
    dependent = independent.copy()
    for lag in range(1, min(longest, rows - 1) + 1):
        products = (influence[:, lag:] * influence[:, :-lag]).sum(axis=1)
        dependent += 2 * (1 - lag / (longest + 1)) * products
    variance = np.maximum(centred.var(axis=0, ddof=1) - independent, 0.0) + dependent
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def out_of_line(log_contribution: Floats, spend: Floats) -> Floats:
    """How far each channel's return lies from those of the others, in standard deviations, shape (channel,).

    With m_c the median and s_c the sd of the log return, tau the usual spread of channels, and weights
    w_c = 1 / (s_c^2 + tau^2), the channel is compared with the others' weighted mean:

        (m_c - sum w m / sum w) / sqrt(s_c^2 + tau^2 + 1 / sum w)

    Args:
        log_contribution: Draws, shape (draw, channel).
        spend: Spend of each channel over the same rows, shape (channel,).

    Returns:
        Above 0: a higher return than the others'. NaN where spend is 0 or fewer than two others have any.
    """
    result = np.full(len(spend), np.nan)
    paid = np.flatnonzero(spend > 0)
    if len(paid) < 3:
        return result
    middle = np.median(log_contribution[:, paid], axis=0) - np.log(spend[paid])
    spread = log_contribution[:, paid].var(axis=0) + CHANNEL_SPREAD**2
    for position, channel in enumerate(paid):
        others = np.arange(len(paid)) != position
        weights = 1 / spread[others]
        usual = weights @ middle[others] / weights.sum()
        result[channel] = (middle[position] - usual) / math.sqrt(spread[position] + 1 / weights.sum())
    return result


def _partners(contribution: Floats) -> tuple[np.ndarray, Floats]:
    """Per channel the position of the one it is most negatively correlated with over draws, and that correlation."""
    channels = contribution.shape[1]
    if channels < 2:
        return np.zeros(channels, dtype=int), np.full(channels, np.nan)
    centred = contribution - contribution.mean(axis=0)
    scaled = centred / np.maximum(np.sqrt(np.square(centred).sum(axis=0)), 1e-300)
    correlation = scaled.T @ scaled
    np.fill_diagonal(correlation, np.inf)
    return correlation.argmin(axis=1), np.asarray(correlation.min(axis=1))


def _logarithm(contribution: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(contribution, _SMALLEST)))


def _autocorrelation(residual: Floats) -> float:
    """Correlation of neighbouring rows; 0 where nothing is left."""
    centred = residual - residual.mean()
    total = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / total if total > 0 else 0.0
