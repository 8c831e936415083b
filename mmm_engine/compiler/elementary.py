"""Elementary functions as LLVM text that the optimiser can inline and turn into vector instructions.

Here: exp, expm1, log, log1p, tanh and erfc without branches, accurate to a few units in the last place (tests hold
them to it); calls of the C library would keep a loop from being vectorised.
Not here: functions that are rare enough for the C library (lgamma).

Methods: exp by Cody and Waite's reduction x = n log 2 + r and the Taylor polynomial of e^r - 1; log by the polynomial
of fdlibm's e_log.c in s = f / (2 + f); erfc as e^(-x^2) t p(u) with t = 3 / (3 + x), u = 2 t - 1 and p the Chebyshev
interpolant of degree 22 of e^(x^2) erfc(x) / t (worst relative error 6e-16, found with 50 digits). Below the smallest
normal number exp is 0 and log is not exact.
"""

from __future__ import annotations

import math
import struct

from mmm_engine.compiler.ir_builder import literal

_LOG2_HIGH, _LOG2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROUND = 6755399441055744.0  # 1.5 * 2^52: added, it leaves the nearest whole number in the lowest bits
_LARGEST, _SMALLEST = 709.4, -708.0
_LOG = (
    6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
    1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
)  # fmt: skip
_ERFC_CENTRE = 3.0
_ERFC = (
    0.3580023023627799, 0.29446481772329297, 0.1967427857013676, 0.10348908730032906,
    0.03984258709573409, 0.00894241153786806, -0.0004041388749870603, -0.0010113539570887728,
    -0.00018276990598902794, 9.225899512771738e-05, 3.5853885449595844e-05, -1.013156283309012e-05,
    -5.82374722681329e-06, 1.5800864969572258e-06, 9.223786145720273e-07, -3.2794192935327655e-07,
    -1.3698477467135753e-07, 7.23798791311114e-08, 1.647213179132514e-08, -1.3159668631609655e-08,
    -1.1137746412760201e-09, 1.3405666455077527e-09, -1.1365971769947809e-11,
)  # fmt: skip
_HALF_ROOT = struct.unpack("<q", struct.pack("<d", math.sqrt(0.5)))[0]


def _polynomial(variable: str, coefficients: list[float], label: str) -> tuple[str, str]:
    """Horner's scheme, highest coefficient first; the lines and the name of the result."""
    lines, result = [], literal(coefficients[0])
    for number, coefficient in enumerate(coefficients[1:]):
        name = f"%{label}{number}"
        operands = f"double {result}, double {variable}, double {literal(coefficient)}"
        lines.append(f"  {name} = call double @llvm.fmuladd.f64({operands})")
        result = name
    return "\n".join(lines), result


def _power_of_two_times() -> str:
    """Lines from %x to %p = e^r - 1 and %scale = 2^n."""
    series, result = _polynomial("%r", [1.0 / math.factorial(k) for k in range(13, 1, -1)], "q")
    return f"""  %low = fcmp olt double %x, {literal(_SMALLEST)}
  %x1 = select i1 %low, double {literal(_SMALLEST)}, double %x
  %high = fcmp ogt double %x1, {literal(_LARGEST)}
  %x2 = select i1 %high, double {literal(_LARGEST)}, double %x1
  %t = fmul double %x2, {literal(1.0 / math.log(2.0))}
  %shifted = fadd double %t, {literal(_ROUND)}
  %n = fsub double %shifted, {literal(_ROUND)}
  %minus = fneg double %n
  %r1 = call double @llvm.fmuladd.f64(double %minus, double {literal(_LOG2_HIGH)}, double %x2)
  %r = call double @llvm.fmuladd.f64(double %minus, double {literal(_LOG2_LOW)}, double %r1)
{series}
  %rr = fmul double %r, %r
  %p = call double @llvm.fmuladd.f64(double %rr, double {result}, double %r)
  %whole = bitcast double %shifted to i64
  %moved = shl i64 %whole, 52
  %biased = add i64 %moved, 4607182418800017408
  %scale = bitcast i64 %biased to double"""


