"""A fleet of small clients, some of them broken, each in its own way.

Here: their files, and what must become of each.
Not here: refreshing them (soak.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

# Short chains have too few draws for the platform's thresholds; one structure each, from few to many parameters.
THRESHOLDS = {
    "rhat_max": 1.5,
    "ess_min": 5,
    "divergence_rate_max": 0.5,
    "tree_depth_hits_max": 10_000,
    "bfmi_min": 0.0,
}
SAMPLER = {"draws": 150, "tune": 200, "chains": 2, "ess_target": None}
STRUCTURES = (("tv", "search"), ("tv", "search", "social"), ("tv", "radio", "search", "social"))

Broken = Callable[[Path, str], None]


@dataclass(frozen=True)
class Fault:
    """One way to be broken.

    Attributes:
        apply: Breaks the client's files, which are sound until then.
        reason: What the client's status must say in the end.
        recorded: Whether its scores are recorded all the same.
    """

    apply: Broken
    reason: str
    recorded: bool = False


def write_fleet(folder: Path, sound: int, faults: Mapping[str, Fault]) -> list[str]:
    """Write ``sound`` good clients and one client per fault, named after it; ids of the good ones."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"c{number:04d}" for number in range(sound)]
    for number, client in enumerate([*names, *faults]):
        write_client(folder, client, STRUCTURES[number % len(STRUCTURES)], seed=number)
    for client, fault in faults.items():
        fault.apply(folder, client)
    return names


def write_client(folder: Path, client: str, channels: tuple[str, ...], seed: int, **changes: Any) -> None:
    """A client of sixty weeks whose target follows its media."""
    rng, rows = np.random.default_rng(seed), 60
    weeks = pd.date_range("2024-01-01", periods=rows, freq="W-MON")
    frame = pd.DataFrame({"week": weeks.strftime("%Y-%m-%d")})
    for name in channels:
        frame[name] = (rng.gamma(2.0, 500.0, rows) * (rng.random(rows) < 0.8)).round(2)
    frame["price"] = rng.normal(10.0, 1.0, rows).round(3)
    spend = frame[list(channels)]
    effect = (spend / (spend + 800.0)).sum(axis=1) * 2000.0
    frame["sales"] = (5000 + effect + rng.normal(0, 150, rows)).round(2)
    frame.to_csv(folder / f"{client}.csv", index=False)
    settings = {
        "client": client,
        "data": f"{client}.csv",
        "date": "week",
        "target": {"column": "sales", "kind": "revenue"},
        "channels": list(channels),
        "controls": [{"column": "price", "effect": "any"}],
        "sampler": SAMPLER,
        "thresholds": THRESHOLDS,
    }
    (folder / f"{client}.yaml").write_text(yaml.safe_dump({**settings, **changes}))


def _settings(**changes: Any) -> Broken:
    """Change settings of the client's YAML."""

    def apply(folder: Path, client: str) -> None:
        path = folder / f"{client}.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))

    return apply


def _rows(change: Callable[[list[str]], list[str]]) -> Broken:
    """Change the lines of the client's CSV file, header first."""

    def apply(folder: Path, client: str) -> None:
        path = folder / f"{client}.csv"
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    return apply


def _content(name: str, content: bytes) -> Broken:
    """Put other bytes into one of the client's files."""
    return lambda folder, client: (folder / f"{client}.{name}").write_bytes(content) and None


KILLED = "killed-worker"  # its process is killed by the soak while it fits
FAULTS: dict[str, Fault] = {
    "no-rows": Fault(lambda folder, client: (folder / f"{client}.csv").unlink(), "no such file"),
    "torn-yaml": Fault(_content("yaml", b"client: ["), "breaks YAML"),
    "negative-spend": Fault(
        _rows(lambda lines: [*lines[:9], lines[9].replace(",", ",-1", 1), *lines[10:]]), "wanted 0 or more"
    ),
    "missing-week": Fault(_rows(lambda lines: [*lines[:20], *lines[21:]]), "no row for 1 of 60 dates"),
    "same-week-twice": Fault(_rows(lambda lines: [*lines, lines[-1]]), "the date of row 61 again"),
    "picture": Fault(_content("csv", b"\x89PNG\r\n\x1a\n" + bytes(200)), "a PNG picture"),
    "too-few-rows": Fault(_rows(lambda lines: lines[:9]), "found 8 rows"),
    "leaves-the-folder": Fault(_settings(data="../outside.csv"), "../outside.csv"),
    "unknown-column": Fault(_settings(channels=["tv", "tivi"]), "tivi"),
    "no-time": Fault(
        _settings(sampler={**SAMPLER, "draws": 20_000, "time_budget": 0.05}), "not done after 0.05 s"
    ),
    "unconverged": Fault(
        _settings(thresholds={**THRESHOLDS, "ess_min": 100_000}), "sampler_converged", recorded=True
    ),
    KILLED: Fault(_settings(sampler={**SAMPLER, "draws": 40_000}), "its process was killed"),
}
