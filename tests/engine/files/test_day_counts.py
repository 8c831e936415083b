"""Columns of numbers that count days or seconds are dates; other numbers stay what they are."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.files.dates import read_dates, words_of_dates
from mmm_engine.files.day_counts import counted_days

MONDAY = datetime.date(2024, 1, 1)  # day 45292 of Excel's calendar, 1704067200 seconds after 1970 began
WEEKS = [MONDAY + datetime.timedelta(weeks=week) for week in range(4)]


@pytest.mark.parametrize(
    ("first", "step", "words"),
    [
        (45292, 7, "days of a spreadsheet's calendar that begins in 1900"),
        (1_704_067_200, 604_800, "seconds since 1970, at midnight in Greenwich"),
        (1_704_067_200_000, 604_800_000, "milliseconds since 1970, at midnight in Greenwich"),
        (1_704_067_200_000_000_000, 604_800_000_000_000, "nanoseconds since 1970, at midnight in Greenwich"),
    ],
)
@pytest.mark.parametrize("written", [str, int, float, "{}.0".format, np.int64])
def test_numbers_of_days_and_seconds_are_dates(first, step, words, written):
    """As text, whole or not, and typed; what they were taken for is told."""
    if written is float and first > 2**53:
        first, step = 45292, 7
        words = "days of a spreadsheet's calendar that begins in 1900"
    cells = pd.Series([written(first + week * step) for week in range(4)], dtype=object)
    days, faults, _ = read_dates(cells, "week", range(4))
    assert faults == []
    assert days.tolist() == WEEKS
    assert list(words_of_dates(cells)) == [f"numbers are {words}"]


@pytest.mark.parametrize(
    "cells",
    [
        ["45292", "45299", "Total"],  # a word among them
        ["45292", "45299", "2024-01-15"],
        ["20241", "20242", "20243"],  # years with a week
        ["45292", "45293", "45300"],  # no days, weeks or months
        ["45292.5", "45299.5", "45306.5"],  # noon
        ["1704070800", "1704675600", "1705280400"],  # one o'clock
        ["45292", "45292", "45292"],
        ["100000", "100007", "100014"],
        [True, False, True],
        [],
    ],
)
def test_other_columns_are_not_taken_for_numbers_of_days(cells):
    """What can be something else is not guessed."""
    assert counted_days(cells) is None


def test_a_blank_among_numbers_of_days_is_a_missing_date():
    """It hides none of the others."""
    cells = ["" if week == 1 else str(45292 + 7 * week) for week in range(30)]
    _, (fault,), _ = read_dates(pd.Series(cells), "week", range(2, 32))
    assert str(fault).startswith("column 'week', row 3: found a missing date")


@given(st.integers(0, 25_000), st.sampled_from([1, 7]), st.integers(3, 30))
def test_dates_come_back_from_both_counts(start, step, count):
    """Whatever the day from 1990 on."""
    days = [datetime.date(1990, 1, 1) + datetime.timedelta(days=start + step * row) for row in range(count)]
    for base, unit in ((datetime.date(1899, 12, 30), 1), (datetime.date(1970, 1, 1), 86_400)):
        counted = counted_days([str((day - base).days * unit) for day in days])
        assert counted is not None
        assert list(counted.days.values()) == days
