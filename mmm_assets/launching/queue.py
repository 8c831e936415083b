"""The queue of runs, in which a client has one run at a time.

Here: `ClientQueue`, named as `run_coordinator` in dagster.yaml.
Not here: limits, which are Dagster's own (`concurrency` in dagster.yaml).
Dagster: https://docs.dagster.io/deployment/execution/customizing-run-queue-priority

A run from a button, a backfill, a sensor or an automation says its client in its partition, each in another tag. The
limit of one run a client needs one tag that all of them carry. For the same reason a run of a backfill holds partitions
of one client only: the daemon that makes these runs has the queue behind it.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from mmm_assets.dagster_private.launching import SubmitRunContext
from mmm_assets.dagster_private.ranges import keep_together
from mmm_assets.runs import CLIENT_TAG, client_of


class ClientQueue(dg.QueuedRunCoordinator):
    """Dagster's queue; a run is tagged with its client before it is queued."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        keep_together("client")

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Queue a run."""
        run = context.dagster_run
        client = client_of(run.tags)
        if client is not None and CLIENT_TAG not in run.tags:
            self._instance.add_run_tags(run.run_id, {CLIENT_TAG: client})
        return super().submit_run(context)
