"""A backup, restored into empty folders, is the home again: results, pages, history, outcomes of checks, inputs."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import tarfile
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from mmm_assets import home as homes
from mmm_assets.lifecycle import backup
from mmm_engine.history.store import History
from tests.assets.conftest import files_below


@pytest.fixture
def restored(mmm, used_home, data_dir, tmp_path, monkeypatch):
    """A home and inputs restored from a backup that was made while somebody was writing into the records."""
    file = tmp_path / "copies" / "backup.tar"
    with sqlite3.connect(used_home / "history" / "runs.db") as writer:
        writer.execute("INSERT INTO kvs (key, value) VALUES ('before', '1')")
        writer.commit()
        writer.execute("INSERT INTO kvs (key, value) VALUES ('half', '1')")  # not yet committed
        code, out, _ = mmm("backup", file)
        writer.rollback()
    assert code == 0
    assert f"{file}: " in out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "again" / "home"))
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / "again" / "data"))
    assert mmm("restore", file)[0] == 0
    return tmp_path / "again"


def test_a_restored_home_is_the_home(mmm, used_home, data_dir, restored):
    """Every result and page byte by byte, every recorded score, every outcome of a check, every input."""
    kept = {name: size for name, (_, size) in files_below(used_home / "storage").items()}
    assert {name: size for name, (_, size) in files_below(restored / "home" / "storage").items()} == kept
    for name in kept:
        assert (restored / "home" / "storage" / name).read_bytes() == (
            used_home / "storage" / name
        ).read_bytes()
    assert set(files_below(restored / "data")) == set(files_below(data_dir))
    before, after = (History(homes.history_path(folder)) for folder in (used_home, restored / "home"))
    pd.testing.assert_frame_equal(after.read(), before.read())
    pd.testing.assert_frame_equal(after.ledger(), before.ledger())
    assert mmm("gate")[0] == 0
    with sqlite3.connect(restored / "home" / "history" / "runs.db") as records:
        assert [row[0] for row in records.execute("SELECT key FROM kvs WHERE key IN ('before', 'half')")] == [
            "before"
        ]
    assert stat.S_IMODE((restored / "home").stat().st_mode) == 0o700


def test_nothing_is_restored_over_something(mmm, used_home, data_dir, restored, tmp_path):
    """A second time, or into a folder with inputs."""
    before = files_below(restored)
    code, _, err = mmm("restore", tmp_path / "copies" / "backup.tar")
    assert (code, "which is not empty" in err) == (2, True)
    assert files_below(restored) == before


@pytest.mark.parametrize("kind", ["no file", "no archive", "another archive"])
def test_what_is_no_backup_is_refused(mmm, tmp_path, monkeypatch, kind):
    """Before anything is written."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / "data"))
    file = tmp_path / "backup.tar"
    if kind == "no archive":
        file.write_bytes(b"x" * 10_000)
    if kind == "another archive":
        with tarfile.open(file, "w") as archive:
            archive.add(__file__, "home/../../evil.py")
    code, _, err = mmm("restore", file)
    assert (code, "wanted a file that mmm backup wrote" in err) == (2, True)
    assert not (tmp_path / "home").exists()


def test_a_backup_is_not_written_into_what_it_copies(mmm, used_home, data_dir):
    """It would hold itself, the next one would hold both."""
    assert mmm("backup", used_home / "backup.tar")[0] == 2
    assert mmm("backup", data_dir / "backup.tar")[0] == 2
    assert not (data_dir / "backup.tar").exists()


@pytest.mark.parametrize("place", ["a folder", "below a file", "below what nobody can fill"])
def test_a_backup_that_cannot_be_there_is_refused(mmm, used_home, data_dir, tmp_path, place):
    """With the name that was given and what to do, before anything is read."""
    (tmp_path / "file").write_text("")
    file = {
        "a folder": tmp_path,
        "below a file": tmp_path / "file" / "mmm.tar",
        "below what nobody can fill": Path("/proc/nothing/mmm.tar"),
    }[place]
    code, _, err = mmm("backup", file)
    assert code == 2
    assert str(file) in err.replace("\n", "")
    assert ("wanted the name of a file" if place == "a folder" else "name another folder") in err


