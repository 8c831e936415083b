"""Every run that is queued says which client it is for, wherever it comes from; a client has one at a time."""

import dagster as dg
import pytest

from mmm_assets.dagster_private.execution import job_origin
from mmm_assets.definitions import build_defs
from mmm_assets.launching.local import WarmRunLauncher
from mmm_assets.launching.queue import AGAIN, ClientQueue, priority
from mmm_assets.partitions import client_x_window
from mmm_assets.refreshes import jobs
from mmm_assets.runs import CLIENT_TAG, client_of
from tests.assets.dagster_private.queue_daemon import QueueDaemon


@dg.job
def some_run() -> None:
    """A run without steps."""


@pytest.mark.parametrize(
    ("tags", "client"),
    [
        ({"dagster/partition": "shop"}, "shop"),
        ({"dagster/partition": "shop|h04", "dagster/partition/client": "shop"}, "shop"),
        (
            {
                "dagster/asset_partition_range_start": "shop|full",
                "dagster/asset_partition_range_end": "shop|h12",
            },
            "shop",
        ),
        ({CLIENT_TAG: "app", "dagster/partition": "shop"}, "app"),
        ({"dagster/backfill": "abc"}, None),
    ],
    ids=["client", "window", "windows", "tagged", "none"],
)
def test_the_client_of_a_run_is_read_from_its_tags(tags, client):
    """One partition, a window, a range of windows, or a tag that says it."""
    assert client_of(tags) == client


def test_a_home_queues_runs_with_their_client_and_one_at_a_time(home, open_home):
    """A button's run carries no tag of ours until it is queued; the limit goes by that tag."""
    instance = open_home(home)
    assert type(instance.run_coordinator) is ClientQueue
    run = instance.create_run_for_job(
        some_run, tags={"dagster/partition": "shop|full"}, remote_job_origin=job_origin("some_run")
    )
    submitted = instance.run_coordinator.submit_run(_Context(run))
    assert submitted.status is dg.DagsterRunStatus.QUEUED
    assert submitted.tags[CLIENT_TAG] == "shop"
    (limit,) = instance.get_concurrency_config().run_queue_config.tag_concurrency_limits
    assert (limit["key"], limit["limit"], limit["value"]) == (
        CLIENT_TAG,
        1,
        {"applyLimitPerUniqueValue": True},
    )


def test_the_daemon_of_a_home_makes_a_run_for_each_client(home, open_home):
    """With more clients than windows Dagster would put a window of all of them into one run."""
    instance = open_home(home)
    shops = [f"shop{number}" for number in range(5)]
    instance.add_dynamic_partitions("client", shops)
    assert instance.run_coordinator
    asked = client_x_window.get_partition_keys(dynamic_partitions_store=instance)
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        ranges = client_x_window.subset_with_partition_keys(asked).get_partition_key_ranges(client_x_window)
    assert [(str(one.start), str(one.end)) for one in ranges] == [
        (f"{shop}|full", f"{shop}|h12") for shop in shops
    ]


class Queue:
    """The queue of a home, with Dagster's daemon that empties it; runs go to nobody."""

    def __init__(self, instance, launched) -> None:
        self._instance, self._launched = instance, launched
        self._daemon = QueueDaemon(instance)

    def ask(self, makes: tuple[str, ...] = (), **tags: str) -> str:
        """Queue a run that is to make some assets; its id."""
        tags = {name.replace("__", "/"): value for name, value in tags.items()}
        run = self._instance.create_run_for_job(some_run, tags=tags, remote_job_origin=job_origin("some_run"))
        run = run._replace(asset_selection=frozenset(dg.AssetKey(name) for name in makes) or None)
        return self._instance.run_coordinator.submit_run(_Context(run)).run_id

    def launched_now(self) -> list[str]:
        """What the daemon launches when it looks."""
        before = len(self._launched)
        self._daemon.look()
        return self._launched[before:]

    def end(self, run_id: str, how: str = "report_run_failed") -> None:
        """End a run."""
        getattr(self._instance, how)(self._instance.get_run_by_id(run_id))


@pytest.fixture
def queue(home, open_home, monkeypatch) -> Queue:
    """An empty queue."""
    launched: list[str] = []
    monkeypatch.setattr(
        WarmRunLauncher, "launch_run", lambda self, context: launched.append(context.dagster_run.run_id)
    )
    return Queue(open_home(home), launched)


