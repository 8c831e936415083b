"""Homes, clients and runs for the tests of the Dagster layer; none of them samples anything."""

import os
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
import yaml

from mmm_assets.definitions import build_defs
from mmm_assets.home import prepare_home
from mmm_assets.refresh import RefreshOptions, refresh_client
from mmm_assets.results import ResultStore
from tests.assets.fake_engine import FakeSampler

# The fake fit has too few draws for the real thresholds; what is tested here is what follows from a verdict.
THRESHOLDS = {"rhat_max": 1.05, "ess_min": 50, "bfmi_min": 0.0, "recovery_min": 0.3}


@pytest.fixture
def sampler(monkeypatch) -> FakeSampler:
    """The fake sampler that every fit of the test goes to."""
    import mmm_engine.fleets.recovery
    import mmm_engine.sampler

    fake = FakeSampler()
    monkeypatch.setattr(mmm_engine.sampler, "fit", fake.fit)
    monkeypatch.setattr(mmm_engine.fleets.recovery, "recovery_scores", fake.recovery_scores)
    return fake


@pytest.fixture
def data_dir(tmp_path, monkeypatch) -> Path:
    """A data folder with the clients "shop" (revenue) and "app" (conversions)."""
    folder = tmp_path / "data"
    folder.mkdir()
    write_client(folder, "shop")
    write_client(folder, "app", kind="conversions", channels=("search", "social", "video"), seed=2)
    monkeypatch.setenv("MMM_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty Dagster home."""
    monkeypatch.setenv("DAGSTER_HOME", "")  # put back what it was; the code under test sets it
    return prepare_home(tmp_path / "home")


@pytest.fixture
def instance(home) -> dg.DagsterInstance:
    """The persistent instance of the home."""
    with dg.DagsterInstance.from_config(str(home)) as opened:
        yield opened


@pytest.fixture
def store(home) -> ResultStore:
    """Reads what was stored in the home."""
    return ResultStore(root=str(home))


@pytest.fixture
def refresh(instance, store, data_dir, sampler):
    """Refresh a client in the test's home."""
    defs = build_defs()

    def run(client="shop", **options):
        return refresh_client(
            client,
            instance=instance,
            find_job=defs.resolve_job_def,
            results=store,
            options=RefreshOptions(log_level="CRITICAL", **options),
        )

    return run


def write_client(
    folder: Path, client: str, *, kind="revenue", channels=("tv", "search"), rows=60, seed=1, **changes
):
    """Write a small client that keeps the data contract."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"week": pd.date_range("2024-01-01", periods=rows, freq="W-MON").strftime("%Y-%m-%d")}
    )
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
        "sampler": {"draws": 300, "tune": 300, "chains": 2},
        "thresholds": dict(THRESHOLDS),
    }
    (folder / f"{client}.yaml").write_text(yaml.safe_dump({**config, **changes}))


def break_client(folder: Path, client: str) -> None:
    """Make the client's rows break the contract: a missing week and a negative spend."""
    path = folder / f"{client}.csv"
    lines = path.read_text().splitlines()
    del lines[20]
    cells = lines[30].split(",")
    cells[1] = "-5"
    lines[30] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")


def files_below(folder: Path) -> set[str]:
    """Every file in a folder, as relative paths."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


os.environ.setdefault("COLUMNS", "160")
