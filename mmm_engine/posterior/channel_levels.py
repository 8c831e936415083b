"""Baseline and channel effects as the sampler sees them: log total effect, amplitude and half-saturation excess.

Here: one bijection, the heart of the decorrelating reparameterisation (coordinates.py), as a function of arrays.
Not here: which variables take part in it.

The geometry. The data pin the total T of baseline b and mean channel effects e, and of each channel the amplitude A of
its effect: e times how much of the media's relative spread its curve keeps. A curve with half-saturation point h keeps
about h / (h + c) of it (geometry.half_points), so

    e = A + x,  x = A c / h.                                                                  (1)

The excess x is what the data do not pin: a flat curve looks like baseline. All excesses and the baseline share what the
amplitudes leave of the total,

    L = T - sum(A):                                                                           (2)

the sum of x must stay below L. Alone, a channel takes the part r < 1 of it, where h lies v > 0 above the bound

    f = A c / L,  r = f / (f + v),                                                            (3)

for A c / (f + v) = L r. Together they take U = 1 - prod(1 - r) of it, L prod(1 - r) is the baseline, and the
half-saturation points give way by a factor F >= 1, which is 1 as long as one channel at most comes near its bound:

    F = sum(r) / U,  h = (f + v) F,  b = L prod(1 - r).                                       (4)

Then sum(x) = L sum(r) / F = L U, and b + sum(e) = T. No channel comes before another.

Amplitudes. With n channels, a = gaussian_tail_softplus(z) of scale 1/n and s = sum(a), the shares of the total are

    A / T = k a,  k = S / s,  S = tanh(u),  u = s + s^3 / 3,                                  (5)

S being s up to terms of the fifth order and never 1; L / T = 1 - S = 2 sigmoid(-2 u).

Jacobian of (log T, z, v) -> (b, e, h), block by block. (T, A/T) -> (L, A) has T^n, log T -> T has T, a -> k a has
k^(n-1) dS/ds with dS/ds = (1 - S^2)(1 + s^2), z -> a has the softplus's slopes:

    (n + 1) log T + (n - 1) log k + log(1 + s^2) + log(1 + S) + log(1 - S) + sum log a'(z).   (6)

With T and A fixed, h_c = w_c F, w = f + v, and d log F / d log w_c = -r_c / sum(r) + o_c prod(1 - r) / U, where
o = r / (1 - r) = f / v are odds; by the matrix determinant lemma, for m channels with a half-saturation point,

    log |dh/dv| = m log F + log prod(1 - r) + log(sum(o) / U).                                (7)

With T and h fixed, e = A (1 + c / h) adds sum log(1 + c / h) (8), and b = T - sum(e) adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmm_engine.array_types import Array, ArrayFunctions, axis_length
from mmm_engine.model.parameters import merge_columns
from mmm_engine.posterior.bijectors import gaussian_tail_softplus

_TINY = 1e-12  # the amplitudes never take the whole total: keeps what they leave positive


@dataclass(frozen=True)
class SaturatingChannels:
    """The channels whose curve has a half-saturation point.

    Attributes:
        positions: Which channels.
        above_bound: v, how far the half-saturation point lies above the smallest that leaves a baseline, > 0, in
            scaled media, shape (..., saturating channel).
        half_point: c, > 0, in scaled media; the smaller, the less a curve can flatten the channel, shape (saturating
            channel,).
    """

    positions: list[int]
    above_bound: Array
    half_point: Array


@dataclass(frozen=True)
class Levels:
    """Intercept, mean effects and half-saturation points of some total T.

    Attributes:
        intercept: The baseline b, shape (..., 1).
        effect: Mean effect e per channel, shape (..., channel).
        half: Half-saturation point h per channel that has one, scaled media, shape (..., saturating channel); None
            without any. It is the same for every total.
        log_jacobian: Log determinant of (intercept, effect, half) with respect to (log_total, amplitude, above_bound),
            up to a constant, shape (...).
    """

    intercept: Array
    effect: Array
    half: Array | None
    log_jacobian: Array

    def of_total(self, log_total: Array, xp: ArrayFunctions) -> Levels:
        """The levels, which add up to 1, for another total.

        Args:
            log_total: log T: logarithm of intercept plus mean effects, shape (..., 1).
            xp: Array functions (compiler/array_functions.py).
        """
        total = xp.exp(log_total)
        return Levels(
            intercept=total * self.intercept,
            effect=total * self.effect,
            half=self.half,
            log_jacobian=self.log_jacobian + (axis_length(self.effect, -1) + 1) * log_total[..., 0],  # (6)
        )


def channel_levels(amplitude: Array, saturating: SaturatingChannels | None, xp: ArrayFunctions) -> Levels:
    """Intercept, mean effects and half-saturation points of the total 1, from amplitudes and places above the bounds.

    Args:
        amplitude: z, any real number; the amplitude's share of the total is about proportional to it where that is
            positive, and has a Gaussian tail towards none, shape (..., channel).
        saturating: Channels that may look like baseline; None when no curve has a half-saturation point.
        xp: Array functions (compiler/array_functions.py).
    """
    channels = axis_length(amplitude, -1)
    share, log_slopes = gaussian_tail_softplus(amplitude, 1.0 / channels, xp)  # a in (5)
    share_sum = share.sum(axis=-1)[..., None]  # s
    stretched = share_sum + share_sum**3 / 3.0  # u
    amplitude_sum = xp.tanh(stretched)  # S
    shrink = amplitude_sum / share_sum  # k
    rest = 2.0 * xp.sigmoid(-2.0 * stretched) + _TINY  # L / T in (2)
    relative_amplitude = share * shrink  # A / T
    log_levels = (  # (6) for T = 1
        (channels - 1) * xp.log(shrink)
        + xp.log1p(share_sum**2)
        + xp.log1p(amplitude_sum)
        - xp.softplus(2.0 * stretched)
    )
    log_jacobian = log_levels[..., 0] + log_slopes.sum(axis=-1)
    if saturating is None:
        return Levels(rest, relative_amplitude, None, log_jacobian)

    amplitudes = relative_amplitude[..., saturating.positions]
    bound = amplitudes * saturating.half_point / rest  # f in (3)
    half_alone = bound + saturating.above_bound  # f + v
    odds = bound / saturating.above_bound  # o in (7)
    # log prod(1 - r), exact also where no channel comes near its bound
    log_unused = -xp.log1p(odds).sum(axis=-1)[..., None]
    used = -xp.expm1(log_unused)  # U
    factor = (bound / half_alone).sum(axis=-1)[..., None] / used  # F in (4)
    half = half_alone * factor
    excess = saturating.half_point / half  # x / A = c / h in (1)
    log_halves = (  # (7)
        len(saturating.positions) * xp.log(factor) + log_unused + xp.log(odds.sum(axis=-1)[..., None] / used)
    )

    others = [channel for channel in range(channels) if channel not in saturating.positions]
    effect = amplitudes * (1.0 + excess)
    if others:
        effect = merge_columns([effect, relative_amplitude[..., others]], [saturating.positions, others], xp)
    return Levels(
        intercept=rest * xp.exp(log_unused),
        effect=effect,
        half=half,
        log_jacobian=log_jacobian + log_halves[..., 0] + xp.log1p(excess).sum(axis=-1),  # (8)
    )
