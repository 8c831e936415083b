"""Live progress of the fits of this process, for whoever waits at the terminal.

Here: the board of running and finished fits.
Not here: who may listen to a fit (assets/progress.py), tables (tables.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mmm_assets.assets import progress
from mmm_engine.report.wording import count as counted

if TYPE_CHECKING:
    from mmm_engine.posterior.progress import FitProgress


@contextmanager
def live_fits(screen: Console) -> Iterator[Callable[[str], None]]:
    """Draw the fits of this process while the block runs; yields a function that says which stage began.

    On a terminal one line per chain moves; otherwise a plain line is written now and then.
    """
    if not screen.is_terminal:
        with progress.listening(progress.plain_lines(lambda line: screen.print(line, highlight=False))):
            yield lambda stage: screen.print(stage, highlight=False)
        return
    board = _Board()
    with Live(
        board, console=screen, refresh_per_second=8, redirect_stdout=False, redirect_stderr=False
    ) as live:
        with progress.listening(board.listen):
            yield board.begin
        board.begin("")
        live.refresh()


class _Board:
    """The live display: finished fits as one line each, the chains of running ones, the stage."""

    def __init__(self) -> None:
        self._fits: dict[str, FitProgress] = {}
        self._again: set[str] = set()  # fits that were drawn again with more effort
        self._stage = ""
        self._lock = threading.Lock()
        self._spinner = Spinner("dots")

    def listen(self, fit: FitProgress) -> None:
        """Take in the state of a fit; called from the sampler's thread."""
        with self._lock:
            before = self._fits.get(fit.label)
            if before is not None and before.finished:
                self._again.add(fit.label)
            self._fits[fit.label] = fit

    def begin(self, stage: str) -> None:
        """Show what is done now."""
        with self._lock:
            self._stage = stage

    def __rich__(self) -> RenderableType:
        """The board as it is now."""
        with self._lock:
            fits, stage, again = list(self._fits.values()), self._stage, set(self._again)
        lines: list[RenderableType] = [_finished(fit, fit.label in again) for fit in fits if fit.finished]
        lines += [_running(fit) for fit in fits if not fit.finished]
        if stage:
            self._spinner.update(text=Text(stage))
            lines.append(self._spinner)
        return Group(*lines)


def _finished(fit: FitProgress, again: bool) -> Text:
    divergences = sum(chain.divergences for chain in fit.chains)
    draws = fit.chains[0].total if fit.chains else 0
    line = Text.assemble(("✓ ", "green"), (f"{fit.label:<20}", "bold"))
    chains, diverged = counted(len(fit.chains), "chain"), counted(divergences, "divergence")
    line.append(f"{chains} × {draws} draws, {diverged}, {fit.seconds:.0f} s")
    return line.append(", drawn again") if again else line  # one line of 80 columns


def _running(fit: FitProgress) -> Table:
    remaining = fit.seconds_left
    grid = Table.grid(padding=(0, 2))
    for chain in fit.chains:
        first = chain.chain == 0
        grid.add_row(
            Text(f"  {fit.label:<20}" if first else "", style="bold"),
            f"chain {chain.chain + 1}",
            ProgressBar(total=chain.total, completed=chain.draw, width=28),
            f"{chain.draw}/{chain.total}",
            "tuning" if chain.tuning else "drawing",
            counted(chain.divergences, "divergence"),
            (f"{remaining:.0f} s left" if remaining is not None else "") if first else "",
        )
    return grid
