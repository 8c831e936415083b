"""The compiled log density of a model: compiled once per machine, loaded once per process, fed with any data.

Here: the density of a flat vector as a formula, and its machine code.
Not here: the sampler that calls it (nuts.py), where machine code is kept (compiler/code_cache.py).

Windows, simulated targets, refreshed rows and other clients of the same specification are other buffers to the same
code.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmm_engine.array_types import Array, ArrayFunctions, Floats
from mmm_engine.compiler.array_functions import numpy_functions, traced_functions
from mmm_engine.compiler.autodiff import gradient
from mmm_engine.compiler.functions import CompiledDensity, compiled_density
from mmm_engine.compiler.graph import Expression, Graph
from mmm_engine.compiler.inputs import Signature
from mmm_engine.model.arrays import DYNAMIC_AXES
from mmm_engine.model.likelihood import log_likelihood
from mmm_engine.model.mean import mean_terms
from mmm_engine.model.parameters import free_variables, log_prior
from mmm_engine.model.return_priors import log_return_prior
from mmm_engine.model.specification import ModelSpecification, parameter_values
from mmm_engine.posterior.coordinate_choice import decorrelating_coordinates, plain_coordinates
from mmm_engine.posterior.coordinates import Coordinates
from mmm_engine.posterior.geometry import TrainingData, axis_sizes

logger = logging.getLogger(__name__)

_compiled: dict[tuple[ModelSpecification, str], CompiledLogDensity] = {}
_compile_lock = threading.Lock()


@dataclass(frozen=True)
class CompiledLogDensity:
    """Compiled log density and gradient of one specification in one set of coordinates.

    Attributes:
        specification: The model.
        coordinates: What the flat vector means.
        density: The machine code: `log_density` and `copy_draw` (compiler/entry_points.py).
        compile_seconds: What it took to get here.
    """

    specification: ModelSpecification
    coordinates: Coordinates
    density: CompiledDensity
    compile_seconds: float

    @property
    def from_disk(self) -> bool:
        """Whether the machine code was found on disk."""
        return self.density.code.from_disk

    @property
    def addresses(self) -> tuple[int, int]:
        """Of the C functions that a sampler calls: log density with gradient, copy of the flat vector."""
        log_density, copy_draw = self.density.code.addresses
        return log_density, copy_draw

    def data_buffer(self, data: TrainingData) -> Floats:
        """Training rows as the machine code takes them.

        Raises:
            ValueError: If an array has not the shape that the specification says.
        """
        return self.density.signature.data_buffer(data)

    def evaluate(self, flat: Floats, data: TrainingData) -> tuple[float, Floats]:
        """Log density and its gradient at one point; NaN where it is not finite.

        Args:
            flat: Shape (size,).
            data: Training rows.

        Raises:
            ValueError: If the vector or an array has not the shape that the specification says.
        """
        return self.density(flat, self.data_buffer(data))


def compile_log_density(specification: ModelSpecification, kind: str = "decorrelating") -> CompiledLogDensity:
    """The density of a specification, compiled at most once per process.

    Args:
        specification: The model.
        kind: "decorrelating" or "plain" coordinates (coordinate_choice.py).
    """
    key = (specification, kind)
    with _compile_lock:
        if key not in _compiled:
            _compiled[key] = _compile(specification, kind)
        return _compiled[key]


def compiled_count() -> int:
    """How many densities this process holds; unchanged by a fit that compiles nothing."""
    return len(_compiled)


def log_density(coordinates: Coordinates, flat: Array, data: TrainingData, xp: ArrayFunctions) -> Array:
    """Log posterior density of a flat vector, up to a constant.

    Args:
        coordinates: What the vector means.
        flat: Shape (size,), numbers or an expression.
        data: Training rows.
        xp: Array functions (compiler/array_functions.py).
    """
    specification = coordinates.specification
    variables, log_jacobian = coordinates.variables(flat, data, xp)
    values = parameter_values(specification, variables, xp)
    terms = mean_terms(values, data, specification, xp)
    total = log_jacobian + log_likelihood(values, terms, data, specification, xp)
    if specification.returns is not None:
        total = total + log_return_prior(values, data, specification, terms, xp)
    for part in free_variables(specification.parameters):
        total = total + log_prior(part, variables, xp)
    return total


# --- compilation ----------------------------------------------------------------------------------


def _compile(specification: ModelSpecification, kind: str) -> CompiledLogDensity:
    start = time.perf_counter()
    coordinates = {"decorrelating": decorrelating_coordinates, "plain": plain_coordinates}[kind](
        specification
    )
    density = compiled_density(kind, *traced_density(coordinates), _numpy_density(coordinates))
    seconds = time.perf_counter() - start
    logger.info(
        "%s the log density of %d parameters in %.1f s.",
        "Loaded" if density.code.from_disk else "Compiled",
        coordinates.size,
        seconds,
    )
    return CompiledLogDensity(specification, coordinates, density, seconds)


def traced_density(coordinates: Coordinates) -> tuple[list[Expression], Signature]:
    """Log density and gradient in some coordinates as outputs of a graph, and what they are computed from."""
    graph, sizes = Graph(), axis_sizes(coordinates.specification)
    signature = Signature.of(TrainingData, sizes, DYNAMIC_AXES, coordinates.size)
    flat = graph.input("flat", (coordinates.size,))
    value = graph.expression(
        log_density(coordinates, flat, signature.traced(TrainingData, graph), traced_functions())
    )
    pieces = _pieces(flat)
    outputs = [graph.store(value, "value", 0, ())]
    cotangents = gradient(value, [piece for _, piece in pieces])
    for (start, piece), cotangent in zip(pieces, cotangents, strict=True):
        outputs.append(graph.store(cotangent, "gradient", start, piece.sizes))
    return outputs, signature


def _numpy_density(coordinates: Coordinates) -> Callable[[Floats, dict[str, Floats]], Any]:
    """The same formula on numpy arrays, which machine code is compared with."""
    return lambda flat, arrays: log_density(coordinates, flat, TrainingData(**arrays), numpy_functions())


def _pieces(flat: Expression) -> list[tuple[int, Expression]]:
    """Parts of the flat vector as formulas take them, each with its first position. Together they are the vector.

    The vector itself where formulas take it whole.
    """
    pieces = [
        (node.detail[1][0], node)
        for node in flat.graph.nodes.values()
        if node.operation == "gather" and node.arguments[0] is flat
    ]
    if not pieces:
        return [(0, flat)]
    pieces.sort(key=lambda piece: piece[0])
    covered = [at for _, node in pieces for at in node.detail[1]]
    if covered != list(range(len(covered))) or flat.sizes != (len(covered),):
        raise ValueError(f"the parts of the flat vector do not tile it: {covered}")
    return pieces
