"""How the chains of one fit ran, small enough to keep: ranks, energy, where divergences happened.

Here: what an analyst plots to see whether chains agree, as one tidy frame per fit.
Not here: the numbers that gates judge (diagnostics.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mmm_engine.array_types import Floats
from mmm_engine.posterior.diagnostics import element_draws

CHAIN_COLUMNS = ("view", "parameter", "chain", "position", "value", "diverging")
RANK_BINS = 20
MOST_PARAMETERS = 12
MOST_DRAWS = 400
_ENERGY_BINS = 40


def chain_frame(posterior: xr.DataTree, parameters: pd.DataFrame) -> pd.DataFrame:
    """Ranks, energy and divergent draws of a fit.

    Args:
        posterior: Output of `sampler.fit`.
        parameters: Its `parameter_summary`: the elements whose chains agree least are kept.

    Returns:
        Columns view, parameter, chain, position, value, diverging. View "rank": ranks of the parameter's draws among
        those of all chains, ``value`` is the share of the chain's draws in the bin ``position`` (from 0) of 20, times
        20, so 1 is expected. Views "energy" and "transition": density (``value``) of the energy less its mean, and of
        its change from draw to draw, at ``position``. View "draw": values of single draws of the parameters whose
        divergent draws lie furthest from the rest, all divergent ones (at most 400) and as many others; ``position``
        numbers the draws, so that two parameters can be set against each other.

    Reference: Vehtari et al. (2021), doi:10.1214/20-BA1221 (rank plots); Betancourt (2016), arXiv:1604.00695 (energy).
    """
    names, draws = element_draws(posterior)
    order = parameters.set_index("parameter")["rhat"].reindex(names).fillna(0.0).to_numpy()
    worst = np.argsort(-order, kind="stable")[:MOST_PARAMETERS]
    stats = posterior["sample_stats"].dataset
    frames = [_ranks(names[at], draws[:, :, at]) for at in worst]
    frames.append(_energy(stats["energy"].to_numpy()))
    frames.append(_located(names, draws, stats["diverging"].to_numpy(), worst))
    return pd.concat(frames, ignore_index=True)[list(CHAIN_COLUMNS)]


def _ranks(name: str, draws: Floats) -> pd.DataFrame:
    """Where each chain's draws stand among all draws, shape of ``draws`` (chain, draw)."""
    ranks = draws.ravel().argsort(kind="stable").argsort(kind="stable").reshape(draws.shape)
    bins = (ranks * RANK_BINS) // draws.size
    counts = np.stack([np.bincount(chain, minlength=RANK_BINS) for chain in bins])
    chains, positions = np.indices(counts.shape)
    return pd.DataFrame(
        {
            "view": "rank",
            "parameter": name,
            "chain": chains.ravel(),
            "position": positions.ravel().astype(float),
            "value": (counts * RANK_BINS / draws.shape[1]).ravel(),
            "diverging": False,
        }
    )


def _energy(energy: Floats) -> pd.DataFrame:
    """Densities of the energy and of its steps over all chains, on one grid."""
    centred = (energy - energy.mean()).ravel()
    steps = np.diff(energy, axis=1).ravel()
    reach = float(np.quantile(np.abs(np.concatenate([centred, steps])), 0.995)) or 1.0
    edges = np.linspace(-reach, reach, _ENERGY_BINS + 1)
    frames = []
    for view, values in (("energy", centred), ("transition", steps)):
        density = np.histogram(values, bins=edges)[0] / (len(values) * np.diff(edges))
        middles = (edges[:-1] + edges[1:]) / 2
        frames.append(pd.DataFrame({"view": view, "position": middles, "value": density}))
    return pd.concat(frames, ignore_index=True).assign(parameter="", chain=-1, diverging=False)


def _located(
    names: list[str], draws: Floats, diverging: NDArray[np.bool_], worst: NDArray[np.intp]
) -> pd.DataFrame:
    """Single draws of the parameters in which divergent draws stand out; of the two worst when none diverged."""
    chains = np.repeat(np.arange(draws.shape[0]), draws.shape[1])
    flat, is_bad = draws.reshape(-1, draws.shape[-1]), diverging.ravel().astype(bool)
    chosen = worst[:2]
    if is_bad.any():
        spread = flat.std(axis=0)
        gap = np.abs(flat[is_bad].mean(axis=0) - flat.mean(axis=0))
        shift = np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0)
        chosen = np.argsort(-shift, kind="stable")[:4]
    picked = np.concatenate([_spread_out(np.flatnonzero(is_bad)), _spread_out(np.flatnonzero(~is_bad))])
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "view": "draw",
                    "parameter": names[at],
                    "chain": chains[picked],
                    "position": picked.astype(float),
                    "value": flat[picked, at],
                    "diverging": is_bad[picked],
                }
            )
            for at in chosen
        ],
        ignore_index=True,
    )


def _spread_out(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most ``MOST_DRAWS`` of the places, evenly spaced."""
    if len(places) <= MOST_DRAWS:
        return places
    return np.asarray(places[np.linspace(0, len(places) - 1, MOST_DRAWS).astype(int)])
