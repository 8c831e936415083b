"""The compiled log density of a model structure: compiled once, kept in memory and on disk, fed with any data.

Here: the symbolic density, its gradient, the C callback around them, and the buffer data travel in.
Not here: the sampler that calls it (sampler.py).

A structure is compiled once per machine: the machine code is stored under `cache_dir()`, and a process that finds it
there imports neither PyMC nor PyTensor and builds no graph. Within a process each structure is loaded once.
Windows, simulated targets, refreshed rows and other clients of the same structure are other buffers to the same code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmm_engine.arrays import symbolic_functions
from mmm_engine.coordinates import Coordinates, plain_coordinates, round_coordinates
from mmm_engine.model import ARRAY_RANKS, ModelData, log_likelihood, parameter_values
from mmm_engine.priors import free_variables, log_prior
from mmm_engine.structure import ModelStructure

Floats = NDArray[np.float64]
logger = logging.getLogger(__name__)

_compiled: dict[tuple[ModelStructure, str], Kernel] = {}
_compile_lock = threading.Lock()


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
        point, gradient, value = np.array(flat, dtype=float), np.empty(len(flat)), np.empty(1)
        function = self.keep_alive[0].ctypes
        status = function(
            len(point),
            *(
                array.ctypes.data_as(kind)
                for array, kind in zip((point, gradient, value, buffer), function.argtypes[1:], strict=True)
            ),
        )
        return (float(value[0]), gradient) if status == 0 else (float("nan"), gradient * np.nan)


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
    """All arrays of `data` in one flat buffer, with its length and the shapes in front."""
    arrays = [np.ascontiguousarray(array, dtype=float) for array in data.arrays().values()]
    header = [float(size) for array in arrays for size in array.shape]
    length = 1 + len(header) + sum(array.size for array in arrays)
    return np.concatenate([[float(length)], header, *(array.ravel() for array in arrays)])


def log_density(coordinates: Coordinates, flat: Any, data: ModelData) -> Any:
    """Log posterior density of a flat vector, up to a constant, as a symbolic scalar."""
    xp = symbolic_functions()
    structure = coordinates.structure
    variables, log_jacobian = coordinates.variables(flat, data, xp)
    total = log_jacobian + log_likelihood(parameter_values(structure, variables, xp), data, structure, xp)
    for part in free_variables(structure.parameters):
        total = total + log_prior(part, variables)
    return total


def symbolic_data() -> ModelData:
    """Placeholders for the arrays of `ModelData`, of any number of rows."""
    import pytensor.tensor as pt

    return ModelData(
        **{name: pt.TensorType("float64", (None,) * rank)(name) for name, rank in ARRAY_RANKS.items()}
    )


# --- compilation ----------------------------------------------------------------------------------


def _compile(structure: ModelStructure, kind: str) -> Kernel:
    start = time.perf_counter()
    coordinates = {"round": round_coordinates, "plain": plain_coordinates}[kind](structure)
    key = hashlib.sha256("\n".join([repr(structure), kind, _build_stamp()]).encode()).hexdigest()[:24]
    module = _callback_module(key)
    density, from_disk = _load_or_compile(module, lambda: _inner_function(coordinates))
    copy = _cfunc(module.copy_draw, _copy_signature)
    seconds = time.perf_counter() - start
    logger.info(
        "%s the log density of %d parameters in %.1f s.",
        "Loaded" if from_disk else "Compiled",
        coordinates.size,
        seconds,
    )
    return Kernel(structure, coordinates, density.address, copy.address, (density, copy), seconds, from_disk)


def _load_or_compile(module: ModuleType, build: Callable[[], Any]) -> tuple[Any, bool]:
    """The callback from disk, or compiled around the function that `build` returns.

    Numba asks for `inner` only when the machine code is not on disk; its absence is how we learn that it is needed.
    """
    from numba.core import utils
    from numba.core.errors import NumbaError

    # Stored code names the module of its source; PyTensor's generated functions have numba's nameless one.
    sys.modules.setdefault(utils._dynamic_modname, utils._dynamic_module)
    try:
        return _cfunc(module.log_density, _density_signature), True
    except (NumbaError, NameError):
        logger.info("Compiling a model structure that this machine has not seen; this takes a minute, once.")
        module.inner = build()  # type: ignore[attr-defined]
        return _cfunc(module.log_density, _density_signature), False


def _inner_function(coordinates: Coordinates) -> Any:
    """(flat, arrays...) -> (log density, gradient), compiled by PyTensor's numba backend."""
    import pytensor
    import pytensor.tensor as pt
    from pytensor.graph.rewriting.utils import rewrite_graph

    data = symbolic_data()
    flat = pt.TensorType("float64", shape=(coordinates.size,))("flat")
    # what appears twice becomes one before it is differentiated, so that its gradient is computed once too
    value = rewrite_graph(log_density(coordinates, flat, data), include=("merge",))
    gradient = pt.grad(value, flat)
    function = pytensor.function(
        [flat, *data.arrays().values()],
        [value, gradient],
        mode="NUMBA",
        on_unused_input="ignore",
        trust_input=True,
    )
    return function.vm.jit_fn


