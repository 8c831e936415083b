"""The compiler: machine code of a formula has the formula's value and gradient, whatever it is made of."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from mmm_engine.compiler.array_functions import numpy_functions, traced_functions
from mmm_engine.compiler.autodiff import digamma, gradient
from mmm_engine.compiler.buffers import InputLayout
from mmm_engine.compiler.fusion import schedule
from mmm_engine.compiler.graph import ELEMENTWISE, Expression, Graph, Size, topological
from mmm_engine.compiler.lowering import density_text, forward_text
from mmm_engine.compiler.object_code import load, object_code

XP, TRACED = numpy_functions(), traced_functions()
Formula = Callable[[Any, Any, Any], Any]  # array functions, flat vector, inputs -> an array or an expression

_DOUBLES = ctypes.POINTER(ctypes.c_double)
_DENSITY = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[_DOUBLES] * 4)
_FORWARD = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 3, *[_DOUBLES] * 3)

RUNTIME = ("rows", "tests")
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
pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")
LENGTHS = ((7, 4), (1, 1), (16, 2), (0, 3), (5, 0), (161, 5))  # rows, tests


# --- harness --------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What a call of the machine code gave."""

    status: int
    value: float
    slopes: Any


@dataclass(frozen=True)
class Machine:
    """Machine code of a graph's outputs.

    Attributes:
        address: Of the C function.
        size: Length of the flat vector.
        layouts: Inputs in the order of the data.
        owner: Keeps the code alive.
    """

    address: int
    size: int
    layouts: Sequence[InputLayout]
    owner: Any

    def __call__(
        self, flat: Any, inputs: Mapping[str, Any], lengths: Sequence[int], room: int = 0
    ) -> Outcome:
        """Runs it; `room` is the length of the output "gradient" where it is not that of the flat vector."""
        arrays = [np.array(flat, dtype=float), np.full(room or self.size, np.nan), np.full(1, np.nan)]
        data = buffer(self.layouts, inputs, lengths)
        pointers = [array.ctypes.data_as(_DOUBLES) for array in (*arrays, data)]
        status = _DENSITY(self.address)(self.size, *pointers)
        return Outcome(status, float(arrays[2][0]), arrays[1])


def buffer(layouts: Sequence[InputLayout], inputs: Mapping[str, Any], lengths: Sequence[int]) -> Any:
    """The data of a call: a number of no interest, lengths of run time, arrays with axes of run time last."""
    pieces = [np.array([0.0, *map(float, lengths)])]
    for layout in layouts:
        array, sizes = np.asarray(inputs[layout.name], dtype=float), layout.sizes
        if layout.shifted:  # stored once, with the zeros before it
            padding = np.zeros((len(array) - 1, *array.shape[2:]))
            array, sizes = np.concatenate([padding, array[0]]), sizes[1:]
        known_first = sorted(range(array.ndim), key=[isinstance(size, str) for size in sizes].__getitem__)
        pieces.append(array.transpose(known_first).ravel())
    return np.concatenate(pieces)


def assembled(outputs: Sequence[Expression], layouts: Sequence[InputLayout], size: int) -> Machine:
    """Machine code of outputs."""
    text = density_text(schedule(outputs), layouts, RUNTIME, size)
    owner, (address,) = load(object_code(text), ("log_density",))
    return Machine(address, size, layouts, owner)


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
    rng, named = np.random.default_rng(seed), dict(zip(RUNTIME, lengths, strict=True))
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


# --- operations of one element --------------------------------------------------------------------

_NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "multiply": np.multiply,
    "reciprocal": lambda x: 1.0 / x,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "abs": np.abs,
    "sign": np.sign,
    "erfc": special.erfc,
    "gammaln": special.gammaln,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "less": lambda x, y: np.where(x < y, 1.0, 0.0),
    "select": lambda x, y, z: np.where(x != 0.0, y, z),
}
_POSITIVE = ("reciprocal", "log", "sqrt", "gammaln")


def applied(operation: str, *arguments: Any) -> Any:
    """An elementwise operation by name, on expressions and on numpy arrays."""
    graph = next((value.graph for value in arguments if isinstance(value, Expression)), None)
    return _NUMPY[operation](*arguments) if graph is None else graph.apply(operation, *arguments)


