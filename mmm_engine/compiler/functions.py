"""Compiled functions as Python calls them: shapes are checked by the machine code, and its status becomes an error.

Here: `compiled_density`, `compiled_results`, from outputs of a graph to something to call.
Not here: the machine code's side of the call (entry_points.py), where it is kept (code_cache.py).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.compiler import entry_points
from mmm_engine.compiler.code_cache import MachineCode, machine_code
from mmm_engine.compiler.fusion import schedule
from mmm_engine.compiler.graph import Expression
from mmm_engine.compiler.inputs import Signature
from mmm_engine.compiler.lowering import NO_MEMORY
from mmm_engine.compiler.self_check import density_mismatch, results_mismatch
from mmm_engine.compiler.shapes import Length, number_of_elements

_DOUBLES = ctypes.POINTER(ctypes.c_double)
_DENSITY = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[_DOUBLES] * 4)
_RESULTS = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 3, *[_DOUBLES] * 3)


@dataclass(frozen=True)
class CompiledDensity:
    """A log density and its gradient as machine code.

    Attributes:
        signature: What it is called with.
        code: Its functions `log_density` and `copy_draw` (entry_points.py).
    """

    signature: Signature
    code: MachineCode

    def __call__(self, flat: Floats, data: Floats) -> tuple[float, Floats]:
        """Value and gradient at one point; both NaN where a number of them is not finite.

        Args:
            flat: Shape (size,).
            data: Output of `signature.data_buffer`.

        Raises:
            ValueError: If the flat vector or the data have another length than the function takes.
            MemoryError: If there is none for intermediate results.
        """
        point, gradient, value = np.array(flat, dtype=float), np.empty(np.size(flat)), np.empty(1)
        arrays = (point, gradient, value, _buffer(data))
        pointers = [array.ctypes.data_as(_DOUBLES) for array in arrays]
        status = _DENSITY(self.code.addresses[0])(point.size, *pointers)
        if status == entry_points.NOT_FINITE:
            return float("nan"), np.full(len(gradient), np.nan)
        _check(status, self.signature, point.size, data)
        return float(value[0]), gradient


@dataclass(frozen=True)
class CompiledResults:
    """Results for many points as machine code.

    Attributes:
        signature: What it is called with.
        width: Length of a point's results.
        code: Its function `all_results` (entry_points.py).
    """

    signature: Signature
    width: Length
    code: MachineCode

    def __call__(self, points: Floats, data: Floats, width: int) -> Floats:
        """The results of every point, shape (point, width).

        Args:
            points: Shape (point, size).
            data: Output of `signature.data_buffer`.
            width: Length of a point's results.

        Raises:
            ValueError: If points, data or `width` are not what the function takes.
            MemoryError: If there is none for intermediate results.
        """
        points = np.ascontiguousarray(points, dtype=float)
        results = np.empty((len(points), width))
        arrays = (points, results, _buffer(data))
        pointers = [array.ctypes.data_as(_DOUBLES) for array in arrays]
        status = _RESULTS(self.code.addresses[0])(len(points), points.shape[1], width, *pointers)
        if status == entry_points.WRONG_WIDTH:
            needed = number_of_elements(self.width, self.signature.lengths(data))
            raise ValueError(f"results of {width} numbers were asked for, and there are {needed}")
        _check(status, self.signature, points.shape[1], data)
        return results


def compiled_density(
    name: str,
    outputs: Sequence[Expression],
    signature: Signature,
    formula: Callable[[Floats, dict[str, Floats]], Any],
) -> CompiledDensity:
    """A density and its gradient, loaded from disk or compiled, and compared with its formula at one point.

    Args:
        name: Names the file on disk.
        outputs: Operations "store" into "value" and "gradient".
        signature: What they are computed from.
        formula: The value on numpy arrays: (flat vector, inputs by name) -> number.

    Raises:
        ValueError: If the outputs do not fill the gradient.
        FitError: If no working machine code comes about.
    """

    def mismatch(code: MachineCode) -> str | None:
        return density_mismatch(CompiledDensity(signature, code), signature, outputs, formula)

    text = entry_points.density_text(schedule(outputs), signature)
    return CompiledDensity(
        signature, machine_code(name, text, ("log_density", "copy_draw"), signature, mismatch)
    )


def compiled_results(
    name: str,
    outputs: Sequence[Expression],
    signature: Signature,
    formula: Callable[[Floats, dict[str, Floats]], Sequence[Any]],
) -> CompiledResults:
    """Results for many points, loaded from disk or compiled, and compared with their formula at one point.

    Args:
        name: Names the file on disk.
        outputs: Operations "store" into "result", one after the other.
        signature: What they are computed from.
        formula: The same on numpy arrays: (flat vector, inputs by name) -> the parts of a row in their order.

    Raises:
        ValueError: If there are gaps between the outputs.
        FitError: If no working machine code comes about.
    """
    plan = schedule(outputs)
    width = entry_points.output_length(plan, "result")

    def mismatch(code: MachineCode) -> str | None:
        return results_mismatch(CompiledResults(signature, width, code), signature, formula)

    text = entry_points.results_text(plan, signature)
    return CompiledResults(signature, width, machine_code(name, text, ("all_results",), signature, mismatch))


def _buffer(data: Floats) -> Floats:
    """A data buffer whose first number is its length, as machine code trusts."""
    is_vector = data.dtype == np.float64 and data.ndim == 1 and data.flags.c_contiguous
    if not is_vector or not data.size or data[0] != data.size:
        raise ValueError("the data are not a buffer of Signature.data_buffer")
    return data


def _check(status: int, signature: Signature, size: int, data: Floats) -> None:
    """Raises what a status says."""
    match status:
        case entry_points.DONE:
            return
        case entry_points.WRONG_SIZE:
            raise ValueError(f"the flat vector has {size} numbers, and {signature.size} are needed")
        case entry_points.WRONG_AXIS:
            raise ValueError(f"the lengths of dynamic axes are not whole numbers: {signature.lengths(data)}")
        case entry_points.WRONG_LENGTH:
            lengths = signature.lengths(data)
            needed = number_of_elements(signature.data_length, lengths)
            raise ValueError(f"the data have {data.size} numbers, and {needed} are needed for {lengths}")
        case _ if status == NO_MEMORY:
            raise MemoryError(f"no memory for the results of {signature.lengths(data)}")
    raise RuntimeError(f"compiled code returned the unknown status {status}")
