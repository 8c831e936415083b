"""Loop nests as machine code: operations on whole arrays, sums over any axes, for any number of rows and tests."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from mmm_engine.compiler.inputs import InputLayout
from mmm_engine.compiler.shapes import Size
from tests.engine.compiler.array_cases import ARRAY_CASES, Case, process, product
from tests.engine.compiler.harness import (
    COORDINATES,
    LENGTHS,
    Formula,
    assert_agrees,
    compiled,
    joined,
    made_up,
    number_of,
    weighed,
)

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")


@pytest.mark.parametrize("case", ARRAY_CASES, ids=lambda case: case.name)
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
    "known, known": (lambda xp, f, i: xp.tanh(product(f, 5, 3)), (5, 3)),
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


_PLAIN: dict[str, Formula] = {
    "sum and number": lambda xp, f, i: i.grid + f[0],
    "difference of axes": lambda xp, f, i: i.line[:, None] * f[0] - f[:3],
    "one of the axes": lambda xp, f, i: i.cube + f[:5][:, None],
    "turned": lambda xp, f, i: (i.wide + f[0]).T + f[1],
    "pieces": lambda xp, f, i: joined(xp, [f[None, :2], i.grid + f[3]], 1),
    "pieces of one": lambda xp, f, i: joined(xp, [f[:1], f[1:2]], 0)[:, None] + i.line,
    "taken": lambda xp, f, i: (f[:4] + f[4])[[2, 0]],
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


def test_a_single_coordinate() -> None:
    """A density of one number, which is the number itself, has the slope 1."""
    found = compiled(lambda xp, f, i: f[0], size=1, layouts=())(np.array([0.25]), {}, (0, 0))
    assert found == (0, 0.25, np.array([1.0]))


def test_calls_do_not_see_each_other() -> None:
    """The same code on other data, then on the first again, gives the first numbers to the last digit."""
    machine = compiled(number_of(process, ("rows",)))
    flat, first, second = np.linspace(-1.0, 1.0, COORDINATES), made_up((20, 2), 1), made_up((3, 1), 2)
    before = machine(flat, first, (20, 2))
    other = machine(flat, second, (3, 1))
    after = machine(flat, first, (20, 2))
    assert before.value == after.value != other.value
    assert np.array_equal(before.slopes, after.slopes)