def _elementwise(operation: str) -> Formula:
    """The operation on numbers, on arrays, and on both, in the middle of its domain."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        several, one = i.grid * f[0] + f[1:4], f[4] * f[5] + 0.3
        if operation in _POSITIVE:
            several, one = 0.1 * several * several + 0.2, one * one + 0.2
        if operation == "log1p":
            several, one = 0.1 * several * several - 0.7, one * one - 0.7
        if operation == "select":
            chosen = applied("less", i.line, 0.4)[:, None]
            return applied(operation, chosen, several, one) + applied(operation, chosen, f[6:9], several)
        if operation in ("add", "multiply", "maximum", "minimum", "less"):
            return (
                applied(operation, several, f[6:9])
                + 2.0 * applied(operation, i.line[:, None], several)
                + applied(operation, one, f[9])
            )
        return applied(operation, several) + applied(operation, one)

    return formula


@pytest.mark.parametrize("operation", sorted(ELEMENTWISE))
def test_every_elementwise_operation(operation: str) -> None:
    """Value and gradient of each operation are those of the function it is called after."""
    formula = number_of(_elementwise(operation), ("rows", 3))
    machine = compiled(formula)
    for lengths in LENGTHS:
        assert_agrees(machine, formula, lengths)


def test_every_elementwise_operation_has_a_numpy_counterpart_here() -> None:
    """A new operation has to join the table."""
    assert set(_NUMPY) == ELEMENTWISE


def test_digamma_is_scipy_s() -> None:
    """The derivative of gammaln agrees with scipy's digamma to 1e-13 from 1e-3 to 1e6."""
    graph = Graph()
    x = graph.input("line", ("rows",))
    outputs = [
        graph.store(graph.constant(0.0), "value", 0, ()),
        graph.store(digamma(x), "gradient", 0, ("rows",)),
    ]
    machine = assembled(outputs, [InputLayout("line", ("rows",))], 1)
    points = np.concatenate([np.geomspace(1e-3, 1e6, 997), np.linspace(1.4, 1.5, 101)])
    found = machine(np.zeros(1), {"line": points}, (len(points), 0), room=len(points)).slopes
    assert found == pytest.approx(special.digamma(points), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("function", ["sigmoid", "softplus"])
def test_sigmoid_and_softplus_reach_far(function: str) -> None:
    """From -700 to 700 both agree with scipy to 1e-14 relative, and their slopes are finite."""
    points = np.concatenate([np.linspace(-700.0, 700.0, 1401), [-1e4, 1e4, -1e-9, 1e-9]])
    graph = Graph()
    x = graph.input("line", ("rows",))
    result = getattr(TRACED, function)(x)
    slope = gradient(result.sum(), [x])[0]
    outputs = [graph.store(result.sum(), "value", 0, ()), graph.store(result, "gradient", 0, ("rows",))]
    machine = assembled(outputs, [InputLayout("line", ("rows",))], 1)
    sloped = assembled(
        [outputs[0], graph.store(slope, "gradient", 0, ("rows",))], [InputLayout("line", ("rows",))], 1
    )
    length = (len(points), 0)
    found = machine(np.zeros(1), {"line": points}, length, room=len(points)).slopes
    slopes = sloped(np.zeros(1), {"line": points}, length, room=len(points)).slopes
    assert found == pytest.approx(getattr(XP, function)(points), rel=1e-14, abs=0.0)
    wanted = (
        special.expit(points) if function == "softplus" else special.expit(points) * special.expit(-points)
    )
    assert slopes == pytest.approx(wanted, rel=1e-13, abs=1e-300)


# --- operations of whole arrays -------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A formula of an array.

    Attributes:
        name: What it shows.
        formula: The array.
        axes: Its shape.
    """

    name: str
    formula: Formula
    axes: tuple[Size, ...]


def _product(f: Any, count: int, width: int) -> Any:
    """A matrix from the flat vector."""
    return f[:count][:, None] * f[count : count + width] + f[0]


def _from_end(array: Any, axis: int) -> Any:
    """Running sums that begin at the end."""
    if isinstance(array, Expression):
        return array.graph.cumulate(array, axis, from_end=True)
    return np.flip(np.cumsum(np.flip(array, axis), axis), axis)


def _process(xp: Any, f: Any, i: Any) -> Any:
    """Loops that wait for each other: a curve, its mean, its size, the curve by its size, running and gathered."""
    curve = xp.tanh(f[:3] @ i.grid.T)
    moves = curve - curve.mean(axis=-1)[..., None]
    size = xp.sqrt((moves**2).mean(axis=-1) + 0.01)
    level = xp.cumsum(xp.softplus(moves / size), axis=-1) * 0.1
    return (level[:, None] * i.grid * f[3:6]) @ xp.exp(0.1 * f[6:9]) - level.sum()


VIEWS = [
    Case("transposed input", lambda xp, f, i: i.grid.T * f[0], (3, "rows")),
    Case("transposed result", lambda xp, f, i: xp.tanh(i.grid * f[:3]).T, (3, "rows")),
    Case("three axes turned", lambda xp, f, i: xp.tanh(i.cube * f[0]).T, ("tests", 5, "rows")),
    Case("two run-time axes turned", lambda xp, f, i: xp.tanh(i.wide * f[0]).T, ("rows", "tests")),
    Case("turned and added", lambda xp, f, i: i.wide * f[0] + xp.exp(i.wide.T * f[1]).T, ("tests", "rows")),
    Case("matrix plus its transpose", lambda xp, f, i: _product(f, 3, 3) + _product(f, 3, 3).T, (3, 3)),
    Case(
        "result plus its transpose",
        lambda xp, f, i: xp.tanh(_product(f, 3, 3)) * xp.tanh(_product(f, 3, 3)).T,
        (3, 3),
    ),
    Case("new axis first", lambda xp, f, i: f[None, :3] * f[3], (1, 3)),
    Case("new axis between", lambda xp, f, i: i.grid[:, None] * f[:2][:, None], ("rows", 2, 3)),
    Case("new axis behind", lambda xp, f, i: i.line[..., None] * f[:3], ("rows", 3)),
    Case("new axis of a result", lambda xp, f, i: xp.exp(0.1 * f[:3])[:, None] * i.line, (3, "rows")),
    Case("outer product", lambda xp, f, i: xp.tanh(i.few[:, None] * i.line * f[0]), ("tests", "rows")),
    Case(
        "axis against itself", lambda xp, f, i: xp.tanh((i.line[:, None] - i.line) * f[0]), ("rows", "rows")
    ),
    Case("axes of length one", lambda xp, f, i: xp.exp(f[:1])[None, :, None] * f[1:2], (1, 1, 1)),
    Case("length one dropped", lambda xp, f, i: xp.exp(f[:1][:, None])[0, :] * i.line, ("rows",)),
]
TAKES = [
    Case("one element", lambda xp, f, i: f[4] * f[2], ()),
    Case("one element from the end", lambda xp, f, i: f[-2] * f[2], ()),
    Case("last element", lambda xp, f, i: f[-1] * f[2], ()),
    Case("last element of an inner axis", lambda xp, f, i: (i.grid * f[:3])[..., -1], ("rows",)),
    Case("numpy's whole numbers", lambda xp, f, i: f[np.int64(4)] * f[np.array([2, 0, 1])], (3,)),
    Case("one of an inner axis", lambda xp, f, i: i.cube[:, 2] * f[0], ("rows", "tests")),
    Case("one of a result", lambda xp, f, i: xp.tanh(i.grid * f[:3])[:, 1], ("rows",)),
    Case("list", lambda xp, f, i: f[[2, 0, 1]] * f[3:6], (3,)),
    Case("list from the end", lambda xp, f, i: f[[2, -1, 1]] * f[3:6], (3,)),
    Case("list of one", lambda xp, f, i: f[[7]] * f[3:6], (3,)),
    Case("list of a result", lambda xp, f, i: xp.tanh(i.grid * f[:3])[..., [2, 0]], ("rows", 2)),
    Case("list of an input", lambda xp, f, i: i.table[[4, 1]] * f[:2], (2, 2)),
    Case("list of a list", lambda xp, f, i: f[[4, 2, 0, 1]][[3, 1]], (2,)),
    Case("slice", lambda xp, f, i: f[2:7] * f[0], (5,)),
    Case("slice to the end", lambda xp, f, i: f[-3:] * f[..., 1:4], (3,)),
    Case("every second", lambda xp, f, i: f[1:8:2] * f[0], (4,)),
    Case("backwards", lambda xp, f, i: f[::-1] * f, (13,)),
    Case("overlapping slices", lambda xp, f, i: f[0:4] * f[1:5] * f[2:6], (4,)),
    Case("shifted input", lambda xp, f, i: i.lags * f[:4][:, None, None], (4, "rows", 3)),
    Case(
        "weights of a shifted input",
        lambda xp, f, i: (i.lags * f[:4][:, None, None]).sum(axis=0),
        ("rows", 3),
    ),
    Case("columns of a shifted input", lambda xp, f, i: i.lags[:, :, [2, 0]] * f[:2], (4, "rows", 2)),
    Case("one shift", lambda xp, f, i: i.lags[3] * i.lags[0] * f[:3], ("rows", 3)),
]
JOINTS = [
    Case("two pieces", lambda xp, f, i: joined(xp, [f[3:5], f[:3]], 0) * f[:5], (5,)),
    Case("pieces of size one", lambda xp, f, i: joined(xp, [f[:1], xp.exp(f[1:2]), f[4:9]], 0), (7,)),
    Case("only pieces of size one", lambda xp, f, i: joined(xp, [f[2:3], f[:1]], -1), (2,)),
    Case("one piece", lambda xp, f, i: joined(xp, [f[2:5] * f[0]], 0), (3,)),
    Case("same piece twice", lambda xp, f, i: joined(xp, [f[:3], f[:3]], 0) ** 2, (6,)),
    Case("numbers", lambda xp, f, i: joined(xp, [f[:2], np.array([1.0, 2.0, 4.0])], 0) * f[:5], (5,)),
    Case("columns", lambda xp, f, i: joined(xp, [i.grid * f[0], i.line[:, None] * f[1:3]], -1), ("rows", 5)),
    Case(
        "rows of results",
        lambda xp, f, i: joined(xp, [xp.exp(i.line * f[0])[None], i.lags[:, :, 0] * f[1]], 0),
        (5, "rows"),
    ),
    Case(
        "piece repeated along rows", lambda xp, f, i: joined(xp, [f[None, :2], i.grid * f[3]], 1), ("rows", 5)
    ),
    Case("both repeated", lambda xp, f, i: joined(xp, [f[None, :2], i.line[:, None] * f[2]], 1), ("rows", 3)),
    Case(
        "put in order",
        lambda xp, f, i: joined(xp, [xp.exp(0.1 * f[:3]), -f[3:5]], -1)[..., [3, 0, 4, 1, 2]],
        (5,),
    ),
    Case("part of it", lambda xp, f, i: joined(xp, [f[:3], f[5:9]], 0)[2:5], (3,)),
    Case(
        "three axes",
        lambda xp, f, i: joined(xp, [i.cube * f[0], xp.tanh(i.cube[:, 1:3] * f[1])], 1),
        ("rows", 7, "tests"),
    ),
]
RUNNING = [
    Case("running sum of known length", lambda xp, f, i: xp.cumsum(xp.exp(0.1 * f), axis=-1), (13,)),
    Case("running sum over rows", lambda xp, f, i: xp.cumsum(i.line * f[0], axis=0), ("rows",)),
    Case("running sums over rows", lambda xp, f, i: xp.cumsum(i.grid * f[:3], axis=0), ("rows", 3)),
    Case("running sums over the last axis", lambda xp, f, i: xp.cumsum(_product(f, 5, 3), axis=-1), (5, 3)),
    Case("running sums over the first axis", lambda xp, f, i: xp.cumsum(_product(f, 5, 3), axis=0), (5, 3)),
    Case("running sums across rows", lambda xp, f, i: xp.cumsum(i.grid * f[:3], axis=1), ("rows", 3)),
    Case("running sums from the end", lambda xp, f, i: _from_end(i.grid * f[:3], 0), ("rows", 3)),
    Case("running sums across from the end", lambda xp, f, i: _from_end(i.grid * f[:3], 1), ("rows", 3)),
    Case("running sums of one", lambda xp, f, i: xp.cumsum(i.line[:, None] * f[0], axis=1), ("rows", 1)),
    Case("running sum of one", lambda xp, f, i: xp.cumsum(f[2:3] * f[0], axis=0), (1,)),
    Case("twice running", lambda xp, f, i: 0.1 * xp.cumsum(xp.cumsum(i.line, axis=0) * f[0], axis=0), ("rows",)),
]  # fmt: skip
PRODUCTS = [
    Case("vector by vector", lambda xp, f, i: f[:5] @ f[5:10], ()),
    Case("vector by vector over rows", lambda xp, f, i: xp.tanh(i.line * f[0]) @ i.line, ()),
    Case("vector by matrix", lambda xp, f, i: f[:5] @ i.table, (2,)),
    Case("vector by matrix over rows", lambda xp, f, i: xp.tanh(i.line * f[0]) @ i.grid, (3,)),
    Case("vector by transposed matrix", lambda xp, f, i: f[:3] @ i.grid.T, ("rows",)),
    Case("vector by transposed result", lambda xp, f, i: f[:3] @ xp.tanh(i.grid * f[3]).T, ("rows",)),
    Case("vector by vector as a column", lambda xp, f, i: f[:3] @ f[3:6][:, None], (1,)),
    Case("matrix by vector", lambda xp, f, i: i.grid @ f[:3], ("rows",)),
    Case("transposed matrix by vector", lambda xp, f, i: i.grid.T @ (i.line * f[0]), (3,)),
    Case("matrix by matrix", lambda xp, f, i: _product(f, 3, 5) @ i.table, (3, 2)),
    Case("matrix by matrix over rows", lambda xp, f, i: xp.tanh(i.wide * f[0]) @ i.grid, ("tests", 3)),
    Case("matrix by transposed matrix", lambda xp, f, i: i.grid @ (i.grid * f[:3]).T * 0.1, ("rows", "rows")),
    Case("numbers by vector", lambda xp, f, i: np.array([1.0, -2.0, 0.5]) @ f[:3], ()),
    Case("table by vector", lambda xp, f, i: np.arange(6.0).reshape(2, 3) @ f[:3], (2,)),
    Case("table by matrix", lambda xp, f, i: np.arange(6.0).reshape(2, 3) @ _product(f, 3, 4), (2, 4)),
    Case("numbers by matrix", lambda xp, f, i: np.array([1.0, -2.0, 0.5]) @ _product(f, 3, 4), (4,)),
    Case("vector by table", lambda xp, f, i: f[:2] @ np.arange(6.0).reshape(2, 3), (3,)),
]
ARITHMETIC = [
    Case("number minus", lambda xp, f, i: 2.0 - f[:3], (3,)),
    Case("numbers minus", lambda xp, f, i: np.array([1.0, 2.0, 3.0]) - f[:3], (3,)),
    Case("table minus", lambda xp, f, i: np.arange(6.0).reshape(2, 3) - f[:3], (2, 3)),
    Case("number by", lambda xp, f, i: 2.0 / (f[:3] ** 2 + 1.0), (3,)),
    Case("numbers by", lambda xp, f, i: np.array([1.0, 2.0, 3.0]) / (f[:3] ** 2 + 1.0), (3,)),
    Case("whole numbers", lambda xp, f, i: 3 * f[:3] - 2 + np.int64(4) * f[3] / 7, (3,)),
    Case("by numbers", lambda xp, f, i: f[:3] / np.array([1.0, 2.0, 4.0]) - np.float64(0.5), (3,)),
    Case("negative", lambda xp, f, i: -xp.tanh(f[:3]) - (-f[3:6]), (3,)),
    Case("less and greater", lambda xp, f, i: (f[:3] < 0.1) * f[3] + (f[:3] > f[4:7]) * f[4], (3,)),
    Case("number to the power", lambda xp, f, i: 2.0 ** f[:3], (3,)),
    Case("numbers to the power", lambda xp, f, i: np.array([0.5, 1.5, 2.5]) ** f[:3], (3,)),
    Case("power of a power", lambda xp, f, i: (f[:3] ** 2 + 0.5) ** f[3:6], (3,)),
    Case("an exponent for each", lambda xp, f, i: (f[:3] ** 2 + 0.5) ** np.array([0.3, 1.0, -2.0]), (3,)),
    Case("equal exponents for each", lambda xp, f, i: (f[0] ** 2 + 0.5) ** np.array([2.0, 2.0, 2.0]), (3,)),
    Case("number of rows", lambda xp, f, i: i.line.shape[0] * f[:3], (3,)),
    Case("by the number of tests", lambda xp, f, i: i.wide * f[0] / (1.0 + i.wide.shape[0]), ("tests", "rows")),
    Case("a known length", lambda xp, f, i: i.grid.shape[1] * f[:3], (3,)),
    Case("ones and zeros", lambda xp, f, i: xp.ones_like(i.grid) * f[:3] + xp.zeros_like(i.grid), ("rows", 3)),
    Case("choice among arrays", lambda xp, f, i: xp.where(i.line[:, None] > 0.2, i.grid * f[0], f[1:4]), ("rows", 3)),
    Case("choice among numbers", lambda xp, f, i: xp.where(f[:3] < 0.1, 2.0, f[3]), (3,)),
    Case("bounds", lambda xp, f, i: xp.minimum(xp.maximum(i.grid * f[:3], -0.5), f[3:6] ** 2), ("rows", 3)),
    Case("distances", lambda xp, f, i: xp.abs(i.grid - f[:3]), ("rows", 3)),
    Case("sigmoid", lambda xp, f, i: xp.sigmoid(3.0 * i.grid * f[:3]), ("rows", 3)),
    Case("softplus", lambda xp, f, i: xp.softplus(3.0 * i.grid * f[:3]), ("rows", 3)),
    Case("loops that wait", _process, ("rows",)),
]  # fmt: skip
MEANS = [
    Case("mean over known length", lambda xp, f, i: (i.grid * f[:3]).mean(axis=1), ("rows",)),
    Case("mean over rows", lambda xp, f, i: (i.grid * f[:3]).mean(axis=0), (3,)),
    Case("mean over the last of three", lambda xp, f, i: (i.cube * f[0]).mean(axis=-1), ("rows", 5)),
    Case("mean of all", lambda xp, f, i: xp.tanh(i.cube * f[0]).mean(), ()),
    Case("sum of a number", lambda xp, f, i: f[0].sum() * f[1], ()),
    Case("sum of ones", lambda xp, f, i: (xp.ones_like(i.grid) * 2.0).sum(axis=0) * f[:3], (3,)),
]


@pytest.mark.parametrize(
    "case", [*VIEWS, *TAKES, *JOINTS, *RUNNING, *PRODUCTS, *ARITHMETIC, *MEANS], ids=lambda case: case.name
)
def test_every_operation_on_arrays(case: Case) -> None:
    """Value, gradient and shape are numpy's, for every number of rows and tests."""
    formula = number_of(case.formula, case.axes)
    machine = compiled(formula)
    for lengths in LENGTHS:
        assert_agrees(machine, formula, lengths)


_SUMMED: dict[str, tuple[Formula, tuple[Size, ...]]] = {
    "known": (lambda xp, f, i: xp.tanh(f[:5]), (5,)),
    "rows": (lambda xp, f, i: xp.tanh(i.line * f[0]), ("rows",)),
    "rows, known": (lambda xp, f, i: xp.tanh(i.grid * f[:3]), ("rows", 3)),
    "known, rows": (lambda xp, f, i: xp.tanh(f[:7][:, None] * i.line), (7, "rows")),
    "tests, rows": (lambda xp, f, i: xp.tanh(i.wide * f[0]), ("tests", "rows")),
    "known, known": (lambda xp, f, i: xp.tanh(_product(f, 5, 3)), (5, 3)),
    "rows, known, tests": (lambda xp, f, i: xp.tanh(i.cube * f[:5][:, None]), ("rows", 5, "tests")),
    "known, rows, known": (lambda xp, f, i: xp.tanh(i.lags * f[:4][:, None, None]), (4, "rows", 3)),
    "known, one, rows": (lambda xp, f, i: xp.tanh(f[:5][:, None, None] * i.line), (5, 1, "rows")),
}


def _subsets() -> list[tuple[str, tuple[int, ...]]]:
    return [
        (name, axes)
        for name, (_, sizes) in _SUMMED.items()
        for count in range(1, len(sizes) + 1)
        for axes in combinations(range(len(sizes)), count)
    ]


@pytest.mark.parametrize(("name", "axes"), _subsets(), ids=str)
def test_sums_over_any_axes(name: str, axes: tuple[int, ...]) -> None:
    """A sum over any of an array's axes, each known, of run time or of length one, is numpy's."""
    array, sizes = _SUMMED[name]
    kept = tuple(size for axis, size in enumerate(sizes) if axis not in axes)

    def formula(xp: Any, f: Any, i: Any) -> Any:
        return array(xp, f, i).sum(axis=axes if len(axes) > 1 else axes[0] - len(sizes))

    number = number_of(formula, kept)
    machine = compiled(number)
    for lengths in LENGTHS:
        assert_agrees(machine, number, lengths)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6, 7, 8, 9, 13])
