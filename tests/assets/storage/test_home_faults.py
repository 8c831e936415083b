"""A home that cannot be used says why in one message; damaged records are kept, and one command makes new ones."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys

import pytest
import sqlalchemy.exc

from mmm_assets.partitions import registered_clients
from mmm_assets.storage.home_faults import HomeError, damaged_records, home_fault, set_aside


@pytest.mark.parametrize("name", ["history/runs.db", "history/runs/index.db"])
@pytest.mark.parametrize("damage", ["truncated", "zeroed"])
def test_damaged_records_are_named_kept_and_made_anew(mmm, used_home, data_dir, open_home, name, damage):
    """As after a power cut: the command says which file and what to do; clients are known again afterwards."""
    file = used_home / name
    whole = file.read_bytes()
    for ending in ("-wal", "-shm"):
        (used_home / f"{name}{ending}").unlink(missing_ok=True)
    broken = whole[:5000] if damage == "truncated" else bytes(8192) + whole[8192:]
    file.write_bytes(broken)
    code, out, err = mmm("gate", "shop")
    assert code == 1
    assert "Traceback" not in out + err
    assert f"{file}: found damaged records of Dagster (" in err
    assert "run: mmm repair" in err
    code, out, _ = mmm("repair")
    assert code == 0
    (kept,) = [path for path in (used_home / "quarantine").rglob(f"{file.name}.*") if path.is_file()]
    assert kept.read_bytes() == broken
    assert f"moved to: {kept}" in out
    assert registered_clients(open_home(used_home)) == ["app", "shop"]
    assert mmm("history", "shop", "--metric", "mape", "--latest")[1].count("shop") > 0
    assert "Nothing to repair" in mmm("repair")[1]


def test_new_records_know_clients_whose_results_are_elsewhere(
    mmm, used_home, tmp_path, monkeypatch, open_home
):
    """Their rows lie below $MMM_STORAGE."""
    monkeypatch.setenv("MMM_STORAGE", str(tmp_path / "mounted"))
    (tmp_path / "mounted").mkdir()
    (used_home / "storage").rename(tmp_path / "mounted" / "storage")
    file = used_home / "history" / "runs" / "index.db"
    file.write_bytes(file.read_bytes()[:5000])
    assert "know the 2 clients" in mmm("repair")[1]
    assert registered_clients(open_home(used_home)) == ["app", "shop"]


def test_records_that_a_process_has_open_are_left_alone(used_home):
    """It would go on writing into the file that was moved."""
    file = used_home / "history" / "runs.db"
    file.write_bytes(file.read_bytes()[:5000])
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys; f = open(sys.argv[1]); print(1, flush=True); input()", file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        holder.stdout.readline()
        with pytest.raises(HomeError, match=f"found process {holder.pid}, which has it open"):
            set_aside(used_home)
        assert damaged_records(used_home)
    finally:
        holder.communicate(b"\n")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (sqlite3.OperationalError("database or disk is full"), "wanted free disk space; free some"),
        (sqlite3.OperationalError("disk I/O error"), "wanted a disk that reads and writes; look at the disk"),
        (OSError(errno.EIO, "Input/output error", "/h/x"), "/h/x: found Input/output error; wanted a disk that reads"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "a folder that can be written"),
        (OSError(errno.ENOSPC, "No space left on device", "/h/x"), "/h/x: found No space left on device; wanted free"),
        (OSError(errno.EROFS, "Read-only file system", "/h/x"), "/h/x: found Read-only file system; wanted a folder"),
        (PermissionError(errno.EACCES, "Permission denied", "/h/x"), "/h/x: found Permission denied"),
        (sqlite3.OperationalError("database is locked"), "found database is locked"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("wrapped", ["bare", "by the library", "as a cause"])
def test_a_disk_and_its_rights_are_said_in_one_message(mmm, home, monkeypatch, error, words, wrapped):
    """However deep the error sits in those of libraries: one message, exit code 1."""

    def fail(folder):
        if wrapped == "by the library":
            raise sqlalchemy.exc.OperationalError("INSERT", {}, error)
        if wrapped == "as a cause":
            raise RuntimeError("a step failed") from error
        raise error

    (home / "history").mkdir()
    monkeypatch.setattr("mmm_assets.home.open_instance", fail)
    code, _, err = mmm("gate", "shop")
    assert code == 1
    assert words in err
    assert len(err.splitlines()) == 1


def test_other_errors_are_nobodys_disk(home):
    """A fault of the program is raised as it is."""
    assert home_fault(ValueError("x"), home) is None
    assert home_fault(FileNotFoundError(errno.ENOENT, "no", "x"), home) is None
    assert home_fault(OSError(os.strerror(errno.EINVAL)), home) is None


@pytest.mark.parametrize("asked_by", ["DAGSTER_HOME", "MMM_DATA_DIR", "--to"])
@pytest.mark.parametrize("below", [False, True])
def test_a_file_where_a_folder_is_asked_for_is_told(
    mmm, used_home, data_dir, tmp_path, monkeypatch, asked_by, below
):
    """The home, the data folder, or that of an export: one message with its name."""
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "x" if below else tmp_path / "file"
    words = {
        "DAGSTER_HOME": ("refresh", "shop"),
        "MMM_DATA_DIR": ("simulate", "x"),
        "--to": ("export", "shop", "--to", place),
    }[asked_by]
    if asked_by != "--to":
        monkeypatch.setenv(asked_by, str(place))
    code, _, err = mmm(*words)
    assert code == 1
    assert err.startswith(f"mmm: {place}")
    assert "wanted a folder" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("asked_by", ["DAGSTER_HOME", "MMM_DATA_DIR", "--to"])
def test_a_place_in_which_no_folder_can_be_made_is_told(mmm, used_home, data_dir, monkeypatch, asked_by):
    """The kernel's own file systems say that there is no such folder when one is to be made."""
    place = "/proc/nothing"
    words = {
        "DAGSTER_HOME": ("portfolio",),
        "MMM_DATA_DIR": ("simulate", "x"),
        "--to": ("export", "shop", "--to", place),
    }[asked_by]
    if asked_by != "--to":
        monkeypatch.setenv(asked_by, place)
    code, _, err = mmm(*words)
    assert code == 1
    assert err.startswith(f"mmm: {place}: found no folder can be made there; wanted a folder")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("variable", ["DAGSTER_HOME", "MMM_DATA_DIR", "MMM_STORAGE"])
