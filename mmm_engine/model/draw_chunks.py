"""Draws in blocks, for formulas that numpy evaluates on many draws at once.

Here: `draw_chunks`.
Not here: where draws come from (prior_draws.py, posterior/draws.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mmm_engine.array_types import Floats

_CHUNK = 32  # draws evaluated at once: bounds memory, and stays in the processor's cache


def draw_chunks(draws: Mapping[str, Floats]) -> Iterator[dict[str, Floats]]:
    """The same draws in blocks that fit the processor's cache."""
    total = len(next(iter(draws.values())))
    for start in range(0, total, _CHUNK):
        yield {name: values[start : start + _CHUNK] for name, values in draws.items()}
