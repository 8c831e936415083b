"""Client files in an object store: read through a copy that follows them, never written by a command."""

import json
import logging
import uuid

import pytest
from upath import UPath

from mmm_assets import home as homes
from mmm_assets import mirror
from mmm_assets.storage.resources import ClientFiles
from mmm_engine.client.client_file import list_clients
from mmm_engine.errors import ConfigError
from tests.soak.fleet import STRUCTURES, write_client


@pytest.fixture
def bucket(home, tmp_path, monkeypatch):
    """A store with one client, as $MMM_DATA_DIR; every look counts."""
    address = f"memory://{uuid.uuid4().hex}/clients"
    monkeypatch.setenv("MMM_DATA_DIR", address)
    monkeypatch.setattr(mirror, "_looked", {})
    monkeypatch.setattr(mirror.current_copy, "__defaults__", (0.0,))
    place = UPath(address)
    write_client(tmp_path, "shop", STRUCTURES[0], seed=1)
    for name in ("shop.yaml", "shop.csv"):
        (place / name).write_bytes((tmp_path / name).read_bytes())
    return place


def test_clients_of_a_bucket_are_read_as_those_of_a_folder(bucket, home, mmm):
    """The copy lies below the home, for its owner alone."""
    assert ClientFiles().read("shop").config.client == "shop"
    assert list_clients(homes.data_dir()) == ["shop"]
    assert homes.data_dir() == home / "client_files"
    assert (home / "client_files").stat().st_mode & 0o077 == 0
    assert mmm("check", "shop")[0] == 0


def test_what_changes_there_changes_here(bucket):
    """New content gives another fingerprint, an object that is gone takes its file away, folders come along."""
    before = ClientFiles().fingerprint("shop")
    assert ClientFiles().fingerprint("shop") == before
    rows = (bucket / "shop.csv").read_text().splitlines()
    (bucket / "shop.csv").write_text("\n".join(rows[:-1]) + "\n")
    assert ClientFiles().fingerprint("shop") != before
    (bucket / "plans" / "next.csv").write_text("week,tv\n")
    assert (homes.data_dir() / "plans" / "next.csv").read_text() == "week,tv\n"
    (bucket / "plans" / "next.csv").unlink()
    assert not (homes.data_dir() / "plans" / "next.csv").exists()


def test_only_what_changed_is_fetched(bucket, monkeypatch):
    """A look at five thousand clients is a listing."""
    folder = homes.data_dir()
    fetched = []
    monkeypatch.setattr(mirror, "_fetch", lambda address, folder, names: fetched.append(sorted(names)))
    assert homes.data_dir() == folder
    (bucket / "shop.csv").write_text("other\n")
    homes.data_dir()
    assert fetched == [[], ["shop.csv"]]


@pytest.mark.parametrize("fault", ["away", "emptied"])
def test_a_store_that_cannot_be_read_loses_no_client(bucket, monkeypatch, caplog, fault):
    """The files of the last look stay, with a warning; without any there is an error that says what to do."""
    folder = homes.data_dir()
    if fault == "away":
        monkeypatch.setattr(mirror, "_listing", _refuse)
    else:
        bucket.fs.rm(bucket.path, recursive=True)
    with caplog.at_level(logging.WARNING):
        assert list_clients(homes.data_dir()) == ["shop"]
    assert "client files are those of the last look" in caplog.text
    (folder / ".seen.json").unlink()
    monkeypatch.setattr(mirror, "_listing", _refuse)
    with pytest.raises(ConfigError, match="check address, rights and network"):
        homes.data_dir()


def test_a_store_that_does_not_answer_is_asked_as_seldom_as_one_that_does(bucket, monkeypatch):
    """Each of the many readers of a client's files would wait for it anew."""
    homes.data_dir()
    asked = []
    monkeypatch.setattr(mirror, "_listing", lambda address: asked.append(address) or _refuse(address))
    monkeypatch.setattr(mirror.current_copy, "__defaults__", (60.0,))
    mirror._looked.clear()
    homes.data_dir()
    homes.data_dir()
    assert len(asked) == 1


def test_names_that_lead_out_of_the_folder_are_left_alone(bucket, home):
    """An object may have any name."""
    for name in ("../outside.yaml", ".hidden/x.yaml"):
        bucket.fs.pipe_file(f"{bucket.path}/{name}", b"client: x")
    homes.data_dir()
    assert not (home / "outside.yaml").exists()
    assert set(json.loads((home / "client_files" / ".seen.json").read_text())) == {"shop.csv", "shop.yaml"}


@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "toy", "--weeks", "60"],
        ["add", "toy", "--data", "x.csv", "--date", "week", "--target", "sales", "--channels", "tv"],
        ["rename", "shop", "toy", "--yes"],
    ],
    ids=lambda words: words[0],
)
def test_commands_that_write_client_files_say_that_they_cannot(bucket, mmm, words):
    """What they wrote into the copy would be gone at the next look."""
    code, _, said = mmm(*words)
    assert (code, "an object store" in said) == (2, True)
    assert [path.name for path in bucket.iterdir() if "toy" in path.name] == []


def _refuse(address):
    raise OSError("503 Slow Down")
