"""Many refreshes in one process: memory, objects, open files and bytes of disk that each of them leaves behind.

`make soak` runs this module. Nothing is sampled: the fake fit of the tests stands in, all else is the platform's own.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

LEAKED_KB = 500.0  # a refresh, in the second half: 5,000 of a night would be 2.5 GB; 100 to 300 were measured
LEAKED_OBJECTS = (
    0.2  # a refresh, in the second half: what is left behind by each of them is at least 1; counts move by 3
)
PACKAGES = (
    "mmm_engine",
    "mmm_assets",
    "dagster",
    "sqlalchemy",
    "sqlite3",
    "pandas",
    "pyarrow",
    "xarray",
    "duckdb",
)
_STEP = 5  # refreshes between two looks


def main() -> None:
    """Refresh one client again and again, each time with a week more; print what grew, exit 1 where it leaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    asked = parser.parse_args()
    looks = run(asked.folder, asked.count)
    figures = summary(looks)
    print(json.dumps(figures, indent=1))
    leaks = figures["memory_kb_per_refresh"] > LEAKED_KB or figures["objects_per_refresh"] > LEAKED_OBJECTS
    sys.exit(1 if leaks or figures["files_opened"] > 0 else 0)


def run(folder: Path, count: int) -> list[dict[str, float]]:
    """What a process holds after each few refreshes."""
    from mmm_assets.home import open_quietly, prepare_home
    from tests.assets.conftest import THRESHOLDS, append_weeks, chain, install, plain_page, write_client
    from tests.assets.fake_engine import FakeSampler

    home, data = folder / "home", folder / "data"
    data.mkdir(parents=True)
    # R-hat of random draws passes 1.05 once in a hundred fits, by chance
    write_client(data, "shop", thresholds=THRESHOLDS | {"rhat_max": 1.5})
    looks = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_DATA_DIR", str(data))
        patch.setenv("DAGSTER_HOME", str(home))
        sampler = FakeSampler()
        install(sampler, patch)
        patch.setattr("mmm_assets.pages.reporting.render", plain_page)
        with open_quietly(prepare_home(home)) as instance:
            refresh = chain(instance, home)
            for number in range(1, count + 1):
                outcome = refresh("shop", windows=("full", "h04"))
                if not outcome.succeeded:
                    raise RuntimeError("; ".join(outcome.failures))
                append_weeks(data, "shop")
                sampler.settings.clear()
                if number % _STEP == 0:
                    looks.append({"refreshes": number, **_held(home)})
                    print(looks[-1], flush=True)
    return looks


def summary(looks: list[dict[str, float]]) -> dict[str, Any]:
    """Growth a refresh, read from the second half: the first one fills caches."""
    middle, last = looks[len(looks) // 2], looks[-1]
    between = max(last["refreshes"] - middle["refreshes"], 1)
    per_refresh = {
        f"{name}_per_refresh": round((last[name] - middle[name]) / between, 1)
        for name in last
        if name.endswith("_kb")
    }
    return {
        "refreshes": last["refreshes"],
        "memory_mb": round(last["memory_kb"] / 1024, 1),
        "objects_per_refresh": round((last["objects"] - middle["objects"]) / between, 2),
        "files_opened": last["open_files"] - middle["open_files"],
        **per_refresh,
    }


def _held(home: Path) -> dict[str, float]:
    lines = Path("/proc/self/status").read_text().splitlines()
    resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    parts = {
        "results": "storage",
        "records": "history",
        "scores": "metric_history",
        "forecasts": "forecast_ledger",
    }
    sizes = {f"{name}_kb": _kilobytes(home / folder) for name, folder in parts.items()}
    database = home / "metric_history.duckdb"
    return {
        "memory_kb": resident,
        "objects": objects_of(PACKAGES).total(),
        "open_files": len(os.listdir("/proc/self/fd")),
        **sizes,
        "database_kb": database.stat().st_size / 1024,
    }


def objects_of(packages: tuple[str, ...]) -> Counter[str]:
    """Objects that the garbage collector knows, by type, of the types of some packages."""
    gc.collect()
    kinds = (kind for one in gc.get_objects() if isinstance((kind := type(one)).__module__, str))
    return Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in kinds
        if kind.__module__.partition(".")[0] in packages
    )


def _kilobytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1024


if __name__ == "__main__":
    main()
