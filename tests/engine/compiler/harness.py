"""Formulas as machine code, without a cache, and what numpy says of them: what the compiler's tests have in common."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from mmm_engine.compiler.array_functions import numpy_functions, traced_functions
from mmm_engine.compiler.autodiff import gradient
from mmm_engine.compiler.code_cache import MachineCode
from mmm_engine.compiler.entry_points import density_text, output_length, results_text
from mmm_engine.compiler.functions import CompiledDensity, CompiledResults
from mmm_engine.compiler.fusion import schedule
from mmm_engine.compiler.graph import Expression, Graph
from mmm_engine.compiler.inputs import InputLayout, Signature
from mmm_engine.compiler.object_code import load, object_code
from mmm_engine.compiler.shapes import Size

XP, TRACED = numpy_functions(), traced_functions()
Formula = Callable[[Any, Any, Any], Any]  # array functions, flat vector, inputs -> an array or an expression

DOUBLES = ctypes.POINTER(ctypes.c_double)
DENSITY = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[DOUBLES] * 4)

DYNAMIC = ("rows", "tests")
COORDINATES = 13
LAYOUTS = (
    InputLayout("of_rows", ("rows",)),
    InputLayout("of_tests", ("tests",)),
    InputLayout("line", ("rows",)),
    InputLayout("grid", ("rows", 3)),
    InputLayout("lags", (4, "rows", 3), shifted=True),
    InputLayout("wide", ("tests", "rows")),
    InputLayout("few", ("tests",)),
    InputLayout("table", (5, 2)),
    InputLayout("cube", ("rows", 5, "tests")),
)
LENGTHS = ((7, 4), (1, 1), (16, 2), (0, 3), (5, 0), (161, 5))  # rows, tests


class Outcome(NamedTuple):
    """What a call of the machine code gave."""

    status: int
    value: float
    slopes: Any


@dataclass(frozen=True)
class Machine:
    """Machine code of a density, called as a sampler calls it.

    Attributes:
        density: Its Python face.
    """

    density: CompiledDensity

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return self.density.signature.size

    def __call__(self, flat: Any, inputs: Mapping[str, Any], lengths: Sequence[int]) -> Outcome:
        """Runs it."""
        arrays = [np.array(flat, dtype=float), np.full(self.size, np.nan), np.full(1, np.nan)]
        data = buffer(self.density.signature, inputs, lengths)
        pointers = [array.ctypes.data_as(DOUBLES) for array in (*arrays, data)]
        status = DENSITY(self.density.code.addresses[0])(self.size, *pointers)
        return Outcome(status, float(arrays[2][0]), arrays[1])


def buffer(signature: Signature, inputs: Mapping[str, Any], lengths: Sequence[int]) -> Any:
    """The data of a call, written here once more: length, those of dynamic axes, arrays with dynamic axes last."""
    pieces = [np.array(lengths[: len(signature.dynamic_axes)], dtype=float)]
    for layout in signature.layouts:
        array, sizes = np.asarray(inputs[layout.name], dtype=float), layout.sizes
        if layout.shifted:  # stored once, with the zeros before it
            padding = np.zeros((len(array) - 1, *array.shape[2:]))
            array, sizes = np.concatenate([padding, array[0]]), sizes[1:]
        known_first = sorted(range(array.ndim), key=[isinstance(size, str) for size in sizes].__getitem__)
        pieces.append(array.transpose(known_first).ravel())
    return np.concatenate([[1.0 + sum(map(len, pieces))], *pieces])


def machine_code_of(text: str, *functions: str) -> MachineCode:
    """A module's functions, compiled in this process."""
    owner, addresses = load(object_code(text), functions)
    return MachineCode(addresses, owner, from_disk=False)


def assembled(outputs: Sequence[Expression], layouts: Sequence[InputLayout], size: int) -> Machine:
    """Machine code of a density's outputs."""
    signature = Signature(size, tuple(layouts), DYNAMIC)
    text = density_text(schedule(outputs), signature)
    return Machine(CompiledDensity(signature, machine_code_of(text, "log_density", "copy_draw")))


def results(outputs: Sequence[Expression], layouts: Sequence[InputLayout], size: int) -> CompiledResults:
    """Machine code of outputs stored in "result"."""
    signature, plan = Signature(size, tuple(layouts), DYNAMIC), schedule(outputs)
    code = machine_code_of(results_text(plan, signature), "all_results")
    return CompiledResults(signature, output_length(plan, "result"), code)


