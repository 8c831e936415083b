"""Refreshing several clients in one run: what the daemon launches.

Here: the job `refresh_clients`, whose one step walks the chain of each client of its batch.
Not here: the chain (refresh.py), when a batch is launched (sensors.py).

A process per client would pay the imports and the compilation each time, and a chain of queued runs some ten seconds
per link. So a batch is one process, in which every client's runs are recorded on their own, one after the other.
"""

import dagster as dg
from pydantic import Field

from mmm_assets.partitions import WINDOW_NAMES
from mmm_assets.refresh import RefreshOptions, refresh_client, refresh_portfolio
from mmm_assets.results import ResultStore

JOB_NAME = "refresh_clients"


class Batch(dg.Config):
    """Which clients, and which of their windows."""

    clients: list[str] = Field(description="Ids of the clients, refreshed in this order.")
    windows: list[str] = Field(default=list(WINDOW_NAMES), description="Windows to fit.")


@dg.op(description="Refresh each client of the batch; one that fails does not stop the others.")
def refresh_batch(context: dg.OpExecutionContext, config: Batch, results: ResultStore) -> None:
    """Walk the chain of every client, then render the portfolio; fails at the end when any client failed."""
    from mmm_assets.definitions import (
        defs,  # the definitions hold this job, so they can only be looked up later
    )

    options = RefreshOptions(windows=tuple(config.windows))
    failed: dict[str, str] = {}
    for client in config.clients:
        try:
            outcome = refresh_client(
                client,
                instance=context.instance,
                find_job=defs.resolve_job_def,
                results=results,
                options=options,
                announce=context.log.info,
            )
        except Exception as error:  # whatever one client does must not cost the others
            context.log.exception("client %s: the refresh broke off", client)
            failed[client] = f"{type(error).__name__}: {error}"
            continue
        context.log.info(
            "%s: %s in %.0f s", client, "done" if outcome.succeeded else "failed", outcome.seconds
        )
        if not outcome.succeeded:
            failed[client] = "\n".join(
                [*outcome.failures, *(str(e.description) for e in outcome.failed_checks)]
            )
    refresh_portfolio(context.instance, defs.resolve_job_def)
    if failed:
        message = f"{len(failed)} of {len(config.clients)} clients failed: {', '.join(failed)}"
        raise dg.Failure(message, metadata={**failed}, allow_retries=False)


@dg.job(
    name=JOB_NAME, description="Refresh clients: rows, windows, fleets, history, report; then the portfolio."
)
def refresh_clients() -> None:
    """One step, so that one process serves the whole batch."""
    refresh_batch()


def batch_config(clients: list[str]) -> dict[str, object]:
    """Run configuration of a batch."""
    return {"ops": {refresh_batch.name: {"config": {"clients": clients}}}}
