"""Inputs of compiled formulas: arrays declared once, as fields of a dataclass, and the buffer that carries them.

Here: `declared`, which gives a field its axes; layouts, expressions and the buffer that follow from declarations.
Not here: which arrays a model has, how machine code finds an element (buffers.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from typing import Any

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.compiler.buffers import InputLayout
from mmm_engine.compiler.graph import Graph


def declared(*axes: str, shifted: bool = False) -> Any:
    """A field of a dataclass of arrays, with the names of its axes.

    Args:
        axes: A name for each axis; equal names have equal lengths.
        shifted: Whether the first axis is shifts of the second: element (s, t, c) is element t - s of column c, and 0
            before the first. Only shift 0 is stored.
    """
    return field(metadata={"axes": axes, "shifted": shifted})


def axes_of(arrays: Any) -> dict[str, tuple[str, ...]]:
    """Names of the axes of each array of a dataclass (or one of its objects), in the order of its fields."""
    return {entry.name: entry.metadata["axes"] for entry in fields(arrays)}


def input_layouts(arrays: type, sizes: Mapping[str, int]) -> list[InputLayout]:
    """The arrays of a dataclass as machine code finds them in `data_buffer`.

    Args:
        arrays: The dataclass.
        sizes: Lengths of axes; those of others come with the data.
    """
    return [
        InputLayout(
            entry.name,
            tuple(sizes.get(axis, axis) for axis in entry.metadata["axes"]),
            shifted=entry.metadata["shifted"],
        )
        for entry in fields(arrays)
    ]


def traced_arrays[T](arrays: type[T], graph: Graph, layouts: Sequence[InputLayout]) -> T:
    """The arrays of a dataclass as expressions, for formulas to be written down."""
    return arrays(**{layout.name: graph.input(layout.name, layout.sizes) for layout in layouts})


def data_buffer(arrays: Any, dynamic_axes: Sequence[str]) -> Floats:
    """All arrays of an object in one flat buffer: its length, the lengths of dynamic axes, then the arrays.

    Dynamic axes (rows) come last in memory, so that neighbours in memory are neighbours in time.

    Args:
        arrays: Object of a dataclass of declared arrays.
        dynamic_axes: Axes whose lengths machine code reads from the buffer.
    """
    sizes: dict[str, int] = {}
    pieces = []
    for entry in fields(arrays):
        axes, array = entry.metadata["axes"], np.asarray(getattr(arrays, entry.name), dtype=float)
        sizes.update(zip(axes, array.shape, strict=True))
        if entry.metadata["shifted"]:
            zeros = np.zeros((len(array) - 1, *array.shape[2:]))
            axes, array = axes[1:], np.concatenate([zeros, array[0]])
        order = sorted(range(len(axes)), key=[axis in dynamic_axes for axis in axes].__getitem__)
        pieces.append(array.transpose(order).ravel())
    header = [float(sizes[name]) for name in dynamic_axes]
    length = 1 + len(header) + sum(piece.size for piece in pieces)
    return np.concatenate([[float(length)], header, *pieces])
