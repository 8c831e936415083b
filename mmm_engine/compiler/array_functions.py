"""The array functions that formulas may use, for numpy arrays and for expressions.

Here: `numpy_functions`, `traced_functions`: the two values of every formula's argument `xp`.
Not here: the operators (graph.py has those of expressions), what an operation computes (elements.py, elementary.py).

A formula that takes its functions from here runs on both: the sampler differentiates it, predictions evaluate it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mmm_engine.array_types import ArrayFunctions
from mmm_engine.compiler.graph import Expression, Graph


@dataclass(frozen=True)
class _Functions:
    """One implementation of `ArrayFunctions`, which says what each takes; none may be missing."""

    exp: Callable[..., Any]
    expm1: Callable[..., Any]
    log: Callable[..., Any]
    log1p: Callable[..., Any]
    sqrt: Callable[..., Any]
    tanh: Callable[..., Any]
    abs: Callable[..., Any]
    erfc: Callable[..., Any]
    gammaln: Callable[..., Any]
    sigmoid: Callable[..., Any]
    softplus: Callable[..., Any]
    maximum: Callable[..., Any]
    minimum: Callable[..., Any]
    where: Callable[..., Any]
    concatenate: Callable[..., Any]
    ones_like: Callable[..., Any]
    zeros_like: Callable[..., Any]


@cache
def numpy_functions() -> ArrayFunctions:
    """Functions on numpy arrays."""
    return _Functions(
        exp=np.exp,
        expm1=np.expm1,
        where=np.where,
        log=np.log,
        log1p=np.log1p,
        sqrt=np.sqrt,
        tanh=np.tanh,
        abs=np.abs,
        maximum=np.maximum,
        minimum=np.minimum,
        concatenate=np.concatenate,
        ones_like=np.ones_like,
        zeros_like=np.zeros_like,
        erfc=_special("erfc"),
        gammaln=_special("gammaln"),
        sigmoid=_special("expit"),
        softplus=lambda x: np.logaddexp(0.0, x),
    )


def _special(name: str) -> Callable[..., Any]:
    """A function of scipy.special, whose import takes a third of a second: not before it is called."""

    def function(*arguments: Any) -> Any:
        from scipy import special

        return getattr(special, name)(*arguments)

    return function


@cache
def traced_functions() -> ArrayFunctions:
    """Functions that write down what they would compute, on expressions (graph.py) and plain numbers."""
    plain = numpy_functions()

    def elementwise(name: str) -> Any:
        return _traced(lambda graph, *arguments: graph.apply(name, *arguments), getattr(plain, name))

    def filled(value: float) -> Any:
        return lambda array: array.graph.constant(value, array.sizes)

    names = ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "abs", "maximum", "minimum", "erfc", "gammaln")
    return _Functions(
        **{name: elementwise(name) for name in names},
        where=_traced(lambda graph, *arguments: graph.apply("select", *arguments), plain.where),
        concatenate=lambda pieces, axis: pieces[0].graph.concatenate(pieces, axis),
        ones_like=filled(1.0),
        zeros_like=filled(0.0),
        sigmoid=_traced(_sigmoid, plain.sigmoid),
        softplus=_traced(_softplus, plain.softplus),
    )


def _sigmoid(graph: Graph, x: Expression) -> Expression:
    return graph.apply("select", x < 0.0, _decay(x), 1.0) / (1.0 + _decay(x))


def _softplus(graph: Graph, x: Expression) -> Expression:
    return graph.apply("maximum", x, 0.0) + graph.apply("log1p", _decay(x))


def _decay(x: Expression) -> Expression:
    """exp(-abs(x)), which never overflows."""
    return x.graph.apply("exp", -1.0 * x.graph.apply("abs", x))


def _traced(write: Callable[..., Any], compute: Callable[..., Any]) -> Callable[..., Any]:
    """A function that writes down its result where an argument is an expression, and computes it elsewhere."""

    def function(*arguments: Any) -> Any:
        graph = next((value.graph for value in arguments if isinstance(value, Expression)), None)
        return compute(*arguments) if graph is None else write(graph, *arguments)

    return function
