"""Files of any content become cells with row numbers, or faults that say what the file really is."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.files import limits
from mmm_engine.files.cells import Rows
from mmm_engine.files.header import usable_name
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import read_table, table_from_frame
from mmm_engine.files.table_form import TableForm

WANTED = ("a", "b", "c", "a.b")


def table_of(folder, content, name="rows.csv"):
    """The table of a sound file."""
    (folder / name).write_bytes(content)
    table, faults = read_table(folder / name, WANTED)
    assert faults == []
    return table


def fault_of(folder, content, name="rows.csv"):
    """The one fault of a file that gives no table."""
    (folder / name).write_bytes(content)
    table, faults = read_table(folder / name, WANTED)
    assert table is None
    (fault,) = faults
    return str(fault)


def test_rows_are_numbered_as_an_editor_shows_them(tmp_path):
    """Blank lines and cells with line breaks count, rows without a single cell filled are passed over."""
    table = table_of(tmp_path, b'\xef\xbb\xbfa, b \n\n1,"x\ny"\n,\n3, z\n')
    assert table.header == ("a", "b")
    assert table.rows == (3, 6)
    assert list(table.columns["b"]) == ["x\ny", "z"]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_line_endings_of_any_system_read_alike(tmp_path, ending):
    """Files come from three kinds of machines."""
    table = table_of(tmp_path, ending.join([b"a,b", b"1,2", b"3,4", b""]))
    assert table.rows == (2, 3)
    assert list(table.columns["b"]) == ["2", "4"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the file: found an empty file"),
        (b" \n\n\t\n", "the file: found an empty file"),
        (b",,\n,,\n", "the file: found only blank lines"),
        (b"a,b\n", "the file: found a header and no rows"),
        (
            "a,b\n1,2\n3,é\n".encode("latin-1"),
            "row 3: found byte 0xe9, which is not UTF-8; wanted text in UTF-8; open",
        ),
        (b"a,b\n1,\0\n", "the file: found zero bytes, so a binary file"),
        (
            b"\x89PNG\r\n\x1a\n\0\0",
            "the file: found a PNG picture; wanted a CSV file, as its name says",
        ),
        (b"PK\x03\x04\0\0", "the file: found a zip archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\0\0", "the file: found an old Excel workbook"),
        (b"PAR1\0\0PAR1", "the file: found a Parquet file"),
        (b"%PDF-1.7\n", "the file: found a PDF document"),
        (b"\x1f\x8b\x08\0", "the file: found a gzip archive"),
        (b"SQLite format 3\0", "the file: found an SQLite database"),
        (b"<!doctype html>\n<p>Login", "the file: found HTML or XML"),
        (b'[{"a": 1}]', "the file: found JSON"),
        (b'a,b\n1,"2\n3,4\n', "row 2: found a line that breaks the CSV form (unexpected end of data)"),
        (b"a\n" + b"x" * 200_000 + b"\n", "row 2: found a line that breaks the CSV form (field larger than"),
        (
            b"a\n\n" + b"1," * 600_000 + b"\n",
            "row 3: found a line of 1,200,001 characters; wanted at most 1,000,000",
        ),
    ],
)
def test_what_is_no_csv_file_is_named(tmp_path, content, fault):
    """Empty files, foreign formats and encodings, broken quotes: each says what it found and what to do."""
    assert fault_of(tmp_path, content).startswith(fault)


EUROPEAN = "a;b\n1.234,50;3\n2,5;4\n"


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (EUROPEAN.encode(), TableForm(separator=";", decimal=",")),
        (("sep=;\r\n" + EUROPEAN).encode(), TableForm(separator=";", decimal=",")),
        (EUROPEAN.replace(";", "\t").encode(), TableForm(separator="tab", decimal=",")),
        (EUROPEAN.replace(";", "|").encode(), TableForm(separator="|", decimal=",")),
        (EUROPEAN.encode("utf-16"), TableForm(separator=";", decimal=",", encoding="utf-16")),
        (b'a,b\n"1,234.50",3\n2.5,4\n', TableForm()),
        (b'a,b\n"1.234,50",3\n"2,5",4\n', TableForm(decimal=",")),
        (
            b"Report;\nof May;\n;\n\xc2\xa0a\xe2\x80\x8b;b\n1.234,50;3\n2,5;4\n",
            TableForm(separator=";", decimal=","),
        ),
    ],
)
def test_a_file_is_read_whatever_its_separator_marks_and_titles(tmp_path, content, form):
    """Exports of spreadsheets in any locale give the same numbers; what was found is told."""
    table = table_of(tmp_path, content)
    assert table.header == ("a", "b")
    assert table.form.beside_the_plain() == form
    rows = Rows(table.rows, np.full(2, np.datetime64("NaT", "D")))
    values, faults = read_numbers(table.columns["a"], "a", rows, table.form.decimal)
    assert (list(values), faults) == ([1234.5, 2.5], [])


def test_what_somebody_says_of_a_file_counts(tmp_path):
    """An encoding that no byte tells; a decimal mark that no cell tells."""
    (tmp_path / "rows.csv").write_bytes("a;b\n1,234;é\n".encode("cp1252"))
    _, (fault,) = read_table(tmp_path / "rows.csv", WANTED)
    assert "or say 'csv: {encoding: windows-1252}'" in fault.fix
    said = TableForm(encoding="windows-1252", decimal=",")
    table, faults = read_table(tmp_path / "rows.csv", WANTED, said)
    assert (faults, list(table.columns["b"]), table.form.decimal) == ([], ["é"], ",")
    table, _ = read_table(tmp_path / "rows.csv", WANTED, TableForm(encoding="windows-1252"))
    assert table.form.decimal is None


@pytest.mark.parametrize(
    "date", ["{}.2024", "2024.0{}", "2024.{}", "2024-0{}-01", "2024-0{}-01 00:00:00.000", " 0{}.2024 "]
)
def test_dates_do_not_tell_the_decimal_mark(tmp_path, date):
    """Points in months and in times of day: '1.234' asks as under plain dates, and '2,5' is two and a half."""
    dates = [date.format(month) for month in (1, 2, 3)]

    def mark(*cells):
        lines = [f"{day};{cell};{cell}" for day, cell in zip(dates, cells, strict=True)]
        path = tmp_path / "rows.csv"
        path.write_text("\n".join(["date;a;b", *lines]))
        table, faults = read_table(path, {"date", "a"})
        frame = pd.DataFrame({"date": dates, "a": cells})
        assert faults == []
        return table.form.decimal, table_from_frame(frame).form.decimal

    assert mark("1.234", "2.500", "1.000") == (None, ".")
    assert mark("3", "2,5", "2,5") == (",", ",")


def test_titles_above_the_header_are_passed_over_and_told(tmp_path):
    """Rows are counted as an editor shows them; the header is the row that holds the names, however wide the titles."""
    table = table_of(tmp_path, b"Weekly report,\nExported 2024-01-01,\n\na,b\n1,2\n3,4\n")
    assert table.rows == (5, 6)
    assert table.notes == ("the header stands in row 4; 2 rows above it passed over",)
    table = table_of(tmp_path, b"Report of a\nx,y,z\n1,2,3\n4,5,6\n".replace(b"a\n", b"A\n", 1))
    assert table.header == ("x", "y", "z")


@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=2, max_size=8),
    st.sampled_from([",", ";", "tab", "|"]),
    st.sampled_from([".", ","]),
)
def test_numbers_are_read_back_or_ask_whatever_the_form(tmp_path_factory, numbers, separator, mark):
    """Never another number than the one that was written."""
    between = "\t" if separator == "tab" else separator
    lines = [between.join(f'"{cell:.2f}"'.replace(".", mark) for cell in row) for row in numbers]
    path = tmp_path_factory.mktemp("tables") / "rows.csv"
    path.write_text("\n".join([f"a{between}b", *lines]))
    table, faults = read_table(path, WANTED)
    assert faults == []
    rows = Rows(table.rows, np.full(len(numbers), np.datetime64("NaT", "D")))
    for index, name in enumerate(("a", "b")):
        values, _ = read_numbers(table.columns[name], name, rows, table.form.decimal)
        assert list(values) == [float(f"{row[index]:.2f}") + 0.0 for row in numbers]


def test_rows_with_too_many_or_too_few_cells_are_one_fault(tmp_path):
    """An unquoted thousands separator makes two cells of one number: the message says so."""
    (tmp_path / "rows.csv").write_bytes(b"a,b\n1,2\n1,234,2\n3\n4,5\n")
    table, faults = read_table(tmp_path / "rows.csv", WANTED)
    assert [str(fault) for fault in faults] == [
        "row 3: found 3 cells (and in 1 more row: 4); wanted 2 cells, as in the header; look for a missing or an "
        "extra comma; a number such as 1,234 is two cells: write 1234"
    ]
    assert table.rows == (2, 5)
    assert not table.whole


def test_what_is_no_file_is_named(tmp_path):
    """A directory, nothing at all, a pipe that would block for ever."""
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    found = [
        str(read_table(tmp_path / name, WANTED)[1][0]) for name in ("folder.csv", "missing.csv", "pipe.csv")
    ]
    assert found[0].startswith(
        "the file: found a directory; wanted a file with rows; name the file inside it"
    )
    assert found[1].startswith("the file: found no such file; wanted a file with rows; put it there")
    assert found[2].startswith("the file: found something that is not a regular file")


def test_size_and_rows_are_capped(tmp_path, monkeypatch):
    """A file that is too large is refused before it is read, too many rows before they are all parsed."""
    monkeypatch.setattr(limits, "MAX_ROWS", 3)
    assert "found more than 3 rows; wanted at most 3 rows" in fault_of(tmp_path, b"a\n1\n2\n3\n4\n")
    assert table_of(tmp_path, b"a\n1\n2\n3\n").rows == (2, 3, 4)
    frame = pd.DataFrame({"a": range(4)})
    frame.to_parquet(tmp_path / "rows.parquet")
    assert "found 4 rows; wanted at most 3 rows" in str(read_table(tmp_path / "rows.parquet", WANTED)[1][0])
    monkeypatch.setattr(limits, "MAX_LINES", 5)
    assert "found more than 5 lines; wanted at most 3 rows" in fault_of(tmp_path, b"a\n\n\n\n\n1\n")
    monkeypatch.setattr(limits, "MAX_BYTES", 10)
    assert "found more than 10 bytes; wanted a smaller file" in fault_of(tmp_path, b"a\n1\n2\n3\n4\n5\n")


def test_parquet_is_measured_unpacked(tmp_path, monkeypatch):
    """A small file that unfolds to a large table is refused by what it would become."""
    frame = pd.DataFrame({"a": [f"{index:0200}" for index in range(2000)]})
    frame.to_parquet(tmp_path / "rows.parquet", compression="zstd", use_dictionary=False)
    monkeypatch.setattr(limits, "MAX_BYTES", 300_000)
    assert (tmp_path / "rows.parquet").stat().st_size < 300_000
    assert "bytes once unpacked; wanted at most 300,000 bytes" in str(
        read_table(tmp_path / "rows.parquet", WANTED)[1][0]
    )


def test_text_that_parquet_repeats_by_reference_is_not_written_out(tmp_path):
    """A few kilobytes that would unfold to gigabytes: the check answers at once, about one text."""
    frame = pd.DataFrame({"a": pd.Categorical.from_codes([0] * 50_000, ["x" * 100_000]), "b": range(50_000)})
    frame.to_parquet(tmp_path / "rows.parquet", compression="zstd")
    assert (tmp_path / "rows.parquet").stat().st_size < 1_000_000
    table, faults = read_table(tmp_path / "rows.parquet", WANTED)
    assert faults == []
    _, (fault,) = read_numbers(
        table.columns["a"], "a", Rows(table.rows, np.full(50_000, np.datetime64("NaT", "D")))
    )
    assert str(fault).startswith(
        "column 'a', row 1: found a text of 100000 characters (and in 49999 more rows"
    )


def test_parquet_reads_typed_cells_and_counts_rows_from_one(tmp_path):
    """Dots and spaces in names are no trouble."""
    pd.DataFrame({" a.b": [1.5, 2.5], "c": ["x", "y"]}).to_parquet(tmp_path / "rows.PARQUET")
    table, faults = read_table(tmp_path / "rows.PARQUET", WANTED)
    assert faults == []
    assert table.header == ("a.b", "c")
    assert table.rows == (1, 2)
    assert list(table.columns["a.b"]) == [1.5, 2.5]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a,b\n1,2\n", "the file: found another format; wanted a Parquet file, as its name says"),
        (b"PK\x03\x04\0", "the file: found a zip archive or an Excel workbook"),
        (b"PAR1", "the file: found a broken Parquet file"),
        (b"PAR1" + b"\xff" * 200 + b"PAR1", "the file: found a broken Parquet file"),
    ],
)
def test_what_is_no_parquet_file_is_named(tmp_path, content, fault):
    """The name promises a format; the first bytes tell whether it is kept."""
    assert fault_of(tmp_path, content, "rows.parquet").startswith(fault)


def test_a_parquet_file_without_rows_is_a_fault(tmp_path):
    """A header alone is no data in any format."""
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "rows.parquet")
    assert str(read_table(tmp_path / "rows.parquet", WANTED)[1][0]).startswith("the file: found no rows")


def test_columns_of_the_same_name_are_told():
    """Which of the two is meant is not for the platform to guess."""
    table = table_from_frame(pd.DataFrame([[1, 2, 3]], columns=["a", "b", " a"]))
    assert table.repeated == {"a"}
    assert table.rows == (1,)


messy = st.text(alphabet="a1,;\"'\n\r\t .-é€\0", max_size=60)


@given(
    st.one_of(st.binary(max_size=200), messy.map(str.encode)), st.sampled_from(["rows.csv", "rows.parquet"])
)
def test_any_bytes_give_a_table_or_faults(tmp_path_factory, content, name):
    """Garbage never raises."""
    path = tmp_path_factory.mktemp("tables") / name
    path.write_bytes(content)
    table, faults = read_table(path, WANTED)
    assert (table is not None) or faults
    assert all(fault.where and fault.found and fault.wanted and fault.fix for fault in faults)


def test_a_time_zone_that_does_not_exist_is_a_fault_of_its_column(tmp_path):
    """Of a column that is asked for; others may be in any zone."""
    from datetime import datetime

    import pyarrow as pa
    import pyarrow.parquet as pq

    there = pa.array([datetime(2024, 1, 1)], pa.timestamp("us", tz="Mars/Olympus"))
    pq.write_table(pa.table({"a": there}), tmp_path / "rows.parquet")
    fault = fault_of(tmp_path, (tmp_path / "rows.parquet").read_bytes(), "rows.parquet")
    assert fault.startswith("column 'a': found the time zone 'Mars/Olympus', which does not exist")
    pq.write_table(pa.table({"other": there, "b": [1]}), tmp_path / "rows.parquet")
    assert read_table(tmp_path / "rows.parquet", WANTED)[1] == []


def test_a_note_below_the_rows_is_told_as_one(tmp_path):
    """One cell in a table of two: not only a separator may be missing."""
    (tmp_path / "rows.csv").write_bytes(b"a;b\n1;2\n\nDraft 3\n")
    _, faults = read_table(tmp_path / "rows.csv", WANTED)
    assert [str(fault) for fault in faults] == [
        "row 4: found 1 cell; wanted 2 cells, as in the header; export again if the file was cut off here, or look for "
        "a missing or an extra ';', or delete the note"
    ]


@pytest.mark.parametrize(
    "note",
    [
        "Source: Ads, 3 January",
        '"Applied filters:\nYear is 2024"',
        "Data as of 3 January, preliminary",
        "Summe: 3, 4, 5",
        "Hinweis:;;;vorläufig",
        "# ----",
        "* 2024",
        "=====",
    ],
)
def test_a_text_for_people_below_the_rows_is_left_out_and_told(tmp_path, note):
    """Exports end with their source, their filters, a warning; in any number of cells."""
    table = table_of(tmp_path, f"a;b;c\n1;2;3\n4;5;6\n\n{note}\n".encode())
    assert list(table.columns["b"]) == ["2", "5"]
    assert table.notes == ("row 5 is a note and is left out",)


@pytest.mark.parametrize("rest", ["7", "2024-01-15", "KW 12", "12 Jan", "Monday 15 January 2024", "7;8"])
def test_a_row_that_was_cut_off_is_no_note(tmp_path, rest):
    """Nor is a text for people between the rows."""
    for lines in (f"a;b;c\n1;2;3\n{rest}\n", "a;b;c\n1;2;3\nSource: Ads\n4;5;6\n"):
        (tmp_path / "rows.csv").write_text(lines)
        table, faults = read_table(tmp_path / "rows.csv", WANTED)
        assert len(faults) == 1
        assert not table.whole


def test_a_header_that_comes_again_is_left_out_and_told(tmp_path):
    """As in files that were put together from several exports."""
    table = table_of(tmp_path, b"a,b\n1,2\na,b\n3,4\na,b\n")
    assert list(table.columns["a"]) == ["1", "3"]
    assert table.rows == (2, 4)
    assert table.notes == ("row 3 (and in 1 more row: 5) repeats the header and is left out",)


def test_marks_that_keep_numbers_as_text_are_none_of_the_cell(tmp_path):
    """Exports write ="0012" so that Excel changes nothing."""
    table = table_of(tmp_path, b'a,b\n="12.5","=""3"""\n\'7,=\n')
    assert list(table.columns["a"]) == ["12.5", "7"]
    assert list(table.columns["b"]) == ["3", "="]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("said", [TableForm(), TableForm(encoding="utf-16")])
