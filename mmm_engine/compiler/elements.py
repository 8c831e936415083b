"""One element of an expression as instructions: read where it is stored, computed where it is not.

Here: `Elements`, from a node and an index to the name of a number.
Not here: the loops around (nests.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from mmm_engine.compiler.buffers import Memory
from mmm_engine.compiler.fusion import argument_axes
from mmm_engine.compiler.graph import Expression
from mmm_engine.compiler.llvm_text import ZERO, At, Code, literal

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
    """Elements of nodes at the place of the loops that are open; each is found once."""

    def __init__(self, code: Code, memory: Memory) -> None:
        self.code, self.memory = code, memory
        self._found: dict[tuple[int, tuple[str, ...]], At] = {}
        self._tables: dict[int, str] = {}

    def forget(self) -> None:
        """Other loops begin: nothing is at hand."""
        self._found = {}

    def remember(self, node: Expression, index: Sequence[At], value: At) -> None:
        """A number that the open loops have computed."""
        self._found[node.number, tuple(at.text for at in index)] = value

    def value(self, node: Expression, index: Sequence[At]) -> At:
        """An element of a node that is at hand, stored, or only a view of such a node."""
        key = (node.number, tuple(at.text for at in index))
        if key not in self._found:
            self._found[key] = self._find(node, list(index))
        return self._found[key]

    def argument(self, node: Expression, argument: Expression, index: Sequence[At]) -> At:
        """The element of an argument that an operation needs at its own index."""
        followed = argument_axes(node, argument)
        return self.value(argument, [ZERO if axis is None else index[axis] for axis in followed])

    def compute(self, node: Expression, index: Sequence[At]) -> At:
        """An element of an elementwise operation, from those of its arguments."""
        if node.operation == "concatenate":
            return self._concatenated(node, index)
        arguments = [self.argument(node, argument, index) for argument in node.arguments]
        if node.operation == "store":
            return arguments[0]
        depth = max(argument.depth for argument in arguments)
        texts = [argument.text for argument in arguments]
        if node.operation in _INSTRUCTIONS:
            return At(self.code.emit(depth, _INSTRUCTIONS[node.operation].format(*texts)), depth)
        if node.operation == "sign":
            above = self.code.emit(depth, f"fcmp ogt double {texts[0]}, 0.0")
            below = self.code.emit(depth, f"fcmp olt double {texts[0]}, 0.0")
            rest = self.code.emit(depth, f"select i1 {below}, double -1.0, double 0.0")
            return At(self.code.emit(depth, f"select i1 {above}, double 1.0, double {rest}"), depth)
        condition, second, yes, no = (part.format(*texts) for part in _CHOICES[node.operation])
        test = self.code.emit(depth, f"fcmp {condition} double {texts[0]}, {second}")
        return At(self.code.emit(depth, f"select i1 {test}, double {yes}, double {no}"), depth)

    def _find(self, node: Expression, index: list[At]) -> At:
        match node.operation:
            case "constant":
                return At(literal(node.detail), 0)
            case "size":
                return At(f"%d_{node.detail}", 0)
            case "input":
                return self.memory.read_input(node.detail, index)
            case "table":
                if node.number not in self._tables:
                    self._tables[node.number] = self.code.table("double", [literal(x) for x in node.detail])
                strides = self.memory.strides(node.sizes)
                return self.memory.read(self._tables[node.number], strides, index, constant=True)
            case "view":
                before = [ZERO] * node.arguments[0].ndim
                for at, axis in zip(index, node.detail, strict=True):
                    if axis is not None:
                        before[axis] = at
                return self.value(node.arguments[0], before)
            case "take":
                return self._taken(node, index)
        return self.memory.read_result(node, index)

    def _taken(self, node: Expression, index: list[At]) -> At:
        axis, positions = node.detail
        at, first = index[axis], positions[0]
        if len(positions) == 1 and first >= 0:
            moved = At(str(first), 0)
        elif first >= 0 and positions == tuple(range(first, first + len(positions))):
            moved = At(self.code.add(at.text, str(first), at.depth), at.depth)
        else:
            moved = self._looked_up("i64", [str(max(position, 0)) for position in positions], at)
        value = self.value(node.arguments[0], [*index[:axis], moved, *index[axis + 1 :]])
        if -1 not in positions:
            return value
        there = self._looked_up("i8", [str(int(position >= 0)) for position in positions], at).text
        there = self.code.emit(at.depth, f"icmp ne i8 {there}, 0")
        depth = max(at.depth, value.depth)
        return At(self.code.emit(depth, f"select i1 {there}, double {value.text}, double 0.0"), depth)

    def _looked_up(self, kind: str, values: list[str], at: At) -> At:
        pointer = self.code.emit(
            at.depth, f"getelementptr {kind}, ptr {self.code.table(kind, values)}, i64 {at.text}"
        )
        return At(self.code.emit(at.depth, f"load {kind}, ptr {pointer}, !invariant.load !1"), at.depth)

    def _concatenated(self, node: Expression, index: Sequence[At]) -> At:
        """Reads every piece at the nearest place it has, and chooses."""
        at, start, result = index[node.detail], 0, At("0.0", 0)
        for argument in node.arguments:
            axis = node.detail - node.ndim + argument.ndim
            size = argument.sizes[axis]
            assert isinstance(size, int)  # noqa: S101  (Graph.concatenate saw to it)
            inner = [ZERO if a is None else index[a] for a in argument_axes(node, argument)]
            if size > 1:
                moved = self.code.add(at.text, str(-start), at.depth)
                for limit, relation in (("0", "slt"), (str(size - 1), "sgt")):
                    outside = self.code.emit(at.depth, f"icmp {relation} i64 {moved}, {limit}")
                    moved = self.code.emit(at.depth, f"select i1 {outside}, i64 {limit}, i64 {moved}")
                inner[axis] = At(moved, at.depth)
            value = self.value(argument, inner)
            depth = max(value.depth, at.depth, result.depth)
            here = self.code.emit(at.depth, f"icmp sge i64 {at.text}, {start}")
            chosen = f"select i1 {here}, double {value.text}, double {result.text}"
            result = At(self.code.emit(depth, chosen), depth)
            start += size
        return result
