"""The calendar of a client: its period, the dates it should have, the dates to come."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.rows.calendar import Calendar, period_of, weekday


def days(*dates):
    """Dates as the engine holds them."""
    return np.array(dates, dtype="datetime64[D]")


def every(freq, count, start="2021-01-04"):
    """``count`` dates of a pandas calendar."""
    return pd.date_range(start, periods=count, freq=freq).to_numpy().astype("datetime64[D]")


@pytest.mark.parametrize(
    ("freq", "period"),
    [("D", "day"), ("W-SUN", "week"), ("7D", "week"), ("MS", "month"), ("ME", "month"), ("B", "day")],
)
def test_the_usual_step_tells_the_period(freq, period):
    """Business days are days with gaps; the contract will say so."""
    assert period_of(every(freq, 40)) == period


@pytest.mark.parametrize("freq", ["2D", "10D", "14D", "QS", "YS"])
def test_other_spacings_have_no_period(freq):
    """Fortnights, quarters and years are not what the model is for."""
    assert period_of(every(freq, 40)) is None


def test_expected_dates_fill_gaps_and_leave_out_strays():
    """Most rows decide the weekday."""
    weekly = days("2023-01-02", "2023-01-10", "2023-01-16", "2023-01-30")
    assert list(Calendar(weekly, "week").expected_days()) == list(every("W-MON", 5, "2023-01-02"))


def test_month_ends_are_the_last_day_of_every_month():
    """A month that is too short for the 31st ends earlier; the 15th is the 15th."""
    ends = every("ME", 14, "2023-01-31")
    assert list(Calendar(ends, "month").expected_days()) == list(ends)
    january = Calendar(ends[:1], "month")
    assert [str(day) for day in january.next_days(3)] == ["2023-02-28", "2023-03-31", "2023-04-30"]
    fifteenths = every("MS", 14) + 14
    assert list(Calendar(fifteenths, "month").expected_days()) == list(fifteenths)


def test_weekdays_have_their_names():
    """A message says which day a stray row falls on."""
    assert [weekday(day) for day in days("1970-01-01", "2023-01-02", "2024-02-29")] == [
        "Thursday",
        "Monday",
        "Thursday",
    ]


@given(
    st.sampled_from(["day", "week", "month"]), st.integers(2, 60), st.integers(1, 60), st.integers(0, 40_000)
)
def test_dates_to_come_continue_the_calendar(period, past, horizon, start):
    """Past and future together have no gap, whatever the first day was."""
    first = Calendar(np.array([start], dtype="datetime64[D]"), period)
    together = first.extended(past - 1).extended(horizon)
    assert len(together) == past + horizon
    assert period_of(together.days) == period
    assert list(together.expected_days()) == list(together.days)


def test_a_day_belongs_to_the_row_that_covers_it():
    """From a row's first day to the day before the next row; days outside belong to none."""
    weeks = Calendar(every("W-MON", 3, "2022-01-03"), "week")
    asked = ("2022-01-02", "2022-01-03", "2022-01-09", "2022-01-10", "2022-01-23", "2022-01-24")
    assert [weeks.row_of(day) for day in asked] == [None, 0, 0, 1, 2, None]
    months = Calendar(every("ME", 3, "2024-01-31"), "month")
    asked = ("2023-12-31", "2024-01-01", "2024-02-29", "2024-03-31", "2024-04-01")
    assert [months.row_of(day) for day in asked] == [None, 0, 1, 2, None]


@pytest.mark.parametrize(
    ("freq", "period"), [("D", "day"), ("W-SUN", "week"), ("MS", "month"), ("ME", "month")]
)
def test_rows_cover_every_day_once(freq, period):
    """No day between two rows, none in both."""
    first, last = Calendar(every(freq, 30), period).covered_days
    assert (first[1:] == last[:-1] + 1).all()
    assert (first <= every(freq, 30)).all()
    assert (every(freq, 30) <= last).all()


@pytest.mark.parametrize(
    ("period", "season", "year", "plural"),
    [("day", 7, 365, "days"), ("week", 52, 52, "weeks"), ("month", 12, 12, "months")],
)
def test_a_period_has_its_season_its_year_and_its_word(period, season, year, plural):
    """Days repeat the week, weeks and months repeat the year."""
    calendar = Calendar(days("2024-01-01"), period)
    assert (calendar.season_length, calendar.periods_per_year, calendar.periods) == (season, year, plural)


def test_dates_cannot_be_changed():
    """Neither through the calendar nor through the array it was made from."""
    dates = every("W-MON", 3)
    calendar = Calendar(dates, "week")
    dates[0] = np.datetime64("1999-01-01")
    assert str(calendar.days[0]) == "2021-01-04"
    with pytest.raises(ValueError, match="read-only"):
        calendar.days[0] = np.datetime64("1999-01-01")


def test_a_calendar_is_cut_from_the_front():
    """The first rows keep their dates, and the next date is the one that was cut off."""
    calendar = Calendar(every("ME", 14, "2023-01-31"), "month")
    shorter = calendar.first(4)
    assert list(shorter.days) == list(calendar.days[:4])
    assert list(shorter.next_days(10)) == list(calendar.days[4:])
