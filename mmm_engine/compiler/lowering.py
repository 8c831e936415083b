"""Functions as LLVM modules: their loops one after another, sums gathered in registers where they can be.

Here: `density_text`, a log density with its gradient, and `forward_text`, results for many points, as C functions.
Not here: which loops there are (loops.py), elements (elements.py), translation (object_code.py).

Calls: `log_density(size, flat, gradient, value, data)` returns 0, or 3 where a number is not finite;
`copy_draw(size, size, flat, draw, data)` copies; `all_draws(draws, size, stride, flat, result, data)` writes the
results of each point, so many apart. `data` holds doubles: a number of no interest here, the run-time sizes, then the
inputs in the order of their layouts.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmm_engine.compiler.buffers import InputLayout, Memory, length
from mmm_engine.compiler.elementary import FUNCTIONS
from mmm_engine.compiler.elements import Elements
from mmm_engine.compiler.fusion import COMPUTED, LoopNest, Schedule, loop_axes
from mmm_engine.compiler.graph import Expression, Size
from mmm_engine.compiler.llvm_text import ZERO, At, Code

_FEW_OPERATIONS = (
    12  # in loops with no more the outer one is unrolled: they wait for memory, not for arithmetic
)
_UNROLLED = 4

_HEAD = f"""{FUNCTIONS}
declare noalias ptr @malloc(i64)
declare void @free(ptr)
declare double @lgamma(double)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"""

_COPY = """define i64 @copy_draw(i64 %size, i64 %expanded, ptr %flat, ptr %draw, ptr %data) {
  %bytes = shl i64 %size, 3
  call void @llvm.memcpy.p0.p0.i64(ptr %draw, ptr %flat, i64 %bytes, i1 false)
  ret i64 0
}"""

_ALL_DRAWS = """define i64 @all_draws(i64 %draws, i64 %size, i64 %stride, ptr %flat, ptr %result, ptr %data) {
entry:
  br label %head
head:
  %draw = phi i64 [ 0, %entry ], [ %next, %body ]
  %more = icmp slt i64 %draw, %draws
  br i1 %more, label %body, label %done
body:
  %from = mul i64 %draw, %size
  %point = getelementptr double, ptr %flat, i64 %from
  %to = mul i64 %draw, %stride
  %place = getelementptr double, ptr %result, i64 %to
  %status = call i64 @one_draw(i64 %size, ptr %point, ptr %place, ptr %data)
  %next = add nuw nsw i64 %draw, 1
  br label %head
done:
  ret i64 0
}"""


def density_text(
    plan: Schedule, layouts: Sequence[InputLayout], runtime_sizes: Sequence[str], size: int
) -> str:
    """The module of a density as LLVM text.

    Args:
        plan: Loops whose outputs are stored in "value" and "gradient"; the input "flat" is the point.
        layouts: All other inputs in the order in which the data have them.
        runtime_sizes: Names of the run-time sizes in the order in which the data have them.
        size: Number of coordinates.
    """
    density = _function("log_density", ("gradient", "value"), plan, layouts, runtime_sizes, _status(size))
    return "\n".join([_HEAD, _COPY, density])


def forward_text(plan: Schedule, layouts: Sequence[InputLayout], runtime_sizes: Sequence[str]) -> str:
    """The module of results without derivatives, for many points; the outputs are stored in "result"."""
    return "\n".join(
        [_HEAD, _ALL_DRAWS, _function("one_draw", ("result",), plan, layouts, runtime_sizes, "")]
    )


def _function(
    name: str,
    outputs: Sequence[str],
    plan: Schedule,
    layouts: Sequence[InputLayout],
    runtime_sizes: Sequence[str],
    check: str,
) -> str:
    """A function with the tables and notes it needs; `check` follows the loops and sets %status."""
    code = Code()
    stored = [node for nest in plan.nests for node in nest.nodes if node.number in plan.stored]
    memory = Memory(code, layouts, runtime_sizes, stored)
    code.begin()
    writer = _Nests(code, memory, plan.stored)
    for number, nest in enumerate(plan.nests):
        writer.add(nest, f"g{number}")
    places = "".join(f"ptr noalias %{output}, " for output in outputs)
    free = "  call void @free(ptr %heap)\n" if memory.heap else ""
    return "\n".join(
        [
            *code.tables,
            f"define i64 @{name}(i64 %size, ptr noalias readonly %flat, {places}ptr noalias readonly %data) {{",
            "entry:",
            *code.entry,
            *code.body,
            f"{check.format(block=code.block)}{free}  ret i64 {'%status' if check else '0'}",
            "}",
            code.metadata(),
        ]
    )


class _Nests:
    """Writes nests of loops into a function."""

    def __init__(self, code: Code, memory: Memory, stored: frozenset[int]) -> None:
        self.code, self.memory, self.stored = code, memory, stored
        self.elements = Elements(code, memory)
        self.totals: dict[int, str] = {}

    def add(self, nest: LoopNest, label: str) -> None:
        """One nest; sums over all its loops are gathered across the unrolled part and the rest."""
        sums = [node for node in nest.nodes if node.operation == "sum"]
        self.totals = {}
        for node in sums:
            kept, trailing = _kept_loops(node)
            if not kept:
                self.totals[node.number] = self.code.accumulator(0)
            elif len(kept) + trailing < len(nest.sizes) or not trailing:
                self.memory.clear(node)
        if not nest.sizes:
            self._operations(nest, [[]])
        else:
            outer, copies = nest.sizes[0], _copies(nest)
            whole = outer // copies * copies if isinstance(outer, int) else outer
            self._loops(nest, label, ("0", length(whole), copies))
            if isinstance(outer, int) and whole != outer:
                self._loops(nest, f"{label}r", (length(whole), length(outer), outer % copies))
        for node in sums:
            if node.number in self.totals:
                total = self.code.emit(0, f"load double, ptr {self.totals[node.number]}")
                self.code.body.append(f"  store double {total}, ptr %b{node.number}")

    def _loops(self, nest: LoopNest, label: str, outer: tuple[str, str, int]) -> None:
        depth = len(nest.sizes)
        self.code.open_loops(depth)
        indices = []
        for copy in range(outer[2]):
            first = self.code.add(f"%{label}_i0", str(copy), 1)
            indices.append([At(first, 1), *(At(f"%{label}_i{at}", at + 1) for at in range(1, depth))])
        if nest.running < 0:
            last = indices[0][-1].text
            turned = self.code.emit(depth, f"sub i64 {length(nest.sizes[-1])}, {last}")
            indices[0][-1] = At(self.code.add(turned, "-1", depth), depth)
        self._operations(nest, indices)
        bounds = [outer, *(("0", length(size), 1) for size in nest.sizes[1:])]
        self.code.close_loops(label, bounds, parallel=not nest.running)

    def _operations(self, nest: LoopNest, indices: Sequence[Sequence[At]]) -> None:
        """All operations at the loops' index, and its unrolled copies."""
        self.elements.forget()
        depth = len(nest.sizes)
        for node in nest.nodes:
            if node.operation == "sum":
                self._add_up(node, indices, depth)
                continue
            for place in indices:
                index = _element(node.sizes, place)
                if node.operation == "cumulate":
                    self._run(node, index, depth)
                    continue
                value = self.elements.compute(node, index)
                self.elements.remember(node, index, value)
                if node.operation == "store":
                    output, start = node.detail
                    self.code.write(
                        depth, value.text, self.memory.output(f"%{output}", start, node.sizes, index)
                    )
                elif node.number in self.stored:
                    self.code.write(depth, value.text, self.memory.address(node, index))

    def _run(self, node: Expression, index: Sequence[At], depth: int) -> None:
        """A running sum: its state goes from step to step."""
        state = self.code.accumulator(depth - 1)
        value = self.elements.argument(node, node.arguments[0], index)
        old = self.code.emit(depth, f"load double, ptr {state}")
        new = self.code.emit(depth, f"fadd double {old}, {value.text}")
        for pointer in (state, self.memory.address(node, index)):
            self.code.inside[depth].append(f"  store double {new}, ptr {pointer}")

    def _add_up(self, node: Expression, indices: Sequence[Sequence[At]], depth: int) -> None:
        """A sum: over the innermost loops in a register, over others in memory."""
        kept, trailing = _kept_loops(node)
        argument = node.arguments[0]
        values = [self.elements.value(argument, _element(argument.sizes, place)).text for place in indices]
        if not trailing:  # another place at each step of the innermost loop
            groups = [[value] for value in values] if 0 in kept else [values]
            for place, group in zip(indices, groups, strict=False):
                target = self._sum_address(node, place)
                total = self.code.emit(depth, f"load double, ptr {target}{self.code.access(depth)}")
                for value in group:
                    total = self.code.emit(depth, f"fadd reassoc double {total}, {value}")
                self.code.write(depth, total, target)
            return
        begin = depth - trailing
        for place, value in zip(indices, values, strict=True):
            state = self.code.accumulator(begin) if kept else self.totals[node.number]
            old = self.code.emit(depth, f"load double, ptr {state}")
            new = self.code.emit(depth, f"fadd reassoc double {old}, {value}")
            self.code.inside[depth].append(f"  store double {new}, ptr {state}")
            if kept:
                target = self._sum_address(node, place)
                total = self.code.emit_after(begin, f"load double, ptr {state}")
                if len(kept) + trailing < depth:
                    old = self.code.emit_after(begin, f"load double, ptr {target}")
                    total = self.code.emit_after(begin, f"fadd reassoc double {old}, {total}")
                self.code.after[begin].append(f"  store double {total}, ptr {target}")

    def _sum_address(self, node: Expression, place: Sequence[At]) -> str:
        """Where the sum belongs that the loops are at."""
        argument = node.arguments[0]
        index = _element(argument.sizes, place)
        return self.memory.address(
            node, [index[axis] for axis in range(argument.ndim) if axis not in node.detail]
        )


