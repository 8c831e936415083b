"""Which loops compute a graph of expressions: what is computed together, what has to be kept in memory.

Here: `schedule`. Operations over the same index range that do not wait for each other share one loop, where results
pass from one to the next in registers; sums are ready after their loop. What another loop needs is stored.
Not here: the loops' instructions (nests.py).

Loops run over sizes known at run time innermost (rows): long, contiguous, fit for vector instructions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmm_engine.compiler.expressions import ELEMENTWISE, Expression, Size, topological

IN_LOOPS = ELEMENTWISE | {"store"}
COMPUTED = IN_LOOPS | {"concatenate", "sum", "cumulate"}
"""Operations that take place in loops; the others only say where elements are."""

Place = int | None | str
"""Where along an axis an element lies: a loop's number, None for the only element, "elsewhere"."""


@dataclass(frozen=True)
class LoopNest:
    """Operations that share their loops.

    Attributes:
        sizes: How often each loop runs, outermost first; empty for operations on single numbers.
        nodes: The operations, arguments first.
        running: 1 where the innermost loop has to run in order (a running sum), -1 for the reverse order, else 0.
    """

    sizes: tuple[Size, ...]
    nodes: tuple[Expression, ...]
    running: int


@dataclass(frozen=True)
class Schedule:
    """Output of `schedule`.

    Attributes:
        nests: In the order they run.
        stored: Numbers of the nodes whose elements are kept in memory.
    """

    nests: tuple[LoopNest, ...]
    stored: frozenset[int]


def schedule(outputs: Sequence[Expression]) -> Schedule:
    """Loops that compute the outputs (operations "store")."""
    nodes = topological(outputs)
    levels: dict[int, int] = {}
    nests: dict[tuple[int, int, tuple[Size, ...]], list[Expression]] = {}
    stored = set()
    for node in nodes:
        if node.operation not in COMPUTED:
            continue
        sizes, running = nest_sizes(node), 0
        if node.operation == "cumulate":
            running = -1 if node.detail[1] else 1
        level = 0
        for source, aligned in _sources(node):
            together = aligned and not running and source.operation in IN_LOOPS | {"concatenate"}
            level = max(level, levels[source.number] + (not together))
        levels[node.number] = level
        nests.setdefault((level, running, sizes), []).append(node)
    for node in nodes:
        if node.operation not in COMPUTED:
            continue
        if node.operation in ("sum", "cumulate"):
            stored.add(node.number)
        for source, aligned in _sources(node):
            if not aligned or levels[source.number] != levels[node.number] or node.operation == "cumulate":
                stored.add(source.number)
    ordered = sorted(nests.items(), key=lambda entry: (entry[0][0], entry[1][0].number))
    return Schedule(
        tuple(LoopNest(sizes, tuple(group), running) for (_, running, sizes), group in ordered),
        frozenset(stored),
    )


def loop_axes(sizes: Sequence[Size]) -> tuple[int, ...]:
    """Axes in the order of their loops and in memory: known sizes first; axes of length one have no loop.

    >>> loop_axes(("rows", 1, 13))
    (2, 0)
    """
    return tuple(axis for axis in memory_axes(sizes) if sizes[axis] != 1)


def memory_axes(sizes: Sequence[Size]) -> tuple[int, ...]:
    """All axes in the order of memory, also those of length one."""
    return tuple(sorted(range(len(sizes)), key=lambda axis: (isinstance(sizes[axis], str), axis)))


def nest_sizes(node: Expression) -> tuple[Size, ...]:
    """Sizes of the loops in which an operation takes place."""
    ranged = node.arguments[0] if node.operation == "sum" else node
    return tuple(ranged.sizes[axis] for axis in loop_axes(ranged.sizes))


def argument_axes(node: Expression, argument: Expression) -> list[int | None]:
    """For every axis of an argument the axis of the operation's range that it follows, None for length one."""
    if node.operation in ("sum", "cumulate"):
        return [axis if size != 1 else None for axis, size in enumerate(argument.sizes)]
    lead = node.ndim - argument.ndim
    return [axis + lead if size != 1 else None for axis, size in enumerate(argument.sizes)]


def _places(sizes: Sequence[Size]) -> list[Place]:
    order = loop_axes(sizes)
    return [order.index(axis) if axis in order else None for axis in range(len(sizes))]


def _sources(node: Expression) -> Iterator[tuple[Expression, bool]]:
    """Computed nodes that an operation reads, and whether at the very element that it is at itself."""
    ranged = node.arguments[0] if node.operation == "sum" else node
    own = _places(ranged.sizes)
    for argument in node.arguments:
        places: list[Place] = [None if axis is None else own[axis] for axis in argument_axes(node, argument)]
        if node.operation == "concatenate":
            places[node.detail - node.ndim + argument.ndim] = "elsewhere"
        source = argument
        while source.operation in ("view", "take"):
            if source.operation == "view":
                before: list[Place] = [None] * source.arguments[0].ndim
                for place, axis in zip(places, source.detail, strict=True):
                    if axis is not None:
                        before[axis] = place
                places = before
            else:
                places[source.detail[0]] = "elsewhere"
            source = source.arguments[0]
        if source.operation in COMPUTED:
            aligned = places == _places(source.sizes) and nest_sizes(node) == tuple(
                source.sizes[axis] for axis in loop_axes(source.sizes)
            )
            yield source, aligned
