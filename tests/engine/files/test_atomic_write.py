"""Files are whole or absent, and private where they are asked to be."""

import os
from pathlib import Path

import pytest

from mmm_engine.files.atomic_write import (
    PRIVATE_FILE,
    make_folder,
    make_private_folder,
    replace_file,
    write_text,
)


def test_writing_replaces_the_whole_file_and_leaves_nothing_beside_it(tmp_path):
    """A reader meets the old file or the new one, never half of it."""
    path = tmp_path / "ms.yaml"
    write_text(path, "old\n")
    write_text(path, "new é\n")
    assert path.read_bytes() == "new é\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    """Text that cannot be encoded does not cost the file that was there."""
    path = tmp_path / "ms.yaml"
    write_text(path, "old\n")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_private_file_is_private_before_anything_stands_in_it(tmp_path):
    """Also where the old file was not, and whatever the process's umask allows."""
    path = tmp_path / "facts.parquet"
    path.write_text("readable by all")
    path.chmod(0o644)
    modes = []

    def write(temporary):
        modes.append(temporary.stat().st_mode & 0o777)
        temporary.write_text("revenue")

    replace_file(path, write, mode=PRIVATE_FILE)
    assert modes == [PRIVATE_FILE]
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("revenue", PRIVATE_FILE)


def test_two_writers_in_one_process_do_not_meet(tmp_path):
    """Threads of a daemon have one process id: each writes a temporary file of its own, the last one stays."""
    path = tmp_path / "status.json"

    def write(temporary):
        temporary.write_text("first")
        write_text(path, "second")
        assert temporary.read_text() == "first"

    replace_file(path, write)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_private_and_those_that_exist_stay(tmp_path):
    """A home may be meant for a group; what is made in it is not."""
    tmp_path.chmod(0o750)
    make_private_folder(tmp_path / "storage" / "report")
    modes = [folder.stat().st_mode & 0o777 for folder in (tmp_path, *sorted(tmp_path.rglob("*")))]
    assert modes == [0o750, 0o700, 0o700]


def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    """Nor is a device: what reads from it, or writes to it, would go on with the file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileExistsError, match="something that is no file has this name"):
        write_text(pipe, "text")
    assert pipe.is_fifo()


@pytest.mark.parametrize("make", [make_folder, make_private_folder])
def test_where_no_folder_can_be_made_is_no_missing_file(make):
    """As the kernel's own file systems have it."""
    with pytest.raises(NotADirectoryError, match="no folder can be made there"):
        make(Path("/proc/nothing"))
    with pytest.raises(NotADirectoryError, match="no file can be made there"):
        write_text(Path("/proc/nothing"), "text")
