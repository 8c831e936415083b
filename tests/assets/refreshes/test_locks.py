"""One refresh of a client at a time, whether a command runs it or Dagster."""

import os
import threading
import time

import dagster as dg
import pytest

from mmm_assets.dagster_private.execution import job_origin
from mmm_assets.launching.processes import process_identity
from mmm_assets.refreshes import locks
from mmm_assets.refreshes.locks import client_lock, wait_for_others
from mmm_assets.runs import CLIENT_TAG, PROCESS_TAG
from mmm_engine.errors import ConfigError


def test_a_second_refresh_of_a_client_waits_for_the_first(instance):
    """Another client does not wait."""
    order, said = [], []

    def second():
        with client_lock(instance, "shop", said.append):
            order.append("second")

    with client_lock(instance, "shop"):
        thread = threading.Thread(target=second)
        thread.start()
        with client_lock(instance, "app"):
            order.append("other client")
        time.sleep(0.2)
        order.append("first")
    thread.join(5)
    assert order == ["other client", "first", "second"]
    assert said == ["shop: waiting for another command on this client"]


def test_a_lock_is_never_a_path_elsewhere(instance):
    """The id is checked first."""
    with pytest.raises(ConfigError), client_lock(instance, "../evil"):
        pass
    assert os.path.basename(instance.root_directory) not in ("", "/")


def test_a_command_waits_for_a_run_of_the_client_that_dagster_launched(instance, monkeypatch):
    """It says for which; another client's runs and queued ones (which wait for the command) hold nobody up."""
    monkeypatch.setattr(locks, "_LOOK_SECONDS", 0.01)
    said = []

    def run_of(client, status):
        tags = {CLIENT_TAG: client, PROCESS_TAG: process_identity()}
        origin = job_origin("_job")
        return instance.create_run_for_job(_job, status=status, tags=tags, remote_job_origin=origin)

    run_of("app", dg.DagsterRunStatus.STARTED)
    run_of("shop", dg.DagsterRunStatus.QUEUED)
    wait_for_others(instance, "shop", said.append)
    assert said == []
    run = run_of("shop", dg.DagsterRunStatus.STARTED)
    threading.Timer(0.2, lambda: instance.report_run_failed(run)).start()
    wait_for_others(instance, "shop", said.append)
    assert said == [f"shop: waiting for run {run.run_id} (_job)"]
    assert instance.get_run_by_id(run.run_id).is_finished


def test_a_run_whose_process_is_gone_holds_nobody_up(instance):
    """No daemon has to run for it to be ended."""
    dead = process_identity().rpartition(":")[0] + ":1"
    run = instance.create_run_for_job(
        _job, status=dg.DagsterRunStatus.STARTED, tags={CLIENT_TAG: "shop", PROCESS_TAG: dead}
    )
    wait_for_others(instance, "shop", pytest.fail)
    assert instance.get_run_by_id(run.run_id).is_failure


@dg.job
def _job():
    """A job without steps."""
