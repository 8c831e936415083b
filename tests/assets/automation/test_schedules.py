"""What starts by the clock, and that testing a model again fits no window."""

from datetime import UTC, datetime

import dagster as dg

from mmm_assets.automation import schedules
from mmm_assets.definitions import build_defs
from mmm_assets.pages.publication import Publication
from tests.assets.refreshes.test_failures import history_of


def test_every_schedule_and_sensor_is_on_by_default():
    """`mmm ui` alone is enough."""
    defs = build_defs()
    for schedule in defs.schedules:
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    for sensor in defs.sensors:
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert {s.name for s in defs.schedules} == {
        "nightly_portfolio",
        "daily_punctuality",
        "weekly_trust",
        "nightly_forgetting",
    }
    assert {s.name for s in defs.sensors} == {
        "new_data",
        "stages",
        "broken_refreshes",
        "failure_notices",
        "hourly_forgetting",
    }


def test_the_weekly_schedule_asks_for_every_published_client(home, open_home, data_dir, refresh, sampler):
    """Without new windows, with the week as the seed, once a week; a client without a model is left out."""
    refresh("shop", windows=("full",))
    sampler.unhealthy.add("full")
    refresh("app", windows=("full",))
    recorded = open_home(home)
    recorded.add_dynamic_partitions("client", ["shop", "app", "never"])
    asked = []
    for day in (1, 8):
        # a resource given at the call would make a second context, which nobody closes
        with dg.build_schedule_context(
            instance=recorded,
            resources={"publication": Publication(root=str(home))},
            scheduled_execution_time=datetime(2026, 3, day, 2, tzinfo=UTC),
        ) as context:
            asked += list(schedules.weekly_trust(context))
    assert [request.partition_key for request in asked] == ["shop", "shop"]
    assert [r.run_config["resources"]["sampler"]["config"]["seed"] for r in asked] == [202609, 202610]
    assert len({request.run_key for request in asked}) == 2


def test_judging_again_fits_no_window_and_is_recorded(refresh, sampler, instance, home, data_dir):
    """New recovery and stability; history and report follow as after any fleet (test_stages.py)."""
    refresh("shop", windows=("full", "h04"))
    first = Publication(root=str(home)).status("shop")
    del sampler.fitted[:]
    defs = build_defs()
    alone = [dg.AssetKey("recovery_scores"), dg.AssetKey("stability_scores")]
    seed = {"resources": {"sampler": {"config": {"seed": 202610}}}}
    judged = defs.resolve_job_def("fleets_job").execute_in_process(
        instance=instance, partition_key="shop", asset_selection=alone, run_config=seed
    )
    assert judged.success
    assert sampler.fitted == ["shop recovery"]
    *windows, recovery = [settings.seed for settings in sampler.settings]
    assert recovery == 202610
    assert 202610 not in windows
    assert (
        defs.resolve_job_def("publish_job")
        .execute_in_process(instance=instance, partition_key="shop")
        .success
    )
    status = Publication(root=str(home)).status("shop")
    assert status.published
    assert status.at >= first.at
    assert abs(status.seconds - first.seconds) < 0.1  # the page says how long its refresh took
    rows = history_of(home)
    assert rows.loc[rows["metric"] == "recovery", "run_id"].nunique() == 2
    assert rows.loc[rows["metric"] == "mape", "run_id"].nunique() == 1
