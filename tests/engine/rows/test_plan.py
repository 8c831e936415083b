"""A plan of media for the next periods: read from a file or a frame, every fault of it at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.windows import FULL
from mmm_engine.errors import DataError
from mmm_engine.results.forecast import extend_inputs
from mmm_engine.rows.plan import read_plan
from mmm_engine.rows.window import ScaledInputs


@pytest.fixture
def full(small_window: ScaledInputs) -> ScaledInputs:
    """All rows, none held out."""
    return replace(small_window, window=FULL, train_rows=len(small_window.dates))


def _plan(rows: int = 5, start: str = "2023-02-27") -> pd.DataFrame:
    dates = pd.date_range(start, periods=rows, freq="W-MON").strftime("%Y-%m-%d")
    return pd.DataFrame({"date": dates, "tv": 10.0, "radio": 20.0, "search": np.arange(rows) * 1.0})


def test_file_and_frame_give_the_same_plan(full: ScaledInputs, tmp_path: Path) -> None:
    """Rows come back in order of date, whatever their order in the file."""
    _plan().iloc[::-1].to_csv(tmp_path / "plan.csv", index=False)
    read = read_plan(tmp_path / "plan.csv", full)
    assert read.equals(read_plan(_plan(), full))
    assert read["search"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_controls_that_are_not_planned_follow_last_year(full: ScaledInputs) -> None:
    """Planned media with last year's controls; planned controls count."""
    extended = extend_inputs(full, 5, read_plan(_plan(), full))
    assert extended.media_scaled[-5:, 0] == pytest.approx(10.0 / 50.0)
    assert np.array_equal(extended.controls_scaled[-5:], full.controls_scaled[8:13])
    planned = extend_inputs(full, 5, read_plan(_plan().assign(promo=1.0), full))
    assert planned.controls_scaled[-5:, 1] == pytest.approx(0.5)
    assert np.array_equal(planned.controls_scaled[-5:, 0], full.controls_scaled[8:13, 0])


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (_plan(14), "14 rows after the last row of the data; wanted at most 13"),
        (_plan(start="2023-03-06"), "2023-03-06; wanted one row a week from 2023-02-27 to 2023-03-27"),
        (_plan().drop(columns="radio"), "column 'radio': found no such column"),
        (_plan().assign(promoo=1.0), "column 'promoo'.*did you mean 'promo'"),
        (_plan().drop(columns="date"), "the dates of the plan"),
        (_plan().assign(tv="much"), "column 'tv', row 1"),
        (_plan().assign(radio=-1.0), "column 'radio', row 1.*0 or more"),
    ],
)
def test_wrong_plans_are_refused(full: ScaledInputs, plan: pd.DataFrame, message: str) -> None:
    """Rows, dates, columns and cells."""
    with pytest.raises(DataError, match=message):
        read_plan(plan, full)


def test_periods_that_have_come_are_passed_over(full: ScaledInputs) -> None:
    """A plan of a quarter serves every week of it; one that has ended has no rows."""
    plan = read_plan(_plan(5, start="2023-02-13"), full)
    assert plan["search"].tolist() == [2.0, 3.0, 4.0]
    assert read_plan(_plan(5, start="2022-02-14"), full).empty


def test_periods_after_the_plan_follow_last_year(full: ScaledInputs) -> None:
    """Three planned weeks of a forecast of five."""
    extended = extend_inputs(full, 5, read_plan(_plan(3), full))
    assert extended.media_scaled[-5:-2, 0] == pytest.approx(10.0 / 50.0)
    assert np.array_equal(extended.media_scaled[-2:], full.media_scaled[11:13])
    with pytest.raises(DataError, match="3 rows; wanted at most 2"):
        extend_inputs(full, 2, read_plan(_plan(3), full))


def test_negative_plans_are_refused(full: ScaledInputs) -> None:
    """Media cannot be negative."""
    with pytest.raises(DataError, match="negative media"):
        extend_inputs(full, 5, _plan().assign(tv=-1.0))
