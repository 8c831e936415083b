"""Dates are read when they can be read in one way, and refused otherwise."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.files.dates import read_dates, words_of_dates


def read(*cells):
    """Dates as text, faults as text, and the note, of a column whose first row is line 2."""
    days, faults, shown = read_dates(pd.Series(cells, dtype=object), "week", range(2, 2 + len(cells)))
    return [str(day) for day in days], [str(fault) for fault in faults], shown and shown.sentence("week")


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-01",
        "2023/02/01",
        "2023.2.1",
        "20230201",
        "2023-02",
        "2023-02-01 00:00",
        "2023-02-01T00:00:00.000Z",
        "2023-02-01T00:00:00+01:00",
        "2023-02-01 00:00:00 UTC",
        "2023-02-01 12:00:00 AM",
        "02/2023",
        "01 Feb 2023",
        "1. Februar 2023",
        "1er février 2023",
        "1 de febrero de 2023",
        "Feb 1, 2023",
        "Wednesday, 1 February 2023",
        "01-Feb-23",
        "Feb-23",
    ],
)
def test_what_has_one_meaning_is_read_as_it_stands(text):
    """ISO 8601 and its look-alikes have one meaning, and so has a month that is a word."""
    assert read(text) == (["2023-02-01"], [], None)


def test_day_first_and_month_first_are_told_by_a_part_above_twelve():
    """One telling row decides for the column, and a note says which."""
    assert read("01/02/2023", "15/02/2023") == (
        ["2023-02-01", "2023-02-15"],
        [],
        "dates of column 'week' were read as day/month/year, as row 3 shows",
    )
    assert read("2-1-2023", "2-15-2023") == (
        ["2023-02-01", "2023-02-15"],
        [],
        "dates of column 'week' were read as month/day/year, as row 3 shows",
    )
    assert read("05.05.2023") == (["2023-05-05"], [], None)


def test_a_column_that_nothing_tells_is_refused():
    """01/02/2023 is two dates; half a year off would still look like weekly data."""
    days, faults, _ = read("05/05/2023", "01/02/2023", "01/03/2023")
    assert days == ["2023-05-05", "NaT", "NaT"]
    assert faults == [
        "column 'week', row 3: found 01/02/2023, which is ambiguous (and in 1 more row: 4); wanted dates that can be "
        "read in one way only (no row here has a part above 12); write dates as YYYY-MM-DD, or say the order: 'csv: "
        "{dates: day/month/year}' (mmm add: --dates day/month/year)"
    ]


def test_two_orders_or_two_forms_in_one_column_are_refused():
    """What a spreadsheet leaves behind when it understood only some of the dates."""
    _, faults, _ = read("13/01/2023", "20/01/2023", "01/27/2023")
    assert faults == [
        "column 'week', row 4: found day and month in another order than row 2 has; wanted one order in the whole "
        "column; write dates as YYYY-MM-DD"
    ]
    _, faults, _ = read("2023-01-13", "2023-01-20", "27/01/2023")
    assert faults == [
        "column 'week', row 4: found '27/01/2023'; wanted one form of date in the whole column (most rows have "
        "another); write dates as YYYY-MM-DD"
    ]


@pytest.mark.parametrize(
    ("form", "order"),
    [("%d/%m/%y", "day/month/year"), ("%m/%d/%y", "month/day/year"), ("%y-%m-%d", "year/month/day")],
)
@pytest.mark.parametrize(("step", "count"), [("D", 40), ("W-MON", 40), ("MS", 30)])
def test_the_order_of_short_years_is_told_by_the_spacing_of_the_rows(form, order, step, count):
    """Only one order of two-digit years gives days, weeks or months; first days of months too."""
    dates = pd.date_range("2022-01-03", periods=count, freq=step)
    days, faults, note = read(*dates.strftime(form))
    assert (days, faults) == ([str(date.date()) for date in dates], [])
    assert note == f"dates of column 'week' were read as {order}, as the spacing of the rows shows"


def test_an_order_that_somebody_says_is_taken():
    """What no cell tells, the client file may say."""
    cells = pd.Series(["01/02/2023", "01/03/2023"])
    for order, days in (
        ("day/month/year", ["2023-02-01", "2023-03-01"]),
        ("month/day/year", ["2023-01-02", "2023-01-03"]),
    ):
        read_days, faults, shown = read_dates(cells, "week", (2, 3), order)
        assert ([str(day) for day in read_days], faults, shown) == (days, [], None)


def test_iso_weeks_are_dated_by_their_monday():
    """2023-W01 begins on 2 January."""
    assert read("2023-W01", "2023W02") == (["2023-01-02", "2023-01-09"], [], None)
    assert read("2023-W1", "2023-w2", "2023-W53")[0][:2] == ["2023-01-02", "2023-01-09"]


@pytest.mark.parametrize(
    "text",
    ["W05 2024", "w5/2024", "KW 5 2024", "KW05/24", "2024 KW 5", "2024-KW05", "Week 5, 2024", "5. KW 2024", "CW5 2024",
     "2024-W05-1", "202405", "2024-05"],
)  # fmt: skip
def test_weeks_are_read_as_people_number_them(text):
    """The fifth week of 2024 began on 29 January; the next ones say that 05 is no month."""
    cells = [text]
    if text in ("202405", "2024-05"):
        cells = [text[:-2] + f"{week:02}" for week in range(5, 20)]
    days, faults, note = read(*cells)
    assert (days[0], faults, note) == ("2024-01-29", [], None)
    assert list(words_of_dates(cells)) == ["weeks by number are those of ISO 8601, dated by their Monday"]


@given(st.integers(13, 60), st.dates(datetime.date(1990, 1, 1), datetime.date(2050, 1, 1)))
def test_thirteen_weeks_or_months_in_a_row_are_told_apart(count, first):
    """Written as 202405, whenever they begin."""
    monday = first - datetime.timedelta(days=first.weekday())
    weeks = [monday + datetime.timedelta(weeks=number) for number in range(count)]
    cells = [f"{year}{week:02}" for year, week, _ in (day.isocalendar() for day in weeks)]
    assert read(*cells)[0] == [str(day) for day in weeks]
    months = [date.date() for date in pd.date_range(first.replace(day=1), periods=count, freq="MS")]
    assert read(*(f"{day:%Y%m}" for day in months))[0] == [str(day) for day in months]


def test_a_dozen_numbers_that_are_weeks_or_months_ask():
    """Nothing tells 202401 to 202412 of weeks from those of months; a mark between them is that of months."""
    days, faults, _ = read(*(f"2024{number:02}" for number in range(1, 13)))
    assert set(days) == {"NaT"}
    assert faults[0].startswith(
        "column 'week', row 2: found 202401, which is month 1 or week 1 (and in 11 more rows: 3, 4, 5, 6, 7, …); "
        "wanted dates that can be read in one way only; write months as 2024-05, weeks as 2024-W05"
    )
    assert read(*(f"2024-{number:02}" for number in range(1, 13)))[0][11] == "2024-12-01"


@pytest.mark.parametrize(
    ("cells", "firsts"),
    [
        (["2024-01-01 - 2024-01-07", "2024-01-08 - 2024-01-14"], ["2024-01-01", "2024-01-08"]),
        (["2024-01-01/2024-01-07"], ["2024-01-01"]),
        (["2024-01-01 to 2024-01-08", "2024-01-08 to 2024-01-15"], ["2024-01-01", "2024-01-08"]),
        (["2024-01-01 00:00 - 2024-01-07 23:59:59"], ["2024-01-01"]),
        (["22.12.-28.12.2024", "29.12.-04.01.2025", "05.01.-11.01.2025"], ["2024-12-22", "2024-12-29", "2025-01-05"]),
        (["01.01.2024-07.01.2024", "08.01.2024 – 14.01.2024"], ["2024-01-01", "2024-01-08"]),
        (["01/01/2024 - 01/07/2024", "01/08/2024 - 01/14/2024"], ["2024-01-01", "2024-01-08"]),
        (["1.-7.1.2024", "8.-14.1.2024"], ["2024-01-01", "2024-01-08"]),
        (["Dec 29 – Jan 4, 2025", "Jan 5-11, 2025", "12–18 Jan 2025"], ["2024-12-29", "2025-01-05", "2025-01-12"]),
        (["20240101-20240107"], ["2024-01-01"]),
        (["From 2024-01-01 to 2024-01-07"], ["2024-01-01"]),
        (["vom 08.01.2024 bis 14.01.2024"], ["2024-01-08"]),
        (["Mon, Jan 1 – Sun, Jan 7, 2024"], ["2024-01-01"]),
    ],
)  # fmt: skip
def test_a_row_that_says_from_when_to_when_it_goes_is_dated_by_its_first_day(cells, firsts):
    """Its last day tells the order of day and month, and the year that the first one leaves out."""
    days, faults, _ = read(*cells)
    assert (days, faults) == (firsts, [])
    assert list(words_of_dates(cells)) == [
        "rows that say from when to when they go are dated by their first day"
    ]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (
            ["2024-01-01 - 2024-01-14", "2024-01-08 - 2024-01-21"],
            "found '2024-01-01 - 2024-01-14', which goes on while the next row begins (2024-01-08); wanted ranges that "
            "follow each other; export what belongs to each period alone: days in two rows count twice",
        ),
        (["2024-01-08 - 2024-01-01"], "found '2024-01-08 - 2024-01-01'; wanted a range that ends after it begins"),
        (["2024-01-01 - 2024-01-32"], "found '2024-01-32'; wanted a date that exists"),
    ],
)  # fmt: skip
def test_ranges_that_overlap_or_run_backwards_are_refused(cells, fault):
    """Rolling sums count days twice."""
    days, faults, _ = read(*cells)
    assert days[0] == "NaT"
    assert faults[0].startswith(f"column 'week', row 2: {fault}")


def test_a_word_before_the_date_says_that_a_week_begins():
    """As "w/c" does: week commencing."""
    assert read("w/c 01/01/2024", "w/c 15/01/2024")[0] == ["2024-01-01", "2024-01-15"]
    assert read("Week of Jan 1, 2024")[0] == ["2024-01-01"]


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (
            "soon",
            "found 'soon', which is no date; wanted a date; write dates as YYYY-MM-DD; delete rows of totals",
        ),
        (
            "13/01/23",
            "found 13/01/23, which is ambiguous; wanted dates that can be read in one way only (years have",
        ),
        ("2023-W54", "found '2023-W54'; wanted a week that the year has under ISO 8601"),
        ("KW 5", "found 'KW 5', a week without its year; wanted a date; write the year too: 2024-W05"),
        ("03 Foo 2022", "found '03 Foo 2022', which is no date"),
        ("", "found a missing date; wanted a date in every row; fill in the date or delete the row"),
        (None, "found a missing date; wanted a date in every row"),
        (pd.NaT, "found a missing date; wanted a date in every row"),
        ("2023-02-30", "found '2023-02-30'; wanted a date that exists, from 1900 to 2200"),
        ("31/02/2023", "found '31/02/2023'; wanted a date that exists, from 1900 to 2200"),
        ("0001-01-01", "found '0001-01-01'; wanted a date that exists, from 1900 to 2200"),
        (
            "44931",
            "found '44931', a spreadsheet's day number; wanted a date, not a number; format the column as dates",
        ),
        (44931, "found '44931', a spreadsheet's day number"),
        (
            "2023-01-02 13:00",
            "found '2023-01-02 13:00', with a time of day or a time zone; wanted a date alone",
        ),
        ("2023-01-02T23:00:00+00:00", "found '2023-01-02T23:00:00+00:00', with a time of day or a time zone"),
        (datetime.datetime(2023, 1, 2, 13), "found 2023-01-02 13:00:00, with a time of day or a time zone"),
        (datetime.date(1, 1, 1), "found 0001-01-01; wanted a date that exists, from 1900 to 2200"),
        (3.5, "found a float; wanted a date; write dates as YYYY-MM-DD"),
    ],
)
def test_other_cells_are_refused_with_the_remedy(cell, fault):
    """Totals, week numbers, day numbers, times of day, days that do not exist."""
    days, faults, _ = read(cell)
    assert days == ["NaT"]
    assert faults[0].startswith(f"column 'week', row 2: {fault}")


def test_typed_dates_are_read():
    """Timestamps at midnight in any zone, dates, whole numbers such as 20230102."""
    stamps = pd.Series(pd.to_datetime(["2023-01-02", "2023-01-09"]))
    zoned = stamps.dt.tz_localize("Europe/Berlin")
    plain = pd.Series([datetime.date(2023, 1, 2), datetime.date(2023, 1, 9)], dtype=object)
    for cells in (stamps, zoned, plain, pd.Series([20230102, 20230109])):
        days, faults, note = read_dates(cells, "week", (1, 2))
        assert ([str(day) for day in days], faults, note) == (["2023-01-02", "2023-01-09"], [], None)


@given(
    st.lists(st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 12, 31)), min_size=1, max_size=20),
    st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d %b %Y", "%B %d, %Y"]),
)
def test_dates_that_are_accepted_are_the_ones_that_were_written(dates, form):
    """In every form a date is read right or refused; it is never read wrong."""
    days, faults, _ = read(*(date.strftime(form) for date in dates))
    for day, date in zip(days, dates, strict=True):
        assert day in (str(date), "NaT")
    assert ("NaT" in days) == bool(faults)


@given(st.text())
def test_any_text_is_a_date_or_a_fault(text):
    """Never both, never neither."""
    days, faults, _ = read_dates(pd.Series([text], dtype=object), "week", (2,))
    assert np.isnat(days[0]) == bool(faults)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2024年1月5日", "2024-01-05"),
        ("2024年01月", "2024-01-01"),
        ("2024년 1월 5일", "2024-01-05"),
        ("2024.01.05.", "2024-01-05"),
        ("2024. 01. 05.", "2024-01-05"),
        ("2024M01", "2024-01-01"),
        ("2024-M12", "2024-12-01"),
        (pd.Period("2024-01-01", "W-SUN"), "2024-01-01"),
        (pd.Period("2024-01", "M"), "2024-01-01"),
        (datetime.datetime(2024, 1, 4, 23, 59, 59, 999_997), "2024-01-05"),
        (datetime.datetime(2024, 1, 5, 0, 0, 0, 400), "2024-01-05"),
    ],
)
def test_dates_of_other_countries_and_programs_are_read(cell, day):
    """East Asian and Hungarian ones, months as Eurostat has them, pandas' periods, days that a fraction missed."""
    days, faults, _ = read_dates(pd.Series([cell], dtype=object), "week", [2])
    assert faults == []
    assert str(days[0]) == day


def test_a_number_above_12_before_the_year_is_a_week():
    """The number 49 before 2024 is no month; a column of months has none above 12."""
    weeks = pd.Series([f"{week}/2024" for week in (10, 11, 12, 13)])
    assert read_dates(weeks, "week", range(4))[0].tolist()[-1] == datetime.date(2024, 3, 25)
    months = pd.Series([f"{month}/2024" for month in (1, 2, 3)])
    assert read_dates(months, "week", range(3))[0].tolist()[-1] == datetime.date(2024, 3, 1)


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("49", "found '49', a week or month without its year; wanted a date; write the year too: 2024-W05"),
        (
            "2024-Q1",
            "found '2024-Q1', a quarter; wanted a day, a week or a month; export the rows by week or month",
        ),
        (
            "Q4 2023",
            "found 'Q4 2023', a quarter; wanted a day, a week or a month; export the rows by week or month",
        ),
    ],
)
def test_what_is_no_day_week_or_month_is_told_as_what_it_is(cell, fault):
    """With what to do."""
    _, faults, _ = read_dates(pd.Series([cell]), "week", [2])
    assert str(faults[0]) == f"column 'week', row 2: {fault}"
