"""Start-up: how long the light commands take, and which heavy libraries they pull in.

Not here: starting and measuring processes (processes.py).
"""

from __future__ import annotations

import tempfile
from typing import Any

from tests.benchmarks.processes import ROOT, Runner

REPEATS = 5
HEAVY = (
    "pymc",
    "pymc_marketing",
    "pytensor",
    "numba",
    "nutpie",
    "arviz",
    "arviz_stats",
    "scipy",
    "sklearn",
    "matplotlib",
    "plotly",
    "xarray",
    "pandas",
    "pyarrow",
    "duckdb",
    "dagster",
)
_ANSWER = """
import json, os, sys
with open(os.environ["BENCH_OUT"], "w") as file:
    json.dump([name for name in {heavy!r} if name in sys.modules], file)
"""
_COMMAND = """
import sys
sys.argv = ["mmm", {words}]
from mmm_assets.cli.app import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""
_RECORD = """
from datetime import UTC, datetime
from pathlib import Path
import os
import pandas as pd
from mmm_engine.history.store import History, history_rows
for number in range(20):
    scores = pd.DataFrame(
        [("test", f"channel_{c}", f"metric_{m}", 1.0, "score") for c in range(13) for m in range(30)],
        columns=["split", "channel", "metric", "value", "unit"],
    )
    rows = history_rows(
        scores, client="ms", window="full", cutoff=pd.Timestamp("2024-01-29"), horizon=0, data_version="d",
        config_version="c", engine_version="e", run_id=f"run{number}",
        recorded_at=datetime(2024, 2, 1 + number, tzinfo=UTC),
    )
    History(Path(os.environ["DAGSTER_HOME"]) / "metric_history.duckdb").append(rows)
"""


def measure(runner: Runner) -> dict[str, dict[str, Any]]:
    """Seconds (of every repeat) and heavy imports by what is started."""
    codes = {
        "import mmm_engine": "import mmm_engine",
        "mmm --help": _COMMAND.format(words="'--help'"),
        "mmm check ms": _COMMAND.format(words="'check', 'ms'"),
        "mmm history ms": _COMMAND.format(words="'history', 'ms', '--latest'"),
        "import mmm_assets.definitions": "import mmm_assets.definitions",
    }
    with tempfile.TemporaryDirectory() as home:
        env = {"DAGSTER_HOME": home, "MMM_DATA_DIR": str(ROOT / "data"), "COLUMNS": "160"}
        answer = _ANSWER.format(heavy=HEAVY)
        runner.code(_RECORD + answer, env)
        found = {}
        for name, code in codes.items():
            runs = [runner.code(code + answer, env) for _ in range(REPEATS)]
            found[name] = {"seconds": [run.wall for run in runs], "heavy": runs[0].result}
    return found
