"""Live progress: who is told, how often, and what a line says."""

import io
import logging

from rich.console import Console

from mmm_assets.assets import progress
from mmm_assets.cli.live_fits import live_fits
from mmm_engine.posterior.progress import ChainProgress, FitProgress


def at(draw: int, *, finished: bool = False, seconds: float = 10.0, label: str = "ms full") -> FitProgress:
    """A fit of two chains at a draw of 2000."""
    chains = tuple(ChainProgress(number, draw, 2000, draw < 1000, 1, 0.1) for number in range(2))
    return FitProgress(label, chains, finished, seconds)


def test_a_line_says_draws_chains_divergences_and_the_time_left():
    """Half of the draws in ten seconds: ten more."""
    line = progress.describe(at(1000))
    assert line == "ms full: 2000/4000 draws of 2 chains, 2 divergences, 10 s, about 10 s left"


def test_plain_lines_come_now_and_then_and_at_the_end():
    """Every 15 seconds a line, however often the sampler reports."""
    said, clock = [], iter(range(100))
    listen = progress.plain_lines(said.append, every=15, clock=lambda: next(clock))
    for draw in range(40):
        listen(at(draw * 10))
    listen(at(2000, finished=True))
    assert len(said) == 3
    assert said[-1].endswith("finished")


def test_a_fit_that_is_drawn_again_says_so():
    """Instead of finishing twice without a word."""
    said = []
    listen = progress.plain_lines(said.append)
    for fit in (
        at(2000, finished=True),
        at(100),
        at(4000, finished=True),
        at(2000, finished=True, label="ms h04"),
    ):
        listen(fit)
    assert [line.rpartition(", ")[2] for line in said] == [
        "finished",
        "ms full: not enough yet; drawn again with more effort",
        "finished",
        "finished",
    ]


def test_the_caller_hears_the_fits_of_its_own_call_only():
    """Outside the block the run's log is written."""
    heard, log = [], logging.getLogger("test")
    with progress.listening(heard.append):
        progress.listener_for(log)(at(5))
    progress.listener_for(log)(at(6))
    assert [fit.chains[0].draw for fit in heard] == [5]


def test_on_a_terminal_every_chain_has_a_line_and_a_finished_fit_has_one():
    """Chain, draws, phase, divergences, time left."""
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=120, color_system=None)
    with live_fits(console) as announce:
        announce("ms: fitting full to h12")
        progress.listener_for(logging.getLogger("test"))(at(2000, finished=True))
        progress.listener_for(logging.getLogger("test"))(at(500, label="ms h04"))
    shown = text.getvalue()
    assert "2 chains × 2000 draws, 2 divergences" in shown
    assert "chain 2" in shown
    assert "500/2000" in shown
    assert "tuning" in shown
    assert "30 s left" in shown
