"""Every run that is queued says which client it is for, wherever it comes from."""

import dagster as dg
import pytest

from mmm_assets.dagster_private.execution import job_origin
from mmm_assets.launching.queue import ClientQueue
from mmm_assets.partitions import client_x_window
from mmm_assets.runs import CLIENT_TAG, client_of


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


class _Context:
    def __init__(self, run: dg.DagsterRun) -> None:
        self.dagster_run = run
