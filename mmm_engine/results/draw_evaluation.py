"""From parameters to the mean, for all draws at once, by machine code: predictions, contributions, sums per channel.

Here: `expected_targets`, `channel_totals`, `all_terms`; each is compiled once per specification and fed with any rows.
Not here: the formula of the mean (model/mean.py), original units (predictive.py, returns.py).
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import traced_functions
from mmm_engine.compiler.code_cache import MachineCode, machine_code
from mmm_engine.compiler.fusion import schedule
from mmm_engine.compiler.graph import Expression, Graph
from mmm_engine.compiler.inputs import data_buffer, input_layouts, traced_arrays
from mmm_engine.compiler.lowering import forward_text
from mmm_engine.model.arrays import DYNAMIC_AXES, ModelData, axis_sizes
from mmm_engine.model.mean import MeanTerms, mean, mean_terms
from mmm_engine.model.specification import ModelSpecification

Outputs = list[Expression]

MORE_MEDIA = 0.01  # marginal effects: what one per cent more media in every period brings

_DOUBLES = ctypes.POINTER(ctypes.c_double)
_FORWARD = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 3, *[_DOUBLES] * 3)
_compiled: dict[tuple[str, ModelSpecification], MachineCode] = {}
_compile_lock = threading.Lock()


@dataclass(frozen=True)
class ChannelTotals:
    """Sums over rows, model space.

    Attributes:
        contribution: Shape (draw, channel).
        contribution_of_more: With `MORE_MEDIA` more of every channel, shape (draw, channel).
        expected: The mean of the target, shape (draw,).
    """

    contribution: Floats
    contribution_of_more: Floats
    expected: Floats


def expected_targets(
    values: Mapping[str, Floats], data: ModelData, specification: ModelSpecification
) -> Floats:
    """Sum of all terms of each row, model space, shape (draw, date).

    Args:
        values: Parameters by name, shape (draw,) or (draw, element).
        data: The rows wanted.
        specification: The model.
    """
    return _evaluate("expected", values, data, specification, len(data.target_scaled))


def channel_totals(
    values: Mapping[str, Floats], data: ModelData, specification: ModelSpecification
) -> ChannelTotals:
    """Sums over the rows of `data`; arguments as those of `expected_targets`."""
    channels = specification.n_channels
    found = _evaluate("totals", values, data, specification, 2 * channels + 1)
    return ChannelTotals(found[:, :channels], found[:, channels : 2 * channels], found[:, -1])


def all_terms(values: Mapping[str, Floats], data: ModelData, specification: ModelSpecification) -> Floats:
    """Every term of every row, model space, shape (draw, term, date); arguments as those of `expected_targets`.

    Terms are the intercept, seasonality and trend where the model has them, channels, controls and events.
    """
    terms = 1 + bool(specification.fourier_order) + bool(specification.changepoints)
    terms += specification.n_channels + specification.n_controls + specification.n_events
    rows = len(data.target_scaled)
    return _evaluate("terms", values, data, specification, terms * rows).reshape(-1, terms, rows)


def _evaluate(
    what: str, values: Mapping[str, Floats], data: ModelData, specification: ModelSpecification, width: int
) -> Floats:
    names = [spec.name for spec in specification.parameters]
    draws = len(values[names[0]])
    flat = np.concatenate(
        [np.asarray(values[name], dtype=float).reshape(draws, -1) for name in names], axis=1
    )
    result = np.empty((draws, width))
    code, buffer = _code(what, specification), data_buffer(data, DYNAMIC_AXES)
    pointers = [array.ctypes.data_as(_DOUBLES) for array in (flat, result, buffer)]
    _FORWARD(code.addresses[0])(draws, flat.shape[1], width, *pointers)
    return result


def _code(what: str, specification: ModelSpecification) -> MachineCode:
    with _compile_lock:
        if (what, specification) not in _compiled:
            _compiled[what, specification] = machine_code(
                what, repr(specification), ("all_draws",), lambda: _text(_OUTPUTS[what], specification)
            )
        return _compiled[what, specification]


def _text(outputs: Callable[[_Model], Outputs], specification: ModelSpecification) -> str:
    """The LLVM text of results that follow one another."""
    graph, layouts = Graph(), input_layouts(ModelData, axis_sizes(specification))
    data = traced_arrays(ModelData, graph, layouts)
    flat = graph.input("flat", (sum(spec.size for spec in specification.parameters),))
    values: dict[str, Expression] = {}
    start = 0
    for spec in specification.parameters:
        values[spec.name] = flat[start] if spec.dim is None else flat[start : start + spec.size]
        start += spec.size
    stores, place = [], 0
    for output in outputs(_Model(values, data, specification)):
        stores.append(graph.store(output, "result", place, output.sizes))
        place += output.sizes[0] if output.sizes and isinstance(output.sizes[0], int) else 1
    return forward_text(schedule(stores), layouts, DYNAMIC_AXES)


@dataclass(frozen=True)
class _Model:
    """Parameters and rows as expressions."""

    values: Mapping[str, Expression]
    data: ModelData
    specification: ModelSpecification

    def terms(self, factor: float = 1.0) -> MeanTerms:
        """The terms with so much of the media."""
        data = replace(self.data, media_lagged=self.data.media_lagged * factor)
        return mean_terms(self.values, data, self.specification, traced_functions())


def _expected(model: _Model) -> Outputs:
    return [_by_row(mean(model.terms()), model)]


def _totals(model: _Model) -> Outputs:
    terms = model.terms()
    media, more = (t.media.sum(axis=0) for t in (terms, model.terms(1.0 + MORE_MEDIA)))
    return [media, more, _by_row(mean(terms), model).sum()]


def _all_terms(model: _Model) -> Outputs:
    terms = model.terms()
    baseline = [term for term in (terms.intercept, terms.seasonality, terms.trend) if term is not None]
    pieces = [_by_row(term, model)[None] for term in baseline]
    pieces += [terms.media.T, terms.controls.T] if model.specification.n_controls else [terms.media.T]
    if terms.events is not None:
        pieces.append(terms.events.T)
    return [model.data.target_scaled.graph.concatenate(pieces, axis=0)]


def _by_row(term: Expression, model: _Model) -> Expression:
    """A term with one element for every row."""
    target: Expression = model.data.target_scaled
    return target.graph.apply("add", term, 0.0 * target)


_OUTPUTS: dict[str, Callable[[_Model], Outputs]] = {
    "expected": _expected,
    "totals": _totals,
    "terms": _all_terms,
}
