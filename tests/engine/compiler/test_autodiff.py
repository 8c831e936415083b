"""Derivatives of graphs: of what depends on what, and where a gradient stops."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.compiler.autodiff import gradient
from mmm_engine.compiler.graph import Expression, Graph
from tests.engine.compiler.harness import TRACED, assembled


def _graph() -> tuple[Graph, Expression, Expression]:
    graph = Graph()
    return graph, graph.input("x", ("rows", 3)), graph.input("y", (3,))


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
    """A vector read in pieces gets its gradient piece by piece (log_density.py does so)."""
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
