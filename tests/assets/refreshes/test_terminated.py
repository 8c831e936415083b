"""SIGTERM at any moment of a refresh or a batch: the same command finishes the job, and nothing is lost or doubled.

The suite tries one moment of each, `make soak` sixty (MMM_MOMENTS).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from mmm_assets.home import open_quietly
from mmm_assets.pages.publication import Publication
from mmm_assets.storage.results import ResultStore
from mmm_engine.history.store import History
from tests.assets.conftest import append_weeks
from tests.assets.rights_process import command, command_that_ignores_interrupts
from tests.processes import PATIENCE_SECONDS, start

SLOWEST = 12.0  # seconds; no moment is later than that


def refresh(folder: Path, clients: tuple[str, ...], after: float | None) -> tuple[int, float, str]:
    """Exit code, seconds and words of `mmm refresh`, ended from outside after some seconds."""
    began = time.monotonic()
    words = ("refresh", *clients, "--windows", "full,h04")
    # a batch as a script starts one in the background
    begin = command_that_ignores_interrupts if len(clients) > 1 else command
    running = start(begin, words, folder, complaints=folder / "stderr")
    running.process.join(PATIENCE_SECONDS if after is None else after)
    if running.process.is_alive():
        if after is None:
            running.process.kill()
            said = (folder / "said").read_text()[-2000:]
            raise AssertionError(f"not done after {PATIENCE_SECONDS:.0f} s (MMM_PATIENCE): {said}")
        os.kill(running.process.pid, signal.SIGTERM)
        running.process.join(PATIENCE_SECONDS)
    return running.process.exitcode, time.monotonic() - began, (folder / "said").read_text()


def look_at(home: Path, before: Path, clients: tuple[str, ...]) -> None:
    """What a home may be like after all."""
    old = History(before / "metric_history.duckdb").read().dropna(subset="value")
    new = History(home / "metric_history.duckdb").read()
    key = ["client", "window", "split", "channel", "metric", "run_id"]
    assert not new.duplicated(key).any()
    assert len(new.merge(old, on=[*key, "value"])) == len(old)
    for client in clients:
        results = ResultStore(root=str(home)).read(client)
        assert {window.name for window in results.windows} >= {"full", "h04"}
        assert not results.refusals
        assert Publication(root=str(home)).status(client).published
        assert (new["run_id"] == results.made_by["refresh"]).sum() > 50
    assert not (home / "quarantine").exists()
    with open_quietly(home) as instance:
        assert instance.event_log_storage.get_concurrency_info("mcmc").claimed_slots == []


def end_at_moments(refreshed: Path, folder: Path, monkeypatch, clients: tuple[str, ...], count: int) -> None:
    """End a refresh at random moments, each in a fresh home, and finish it with the same command."""
    rng, whole = random.Random(len(clients)), SLOWEST
    for number in range(count):
        place = folder / str(number)
        for name in ("home", "data"):
            shutil.copytree(refreshed / name, place / name)
        for client in clients:
            append_weeks(place / "data", client)
        monkeypatch.setenv("DAGSTER_HOME", str(place / "home"))
        monkeypatch.setenv("MMM_DATA_DIR", str(place / "data"))
        after = rng.uniform(0.05, 0.95) * whole
        code, _, said = refresh(place, clients, after)
        assert code in (0, 1, 130, 143, -signal.SIGTERM), (after, code, said[-2000:])
        code, seconds, said = refresh(place, clients, None)
        assert code == 0, (after, said[-2000:])
        whole = min(whole, seconds)
        look_at(place / "home", refreshed / "home", clients)


@pytest.mark.parametrize("clients", [("shop",), ("shop", "app")], ids=["refresh", "batch"])
def test_a_refresh_that_is_ended_is_finished_by_the_same_command(refreshed, tmp_path, monkeypatch, clients):
    """One moment of each."""
    end_at_moments(refreshed, tmp_path, monkeypatch, clients, 1)


@pytest.mark.soak
@pytest.mark.parametrize("clients", [("shop",), ("shop", "app")], ids=["refresh", "batch"])
def test_a_refresh_may_be_ended_at_any_moment(refreshed, tmp_path, monkeypatch, clients):
    """Sixty moments of each."""
    end_at_moments(refreshed, tmp_path, monkeypatch, clients, int(os.environ.get("MMM_MOMENTS", "60")))
