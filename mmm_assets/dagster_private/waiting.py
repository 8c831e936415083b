"""A run that waits for a place in a pool sleeps meanwhile.

Here: the executor of all jobs, Dagster's own for steps in one process, with waits that are waits and that are told.
Not here: pools and their limits (dagster.yaml, `pool=` of assets).

Dagster takes the smaller of zero and the time until its next look for the time to sleep (`InstanceConcurrencyContext`):
a run whose fit waits for another's asks again without a pause, and keeps a core busy that the other needs
(https://github.com/dagster-io/dagster/pull/20367 describes it). Its looks at the database are a second apart at
first and 15 s in the end; a place that is free for so long is one that a short fit would have used. Nor does it say
that a run waits (https://github.com/dagster-io/dagster/issues/16441): it seems to fit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.execution.plan import instance_concurrency_context
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

from mmm_assets.dagster_private.tags import ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG

LOOK_SECONDS = 0.5  # a look is four queries: a hundredth of a core

_listeners: list[Callable[[str], object]] = []

_stock_claim = InstanceConcurrencyContext.claim
_stock_interval = instance_concurrency_context._calculate_timeout_interval
_stock_wait = InstanceConcurrencyContext.interval_to_next_pending_claim_check


def sleep_while_waiting() -> None:
    """In this process, steps that wait for a place in a pool sleep until they look again."""

    def until_next_look(context: InstanceConcurrencyContext) -> float:
        if not context.has_pending_claims():
            return 0.0
        return max(0.0, min(context._pending_timeouts.values(), default=0.0) - time.time())

    def claim(
        context: InstanceConcurrencyContext, concurrency_key: str, step_key: str, step_priority: int = 0
    ) -> bool:
        waited = step_key in context._pending_claims
        is_ours = _stock_claim(context, concurrency_key, step_key, step_priority)
        if waited == is_ours:  # a wait begins, or it is over
            reason = "" if is_ours else why_it_waits(context._instance, concurrency_key)
            if reason:
                run = context._instance.get_run_by_id(context._run_id)
                context._instance.report_engine_event(f"{step_key} {reason}", run)
            for tell in _listeners:
                tell(reason)
        return is_ours

    def seconds_between_looks(sleep_interval: float | None, pending_claim_count: int) -> float:
        return LOOK_SECONDS if sleep_interval is None else sleep_interval

    InstanceConcurrencyContext.claim = claim  # type: ignore[assignment, method-assign]
    instance_concurrency_context._calculate_timeout_interval = seconds_between_looks
    InstanceConcurrencyContext.interval_to_next_pending_claim_check = until_next_look  # type: ignore[assignment, method-assign]


def why_it_waits(instance: dg.DagsterInstance, pool: str) -> str:
    """Why a run waits, in words: "waits for a place in pool 'mcmc' (1 in all; ms has it)"."""
    info = instance.event_log_storage.get_concurrency_info(pool)
    holders = [instance.get_run_by_id(run_id) for run_id in sorted(info.active_run_ids)]
    names = sorted({_partition(run.tags) or run.job_name for run in holders if run is not None})
    has = f"; {', '.join(names)} {'has it' if info.slot_count == 1 else 'have them'}" if names else ""
    return f"waits for a place in pool '{pool}' ({info.slot_count} in all{has})"


@contextmanager
def told_of_waits(tell: Callable[[str], object]) -> Iterator[None]:
    """In this block, ``tell`` hears why a run of this process begins to wait, and "" when it goes on."""
    _listeners.append(tell)
    try:
        yield
    finally:
        _listeners.remove(tell)


def _partition(tags: Mapping[str, str]) -> str:
    key = tags.get(PARTITION_NAME_TAG) or tags.get(ASSET_PARTITION_RANGE_START_TAG) or ""
    return key.partition("|")[0]


def _create(context: dg.InitExecutorContext) -> Any:
    sleep_while_waiting()
    return dg.in_process_executor.executor_creation_fn(context)  # type: ignore[misc]


patient_executor = dg.ExecutorDefinition(
    name=dg.in_process_executor.name,  # as it stands in the configuration of runs
    config_schema=dg.in_process_executor.config_schema,  # type: ignore[arg-type]
    executor_creation_fn=_create,
    description="Execute all steps in a single process.",
)
