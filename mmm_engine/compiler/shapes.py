"""Sizes of axes, and positions along them: numpy's rules where some sizes are not known yet.

Here: `Size`, broadcasting, the parts of an index, positions from slices and lists.
Not here: the expressions that have shapes (graph.py).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from types import EllipsisType
from typing import Any

import numpy as np

Size = int | str
"""The length of an axis: a number, or the name of a dynamic axis, whose length comes with the data ("rows")."""

Length = dict[tuple[str, ...], int]
"""A number of elements as a polynomial of dynamic sizes: how often each product of dynamic axes is counted."""


def broadcast_sizes(shapes: Sequence[tuple[Size, ...]]) -> tuple[Size, ...]:
    """Common shape by numpy's rules; a dynamic axis fits only itself and axes of length one.

    Raises:
        ValueError: If two sizes of an axis differ and neither is 1.

    >>> broadcast_sizes([("rows", 1), (3,)])
    ('rows', 3)
    """
    rank = max(len(shape) for shape in shapes)
    result: list[Size] = []
    for axis in range(-rank, 0):
        longer = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(longer) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} do not fit together")
        result.append(longer.pop() if longer else 1)
    return tuple(result)


def static_size(size: Size) -> int:
    """A length that is known while the formula is written.

    Raises:
        TypeError: If the axis is dynamic.
    """
    if not isinstance(size, int):
        raise TypeError(f"the size '{size}' is known at run time only")
    return size


def total_length(shapes: Iterable[Sequence[Size]], before: Length | None = None) -> Length:
    """How many elements arrays of these shapes have together.

    Args:
        shapes: Of each array.
        before: Elements to which they are added.

    >>> total_length([("rows", 3), (2,), ("rows",)])
    {('rows',): 4, (): 2}
    """
    total = dict(before or {})
    for sizes in shapes:
        axes = tuple(sorted(size for size in sizes if isinstance(size, str)))
        total[axes] = total.get(axes, 0) + math.prod(size for size in sizes if isinstance(size, int))
    return {axes: count for axes, count in total.items() if count}


def number_of_elements(length: Length, sizes: Mapping[str, float]) -> float:
    """A length where the dynamic axes have these sizes.

    >>> number_of_elements({("rows",): 4, (): 2}, {"rows": 10})
    42
    """
    return sum(count * math.prod(sizes[axis] for axis in axes) for axes, count in length.items())


def full_index(index: Any, rank: int) -> list[Any]:
    """The parts of an index, one for each of `rank` axes and None for each new one; `...` is written out.

    >>> full_index((0, ..., None), 3)
    [0, slice(None, None, None), slice(None, None, None), None]
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    missing = rank - sum(part is not None and not isinstance(part, EllipsisType) for part in parts)
    ellipsis = next((at for at, part in enumerate(parts) if isinstance(part, EllipsisType)), None)
    if ellipsis is None:
        return parts + [slice(None)] * missing
    return [*parts[:ellipsis], *[slice(None)] * missing, *parts[ellipsis + 1 :]]


def positions_of(part: Any, size: Size) -> list[int]:
    """Positions that a slice or a list picks along an axis, each in [0, size).

    Raises:
        TypeError: If the axis is dynamic, or a mask of true and false is given.
        IndexError: If a position is outside the axis.
    """
    length = static_size(size)
    if isinstance(part, slice):
        return list(range(*part.indices(length)))
    if any(isinstance(at, (bool, np.bool_)) for at in part):
        raise TypeError(f"positions are wanted, not a mask of true and false: {part}")
    positions = [operator.index(at) for at in part]
    outside = [at for at in positions if not -length <= at < length]
    if outside:
        raise IndexError(f"position {outside[0]} is outside an axis of {length}")
    return [at % length for at in positions]