def test_outer_loops_of_any_length(width: int) -> None:
    """The outer loop takes four steps at once; what is left over is not lost, nor counted twice."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        array = f[:width][:, None] * i.line
        across, along = array.sum(axis=0), (array * array).sum(axis=1)
        return (across * i.of_rows).sum() + weighed(along, (width,), i) + xp.tanh(array).sum() + (f * f).sum()

    machine = compiled(formula)
    for lengths in LENGTHS:
        assert_agrees(machine, formula, lengths)


@pytest.mark.parametrize("exponent", [-16, -2.5, -2, -1, -0.5, 0, 0.3, 0.5, 1, 1.5, 2, 3, 7, 16, 17])
def test_powers(exponent: float) -> None:
    """Whole, half and other exponents of positive numbers have the power's value and slope."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        return ((0.1 * i.grid * f[:3]) ** 2 + 0.7) ** exponent

    machine = compiled(number := number_of(formula, ("rows", 3)))
    for lengths in LENGTHS:
        assert_agrees(machine, number, lengths)


@pytest.mark.parametrize("exponent", [1, 2, 3, 4, 5, 15, 16, 17, 20])
def test_whole_powers_of_negative_numbers(exponent: int) -> None:
    """The power of a negative number, or of 0, is finite where the exponent is a whole positive number."""
    graph = Graph()
    flat = graph.input("flat", (3,))
    value = (flat**exponent).sum()
    slope = gradient(value, [flat])[0]
    outputs = [graph.store(value, "value", 0, ()), graph.store(slope, "gradient", 0, (3,))]
    found = assembled(outputs, [], 3)(np.array([-1.25, 0.0, 0.5]), {}, (0, 0))
    assert found.status == 0
    assert found.value == pytest.approx((-1.25) ** exponent + 0.5**exponent)
    wanted = [exponent * x ** (exponent - 1) for x in (-1.25, 0.0, 0.5)]
    assert found.slopes == pytest.approx(wanted)


