"""One refresh of a client at a time among the commands of a machine.

Here: the lock of a client, held for a whole chain of runs; waiting until nothing is under way for it.
Not here: keeping single runs of a client apart, from wherever they come (launching/queue.py).
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg

from mmm_assets.dagster_private import instances
from mmm_assets.launching.processes import end_dead_runs
from mmm_assets.runs import CLIENT_TAG
from mmm_engine.client.config import check_client_id
from mmm_engine.files.atomic_write import make_private_folder

_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_LOOK_SECONDS = 2.0


@contextmanager
def client_lock(
    instance: dg.DagsterInstance, client: str, say: Callable[[str], object] = str
) -> Iterator[None]:
    """Hold the client for this process; a second command on it waits here, and says so, until the first is done."""
    folder = instances.root_directory(instance) / "locks"
    make_private_folder(folder)
    with (folder / f"{check_client_id(client)}.lock").open("w") as handle:
        try:  # freed by the kernel when the process ends, however it ends
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{client}: waiting for another command on this client")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def client_at_rest(
    instance: dg.DagsterInstance, client: str, say: Callable[[str], object] = str
) -> Iterator[None]:
    """Hold the client while nothing is under way for it, whoever began that.

    For what a run that ends later would undo: it would write results of a client that was removed.
    """
    with client_lock(instance, client, say):
        wait_for_others(instance, client, say)
        yield


def wait_for_others(instance: dg.DagsterInstance, client: str, say: Callable[[str], object]) -> None:
    """Wait until no run of the client is under way that Dagster has launched; runs whose process is gone end here.

    The queue waits for the runs of commands in the same way: both go by the client's tag.
    """
    under_way = dg.RunsFilter(tags={CLIENT_TAG: client}, statuses=_UNDER_WAY)
    told = False
    while (others := instance.get_runs(filters=under_way)) and not set(end_dead_runs(instance)) >= {
        run.run_id for run in others
    }:
        if not told:
            say(f"{client}: waiting for run {others[0].run_id} ({others[0].job_name})")
        told = True
        time.sleep(_LOOK_SECONDS)
