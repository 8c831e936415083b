"""Days of the week and public holidays: regressors by hand, effects that a fit finds, forecasts that know the days."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.client.client_file import client_config_from_mapping, read_client_config, write_client_config
from mmm_engine.client.holidays import last_stored_day, public_holidays
from mmm_engine.client.model_config import HolidaysConfig
from mmm_engine.errors import ConfigError
from mmm_engine.model.calendar_terms import holiday_shares, weekday_contrasts
from mmm_engine.posterior.fit import fit
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.decomposition import contributions, decomposition_frame
from mmm_engine.results.forecast import extend_inputs
from mmm_engine.results.plausibility import plausibility_scores
from mmm_engine.results.predictive import predict
from mmm_engine.rows.calendar import Calendar, Period
from tests.engine.client_cases import SETTINGS
from tests.engine.model_cases import HOLIDAYS, drawn_from_prior, small_config, small_inputs

JANUARY = np.datetime64("2024-01-01")  # a Monday


def christmas(*days: Any) -> HolidaysConfig:
    """One holiday on these days."""
    return HolidaysConfig.model_validate({"country": "DE", "days": {"Christmas": list(days)}})


# --- days of the week ------------------------------------------------------------------------------


@given(st.lists(st.floats(-10, 10), min_size=6, max_size=6))
def test_effects_of_the_seven_days_add_up_to_zero(coefficients: list[float]) -> None:
    """Whatever the coefficients, a week sums to 0; every day has the same prior, and every two are alike."""
    contrasts = weekday_contrasts(Calendar(JANUARY + np.arange(7), "day"))
    assert (contrasts @ np.array(coefficients)).sum() == pytest.approx(0.0, abs=1e-9)
    assert contrasts @ contrasts.T == pytest.approx(np.eye(7) - 1 / 7)


def test_a_day_of_the_week_is_the_same_in_every_week() -> None:
    """Rows that begin on a Thursday have Monday's contrasts where Mondays are."""
    week = weekday_contrasts(Calendar(JANUARY + np.arange(7), "day"))
    later = weekday_contrasts(Calendar(JANUARY + 3 + np.arange(14), "day"))
    assert later == pytest.approx(np.vstack([week, week])[[3, 4, 5, 6, *range(7), 0, 1, 2]])


# --- holidays --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "start", "expected"),
    [
        ("day", "2024-12-24", [0.0, 1.0, 1.0, 0.0]),
        ("week", "2024-12-16", [0.0, 2 / 7, 0.0, 0.0]),
        ("month", "2024-11-01", [0.0, 2 / 31, 0.0, 0.0]),
        ("month", "2024-11-30", [0.0, 2 / 31, 0.0, 0.0]),
    ],
)
def test_a_holiday_is_its_share_of_the_days_of_the_row_that_covers_it(
    period: Period, start: str, expected: list[float]
) -> None:
    """25 and 26 December 2024 are a Wednesday and a Thursday; months may be dated by their last day."""
    freq = {"day": "D", "week": "W-MON", "month": "ME" if start.endswith("30") else "MS"}[period]
    calendar = Calendar(pd.date_range(start, periods=4, freq=freq).to_numpy(), period)
    shares = holiday_shares(calendar, christmas("2024-12-25", "2024-12-26"))
    assert shares[:, 1].tolist() == pytest.approx(expected)
    assert shares[:, 0] == pytest.approx(shares[:, 1])


def test_a_holiday_over_new_weeks_is_divided_between_their_rows() -> None:
    """Saturday to Tuesday: two days of each week; the first column counts the days of all holidays."""
    several = {"Feast": [{"start": "2024-01-06", "end": "2024-01-09"}], "Other": ["2024-01-10"]}
    holidays = HolidaysConfig.model_validate({"country": "DE", "days": several})
    shares = holiday_shares(Calendar(JANUARY + 7 * np.arange(3), "week"), holidays)
    assert shares * 7 == pytest.approx(np.array([[2, 2, 0], [3, 2, 1], [0, 0, 0]]))


