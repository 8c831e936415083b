"""Where arrays lie: inputs in the data that a call brings, stored results on the stack or the heap.

Here: `Memory`, which finds the address of an element.
Not here: which results are stored (loops.py).

In memory, as in the loops, axes whose size is known at run time (rows) come last: neighbours in memory are
neighbours in time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmm_engine.compiler.fusion import loop_axes, memory_axes
from mmm_engine.compiler.graph import Expression, Size
from mmm_engine.compiler.llvm_text import At, Code

_STACK_LIMIT = 2048  # elements; longer arrays go to the heap


@dataclass(frozen=True)
class InputLayout:
    """An input as the data have it.

    Attributes:
        name: Its name in the graph.
        sizes: Lengths of its axes.
        shifted: Whether the first axis is shifts of the second, stored once with zeros before: element (s, t, c) is
            element t - s of column c.
    """

    name: str
    sizes: tuple[Size, ...]
    shifted: bool = False


class Memory:
    """Addresses of inputs and stored results.

    Attributes:
        heap: Whether there is a block of memory to give back.
    """

    def __init__(
        self,
        code: Code,
        layouts: Sequence[InputLayout],
        runtime_sizes: Sequence[str],
        stored: Iterable[Expression],
    ) -> None:
        self.code = code
        self.heap = False
        self._inputs: dict[str, tuple[str, list[str]]] = {"flat": ("%flat", ["1"])}
        self._read_sizes(runtime_sizes)
        self._place_inputs(layouts, 1 + len(runtime_sizes))
        self._place_results(stored)

    def read_input(self, name: str, index: Sequence[At]) -> At:
        """An element of an input."""
        base, strides = self._inputs[name]
        return self.read(base, strides, index, constant=True)

    def read_result(self, node: Expression, index: Sequence[At]) -> At:
        """An element of a stored result."""
        return self.read(f"%b{node.number}", self.strides(node.sizes), index)

    def read(self, base: str, strides: Sequence[str], index: Sequence[At], *, constant: bool = False) -> At:
        """An element of any array, read in the outermost loop that allows it."""
        pointer, depth = self._pointer(base, strides, index)
        note = ", !invariant.load !1" if constant else ""
        return At(self.code.emit(depth, f"load double, ptr {pointer}{note}{self.code.access(depth)}"), depth)

    def address(self, node: Expression, index: Sequence[At]) -> str:
        """Where an element of a stored result lies."""
        return self._pointer(f"%b{node.number}", self.strides(node.sizes), index)[0]

    def output(self, base: str, start: int, sizes: Sequence[Size], index: Sequence[At]) -> str:
        """Where an element of an output lies, whose first element is so far from the output's beginning."""
        base = self.code.emit(0, f"getelementptr double, ptr {base}, i64 {start}") if start else base
        return self._pointer(base, self.strides(sizes), index)[0]

    def clear(self, node: Expression) -> None:
        """Sets a stored result to 0."""
        total = self.code.multiply(self._length(node.sizes), "8")
        self.code.body.append(
            f"  call void @llvm.memset.p0.i64(ptr %b{node.number}, i8 0, i64 {total}, i1 false)"
        )

    def strides(self, sizes: Sequence[Size]) -> list[str]:
        """How far the next element along each axis is."""
        strides, total = ["0"] * len(sizes), "1"
        for axis in reversed(loop_axes(sizes)):
            strides[axis] = total
            total = self.code.multiply(total, length(sizes[axis]))
        return strides

    def _read_sizes(self, names: Sequence[str]) -> None:
        for at, name in enumerate(names):
            place = self.code.emit(0, f"getelementptr double, ptr %data, i64 {1 + at}")
            self.code.entry.append(f"  %d_{name} = load double, ptr {place}, !invariant.load !1")
            self.code.entry.append(f"  %n_{name} = fptosi double %d_{name} to i64")

    def _place_inputs(self, layouts: Sequence[InputLayout], first: int) -> None:
        offset = str(first)
        for layout in layouts:
            base = self.code.emit(0, f"getelementptr double, ptr %data, i64 {offset}")
            strides, total = ["0"] * len(layout.sizes), "1"
            for axis in reversed(memory_axes(layout.sizes)):
                if layout.shifted and axis == 0:
                    continue
                strides[axis] = total
                size = length(layout.sizes[axis])
                if layout.shifted and axis == 1:
                    size = self.code.add(self.code.add(size, length(layout.sizes[0])), "-1")
                total = self.code.multiply(total, size)
            if layout.shifted:  # shift 0 begins behind the zeros
                strides[0] = "-1"
                zeros = self.code.add(length(layout.sizes[0]), "-1")
                base = self.code.emit(0, f"getelementptr double, ptr {base}, i64 {zeros}")
            self._inputs[layout.name] = (base, strides)
            offset = self.code.add(offset, total)

    def _place_results(self, stored: Iterable[Expression]) -> None:
        places, offset = [], "0"
        for node in stored:
            sizes = [node.sizes[axis] for axis in loop_axes(node.sizes)]
            known = math.prod(size for size in sizes if isinstance(size, int))
            if known <= _STACK_LIMIT and not any(isinstance(size, str) for size in sizes):
                self.code.entry.append(f"  %b{node.number} = alloca [{known} x double], align 32")
                continue
            places.append((node.number, offset))
            offset = self.code.add(offset, self._length(sizes))
        self.heap = bool(places)
        if places:
            size = self.code.emit(0, f"shl i64 {offset}, 3")
            self.code.entry.append(f"  %heap = call noalias ptr @malloc(i64 {size})")
        for number, place in places:
            self.code.entry.append(f"  %b{number} = getelementptr double, ptr %heap, i64 {place}")

    def _length(self, sizes: Iterable[Size]) -> str:
        total = "1"
        for size in sizes:
            total = self.code.multiply(total, length(size))
        return total

    def _pointer(self, base: str, strides: Sequence[str], index: Sequence[At]) -> tuple[str, int]:
        """Address and depth; outer indices first, so that inner loops only step."""
        depth = 0
        for at, stride in sorted(zip(index, strides, strict=True), key=lambda pair: pair[0].depth):
            if at.text == "0" or stride == "0":
                continue
            depth = max(depth, at.depth)
            offset = at.text if stride == "1" else self.code.emit(depth, f"mul i64 {at.text}, {stride}")
            base = self.code.emit(depth, f"getelementptr double, ptr {base}, i64 {offset}")
        return base, depth


def length(size: Size) -> str:
    """A size as LLVM text."""
    return str(size) if isinstance(size, int) else f"%n_{size}"
