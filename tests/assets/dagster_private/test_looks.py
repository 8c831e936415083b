"""Automation looks again soon after something was recorded, and in turns while many runs are under way."""

import inspect
import time
from types import SimpleNamespace

import pytest
from dagster._core.scheduler.instigation import SensorInstigatorData
from dagster._daemon import asset_daemon
from dagster._daemon.sensor import is_under_min_interval

from mmm_assets.automation.sensors import stages
from mmm_assets.dagster_private import looks
from tests.assets.dagster_private.recording import end_run, plan_run, record_run

SENSOR = SimpleNamespace(min_interval_seconds=stages.minimum_interval_seconds)


@pytest.fixture
def is_early(instance, monkeypatch):
    """Whether it is too early, so many seconds after the last evaluation began."""
    for name in ("is_under_min_interval", "MIN_INTERVAL_LOOP_SECONDS"):
        monkeypatch.setattr(asset_daemon, name, getattr(asset_daemon, name))  # as it was, for other tests
    looks.look_soon(lambda: instance)
    return lambda seconds: asset_daemon.is_under_min_interval(begun(seconds), SENSOR, 0)


def begun(seconds: float) -> SimpleNamespace:
    """The sensor's state when its last evaluation began so many seconds ago."""
    data = SensorInstigatorData(last_tick_start_timestamp=time.time() - seconds)
    return SimpleNamespace(instigator_data=data)


def test_dagster_would_wait_for_its_interval(instance):
    """The reason for this module: six times as long as the runs of a refresh take."""
    record_run(instance, {"client_data"}, ["shop"])
    assert is_under_min_interval(begun(9.0), SENSOR, 0)


def test_what_was_recorded_is_looked_at_soon(instance, is_early):
    """Once: nothing new afterwards is nothing to look at, until the usual interval is over."""
    record_run(instance, {"client_data"}, ["shop"])
    assert is_early(1.0)
    assert not is_early(2.0)
    assert is_early(2.0)
    assert not is_early(11.0)
    record_run(instance, {"client_data"}, ["app"])
    assert not is_early(2.0)


def test_an_evaluation_that_was_let_through_begins(instance, is_early):
    """Dagster asks a second time, in the thread that evaluates."""
    record_run(instance, {"client_data"}, ["shop"])
    state = begun(2.0)
    assert [asset_daemon.is_under_min_interval(state, SENSOR, 0) for _ in range(2)] == [False, False]


def test_batches_are_looked_at_in_turns(instance, is_early):
    """Three runs under way: there is work; two: whoever waits for the next stage is alone."""
    runs = [plan_run(instance, {"client_data"}, [f"c{n}"]) for n in range(looks.FEW_RUNS + 1)]
    assert is_early(2.0)
    assert not is_early(11.0)
    end_run(instance, runs[0])
    assert not is_early(2.0)


def test_dagster_still_asks_by_these_names():
    """A name that its own code no longer uses would be replaced in vain."""
    source = inspect.getsource(asset_daemon)
    assert source.count("is_under_min_interval(\n") == 2
    assert "max(0, MIN_INTERVAL_LOOP_SECONDS - loop_duration)" in source
