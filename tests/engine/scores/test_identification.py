"""One rule says which channels can be read."""

from __future__ import annotations

import math

import pytest

from mmm_engine.scores.identification import identification, reading_of, recorded_identification


def test_channels_are_identified_by_the_rule() -> None:
    """Each clause of the rule, on its border."""
    assert identification(0.75, 0.5, 1, 1, 0.3) == 1.0
    assert identification(0.74, 0.5, 1, 1, 0.3) == 0.5
    assert identification(0.75, 0.49, 1, 1, 0.3) == 0.5
    assert identification(0.29, 0.9, 1, 1, 0.3) == 0.0
    assert identification(float("nan"), 0.9, 1, 1, 0.3) == 0.0
    assert identification(0.9, 0.9, 0, 1, 0.3) == 0.5  # one miss happens by chance once in ten
    assert identification(0.9, 0.9, 4, 9, 0.3) == 0.5  # too few simulations to call the intervals wrong
    assert identification(0.9, 0.9, 6, 10, 0.3) == 1.0  # a calibrated model does so once in eighty
    assert identification(0.9, 0.9, 5, 10, 0.3) == 0.0
    assert identification(0.9, 0.9, 9, 10, 0.3) == 1.0


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ((0.0, 0.9, 0.9, 1.0), "do not read"),
        ((0.5, 0.9, 0.9, 1.0), "read with care"),
        ((1.0, 0.2, 0.1, 0.0), "can be read"),
        ((math.nan, 0.2, 0.9, 1.0), "do not read"),
        ((math.nan, 0.65, 0.9, 1.0), "read with care"),
        ((math.nan, 0.8, 0.9, 1.0), "can be read"),
        ((math.nan, 0.8, 0.9, 0.0), "read with care"),
        ((math.nan, 0.8, math.nan, 1.0), "read with care"),
        ((math.nan, math.nan, math.nan, math.nan), "not tested"),
    ],
)
def test_what_is_stored_goes_first_and_the_same_rule_after_it(
    stored: tuple[float, float, float, float], words: str
) -> None:
    """Columns: identified, recovery, contraction, coverage. Earlier versions stored no `identified`."""
    assert reading_of(recorded_identification(*stored, 0.3)) == words