def computed(array: Expression, inputs: Mapping[str, Any], lengths: Sequence[int]) -> Any:
    """All elements of an array that depends on inputs alone, in the order of memory."""
    nodes = [node for node in array.graph.nodes.values() if node.operation == "input"]
    layouts = [InputLayout(node.detail, node.sizes) for node in nodes]
    named = dict(zip(DYNAMIC, lengths, strict=True))
    width = math.prod(named[size] if isinstance(size, str) else size for size in array.sizes)
    machine = results([array.graph.store(array, "result", 0, array.sizes)], layouts, 1)
    return machine(np.zeros((1, 1)), buffer(machine.signature, inputs, lengths), width)[0]


def compiled(formula: Formula, size: int = COORDINATES, layouts: Sequence[InputLayout] = LAYOUTS) -> Machine:
    """Machine code of a formula whose result is a number, and of its gradient."""
    graph = Graph()
    flat = graph.input("flat", (size,))
    inputs = {layout.name: graph.input(layout.name, layout.sizes) for layout in layouts}
    value = formula(TRACED, flat, SimpleNamespace(**inputs))
    slope = gradient(value, [flat])[0]
    outputs = [graph.store(value, "value", 0, ()), graph.store(slope, "gradient", 0, (size,))]
    return assembled(outputs, layouts, size)


def made_up(lengths: Sequence[int], seed: int, layouts: Sequence[InputLayout] = LAYOUTS) -> dict[str, Any]:
    """Random inputs; shifted ones are shifts of one array."""
    rng, named = np.random.default_rng(seed), dict(zip(DYNAMIC, lengths, strict=True))
    arrays = {}
    for layout in layouts:
        shape = [named.get(size, size) for size in layout.sizes]  # type: ignore[call-overload]
        array = rng.normal(size=shape[1:] if layout.shifted else shape)
        if layout.shifted:
            longer = np.concatenate([np.zeros((shape[0] - 1, *array.shape[1:])), array])
            array = np.stack([longer[shape[0] - 1 - at :][: len(array)] for at in range(shape[0])])
        arrays[layout.name] = array
    return arrays


def numeric_gradient(value: Callable[[Any], float], flat: Any) -> Any:
    """Central differences."""
    steps = 1e-5 * np.eye(len(flat))
    return np.array([(value(flat + step) - value(flat - step)) / 2e-5 for step in steps])


def assert_agrees(
    machine: Machine, formula: Formula, lengths: Sequence[int], layouts: Sequence[InputLayout] = LAYOUTS
) -> None:
    """Value as numpy computes it, gradient as differences say; not finite where numpy's value is not."""
    inputs = made_up(lengths, seed=1 + sum(lengths), layouts=layouts)
    flat = np.random.default_rng(sum(lengths)).normal(size=machine.size)
    with np.errstate(all="ignore"):

        def value(at: Any) -> float:
            return float(formula(XP, at, SimpleNamespace(**inputs)))

        wanted, wanted_slopes = value(flat), numeric_gradient(value, flat)
    found = machine(flat, inputs, lengths)
    assert found.status == (0 if math.isfinite(wanted) else 3), lengths
    if math.isfinite(wanted):
        assert found.value == pytest.approx(wanted, rel=1e-11, abs=1e-11), lengths
        room = 1e-6 * max(1.0, np.abs(wanted_slopes).max(), 1e-2 * abs(wanted))
        assert found.slopes == pytest.approx(wanted_slopes, rel=1e-6, abs=room), lengths


def weighed(array: Any, axes: Sequence[Size], inputs: Any) -> Any:
    """A number in which every element of an array has another weight."""
    assert array.ndim == len(axes)
    for axis, size in enumerate(axes):
        weights = getattr(inputs, f"of_{size}") if isinstance(size, str) else np.cos(1.0 + np.arange(size))
        array = array * weights[(slice(None), *(None,) * (len(axes) - axis - 1))]
    return array.sum()


def number_of(formula: Formula, axes: tuple[Size, ...]) -> Formula:
    """A formula of a number from that of an array with these axes."""

    def number(xp: Any, flat: Any, inputs: Any) -> Any:
        array = formula(xp, flat, inputs)
        if isinstance(array, Expression):
            assert array.sizes == axes
        return weighed(array, axes, inputs) + (flat * flat).sum()

    return number


def joined(xp: Any, pieces: Sequence[Any], axis: int) -> Any:
    """Concatenation whose pieces broadcast along the other axes, which numpy's do not."""
    if any(isinstance(piece, Expression) for piece in pieces):
        return xp.concatenate(pieces, axis=axis)
    axis %= pieces[0].ndim
    shapes = [(*piece.shape[:axis], 1, *piece.shape[axis + 1 :]) for piece in pieces]
    common = np.broadcast_shapes(*shapes)
    whole = [
        np.broadcast_to(piece, (*common[:axis], piece.shape[axis], *common[axis + 1 :])) for piece in pieces
    ]
    return np.concatenate(whole, axis=axis)
