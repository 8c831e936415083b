"""The data contract, one test for each thing that is refused: where, what was found, what to do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.errors import ConfigError
from mmm_engine.files.table import table_from_frame
from mmm_engine.files.table_form import TableForm
from mmm_engine.files.yaml_document import parse_document
from mmm_engine.rows.client_data import read_client_data
from mmm_engine.rows.contract import check_rows, minimum_rows
from tests.engine.client_cases import faults_of_file, shop_config, shop_rows, with_cell


def mondays(*dates):
    """Rows of the client with other dates in the first rows."""
    frame = shop_rows()
    frame.loc[: len(dates) - 1, "week"] = list(dates)
    return frame


def test_sound_rows_have_no_faults(tmp_path):
    """The client that all tests break is sound."""
    assert faults_of_file(tmp_path, shop_rows()) == []
    assert faults_of_file(tmp_path, shop_rows(28)) == []


FAULTY = {
    "missing column": (
        shop_rows().rename(columns={"tv": "tv_spend"}),
        "column 'tv', header: found no such column (there are: week, revenue, tv_spend, radio, price); wanted a column "
        "of this name (channel); did you mean 'tv_spend'?",
    ),
    "misspelt column": (
        shop_rows().rename(columns={"revenue": "Revenues"}),
        "column 'revenue', header: found no such column (there are: week, Revenues, tv, radio, price); wanted a column "
        "of this name (target); did you mean 'Revenues'?",
    ),
    "column twice": (
        b"week,revenue,tv,radio,price,tv\n2022-01-03,1,2,3,4,5\n",
        "column 'tv', header: found 2 columns of this name; wanted one; delete one where they hold the same, else "
        "give each a name of its own",
    ),
    "column twice below a title": (
        b"Weekly report,,,,,\nweek,revenue,tv,radio,price,tv\n2022-01-03,1,2,3,4,5\n",
        "column 'tv', header: found 2 columns of this name; wanted one; delete one where they hold the same, else "
        "give each a name of its own",
    ),
    "column in two groups": (
        b",Sales,Spend,,,Clicks\nweek,revenue,tv,radio,price,tv\n2022-01-03,1,2,3,4,5\n",
        "column 'tv', header: found 2 columns of this name; wanted one; say which, with the group that stands above "
        "it: 'Spend tv' or 'Clicks tv'",
    ),
    "names in one cell": (
        "\n".join(f'"{line}"' for line in shop_rows().to_csv(index=False).splitlines()).encode(),
        "header: found the names of columns in one cell, with ',' between them: 'week,revenue,tv,radio,price'; wanted "
        "a cell for each name; save the table again as CSV, separated by commas and without quotes around whole lines, "
        "or correct 'csv: {separator: …}' in the client file",
    ),
    "columns separated by another mark": (
        shop_rows().to_csv(index=False, sep="^").encode(),
        "header: found the names of columns in one cell, with '^' between them: 'week^revenue^tv^radio^price'; wanted "
        "a cell for each name; save the table again as CSV, separated by commas",
    ),
    "no header": (
        shop_rows().to_csv(index=False, header=False).encode(),
        "header: found the cells of a row instead of names (2022-01-03, 1000.06, 97.15, 26.13, 9.37); wanted a first "
        "line with the names of the columns; write the names above the rows: week, revenue, tv, radio, price",
    ),
    "letters of another alphabet": (
        shop_rows().rename(columns={"price": "pri\u0441e"}),
        "column 'price', header: found no such column (there are: week, revenue, tv, radio, pri\u0441e); wanted a "
        "column of this name (control); 'pri\u0441e' looks the same and is another name ('\u0441' is CYRILLIC SMALL "
        "LETTER ES): rename it in the file",
    ),
    "wide letters": (
        shop_rows().rename(columns={"tv": "\uff54\uff56"}),
        "column 'tv', header: found no such column (there are: week, revenue, \uff54\uff56, radio, price); wanted a "
        "column of this name (channel); '\uff54\uff56' looks the same and is another name ('\uff54' is FULLWIDTH "
        "LATIN SMALL LETTER T): rename it in the file",
    ),
    "no date": (
        with_cell("week", 7, "Total")(shop_rows()),
        "column 'week', row 7: found 'Total', which is no date; wanted a date; write dates as YYYY-MM-DD; delete rows "
        "of totals and notes",
    ),
    "ambiguous dates": (
        shop_rows(dates=pd.date_range("2019-01-01", periods=60, freq="MS").strftime("%d/%m/%Y")),
        "column 'week', row 3: found 01/02/2019, which is ambiguous (and in 54 more rows: 4, 5, 6, 7, 8, …); wanted "
        "dates that can be read in one way only (no row here has a part above 12); write dates as YYYY-MM-DD, or "
        "say the order: 'csv: {dates: day/month/year}' (mmm add: --dates day/month/year)",
    ),
    "duplicate date": (
        with_cell("week", 8, "2022-02-07")(shop_rows()),
        "column 'week', row 8 (2022-02-07): found the date of row 7 again; wanted each date once; delete the copy, or "
        "add the two rows up if both are true",
    ),
    "gap": (
        shop_rows().drop(index=[10, 11, 30]),
        "column 'week', row 11 (2022-03-07): found no row for 3 of 60 dates after it: 2022-03-14, 2022-03-21, "
        "2022-08-01; wanted one row a week without gaps; add the rows (spend 0 is allowed), or start after the gap",
    ),
    "closed at weekends": (
        shop_rows(dates=pd.bdate_range("2022-01-03", periods=60).strftime("%Y-%m-%d")),
        "column 'week', row 6 (2022-01-07): found no row for 22 of 82 dates, Saturdays and Sundays for the most part; "
        "wanted one row a day without gaps; add rows up to weeks",
    ),
    "fortnights": (
        shop_rows(dates=pd.date_range("2022-01-03", periods=60, freq="14D").strftime("%Y-%m-%d")),
        "column 'week', row 2 (2022-01-03): found rows 14 days apart (from 14 to 14); wanted one row a day, a week or "
        "a month; export the file by week or by month: what is longer cannot be cut into them",
    ),
    "months of a retail calendar": (
        shop_rows(dates=[str(np.datetime64("2018-01-01") + 28 * n + 7 * (n // 3)) for n in range(60)]),
        "column 'week', row 2 (2018-01-01): found rows of 4 or 5 weeks each, as retail calendars have them (4-4-5); "
        "wanted one row a week or a calendar month; export the file by week",
    ),
    "last working days of months": (
        shop_rows(dates=pd.date_range("2016-01-31", periods=60, freq="BME").strftime("%Y-%m-%d")),
        "column 'week', row 4 (2016-04-29): found 2016-04-29, a Friday (and in 16 more rows: 7, 12, 16, 21, 24, …); "
        "wanted one row a month as in most rows, evenly spaced; date each row by the first day of its month",
    ),
    "one date moved": (
        with_cell("week", 8, "2022-02-15")(shop_rows()),
        "column 'week', row 8 (2022-02-15): found 2022-02-15, a Tuesday; wanted Mondays as in most rows, evenly "
        "spaced; correct the date of this row",
    ),
    "irregular spacing": (
        shop_rows(dates=pd.date_range("2022-01-03", periods=60, freq="10D").strftime("%Y-%m-%d")),
        "column 'week', row 2 (2022-01-03): found rows 10 days apart (from 10 to 10); wanted one row a day, a week or "
        "a month; add the missing rows, or add rows up to weeks or months",
    ),
    "blank cell": (
        with_cell("tv", 9, "")(shop_rows()),
        "column 'tv', row 9 (2022-02-21): found a blank cell; wanted a number in every row; write 0 where nothing was "
        "spent or counted, otherwise look the number up; if blank always means 0 here, say 'csv: {blank_media_is_zero: "
        "true}' (mmm add: --blank-is-zero)",
    ),
    "missing control": (
        with_cell("price", 9, "NA")(shop_rows()),
        "column 'price', row 9 (2022-02-21): found a missing value ('NA'); wanted a number in every row; write 0 where "
        "nothing was spent or counted, otherwise look the number up",
    ),
    "missing target": (
        with_cell("revenue", 61, "")(shop_rows()),
        "column 'revenue', row 61 (2023-02-20): found a blank cell; wanted a number in every row; write 0 where "
        "nothing was spent or counted, otherwise look the number up",
    ),
    "infinite": (
        with_cell("tv", 9, "inf")(shop_rows()),
        "column 'tv', row 9 (2022-02-21): found an infinite value; wanted a finite number; replace it by the true "
        "number",
    ),
    "thousands separator": (
        with_cell("tv", 9, "1,23,4")(shop_rows()),
        "column 'tv', row 9 (2022-02-21): found the text '1,23,4'; wanted a number; write plain numbers such as 1234.5 "
        "(no units, no notes)",
    ),
    "currency": (
        with_cell("radio", 10, "$12")(with_cell("radio", 9, "€12")(shop_rows())),
        "column 'radio', row 10 (2022-02-28): found '$12'; wanted the same currency in every row (another row has "
        "€); bring the whole column to one currency, and leave its sign or code out",
    ),
    "text": (
        with_cell("price", 9, "high")(shop_rows()),
        "column 'price', row 9 (2022-02-21): found the text 'high'; wanted a number; write plain numbers such as "
        "1234.5 (no units, no notes)",
    ),
    "negative spend": (
        with_cell("tv", 12, -3)(with_cell("tv", 9, -5.5)(shop_rows())),
        "column 'tv', row 9 (2022-02-21): found -5.5 (and in 1 more row: 12); wanted 0 or more; put refunds and "
        "corrections into the period they belong to, or write 0",
    ),
    "all-zero channel": (
        shop_rows().assign(tv=0),
        "column 'tv', all rows from row 2 (2022-01-03): found 0 in every row; wanted a column that varies; leave it "
        "out of the client file: nothing can be learnt about its effect",
    ),
    "constant channel": (
        shop_rows().assign(radio=7.5),
        "column 'radio', all rows from row 2 (2022-01-03): found 7.5 in every row; wanted a column that varies; leave "
        "it out of the client file: nothing can be learnt about its effect",
    ),
    "constant control": (
        shop_rows().assign(price=9.99),
        "column 'price', all rows from row 2 (2022-01-03): found 9.99 in every row; wanted a column that varies; leave "
        "it out of the client file: nothing can be learnt about its effect",
    ),
    "constant target": (
        shop_rows().assign(revenue=5),
        "column 'revenue', all rows from row 2 (2022-01-03): found 5 in every row; wanted a column that varies; export "
        "the column again",
    ),
    "all-zero target": (
        shop_rows().assign(revenue=0),
        "column 'revenue', all rows from row 2 (2022-01-03): found 0 in every row; wanted a column that varies; export "
        "the column again",
    ),
    "equal channels": (
        shop_rows().assign(radio=lambda frame: frame["tv"]),
        "column 'radio', all rows from row 2 (2022-01-03): found the same values as in column 'tv'; wanted another "
        "channel; leave one of the two out: their effects cannot be told apart",
    ),
    "target among the inputs": (
        shop_rows().assign(price=lambda frame: frame["revenue"]),
        "column 'price', all rows from row 2 (2022-01-03): found the same values as in the target 'revenue'; wanted "
        "another column; name the right column in the client file",
    ),
    "too few rows": (
        shop_rows(27),
        "all rows: found 27 rows; wanted at least 28 (2 × the longest window of 12 + max_lag 4); add history; less "
        "cannot be judged",
    ),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_breach_names_the_place_and_the_remedy(tmp_path, case):
    """Column, first row with its date, what was found, what was wanted, what to do: word for word."""
    content, fault = FAULTY[case]
    assert fault in faults_of_file(tmp_path, content)


def test_the_refused_things_are_refused_for_nothing_else(tmp_path):
    """One breach gives one fault, so that a message does not send its reader in circles."""
    for case, (content, fault) in FAULTY.items():
        # a moved date is missing elsewhere; columns that come twice have one row
        if case != "duplicate date" and not case.startswith("column "):
            assert faults_of_file(tmp_path, content) == [fault], case


def test_all_breaches_of_a_file_come_in_one_message(tmp_path):
    """Header, dates, cells, values and columns, each at its place."""
    frame = shop_rows().rename(columns={"price": "prize"}).drop(index=[20])
    frame.loc[3, "tv"], frame.loc[4, "tv"], frame.loc[5, "radio"] = "5%", -1, ""
    faults = faults_of_file(tmp_path, frame)
    assert [fault.split(": found")[0] for fault in faults] == [
        "column 'price', header",
        "column 'week', row 21 (2022-05-16)",
        "column 'tv', row 5 (2022-01-24)",
        "column 'tv', row 6 (2022-01-31)",
        "column 'radio', row 7 (2022-02-07)",
    ]


def test_dates_that_tell_their_order_are_read_with_a_note(tmp_path):
    """25/12/2023 can be read in one way; the note says which row told."""
    dates = pd.date_range("2022-01-03", periods=60, freq="W-MON").strftime("%d/%m/%Y")
    assert faults_of_file(tmp_path, shop_rows(dates=dates)) == []
    data = read_client_data(shop_config(), tmp_path)
    assert [finding.code for finding in data.findings] == ["date-order"]
    assert "as day/month/year, as row 4 shows" in data.findings[0].message
    assert data.dates[0] == pd.Timestamp("2022-01-03")


def test_unsorted_rows_are_sorted_with_a_note(tmp_path):
    """Order in the file is not information; the note says where it broke."""
    assert faults_of_file(tmp_path, shop_rows().iloc[::-1]) == []
    data = read_client_data(shop_config(), tmp_path)
    assert data.dates.is_monotonic_increasing
    assert [(finding.code, finding.severity) for finding in data.findings] == [("unsorted", "note")]
    assert "first at row 3 (2023-02-13)" in data.findings[0].message


@pytest.mark.parametrize(
    ("freq", "period"), [("D", "day"), ("W-SUN", "week"), ("MS", "month"), ("ME", "month")]
)
def test_days_weeks_and_months_are_told_apart(freq, period):
    """The spacing of the rows is found out, not asked for."""
    frame = shop_rows(200, dates=pd.date_range("2008-01-06", periods=200, freq=freq).strftime("%Y-%m-%d"))
    checked, faults = check_rows(shop_config(), table_from_frame(frame))
    assert faults == []
    assert checked.calendar.period == period


def test_business_days_are_days_with_gaps(tmp_path):
    """Weekends without rows are named as what they are."""
    dates = pd.bdate_range("2022-01-03", periods=200).strftime("%Y-%m-%d")
    (fault,) = faults_of_file(tmp_path, shop_rows(200, dates=dates))
    assert (
        "row 6 (2022-01-07): found no row for 78 of 278 dates, Saturdays and Sundays for the most part"
        in fault
    )
    holiday = shop_rows(200, dates=dates).drop(index=[30, 31])
    (fault,) = faults_of_file(tmp_path, holiday)
    assert "found no row for 80 of 278 dates, Saturdays and Sundays for the most part" in fault


def test_what_only_looks_odd_is_accepted(tmp_path):
    """On/off controls, negative controls, one-off events, zero spend, negative revenue, spare columns."""
    frame = shop_rows().assign(note="x", price=lambda frame: (np.arange(len(frame)) == 30) * -1)
    frame.loc[5:20, "tv"] = 0
    frame.loc[7, "revenue"] = -20
    assert faults_of_file(tmp_path, frame) == []


def test_hostile_names_reach_the_message_as_text(tmp_path):
    """Neither a header nor a cell can steer the terminal that shows the message."""
    evil = "\x1b[2J\u202e" + "x" * 500
    for frame in (shop_rows().rename(columns={"tv": evil}), with_cell("tv", 9, evil)(shop_rows())):
        (fault,) = faults_of_file(tmp_path, frame)
        assert fault.isprintable()
        assert len(fault) < 400


def test_counts_and_costs_cannot_be_negative(tmp_path):
    """A conversions target and the money column of a channel obey what spend obeys."""
    config = shop_config(
        target={"column": "revenue", "kind": "conversions"},
        channels=["tv", {"column": "radio", "cost": "radio_cost"}],
    )
    frame = shop_rows().assign(radio_cost=3.0)
    assert faults_of_file(tmp_path, frame, config) == []
    frame.loc[4, ["revenue", "radio_cost"]] = -1
    faults = faults_of_file(tmp_path, frame, config)
    assert [fault.split(": found -1;")[0] for fault in faults] == [
        "column 'revenue', row 6 (2022-01-31)",
        "column 'radio_cost', row 6 (2022-01-31)",
    ]
    (fault,) = faults_of_file(tmp_path, shop_rows().assign(radio_cost=0), config)
    assert fault.startswith("column 'radio_cost', all rows from row 2 (2022-01-03): found 0 in every row")


def test_the_longest_lag_of_any_channel_sets_the_rows_that_are_needed():
    """2 × 12 rows for the longest window, and the rows until no channel starts cold."""
    assert minimum_rows(shop_config()) == 28
    slow = {"column": "radio", "adstock": {"max_lag": 10}}
    assert minimum_rows(shop_config(channels=["tv", slow], model={"adstock": {"max_lag": 2}})) == 34


@pytest.mark.parametrize(
    "model",
    [
        {"likelihood": "truncated_normal"},
        {"priors": {"likelihood": {"distribution": "TruncatedNormal", "lower": 0, "sigma": 1}}},
    ],
)
def test_a_likelihood_that_ends_at_zero_takes_no_negative_target(tmp_path, model):
    """Refunds may make revenue negative; this likelihood rules it out, however it was chosen."""
    frame = shop_rows()
    frame.loc[[4, 7], "revenue"] = -1
    assert faults_of_file(tmp_path, frame) == []
    (fault,) = faults_of_file(tmp_path, frame, shop_config(model=model))
    assert fault.startswith(
        "column 'revenue', row 6 (2022-01-31): found -1 (and in 1 more row: 9); wanted 0 or more"
    )
    assert fault.endswith("or choose another likelihood")


def test_lift_tests_of_another_time_or_unit_are_refused(tmp_path):
    """Before the first row, and ten times beyond all spend; what is only unusual is a finding."""
    largest = float(shop_rows()["tv"].max())
    sound = {"channel": "tv", "date": "2022-03-07", "x": 40.0, "delta_x": 20.0, "delta_y": 15.0, "sigma": 5.0}
    tests = [
        sound,
        {**sound, "date": "2021-03-07"},
        {**sound, "x": 9.9 * largest},
        {**sound, "x": 10.1 * largest},
    ]
    faults = faults_of_file(tmp_path, shop_rows(), shop_config(lift_tests=tests))
    assert faults == [
        "lift test 2 of 'tv' (2021-03-07): found 2021-03-07; wanted a date within the rows, 2022-01-03 to 2023-02-20; "
        "correct the date, or leave the test out",
        f"lift test 4 of 'tv' (2022-03-07): found x from {10.1 * largest:g} to {10.1 * largest + 20:g}; wanted at most "
        f"10 times the largest value of the column, {largest:g}; give x and delta_x per period, in the unit of the "
        "column",
    ]


def test_rows_must_have_what_a_test_without_x_added_to_them(tmp_path):
    """Also where rows are not in order: the row of the test has less media than the test says it added."""
    frame = shop_rows()
    of_week = float(frame.loc[9, "tv"])
    test = {"channel": "tv", "date": "2022-03-07", "delta_x": of_week, "delta_y": 15.0, "sigma": 5.0}
    shuffled = frame.iloc[::-1].reset_index(drop=True)
    assert faults_of_file(tmp_path, shuffled, shop_config(lift_tests=[test])) == []
    too_much = {**test, "delta_x": round(of_week + 10.0, 1)}
    (fault,) = faults_of_file(tmp_path, shuffled, shop_config(lift_tests=[too_much]))
    assert fault.startswith(
        f"lift test 1 of 'tv' (2022-03-07): found delta_x {too_much['delta_x']:g} without an x, which leaves -"
    )
    assert fault.endswith("correct delta_x, or give x, the media in each period without the test")
    per_head = {**test, "x": 40.0, "delta_x": 20.0, "share": 0.01}
    (fault,) = faults_of_file(tmp_path, frame, shop_config(lift_tests=[per_head]))
    assert "found x from 40 to 60 in a share of 0.01; wanted at most 10 times" in fault


def test_rows_that_cannot_be_told_apart_do_not_raise_false_alarms(tmp_path):
    """A ragged line is one fault; the hole it leaves is not another."""
    text = shop_rows().to_csv(index=False).replace("2022-02-07,", "2022-02-07,1,")
    (fault,) = faults_of_file(tmp_path, text.encode())
    assert fault.startswith("row 7: found 6 cells; wanted 5 cells")


@given(st.permutations(range(40)))
def test_any_order_of_rows_gives_the_same_frame(order):
    """Sorting undoes every permutation."""
    frame = shop_rows(40)
    straight, _ = check_rows(shop_config(), table_from_frame(frame))
    shuffled, faults = check_rows(shop_config(), table_from_frame(frame.iloc[order]))
    assert faults == []
    pd.testing.assert_frame_equal(shuffled.frame, straight.frame)


@given(
    st.integers(0, 59),
    st.sampled_from(["week", "revenue", "tv", "radio", "price"]),
    st.one_of(st.text(max_size=12), st.floats(), st.none(), st.booleans(), st.integers()),
)
def test_any_single_cell_is_accepted_or_named(row, column, cell):
    """A faulty cell gives faults that name its column and its row, or the row it collides with."""
    frame = shop_rows()
    frame.loc[row, column] = cell
    checked, faults = check_rows(shop_config(), table_from_frame(frame))
    assert (checked is None) == bool(faults)
    assert all(f"column '{column}', row " in fault.where for fault in faults)


def test_how_a_file_is_written_is_told_and_what_the_client_file_says_counts(tmp_path):
    """A note names separator and decimal mark with the line that holds them; held, nothing is told any more."""
    frame = shop_rows().map(lambda cell: str(cell).replace(".", ","))
    content = frame.to_csv(index=False, sep=";").encode()
    assert faults_of_file(tmp_path, content) == []
    data = read_client_data(shop_config(), tmp_path)
    assert [(finding.code, finding.message) for finding in data.findings] == [
        ("file-form", "columns are separated by ';'"),
        ("file-form", "numbers have a decimal comma"),
    ]
    assert '\'csv: {separator: ";", decimal: ","}\' in the client file' in data.findings[0].fix
    held = read_client_data(shop_config(csv={"separator": ";", "decimal": ","}), tmp_path)
    assert held.findings == ()
    faults_of_file(tmp_path, shop_rows())
    assert held.data_version == read_client_data(shop_config(), tmp_path).data_version
    (fault,) = faults_of_file(tmp_path, content, shop_config(csv={"separator": "tab"}))
    assert "found the names of columns in one cell, with ';' between them: 'week;revenue;tv" in fault
    assert fault.endswith("or correct 'csv: {separator: …}' in the client file")


@pytest.mark.parametrize(
    ("sheet", "line"),
    [
        ("2024", 'sheet: "2024"'),
        ("Data #2", 'sheet: "Data #2"'),
        ("yes", 'sheet: "yes"'),
        ('"a"', 'sheet: "\\"a\\""'),
        ("Data 2024", "sheet: Data 2024"),
    ],
)
def test_the_line_that_holds_a_sheet_is_read_back_as_its_name(sheet, line):
    """A name that YAML would take for a number, a comment or yes stands in quotes."""
    table = replace(table_from_frame(shop_rows()), form=TableForm(sheet=sheet))
    checked, _ = check_rows(shop_config(), table)
    assert f"'{line}' in the client file" in checked.findings[0].fix
    assert parse_document(line).values == {"sheet": sheet}


def test_a_decimal_mark_that_nothing_tells_asks_and_the_answer_is_taken(tmp_path):
    """'1.234' in a file with semicolons: a thousand or little more than one."""
    frame = shop_rows().assign(revenue="1000", tv="1000", radio="1000", price="1000")
    for column, values in (("revenue", "1.23"), ("tv", "2.34"), ("radio", "3.45"), ("price", "4.56")):
        frame[column] = [f"{values}{digit % 10}" for digit in range(len(frame))]
    content = frame.to_csv(index=False, sep=";").encode()
    assert "which is 1230 or 1.230" in faults_of_file(tmp_path, content)[0]
    for mark, first in ((".", 1.23), (",", 1230.0)):
        assert read_client_data(shop_config(csv={"decimal": mark}), tmp_path).target[0] == first


def test_a_panel_is_named_with_the_column_that_tells_its_series_apart(tmp_path):
    """One fault that says what can be done, instead of sixty copies of a date."""
    north, south = shop_rows().assign(geo="north", shop="a"), shop_rows().assign(geo="south", shop="b")
    south["revenue"] += 1
    together = pd.concat([north, south]).sort_values("week")
    fault = (
        "column 'week': found each date 2 times, once for each value of 'geo' (north, south): a panel; wanted one row "
        "for each date: a client is one series; add the rows of a date up (spend and sales; a price is averaged), or "
        "cut the file by 'geo' and add each part as a client of its own"
    )
    assert faults_of_file(tmp_path, together) == [fault]
    nameless = together.drop(columns=["geo", "shop"])
    assert "found each date 2 times, in rows that differ: a panel" in faults_of_file(tmp_path, nameless)[0]


@pytest.mark.parametrize(
    ("days_later", "weekday"), [(1, "Tuesdays"), (2, "Wednesdays"), (3, "Thursdays"), (6, "Sundays")]
)
def test_a_panel_whose_series_have_weekdays_of_their_own_is_named(tmp_path, days_later, weekday):
    """Shops that close their weeks on different days: no date comes twice, and none is missing."""
    north, south = shop_rows().assign(geo="north"), shop_rows().assign(geo="south")
    south["week"] = (pd.to_datetime(south["week"]) + pd.Timedelta(days=days_later)).dt.strftime("%Y-%m-%d")
    together = pd.concat([north, south])
    fault = (
        f"column 'week': found one row a week for each value of 'geo' (north on Mondays, south on {weekday}): a panel; "
        "wanted one row for each date: a client is one series; date all rows of a week by its first day and add them "
        "up (spend and sales; a price is averaged), or cut the file by 'geo' and add each part as a client of its own"
    )
    assert faults_of_file(tmp_path, together) == [fault]


def test_two_rows_a_week_without_a_name_may_be_a_panel(tmp_path):
    """Nothing tells the series apart but their weekdays."""
    south = shop_rows()
    south["week"] = (pd.to_datetime(south["week"]) + pd.Timedelta(days=2)).dt.strftime("%Y-%m-%d")
    (fault,) = faults_of_file(tmp_path, pd.concat([shop_rows(), south]))
    assert "found rows on Mondays and Wednesdays of each week: perhaps a panel (several series)" in fault


def test_months_that_begin_on_different_days_are_a_panel(tmp_path):
    """Two brands, one closed on the first, one in the middle of the month."""
    first, middle = shop_rows().assign(brand="a"), shop_rows().assign(brand="b")
    starts = pd.date_range("2018-01-01", periods=len(first), freq="MS")
    first["week"], middle["week"] = (
        (starts + pd.Timedelta(days=days)).strftime("%Y-%m-%d") for days in (0, 14)
    )
    (fault,) = faults_of_file(tmp_path, pd.concat([first, middle]))
    assert (
        "one row a month for each value of 'brand' (a from 2018-01-01, b from 2018-01-15): a panel" in fault
    )


def test_a_shop_that_is_open_on_some_weekdays_is_no_panel(tmp_path):
    """Daily rows that name their weekday: each weekday comes once a week, which makes no series of it."""
    days = pd.bdate_range("2024-01-01", periods=len(shop_rows()))
    frame = shop_rows().assign(week=days.strftime("%Y-%m-%d"), weekday=days.day_name())
    (fault,) = faults_of_file(tmp_path, frame)
    assert "panel" not in fault
    assert "Saturdays and Sundays for the most part" in fault


def test_a_file_that_was_exported_twice_is_no_panel(tmp_path):
    """The same rows again are copies."""
    (fault,) = faults_of_file(tmp_path, pd.concat([shop_rows(), shop_rows()]))
    assert "found the date of row 2 again (and in 59 more rows" in fault


def test_a_header_with_characters_that_nobody_sees_is_read(tmp_path):
    """Zero-width and no-break spaces; the name that is suggested can be used."""
    frame = shop_rows().rename(columns={"tv": "tv\u200b", "radio": "radio\u00a0", "price": "\ufeffprice"})
    assert faults_of_file(tmp_path, frame) == []
    with pytest.raises(
        ConfigError, match="write 'tv': characters that nobody sees are left out of headers too"
    ):
        shop_config(channels=["tv\u200b", "radio"])


def test_an_accent_of_its_own_in_a_name_is_that_of_the_letter(tmp_path):
    """A header of one program and a client file of another look the same, and are."""
    composed, apart = "Umsätze", "Umsa\u0308tze"
    for header, typed in ((apart, composed), (composed, apart), (apart, apart)):
        frame = shop_rows().rename(columns={"revenue": header})
        assert faults_of_file(tmp_path, frame, shop_config(target=typed)) == []


def test_a_line_break_in_a_header_is_one_space(tmp_path):
    """Whatever ends lines in the file."""
    for end in ("\n", "\r\n"):
        frame = shop_rows().rename(columns={"tv": f"tv{end}cost"})
        assert faults_of_file(tmp_path, frame, shop_config(channels=["tv cost", "radio"])) == []


def test_a_column_name_may_hold_a_comma(tmp_path):
    """In a header it stands in quotes, in the client file as it is."""
    frame = shop_rows().rename(columns={"tv": "tv, cost"})
    assert faults_of_file(tmp_path, frame, shop_config(channels=["tv, cost", "radio"])) == []


@pytest.mark.parametrize("shift", [-2000.0, -1000.0, -950.0])
def test_a_target_around_or_below_zero_needs_a_baseline_of_either_sign(tmp_path, shift):
    """A positive baseline cannot reach it; the message says what can; a few refunds are no such target."""
    frame = shop_rows()
    frame["revenue"] += shift
    (fault,) = faults_of_file(tmp_path, frame)
    assert fault.startswith(
        f"column 'revenue': found {(frame['revenue'] < 0).sum()} of 60 rows below 0, first "
    )
    assert "wanted a target above 0: its baseline has a sign; explain a gross figure" in fault
    assert "'priors: {intercept: {distribution: Normal, mu: 0, sigma: 1}}' under 'model'" in fault
    free = {"priors": {"intercept": {"distribution": "Normal", "mu": 0, "sigma": 1}}}
    assert faults_of_file(tmp_path, frame, shop_config(model=free)) == []
    narrow = {"priors": {"intercept": {"distribution": "Uniform", "lower": 0, "upper": 1}}}
    assert len(faults_of_file(tmp_path, frame, shop_config(model=narrow))) == 1


def test_a_few_refunds_are_a_warning(tmp_path):
    """One row in twenty below zero says nothing of the level."""
    frame = shop_rows()
    frame.loc[[3, 20, 40], "revenue"] = -50.0
    assert faults_of_file(tmp_path, frame) == []


def test_a_cost_column_of_zeros_says_to_leave_it_out(tmp_path):
    """An organic channel has no cost; nothing needs to be exported again."""
    config = shop_config(channels=[{"column": "tv", "unit": "views", "cost": "tv_cost"}, "radio"])
    (fault,) = faults_of_file(tmp_path, shop_rows().assign(tv_cost=0), config)
    assert "found 0 in every row; wanted a column that varies; leave 'cost' out of the client file" in fault


def test_a_column_of_minus_signs_is_told_as_one(tmp_path):
    """Costs that an export writes as outgoings, or what competitors do: no refund is to be moved."""
    frame = shop_rows()
    frame["tv"] = -pd.to_numeric(frame["tv"])
    (fault,) = faults_of_file(tmp_path, frame)
    assert fault.endswith(
        "turn the sign of the column; what sells less (competitors) is a control with 'effect: negative'"
    )


@pytest.mark.parametrize("place", [0, 60])
def test_a_row_of_totals_that_has_a_date_is_refused(tmp_path, place):
    """Above or below the rows, with the date that the others lead to, rounded as a spreadsheet shows it."""
    weeks = pd.date_range("2021-12-27", periods=62, freq="W-MON").strftime("%Y-%m-%d")
    frame = shop_rows().assign(week=list(weeks[1:61]))
    totals = {column: round(float(frame[column].sum()), 2) for column in ("revenue", "tv", "radio")}
    row = pd.DataFrame([{"week": weeks[0] if place == 0 else weeks[61], **totals, "price": 10.0}])
    parts = [row, frame] if place == 0 else [frame, row]
    assert faults_of_file(tmp_path, pd.concat(parts)[list(frame)]) == [
        f"row {place + 2} ({row.loc[0, 'week']}): found the sum of all other rows in 3 columns; wanted one row a "
        "period; delete the row of totals"
    ]


def test_grouped_thousands_beside_decimal_points_ask(tmp_path):
    """'1.257' of a column with '818' is no number of units beside it; what the client file says of it is taken."""
    frame = shop_rows().astype({"tv": float})
    frame["tv"] = [
        f"{1000 + 7 * row:,}".replace(",", ".") if row % 2 else str(400 + row) for row in range(60)
    ]
    frame["price"] = [f"{9 + row / 100:.2f}" for row in range(60)]
    (fault,) = faults_of_file(tmp_path, frame)
    assert fault.startswith(
        "column 'tv', row 3 (2022-01-10): found '1.007', which is 1007 or 1.007 (and in 29 more"
    )
    assert faults_of_file(tmp_path, frame, shop_config(csv={"decimal": "."})) == []


@pytest.mark.parametrize(
    "word", ["Total", "Total: account", "Grand Total:", "Summe", "Total général", "Gesamtergebnis"]
)
@pytest.mark.parametrize("first", [False, True])
def test_a_row_that_says_that_it_holds_totals_is_left_out(tmp_path, word, first):
    """As exports of advertising platforms end, or begin, with one; whatever its cells hold."""
    lines = shop_rows().to_csv(index=False).splitlines()
    lines.insert(1 if first else len(lines), f"{word},5000,--,12,")
    (tmp_path / shop_config().data).write_text("\n".join(lines))
    data = read_client_data(shop_config(), tmp_path)
    assert len(data) == len(lines) - 2
    assert f"row {2 if first else len(lines)} says that it holds totals and is left out" in {
        finding.message for finding in data.findings
    }


def said_of_row_left_out(tmp_path, lines: list[str], line: str, first: bool) -> set[str]:
    """What the contract says of a line put above or below the rows, of which none is lost; without its number."""
    lines.insert(1 if first else len(lines), line)
    (tmp_path / shop_config().data).write_text("\n".join(lines))
    data = read_client_data(shop_config(), tmp_path)
    assert len(data) == 60
    row = f"row {2 if first else len(lines)} "
    return {one.message.removeprefix(row) for one in data.findings if one.message.startswith(row)}


@pytest.mark.parametrize("word", ["", "--", "Итого", "合計"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("cells", ["{revenue},{tv},{radio},", ",{tv},{radio},9.5", "{revenue},-,,"])
def test_a_row_without_a_date_that_holds_sums_is_left_out(tmp_path, word, first, cells):
    """Whatever stands where its date should, and with blanks beside the sums; a price has no sum."""
    lines = shop_rows().to_csv(index=False).splitlines()
    sums = {name: f"{shop_rows()[name].sum():.0f}" for name in ("revenue", "tv", "radio")}
    said = said_of_row_left_out(tmp_path, lines, f"{word},{cells.format(**sums)}", first)
    assert "has no date, holds the sums of the other rows and is left out" in said


@pytest.mark.parametrize("word", ["Total", ""])
def test_totals_below_numbers_of_days_are_left_out(tmp_path, word):
    """Days of a spreadsheet's calendar are dates; the word below them is none."""
    frame = shop_rows()
    frame["week"] = [44564 + 7 * row for row in range(60)]  # from Monday, 2022-01-03, on
    sums = ",".join(f"{frame[name].sum():.2f}" for name in ("revenue", "tv", "radio"))
    (tmp_path / shop_config().data).write_text(f"{frame.to_csv(index=False)}{word},{sums},\n")
    data = read_client_data(shop_config(), tmp_path)
    assert (len(data), f"{data.dates[0]:%Y-%m-%d}") == (60, "2022-01-03")


