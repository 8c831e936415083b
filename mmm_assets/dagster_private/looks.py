"""How soon automation looks again.

Here: an evaluation as soon as something was recorded, while few runs are under way.
Not here: what an evaluation comes to (mmm_assets.assets.conditions), its usual interval (automation/sensors.py).

Dagster evaluates automation at a fixed interval, in a loop that turns every five seconds. A refresh passes three
evaluations; its runs take five seconds, and waiting for the next look took thirty. Looking all the time would cost the
batches of a night more than they gain: while many runs are under way there is always another client to work at.
"""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
from dagster._core.remote_representation.external import RemoteSensor
from dagster._core.scheduler.instigation import InstigatorState
from dagster._daemon import asset_daemon
from dagster._daemon.sensor import get_elapsed, is_under_min_interval

SOON_SECONDS = 1.5  # between two evaluations: one takes a third of that for few clients
TURN_SECONDS = 1.0
FEW_RUNS = 2
_UNFINISHED = dg.RunsFilter(
    statuses=[
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
    ]
)


class _Looks:
    """Whether it is too early for an evaluation, asked before it is queued and again before it begins."""

    def __init__(self, instance: Callable[[], dg.DagsterInstance]) -> None:
        self._instance = instance
        self._seen: int | None = None  # newest event when the last evaluation was let through
        self._let_through: tuple[float | None, float | None] | None = None  # times of the one before it

    def is_early(
        self, state: InstigatorState, sensor: RemoteSensor, minimum_allowed_min_interval: int | None = None
    ) -> bool:
        """In the place of Dagster's `is_under_min_interval`."""
        elapsed = get_elapsed(state)
        if elapsed is not None and elapsed < SOON_SECONDS:
            return True
        data = state.instigator_data
        turn = (getattr(data, "last_tick_timestamp", None), getattr(data, "last_tick_start_timestamp", None))
        if turn == self._let_through:
            return False
        instance = self._instance()
        newest = instance.event_log_storage.get_maximum_record_id()
        if is_under_min_interval(state, sensor, minimum_allowed_min_interval) and (
            newest == self._seen or instance.get_runs_count(_UNFINISHED) > FEW_RUNS
        ):
            return True
        self._seen, self._let_through = newest, turn
        return False


def look_soon(instance: Callable[[], dg.DagsterInstance]) -> None:
    """In this process, automation is evaluated soon after something was recorded.

    Args:
        instance: Gives the instance whose events are looked at.
    """
    asset_daemon.is_under_min_interval = _Looks(instance).is_early  # type: ignore[assignment, attr-defined]
    asset_daemon.MIN_INTERVAL_LOOP_SECONDS = TURN_SECONDS  # type: ignore[assignment]