def test_days_of_a_country_are_those_of_its_law() -> None:
    """Bavaria has Epiphany, Berlin has not; a day that makes up for a Sunday counts as the same holiday."""
    first, last = datetime.date(2021, 3, 1), datetime.date(2022, 2, 1)
    bavaria, berlin = (public_holidays("DE", state, first, last) for state in ("BY", "BE"))
    names = {holiday.name: [once.start for once in holiday.days] for holiday in bavaria.days}
    assert names["Epiphany"] == ["2021-01-06", "2022-01-06", "2023-01-06", "2024-01-06"]
    assert "Epiphany" not in {holiday.name for holiday in berlin.days}
    american = {holiday.name: holiday.days for holiday in public_holidays("us", None, first, last).days}
    assert {"2022-12-25", "2022-12-26"} <= {once.start for once in american["Christmas Day"]}
    assert not any("observed" in name for name in american)
    assert last_stored_day(bavaria) == "2024-12-26"


@pytest.mark.parametrize(
    ("country", "state", "message"),
    [
        ("XQ", None, "found 'XQ'; wanted the code"),
        ("DE", "BYX", "did you mean 'BY'?"),
        ("TR", "X", "no subdiv"),
    ],
)
def test_unknown_places_are_refused(country: str, state: str | None, message: str) -> None:
    """With the nearest code that there is."""
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        public_holidays(country, state, datetime.date(2024, 1, 1), datetime.date(2024, 2, 1))


def test_holidays_survive_writing_and_reading(tmp_path: Path) -> None:
    """The client file holds the days themselves, and a client without the new terms keeps its version."""
    plain = client_config_from_mapping(SETTINGS)
    path, days = (
        tmp_path / "shop.yaml",
        {"Feast": ["2024-01-06", {"start": "2025-01-06", "end": "2025-01-07"}]},
    )
    model = {"holidays": {"country": "DE", "subdivision": "BY", "days": days}, "weekly_seasonality": True}
    config = client_config_from_mapping(SETTINGS | {"model": model})
    write_client_config(config, path)
    assert read_client_config(path) == config
    assert config.config_version != plain.config_version
    assert "Feast:" in path.read_text()
    write_client_config(plain, path)
    assert not {"holidays:", "weekly_seasonality:"} & {line.strip() for line in path.read_text().splitlines()}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"holidays": {"country": "de", "days": {"a": "2024-01-01"}}}, "model.holidays.country"),
        ({"holidays": {"country": "DE"}}, "days"),
        ({"holidays": {"country": "DE", "days": {"a": "2024-02-30"}}}, "YYYY-MM-DD"),
        ({"holidays": {"country": "DE", "days": [{"name": "a", "days": "2024-01-01"}] * 2}}, "a second time"),
    ],
)
def test_faulty_holidays_are_refused(model: Mapping[str, Any], message: str) -> None:
    """One clear fault each."""
    with pytest.raises(ConfigError, match=message):
        client_config_from_mapping(SETTINGS | {"model": model})


def test_parts_of_the_target_need_names_of_their_own() -> None:
    """A column 'weekday' beside the term of that name would be added to it in tables."""
    settings = SETTINGS | {"channels": ["tv", "weekday"], "model": {"weekly_seasonality": True}}
    with pytest.raises(ConfigError, match="a column of that name"):
        client_config_from_mapping(settings)


# --- in the model ----------------------------------------------------------------------------------


def test_both_are_parts_of_the_whole() -> None:
    """They stand in the decomposition under their names, add up with the rest, and belong to the baseline."""
    inputs = small_inputs(rows=40, weekly_seasonality=True, holidays=HOLIDAYS, trend={"changepoints": 2})
    window = FittedWindow.of(inputs, drawn_from_prior(inputs))
    parts = contributions(window)
    assert parts.sum("component").to_numpy() == pytest.approx(predict(window).mean_draws)
    kinds = decomposition_frame(parts).drop_duplicates("component").set_index("component")["kind"]
    assert kinds.to_list()[:4] == ["baseline", "trend", "weekday", "holidays"]
    without_media = parts.isel(
        component=(parts["kind"] != "channel").to_numpy(), date=slice(inputs.train_rows)
    )
    scores = plausibility_scores(window).set_index("metric")["value"]
    assert scores["baseline_negative"] == pytest.approx((without_media.sum("component") < 0).mean().item())
    weekday = parts.sel(component="weekday").to_numpy()
    assert weekday[:, :7].sum(axis=1) == pytest.approx(0.0, abs=1e-9)
    assert weekday[:, 7:14] == pytest.approx(weekday[:, :7])


