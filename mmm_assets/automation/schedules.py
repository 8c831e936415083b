"""What starts by the clock: the page of all clients every morning, tests of every model once a week.

Here: when, and for whom.
Not here: what new data starts (sensors.py), what the runs do (refreshes/).
Dagster: https://docs.dagster.io/guides/automate/schedules
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from mmm_assets.pages.publication import Publication
from mmm_assets.partitions import registered_clients
from mmm_assets.refreshes import jobs
from mmm_assets.runs import CLIENT_TAG

nightly_portfolio = dg.ScheduleDefinition(
    name="nightly_portfolio",
    job=jobs.PORTFOLIO,
    cron_schedule="0 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="All clients on one page, every morning.",
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
