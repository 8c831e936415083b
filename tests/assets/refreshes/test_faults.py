"""Faults of machine and files, injected: the same command finishes the job; nothing is lost, doubled or half there."""

import os
import signal
import threading
import time

import pytest

from mmm_assets.definitions import build_defs
from mmm_assets.pages.publication import Publication
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.windows import Window
from mmm_engine.history.store import History
from tests.assets.conftest import append_weeks, chain, write_client
from tests.assets.refreshes.refresh_process import STAGES, refresh
from tests.processes import start


@pytest.fixture
def refresh_process(used_home, tmp_path):
    """Starts a refresh in a process of its own; with a stage, it kills itself there."""

    def begin(stage=None):
        complaints = tmp_path / f"stderr-{len(list(tmp_path.iterdir()))}"
        return start(refresh, used_home, "shop", stage, complaints=complaints)

    return begin


def no_half_files(home):
    """Every stored file can be read; temporary files of the killed process hold nobody up."""
    results = ResultStore(root=str(home)).read("shop")
    assert not (home / "quarantine").exists()
    return results


# `make soak` takes the seven others: a minute more.
SUITE_STAGES = ("posterior", "database", "page")
KILLED_AT = [pytest.param(stage, marks=() if stage in SUITE_STAGES else pytest.mark.soak) for stage in STAGES]


@pytest.mark.parametrize("stage", KILLED_AT)
def test_killed_at_any_stage_the_same_command_finishes_the_job(
    stage, used_home, data_dir, open_home, sampler, refresh_process
):
    """Kill -9: no half-written file is read, no history row lost or doubled, the last good report stays until then."""
    before = History(used_home / "metric_history.duckdb").read("shop")
    page = Publication(root=str(used_home)).report_path("shop").read_text()
    append_weeks(data_dir, "shop")
    assert refresh_process(stage).exit_code() == -signal.SIGKILL
    if stage != "status":
        assert Publication(root=str(used_home)).report_path("shop").read_text() == page
    no_half_files(used_home)
    instance = open_home(used_home)
    assert chain(instance, used_home)("shop", windows=("full", "h04")).succeeded
    results = no_half_files(used_home)
    assert {window.name for window in results.windows} == {"full", "h04"}
    assert not results.refusals
    assert Publication(root=str(used_home)).status("shop").published
    rows = History(used_home / "metric_history.duckdb").read("shop")
    key = ["window", "split", "channel", "metric", "run_id"]
    assert not rows.duplicated(key).any()
    assert len(rows.merge(before, on=[*key, "value"])) >= len(before.dropna(subset="value"))
    newest = rows[rows["run_id"] == results.made_by["refresh"]]
    assert len(newest) == len(newest.drop_duplicates(key)) > 50
    assert not [run for run in instance.get_runs() if not run.is_finished]
    assert instance.event_log_storage.get_concurrency_info("mcmc").claimed_slots == []


def test_two_refreshes_of_one_client_at_once_give_two_clean_results(used_home, data_dir, refresh_process):
    """The second waits for the first; history holds both, nothing is mixed."""
    append_weeks(data_dir, "shop")
    pair = [refresh_process(), refresh_process()]
    assert [forked.exit_code() for forked in pair] == [0, 0]
    rows = History(used_home / "metric_history.duckdb").read(
        "shop", metric="mape", window="full", split="train"
    )
    assert rows["run_id"].nunique() == 3
    fits = {window.attrs["fit_id"] for window in no_half_files(used_home).windows.values()}
    assert len(fits) == 1