@pytest.mark.parametrize("cells", ["1000,50,20,10", "{revenue},50,20,10", ",,,9.5", "{revenue},x,20,10"])
def test_another_row_without_a_date_is_refused_with_its_line(tmp_path, cells):
    """A week whose date was lost would be lost in silence."""
    lines = shop_rows().to_csv(index=False).splitlines()
    lines.append("," + cells.format(revenue=f"{shop_rows()['revenue'].sum():.2f}"))
    faults = faults_of_file(tmp_path, "\n".join(lines).encode())
    assert faults[0] == (
        "column 'week', row 62: found a missing date; wanted a date in every row; fill in the date or delete the row"
    )


@pytest.mark.parametrize(
    "line", ["date,EUR,EUR,EUR,EUR", ",,EUR,,", "Source: the shop of 2024,,,,", ",--,–,n/a,"]
)
@pytest.mark.parametrize("first", [False, True])
def test_units_and_notes_above_or_below_the_rows_are_left_out(tmp_path, line, first):
    """A row without a date in which nothing is a number says what is counted, or is a note."""
    lines = shop_rows().to_csv(index=False).splitlines()
    said = said_of_row_left_out(tmp_path, lines, line, first)
    assert "holds neither a date nor a number and is left out" in said


@pytest.mark.parametrize("line", ["2023-02-27,,,,", "week 9,a,b,c,d", ",a,b,c,10"])
def test_a_row_that_may_be_a_period_is_not_left_out(tmp_path, line):
    """A date without numbers, a number without a date."""
    lines = [*shop_rows().to_csv(index=False).splitlines(), line]
    assert faults_of_file(tmp_path, "\n".join(lines).encode())


