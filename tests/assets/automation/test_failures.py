"""A refresh that breaks off marks the client's page, once nothing else will."""

import dagster as dg
import pytest

from mmm_assets.automation.failures import broken_refreshes
from mmm_assets.dagster_private.execution import job_origin
from mmm_assets.definitions import build_defs
from mmm_assets.pages.publication import Publication
from mmm_assets.runs import COMMAND_TAG


@pytest.fixture
def failed(instance):
    """A run of a client whose process is gone."""

    def make(job="windows_job", **tags):
        definition = build_defs().resolve_job_def(job)
        tags = {
            "dagster/partition": "shop",
            **{name.replace("__", "/"): value for name, value in tags.items()},
        }
        run = instance.create_run_for_job(definition, tags=tags, status=dg.DagsterRunStatus.STARTED)
        instance.report_run_failed(run, message="its process was killed (signal 9)")
        return instance.get_run_by_id(run.run_id)

    return make


@pytest.fixture
def tell(instance, home):
    """Hand a failed run to the sensor."""

    def evaluate(run):
        (event,) = [
            record.event_log_entry.dagster_event
            for record in instance.get_records_for_run(run.run_id).records
            if record.event_log_entry.dagster_event
            and record.event_log_entry.dagster_event.event_type_value == "PIPELINE_FAILURE"
        ]
        with dg.build_run_status_sensor_context(
            sensor_name="broken_refreshes", dagster_instance=instance, dagster_run=run, dagster_event=event
        ) as context:
            evaluate.answer = broken_refreshes(
                context.for_run_failure(), publication=Publication(root=str(home))
            )
        return Publication(root=str(home)).status("shop")

    return evaluate


def test_a_run_that_was_killed_marks_its_client(failed, tell):
    """Its status says so, though the run itself could not."""
    status = tell(failed())
    assert not status.published
    assert status.reasons == ("its process was killed (signal 9)",)
    assert isinstance(tell.answer, dg.RunRequest)


@pytest.mark.parametrize(
    "tags",
    [{"dagster__will_retry": "true"}, {COMMAND_TAG: "mmm refresh shop"}, {"dagster__partition": "../evil"}],
    ids=["it is started again", "a command says it itself", "no client of ours"],
)
def test_others_are_left_alone(failed, tell, tags):
    """Nothing is marked."""
    assert tell(failed(**tags)) is None
    assert isinstance(tell.answer, dg.SkipReason)


def test_what_was_judged_meanwhile_stays(refresh, failed, tell, home):
    """The sensor comes late: a report published after the failure is not stale."""
    run = failed("fleets_job")
    assert refresh("shop", windows=("full",)).succeeded
    assert tell(run).published


def test_a_step_that_has_marked_the_client_is_not_said_again(refresh, sampler, instance, home, tell):
    """A refused report names the check; its run's failure does not replace that."""
    sampler.unhealthy.add("full")
    refresh("shop", windows=("full",))
    job = build_defs().resolve_job_def("publish_job")
    result = job.execute_in_process(instance=instance, partition_key="shop", raise_on_error=False)
    before = Publication(root=str(home)).status("shop")
    assert tell(instance.get_run_by_id(result.run_id)) == before
    assert any("sampler_converged" in reason for reason in before.reasons)


def test_refused_rows_are_told_on_the_page_of_all_clients(failed, tell, instance):
    """It said "usable" of a client whose file was refused, until another client's report or the morning came."""
    tell(failed("client_data_job"))
    assert isinstance(tell.answer, dg.RunRequest)
    portfolio = build_defs().resolve_job_def("portfolio_job")
    waiting = instance.create_run_for_job(
        portfolio, status=dg.DagsterRunStatus.QUEUED, remote_job_origin=job_origin("portfolio_job")
    )
    tell(failed("client_data_job", dagster__partition="app"))
    assert isinstance(tell.answer, dg.SkipReason)  # the run that waits will see both
    instance.report_run_canceled(waiting)
    tell(failed("client_data_job", dagster__partition="web"))
    assert isinstance(tell.answer, dg.RunRequest)
