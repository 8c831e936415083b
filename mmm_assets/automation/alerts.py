"""Noticing what failed: runs, and checks in runs that stayed green.

Here: the sensor `failure_notices`, and what it says about a run.
Not here: how a notice is sent (notices.py).
Dagster: https://docs.dagster.io/guides/automate/sensors

A failed check that does not block leaves its run green, so finished runs of either end are looked at. Each channel has
its own place in the list of finished runs and moves on when its notice was accepted: nothing is lost while a mail
server is down, and no other channel says it twice. Places are numbers of events, not times: clocks may go backwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import dagster as dg
from dagster import DagsterEventType

from mmm_assets import home
from mmm_assets.automation.notices import (
    Channel,
    Notice,
    NoticeConfig,
    channel_names,
    deliver,
    read_notice_config,
)
from mmm_assets.checks.evaluations import was_judged
from mmm_assets.checks.standing import NEWEST_RESULTS
from mmm_assets.dagster_private.instances import cursor_behind, events_of_run
from mmm_assets.runs import CLIENT_TAG, REFUSED, first_line, step_failures
from mmm_engine.errors import ConfigError

RUNS_PER_TICK = 200
_ENDS = (DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_SUCCESS)
_TOLD = (DagsterEventType.ASSET_CHECK_EVALUATION, DagsterEventType.STEP_FAILURE)

Place = dict[str, str]  # kind of end -> cursor in the list of runs that ended so


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells people about failed runs and failed checks: log, webhook, e-mail (notices.yaml in the home).",
)
def failure_notices(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Send each channel what failed since its last notice."""
    places: dict[str, Place] = json.loads(context.cursor) if context.cursor else {}
    try:
        config = read_notice_config(home.home_dir())
    except ConfigError as error:  # settings that cannot be read must not silence the log
        context.log.error(str(error))
        config = NoticeConfig()
    before: dict[str, Place] = {}
    after: dict[str, Place] = {}
    notices: dict[str, tuple[Channel, Notice]] = {}
    for name, channel in channel_names(config.channels):
        before[name] = places.get(name) or _newest(context.instance)
        lines, after[name] = failures_since(context.instance, before[name], warnings=config.warnings)
        if lines:
            notices[name] = (channel, Notice(f"mmm: {len(lines)} failures", tuple(lines)))
    faults = deliver(notices, context.log)
    for name, fault in faults.items():
        context.log.error(f"notice not delivered, it is tried again: {name}: {fault}")
    failures_told = sum(len(notice.lines) for name, (_, notice) in notices.items() if name not in faults)
    next_places = {name: before[name] if name in faults else after[name] for name in after}
    return dg.SensorResult(skip_reason=f"{failures_told} failures told", cursor=json.dumps(next_places))


def failures_since(
    instance: dg.DagsterInstance, place: Place, *, warnings: bool = False
) -> tuple[list[str], Place]:
    """What failed in the runs that ended after a place, one line each, and the place after them.

    Args:
        instance: Where runs are recorded.
        place: Where the last look ended.
        warnings: Whether failed checks of severity WARN count.
    """
    lines: list[str] = []
    after = dict(place)
    for kind in _ENDS:
        ended_runs = instance.fetch_run_status_changes(
            kind, limit=RUNS_PER_TICK, cursor=place.get(kind.value), ascending=True
        )
        after[kind.value] = ended_runs.cursor
        for record in ended_runs.records:
            lines += _lines_of(instance, record.event_log_entry, warnings)
    return list(dict.fromkeys(lines)), after


def _newest(instance: dg.DagsterInstance) -> Place:
    """The place behind everything that has ended: a channel that is new does not tell old stories."""
    place = {}
    for kind in _ENDS:
        last = instance.fetch_run_status_changes(kind, limit=1).records
        number = last[0].storage_id if last else -1
        place[kind.value] = cursor_behind(number)
    return place


def _lines_of(instance: dg.DagsterInstance, ended: dg.EventLogEntry, warnings: bool) -> Iterator[str]:
    """What is to be said about one finished run."""
    run = instance.get_run_by_id(ended.run_id)
    if run is None:  # deleted meanwhile
        return
    who = run.tags.get(CLIENT_TAG, run.job_name)
    events = events_of_run(instance, run.run_id, _TOLD)
    checks = [event.asset_check_evaluation_data for event in events if not event.is_step_failure]
    said = ""
    for evaluation in checks:
        is_told = warnings or evaluation.severity == dg.AssetCheckSeverity.ERROR
        if evaluation.passed or not is_told or not was_judged(evaluation):
            continue
        if evaluation.check_name == NEWEST_RESULTS.name:
            continue  # it follows from a refusal or a failure, which is told
        said += evaluation.description or ""
        where = evaluation.partition or who
        yield f"{where}: {evaluation.check_name}: {first_line(evaluation.description or 'failed')}"
    if not run.is_failure or any(_is_refusal(event) for event in events):
        return  # what was refused is told by the check that failed, in this run or in the one before it
    failures = list(step_failures(events)) or [_last_words(ended)]
    for failure in failures:
        if failure not in said:  # a check that stopped its run has spoken already
            yield f"{who}: {run.job_name}: {first_line(failure)}"


def _is_refusal(event: dg.DagsterEvent) -> bool:
    """Whether a step failed because a check had spoken against its input."""
    said = event.step_failure_data.user_failure_data if event.is_step_failure else None
    return said is not None and REFUSED in said.metadata


def _last_words(ended: dg.EventLogEntry) -> str:
    event = ended.dagster_event
    return (event.message if event else None) or "the run ended without a word"
