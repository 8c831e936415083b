"""Graphs computed with numpy, operation by operation: what machine code is compared with.

Here: `interpreted`; slow, and as plain as can be.
Not here: the comparison (self_check.py), machine code (lowering.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.compiler.graph import Expression, topological

_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "multiply": np.multiply,
    "reciprocal": lambda x: 1.0 / x,
    "less": lambda x, y: np.where(x < y, 1.0, 0.0),
    "select": lambda x, y, z: np.where(x != 0.0, y, z),
}
"""Operations that `numpy_functions` does not have under their own name."""


def interpreted(
    nodes: Sequence[Expression], inputs: Mapping[str, Floats], lengths: Mapping[str, int]
) -> list[Floats]:
    """The values of nodes.

    Args:
        nodes: Of one graph.
        inputs: By the names that the graph has for them.
        lengths: Of the dynamic axes.

    Returns:
        An array of each node's shape; infinite or NaN where the operations are.
    """
    values: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        for node in topological(nodes):
            shape = tuple(lengths[size] if isinstance(size, str) else size for size in node.sizes)
            arguments = [values[argument.number] for argument in node.arguments]
            values[node.number] = np.broadcast_to(_value(node, arguments, inputs, lengths), shape)
    return [values[node.number] for node in nodes]


def _value(
    node: Expression, arguments: list[Any], inputs: Mapping[str, Floats], lengths: Mapping[str, int]
) -> Any:
    match node.operation:
        case "input":
            return inputs[node.detail]
        case "dynamic_size":
            return float(lengths[node.detail])
        case "constant":
            return node.detail
        case "table":
            return np.reshape(node.detail, node.sizes)
        case "transpose":
            return _transposed(arguments[0], node.detail)
        case "gather":
            return _gathered(arguments[0], *node.detail)
        case "concatenate":
            return _concatenated(arguments, node.detail)
        case "sum":
            return arguments[0].sum(axis=node.detail)
        case "store":
            return arguments[0]
    function = _ELEMENTWISE.get(node.operation) or getattr(numpy_functions(), node.operation)
    return function(*arguments)


def _transposed(array: Floats, axes: Sequence[int | None]) -> Floats:
    kept = [axis for axis in axes if axis is not None]
    dropped = tuple(axis for axis in range(array.ndim) if axis not in kept)
    order = [sorted(kept).index(axis) for axis in kept]
    turned = array.squeeze(axis=dropped).transpose(order)
    return turned[tuple(None if axis is None else slice(None) for axis in axes)]


def _gathered(array: Floats, axis: int, positions: Sequence[int]) -> Floats:
    at = np.array(positions, dtype=int)
    picked = (at >= 0).reshape(-1, *(1,) * (array.ndim - axis - 1))
    return np.where(picked, np.take(array, np.maximum(at, 0), axis=axis), 0.0)


def _concatenated(pieces: Sequence[Floats], axis: int) -> Floats:
    """Pieces broadcast along the other axes, which numpy's own do not."""
    others = np.broadcast_shapes(*((*piece.shape[:axis], 1, *piece.shape[axis + 1 :]) for piece in pieces))
    shapes = [(*others[:axis], piece.shape[axis], *others[axis + 1 :]) for piece in pieces]
    return np.concatenate(
        [np.broadcast_to(piece, shape) for piece, shape in zip(pieces, shapes, strict=True)], axis=axis
    )
