"""Homes, clients and runs for the tests of the Dagster layer; none of them samples anything."""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
import yaml

from mmm_assets.cli.app import main
from mmm_assets.definitions import build_defs
from mmm_assets.home import open_quietly, prepare_home
from mmm_assets.partitions import WINDOW_NAMES
from mmm_assets.refreshes.chain import RefreshOptions, RefreshOutcome, refresh_client
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.windows import standard_window
from tests.assets.fake_engine import FakeSampler
from tests.conftest import Once

# The fake fit has too few draws for the real thresholds; what is tested here is what follows from a verdict.
THRESHOLDS = {
    "rhat_max": 1.05,
    "ess_min": 20,
    "bfmi_min": 0.0,
    "recovery_min": 0.3,
    "stability_min": 0.0,
    # random parameters explain nothing
    "skill_min": -1e6,
    "r_squared_min": -1e6,
    "media_support_min": 0.001,
    "media_far_max": 1.0,
    "control_share_max": 10.0,
}

CLIENTS = ("app", "shop")


@pytest.fixture(scope="session")
def refreshed(once: Once) -> Path:
    """A folder with ``data`` and ``home``, both clients refreshed once. Read only: take a copy to change anything."""

    def fill(folder: Path) -> None:
        write_clients(folder / "data")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MMM_DATA_DIR", str(folder / "data"))
            patch.setenv("DAGSTER_HOME", str(folder / "home"))
            install(FakeSampler(), patch)
            prepare_home(folder / "home")
            with open_quietly(folder / "home") as instance:
                for client in CLIENTS:
                    outcome = chain(instance, folder / "home")(client)
                    assert outcome.succeeded, outcome.failures

    return once("refreshed", fill)


@pytest.fixture
def sampler(monkeypatch) -> FakeSampler:
    """The fake sampler that every fit of the test goes to; reports are drawn without charts (two seconds each)."""
    fake = FakeSampler()
    install(fake, monkeypatch)
    monkeypatch.setattr("mmm_assets.pages.reporting.render", plain_page)
    return fake


