"""Who watches the fits of this process: the command line's live table, or the run's log.

Here: the one listener of this process, and the listener that logs a plain line now and then.
Not here: drawing (cli/live_fits.py), what a fit reports (mmm_engine.posterior.progress.FitProgress).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mmm_engine.report.wording import count as counted

if TYPE_CHECKING:
    from mmm_engine.posterior.progress import FitProgress, ProgressListener

SECONDS_BETWEEN_LINES = 15.0

# A run executes in this process and Dagster passes no object from its caller to the assets, so the caller's
# listener is kept here for the length of the call (`listening`).
_current: list[ProgressListener] = []


@contextmanager
def listening(listener: ProgressListener) -> Iterator[None]:
    """Send the progress of every fit in this process to ``listener`` inside the block."""
    _current.append(listener)
    try:
        yield
    finally:
        _current.remove(listener)


def listener_for(log: logging.Logger) -> ProgressListener:
    """The listener that a fit should report to: the caller's, or one that writes to the run's log."""
    return _current[-1] if _current else plain_lines(log.info)


def plain_lines(
    say: Callable[[str], object],
    every: float = SECONDS_BETWEEN_LINES,
    clock: Callable[[], float] = time.monotonic,
) -> ProgressListener:
    """A listener that says one line when a fit ends and one every ``every`` seconds until then."""
    said: dict[str, float] = {}
    finished: dict[str, bool] = {}

    def listen(progress: FitProgress) -> None:
        now = clock()
        if finished.get(progress.label):
            say(f"{progress.label}: not enough yet; drawn again with more effort")
            said[progress.label] = now
        finished[progress.label] = progress.finished
        if progress.finished or now - said.setdefault(progress.label, now) >= every:
            said[progress.label] = now
            say(describe(progress))

    return listen


def describe(progress: FitProgress) -> str:
    """One line: how far the chains are, divergences, time spent and left."""
    done = sum(chain.draw for chain in progress.chains)
    total = sum(chain.total for chain in progress.chains)
    divergences = sum(chain.divergences for chain in progress.chains)
    remaining = progress.seconds_left
    parts = [
        f"{progress.label}: {done}/{total} draws of {len(progress.chains)} chains",
        counted(divergences, "divergence"),
        f"{progress.seconds:.0f} s",
    ]
    if progress.finished:
        parts.append("finished")
    elif remaining is not None:
        parts.append(f"about {remaining:.0f} s left")
    return ", ".join(parts)