_PLAIN: dict[str, Formula] = {
    "sum and number": lambda xp, f, i: i.grid + f[0],
    "difference of axes": lambda xp, f, i: i.line[:, None] * f[0] - f[:3],
    "one of the axes": lambda xp, f, i: i.cube + f[:5][:, None],
    "turned": lambda xp, f, i: (i.wide + f[0]).T + f[1],
    "pieces": lambda xp, f, i: joined(xp, [f[None, :2], i.grid + f[3]], 1),
    "pieces of one": lambda xp, f, i: joined(xp, [f[:1], f[1:2]], 0)[:, None] + i.line,
    "taken": lambda xp, f, i: (f[:4] + f[4])[[2, 0]],
    "running": lambda xp, f, i: xp.cumsum(i.line + f[0], axis=0),
    "running across": lambda xp, f, i: xp.cumsum(i.grid + f[0] + f[1:4], axis=1),
    "chosen": lambda xp, f, i: xp.where(i.grid < 0.1, f[0], f[1:4]),
    "bounded": lambda xp, f, i: xp.maximum(i.grid, f[0]) + xp.minimum(f[1:4], i.line[:, None]),
    "mean": lambda xp, f, i: (i.cube * 2.0 + f[0]).mean(axis=1) + f[1],
    "product": lambda xp, f, i: (f[:3] + f[3]) @ i.grid.T,
    "ones": lambda xp, f, i: xp.ones_like(i.grid) * f[0] + xp.ones_like(i.grid).sum(axis=0) * f[1:4],
}