def test_two_workers_are_never_given_the_same_client(queue):
    """The sensor, a button and a backfill ask for one client at once: the others wait, other clients do not."""
    by_sensor = queue.ask(mmm__client="shop", dagster__partition="shop")
    by_button = queue.ask(dagster__partition="shop|full")
    by_backfill = queue.ask(
        dagster__asset_partition_range_start="shop|full", dagster__asset_partition_range_end="shop|h12"
    )
    of_another = queue.ask(dagster__partition="app")
    assert queue.launched_now() == [by_sensor, of_another]
    assert queue.launched_now() == []
    queue.end(by_sensor)
    assert queue.launched_now() == [by_button]
    queue.end(by_button, "report_run_canceled")
    assert queue.launched_now() == [by_backfill]


def test_the_queue_waits_for_the_run_of_a_command(queue):
    """`mmm refresh` executes its runs itself; they carry the same tag."""
    of_command = queue._instance.create_run_for_job(
        some_run, tags={CLIENT_TAG: "shop"}, status=dg.DagsterRunStatus.STARTED
    )
    waiting = queue.ask(dagster__partition="shop")
    assert queue.launched_now() == []
    queue.end(of_command.run_id)
    assert queue.launched_now() == [waiting]


def test_a_repeated_run_goes_ahead_of_what_waits(queue):
    """It lost its worker after hours of waiting for one: it does not begin to wait again, in Celery's queue neither."""
    lost = queue.ask(dagster__partition="shop")
    assert queue.launched_now() == [lost]
    queue.end(lost)
    others = [queue.ask(dagster__partition=f"app{number}") for number in range(3)]
    again = queue.ask(dagster__partition="shop", dagster__parent_run_id=lost)
    assert queue.launched_now() == [again, *others]
    tags = queue._instance.get_run_by_id(again).tags
    assert {**tags, **priority(AGAIN)} == tags
    assert not set(priority(AGAIN)) & set(queue._instance.get_run_by_id(others[0]).tags)


def test_a_client_that_is_fitted_is_published_before_others_are_fitted(queue):
    """What is nearest to a page goes first; windows, which take longest, last. Four runs at a time leave the queue."""
    fits = [
        queue.ask(makes=("fitted_posterior", "parameters"), dagster__partition=f"{client}|full")
        for client in ("app", "bar")
    ]
    fleets = queue.ask(makes=("recovery_scores", "forecast"), dagster__partition="web")
    page = queue.ask(makes=("metric_history", "report"), dagster__partition="shop")
    rows = queue.ask(makes=("client_data",), dagster__partition="new")
    assert queue.launched_now() == [page, fleets, rows, fits[0]]


def test_the_page_of_all_clients_does_not_wait_for_fits(queue):
    """It is asked for every ten minutes of a busy night: people look at it while the night goes on."""
    fits = [
        queue.ask(makes=("fitted_posterior",), dagster__partition=f"app{number}|full") for number in range(4)
    ]
    page = queue.ask(makes=("portfolio",))
    assert queue.launched_now() == [page, *fits[:3]]


@pytest.mark.parametrize(
    ("job", "level"), [(jobs.PORTFOLIO, 3), (jobs.PUBLISH, 2), (jobs.FLEETS, 1), (jobs.DATA, 1)]
)
def test_a_part_of_a_stage_goes_ahead_as_the_whole_does(queue, job, level):
    """What is ready first is asked for first: a refresh may have its scores in one run, its report in the next."""
    made = build_defs().resolve_job_def(job.name).asset_layer.selected_asset_keys
    for one in sorted(key.to_user_string() for key in made):
        run = queue.ask(makes=(one,), dagster__partition="shop")
        assert priority(level).items() <= queue._instance.get_run_by_id(run).tags.items(), one


def test_a_repeated_run_does_not_keep_the_level_of_the_first(queue):
    """It inherits its tags."""
    again = queue.ask(dagster__partition="shop", dagster__parent_run_id="gone", **_said(priority(2)))
    assert priority(AGAIN).items() <= queue._instance.get_run_by_id(again).tags.items()


def test_a_level_that_somebody_has_chosen_stays(queue):
    """From the interface."""
    chosen = queue.ask(makes=("report",), dagster__partition="shop", dagster__priority="-1")
    assert queue._instance.get_run_by_id(chosen).tags["dagster/priority"] == "-1"


def test_runs_of_one_machine_carry_no_tag_of_celery(queue):
    """There is none: whoever looks at a run would wonder."""
    again = queue.ask(dagster__partition="shop", dagster__parent_run_id="gone")
    assert not [name for name in queue._instance.get_run_by_id(again).tags if "celery" in name]


def _said(tags: dict[str, str]) -> dict[str, str]:
    return {name.replace("/", "__"): value for name, value in tags.items()}


class _Context:
    def __init__(self, run: dg.DagsterRun) -> None:
        self.dagster_run = run
