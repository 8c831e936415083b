"""Baseline and channel effects as the sampler sees them: a total, per channel an amplitude and a place on its curve.

Here: one bijection, the heart of the round coordinates (coordinates.py), as a function of arrays.
Not here: which variables take part in it.

The geometry. The data pin the sum of baseline and mean channel effects. What they pin of a channel that always runs is
the amplitude of its effect: mean effect e times relative spread of its curve, which falls with the half-saturation
point h roughly as h / (h + c). Where h is small the curve is flat, the channel looks like baseline, and e may be
anything up to the whole pool p of what is not explained by others: the posterior follows the bent line

    log(p / e) + log(1 + c / h) = constant.

With Y = log(p / e) and X = log(1 + c / h), both positive, F = X + Y is the axis the data pin, and the line is straight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Array = Any  # a numpy array or an expression

_TINY = 1e-12  # a channel never takes the whole pool: keeps the logarithm of what it leaves finite


@dataclass(frozen=True)
class Levels:
    """Output of `channel_levels`.

    Attributes:
        log_intercept: What the channels leave of the total, shape (..., 1).
        log_effect: Mean effect per channel, shape (..., channel).
        half: Half-saturation point per channel, shape (..., channel).
        log_jacobian: Log determinant with respect to total, amplitude and the logarithm's own levels, up to a
            constant; the slope of `half_above` in its own coordinate is not in it. Shape (...).
    """

    log_intercept: Array
    log_effect: Array
    half: Array
    log_jacobian: Array


def channel_levels(
    log_total: Array, amplitude: Array, half_above: Array, half_point: Array, xp: Any
) -> Levels:
    """Intercept, mean effects and half-saturation points from total, amplitudes and half-saturation above its floor.

    Channels take their part of the pool one after another. The amplitude axis of a channel is relative to the pool
    that the earlier ones leave, so that one of them may grow at the baseline's expense without moving the others.

    Args:
        log_total: Logarithm of intercept plus mean effects, shape (..., 1).
        amplitude: Any real number; minus the logarithm of the amplitude, about, shape (..., channel).
        half_above: How far the half-saturation point lies above the smallest that the amplitude allows, > 0,
            shape (..., channel).
        half_point: c above, >= 0; 0 for channels without this trade-off, shape (channel,).
        xp: Array functions.
    """
    first_guess = _left_of_pool(xp.softplus(amplitude), half_above, half_point, xp)
    position = amplitude + _sum_before(xp.log(first_guess), xp)
    pinned = xp.softplus(position)
    half = half_point / xp.expm1(pinned) + half_above
    log_part = xp.log1p(half_point / half) - pinned
    log_left = xp.log(-xp.expm1(log_part) + _TINY)
    log_effect = log_total + log_part + _sum_before(log_left, xp)
    log_intercept = log_total + log_left.sum(axis=-1)[..., None]
    slopes = -xp.softplus(-position)
    log_jacobian = log_total[..., 0] + (log_effect + slopes).sum(axis=-1)
    return Levels(log_intercept, log_effect, half, log_jacobian)


def _left_of_pool(pinned: Array, half_above: Array, half_point: Array, xp: Any) -> Array:
    half = half_point / xp.expm1(pinned) + half_above
    return -xp.expm1(xp.log1p(half_point / half) - pinned) + _TINY


def _sum_before(values: Array, xp: Any) -> Array:
    """Sum of the earlier channels' values, 0 for the first."""
    return xp.cumsum(values, axis=-1) - values