def test_totals_beside_a_row_that_lost_its_date_hide_it_not(tmp_path):
    """The totals are left out, the row is told."""
    frame = shop_rows()
    sums = [f"{frame[name].sum():.2f}" for name in ("revenue", "tv", "radio")]
    frame.loc[59, "week"] = ""
    lines = [*frame.to_csv(index=False).splitlines(), f"Total,{','.join(sums)},"]
    (fault,) = faults_of_file(tmp_path, "\n".join(lines).encode())
    assert fault.startswith("column 'week', row 61: found a missing date")


def test_sales_and_spend_in_different_currencies_are_a_warning(tmp_path):
    """One sign in all columns, or none beside it, is not."""
    frame = shop_rows()
    cases = (
        (("€", "$", ""), "", "('revenue' €, 'tv' $)"),
        (("€", "EUR", ""), "EUR", None),
        (("CHF", "EUR", ""), "", "('revenue' CHF, 'tv' EUR)"),
        (("EUR", "EUR", "EUR"), "CHF", "('revenue' EUR, the client file CHF)"),
        (("$", "$", ""), "AUD", None),
    )
    for signs, currency, named in cases:
        marked = frame.assign(
            **{
                column: [f"{sign}{value}" for value in frame[column]]
                for column, sign in zip(("revenue", "tv", "radio"), signs, strict=True)
            }
        )
        (tmp_path / shop_config().data).write_text(marked.to_csv(index=False))
        told = [
            one.message
            for one in read_client_data(shop_config(currency=currency), tmp_path).findings
            if one.code == "mixed-currencies"
        ]
        assert len(told) == (named is not None)
        assert all(named in message for message in told)