def test_a_disk_that_is_full_fails_the_refresh_and_spoils_nothing(
    refresh_again, used_home, data_dir, sampler, monkeypatch
):
    """No space while the posterior is written: the old files stay, the message says so, the next refresh works."""
    import errno

    from mmm_assets.storage.io_managers import PosteriorFiles

    good = Publication(root=str(used_home)).report_path("shop").read_text()

    def full(self, value, path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    append_weeks(data_dir, "shop")
    with monkeypatch.context() as patch:
        patch.setattr(PosteriorFiles, "_dump", full)
        outcome = refresh_again("shop", windows=("full",))
    assert any("No space left on device" in failure for failure in outcome.failures)
    assert not list(used_home.rglob("*.tmp-*"))
    stale = Publication(root=str(used_home)).report_path("shop").read_text()
    assert good.partition("</head>")[0] == stale.partition("</head>")[0]
    assert refresh_again("shop", windows=("full",)).succeeded
    assert Publication(root=str(used_home)).status("shop").published


@pytest.mark.parametrize(
    "name",
    [
        "fitted_posterior/shop/full.nc",
        "holdout_metrics/shop/full.parquet",
        "scaled_inputs/shop/full.parquet",
        "client_data/shop.parquet",
        "recovery_scores/shop.parquet",
        "report/shop.json",
        "report/shop.html",
        "metric_history/shop.json",
    ],
)
def test_a_damaged_file_is_kept_aside_and_made_again(refresh_again, used_home, sampler, name):
    """Torn in the middle: the next refresh needs no hand, and the other client's report never notices."""
    path = used_home / "storage" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert Publication(root=str(used_home)).status("app").published
    ResultStore(root=str(used_home)).read("app")
    assert refresh_again("shop", windows=("full", "h04")).succeeded
    stored = ResultStore(root=str(used_home)).read("shop")
    assert {window.name for window in stored.windows} >= {"full", "h04"}
    assert Publication(root=str(used_home)).status("shop").published


def test_a_report_is_rendered_without_a_window_whose_file_is_damaged(
    refresh_again, used_home, sampler, instance
):
    """Rendering again names what is missing; the damaged file is in the quarantine."""
    from mmm_assets.refreshes.chain import rerun

    path = used_home / "storage" / "holdout_metrics" / "shop" / "h08.parquet"
    path.write_bytes(b"PAR1")
    instance.add_dynamic_partitions("client", ["shop"])
    job = build_defs().resolve_job_def("publish_job")
    assert rerun(instance, job, "report", {"dagster/partition": "shop"}) == []
    assert Window.holding_out(8) not in ResultStore(root=str(used_home)).read("shop").windows
    assert len(list((used_home / "quarantine" / "storage" / "holdout_metrics" / "shop").iterdir())) == 1


def test_a_clock_that_goes_backwards_loses_no_refresh(
    refresh_again, used_home, data_dir, sampler, monkeypatch
):
    """A day back: the refresh is recorded under its own id, published, and the sensor sees the files as done."""
    real = time.time
    append_weeks(data_dir, "shop")
    monkeypatch.setattr(time, "time", lambda: real() - 86_400)
    assert refresh_again("shop", windows=("full", "h04")).succeeded
    rows = History(used_home / "metric_history.duckdb").read(
        "shop", metric="mape", window="full", split="train"
    )
    assert rows["run_id"].nunique() == 2
    assert Publication(root=str(used_home)).status("shop").published


def test_a_client_file_replaced_while_it_is_read_is_read_whole(refresh, data_dir, sampler, home, monkeypatch):
    """Rows of one file, never a mixture; what was recorded as the source is the old one, so the sensor runs again."""
    from mmm_assets.storage.fingerprints import fingerprint, source_files
    from mmm_engine.files import table

    old = fingerprint(source_files("shop", data_dir))
    read = table._content

    def swap(path):
        content = read(path)
        if path.name == "shop.csv":
            write_client(data_dir, "other", rows=80, seed=9)
            os.replace(data_dir / "other.csv", data_dir / "shop.csv")
        return content

    monkeypatch.setattr(table, "_content", swap)
    assert refresh("shop", windows=("full",)).succeeded
    stored = ResultStore(root=str(home)).data("shop")
    assert len(stored) == 60
    assert fingerprint(source_files("shop", data_dir)) != old


def test_a_reader_that_holds_the_database_delays_and_does_not_fail(refresh_again, used_home, sampler):
    """A dashboard with the DuckDB file open for two seconds: the refresh waits, then records."""
    import duckdb

    opened = duckdb.connect(used_home / "metric_history.duckdb", read_only=True)
    timer = threading.Timer(2.0, opened.close)
    timer.start()
    outcome = refresh_again("shop", windows=("full",))
    timer.join()
    assert outcome.succeeded, outcome.failures
    assert len(History(used_home / "metric_history.duckdb").read("shop", "mape", "full", "train")) == 2


def test_one_client_never_shows_in_the_report_of_another(home, data_dir, sampler, instance, monkeypatch):
    """Same columns, other names and numbers: no word and no number of one is in what is stored for the other."""
    monkeypatch.undo()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("MMM_DATA_DIR", str(data_dir))
    from tests.assets.conftest import install

    install(sampler, monkeypatch)
    marks = {"aaa": "zebra_spend", "bbb": "quokka_spend"}
    for number, (client, channel) in enumerate(marks.items()):
        write_client(data_dir, client, channels=(channel, "tv"), seed=20 + number)
    run = chain(instance, home)
    for client in (*marks, "aaa"):
        assert run(client, windows=("full", "h04")).succeeded
    for client, other in (("aaa", "bbb"), ("bbb", "aaa")):
        for path in [home / "storage" / "report" / f"{client}.html", *home.glob(f"storage/*/{client}/*")]:
            content = path.read_bytes()
            assert marks[other].encode() not in content, path
        assert marks[client] in (home / "storage" / "report" / f"{client}.html").read_text()


def test_a_home_is_closed_to_others(used_home):
    """The home, and every folder in it that the platform makes, is for its owner only."""
    assert used_home.stat().st_mode & 0o077 == 0
    ours = [used_home / "storage", used_home / "locks", used_home / "metric_history"]
    ours += [
        folder
        for name in ("report", "fitted_posterior")
        for folder in (used_home / "storage").glob(f"{name}*")
    ]
    for folder in ours:
        assert folder.stat().st_mode & 0o077 == 0, folder


def test_a_home_that_others_could_read_is_closed_to_the_world(tmp_path, monkeypatch):
    """A group may be meant; the world never is."""
    from mmm_assets.home import prepare_home

    monkeypatch.setenv("DAGSTER_HOME", "")
    folder = tmp_path / "home"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert prepare_home(folder).stat().st_mode & 0o777 == 0o750


def test_nothing_temporary_is_left_behind(used_home):
    """By a refresh that ended well."""
    assert not [path for path in used_home.rglob("*") if ".tmp" in path.name]
