"""Old runs are forgotten; what was last made of each client is not."""

import os
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from mmm_assets.automation.retention import (
    empty_quarantine,
    forget_old_runs,
    hourly_forgetting,
    superfluous_runs,
)
from mmm_assets.home import open_quietly
from mmm_assets.runs import CLIENT_TAG

SUCCESS, FAILURE, STARTED = (dg.DagsterRunStatus[name] for name in ("SUCCESS", "FAILURE", "STARTED"))


@dg.job
def rows() -> None:
    """A run without steps."""


@dg.job
def windows() -> None:
    """Another one."""


@pytest.fixture
def record(instance):
    """Record a run; they follow each other. Its id."""

    def make(job, client, status=SUCCESS):
        return instance.create_run_for_job(job, status=status, tags={CLIENT_TAG: client}).run_id

    return make


def test_runs_that_were_followed_by_one_that_made_the_same_are_forgotten(instance, record):
    """Of each client and job the last good run stays, and whatever is younger or not over."""
    first, again = record(rows, "shop"), record(rows, "shop")
    failed, other = record(rows, "shop", FAILURE), record(rows, "app")
    fit, going = record(windows, "shop"), record(windows, "shop", STARTED)
    now = datetime.now(UTC)
    gone = set(superfluous_runs(instance, now + timedelta(seconds=1)))
    assert gone == {first, failed}
    assert not gone & {again, other, fit, going}
    assert list(superfluous_runs(instance, now - timedelta(days=1))) == []


def test_a_good_run_after_the_limit_frees_the_last_one_before_it(instance, record):
    """Nightly refreshes: the run of sixty-one nights ago has been followed by sixty others."""
    old = record(rows, "shop")
    limit = datetime.now(UTC)
    record(rows, "shop", FAILURE)
    assert list(superfluous_runs(instance, limit)) == []
    record(rows, "shop")
    assert list(superfluous_runs(instance, limit)) == [old]


def test_forgetting_frees_the_disk(home, monkeypatch):
    """Run, events and the file that SQLite had for them."""
    monkeypatch.setattr("mmm_assets.automation.retention.KEEP_DAYS", -1.0)
    with open_quietly(home) as instance:
        ids = [rows.execute_in_process(instance=instance, tags={CLIENT_TAG: "shop"}).run_id for _ in range(3)]
        assert forget_old_runs.execute_in_process(instance=instance).success
        left = [run.run_id for run in instance.get_runs() if run.job_name == "rows"]
    assert left == ids[-1:]
    assert {path.stem for path in (home / "history" / "runs").glob("*.db")} & set(ids) == {ids[-1]}


@dg.asset(automation_condition=dg.AutomationCondition.on_missing())
def number() -> None:
    """An asset whose condition is evaluated."""


@pytest.mark.parametrize(("keep", "kept"), [(timedelta(hours=1), 1), (-timedelta(hours=1), 0)])
def test_evaluations_of_conditions_go_after_some_hours(home, monkeypatch, keep, kept):
    """They are larger than the runs that they led to; Dagster keeps them for 30 days."""
    monkeypatch.setattr("mmm_assets.automation.retention.KEEP_EVALUATIONS", keep)
    with open_quietly(home) as instance:
        (result,) = dg.evaluate_automation_conditions(defs=[number], instance=instance).results
        evaluation = result.serializable_evaluation.with_run_ids(set())
        instance.schedule_storage.add_auto_materialize_asset_evaluations(1, [evaluation])
        with dg.build_sensor_context(instance=instance) as context:
            hourly_forgetting(context)
        left = instance.schedule_storage.get_auto_materialize_asset_evaluations(number.key, limit=9)
    assert len(left) == kept


def test_the_quarantine_does_not_grow_without_end(tmp_path):
    """What came there lately stays (the time of the move counts, not that of the file); what is old goes."""
    path = tmp_path / "storage" / "forecast" / "shop.parquet.1"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    os.utime(path, (0, 0))
    assert empty_quarantine(tmp_path, days=1) == 0
    assert path.exists()
    assert empty_quarantine(tmp_path, days=-1) == 1
    assert not path.exists()
    assert empty_quarantine(tmp_path / "none", days=1) == 0


def test_the_quarantine_of_results_elsewhere_is_emptied_too(home, tmp_path, monkeypatch):
    """A folder in $MMM_STORAGE has a quarantine of its own."""
    monkeypatch.setattr("mmm_assets.automation.retention.KEEP_DAYS", -1.0)
    monkeypatch.setenv("MMM_STORAGE", str(tmp_path / "mounted"))
    damaged = [root / "quarantine" / "shop.parquet.1" for root in (home, tmp_path / "mounted")]
    for path in damaged:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"damaged")
    with open_quietly(home) as instance:
        assert forget_old_runs.execute_in_process(instance=instance).success
    assert not any(path.exists() for path in damaged)
