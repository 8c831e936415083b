"""Which process executes a run, and the end of runs whose process is gone."""

import subprocess

import dagster as dg

from mmm_assets.launching.processes import claim_run, end_dead_runs, is_alive, process_identity
from mmm_assets.runs import PROCESS_TAG


def dead_process() -> str:
    """Identity of a process that has ended."""
    with subprocess.Popen(["sleep", "60"]) as process:
        identity = process_identity(process.pid)
        process.kill()
    return identity


def test_this_process_is_alive_and_an_ended_one_is_not():
    """Told by host, process id and start."""
    assert is_alive(process_identity())
    assert not is_alive(dead_process())


def test_a_process_id_that_is_used_again_is_another_process():
    """The start differs."""
    host, pid, start = process_identity().rsplit(":", 2)
    assert not is_alive(f"{host}:{pid}:{int(start) - 1}")


def test_a_process_on_another_host_is_left_alone():
    """Nobody can tell from here."""
    assert is_alive("elsewhere:1:1")


def test_runs_of_a_killed_process_end_as_failed_and_free_their_pool(home, open_home):
    """Otherwise every later fit would wait for a slot that nobody gives back."""
    instance = open_home(home)
    instance.event_log_storage.initialize_concurrency_limit_to_default("mcmc")
    runs = {}
    for name, identity in {"dead": dead_process(), "alive": process_identity(), "unknown": None}.items():
        tags = {PROCESS_TAG: identity} if identity else {}
        runs[name] = instance.create_run_for_job(_job, status=dg.DagsterRunStatus.STARTED, tags=tags).run_id
    claim = instance.event_log_storage.claim_concurrency_slot("mcmc", runs["dead"], "fitted_posterior")
    assert claim.is_claimed
    assert end_dead_runs(instance) == [runs["dead"]]
    status = {name: instance.get_run_by_id(run).status.value for name, run in runs.items()}
    assert status == {"dead": "FAILURE", "alive": "STARTED", "unknown": "STARTED"}
    assert instance.event_log_storage.claim_concurrency_slot(
        "mcmc", runs["alive"], "fitted_posterior"
    ).is_claimed


def test_a_run_whose_process_is_gone_is_ended_and_its_retry_is_not(home, open_home):
    """The retry inherits the tags of the dead run before it says who executes it."""
    instance = open_home(home)
    run = instance.create_run_for_job(_job, status=dg.DagsterRunStatus.STARTED)
    claim_run(instance, run.run_id)
    assert end_dead_runs(instance) == []
    instance.add_run_tags(run.run_id, {PROCESS_TAG: dead_process()})
    inherited = instance.get_run_by_id(run.run_id).tags
    retry = instance.create_run_for_job(_job, status=dg.DagsterRunStatus.STARTED, tags=inherited)
    assert end_dead_runs(instance) == [run.run_id]
    assert end_dead_runs(instance) == []
    claim_run(instance, retry.run_id)
    assert end_dead_runs(instance) == []


@dg.job
def _job():
    """A job without steps."""
