"""Calls of compiled functions: sizes are checked before anything is read or written, the status says what happened."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmm_engine.compiler import entry_points
from mmm_engine.compiler.graph import Graph
from mmm_engine.compiler.inputs import InputLayout
from tests.engine.compiler.harness import (
    DENSITY,
    DOUBLES,
    TRACED,
    XP,
    Formula,
    Machine,
    assembled,
    buffer,
    compiled,
    made_up,
    results,
)


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


# --- guards ---------------------------------------------------------------------------------------

_GUARDED = (InputLayout("grid", ("rows", 3)), InputLayout("wide", ("tests", "rows")))
_ROOM = 64  # numbers around an array that a call must not touch


def _guarded() -> Machine:
    """A density of five coordinates, of rows and of tests."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        return (i.grid * f[:3]).sum() + (i.wide * f[3]).sum() + f[4]

    return compiled(formula, 5, _GUARDED)


def _data(machine: Machine, rows: int = 4, tests: int = 2) -> Any:
    return buffer(machine.density.signature, made_up((rows, tests), 0, _GUARDED), (rows, tests))


def _raw_call(machine: Machine, size: int, data: Any) -> tuple[int, bool]:
    """Status of the C function `log_density`, and whether any number of its outputs was written."""
    gradient, value = np.full(size + 2 * _ROOM, 7.0), np.full(1 + 2 * _ROOM, 7.0)
    arrays = (np.zeros(max(size, 5)), gradient[_ROOM:], value[_ROOM:], data)
    status = DENSITY(machine.density.code.addresses[0])(size, *[at.ctypes.data_as(DOUBLES) for at in arrays])
    return status, bool((gradient != 7.0).any() or (value != 7.0).any())


@pytest.mark.parametrize("size", [0, 1, 4, 6, 500, 2**40])
def test_a_flat_vector_of_another_length_is_refused_untouched(size: int) -> None:
    """Status -1; nothing is written: neither into the gradient nor, the vector being short, behind it."""
    machine = _guarded()
    assert _raw_call(machine, 5, _data(machine)) == (0, True)
    gradient, value = np.full(2 * _ROOM, 7.0), np.full(2, 7.0)
    arrays = (np.zeros(1), gradient[_ROOM:], value, _data(machine))
    status = DENSITY(machine.density.code.addresses[0])(size, *[at.ctypes.data_as(DOUBLES) for at in arrays])
    assert status == entry_points.WRONG_SIZE
    assert (gradient == 7.0).all()
    assert (value == 7.0).all()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({0: 28.0}, entry_points.WRONG_LENGTH),  # a number more than there is
        ({0: 22.0}, entry_points.WRONG_LENGTH),
        ({0: 1.0}, entry_points.WRONG_LENGTH),  # no room for the lengths of axes
        ({0: math.nan}, entry_points.WRONG_LENGTH),
        ({1: 5.0}, entry_points.WRONG_LENGTH),  # rows that are not there
        ({1: 3.0}, entry_points.WRONG_LENGTH),
        ({2: 3.0}, entry_points.WRONG_LENGTH),
        ({1: 4.5}, entry_points.WRONG_AXIS),
        ({1: -4.0}, entry_points.WRONG_AXIS),
        ({2: math.nan}, entry_points.WRONG_AXIS),
        ({2: math.inf}, entry_points.WRONG_AXIS),
        (
            {1: 2.0**62, 2: 4.0},
            entry_points.WRONG_AXIS,
        ),  # products of 64 bits would wrap around to small ones
    ],
)
def test_data_that_do_not_fit_are_refused_untouched(change: dict[int, float], status: int) -> None:
    """A buffer whose length is not what its axes imply, or whose axes are no lengths, has a status of its own."""
    machine = _guarded()
    data = _data(machine)
    assert len(data) == 23
    for at, number in change.items():
        data[at] = number
    assert _raw_call(machine, 5, data) == (status, False)


def test_draws_are_copied_only_where_they_fit() -> None:
    """What the sampler keeps of a point has the point's length."""
    machine = _guarded()
    copy = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 2, *[DOUBLES] * 3)(
        machine.density.code.addresses[1]
    )
    for size, expanded, status in ((5, 5, 0), (4, 5, -1), (5, 4, -1), (5, 6, -1), (2**40, 2**40, -1)):
        flat, draw = np.arange(5.0), np.full(5 + _ROOM, 7.0)
        pointers = [array.ctypes.data_as(DOUBLES) for array in (flat, draw, flat)]
        assert copy(size, expanded, *pointers) == status
        assert draw[:5].tolist() == (flat.tolist() if status == 0 else [7.0] * 5)
        assert (draw[5:] == 7.0).all()


