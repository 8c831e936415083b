"""Time-varying curves in coordinates that the data do not tie to the curve's size and length scale.

Here: what the training rows say of a curve's coefficients, as a regression; the map that takes it out.
Not here: the curves (model/time_variation.py), all other coordinates (coordinates.py).

A curve multiplies a level by 1 + s (f - mean f) to first order, f = B (a W o): basis B, square roots W of the spectral
density at length scale l, standard normal coefficients o, and a the curve's size, eta. With M the level over the rows,
U = s diag(M) (B - mean B), and P the precision of the rows once all linear terms are integrated out, the posterior of o
given size and length scale is about normal:

    precision  I + a^2 W C W,  C = U' P U;      mean  a (I + a^2 W C W)^-1 W b,  b = U' P y.          (1)

Size and length scale therefore hang together with o: with a near 0 they know nothing of each other, with a large one o
is pinned to b / a. In the orthonormal directions r_k that diagonalise W C W at a typical length scale,

    o = z + sum_k r_k (m_k + (q_k - 1) r_k'z),   m_k = a r_k'W b q_k^2,   q_k = (1 + a^2 c_k)^(-1/2),  (2)

makes z about standard normal whatever the size; c_k = r_k'W C W r_k, continued to other length scales by the density in
that direction. This is the partially non-centred parameterisation of Papaspiliopoulos, Roberts and Sköld (2007,
doi:10.1214/088342307000000014) with the weights that (1) gives. Any b, C and r_k leave the posterior as it is: the
Jacobian is prod q_k.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.time_variation import matern52_sqrt_density
from mmm_engine.posterior.linear_terms import Regression

AXES = 5
"""How many directions: the rows say little of the others."""

_TYPICAL_LENGTH = 10.0  # rows; only which directions are taken hangs on it
_SLOPE = 0.5 / np.log(2.0)  # s: that of log softplus at 0


class CurveAxes(NamedTuple):
    """What the rows say of a curve's coefficients, for a level that is the whole target.

    Attributes:
        axes: r_k, shape (basis, axis).
        precision: c_k over the spectral density in that direction, shape (axis,).
        score: b, shape (basis,).
        answer: How the coefficients of the linear terms answer to those of the curve, -V X'U / s^2 with V their
            covariance given the curve, shape (linear, basis).
    """

    axes: Array
    precision: Array
    score: Array
    answer: Array


def curve_axes(
    basis: Floats, frequencies: Floats, level: Floats, regression: Regression, linear: int
) -> CurveAxes:
    """r_k, c_k and b of (1) and (2).

    Args:
        basis: Basis functions at the training rows, shape (date, basis).
        frequencies: Theirs, shape (basis,).
        level: M over its mean, shape (date,).
        regression: The target on everything linear.
        linear: How many of its coefficients belong to linear terms; the first.
    """
    count, used = basis.shape[1], min(AXES, basis.shape[1])
    if not np.isfinite(regression.precision).all():  # nothing will fit these rows; the sampler says so
        return CurveAxes(np.zeros((count, used)), np.zeros(used), np.zeros(count), np.zeros((linear, count)))
    moves = _SLOPE * regression.target_mean * level[:, None] * (basis - basis.mean(axis=0))
    coefficients, residual = regression.on_terms(moves)
    weights = matern52_sqrt_density(frequencies, 1.0, _TYPICAL_LENGTH, numpy_functions())
    informed, directions = np.linalg.eigh(weights[:, None] * (moves.T @ residual) * weights)
    axes = directions[:, ::-1][:, :used]
    precision = np.maximum(informed[::-1][:used], 0.0) / (weights**2 @ axes**2)
    return CurveAxes(axes, precision, residual.T @ regression.target, -coefficients[:linear])


def without_size(
    independent: Array, size: Array, weights: Array, curve: CurveAxes, xp: ArrayFunctions
) -> tuple[Array, Array]:
    """o of (2) and the logarithm of the Jacobian.

    Args:
        independent: z, shape (..., basis).
        size: a times the level's part of the target, shape (..., 1).
        weights: W, shape (..., basis).
        curve: What the rows say.
        xp: Array functions (compiler/array_functions.py).
    """
    pinned = size**2 * curve.precision * (weights**2 @ curve.axes**2)  # a^2 c_k
    narrowing = xp.log1p(pinned)
    mean = size * ((weights * curve.score) @ curve.axes) / (1.0 + pinned)
    along = independent @ curve.axes
    shift = mean + along * xp.expm1(-0.5 * narrowing)
    return independent + shift @ curve.axes.T, -0.5 * narrowing.sum(axis=-1)
