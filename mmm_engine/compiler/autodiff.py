"""Derivatives of expressions, in reverse mode: the gradient costs a few times the value, whatever its length.

Here: one rule per operation, and the sweep from a value back to what it depends on.
Not here: expressions (expressions.py), machine code (nests.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from mmm_engine.compiler.graph import Expression, topological

Rule = Callable[[Expression, Expression], tuple[Expression | None, ...]]


def gradient(value: Expression, wanted: Sequence[Expression]) -> list[Expression]:
    """Derivatives of a number with respect to nodes of its graph.

    Args:
        value: What is differentiated, without axes.
        wanted: Nodes that `value` depends on; what they depend on is not looked at.

    Returns:
        One expression for each, of its shape or one that broadcasts to it.

    Raises:
        ValueError: If `value` does not depend on one of them.
    """
    ends = {node.number for node in wanted}
    nodes = topological([value])
    moved = set(ends)  # nodes that change with what is wanted
    for node in nodes:
        if any(argument.number in moved for argument in node.arguments):
            moved.add(node.number)
    slopes: dict[int, Expression] = {value.number: value.graph.constant(1.0)}
    for node in reversed(nodes):
        if node.number in ends or node.number not in slopes or node.number not in moved:
            continue
        parts = _RULES[node.operation](node, slopes[node.number])
        for argument, part in zip(node.arguments, parts, strict=True):
            if part is not None and argument.number in moved:
                known = slopes.get(argument.number)
                slopes[argument.number] = part if known is None else known + part
    missing = [node for node in wanted if node.number not in slopes]
    if missing:
        raise ValueError(f"the value does not depend on {missing}")
    return [slopes[node.number] for node in wanted]


def digamma(x: Expression) -> Expression:
    """Derivative of the logarithm of the gamma function at x > 0: recurrence up to x + 10, then its asymptotic series.

    Error below 1e-14 (Abramowitz and Stegun 1964, 6.3.5 and 6.3.18).
    """
    shifted = x + 10.0
    inverse = 1.0 / shifted
    square = inverse * inverse
    series = square * 0.0
    for coefficient in (691 / 32760, -1 / 132, 1 / 240, -1 / 252, 1 / 120, -1 / 12):
        series = square * (coefficient + series)
    result = x.graph.apply("log", shifted) - 0.5 * inverse + series
    for step in range(10):
        result = result - 1.0 / (x + float(step))
    return result


def _fitted(slope: Expression, node: Expression, argument: Expression) -> Expression:
    """The slope of a broadcast argument: summed over the axes along which the argument is repeated.

    Slopes may be shorter than their node where they are the same along an axis.
    """
    missing = node.ndim - slope.ndim
    if missing:
        slope = slope.graph.view(slope, (*(None,) * missing, *range(slope.ndim)))
    lead = node.ndim - argument.ndim
    repeated = [
        axis
        for axis in range(node.ndim)
        if axis < lead or (argument.sizes[axis - lead] == 1 != node.sizes[axis])
    ]
    for axis in repeated:
        if slope.sizes[axis] == 1:
            slope = slope * node.shape[axis]
    slope = slope.sum(tuple(repeated))
    kept = iter(range(slope.ndim))
    axes = tuple(None if axis in repeated else next(kept) for axis in range(lead, node.ndim))
    return slope.graph.view(slope, axes)


def _elementwise(derivatives: Callable[[Expression], tuple[Expression | float | None, ...]]) -> Rule:
    """A rule from the derivatives of an operation's element with respect to the elements of its arguments."""

    def rule(node: Expression, slope: Expression) -> tuple[Expression | None, ...]:
        return tuple(
            None if derivative is None else _fitted(slope * derivative, node, argument)
            for argument, derivative in zip(node.arguments, derivatives(node), strict=True)
        )

    return rule


def _function(derivative: Callable[[Expression, Expression], Expression | float]) -> Rule:
    """A rule from (result, argument) -> derivative of a function of one number."""
    return _elementwise(lambda node: (derivative(node, node.arguments[0]),))


def _not_less(node: Expression) -> tuple[Expression, Expression]:
    """Where the first argument is at least the second, and where not, as 1 and 0."""
    smaller = node.arguments[0] < node.arguments[1]
    return 1.0 - smaller, smaller


