"""Whether intervals hold as many values as they promise: the one rule behind every sentence about their width.

Here: the counts that chance allows at each level, and what counts outside of them say about the intervals.
Not here: coverage as a score of forecasts (forecast_scores.py), the band of a measured share (truth_scores.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from scipy.special import bdtr

IntervalWidth = Literal["as promised", "too narrow", "too wide", "of another shape"]

CHANCE_LEVEL = 0.95
"""Mass of right intervals' counts that pass: one right forecast in twenty is called wrong."""


def allowed_hits(level: float, trials: int, mass: float = CHANCE_LEVEL) -> tuple[int, int]:
    """Smallest and largest number of values that intervals of a level hold, if they hold what they promise.

    With X ~ Binomial(trials, level): all k with P(X <= k) > (1 - mass)/2 and P(X >= k) > (1 - mass)/2.

    Args:
        level: Mass of the intervals, strictly between 0 and 1.
        trials: Number of values.
        mass: How much of the counts of right intervals is allowed, strictly between 0 and 1.

    Raises:
        ValueError: If there is no value, or a level is outside (0, 1).

    Reference: Clopper & Pearson (1934), doi:10.1093/biomet/26.4.404 (tails of the binomial distribution).

    >>> allowed_hits(0.9, 12), allowed_hits(0.5, 12)
    ((8, 12), (3, 9))
    """
    if trials < 1 or not 0 < level < 1 or not 0 < mass < 1:
        raise ValueError(f"wanted trials >= 1 and 0 < level, mass < 1, got {trials}, {level}, {mass}")
    at_most = np.asarray(bdtr(np.arange(trials + 1), trials, level))
    at_least = 1 - np.concatenate([[0.0], at_most[:-1]])
    allowed = np.flatnonzero((at_most > (1 - mass) / 2) & (at_least > (1 - mass) / 2))
    return int(allowed[0]), int(allowed[-1])


def interval_width(hits: Mapping[float, int], trials: int) -> IntervalWidth:
    """What the counts of several levels say together about the width of intervals.

    "too narrow" or "too wide" when a level holds fewer or more values than chance allows; "of another shape" when one
    level holds too few and another too many. The levels share the error that chance is allowed (Bonferroni), so that
    right intervals are called wrong at most once in twenty times however many levels are asked.

    Args:
        hits: By level, how many values its intervals held.
        trials: Number of values.

    >>> interval_width({0.5: 6, 0.9: 11}, 12), interval_width({0.5: 12, 0.9: 12}, 12)
    ('as promised', 'too wide')
    """
    mass = 1 - (1 - CHANCE_LEVEL) / max(len(hits), 1)
    allowed = {level: allowed_hits(level, trials, mass) for level in hits}
    too_few = any(hits[level] < low for level, (low, _) in allowed.items())
    too_many = any(hits[level] > high for level, (_, high) in allowed.items())
    if too_few and too_many:
        return "of another shape"
    return "too narrow" if too_few else "too wide" if too_many else "as promised"
