"""Whether a channel's contribution, and with it its return, can be read: the one rule that everybody asks.

Here: the rule, what it says about scores that were stored, its answers as instructions to a reader.
Not here: the simulations behind it (fleets/recovery.py), what a failure means for the model as a whole (gates.py).
"""

from __future__ import annotations

import math

from mmm_engine.scores.truth_scores import jeffreys_band

IDENTIFIED, WEAK, NOT_IDENTIFIED = 1.0, 0.5, 0.0
"""Values of the score `identified`."""

FEW_SIMULATIONS = 10
"""Simulations below which the coverage of intervals says nothing against a channel."""

NOT_TESTED = "not tested"
_READINGS = {IDENTIFIED: "can be read", WEAK: "read with care", NOT_IDENTIFIED: "do not read"}
_RECOVERY_MIN, _CONTRACTION_MIN = 0.75, 0.5
_COVERAGE = 0.9
_REFUTED_LEVEL = 0.998  # one channel in a thousand that is calibrated is called wrong


def identification(recovery: float, contraction: float, hits: int, trials: int, recovery_min: float) -> float:
    """The score `identified` of a channel: 1 identified, 0.5 weak, 0 not identified.

    Not identified: the median recovery lies below `recovery_min`, or is not known; or, from 10 simulations on, the 90%
    intervals clearly hold the truth less often than they promise (the 99.8% Jeffreys band of their coverage ends below
    0.9: of 20 at most 12 hold it).
    Identified: a recovery of at least 0.75 (a posterior sd of about 0.44 times the truth), a contraction of at least
    0.5 (the data, not the prior, decide), and at least half of the intervals hold the truth. Weak: anything between.

    Args:
        recovery: Median over simulations of 1 - CRPS/abs(truth) of the contribution.
        contraction: Median over simulations of 1 - posterior variance/prior variance of the contribution.
        hits: Simulations whose 90% interval holds the truth.
        trials: Simulations.
        recovery_min: The client's threshold for reading a channel at all.

    Reference: Brown, Cai & DasGupta (2001), doi:10.1214/ss/1009213286 (Jeffreys interval).

    >>> identification(0.9, 0.8, 1, 1, 0.3), identification(0.9, 0.8, 0, 1, 0.3), identification(0.9, 0.8, 50, 100, 0.3)
    (1.0, 0.5, 0.0)
    """
    refuted = trials >= FEW_SIMULATIONS and jeffreys_band(hits, trials, _REFUTED_LEVEL)[1] < _COVERAGE
    if refuted or not recovery >= recovery_min:
        return NOT_IDENTIFIED
    learnt = recovery >= _RECOVERY_MIN and contraction >= _CONTRACTION_MIN
    return IDENTIFIED if learnt and hits >= trials / 2 else WEAK


def recorded_identification(
    identified: float, recovery: float, contraction: float, coverage: float, recovery_min: float
) -> float:
    """The score `identified` of a channel from what is stored of it (NaN: not stored); NaN where it was not tested.

    Earlier versions stored no `identified`: the rule is then asked as for one simulation, with what they stored. A
    contraction or coverage that is not there speaks for nobody: such a channel is weak at best.

    Args:
        identified: The score, where it is stored.
        recovery: The stored recovery of the contribution.
        contraction: Its stored contraction.
        coverage: Share of its 90% intervals that hold the truth.
        recovery_min: The client's threshold for reading a channel at all.

    >>> nan = float("nan")
    >>> recorded_identification(0.5, 0.9, 0.8, 1.0, 0.3), recorded_identification(nan, 0.9, nan, 1.0, 0.3)
    (0.5, 0.5)
    """
    if math.isfinite(identified) or math.isnan(recovery):
        return identified
    return identification(recovery, contraction, int(coverage >= 0.5), 1, recovery_min)


def reading_of(identified: float) -> str:
    """A score `identified` as an instruction to a reader.

    >>> reading_of(1.0), reading_of(0.5), reading_of(0.0), reading_of(float("nan"))
    ('can be read', 'read with care', 'do not read', 'not tested')
    """
    return _READINGS.get(identified, NOT_TESTED)
