"""A run that waits for a place in a pool sleeps meanwhile.

Here: the executor of all jobs, Dagster's own for steps in one process, with waits that are waits.
Not here: pools and their limits (dagster.yaml, `pool=` of assets).

Dagster takes the smaller of zero and the time until its next look for the time to sleep (`InstanceConcurrencyContext`):
a run whose fit waits for another's asks again without a pause, and keeps a core busy that the other needs
(https://github.com/dagster-io/dagster/pull/20367 describes it). Its looks at the database are a second apart at
first and 15 s in the end; a place that is free for so long is one that a short fit would have used.
"""

from __future__ import annotations

import time
from typing import Any

import dagster as dg
from dagster._core.execution.plan import instance_concurrency_context
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

LOOK_SECONDS = 0.5  # a look is four queries: a hundredth of a core

_stock_interval = instance_concurrency_context._calculate_timeout_interval
_stock_wait = InstanceConcurrencyContext.interval_to_next_pending_claim_check


def sleep_while_waiting() -> None:
    """In this process, steps that wait for a place in a pool sleep until they look again."""

    def until_next_look(context: InstanceConcurrencyContext) -> float:
        if not context.has_pending_claims():
            return 0.0
        return max(0.0, min(context._pending_timeouts.values(), default=0.0) - time.time())

    def seconds_between_looks(sleep_interval: float | None, pending_claim_count: int) -> float:
        return LOOK_SECONDS if sleep_interval is None else sleep_interval

    instance_concurrency_context._calculate_timeout_interval = seconds_between_looks
    InstanceConcurrencyContext.interval_to_next_pending_claim_check = until_next_look  # type: ignore[assignment, method-assign]


def _create(context: dg.InitExecutorContext) -> Any:
    sleep_while_waiting()
    return dg.in_process_executor.executor_creation_fn(context)  # type: ignore[misc]


patient_executor = dg.ExecutorDefinition(
    name=dg.in_process_executor.name,  # as it stands in the configuration of runs
    config_schema=dg.in_process_executor.config_schema,  # type: ignore[arg-type]
    executor_creation_fn=_create,
    description="Execute all steps in a single process.",
)
