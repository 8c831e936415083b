"""The sensor on the data folder, and the runs it asks for."""

import os
import time

import dagster as dg
import pytest

from mmm_assets.automation import sensors
from mmm_assets.definitions import build_defs
from mmm_assets.partitions import clients
from mmm_assets.runs import CLIENT_TAG
from mmm_assets.storage.resources import ClientFiles
from tests.assets.conftest import append_weeks, write_client


@pytest.fixture
def tick(instance, data_dir):
    """Evaluate the sensor once, with the cursor of the tick before."""
    state = {"cursor": None}

    def evaluate() -> dg.SensorResult:
        with dg.build_sensor_context(instance=instance, cursor=state["cursor"]) as context:
            result = sensors.new_data(context, client_files=ClientFiles(data_dir=str(data_dir)))
        state["cursor"] = result.cursor
        for request in result.dynamic_partitions_requests or []:
            instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        return result

    return evaluate


@pytest.fixture
def settled(data_dir):
    """Make every file look as if nobody had touched it for a while."""

    def settle(seconds: float = 3600.0) -> None:
        then = time.time() - seconds
        for path in data_dir.iterdir():
            os.utime(path, (then, then))

    settle()
    return settle


def asked(result: dg.SensorResult) -> list[str]:
    """Clients of all requested runs, sorted."""
    return sorted(request.partition_key for request in result.run_requests or [])


def test_new_clients_get_a_partition_and_a_run_each(tick, settled, instance):
    """Partitions first, then the runs, each tagged with its client for the queue."""
    result = tick()
    assert asked(result) == ["app", "shop"]
    assert all(request.tags[CLIENT_TAG] == request.partition_key for request in result.run_requests)
    assert sorted(instance.get_dynamic_partitions("client")) == ["app", "shop"]
    assert sorted(event.partition for event in result.asset_events) == ["app", "shop"]


def test_the_same_bytes_never_run_twice(tick, settled):
    """Neither on the next tick nor when somebody only touches the files."""
    tick()
    assert asked(tick()) == []
    settled(1800)
    assert asked(tick()) == []


def test_changed_rows_and_changed_settings_run_again(tick, settled, data_dir):
    """One client each, and only that one."""
    tick()
    append_weeks(data_dir, "shop")
    settled()
    assert asked(tick()) == ["shop"]
    with (data_dir / "app.yaml").open("a") as handle:
        handle.write("# a remark\n")
    settled()
    assert asked(tick()) == ["app"]


def test_changed_lift_tests_run_again(tick, settled, data_dir):
    """The table that a client file names is one of the client's files."""
    header, row = "channel,date,x,delta_x,delta_y,sigma\n", "tv,2022-03-07,10,5,100,20\n"
    (data_dir / "lift.csv").write_text(header + row)
    with (data_dir / "shop.yaml").open("a") as handle:
        handle.write("calibration: lift.csv\n")
    settled()
    tick()
    (data_dir / "lift.csv").write_text(header + row.replace("100", "120"))
    settled()
    assert asked(tick()) == ["shop"]


def test_content_that_comes_back_runs_again(tick, settled, data_dir):
    """A, B, A are three refreshes with three run keys."""
    first = (data_dir / "shop.csv").read_bytes()
    keys = [_key_of_shop(tick())]
    append_weeks(data_dir, "shop")
    settled()
    keys.append(_key_of_shop(tick()))
    (data_dir / "shop.csv").write_bytes(first)
    settled()
    keys.append(_key_of_shop(tick()))
    assert len(set(keys)) == 3


def _key_of_shop(result: dg.SensorResult) -> str:
    return next(request.run_key for request in result.run_requests if request.partition_key == "shop")


def test_a_tick_that_is_repeated_asks_for_the_same_run(instance, settled, data_dir):
    """The daemon died before it stored the cursor: the run keys keep the clients from running twice."""
    keys = []
    for _ in range(2):
        with dg.build_sensor_context(instance=instance, cursor=None) as context:
            result = sensors.new_data(context, client_files=ClientFiles(data_dir=str(data_dir)))
        keys.append([request.run_key for request in result.run_requests])
    assert keys[0] == keys[1]


def test_a_new_engine_version_runs_every_client_again(tick, settled, monkeypatch):
    """The same rows can give other numbers."""
    tick()
    monkeypatch.setattr("mmm_assets.storage.fingerprints.ENGINE_VERSION", "99.0")
    settled(1000)
    assert asked(tick()) == ["app", "shop"]


def test_a_file_that_may_still_be_written_waits(tick, settled, data_dir):
    """Seconds old on the first tick, unchanged on the second: then it runs."""
    append_weeks(data_dir, "shop")
    assert asked(tick()) == ["app"]
    assert asked(tick()) == ["shop"]


def test_a_file_that_is_still_growing_waits_until_it_stops(tick, settled, data_dir):
    """Every tick sees another size."""
    tick()
    for _ in range(3):
        append_weeks(data_dir, "shop")
        assert asked(tick()) == []
    assert asked(tick()) == ["shop"]


def test_a_clock_that_runs_ahead_delays_by_one_tick_only(tick, settled, data_dir):
    """Files dated in the future would otherwise wait until then."""
    future = time.time() + 86400
    os.utime(data_dir / "shop.csv", (future, future))
    assert asked(tick()) == ["app"]
    assert asked(tick()) == ["shop"]


def test_a_file_that_is_gone_deletes_nothing(tick, settled, data_dir, instance):
    """A failed listing is not an empty portfolio."""
    tick()
    for path in list(data_dir.iterdir()):
        path.unlink()
    assert asked(tick()) == []
    data_dir.rmdir()
    assert asked(tick()) == []
    assert sorted(instance.get_dynamic_partitions("client")) == ["app", "shop"]


def test_names_that_are_no_client_are_passed_over(tick, settled, data_dir):
    """Upper case, hidden and temporary files."""
    for name in ("EVIL.yaml", ".hidden.yaml", "a b.yaml", "shop.csv.tmp-1", "x|y.yaml"):
        (data_dir / name).write_text("client: x\n")
    settled()
    assert asked(tick()) == ["app", "shop"]


def test_a_client_file_that_cannot_be_read_still_gets_its_run(tick, settled, data_dir):
    """So that the reason is seen, on the client's own partition."""
    (data_dir / "torn.yaml").write_text("client: [")
    settled()
    assert "torn" in asked(tick())


def test_a_client_refreshed_by_hand_from_these_files_is_up_to_date(refresh, instance, settled, tick):
    """`mmm refresh` and the sensor do not fit the same rows twice."""
    refresh("shop", windows=("full",))
    assert asked(tick()) == ["app"]


def test_many_clients_are_spread_over_ticks(tick, data_dir, settled, monkeypatch):
    """Five clients a tick; every one is asked for once."""
    monkeypatch.setattr(sensors, "CLIENTS_PER_TICK", 5)
    for number in range(10):
        write_client(data_dir, f"c{number}", rows=40)
    settled()
    results = [tick() for _ in range(4)]
    assert [len(result.run_requests or []) for result in results] == [5, 5, 2, 0]
    assert sorted(client for result in results for client in asked(result)) == sorted(
        ["app", "shop", *(f"c{number}" for number in range(10))]
    )


def test_the_requests_fit_the_job(tick, settled):
    """A client is a partition of the job that the sensor asks for."""
    job = build_defs().resolve_job_def(build_defs().resolve_sensor_def("new_data").job_name)
    assert job.partitions_def == clients
    assert {request.job_name for request in tick().run_requests} == {None}
