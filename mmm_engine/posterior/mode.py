"""Coordinates about the mode, in which the posterior is round: one linear map for a window's rows.

Here: finding the mode, the curvature there, and the map that takes both out.
Not here: the coordinates that are mapped (coordinates.py), tuning while chains run (nuts.py).

With m the mode of the posterior in the coordinates x of coordinates.py, and H = V diag(h) V' minus the second
derivatives of its logarithm there,

    x = m + V diag(max(h, h_0))^(-1/2) z                                                              (1)

has about a standard normal posterior in z: what is left of the correlations between media, baseline and their sizes is
taken out at once, instead of being searched for by every chain (Neal 2011, section 5.4.1, arXiv:1206.1901). The
sampler still tunes the scale of each z. Any m and any regular map leave the posterior as it is: the Jacobian is
constant.

Some coordinates are not mixed with others, as their posterior is nothing like a normal one: sizes of time-varying
curves, near 0, and half-saturation points together with slopes, along a bow. What is right for the middle of the bow
would be wrong at its ends.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.model.parameters import Role
from mmm_engine.posterior.coordinates import Coordinates
from mmm_engine.posterior.geometry import TrainingData
from mmm_engine.posterior.log_density import CompiledLogDensity

logger = logging.getLogger(__name__)

_STEP = 1e-4  # of central differences; coordinates have a scale of about 1
_LEAST_CURVATURE = 0.25  # h_0: that of twice the spread the coordinates have without any rows
_MOST_STEPS = 500
_REMEMBERED = 30  # steps whose gradients L-BFGS keeps
_BENT = {Role.HALF_SATURATION, Role.SATURATION_SHAPE}
_NOWHERE = 1e10  # minus the log density where it is not finite


def about_mode(density: CompiledLogDensity, train: TrainingData) -> TrainingData:
    """The training rows with the mode and the map of (1).

    As they are where coordinates are not taken from the mode, or nothing finite is found: the sampler then tells why.

    Args:
        density: The compiled log density.
        train: The training rows, without a mode.
    """
    if not density.coordinates.about_mode:
        return train
    search = _Search(density, train)
    mode = search.mode()
    apart = _not_mixed(density.coordinates)
    curvature = search.curvature(mode)
    curvature[apart, :] = 0.0
    curvature[:, apart] = 0.0
    curvature[apart, apart] = 1.0
    if not np.isfinite(curvature).all():
        logger.info("No mode was found: chains move in coordinates that do not know of it.")
        return train
    sizes, directions = np.linalg.eigh(curvature)
    return replace(train, mode=mode, mode_map=directions / np.sqrt(np.maximum(sizes, _LEAST_CURVATURE)))


def _not_mixed(coordinates: Coordinates) -> list[int]:
    """Positions of sizes of time-varying curves, and of half-saturation points and slopes where curves have both."""
    specification = coordinates.specification
    specs = list(specification.with_role(Role.TIME_VARIATION_AMPLITUDE))
    for group in specification.saturations:
        of_curve = [specification.parameter(name) for _, name in group.parameters]
        bent = [spec for spec in of_curve if spec.role in _BENT]
        specs += bent if {spec.role for spec in bent} == _BENT else []
    names = {part.name for spec in specs for part in spec.parts}
    return [
        at for slot in coordinates.slots if slot.part.name in names for at in range(slot.start, slot.stop)
    ]


class _Search:
    """Minus the log density of some rows, and its gradient."""

    def __init__(self, density: CompiledLogDensity, train: TrainingData) -> None:
        self._density, self._buffer = density, density.data_buffer(train)
        self._size = density.coordinates.size

    def mode(self) -> Floats:
        """Where the density is largest, from the centre of the coordinates on, shape (position,)."""
        from scipy.optimize import minimize

        found = minimize(
            self._cost,
            np.zeros(self._size),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _MOST_STEPS, "maxcor": _REMEMBERED},
        )
        return np.asarray(found.x, dtype=float)

    def curvature(self, point: Floats) -> Floats:
        """Minus the second derivatives, NaN where they are not finite, shape (position, position)."""
        steps = _STEP * np.eye(self._size)
        columns = [(self._slope(point + step) - self._slope(point - step)) / (2.0 * _STEP) for step in steps]
        derivatives = np.stack(columns)
        return np.asarray(0.5 * (derivatives + derivatives.T))

    def _cost(self, point: Floats) -> tuple[float, Floats]:
        value, gradient = self._density.density(point, self._buffer)
        return (-value, -gradient) if np.isfinite(value) else (_NOWHERE, np.zeros(self._size))

    def _slope(self, point: Floats) -> Floats:
        return -self._density.density(point, self._buffer)[1]