@pytest.mark.parametrize("name", _PLAIN)
def test_plain_sums(name: str) -> None:
    """Slopes that are one number along an axis count as often as the axis is long."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        return _PLAIN[name](xp, f, i).sum() + f.sum()

    machine = compiled(formula)
    for lengths in LENGTHS:
        if name != "mean" or lengths[0] > 0:
            assert_agrees(machine, formula, lengths)


def test_known_axes_of_length_zero() -> None:
    """A client without controls has a table without columns: it adds nothing, and breaks nothing."""
    layouts = (
        InputLayout("line", ("rows",)),
        InputLayout("none", ("rows", 0)),
        InputLayout("grid", ("rows", 2)),
    )

    def formula(xp: Any, f: Any, i: Any) -> Any:
        nothing = (i.none * f[0]).sum() + ((i.none * f[1]).sum(axis=1) * i.line).sum()
        return nothing + (i.grid * f[:2]).sum() + f.sum()

    machine = compiled(formula, 3, layouts)
    for lengths in LENGTHS:
        assert_agrees(machine, formula, lengths, layouts)


def test_results_too_long_for_the_stack() -> None:
    """A stored result of 3,600 elements, and another beside it, are as right as short ones."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        square = xp.tanh(f[:, None] * f)
        return (square * square.T).sum() + (square @ square).sum() + xp.exp(0.1 * f).sum()

    machine = compiled(formula, size=60, layouts=())
    assert_agrees(machine, formula, (0, 0), layouts=())


def test_a_single_coordinate() -> None:
    """A density of one number, which is the number itself, has the slope 1."""
    found = compiled(lambda xp, f, i: f[0], size=1, layouts=())(np.array([0.25]), {}, (0, 0))
    assert found == (0, 0.25, np.array([1.0]))


def test_calls_do_not_see_each_other() -> None:
    """The same code on other data, then on the first again, gives the first numbers to the last digit."""
    machine = compiled(number_of(_process, ("rows",)))
    flat, first, second = np.linspace(-1.0, 1.0, COORDINATES), made_up((20, 2), 1), made_up((3, 1), 2)
    before = machine(flat, first, (20, 2))
    other = machine(flat, second, (3, 1))
    after = machine(flat, first, (20, 2))
    assert before.value == after.value != other.value
    assert np.array_equal(before.slopes, after.slopes)


def test_results_of_many_points() -> None:
    """Results of several shapes, one behind the other for each point, are numpy's; known axes come first in memory."""
    formulas: tuple[tuple[Formula, tuple[Size, ...]], ...] = (
        (lambda xp, f, i: f[:3] * f[3], (3,)),
        (lambda xp, f, i: xp.tanh(i.line * f[4]).sum(), ()),
        (lambda xp, f, i: xp.exp(0.1 * i.grid * f[:3]), ("rows", 3)),
    )
    graph = Graph()
    flat = graph.input("flat", (5,))
    inputs = SimpleNamespace(**{layout.name: graph.input(layout.name, layout.sizes) for layout in LAYOUTS})
    outputs = [
        graph.store(formula(TRACED, flat, inputs), "result", start, axes)
        for (formula, axes), start in zip(formulas, (0, 3, 4), strict=True)
    ]
    owner, (address,) = load(object_code(forward_text(schedule(outputs), LAYOUTS, RUNTIME)), ("all_draws",))
    points = np.random.default_rng(5).normal(size=(6, 5))
    for lengths in LENGTHS:
        numbers, width = made_up(lengths, seed=2), 4 + 3 * lengths[0]
        result, data = np.full((6, width), np.nan), buffer(LAYOUTS, numbers, lengths)
        pointers = [array.ctypes.data_as(_DOUBLES) for array in (points, result, data)]
        assert _FORWARD(address)(6, 5, width, *pointers) == 0
        for point, row in zip(points, result, strict=True):
            wanted = [np.ravel(formula(XP, point, SimpleNamespace(**numbers)).T) for formula, _ in formulas]
            assert row == pytest.approx(np.concatenate(wanted), rel=1e-13, abs=1e-13)
    del owner


# --- formulas put together at random --------------------------------------------------------------


class Step(NamedTuple):
    """One operation of a random formula: its name, the steps it is applied to, a detail."""

    operation: str
    operands: tuple[int, ...]
    detail: Any = None