@pytest.mark.parametrize("kind", ["circle", "user"])
def test_a_path_that_leads_nowhere_is_told_with_its_variable(
    mmm, home, tmp_path, monkeypatch, variable, kind
):
    """Links in a circle, the home of a user who does not exist."""
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    place = str(tmp_path / "circle" / "x") if kind == "circle" else "~nobody-of-this-name/mmm"
    monkeypatch.setenv(variable, place)
    code, _, err = mmm("list")
    assert code in (1, 2)
    assert place in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [("export", "shop", "--to", ""), ("backup", ""), ("plan", "shop", "--output", " ")]
)
def test_a_path_without_a_name_is_refused(mmm, home, words):
    """An unset variable of the shell: the folder that the command was called in was taken."""
    code, _, err = mmm(*words)
    assert (code, "found an empty text; wanted the name of a file or folder" in err) == (2, True)


def test_a_home_that_is_not_there_is_not_said_to_be_sound(mmm, tmp_path, monkeypatch):
    """A name with a slip in it."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "nothing"))
    code, _, err = mmm("repair")
    assert (code, f"found no folder {tmp_path / 'nothing'}; wanted a home" in err) == (2, True)


def test_a_file_is_not_a_data_folder_that_does_not_exist(mmm, home, tmp_path, monkeypatch):
    """It does exist."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / "file"))
    code, _, err = mmm("check")
    assert (code, f"found {tmp_path / 'file'}, which is no folder" in err) == (2, True)
