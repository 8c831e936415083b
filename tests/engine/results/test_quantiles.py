"""Quantiles over draws are numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmm_engine.array_types import Floats
from mmm_engine.results.quantiles import quantiles

LEVELS = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4)


@given(arrays(float, st.tuples(st.integers(1, 9), st.integers(0, 3), st.integers(1, 3)),
              elements=st.floats(-1e6, 1e6)), LEVELS)  # fmt: skip
def test_they_are_those_of_numpy(draws: Floats, levels: list[float]) -> None:
    """For every shape behind the draws, also where a value repeats or one draw is all there is."""
    expected = np.quantile(draws, levels, axis=0) if draws.size else np.empty((len(levels), *draws.shape[1:]))
    assert quantiles(draws, levels) == pytest.approx(expected, rel=1e-12, abs=1e-9)


def test_more_columns_than_a_block_in_any_order_of_memory() -> None:
    """Draws of many rows, as decomposition has them: any order in memory; the input stays as it is."""
    draws = np.random.default_rng(1).normal(size=(50, 7, 90))
    swapped = np.swapaxes(draws, 1, 2)
    before = swapped.copy()
    assert quantiles(swapped, [0.05, 0.95]) == pytest.approx(np.quantile(swapped, [0.05, 0.95], axis=0))
    assert (swapped == before).all()
