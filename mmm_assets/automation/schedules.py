"""What starts by the clock: all clients on one page and a look for late rows every morning, tests of models every week.

Here: when, and for whom.
Not here: what new data starts (sensors.py), what the runs do (refreshes/).
Dagster: https://docs.dagster.io/guides/automate/schedules
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from mmm_assets.checks.standing import refreshes, say_late
from mmm_assets.pages.publication import Publication
from mmm_assets.partitions import registered_clients
from mmm_assets.refreshes import jobs
from mmm_assets.runs import CLIENT_TAG
from mmm_assets.storage.resources import MetricHistory

nightly_portfolio = dg.ScheduleDefinition(
    name="nightly_portfolio",
    job=jobs.PORTFOLIO,
    cron_schedule="0 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="All clients on one page, every morning.",
)


@dg.op
def find_late_rows(context: dg.OpExecutionContext, history: MetricHistory) -> None:
    """Record for which clients rows are late; when nothing comes, nothing else runs that could say so."""
    late = say_late(context.instance, refreshes(history), datetime.now(UTC), context.run.run_id)
    context.log.info("rows of %d clients are late: %s", len(late), ", ".join(late) or "none")


@dg.job(description="Say for which clients new rows are late, by the rhythm of each.")
def look_for_late_rows() -> None:
    """One step."""
    find_late_rows()


daily_punctuality = dg.ScheduleDefinition(
    name="daily_punctuality",
    job=look_for_late_rows,
    cron_schedule="30 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Whose rows are late, every morning.",
)


@dg.schedule(
    job=jobs.FLEETS,
    cron_schedule="0 2 * * 0",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Recovery and stability of every client, every Sunday, also of those without new rows.",
)
def weekly_trust(context: dg.ScheduleEvaluationContext, publication: Publication) -> Iterator[dg.RunRequest]:
    """Ask for tests of every published model; the week is the seed, so each week draws other truths."""
    when = context.scheduled_execution_time or datetime.now(UTC)
    year, week, _ = when.isocalendar()
    seed = {"resources": {"sampler": {"config": {"seed": 100 * year + week}}}}
    for client in registered_clients(context.instance):
        status = publication.status(client)
        if status is not None and status.published:
            yield dg.RunRequest(
                run_key=f"{year}-w{week:02d}-{client}",
                partition_key=client,
                run_config=seed,
                asset_selection=[dg.AssetKey(name) for name in ("recovery_scores", "stability_scores")],
                tags={CLIENT_TAG: client},
            )
