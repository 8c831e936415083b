"""The sensor on the data folder, and the batches it asks for."""

import json
import os
import time

import dagster as dg
import pytest

from mmm_assets.automation import sensors
from mmm_assets.dagster_private.tags import ROOT_RUN_ID_TAG
from mmm_assets.definitions import build_defs
from mmm_assets.pages.publication import Publication
from mmm_assets.refreshes.batches import JOB_NAME, PORTFOLIO_ITEM, TASK, batch_config, by_specification
from mmm_assets.refreshes.isolation import Ended, each_in_child
from mmm_assets.storage.io_managers import JsonFiles
from mmm_assets.storage.resources import ClientFiles
from mmm_assets.worker import work_on
from tests.assets.conftest import append_weeks, break_client, write_client


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
    """Clients of all requested batches, sorted."""
    return sorted(
        client
        for request in result.run_requests or []
        for client in request.run_config["ops"]["refresh_batch"]["config"]["clients"]
    )


def test_new_clients_get_a_partition_and_one_batch(tick, settled, instance):
    """Partitions first, then one run for both."""
    result = tick()
    assert asked(result) == ["app", "shop"]
    assert len(result.run_requests) == 1
    assert sorted(instance.get_dynamic_partitions("client")) == ["app", "shop"]


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
    keys = [tick().run_requests[0].run_key]
    append_weeks(data_dir, "shop")
    settled()
    keys.append(tick().run_requests[0].run_key)
    (data_dir / "shop.csv").write_bytes(first)
    settled()
    keys.append(tick().run_requests[0].run_key)
    assert len(set(keys)) == 3


def test_a_tick_that_is_repeated_asks_for_the_same_run(instance, settled, data_dir):
    """The daemon died before it stored the cursor: the run key keeps the batch from running twice."""
    keys = []
    for _ in range(2):
        with dg.build_sensor_context(instance=instance, cursor=None) as context:
            result = sensors.new_data(context, client_files=ClientFiles(data_dir=str(data_dir)))
        keys.append(result.run_requests[0].run_key)
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


def test_many_clients_are_spread_over_batches_and_ticks(tick, data_dir, settled, monkeypatch):
    """Five clients a tick in batches of two; every one is asked for once."""
    monkeypatch.setattr(sensors, "CLIENTS_PER_TICK", 5)
    monkeypatch.setattr(sensors, "CLIENTS_PER_RUN", 2)
    for number in range(10):
        write_client(data_dir, f"c{number}", rows=40)
    settled()
    results = [tick() for _ in range(4)]
    assert [len(result.run_requests or []) for result in results] == [3, 3, 1, 0]
    assert sorted(client for result in results for client in asked(result)) == sorted(
        ["app", "shop", *(f"c{number}" for number in range(10))]
    )


def test_the_request_fits_the_job(tick, settled, instance, tmp_path):
    """Run configuration and partition keys are accepted by the definitions."""
    request = tick().run_requests[0]
    job = build_defs().resolve_job_def(JOB_NAME)
    assert dg.validate_run_config(job, request.run_config)
    assert json.loads(json.dumps(request.run_config)) == batch_config(["shop", "app"])  # by specification


@pytest.fixture
def run_batch(home, instance, data_dir, sampler, monkeypatch):
    """Execute a batch whose clients are refreshed in this process, by the fake sampler."""
    ended = {}  # item -> what the child is made to hand back instead

    def each(task, items, options, *, seconds, say):
        for item in items:
            yield ended.get(item) or _done(item, options, say)

    monkeypatch.setattr("mmm_assets.refreshes.isolation.each_in_child", each)
    monkeypatch.setattr("mmm_assets.worker._instance", lambda: instance)
    monkeypatch.setattr("mmm_assets.refreshes.canaries.judge", str)  # found

    def run(*clients, **settings):
        return (
            build_defs()
            .resolve_job_def(JOB_NAME)
            .execute_in_process(
                instance=instance, run_config=batch_config(list(clients)), raise_on_error=False, **settings
            )
        )

    run.ended = ended
    return run


def _done(item, options, say):
    try:
        return Ended(item, tuple(work_on(item, options, say)))
    except Exception as error:
        return Ended(item, (f"{type(error).__name__}: {error}",))


def failure_of(result) -> dg.Failure:
    """What the step of a failed batch says."""
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    return failure.step_failure_data.user_failure_data