@pytest.fixture
def data_dir(tmp_path, monkeypatch) -> Path:
    """A data folder with the clients "shop" (revenue) and "app" (conversions)."""
    folder = tmp_path / "data"
    write_clients(folder)
    monkeypatch.setenv("MMM_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty Dagster home."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return prepare_home(tmp_path / "home")


@pytest.fixture
def used_home(refreshed, tmp_path, monkeypatch) -> Path:
    """A home in which both clients were refreshed once, free to be changed."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(refreshed / "home", tmp_path / "home"))


@pytest.fixture
def open_home(monkeypatch) -> Callable[[Path], dg.DagsterInstance]:
    """Opens the instance of a home and closes it after the test."""
    opened = []

    def open_one(folder: Path) -> dg.DagsterInstance:
        monkeypatch.setenv("DAGSTER_HOME", str(folder))
        opened.append(open_quietly(folder))
        return opened[-1]

    yield open_one
    for instance in opened:
        instance.dispose()


@pytest.fixture
def instance() -> dg.DagsterInstance:
    """An instance in memory: twice as fast as one on disk, which the session's home and a few tests use."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def refresh(home, instance, data_dir, sampler) -> Callable[..., RefreshOutcome]:
    """Refresh a client in an empty home."""
    return chain(instance, home)


@pytest.fixture
def refresh_again(used_home, instance, data_dir, sampler) -> Callable[..., RefreshOutcome]:
    """Refresh a client whose results of an earlier refresh are stored."""
    return chain(instance, used_home)


@pytest.fixture
def mmm(monkeypatch, capsys):
    """Call the entry point as the console script does; exit code and output."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mmm", *map(str, words)])
        monkeypatch.setenv("PYTHONSAFEPATH", "")  # what the command sets is gone after the test
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def quick(instance, monkeypatch):
    """Commands record their runs in memory instead of on disk."""
    monkeypatch.setattr("mmm_assets.home.open_instance", lambda folder: contextlib.nullcontext(instance))


def chain(instance: dg.DagsterInstance, home: Path) -> Callable[..., RefreshOutcome]:
    """A function that refreshes a client in a home; windows by name, other keywords are those of RefreshOptions."""
    defs = build_defs()

    def run(client: str = "shop", *, windows: Sequence[str] = WINDOW_NAMES, **options) -> RefreshOutcome:
        return refresh_client(
            client,
            instance=instance,
            find_job=defs.resolve_job_def,
            results=ResultStore(root=str(home)),
            options=RefreshOptions(
                windows=tuple(map(standard_window, windows)), log_level="CRITICAL", **options
            ),
        )

    return run


def install(fake: FakeSampler, patch: pytest.MonkeyPatch) -> None:
    """Put the fake in the place of everything that samples."""
    import mmm_engine.fleets.scored_window
    import mmm_engine.posterior.fit

    patch.setattr(mmm_engine.posterior.fit, "fit", fake.fit)
    patch.setattr(mmm_engine.fleets.scored_window, "fit", fake.fit)


def plain_page(inputs, audience="analyst") -> str:
    """A report in three lines."""
    from mmm_engine.scores.verdict import judge

    named = ", ".join(window.name for window in inputs.windows)
    words = f"{inputs.client}: {judge(inputs.verdicts)} ({named}), for the {audience}"
    return f"<html><head></head><body>{words}</body></html>"


def words_to_add(source: Path) -> tuple[object, ...]:
    """What `mmm add` has to be told, but for the client's name, of a file with the columns of the client shop."""
    return ("--data", source, "--date", "week", "--target", "sales", "--channels", "tv,search")


def write_clients(folder: Path) -> None:
    """Write the two clients of these tests."""
    folder.mkdir()
    write_client(folder, "shop")
    write_client(folder, "app", kind="conversions", channels=("search", "social", "video"), seed=2)


def write_client(
    folder: Path, client: str, *, kind="revenue", channels=("tv", "search"), rows=60, seed=1, **changes
):
    """Write a small client that keeps the data contract; ``changes`` go into its YAML."""
    rng = np.random.default_rng(seed)
    weeks = pd.date_range("2024-01-01", periods=rows, freq="W-MON").strftime("%Y-%m-%d")
    frame = pd.DataFrame({"week": weeks})
    for name in channels:
        frame[name] = rng.gamma(2.0, 500.0, rows).round(2)
    frame["price"] = rng.normal(10.0, 1.0, rows).round(3)
    frame["sales"] = (5000 + frame[list(channels)].sum(axis=1) * 0.5 + rng.normal(0, 300, rows)).round(2)
    frame.to_csv(folder / f"{client}.csv", index=False)
    config = {
        "client": client,
        "data": f"{client}.csv",
        "date": "week",
        "target": {"column": "sales", "kind": kind},
        "channels": list(channels),
        "controls": [{"column": "price", "effect": "any"}],
        "sampler": {"draws": 300, "tune": 300, "chains": 2, "ess_target": None},
        "thresholds": dict(THRESHOLDS),
    }
    (folder / f"{client}.yaml").write_text(yaml.safe_dump({**config, **changes}))


def append_weeks(folder: Path, client: str, count: int = 1) -> None:
    """Add weeks to the client's rows."""
    path = folder / f"{client}.csv"
    frame = pd.read_csv(path)
    later = frame.tail(count).copy()
    later["week"] = (
        pd.to_datetime(frame["week"].iloc[-1]) + pd.to_timedelta(range(7, 7 * count + 1, 7), "D")
    ).strftime("%Y-%m-%d")
    pd.concat([frame, later]).to_csv(path, index=False)


def break_client(folder: Path, client: str) -> None:
    """Make the client's rows break the contract twice: a missing week and a negative spend."""
    path = folder / f"{client}.csv"
    lines = path.read_text().splitlines()
    del lines[20]
    cells = lines[30].split(",")
    cells[1] = "-5"
    lines[30] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")


def files_below(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file in a folder with its time of change and size."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


os.environ["COLUMNS"] = "160"
