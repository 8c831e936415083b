"""Elementwise maps from the real line to the support of a prior.

Here: (flat values, prior, xp) -> (values, log slope) for each kind of support, and the two with Gaussian tails.
Not here: which variable takes which map (coordinates.py).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mmm_engine.array_types import Array
from mmm_engine.distributions.family import Support
from mmm_engine.model.priors import PriorSpec


def _identity(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    return z, z * 0.0


def _log(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    return xp.exp(z), z


def _logit(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    return xp.sigmoid(z), -xp.softplus(-z) - xp.softplus(z)


def _interval(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    low, high = prior.bounds
    if math.isinf(low) and math.isinf(high):
        return _identity(z, prior, xp)
    if math.isinf(high):
        return low + xp.exp(z), z
    if math.isinf(low):
        return high - xp.exp(z), z
    value, log_slope = _logit(z, prior, xp)
    return low + (high - low) * value, log_slope + math.log(high - low)


def _soft(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    """x = s (z Phi(z) + phi(z)): linear to the right, a Gaussian tail towards zero; dx/dz = s Phi(z)."""
    return soft_above_zero(z, prior.typical_scale, xp)


def soft_above_zero(z: Array, scale: Any, xp: Any) -> tuple[Array, Array]:
    """The map of `_soft` for a given scale, a number or one per element; values and log slope."""
    below = 0.5 * xp.erfc(-z / math.sqrt(2.0))
    density = xp.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    return scale * (z * below + density), xp.log(below) + np.log(scale)


def _score(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    """Normal score of Beta(1, b): x = 1 - Phi(-z)^(1/b)."""
    exponent = 1.0 / float(dict(prior.arguments)["beta"])  # type: ignore[arg-type]
    # log Phi(-z) by the tail that is small, so that neither end rounds to 0 or 1
    tail = 0.5 * xp.erfc(xp.abs(z) / math.sqrt(2.0))
    log_above = xp.where(z < 0.0, xp.log1p(-tail), xp.log(xp.maximum(tail, 1e-300)))
    log_slope = (exponent - 1.0) * log_above - 0.5 * z**2 - 0.5 * math.log(2.0 * math.pi) + math.log(exponent)
    return -xp.expm1(exponent * log_above), log_slope


MAPS = {
    "identity": _identity,
    "log": _log,
    "logit": _logit,
    "interval": _interval,
    "soft": _soft,
    "score": _score,
}
PLAIN: dict[Support, str] = {"positive": "log", "unit": "logit", "real": "identity", "interval": "interval"}
