"""A refresh with the fake sampler for a process of its own, which kills itself at the stage it is told."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mmm_engine.fleets.recovery
import mmm_engine.posterior.fit
from mmm_assets.home import open_quietly
from mmm_assets.pages.publication import Publication
from mmm_assets.storage import io_managers
from mmm_engine.history import files as history_files
from mmm_engine.history import store as history_store
from tests.assets.conftest import chain, install, plain_page
from tests.assets.fake_engine import FakeSampler

STAGES = ("posterior", "database", "page", "rows", "fit", "frames", "recovery", "fact", "recorded", "status")


def refresh(home: Path, client: str, stage: str | None = None) -> None:
    """Refresh the windows full and h04 of a client; exit 1 with the failures on stderr when it did not succeed.

    Args:
        home: Dagster home.
        client: The client.
        stage: One of `STAGES`, at which the process kills itself; None for a refresh that ends well.
    """
    patch = pytest.MonkeyPatch()
    install(FakeSampler(), patch)
    patch.setattr("mmm_assets.pages.reporting.render", plain_page)
    _die_at(stage, patch)
    with open_quietly(home) as instance:
        outcome = chain(instance, home)(client, windows=("full", "h04"))
    sys.exit(0 if outcome.succeeded else "; ".join(outcome.failures) or "a check failed")


def _die_at(stage: str | None, patch: pytest.MonkeyPatch) -> None:
    match stage:
        case "fit":
            patch.setattr(mmm_engine.posterior.fit, "fit", _die)
        case "recovery":
            patch.setattr(mmm_engine.fleets.recovery, "recovery_scores", _die)
        case "posterior":
            _die_half_way(io_managers.PosteriorFiles, patch)
        case "frames":
            _die_half_way(io_managers.FrameFiles, patch)
        case "rows":
            _die_half_way(io_managers.ClientDataFiles, patch)
        case "page":
            _die_half_way(io_managers.HtmlFiles, patch)
        case "fact":
            patch.setattr(history_store, "write_parquet", _die_after(history_store.write_parquet))
        case "database":
            patch.setattr(history_files.Table, "insert_sql", _die)
        case "recorded":
            patch.setattr(history_store.History, "append", _die_after(history_store.History.append))
        case "status":
            patch.setattr(Publication, "publish", _die)
        case None:
            pass
        case _:
            raise ValueError(stage)


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_half_way(manager: type, patch: pytest.MonkeyPatch) -> None:
    def dump(self: object, value: object, path: Path) -> None:
        path.write_bytes(b"half")
        _die()

    patch.setattr(manager, "_dump", dump)


def _die_after(function: Callable[..., Any]) -> Callable[..., None]:
    def wrapped(*arguments: object, **keywords: object) -> None:
        function(*arguments, **keywords)
        _die()

    return wrapped
