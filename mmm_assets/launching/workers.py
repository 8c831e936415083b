"""Runs on several machines: each a task of a Celery worker that stays, with its imports behind it.

Here: `WorkerRunLauncher`, named as `run_launcher` in the dagster.yaml of deploy/workers.
Not here: one machine (local.py), the broker and the workers (deploy/workers), Kubernetes (Dagster's own launcher).

Dagster's Celery launcher believes a task that is marked as started, also when its worker has been killed: the run would
wait for ever. This one asks the worker. Run monitoring then fails the run and starts it again on another worker.
Dagster's also fails a run at once when the broker cannot be reached, and the run that repeats it; this one waits.
"""

from __future__ import annotations

import logging
from typing import Any

import dagster as dg
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_RUN_PRIORITY_TAG, DAGSTER_CELERY_TASK_ID_TAG

from mmm_assets.dagster_private.launching import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from mmm_assets.dagster_private.tags import PRIORITY_TAG
from mmm_assets.launching.processes import health_of_process

ANSWER_SECONDS = 3.0
BROKER_TRIES = (
    120  # five seconds apart: a broker that is away for longer fails the runs that are launched meanwhile
)
BROKER_SECONDS = 5.0
MOST_URGENT = 10  # in Celery's queue, where 0 is what has no level
_log = logging.getLogger(__name__)


class WorkerRunLauncher(CeleryRunLauncher):  # type: ignore[misc]  # not installed on one machine
    """Dagster's Celery launcher, which asks workers whether they still execute what they have begun."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Hand a run to the broker, once that can be reached.

        Raises:
            kombu.exceptions.OperationalError: If it cannot for ten minutes.
        """
        with self.celery.connection_for_write() as connection:
            connection.ensure_connection(
                errback=_say_away,
                max_retries=BROKER_TRIES,
                interval_start=BROKER_SECONDS,
                interval_step=0,
                interval_max=BROKER_SECONDS,
            )
        super().launch_run(LaunchRunContext(_with_priority(context.dagster_run), context.workspace))

    @property
    def supports_resume_run(self) -> bool:
        """A run that lost its worker is repeated from failure, as a run of its own."""
        return False

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run; one that a command executes is not ours to end."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        self._instance.report_run_canceling(run)
        self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG]).revoke(terminate=True, signal="SIGINT")
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether a worker still executes the run; for a run of a command, whether its process lives."""
        task = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task is None:
            return health_of_process(run) or CheckRunHealthResult(WorkerStatus.RUNNING)
        result = self.celery.AsyncResult(task)
        state = result.state
        if state not in ("STARTED", "SUCCESS"):
            judged: CheckRunHealthResult = super().check_run_worker_health(run)
            return judged
        # "SUCCESS" of a run that has not ended: after a restart of the broker its task was given to a second worker,
        # which leaves runs alone that have begun, while the first may still be at it.
        worker = (result.info or {}).get("hostname") if state == "STARTED" else None
        if (worker and self._is_active(task, [worker])) or self._is_active(task, None):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if self.celery.AsyncResult(task).state != state:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"worker {worker or 'of this run'} is gone")

    def _is_active(self, task: str, workers: list[str] | None) -> bool:
        """Whether one of the workers, or any at all, says that it executes a task."""
        inspection = self.celery.control.inspect(destination=workers, timeout=ANSWER_SECONDS)
        active: dict[str, list[dict[str, Any]]] = inspection.active() or {}
        return any(entry["id"] == task for entries in active.values() for entry in entries)


def _with_priority(run: dg.DagsterRun) -> dg.DagsterRun:
    """The run with the level that it had in Dagster's queue, for Celery's, in which it waits for a worker."""
    level = run.tags.get(PRIORITY_TAG, "")
    if not level.removeprefix("-").isdecimal():
        return run
    in_range = str(min(max(int(level), 0), MOST_URGENT))
    return run.with_tags({DAGSTER_CELERY_RUN_PRIORITY_TAG: in_range, **run.tags})


def _say_away(error: Exception, seconds: float) -> None:
    _log.warning("the broker cannot be reached (%s); tried again in %g s", error, seconds)
