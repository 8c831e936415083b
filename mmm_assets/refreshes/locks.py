"""One refresh of a client at a time, and the end of runs whose process is gone.

Here: the lock of a client, who executes a run, declaring runs dead.
Not here: limits that Dagster keeps itself (dagster.yaml).

Runs that `mmm refresh` executes are not watched by Dagster's run monitoring: when their process is killed they stay
"started" for ever and keep their place in the pool of fits. Every refresh therefore looks for such runs first.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from mmm_assets.dagster_private import instances
from mmm_assets.runs import CLAIM_TAG, PROCESS_TAG
from mmm_engine.client.config import check_client_id
from mmm_engine.files.atomic_write import make_private_folder

_UNFINISHED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]


@contextmanager
def client_lock(instance: dg.DagsterInstance, client: str) -> Iterator[None]:
    """Hold the client for this process; a second refresh of it waits here until the first is done."""
    folder = instances.root_directory(instance) / "locks"
    make_private_folder(folder)
    with (folder / f"{check_client_id(client)}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # freed by the kernel when the process ends, however it ends
        yield


def process_identity(pid: int | None = None) -> str:
    """Host, process id and start of a process (this one): a process id alone is used again by the system."""
    pid = os.getpid() if pid is None else pid
    return f"{socket.gethostname()}:{pid}:{_start_of(pid)}"


def is_alive(identity: str) -> bool:
    """Whether the process still runs; one on another host is taken to be alive."""
    host, pid, start = identity.rsplit(":", 2)
    return host != socket.gethostname() or _start_of(int(pid)) == start


def claim_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note that this process executes a run that Dagster has launched, so that its death is noticed."""
    instances.add_run_tags(instance, run_id, {PROCESS_TAG: process_identity(), CLAIM_TAG: run_id})


def bury_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed whose process is gone, and free their places in pools.

    Returns:
        Ids of the runs that were marked.
    """
    buried = []
    for run in instances.runs_with_status(instance, _UNFINISHED):
        identity = run.tags.get(PROCESS_TAG)
        if identity is None or run.tags.get(CLAIM_TAG, run.run_id) != run.run_id or is_alive(identity):
            continue
        message = f"The process that executed this run ({identity}) is gone."
        instances.end_as_failed(instance, run, message)
        buried.append(run.run_id)
    return buried


def _start_of(pid: int) -> str:
    """When a process started, in clock ticks since boot; "" when there is no such process (or no /proc)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _sign_of_life(pid)
    return stat.rpartition(")")[2].split()[19]  # field 22 of the file; the name before it may hold spaces


def _sign_of_life(pid: int) -> str:
    """Without /proc: "unknown" for a process that exists, "" otherwise."""
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return "unknown"
