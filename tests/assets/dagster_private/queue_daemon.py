"""Dagster's daemon that empties the queue of runs, one look at a time."""

from types import SimpleNamespace

import dagster as dg
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon


class QueueDaemon:
    """The daemon of an instance."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
        self._context = SimpleNamespace(instance=instance, create_request_context=lambda: None)

    def look(self) -> None:
        """Launch what may be launched now."""
        list(self._daemon.run_iteration(self._context))
