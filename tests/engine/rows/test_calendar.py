"""The calendar of a client: its period, the dates it should have, the dates to come."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.rows.calendar import covered_days, expected_days, next_days, period_of, row_of, weekday


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
    assert list(expected_days(weekly, "week")) == list(every("W-MON", 5, "2023-01-02"))


def test_month_ends_are_the_last_day_of_every_month():
    """A month that is too short for the 31st ends earlier; the 15th is the 15th."""
    ends = every("ME", 14, "2023-01-31")
    assert list(expected_days(ends, "month")) == list(ends)
    assert [str(day) for day in next_days(ends[:1], "month", 3)] == ["2023-02-28", "2023-03-31", "2023-04-30"]
    fifteenths = every("MS", 14) + 14
    assert list(expected_days(fifteenths, "month")) == list(fifteenths)


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
    first = np.array([start], dtype="datetime64[D]")
    known = np.concatenate([first, next_days(first, period, past - 1)])
    together = np.concatenate([known, next_days(known, period, horizon)])
    assert period_of(together) == period
    assert list(expected_days(together, period)) == list(together)


def test_a_day_belongs_to_the_row_that_covers_it():
    """From a row's first day to the day before the next row; days outside belong to none."""
    weeks = every("W-MON", 3, "2022-01-03")
    asked = ("2022-01-02", "2022-01-03", "2022-01-09", "2022-01-10", "2022-01-23", "2022-01-24")
    assert [row_of(weeks, "week", day) for day in asked] == [None, 0, 0, 1, 2, None]
    months = every("ME", 3, "2024-01-31")
    asked = ("2023-12-31", "2024-01-01", "2024-02-29", "2024-03-31", "2024-04-01")
    assert [row_of(months, "month", day) for day in asked] == [None, 0, 1, 2, None]


@pytest.mark.parametrize(
    ("freq", "period"), [("D", "day"), ("W-SUN", "week"), ("MS", "month"), ("ME", "month")]
)
def test_rows_cover_every_day_once(freq, period):
    """No day between two rows, none in both."""
    first, last = covered_days(every(freq, 30), period)
    assert (first[1:] == last[:-1] + 1).all()
    assert (first <= every(freq, 30)).all()
    assert (every(freq, 30) <= last).all()