def test_utf_16_without_its_mark_is_told_by_its_zeros(tmp_path, codec, said):
    """Some programs leave the mark out; saying the encoding was a traceback."""
    (tmp_path / "rows.csv").write_bytes("a;b\n1,5;é\n".encode(codec))
    table, faults = read_table(tmp_path / "rows.csv", WANTED, said)
    assert faults == []
    assert [*table.columns["a"], *table.columns["b"]] == ["1,5", "é"]
    assert table.form.encoding == "utf-16"


@pytest.mark.parametrize("title", ["", "Report,,,\n"])
def test_a_header_in_two_rows_is_read_as_one(tmp_path, title):
    """As joined cells of a spreadsheet are exported: 'a' over both rows, a group over 'b' and 'c'."""
    table = table_of(tmp_path, f"{title}a,Spend,,note\n,b,c,\n1,2,3,x\n4,5,6,\n".encode())
    assert table.header == ("a", "b", "c", "note")
    assert list(table.columns["c"]) == ["3", "6"]
    assert table.notes == (f"the header stands in row {3 if title else 2} and above it",)


def test_names_below_groups_are_called_by_both(tmp_path):
    """Two columns 'tv', one below 'Spend' and one below 'Clicks'."""
    (tmp_path / "rows.csv").write_text("day,Spend,,Clicks,\n,tv,radio,tv,radio\n1,2,3,4,5\n")
    table, faults = read_table(tmp_path / "rows.csv", ("day", "Spend tv", "Clicks tv", "Spend radio"))
    assert faults == []
    assert table.header == ("day", "Spend tv", "Spend radio", "Clicks tv", "Clicks radio")
    assert [table.columns[name][0] for name in ("day", "Spend tv", "Clicks tv")] == ["1", "2", "4"]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2, "\u00ef\u00bb\u00bf".encode()])
