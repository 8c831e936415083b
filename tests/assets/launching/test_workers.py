"""A run whose worker was killed is found out; one that only lost its broker for a while goes on."""

import socket
from types import SimpleNamespace

import dagster as dg
import pytest

from mmm_assets.dagster_private.launching import LaunchRunContext, WorkerStatus
from mmm_assets.launching.processes import process_identity
from mmm_assets.runs import PROCESS_TAG

pytest.importorskip(
    "dagster_celery", reason="the packages of several machines are not installed (make workers)"
)

from dagster_celery.launcher import CeleryRunLauncher, _get_run_priority
from kombu.exceptions import OperationalError

from mmm_assets.launching import workers
from mmm_assets.launching.workers import WorkerRunLauncher

TASK = {"dagster-celery/task_id": "t1"}


@pytest.fixture
def health(monkeypatch):
    """The health of a run whose task is at a state, while some workers are active on some tasks."""

    def check(state, active, tags=TASK, worker="a"):
        def inspect(destination, timeout):
            asked = {
                name: tasks for name, tasks in active.items() if destination is None or name in destination
            }
            return SimpleNamespace(
                active=lambda: {name: [{"id": t} for t in tasks] for name, tasks in asked.items()}
            )

        launcher = WorkerRunLauncher(default_queue="dagster", broker="memory://", backend="cache+memory://")
        result = SimpleNamespace(state=state, info={"hostname": worker} if state == "STARTED" else 0)
        launcher.celery = SimpleNamespace(
            AsyncResult=lambda task: result, control=SimpleNamespace(inspect=inspect)
        )
        return launcher.check_run_worker_health(dg.DagsterRun("job", "run", tags=tags)).status

    return check


@pytest.mark.parametrize(
    ("state", "active", "status"),
    [
        ("STARTED", {"a": ["t1"], "b": []}, WorkerStatus.RUNNING),
        ("STARTED", {"b": []}, WorkerStatus.FAILED),
        ("STARTED", {"a": ["t2"], "b": []}, WorkerStatus.FAILED),
        ("STARTED", {"b": ["t1"]}, WorkerStatus.RUNNING),
        ("SUCCESS", {"a": ["t1"]}, WorkerStatus.RUNNING),
        ("SUCCESS", {"a": []}, WorkerStatus.FAILED),
        ("FAILURE", {}, WorkerStatus.FAILED),
    ],
    ids=[
        "at it",
        "worker gone",
        "worker restarted",
        "named another",
        "given away, goes on",
        "given away",
        "lost",
    ],
)
def test_the_health_of_a_begun_run_is_what_workers_say(health, state, active, status):
    """Celery's own state stays "started" when a worker is killed, and "success" when a second one looked at the run."""
    assert health(state, active) is status


def test_a_run_of_a_command_is_judged_by_its_process(health):
    """`mmm refresh` executes runs itself; they have no task."""
    alive, dead = process_identity(), process_identity().rpartition(":")[0] + ":1"
    assert health("PENDING", {}, {PROCESS_TAG: alive}) is WorkerStatus.RUNNING
    assert health("PENDING", {}, {PROCESS_TAG: dead}) is WorkerStatus.FAILED


@pytest.fixture
def handed_over(monkeypatch):
    """Runs that reached the broker."""
    launched = []
    monkeypatch.setattr(CeleryRunLauncher, "launch_run", lambda self, context: launched.append(context))
    monkeypatch.setattr(workers, "BROKER_SECONDS", 0.05)
    return launched


@pytest.fixture
def without_broker(handed_over):
    """A launcher whose broker is away."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        broker = f"pyamqp://127.0.0.1:{free.getsockname()[1]}//"
    return WorkerRunLauncher(default_queue="dagster", broker=broker, backend="cache+memory://")


def test_a_run_waits_for_a_broker_that_restarts(without_broker, handed_over, caplog):
    """Dagster would fail the run within a second, and the one that repeats it too: the client's refresh would end."""
    connection = without_broker.celery.connection_for_write

    def back_after_three():
        opened = connection()
        connect = opened._establish_connection
        opened._establish_connection = lambda: (
            SimpleNamespace(connected=True, close=lambda: None, collect=lambda: None)
            if len(caplog.records) >= 3
            else connect()
        )
        return opened

    without_broker.celery.connection_for_write = back_after_three
    without_broker.launch_run(LaunchRunContext(dg.DagsterRun("job", "run"), None))
    assert [context.dagster_run.run_id for context in handed_over] == ["run"]
    assert [record.getMessage()[:31] for record in caplog.records] == ["the broker cannot be reached (["] * 3


def test_a_broker_that_stays_away_fails_the_run(without_broker, handed_over, monkeypatch):
    """With the error that says so; nothing is handed over."""
    monkeypatch.setattr(workers, "BROKER_TRIES", 2)
    with pytest.raises(OperationalError):
        without_broker.launch_run(LaunchRunContext(dg.DagsterRun("job", "run"), None))
    assert handed_over == []


@pytest.mark.parametrize(
    ("level", "handed_on"), [(None, 0), ("9", 9), ("0", 0), ("-1", 0), ("99", 10), ("soon", 0)]
)
def test_celery_hears_how_urgent_dagster_finds_a_run(monkeypatch, handed_over, level, handed_on):
    """Runs that waited in Dagster's queue wait again in Celery's, whose priorities reach from 0 to 10."""
    launcher = WorkerRunLauncher(default_queue="dagster", broker="memory://", backend="cache+memory://")
    tags = {} if level is None else {"dagster/priority": level}
    launcher.launch_run(LaunchRunContext(dg.DagsterRun("job", "run", tags=tags), None))
    assert _get_run_priority(handed_over[0].dagster_run) == handed_on
