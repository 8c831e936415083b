"""Draws of a posterior as plain arrays: chains joined, in blocks where memory counts.

Here: `flat_draws`, `draw_chunks`.
Not here: what the draws say (results/), how well the chains agree (diagnostics.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import xarray as xr

from mmm_engine.array_types import Floats

_CHUNK = 32  # draws evaluated at once: bounds memory, and stays in the processor's cache


def flat_draws(posterior: xr.DataTree) -> dict[str, Floats]:
    """Parameters by name with chains joined, each of shape (draw, ...), model space."""
    draws = {}
    for name, array in posterior["posterior"].data_vars.items():
        values = array.to_numpy()
        draws[str(name)] = values.reshape(-1, *values.shape[2:])
    return draws


def draw_chunks(draws: Mapping[str, Floats]) -> Iterator[dict[str, Floats]]:
    """The same draws in blocks that fit the processor's cache."""
    total = len(next(iter(draws.values())))
    for start in range(0, total, _CHUNK):
        yield {name: values[start : start + _CHUNK] for name, values in draws.items()}