def _cfunc(function: Callable[..., Any], signature: Callable[[], Any]) -> Any:
    import numba

    return numba.cfunc(signature(), cache=True)(function)


def _density_signature() -> Any:
    from numba import types

    doubles = types.CPointer(types.float64)
    return types.int64(types.uint64, doubles, doubles, doubles, doubles)


def _copy_signature() -> Any:
    from numba import types

    doubles = types.CPointer(types.float64)
    return types.int64(types.uint64, types.uint64, doubles, doubles, doubles)


_SOURCE = '''"""Generated by mmm_engine.kernel: C callbacks of one model structure. Safe to delete."""
import numpy as np
from numba import carray


def log_density(size, flat_, gradient_, value_, data_):
    try:
        buffer = carray(data_, (int(carray(data_, (1,))[0]),))
        flat = carray(flat_, (int(size),))
        gradient_out = carray(gradient_, (int(size),))
        value_out = carray(value_, (1,))
{unpack}
        value, gradient = inner(flat, {names})
        value_out[0] = value.item()
        finite = np.isfinite(value_out[0])
        for i in range(int(size)):
            gradient_out[i] = gradient[i]
            finite = finite and np.isfinite(gradient[i])
        return 0 if finite else 3
    except Exception:
        return 1


def copy_draw(size, expanded, flat_, draw_, data_):
    flat = carray(flat_, (int(size),))
    draw = carray(draw_, (int(expanded),))
    for i in range(int(size)):
        draw[i] = flat[i]
    return 0
'''


def _source() -> str:
    lines, position = [], 1
    offset = f"{1 + sum(ARRAY_RANKS.values())}"
    for name, rank in ARRAY_RANKS.items():
        sizes = [f"int(buffer[{position + axis}])" for axis in range(rank)]
        position += rank
        lines.append(f"{name}_start = {offset}")
        lines.append(f"{name}_stop = {name}_start + {' * '.join(sizes)}")
        lines.append(f"{name} = buffer[{name}_start:{name}_stop].reshape(({', '.join(sizes)},))")
        offset = f"{name}_stop"
    return _SOURCE.format(unpack="\n".join(f"        {line}" for line in lines), names=", ".join(ARRAY_RANKS))


def _callback_module(key: str) -> ModuleType:
    """The callbacks as a module of their own file, beside which numba keeps the machine code."""
    path = cache_dir() / f"kernel_{key}.py"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
            file.write(_source())
        os.utime(
            file.name, (0, 0)
        )  # numba trusts machine code only as old as its source: all writers agree on a time
        os.replace(file.name, path)
    spec = importlib.util.spec_from_file_location(f"mmm_engine_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}; delete it and try again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _build_stamp() -> str:
    """What compiled code depends on beside the structure: library versions and the formulas themselves."""
    libraries = [f"{name}={version(name)}" for name in ("numba", "llvmlite", "pytensor", "pymc", "numpy")]
    sources = [Path(__file__).with_name(f"{name}.py") for name in _FORMULA_MODULES]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return "\n".join([*libraries, digest])


_FORMULA_MODULES = (
    "arrays",
    "transforms",
    "priors",
    "structure",
    "model",
    "levels",
    "supports",
    "coordinates",
    "kernel",
)
