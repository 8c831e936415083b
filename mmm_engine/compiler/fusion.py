"""Which loops compute a graph of expressions: what is computed together, what has to be kept in memory.

Here: `schedule`. Operations over the same index range that do not wait for each other share one loop, where results
pass from one to the next in registers; sums are ready after their loop. What another loop needs is stored.
Not here: the loops' instructions (nests.py).

Loops run over sizes known at run time innermost (rows): long, contiguous, fit for vector instructions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmm_engine.compiler.graph import ELEMENTWISE, Expression, Size, topological

IN_LOOPS = ELEMENTWISE | {"store"}
COMPUTED = IN_LOOPS | {"concatenate", "sum", "cumulate"}
"""Operations that take place in loops; the others only say where elements are."""

LoopKind = tuple[tuple[Size, ...], int]
Sources = dict[int, list[tuple[Expression, bool]]]
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
    nodes = [node for node in topological(outputs) if node.operation in COMPUTED]
    sources = {node.number: list(_sources(node)) for node in nodes}
    levels = _latest(nodes, sources, _earliest(nodes, sources))
    nests: dict[tuple[int, LoopKind], list[Expression]] = {}
    stored = {node.number for node in nodes if node.operation in ("sum", "cumulate")}
    for node in nodes:
        nests.setdefault((levels[node.number], _kind(node)), []).append(node)
        for source, aligned in sources[node.number]:
            if levels[source.number] != levels[node.number] or not _together(node, source, aligned):
                stored.add(source.number)
    ordered = sorted(nests.items(), key=lambda entry: (entry[0][0], entry[1][0].number))
    return Schedule(
        tuple(LoopNest(sizes, tuple(group), running) for (_, (sizes, running)), group in ordered),
        frozenset(stored),
    )


def _earliest(nodes: Sequence[Expression], sources: Sources) -> dict[int, int]:
    """For every node how many loops have to end before its own."""
    levels: dict[int, int] = {}
    for node in nodes:
        waits = [
            levels[source.number] + (not _together(node, source, aligned))
            for source, aligned in sources[node.number]
        ]
        levels[node.number] = max(waits, default=0)
    return levels


def _latest(nodes: Sequence[Expression], sources: Sources, levels: dict[int, int]) -> dict[int, int]:
    """Moves every node as near to its first reader as there are loops of its kind: less is kept for later."""
    levels = dict(levels)
    limits: dict[int, int] = {}
    present: dict[LoopKind, set[int]] = {}
    for node in nodes:
        present.setdefault(_kind(node), set()).add(levels[node.number])
    for node in reversed(nodes):
        if node.number in limits:
            choice = [level for level in present[_kind(node)] if level <= limits[node.number]]
            levels[node.number] = max(choice)
        for source, aligned in sources[node.number]:
            limit = levels[node.number] - (not _together(node, source, aligned))
            limits[source.number] = min(limit, limits.get(source.number, limit))
    return levels


def _kind(node: Expression) -> LoopKind:
    """Sizes of the loops of an operation, and their order where it matters."""
    running = (-1 if node.detail[1] else 1) if node.operation == "cumulate" else 0
    return nest_sizes(node), running


def _together(node: Expression, source: Expression, aligned: bool) -> bool:
    """Whether an operation can be in the same loop as what it reads."""
    return aligned and node.operation != "cumulate" and source.operation in IN_LOOPS | {"concatenate"}


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
