"""Runs that a command executes itself are shown and can be repeated like those that Dagster launched."""

from pathlib import Path

import dagster as dg
import yaml

from mmm_assets.dagster_private import execution
from mmm_assets.definitions import defs

ROOT = Path(__file__).resolve().parents[3]


@dg.asset
def first() -> int:
    """An asset."""
    return 1


@dg.asset(deps=[first])
def second() -> int:
    """An asset behind it, which fails."""
    raise ValueError("no")


JOB = dg.Definitions(
    assets=[first, second],
    jobs=[dg.define_asset_job("both", tags={"of": "job"})],
    executor=dg.in_process_executor,
).resolve_job_def("both")


def test_a_run_names_the_location_that_the_workspace_has():
    """The interface looks a run's job up by these names; the button to re-execute needs it."""
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    repository = execution.job_origin("windows_job").repository_origin
    location = repository.code_location_origin
    assert location.location_name == workspace["location_name"]
    assert location.loadable_target_origin.module_name == workspace["module_name"]
    assert location.loadable_target_origin.attribute == workspace["attribute"]
    assert repository.repository_name == defs.get_repository_def().name


def test_a_job_executed_here_is_recorded_with_origin_tags_and_failure(instance):
    """The failure is in the result; the run says where it came from."""
    result = execution.execute_here(JOB, instance, tags={"mmm/client": "ms"}, run_config={})
    assert not result.success
    run = instance.get_run_by_id(result.run_id)
    assert run.remote_job_origin == execution.job_origin("both")
    assert (run.tags["mmm/client"], run.tags["of"]) == ("ms", "job")
    assert [event.asset_key.to_user_string() for event in result.get_asset_materialization_events()] == [
        "first"
    ]


def test_some_assets_of_a_job_are_executed_alone(instance):
    """The run knows which, so that it is repeated with these."""
    only = [dg.AssetKey("first")]
    result = execution.execute_here(JOB, instance, tags={}, run_config={}, only=only)
    assert result.success
    assert instance.get_run_by_id(result.run_id).asset_selection == {dg.AssetKey("first")}
