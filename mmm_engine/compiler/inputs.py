"""Inputs of compiled functions: arrays declared once, as fields of a dataclass, and the buffer that carries them.

Here: `declared`, which gives a field its axes; `Signature`, what a compiled function is called with: the size of its
flat vector, the layouts of its inputs, the dynamic axes.
Not here: which arrays a model has, how machine code finds an element (buffers.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.compiler.graph import Graph
from mmm_engine.compiler.shapes import Length, Size, static_size, total_length


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


@dataclass(frozen=True)
class InputLayout:
    """An input as the data have it.

    Attributes:
        name: Its name in the graph.
        sizes: Lengths of its axes.
        shifted: Whether the first axis is shifts of the second, stored once with zeros before: element (s, t, c) is
            element t - s of column c.
    """

    name: str
    sizes: tuple[Size, ...]
    shifted: bool = False

    @property
    def stored_shapes(self) -> tuple[tuple[Size, ...], ...]:
        """Shapes of what is stored: the array, or shift 0 and the zeros before it."""
        if not self.shifted:
            return (self.sizes,)
        return (self.sizes[1:], (static_size(self.sizes[0]) - 1, *self.sizes[2:]))


@dataclass(frozen=True)
class Signature:
    """What a compiled function is called with.

    Attributes:
        size: Length of the flat vector.
        layouts: Inputs in the order in which the data buffer has them.
        dynamic_axes: Axes whose lengths come with the data, in the order in which the buffer has them.
    """

    size: int
    layouts: tuple[InputLayout, ...]
    dynamic_axes: tuple[str, ...]

    @classmethod
    def of(
        cls, arrays: type, sizes: Mapping[str, int], dynamic_axes: tuple[str, ...], size: int
    ) -> Signature:
        """The signature of functions that take the arrays of a dataclass.

        Args:
            arrays: The dataclass, its fields `declared`.
            sizes: Lengths of the axes that are known.
            dynamic_axes: All others.
            size: Length of the flat vector.
        """
        layouts = tuple(
            InputLayout(
                entry.name,
                tuple(sizes.get(axis, axis) for axis in entry.metadata["axes"]),
                shifted=entry.metadata["shifted"],
            )
            for entry in fields(arrays)
        )
        return cls(size, layouts, dynamic_axes)

    @property
    def data_length(self) -> Length:
        """How many numbers a data buffer has: its own length, those of the dynamic axes, the inputs."""
        shapes = [shape for layout in self.layouts for shape in layout.stored_shapes]
        return total_length(shapes, {(): 1 + len(self.dynamic_axes)})

    def lengths(self, data: Floats) -> dict[str, int | float]:
        """The lengths of the dynamic axes as a data buffer has them."""
        head = data[1 : 1 + len(self.dynamic_axes)].tolist()
        return {
            axis: int(length) if length == length // 1 else length
            for axis, length in zip(self.dynamic_axes, head, strict=False)
        }

    def traced[T](self, arrays: type[T], graph: Graph) -> T:
        """The arrays of a dataclass as expressions, for formulas to be written down."""
        return arrays(**{layout.name: graph.input(layout.name, layout.sizes) for layout in self.layouts})

    def data_buffer(self, arrays: Any) -> Floats:
        """All arrays of an object in one flat buffer: its length, the lengths of dynamic axes, then the arrays.

        Dynamic axes (rows) come last in memory, so that neighbours in memory are neighbours in time.

        Args:
            arrays: Has an attribute of each layout's name.

        Raises:
            ValueError: If an array has not the shape that its layout says, or two differ in a dynamic axis.
        """
        lengths: dict[str, int] = {}
        pieces = []
        for layout in self.layouts:
            array = np.asarray(getattr(arrays, layout.name), dtype=float)
            _check_shape(layout, array.shape, lengths)
            axes = layout.sizes
            if layout.shifted:
                zeros = np.zeros((len(array) - 1, *array.shape[2:]))
                axes, array = axes[1:], np.concatenate([zeros, array[0]])
            order = sorted(range(len(axes)), key=[isinstance(size, str) for size in axes].__getitem__)
            pieces.append(array.transpose(order).ravel())
        head = [float(lengths.get(axis, 0)) for axis in self.dynamic_axes]
        total = 1 + len(head) + sum(piece.size for piece in pieces)
        return np.concatenate([[float(total)], head, *pieces])


def _check_shape(layout: InputLayout, shape: tuple[int, ...], lengths: dict[str, int]) -> None:
    """Compares an array's shape with its layout, and takes down the lengths of dynamic axes."""
    fits = len(shape) == len(layout.sizes)
    for size, length in zip(layout.sizes, shape, strict=False):
        needed = size if isinstance(size, int) else lengths.setdefault(size, length)
        fits = fits and length == needed
    if not fits:
        needed_shape = tuple(
            lengths.get(size, size) if isinstance(size, str) else size for size in layout.sizes
        )
        raise ValueError(f"the array '{layout.name}' has shape {shape}, and {needed_shape} is needed")
