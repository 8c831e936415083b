"""Which loops compute a graph of expressions: what is computed together, what has to be kept in memory.

Here: `schedule`. Operations over the same index range that do not wait for each other share one loop nest, where
results pass from one to the next in registers; sums are ready after their nest. What another nest reads is stored.
Not here: the loops' instructions (lowering.py).

Loops run over dynamic axes (rows) innermost: long, contiguous, fit for vector instructions. Each operation is first
given the earliest nest it can be in, then moved to the latest that its readers allow: less is kept for later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from mmm_engine.compiler.graph import ELEMENTWISE, Expression, topological
from mmm_engine.compiler.shapes import Size

IN_LOOPS = ELEMENTWISE | {"store", "concatenate"}
"""Operations whose results readers in the same nest find in registers."""
COMPUTED = IN_LOOPS | {"sum"}
"""Operations that take place in loops; the others only say where elements are."""

NestSizes = tuple[Size, ...]
Producers = dict[int, list[tuple[Expression, bool]]]
Place = int | None | str
"""Where along an axis an element lies: a loop's number, None for the only element, "elsewhere"."""


@dataclass(frozen=True)
class LoopNest:
    """Operations that share their loops.

    Attributes:
        sizes: How often each loop runs, outermost first; empty for operations on single numbers.
        nodes: The operations, arguments first.
    """

    sizes: NestSizes
    nodes: tuple[Expression, ...]


@dataclass(frozen=True)
class Schedule:
    """Output of `schedule`.

    Attributes:
        nests: In the order they run.
        stored: Numbers of the nodes whose elements are kept in memory.
    """

    nests: tuple[LoopNest, ...]
    stored: frozenset[int]

    @property
    def outputs(self) -> tuple[Expression, ...]:
        """The operations "store"."""
        return tuple(node for nest in self.nests for node in nest.nodes if node.operation == "store")


def schedule(outputs: Sequence[Expression]) -> Schedule:
    """Loops that compute the outputs (operations "store")."""
    nodes = [node for node in topological(outputs) if node.operation in COMPUTED]
    producers = {node.number: list(_producers(node)) for node in nodes}
    levels = _latest(nodes, producers, _earliest(nodes, producers))
    nests: dict[tuple[int, NestSizes], list[Expression]] = {}
    stored = {node.number for node in nodes if node.operation == "sum"}
    for node in nodes:
        nests.setdefault((levels[node.number], nest_sizes(node)), []).append(node)
        for producer, aligned in producers[node.number]:
            if levels[producer.number] != levels[node.number] or not _fusible(producer, aligned):
                stored.add(producer.number)
    ordered = sorted(nests.items(), key=lambda entry: (entry[0][0], entry[1][0].number))
    return Schedule(tuple(LoopNest(sizes, tuple(group)) for (_, sizes), group in ordered), frozenset(stored))


def _earliest(nodes: Sequence[Expression], producers: Producers) -> dict[int, int]:
    """For every node its level: how many nests, one after the other, have to end before its own."""
    levels: dict[int, int] = {}
    for node in nodes:
        waits = [
            levels[producer.number] + (not _fusible(producer, aligned))
            for producer, aligned in producers[node.number]
        ]
        levels[node.number] = max(waits, default=0)
    return levels


def _latest(nodes: Sequence[Expression], producers: Producers, levels: dict[int, int]) -> dict[int, int]:
    """Moves every node as near to its first reader as there are nests over its index range."""
    levels = dict(levels)
    limits: dict[int, int] = {}
    present: dict[NestSizes, set[int]] = {}
    for node in nodes:
        present.setdefault(nest_sizes(node), set()).add(levels[node.number])
    for node in reversed(nodes):
        if node.number in limits:
            choice = [level for level in present[nest_sizes(node)] if level <= limits[node.number]]
            levels[node.number] = max(choice)
        for producer, aligned in producers[node.number]:
            limit = levels[node.number] - (not _fusible(producer, aligned))
            limits[producer.number] = min(limit, limits.get(producer.number, limit))
    return levels


def _fusible(producer: Expression, aligned: bool) -> bool:
    """Whether an operation's reader can be in the same nest: not before a sum is complete, nor at another element."""
    return aligned and producer.operation in IN_LOOPS


@cache
def loop_axes(sizes: tuple[Size, ...]) -> tuple[int, ...]:
    """Axes in the order of their loops and in memory: known sizes first; axes of length one have no loop.

    >>> loop_axes(("rows", 1, 13))
    (2, 0)
    """
    return tuple(axis for axis in memory_axes(sizes) if sizes[axis] != 1)


@cache
def memory_axes(sizes: tuple[Size, ...]) -> tuple[int, ...]:
    """All axes in the order of memory, also those of length one."""
    return tuple(sorted(range(len(sizes)), key=lambda axis: (isinstance(sizes[axis], str), axis)))


def nest_sizes(node: Expression) -> NestSizes:
    """Sizes of the loops in which an operation takes place."""
    ranged = node.arguments[0] if node.operation == "sum" else node
    return tuple(ranged.sizes[axis] for axis in loop_axes(ranged.sizes))


def argument_axes(node: Expression, argument: Expression) -> list[int | None]:
    """For every axis of an argument the axis of the operation's range that it follows, None for length one."""
    lead = 0 if node.operation == "sum" else node.ndim - argument.ndim
    return [axis + lead if size != 1 else None for axis, size in enumerate(argument.sizes)]


def _places(sizes: NestSizes) -> list[Place]:
    order = loop_axes(sizes)
    return [order.index(axis) if axis in order else None for axis in range(len(sizes))]


def _producers(node: Expression) -> Iterator[tuple[Expression, bool]]:
    """Computed nodes that an operation reads, and whether at the very element that it is at itself (aligned)."""
    ranged = node.arguments[0] if node.operation == "sum" else node
    loops = _places(ranged.sizes)
    for argument in node.arguments:
        places: list[Place] = [
            None if axis is None else loops[axis] for axis in argument_axes(node, argument)
        ]
        if node.operation == "concatenate":
            places[node.detail] = "elsewhere"
        source = argument
        while source.operation in ("transpose", "gather"):
            if source.operation == "transpose":
                before: list[Place] = [None] * source.arguments[0].ndim
                for place, axis in zip(places, source.detail, strict=True):
                    if axis is not None:
                        before[axis] = place
                places = before
            else:
                places[source.detail[0]] = "elsewhere"
            source = source.arguments[0]
        if source.operation in COMPUTED:
            aligned = places == _places(source.sizes) and nest_sizes(node) == _result_sizes(source)
            yield source, aligned


def _result_sizes(result: Expression) -> NestSizes:
    """Sizes of loops over an operation's result."""
    return tuple(result.sizes[axis] for axis in loop_axes(result.sizes))
