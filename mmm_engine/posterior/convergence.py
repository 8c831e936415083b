"""Convergence of chains: rank-normalised split R-hat, bulk and tail effective sample sizes, all elements at once.

Here: the three numbers of Vehtari et al. (2021), equal to arviz_stats' to the last bits, in arrays instead of a loop.
Not here: what a posterior's elements are called and which values are good enough (diagnostics.py, scores/gates.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmm_engine.array_types import Floats

Integers = NDArray[np.intp]

TAIL_PROBABILITIES = (0.05, 0.95)
_FEWEST_DRAWS = 4  # per chain, to have a variance in each of its halves
_BLOCK_DRAWS = 2**15  # worked on at once: their temporaries take about 6 MB
_RESOLUTION = float(np.finfo(float).resolution)
_FIRST_PAIRS = 16  # pairs of lags looked at before all others are
_BLOM = 3 / 8  # offset of the normal scores (Blom 1958)


@dataclass(frozen=True)
class Convergence:
    """How well chains agree and how many independent draws they are worth.

    Attributes:
        rhat: Rank-normalised split R-hat, the larger of the plain and the folded one, shape (element,).
        ess_bulk: Effective sample size of the normal scores, shape (element,).
        ess_tail: The smaller effective sample size of the 5% and the 95% quantile, shape (element,).
    """

    rhat: Floats
    ess_bulk: Floats
    ess_tail: Floats


def convergence(draws: Floats) -> Convergence:
    """R-hat, bulk and tail effective sample sizes, which share the sorting of the draws.

    Args:
        draws: Shape (chain, draw, element).

    Returns:
        Numbers of shape (element,). NaN where a draw is NaN or a chain has fewer than 4 draws, and for the R-hat of one
        chain. A constant element has an R-hat of NaN and as many effective draws as draws.

    Reference: Vehtari et al. (2021), doi:10.1214/20-BA1221; Geyer (1992), doi:10.1214/ss/1177011137 (which lags count).
    """
    return Convergence(*_in_blocks(draws))


# --- blocks of elements ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Block:
    """A few elements without NaN, their chains cut in halves, sorted once for all diagnostics.

    Attributes:
        all_draws: Shape (element, chain * draw), the middle draw of odd chains included.
        halves: Shape (element, half chain, draw), the first halves of all chains before the second ones.
        ordered: The draws of the halves in ascending order, shape (element, n).
        order: Their places in ``halves``, counted through the whole array, shape (element, n).
        score_of: Normal score by twice the rank from 1 to n, shape (2 n + 1,); ties have ranks in between.
        scores: Normal scores of the halves, shape (element, half chain, draw).
    """

    all_draws: Floats
    halves: Floats
    ordered: Floats
    order: Integers
    score_of: Floats
    scores: Floats


def _in_blocks(draws: Floats) -> Floats:
    """R-hat, bulk and tail effective sample size of draws (chain, draw, element), shape (3, element).

    Few elements at a time bound the memory and stay in the processor's cache.
    """
    values = np.asarray(draws, dtype=float)
    n_chains, n_draws, n_elements = values.shape
    result = np.full((3, n_elements), np.nan)
    if n_chains == 0 or n_draws < _FEWEST_DRAWS:
        return result
    score_of = _normal_scores(2 * n_chains * (n_draws // 2))
    width = max(1, _BLOCK_DRAWS // (n_chains * n_draws))
    for start in range(0, n_elements, width):
        chains = np.ascontiguousarray(values[:, :, start : start + width].transpose(2, 0, 1))
        numbers = np.flatnonzero(~np.isnan(chains).any(axis=(1, 2)))
        if numbers.size:
            block = _block(chains if numbers.size == len(chains) else chains[numbers], score_of)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                result[:, start + numbers] = np.concatenate([_rank_rhat(block), _sizes(block)])
    return result


def _block(chains: Floats, score_of: Floats) -> _Block:
    """Chains of shape (element, chain, draw), cut, sorted and scored."""
    n_elements, _, n_draws = chains.shape
    half = n_draws // 2
    halves = np.concatenate([chains[:, :, :half], chains[:, :, -half:]], axis=1)
    joined = halves.reshape(n_elements, -1)
    order = joined.argsort(axis=1)
    order += np.arange(n_elements)[:, None] * joined.shape[1]
    ordered = joined.reshape(-1)[order]
    scores = _scored(ordered, order, score_of).reshape(halves.shape)
    return _Block(chains.reshape(n_elements, -1), halves, ordered, order, score_of, scores)


def _normal_scores(n: int) -> Floats:
    """Normal score of every rank and every mean of two ranks of n draws, by twice the rank, shape (2 n + 1,)."""
    from scipy.special import ndtri

    scores: Floats = ndtri((np.arange(2 * n + 1) / 2 - _BLOM) / (n - 2 * _BLOM + 1))
    return scores


def _scored(ordered: Floats, order: Integers, score_of: Floats) -> Floats:
    """Normal scores of average ranks, moved to the places that ``order`` gives; all of shape (element, n)."""
    scores = np.empty_like(ordered)
    scores[:] = score_of[2::2]
    firsts, counts = _ties(ordered)
    if firsts.size:
        twice_rank = 2 * (firsts % ordered.shape[1]) + counts + 1
        places = np.arange(counts.sum()) + np.repeat(firsts - np.cumsum(counts) + counts, counts)
        scores.reshape(-1)[places] = np.repeat(score_of[twice_rank], counts)
    placed = np.empty_like(scores)
    placed.reshape(-1)[order] = scores
    return placed


def _ties(ordered: Floats) -> tuple[Integers, Integers]:
    """First place (counted through all rows) and size of every group of equal values, rows in ascending order."""
    repeats = np.zeros(ordered.shape, dtype=bool)
    np.equal(ordered[:, 1:], ordered[:, :-1], out=repeats[:, 1:])
    places = np.flatnonzero(repeats)
    begins = ~repeats.reshape(-1)[places - 1]
    starts = np.flatnonzero(begins)
    return places[starts] - 1, np.diff(starts, append=places.size) + 1


# --- R-hat ----------------------------------------------------------------------------------------


def _rank_rhat(block: _Block) -> Floats:
    """The larger of the R-hats of scores and of folded scores, shape (1, element); the first if the second is NaN."""
    if block.halves.shape[1] < 4:
        return np.full((1, len(block.halves)), np.nan)
    bulk = _split_rhat(block.scores)
    folded = _split_rhat(_folded_scores(block))
    return np.where(folded > bulk, folded, bulk)[None]


def _folded_scores(block: _Block) -> Floats:
    """Normal scores of distances from the median, shape (element, half chain, draw); NaN if a distance is.

    Distances fall, then rise along the sorted draws: with the falling part turned around, a sort that looks for runs
    has two of them to merge.
    """
    n_elements, n = block.ordered.shape
    middle = n // 2
    median = (block.ordered[:, middle - 1] + block.ordered[:, middle]) / 2
    distance = np.abs(block.ordered - median[:, None])
    runs = np.concatenate([distance[:, middle - 1 :: -1], distance[:, middle:]], axis=1)
    places = np.concatenate([block.order[:, middle - 1 :: -1], block.order[:, middle:]], axis=1)
    again = runs.argsort(axis=1, kind="stable")
    again += np.arange(n_elements)[:, None] * n
    scores = _scored(runs.reshape(-1)[again], places.reshape(-1)[again], block.score_of)
    scores[~np.isfinite(median)] = np.nan
    return scores.reshape(block.halves.shape)


def _split_rhat(chains: Floats) -> Floats:
    """Potential scale reduction of chains (element, half chain, draw), shape (element,)."""
    n = chains.shape[2]
    between = n * chains.mean(axis=2).var(axis=1, ddof=1)
    within = chains.var(axis=2, ddof=1).mean(axis=1)
    ratio: Floats = np.sqrt((between / within + n - 1) / n)
    return ratio


# --- effective sample size ------------------------------------------------------------------------


def _sizes(block: _Block) -> Floats:
    """Bulk and tail effective sample sizes, shape (2, element).

    Bulk: of the normal scores. Tail: the smaller one of "at most the 5% quantile" and "at most the 95% quantile".
    """
    complete = block.ordered.shape == block.all_draws.shape  # no middle draw left out
    quantiles = np.quantile(block.ordered if complete else block.all_draws, TAIL_PROBABILITIES, axis=1)
    chains = np.empty((3, *block.halves.shape))
    chains[0] = block.scores
    chains[1:] = block.halves <= quantiles[:, :, None, None]
    bulk, low, high = _effective_size(chains.reshape(-1, *block.halves.shape[1:])).reshape(3, -1)
    return np.stack([bulk, np.minimum(low, high)])


def _effective_size(chains: Floats) -> Floats:
    """Draws over integrated autocorrelation time of chains (element, half chain, draw), shape (element,).

    Constant chains count in full; antithetic ones for at most log10(n) times their n draws.
    """
    _, n_chains, n = chains.shape
    total = float(n_chains * n)
    constant = chains.max(axis=(1, 2)) - chains.min(axis=(1, 2)) < _RESOLUTION
    means = chains.mean(axis=2)
    chains -= means[:, :, None]
    by_chain = _autocovariances(chains)
    within = by_chain[:, :, 0].copy().mean(axis=1) * n / (n - 1.0)
    variance = within * (n - 1.0) / n + means.var(axis=1, ddof=1)
    n_pairs, most_pairs = 0, max(0, (n - 3) // 2) + 1
    ended = False
    while not ended:  # in well-mixed chains, the first few lags are all that count
        n_pairs = min(8 * n_pairs or _FIRST_PAIRS, most_pairs)
        lagged = _mean_over_chains(by_chain[:, :, : 2 * n_pairs])
        correlation = 1.0 - (within[:, None] - lagged) / variance[:, None]
        correlation[:, 0] = 1.0
        time, has_ended = _integrated_time(correlation)
        ended = n_pairs == most_pairs or bool((has_ended | constant).all())
    return np.where(constant, total, total / np.maximum(time, 1.0 / np.log10(total)))


def _autocovariances(centred: Floats) -> Floats:
    """Autocovariances of centred chains at every lag, both (element, chain, draw or lag).

    One piece of memory holds the spectrum and its conjugate, then the covariances in the latter's place: with several
    smaller pieces, the C library returns memory to the system and takes it again in every block, which costs as much
    as the transforms.
    """
    n = centred.shape[2]
    length = _fast_length(2 * n)
    spectrum, conjugate = np.empty((2, *centred.shape[:2], length // 2 + 1), dtype=complex)
    np.fft.rfft(centred, n=length, axis=2, out=spectrum)
    np.conjugate(spectrum, out=conjugate)
    spectrum *= conjugate
    covariances: Floats = conjugate.view(float)[:, :, :length]
    np.fft.irfft(spectrum, n=length, axis=2, out=covariances)
    lags = covariances[:, :, :n]
    lags /= n
    return lags


def _mean_over_chains(covariances: Floats) -> Floats:
    """Mean over chains of (element, chain, lag), shape (element, lag), added in the order that arviz_stats adds in.

    Chains innermost make numpy add in pairs. Few discrete draws do have correlations whose sum is exactly zero, which
    ends the sequence of lags: it must be zero there and here alike.
    """
    mean: Floats = np.ascontiguousarray(covariances.transpose(0, 2, 1)).mean(axis=2)
    return mean


def _integrated_time(correlation: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Integrated autocorrelation time of correlations (element, lag), and whether these lags suffice, both (element,).

    Lags go in pairs. The first pair with a sum of zero or less ends the sequence, as does the last pair. The sums
    before it count, none with more than the sum before (Geyer's initial monotone sequence), and its even lag.

    Reference: Geyer (1992), doi:10.1214/ss/1177011137; Vehtari et al. (2021), doi:10.1214/20-BA1221 (the ending pair).
    """
    even = correlation[:, 0::2]
    sums = even + correlation[:, 1::2]
    ends = ~(sums > 0.0)
    has_ended = np.any(ends, axis=1)
    ending = np.where(has_ended, ends.argmax(axis=1), sums.shape[1] - 1)
    monotone = np.minimum.accumulate(sums, axis=1)
    counted = np.where(np.arange(sums.shape[1]) < ending[:, None], monotone, 0.0).sum(axis=1)
    rows = np.arange(len(sums))
    last, last_sum = even[rows, ending], sums[rows, ending]
    time: Floats = -1.0 + 2.0 * counted + np.where(last_sum >= 0.0, last, np.maximum(last, 0.0))
    return time, has_ended


def _fast_length(least: int) -> int:
    """The smallest number from ``least`` on without a prime factor above 5: lengths that a real FFT is fast at."""
    length = least
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1