def _copies(nest: LoopNest) -> int:
    """How many steps of the outer loop are taken together."""
    few = sum(node.operation in COMPUTED for node in nest.nodes) <= _FEW_OPERATIONS
    outer = nest.sizes[0]
    if len(nest.sizes) == 2 and isinstance(outer, int) and few and not nest.running:
        return max(1, min(_UNROLLED, outer))
    return 1


def _kept_loops(node: Expression) -> tuple[list[int], int]:
    """Loops whose index a sum keeps, and how many of the innermost loops it sums over without a break."""
    order = loop_axes(node.arguments[0].sizes)
    kept = [at for at, axis in enumerate(order) if axis not in node.detail]
    return kept, len(order) - 1 - kept[-1] if kept else len(order)


def _element(sizes: Sequence[Size], place: Sequence[At]) -> list[At]:
    """Index of an array's element from the indices of the loops over it."""
    order = loop_axes(sizes)
    return [place[order.index(axis)] if axis in order else ZERO for axis in range(len(sizes))]


def _status(size: int) -> str:
    """0 when value and gradient are finite, else 3: only a finite number times 0 is 0."""
    return f"""  %v = load double, ptr %value
  %v0 = fmul double %v, 0.0
  br label %check
check:
  %ci = phi i64 [ 0, %{{block}} ], [ %cn, %check ]
  %ca = phi double [ %v0, %{{block}} ], [ %cs, %check ]
  %cp = getelementptr double, ptr %gradient, i64 %ci
  %cg = load double, ptr %cp
  %cz = fmul double %cg, 0.0
  %cs = fadd reassoc double %ca, %cz
  %cn = add nuw nsw i64 %ci, 1
  %cc = icmp slt i64 %cn, {size}
  br i1 %cc, label %check, label %checked
checked:
  %ok = fcmp oeq double %cs, 0.0
  %status = select i1 %ok, i64 0, i64 3
"""
