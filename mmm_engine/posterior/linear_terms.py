"""Linear terms of the mean in coordinates of their own: coefficients of regressors that may have any sign.

Here: which coefficients, and the affine map from independent coordinates to them.
Not here: the terms (model/mean.py), all other coordinates (coordinates.py).

Trend, seasons, holidays and controls overlap: their coefficients are correlated in the posterior, and a step that
fits one is too long for another. Given all other parameters the posterior of the coefficients g is about normal, with
the precision of a regression. With X their regressors over the training rows, each minus its mean (the intercept
takes up means), s the noise, divided by the root of the power by which rows count, and D the prior variances,

    g = m + L z,    L L' = (X'X / s^2 + 1 / D)^-1                                                    (1)

makes z about standard normal (the QR reparameterisation of regressions, Stan User's Guide, with the prior taken in).
Any m and any regular L give the same posterior, since the Jacobian is constant; these come from a ridge regression of
the target on X and the media.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.model.arrays import ModelData
from mmm_engine.model.parameters import PriorPart, Role
from mmm_engine.model.specification import ModelSpecification
from mmm_engine.model.terms import CALENDAR_TERMS

REGRESSORS = {
    Role.BASELINE_SLOPE: "baseline_time",
    Role.BASELINE_STEP: "baseline_steps",
    Role.CONTROL_EFFECT: "controls",
} | {term.role: term.array for term in CALENDAR_TERMS}
"""Roles of parameters that multiply regressors, with the array of `ModelData` that holds those."""

_ROUNDS = 5  # of estimating noise and coefficients in turn
_FIRST_NOISE = 0.05  # model space
_LEAST_NOISE = 1e-4
_JITTER = 1e-12  # of the largest variance: keeps the factor regular where regressors repeat each other


@dataclass(frozen=True)
class LinearPart:
    """A free variable that multiplies regressors.

    Attributes:
        part: The variable.
        array: Name of the array that holds its regressors, in the columns `part.indices`.
    """

    part: PriorPart
    array: str

    def regressors(self, data: ModelData) -> Floats:
        """Its regressors over the rows, shape (row, element)."""
        return np.asarray(getattr(data, self.array), dtype=float)[:, list(self.part.indices)]


def linear_parts(specification: ModelSpecification) -> tuple[LinearPart, ...]:
    """The free variables that may have any sign and multiply regressors."""
    return tuple(_linear_parts(specification))


def _linear_parts(specification: ModelSpecification) -> Iterator[LinearPart]:
    for spec in specification.with_role(*REGRESSORS):
        for part in spec.parts:
            if part.prior.support == "real":
                yield LinearPart(part, REGRESSORS[spec.role])


@dataclass(frozen=True)
class Regression:
    """The target on linear terms and media, with the noise that it leaves.

    Attributes:
        design: Regressors and media without their means, shape (row, element).
        target: Without its mean, shape (row,).
        target_mean: That mean.
        noise: Standard deviation of what is left, divided by the root of the power by which rows count.
        coefficients: Shape (element,).
        precision: Theirs, shape (element, element).
    """

    design: Floats
    target: Floats
    target_mean: float
    noise: float
    coefficients: Floats
    precision: Floats

    def on_terms(self, columns: Floats) -> tuple[Floats, Floats]:
        """Coefficients of columns over the rows on the terms, and P times the columns.

        P = (s^2 I + X D X')^-1 = (I - X (X'X + s^2 / D)^-1 X') / s^2 is the precision of the rows once the coefficients
        are integrated out.

        Returns:
            Shapes (element, column) and (row, column).
        """
        centred = columns - columns.mean(axis=0)
        coefficients = np.linalg.solve(self.precision, self.design.T @ centred / self.noise**2)
        return coefficients, np.asarray((centred - self.design @ coefficients) / self.noise**2)


def regression(parts: tuple[LinearPart, ...], data: ModelData) -> Regression:
    """A ridge regression of the target on the linear terms and the media.

    Args:
        parts: Output of `linear_parts`.
        data: Training rows.
    """
    regressors = [part.regressors(data) for part in parts]
    media = np.asarray(data.media_lagged, dtype=float).mean(axis=0)
    design = np.concatenate([*regressors, media], axis=1)
    design = design - design.mean(axis=0)
    level = np.asarray(data.target_scaled, dtype=float)
    target = level - level.mean()
    variances = np.concatenate(
        [np.full(len(one.part.indices), one.part.prior.typical_scale**2) for one in parts]
        + [np.ones(media.shape[1])]
    )
    root = float(np.sqrt(data.likelihood_power))
    noise = _FIRST_NOISE / root
    for _ in range(_ROUNDS):
        precision = design.T @ design / noise**2 + np.diag(1.0 / variances)
        coefficients = np.linalg.solve(precision, design.T @ target / noise**2)
        noise = max(float(np.sqrt(np.mean((target - design @ coefficients) ** 2))), _LEAST_NOISE) / root
    return Regression(design, target, float(level.mean()), noise, coefficients, precision)


def affine_map(parts: tuple[LinearPart, ...], fitted: Regression) -> tuple[Floats, Floats]:
    """L and m of (1), shapes (element, element) and (element,).

    Args:
        parts: Output of `linear_parts`.
        fitted: Output of `regression`.
    """
    count = sum(len(linear.part.indices) for linear in parts)
    if not count:
        return np.zeros((0, 0)), np.zeros(0)
    covariance = np.linalg.inv(fitted.precision)[:count, :count]
    jitter = _JITTER * float(np.diag(covariance).max())
    factor = np.linalg.cholesky(covariance + jitter * np.eye(count))
    return np.asarray(factor, dtype=float), np.asarray(fitted.coefficients[:count], dtype=float)
