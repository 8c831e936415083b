"""The catalogue says of a report when it is not the newest word, also when nothing was made."""

from datetime import UTC, datetime

import dagster as dg
import pandas as pd
import pytest

from mmm_assets.automation.schedules import look_for_late_rows
from mmm_assets.checks import evaluations
from mmm_assets.checks.standing import NEWEST_RESULTS, ROWS_IN_TIME, say_refused
from mmm_assets.dagster_private.instances import events_of_run, latest_execution, record_evaluation
from mmm_assets.storage.resources import MetricHistory
from mmm_engine.history.store import History
from mmm_engine.scores.verdict import not_judged
from tests.assets.conftest import append_weeks, break_client

FIRST = pd.Timestamp("2026-01-05")


def latest(instance, spec: dg.AssetCheckSpec, client: str = "shop") -> dg.AssetCheckEvaluation:
    """The evaluation that the catalogue shows."""
    execution = latest_execution(instance, spec.key, client)
    assert execution is not None
    return execution.evaluation


def test_newest_results_fails_when_rows_are_refused_and_passes_after_good_ones(refresh, instance, data_dir):
    """The page's check turns although no report was made, names why, and turns back."""
    assert refresh(windows=["full"]).succeeded
    assert latest(instance, NEWEST_RESULTS).passed
    sound = (data_dir / "shop.csv").read_text()
    break_client(data_dir, "shop")
    refresh(windows=["full"])
    refused = latest(instance, NEWEST_RESULTS)
    assert (refused.passed, refused.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "the last refresh was refused: client 'shop'" in refused.description
    assert refused.target_materialization_data is not None  # the page in place
    append_weeks(data_dir, "shop")
    refresh(windows=["full"])  # refused for the second time
    assert not latest(instance, NEWEST_RESULTS).passed
    (data_dir / "shop.csv").write_text(sound)
    append_weeks(data_dir, "shop")
    assert refresh(windows=["full"]).succeeded
    assert latest(instance, NEWEST_RESULTS).passed
    in_time = latest(instance, ROWS_IN_TIME)
    assert (in_time.passed, in_time.metadata["outcome"].value) == (False, "not judged")  # rows came twice


def test_a_client_without_partition_gets_no_evaluation(instance):
    """It would stand in the catalogue for ever."""
    say_refused(instance, "nobody", ["why"], "")
    assert latest_execution(instance, NEWEST_RESULTS.key, "nobody") is None


@pytest.fixture
def recorded(tmp_path, instance) -> MetricHistory:
    """Three weekly refreshes of "shop" and "late", the last a day and thirty days ago."""
    instance.add_dynamic_partitions("client", ["shop", "late"])
    history, now = (
        History(tmp_path / "metric_history.duckdb"),
        pd.Timestamp(datetime.now(UTC)).tz_localize(None),
    )
    for client, ago in {"shop": 1, "late": 30, "gone": 400}.items():
        for number in range(3):
            at = now - pd.Timedelta(days=ago + 7 * (2 - number))
            history.append(
                pd.DataFrame(
                    {
                        "client": [client], "window": "full", "split": "all", "channel": "all", "metric": "rhat_max",
                        "value": 1.0, "unit": "score", "cutoff": FIRST + pd.Timedelta(weeks=number),
                        "horizon": 0, "data_version": "d", "config_version": "c", "engine_version": "e",
                        "run_id": f"{client}-{number}", "recorded_at": at,
                    }
                )
            )  # fmt: skip
    return MetricHistory(path=str(tmp_path / "metric_history.duckdb"))


def test_rows_in_time_fails_once_when_they_are_late(instance, recorded):
    """By each client's rhythm, recorded once, also after nothing could be judged; no client that is not registered."""
    unknown = evaluations.of_verdict(ROWS_IN_TIME, "late", not_judged("rows_in_time", "rows came twice"))
    record_evaluation(instance, unknown, "")
    job = dg.Definitions(jobs=[look_for_late_rows], resources={"history": recorded}).resolve_job_def(
        "look_for_late_rows"
    )
    for _ in range(2):
        assert job.execute_in_process(instance=instance).success
    evaluation = latest(instance, ROWS_IN_TIME, "late")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "last new rows 30 days ago; they come every 7 days" in evaluation.description
    for client in ("shop", "gone"):
        assert latest_execution(instance, ROWS_IN_TIME.key, client) is None
    assert sum(len(recorded_by(instance, run.run_id)) for run in instance.get_runs()) == 1


def recorded_by(instance, run_id: str) -> list[dg.DagsterEvent]:
    """Evaluations of a run."""
    return events_of_run(instance, run_id, {dg.DagsterEventType.ASSET_CHECK_EVALUATION})