def _log_lines() -> str:
    series, result = _polynomial("%z", [*reversed(_LOG)], "q")
    return f"""  %b = bitcast double %x to i64
  %c = sub i64 %b, {_HALF_ROOT}
  %e64 = ashr i64 %c, 52
  %e32 = trunc i64 %e64 to i32
  %e = sitofp i32 %e32 to double
  %eb = shl i64 %e64, 52
  %mb = sub i64 %b, %eb
  %m = bitcast i64 %mb to double
  %f = fsub double %m, 1.0
  %f2 = fadd double %f, 2.0
  %s = fdiv double %f, %f2
  %z = fmul double %s, %s
{series}
  %R = fmul double %z, {result}
  %ff = fmul double %f, %f
  %h = fmul double %ff, 0.5
  %hR = fadd double %h, %R
  %el = fmul double %e, {literal(_LOG2_LOW)}
  %k = call double @llvm.fmuladd.f64(double %s, double %hR, double %el)
  %d = fsub double %h, %k
  %d2 = fsub double %d, %f
  %eh = fmul double %e, {literal(_LOG2_HIGH)}
  %y = fsub double %eh, %d2
  %tiny = fcmp olt double %x, {literal(2.2250738585072014e-308)}
  %negative = fcmp olt double %x, 0.0
  %below = select i1 %negative, double {literal(math.nan)}, double {literal(-math.inf)}
  %y1 = select i1 %tiny, double %below, double %y
  %infinite = fcmp oge double %x, {literal(math.inf)}
  %y2 = select i1 %infinite, double %x, double %y1
  %number = fcmp ord double %x, 0.0
  %y3 = select i1 %number, double %y2, double %x
  ret double %y3"""


FUNCTIONS = f"""declare double @llvm.fmuladd.f64(double, double, double)
declare double @llvm.fma.f64(double, double, double)
declare double @llvm.fabs.f64(double)
declare double @llvm.maximum.f64(double, double)
declare double @llvm.minimum.f64(double, double)
declare double @llvm.sqrt.f64(double)
declare double @llvm.copysign.f64(double, double)
define internal double @m_exp(double %x) alwaysinline {{
{_power_of_two_times()}
  %y = call double @llvm.fmuladd.f64(double %p, double %scale, double %scale)
  %y1 = select i1 %low, double 0.0, double %y
  %y2 = select i1 %high, double {literal(math.inf)}, double %y1
  ret double %y2
}}
define internal double @m_expm1(double %x) alwaysinline {{
{_power_of_two_times()}
  %less = fsub double %scale, 1.0
  %y = call double @llvm.fmuladd.f64(double %p, double %scale, double %less)
  %y1 = select i1 %low, double -1.0, double %y
  %y2 = select i1 %high, double {literal(math.inf)}, double %y1
  ret double %y2
}}
define internal double @m_log(double %x) alwaysinline {{
{_log_lines()}
}}
define internal double @m_log1p(double %x) alwaysinline {{
  %u = fadd double %x, 1.0
  %l = call double @m_log(double %u)
  %back = fsub double %u, 1.0
  %lost = fsub double %x, %back
  %part = fdiv double %lost, %u
  %y = fadd double %l, %part
  %small = fcmp olt double %x, 0x4341C37937E08000
  %above = fcmp ogt double %u, 0.0
  %fine = and i1 %small, %above
  %y1 = select i1 %fine, double %y, double %l
  ret double %y1
}}
define internal double @m_tanh(double %x) alwaysinline {{
  %a = call double @llvm.fabs.f64(double %x)
  %a2 = fmul double %a, -2.0
  %e = call double @m_expm1(double %a2)
  %t = fneg double %e
  %under = fsub double 2.0, %t
  %y = fdiv double %t, %under
  %y1 = call double @llvm.copysign.f64(double %y, double %x)
  ret double %y1
}}
define internal double @m_erfc(double %x) alwaysinline {{
  %a = call double @llvm.fabs.f64(double %x)
  %sum = fadd double %a, {literal(_ERFC_CENTRE)}
  %inverse = fdiv double 1.0, %sum
  %left = fsub double {literal(_ERFC_CENTRE)}, %a
  %u = fmul double %left, %inverse
  %t = fmul double %inverse, {literal(_ERFC_CENTRE)}
{_polynomial("%u", [*reversed(_ERFC)], "p")[0]}
  %square = fmul double %a, %a
  %minus = fneg double %square
  %lost = call double @llvm.fma.f64(double %a, double %a, double %minus)
  %rest = fsub double 1.0, %lost
  %e = call double @m_exp(double %minus)
  %er = fmul double %e, %rest
  %pt = fmul double %t, {_polynomial("%u", [*reversed(_ERFC)], "p")[1]}
  %y = fmul double %er, %pt
  %some = fcmp ogt double %e, 0.0
  %y1 = select i1 %some, double %y, double %e
  %other = fsub double 2.0, %y1
  %negative = fcmp olt double %x, 0.0
  %y2 = select i1 %negative, double %other, double %y1
  ret double %y2
}}"""
