"""Priors on what channels bring: returns in the client's own units instead of scales in model space.

Here: the arrays that carry a client's numbers, the log density, and draws of the scales that follow from it.
Not here: what a client may say (client/return_priors.py), priors of all other parameters (parameters.py).

Let A_c be the sum of channel c's contribution over the training rows, and e_c the sum that its prior is centred on:

    roas                  e_c = median * spend_c
    cost_per_conversion   e_c = spend_c / median
    contribution_share    e_c = median * sum of the target
    mroas                 e_c = median * spend_c, and A_c is 100 times what 1% more media in every row would add

    u_c = log(A_c / e_c)                                                                            (1)

Channels with a prior of their own have u_c ~ Normal(0, s_c). The others share a level:

    u_c = level + d_c,    level ~ Normal(0, tau),    d_c ~ Normal(0, s)                              (2)

Write m for the mean of the n channels' u and W = sum((u - m)^2). Of normal deviations m and W are independent, so that
the log density is, up to a constant,

    -m^2 / (2 (tau^2 + s^2 / n)) - W / (2 s^2)                                                      (3)

How far channels lie apart is seldom known. With s^2 ~ v s0^2 / chi^2(v), scaled inverse chi-squared, the deviations
from m are a multivariate t (Gelman et al., Bayesian Data Analysis, 3rd ed., section 3.4): s is integrated out without
a parameter more. m keeps the variance at s0:

    -m^2 / (2 (tau^2 + s0^2 / n)) - (v + n - 1) / 2 log(1 + W / (v s0^2))                           (4)

Channels whose returns the rows tell then say how near the others are to the level.

A channel that no money buys has no return, and nothing tells its size: e_c is an equal part of all media, and

    u_c ~ Normal(m, s_u)    given the m of the n channels that money buys.                          (4b)

With a prior on the total share T = sum(A) over the sum of the target, the level is the total's, and the split as above:

    -(log(T / median) / tau)^2 / 2 - W / (2 s^2)                                                    (5)

a log-normal total and a logistic-normal (or -t) split. The map from (log T, u - m) to log A has a constant Jacobian.

The curve's scale b_c multiplies the channel: A_c = b_c K_c, where K_c hangs on the other parameters. They keep their
own priors, and du_c / db_c = 1 / b_c at any value of theirs, so the density of the scales is that of u times

    prod(1 / b_c)                                                                                   (6)

whatever adstock and saturation are (Zhang et al. 2024, "Media mix model calibration with Bayesian priors", sample the
return itself, which is the same posterior). The shared level lets many channels tell each other what is usual, and
leaves each as free as their spread says.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Floats
from mmm_engine.client.return_priors import SPREAD_DF
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.arrays import MORE_MEDIA, ModelData, with_media
from mmm_engine.model.draw_chunks import draw_chunks
from mmm_engine.model.mean import MeanTerms, channel_scales, mean_terms
from mmm_engine.model.return_specification import ReturnSpecification
from mmm_engine.model.specification import ModelSpecification


def log_return_prior(
    values: Mapping[str, Array],
    data: ModelData,
    specification: ModelSpecification,
    terms: MeanTerms,
    xp: ArrayFunctions,
) -> Array:
    """Log density of the channels' scales given all others, (3) to (6), up to a constant; a number.

    Args:
        values: Parameters by name, model space.
        data: Training rows.
        specification: The model; it has priors on returns.
        terms: Output of `mean_terms` for the same values and rows.
        xp: Array functions.
    """
    returns = _of(specification)
    scales = channel_scales(values, specification, xp)
    sums = _summed(values, data, specification, terms, xp) + data.silent * scales
    deviation = xp.log(sums / data.return_expected)
    density = -xp.log(scales[..., list(returns.channels)]).sum(axis=-1)
    if returns.single:
        own = list(returns.single)
        density = density - 0.5 * ((deviation[..., own] / data.return_sigma[own]) ** 2).sum(axis=-1)
    if not returns.shared:
        return density
    shared, count = list(returns.shared), len(returns.shared)
    variance = (data.return_sigma[shared] ** 2).mean()
    mean = deviation[..., shared].mean(axis=-1)
    if returns.unpaid:
        unpaid = list(returns.unpaid)
        from_mean = (deviation[..., unpaid] - mean[..., None]) / data.return_sigma[unpaid]
        density = density - 0.5 * (from_mean**2).sum(axis=-1)
    apart = ((deviation[..., shared] - mean[..., None]) ** 2).sum(axis=-1)
    if returns.learns_spread:
        density = density - 0.5 * (SPREAD_DF + count - 1) * xp.log(1.0 + apart / (SPREAD_DF * variance))
    else:
        density = density - 0.5 * apart / variance
    if returns.on_total:
        total = sums[..., shared].sum(axis=-1) / data.return_expected[shared].sum()
        return density - 0.5 * (xp.log(total) / data.level_sigma) ** 2
    return density - 0.5 * mean**2 / (data.level_sigma**2 + variance / count)


def draw_scales(
    values: Mapping[str, Floats],
    data: ModelData,
    specification: ModelSpecification,
    rng: np.random.Generator,
) -> Floats:
    """Random scales of the channels given draws of all other parameters, shape (draw, channel).

    Args:
        values: All parameters by name, shape (draw, ...); the scales among them are passed over.
        data: Training rows.
        specification: The model; it has priors on returns.
        rng: Source of randomness.
    """
    returns, xp = _of(specification), numpy_functions()
    scales = np.array(channel_scales(values, specification, xp), dtype=float)
    chunks = (
        _summed(chunk, data, specification, mean_terms(chunk, data, specification, xp), xp)
        for chunk in draw_chunks(values)
    )
    per_scale = np.concatenate([np.asarray(chunk) for chunk in chunks]) / scales + data.silent
    sums = data.return_expected * np.exp(_drawn_deviations(returns, data, len(scales), rng))
    drawn = list(returns.channels)
    scales[:, drawn] = sums[:, drawn] / per_scale[:, drawn]
    return scales


def _drawn_deviations(
    returns: ReturnSpecification, data: ModelData, draws: int, rng: np.random.Generator
) -> Floats:
    """u of (1), shape (draw, channel)."""
    sigma = np.asarray(data.return_sigma)
    deviation = sigma * rng.standard_normal((draws, len(sigma)))
    shared, count = list(returns.shared), len(returns.shared)
    if not shared:
        return np.asarray(deviation)
    split = deviation[:, shared] - deviation[:, shared].mean(axis=1, keepdims=True)
    if returns.learns_spread:
        split = split * np.sqrt(SPREAD_DF / rng.chisquare(SPREAD_DF, (draws, 1)))
    if returns.on_total:  # the level is that of the total: the split alone moves it by the mean of its parts
        level = data.level_sigma * rng.standard_normal((draws, 1))
        expected = data.return_expected[shared]
        total = (np.exp(split) * expected).sum(axis=1, keepdims=True) / expected.sum()
        deviation[:, shared] = split + level - np.log(total)
    else:
        variance = data.level_sigma**2 + (sigma[shared] ** 2).mean() / count
        deviation[:, shared] = split + np.sqrt(variance) * rng.standard_normal((draws, 1))
    unpaid = list(returns.unpaid)
    deviation[:, unpaid] += deviation[:, shared].mean(axis=1, keepdims=True)
    return np.asarray(deviation)


def _summed(
    values: Mapping[str, Array],
    data: ModelData,
    specification: ModelSpecification,
    terms: MeanTerms,
    xp: ArrayFunctions,
) -> Array:
    """A of (1), shape (..., channel)."""
    sums = terms.media.sum(axis=-2)
    marginal = _of(specification).marginal
    if not marginal:
        return sums
    more = with_media(data, 1.0 + MORE_MEDIA)
    extra = (mean_terms(values, more, specification, xp).media.sum(axis=-2) - sums) / MORE_MEDIA
    is_marginal = np.isin(np.arange(specification.n_channels), marginal).astype(float)
    return sums * (1.0 - is_marginal) + extra * is_marginal


def _of(specification: ModelSpecification) -> ReturnSpecification:
    if specification.returns is None:
        raise ValueError("the model has no priors on returns")
    return specification.returns
