"""What a queue and a launcher of runs are made of.

Here: base classes and what they are handed, executing a run that was launched.
Not here: the platform's queue and launchers (mmm_assets.launching).
"""

from dagster import DagsterInstance
from dagster._cli.api import _execute_run_command_body
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._core.run_coordinator import SubmitRunContext
from dagster._serdes import ConfigurableClass, ConfigurableClassData

__all__ = [
    "CheckRunHealthResult",
    "ConfigurableClass",
    "ConfigurableClassData",
    "LaunchRunContext",
    "RunLauncher",
    "SubmitRunContext",
    "WorkerStatus",
    "execute_launched",
]


def execute_launched(run_id: str, instance: DagsterInstance) -> None:
    """Execute a run that waits at "starting"; how it ends is recorded, not raised."""
    _execute_run_command_body(
        run_id, instance=instance, write_stream_fn=lambda event: None, set_exit_code_on_failure=False
    )
