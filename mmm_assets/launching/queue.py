"""The queue of runs, in which a client has one run at a time, and a run that is repeated goes first.

Here: `ClientQueue`, named as `run_coordinator` in dagster.yaml.
Not here: limits, which are Dagster's own (`concurrency` in dagster.yaml).
Dagster: https://docs.dagster.io/deployment/execution/customizing-run-queue-priority

A run from a button, a backfill, a sensor or an automation says its client in its partition, each in another tag. The
limit of one run a client needs one tag that all of them carry. For the same reason a run of a backfill holds partitions
of one client only: the daemon that makes these runs has the queue behind it.

Runs of the last stages go first: the first pages of a night are there when the first clients are fitted, not when all
are. A run that lost its process is repeated as a new one. Behind the runs of all other clients it would wait for hours
of a busy night. Where Celery has a queue of its own behind this one, its launcher hands the level on (workers.py).
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from mmm_assets.dagster_private.launching import SubmitRunContext
from mmm_assets.dagster_private.looks import look_soon
from mmm_assets.dagster_private.moments import look_at_one_moment
from mmm_assets.dagster_private.ranges import keep_together
from mmm_assets.dagster_private.requests import ask_for_runs
from mmm_assets.dagster_private.tags import PARENT_RUN_ID_TAG, PRIORITY_TAG
from mmm_assets.runs import CLIENT_TAG, client_of

AGAIN = 9  # of 0 to 10 in Celery's queue; others have 0
_MADE_AT = {  # level: what a run makes; a stage may be split over two runs, each with some of its assets
    3: ("portfolio", "portfolio_job"),  # seconds, at most once in ten minutes
    2: ("metric_history", "budget_plan", "report", "publish_job"),
    1: ("recovery_scores", "stability_scores", "forecast", "refresh_diff", "fleets_job"),
}
_ROWS = ("client_data", "client_data_job")  # take no time
LEVELS = {name: level for level, names in {**_MADE_AT, 1: _MADE_AT[1] + _ROWS}.items() for name in names}


def priority(level: int) -> dict[str, str]:
    """The tag that lets a run go ahead of those with a lower level."""
    return {PRIORITY_TAG: str(level)}


class ClientQueue(dg.QueuedRunCoordinator):
    """Dagster's queue; a run is tagged with its client, and with its priority, before it is queued."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        keep_together("client")
        ask_for_runs()
        look_at_one_moment()
        look_soon(lambda: self._instance)

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Queue a run."""
        run = context.dagster_run
        client = client_of(run.tags)
        made = {run.job_name, *(key.to_user_string() for key in run.asset_selection or ())}
        tags: dict[str, str] = {}
        if PARENT_RUN_ID_TAG in run.tags:
            tags |= priority(AGAIN)  # it inherits the level of the run that it repeats
        elif PRIORITY_TAG not in run.tags and (level := max(LEVELS.get(name, 0) for name in made)):
            tags |= priority(level)
        if client is not None and CLIENT_TAG not in run.tags:
            tags[CLIENT_TAG] = client
        if new := {name: value for name, value in tags.items() if run.tags.get(name) != value}:
            self._instance.add_run_tags(run.run_id, new)
        return super().submit_run(context)
