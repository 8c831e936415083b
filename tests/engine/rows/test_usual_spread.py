"""How far numbers usually lie from their middle."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

import mmm_engine
from mmm_engine.rows.usual_spread import usual_spread

PACKAGE = Path(mmm_engine.__file__).parent


def test_it_is_the_standard_deviation_of_normal_values() -> None:
    """Of the quantiles of a normal distribution with another middle and spread."""
    values = norm.ppf((np.arange(20_001) + 0.5) / 20_001, loc=7.0, scale=3.0)
    assert usual_spread(values) == pytest.approx(3.0, rel=1e-4)


def test_outliers_hardly_move_it() -> None:
    """A tenth of the values a thousand times as large leave it within a fifth; their standard deviation is 300."""
    values = norm.ppf((np.arange(1000) + 0.5) / 1000)
    values[::10] *= 1000.0
    assert values.std() > 200.0
    assert usual_spread(values) == pytest.approx(1.0, rel=0.2)


def test_each_series_has_its_own() -> None:
    """One for each row of an array; about 0 a constant is far away, about its median it does not spread."""
    values = np.array([[4.0, 4.0, 4.0], [1.0, 2.0, 3.0]])
    assert usual_spread(values) == pytest.approx([0.0, 1.4826])
    assert usual_spread(values[0], about=0.0) == pytest.approx(4 * 1.4826)


def test_the_factor_stands_in_one_place() -> None:
    """Whoever measures spread by the median asks this function, so that all call the same rows unusual."""
    files = {
        path.name
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\b1\.48\d+", path.read_text(encoding="utf-8"))
    }
    assert files == {"usual_spread.py"}
