"""What starts by the clock, and that testing a model again fits no window."""

from datetime import UTC, datetime

import dagster as dg

from mmm_assets.automation import schedules
from mmm_assets.definitions import build_defs
from mmm_assets.pages.publication import Publication
from mmm_assets.refreshes.chain import RefreshOptions, judge_client
from mmm_assets.storage.resources import ClientFiles
from mmm_assets.storage.results import ResultStore
from tests.assets.refreshes.test_failures import history_of


def test_every_schedule_and_sensor_is_on_by_default():
    """`mmm ui` alone is enough."""
    defs = build_defs()
    for schedule in defs.schedules:
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    for sensor in defs.sensors:
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert {s.name for s in defs.schedules} == {"nightly_portfolio", "weekly_trust"}
    assert {s.name for s in defs.sensors} == {"new_data", "failure_notices"}


def test_the_weekly_schedule_asks_for_every_client(home, open_home, data_dir, monkeypatch):
    """In batches, without new windows, with the week as the seed, and once a week."""
    instance = open_home(home)
    monkeypatch.setattr(schedules, "CLIENTS_PER_RUN", 1)
    instance.add_dynamic_partitions("client", ["shop", "app"])
    asked = []
    for day in (1, 8):
        # a resource given at the call would make a second context, which nobody closes
        with dg.build_schedule_context(
            instance=instance,
            resources={"client_files": ClientFiles(data_dir=str(data_dir))},
            scheduled_execution_time=datetime(2026, 3, day, 2, tzinfo=UTC),
        ) as context:
            asked += list(schedules.weekly_trust(context))
    batches = [request.run_config["ops"]["refresh_batch"]["config"] for request in asked]
    assert sorted(client for batch in batches for client in batch["clients"]) == [
        "app",
        "app",
        "shop",
        "shop",
    ]
    assert all(batch["judge_only"] for batch in batches)
    assert [batch["sampler"]["seed"] for batch in batches] == [202609, 202609, 202610, 202610]
    assert len({request.run_key for request in asked}) == 4
    assert dg.validate_run_config(build_defs().resolve_job_def("refresh_clients"), asked[0].run_config)


def test_judging_again_fits_no_window_and_publishes(refresh, sampler, instance, home):
    """New recovery and stability, recorded beside the old; the report is rendered again."""
    refresh("shop", windows=("full", "h04"))
    first = Publication(root=str(home)).status("shop")
    del sampler.fitted[:]
    outcome = judge_client(
        "shop",
        instance=instance,
        find_job=build_defs().resolve_job_def,
        results=ResultStore(root=str(home)),
        options=RefreshOptions(log_level="CRITICAL", sampler={"seed": 202610}),
    )
    assert outcome.succeeded, outcome.failures
    assert sampler.fitted == ["shop recovery"]
    *windows, recovery = [settings.seed for settings in sampler.settings]
    assert recovery == 202610
    assert 202610 not in windows
    status = Publication(root=str(home)).status("shop")
    assert status.published
    assert status.at >= first.at
    rows = history_of(home)
    assert rows.loc[rows["metric"] == "recovery", "run_id"].nunique() == 2
    assert rows.loc[rows["metric"] == "mape", "run_id"].nunique() == 1


def test_a_client_without_a_model_is_left_out(refresh, sampler, instance, home):
    """Neither an unknown client nor one whose full fit failed costs a run."""
    sampler.unhealthy.add("full")
    refresh("shop", windows=("full",))
    before = instance.get_runs_count()
    for client in ("shop", "app"):
        outcome = judge_client(
            client,
            instance=instance,
            find_job=build_defs().resolve_job_def,
            results=ResultStore(root=str(home)),
            options=RefreshOptions(log_level="CRITICAL"),
        )
        assert outcome.succeeded
        assert outcome.left_out
    assert instance.get_runs_count() == before