def test_marks_of_utf_8_are_no_part_of_the_first_name(tmp_path, mark):
    """Twice, or read as Latin-1 and saved again, and before a name in quotes."""
    assert table_of(tmp_path, mark + b'"a","b"\n1,2\n').header == ("a", "b")


def test_rows_may_leave_out_columns_that_have_no_name(tmp_path):
    """A header that ends with commas; cells below them are passed over."""
    table = table_of(tmp_path, b"a,b,,\n1,2\n3,4,,\n5,6,x\n")
    assert list(table.columns["b"]) == ["2", "4", "6"]
    every, _ = read_table(tmp_path / "rows.csv", table.header)  # the names of all columns, blank ones too
    assert list(every.columns[""]) == ["", "", ""]


def test_a_mark_that_is_announced_and_not_kept_is_passed_over(tmp_path):
    """As in a file of Excel that another program saved again: the names decide."""
    (tmp_path / "rows.csv").write_text("sep=;\na,b\n1,2\n")
    table, faults = read_table(tmp_path / "rows.csv", ("a", "b"))
    assert faults == []
    assert table.columns["b"][0] == "2"
    assert table.form.separator == ","


@pytest.mark.parametrize(
    ("end", "remedy"),
    [("5", "export again if the file was cut off here"), ("x\ny,1\n", "delete what stands below the table")],
)
def test_rows_at_the_end_that_lack_cells_are_told_as_such(tmp_path, end, remedy):
    """A file that was cut off, or a second table below the first."""
    (tmp_path / "rows.csv").write_text(f"a,b,c\n1,2,3\n4,5,6\n{end}")
    _, (fault,) = read_table(tmp_path / "rows.csv", ("a", "b", "c"))
    assert fault.fix.startswith(f"{remedy}, or look for a missing or an extra comma")


