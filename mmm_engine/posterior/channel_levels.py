"""Baseline and channel effects as the sampler sees them: a total, per channel an amplitude and a place on its curve.

Here: one bijection, the heart of the round coordinates (coordinates.py), as a function of arrays.
Not here: which variables take part in it.

The geometry. The data pin the total T of baseline b and mean channel effects e, and of each channel the amplitude A of
its effect: e times how much of the media's relative spread its curve keeps. A curve with half-saturation point h keeps
about h / (h + c) of it (transforms.half_points), so

    e = A + x,  x = A c / h.

The excess x is what the data do not pin: a flat curve looks like baseline. All excesses and the baseline share what the
amplitudes leave of the total, L = T - sum(A): the sum of x must stay below L. Alone, a channel takes the part r < 1 of
it, where h lies above f = A c / L and r = f / h. Together they take 1 - prod(1 - r) of it, and L prod(1 - r) is
the baseline; the half-saturation points give way by the factor F = sum(r) / (1 - prod(1 - r)) >= 1, which is 1 as long
as one channel at most comes near its bound. No channel comes before another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmm_engine.array_types import Array
from mmm_engine.model.parameters import merge_columns
from mmm_engine.posterior.bijectors import soft_above_zero

_TINY = 1e-12  # the amplitudes never take the whole total: keeps what they leave positive


@dataclass(frozen=True)
class Bends:
    """The channels whose curve has a half-saturation point.

    Attributes:
        positions: Which channels.
        above: How far the half-saturation point lies above the smallest that leaves a baseline, > 0, shape (..., bend).
        half_point: c above, > 0; the smaller, the less a curve can flatten the channel, shape (bend,).
    """

    positions: list[int]
    above: Array
    half_point: Array


@dataclass(frozen=True)
class Levels:
    """Output of `channel_levels`.

    Attributes:
        intercept: The baseline, shape (..., 1).
        effect: Mean effect per channel, shape (..., channel).
        half: Half-saturation point per channel that has one, shape (..., bend); None without any.
        log_jacobian: Log determinant of (intercept, effect, half) with respect to (log_total, amplitude, above),
            up to a constant, shape (...).
    """

    intercept: Array
    effect: Array
    half: Array
    log_jacobian: Array


def channel_levels(log_total: Array, amplitude: Array, bends: Bends | None, xp: Any) -> Levels:
    """Intercept, mean effects and half-saturation points from total, amplitudes and places above the bounds.

    Args:
        log_total: Logarithm of intercept plus mean effects, shape (..., 1).
        amplitude: Any real number; the amplitude's share of the total is about proportional to it where that is
            positive, and has a Gaussian tail towards none, shape (..., channel).
        bends: Channels that may look like baseline; None when no curve has a half-saturation point.
        xp: Array functions.
    """
    channels = amplitude.shape[-1]
    wanted, slopes = soft_above_zero(amplitude, 1.0 / channels, xp)
    reach = wanted.sum(axis=-1)[..., None]
    bent = reach + reach**3 / 3.0  # tanh of it is the reach to the fifth order, and never 1
    taken = xp.tanh(bent)
    shrink = taken / reach
    left = 2.0 * xp.sigmoid(-2.0 * bent) + _TINY
    pinned = wanted * shrink
    total = xp.exp(log_total)
    log_slope = (
        (channels + 1) * log_total
        + (channels - 1) * xp.log(shrink)
        + xp.log1p(reach**2)
        + xp.log1p(taken)
        - xp.softplus(2.0 * bent)
    )
    log_jacobian = log_slope[..., 0] + slopes.sum(axis=-1)
    if bends is None:
        return Levels(total * left, total * pinned, None, log_jacobian)

    amplitudes = pinned[..., bends.positions]
    bound = amplitudes * bends.half_point / left
    alone = bound + bends.above
    odds = bound / bends.above
    log_unused = -xp.log1p(odds).sum(axis=-1)[..., None]  # exact also where no channel comes near its bound
    used = -xp.expm1(log_unused)
    crowd = (bound / alone).sum(axis=-1)[..., None] / used
    half = alone * crowd
    excess = bends.half_point / half
    log_halves = (
        len(bends.positions) * xp.log(crowd) + log_unused + xp.log(odds.sum(axis=-1)[..., None] / used)
    )

    resting = [channel for channel in range(channels) if channel not in bends.positions]
    effect = amplitudes * (1.0 + excess)
    if resting:
        effect = merge_columns([effect, pinned[..., resting]], [bends.positions, resting], xp)
    return Levels(
        intercept=total * left * xp.exp(log_unused),
        effect=total * effect,
        half=half,
        log_jacobian=log_jacobian + log_halves[..., 0] + xp.log1p(excess).sum(axis=-1),
    )
