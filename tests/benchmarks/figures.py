"""From runs to figures: medians with their range, gains pair by pair, growth exponents, tables as text.

Not here: running anything (processes.py, bench.py). Only the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from tests.benchmarks.processes import Run


@dataclass(frozen=True)
class Figure:
    """One figure measured on both sides, pair by pair.

    Attributes:
        name: What was measured, with its unit.
        ours: One number per pair.
        plain: One number per pair.
        more_is_better: Direction of the gain.
    """

    name: str
    ours: list[float]
    plain: list[float]
    more_is_better: bool = False

    def gains(self) -> list[float]:
        """How many times better we are, pair by pair."""
        return [_gain(a, b, self.more_is_better) for a, b in zip(self.ours, self.plain, strict=True)]

    def row(self) -> list[str]:
        """Name, ours, plain and gain as text."""
        return [self.name, spread(self.ours), spread(self.plain), spread(self.gains())]


def pair_figures(pairs: Sequence[tuple[Run, Run]]) -> list[Figure]:
    """Figures of a refresh in a new process.

    Divergences, R-hat and effective sample sizes are those of the windows; the recovery fit has another target each
    time the priors change, and stands in the JSON only. ESS per second is the smallest ESS of each window (bulk or
    tail, whichever is smaller), summed over the windows, by their seconds of sampling.
    """
    first = [(ours.result["rounds"][0], plain.result["rounds"][0]) for ours, plain in pairs]
    figures = [
        _figure("wall time, s", [(a.wall, b.wall) for a, b in pairs]),
        _figure("processor time, s", [(a.cpu, b.cpu) for a, b in pairs]),
        _figure("peak memory, MB", [(a.peak_mb, b.peak_mb) for a, b in pairs]),
        _figure("imports, s", [(a.result["imports"], b.result["imports"]) for a, b in pairs]),
    ]
    for name, read, more in (
        ("sampling, all fits, s", _sampling, False),
        ("divergences", lambda r: sum(f["divergences"] for f in _windows(r)), False),
        ("smallest bulk ESS", lambda r: min(f["ess_bulk"] for f in _windows(r)), True),
        ("smallest tail ESS", lambda r: min(f["ess_tail"] for f in _windows(r)), True),
        ("largest R-hat", lambda r: max(f["rhat"] for f in _windows(r)), False),
        ("steps a draw", lambda r: fmean(f["steps"] for f in _windows(r)), False),
        ("smallest ESS per second", ess_per_second, True),
    ):
        figures.append(_figure(name, [(read(a), read(b)) for a, b in first], more))
    return figures


def ess_per_second(refresh: dict[str, Any]) -> float:
    """Smallest effective sample sizes of the windows by the seconds it took to sample them."""
    fits = _windows(refresh)
    return sum(min(f["ess_bulk"], f["ess_tail"]) for f in fits) / sum(f["sample_seconds"] for f in fits)


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Slope of cost against size on logarithmic axes, least squares.

    >>> round(exponent([1, 2, 4], [3, 6, 12]), 3)
    1.0
    """
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    middle, level = fmean(x), fmean(y)
    along = sum((a - middle) * (b - level) for a, b in zip(x, y, strict=True))
    return along / sum((a - middle) ** 2 for a in x)


def spread(values: Sequence[float]) -> str:
    """Median with its range: `6.1 (5.8-6.4)`."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return "-"
    if len(known) == 1 or min(known) == max(known):
        return short(median(known))
    return f"{short(median(known))} ({short(min(known))}-{short(max(known))})"


def short(value: float) -> str:
    """A number with four figures at most."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a title, columns aligned."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)
    ]
    return "\n".join(
        [
            f"\n{title}",
            lines[0].rstrip(),
            "  ".join("-" * width for width in widths),
            *(line.rstrip() for line in lines[1:]),
        ]
    )


def _figure(name: str, values: Sequence[tuple[float, float]], more: bool = False) -> Figure:
    return Figure(name, [ours for ours, _ in values], [plain for _, plain in values], more)


def _gain(ours: float, plain: float, more_is_better: bool) -> float:
    over, under = (ours, plain) if more_is_better else (plain, ours)
    return over / under if under else math.nan


def _windows(refresh: dict[str, Any]) -> list[dict[str, Any]]:
    return [fit for fit in refresh["fits"] if fit["window"] != "recovery"]


def _sampling(refresh: dict[str, Any]) -> float:
    return sum(fit["sample_seconds"] for fit in refresh["fits"])
