"""A removed client leaves what an audit may ask for, an erased one leaves nothing; the other clients lose nothing."""

from __future__ import annotations

import json
import queue
import re
import sqlite3
import struct
import threading
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from mmm_assets import home as homes
from mmm_assets.dagster_private import erasure
from mmm_assets.dagster_private.erasure import names_client
from mmm_assets.dagster_private.execution import job_origin
from mmm_assets.launching.processes import process_identity
from mmm_assets.lifecycle import renaming
from mmm_assets.lifecycle.removal import erase_client, remove_client
from mmm_assets.lifecycle.renaming import rename_client
from mmm_assets.partitions import registered_clients
from mmm_assets.refreshes import locks
from mmm_assets.runs import CLIENT_TAG, PROCESS_TAG
from mmm_assets.storage.home_faults import HomeError
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.client_file import read_client_config
from mmm_engine.history.clients import ClientHistory
from mmm_engine.history.store import History
from tests.assets.conftest import files_below


@dg.job
def rows_alone():
    """A run of the daemon's, without steps."""


def traces(folder: Path, client: str, numbers: list[float]) -> list[str]:
    """Files below a folder whose name or content tells of a client: its id, or one of its numbers in any form."""
    word = re.compile(rb"(?<![a-z0-9_-])" + client.encode() + rb"(?![a-z0-9_-])")
    forms = [struct.pack("<d", number) for number in numbers] + [f"{number}".encode() for number in numbers]
    found = []
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        content = path.read_bytes() if path.is_file() else b""
        if names_client(name, client) or word.search(content) or any(form in content for form in forms):
            found.append(name)
    return found


def numbers_of(data_dir: Path, home: Path, client: str) -> list[float]:
    """Some of its sales, and of its scores."""
    sales = pd.read_csv(data_dir / f"{client}.csv")["sales"].tolist()[:20]
    scores = History(homes.history_path(home)).read(client, "mape")["value"].dropna().tolist()
    return [*sales, *scores]


def test_an_erased_client_leaves_no_trace(mmm, used_home, data_dir, sampler):
    """Name and numbers are in no file below the home: results, pages, history, records, cursors, quarantine, trials."""
    store = ResultStore(root=str(used_home))
    torn = used_home / "storage" / "forecast" / "shop.parquet"
    torn.write_bytes(torn.read_bytes()[:200])
    store.read("shop")  # moves the torn file to the quarantine
    cursor = '{"job_specific_data": {"cursor": "{\\"seen\\":{\\"shop\\":[1],\\"app\\":[2]}}"}}'
    with sqlite3.connect(used_home / "schedules" / "schedules.db") as schedules:
        columns = "selector_id, repository_selector_id, status, instigator_type, instigator_body"
        schedules.execute(f"INSERT INTO instigators ({columns}) VALUES ('a', 'b', 'c', 'd', ?)", (cursor,))
        columns = "job_origin_id, selector_id, status, type, timestamp, tick_body"
        schedules.execute(
            f"INSERT INTO job_ticks ({columns}) VALUES ('a', 'b', 'c', 'd', 0, '[\"shop|full\"]')"
        )
    numbers = numbers_of(data_dir, used_home, "shop")
    before = traces(used_home, "shop", numbers)
    assert {Path(name).parts[0] for name in before} >= {"storage", "metric_history", "history", "quarantine"}
    app = History(homes.history_path(used_home)).read("app")
    code, out, _ = mmm("remove", "shop", "--erase", "--yes")
    assert code == 0
    assert "files of recorded scores" in out
    assert traces(used_home, "shop", numbers) == []
    pd.testing.assert_frame_equal(History(homes.history_path(used_home)).read("app"), app)
    assert store.read("app").windows
    assert mmm("gate", "app")[0] == 0
    with sqlite3.connect(used_home / "schedules" / "schedules.db") as schedules:
        (body,) = schedules.execute(
            "SELECT instigator_body FROM instigators WHERE selector_id = 'a'"
        ).fetchone()
    assert "app" in body


def test_a_removed_client_leaves_its_record(mmm, used_home, data_dir, sampler, open_home):
    """Pages, results and partition go; scores stay; the page of all clients no longer has it."""
    scores = History(homes.history_path(used_home)).read("shop")
    code, out, _ = mmm("remove", "shop", "--yes")
    assert code == 0
    assert f"Its inputs stay: {data_dir / 'shop.yaml'}" in out
    names = [name for name in files_below(used_home / "storage") if names_client(Path(name).stem, "shop")]
    assert names == []
    assert not any("shop" in Path(name).parts for name in files_below(used_home / "storage"))
    assert registered_clients(open_home(used_home)) == ["app"]
    pd.testing.assert_frame_equal(History(homes.history_path(used_home)).read("shop"), scores)
    assert "shop" not in (used_home / "storage" / "portfolio" / "portfolio.html").read_text()
    assert (data_dir / "shop.yaml").exists()


