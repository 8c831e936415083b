"""Posteriors against a known truth, against their prior and against each other.

Here: recovery, z-score, contraction, rank, overlap of two intervals, the band around a coverage of k in n.
Not here: forecasts against what happened (forecast_scores.py), the fleets that simulate and refit (fleets/).

``draws`` has shape (draw, element), ``truth`` shape (element,): the elements of one parameter, in one unit.
What is not defined for an element is NaN for that element.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from mmm_engine.array_types import Floats
from mmm_engine.scores.forecast_scores import crps_rows


def recovery_score(draws: Floats, truth: Floats) -> Floats:
    """How well a posterior finds the truth: 1 - CRPS/abs(truth), cut off at 0 and 1, shape (element,).

    1 is a posterior that sits on the truth, 0 one that is off by the size of the truth or more. NaN for an element
    whose truth is 0: there is no relative error.

    Args:
        draws: Posterior draws, any unit, shape (draw, element).
        truth: Value that generated the data, same unit, shape (element,).

    Raises:
        ValueError: If the elements differ or there is none.

    Reference: Gneiting & Raftery (2007), doi:10.1198/016214506000001437 (CRPS).

    >>> recovery_score(np.array([[1.0, 3.0], [1.0, 3.0]]), np.array([1.0, 2.0]))
    array([1. , 0.5])
    """
    size = np.where(truth == 0, np.nan, np.abs(truth))
    scores: Floats = np.clip(1 - crps_rows(truth, draws) / size, 0, 1)
    return scores


def z_score(draws: Floats, truth: Floats) -> Floats:
    """Posterior mean less truth, in posterior standard deviations, shape (element,); > 0 means too high.

    Over simulations whose truth is drawn from the prior, a calibrated model has scores of mean 0 and sd 1.
    NaN where the draws do not vary or there is only one.

    Args:
        draws: Posterior draws, any unit, shape (draw, element).
        truth: Value that generated the data, same unit, shape (element,).

    Raises:
        ValueError: If the elements differ or there is no draw.

    Reference: Schad, Betancourt & Vasishth (2021), doi:10.1037/met0000275.

    >>> z_score(np.array([[1.0], [3.0], [5.0]]), np.array([1.0]))
    array([1.])
    """
    _check_elements(draws, truth.shape)
    sd = np.sqrt(_variance(draws))
    undefined = np.full(truth.shape, np.nan)
    return np.asarray(np.divide(draws.mean(axis=0) - truth, sd, out=undefined, where=sd > 0))


def contraction(posterior_draws: Floats, prior_draws: Floats) -> Floats:
    """What the data taught, 1 - posterior variance / prior variance, shape (element,).

    Near 1 the data decide, near 0 the prior does; below 0 the posterior is wider than the prior.

    Args:
        posterior_draws: Posterior draws, any unit, shape (draw, element).
        prior_draws: Prior draws of the same elements, same unit, shape (prior draw, element).

    Raises:
        ValueError: If the elements differ or there is no draw.

    Reference: Schad, Betancourt & Vasishth (2021), doi:10.1037/met0000275.

    >>> contraction(np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]]))
    array([0.75])
    """
    _check_elements(posterior_draws, prior_draws.shape[1:])
    _check_elements(prior_draws, posterior_draws.shape[1:])
    prior = _variance(prior_draws)
    ratio = np.divide(_variance(posterior_draws), prior, out=np.full(prior.shape, np.nan), where=prior > 0)
    return np.asarray(1 - ratio, dtype=np.float64)


def rank_statistic(draws: Floats, truth: Floats) -> NDArray[np.int64]:
    """Number of draws below the truth, 0 to n inclusive, shape (element,).

    Over many simulations from the prior the ranks of a right sampler are uniform, provided the draws are
    close to independent: thin them to their effective size first.

    Args:
        draws: Posterior draws, thinned, any unit, shape (draw, element).
        truth: Value that generated the data, same unit, shape (element,).

    Raises:
        ValueError: If the elements differ, there is no draw, or a value is NaN (a rank cannot be NaN).

    Reference: Talts et al. (2018), doi:10.48550/arXiv.1804.06788.

    >>> rank_statistic(np.array([[1.0], [2.0], [3.0]]), np.array([2.5]))
    array([2])
    """
    _check_elements(draws, truth.shape)
    if np.any(np.isnan(draws)) or np.any(np.isnan(truth)):
        raise ValueError("a rank needs numbers: the draws or the truth hold NaN")
    return np.asarray(np.sum(draws < truth, axis=0), dtype=np.int64)


def interval_overlap(low_a: Floats, high_a: Floats, low_b: Floats, high_b: Floats) -> Floats:
    """Length that two intervals share over their mean length, in [0, 1]; 1 is identical, 0 disjoint.

    The mean length (rather than that of the union) keeps the score linear in the shift between two intervals
    of one length: 0.8 is a shift by a fifth of the interval, which for central 50% intervals of a normal
    posterior is 0.27 sd. Two points are 1 when equal and 0 when not.

    Args:
        low_a: Lower ends, any unit, shape (element,).
        high_a: Upper ends, same unit and shape.
        low_b: Lower ends of the intervals compared with, same unit and shape.
        high_b: Upper ends of the intervals compared with, same unit and shape.

    Returns:
        Overlap, shape (element,); NaN where an end is NaN.

    Raises:
        ValueError: If the shapes differ or a lower end lies above its upper end.

    Reference: Dice (1945), doi:10.2307/1932409 (shared over mean size).

    >>> interval_overlap(np.array([0.0]), np.array([10.0]), np.array([2.0]), np.array([12.0]))
    array([0.8])
    """
    shapes = {end.shape for end in (low_a, high_a, low_b, high_b)}
    if len(shapes) != 1:
        raise ValueError(f"wanted four arrays of one shape, got {sorted(shapes)}")
    if np.any(low_a > high_a) or np.any(low_b > high_b):
        raise ValueError("a lower end lies above its upper end")
    shared = np.clip(np.minimum(high_a, high_b) - np.maximum(low_a, low_b), 0, None)
    mean_length = ((high_a - low_a) + (high_b - low_b)) / 2
    equal_points = np.where(low_a == low_b, 1.0, 0.0)
    return np.asarray(np.divide(shared, mean_length, out=equal_points, where=mean_length != 0))


def jeffreys_band(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Interval for a share of which ``hits`` in ``trials`` were seen: how sure a measured coverage is.

    Central interval of Beta(hits + 1/2, trials - hits + 1/2); its lower end is 0 when nothing was hit and its
    upper end 1 when everything was.

    Args:
        hits: How often the event happened, for instance how often the interval held the truth.
        trials: How often it could have happened.
        level: Mass of the band, strictly between 0 and 1.

    Raises:
        ValueError: If ``hits`` is not in 0..trials, there is no trial, or ``level`` is outside (0, 1).

    Reference: Brown, Cai & DasGupta (2001), doi:10.1214/ss/1009213286.

    >>> low, high = jeffreys_band(90, 100)
    >>> round(low, 2), round(high, 2)
    (0.83, 0.95)
    """
    if trials < 1 or not 0 <= hits <= trials or not 0 < level < 1:
        raise ValueError(
            f"wanted 0 <= hits <= trials, trials >= 1 and 0 < level < 1, got {hits}, {trials}, {level}"
        )
    shape = (hits + 0.5, trials - hits + 0.5)
    low = 0.0 if hits == 0 else float(betaincinv(*shape, (1 - level) / 2))
    high = 1.0 if hits == trials else float(betaincinv(*shape, (1 + level) / 2))
    return low, high


def _variance(draws: Floats) -> Floats:
    """Sample variance of each element, shape (element,); NaN for a single draw."""
    if len(draws) < 2:
        return np.full(draws.shape[1:], np.nan)
    return np.asarray(np.var(draws, axis=0, ddof=1), dtype=np.float64)


def _check_elements(draws: Floats, elements: tuple[int, ...]) -> None:
    """Refuse draws that are not (draw, element) with at least one draw of exactly these elements."""
    if draws.ndim != 2 or len(draws) == 0 or draws.shape[1:] != elements:
        raise ValueError(
            f"wanted draws of shape (draw, *{elements}) with at least one draw, got {draws.shape}"
        )
