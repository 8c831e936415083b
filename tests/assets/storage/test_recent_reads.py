"""Values that readers share: read once while the file stays as it is, anew as soon as it changes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mmm_assets.storage.io_managers import FrameFiles, PosteriorFiles, StoredFileError
from mmm_assets.storage.recent_reads import RecentReads


class _Counted:
    """Reads numbers from a text file and counts how often."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, path: Path) -> pd.DataFrame:
        self.reads += 1
        return pd.DataFrame({"x": [float(word) for word in path.read_text().split()]})


def test_a_file_is_read_once_until_it_is_replaced(tmp_path: Path) -> None:
    """Also where the new content is as long as the old one and bears the same time."""
    file, load, recent = tmp_path / "a.txt", _Counted(), RecentReads()
    file.write_text("1 2")
    assert [recent.read(file, "words", load)["x"].sum() for _ in range(3)] == [3.0, 3.0, 3.0]
    assert load.reads == 1
    seen, other = file.stat(), tmp_path / "new.txt"
    other.write_text("1 3")
    os.utime(other, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    other.replace(file)
    assert recent.read(file, "words", load)["x"].sum() == 4.0


def test_what_a_reader_changes_stays_its_own(tmp_path: Path) -> None:
    """Values, columns and attributes."""
    file, load, recent = tmp_path / "a.txt", _Counted(), RecentReads()
    file.write_text("1 2")
    mine = recent.read(file, "words", load)
    mine.loc[0, "x"] = 9.0
    mine["more"] = 1
    mine.attrs["who"] = "me"
    theirs = recent.read(file, "words", load)
    assert theirs["x"].tolist() == [1.0, 2.0]
    assert list(theirs.columns) == ["x"]
    assert theirs.attrs == {}


def test_what_was_just_written_is_not_read(tmp_path: Path) -> None:
    """Until it is replaced; a file that another has put in its place meanwhile is read at once."""
    file, load, recent = tmp_path / "a.txt", _Counted(), RecentReads()
    file.write_text("1 2")
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    recent.written(file, "words", frame, file.stat().st_ino)
    frame["more"] = 1
    assert list(recent.read(file, "words", load).columns) == ["x"]
    assert load.reads == 0
    other = tmp_path / "new.txt"
    other.write_text("1 3")
    mine = file.stat().st_ino
    other.replace(file)
    assert recent.read(file, "words", load)["x"].sum() == 4.0
    recent.written(file, "words", frame, mine)
    assert recent.read(file, "words", load)["x"].sum() == 4.0
    recent.written(tmp_path / "gone.txt", "words", frame, mine)


def test_a_stored_posterior_is_what_reading_its_file_gives(tmp_path: Path, monkeypatch) -> None:
    """Numbers, names, attributes and their order; in the process that stored it, the file is not opened."""
    draws = np.random.default_rng(1).normal(size=(2, 9, 3))
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                {"beta": (("chain", "draw", "channel"), draws), "sigma": (("chain", "draw"), draws[:, :, 0])},
                coords={"channel": ["tv", "search", "radio"]},
            ),
            "sample_stats": xr.Dataset({"diverging": (("chain", "draw"), draws[:, :, 1] > 0.0)}),
        }
    )
    tree.attrs = {"client": "shop", "draws": 9, "sample_seconds": 0.25}
    files = PosteriorFiles(root=str(tmp_path))
    path = files.write("fitted_posterior", "shop|full", tree)
    from_file = files._load(path)
    monkeypatch.setattr(PosteriorFiles, "_load", None)  # not called
    kept = files.read("fitted_posterior", "shop|full")
    assert kept.identical(from_file)
    for node in kept.subtree:
        assert list(node.data_vars) == list(from_file[node.path].data_vars)
        assert {name: array.dtype for name, array in node.variables.items()} == {
            name: array.dtype for name, array in from_file[node.path].variables.items()
        }


def test_one_file_read_in_two_ways_has_two_values(tmp_path: Path) -> None:
    """As a frame and as text."""
    file, recent = tmp_path / "a.txt", RecentReads()
    file.write_text("1 2")
    recent.read(file, "words", _Counted())
    assert recent.read(file, "text", Path.read_text) == "1 2"


def test_only_the_last_files_are_kept(tmp_path: Path) -> None:
    """Of two that are kept the one that was asked for longest ago goes first."""
    load, recent = _Counted(), RecentReads(files=2)
    files = [tmp_path / name for name in "abc"]
    for file in files:
        file.write_text("1")
    for at in (0, 1, 0, 2, 0):
        recent.read(files[at], "words", load)
    assert load.reads == 3
    recent.read(files[1], "words", load)
    assert load.reads == 4


def test_a_file_that_is_gone_is_not_remembered(tmp_path: Path) -> None:
    """A removed client's results cannot be read from memory."""
    frames = FrameFiles(root=str(tmp_path))
    path = frames.write("predictions", None, pd.DataFrame({"x": [1.0]}))
    assert frames.read("predictions")["x"].tolist() == [1.0]
    path.unlink()
    with pytest.raises(StoredFileError, match="nothing stored yet"):
        frames.read("predictions")
