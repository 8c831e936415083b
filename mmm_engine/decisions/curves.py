"""Saturation curves with their first and second derivatives over all draws, by machine code.

Here: `curve_with_slopes`, element by element; `LineCurve`, sums over rows and draws along one direction of spend.
Not here: the formulas (model/media_transforms.py), carry-over and money (channel_response.py).

Both are derived from the one formula of each curve: a curve that is added there can be optimised without more work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Floats
from mmm_engine.compiler.array_functions import traced_functions
from mmm_engine.compiler.autodiff import gradient
from mmm_engine.compiler.functions import CompiledResults, compiled_results
from mmm_engine.compiler.graph import Expression, Graph, topological
from mmm_engine.compiler.inputs import Signature, declared
from mmm_engine.compiler.interpreter import interpreted
from mmm_engine.model.media_transforms import SATURATIONS

_compiled: dict[tuple[str, str], CompiledResults] = {}
_lock = threading.Lock()
_DYNAMIC_AXES = ("rows", "draws")


def shape_names(kind: str) -> tuple[str, ...]:
    """Parameters of a curve but for the one that multiplies it, in their order."""
    saturation = SATURATIONS[kind]
    return tuple(entry.name for entry in saturation.parameters if entry.name != saturation.scale)


def curve_with_slopes(kind: str, media: Floats, parameters: Mapping[str, Floats]) -> Floats:
    """A curve f up to its scale, f' and f'' at every element, shape (3, row, draw).

    Args:
        kind: A key of `SATURATIONS`.
        media: With carry-over, model space, shape (row, draw).
        parameters: Those of `shape_names`, each of shape (draw,).
    """
    kernel = _kernel("elements", kind)
    data = SimpleNamespace(media=media, parameters=_stacked(kind, parameters, media.shape[1]))
    buffer = kernel.signature.data_buffer(data)
    return kernel(np.zeros((1, 1)), buffer, 3 * media.size).reshape(3, *media.shape)


@dataclass(frozen=True, eq=False)
class LineCurve:
    """S(z) = sum over rows r and draws d of factor[r, d] f(start[r, d] + step[r, d] z), a function of one number.

    Attributes:
        kernel: Its machine code.
        buffer: The arrays that it takes.
    """

    kernel: CompiledResults
    buffer: Floats

    @classmethod
    def of(
        cls, kind: str, start: Floats, step: Floats, factor: Floats, parameters: Mapping[str, Floats]
    ) -> LineCurve:
        """The sum of a curve of one kind; arrays of shape (row, draw), parameters of shape (draw,)."""
        kernel = _kernel("line", kind)
        stacked = _stacked(kind, parameters, start.shape[1])
        data = SimpleNamespace(start=start, step=step, factor=factor, parameters=stacked)
        return cls(kernel, kernel.signature.data_buffer(data))

    def __call__(self, z: Floats) -> Floats:
        """S, S' and S'' at each z, shape (z, 3)."""
        return self.kernel(np.reshape(z, (-1, 1)), self.buffer, 3)


def _stacked(kind: str, parameters: Mapping[str, Floats], draws: int) -> Floats:
    """Shape parameters as rows; one row of zeros where a curve has none."""
    rows = [np.broadcast_to(parameters[name], draws) for name in shape_names(kind)]
    return np.stack(rows) if rows else np.zeros((1, draws))


@dataclass(frozen=True)
class _Elements:
    media: Array = declared("rows", "draws")
    parameters: Array = declared("parameter", "draws")


@dataclass(frozen=True)
class _Line:
    start: Array = declared("rows", "draws")
    step: Array = declared("rows", "draws")
    factor: Array = declared("rows", "draws")
    parameters: Array = declared("parameter", "draws")


def _kernel(what: str, kind: str) -> CompiledResults:
    with _lock:
        if (what, kind) not in _compiled:
            trace = {"elements": _traced_elements, "line": _traced_line}[what]
            stores, signature = trace(kind)
            _compiled[what, kind] = compiled_results(
                f"{kind}_{what}", stores, signature, _interpreted(stores)
            )
        return _compiled[what, kind]


def _traced_elements(kind: str) -> tuple[list[Expression], Signature]:
    graph, signature = Graph(), _signature(_Elements, kind)
    arrays, xp = signature.traced(_Elements, graph), traced_functions()
    media = graph.expression(arrays.media)
    value = graph.expression(_shape(kind, media, arrays.parameters, xp))
    slope = _filled(_derivative(value.sum(), media), media)
    curvature = _filled(_derivative(slope.sum(), media), media)
    result = graph.expression(xp.concatenate([value[None], slope[None], curvature[None]], axis=0))
    return [graph.store(result, "result", 0, result.sizes)], signature


def _traced_line(kind: str) -> tuple[list[Expression], Signature]:
    graph, signature = Graph(), _signature(_Line, kind)
    z = graph.input("flat", (1,))[0]
    arrays = signature.traced(_Line, graph)
    curve = _shape(kind, arrays.start + arrays.step * z, arrays.parameters, traced_functions())
    value = graph.expression((arrays.factor * curve).sum())
    slope = _derivative(value, z)
    results = (value, slope, _derivative(slope, z))
    return [graph.store(result, "result", at, ()) for at, result in enumerate(results)], signature


def _signature(arrays: type, kind: str) -> Signature:
    return Signature.of(arrays, {"parameter": max(1, len(shape_names(kind)))}, _DYNAMIC_AXES, 1)


def _shape(kind: str, media: Array, parameters: Array, xp: ArrayFunctions) -> Array:
    named = {name: parameters[at] for at, name in enumerate(shape_names(kind))}
    return SATURATIONS[kind].shape(media, named, xp)


def _derivative(value: Expression, node: Expression) -> Expression:
    """dv/dx; 0 where the value does not depend on the node, as the slope of a line."""
    if node not in topological([value]):
        return value.graph.constant(0.0)
    return gradient(value, [node])[0]


def _filled(value: Expression, like: Expression) -> Expression:
    """A derivative with an element for every element of its node, also where it is one number."""
    return value.graph.constant(float(value.detail), like.sizes) if value.is_constant() else value


def _interpreted(stores: list[Expression]) -> Callable[[Floats, dict[str, Floats]], list[Floats]]:
    """The same graph computed by numpy, which machine code is compared with."""

    def formula(flat: Floats, arrays: dict[str, Floats]) -> list[Floats]:
        rows, draws = arrays["media" if "media" in arrays else "start"].shape
        return interpreted(stores, {"flat": flat, **arrays}, {"rows": rows, "draws": draws})

    return formula
