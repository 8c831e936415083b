"""Time-varying curves apart from their size: in a linear model the coordinates are those of the exact posterior."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.time_variation import hsgp_basis, hsgp_frequencies, matern52_sqrt_density
from mmm_engine.posterior.curve_axes import _SLOPE, _TYPICAL_LENGTH, AXES, curve_axes, without_size
from mmm_engine.posterior.linear_terms import Regression

ROWS, LINEAR, NOISE = 60, 3, 0.05
VARIANCES = np.array([0.04, 0.09, 0.25])  # of the priors of linear terms
XP = numpy_functions()


@pytest.fixture(scope="module")
def curve():
    """As many basis functions as axes, over rows that three regressors explain too."""
    rng = np.random.default_rng(1)
    basis = hsgp_basis(np.arange(ROWS, dtype=float), (ROWS - 1) / 2, 45.0, AXES)
    frequencies = hsgp_frequencies(45.0, AXES)
    level = 1.0 + 0.3 * rng.random(ROWS)
    design = rng.normal(size=(ROWS, LINEAR)).cumsum(axis=0) / 10
    design -= design.mean(axis=0)
    target = design @ [0.3, -0.1, 0.2] + NOISE * rng.normal(size=ROWS)
    target -= target.mean()
    precision = design.T @ design / NOISE**2 + np.diag(1 / VARIANCES)
    coefficients = np.linalg.solve(precision, design.T @ target / NOISE**2)
    regression = Regression(design, target, 0.7, NOISE, coefficients, precision)
    moves = _SLOPE * 0.7 * level[:, None] * (basis - basis.mean(axis=0))
    return (
        curve_axes(basis, frequencies, level, regression, LINEAR),
        moves - moves.mean(axis=0),
        regression,
        frequencies,
    )


def exact(curve, size, weights):
    """Mean and covariance of linear coefficients and curve's coefficients, by one regression on both."""
    _, moves, regression, _ = curve
    design = np.hstack([regression.design, size * moves * weights])
    precision = design.T @ design / NOISE**2 + np.diag(np.concatenate([1 / VARIANCES, np.ones(AXES)]))
    covariance = np.linalg.inv(precision)
    return covariance @ design.T @ regression.target / NOISE**2, covariance


@given(size=st.floats(1e-3, 10.0))
def test_independent_coordinates_have_the_posterior_of_a_linear_curve(curve, size):
    """Worked by one large regression: mean, covariance and Jacobian of the curve's coefficients at every size."""
    axes, _, _, frequencies = curve
    weights = matern52_sqrt_density(frequencies, 1.0, _TYPICAL_LENGTH, XP)
    mean, covariance = exact(curve, size, weights)
    points = np.vstack([np.zeros(AXES), np.eye(AXES)])
    values, log_jacobian = without_size(points, np.array([size]), weights, axes, XP)
    columns = (values[1:] - values[0]).T
    np.testing.assert_allclose(values[0], mean[LINEAR:], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(columns @ columns.T, covariance[LINEAR:, LINEAR:], rtol=1e-6, atol=1e-8)
    assert log_jacobian == pytest.approx(np.linalg.slogdet(columns)[1], rel=1e-9, abs=1e-9)


def test_linear_terms_answer_to_the_curve(curve):
    """Their conditional mean moves with the curve's coefficients as the regression on both says."""
    axes, _, _, frequencies = curve
    weights = matern52_sqrt_density(frequencies, 1.0, _TYPICAL_LENGTH, XP)
    _, covariance = exact(curve, 0.4, weights)
    slope = covariance[:LINEAR, LINEAR:] @ np.linalg.inv(covariance[LINEAR:, LINEAR:])
    np.testing.assert_allclose(0.4 * axes.answer * weights, slope, rtol=1e-6, atol=1e-9)


def test_rows_that_are_no_numbers_leave_plain_coordinates(curve):
    """The sampler, not linear algebra, says that nothing can be fitted."""
    _, _, regression, frequencies = curve
    broken = Regression(*[np.nan * part for part in vars(regression).values()])
    basis = np.ones((ROWS, AXES))
    axes = curve_axes(basis, frequencies, np.ones(ROWS), broken, LINEAR)
    values, log_jacobian = without_size(np.ones(AXES), np.array([2.0]), np.ones(AXES), axes, XP)
    assert values.tolist() == [1.0] * AXES
    assert log_jacobian == 0.0
