"""Scores of simulated refreshes, and processes beside the test."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from mmm_engine.history.store import History, history_rows

START = datetime(2026, 1, 5, 8, tzinfo=UTC)


def score_rows(run=0, client="ms", window="h04", scores=None, channel="all", **changes):
    """History rows of one run: two scores, one of them not defined, unless told otherwise."""
    scores = {"crps": 0.1 + run / 100, "mape": float("nan")} if scores is None else scores
    frame = pd.DataFrame({"metric": list(scores), "value": list(scores.values())})
    frame = frame.assign(split="test", channel=channel, unit="fraction")
    stamps = {
        "cutoff": pd.Timestamp("2025-12-29") + pd.Timedelta(weeks=run),
        "horizon": 4,
        "data_version": f"data{run}",
        "config_version": "config",
        "engine_version": "0.1.0",
        "run_id": f"run-{run:03d}",
        "recorded_at": START + timedelta(days=7 * run),
    }
    return history_rows(frame, client=client, window=window, **(stamps | changes))


def append_runs(path: Path, first: int, count: int) -> None:
    """Record runs one after the other, each as a process that opens the history anew would."""
    for run in range(first, first + count):
        History(path).append(score_rows(run))


def run_python(code, *arguments):
    """Start another Python process that prints as it goes."""
    command = [sys.executable, "-u", "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
