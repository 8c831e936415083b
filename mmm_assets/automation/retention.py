"""A home does not grow without end: runs that ended long ago are forgotten, old damaged files deleted.

Here: which runs, when.
Not here: ticks of sensors and schedules (`retention` in dagster.yaml), results and histories, which stay.

Dagster keeps runs and their events for ever; a nightly refresh of thousands of clients would be gigabytes a month. What
was last made of each client stays, however old: the catalogue shows it, and the sensor asks what rows it came from.
"""

import os
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from mmm_assets import home
from mmm_assets.dagster_private.instances import forget_evaluations, root_directory
from mmm_assets.runs import CLIENT_TAG
from mmm_assets.storage.objects import is_local

KEEP_DAYS = float(os.environ.get("MMM_KEEP_RUNS_DAYS", "60"))
KEEP_EVALUATIONS = timedelta(hours=6)  # 30 kB for an asset whenever one of its clients moves
RUNS_PER_NIGHT = 50_000
_DAY = 86_400.0
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]

What = tuple[str | None, str, frozenset[dg.AssetKey] | None]  # client, job, assets


@dg.op
def forget_runs(context: dg.OpExecutionContext) -> None:
    """Delete old runs with their events."""
    forgotten = 0
    for run_id in superfluous_runs(context.instance, datetime.now(UTC) - timedelta(days=KEEP_DAYS)):
        context.instance.delete_run(run_id)
        for file in (root_directory(context.instance) / "history" / "runs").glob(f"{run_id}.db*"):
            file.unlink()  # SQLite has a file for each run, which its storage empties and leaves
        forgotten += 1
    context.log.info("%d runs forgotten that ended more than %g days ago", forgotten, KEEP_DAYS)
    roots = {root_directory(context.instance), home.results_root()}
    emptied = sum(empty_quarantine(root / "quarantine", KEEP_DAYS) for root in roots if is_local(root))
    context.log.info("%d files deleted that lay longer in the quarantine", emptied)


@dg.job(description="Delete runs that ended long ago; what was last made of each client stays.")
def forget_old_runs() -> None:
    """One step."""
    forget_runs()


nightly_forgetting = dg.ScheduleDefinition(
    name="nightly_forgetting",
    job=forget_old_runs,
    cron_schedule="0 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Old runs, every night.",
)


@dg.sensor(
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="What conditions of automation came to is forgotten after six hours.",
)
def hourly_forgetting(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Forget old evaluations of conditions.

    Dagster keeps them for 30 days and reads all of them at every evaluation, to find those that are older.
    """
    forget_evaluations(context.instance, datetime.now(UTC) - KEEP_EVALUATIONS)
    return dg.SkipReason(f"forgot what conditions came to more than {KEEP_EVALUATIONS} ago")


def empty_quarantine(folder: Path, days: float) -> int:
    """Delete damaged files that nobody has looked after for some days; how many they were."""
    until = time.time() - days * _DAY
    old = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_ctime < until]
    for path in old:
        path.unlink()
    return len(old)


def superfluous_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[str]:
    """Ids of runs that ended, were asked for before a time, and were followed by one that made the same.

    A run that succeeded is followed only by one that succeeded.
    """
    old = instance.get_run_records(
        dg.RunsFilter(statuses=_ENDED, created_before=before), limit=RUNS_PER_NIGHT
    )
    later: dict[str | None, set[What]] = {}
    for record in old:  # newest first
        run = record.dagster_run
        client = run.tags.get(CLIENT_TAG)
        if client not in later:
            later[client] = set(_made_since(instance, client, before))
        if _what(run) in later[client] or not run.is_success:
            yield run.run_id
        else:
            later[client].add(_what(run))


def _made_since(instance: dg.DagsterInstance, client: str | None, when: datetime) -> Iterable[What]:
    tags = {CLIENT_TAG: client} if client else {}
    since = dg.RunsFilter(tags=tags, statuses=[dg.DagsterRunStatus.SUCCESS], created_after=when)
    return (_what(run) for run in instance.get_runs(since, limit=500))


def _what(run: dg.DagsterRun) -> What:
    selection = None if run.asset_selection is None else frozenset(run.asset_selection)
    return run.tags.get(CLIENT_TAG), run.job_name, selection
