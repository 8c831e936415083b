"""LLVM modules with the C functions that callers see: their arguments are checked before anything is read or written.

Here: `density_text`, a log density with its gradient; `results_text`, results for many points; the status of a call.
Not here: the loops (lowering.py), translation (object_code.py), how Python calls them (functions.py).

`log_density(size, flat, gradient, value, data)` writes the value and the gradient at a point;
`copy_draw(size, expanded, flat, draw, data)` the point itself, which is what the sampler keeps of it;
`all_results(points, size, width, flat, results, data)` the results of each point, in rows of `width`.
All return a status. `data` is a data buffer (buffers.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from mmm_engine.compiler.elementary import FUNCTIONS
from mmm_engine.compiler.fusion import Schedule
from mmm_engine.compiler.inputs import Signature
from mmm_engine.compiler.ir_builder import literal
from mmm_engine.compiler.lowering import lowered
from mmm_engine.compiler.shapes import Length, total_length

DONE = 0
NOT_FINITE = 3
"""The value or a derivative is infinite or NaN; positive, so that a sampler ends the trajectory and goes on."""
WRONG_SIZE, WRONG_AXIS, WRONG_LENGTH, WRONG_WIDTH = -1, -2, -3, -4
"""The flat vector, a dynamic axis, the data or a row of results are not as long as they must be. Nothing was written.
Negative, so that a sampler stops."""

LONGEST_AXIS = (
    2**31 - 1
)  # of a dynamic axis; the offsets of arrays with three of them stay in 64 bits as long as data do

_HEAD = f"""{FUNCTIONS}
declare noalias ptr @malloc(i64)
declare void @free(ptr)
declare double @lgamma(double)
declare double @llvm.floor.f64(double)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"""


def density_text(plan: Schedule, signature: Signature) -> str:
    """The module of a density.

    Args:
        plan: Loops whose outputs are stored in "value" (one number) and "gradient"; the input "flat" is the point.
        signature: Of the function; its size is the number of coordinates.

    Raises:
        ValueError: If the outputs do not fill the gradient, or more than it.
    """
    for output, length in (("value", 1), ("gradient", signature.size)):
        if output_length(plan, output) != {(): length}:
            raise ValueError(f"the output '{output}' is not filled from 0 to {length}")
    body = lowered("density_at", ("gradient", "value"), plan, signature, _finite_or_not(signature.size))
    calls = _LOG_DENSITY.format(size=signature.size, bytes=8 * signature.size)
    return "\n".join([_HEAD, _check_data(signature), body, calls])


def results_text(plan: Schedule, signature: Signature) -> str:
    """The module of results without derivatives, for many points; the outputs are stored in "result".

    Args:
        plan: Loops; the input "flat" is a point.
        signature: Of the function; its size is the number of parameters.

    Raises:
        ValueError: If there are gaps between the outputs, or they overlap.
    """
    lines, width = _length_lines(output_length(plan, "result"), "width")
    calls = _ALL_RESULTS.format(
        size=signature.size, sizes=_size_lines(signature.dynamic_axes), width_lines=lines, width=width
    )
    body = lowered("results_at", ("result",), plan, signature)
    return "\n".join([_HEAD, _check_data(signature), body, calls])


def output_length(plan: Schedule, output: str) -> Length:
    """How many elements an output has.

    Raises:
        ValueError: If its parts leave a gap, overlap, or follow one whose length is dynamic.
    """
    stores = [node for node in plan.outputs if node.detail[0] == output]
    parts = sorted(((node.detail[1], node.sizes) for node in stores), key=lambda part: part[0])
    total: Length = {}
    for start, sizes in parts:
        if total.keys() - {()} or start != total.get((), 0):
            raise ValueError(f"the parts of the output '{output}' do not follow one another: {parts}")
        total = total_length([sizes], total)
    return total


def _length_lines(length: Length, label: str) -> tuple[str, str]:
    """A length as instructions and the name of their result, a double: one too large for 64 bits stays too large."""
    lines, total = [], literal(0.0)
    for at, (axes, count) in enumerate(sorted(length.items())):
        product = literal(float(count))
        for step, axis in enumerate(axes):
            lines.append(f"  %{label}{at}_{step} = fmul double {product}, %d_{axis}")
            product = f"%{label}{at}_{step}"
        lines.append(f"  %{label}{at} = fadd double {total}, {product}")
        total = f"%{label}{at}"
    return "\n".join(lines), total


def _size_lines(dynamic_axes: Sequence[str]) -> str:
    return "\n".join(
        f"  %p_{axis} = getelementptr double, ptr %data, i64 {at}\n  %d_{axis} = load double, ptr %p_{axis}"
        for at, axis in enumerate(dynamic_axes, start=1)
    )


def _check_data(signature: Signature) -> str:
    """A function that returns the status of a data buffer: its axes are whole numbers, and imply its length."""
    whole, checks = "true", []
    for axis in signature.dynamic_axes:
        checks += [
            f"  %f_{axis} = call double @llvm.floor.f64(double %d_{axis})",
            f"  %whole_{axis} = fcmp oeq double %f_{axis}, %d_{axis}",
            f"  %positive_{axis} = fcmp oge double %d_{axis}, 0.0",
            f"  %short_{axis} = fcmp ole double %d_{axis}, {literal(LONGEST_AXIS)}",
            f"  %a_{axis} = and i1 %whole_{axis}, %positive_{axis}",
            f"  %b_{axis} = and i1 %a_{axis}, %short_{axis}",
            f"  %sane_{axis} = and i1 {whole}, %b_{axis}",
        ]
        whole = f"%sane_{axis}"
    lines, length = _length_lines(signature.data_length, "length")
    return f"""define internal i64 @check_data(ptr %data) {{
entry:
  %length = load double, ptr %data
  %head = fcmp oge double %length, {literal(1 + len(signature.dynamic_axes))}
  br i1 %head, label %sizes, label %wrong_length
sizes:
{_size_lines(signature.dynamic_axes)}
{chr(10).join(checks)}
  br i1 {whole}, label %lengths, label %wrong_axis
lengths:
{lines}
  %right = fcmp oeq double %length, {length}
  br i1 %right, label %done, label %wrong_length
done:
  ret i64 {DONE}
wrong_axis:
  ret i64 {WRONG_AXIS}
wrong_length:
  ret i64 {WRONG_LENGTH}
}}"""


_LOG_DENSITY = f"""define i64 @log_density(i64 %size, ptr %flat, ptr %gradient, ptr %value, ptr %data) {{{{
entry:
  %right = icmp eq i64 %size, {{size}}
  br i1 %right, label %sized, label %wrong_size
sized:
  %checked = call i64 @check_data(ptr %data)
  %fine = icmp eq i64 %checked, {DONE}
  br i1 %fine, label %run, label %refused
run:
  %status = call i64 @density_at(i64 %size, ptr %flat, ptr %gradient, ptr %value, ptr %data)
  ret i64 %status
refused:
  ret i64 %checked
wrong_size:
  ret i64 {WRONG_SIZE}
}}}}
define i64 @copy_draw(i64 %size, i64 %expanded, ptr %flat, ptr %draw, ptr %data) {{{{
entry:
  %one = icmp eq i64 %size, {{size}}
  %two = icmp eq i64 %expanded, {{size}}
  %right = and i1 %one, %two
  br i1 %right, label %run, label %wrong_size
run:
  call void @llvm.memcpy.p0.p0.i64(ptr %draw, ptr %flat, i64 {{bytes}}, i1 false)
  ret i64 {DONE}
wrong_size:
  ret i64 {WRONG_SIZE}
}}}}"""

_ALL_RESULTS = f"""define i64 @all_results(i64 %points, i64 %size, i64 %width, ptr %flat, ptr %results, ptr %data) {{{{
entry:
  %right = icmp eq i64 %size, {{size}}
  br i1 %right, label %sized, label %wrong_size
sized:
  %checked = call i64 @check_data(ptr %data)
  %fine = icmp eq i64 %checked, {DONE}
  br i1 %fine, label %widths, label %refused
widths:
{{sizes}}
{{width_lines}}
  %stride = sitofp i64 %width to double
  %wide = fcmp oeq double %stride, {{width}}
  br i1 %wide, label %head, label %wrong_width
head:
  %point = phi i64 [ 0, %widths ], [ %next, %body ]
  %more = icmp slt i64 %point, %points
  br i1 %more, label %body, label %done
body:
  %from = mul i64 %point, %size
  %at = getelementptr double, ptr %flat, i64 %from
  %to = mul i64 %point, %width
  %row = getelementptr double, ptr %results, i64 %to
  %status = call i64 @results_at(i64 %size, ptr %at, ptr %row, ptr %data)
  %next = add nuw nsw i64 %point, 1
  %good = icmp eq i64 %status, {DONE}
  br i1 %good, label %head, label %failed
done:
  ret i64 {DONE}
failed:
  ret i64 %status
refused:
  ret i64 %checked
wrong_size:
  ret i64 {WRONG_SIZE}
wrong_width:
  ret i64 {WRONG_WIDTH}
}}}}"""


def _finite_or_not(size: int) -> str:
    """Sets %status by whether value and gradient are finite: only a finite number times 0 is 0."""
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
  %status = select i1 %ok, i64 {DONE}, i64 {NOT_FINITE}
"""
