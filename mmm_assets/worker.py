"""What the child process of a batch does with an item: a client, the canary before them, the portfolio after them.

Here: the task that `mmm_assets.refreshes.batches` names, and the instance of its process.
Not here: the child and its items (refreshes/isolation.py), the chain of a client (refreshes/chain.py).

It stands above the definitions, of which batches are a part: they name this module and do not import it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from mmm_assets import home
from mmm_assets.definitions import defs
from mmm_assets.refreshes import canaries
from mmm_assets.refreshes.batches import PORTFOLIO_ITEM
from mmm_assets.refreshes.chain import RefreshOptions, judge_client, refresh_client, refresh_portfolio
from mmm_assets.refreshes.isolation import Say
from mmm_assets.runs import BATCH_TAG, HOLD_TAG
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.windows import standard_window


def work_on(item: str, options: Mapping[str, Any], say: Say) -> Sequence[str]:
    """Do an item of a batch in this process, its child.

    Args:
        item: Id of a client, or one of the items that no client can be called.
        options: Settings of the batch (`mmm_assets.refreshes.batches.Batch`), and under ``batch`` the id of its run.
        say: Told how far it is.

    Returns:
        What failed, in words; empty when all went well.
    """
    if item == canaries.ITEM:
        missed = canaries.judge()
        return [missed] if missed else []
    if item == PORTFOLIO_ITEM:
        rendered = refresh_portfolio(_instance(), defs.resolve_job_def)
        return [] if rendered else ["the page of all clients was not rendered; its run says why"]
    return _refresh(item, options, say)


def _refresh(client: str, options: Mapping[str, Any], say: Say) -> Sequence[str]:
    """Walk the chain of a client; what failed, in words."""
    hold = canaries.last_hold() if options["canary"] else ""
    walk = judge_client if options["judge_only"] else refresh_client
    outcome = walk(
        client,
        instance=_instance(),
        find_job=defs.resolve_job_def,
        results=ResultStore(),
        options=RefreshOptions(
            windows=tuple(map(standard_window, options["windows"])),
            sampler=options["sampler"],
            log_level="WARNING",
            tags={BATCH_TAG: options["batch"], **({HOLD_TAG: hold} if hold else {})},
        ),
        announce=say,
    )
    say(f"{client}: {'done' if outcome.succeeded else 'failed'} in {outcome.seconds:.0f} s")
    return [*outcome.failures, *(f"{e.check_name}: {e.description}" for e in outcome.failed_checks)]


@functools.cache
def _instance() -> dg.DagsterInstance:
    """The instance of this process, opened once for all its items."""
    return home.open_instance(home.home_dir())