_SAFE: dict[str, Callable[..., Any]] = {  # of one or two arguments, tame everywhere
    "add": lambda xp, x, y: x + y,
    "subtract": lambda xp, x, y: x - y,
    "multiply": lambda xp, x, y: xp.tanh(x) * y,
    "divide": lambda xp, x, y: x / (1.0 + y * y),
    "maximum": lambda xp, x, y: xp.maximum(x, y),
    "minimum": lambda xp, x, y: xp.minimum(x, y),
    "exp": lambda xp, x: xp.exp(xp.minimum(x, 1.0)),
    "expm1": lambda xp, x: xp.expm1(xp.minimum(x, 1.0)),
    "log": lambda xp, x: xp.log(xp.abs(x) + 0.5),
    "log1p": lambda xp, x: xp.log1p(xp.abs(x)),
    "sqrt": lambda xp, x: xp.sqrt(xp.abs(x) + 0.5),
    "tanh": lambda xp, x: xp.tanh(x),
    "abs": lambda xp, x: xp.abs(x),
    "erfc": lambda xp, x: xp.erfc(x),
    "gammaln": lambda xp, x: xp.gammaln(xp.abs(x) + 0.5),
    "reciprocal": lambda xp, x: 1.0 / (xp.abs(x) + 0.5),
    "sigmoid": lambda xp, x: xp.sigmoid(x),
    "softplus": lambda xp, x: xp.softplus(x),
    "power": lambda xp, x: (xp.abs(x) + 0.5) ** -1.5,
    "number": lambda xp, x: 0.75 - 1.5 * x,
}
_TWO = ("add", "subtract", "multiply", "divide", "maximum", "minimum")


@st.composite
def trees(draw: st.DrawFn, depth: int = 5) -> Any:
    """A tree of elementwise operations: (operation, subtrees), with a column of numbers or a number at its ends."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(st.integers(0, 2) | st.floats(-3.0, 3.0, allow_subnormal=False))
    operation = draw(st.sampled_from([*_SAFE, "choose"]))
    count = 2 if operation in (*_TWO, "choose") else 1
    return operation, *(draw(trees(depth=depth - 1)) for _ in range(count))


def _grown(tree: Any, xp: Any, columns: Sequence[Any], largest: list[float]) -> Any:
    """The tree's value; notes the largest number on the way where numbers are computed."""
    if isinstance(tree, int):
        return columns[tree]
    if isinstance(tree, float):
        return tree
    operation, *below = tree
    arguments = [_grown(subtree, xp, columns, largest) for subtree in below]
    function = _SAFE.get(operation, lambda xp, x, y: xp.where(columns[0] < 0.25, x, y))
    result = function(xp, *arguments)
    if not isinstance(result, Expression):
        largest.append(float(np.abs(result).max()))
    return result


@settings(max_examples=40)
@given(trees())
def test_random_trees_of_elementwise_operations(tree: Any) -> None:
    """Every element is numpy's to 1e-12 of the largest number on the way to it."""
    graph = Graph()
    layouts = [InputLayout(name, ("rows",)) for name in "abc"]
    columns = [graph.input(name, ("rows",)) for name in "abc"]
    result = graph.expression(_grown(tree, TRACED, columns, []))
    outputs = [
        graph.store(result, "gradient", 0, ("rows",)),
        graph.store(graph.constant(1.0), "value", 0, ()),
    ]
    numbers = np.random.default_rng(3).normal(size=(3, 37)) * np.array([[1.0], [3.0], [0.1]])
    largest = [1.0]
    wanted = np.broadcast_to(_grown(tree, XP, numbers, largest), 37)
    machine = assembled(outputs, layouts, 1)
    found = machine(np.zeros(1), dict(zip("abc", numbers, strict=True)), (37, 0), room=37)
    assert found.status == 0
    assert found.slopes == pytest.approx(wanted, rel=1e-12, abs=1e-12 * max(largest))


_LEAVES: tuple[Formula, ...] = (
    lambda xp, f, i: f[2:7],
    lambda xp, f, i: f[5:8],
    lambda xp, f, i: f[3],
    lambda xp, f, i: f[9:10],
    lambda xp, f, i: i.line * f[1],
    lambda xp, f, i: i.grid * 0.7,
    lambda xp, f, i: i.lags * f[10],
    lambda xp, f, i: i.wide + f[4],
    lambda xp, f, i: i.few * 1.0,
    lambda xp, f, i: i.table * f[11:13],
    lambda xp, f, i: i.cube * f[8],
)


def _step(step: Step, xp: Any, values: Sequence[Any], f: Any, i: Any) -> Any:
    """The value of one step."""
    arguments, detail = [values[at] for at in step.operands], step.detail
    match step.operation:
        case "leaf":
            return _LEAVES[detail](xp, f, i)
        case "turn":
            return arguments[0].T
        case "new":
            return arguments[0][(slice(None),) * detail + (None,)]
        case "take":
            axis, part = detail
            return arguments[0][(slice(None),) * axis + (part,)]
        case "join":
            return joined(xp, arguments, detail)
        case "sum":
            return arguments[0].sum(axis=detail)
        case "mean":
            return arguments[0].mean(axis=detail)
        case "run":
            return xp.cumsum(arguments[0], axis=detail) * 0.2
        case "product":
            return arguments[0] @ arguments[1]
    return _SAFE[step.operation](xp, *arguments)


_ROWS, _TESTS = LENGTHS[0]  # no known size is one of these


def _drawn_step(draw: st.DrawFn, shapes: Sequence[tuple[int, ...]]) -> Step:
    """A step that fits what there is; a leaf where it does not."""
    leaf = Step("leaf", (), draw(st.integers(0, len(_LEAVES) - 1)))
    names = ["leaf", "turn", "new", "take", "take", "join", "join", "sum", "sum", "mean", "run", "product"]
    operation = draw(st.sampled_from([*names, *_TWO, *_TWO, *_SAFE]))
    places = st.integers(0, len(shapes) - 1)
    at, other = draw(places), draw(places)
    shape, second = shapes[at], shapes[other]
    axes = list(range(len(shape)))
    known = [axis for axis in axes if shape[axis] not in (_ROWS, _TESTS)]
    if operation == "leaf" or (operation in ("sum", "mean", "run", "product") and not shape):
        return leaf
    if operation in ("new", "turn"):
        return Step(operation, (at,), draw(st.integers(0, len(shape))))
    if operation == "take" and known:
        axis = draw(st.sampled_from(known))
        order = draw(st.permutations(range(shape[axis])))
        few = order[: draw(st.integers(1, len(order)))]
        return Step(
            "take", (at,), (axis, draw(st.sampled_from([few[0], few, slice(min(few), max(few) + 1)])))
        )
    if operation == "join" and known and len(second) == len(shape):
        axis = draw(st.sampled_from(known))
        if second[axis] not in (_ROWS, _TESTS):
            return Step("join", (at, other), axis)
    if operation == "sum":
        return Step("sum", (at,), tuple(sorted(draw(st.sets(st.sampled_from(axes), min_size=1)))))
    if operation == "mean":
        return Step("mean", (at,), draw(st.sampled_from(axes)))
    if operation == "run":
        inner = max(axes, key=lambda axis: (shape[axis] != 1, shape[axis] in (_ROWS, _TESTS), axis))
        return Step("run", (at,), draw(st.sampled_from([*known, inner])))
    if operation == "product" and 0 < len(shape) < 3 and 0 < len(second) < 3 and shape[-1] == second[0]:
        return Step("product", (at, other))
    return Step(operation, (at, other) if operation in _TWO else (at,)) if operation in _SAFE else leaf


