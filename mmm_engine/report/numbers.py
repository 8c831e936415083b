"""How a quantity is written, once for sentences, tables, axes, tooltips and the scripts of a page.

Here: digits, thousands, minus signs, percentages, units, money, dates; what axes and tooltips of figures take.
Not here: names and sentences (wording.py), which numbers a page shows (sections/), how figures look (figures/style.py).

The rule: three significant digits and k, M, B or T where a number is short; thousands separated by commas where it
stands in full; a minus sign, not a hyphen; the sign of a currency before the number ("€5.53"), its code where it has no
sign ("PLN 5.53"), any other unit behind it; a day as "4 Mar 2024", in tables as 2024-03-04. No exponent below 10¹⁵.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

NOT_DEFINED = "not defined"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
#: Of currencies whose sign everybody knows and no other currency on the page shares.
SIGNS = {
    "EUR": "€",
    "USD": "$",
    "GBP": "£",
    "JPY": "¥",
    "INR": "₹",
    "KRW": "₩",
    "ILS": "₪",
    "TRY": "₺",
    "UAH": "₴",
}
#: Of axes with amounts: what `compact` writes, as plotly.js writes it.
AXIS: dict[str, Any] = {"exponentformat": "B", "separatethousands": True, "minexponent": 3}
#: Of axes with dates.
DAY_FORMAT = "%-d %b %Y"
_CODE = re.compile(r"[A-Z]{3}")
JOINER = "\N{WORD JOINER}"  # a line does not end between the minus and the sign of a currency
_HUGE = 1e15  # from here on digits say less than an exponent
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def compact(value: float, unit: str = "") -> str:
    r"""A number with three significant digits and a suffix for thousands, with its unit.

    >>> compact(1_234_567, "EUR"), compact(5e9, "views")
    ('€1.23M', '5B\xa0views')
    >>> compact(-0.5, "EUR"), compact(950), compact(float("nan"))
    ('−\u2060€0.5', '950', 'not defined')
    """
    if not math.isfinite(value):
        return NOT_DEFINED
    size = abs(value)
    scale, suffix = next(((s, t) for s, t in _STEPS if float(f"{size:.3g}") >= s), (1.0, ""))
    return _with_unit(value < 0, _three_digits(size / scale) + suffix, unit)


def span(low: float, high: float, unit: str = "", between: str = "to") -> str:
    r"""Two short numbers with what stands between them; a unit that stands behind is said once.

    >>> span(36_400, 71_000, "EUR"), span(1_000, 2_300, "leads", "and")
    ('€36.4k to €71k', '1k and 2.3k\xa0leads')
    """
    behind = around(unit)[1] if math.isfinite(high) else ""
    return f"{compact(low, unit).removesuffix(behind)} {between} {compact(high, unit)}"


def grouped(value: float, unit: str = "") -> str:
    r"""A number in full with thousands separated: whole from 100 up, three significant digits below.

    >>> grouped(1_234_567.4, "EUR"), grouped(0.01234), grouped(12.5, "PLN")
    ('€1,234,567', '0.0123', 'PLN\xa012.5')
    """
    if not math.isfinite(value):
        return NOT_DEFINED
    size = abs(value)
    return _with_unit(value < 0, f"{size:,.0f}" if 100 <= size < _HUGE else _three_digits(size), unit)


def price(value: float, unit: str = "") -> str:
    r"""What one of something costs or brings: two decimals as on a price tag, more where they would be noughts.

    >>> price(5.5, "EUR"), price(1234.5, "EUR"), price(0.01234, "EUR"), price(0.25, "conversions")
    ('€5.50', '€1,234', '€0.0123', '0.25\xa0conversions')
    """
    if not math.isfinite(value) or not 0.1 <= abs(value) < 100:
        return grouped(value, unit)
    return _with_unit(value < 0, f"{abs(value):.2f}", unit)


def percent(share: float, *, signed: bool = False) -> str:
    """A fraction as a percentage, one decimal below 10%.

    >>> percent(0.0978), percent(0.235), percent(-0.12, signed=True), percent(0.04, signed=True)
    ('9.8%', '24%', '−12%', '+4.0%')
    """
    if not math.isfinite(share):
        return NOT_DEFINED
    size = abs(share) * 100
    if size >= _HUGE:
        return (MINUS if share < 0 else "") + f"{abs(share):.2e} times"
    digits = f"{size:.1f}" if round(size, 1) < 10 else f"{size:,.0f}"
    negative = share < 0 and float(digits.replace(",", "")) != 0
    return (MINUS if negative else "+" if signed else "") + ("0" if digits == "0.0" else digits) + "%"


def part(share: float) -> str:
    """A fraction as a percentage where 0% would say that there is nothing: `percent`, or "under 0.1%".

    >>> part(0.0978), part(0.0002), part(0.0)
    ('9.8%', 'under 0.1%', '0%')
    """
    return "under 0.1%" if 0.0 < share < 0.0005 else percent(share)


def more_or_less(share: float) -> str:
    """How one amount differs from another, as a person says it; "than" and the other amount follow.

    >>> more_or_less(0.071), more_or_less(-0.13), more_or_less(0.0004)
    ('7.1% more than', '13% less than', 'as much as')
    """
    if not math.isfinite(share):
        return NOT_DEFINED
    size = percent(abs(share))
    return "as much as" if size == "0%" else f"{size} {'more' if share > 0 else 'less'} than"


def probability(share: float) -> str:
    """A probability from draws, which never know that something is certain or impossible.

    >>> probability(1.0), probability(0.73), probability(0.001)
    ('over 99%', '73%', 'under 1%')
    """
    return "over 99%" if share > 0.99 else "under 1%" if share < 0.01 else f"{share:.0%}"


def decimal(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """A plain number with a fixed count of decimals.

    >>> decimal(2.306), decimal(-0.124), decimal(1.0049, 3), decimal(0.2, signed=True)
    ('2.31', '−0.12', '1.005', '+0.20')
    """
    if not math.isfinite(value):
        return NOT_DEFINED
    text = f"{abs(value):,.{digits}f}" if abs(value) < _HUGE else f"{abs(value):.2e}"
    negative = value < 0 and float(text.replace(",", "")) != 0
    return (MINUS if negative else "+" if signed else "") + text


def interval(low: str, high: str) -> str:
    """Two written numbers as a 90% interval."""
    return f"90% interval {low} to {high}"


def day(date: datetime) -> str:
    r"""A date that reads the same in every country.

    >>> day(datetime(2024, 3, 4))
    '4\xa0Mar\xa02024'
    """
    return f"{date.day}{SPACE}{date:%b}{SPACE}{date.year}"


def sign(unit: str) -> str:
    """A unit as headings and axes write it.

    >>> sign("EUR"), sign("PLN"), sign("conversions")
    ('€', 'PLN', 'conversions')
    """
    return SIGNS.get(unit, unit)


def around(unit: str) -> tuple[str, str]:
    r"""What stands before and what behind a number with this unit; one of them is empty.

    >>> around("EUR"), around("PLN"), around("views"), around("")
    (('€', ''), ('PLN\xa0', ''), ('', '\xa0views'), ('', ''))
    """
    text = sign(unit)
    if len(text) == 1 and unicodedata.category(text) == "Sc":
        return text, ""
    if _CODE.fullmatch(text):
        return text + SPACE, ""
    return "", SPACE + text if text else ""


def tooltips(values: Iterable[float], unit: str = "") -> list[str]:
    """Values as tooltips of a figure write them: as `compact` does, not as plotly.js would."""
    return [compact(float(value), unit) for value in values]


def _with_unit(is_negative: bool, digits: str, unit: str) -> str:
    before, behind = around(unit)
    minus = MINUS + (JOINER if before else "") if is_negative else ""
    return f"{minus}{before}{digits}{behind}"


def _three_digits(size: float) -> str:
    """Three significant digits, no exponent for numbers that people meet, no idle zeros after a point."""
    if size == 0:
        return "0"
    if size < 1e-6 or size >= _HUGE:
        return f"{size:.2e}"
    decimals = max(0, 2 - math.floor(math.log10(float(f"{size:.3g}"))))
    text = f"{size:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
