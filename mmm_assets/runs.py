"""Tags that tie the runs of one refresh together.

Here: tag names, reading them from a run.
Not here: starting runs (refresh.py).
"""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

REFRESH_TAG = "mmm/refresh"  # the same on all runs of one refresh; run_id of its rows in the metric history
CLIENT_TAG = "mmm/client"  # dagster.yaml lets one run a client at a time leave the queue
STARTED_TAG = (
    ".dagster/mmm_started"  # (the UI hides tags of this prefix) when the refresh began, seconds since 1970
)
COMMAND_TAG = "mmm/command"  # what repeats the refresh
PROCESS_TAG = ".dagster/mmm_process"  # host, process id and start of the process that executes the run


def refresh_id(run: dg.DagsterRun) -> str:
    """The refresh a run belongs to; a run started alone (from the UI) is a refresh of its own."""
    return run.tags.get(REFRESH_TAG, run.run_id)


def command(run: dg.DagsterRun) -> str:
    """The command line that repeats the refresh, or how to repeat a run from the UI."""
    return run.tags.get(COMMAND_TAG, f"re-execute run {run.run_id} in the UI")


def started_at(run: dg.DagsterRun) -> datetime:
    """When the refresh of a run began; now, for a run started alone."""
    began = run.tags.get(STARTED_TAG)
    return datetime.now(UTC) if began is None else datetime.fromtimestamp(float(began), UTC)


def stamp(run: dg.DagsterRun) -> dict[str, str]:
    """What a stored value says about the refresh that made it."""
    return {"refresh": refresh_id(run), "refreshed_at": started_at(run).isoformat()}
