"""Writes that fail, anywhere in a command: no traceback, a documented exit code, nothing lost, the next run is whole.

The suite tries a few places of one command, `make soak` sixty of a refresh and ten of each other command
(MMM_FAULTY_WRITES).
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from pathlib import Path

import pytest

from mmm_assets.pages.publication import Publication
from mmm_assets.storage.results import ResultStore
from mmm_engine.history.store import History
from tests.assets.conftest import append_weeks
from tests.assets.refreshes.failing_disk import FOR_GOOD, Attempt, compiler, try_all

REFRESH = ("refresh", "shop", "--windows", "full,h04")
# writes are let fail below PLACE/home*, the backup's own folder among them
OTHERS = (
    ("history", "--rebuild"),
    ("backup", "PLACE/home-backups/all.tar"),
    ("portfolio",),
    ("report", "shop"),
)
needs_compiler = pytest.mark.skipif(compiler() is None, reason="there is no C compiler")


@pytest.fixture
def folder(refreshed, tmp_path) -> Path:
    """A folder with a home that was refreshed once, and data with a week more."""
    for name in ("home", "data"):
        shutil.copytree(refreshed / name, tmp_path / name)
    append_weeks(tmp_path / "data", "shop")
    return tmp_path


def attempts(words: tuple[str, ...], count: int, seed: int) -> list[Attempt]:
    """A command at random places: every second time the disk is full from there on, else one write fails."""
    rng = random.Random(seed)
    kinds = [(errno.ENOSPC, FOR_GOOD), (errno.EIO, 1)]
    return [Attempt(words, (at + rng.random()) / count, *kinds[at % 2]) for at in range(count)]


def look_at(folder: Path, number: int, attempt: Attempt) -> None:
    """What may have come of an attempt."""
    home = folder / str(number) / "home"
    where = f"{' '.join(attempt.words)} at {attempt.share:.3f}, {errno.errorcode[attempt.number]}"
    assert "Traceback" not in attempt.said, f"{where}: {attempt.said[-2000:]}"
    assert attempt.code in (0, 1), f"{where}: {attempt.code}, {attempt.said[-2000:]}"
    assert attempt.code_after == 0, f"{where}: {attempt.said_after[-2000:]}"
    assert not list(home.parent.rglob("*.tmp-*")), where
    before = History(folder / "home" / "metric_history.duckdb").read("shop").dropna(subset="value")
    after = History(home / "metric_history.duckdb").read("shop")
    key = ["window", "split", "channel", "metric", "run_id"]
    assert not after.duplicated(key).any(), where
    assert len(after.merge(before, on=[*key, "value"])) == len(before), where
    assert Publication(root=str(home)).status("shop").published, where
    ResultStore(root=str(home)).read("shop")


@needs_compiler
def test_a_rebuild_on_a_disk_that_fails_loses_nothing(folder):
    """The disk is full, or a write fails: one message, and the next rebuild has everything."""
    tried = try_all(attempts(("history", "--rebuild"), 3, seed=1), folder)
    for number, attempt in enumerate(tried):
        look_at(folder, number, attempt)
    assert tried[0].code == 1
    assert "wanted free disk space" in tried[0].said


@pytest.mark.soak
@needs_compiler
@pytest.mark.parametrize("words", [REFRESH, *OTHERS], ids=lambda words: words[0])
def test_writes_that_fail_anywhere(folder, words):
    """Sixty places of a refresh, ten of each other command that writes."""
    count = int(os.environ.get("MMM_FAULTY_WRITES", "60"))
    for number, attempt in enumerate(
        try_all(attempts(words, count if words == REFRESH else count // 6, seed=2), folder)
    ):
        look_at(folder, number, attempt)
