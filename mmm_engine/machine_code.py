"""Machine code from loops: LLVM instructions, written as text and optimised for this processor.

Here: the text of two C functions (log density with gradient, copy of a draw) and its translation to an object file.
Not here: which loops there are (loops.py), elementary functions (vector_math.py), the cache of object files (kernel.py).

Calls: `log_density(size, flat, gradient, value, data)` returns 0, or 3 where a number is not finite; `data` is the buffer
of kernel.py: its length, the run-time sizes, then the inputs in the order of their declaration.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmm_engine.expressions import Expression, Size
from mmm_engine.loops import COMPUTED, LoopNest, Schedule, argument_axes, loop_axes, nest_sizes
from mmm_engine.vector_math import FUNCTIONS

_STACK_LIMIT = 2048  # elements; longer arrays of known size live on the heap too
_MANY_OPERATIONS = 12  # loops with more operations are not unrolled
_UNROLLED = 4

_SIMPLE = {
    "add": "fadd contract double {0}, {1}",
    "multiply": "fmul contract double {0}, {1}",
    "reciprocal": "fdiv double 1.0, {0}",
    "sqrt": "call double @llvm.sqrt.f64(double {0})",
    "abs": "call double @llvm.fabs.f64(double {0})",
    **{name: f"call double @m_{name}(double {{0}})" for name in ("exp", "expm1", "log", "log1p", "tanh")},
    "erfc": "call double @erfc(double {0})",
    "gammaln": "call double @lgamma(double {0})",
}
_COMPARED = {  # condition on two arguments (or the first and 0), what follows where it holds, what elsewhere
    "maximum": ("uge", "{1}", "{0}", "{1}"),
    "minimum": ("ule", "{1}", "{0}", "{1}"),
    "less": ("olt", "{1}", "1.0", "0.0"),
    "select": ("one", "0.0", "{1}", "{2}"),
}


@dataclass(frozen=True)
class InputLayout:
    """Where the elements of an input lie in the data.

    Attributes:
        name: Its name in the graph.
        sizes: Lengths of its axes.
        windows: Whether the first axis is shifts of the second, stored once with zeros before: element (s, t, c) is
            element t - s of column c.
    """

    name: str
    sizes: tuple[Size, ...]
    windows: bool = False


@dataclass(frozen=True)
class _At:
    """An index (or a value) and the depth of the loop that it changes in."""

    text: str
    depth: int


_ZERO = _At("0", 0)


def module_text(plan: Schedule, layouts: Sequence[InputLayout], runtime_sizes: Sequence[str], length: int) -> str:
    """The module of a density as LLVM text.

    Args:
        plan: Loops whose outputs are stored in "value" and "gradient"; the input "flat" is the point.
        layouts: All inputs in the order in which the data have them.
        runtime_sizes: Names of the run-time sizes in the order in which the data have them.
        length: Number of coordinates.
    """
    return _Module(plan, layouts, runtime_sizes, length).text()


def object_code(text: str) -> bytes:
    """The module, optimised for the processor of this machine, as an object file."""
    from llvmlite import binding

    machine = target_machine()
    module = binding.parse_assembly(text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    module.verify()
    tuning = binding.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_interleaving = tuning.loop_unrolling = True
    passes = binding.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    return bytes(machine.emit_object(module))


def target_machine() -> object:
    """This machine's processor, with all its instructions."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


