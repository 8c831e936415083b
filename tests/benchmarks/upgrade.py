"""The sample clients under the newest dependencies that are allowed: do their posteriors stay where they are?

``make upgrade-check`` makes a scratch environment with the newest versions, fits every sample client in this
environment and in that one, and compares each parameter's mean beyond Monte Carlo error. Exit code 1 when one moved.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from statistics import NormalDist
from typing import Any

ROOT = Path(__file__).parents[2]
CLIENTS = ("ms", "harbor", "lumen")
FALSE_ALARMS = 0.01  # chance that a check of equal posteriors fails
_SAMPLER = {"draws": 800, "tune": 800, "chains": 2, "seed": 1}

Fits = dict[str, dict[str, tuple[float, float]]]  # client -> parameter -> mean, Monte Carlo standard error


def main() -> None:
    """Compare, or, with ``--fit``, fit in the environment that this runs in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", type=Path, help="Write the fits of this environment to a file and stop.")
    parser.add_argument("--clients", default=",".join(CLIENTS))
    parser.add_argument("--uv", default="uv", help="The uv command.")
    asked = parser.parse_args()
    clients = asked.clients.split(",")
    if asked.fit is not None:
        asked.fit.write_text(json.dumps(_fits(clients)))
        return
    with tempfile.TemporaryDirectory(prefix="mmm-upgrade-") as folder:
        scratch = Path(folder)
        newest = _newest_environment(scratch / "venv", asked.uv)
        here = _run(Path(sys.executable), scratch / "here.json", clients, {})
        there = _run(newest, scratch / "there.json", clients, {"MMM_CACHE_DIR": str(scratch / "kernels")})
    before, after = here["versions"], there["versions"]
    changed = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    for name in changed:
        print(f"{name}: {before[name]} -> {after[name]}")
    print(f"{len(changed)} dependencies differ from requirements.lock")
    sys.exit(1 if _report(here["fits"], there["fits"]) else 0)


def moved(here: Fits, there: Fits) -> tuple[list[tuple[str, str, float]], float]:
    """Every parameter with its distance in Monte Carlo standard errors, farthest first; and the limit for one."""
    distances = [
        (client, name, abs(mean - there[client][name][0]) / math.hypot(error, there[client][name][1]))
        for client, parameters in here.items()
        for name, (mean, error) in parameters.items()
    ]
    limit = NormalDist().inv_cdf(1 - FALSE_ALARMS / (2 * len(distances)))
    return sorted(distances, key=lambda row: -row[2]), limit


def _report(here: Fits, there: Fits) -> int:
    """Print how far the posteriors moved; the number of parameters beyond the limit."""
    distances, limit = moved(here, there)
    beyond = [row for row in distances if not row[2] <= limit]
    for client, name, distance in distances[:5]:
        mean, error = here[client][name]
        print(
            f"{client} {name}: {mean:.5g} ± {error:.2g} -> {there[client][name][0]:.5g}, {distance:.2f} errors"
        )
    print(
        f"{len(beyond)} of {len(distances)} parameters moved by more than {limit:.2f} Monte Carlo standard errors"
    )
    return len(beyond)


def _newest_environment(folder: Path, uv: str) -> Path:
    """The interpreter of a fresh environment with the newest versions that pyproject.toml allows."""
    quiet: dict[str, Any] = {"check": True, "cwd": ROOT}
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], **quiet)
    python = folder / "bin" / "python"
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--upgrade", "--python", str(python), str(ROOT)], **quiet
    )
    return python


def _run(python: Path, out: Path, clients: list[str], environment: dict[str, str]) -> Any:
    command = [
        str(python),
        "-m",
        "tests.benchmarks.upgrade",
        "--fit",
        str(out),
        "--clients",
        ",".join(clients),
    ]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **environment})
    return json.loads(out.read_text())


def _fits(clients: list[str]) -> dict[str, Any]:
    """Means of parameters and contributions of each client's full window, and the versions of all libraries."""
    from mmm_engine.client.config import SamplerConfig
    from mmm_engine.client.windows import FULL
    from mmm_engine.posterior.fit import fit
    from mmm_engine.results.returns import channel_returns
    from mmm_engine.rows.client_data import read_client
    from mmm_engine.rows.window import scale_window

    fits: dict[str, Any] = {}
    for client in clients:
        inputs = scale_window(read_client(client, ROOT / "data"), FULL)
        window = fit(inputs, sampler=SamplerConfig.model_validate(_SAMPLER))
        summary = window.parameter_summary
        fits[client] = {
            row.parameter: (row.mean, row.sd / math.sqrt(row.ess_bulk)) for row in summary.itertuples()
        }
        smallest = summary["ess_bulk"].min()
        returns = channel_returns(window)
        for row in returns[returns["metric"] == "contribution"].itertuples():
            sd = (row.q95 - row.q05) / 3.2897
            fits[client][f"contribution of {row.channel}"] = (row.mean, sd / math.sqrt(smallest))
    versions = {found.metadata["Name"].lower(): found.version for found in distributions()}
    return {"fits": fits, "versions": versions}


if __name__ == "__main__":
    main()
