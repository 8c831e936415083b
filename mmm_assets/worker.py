"""What the child process of a batch does for one client.

It knows the definitions; batches name this module and do not import it, so that no circle ties the two.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from mmm_assets import home
from mmm_assets.refreshes import canaries
from mmm_assets.refreshes.chain import RefreshOptions, judge_client, refresh_client
from mmm_assets.refreshes.isolation import Say
from mmm_assets.runs import BATCH_TAG, HOLD_TAG
from mmm_assets.storage.results import ResultStore


def refresh_one(client: str, options: Mapping[str, Any], say: Say) -> Sequence[str]:
    """Refresh a client in this process, the child of a batch; what failed, in words."""
    from mmm_assets.definitions import defs

    if client == canaries.ITEM:
        return list(filter(None, [canaries.judge()]))
    hold = canaries.last_hold() if options["canary"] else ""
    walk = judge_client if options["judge_only"] else refresh_client
    outcome = walk(
        client,
        instance=_instance(),
        find_job=defs.resolve_job_def,
        results=ResultStore(),
        options=RefreshOptions(
            windows=tuple(options["windows"]),
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
    """The instance of this process, opened once for all its clients."""
    return home.open_instance(home.home_dir())
