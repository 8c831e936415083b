"""Tables of other shapes than a row for each date: turned and long ones give the rows of the upright table."""

import datetime

import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook

from mmm_engine.client.config import ClientConfig
from mmm_engine.files.table import read_table
from mmm_engine.rows.client_data import read_client_data
from tests.engine.client_cases import faults_of_file, shop_config, shop_rows


def written(folder, frame: pd.DataFrame, suffix: str = ".csv", **options) -> ClientConfig:
    """Settings of the client whose file holds the frame."""
    config = shop_config(data=f"shop{suffix}")
    if suffix == ".xlsx":
        frame.to_excel(folder / config.data, index=False, **options)
    elif suffix == ".parquet":
        frame.to_parquet(folder / config.data, index=False)
    else:
        frame.to_csv(folder / config.data, index=False, **options)
    return config


def version_of_upright(folder) -> str:
    """What the same rows give in a table with a row for each date."""
    (folder / "upright").mkdir()
    return read_client_data(written(folder / "upright", shop_rows()), folder / "upright").data_version


def turned(corner: str) -> pd.DataFrame:
    """A column for each week, a row for each name; the cell above the names says ``corner``."""
    return shop_rows().set_index("week").T.rename_axis(corner).reset_index()


def long(names=("revenue", "tv", "radio", "price"), beside=()) -> pd.DataFrame:
    """A row for each week and name."""
    return shop_rows().melt(["week", *beside], list(names), "what", "value")


@pytest.mark.parametrize("corner", ["week", "metric", ""])
@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".csv", {}), (".csv", {"sep": ";", "decimal": ","}), (".xlsx", {"startrow": 3}), (".parquet", {})],
)
def test_a_table_with_a_column_for_each_date_is_read_turned(tmp_path, corner, suffix, options):
    """Whatever stands above its names; the note says it, and no number moves."""
    if "decimal" in options:
        options = {"sep": ";"}
        frame = turned(corner).map(lambda cell: str(cell).replace(".", ","))
    else:
        frame = turned(corner)
    data = read_client_data(written(tmp_path, frame, suffix, **options), tmp_path)
    assert data.data_version == version_of_upright(tmp_path)
    assert "the file has a column for each date" in " ".join(finding.message for finding in data.findings)


def test_a_turned_workbook_keeps_the_currencies_of_its_formats(tmp_path):
    """Excel keeps a number and shows the sign, whichever way the table lies; price is no money of the client's."""
    config = written(tmp_path, turned("week"), ".xlsx")
    book = load_workbook(tmp_path / config.data)
    for row, shown in ((2, "#,##0.00 [$€-407]"), (3, "#,##0 [$EUR]"), (4, '#,##0 "€"'), (5, '"$"0')):
        for cell in book.active[row][1:]:
            cell.number_format = shown
    book.save(tmp_path / config.data)
    assert read_client_data(config, tmp_path).currency_of_cells == "EUR"
    for cell in book.active[4][1:]:
        cell.number_format = '"$"#,##0'
    book.save(tmp_path / config.data)
    findings = read_client_data(config, tmp_path).findings
    assert [one.code for one in findings if one.code == "mixed-currencies"] == ["mixed-currencies"]


