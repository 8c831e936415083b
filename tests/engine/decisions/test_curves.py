"""Curves and their derivatives: those of numpy, and of small steps."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.decisions.curves import LineCurve, curve_with_slopes, shape_names
from mmm_engine.model.media_transforms import SATURATIONS


@pytest.mark.parametrize("kind", SATURATIONS)
def test_slopes_are_what_small_steps_say(kind: str) -> None:
    """f is the model's formula; f' and f'' are its differences over small steps."""
    rng = np.random.default_rng(3)
    media = rng.random((4, 30)) + 0.2
    parameters = {name: rng.random(30) * 0.6 + 0.3 for name in shape_names(kind)}
    value, slope, curvature = curve_with_slopes(kind, media, parameters)

    def f(x: np.ndarray) -> np.ndarray:
        return np.asarray(SATURATIONS[kind].shape(x, parameters, numpy_functions()))

    step = 1e-4
    np.testing.assert_allclose(value, f(media), rtol=1e-12)
    np.testing.assert_allclose(slope, (f(media + step) - f(media - step)) / (2 * step), rtol=1e-6, atol=1e-8)
    second = (f(media + step) - 2 * f(media) + f(media - step)) / step**2
    np.testing.assert_allclose(curvature, second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", SATURATIONS)
def test_a_line_sums_what_elements_say(kind: str) -> None:
    """S, S' and S'' are the sums of factor f, factor f' step and factor f'' step^2."""
    rng = np.random.default_rng(4)
    start, step, factor = rng.random((3, 5, 20)) + 0.1
    parameters = {name: rng.random(20) * 0.6 + 0.3 for name in shape_names(kind)}
    line = LineCurve.of(kind, start, step, factor, parameters)
    for z, sums in zip((0.0, 0.7), line(np.array([0.0, 0.7])), strict=True):
        value, slope, curvature = curve_with_slopes(kind, start + step * z, parameters)
        expected = [
            (factor * value).sum(),
            (factor * slope * step).sum(),
            (factor * curvature * step**2).sum(),
        ]
        np.testing.assert_allclose(sums, expected, rtol=1e-10, atol=1e-12)
