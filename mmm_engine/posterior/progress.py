"""Where a running fit stands: what a progress listener is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ChainProgress:
    """Where one chain stands.

    Attributes:
        chain: Its number, from 0.
        draw: Draws made so far, tuning included.
        total: Draws to make, tuning included.
        tuning: Whether it still adapts.
        divergences: Divergent draws so far.
        step_size: Current step size.
    """

    chain: int
    draw: int
    total: int
    tuning: bool
    divergences: int
    step_size: float


@dataclass(frozen=True)
class FitProgress:
    """Where one fit stands.

    Attributes:
        label: What is fitted ("ms h04").
        chains: One entry per chain.
        finished: Whether this is the last message.
        seconds: Since sampling began.
    """

    label: str
    chains: tuple[ChainProgress, ...]
    finished: bool
    seconds: float

    @property
    def share(self) -> float:
        """Share of all draws that is done, in [0, 1]."""
        total = sum(chain.total for chain in self.chains)
        return sum(chain.draw for chain in self.chains) / total if total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time left, None while nothing is known."""
        return self.seconds * (1.0 - self.share) / self.share if self.share > 0.02 else None


ProgressListener = Callable[[FitProgress], None]
