"""What the measured processes share: their arguments, a clock by phase, the file they answer in.

Not here: starting them (processes.py), what they measure (ours.py, plain.py).
Only the standard library: imports are part of what is measured.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def arguments(description: str) -> argparse.ArgumentParser:
    """Arguments of a process that fits the windows of a case."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("case")
    parser.add_argument("--out", type=Path, help="write the figures here, for the process that asked")
    parser.add_argument("--windows", nargs="*", help="all four when none is named")
    parser.add_argument("--no-recovery", action="store_true")
    parser.add_argument("--rounds", type=int, default=1, help="refreshes in this process")
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--tune", type=int, default=1000)
    parser.add_argument("--target-accept", type=float, default=0.95)
    return parser


def sampler_values(given: argparse.Namespace) -> dict[str, Any]:
    """The sampler's settings among the arguments."""
    return {name: getattr(given, name) for name in ("chains", "draws", "tune", "target_accept")}


def answer(path: Path | None, result: dict[str, Any]) -> None:
    """Hand a result to the process that asked, if one did."""
    if path is not None:
        path.write_text(json.dumps(result))


class Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._start = time.perf_counter()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds what the block takes to a phase."""
        start = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - start

    def move(self, seconds: float, source: str, target: str) -> None:
        """Says that some seconds of one phase belong to another, as the library that was called reports them."""
        self.seconds[source] -= seconds
        self.seconds[target] += seconds

    def total(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._start
