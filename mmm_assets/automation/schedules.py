"""What starts by the clock: the page of all clients every morning, tests of every model once a week.

Here: when, and for whom.
Not here: what new data starts (sensors.py), what the runs do (refreshes/).
Dagster: https://docs.dagster.io/guides/automate/schedules
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from mmm_assets.partitions import registered_clients
from mmm_assets.refreshes import jobs
from mmm_assets.refreshes.batches import CLIENTS_PER_RUN, JOB_NAME, batch_config, by_specification
from mmm_assets.storage.resources import ClientFiles

nightly_portfolio = dg.ScheduleDefinition(
    name="nightly_portfolio",
    job=jobs.PORTFOLIO,
    cron_schedule="0 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="All clients on one page, every morning.",
)


@dg.schedule(
    job_name=JOB_NAME,
    cron_schedule="0 2 * * 0",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Recovery and stability of every client, every Sunday, also of those without new rows.",
)
def weekly_trust(context: dg.ScheduleEvaluationContext, client_files: ClientFiles) -> Iterator[dg.RunRequest]:
    """Ask for batches that test the fitted models again; the week is the seed, so each week draws other truths."""
    when = context.scheduled_execution_time or datetime.now(UTC)
    year, week, _ = when.isocalendar()
    batches = by_specification(registered_clients(context.instance), client_files.folder, CLIENTS_PER_RUN)
    for number, batch in enumerate(batches):
        settings = batch_config(batch, judge_only=True, sampler={"seed": 100 * year + week})
        yield dg.RunRequest(run_key=f"{year}-w{week:02d}-{number}", run_config=settings)
