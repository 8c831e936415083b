"""Files in an archive are the files in it, or faults; never more than a data file may hold."""

import gzip
import io
import zipfile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.files import limits
from mmm_engine.files.packed import inner_suffix, unpacked
from mmm_engine.files.table import read_table

CSV = b"a;b\n1;2\n3;4\n"


def zipped(**files: bytes) -> bytes:
    """An archive; two underscores of a name are a folder's mark, one is a point."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return stream.getvalue()


def workbook() -> bytes:
    """The same cells in an Excel workbook."""
    stream = io.BytesIO()
    pd.DataFrame({"a": [1, 3], "b": [2, 4]}).to_excel(stream, index=False)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv.gz", gzip.compress(CSV)),
        ("rows.CSV.GZ", gzip.compress(CSV[:5]) + gzip.compress(CSV[5:]) + b"\0\0"),
        ("rows.tsv.gz", gzip.compress(CSV.replace(b";", b"\t"))),
        ("rows.gz", gzip.compress(CSV)),
        ("rows.xlsx.gz", gzip.compress(workbook())),
        ("rows.zip", zipped(export__rows_csv=CSV)),
        (
            "rows.zip",
            zipped(**{"rows_csv": CSV, "x__": b"", "x__.DS-Store": b""}).replace(b"DS-Store", b"DS_Store"),
        ),
        ("rows.zip", zipped(rows_xlsx=workbook())),
        ("rows.tsv", CSV.replace(b";", b"\t")),
        ("rows.txt", CSV.replace(b";", b"|")),
        ("rows.xlsm", workbook()),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else ""
    ),  # archives hold the time at which they were made
)
def test_a_table_is_read_whatever_it_is_packed_in(tmp_path, name, content):
    """As servers and mail programs send it."""
    (tmp_path / name).write_bytes(content)
    table, faults = read_table(tmp_path / name, ("a", "b"))
    assert faults == []
    assert [[int(cell) for cell in table.columns[one]] for one in ("a", "b")] == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("rows.csv.gz", CSV, "no gzip file; wanted one, as its name says"),
        ("rows.csv.gz", gzip.compress(CSV)[:-9], "a gzip file that breaks off"),
        ("rows.zip", CSV, "a zip archive that cannot be read (File is not a zip file)"),
        (
            "rows.zip",
            zipped(a_csv=CSV, b_csv=CSV),
            "a zip archive of 2 files (a.csv, b.csv); wanted an archive of one",
        ),
        ("rows.zip", zipped(), "a zip archive of 0 files (none)"),
        (
            "rows.zip",
            zipped(a_csv=CSV).replace(b"a.csv", b"a\x1b[2m")[:-3],
            "a zip archive that cannot be read",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_archive_of_one_file_is_told(tmp_path, name, content, found):
    """With what to do."""
    (tmp_path / name).write_bytes(content)
    table, (fault,) = read_table(tmp_path / name, ("a", "b"))
    assert table is None
    assert str(fault).startswith(f"the file: found {found}")


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.zip"])
def test_an_archive_is_measured_while_it_is_unpacked(tmp_path, monkeypatch, name):
    """A few kilobytes may unfold to gigabytes."""
    monkeypatch.setattr(limits, "MAX_BYTES", 3_000_000)
    bomb = b"0" * 50_000_000
    (tmp_path / name).write_bytes(gzip.compress(bomb) if name.endswith("gz") else zipped(rows_csv=bomb))
    table, (fault,) = read_table(tmp_path / name, ("a", "b"))
    assert table is None
    assert "found more than 3,000,000 bytes once unpacked" in str(fault)


@given(st.binary(max_size=300), st.sampled_from(["rows.csv.gz", "rows.zip", "rows.gz"]), st.booleans())
def test_any_bytes_are_unpacked_or_a_fault(content, name, is_packed):
    """Nothing else is raised, also for archives whose inside is cut or changed."""
    packed = gzip.compress(content) if name.endswith("gz") else zipped(rows_csv=content)
    try:
        got = unpacked(packed if is_packed else content, name)
    except limits.UnreadableError:
        assert not is_packed
    else:
        assert not is_packed or got[0] == content


def test_the_ending_before_the_packing_tells_what_a_file_holds():
    """Of archives of one file only."""
    names = ("a.csv.gz", "a.gz", "A.CSV", "a.b.csv", "a.zip")
    assert [inner_suffix(name) for name in names] == [".csv", "", ".csv", ".csv", ".zip"]
