"""Excel workbooks become the same cells as the CSV file that Excel would save."""

import datetime
import io
import zipfile

import numpy as np
import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from mmm_engine.files import limits, workbook
from mmm_engine.files.cells import Rows
from mmm_engine.files.dates import read_dates
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import read_table
from mmm_engine.files.table_form import TableForm

WANTED = ("week", "tv")
ROWS = [("week", "tv"), (datetime.datetime(2024, 1, 1), 3), (datetime.date(2024, 1, 8), 4.5)]


def saved(path, **sheets):
    """A workbook with these sheets: name to rows."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_dates_and_numbers_of_a_sheet_are_read_with_their_types(tmp_path):
    """Titles, blank rows and empty columns are no rows; rows are numbered as Excel shows them."""
    rows = [("Weekly report",), (), ROWS[0], *ROWS[1:], (None, "")]
    table, faults = read_table(saved(tmp_path / "a.xlsx", Data=rows), WANTED)
    assert faults == []
    assert (table.header, table.rows) == (("week", "tv"), (4, 5))
    days, faults, _ = read_dates(table.columns["week"], "week", table.rows)
    assert ([str(day) for day in days], faults) == (["2024-01-01", "2024-01-08"], [])
    values, faults = read_numbers(table.columns["tv"], "tv", Rows(table.rows, days))
    assert (list(values), faults) == ([3.0, 4.5], [])
    assert table.notes == ("the header stands in row 3; 1 row above it passed over",)
    assert table.form.sheet is None


def test_the_first_sheet_is_taken_unless_another_is_named(tmp_path):
    """Which one it was is told where there are several."""
    path = saved(tmp_path / "a.xlsx", Data=ROWS, Notes=[("x",), (1,)])
    assert read_table(path, WANTED)[0].form.sheet == "Data"
    assert read_table(path, WANTED, TableForm(sheet="Notes"))[0].header == ("x",)
    table, (fault,) = read_table(path, WANTED, TableForm(sheet="Dat"))
    assert table is None
    assert str(fault).startswith(
        "the file: found no sheet 'Dat'; wanted one of its sheets: Data, Notes; name it with"
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"a,b\n1,2\n", "found another format; wanted an .xlsx file"),
        (b"PK\x03\x04 not an archive", "found no Excel workbook ("),
        (b"\xd0\xcf\x11\xe0 old", "found an old Excel workbook; wanted an .xlsx file"),
    ],
)
def test_what_is_no_workbook_is_named(tmp_path, content, found):
    """Another format, a broken archive, the format before .xlsx."""
    (tmp_path / "a.xlsx").write_bytes(content)
    table, (fault,) = read_table(tmp_path / "a.xlsx", WANTED)
    assert table is None
    assert found in str(fault)


def test_an_archive_of_something_else_is_a_broken_workbook(tmp_path):
    """A zip file that was renamed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("hello.txt", "hello")
    (tmp_path / "a.xlsx").write_bytes(stream.getvalue())
    assert "found a broken Excel workbook (" in str(read_table(tmp_path / "a.xlsx", WANTED)[1][0])


def test_what_a_workbook_unfolds_to_is_bounded(tmp_path, monkeypatch):
    """A small file of gigabytes is refused before it is parsed; so is one whose cells stand far apart."""
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 3_000_000)
    monkeypatch.setattr(limits, "MAX_BYTES", 2_000_000)
    assert "found more than 2,000,000 bytes once unpacked" in str(read_table(path, WANTED)[1][0])
    book = Workbook()
    for row in range(1, 6):
        book.active.cell(row, 16_384, 1)
    book.save(path)
    monkeypatch.setattr(workbook, "MAX_CELLS", 40_000)
    assert "rows or 40,000 cells; wanted at most" in str(read_table(path, WANTED)[1][0])


def test_a_sheet_and_a_csv_file_of_the_same_rows_agree(tmp_path):
    """Text in a workbook is read as text in a CSV file is: decimal commas, thousands."""
    rows = [("week", "tv"), ("01.02.2024", "1.234,5"), ("15.02.2024", "7,25")]
    (tmp_path / "a.csv").write_text("\n".join(";".join(row) for row in rows))
    read = []
    for path in (saved(tmp_path / "a.xlsx", Data=rows), tmp_path / "a.csv"):
        table, _ = read_table(path, WANTED)
        days, _, shown = read_dates(table.columns["week"], "week", table.rows)
        values, faults = read_numbers(table.columns["tv"], "tv", Rows(table.rows, days), table.form.decimal)
        read.append((list(days), list(values), faults, shown.order))
    assert read[0] == read[1]
    assert read[0][1] == [1234.5, 7.25]
    assert np.datetime64("2024-02-15") in read[0][0]


