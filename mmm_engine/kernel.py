"""The compiled log density of a model structure: compiled once, kept in memory and on disk, fed with any data.

Here: the density as an expression, its machine code in memory and on disk, and the buffer data travel in.
Not here: the sampler that calls it (sampler.py), how machine code comes about (compiler/).

A structure takes a second or two to compile, once per machine: the machine code is stored under `cache_dir()`, and a
process that finds it there builds no graph. Within a process each structure is loaded once.
Windows, simulated targets, refreshed rows and other clients of the same structure are other buffers to the same code.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmm_engine.arrays import traced_functions
from mmm_engine.compiler.expressions import Expression, Graph
from mmm_engine.compiler.gradient import gradient
from mmm_engine.compiler.loops import schedule
from mmm_engine.compiler.memory import InputLayout
from mmm_engine.compiler.nests import module_text
from mmm_engine.compiler.object_code import load, object_code, processor
from mmm_engine.coordinates import Coordinates, plain_coordinates, round_coordinates
from mmm_engine.densities import log_prior
from mmm_engine.model import ARRAY_AXES, RUNTIME_AXES, ModelData, axis_sizes, log_likelihood, parameter_values
from mmm_engine.priors import free_variables
from mmm_engine.structure import ModelStructure

Floats = NDArray[np.float64]
logger = logging.getLogger(__name__)

_compiled: dict[tuple[ModelStructure, str], Kernel] = {}
_compile_lock = threading.Lock()
_DIGEST_BYTES = 32
_DOUBLES = ctypes.POINTER(ctypes.c_double)
_DENSITY = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[_DOUBLES] * 4)


@dataclass(frozen=True)
class Kernel:
    """Compiled log density and gradient of one structure in one set of coordinates.

    Attributes:
        structure: The model.
        coordinates: What the flat vector means.
        log_density_address: C function (size, flat, gradient, value, data) -> 0, or not 0 where it is not finite.
        copy_address: C function that copies the flat vector into the trace.
        keep_alive: Objects that own the machine code.
        compile_seconds: What it took to get here.
        from_disk: Whether the machine code was found on disk.
    """

    structure: ModelStructure
    coordinates: Coordinates
    log_density_address: int
    copy_address: int
    keep_alive: tuple[Any, ...]
    compile_seconds: float
    from_disk: bool

    def evaluate(self, flat: Floats, data: ModelData) -> tuple[float, Floats]:
        """Log density and its gradient at one point; NaN where it is not finite.

        Args:
            flat: Shape (size,).
            data: Training rows.
        """
        buffer = data_buffer(data)
        point, slopes, value = np.array(flat, dtype=float), np.empty(len(flat)), np.empty(1)
        pointers = [array.ctypes.data_as(_DOUBLES) for array in (point, slopes, value, buffer)]
        status = _DENSITY(self.log_density_address)(len(point), *pointers)
        return (float(value[0]), slopes) if status == 0 else (float("nan"), slopes * np.nan)


def compile_kernel(structure: ModelStructure, kind: str = "round") -> Kernel:
    """The kernel of a structure, compiled at most once per process.

    Args:
        structure: The model.
        kind: "round" or "plain" coordinates (coordinates.py).
    """
    key = (structure, kind)
    with _compile_lock:
        if key not in _compiled:
            _compiled[key] = _compile(structure, kind)
        return _compiled[key]


def compiled_count() -> int:
    """How many kernels this process holds; unchanged by a fit that compiles nothing."""
    return len(_compiled)


def cache_dir() -> Path:
    """Where machine code is kept: `$MMM_CACHE_DIR`, else the user's cache folder."""
    given = os.environ.get("MMM_CACHE_DIR")
    base = (
        Path(given)
        if given
        else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mmm_engine"
    )
    return base.expanduser().resolve()


def data_buffer(data: ModelData) -> Floats:
    """All arrays of `data` in one flat buffer: its length, the sizes known at run time, then the arrays.

    Axes known at run time (rows) come last in memory. Of the lagged copies of the media only the first is stored, with
    the zeros before it: the others are the same numbers, seen from earlier rows.
    """
    arrays = {name: np.asarray(array, dtype=float) for name, array in data.arrays().items()}
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        sizes.update(zip(ARRAY_AXES[name], array.shape, strict=True))
    lags = len(arrays["media_lagged"])
    media = arrays["media_lagged"][0]
    padded = np.concatenate([np.zeros((lags - 1, media.shape[1])), media])
    pieces = [padded.T.ravel()]
    for name, array in arrays.items():
        if name != "media_lagged":
            order = sorted(range(array.ndim), key=lambda axis: (ARRAY_AXES[name][axis] in RUNTIME_AXES, axis))
            pieces.append(array.transpose(order).ravel())
    header = [float(sizes[name]) for name in RUNTIME_AXES]
    length = 1 + len(header) + sum(piece.size for piece in pieces)
    return np.concatenate([[float(length)], header, *pieces])


