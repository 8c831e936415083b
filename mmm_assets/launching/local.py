"""Runs on this machine: each in a process of its own that has its imports behind it when it starts.

Here: `WarmRunLauncher`, named as `run_launcher` in dagster.yaml.
Not here: what a process imports beforehand (mmm_assets/warm.py), many machines (deploy/).

Dagster's default launcher starts a fresh interpreter for each run, which spends seconds on imports: more than all else
that a small client's run does beside sampling. Python's fork server imports once and forks for each run
(https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods). A run that runs out of memory or
into a fault of compiled code takes its own process with it and nothing else.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

import dagster as dg

from mmm_assets import home
from mmm_assets.dagster_private.instances import root_directory
from mmm_assets.dagster_private.launching import (
    CheckRunHealthResult,
    ConfigurableClass,
    ConfigurableClassData,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
    execute_launched,
)
from mmm_assets.launching.processes import claim_run, health_of_process, without_current_folder

GRACE_SECONDS = 15.0  # for a run that is asked to stop
TOLD_SECONDS = 5.0  # until the fork server says how a process ended that is gone
WARM = "mmm_assets.warm"  # named, not imported: it imports the definitions, which stand above this module
_FIRST_TO_GO = "500"  # of -1000 to 1000: short of memory, the system ends a run before the daemon


class WarmRunLauncher(RunLauncher, ConfigurableClass):
    """Forks a process for each run from one that has imported the code location."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self._processes: dict[str, BaseProcess] = {}
        self._server = multiprocessing.get_context("forkserver")
        self._server.set_forkserver_preload([WARM])
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What dagster.yaml says of this launcher."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> Any:
        """Nothing to configure."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """The launcher that dagster.yaml names."""
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a run."""
        run_id = context.dagster_run.run_id
        self._processes = {  # how a process died is asked later, by run monitoring
            run: process for run, process in self._processes.items() if process.is_alive() or process.exitcode
        }
        folder = root_directory(self._instance)
        arguments = (run_id, folder, {**os.environ, "DAGSTER_HOME": str(folder)})
        process = self._server.Process(target=execute, args=arguments, name=f"run {run_id}", daemon=True)
        with without_current_folder():  # the first start also starts the fork server
            process.start()
        self._processes[run_id] = process

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run; one that does not end within the grace period is killed."""
        run = self._instance.get_run_by_id(run_id)
        process = self._processes.get(run_id)
        if run is None or run.is_finished or process is None or process.pid is None or not process.is_alive():
            return False
        self._instance.report_run_canceling(run)
        os.kill(process.pid, signal.SIGINT)
        threading.Thread(target=_kill_after_grace, args=(process,), daemon=True).start()
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring may ask whether a run's process is alive."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a run is alive: one of ours, of an earlier daemon's, or of a command."""
        process = self._processes.get(run.run_id)
        if process is not None and not process.is_alive():
            return CheckRunHealthResult(WorkerStatus.FAILED, death(process.exitcode or 0))
        health = health_of_process(run) or CheckRunHealthResult(WorkerStatus.RUNNING)
        if (
            process is not None and health.status is WorkerStatus.FAILED
        ):  # the fork server has yet to say how it ended
            multiprocessing.connection.wait([process.sentinel], TOLD_SECONDS)
            if not process.is_alive():
                return CheckRunHealthResult(WorkerStatus.FAILED, death(process.exitcode or 0))
        return health


def execute(run_id: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Execute a run in this process, which does nothing else.

    The fork server has the environment of its start, and a process has one server for all its launchers: the
    environment of the launch comes along.
    """
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a daemon started in the background ignores it
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    with home.open_quietly(folder) as instance:
        claim_run(instance, run_id)
        execute_launched(run_id, instance)


def death(exit_code: int) -> str:
    """How a process died, in words.

    >>> death(-11)
    'its process died (Segmentation fault)'
    """
    if exit_code == -signal.SIGKILL:
        return (
            "its process was killed (signal 9), as the system does when memory runs out; "
            "fit fewer chains side by side (sampler.cores) or give the machine more memory"
        )
    return f"its process died ({signal.strsignal(-exit_code) if exit_code < 0 else f'exit code {exit_code}'})"


def _kill_after_grace(process: BaseProcess) -> None:
    # Not by `join`: two threads that collect the same process make it look alive for a moment.
    if not multiprocessing.connection.wait([process.sentinel], GRACE_SECONDS):
        process.kill()