@pytest.mark.parametrize("blank", ["", "-", "n/a", "–"])
def test_blank_media_are_zero_where_the_client_file_says_so(tmp_path, blank):
    """Of media and costs alone; how many there are is told."""
    frame = shop_rows()
    frame.loc[[3, 9], "tv"] = blank
    channel = {"column": "tv", "unit": "spots", "cost": "radio"}
    config = shop_config(csv={"blank_media_is_zero": True}, channels=[channel])
    frame.loc[5, "radio"] = blank
    (tmp_path / config.data).write_text(frame.to_csv(index=False))
    data = read_client_data(config, tmp_path)
    assert np.flatnonzero(data.media[:, 0] == 0).tolist() == [3, 9]
    assert np.flatnonzero(data.spend[:, 0] == 0).tolist() == [5]
    notes = {(note.column, note.message) for note in data.findings if note.code == "blank-media"}
    assert notes == {("tv", "2 blank cells count as 0"), ("radio", "1 blank cell counts as 0")}
    frame.loc[7, "price"] = blank
    frame.loc[8, "revenue"] = blank
    first, second = faults_of_file(tmp_path, frame, config)
    assert first.startswith("column 'revenue', row 10 (2022-02-28): found a")
    assert second.startswith("column 'price', row 9 (2022-02-21): found a")
    assert "blank_media_is_zero" not in first + second
