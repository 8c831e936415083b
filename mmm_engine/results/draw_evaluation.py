"""From parameters to the mean, for all draws at once, by machine code: predictions, contributions, sums per channel.

Here: `expected_targets`, `channel_totals`, `all_terms`; each is compiled once per specification and fed with any rows.
Not here: the formula of the mean (model/mean.py), original units (predictive.py, returns.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Floats, axis_length
from mmm_engine.compiler.array_functions import numpy_functions, traced_functions
from mmm_engine.compiler.functions import CompiledResults, compiled_results
from mmm_engine.compiler.graph import Expression, Graph
from mmm_engine.compiler.inputs import Signature
from mmm_engine.model.arrays import DYNAMIC_AXES, MORE_MEDIA, ModelData, axis_sizes, with_media
from mmm_engine.model.mean import MeanTerms, mean, mean_terms
from mmm_engine.model.specification import ModelSpecification

Outputs = list[Array]


_compiled: dict[tuple[str, ModelSpecification], CompiledResults] = {}
_compile_lock = threading.Lock()


@dataclass(frozen=True)
class ChannelTotals:
    """Sums over rows, model space.

    Attributes:
        contribution_scaled: Shape (draw, channel).
        contribution_of_more_scaled: With `MORE_MEDIA` more of every channel, shape (draw, channel).
        expected_scaled: The mean of the target, shape (draw,).
    """

    contribution_scaled: Floats
    contribution_of_more_scaled: Floats
    expected_scaled: Floats


def expected_targets(
    values: Mapping[str, Floats], data: ModelData, specification: ModelSpecification
) -> Floats:
    """Sum of all terms of each row, model space, shape (draw, date).

    Args:
        values: Parameters by name, shape (draw,) or (draw, element).
        data: The rows wanted.
        specification: The model.
    """
    return _evaluate("expected", values, data, specification, axis_length(data.target_scaled, 0))


def channel_totals(
    values: Mapping[str, Floats], data: ModelData, specification: ModelSpecification
) -> ChannelTotals:
    """Sums over the rows of `data`; arguments as those of `expected_targets`."""
    channels = specification.n_channels
    found = _evaluate("totals", values, data, specification, 2 * channels + 1)
    return ChannelTotals(found[:, :channels], found[:, channels : 2 * channels], found[:, -1])


def all_terms(values: Mapping[str, Floats], data: ModelData, specification: ModelSpecification) -> Floats:
    """Every term of every row, model space, shape (draw, term, date); arguments as those of `expected_targets`.

    Terms are the intercept, those of the calendar (specification.calendar_terms), channels, controls and events.
    """
    terms = 1 + len(specification.calendar_terms)
    terms += specification.n_channels + specification.n_controls + specification.n_events
    rows = axis_length(data.target_scaled, 0)
    return _evaluate("terms", values, data, specification, terms * rows).reshape(-1, terms, rows)


def _evaluate(
    what: str, values: Mapping[str, Floats], data: ModelData, specification: ModelSpecification, width: int
) -> Floats:
    """The results called `what` for every draw, shape (draw, width).

    Raises:
        ValueError: If a parameter or an array has not the shape that the specification says.
    """
    draws = len(values[specification.parameters[0].name])
    columns = []
    for spec in specification.parameters:
        column = np.asarray(values[spec.name], dtype=float).reshape(draws, -1)
        if column.shape[1] != spec.size:
            raise ValueError(
                f"the parameter '{spec.name}' has {column.shape[1]} elements, and {spec.size} are needed"
            )
        columns.append(column)
    results = _results(what, specification)
    return results(np.concatenate(columns, axis=1), results.signature.data_buffer(data), width)


def _results(what: str, specification: ModelSpecification) -> CompiledResults:
    with _compile_lock:
        key = (what, specification)
        if key not in _compiled:
            traced = traced_results(what, specification)
            _compiled[key] = compiled_results(what, *traced, _numpy_results(what, specification))
        return _compiled[key]


def traced_results(what: str, specification: ModelSpecification) -> tuple[list[Expression], Signature]:
    """Results that follow one another as outputs of a graph, and what they are computed from."""
    graph, size = Graph(), sum(spec.size for spec in specification.parameters)
    signature = Signature.of(ModelData, axis_sizes(specification), DYNAMIC_AXES, size)
    values = _by_name(graph.input("flat", (size,)), specification)
    model = _Model(values, signature.traced(ModelData, graph), specification, traced_functions())
    stores, start = [], 0
    for output in map(graph.expression, _OUTPUTS[what](model)):
        stores.append(graph.store(output, "result", start, output.sizes))
        start += output.sizes[0] if output.sizes and isinstance(output.sizes[0], int) else 1
    return stores, signature


def _numpy_results(
    what: str, specification: ModelSpecification
) -> Callable[[Floats, dict[str, Floats]], Sequence[Any]]:
    """The same formulas on numpy arrays, which machine code is compared with."""

    def results(flat: Floats, arrays: dict[str, Floats]) -> Sequence[Any]:
        values = _by_name(flat, specification)
        return _OUTPUTS[what](_Model(values, ModelData(**arrays), specification, numpy_functions()))

    return results


def _by_name(flat: Array, specification: ModelSpecification) -> dict[str, Array]:
    """The parameters in a flat vector."""
    values, start = {}, 0
    for spec in specification.parameters:
        values[spec.name] = flat[start] if spec.dim is None else flat[start : start + spec.size]
        start += spec.size
    return values


@dataclass(frozen=True)
class _Model:
    """Parameters and rows, as expressions or as numbers, with the functions for them."""

    values: Mapping[str, Array]
    data: ModelData
    specification: ModelSpecification
    xp: ArrayFunctions

    def terms(self, factor: float = 1.0) -> MeanTerms:
        """The terms with so much of the media."""
        return mean_terms(self.values, with_media(self.data, factor), self.specification, self.xp)


def _expected(model: _Model) -> Outputs:
    return [_by_row(mean(model.terms()), model)]


def _totals(model: _Model) -> Outputs:
    terms = model.terms()
    media, more = (t.media.sum(axis=0) for t in (terms, model.terms(1.0 + MORE_MEDIA)))
    return [media, more, _by_row(mean(terms), model).sum()]


def _all_terms(model: _Model) -> Outputs:
    terms = model.terms()
    pieces = [_by_row(term, model)[None] for term in (terms.intercept, *terms.calendar.values())]
    pieces += [terms.media.T, terms.controls.T] if model.specification.n_controls else [terms.media.T]
    if terms.events is not None:
        pieces.append(terms.events.T)
    return [model.xp.concatenate(pieces, axis=0)]


def _by_row(term: Array, model: _Model) -> Array:
    """A term with one element for every row."""
    return term + 0.0 * model.data.target_scaled


_OUTPUTS: dict[str, Callable[[_Model], Outputs]] = {
    "expected": _expected,
    "totals": _totals,
    "terms": _all_terms,
}
