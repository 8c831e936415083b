"""What the platform asks of an instance beyond its documented methods still answers as it did."""

import dagster as dg
import pytest
from dagster import DagsterEventType

from mmm_assets.dagster_private import instances


@dg.asset
def number() -> int:
    """An asset to record."""
    return 1


@dg.asset_check(asset=number)
def is_one(number: int) -> dg.AssetCheckResult:
    """A check to record."""
    return dg.AssetCheckResult(passed=number == 1)


@dg.job
def no_steps():
    """A job without steps."""


@pytest.fixture
def recorded(instance):
    """A run that stored the asset and evaluated its check."""
    job = dg.Definitions(
        assets=[number], asset_checks=[is_one], jobs=[dg.define_asset_job("all_of_it")]
    ).resolve_job_def("all_of_it")
    result = job.execute_in_process(instance=instance)
    assert result.success
    return result.run_id


def test_a_home_is_opened_with_some_settings_replaced(home):
    """Dagster would start processes for each step of a refresh; what its settings say otherwise stays."""
    with instances.open_with(home, {"compute_logs": instances.NO_CAPTURE}) as opened:
        assert type(opened.compute_log_manager).__name__ == "NoOpComputeLogManager"
        assert instances.root_directory(opened) == home
        assert not opened.telemetry_enabled


def test_runs_are_found_by_status_tagged_and_ended_from_outside(instance):
    """What ends runs of killed processes needs all four."""
    run_id = instance.create_run_for_job(no_steps, status=dg.DagsterRunStatus.STARTED).run_id
    instances.add_run_tags(instance, run_id, {"mmm/client": "ms"})
    (run,) = instances.runs_with_status(instance, [dg.DagsterRunStatus.STARTED])
    assert (run.run_id, run.tags["mmm/client"]) == (run_id, "ms")
    instances.end_as_failed(instance, run, "its process is gone")
    ended = instance.get_run_by_id(run_id)
    assert ended.status is dg.DagsterRunStatus.FAILURE
    assert not instances.runs_with_status(instance, [dg.DagsterRunStatus.STARTED])
    (event,) = instances.events_of_run(instance, run_id, [DagsterEventType.RUN_FAILURE])
    assert event.message == "its process is gone"


def test_events_of_a_run_come_by_kind(instance, recorded):
    """Only the kinds that were asked for."""
    events = instances.events_of_run(instance, recorded, [DagsterEventType.ASSET_CHECK_EVALUATION])
    assert [event.asset_check_evaluation_data.check_name for event in events] == ["is_one"]


def test_the_latest_execution_of_a_check_is_that_of_its_partition(instance):
    """An evaluation of another partition, or of another check, is not taken for it."""
    key = dg.AssetCheckKey(dg.AssetKey("rows"), "sound")
    parts = dg.StaticPartitionsDefinition(["ms", "harbor"])

    @dg.asset(
        name="rows",
        partitions_def=parts,
        check_specs=[dg.AssetCheckSpec("sound", asset="rows", partitions_def=parts)],
    )
    def rows(context: dg.AssetExecutionContext):
        yield dg.Output(1)
        yield dg.AssetCheckEvaluation(
            asset_key=key.asset_key, check_name="sound", passed=True, partition=context.partition_key
        )
        yield dg.Output(None, output_name="rows_sound")

    assert dg.materialize([rows], instance=instance, partition_key="ms").success
    assert instances.latest_execution(instance, key, "ms").evaluation.passed
    assert instances.latest_execution(instance, key, "harbor") is None


def test_a_judged_materialisation_is_named_by_its_record(instance, recorded):
    """Run, number of the event and its time."""
    (record,) = instance.fetch_materializations(dg.AssetKey("number"), limit=1).records
    judged = instances.judged_materialisation(record)
    assert (judged.run_id, judged.storage_id) == (recorded, record.storage_id)
    assert judged.timestamp == record.timestamp


def test_a_cursor_is_a_place_behind_an_event(instance, recorded):
    """From the beginning the run is still to come, behind its end nothing is."""
    kind = DagsterEventType.RUN_SUCCESS

    def after(storage_id):
        cursor = instances.cursor_behind(storage_id)
        return instance.fetch_run_status_changes(kind, limit=9, cursor=cursor, ascending=True).records

    (ended,) = after(-1)
    assert ended.event_log_entry.run_id == recorded
    assert not after(ended.storage_id)
