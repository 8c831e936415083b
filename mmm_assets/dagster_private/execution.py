"""Executing runs in this process, with what Dagster's interface needs to show and repeat them.

Here: the origin of a run (which code location it came from), executing a job for the command line.
Not here: why a run is executed here and not launched (refreshes/chain.py).

`JobDefinition.execute_in_process` leaves the origin out, and the interface cannot re-execute a run without one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan, execute_run
from dagster._core.execution.execution_result import ExecutionResult
from dagster._core.origin import DEFAULT_DAGSTER_ENTRY_POINT, JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

__all__ = ["ExecutionResult", "code_origin", "execute_here", "job_origin"]

LOCATION, MODULE, ATTRIBUTE = "mmm_assets", "mmm_assets.definitions", "defs"  # as workspace.yaml has them


def job_origin(job: str) -> RemoteJobOrigin:
    """Where the interface finds a job: by the names of workspace.yaml."""
    target = LoadableTargetOrigin(module_name=MODULE, attribute=ATTRIBUTE)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name=LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job)


def code_origin(job: str) -> JobPythonOrigin:
    """Where a process that is to execute a run finds its job: in this interpreter, by import."""
    pointer = ModuleCodePointer(MODULE, ATTRIBUTE, working_directory=None)
    entry = list(DEFAULT_DAGSTER_ENTRY_POINT)
    return JobPythonOrigin(job, RepositoryPythonOrigin(sys.executable, pointer, entry_point=entry))


def execute_here(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    tags: Mapping[str, str],
    run_config: Mapping[str, Any],
    only: Sequence[dg.AssetKey] | None = None,
) -> ExecutionResult:
    """Execute a job, or some of its assets, in this process; its run is recorded with its origin.

    A failure is in the result; it is not raised.

    Args:
        job: The job.
        instance: Records the run.
        tags: Tags of the run, beside those of the job.
        run_config: Its configuration.
        only: Assets to materialise; None: all of the job.
    """
    chosen = job.get_subset(asset_selection=set(only)) if only else job
    plan = create_execution_plan(InMemoryJob(chosen), run_config=run_config, tags=dict(tags))
    run = instance.create_run_for_job(
        job_def=chosen,
        execution_plan=plan,
        run_config=run_config,
        tags={**job.run_tags, **tags},
        asset_selection=frozenset(only) if only else None,
        remote_job_origin=job_origin(job.name),
        job_code_origin=code_origin(job.name),
    )
    return execute_run(InMemoryJob(job), run, instance, raise_on_error=False)