def test_a_turned_workbook_tells_formulas_as_an_upright_one(tmp_path):
    """A formula that no program has worked out is shown as it is written; its cell was said to be empty."""
    book = Workbook()
    weeks = [datetime.date(2024, 1, 1), datetime.date(2024, 1, 8)]
    for row in (["week", *weeks], ["tv", 3, "=B2+1"], ["radio", 5, 6]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    table, faults = read_table(tmp_path / "a.xlsx", ("week", "tv", "radio"), date="week")
    assert faults == []
    assert list(table.columns["tv"]) == [3, "=B2+1"]


def test_units_beside_the_names_and_totals_behind_the_dates_are_no_rows(tmp_path):
    """As budget sheets have them: a group before the name, its unit after it, a total at the end."""
    frame = turned("week")
    frame.insert(0, "group", ["sales", "media", "media", "other"])
    frame.insert(2, "unit", "EUR")
    frame["Total"] = frame.iloc[:, 3:].sum(axis=1).where(frame["group"] != "other")
    data = read_client_data(written(tmp_path, frame), tmp_path)
    assert data.data_version == version_of_upright(tmp_path)
    assert "row 64 says that it holds totals" in " ".join(finding.message for finding in data.findings)


def test_faults_of_a_turned_table_count_its_columns(tmp_path):
    """The week of row 12 is the file's twelfth column; a name that is not there is told with those that are."""
    frame = turned("week")
    frame.iloc[1, 11] = "n/a"
    frame.iloc[3, 0] = "prices"
    faults = faults_of_file(tmp_path, frame)
    assert faults[0].startswith(
        "column 'price', header: found no such column (there are: week, revenue, tv, radio, prices); wanted"
    )
    assert faults[1].startswith("column 'tv', row 12 (2022-03-14): found a missing value ('n/a')")


def test_a_date_that_a_turned_table_lost_is_a_fault(tmp_path):
    """No column is left out in silence."""
    frame = turned("week").rename(columns={"2022-03-14": "?"})
    (fault,) = faults_of_file(tmp_path, frame)
    assert fault.startswith("column 'week', row 12: found a missing date")


@pytest.mark.parametrize("corner", ["week", "metric"])
def test_weeks_that_come_twice_in_a_turned_table_are_told(tmp_path, corner):
    """As two exports side by side have them; a panel is looked for in the table as it stands upright."""
    frame = turned(corner)
    both = pd.concat([frame, frame.drop(columns=corner)], axis=1)
    (fault,) = faults_of_file(tmp_path, both)
    assert fault.startswith(
        "column 'week', row 62 (2022-01-03): found the date of row 2 again (and in 59 more rows"
    )


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
@pytest.mark.parametrize("beside", [(), ("revenue", "price")])
def test_a_table_with_a_row_for_each_date_and_name_is_read_as_columns(tmp_path, suffix, beside):
    """All in one column, or the media alone beside a target that every row of a date repeats."""
    names = [name for name in ("revenue", "tv", "radio", "price") if name not in beside]
    frame = long(names, beside)
    if suffix == ".parquet":
        frame = frame.astype({"value": float, **dict.fromkeys(beside, float)})
    data = read_client_data(written(tmp_path, frame.sample(frac=1, random_state=1), suffix), tmp_path)
    assert data.data_version == version_of_upright(tmp_path)
    assert "column 'what' says what each row holds: its names are read as columns" in {
        finding.message for finding in data.findings
    }


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_a_long_table_keeps_the_currency_of_its_cells(tmp_path, suffix):
    """As an upright one does: only the channels' cells have a sign here."""
    frame = long(("tv", "radio"), ("revenue", "price"))
    frame["value"] = [f"€ {number:.2f}" for number in frame["value"]]
    data = read_client_data(written(tmp_path, frame, suffix), tmp_path)
    assert data.currency_of_cells == "EUR"
    assert data.data_version == version_of_upright(tmp_path)


def test_currencies_that_differ_among_the_names_of_a_long_table_are_told(tmp_path):
    """As those of columns are; the table was refused for having no column of numbers."""
    frame = long(("tv", "radio"), ("revenue", "price"))
    signs = frame["what"].map({"tv": "€", "radio": "$"})
    frame["value"] = [f"{sign}{number:.2f}" for sign, number in zip(signs, frame["value"], strict=True)]
    data = read_client_data(written(tmp_path, frame), tmp_path)
    assert data.currency_of_cells == ""
    assert "mixed-currencies" in {finding.code for finding in data.findings}
    assert data.data_version == version_of_upright(tmp_path)


def test_campaigns_of_a_long_table_are_added_up_and_weeks_without_any_are_0(tmp_path):
    """Two campaigns of tv are its spend; radio has no row in the third week; other channels are passed over."""
    frame = long()
    split = frame[frame["what"] == "tv"]
    frame.loc[frame["what"] == "tv", "value"] = split["value"].astype(float) * 0.25
    frame["campaign"] = "one"
    more = split.assign(value=split["value"].astype(float) * 0.75, campaign="two")
    other = split.assign(what="print", campaign="three")
    frame = pd.concat([frame, more, other]).drop(frame.index[(frame["what"] == "radio")][2])
    data = read_client_data(written(tmp_path, frame), tmp_path)
    assert data.media[:, 0] == pytest.approx(shop_rows()["tv"].astype(float))
    expected = shop_rows()["radio"].astype(float)
    expected[2] = 0
    assert data.media[:, 1] == pytest.approx(expected)
    assert "dates without a row count as 0: 'radio' (1)" in " ".join(note.message for note in data.findings)


OPEN = {
    "several columns of numbers": (
        lambda: long().assign(clicks=range(240)),
        "column 'what': found revenue, tv, radio, price: names of columns in the cells of a long table, and several "
        "columns of numbers (value, clicks); wanted one column of numbers, which belong to these names; leave the "
        "others out, or turn it: frame.pivot_table(index='week', columns='what', values='value', aggfunc='sum')",
    ),
    "sales by channel": (
        lambda: long(("tv", "radio"), ("revenue", "price")).assign(revenue=range(120)),
        "column 'revenue', row 62: found 60 for 2022-01-03, and 0 in row 2: a long table; wanted one value for each "
        "date; take it from where it is counted once, as a sum over channels is what platforms claim; if the rows are "
        "parts of it, add them up",
    ),
    "a row twice": (
        lambda: pd.concat([long(), long().iloc[[70]]]),
        "row 242: found the same cells as in row 72; wanted each row once; delete the copy, or add the two up",
    ),
    "two prices of a week": (
        lambda: pd.concat([long(), long().iloc[[180]].assign(value=5.0)]),
        "column 'what', row 242: found 'price' of 2022-01-03 again, as in row 182; wanted one row for each date; add "
        "the rows up, or take their average, whichever is true of it",
    ),
    "a cell that is no number": (
        lambda: long().assign(value=lambda frame: frame["value"].where(frame.index != 70, "n/a")),
        "column 'value', row 72: found a missing value ('n/a'); wanted a number in every row; write 0 where nothing "
        "was spent or counted, otherwise look the number up",
    ),
    "a week without a target": (
        lambda: long().drop(5),
        "column 'revenue', row 66 (2022-02-07): found a missing value; wanted a number in every row; write 0 where "
        "nothing was spent or counted, otherwise look the number up",
    ),
}


@pytest.mark.parametrize("name", OPEN)
def test_a_long_table_that_leaves_something_open_is_refused(tmp_path, name):
    """With what it is, and what to do."""
    frame, fault = OPEN[name]
    assert faults_of_file(tmp_path, frame()) == [fault]


def test_the_column_of_spend_of_a_long_table_is_no_channel(tmp_path):
    """Who names it is told how the channels are named."""
    frame = long(("tv", "radio"), ("revenue", "price"))
    config = shop_config(channels=["value"])
    (fault,) = faults_of_file(tmp_path, frame, config)
    assert "once for each value of 'what' (radio, tv): a long table ('revenue' does not differ among" in fault
    assert "name these values as channels (mmm add: --channels radio,tv)" in fault


def test_blank_cells_of_a_long_table_are_zero_where_the_client_file_says_so(tmp_path):
    """In the column that holds the media alone."""
    frame = long(("tv", "radio"), ("revenue", "price"))
    frame.loc[[4, 70], "value"] = "-"
    config = shop_config(csv={"blank_media_is_zero": True})
    frame.to_csv(tmp_path / config.data, index=False)
    media = read_client_data(config, tmp_path).media
    assert [*zip(*(media == 0).nonzero(), strict=True)] == [(4, 0), (10, 1)]


def test_names_in_a_column_of_words_make_no_long_table(tmp_path):
    """A row for each week with the channel that somebody wrote beside it: the columns are missing."""
    frame = shop_rows().rename(columns={"tv": "tv_cost", "radio": "radio_cost"})
    frame["note"] = ["tv", "radio"] * 30
    faults = faults_of_file(tmp_path, frame)
    assert [fault.split(":")[0] for fault in faults] == ["column 'tv', header", "column 'radio', header"]