class _Module:
    """Writes the text, nest by nest. `pre[d]` is the code before loop d begins, `post[d]` what follows after it."""

    def __init__(
        self, plan: Schedule, layouts: Sequence[InputLayout], runtime_sizes: Sequence[str], length: int
    ) -> None:
        self.plan, self.layouts, self.runtime_sizes, self.length = plan, layouts, runtime_sizes, length
        self.entry: list[str] = []
        self.body: list[str] = []
        self.globals: list[str] = []
        self.pre: list[list[str]] = [self.body]
        self.post: list[list[str]] = [[]]
        self.memo: dict[tuple[int, tuple[str, ...]], _At] = {}
        self.inputs: dict[str, tuple[str, list[str]]] = {}
        self.count = 0
        self.loops = 0

    def text(self) -> str:
        self._sizes_and_inputs()
        self._buffers()
        for number, nest in enumerate(self.plan.nests):
            self._nest(nest, number)
        self._finite()
        tables = [node for node in self.plan.leaves if node.operation == "table"]
        for node in tables:
            values = ", ".join(f"double {_number(value)}" for value in node.detail)
            self.globals.append(
                f"@table{node.number} = internal unnamed_addr constant [{len(node.detail)} x double] [{values}]"
            )
        accesses = "!0 = distinct !{}\n!1 = !{}\n" + "".join(
            f"!{2 + 2 * at} = distinct !{{!{2 + 2 * at}, !{3 + 2 * at}}}\n!{3 + 2 * at} = !{{!\"llvm.loop.parallel_accesses\", !0}}\n"
            for at in range(self.loops)
        )
        return "\n".join(
            [
                FUNCTIONS,
                "declare noalias ptr @malloc(i64)\ndeclare void @free(ptr)",
                "declare double @erfc(double)\ndeclare double @lgamma(double)",
                "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)\ndeclare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
                *self.globals,
                "define i64 @log_density(i64 %size, ptr noalias readonly %flat, ptr noalias %gradient, "
                "ptr noalias %value, ptr noalias readonly %data) {",
                "entry:",
                *self.entry,
                *self.body,
                "}",
                "define i64 @copy_draw(i64 %size, i64 %expanded, ptr %flat, ptr %draw, ptr %data) {",
                "  %bytes = shl i64 %size, 3",
                "  call void @llvm.memcpy.p0.p0.i64(ptr %draw, ptr %flat, i64 %bytes, i1 false)",
                "  ret i64 0",
                "}",
                accesses,
            ]
        )

    # --- memory ---------------------------------------------------------------------------------

    def _sizes_and_inputs(self) -> None:
        self.pre = [self.entry]
        for at, name in enumerate(self.runtime_sizes):
            place = self._emit(0, f"getelementptr double, ptr %data, i64 {1 + at}")
            self.entry.append(f"  %d_{name} = load double, ptr {place}, !invariant.load !1")
            self.entry.append(f"  %n_{name} = fptosi double %d_{name} to i64")
        offset = str(1 + len(self.runtime_sizes))
        for layout in self.layouts:
            strides, total = self._layout(layout)
            base = self._emit(0, f"getelementptr double, ptr %data, i64 {offset}")
            if layout.windows:  # shift 0 begins behind the zeros
                base = self._emit(0, f"getelementptr double, ptr {base}, i64 {_length(layout.sizes[0])} ")
                base = self._emit(0, f"getelementptr double, ptr {base}, i64 -1")
            self.inputs[layout.name] = (base, strides)
            offset = self._sum(offset, total)
        self.inputs["flat"] = ("%flat", ["1"])

    def _layout(self, layout: InputLayout) -> tuple[list[str], str]:
        """Stride of each axis and total length of an input, in elements."""
        strides = ["0"] * len(layout.sizes)
        total = "1"
        lengths = [_length(size) for size in layout.sizes]
        axes = [axis for axis in _memory_axes(layout.sizes) if not (layout.windows and axis == 0)]
        for axis in reversed(axes):
            strides[axis] = total
            length = lengths[axis]
            if layout.windows and axis == 1:
                length = self._sum(self._sum(length, lengths[0]), "-1")
            total = self._product(total, length)
        if layout.windows:
            strides[0] = "-1"
        return strides, total

    def _buffers(self) -> None:
        """Places of all stored nodes: known sizes on the stack, others in one piece of the heap."""
        offset = "0"
        self.heap = False
        places: dict[int, str] = {}
        for node in (node for nest in self.plan.nests for node in nest.nodes if node.number in self.plan.stored):
            sizes = [node.sizes[axis] for axis in loop_axes(node.sizes)]
            known = [size for size in sizes if isinstance(size, int)]
            if len(known) == len(sizes) and _whole(known) <= _STACK_LIMIT:
                self.entry.append(f"  %b{node.number} = alloca [{_whole(known)} x double], align 32")
                continue
            self.heap = True
            places[node.number] = offset
            total = "1"
            for size in sizes:
                total = self._product(total, _length(size))
            offset = self._sum(offset, total)
        if self.heap:
            bytes_ = self._emit(0, f"shl i64 {offset}, 3")
            self.entry.append(f"  %heap = call noalias ptr @malloc(i64 {bytes_})")
            for number, place in places.items():
                self.entry.append(f"  %b{number} = getelementptr double, ptr %heap, i64 {place}")
        self.pre = [self.body]
        self.body.append("  br label %start\nstart:")
        self.label = "start"

    def _finite(self) -> None:
        """Returns 0 when value and gradient are finite; a number times 0 is 0 only then."""
        free = "  call void @free(ptr %heap)" if self.heap else ""
        self.body.append(f"""  %v = load double, ptr %value
  %v0 = fmul double %v, 0.0
  br label %check
check:
  %ci = phi i64 [ 0, %{self.label} ], [ %cn, %check ]
  %ca = phi double [ %v0, %{self.label} ], [ %cs, %check ]
  %cp = getelementptr double, ptr %gradient, i64 %ci
  %cg = load double, ptr %cp
  %cz = fmul double %cg, 0.0
  %cs = fadd reassoc double %ca, %cz
  %cn = add nuw nsw i64 %ci, 1
  %cc = icmp slt i64 %cn, {self.length}
  br i1 %cc, label %check, label %done
done:
{free}
  %ok = fcmp oeq double %cs, 0.0
  %status = select i1 %ok, i64 0, i64 3
  ret i64 %status""")

    # --- loops ----------------------------------------------------------------------------------

    def _nest(self, nest: LoopNest, number: int) -> None:
        self.memo = {}
        self.totals: dict[int, str] = {}
        sums = [node for node in nest.nodes if node.operation == "sum"]
        for node in sums:
            kept, trailing = _reduction(node)
            if len(kept) + trailing < len(nest.sizes) or (kept and not trailing):
                self._clear(node)
            if trailing == len(nest.sizes):
                self.totals[node.number] = self._accumulator(self.body)
        if not nest.sizes:
            self.pre, self.post = [self.body], [[]]
            for node in nest.nodes:
                self._operation(node, [[]], nest)
        else:
            outer, copies = nest.sizes[0], 1
            few = sum(node.operation in COMPUTED for node in nest.nodes) <= _MANY_OPERATIONS
            if len(nest.sizes) == 2 and isinstance(outer, int) and few and not nest.running:
                copies = min(_UNROLLED, outer)
            whole = outer // copies * copies if isinstance(outer, int) else outer
            self._loops(nest, f"g{number}", "0", _length(whole), copies)
            if whole != outer:
                assert isinstance(outer, int)  # noqa: S101  (only known sizes are unrolled)
                self.memo = {}
                self._loops(nest, f"g{number}r", _length(whole), _length(outer), outer % copies)
        self.pre = [self.body]
        for node in sums:
            if node.number in self.totals:
                total = self._emit(0, f"load double, ptr {self.totals[node.number]}")
                self.body.append(f"  store double {total}, ptr %b{node.number}")

    def _loops(self, nest: LoopNest, label: str, start: str, stop: str, copies: int) -> None:
        depth = len(nest.sizes)
        before = self.body
        self.pre = [[] for _ in range(depth + 1)]
        self.post = [[] for _ in range(depth + 1)]
        positions: list[list[_At]] = []
        for copy in range(copies):
            first = f"%{label}_i0" if not copy else self._emit(1, f"add nuw nsw i64 %{label}_i0, {copy}")
            rest = [_At(f"%{label}_i{at}", at + 1) for at in range(1, depth)]
            positions.append([_At(first, 1), *rest])
        if nest.running < 0:
            last = positions[0][-1]
            length = _length(nest.sizes[-1])
            turned = self._emit(depth, f"sub i64 {length}, {last.text}")
            turned = self._emit(depth, f"add i64 {turned}, -1")
            positions[0][-1] = _At(turned, depth)
        for node in nest.nodes:
            self._operation(node, positions, nest)
        lines = [*self.pre[0]]
        previous = self.label
        for at in range(depth):
            low, high = (start, stop) if at == 0 else ("0", _length(nest.sizes[at]))
            lines += [
                f"  br label %{label}_h{at}",
                f"{label}_h{at}:",
                f"  %{label}_i{at} = phi i64 [ {low}, %{previous} ], [ %{label}_n{at}, %{label}_l{at} ]",
                f"  %{label}_c{at} = icmp slt i64 %{label}_i{at}, {high}",
                f"  br i1 %{label}_c{at}, label %{label}_b{at}, label %{label}_x{at}",
                f"{label}_b{at}:",
                *self.pre[at + 1],
            ]
            previous = f"{label}_b{at}"
        for at in reversed(range(depth)):
            step = copies if at == 0 else 1
            loop = ""
            if at == depth - 1 and not nest.running:
                loop = f", !llvm.loop !{2 + 2 * self.loops}"
                self.loops += 1
            lines += [
                *(self.post[at + 1]),
                f"  br label %{label}_l{at}",
                f"{label}_l{at}:",
                f"  %{label}_n{at} = add nuw nsw i64 %{label}_i{at}, {step}",
                f"  br label %{label}_h{at}{loop}",
                f"{label}_x{at}:",
            ]
        self.label = f"{label}_x0"
        before += lines
        before += self.post[0]
        self.body = before

    def _operation(self, node: Expression, positions: Sequence[Sequence[_At]], nest: LoopNest) -> None:
        """One operation at the element of the loops, for each unrolled copy."""
        depth = len(nest.sizes)
        if node.operation == "sum":
            self._add_up(node, positions, depth)
            return
        for place in positions:
            index = _element(node.sizes, place)
            if node.operation == "cumulate":
                self._run(node, index, depth)
                continue
            value = self._compute(node, index)
            self.memo[node.number, tuple(at.text for at in index)] = value
            if node.operation == "store":
                output, start = node.detail
                at = self._sum_at(index[0].text, str(start), depth) if index else str(start)
                pointer = self._emit(depth, f"getelementptr double, ptr %{output}, i64 {at}")
                self._write(value, pointer, depth, nest)
            elif node.number in self.plan.stored:
                self._write(value, self._address(node, index, depth), depth, nest)

    def _write(self, value: _At, pointer: str, depth: int, nest: LoopNest) -> None:
        access = ", !llvm.access.group !0" if depth and not nest.running else ""
        self.pre[depth].append(f"  store double {value.text}, ptr {pointer}{access}")

    def _run(self, node: Expression, index: list[_At], depth: int) -> None:
        """A running sum: its state is in memory between steps."""
        state = self._accumulator(self.pre[depth - 1])
        value = self._argument(node, node.arguments[0], index)
        old = self._emit(depth, f"load double, ptr {state}")
        new = self._emit(depth, f"fadd double {old}, {value.text}")
        self.pre[depth].append(f"  store double {new}, ptr {state}")
        self.pre[depth].append(f"  store double {new}, ptr {self._address(node, index, depth)}")

    def _add_up(self, node: Expression, positions: Sequence[Sequence[_At]], depth: int) -> None:
        kept, trailing = _reduction(node)
        argument = node.arguments[0]
        values = []
        for place in positions:
            values.append(self._argument(node, argument, _element(argument.sizes, place)).text)
        outer_kept = 0 in kept
        if not trailing:  # straight into memory, at another place at each step of the innermost loop
            groups = [[value] for value in values] if outer_kept else [values]
            for place, group in zip(positions, groups, strict=False):
                target = self._result_address(node, place, kept, depth)
                total = self._emit(depth, f"load double, ptr {target}, !llvm.access.group !0")
                for value in group:
                    total = self._emit(depth, f"fadd reassoc double {total}, {value}")
                self.pre[depth].append(f"  store double {total}, ptr {target}, !llvm.access.group !0")
            return
        begin = depth - trailing
        for place, value in zip(positions, values, strict=True):
            state = self._accumulator(self.pre[begin]) if begin else self.totals[node.number]
            old = self._emit(depth, f"load double, ptr {state}")
            new = self._emit(depth, f"fadd reassoc double {old}, {value}")
            self.pre[depth].append(f"  store double {new}, ptr {state}")
            if begin:
                self._flush(node, place, kept, begin, state, whole=len(kept) + trailing == depth)

    def _flush(
        self, node: Expression, place: Sequence[_At], kept: Sequence[int], begin: int, state: str, *, whole: bool
    ) -> None:
        """After the inner loops: the sum goes to its place, or on top of what is there."""
        target = self._result_address(node, place, kept, begin)
        name = self._name()
        self.post[begin].append(f"  {name} = load double, ptr {state}")
        if not whole:
            old, total = self._name(), self._name()
            self.post[begin].append(f"  {old} = load double, ptr {target}")
            self.post[begin].append(f"  {total} = fadd reassoc double {old}, {name}")
            name = total
        self.post[begin].append(f"  store double {name}, ptr {target}")

    def _clear(self, node: Expression) -> None:
        self.pre = [self.body]
        total = "8"
        for axis in loop_axes(node.sizes):
            total = self._product(total, _length(node.sizes[axis]))
        self.body.append(f"  call void @llvm.memset.p0.i64(ptr %b{node.number}, i8 0, i64 {total}, i1 false)")

    def _accumulator(self, lines: list[str]) -> str:
        """A number that starts at 0 where these lines are."""
        name = self._name()
        self.entry.insert(0, f"  {name} = alloca double")
        lines.append(f"  store double 0.0, ptr {name}")
        return name

    # --- elements -------------------------------------------------------------------------------

    def _value(self, node: Expression, index: list[_At]) -> _At:
        """An element of any node."""
        key = (node.number, tuple(at.text for at in index))
        if key not in self.memo:
            self.memo[key] = self._find(node, index)
        return self.memo[key]

    def _find(self, node: Expression, index: list[_At]) -> _At:
        match node.operation:
            case "constant":
                return _At(_number(node.detail), 0)
            case "size":
                return _At(f"%d_{node.detail}", 0)
            case "view":
                before = [_ZERO] * node.arguments[0].ndim
                for at, axis in zip(index, node.detail, strict=True):
                    if axis is not None:
                        before[axis] = at
                return self._value(node.arguments[0], before)
            case "take":
                return self._taken(node, index)
            case "table":
                return self._load(f"@table{node.number}", self._strides(node.sizes), index)
            case "input":
                base, strides = self.inputs[node.detail]
                return self._load(base, strides, index, constant=True)
        return self._load(f"%b{node.number}", self._strides(node.sizes), index)

    def _taken(self, node: Expression, index: list[_At]) -> _At:
        axis, positions = node.detail
        argument = node.arguments[0]
        if len(positions) == 1:
            inner = [*index[:axis], _At(str(positions[0]), 0), *index[axis + 1 :]]
            return self._value(argument, inner)
        at = index[axis]
        steps = {positions[k + 1] - positions[k] for k in range(len(positions) - 1)}
        if steps == {1} and positions[0] >= 0:
            moved = _At(self._sum_at(at.text, str(positions[0]), at.depth), at.depth)
            return self._value(argument, [*index[:axis], moved, *index[axis + 1 :]])
        name = f"@places{len(self.globals)}"
        inside = ", ".join(f"i64 {max(position, 0)}" for position in positions)
        self.globals.append(f"{name} = internal unnamed_addr constant [{len(positions)} x i64] [{inside}]")
        pointer = self._emit(at.depth, f"getelementptr i64, ptr {name}, i64 {at.text}")
        moved = _At(self._emit(at.depth, f"load i64, ptr {pointer}, !invariant.load !1"), at.depth)
        value = self._value(argument, [*index[:axis], moved, *index[axis + 1 :]])
        if -1 not in positions:
            return value
        mask = f"@mask{len(self.globals)}"
        inside = ", ".join(f"i8 {int(position >= 0)}" for position in positions)
        self.globals.append(f"{mask} = internal unnamed_addr constant [{len(positions)} x i8] [{inside}]")
        pointer = self._emit(at.depth, f"getelementptr i8, ptr {mask}, i64 {at.text}")
        there = self._emit(at.depth, f"load i8, ptr {pointer}, !invariant.load !1")
        there = self._emit(at.depth, f"icmp ne i8 {there}, 0")
        depth = max(at.depth, value.depth)
        return _At(self._emit(depth, f"select i1 {there}, double {value.text}, double 0.0"), depth)

    def _compute(self, node: Expression, index: list[_At]) -> _At:
        if node.operation == "concatenate":
            return self._concatenated(node, index)
        arguments = [self._argument(node, argument, index) for argument in node.arguments]
        if node.operation == "store":
            return arguments[0]
        depth = max((argument.depth for argument in arguments), default=0)
        texts = [argument.text for argument in arguments]
        if node.operation in _SIMPLE:
            return _At(self._emit(depth, _SIMPLE[node.operation].format(*texts)), depth)
        if node.operation == "sign":
            above = self._emit(depth, f"fcmp ogt double {texts[0]}, 0.0")
            below = self._emit(depth, f"fcmp olt double {texts[0]}, 0.0")
            name = self._emit(depth, f"select i1 {below}, double -1.0, double 0.0")
            return _At(self._emit(depth, f"select i1 {above}, double 1.0, double {name}"), depth)
        condition, second, yes, no = (part.format(*texts) for part in _COMPARED[node.operation])
        test = self._emit(depth, f"fcmp {condition} double {texts[0]}, {second}")
        return _At(self._emit(depth, f"select i1 {test}, double {yes}, double {no}"), depth)

    def _concatenated(self, node: Expression, index: list[_At]) -> _At:
        start, result = 0, _At("0.0", 0)
        at = index[node.detail]
        for argument in node.arguments:
            axis = node.detail - node.ndim + argument.ndim
            size = argument.sizes[axis]
            assert isinstance(size, int)  # noqa: S101  (Graph.concatenate saw to it)
            inner = [index[a] if a is not None else _ZERO for a in argument_axes(node, argument)]
            if size > 1:
                moved = self._sum_at(at.text, str(-start), at.depth)
                low = self._emit(at.depth, f"icmp slt i64 {moved}, 0")
                moved = self._emit(at.depth, f"select i1 {low}, i64 0, i64 {moved}")
                high = self._emit(at.depth, f"icmp sgt i64 {moved}, {size - 1}")
                moved = self._emit(at.depth, f"select i1 {high}, i64 {size - 1}, i64 {moved}")
                inner[axis] = _At(moved, at.depth)
            value = self._value(argument, inner)
            depth = max(value.depth, at.depth, result.depth)
            mine = self._emit(at.depth, f"icmp sge i64 {at.text}, {start}")
            result = _At(
                self._emit(depth, f"select i1 {mine}, double {value.text}, double {result.text}"), depth
            )
            start += size
        return result

    def _argument(self, node: Expression, argument: Expression, index: list[_At]) -> _At:
        followed = argument_axes(node, argument)
        return self._value(argument, [_ZERO if axis is None else index[axis] for axis in followed])

    def _load(self, base: str, strides: Sequence[str], index: Sequence[_At], *, constant: bool = False) -> _At:
        pointer, depth = self._pointer(base, strides, index)
        inner = depth and depth == len(self.pre) - 1
        note = (", !invariant.load !1" if constant else "") + (", !llvm.access.group !0" if inner else "")
        return _At(self._emit(depth, f"load double, ptr {pointer}{note}"), depth)

    def _pointer(self, base: str, strides: Sequence[str], index: Sequence[_At]) -> tuple[str, int]:
        """Address of an element, outer indices first, so that inner loops only step."""
        depth = 0
        for at, stride in sorted(zip(index, strides, strict=True), key=lambda pair: pair[0].depth):
            if at.text == "0" or stride == "0":
                continue
            depth = max(depth, at.depth)
            offset = at.text if stride == "1" else self._emit(depth, f"mul i64 {at.text}, {stride}")
            base = self._emit(depth, f"getelementptr double, ptr {base}, i64 {offset}")
        return base, depth

    def _address(self, node: Expression, index: Sequence[_At], depth: int) -> str:
        return self._pointer(f"%b{node.number}", self._strides(node.sizes), index)[0]

    def _result_address(
        self, node: Expression, place: Sequence[_At], kept: Sequence[int], depth: int
    ) -> str:
        """Address of a sum's element, from the loops that its axes follow."""
        argument = node.arguments[0]
        order = loop_axes(argument.sizes)
        axes = [axis for axis in range(argument.ndim) if axis not in node.detail]
        index = [place[order.index(axis)] if axis in order else _ZERO for axis in axes]
        return self._pointer(f"%b{node.number}", self._strides(node.sizes), index)[0]

    def _strides(self, sizes: Sequence[Size]) -> list[str]:
        strides = ["0"] * len(sizes)
        total = "1"
        for axis in reversed(loop_axes(sizes)):
            strides[axis] = total
            total = self._product(total, _length(sizes[axis]))
        return strides

    # --- text -----------------------------------------------------------------------------------

    def _name(self) -> str:
        self.count += 1
        return f"%t{self.count}"

    def _emit(self, depth: int, instruction: str) -> str:
        name = self._name()
        self.pre[depth].append(f"  {name} = {instruction}")
        return name

    def _sum_at(self, left: str, right: str, depth: int) -> str:
        if right == "0":
            return left
        if left.lstrip("-").isdigit() and right.lstrip("-").isdigit():
            return str(int(left) + int(right))
        return self._emit(depth, f"add i64 {left}, {right}")

    def _sum(self, left: str, right: str) -> str:
        return self._sum_at(left, right, 0)

    def _product(self, left: str, right: str) -> str:
        if left == "1":
            return right
        if left.isdigit() and right.isdigit():
            return str(int(left) * int(right))
        return self._emit(0, f"mul i64 {left}, {right}")


def _reduction(node: Expression) -> tuple[list[int], int]:
    """Loops whose index a sum keeps, and how many of the innermost loops it sums over without a break."""
    order = loop_axes(node.arguments[0].sizes)
    kept = [at for at, axis in enumerate(order) if axis not in node.detail]
    trailing = len(order) - 1 - kept[-1] if kept else len(order)
    return kept, trailing


def _element(sizes: Sequence[Size], place: Sequence[_At]) -> list[_At]:
    """Index of an array's element from the positions of the loops over it."""
    order = loop_axes(sizes)
    return [place[order.index(axis)] if axis in order else _ZERO for axis in range(len(sizes))]


def _memory_axes(sizes: Sequence[Size]) -> tuple[int, ...]:
    return tuple(sorted(range(len(sizes)), key=lambda axis: (isinstance(sizes[axis], str), axis)))


def _length(size: Size) -> str:
    return str(size) if isinstance(size, int) else f"%n_{size}"


def _whole(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def _number(value: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
