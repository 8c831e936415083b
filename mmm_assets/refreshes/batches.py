"""Refreshing several clients in one run: what the daemon launches.

Here: the job `refresh_clients`, whose one step has the chain of each client of its batch walked in a child process.
Not here: the chain (chain.py), the child (isolation.py), what it does with an item (mmm_assets/worker.py), when a batch
is launched (automation/sensors.py).

A process per client would pay the imports and the compilation each time, and a chain of queued runs some ten seconds
per link. So a batch is one child process, in which every client's runs are recorded on their own, one after the other,
and the portfolio at the end. A client that kills the child or hangs is given up, and the others go on in a fresh one.
"""

import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from mmm_assets.dagster_private.tags import ROOT_RUN_ID_TAG
from mmm_assets.pages.publication import Publication
from mmm_assets.partitions import WINDOW_NAMES
from mmm_assets.refreshes import canaries, isolation
from mmm_assets.refreshes.locks import bury_dead_runs, claim_run
from mmm_assets.runs import Refresh
from mmm_engine.client.client_file import inspect_client_config
from mmm_engine.client.config import CLIENT_ID
from mmm_engine.errors import MMMError

JOB_NAME = "refresh_clients"
TASK = "mmm_assets.worker:work_on"  # named, not imported: the worker knows the definitions, and they hold this job
PORTFOLIO_ITEM = "@portfolio"  # in the place of a client, at the end of a batch; no client can be called so
CLIENTS_PER_RUN = int(os.environ.get("MMM_CLIENTS_PER_RUN", "20"))


class Batch(dg.Config):
    """Which clients, and which of their windows."""

    clients: list[str] = Field(description="Ids of the clients, refreshed in this order.")
    windows: list[str] = Field(default=list(WINDOW_NAMES), description="Windows to fit.")
    judge_only: bool = Field(default=False, description="Fit no windows, test the fitted models again.")
    sampler: dict[str, int] = Field(default={}, description="Overrides of the sampler's settings.")
    canary: bool = Field(
        default=True, description="Fit a client with known truth first; publish nothing if it is missed."
    )
    client_seconds: float = Field(default=7200.0, description="A client that takes longer is given up.")


@dg.op(
    description="Refresh each client of the batch; one that fails, hangs or dies does not stop the others."
)
def refresh_batch(context: dg.OpExecutionContext, config: Batch, publication: Publication) -> None:
    """Walk the chain of every client, then render the portfolio; fails at the end when any client failed."""
    claim_run(context.instance, context.run.run_id)
    clients = [client for client in config.clients if not _is_done(client, context, publication)]
    options = {**config.model_dump(exclude={"clients"}), "batch": context.run.run_id}
    first = [canaries.ITEM] if config.canary and clients else []
    items = [*first, *clients, PORTFOLIO_ITEM]
    failures: dict[str, str] = {}
    for ended in isolation.each_in_child(
        TASK, items, options, seconds=config.client_seconds, say=context.log.info
    ):
        if not ended.failures:
            continue
        failures[ended.item] = "\n".join(ended.failures)
        context.log.error("%s failed: %s", ended.item, failures[ended.item])
        if ended.died:
            bury_dead_runs(context.instance)
            if ended.item in clients:
                publication.refuse(ended.item, ended.failures, Refresh.of(context.run))
    failures.pop(PORTFOLIO_ITEM, None)  # a run of its own, which notices tell of; the clients are done
    if failures:
        missed = failures.pop(canaries.ITEM, None)
        held = "" if missed is None else f"held back, nothing was published: {missed}; "
        names = ", ".join(failures) or "none"
        message = f"{held}{len(failures)} of {len(config.clients)} clients failed: {names}"
        raise dg.Failure(message, metadata={**failures}, allow_retries=False)


@dg.job(
    name=JOB_NAME, description="Refresh clients: rows, windows, fleets, history, report; then the portfolio."
)
def refresh_clients() -> None:
    """One step, so that one process serves the whole batch."""
    refresh_batch()


def batch_config(clients: list[str], **settings: Any) -> dict[str, object]:
    """Run configuration of a batch; further settings are those of `Batch`."""
    return {"ops": {refresh_batch.name: {"config": {"clients": clients, **settings}}}}


def by_specification(clients: Iterable[str], folder: Path, size: int) -> Iterator[list[str]]:
    """Batches in which clients of one model specification stand together, so that they share its compiled code.

    Args:
        clients: Ids of the clients.
        folder: Folder of their files.
        size: Largest number of clients in a batch.
    """
    for batch in batched(sorted(clients, key=lambda client: (_specification(client, folder), client)), size):
        yield list(batch)


def _specification(client: str, folder: Path) -> str:
    """The specification of a client's model as text; "" for a client whose file cannot be used."""
    from mmm_engine.model.specification import model_specification

    config, faults = inspect_client_config(folder / f"{client}.yaml")
    if config is None or faults:
        return ""
    try:
        return repr(model_specification(config, "week"))
    except MMMError:
        return ""


def _is_done(client: str, context: dg.OpExecutionContext, publication: Publication) -> bool:
    """Whether an earlier attempt at this run, which was cut off, had come to the end of the client."""
    root = context.run.tags.get(ROOT_RUN_ID_TAG)
    if root is None or not re.fullmatch(CLIENT_ID, client):
        return False
    record, status = context.instance.get_run_record_by_id(root), publication.status(client)
    return (
        record is not None
        and status is not None
        and datetime.fromisoformat(status.at) >= record.create_timestamp.astimezone(UTC)
    )
