"""Are ranks of true values among posterior draws uniform? The ECDF of ranks against its simultaneous band.

Here: how unusual the largest departure of an ECDF is among uniform ranks.
Not here: simulated truths and their refits (sbc.py).

With N ranks from 0 to L, the number of ranks below i is binomial with N trials and probability i / (L + 1) if ranks are
uniform. Let g be the smallest two-sided tail probability over all i. A band that holds the whole ECDF of uniform ranks
with probability 95% is made of the pointwise bands of level 1 - g*, g* being the 5% point of g. The ECDF is inside that
band exactly where the share of uniform samples with so small a g is above 5%.

Reference: Säilynoja, Bürkner & Vehtari (2022), "Graphical test for discrete uniformity and its applications in
goodness-of-fit evaluation and multiple sample comparison", doi:10.1007/s11222-022-10090-6.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.stats import binom

from mmm_engine.array_types import Floats, Integers

SAMPLES = 4000  # uniform samples that a departure is compared with: shares are known to within 0.4%


def share_as_unusual(ranks: Integers, largest: int) -> float:
    """Share of uniform samples whose ECDF departs at least as far; below 0.05 the ECDF leaves its 95% band.

    Args:
        ranks: Whole numbers from 0 to `largest`, shape (simulation,).
        largest: L, the number of draws among which each rank was taken.

    Raises:
        ValueError: If a rank is outside.
    """
    if ranks.min() < 0 or ranks.max() > largest:
        raise ValueError(f"ranks from {ranks.min()} to {ranks.max()}, wanted 0 to {largest}")
    return float((_uniform_departures(len(ranks), largest) <= _departures(ranks[None], largest)[0]).mean())


def _departures(ranks: Integers, largest: int) -> Floats:
    """g of each sample, shape (sample,): the smallest two-sided tail probability along the ECDF of its ranks."""
    samples, count = ranks.shape
    histogram = np.zeros((samples, largest + 1), dtype=np.int64)
    np.add.at(histogram, (np.arange(samples)[:, None], ranks), 1)
    below = histogram.cumsum(axis=1)[:, :-1]
    lower, upper = _tails(count, largest)
    places = np.arange(largest)
    tails = np.minimum(lower[places, below], upper[places, below])
    return np.asarray(np.minimum(2.0 * tails.min(axis=1), 1.0))


@lru_cache(maxsize=8)
def _tails(count: int, largest: int) -> tuple[Floats, Floats]:
    """P(B <= k) and P(B >= k) of the number of ranks below each i, shape (i, k)."""
    probability = (np.arange(1, largest + 1) / (largest + 1))[:, None]
    hits = np.arange(count + 1)[None]
    return binom.cdf(hits, count, probability), binom.sf(hits - 1, count, probability)


@lru_cache(maxsize=8)
def _uniform_departures(count: int, largest: int) -> Floats:
    rng = np.random.default_rng(0)
    return _departures(rng.integers(0, largest + 1, (SAMPLES, count)), largest)
