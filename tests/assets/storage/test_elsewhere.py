"""Results, pages and facts lie where $MMM_STORAGE says, in reach of other machines; the home keeps what is its own."""

import http.client
import threading
import time
import uuid
from types import SimpleNamespace

import pytest
from upath import UPath

from mmm_assets import home as homes
from mmm_assets.pages.publication import Publication
from mmm_assets.pages.server import HOST, make_server
from mmm_assets.storage import objects
from mmm_assets.storage.io_managers import FrameFiles, JsonFiles, StoredFileError
from mmm_assets.storage.results import ResultStore
from mmm_engine.errors import ConfigError
from tests.assets.conftest import break_client, chain, files_below


@pytest.fixture
def bucket(monkeypatch) -> UPath:
    """An object store of this process, named as the place of results."""
    address = f"memory://{uuid.uuid4().hex}/mmm"
    monkeypatch.setenv("MMM_STORAGE", address)
    return UPath(address)


def test_a_refresh_leaves_results_pages_and_facts_there_and_none_in_the_home(
    home, instance, data_dir, sampler, bucket
):
    """The whole chain, read back by another machine with a home of its own; then rows that are refused."""
    refresh = chain(instance, "")
    assert refresh("shop", windows=["full"]).succeeded
    below = {path.split("/mmm/", 1)[1] for path in bucket.fs.find(bucket.path)}
    assert {
        "storage/report/shop.html",
        "storage/report/shop.json",
        "storage/fitted_posterior/shop/full.nc",
        "forecast_ledger/shop.parquet",
    } <= below
    assert any(name.startswith("metric_history/shop/") for name in below)
    assert not [name for name in files_below(home) if name.startswith("storage/")]

    breaking = Publication()
    assert breaking.status("shop").published
    break_client(data_dir, "shop")
    assert not refresh("shop").succeeded
    assert not breaking.status("shop").published
    assert "Stale since" in breaking.report_path("shop").read_text()


def test_another_machine_reads_scores_and_pages(
    home, instance, data_dir, sampler, bucket, tmp_path, monkeypatch
):
    """Its home is empty; the database that answers is made from the facts."""
    assert chain(instance, "")("shop", windows=["full"]).succeeded
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "other"))
    assert set(homes.open_history().read()["client"]) == {"shop"}
    assert [window.name for window in ResultStore().read("shop").windows] == ["full"]
    server = make_server(homes.results_root(), 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        connection = http.client.HTTPConnection(HOST, server.server_port, timeout=10)
        connection.request("GET", "/report/shop.html")
        assert b"shop: " in connection.getresponse().read()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_damaged_object_is_put_aside(bucket):
    """As a damaged file is: with its place and the time behind its name."""
    files = FrameFiles()
    files.path("report", "shop").write_bytes(b"no parquet")
    with pytest.raises(StoredFileError, match=r"moved to memory://.*quarantine/storage/report/shop\.parquet"):
        files.read("report", "shop")
    assert not files.has("report", "shop")


def test_a_value_that_cannot_be_written_leaves_the_old_one(bucket):
    """The object is put when all of it is there."""
    files = JsonFiles()
    files.write("report", "shop", {"verdict": "usable"})
    with pytest.raises(TypeError):
        files.write("report", "shop", {"verdict": object()})
    assert files.read("report", "shop") == {"verdict": "usable"}


def test_a_store_that_refuses_for_a_while_costs_nothing(bucket, monkeypatch):
    """Writing and reading are tried again; the third time it answers."""
    pauses = []
    ours = SimpleNamespace(monotonic=time.monotonic, sleep=pauses.append)  # threads of other tests sleep too
    monkeypatch.setattr(objects, "time", ours)
    write, read = type(bucket).write_bytes, type(bucket).read_bytes
    monkeypatch.setattr(type(bucket), "write_bytes", _after_two_refusals(write))
    monkeypatch.setattr(type(bucket), "read_bytes", _after_two_refusals(read))
    files = JsonFiles()
    files.write("report", "shop", {"verdict": "usable"})
    assert files.read("report", "shop") == {"verdict": "usable"}
    assert len(pauses) == 4


def _after_two_refusals(action):
    refusals = [OSError("503 Slow Down"), OSError("connection reset")]

    def attempt(*arguments, **settings):
        if refusals:
            raise refusals.pop()
        return action(*arguments, **settings)

    return attempt


def test_a_folder_may_be_named_too(monkeypatch, tmp_path, home):
    """A folder that is mounted everywhere; without the variable it is the home."""
    assert homes.results_root() == home
    for named in (str(tmp_path / "mounted"), f"file://{tmp_path}/mounted"):
        monkeypatch.setenv("MMM_STORAGE", named)
        assert homes.results_root() == tmp_path / "mounted"
        assert objects.is_local(homes.results_root())


def test_an_address_whose_package_is_missing_is_refused_in_words(monkeypatch):
    """What was named, what is missing, what to do."""
    monkeypatch.setenv("MMM_STORAGE", "nosuch://bucket/mmm")
    with pytest.raises(ConfigError, match=r"MMM_STORAGE.*nosuch://bucket/mmm.*name a folder"):
        homes.results_root()
