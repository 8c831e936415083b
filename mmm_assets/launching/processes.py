"""Which process executes a run, and whether it still does.

Here: the identity of a process, taking a run, the health of runs that a process of this machine has taken, starting
processes that take no module from the current folder.
Not here: what follows when a process is gone: Dagster's run monitoring fails the run, frees its pools, repeats it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from mmm_assets.dagster_private.instances import end_as_failed, runs_with_status
from mmm_assets.dagster_private.launching import CheckRunHealthResult, WorkerStatus
from mmm_assets.runs import CLAIM_TAG, PROCESS_TAG, client_of

_EXECUTING = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]
_UNFINISHED = [*_EXECUTING, dg.DagsterRunStatus.NOT_STARTED]


def process_identity(pid: int | None = None) -> str:
    """Host, process id and start of a process (this one): a process id alone is used again by the system."""
    pid = os.getpid() if pid is None else pid
    return f"{socket.gethostname()}:{pid}:{_start_of(pid)}"


def is_alive(identity: str) -> bool:
    """Whether the process still runs; one on another host is taken to be alive."""
    host, pid, start = identity.rsplit(":", 2)
    return host != socket.gethostname() or _start_of(int(pid)) == start


def claim_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note that this process executes a run, so that its death is noticed."""
    instance.add_run_tags(run_id, {PROCESS_TAG: process_identity(), CLAIM_TAG: run_id})


def health_of_process(run: dg.DagsterRun) -> CheckRunHealthResult | None:
    """The health of a run by the process that has taken it; None when none has said so (yet)."""
    identity = run.tags.get(PROCESS_TAG)
    if identity is None or run.tags.get(CLAIM_TAG, run.run_id) != run.run_id:
        return None
    if is_alive(identity):
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    message = f"The process that executed this run ({identity}) is gone."
    return CheckRunHealthResult(WorkerStatus.FAILED, message)


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """End runs whose process is gone, as run monitoring does; a command needs them ended, daemon or none.

    Returns:
        Ids of the runs that were ended.
    """
    ended = []
    for run in runs_with_status(instance, _UNFINISHED):
        health = health_of_process(run)
        if health is not None and health.status is WorkerStatus.FAILED:
            end_as_failed(instance, run, str(health.msg))
            ended.append(run.run_id)
    return ended


def clients_under_way(instance: dg.DagsterInstance) -> set[str]:
    """Ids of the clients of which a run executes right now; runs whose process is gone do not."""
    return {
        client
        for run in runs_with_status(instance, _EXECUTING)
        if (client := client_of(run.tags)) is not None
        and ((health := health_of_process(run)) is None or health.status is not WorkerStatus.FAILED)
    }


@contextmanager
def without_current_folder() -> Iterator[None]:
    """Python processes that are started in this block do not look for modules in the folder they are started in.

    Those of `multiprocessing` would: a module called `selectors` there would be their first import.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def _start_of(pid: int) -> str:
    """When a process started, in clock ticks since boot; "" when there is no such process (or no /proc)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _sign_of_life(pid)
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces
    return "" if state == "Z" else fields[18]  # a zombie executes nothing; field 22 of the file


def _sign_of_life(pid: int) -> str:
    """Without /proc: "unknown" for a process that exists, "" otherwise."""
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return "unknown"