@pytest.mark.parametrize("named", ["pipe", "/proc/mmm.tar"])
def test_a_backup_is_written_over_files_only(mmm, used_home, data_dir, tmp_path, named):
    """Root's backup to /dev/null took the place of the device, and all that was written there from then on was kept."""
    file = tmp_path / named  # an absolute name stays as it is
    if named == "pipe":
        os.mkfifo(file)
    code, _, err = mmm("backup", file)
    assert code == 1
    assert err.startswith(f"mmm: {file}: found ")
    assert len(err.splitlines()) == 1
    assert named != "pipe" or file.is_fifo()


def test_a_backup_without_client_files_is_refused(mmm, used_home, tmp_path, monkeypatch):
    """A data folder with a slip in its name: the backup was written without what no refresh can make again."""
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / "nothing"))
    code, _, err = mmm("backup", tmp_path / "mmm.tar")
    assert (code, f"the data folder: found no folder {tmp_path / 'nothing'}" in err) == (2, True)
    assert not (tmp_path / "mmm.tar").exists()


def test_a_full_disk_is_told_with_the_file_that_did_not_fit(mmm, used_home, data_dir, tmp_path, monkeypatch):
    """Not the home, which has room."""

    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(backup, "_add", full)
    code, _, err = mmm("backup", tmp_path / "mmm.tar")
    assert code == 1
    assert err.startswith(f"mmm: {tmp_path / 'mmm.tar'}: found No space left on device")
    assert list(tmp_path.glob("*mmm.tar*")) == []


def test_events_without_a_run_are_copied_with_their_log(mmm, used_home, data_dir, tmp_path):
    """Their file is called ".db"; what was committed last is still in the log beside it."""
    file, again = tmp_path / "backup.tar", tmp_path / "again"
    with closing(sqlite3.connect(used_home / "history" / "runs" / ".db")) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE late (word TEXT)")
        writer.execute("INSERT INTO late VALUES ('here')")
        writer.commit()
        assert mmm("backup", file)[0] == 0
    again.mkdir()
    with tarfile.open(file) as archive:
        archive.extract("home/history/runs/.db", again, filter="data")
    with closing(sqlite3.connect(again / "home" / "history" / "runs" / ".db")) as copy:
        assert copy.execute("SELECT word FROM late").fetchall() == [("here",)]


def test_records_that_are_deleted_meanwhile_are_not_made_anew(
    mmm, used_home, data_dir, tmp_path, monkeypatch
):
    """As by the nightly forgetting: neither in the home nor in the copy."""
    gone = used_home / "history" / "runs" / "gone.db"
    listed = backup._files_of_home
    monkeypatch.setattr(backup, "_files_of_home", lambda folder: [*listed(folder), gone])
    assert mmm("backup", tmp_path / "backup.tar")[0] == 0
    assert not gone.exists()
    with tarfile.open(tmp_path / "backup.tar") as archive:
        assert "home/history/runs/gone.db" not in archive.getnames()


def test_half_a_backup_is_refused_and_leaves_nothing(mmm, used_home, data_dir, tmp_path, monkeypatch):
    """As of a copy that broke off: one message, and the folders are as empty as they were."""
    file = tmp_path / "backup.tar"
    assert mmm("backup", file)[0] == 0
    with tarfile.open(file) as archive:
        member = max(archive.getmembers(), key=lambda member: member.size)
    with file.open("r+b") as opened:
        opened.truncate(member.offset_data + member.size // 2)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "again" / "home"))
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / "again" / "data"))
    code, out, err = mmm("restore", file)
    assert (code, "wanted a file that mmm backup wrote" in err) == (2, True)
    assert "Traceback" not in out + err
    assert {path.name for path in (tmp_path / "again").rglob("*")} == {"home", "data"}


