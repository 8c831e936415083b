"""Files stay in the data folder, wherever links lead."""

from pathlib import Path

import pytest

from mmm_engine.files.folder import folder_faults, stays_inside


def test_a_link_inside_the_folder_is_a_file_of_it(tmp_path):
    """Where the link ends counts; the file need not exist yet."""
    (tmp_path / "real.csv").write_text("a\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    for name in ("real.csv", "link.csv", "sub/none.csv", "sub/../real.csv"):
        assert stays_inside(tmp_path / name, tmp_path), name
        assert folder_faults(tmp_path / name, tmp_path) == ()


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/passwd", "link.csv", "linked/secret.csv"])
def test_a_path_that_ends_elsewhere_is_a_fault(tmp_path, name):
    """Upwards, absolute, by a link to a file or through a linked folder; a folder beside of a longer name too."""
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "data2").mkdir()
    (tmp_path / "data2" / "secret.csv").write_text("a\n")
    (folder / "link.csv").symlink_to(tmp_path / "data2" / "secret.csv")
    (folder / "linked").symlink_to(tmp_path / "data2")
    (fault,) = folder_faults(folder / name, folder, where="setting 'data'")
    assert str(fault).startswith(
        "setting 'data': found a path that leaves the data folder; wanted a file inside it"
    )


def test_a_folder_that_is_a_link_itself_holds_its_files(tmp_path):
    """The data folder may be mounted or linked."""
    (tmp_path / "real").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "real")
    assert stays_inside(Path(tmp_path / "data" / "ms.csv"), tmp_path / "data")
