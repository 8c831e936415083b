"""Loop nests as the instructions of one LLVM function, sums gathered in registers where they can be.

Here: `lowered`, from a schedule to the text of a function.
Not here: which loops there are (fusion.py), elements (elements.py), what is checked before a call (entry_points.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from mmm_engine.compiler.buffers import Memory, size_text
from mmm_engine.compiler.elements import Elements
from mmm_engine.compiler.fusion import COMPUTED, LoopNest, Schedule, loop_axes
from mmm_engine.compiler.graph import Expression
from mmm_engine.compiler.inputs import Signature
from mmm_engine.compiler.ir_builder import ZERO, IRBuilder, Operand
from mmm_engine.compiler.shapes import Size

_FEW_OPERATIONS = 12  # nests with no more wait for memory, not for arithmetic: their outer loop is unrolled
_UNROLLED = 4

NO_MEMORY = -5
"""Status of a function that was given no memory for its stored results."""


def lowered(
    name: str,
    outputs: Sequence[str],
    plan: Schedule,
    signature: Signature,
    epilogue: str = "",
) -> str:
    """A function `name(size, flat, outputs..., data)` with the tables and notes it needs, as LLVM text.

    Args:
        name: Of the function.
        outputs: Names of the arrays that the operations "store" write into, in the order of the arguments.
        plan: Loops.
        signature: Of the function.
        epilogue: Instructions behind the loops that set %status; `{block}` stands for the label of the last block.
            Without it the status is 0.

    Returns:
        Text; the function's result is its status, `NO_MEMORY` where the heap is exhausted.
    """
    builder = IRBuilder()
    stored = [node for nest in plan.nests for node in nest.nodes if node.number in plan.stored]
    memory = Memory(builder, signature, stored)
    builder.begin()
    writer = _NestWriter(builder, memory, plan.stored)
    for number, nest in enumerate(plan.nests):
        writer.write(nest, f"g{number}")
    arrays = "".join(f"ptr noalias %{output}, " for output in outputs)
    free = "  call void @free(ptr %heap)\n" if memory.heap else ""
    exhausted = f"no_memory:\n  ret i64 {NO_MEMORY}\n" if memory.heap else ""
    return "\n".join(
        [
            *builder.tables,
            f"define i64 @{name}(i64 %size, ptr noalias readonly %flat, {arrays}"
            "ptr noalias readonly %data) noinline {",
            "entry:",
            *builder.entry,
            *builder.body,
            f"{epilogue.format(block=builder.block)}{free}  ret i64 {'%status' if epilogue else '0'}",
            f"{exhausted}}}",
            builder.metadata(),
        ]
    )


class _NestWriter:
    """Writes loop nests into a function."""

    def __init__(self, builder: IRBuilder, memory: Memory, stored: frozenset[int]) -> None:
        self.builder, self.memory, self.stored = builder, memory, stored
        self.elements = Elements(builder, memory)
        self.accumulators: dict[int, str] = {}

    def write(self, nest: LoopNest, label: str) -> None:
        """One nest; sums over all its loops are gathered across the unrolled part and the rest."""
        sums = [node for node in nest.nodes if node.operation == "sum"]
        self.accumulators = {}
        for node in sums:
            kept, trailing = _kept_loops(node)
            if not kept:
                self.accumulators[node.number] = self.builder.accumulator(0)
            elif len(kept) + trailing < len(nest.sizes) or not trailing:
                self.memory.clear(node)
        if not nest.sizes:
            self._operations(nest, [[]])
        else:
            outer, factor = nest.sizes[0], _unroll_factor(nest)
            whole = outer // factor * factor if isinstance(outer, int) else outer
            self._loops(nest, label, ("0", size_text(whole), factor))
            if isinstance(outer, int) and whole != outer:
                self._loops(nest, f"{label}r", (size_text(whole), size_text(outer), outer % factor))
        for node in sums:
            if node.number in self.accumulators:
                total = self.builder.emit(0, f"load double, ptr {self.accumulators[node.number]}")
                self.builder.body.append(f"  store double {total}, ptr %b{node.number}")

    def _loops(self, nest: LoopNest, label: str, outer: tuple[str, str, int]) -> None:
        """The loops of a nest, its outermost one from a first index to an end in steps."""
        depth = len(nest.sizes)
        self.builder.open_loops(depth)
        indices = []
        for copy in range(outer[2]):
            first = self.builder.add(f"%{label}_i0", str(copy), 1)
            indices.append(
                [Operand(first, 1), *(Operand(f"%{label}_i{at}", at + 1) for at in range(1, depth))]
            )
        self._operations(nest, indices)
        self.builder.close_loops(label, [outer, *(("0", size_text(size), 1) for size in nest.sizes[1:])])

    def _operations(self, nest: LoopNest, indices: Sequence[Sequence[Operand]]) -> None:
        """All operations at the loops' index, and its unrolled copies."""
        self.elements.forget()
        depth = len(nest.sizes)
        for node in nest.nodes:
            if node.operation == "sum":
                self._reduce(node, indices, depth)
                continue
            for loop_index in indices:
                index = _element(node.sizes, loop_index)
                value = self.elements.compute(node, index)
                self.elements.remember(node, index, value)
                if node.operation == "store":
                    output, start = node.detail
                    pointer = self.memory.output(f"%{output}", start, node.sizes, index)
                    self.builder.store(depth, value.text, pointer)
                elif node.number in self.stored:
                    self.builder.store(depth, value.text, self.memory.address(node, index))

    def _reduce(self, node: Expression, indices: Sequence[Sequence[Operand]], depth: int) -> None:
        """A sum: over the innermost loops in a register, over others in memory."""
        kept, trailing = _kept_loops(node)
        argument = node.arguments[0]
        values = [self.elements.value(argument, _element(argument.sizes, index)).text for index in indices]
        if not trailing:  # another place at each step of the innermost loop
            groups = [[value] for value in values] if 0 in kept else [values]
            for index, group in zip(indices, groups, strict=False):
                target = self._sum_address(node, index)
                total = self.builder.emit(depth, f"load double, ptr {target}{self.builder.access(depth)}")
                for value in group:
                    total = self.builder.emit(depth, f"fadd reassoc double {total}, {value}")
                self.builder.store(depth, total, target)
            return
        begin = depth - trailing
        for index, value in zip(indices, values, strict=True):
            accumulator = self.builder.accumulator(begin) if kept else self.accumulators[node.number]
            old = self.builder.emit(depth, f"load double, ptr {accumulator}")
            new = self.builder.emit(depth, f"fadd reassoc double {old}, {value}")
            self.builder.inside[depth].append(f"  store double {new}, ptr {accumulator}")
            if kept:
                target = self._sum_address(node, index)
                total = self.builder.emit_after(begin, f"load double, ptr {accumulator}")
                if len(kept) + trailing < depth:
                    old = self.builder.emit_after(begin, f"load double, ptr {target}")
                    total = self.builder.emit_after(begin, f"fadd reassoc double {old}, {total}")
                self.builder.after[begin].append(f"  store double {total}, ptr {target}")

    def _sum_address(self, node: Expression, loop_index: Sequence[Operand]) -> str:
        """Where the sum belongs that the loops are at."""
        argument = node.arguments[0]
        index = _element(argument.sizes, loop_index)
        kept = [index[axis] for axis in range(argument.ndim) if axis not in node.detail]
        return self.memory.address(node, kept)


def _unroll_factor(nest: LoopNest) -> int:
    """How many steps of the outer loop are taken together."""
    few = sum(node.operation in COMPUTED for node in nest.nodes) <= _FEW_OPERATIONS
    outer = nest.sizes[0]
    if len(nest.sizes) == 2 and isinstance(outer, int) and few:
        return max(1, min(_UNROLLED, outer))
    return 1


def _kept_loops(node: Expression) -> tuple[list[int], int]:
    """Loops whose index a sum keeps, and how many of the innermost loops it sums over without a break."""
    order = loop_axes(node.arguments[0].sizes)
    kept = [at for at, axis in enumerate(order) if axis not in node.detail]
    return kept, len(order) - 1 - kept[-1] if kept else len(order)


def _element(sizes: tuple[Size, ...], loop_index: Sequence[Operand]) -> list[Operand]:
    """Index of an array's element from the indices of the loops over it."""
    order = loop_axes(sizes)
    return [loop_index[order.index(axis)] if axis in order else ZERO for axis in range(len(sizes))]