def test_holidays_to_come_are_part_of_forecasts() -> None:
    """Only the days that are holidays move; one that never came before takes the level of the others."""
    days = {"Old": ["2022-01-10", "2022-01-31"], "New": ["2022-02-15"]}
    holidays = {"country": "DE", "days": days}
    inputs = small_inputs(rows=40, held_out=0, weekly_seasonality=True, holidays=holidays)
    posterior = drawn_from_prior(inputs)
    ahead = extend_inputs(inputs, 8)
    moved = contributions(FittedWindow.of(ahead, posterior)).sel(component="holidays").to_numpy()
    rows = np.flatnonzero(np.abs(moved).max(axis=0))
    assert [str(ahead.dates[row].date()) for row in rows] == ["2022-01-10", "2022-01-31", "2022-02-15"]
    effects = 1000 * posterior["posterior"]["gamma_holiday"][0]
    new = effects.sel(holiday="every holiday") + effects.sel(holiday="New")
    assert moved[:, rows[2]] == pytest.approx(new.to_numpy())


def test_a_fit_finds_the_rhythm_of_the_week_and_the_holidays() -> None:
    """Planted effects lie within four standard deviations of what is found; an unseen holiday leans on the others."""
    days = [str(JANUARY + step) for step in range(9, 200, 17)]
    holidays = {
        "country": "DE",
        "days": {"A": days[::3], "B": days[1::3], "C": days[2::3], "Never": ["2030-01-01"]},
    }
    sampler = {"draws": 400, "tune": 400, "chains": 2, "seed": 1, "ess_target": None}
    model = {"weekly_seasonality": True, "holidays": holidays}
    inputs = small_inputs(rows=200, held_out=10, controls=[], sampler=sampler, **model)
    inputs = replace(inputs, calendar=Calendar(JANUARY + np.arange(200), "day"))
    shares = holiday_shares(inputs.calendar, inputs.config.model.holidays)
    effects = np.array([-0.10, 0.06, 0.05, -0.01, 0.02, 0.03, -0.05])
    planted = effects[inputs.calendar.weekdays] + shares[:, 1:4] @ np.array([-0.2, -0.15, -0.25])
    window = fit(replace(inputs, target_scaled=inputs.target_scaled + planted))
    parts = contributions(window) / 1000.0
    weekday = parts.sel(component="weekday").isel(date=slice(7)).transpose("draw", ...).to_numpy()
    assert np.abs(weekday.mean(axis=0) - effects).max() < 4 * weekday.std(axis=0).max()
    assert weekday.std(axis=0).max() < 0.02
    of_holidays = parts.sel(component="holidays").transpose("draw", ...).to_numpy()
    for column, size in ((1, -0.2), (2, -0.15), (3, -0.25)):
        found = of_holidays[:, np.flatnonzero(shares[:, column])[0]]
        assert abs(found.mean() - size) < 4 * found.std() + 0.01
    effect = window.posterior["posterior"]["gamma_holiday"]
    never = (effect.sel(holiday="every holiday") + effect.sel(holiday="Never")).to_numpy()
    assert -0.4 < np.median(never) < -0.05
    assert never.std() > 2 * of_holidays[:, np.flatnonzero(shares[:, 1])[0]].std()


def test_without_them_the_parameters_are_what_they_were() -> None:
    """No parameter, and no regressor, of a term that nobody asked for."""
    inputs = small_inputs(rows=40)
    names = list(drawn_from_prior(inputs)["posterior"].data_vars)
    assert not [name for name in names if "weekday" in name or "holiday" in name]
    assert small_config().model.holidays is None