def test_it_asks_before_it_deletes(mmm, used_home, data_dir, monkeypatch):
    """Without a terminal to ask at, nothing is deleted; nor at one where the answer is no."""
    before = files_below(used_home)
    code, _, err = mmm("remove", "shop", "--erase")
    assert (code, "add --yes" in err) == (2, True)
    monkeypatch.setattr("mmm_assets.cli.options.sys.stdin", type("Tty", (), {"isatty": lambda self: True})())
    monkeypatch.setattr("typer.confirm", _no)
    assert mmm("remove", "shop")[0] == 1
    assert {
        name: size for name, (_, size) in files_below(used_home).items() if name.startswith("storage")
    } == {name: size for name, (_, size) in before.items() if name.startswith("storage")}


def _no(*words: str, abort: bool = False) -> bool:
    import typer

    raise typer.Abort


def test_a_client_that_nobody_knows_is_refused(mmm, used_home, data_dir):
    """Nothing is deleted for a slip of the pen."""
    code, _, err = mmm("remove", "shpo", "--yes")
    assert (code, "no such client" in err) == (2, True)
    assert mmm("remove", "../shop", "--yes")[0] == 2


def test_records_that_are_in_use_are_not_erased(used_home, data_dir, monkeypatch):
    """A daemon would write the client back."""
    monkeypatch.setattr("mmm_assets.storage.home_faults.processes_with", lambda file: [4711])
    before = files_below(used_home)
    with pytest.raises(HomeError, match="process 4711"):
        erase_client(used_home, "shop")
    assert files_below(used_home) == before


@pytest.mark.parametrize("change", [remove_client, erase_client, rename_client])
def test_nothing_is_touched_while_a_refresh_is_under_way(used_home, data_dir, change, monkeypatch):
    """Neither a command's nor the daemon's: it would write results, and record scores, of a client that is gone."""
    monkeypatch.setattr(locks, "_LOOK_SECONDS", 0.01)
    said, untouched, told = [], [], queue.Queue()

    def files() -> dict:
        return {**files_below(used_home / "storage"), **files_below(used_home / "metric_history")}

    def say(text: str) -> None:
        said.append(text)
        untouched.append(files() == before and (data_dir / "shop.yaml").exists())
        told.put(text)

    before = files()
    with homes.open_quietly(used_home) as instance:
        tags = {CLIENT_TAG: "shop", PROCESS_TAG: process_identity()}
        origin, status = job_origin("client_data_job"), dg.DagsterRunStatus.STARTED
        run = instance.create_run_for_job(rows_alone, status=status, tags=tags, remote_job_origin=origin)
        held = threading.Event()

        def work_on_it() -> None:
            with locks.client_lock(instance, "shop"):
                held.set()
                told.get(timeout=60)
            told.get(timeout=60)
            instance.report_run_failed(run)

        worker = threading.Thread(target=work_on_it)
        worker.start()
        held.wait()
        places = (used_home, data_dir, "shop", "store") if change is rename_client else (used_home, "shop")
        change(*places, say=say)
        worker.join()
    assert said == [
        "shop: waiting for another command on this client",
        f"shop: waiting for run {run.run_id} (rows_alone)",
    ]
    assert untouched == [True, True]
    assert not any(names_client(name, "shop") for name in files_below(used_home / "storage"))


def test_a_renamed_client_keeps_its_record(mmm, used_home, data_dir, sampler):
    """Scores and forecasts go on under the new id; its file says it; nothing of the old one is left but its runs."""
    history = History(homes.history_path(used_home))
    scores, forecasts = history.read("shop"), history.ledger("shop")
    rows = (data_dir / "shop.csv").read_bytes()
    code, out, _ = mmm("rename", "shop", "store", "--yes")
    assert code == 0
    assert "Next: mmm refresh store" in out
    assert not (data_dir / "shop.yaml").exists()
    assert mmm("check", "store")[0] == 0
    assert (data_dir / "shop.csv").read_bytes() == rows
    renamed = history.read("store")
    pd.testing.assert_frame_equal(renamed, scores.assign(client=renamed["client"]))
    assert len(history.ledger("store")) == len(forecasts)
    assert history.read("shop").empty
    assert not any(names_client(name, "shop") for name in files_below(used_home / "storage"))
    assert mmm("refresh", "store", "--windows", "full,h04")[0] == 0
    assert len(history.read("store")) > len(scores)