@st.composite
def programs(draw: st.DrawFn) -> list[Step]:
    """Steps of a formula, each on results of earlier ones; shapes fit, arrays stay small."""
    rng = np.random.default_rng(0)
    flat, inputs = rng.normal(size=COORDINATES), SimpleNamespace(**made_up(LENGTHS[0], seed=0))
    steps: list[Step] = []
    values: list[Any] = []
    for number in range(draw(st.integers(4, 14))):
        shapes = [np.shape(value) for value in values]
        step = (
            _drawn_step(draw, shapes)
            if number > 1
            else Step("leaf", (), draw(st.integers(0, len(_LEAVES) - 1)))
        )
        try:
            value = np.asarray(_step(step, XP, values, flat, inputs))
        except ValueError:  # shapes that do not fit
            continue
        joint = step.detail if step.operation == "join" else None
        if value.size <= 3000 and value.ndim <= 4 and (joint is None or value.shape[joint] not in LENGTHS[0]):
            steps.append(step)
            values.append(value)
    return steps


@settings(max_examples=40)
@given(programs())
def test_random_formulas(steps: list[Step]) -> None:
    """Formulas of any operations in any order agree with numpy in value and gradient."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        values: list[Any] = []
        for step in steps:
            values.append(_step(step, xp, values, f, i))
        total = (f * f).sum()
        for value in values[-4:-1]:
            total = total + (xp.tanh(value) * (value - 0.3)).sum()
        return total + values[-1].sum()

    machine = compiled(formula)
    for lengths in ((7, 4), (1, 1), (0, 3), (33, 6)):
        assert_agrees(machine, formula, lengths)


# --- graphs ---------------------------------------------------------------------------------------


def _graph() -> tuple[Graph, Expression, Expression]:
    graph = Graph()
    return graph, graph.input("x", ("rows", 3)), graph.input("y", (3,))


def test_equal_operations_are_one_node() -> None:
    """What is written twice, or with its arguments exchanged, is there once."""
    graph, x, y = _graph()
    assert x * y is x * y
    assert x * y is y * x
    assert x + y is y + x
    assert TRACED.exp(x - y) is TRACED.exp(x - y)
    assert x.T.T is x
    assert x[:, [0, 2]] is x[:, ::2]
    assert graph.input("x", ("rows", 3)) is x
    assert x.sum(axis=0) is x.sum(axis=(0,))
    before = len(graph.nodes)
    _ = (x * y).sum(axis=-1), TRACED.exp(x - y)
    assert len(graph.nodes) == before + 1  # the sum


def test_different_operations_are_different_nodes() -> None:
    """Neither another axis, another position, nor another order of what does not commute is the same node."""
    _, x, y = _graph()
    assert x.sum(axis=0) is not x.sum(axis=1)
    assert x[:, 0] is not x[:, 1]
    assert TRACED.maximum(x, y) is not TRACED.maximum(y, x)
    assert (x < y) is not (y < x)
    assert x[..., None] is not x[:, None]


def test_constants_fold() -> None:
    """Operations on numbers are done at once; neutral ones vanish; factors come together."""
    graph, x, _ = _graph()
    assert TRACED.exp(graph.constant(2.0)).detail == math.exp(2.0)
    assert (graph.constant(2.0) * 3.0 + 1.0).detail == 7.0
    assert x + 0.0 is x
    assert x * 1.0 is x
    assert 2.0 * (3.0 * x) is 6.0 * x
    assert 2.0 + (3.0 + x) is x + 5.0
    assert (0.0 * x).is_constant(0.0)
    assert (0.0 * x).sizes == x.sizes
    assert graph.constant(2.0, (4, 5)).sum().detail == 40.0
    assert graph.constant(2.0, ("rows", 3)).sum(axis=1).detail == 6.0
    assert graph.expression(np.full((2, 3), 4.0)).is_constant(4.0)
    assert (x**1) is x
    assert (x**0).is_constant(1.0)


def test_constants_outside_a_domain_are_left_to_run_time() -> None:
    """1 / 0 and log 0 are infinite and the log of -1 is NaN, as in numpy, and no error while a formula is written."""
    graph = Graph()
    flat = graph.input("flat", (1,))
    zero = graph.constant(0.0)
    for value, wanted in (
        (1.0 / zero, math.inf),
        (TRACED.log(zero), -math.inf),
        (TRACED.log(zero - 1.0), math.nan),
        (TRACED.exp(zero + 1000.0), math.inf),
    ):
        outputs = [graph.store(value, "value", 0, ()), graph.store(flat, "gradient", 0, (1,))]
        found = assembled(outputs, [], 1)(np.ones(1), {}, (0, 0))
        assert found.status == 3
        assert found.value == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize(
    "write",
    [
        lambda x, y: x + y[:2],
        lambda x, y: x * y[:, None],
        lambda x, y: TRACED.where(x, y, y[:2]),
        lambda x, y: x @ y[:2],
        lambda x, y: x * np.ones(4),
        lambda x, y: TRACED.concatenate([x, y[None, :2].T], axis=1),
    ],
)
def test_shapes_that_do_not_fit_are_refused(write: Callable[[Any, Any], Any]) -> None:
    """Unequal sizes of an axis, a known one and one of run time included, raise when the formula is written."""
    _, x, y = _graph()
    with pytest.raises(ValueError, match="do not fit together"):
        write(x, y)


def test_two_run_time_axes_do_not_fit_together() -> None:
    """Rows and tests may happen to be equal; a formula must not rely on it."""
    graph = Graph()
    with pytest.raises(ValueError, match="do not fit together"):
        graph.input("a", ("rows",)) + graph.input("b", ("tests",))


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x[0],
        lambda x: x[[0, 1]],
        lambda x: x[1:],
        lambda x: x[..., :2, :],
        lambda x: TRACED.concatenate([x, x], axis=0),
    ],
)
def test_elements_along_a_run_time_axis_cannot_be_taken(write: Callable[[Any], Any]) -> None:
    """How many rows there are is not known yet: positions, slices and pieces along them raise."""
    _, x, _ = _graph()
    with pytest.raises(TypeError, match="known"):
        write(x)


@pytest.mark.parametrize("write", [lambda x: x[3], lambda x: x[-4], lambda x: x[[0, 5]]])
def test_positions_outside_an_axis_are_refused(write: Callable[[Any], Any]) -> None:
    """As numpy does, instead of starting again from the other end."""
    x = Graph().input("x", (3,))
    with pytest.raises(IndexError, match="outside an axis of 3"):
        write(x)
    assert x[-3].sizes == x[2].sizes == ()


def test_masks_are_refused() -> None:
    """Which elements a mask picks must not be mistaken for positions 0 and 1."""
    with pytest.raises(TypeError, match="mask"):
        Graph().input("x", (3,))[np.array([True, False, True])]


def test_running_sums_along_the_first_of_two_run_time_axes_are_not_there() -> None:
    """Only along the inner one: the other raises when it is written."""
    graph = Graph()
    x = graph.input("x", ("tests", "rows"))
    assert TRACED.cumsum(x, axis=1).sizes == x.sizes
    with pytest.raises(NotImplementedError, match="running sum"):
        TRACED.cumsum(x, axis=0)


def test_expressions_are_not_sequences() -> None:
    """Neither loops nor numpy's functions take an expression apart by accident."""
    _, x, _ = _graph()
    with pytest.raises(TypeError, match="not a sequence"):
        list(x)
    assert isinstance(np.ones(3) * x, Expression)
    assert isinstance(np.float64(2.0) - x, Expression)


