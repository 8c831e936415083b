"""Checks of a client's report that turn when nothing is made: newer results that were refused, rows that do not come.

Here: both checks; recording that a refresh was refused, and whose rows are late.
Not here: why it was refused (mmm_engine.scores.gates), the page's banner (pages/publication.py), when somebody looks
for late rows (automation/schedules.py).

What is refused leaves the report as it was, which the catalogue shows as sound. The evaluation says that it is not the
newest word.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from mmm_assets.checks import evaluations
from mmm_assets.dagster_private.instances import latest_execution, record_evaluation
from mmm_assets.partitions import clients, registered_clients
from mmm_assets.storage.io_managers import JsonFiles
from mmm_assets.storage.resources import MetricHistory
from mmm_assets.types import DataFrame, Verdict
from mmm_engine.client.natural_order import natural_order
from mmm_engine.client.windows import FULL

NEWEST_RESULTS = dg.AssetCheckSpec(
    "newest_results",
    asset="report",
    description="The page in place is that of the last refresh; a refused or broken one leaves an older page.",
    partitions_def=clients,
)
ROWS_IN_TIME = dg.AssetCheckSpec(
    "rows_in_time",
    asset="report",
    description="New rows have come about as often as they used to.",
    partitions_def=clients,
)


@dg.multi_asset_check(specs=[NEWEST_RESULTS, ROWS_IN_TIME], can_subset=True)
def standing(
    context: dg.AssetCheckExecutionContext, json_files: dg.ResourceParam[JsonFiles], history: MetricHistory
) -> Iterator[Any]:
    """Judge where the client's report stands."""
    client = context.partition_key
    judges = {
        NEWEST_RESULTS.name: lambda: _of_status(client, json_files),
        ROWS_IN_TIME.name: lambda: of_rows(refreshes(history, client), datetime.now(UTC)),
    }
    yield from evaluations.of_chosen(context, lambda name: judges[name]())


def say_refused(instance: dg.DagsterInstance, client: str, reasons: Sequence[str], run_id: str) -> None:
    """Record that the last refresh of a client was refused, or broke off: its report is not the newest word.

    Args:
        instance: Where it is recorded.
        client: Whose refresh it was; nothing is recorded of a client that is not registered.
        reasons: Why.
        run_id: The run that ended so.
    """
    if client in instance.get_dynamic_partitions(str(clients.name)):
        evaluation = evaluations.of_verdict(NEWEST_RESULTS, client, _refused(reasons), instance)
        record_evaluation(instance, evaluation, run_id)


def say_late(instance: dg.DagsterInstance, recorded: DataFrame, now: datetime, run_id: str) -> list[str]:
    """Record for which clients rows are late, where that is not recorded already; their ids.

    The next refresh of a client judges the check again by itself.

    Args:
        instance: Where it is recorded.
        recorded: Output of `refreshes`.
        now: With its zone.
        run_id: The run that looks.
    """
    late = []
    for client in sorted(set(registered_clients(instance)) & set(recorded["client"]), key=natural_order):
        verdict = of_rows(recorded[recorded["client"] == client], now)
        if verdict.failed:
            late.append(client)
            execution = latest_execution(instance, ROWS_IN_TIME.key, client)
            before = execution.evaluation if execution else None
            if before is None or before.passed or not evaluations.was_judged(before):
                evaluation = evaluations.of_verdict(ROWS_IN_TIME, client, verdict, instance)
                record_evaluation(instance, evaluation, run_id)
    return late


def refreshes(history: MetricHistory, client: str | None = None) -> DataFrame:
    """One row for each recorded refresh, of one client or of all: client, cutoff, recorded_at."""
    rows = history.open().read(client, "rhat_max", FULL.name, "all")  # one row each
    return rows[["client", "cutoff", "recorded_at"]]


def of_rows(refreshes: DataFrame, now: datetime) -> Verdict:
    """Verdict on whether a client's rows are late."""
    from mmm_engine.scores.punctuality import check_punctuality

    return check_punctuality(refreshes, now)


def _of_status(client: str, files: JsonFiles) -> Verdict:
    from mmm_engine.scores.verdict import Verdict, not_judged

    status = files.read_or_none("report", client)
    if status is None:
        return not_judged(NEWEST_RESULTS.name, "no refresh came to its end")
    if not status["published"]:
        return _refused(status["reasons"])
    return Verdict(NEWEST_RESULTS.name, True, "error", False, f"published {status['good_at']}")


def _refused(reasons: Sequence[str]) -> Verdict:
    from mmm_engine.scores.verdict import Verdict

    said = "; ".join(reasons) or "no reason was said"
    return Verdict(NEWEST_RESULTS.name, False, "error", False, f"the last refresh was refused: {said}")
