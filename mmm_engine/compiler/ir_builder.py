"""LLVM text of one function as it grows: straight code, and loops with code before, inside and after them.

Here: `IRBuilder`, which names results and keeps each instruction in the outermost loop it belongs to.
Not here: what is computed (elements.py, lowering.py).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SHORTEST, _LONG = 4, 16  # lengths between which LLVM has to be told that vector instructions pay


@dataclass(frozen=True)
class Operand:
    """An index or a number as an instruction takes it.

    Attributes:
        text: A name or a literal.
        depth: How many loops it changes in: 0 outside all, 1 in the outermost.
    """

    text: str
    depth: int


ZERO = Operand("0", 0)


class IRBuilder:
    """A function's text.

    Instructions carry the depth of the outermost loop in which their operands are all known: an instruction that does
    not depend on the inner loops is written before them (loop-invariant code motion, by construction).

    Attributes:
        entry: The block that comes first: places of memory.
        body: Everything behind it that is finished, in order.
        inside: `inside[d]` are the lines in the body of loop d - 1 before loop d begins; `inside[0]` come before all.
        after: `after[d]` are the lines of the body of loop d - 1 behind loop d.
        tables: Constants of the module.
    """

    def __init__(self) -> None:
        self.entry: list[str] = []
        self.body: list[str] = []
        self.inside: list[list[str]] = [self.entry]
        self.after: list[list[str]] = [[]]
        self.tables: list[str] = []
        self._names = 0
        self._parallel_loops = 0
        self._short_loops: set[int] = set()
        self._block = "entry"

    def begin(self) -> None:
        """The entry is complete: from here on code is part of the body."""
        self.inside = [self.body]
        self.body.append("  br label %start\nstart:")
        self._block = "start"

    @property
    def depth(self) -> int:
        """How many loops are open."""
        return len(self.inside) - 1

    @property
    def block(self) -> str:
        """Label of the block that the body ends in."""
        return self._block

    def emit(self, depth: int, instruction: str) -> str:
        """Adds an instruction inside so many loops; the name of its result."""
        name = self._new_name()
        self.inside[depth].append(f"  {name} = {instruction}")
        return name

    def emit_after(self, depth: int, instruction: str) -> str:
        """The same behind the loops that are deeper."""
        name = self._new_name()
        self.after[depth].append(f"  {name} = {instruction}")
        return name

    def store(self, depth: int, value: str, pointer: str) -> None:
        """Stores a number."""
        self.inside[depth].append(f"  store double {value}, ptr {pointer}{self.access(depth)}")

    def access(self, depth: int) -> str:
        """The note that steps of the innermost loop do not depend on each other through this access."""
        return ", !llvm.access.group !0" if depth and depth == self.depth else ""

    def accumulator(self, depth: int) -> str:
        """A number in memory that is 0 before the loops of this depth."""
        name = self._new_name()
        self.entry.insert(0, f"  {name} = alloca double")
        self.inside[depth].append(f"  store double 0.0, ptr {name}")
        return name

    def table(self, kind: str, values: list[str]) -> str:
        """Constants of a kind ("i64"); the name of their place."""
        name = f"@table{len(self.tables)}"
        inside = ", ".join(f"{kind} {value}" for value in values)
        self.tables.append(f"{name} = internal unnamed_addr constant [{len(values)} x {kind}] [{inside}]")
        return name

    def add(self, left: str, right: str, depth: int = 0) -> str:
        """Sum of two whole numbers."""
        if right == "0":
            return left
        if left.lstrip("-").isdigit() and right.lstrip("-").isdigit():
            return str(int(left) + int(right))
        return self.emit(depth, f"add i64 {left}, {right}")

    def multiply(self, left: str, right: str) -> str:
        """Product of two whole numbers."""
        if left == "1":
            return right
        if left.isdigit() and right.isdigit():
            return str(int(left) * int(right))
        return self.emit(0, f"mul i64 {left}, {right}")

    def open_loops(self, depth: int) -> None:
        """Lines that follow belong to loops of this depth; `close_loops` puts them in place."""
        self.inside = [[] for _ in range(depth + 1)]
        self.after = [[] for _ in range(depth + 1)]

    def close_loops(self, label: str, bounds: list[tuple[str, str, int]]) -> None:
        """Wraps the open lines into their loops; steps of the innermost one may be taken together.

        Args:
            label: Prefix of the blocks' names; the index of loop d is `%{label}_i{d}`.
            bounds: First index, end and step of each loop, outermost first.
        """
        lines, previous = [*self.inside[0]], self._block
        for at, (low, high, _) in enumerate(bounds):
            lines += [
                f"  br label %{label}_h{at}",
                f"{label}_h{at}:",
                f"  %{label}_i{at} = phi i64 [ {low}, %{previous} ], [ %{label}_n{at}, %{label}_l{at} ]",
                f"  %{label}_c{at} = icmp slt i64 %{label}_i{at}, {high}",
                f"  br i1 %{label}_c{at}, label %{label}_b{at}, label %{label}_x{at}",
                f"{label}_b{at}:",
                *self.inside[at + 1],
            ]
            previous = f"{label}_b{at}"
        for at in reversed(range(len(bounds))):
            note = ""
            if at == len(bounds) - 1:
                note = f", !llvm.loop !{3 + 2 * self._parallel_loops}"
                if bounds[at][1].isdigit() and _SHORTEST <= int(bounds[at][1]) < _LONG:
                    self._short_loops.add(self._parallel_loops)
                self._parallel_loops += 1
            lines += [
                *self.after[at + 1],
                f"  br label %{label}_l{at}",
                f"{label}_l{at}:",
                f"  %{label}_n{at} = add nuw nsw i64 %{label}_i{at}, {bounds[at][2]}",
                f"  br label %{label}_h{at}{note}",
                f"{label}_x{at}:",
            ]
        self.body += [*lines, *self.after[0]]
        self._block = f"{label}_x0"
        self.inside, self.after = [self.body], [[]]

    def metadata(self) -> str:
        """What the notes in the text refer to.

        Innermost loops are parallel: no step reads what another stores, so LLVM need not prove that before it makes
        them vector instructions. Where the length is known and short it would not try: there it is told to.
        """
        lines = ["!0 = distinct !{}", "!1 = !{}", '!2 = !{!"llvm.loop.vectorize.enable", i1 true}']
        for at in range(3, 3 + 2 * self._parallel_loops, 2):
            force = ", !2" if (at - 3) // 2 in self._short_loops else ""
            lines.append(f"!{at} = distinct !{{!{at}, !{at + 1}{force}}}")
            lines.append(f'!{at + 1} = !{{!"llvm.loop.parallel_accesses", !0}}')
        return "\n".join(lines)

    def _new_name(self) -> str:
        self._names += 1
        return f"%t{self._names}"


def literal(value: float) -> str:
    """A number as LLVM writes it, exact."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
