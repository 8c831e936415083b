"""A run that waits for a place in a pool leaves the processor to the run that has it."""

import threading

import dagster as dg
import pytest
from dagster._core.execution.plan import instance_concurrency_context
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

from mmm_assets.dagster_private import waiting
from mmm_assets.dagster_private.execution import execute_here
from mmm_assets.definitions import defs

POOL, HOLDER = "fits", ("of another run", "fit")


@dg.asset(pool=POOL)
def fit() -> None:
    """An asset that needs a place."""


def fits(executor: dg.ExecutorDefinition) -> dg.JobDefinition:
    """A job of that asset."""
    return dg.Definitions(
        assets=[fit], jobs=[dg.define_asset_job("fits")], executor=executor
    ).resolve_job_def("fits")


JOB = fits(waiting.patient_executor)


@pytest.fixture(autouse=True)
def _stock_again(monkeypatch):
    """Other tests get what they had."""
    monkeypatch.setattr(instance_concurrency_context, "_calculate_timeout_interval", waiting._stock_interval)
    monkeypatch.setattr(
        InstanceConcurrencyContext, "interval_to_next_pending_claim_check", waiting._stock_wait
    )
    monkeypatch.setattr(InstanceConcurrencyContext, "claim", waiting._stock_claim)


@pytest.fixture
def looks(home, open_home, monkeypatch):
    """A function: how often a run asks for a place that another run gives back after a second."""
    instance = open_home(home)
    events = instance.event_log_storage
    stock = waiting._stock_claim

    def count(executor: dg.ExecutorDefinition) -> int:
        asked = []
        counted = lambda *arguments, **named: asked.append(1) or stock(*arguments, **named)  # noqa: E731
        monkeypatch.setattr(InstanceConcurrencyContext, "claim", counted)
        monkeypatch.setattr(waiting, "_stock_claim", counted)
        events.set_concurrency_slots(POOL, 1)
        assert events.claim_concurrency_slot(POOL, *HOLDER).is_claimed
        gives_back = threading.Timer(1.0, events.free_concurrency_slot_for_step, HOLDER)
        gives_back.start()
        result = execute_here(fits(executor), instance, tags={}, run_config={})
        gives_back.join()
        assert result.success
        return len(asked)

    return count


def test_dagster_would_ask_without_a_pause(looks):
    """The reason for this module: a core of the machine is busy with asking."""
    assert looks(dg.in_process_executor) > 100


def test_a_run_looks_twice_a_second(looks):
    """And has its place within half a second after it was given back."""
    assert 2 <= looks(waiting.patient_executor) <= 5


def test_a_wait_is_told_to_the_log_of_the_run_and_to_who_listens(home, open_home):
    """Dagster shows a run that seems to fit."""
    instance = open_home(home)
    events = instance.event_log_storage
    holder = instance.create_run_for_job(JOB, tags={"dagster/partition": "ms"})
    events.set_concurrency_slots(POOL, 1)
    events.claim_concurrency_slot(POOL, holder.run_id, "fit")
    told = []

    def tell(reason):
        told.append(reason)
        events.free_concurrency_slot_for_step(holder.run_id, "fit")

    with waiting.told_of_waits(tell):
        result = execute_here(JOB, instance, tags={}, run_config={})
    assert result.success
    assert told == ["waits for a place in pool 'fits' (1 in all; ms has it)", ""]
    assert f"fit {told[0]}" in [entry.message for entry in instance.all_logs(result.run_id)]
    with waiting.told_of_waits(told.append):
        execute_here(JOB, instance, tags={}, run_config={})
    assert len(told) == 2  # there was a place


def test_every_job_waits_like_that():
    """Under the name that Dagster's configuration of runs has for it."""
    executors = {job.executor_def for job in defs.get_repository_def().get_all_jobs()}
    assert executors == {waiting.patient_executor}
    assert waiting.patient_executor.name == dg.in_process_executor.name
