"""The quantiles over draws that every frame of results carries, by the name of their column."""

from __future__ import annotations

import numpy as np

from mmm_engine.array_types import Floats

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


def quantile_columns(draws: Floats) -> dict[str, Floats]:
    """Quantiles over draws as columns of a frame.

    Args:
        draws: Shape (draw, row).

    Returns:
        q05, q25, q50, q75 and q95, each of shape (row,).
    """
    return dict(zip(QUANTILES, np.quantile(draws, list(QUANTILES.values()), axis=0), strict=True))