def test_operations_come_after_their_arguments() -> None:
    """A topological order has what an operation is applied to before it, and everything once."""
    _, x, y = _graph()
    value = (TRACED.exp(x * y) + x).sum()
    nodes = topological([value, x * y])
    places = {node.number: at for at, node in enumerate(nodes)}
    assert len(places) == len(nodes)
    assert all(places[a.number] < places[node.number] for node in nodes for a in node.arguments)
    assert nodes[-1] is value


# --- gradients ------------------------------------------------------------------------------------


def test_a_value_that_does_not_depend_on_what_is_wanted_has_no_gradient() -> None:
    """Asking for it is a mistake and raises; so is asking across a comparison, which has no slope."""
    _, x, y = _graph()
    with pytest.raises(ValueError, match="does not depend on"):
        gradient(y.sum(), [y, x])
    with pytest.raises(ValueError, match="does not depend on"):
        gradient((y < 0.0).sum(), [y])


def test_an_element_taken_twice_has_no_gradient() -> None:
    """It can be written, and read; its derivative is not there."""
    _, _, y = _graph()
    taken = y[[0, 1, 0]]
    assert taken.sizes == (3,)
    with pytest.raises(NotImplementedError, match="twice"):
        gradient(taken.sum(), [y])


def test_gradients_stop_at_what_is_wanted() -> None:
    """The derivative with respect to a step in between is that with everything before it held fixed."""
    _, x, _ = _graph()
    between = TRACED.exp(x)
    (slope,) = gradient((2.0 * between).sum(), [between])
    assert slope.is_constant(2.0)


def test_gradients_with_respect_to_parts_are_parts_of_the_gradient() -> None:
    """A vector read in pieces gets its gradient piece by piece (kernel.py does so)."""
    graph = Graph()
    flat = graph.input("flat", (5,))
    first, second = flat[:2], flat[2:]
    value = (first * first).sum() + second.sum() * first[0]
    slopes = gradient(value, [first, second])
    outputs = [
        graph.store(value, "value", 0, ()),
        *(
            graph.store(slope, "gradient", start, (size,))
            for slope, start, size in zip(slopes, (0, 2), (2, 3), strict=True)
        ),
    ]
    found = assembled(outputs, [], 5)(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), {}, (0, 0))
    assert found.value == 1.0 + 4.0 + 12.0
    assert found.slopes.tolist() == [2.0 + 12.0, 4.0, 1.0, 1.0, 1.0]


# --- loops ----------------------------------------------------------------------------------------


def test_one_pass_computes_a_sum_of_elements() -> None:
    """sum(2 exp(x)) is one nest of loops, which keeps nothing but the sum."""
    graph, x, _ = _graph()
    total = (TRACED.exp(x) * 2.0).sum()
    plan = schedule([total])
    assert [nest.sizes for nest in plan.nests] == [(3, "rows")]
    assert plan.stored == {total.number}
    stored = schedule([graph.store(total, "value", 0, ())])
    assert [nest.sizes for nest in stored.nests] == [(3, "rows"), ()]
    assert stored.stored == {total.number}


def test_what_a_later_pass_needs_is_kept() -> None:
    """exp(x) / sum(exp(x)) goes over x twice; the sum is kept, and exp(x), which both passes read."""
    graph = Graph()
    x = graph.input("x", ("rows",))
    grown = TRACED.exp(x)
    total = grown.sum()
    plan = schedule([graph.store(grown / total, "gradient", 0, ("rows",))])
    loops = [nest for nest in plan.nests if nest.sizes]
    assert len(loops) == 2
    assert {total.number, grown.number} <= plan.stored


def test_sums_over_the_same_elements_share_their_loops() -> None:
    """Two sums and what they have in common are one pass over the elements."""
    _, x, y = _graph()
    grown = TRACED.exp(x * y)
    one, two = grown.sum(axis=0), (grown * grown).sum()
    plan = schedule([one, two])
    assert [nest.sizes for nest in plan.nests] == [(3, "rows")]
    assert plan.stored == {one.number, two.number}


# --- numbers that are not finite ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "status"),
    [
        (lambda xp, f, i: xp.log(f).sum(), 0),
        (lambda xp, f, i: xp.log(f - 10.0).sum(), 3),  # NaN
        (lambda xp, f, i: xp.log(f - f[0]).sum(), 3),  # -inf
        (lambda xp, f, i: xp.exp(f * 1000.0).sum(), 3),  # inf
        (lambda xp, f, i: xp.sqrt(f - f[0] * 1.0).sum(), 3),  # finite, with an infinite slope
        (lambda xp, f, i: (i.line * f[0]).sum(), 0),
        (lambda xp, f, i: (xp.sqrt(i.line) * f[0]).sum(), 3),  # one NaN among the rows
    ],
)
def test_status_says_whether_value_and_gradient_are_finite(formula: Formula, status: int) -> None:
    """0 where all are; 3 where the value or a slope is infinite or NaN."""
    layouts = (InputLayout("line", ("rows",)),)
    inputs = {"line": np.array([1.0, 2.0, -3.0, 4.0])}
    assert compiled(formula, 3, layouts)(np.array([1.0, 2.0, 3.0]), inputs, (4, 0)).status == status


@pytest.mark.parametrize("operation", ["maximum", "minimum"])
@pytest.mark.parametrize("place", ["first", "second"])
def test_nan_is_not_lost_in_a_bound(operation: str, place: str) -> None:
    """The larger or smaller of NaN and a number is NaN, as in numpy, whichever comes first."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        lost = xp.log(f[0])
        pair = (lost, f[1]) if place == "first" else (f[1], lost)
        return getattr(xp, operation)(*pair)

    with np.errstate(invalid="ignore"):
        assert math.isnan(formula(XP, np.array([-1.0, 1.0]), None))
    found = compiled(formula, 2, ())(np.array([-1.0, 1.0]), {}, (0, 0))
    assert math.isnan(found.value)
    assert found.status == 3
