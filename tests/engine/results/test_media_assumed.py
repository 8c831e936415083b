"""Claims about what a forecast says that it assumes of media."""

from __future__ import annotations

import pandas as pd
import pytest

from mmm_engine.results.forecast import extend_inputs, media_assumed
from tests.engine.model_cases import small_inputs


def test_plans_beyond_anything_seen_are_named_with_their_rows() -> None:
    """The second planned row gives one channel half as much again as it ever had."""
    inputs = small_inputs(rows=40, held_out=0)
    first, *others = inputs.config.channel_names
    largest = inputs.media_scaled.max(axis=0) * inputs.scales.media_array()
    plan = pd.DataFrame(
        {name: [size, size] for name, size in zip(inputs.config.channel_names, largest, strict=True)}
    )
    plan.loc[1, first] *= 1.5
    said = media_assumed(inputs, extend_inputs(inputs, 4, plan), len(plan))
    assert said["planned"] == 2
    assert said["otherwise"] == "recent"  # forty weeks hold no year
    assert said["beyond"] == {first: pytest.approx(1.5)}
    assert said["beyond_rows"] == [1]
    assert not set(others) & set(said["beyond"])


def test_without_a_plan_nothing_lies_beyond() -> None:
    """Media of a year ago, or the mean of recent rows, were seen."""
    inputs = small_inputs(rows=60, held_out=0)
    said = media_assumed(inputs, extend_inputs(inputs, 8), 0)
    assert (said["planned"], said["otherwise"]) == (0, "last_year")
    assert (said["beyond"], said["beyond_rows"]) == ({}, [])
