"""What media and controls are taken to be where nothing is planned: last year's, and days those of the same weekday."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmm_engine.results.forecast import extend_inputs
from mmm_engine.rows.calendar import Calendar
from mmm_engine.rows.window import ScaledInputs
from tests.engine.model_cases import small_inputs


def daily(rows: int) -> ScaledInputs:
    """Daily rows whose media say which day of the week and which week it is: 10 × week + day."""
    inputs = small_inputs(rows=rows, held_out=0, weekly_seasonality=True)
    number = (np.arange(rows) // 7 * 10 + np.arange(rows) % 7).astype(float)
    media = np.repeat(number[:, None], inputs.media_scaled.shape[1], axis=1)
    return replace(inputs, media_scaled=media)


@pytest.mark.parametrize("rows", [364, 400, 500])
def test_a_day_follows_the_same_day_of_the_week_a_year_before(rows: int) -> None:
    """Fifty-two weeks back, not 365 days: that is another day of the week."""
    inputs = daily(rows)
    ahead = extend_inputs(inputs, 13)
    assert ahead.media_scaled[rows:] == pytest.approx(inputs.media_scaled[rows - 364 : rows - 351])
    days = ahead.calendar.weekdays
    assert (ahead.media_scaled[rows:, 0] % 10 == days[rows:]).all()


def test_a_day_without_a_year_before_follows_the_last_four_weeks() -> None:
    """The mean of the same day of the week: of weeks 10 to 13 that is 115 and the day."""
    ahead = extend_inputs(daily(98), 9)
    assert ahead.media_scaled[98:, 0].tolist() == [115, 116, 117, 118, 119, 120, 121, 115, 116]


def test_weeks_and_months_follow_the_year_before() -> None:
    """52 weeks, or 12 months."""
    inputs = small_inputs(rows=60, held_out=0)
    ahead = extend_inputs(inputs, 4)
    assert ahead.media_scaled[60:] == pytest.approx(inputs.media_scaled[8:12])
    months = replace(
        inputs, calendar=Calendar(np.arange("2018-01", "2023-01", dtype="datetime64[M]"), "month")
    )
    assert extend_inputs(months, 4).media_scaled[60:] == pytest.approx(inputs.media_scaled[48:52])


def test_less_than_a_year_of_weeks_gives_the_mean_of_the_last_eight() -> None:
    """As before there were days of the week."""
    inputs = small_inputs(rows=40, held_out=0)
    ahead = extend_inputs(inputs, 3)
    assert ahead.media_scaled[40:] == pytest.approx(np.tile(inputs.media_scaled[-8:].mean(axis=0), (3, 1)))
