"""One element of an expression as instructions: read where it is stored, computed where it is not.

Here: `Elements`, from a node and an index to the name of a number.
Not here: the loops around (lowering.py), addresses (buffers.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from mmm_engine.compiler.buffers import Memory
from mmm_engine.compiler.fusion import argument_axes
from mmm_engine.compiler.graph import Expression
from mmm_engine.compiler.ir_builder import ZERO, IRBuilder, Operand, literal
from mmm_engine.compiler.shapes import static_size

_INSTRUCTIONS = {
    "add": "fadd contract double {0}, {1}",
    "multiply": "fmul contract double {0}, {1}",
    "reciprocal": "fdiv double 1.0, {0}",
    "sqrt": "call double @llvm.sqrt.f64(double {0})",
    "abs": "call double @llvm.fabs.f64(double {0})",
    "maximum": "call double @llvm.maximum.f64(double {0}, double {1})",
    "minimum": "call double @llvm.minimum.f64(double {0}, double {1})",
    **{
        name: f"call double @m_{name}(double {{0}})"
        for name in ("exp", "expm1", "log", "log1p", "tanh", "erfc")
    },
    "gammaln": "call double @lgamma(double {0})",
}
_CHOICES = {  # condition, what the first argument is compared with, result where it holds, result elsewhere
    "less": ("olt", "{1}", "1.0", "0.0"),
    "select": ("one", "0.0", "{1}", "{2}"),
}


class Elements:
    """Elements of nodes at the index of the loops that are open; each is emitted once (value numbering)."""

    def __init__(self, builder: IRBuilder, memory: Memory) -> None:
        self.builder, self.memory = builder, memory
        self._values: dict[tuple[int, tuple[str, ...]], Operand] = {}
        self._tables: dict[int, str] = {}

    def forget(self) -> None:
        """Other loops begin: nothing is in registers."""
        self._values = {}

    def remember(self, node: Expression, index: Sequence[Operand], value: Operand) -> None:
        """A number that the open loops have computed."""
        self._values[node.number, tuple(at.text for at in index)] = value

    def value(self, node: Expression, index: Sequence[Operand]) -> Operand:
        """An element of a node that is in a register, stored, or a transpose or gather of such a node."""
        key = (node.number, tuple(at.text for at in index))
        if key not in self._values:
            self._values[key] = self._emit(node, list(index))
        return self._values[key]

    def compute(self, node: Expression, index: Sequence[Operand]) -> Operand:
        """An element of an operation in a loop nest, from those of its arguments."""
        if node.operation == "concatenate":
            return self._concatenated(node, index)
        arguments = [self._argument(node, argument, index) for argument in node.arguments]
        if node.operation == "store":
            return arguments[0]
        depth = max(argument.depth for argument in arguments)
        texts = [argument.text for argument in arguments]
        if node.operation in _INSTRUCTIONS:
            return Operand(self.builder.emit(depth, _INSTRUCTIONS[node.operation].format(*texts)), depth)
        condition, second, yes, no = (part.format(*texts) for part in _CHOICES[node.operation])
        test = self.builder.emit(depth, f"fcmp {condition} double {texts[0]}, {second}")
        return Operand(self.builder.emit(depth, f"select i1 {test}, double {yes}, double {no}"), depth)

    def _argument(self, node: Expression, argument: Expression, index: Sequence[Operand]) -> Operand:
        """The element of an argument that an operation needs at its own index."""
        axes = argument_axes(node, argument)
        return self.value(argument, [ZERO if axis is None else index[axis] for axis in axes])

    def _emit(self, node: Expression, index: list[Operand]) -> Operand:
        match node.operation:
            case "constant":
                return Operand(literal(node.detail), 0)
            case "dynamic_size":
                return Operand(f"%d_{node.detail}", 0)
            case "input":
                return self.memory.read_input(node.detail, index)
            case "table":
                if node.number not in self._tables:
                    values = [literal(value) for value in node.detail]
                    self._tables[node.number] = self.builder.table("double", values)
                strides = self.memory.strides(node.sizes)
                return self.memory.read(self._tables[node.number], strides, index, constant=True)
            case "transpose":
                before = [ZERO] * node.arguments[0].ndim
                for at, axis in zip(index, node.detail, strict=True):
                    if axis is not None:
                        before[axis] = at
                return self.value(node.arguments[0], before)
            case "gather":
                return self._gathered(node, index)
        return self.memory.read_result(node, index)

    def _gathered(self, node: Expression, index: list[Operand]) -> Operand:
        axis, positions = node.detail
        if not positions:  # of an empty array, whose loop never runs
            return Operand("0.0", 0)
        at, first = index[axis], positions[0]
        if len(positions) == 1 and first >= 0:
            source = Operand(str(first), 0)
        elif first >= 0 and positions == tuple(range(first, first + len(positions))):
            source = Operand(self.builder.add(at.text, str(first), at.depth), at.depth)
        else:
            source = self._table_entry("i64", [str(max(position, 0)) for position in positions], at)
        value = self.value(node.arguments[0], [*index[:axis], source, *index[axis + 1 :]])
        if -1 not in positions:
            return value
        picked = self._table_entry("i8", [str(int(position >= 0)) for position in positions], at).text
        picked = self.builder.emit(at.depth, f"icmp ne i8 {picked}, 0")
        depth = max(at.depth, value.depth)
        chosen = f"select i1 {picked}, double {value.text}, double 0.0"
        return Operand(self.builder.emit(depth, chosen), depth)

    def _table_entry(self, kind: str, values: list[str], at: Operand) -> Operand:
        table = self.builder.table(kind, values)
        pointer = self.builder.emit(at.depth, f"getelementptr {kind}, ptr {table}, i64 {at.text}")
        load = f"load {kind}, ptr {pointer}, !invariant.load !1"
        return Operand(self.builder.emit(at.depth, load), at.depth)

    def _concatenated(self, node: Expression, index: Sequence[Operand]) -> Operand:
        """Reads every piece at the nearest place it has, and chooses."""
        at, start, result = index[node.detail], 0, Operand("0.0", 0)
        for argument in node.arguments:
            size = static_size(argument.sizes[node.detail])
            inner = [ZERO if axis is None else index[axis] for axis in argument_axes(node, argument)]
            if size > 1:
                moved = self.builder.add(at.text, str(-start), at.depth)
                for limit, relation in (("0", "slt"), (str(size - 1), "sgt")):
                    outside = self.builder.emit(at.depth, f"icmp {relation} i64 {moved}, {limit}")
                    moved = self.builder.emit(at.depth, f"select i1 {outside}, i64 {limit}, i64 {moved}")
                inner[node.detail] = Operand(moved, at.depth)
            value = self.value(argument, inner)
            depth = max(value.depth, at.depth, result.depth)
            here = self.builder.emit(at.depth, f"icmp sge i64 {at.text}, {start}")
            chosen = f"select i1 {here}, double {value.text}, double {result.text}"
            result = Operand(self.builder.emit(depth, chosen), depth)
            start += size
        return result
