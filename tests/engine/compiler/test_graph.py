"""Graphs: equal operations are one node, constants fold, shapes and positions are numpy's or refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmm_engine.compiler.graph import Expression, Graph, topological
from tests.engine.compiler.harness import TRACED, assembled


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
