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


@pytest.fixture(autouse=True)
def _stock_again(monkeypatch):
    """Other tests get what they had."""
    monkeypatch.setattr(instance_concurrency_context, "_calculate_timeout_interval", waiting._stock_interval)
    monkeypatch.setattr(
        InstanceConcurrencyContext, "interval_to_next_pending_claim_check", waiting._stock_wait
    )


@pytest.fixture
def looks(home, open_home, monkeypatch):
    """A function: how often a run asks for a place that another run gives back after a second."""
    instance = open_home(home)
    events = instance.event_log_storage
    stock = InstanceConcurrencyContext.claim

    def count(executor: dg.ExecutorDefinition) -> int:
        asked = []
        monkeypatch.setattr(
            InstanceConcurrencyContext,
            "claim",
            lambda *arguments, **named: asked.append(1) or stock(*arguments, **named),
        )
        events.set_concurrency_slots(POOL, 1)
        assert events.claim_concurrency_slot(POOL, *HOLDER).is_claimed
        gives_back = threading.Timer(1.0, events.free_concurrency_slot_for_step, HOLDER)
        gives_back.start()
        job = dg.Definitions(assets=[fit], jobs=[dg.define_asset_job("fits")], executor=executor)
        result = execute_here(job.resolve_job_def("fits"), instance, tags={}, run_config={})
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


def test_every_job_waits_like_that():
    """Under the name that Dagster's configuration of runs has for it."""
    executors = {job.executor_def for job in defs.get_repository_def().get_all_jobs()}
    assert executors == {waiting.patient_executor}
    assert waiting.patient_executor.name == dg.in_process_executor.name
