"""Formulas put together at random: any operations in any order have numpy's value and gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmm_engine.compiler.graph import Expression, Graph
from tests.engine.compiler.harness import (
    COORDINATES,
    LENGTHS,
    TRACED,
    XP,
    Formula,
    assert_agrees,
    compiled,
    computed,
    joined,
    made_up,
)

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")


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


def grown(tree: Any, xp: Any, columns: Sequence[Any], largest: list[float] | None = None) -> Any:
    """The tree's value; notes the largest number on the way where numbers are computed."""
    if isinstance(tree, int):
        return columns[tree]
    if isinstance(tree, float):
        return tree
    operation, *below = tree
    arguments = [grown(subtree, xp, columns, largest) for subtree in below]
    function = _SAFE.get(operation, lambda xp, x, y: xp.where(columns[0] < 0.25, x, y))
    result = function(xp, *arguments)
    if largest is not None and not isinstance(result, Expression):
        largest.append(float(np.abs(result).max()))
    return result


@settings(max_examples=40)
@given(trees())
def test_random_trees_of_elementwise_operations(tree: Any) -> None:
    """Every element is numpy's to 1e-12 of the largest number on the way to it."""
    graph = Graph()
    columns = [graph.input(name, ("rows",)) for name in "abc"]
    result = graph.apply("add", grown(tree, TRACED, columns), 0.0 * columns[0])
    numbers = np.random.default_rng(3).normal(size=(3, 37)) * np.array([[1.0], [3.0], [0.1]])
    largest = [1.0]
    wanted = np.broadcast_to(grown(tree, XP, numbers, largest), 37)
    found = computed(result, dict(zip("abc", numbers, strict=True)), (37, 0))
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12 * max(largest))


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
        case "gather":
            axis, part = detail
            return arguments[0][(slice(None),) * axis + (part,)]
        case "join":
            return joined(xp, arguments, detail)
        case "sum":
            return arguments[0].sum(axis=detail)
        case "mean":
            return arguments[0].mean(axis=detail)
        case "product":
            return arguments[0] @ arguments[1]
    return _SAFE[step.operation](xp, *arguments)


_ROWS, _TESTS = LENGTHS[0]  # no known size is one of these


def _drawn_step(draw: st.DrawFn, shapes: Sequence[tuple[int, ...]]) -> Step:
    """A step that fits what there is; a leaf where it does not."""
    leaf = Step("leaf", (), draw(st.integers(0, len(_LEAVES) - 1)))
    names = ["leaf", "turn", "new", "gather", "gather", "join", "join", "sum", "sum", "mean", "product"]
    operation = draw(st.sampled_from([*names, *_TWO, *_TWO, *_SAFE]))
    places = st.integers(0, len(shapes) - 1)
    at, other = draw(places), draw(places)
    shape, second = shapes[at], shapes[other]
    axes = list(range(len(shape)))
    known = [axis for axis in axes if shape[axis] not in (_ROWS, _TESTS)]
    if operation == "leaf" or (operation in ("sum", "mean", "product") and not shape):
        return leaf
    if operation in ("new", "turn"):
        return Step(operation, (at,), draw(st.integers(0, len(shape))))
    if operation == "gather" and known:
        axis = draw(st.sampled_from(known))
        order = draw(st.permutations(range(shape[axis])))
        few = order[: draw(st.integers(1, len(order)))]
        return Step(
            "gather", (at,), (axis, draw(st.sampled_from([few[0], few, slice(min(few), max(few) + 1)])))
        )
    if operation == "join" and known and len(second) == len(shape):
        axis = draw(st.sampled_from(known))
        if second[axis] not in (_ROWS, _TESTS):
            return Step("join", (at, other), axis)
    if operation == "sum":
        return Step("sum", (at,), tuple(sorted(draw(st.sets(st.sampled_from(axes), min_size=1)))))
    if operation == "mean":
        return Step("mean", (at,), draw(st.sampled_from(axes)))
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