@pytest.mark.parametrize("place", ["copy", "forget", "_write_anew", "remove_results"])
def test_a_rename_that_was_ended_is_finished_by_the_same_command(used_home, data_dir, monkeypatch, place):
    """The new id counted as taken, and to erase it would have erased the only record."""
    history = History(homes.history_path(used_home))
    scores = len(history.read("shop"))

    def end(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    owner = ClientHistory if place in ("copy", "forget") else renaming
    with monkeypatch.context() as patch:
        patch.setattr(owner, place, end)
        with pytest.raises(KeyboardInterrupt):
            rename_client(used_home, data_dir, "shop", "store")
    if place == "remove_results":  # the files bear the new id already
        assert (data_dir / "store.yaml").exists()
        remove_client(used_home, "shop")
    else:
        rename_client(used_home, data_dir, "shop", "store")
    assert len(history.read("store")) == scores
    assert history.read("shop").empty
    assert not any(names_client(name, "shop") for name in files_below(used_home / "storage"))
    if place != "remove_results":
        assert not list((used_home / "locks").glob("*.renaming"))


def test_what_takes_back_an_added_client_is_said(mmm, used_home, data_dir):
    """Nothing is stored of it yet, and its files are whoever's who put them there."""
    (data_dir / "slip.yaml").write_text((data_dir / "shop.yaml").read_text().replace("shop", "slip"))
    code, _, err = mmm("remove", "slip", "--yes")
    assert code == 2
    assert f"to take it back, delete {data_dir / 'slip.yaml'} and the tables that it names" in err


def test_an_id_that_is_taken_is_refused(mmm, used_home, data_dir):
    """By a file, or by what is stored."""
    assert "an id that is free" in mmm("rename", "shop", "app", "--yes")[2]
    (data_dir / "app.yaml").unlink()
    assert mmm("rename", "shop", "app", "--yes")[0] == 2
    assert (data_dir / "shop.yaml").exists()


@pytest.mark.parametrize("new", ["2024", "no", "1e3"])
def test_a_new_id_that_looks_like_a_number_or_a_switch_is_written_as_text(mmm, used_home, data_dir, new):
    """Without quotes nobody could read the file, after the history has moved."""
    assert mmm("rename", "shop", new, "--yes")[0] == 0
    assert read_client_config(data_dir / f"{new}.yaml").client == new


@pytest.mark.parametrize("client", ["0", "full"])
def test_an_id_that_is_the_value_of_another_tag_deletes_no_runs(used_home, client):
    """Every run has a tag of 0 retries; others are of the window full."""
    with sqlite3.connect(used_home / "history" / "runs.db") as records:
        (run_id,) = records.execute("SELECT run_id FROM runs LIMIT 1").fetchone()
        columns = "INSERT INTO run_tags (run_id, key, value) VALUES (?, ?, ?)"
        records.execute(columns, (run_id, "dagster/partition/window", "full"))
        records.execute("INSERT INTO backfill_tags (backfill_id, key, value) VALUES ('b', 'priority', '0')")
        runs = records.execute("SELECT count(*) FROM runs").fetchone()
    assert erasure.erase_client(used_home, client, CLIENT_TAG) == []
    with sqlite3.connect(used_home / "history" / "runs.db") as records:
        assert records.execute("SELECT count(*) FROM runs").fetchone() == runs
        assert records.execute("SELECT count(*) FROM backfill_tags").fetchone() == (1,)


@pytest.mark.parametrize("value", ["shop", "shop|full"])
@pytest.mark.parametrize(
    "key",
    [
        "mmm/client",
        "dagster/partition",
        "dagster/partition/client",
        "dagster/asset_partition_range_start",
        "dagster/asset_partition_range_end",
    ],
)
def test_runs_of_every_tag_that_names_the_client_go(used_home, key, value):
    """A backfill from the interface has tags of its own."""
    with sqlite3.connect(used_home / "history" / "runs.db") as records:
        records.execute("INSERT INTO run_tags (run_id, key, value) VALUES ('other', ?, ?)", (key, value))
        records.execute(
            "INSERT INTO backfill_tags (backfill_id, key, value) VALUES ('b', ?, ?)", (key, value)
        )
    assert "other" in erasure.erase_client(used_home, "shop", CLIENT_TAG)
    with sqlite3.connect(used_home / "history" / "runs.db") as records:
        assert records.execute("SELECT count(*) FROM run_tags WHERE run_id = 'other'").fetchone() == (0,)
        assert records.execute("SELECT count(*) FROM backfill_tags").fetchone() == (0,)


def test_an_id_that_is_a_field_of_dagsters_records_breaks_none(used_home):
    """What a sensor remembers goes on being readable when a client of the name of its field is erased."""
    body = (
        '{"__class__": "InstigatorState", "status": {"__enum__": "RUNNING"},'
        ' "cursor": "{\\"seen\\":{\\"status\\":[1],\\"app\\":[2]}}"}'
    )
    with sqlite3.connect(used_home / "schedules" / "schedules.db") as schedules:
        columns = "selector_id, repository_selector_id, status, instigator_type, instigator_body"
        schedules.execute(f"INSERT INTO instigators ({columns}) VALUES ('a', 'b', 'c', 'd', ?)", (body,))
    erasure.erase_client(used_home, "status", CLIENT_TAG)
    with sqlite3.connect(used_home / "schedules" / "schedules.db") as schedules:
        (left,) = schedules.execute(
            "SELECT instigator_body FROM instigators WHERE selector_id = 'a'"
        ).fetchone()
    assert json.loads(left) == {**json.loads(body), "cursor": '{"seen":{"app":[2]}}'}
