"""Runs in processes of their own: they start warm, end when asked to, and their death costs nobody else anything."""

import faulthandler
import multiprocessing
import os
import signal
import time
from multiprocessing import forkserver

import pytest

from mmm_assets.dagster_private.execution import code_origin, job_origin
from mmm_assets.dagster_private.launching import WorkerStatus
from mmm_assets.definitions import build_defs
from mmm_assets.launching import local
from mmm_assets.launching.local import WarmRunLauncher, death
from mmm_assets.launching.processes import process_identity
from mmm_assets.runs import PROCESS_TAG


def behave(how: str, *_: object) -> None:
    """What a run's process does."""
    match how:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fault":
            faulthandler.disable()  # pytest's would print pages
            os.kill(os.getpid(), signal.SIGSEGV)
        case "gone":
            os._exit(3)
        case "deaf":
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            time.sleep(600)
        case "long":
            signal.signal(signal.SIGINT, signal.default_int_handler)
            time.sleep(600)


@pytest.fixture
def launcher(home, open_home, monkeypatch):
    """The launcher of a home, whose processes behave as told instead of executing runs."""
    instance = open_home(home)
    launcher = instance.run_launcher
    assert type(launcher) is WarmRunLauncher
    launcher._server = multiprocessing.get_context("fork")
    monkeypatch.setattr(local, "GRACE_SECONDS", 0.3)

    def launch(how: str):
        monkeypatch.setattr(local, "execute", lambda *arguments: behave(how))
        run = instance.create_run_for_job(build_defs().resolve_job_def("portfolio_job"))
        launcher.launch_run(type("Context", (), {"dagster_run": run}))
        return run

    launcher.launch = launch
    yield launcher
    for process in launcher._processes.values():
        process.kill()
        process.join()


def ended(launcher, run):
    """The health of a run once its process has ended."""
    launcher._processes[run.run_id].join(10)
    return launcher.check_run_worker_health(run)


@pytest.mark.parametrize(
    ("how", "reason"),
    [("killed", "memory runs out"), ("fault", "Segmentation fault"), ("gone", "exit code 3")],
)
def test_a_death_is_seen_and_said_in_words(launcher, how, reason):
    """Run monitoring asks, fails the run with this reason, and starts it again."""
    run = launcher.launch(how)
    health = ended(launcher, run)
    assert health.status is WorkerStatus.FAILED
    assert reason in health.msg


def test_a_death_is_remembered_while_other_runs_are_launched(launcher):
    """Monitoring looks every ten seconds; a busy launcher starts several runs in between."""
    run = launcher.launch("killed")
    launcher._processes[run.run_id].join(10)
    launcher.launch("long")
    assert "memory runs out" in launcher.check_run_worker_health(run).msg


def test_how_a_process_ended_is_waited_for(launcher, monkeypatch):
    """It is gone at once; the fork server, on a busy machine, says a moment later that it was killed."""
    run = launcher.launch("killed")
    process = launcher._processes[run.run_id]
    process.join(10)
    told = iter([True, False])
    monkeypatch.setattr(process, "is_alive", lambda: next(told, False))
    launcher._instance.add_run_tags(run.run_id, {PROCESS_TAG: process_identity().rpartition(":")[0] + ":1"})
    health = launcher.check_run_worker_health(launcher._instance.get_run_by_id(run.run_id))
    assert health.status is WorkerStatus.FAILED
    assert "its process was killed" in health.msg


@pytest.mark.parametrize("how", ["long", "deaf"])
def test_a_run_that_is_terminated_ends(launcher, how):
    """Interrupted; killed after the grace period when it does not hear that."""
    run = launcher.launch(how)
    time.sleep(0.2)  # until the process has set its handler
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert launcher.terminate(run.run_id)
    assert ended(launcher, run).status is WorkerStatus.FAILED
    assert not launcher.terminate(run.run_id)


def test_a_run_of_an_earlier_daemon_is_known_by_its_process(launcher):
    """It goes on while its process lives, and is failed when that is gone."""
    instance = launcher._instance
    run = instance.create_run_for_job(build_defs().resolve_job_def("portfolio_job"))
    for identity, status in (
        (process_identity(), WorkerStatus.RUNNING),
        (process_identity().rpartition(":")[0] + ":1", WorkerStatus.FAILED),
    ):
        instance.add_run_tags(run.run_id, {PROCESS_TAG: identity})
        assert launcher.check_run_worker_health(instance.get_run_by_id(run.run_id)).status is status


def test_a_death_is_told_with_what_to_do():
    """Signal 9 is mostly memory."""
    assert "sampler.cores" in death(-9)


def test_a_launched_run_is_executed_in_another_process(home, open_home, data_dir, tmp_path, monkeypatch):
    """Through the fork server, which may have been started for another home: the page of all clients is rendered."""
    with monkeypatch.context() as another:
        another.setenv("DAGSTER_HOME", str(tmp_path / "another"))
        forkserver.ensure_running()
    defs = build_defs()
    instance = open_home(home)
    job = defs.resolve_job_def("portfolio_job")
    run = instance.create_run_for_job(
        job, remote_job_origin=job_origin(job.name), job_code_origin=code_origin(job.name)
    )
    instance.run_launcher.launch_run(type("Context", (), {"dagster_run": run}))
    process = instance.run_launcher._processes[run.run_id]
    process.join(120)
    recorded = instance.get_run_by_id(run.run_id)
    assert recorded.is_success
    assert int(recorded.tags[PROCESS_TAG].split(":")[1]) == process.pid != os.getpid()
    assert (home / "storage" / "portfolio" / "portfolio.html").is_file()
