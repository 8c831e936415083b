"""Counts inside intervals say "too narrow" or "too wide" when chance explains them no longer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from mmm_engine.scores.coverage import allowed_hits, interval_width


def test_all_rows_inside_the_50_percent_interval_are_too_many() -> None:
    """Twelve of twelve happen once in 4,096 times; at 90% they happen once in four."""
    assert interval_width({0.5: 12, 0.9: 12}, 12) == "too wide"
    assert interval_width({0.9: 12}, 12) == "as promised"


def test_each_level_can_say_no() -> None:
    """Twelve values: 2 to 10 may lie in 50% intervals and 8 to 12 in 90% intervals when both are asked."""
    assert interval_width({0.5: 2, 0.9: 8}, 12) == "as promised"
    assert interval_width({0.5: 10, 0.9: 12}, 12) == "as promised"
    assert interval_width({0.5: 6, 0.9: 7}, 12) == "too narrow"
    assert interval_width({0.5: 1, 0.9: 10}, 12) == "too narrow"
    assert interval_width({0.5: 11, 0.9: 12}, 12) == "too wide"
    assert interval_width({0.5: 48, 0.9: 56}, 70) == "of another shape"  # right: 26 to 44, 57 to 68


def test_counts_that_pass_are_those_of_the_binomial_tails() -> None:
    """Both tails keep at most 2.5%, and one count more or less would not."""
    for trials in (1, 4, 12, 52, 365):
        for level in (0.5, 0.9):
            low, high = allowed_hits(level, trials)
            assert binom.cdf(low, trials, level) > 0.025
            assert low == 0 or binom.cdf(low - 1, trials, level) <= 0.025
            assert binom.sf(high - 1, trials, level) > 0.025
            assert high == trials or binom.sf(high, trials, level) <= 0.025


def test_right_intervals_are_seldom_called_wrong() -> None:
    """Over all outcomes of 40 values: at most 5%, though two levels are asked."""
    rng = np.random.default_rng(1)
    distance = np.abs(rng.uniform(size=(4000, 40)) - 0.5)
    widths = [
        interval_width({level: int(hits) for level, hits in zip((0.5, 0.9), row, strict=True)}, 40)
        for row in np.stack([(distance <= level / 2).sum(axis=1) for level in (0.5, 0.9)], axis=1)
    ]
    assert np.mean([width != "as promised" for width in widths]) < 0.06


def test_no_value_is_refused() -> None:
    """Without a value, or with a level that is no level, there is nothing to judge."""
    for level, trials in ((0.9, 0), (0.0, 5), (1.0, 5)):
        with pytest.raises(ValueError, match="wanted trials"):
            allowed_hits(level, trials)
