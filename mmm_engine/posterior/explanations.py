"""Chains that settle in different places: which of them agree, how much each place predicts, and one posterior of all.

Here: groups of chains that agree, their stacking weights, draws of the weighted mixture, how good each group is.
Not here: when chains are asked (fit.py), what readers are told of it (scores/plausibility.py).

A posterior with separate modes is visited by each chain in one of them. How many chains end in a mode says where they
started, not how probable it is. Stacking (Yao, Vehtari and Gelman 2022, arXiv:2006.12335, algorithm 1) weighs the
places by what they predict: with p_ig the density of row i under the draws of group g that were fitted without it,

    w = argmax sum_i log sum_g w_g p_ig,  w >= 0, sum w = 1,                                            (1)

which is concave; its fixed point w_g <- w_g mean_i p_ig / sum_h w_h p_ih (the EM step of a mixture) rises at every
step. p_ig comes from importance sampling (PSIS-LOO, Vehtari, Gelman and Gabry 2017, doi:10.1007/s11222-016-9696-4).
A group that gets next to nothing is a chain that is stuck, and is left out. Densities of rows leave lift tests out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.arrays import ModelData
from mmm_engine.model.likelihood import row_log_likelihood
from mmm_engine.model.mean import mean, mean_terms
from mmm_engine.model.specification import ModelSpecification
from mmm_engine.posterior.convergence import convergence

SAME_PLACE = 1.05
"""R-hat up to which a chain belongs to the chains before it."""

NEGLIGIBLE = 0.01
"""Weight below which a place counts as one where a chain is stuck."""

_ATTRIBUTE = "explanations"
_FEWEST_CHAINS = 2  # of a group: one chain alone does not show that it has converged
_WEIGHED_DRAWS = 600  # of each group, evenly spaced
_STEPS = 2000
_STILL = 1e-10


@dataclass(frozen=True)
class Explanation:
    """Chains that agree with each other, and what they say.

    Attributes:
        chains: Their numbers.
        weight: Their stacking weight; weights add up to 1.
        share: Each channel's mean part of the expected target of the training rows, shape (channel,).
    """

    chains: tuple[int, ...]
    weight: float
    share: Floats


def explanations(
    draws: Floats, values: Mapping[str, Floats], train: ModelData, specification: ModelSpecification
) -> list[Explanation]:
    """Where the chains settled, by falling weight; places of negligible weight are left out.

    Args:
        draws: What the sampler drew, shape (chain, draw, size).
        values: The model's parameters for them, shape (chain, draw, ...).
        train: Training rows.
        specification: The model.

    Returns:
        One or more places; none where all chains are in one, which more draws would show, and where a place of some
        weight has one chain alone, so that nobody knows whether its chain has settled.
    """
    groups = chains_that_agree(draws)
    if len(groups) == 1:
        return []
    scored = [_scored_rows(values, group, train, specification) for group in groups]
    weights = stacking_weights(np.stack([densities for densities, _ in scored]))
    kept = [at for at in np.argsort(-weights) if weights[at] >= NEGLIGIBLE]
    if any(len(groups[at]) < _FEWEST_CHAINS for at in kept):
        return []
    total = weights[kept].sum()
    return [Explanation(tuple(groups[at]), float(weights[at] / total), scored[at][1]) for at in kept]


def chains_that_agree(draws: Floats) -> list[list[int]]:
    """Groups of chains: each joins the first group with which its largest R-hat is at most `SAME_PLACE`.

    Args:
        draws: Shape (chain, draw, element).
    """
    groups: list[list[int]] = []
    for chain in range(len(draws)):
        for group in groups:
            if np.nanmax(convergence(draws[[*group, chain]]).rhat) <= SAME_PLACE:
                group.append(chain)
                break
        else:
            groups.append([chain])
    return groups


def stacking_weights(log_densities: Floats) -> Floats:
    """w of (1).

    Args:
        log_densities: log p_ig, shape (group, row).
    """
    densities = np.exp(log_densities - log_densities.max(axis=0))
    weights = np.full(len(densities), 1.0 / len(densities))
    for _ in range(_STEPS):
        moved = weights * (densities / (weights @ densities)).mean(axis=1)
        if np.abs(moved - weights).max() < _STILL:
            break
        weights = moved
    return np.asarray(weights / weights.sum())


def mixture(places: list[Explanation], draws: Floats, seed: int) -> Floats:
    """Draws of the weighted mixture in the shape of the draws, each place with its weight's part of them.

    Args:
        places: Output of `explanations`.
        draws: Shape (chain, draw, size).
        seed: Of their order: every chain of the result has draws of every place.
    """
    n_chains, n_draws, size = draws.shape
    total = n_chains * n_draws
    ends = np.round(np.cumsum([place.weight for place in places]) * total).astype(int)
    parts = []
    for place, start, end in zip(places, np.concatenate([[0], ends[:-1]]), ends, strict=True):
        pool = draws[list(place.chains)].reshape(-1, size)
        parts.append(pool[np.linspace(0, len(pool) - 1, end - start).round().astype(int)])
    joined = np.concatenate(parts)
    order = np.random.default_rng(seed).permutation(total)
    return np.asarray(joined[order].reshape(draws.shape))


def worst_of_each(summaries: list[pd.DataFrame], overall: pd.DataFrame) -> pd.DataFrame:
    """The summary of the mixture with the largest R-hat and the smallest effective samples of any place.

    Args:
        summaries: `parameter_summary` of each place.
        overall: That of the mixture, whose own R-hat says nothing: its draws were shuffled.
    """
    stacked = {name: np.stack([one[name] for one in summaries]) for name in ("rhat", "ess_bulk", "ess_tail")}
    return overall.assign(
        rhat=stacked["rhat"].max(axis=0),
        ess_bulk=stacked["ess_bulk"].min(axis=0),
        ess_tail=stacked["ess_tail"].min(axis=0),
    )


def places_attributes(places: list[Explanation], channel_names: Sequence[str]) -> dict[str, str]:
    """Attributes that a posterior of several places carries; empty for one that has none."""
    if not places:
        return {}
    stored = [
        {
            "weight": place.weight,
            "chains": len(place.chains),
            "share": dict(zip(channel_names, place.share.tolist(), strict=True)),
        }
        for place in places
    ]
    return {_ATTRIBUTE: json.dumps(stored)}


def places_scores(attributes: Mapping[Any, Any], chains: int) -> list[tuple[str, str, str, float, str]]:
    """Score rows (split, channel, metric, value, unit) of the places a posterior was stacked of.

    `explanations` is how many there are: 1 where chains agree, NaN of a single chain, which agrees with itself. Of
    several, `explanation_weight` is that of the heaviest, and `explanation_low` and `explanation_high` are the smallest
    and largest share of the target that a channel has.
    """
    stored = json.loads(attributes.get(_ATTRIBUTE, "[]"))
    count = float(len(stored) or 1) if chains > 1 else math.nan
    rows = [("all", "all", "explanations", count, "count")]
    if len(stored) > 1:
        rows.append(("all", "all", "explanation_weight", float(stored[0]["weight"]), "fraction"))
        for channel in stored[0]["share"]:
            shares = [float(place["share"][channel]) for place in stored]
            rows.append(("all", channel, "explanation_low", min(shares), "fraction"))
            rows.append(("all", channel, "explanation_high", max(shares), "fraction"))
    return rows


def _scored_rows(
    values: Mapping[str, Floats], group: list[int], train: ModelData, specification: ModelSpecification
) -> tuple[Floats, Floats]:
    """Logarithm of each row's density under the other rows, shape (row,), and each channel's share, (channel,)."""
    few: dict[str, Floats] = {}
    for name, array in values.items():
        pool = np.asarray(array)[group].reshape(-1, *np.shape(array)[2:])
        few[name] = pool[np.linspace(0, len(pool) - 1, min(_WEIGHED_DRAWS, len(pool))).astype(int)]
    terms = mean_terms(few, train, specification, numpy_functions())
    location = np.asarray(mean(terms))
    rows = row_log_likelihood(np.asarray(train.target_scaled), location, few, specification)
    share = np.asarray(terms.media).sum(axis=1) / location.sum(axis=1)[:, None]
    return leave_one_out(rows, float(np.asarray(train.likelihood_power))), share.mean(axis=0)


def leave_one_out(log_likelihood: Floats, power: float) -> Floats:
    """PSIS-LOO of log likelihoods, under draws of a posterior in which rows have this power.

    Args:
        log_likelihood: Shape (draw, row).
        power: Of the likelihood of each row.

    Returns:
        Log density of each row under the draws without it, shape (row,).
    """
    from arviz_stats.base import array_stats
    from scipy.special import logsumexp

    of_rows = log_likelihood.T
    try:
        # takes log likelihoods and weighs by their inverse, as `arviz_stats` does for its own LOO
        log_weights, _ = array_stats.psislw(power * of_rows)
    except ValueError:  # a chain that is stuck: draws that are all the same have no tail to smooth
        log_weights = -power * of_rows - logsumexp(-power * of_rows, axis=1, keepdims=True)
    return np.asarray(logsumexp(log_weights + of_rows, axis=1))