def log_density(coordinates: Coordinates, flat: Any, data: ModelData, xp: Any) -> Any:
    """Log posterior density of a flat vector, up to a constant.

    Args:
        coordinates: What the vector means.
        flat: Shape (size,), numbers or an expression.
        data: Training rows.
        xp: Array functions (arrays.py).
    """
    structure = coordinates.structure
    variables, log_jacobian = coordinates.variables(flat, data, xp)
    total = log_jacobian + log_likelihood(parameter_values(structure, variables, xp), data, structure, xp)
    for part in free_variables(structure.parameters):
        total = total + log_prior(part, variables, xp)
    return total


# --- compilation ----------------------------------------------------------------------------------


def _compile(structure: ModelStructure, kind: str) -> Kernel:
    start = time.perf_counter()
    coordinates = {"round": round_coordinates, "plain": plain_coordinates}[kind](structure)
    key = hashlib.sha256("\n".join([repr(structure), kind, _build_stamp()]).encode()).hexdigest()[:24]
    path = cache_dir() / f"kernel_{key}.o"
    code = _read_code(path)
    if from_disk := code is not None:
        logger.debug("Machine code found in %s.", path)
    else:
        logger.info("Compiling a model structure that this machine has not seen, once.")
        code = object_code(density_text(coordinates))
        _write_code(path, code)
    engine, (density, copy) = load(code, ("log_density", "copy_draw"))
    seconds = time.perf_counter() - start
    logger.info(
        "%s the log density of %d parameters in %.1f s.",
        "Loaded" if from_disk else "Compiled",
        coordinates.size,
        seconds,
    )
    return Kernel(structure, coordinates, density, copy, (engine,), seconds, from_disk)


def density_text(coordinates: Coordinates) -> str:
    """Log density and gradient as LLVM text."""
    graph = Graph()
    sizes = axis_sizes(coordinates.structure)
    layouts = [
        InputLayout(name, tuple(sizes.get(axis, axis) for axis in axes), shifted=name == "media_lagged")
        for name, axes in ARRAY_AXES.items()
    ]
    data = ModelData(**{layout.name: graph.input(layout.name, layout.sizes) for layout in layouts})
    flat = graph.input("flat", (coordinates.size,))
    value = log_density(coordinates, flat, data, traced_functions())
    pieces = _pieces(flat)
    outputs = [graph.store(value, "value", 0, ())]
    for (start, length, piece), slope in zip(pieces, gradient(value, [p[2] for p in pieces]), strict=True):
        flat_slope = slope if slope.ndim == piece.ndim else graph.view(slope, (None,) * piece.ndim)
        outputs.append(graph.store(flat_slope, "gradient", start, (length,) if piece.ndim else ()))
    return module_text(schedule(outputs), layouts, RUNTIME_AXES, coordinates.size)


def _pieces(flat: Expression) -> list[tuple[int, int, Expression]]:
    """Parts of the flat vector as formulas take them: start, length, the part. Together they are the vector."""
    found = []
    for node in list(flat.graph.nodes.values()):
        if node.operation == "take" and node.arguments[0] is flat:
            positions = node.detail[1]
            found.append((positions[0], len(positions), node))
    found.sort(key=lambda piece: piece[0])
    covered = [start + at for start, length, _ in found for at in range(length)]
    if covered != list(range(flat.sizes[0])):  # type: ignore[arg-type]
        raise ValueError(f"the parts of the flat vector do not tile it: {covered}")
    return found


def _read_code(path: Path) -> bytes | None:
    """Stored machine code, None where there is none or it is not what was written."""
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, code = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if hashlib.sha256(code).digest() == digest:
        return code
    logger.warning("The machine code in %s is damaged: compiling again.", path)
    return None


def _write_code(path: Path, code: bytes) -> None:
    """Stored whole or not at all; a folder that cannot be written costs the next process a compilation."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, suffix=".tmp", delete=False) as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(file.name, path)
    except OSError as error:
        logger.warning("Machine code is not kept: %s", error)


@cache
def _build_stamp() -> str:
    """What machine code depends on beside the structure: processor, compiler and the formulas themselves."""
    libraries = [f"{name}={version(name)}" for name in ("llvmlite", "numpy")]
    here = Path(__file__).parent
    sources = [here / f"{name}.py" for name in _FORMULA_MODULES] + sorted((here / "compiler").glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return "\n".join([processor(), *libraries, digest])


_FORMULA_MODULES = (
    "arrays",
    "transforms",
    "priors",
    "densities",
    "structure",
    "model",
    "levels",
    "supports",
    "coordinates",
    "kernel",
)
