"""Draws of a posterior as plain arrays, chains joined.

Here: `flat_draws`.
Not here: what the draws say (results/), how well the chains agree (diagnostics.py).
"""

from __future__ import annotations

import xarray as xr

from mmm_engine.array_types import Floats


def flat_draws(posterior: xr.DataTree) -> dict[str, Floats]:
    """Parameters by name with chains joined, each of shape (draw, ...), model space."""
    draws = {}
    for name, array in posterior["posterior"].data_vars.items():
        values = array.to_numpy()
        draws[str(name)] = values.reshape(-1, *values.shape[2:])
    return draws
