"""What a run that failed means for the client's page.

Here: the sensor that marks the last good report of a client stale when a refresh broke off, and has the page of all
clients say what became of it.
Not here: telling people (alerts.py), refusing results that a check has failed (the assets themselves).
Dagster: https://docs.dagster.io/guides/automate/run-status-sensors

Refused rows and refused models are marked by the assets that refuse them. A run that crashed, was killed or ran out of
time could not; Dagster starts it again first, and only when that failed too is the client marked. Either way nothing
new is made that the page of all clients would follow, so it is asked for here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterEventType

from mmm_assets.checks.standing import say_refused
from mmm_assets.dagster_private.instances import events_of_run
from mmm_assets.dagster_private.tags import WILL_RETRY_TAG
from mmm_assets.pages.publication import Publication
from mmm_assets.refreshes import jobs
from mmm_assets.runs import COMMAND_TAG, Refresh, client_of, step_failures
from mmm_engine.client.config import CLIENT_ID

_JUDGES = {"client_data", "report"}  # steps that mark the client themselves


@dg.run_failure_sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    request_job=jobs.PORTFOLIO,
    description="Marks the last good report of a client stale when a run of its refresh broke off; "
    "has the page of all clients written again.",
)
def broken_refreshes(
    context: dg.RunFailureSensorContext, publication: Publication
) -> dg.RunRequest | dg.SkipReason:
    """Mark the client of a failed run, and ask for the page of all clients."""
    reason = _mark(context, publication)
    if reason is None and _is_queued(context.instance, jobs.PORTFOLIO.name):
        reason = "the page of all clients is asked for already"
    return dg.RunRequest() if reason is None else dg.SkipReason(reason)


def _mark(context: dg.RunFailureSensorContext, publication: Publication) -> str | None:
    """Mark the client unless somebody else has; why the page of all clients need not tell of it, or None."""
    run = context.dagster_run
    client = client_of(run.tags)
    if client is None or not re.fullmatch(CLIENT_ID, client):
        return "no run of a client"
    if COMMAND_TAG in run.tags:
        return "the command says it"
    if run.tags.get(WILL_RETRY_TAG, "").lower() == "true":
        return "it is started again"
    failures = events_of_run(context.instance, run.run_id, {DagsterEventType.STEP_FAILURE})
    if any(event.step_key in _JUDGES for event in failures):
        return None
    status, record = publication.status(client), context.instance.get_run_record_by_id(run.run_id)
    ended = record.end_time if record is not None and record.end_time else 0.0
    if status is not None and datetime.fromisoformat(status.at) >= datetime.fromtimestamp(int(ended), UTC):
        return "a later stage has judged the client meanwhile"
    reasons = list(step_failures(failures)) or [
        context.failure_event.message or "its run ended without a word"
    ]
    publication.refuse(client, reasons, Refresh.of(run))
    say_refused(context.instance, client, reasons, run.run_id)
    return None


def _is_queued(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of a job has yet to start: it will see what is the case then."""
    waiting = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED]
    return bool(instance.get_runs(dg.RunsFilter(job_name=job, statuses=waiting), limit=1))