def test_formulas_whose_results_were_not_stored_are_no_blank_cells(tmp_path):
    """As programs write them that never calculate: nobody is to fill in zeros."""
    rows = [("week", "tv"), (datetime.datetime(2024, 1, 1), "=1+2"), (datetime.datetime(2024, 1, 8), None)]
    table, _ = read_table(saved(tmp_path / "a.xlsx", Data=rows), WANTED)
    days = np.array(["2024-01-01", "2024-01-08"], dtype="datetime64[D]")
    _, faults = read_numbers(table.columns["tv"], "tv", Rows(table.rows, days))
    assert [str(fault).partition("; wanted")[0] for fault in faults] == [
        "column 'tv', row 2 (2024-01-01): found the formula '=1+2' without its result",
        "column 'tv', row 3 (2024-01-08): found a missing value",
    ]
    assert "open the workbook in Excel, save it" in str(faults[0])


def test_the_only_sheet_that_has_the_columns_is_read_when_nobody_names_one(tmp_path):
    """A cover sheet comes first; two sheets with the columns leave it to a person."""
    cover, data = [["Report of"], ["Acme"]], [["date", "a"], ["2024-01-01", 1]]
    table, faults = read_table(saved(tmp_path / "a.xlsx", Cover=cover, Data=data, Notes=cover), ("date", "a"))
    assert faults == []
    assert (table.header, table.form.sheet) == (("date", "a"), "Data")
    table, _ = read_table(saved(tmp_path / "b.xlsx", Cover=cover, Data=data, Old=data), ("date", "a"))
    assert (table.header, table.form.sheet) == (("Report of",), "Cover")


def test_a_header_of_joined_cells_is_read_as_one(tmp_path):
    """A name that stands in the upper row counts, also behind the last one of the lower row."""
    rows = [["date", "Spend", "", "b"], ["", "a", "c"], ["2024-01-01", 1, 2, 3]]
    table, faults = read_table(saved(tmp_path / "a.xlsx", Data=rows), ("date", "a", "b", "c"))
    assert faults == []
    assert table.header == ("date", "a", "c", "b")
    assert [table.columns[name][0] for name in ("a", "c", "b")] == [1, 2, 3]


@pytest.mark.parametrize("epoch", [CALENDAR_WINDOWS_1900, CALENDAR_MAC_1904])
def test_numbers_of_days_are_those_of_the_workbook(tmp_path, epoch):
    """Days that are counted from 1904 are four years and a day fewer than those from 1900."""
    book = Workbook()
    book.epoch = epoch
    first = 45292 if epoch == CALENDAR_WINDOWS_1900 else 43830  # Monday, 2024-01-01
    for row in (["date", "a"], [first, first], [first + 7, 2]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    table, _ = read_table(tmp_path / "a.xlsx", ("date", "a"), date="date")
    days, faults, _ = read_dates(table.columns["date"], "date", table.rows)
    assert faults == []
    assert [str(day) for day in days] == ["2024-01-01", "2024-01-08"]
    assert table.columns["a"][0] == first


def test_a_header_that_comes_again_in_a_sheet_is_left_out(tmp_path):
    """As in sheets that were put together from several."""
    rows = [["date", "a"], ["2024-01-01", 1], ["date", "a"], ["2024-01-08", 2]]
    table, faults = read_table(saved(tmp_path / "a.xlsx", Data=rows), ("date", "a"))
    assert faults == []
    assert (list(table.columns["a"]), table.rows) == ([1, 2], (2, 4))
    assert table.notes == ("row 3 repeats the header and is left out",)


@pytest.mark.parametrize("said", [TableForm(), TableForm(sheet="2023")])
def test_other_sheets_with_the_same_columns_are_told(tmp_path, said):
    """A sheet for each year: the first one alone would be a model of that year, in silence."""
    sheets = {year: [["date", "a"], [f"{year}-01-02", 1]] for year in ("2023", "2024", "2025")}
    path = saved(tmp_path / "a.xlsx", **sheets, Notes=[["x"]])
    table, _ = read_table(path, ("date", "a"), said)
    assert table.form.sheet == "2023"
    assert table.notes == (
        "rows of other sheets with these columns are not read ('2024', '2025'): put what belongs together into one",
    )


@pytest.mark.parametrize(
    ("shown", "word"),
    [
        ("#,##0.00 [$€-407]", "€"),
        ('_-* #,##0.00 "€"_-;-* #,##0.00 "€"_-', "€"),
        ("[$USD] #,##0", "USD"),
        ('"$"#,##0.00', "$"),
        ("£#,##0", "£"),
        ('#,##0 "kr"', "kr"),
        ("General", ""),
        ("0.00%", ""),
        ("[$-409]d mmm yyyy", ""),
        ('0 "Stück"', ""),
        ("[Red]-#,##0.00", ""),
    ],
)
def test_the_currency_of_a_column_is_that_of_its_format(tmp_path, shown, word):
    """Excel keeps a number and shows the sign."""
    book = Workbook()
    for row in (["week", "tv"], [datetime.datetime(2024, 1, 1), 3], [datetime.datetime(2024, 1, 8), 4]):
        book.active.append(row)
    book.active["B2"].number_format = shown
    book.save(tmp_path / "a.xlsx")
    table, _ = read_table(tmp_path / "a.xlsx", WANTED)
    assert table.currencies.get("tv", "") == word
