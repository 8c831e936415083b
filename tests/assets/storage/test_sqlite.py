"""Dagster's SQLite files stay Dagster's, however they are held open."""

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import dagster as dg
import pytest
import yaml

from mmm_assets.dagster_private.instances import open_with
from mmm_assets.home import open_quietly, prepare_home
from mmm_assets.storage import sqlite


@dg.asset
def number() -> None:
    """An asset to record."""


def stock_instance(home) -> dg.DagsterInstance:
    """The same home, opened by Dagster's own storage."""
    return open_with(home, {"storage": {"sqlite": {"base_dir": str(home)}}})


@pytest.fixture
def open_home():
    """Opens the instance of a home as processes do that execute runs; closes it after the test."""
    opened = []

    def open_one(folder):
        opened.append(open_quietly(folder))
        return opened[-1]

    yield open_one
    for instance in opened:
        instance.dispose()


def test_every_process_of_a_home_keeps_the_files_open(home, open_home):
    """Daemon and web server by its settings too; a home that names another storage keeps that."""
    event_log = open_home(home).event_log_storage
    assert type(event_log).__name__ == "KeptEventLog"
    assert event_log.path_for_shard("index") == str(home / "history" / "runs" / "index.db")
    with dg.DagsterInstance.from_config(str(home)) as of_the_daemon:
        assert type(of_the_daemon.event_log_storage).__name__ == "KeptEventLog"
    settings = yaml.safe_load((home / "dagster.yaml").read_text())
    settings["storage"] = {"sqlite": {"base_dir": {"env": "DAGSTER_HOME"}}}
    (home / "dagster.yaml").write_text(yaml.safe_dump(settings))
    assert type(open_home(home).event_log_storage).__name__ == "SqliteEventLogStorage"


def test_stock_dagster_reads_and_continues_what_was_written(home, open_home):
    """Runs, events and table versions are those that Dagster would have written."""
    runs = [dg.materialize([number], instance=open_home(home)).run_id for _ in range(2)]
    with stock_instance(home) as stock:
        assert {run.run_id for run in stock.get_runs()} == set(runs)
        for run in runs:
            assert len(stock.all_logs(run)) == len(open_home(home).all_logs(run)) > 5
        assert len(stock.fetch_materializations(dg.AssetKey("number"), limit=9).records) == 2
        assert stock.event_log_storage.alembic_version()[0] == stock.event_log_storage.alembic_version()[1]
        third = dg.materialize([number], instance=stock).run_id
    versions = set()
    for run in [*runs, third]:
        with sqlite3.connect(home / "history" / "runs" / f"{run}.db") as file:
            versions.add(file.execute("SELECT group_concat(version_num) FROM alembic_version").fetchone())
    assert len(versions) == 1


def test_the_file_of_a_run_is_packed_when_it_is_closed(home):
    """Dagster begins it with 100 kB of empty tables; stock Dagster goes on writing into what is left."""
    with open_quietly(home) as instance:
        run = dg.materialize([number], instance=instance).run_id
        events = [event.message for event in instance.all_logs(run)]
    file = home / "history" / "runs" / f"{run}.db"
    assert file.stat().st_size < 45_000
    with stock_instance(home) as stock:
        assert [event.message for event in stock.all_logs(run)] == events
        stock.report_engine_event("later", stock.get_run_by_id(run))
        assert len(stock.all_logs(run)) == len(events) + 1
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not sqlite.pack(file)


def test_the_file_of_a_run_begins_with_dagsters_tables_in_small_pages(home, open_home):
    """A copy of an empty one, from the second run of a process on; another process's file is left alone."""
    with stock_instance(home) as stock:
        made_by_dagster = dg.materialize([number], instance=stock).run_id
    instance = open_home(home)
    runs = [dg.materialize([number], instance=instance).run_id for _ in range(2)]
    tables = {}
    for run in [made_by_dagster, runs[1]]:
        with closing(sqlite3.connect(home / "history" / "runs" / f"{run}.db")) as file:
            tables[run] = set(file.execute("SELECT type, name, tbl_name FROM sqlite_master"))
            page_size = file.execute("PRAGMA page_size").fetchone()
    assert tables[made_by_dagster] == tables[runs[1]]
    assert page_size == (sqlite.PACKED_PAGE,)
    file = home / "history" / "runs" / f"{runs[1]}.db"
    before = file.read_bytes()
    sqlite._begin(file, b"of another")
    assert file.read_bytes() == before
    assert not list(file.parent.glob(".*"))


def test_a_file_in_use_is_not_packed(home):
    """Another process executes the run."""
    with stock_instance(home) as stock:
        run = dg.materialize([number], instance=stock).run_id
    file = home / "history" / "runs" / f"{run}.db"
    before = file.stat().st_size
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT COUNT(*) FROM event_logs").fetchone() > (5,)
        assert not sqlite.pack(file)
        assert file.stat().st_size == before
    assert sqlite.pack(file)
    assert file.stat().st_size < before / 2


def test_records_begin_with_pages_that_events_fill(home, open_home):
    """The index of a new home; that of an existing one stays as it is."""
    index = home / "history" / "runs" / "index.db"
    open_home(home)
    with closing(sqlite3.connect(index)) as database:
        assert database.execute("PRAGMA page_size").fetchone() == (sqlite.INDEX_PAGE,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_old_files_are_closed_and_opened_again(home, open_home, monkeypatch):
    """A command that refreshes many clients does not run out of file handles."""
    monkeypatch.setattr(sqlite, "OPEN_FILES", 2)
    instance = open_home(home)
    runs = [dg.materialize([number], instance=instance).run_id for _ in range(4)]
    assert len(instance.event_log_storage._engines) <= 2
    assert all(instance.all_logs(run) for run in runs)


def test_threads_share_a_storage(home, open_home):
    """The daemon's sensors and the web server's requests come from threads."""
    instance = open_home(home)
    names = [f"c{number}" for number in range(40)]

    def add(part):
        for name in part:
            instance.add_dynamic_partitions("client", [name])
            instance.get_runs_count()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, [names[start::8] for start in range(8)]))
    assert sorted(instance.get_dynamic_partitions("client")) == sorted(names)


@pytest.mark.parametrize("kept", [True, False])
def test_a_killed_process_loses_no_committed_event(home, open_home, kept):
    """Kill -9 right after a commit: what was committed is there, read by the kept and the stock storage."""
    code = (
        "import os, signal, sys, dagster as dg\n"
        "from mmm_assets.home import open_quietly\n"
        "from pathlib import Path\n"
        "with open_quietly(Path(sys.argv[1])) as instance:\n"
        "    instance.add_dynamic_partitions('client', ['shop'])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(prepare_home(home))], env={**os.environ}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    instance = open_home(home) if kept else stock_instance(home)
    with instance:
        assert instance.get_dynamic_partitions("client") == ["shop"]


def test_a_home_that_is_whole_is_opened_without_dagsters_migrations(home, monkeypatch):
    """Some hundred files, read three times by each process; a damaged file is left to Dagster, which says so."""
    open_quietly(home).dispose()
    with monkeypatch.context() as patch:
        patch.setattr("alembic.script.ScriptDirectory.from_config", lambda *_: pytest.fail("read migrations"))
        with open_quietly(home) as instance:
            assert instance.get_runs() == []
            assert not instance.has_asset_key(dg.AssetKey("number"))
            assert instance.schedule_storage.get_instigator_state("x", "y") is None
    (home / "history" / "runs.db").write_bytes(b"x" * 5000)
    assert sqlite.revision_of(home / "history" / "runs.db") == ""
    with pytest.raises(Exception, match="not a database"):
        open_quietly(home)