def without_last_files(file: Path) -> str:
    """End the copy between two files, as a tool that copies by blocks may: it is a sound tar file still."""
    with tarfile.open(file) as archive:
        last = archive.getmembers()[-3]
    with file.open("r+b") as opened:
        opened.truncate(last.offset)
    return "and no end: not the whole file"


def with_another_byte(file: Path) -> str:
    """One byte of a client's rows is another one."""
    with tarfile.open(file) as archive:
        place = archive.getmember("data/shop.csv").offset_data + 40
    with file.open("r+b") as opened:
        opened.seek(place)
        byte = opened.read(1)
        opened.seek(place)
        opened.write(bytes([byte[0] ^ 1]))
    return "data/shop.csv, which is not as it was written (1 in all)"


def without_a_file(file: Path) -> str:
    """Somebody packed it anew and forgot one."""
    whole = file.with_suffix(".whole")
    file.rename(whole)
    with tarfile.open(whole) as source, tarfile.open(file, "w") as target:
        for member in source:
            if member.name != "data/shop.csv":
                target.addfile(member, source.extractfile(member))
    return "data/shop.csv, which is not as it was written (1 in all)"


@pytest.mark.parametrize("change", [without_last_files, with_another_byte, without_a_file])
def test_a_backup_that_is_not_as_it_was_written_is_refused(
    mmm, used_home, data_dir, tmp_path, monkeypatch, change
):
    """A tar file has no checksums of its files: it was restored without a word, in part or changed."""
    file = tmp_path / "backup.tar"
    assert mmm("backup", file)[0] == 0
    words = change(file)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "again" / "home"))
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / "again" / "data"))
    code, _, err = mmm("restore", file)
    assert (code, words in err) == (2, True), err
    assert {path.name for path in (tmp_path / "again").rglob("*")} == {"home", "data"}


def test_a_home_and_client_files_are_restored_into_folders_of_their_own(
    mmm, used_home, data_dir, tmp_path, monkeypatch
):
    """Both in one would be a home with tables in it."""
    assert mmm("backup", tmp_path / "backup.tar")[0] == 0
    for name in ("DAGSTER_HOME", "MMM_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "again"))
    code, _, err = mmm("restore", tmp_path / "backup.tar")
    assert (code, f"found {tmp_path / 'again'} twice; wanted one for each" in err) == (2, True)
    assert not (tmp_path / "again").exists()


def test_a_backup_of_an_earlier_version_is_restored(mmm, used_home, data_dir, tmp_path, monkeypatch):
    """It has no seal, and does not say that it has one."""
    monkeypatch.setattr(backup, "SEAL", "home/unused.json")
    monkeypatch.setattr(backup, "_note", lambda folder, data: {"made": "2026-11-22"})
    file = tmp_path / "backup.tar"
    assert mmm("backup", file)[0] == 0
    monkeypatch.setattr(backup, "SEAL", "seal.json")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "again" / "home"))
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / "again" / "data"))
    assert mmm("restore", file)[0] == 0
    assert (tmp_path / "again" / "data" / "shop.csv").read_bytes() == (data_dir / "shop.csv").read_bytes()


def test_a_home_among_the_client_files_is_copied_once(used_home, tmp_path):
    """As home, not with the client files again."""
    file = tmp_path.parent / f"{tmp_path.name}.tar"
    (tmp_path / "shop.yaml").write_text("client: shop")
    backup.back_up(used_home, tmp_path, file)
    with tarfile.open(file) as archive:
        names = archive.getnames()
    assert "data/shop.yaml" in names
    assert not any(name.startswith(f"data/{used_home.name}/") for name in names)


def test_results_elsewhere_are_said_to_be_left_out(mmm, used_home, data_dir, tmp_path, monkeypatch):
    """Who copies the home alone has no results."""
    assert "Not in it" not in mmm("backup", tmp_path / "backup.tar")[1]
    monkeypatch.setenv("MMM_STORAGE", str(tmp_path / "mounted"))
    out = mmm("backup", tmp_path / "backup.tar")[1]
    assert f"Not in it: results, pages and facts in {tmp_path / 'mounted'} ($MMM_STORAGE)." in out
