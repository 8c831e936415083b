"""Quantiles over draws, and those that every frame of results carries, by the name of their column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmm_engine.array_types import Floats

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}

_BLOCK = 256  # columns sorted at once: with thousands of draws they stay in the processor's cache


def quantile_columns(draws: Floats) -> dict[str, Floats]:
    """Quantiles over draws as columns of a frame.

    Args:
        draws: Shape (draw, row).

    Returns:
        q05, q25, q50, q75 and q95, each of shape (row,).
    """
    return dict(zip(QUANTILES, quantiles(draws, list(QUANTILES.values())), strict=True))


def quantiles(draws: Floats, levels: Sequence[float]) -> Floats:
    """What `np.quantile(draws, levels, axis=0)` gives, in a third of the time for many columns.

    Each block of columns is copied so that draws lie side by side, and sorted, which numpy does with vector
    instructions; it selects single ranks without them.

    Args:
        draws: Shape (draw, ...), finite.
        levels: From 0 to 1.

    Returns:
        Shape (level, ...).
    """
    columns = draws.reshape(len(draws), -1)
    at = np.asarray(levels) * (len(draws) - 1)
    below = np.floor(at).astype(int)
    above = np.minimum(below + 1, len(draws) - 1)
    result = np.empty((len(at), columns.shape[1]))
    for start in range(0, columns.shape[1], _BLOCK):
        block = np.array(columns[:, start : start + _BLOCK].T, order="C")
        block.sort(axis=1)
        low = block[:, below]
        result[:, start : start + _BLOCK] = (low + (at - below) * (block[:, above] - low)).T
    return result.reshape(len(at), *draws.shape[1:])
