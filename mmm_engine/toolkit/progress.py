"""The progress of fits as bars on a terminal or in a notebook.

Here: a listener for `sampler.fit` that draws, and one that does nothing.
Not here: the command line's table of several clients.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mmm_engine.posterior.progress import FitProgress, ProgressListener


@contextmanager
def progress_bars(shown: bool) -> Iterator[ProgressListener | None]:
    """A listener that draws one bar per fit while the block runs; None when nothing is to be shown."""
    if not shown:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[divergences]} divergences"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bars:
        tasks: dict[str, TaskID] = {}

        def listen(progress: FitProgress) -> None:
            if progress.label not in tasks:
                tasks[progress.label] = bars.add_task(progress.label, total=1.0, divergences=0)
            divergences = sum(chain.divergences for chain in progress.chains)
            done = 1.0 if progress.finished else progress.share
            bars.update(tasks[progress.label], completed=done, divergences=divergences)

        yield listen