@pytest.mark.parametrize("blank", ["\u3164", "\u2800", "\u115f"])
def test_letters_that_show_nothing_are_no_part_of_a_name(blank):
    """Nobody can type them."""
    assert usable_name(f"tv{blank}") == "tv"
    assert usable_name(f"tv{blank}cost") == "tv cost"


def test_a_cell_that_rows_share_has_a_bearable_length(tmp_path):
    """A few kilobytes of Parquet hold it; every row of 120 made a copy of its own of 80 MB."""
    cells = pa.DictionaryArray.from_arrays(pa.array([0] * 40, pa.int32()), ["9" * 2_000_000])
    pq.write_table(pa.table({"a": cells}), tmp_path / "rows.parquet", compression="zstd")
    table, faults = read_table(tmp_path / "rows.parquet", ("a",))
    assert table is None
    assert [fault.found for fault in faults] == ["a cell of 2,000,000 characters"]


def test_a_text_of_any_length_below_the_table_is_looked_at_in_no_time(tmp_path):
    """The search for "Source:" began anew at each of its letters: a minute for each such line."""
    lines = "".join(f"{'x' * 130_000}\n" for _ in range(20))
    (tmp_path / "rows.csv").write_text(f"a,b\n1,2\n{lines}")
    (fault,) = read_table(tmp_path / "rows.csv", ("a", "b"))[1]
    assert fault.found.startswith("1 cell (and in 19 more rows")


@pytest.mark.parametrize(("cell", "words"), [([1, 2], "a list"), ({"x": 1}, "a record of several values")])
def test_cells_of_several_values_are_called_so(tmp_path, cell, words):
    """As databases with repeated fields export them; the message named a class of Python."""
    pq.write_table(pa.table({"a": [cell]}), tmp_path / "rows.parquet")
    table, _ = read_table(tmp_path / "rows.parquet", ("a",))
    _, (fault,) = read_numbers(table.columns["a"], "a", Rows.undated([1]))
    assert fault.found == words