def test_a_batch_refreshes_each_client_on_its_own(run_batch, home, instance, data_dir):
    """A refused client, a broken file and a sound client: the sound one is published, the run names the others."""
    break_client(data_dir, "app")
    (data_dir / "torn.yaml").write_text("client: [")
    result = run_batch("app", "torn", "../evil", "shop")
    assert not result.success
    assert "3 of 4 clients failed: app, torn, ../evil" in failure_of(result).description
    assert "2 faults" in failure_of(result).metadata["app"].value
    publication = Publication(root=str(home))
    assert publication.status("shop").published
    assert not publication.status("app").published
    assert not publication.status("torn").published
    assert (home / "storage" / "portfolio" / "portfolio.html").is_file()
    assert sorted(instance.get_dynamic_partitions("client")) == ["app", "shop", "torn"]


def test_a_client_whose_process_died_is_marked(run_batch, home):
    """Its status says so, though none of its own runs could; the others of the batch are published."""
    run_batch.ended["app"] = Ended("app", ("its process was killed (signal 9)",), died=True)
    result = run_batch("app", "shop")
    assert "1 of 2 clients failed: app" in failure_of(result).description
    publication = Publication(root=str(home))
    assert publication.status("app").reasons == ("its process was killed (signal 9)",)
    assert publication.status("shop").published


def test_a_portfolio_that_fails_costs_the_clients_nothing(run_batch, home):
    """It is a run of its own, which notices tell of; the batch has done what it was asked for."""
    run_batch.ended[PORTFOLIO_ITEM] = Ended(PORTFOLIO_ITEM, ("its process died (exit code 3)",), died=True)
    assert run_batch("shop").success
    assert Publication(root=str(home)).status("shop").published


def test_the_child_finds_its_task_by_name(home, data_dir):
    """Batches name the worker and do not import it: a real child renders the page of all clients."""
    ended = list(each_in_child(TASK, [PORTFOLIO_ITEM], {}, seconds=120.0, say=print))
    assert [(one.item, one.failures) for one in ended] == [(PORTFOLIO_ITEM, ())]
    assert (home / "storage" / "portfolio" / "portfolio.html").is_file()


def test_a_batch_that_was_cut_off_goes_on_where_it_stopped(run_batch, instance, sampler):
    """The second attempt at a run leaves out the clients that the first one finished."""
    job = build_defs().resolve_job_def(JOB_NAME)
    root = instance.create_run_for_job(job, run_config=batch_config(["shop", "app"])).run_id
    assert run_batch("shop").success
    del sampler.fitted[:]
    assert run_batch("shop", "app", tags={ROOT_RUN_ID_TAG: root}).success
    assert {name.split()[0] for name in sampler.fitted} == {"app"}


def test_clients_of_one_specification_share_a_batch(data_dir):
    """Four of two channels and three of three channels, a torn file first: sorted by specification, then cut."""
    for number in range(3):
        write_client(data_dir, f"two{number}", rows=40)
        write_client(data_dir, f"three{number}", rows=40, channels=("search", "social", "video"))
    (data_dir / "torn.yaml").write_text("client: [")
    batches = list(by_specification([path.stem for path in data_dir.glob("*.yaml")], data_dir, 4))
    assert batches[0][0] == "torn"
    by_kind = [{name[:3] for name in batch if name[:3] in ("two", "thr")} for batch in batches]
    assert [len(batch) for batch in batches] == [4, 4, 1]
    assert sum(len(kinds) > 1 for kinds in by_kind) <= 1


def test_a_batch_whose_canary_is_missed_is_held_back(run_batch, home, monkeypatch, data_dir):
    """Fitted, recorded, not published: the last good page is stale; portfolio and run say why. The next one is free."""
    missed = "the canary's truth was missed by more than chance allows: tv found 1, true 9 (-8.0 sd)"
    outcome = {"hold": ""}

    def judge():
        JsonFiles(root=str(home)).write("canary", None, dict(outcome))
        return outcome["hold"]

    monkeypatch.setattr("mmm_assets.refreshes.canaries.judge", judge)
    publication = Publication(root=str(home))
    assert run_batch("shop").success
    append_weeks(data_dir, "shop")
    outcome["hold"] = missed
    result = run_batch("shop", "app")
    assert failure_of(result).description.startswith(f"held back, nothing was published: {missed}; 2 of 2")
    for client in ("shop", "app"):
        assert not publication.status(client).published
    assert "Stale since" in publication.report_path("shop").read_text()
    assert not publication.report_path("app").exists()
    page = (home / "storage" / "portfolio" / "portfolio.html").read_text()
    assert "missed by more than chance allows" in page
    outcome["hold"] = ""
    assert run_batch("shop", "app").success
    assert publication.status("shop").published