def _view_rule(node: Expression, slope: Expression) -> tuple[Expression]:
    slope = _same_rank(slope, node)
    places = {axis: at for at, axis in enumerate(node.detail) if axis is not None}
    return (slope.graph.view(slope, tuple(places.get(axis) for axis in range(node.arguments[0].ndim))),)


def _take_rule(node: Expression, slope: Expression) -> tuple[Expression]:
    axis, positions = node.detail
    slope = _same_rank(slope, node)
    if slope.sizes[axis] == 1 != node.sizes[axis]:
        slope = slope * slope.graph.constant(
            1.0, tuple(s if a == axis else 1 for a, s in enumerate(node.sizes))
        )
    size = node.arguments[0].sizes[axis]
    assert isinstance(size, int)  # noqa: S101  (Graph.take saw to it)
    used = [at for at in positions if at >= 0]
    if len(set(used)) < len(used):
        raise NotImplementedError("the derivative of a selection that takes an element twice")
    inverse = [positions.index(at) if at in positions else -1 for at in range(size)]
    return (slope.graph.take(slope, axis, inverse),)


def _concatenate_rule(node: Expression, slope: Expression) -> tuple[Expression, ...]:
    axis, start, parts = node.detail, 0, []
    slope = _same_rank(slope, node)
    for argument in node.arguments:
        size = argument.sizes[axis]
        assert isinstance(size, int)  # noqa: S101  (Graph.concatenate saw to it)
        whole = slope.sizes[axis] == 1 != node.sizes[axis]
        part = slope if whole else slope.graph.take(slope, axis, range(start, start + size))
        sizes = tuple(size if at == axis else length for at, length in enumerate(node.sizes))
        parts.append(_fitted(part, slope.graph.constant(0.0, sizes), argument))
        start += size
    return tuple(parts)


def _sum_rule(node: Expression, slope: Expression) -> tuple[Expression]:
    slope = _same_rank(slope, node)
    kept = iter(range(slope.ndim))
    axes = tuple(None if axis in node.detail else next(kept) for axis in range(node.arguments[0].ndim))
    return (slope.graph.view(slope, axes),)


def _cumulate_rule(node: Expression, slope: Expression) -> tuple[Expression]:
    axis, from_end = node.detail
    whole = slope * slope.graph.constant(1.0, node.sizes)
    return (slope.graph.cumulate(whole, axis, not from_end),)


def _same_rank(slope: Expression, node: Expression) -> Expression:
    missing = node.ndim - slope.ndim
    return slope.graph.view(slope, (*(None,) * missing, *range(slope.ndim))) if missing else slope


_RULES: dict[str, Rule] = {
    "add": _elementwise(lambda node: (1.0, 1.0)),
    "multiply": _elementwise(lambda node: (node.arguments[1], node.arguments[0])),
    "reciprocal": _function(lambda y, x: -1.0 * (y * y)),
    "exp": _function(lambda y, x: y),
    "expm1": _function(lambda y, x: y + 1.0),
    "log": _function(lambda y, x: 1.0 / x),
    "log1p": _function(lambda y, x: 1.0 / (1.0 + x)),
    "sqrt": _function(lambda y, x: 0.5 / y),
    "tanh": _function(lambda y, x: 1.0 - y * y),
    # at 0 the slope from the right, as `x < 0` chooses there in formulas whose two sides meet smoothly
    "abs": _function(lambda y, x: x.graph.apply("select", x < 0.0, -1.0, 1.0)),
    "sign": _function(lambda y, x: 0.0),
    "erfc": _function(lambda y, x: -2.0 / math.sqrt(math.pi) * x.graph.apply("exp", -1.0 * (x * x))),
    "gammaln": _function(lambda y, x: digamma(x)),
    "maximum": _elementwise(_not_less),
    "minimum": _elementwise(lambda node: _not_less(node)[::-1]),
    "less": _elementwise(lambda node: (None, None)),
    "select": _elementwise(
        lambda node: (
            None,
            node.graph.apply("select", node.arguments[0], 1.0, 0.0),
            node.graph.apply("select", node.arguments[0], 0.0, 1.0),
        )
    ),
    "view": _view_rule,
    "take": _take_rule,
    "concatenate": _concatenate_rule,
    "sum": _sum_rule,
    "cumulate": _cumulate_rule,
}
