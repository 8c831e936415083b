"""Draws of a posterior as plain arrays: chains joined, in blocks where memory counts; quantiles that frames have."""

from __future__ import annotations

from collections.abc import Iterator

import xarray as xr

from mmm_engine.array_types import Floats

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


_CHUNK = 32  # draws evaluated at once: bounds memory, and stays in the processor's cache


def flat_draws(posterior: xr.DataTree) -> dict[str, Floats]:
    """Parameters by name with chains joined, each of shape (draw, ...), model space."""
    draws = {}
    for name, array in posterior["posterior"].data_vars.items():
        values = array.to_numpy()
        draws[str(name)] = values.reshape(-1, *values.shape[2:])
    return draws


def draw_chunks(values: dict[str, Floats]) -> Iterator[dict[str, Floats]]:
    """The same draws in blocks that fit the processor's cache."""
    total = len(next(iter(values.values())))
    for start in range(0, total, _CHUNK):
        yield {name: value[start : start + _CHUNK] for name, value in values.items()}
