"""The compiled log density of a model: compiled once per machine, loaded once per process, fed with any data.

Here: the density of a flat vector as a formula, and its machine code.
Not here: the sampler that calls it (nuts.py), where machine code is kept (compiler/code_cache.py).

Windows, simulated targets, refreshed rows and other clients of the same specification are other buffers to the same
code.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import traced_functions
from mmm_engine.compiler.autodiff import gradient
from mmm_engine.compiler.code_cache import machine_code
from mmm_engine.compiler.fusion import schedule
from mmm_engine.compiler.graph import Expression, Graph
from mmm_engine.compiler.inputs import data_buffer, input_layouts, traced_arrays
from mmm_engine.compiler.lowering import density_text
from mmm_engine.model.arrays import DYNAMIC_AXES
from mmm_engine.model.likelihood import log_likelihood
from mmm_engine.model.parameters import free_variables, log_prior
from mmm_engine.model.specification import ModelSpecification, parameter_values
from mmm_engine.posterior.coordinates import Coordinates, decorrelating_coordinates, plain_coordinates
from mmm_engine.posterior.geometry import TrainingData, axis_sizes

logger = logging.getLogger(__name__)

_compiled: dict[tuple[ModelSpecification, str], CompiledLogDensity] = {}
_compile_lock = threading.Lock()
_DOUBLES = ctypes.POINTER(ctypes.c_double)
_DENSITY = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[_DOUBLES] * 4)


@dataclass(frozen=True)
class CompiledLogDensity:
    """Compiled log density and gradient of one specification in one set of coordinates.

    Attributes:
        specification: The model.
        coordinates: What the flat vector means.
        log_density_address: C function (size, flat, gradient, value, data) -> 0, or not 0 where it is not finite.
        copy_address: C function that copies the flat vector into the trace.
        keep_alive: Objects that own the machine code.
        compile_seconds: What it took to get here.
        from_disk: Whether the machine code was found on disk.
    """

    specification: ModelSpecification
    coordinates: Coordinates
    log_density_address: int
    copy_address: int
    keep_alive: tuple[Any, ...]
    compile_seconds: float
    from_disk: bool

    def evaluate(self, flat: Floats, data: TrainingData) -> tuple[float, Floats]:
        """Log density and its gradient at one point; NaN where it is not finite.

        Args:
            flat: Shape (size,).
            data: Training rows.
        """
        buffer = data_buffer(data, DYNAMIC_AXES)
        point, slopes, value = np.array(flat, dtype=float), np.empty(len(flat)), np.empty(1)
        pointers = [array.ctypes.data_as(_DOUBLES) for array in (point, slopes, value, buffer)]
        status = _DENSITY(self.log_density_address)(len(point), *pointers)
        return (float(value[0]), slopes) if status == 0 else (float("nan"), slopes * np.nan)


def compile_log_density(specification: ModelSpecification, kind: str = "decorrelating") -> CompiledLogDensity:
    """The density of a specification, compiled at most once per process.

    Args:
        specification: The model.
        kind: "decorrelating" or "plain" coordinates (coordinates.py).
    """
    key = (specification, kind)
    with _compile_lock:
        if key not in _compiled:
            _compiled[key] = _compile(specification, kind)
        return _compiled[key]


def compiled_count() -> int:
    """How many densities this process holds; unchanged by a fit that compiles nothing."""
    return len(_compiled)


def log_density(coordinates: Coordinates, flat: Any, data: TrainingData, xp: Any) -> Any:
    """Log posterior density of a flat vector, up to a constant.

    Args:
        coordinates: What the vector means.
        flat: Shape (size,), numbers or an expression.
        data: Training rows.
        xp: Array functions (compiler/array_functions.py).
    """
    specification = coordinates.specification
    variables, log_jacobian = coordinates.variables(flat, data, xp)
    total = log_jacobian + log_likelihood(
        parameter_values(specification, variables, xp), data, specification, xp
    )
    for part in free_variables(specification.parameters):
        total = total + log_prior(part, variables, xp)
    return total


# --- compilation ----------------------------------------------------------------------------------


def _compile(specification: ModelSpecification, kind: str) -> CompiledLogDensity:
    start = time.perf_counter()
    coordinates = {"decorrelating": decorrelating_coordinates, "plain": plain_coordinates}[kind](
        specification
    )
    code = machine_code(
        kind, repr(specification), ("log_density", "copy_draw"), lambda: coordinates_text(coordinates)
    )
    seconds = time.perf_counter() - start
    logger.info(
        "%s the log density of %d parameters in %.1f s.",
        "Loaded" if code.from_disk else "Compiled",
        coordinates.size,
        seconds,
    )
    density, copy = code.addresses
    return CompiledLogDensity(
        specification, coordinates, density, copy, (code.owner,), seconds, code.from_disk
    )


def coordinates_text(coordinates: Coordinates) -> str:
    """Log density and gradient in some coordinates as LLVM text."""
    graph, layouts = Graph(), input_layouts(TrainingData, axis_sizes(coordinates.specification))
    flat = graph.input("flat", (coordinates.size,))
    value = log_density(coordinates, flat, traced_arrays(TrainingData, graph, layouts), traced_functions())
    pieces = _pieces(flat)
    outputs = [graph.store(value, "value", 0, ())]
    for (start, piece), slope in zip(pieces, gradient(value, [piece for _, piece in pieces]), strict=True):
        outputs.append(graph.store(slope, "gradient", start, piece.sizes))
    return density_text(schedule(outputs), layouts, DYNAMIC_AXES, coordinates.size)


def _pieces(flat: Expression) -> list[tuple[int, Expression]]:
    """Parts of the flat vector as formulas take them, each with its first position. Together they are the vector."""
    found = [
        (node.detail[1][0], node)
        for node in flat.graph.nodes.values()
        if node.operation == "take" and node.arguments[0] is flat
    ]
    found.sort(key=lambda piece: piece[0])
    covered = [at for _, node in found for at in node.detail[1]]
    if covered != list(range(len(covered))) or flat.sizes != (len(covered),):
        raise ValueError(f"the parts of the flat vector do not tile it: {covered}")
    return found