def test_results_of_another_width_are_refused() -> None:
    """A row of results has as many numbers as there are; otherwise rows would run into each other, or over the end."""
    graph = Graph()
    flat, line = graph.input("flat", (2,)), graph.input("line", ("rows",))
    outputs = [
        graph.store(flat * 2.0, "result", 0, (2,)),
        graph.store(line * flat[0], "result", 2, ("rows",)),
    ]
    machine = results(outputs, [InputLayout("line", ("rows",))], 2)
    data = buffer(machine.signature, {"line": np.arange(3.0)}, (3, 0))
    points = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert machine(points, data, 5).tolist() == [[2.0, 4.0, 0.0, 1.0, 2.0], [6.0, 8.0, 0.0, 3.0, 6.0]]
    for width in (0, 4, 6, 1000):
        with pytest.raises(ValueError, match=f"results of {width} numbers were asked for, and there are 5"):
            machine(points, data, width)
    with pytest.raises(ValueError, match="the flat vector has 3 numbers, and 2 are needed"):
        machine(np.ones((2, 3)), data, 5)
    shorter = buffer(machine.signature, {"line": np.arange(2.0)}, (3, 0))
    with pytest.raises(
        ValueError, match=r"the data have 5 numbers, and 6 are needed for \{'rows': 3, 'tests': 0\}"
    ):
        machine(points, shorter, 5)


def test_what_is_wrong_with_a_call_is_an_error_with_both_numbers() -> None:
    """Python says how much was given and how much is needed."""
    machine = _guarded()
    density, data = machine.density, _data(machine)
    for size in (0, 4, 6, 5000):
        with pytest.raises(ValueError, match=f"the flat vector has {size} numbers, and 5 are needed"):
            density(np.zeros(size), data)
    longer = np.append(data, 1.0)
    longer[0] = len(longer)
    with pytest.raises(ValueError, match="the data have 24 numbers, and 23 are needed for"):
        density(np.zeros(5), longer)
    uneven = data.copy()
    uneven[1] = 4.5
    with pytest.raises(ValueError, match=r"not whole numbers: \{'rows': 4.5, 'tests': 2\}"):
        density(np.zeros(5), uneven)


@pytest.mark.parametrize("spoil", [lambda data: data[1:], lambda data: data[:0], lambda data: data[::-1]])
def test_numbers_that_are_no_buffer_are_refused(spoil: Callable[[Any], Any]) -> None:
    """Machine code trusts a buffer's first number: Python sees to it that it is the buffer's length."""
    machine = _guarded()
    with pytest.raises(ValueError, match="not a buffer"):
        machine.density(np.zeros(5), spoil(_data(machine)))


def test_memory_that_is_not_there_is_an_error() -> None:
    """Results that are larger than the machine's memory end the call, not the process."""
    graph = Graph()
    x = graph.input("line", ("rows",))
    cube = TRACED.tanh(x[:, None, None] * x[:, None] * x)
    outputs = [graph.store((cube * cube.T).sum(), "result", 0, ())]
    machine = results(outputs, [InputLayout("line", ("rows",))], 1)
    rows = 100_000  # 1e15 numbers, more than there are addresses for
    data = buffer(machine.signature, {"line": np.zeros(rows)}, (rows, 0))
    with pytest.raises(MemoryError, match="no memory"):
        machine(np.zeros((1, 1)), data, 1)


def test_outputs_that_do_not_fill_a_gradient_are_refused() -> None:
    """A gap, an overlap, too little or too much raises when the module is written."""
    graph = Graph()
    flat = graph.input("flat", (4,))
    value = graph.store(flat.sum(), "value", 0, ())
    for parts in ([(0, 3)], [(0, 2), (3, 1)], [(0, 3), (2, 2)], [(0, 3), (3, 2)], [(1, 3)], []):
        stores = [graph.store(flat[:size], "gradient", start, (size,)) for start, size in parts]
        with pytest.raises(ValueError, match="gradient"):
            assembled([value, *stores], (), 4)
