"""Derivatives of expressions in reverse mode: the gradient costs a few times the value, whatever its length.

Here: one rule per operation, from the cotangent of a result to those of its arguments, and the sweep back.
Not here: expressions (graph.py), machine code (lowering.py).

The cotangent of a node x is dv/dx, the derivative of the differentiated number v with respect to each element of x. A
cotangent that is the same along an axis may have length one there, or lack leading axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from mmm_engine.compiler.graph import Expression, topological
from mmm_engine.compiler.shapes import static_size

Rule = Callable[[Expression, Expression], tuple[Expression | None, ...]]
"""(node, its cotangent) -> the cotangents of its arguments, None where the derivative is 0 everywhere."""


def gradient(value: Expression, nodes: Sequence[Expression]) -> list[Expression]:
    """Derivatives of a number with respect to nodes of its graph.

    Args:
        value: What is differentiated, without axes.
        nodes: Nodes that `value` depends on; what they depend on is not looked at.

    Returns:
        One expression for each, of its shape or one that broadcasts to it.

    Raises:
        ValueError: If `value` does not depend on one of them.
        NotImplementedError: If a rule is asked for that does not exist (an element gathered twice).
    """
    ends = {node.number for node in nodes}
    order = topological([value])
    active = set(ends)  # nodes that change when one of `nodes` does
    for node in order:
        if any(argument.number in active for argument in node.arguments):
            active.add(node.number)
    cotangents: dict[int, Expression] = {value.number: value.graph.constant(1.0)}
    for node in reversed(order):
        if node.number in ends or node.number not in cotangents or node.number not in active:
            continue
        parts = _RULES[node.operation](node, cotangents[node.number])
        for argument, part in zip(node.arguments, parts, strict=True):
            if part is not None and argument.number in active:
                total = cotangents.get(argument.number)
                cotangents[argument.number] = part if total is None else total + part
    missing = [node for node in nodes if node.number not in cotangents]
    if missing:
        raise ValueError(f"the value does not depend on {missing}")
    return [cotangents[node.number] for node in nodes]


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


def _unbroadcast(cotangent: Expression, node: Expression, argument: Expression) -> Expression:
    """The cotangent of a broadcast argument: summed over the axes along which the argument is repeated."""
    cotangent = _with_rank_of(cotangent, node)
    lead = node.ndim - argument.ndim
    repeated = [
        axis
        for axis in range(node.ndim)
        if axis < lead or (argument.sizes[axis - lead] == 1 != node.sizes[axis])
    ]
    for axis in repeated:
        if cotangent.sizes[axis] == 1:  # the same along the axis: as many times as the axis is long
            cotangent = cotangent * node.shape[axis]
    cotangent = cotangent.sum(tuple(repeated))
    kept = iter(range(cotangent.ndim))
    axes = tuple(None if axis in repeated else next(kept) for axis in range(lead, node.ndim))
    return cotangent.graph.transpose(cotangent, axes)


def _with_rank_of(cotangent: Expression, node: Expression) -> Expression:
    """A cotangent with leading axes of length one where it lacks axes of its node."""
    missing = node.ndim - cotangent.ndim
    if not missing:
        return cotangent
    return cotangent.graph.transpose(cotangent, (*(None,) * missing, *range(cotangent.ndim)))


def _elementwise(partials: Callable[[Expression], tuple[Expression | float | None, ...]]) -> Rule:
    """A rule from the partial derivatives of an operation's element with respect to those of its arguments."""

    def rule(node: Expression, cotangent: Expression) -> tuple[Expression | None, ...]:
        return tuple(
            None if partial is None else _unbroadcast(cotangent * partial, node, argument)
            for argument, partial in zip(node.arguments, partials(node), strict=True)
        )

    return rule


def _function(derivative: Callable[[Expression, Expression], Expression | float]) -> Rule:
    """A rule from (result y, argument x) -> dy/dx of a function of one number."""
    return _elementwise(lambda node: (derivative(node, node.arguments[0]),))


def _not_less(node: Expression) -> tuple[Expression, Expression]:
    """Where the first argument is at least the second, and where not, as 1 and 0."""
    smaller = node.arguments[0] < node.arguments[1]
    return 1.0 - smaller, smaller


def _transpose_rule(node: Expression, cotangent: Expression) -> tuple[Expression]:
    cotangent = _with_rank_of(cotangent, node)
    places = {axis: at for at, axis in enumerate(node.detail) if axis is not None}
    axes = tuple(places.get(axis) for axis in range(node.arguments[0].ndim))
    return (cotangent.graph.transpose(cotangent, axes),)


def _gather_rule(node: Expression, cotangent: Expression) -> tuple[Expression]:
    """The transposed selection: again a gather, of zeros where an element was not picked."""
    axis, positions = node.detail
    cotangent = _with_rank_of(cotangent, node)
    if cotangent.sizes[axis] == 1 != node.sizes[axis]:
        ones = tuple(size if at == axis else 1 for at, size in enumerate(node.sizes))
        cotangent = cotangent * cotangent.graph.constant(1.0, ones)
    size = static_size(node.arguments[0].sizes[axis])
    picked = [at for at in positions if at >= 0]
    if len(set(picked)) < len(picked):
        raise NotImplementedError("the derivative of a selection that takes an element twice")
    inverse = [positions.index(at) if at in positions else -1 for at in range(size)]
    return (cotangent.graph.gather(cotangent, axis, inverse),)


def _concatenate_rule(node: Expression, cotangent: Expression) -> tuple[Expression, ...]:
    axis, start, parts = node.detail, 0, []
    cotangent = _with_rank_of(cotangent, node)
    for argument in node.arguments:
        size = static_size(argument.sizes[axis])
        whole = cotangent.sizes[axis] == 1 != node.sizes[axis]
        part = cotangent if whole else cotangent.graph.gather(cotangent, axis, range(start, start + size))
        sizes = tuple(size if at == axis else length for at, length in enumerate(node.sizes))
        parts.append(_unbroadcast(part, cotangent.graph.constant(0.0, sizes), argument))
        start += size
    return tuple(parts)


def _sum_rule(node: Expression, cotangent: Expression) -> tuple[Expression]:
    cotangent = _with_rank_of(cotangent, node)
    kept = iter(range(cotangent.ndim))
    axes = tuple(None if axis in node.detail else next(kept) for axis in range(node.arguments[0].ndim))
    return (cotangent.graph.transpose(cotangent, axes),)


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
    # at 0 the derivative from the right, as `x < 0` chooses there in formulas whose two sides meet smoothly
    "abs": _function(lambda y, x: x.graph.apply("select", x < 0.0, -1.0, 1.0)),
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
    "transpose": _transpose_rule,
    "gather": _gather_rule,
    "concatenate": _concatenate_rule,
    "sum": _sum_rule,
}
