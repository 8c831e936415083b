"""Elementwise operations as machine code: value and gradient are those of the function they are called after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from mmm_engine.compiler.autodiff import digamma, gradient
from mmm_engine.compiler.graph import ELEMENTWISE, Expression, Graph
from tests.engine.compiler.harness import (
    LENGTHS,
    TRACED,
    XP,
    Formula,
    assembled,
    assert_agrees,
    compiled,
    computed,
    number_of,
)

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
    points = np.concatenate([np.geomspace(1e-3, 1e6, 997), np.linspace(1.4, 1.5, 101)])
    found = computed(digamma(Graph().input("line", ("rows",))), {"line": points}, (len(points), 0))
    assert found == pytest.approx(special.digamma(points), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("function", ["sigmoid", "softplus"])
def test_sigmoid_and_softplus_reach_far(function: str) -> None:
    """From -700 to 700 both agree with scipy to 1e-14 relative, and their slopes are finite."""
    points = np.concatenate([np.linspace(-700.0, 700.0, 1401), [-1e4, 1e4, -1e-9, 1e-9]])
    x = Graph().input("line", ("rows",))
    result = getattr(TRACED, function)(x)
    slope = gradient(result.sum(), [x])[0]
    found = computed(result, {"line": points}, (len(points), 0))
    slopes = computed(slope, {"line": points}, (len(points), 0))
    assert found == pytest.approx(getattr(XP, function)(points), rel=1e-14, abs=0.0)
    wanted = (
        special.expit(points) if function == "softplus" else special.expit(points) * special.expit(-points)
    )
    assert slopes == pytest.approx(wanted, rel=1e-13, abs=1e-300)


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
