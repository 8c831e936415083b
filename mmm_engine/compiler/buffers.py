"""Where arrays lie: inputs in the data buffer that a call brings, stored results on the stack or the heap.

Here: `Memory`, which finds the address of an element.
Not here: which results are stored (fusion.py), how the data buffer is filled (inputs.py).

The data buffer holds doubles: its own length, the lengths of the dynamic axes, then the inputs in the order of their
layouts. In memory, as in the loops, dynamic axes (rows) come last: neighbours in memory are neighbours in time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mmm_engine.compiler.fusion import loop_axes, memory_axes
from mmm_engine.compiler.graph import Expression
from mmm_engine.compiler.inputs import InputLayout, Signature
from mmm_engine.compiler.ir_builder import IRBuilder, Operand
from mmm_engine.compiler.shapes import Size

_LONGEST_ON_STACK = 2048  # elements; longer arrays go to the heap
_STACK_ELEMENTS = 32_768  # of all arrays together: 256 kB, an eighth of a thread's stack


class Memory:
    """Addresses of inputs and stored results.

    Attributes:
        heap: Whether there is a block of memory, %heap, to give back; the block "no_memory" is jumped to without it.
    """

    def __init__(
        self,
        builder: IRBuilder,
        signature: Signature,
        stored: Iterable[Expression],
    ) -> None:
        self.builder = builder
        self.heap = False
        self._inputs: dict[str, tuple[str, list[str]]] = {"flat": ("%flat", ["1"])}
        self._read_sizes(signature.dynamic_axes)
        self._place_inputs(signature.layouts, 1 + len(signature.dynamic_axes))
        self._place_results(stored)

    def read_input(self, name: str, index: Sequence[Operand]) -> Operand:
        """An element of an input."""
        base, strides = self._inputs[name]
        return self.read(base, strides, index, constant=True)

    def read_result(self, node: Expression, index: Sequence[Operand]) -> Operand:
        """An element of a stored result."""
        return self.read(f"%b{node.number}", self.strides(node.sizes), index)

    def read(
        self, base: str, strides: Sequence[str], index: Sequence[Operand], *, constant: bool = False
    ) -> Operand:
        """An element of any array, read in the outermost loop that allows it.

        Args:
            base: Where the array begins.
            strides: Of each axis, in elements.
            index: Of the element.
            constant: Whether nothing writes into the array during a call.
        """
        pointer, depth = self._pointer(base, strides, index)
        note = ", !invariant.load !1" if constant else ""
        load = f"load double, ptr {pointer}{note}{self.builder.access(depth)}"
        return Operand(self.builder.emit(depth, load), depth)

    def address(self, node: Expression, index: Sequence[Operand]) -> str:
        """Where an element of a stored result lies."""
        return self._pointer(f"%b{node.number}", self.strides(node.sizes), index)[0]

    def output(self, base: str, start: int, sizes: tuple[Size, ...], index: Sequence[Operand]) -> str:
        """Where an element of an output lies, whose first element is so far from the output's beginning."""
        if start:
            base = self.builder.emit(0, f"getelementptr double, ptr {base}, i64 {start}")
        return self._pointer(base, self.strides(sizes), index)[0]

    def clear(self, node: Expression) -> None:
        """Sets a stored result to 0."""
        total = self.builder.multiply(self._length(node.sizes), "8")
        self.builder.body.append(
            f"  call void @llvm.memset.p0.i64(ptr %b{node.number}, i8 0, i64 {total}, i1 false)"
        )

    def strides(self, sizes: tuple[Size, ...]) -> list[str]:
        """How far the next element along each axis is."""
        strides, total = ["0"] * len(sizes), "1"
        for axis in reversed(loop_axes(sizes)):
            strides[axis] = total
            total = self.builder.multiply(total, size_text(sizes[axis]))
        return strides

    def _read_sizes(self, names: Sequence[str]) -> None:
        for at, name in enumerate(names):
            place = self.builder.emit(0, f"getelementptr double, ptr %data, i64 {1 + at}")
            self.builder.entry.append(f"  %d_{name} = load double, ptr {place}, !invariant.load !1")
            self.builder.entry.append(f"  %n_{name} = fptosi double %d_{name} to i64")

    def _place_inputs(self, layouts: Sequence[InputLayout], first: int) -> None:
        builder, offset = self.builder, str(first)
        for layout in layouts:
            base = builder.emit(0, f"getelementptr double, ptr %data, i64 {offset}")
            strides, total = ["0"] * len(layout.sizes), "1"
            for axis in reversed(memory_axes(layout.sizes)):
                if layout.shifted and axis == 0:
                    continue
                strides[axis] = total
                size = size_text(layout.sizes[axis])
                if layout.shifted and axis == 1:
                    size = builder.add(builder.add(size, size_text(layout.sizes[0])), "-1")
                total = builder.multiply(total, size)
            if layout.shifted:  # shift 0 begins behind the zeros
                strides[0] = "-1"
                zeros = builder.add(size_text(layout.sizes[0]), "-1")
                base = builder.emit(0, f"getelementptr double, ptr {base}, i64 {zeros}")
            self._inputs[layout.name] = (base, strides)
            offset = builder.add(offset, total)

    def _place_results(self, stored: Iterable[Expression]) -> None:
        places, offset, on_stack = [], "0", 0
        for node in stored:
            sizes = [node.sizes[axis] for axis in loop_axes(node.sizes)]
            static = math.prod(size for size in sizes if isinstance(size, int))
            dynamic = any(isinstance(size, str) for size in sizes)
            if not dynamic and static <= _LONGEST_ON_STACK and on_stack + static <= _STACK_ELEMENTS:
                on_stack += static
                self.builder.entry.append(f"  %b{node.number} = alloca [{static} x double], align 32")
                continue
            places.append((node.number, offset))
            offset = self.builder.add(offset, self._length(sizes))
        self.heap = bool(places)
        if places:
            size = self.builder.emit(0, f"shl i64 {offset}, 3")
            self.builder.entry += [
                f"  %heap = call noalias ptr @malloc(i64 {size})",
                "  %null = icmp eq ptr %heap, null",
                f"  %needed = icmp ne i64 {size}, 0",  # no rows need no memory, and may be given none
                "  %exhausted = and i1 %null, %needed",
                "  br i1 %exhausted, label %no_memory, label %allocated",
                "allocated:",
            ]
        for number, place in places:
            self.builder.entry.append(f"  %b{number} = getelementptr double, ptr %heap, i64 {place}")

    def _length(self, sizes: Iterable[Size]) -> str:
        total = "1"
        for size in sizes:
            total = self.builder.multiply(total, size_text(size))
        return total

    def _pointer(self, base: str, strides: Sequence[str], index: Sequence[Operand]) -> tuple[str, int]:
        """Address and depth; outer indices first, so that inner loops only step."""
        depth = 0
        for at, stride in sorted(zip(index, strides, strict=True), key=lambda pair: pair[0].depth):
            if at.text == "0" or stride == "0":
                continue
            depth = max(depth, at.depth)
            offset = at.text if stride == "1" else self.builder.emit(depth, f"mul i64 {at.text}, {stride}")
            base = self.builder.emit(depth, f"getelementptr double, ptr {base}, i64 {offset}")
        return base, depth


def size_text(size: Size) -> str:
    """A size as LLVM text."""
    return str(size) if isinstance(size, int) else f"%n_{size}"
