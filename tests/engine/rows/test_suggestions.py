"""Settings that the rows ask for: each is planted once and suggested, and not where the model has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.client_file import client_config_from_mapping, read_client_config, write_client_config
from mmm_engine.rows.client_data import ClientData, client_data_from_frame
from tests.engine.client_cases import SETTINGS, shop_config

ROWS = 220
RHYTHM = np.array([-60.0, 10.0, 0.0, 20.0, 80.0, 40.0, -90.0])


def rows(freq: str = "D", count: int = ROWS) -> pd.DataFrame:
    """Rows that ask for nothing: two channels in bursts, a control, a target that they move."""
    rng = np.random.default_rng(11)
    tv = rng.gamma(2, 50, count) * (np.arange(count) % 9 < 5)
    radio = rng.gamma(2, 20, count) * (np.arange(count) % 11 < 4)
    price = rng.normal(10, 1, count)
    frame = pd.DataFrame(
        {"week": pd.date_range("2020-01-06", periods=count, freq=freq), "tv": tv, "radio": radio}
    )
    return frame.assign(price=price, revenue=1000 + tv + 2 * radio + 10 * price + rng.normal(0, 20, count))


def with_rhythm(size: float = 1.0) -> pd.DataFrame:
    """Daily rows with a rhythm of the week."""
    frame = rows()
    return frame.assign(revenue=frame["revenue"] + size * RHYTHM[np.arange(ROWS) % 7])


def client(frame: pd.DataFrame, **model: Any) -> ClientData:
    """The rows as a client with these settings of the model."""
    return client_data_from_frame(shop_config(model=model), frame)


def test_a_rhythm_of_the_week_is_suggested_and_told() -> None:
    """With the share that it explains; in the setting's own words, which the client file takes."""
    data = client(with_rhythm())
    (one,) = data.suggestions
    assert (one.code, one.setting, one.value) == ("weekly-rhythm", "weekly_seasonality", True)
    assert one.written == "weekly_seasonality: true"
    assert "%" in one.reason
    (finding,) = data.findings
    assert finding.fix == "set 'weekly_seasonality: true' under 'model' in the client file"
    taken = client(with_rhythm(), weekly_seasonality=True)
    assert taken.suggestions == ()
    assert taken.findings == ()


@pytest.mark.parametrize("seed", range(12))
def test_rows_without_a_rhythm_ask_for_none(seed: int) -> None:
    """Noise alone is not worth six parameters, whatever the noise."""
    frame = rows()
    frame["revenue"] += np.random.default_rng(seed).normal(0, 40, ROWS)
    assert client(frame).suggestions == ()


def test_a_rhythm_that_the_columns_have_already_is_not_suggested() -> None:
    """Six 0/1 controls, one for each day but one."""
    frame = with_rhythm()
    days = {f"day{day}": (np.arange(ROWS) % 7 == day).astype(float) for day in range(1, 7)}
    controls = [{"column": name, "effect": "any"} for name in ("price", *days)]
    data = client_data_from_frame(shop_config(controls=controls), frame.assign(**days))
    assert data.suggestions == ()


def test_outliers_ask_for_a_robust_likelihood() -> None:
    """One row five times as high as the others; with `student_t` there is nothing left to ask."""
    frame = rows("W-MON")
    frame.loc[100, "revenue"] = 5000
    data = client(frame)
    (one,) = data.suggestions
    assert one.written == "likelihood: student_t"
    assert "1 value stands out" in one.reason
    assert "student_t" in data.findings[0].fix
    robust = client(frame, likelihood="student_t")
    assert robust.suggestions == ()
    assert "student_t" not in robust.findings[0].fix


def test_a_holiday_that_the_model_has_is_no_outlier() -> None:
    """Twice the same holiday stands out of the target, until it is a term of the model."""
    frame = rows()
    days = pd.DatetimeIndex(frame["week"]).get_indexer(pd.to_datetime(["2020-02-10", "2020-07-15"]))
    frame.loc[days, "revenue"] += 900
    assert [finding.code for finding in client(frame).findings] == ["target-outlier"]
    holidays = {"country": "DE", "days": {"Feast": ["2020-02-10", "2020-07-15"]}}
    assert client(frame, holidays=holidays).findings == ()


def test_trend_and_season_are_written_as_the_file_takes_them() -> None:
    """Every suggestion, taken over, is a client file that asks for nothing more."""
    frame = rows("W-MON")
    weeks = np.arange(ROWS)
    frame["revenue"] += 3 * weeks + 150 * np.sin(2 * np.pi * weeks / 52.18)
    fixed = client(frame, baseline=None)  # the default's baseline moves by itself
    assert [one.written for one in client(frame).suggestions] == ["yearly_seasonality: 2"]
    offered = fixed.suggestions
    assert [one.written for one in offered] == ["yearly_seasonality: 2", "trend: {changepoints: 5}"]
    taken = {one.setting: one.value for one in offered}
    assert client(frame, baseline=None, **taken).suggestions == ()


def test_weekly_rows_have_no_days_of_the_week() -> None:
    """The setting is refused there, with the reason."""
    with pytest.raises(Exception, match="weekly_seasonality': found rows by week; wanted daily rows"):
        client(rows("W-MON"), weekly_seasonality=True)


def test_reasons_stand_in_the_client_file_as_comments(tmp_path: Any) -> None:
    """They are wrapped, change no setting, and stand above the section that they explain."""
    config = client_config_from_mapping(SETTINGS | {"model": {"yearly_seasonality": 2}})
    path = tmp_path / "shop.yaml"
    write_client_config(
        config, path, reasons={"yearly_seasonality": "a yearly\ncycle explains " + "much " * 40}
    )
    assert read_client_config(path) == config
    lines = path.read_text().splitlines()
    (first,) = [
        number for number, line in enumerate(lines) if line.startswith("# yearly_seasonality, because")
    ]
    assert lines[first].startswith("# yearly_seasonality, because a yearly cycle explains much")
    assert all(line.startswith("#") for line in lines[first : lines.index("model:")])
    assert max(map(len, lines)) < 120


def test_a_sharp_season_gets_the_order_that_it_needs() -> None:
    """A wave of five a year needs order 5; one of one a year needs no more than the least."""
    frame = rows("W-MON")
    weeks = 2 * np.pi * np.arange(ROWS) / 52
    sharp = frame.assign(revenue=frame["revenue"] + 150 * np.cos(weeks) + 150 * np.sin(5 * weeks))
    assert [one.written for one in client(sharp).suggestions] == ["yearly_seasonality: 5"]
    smooth = frame.assign(revenue=frame["revenue"] + 150 * np.cos(weeks))
    assert [one.written for one in client(smooth).suggestions] == ["yearly_seasonality: 2"]


def test_a_season_that_channels_share_is_suggested() -> None:
    """A channel bought by the season explains it in any regression; the season is suggested all the same."""
    frame = rows("W-MON")
    season = 1 + np.cos(2 * np.pi * np.arange(ROWS) / 52)
    frame = frame.assign(radio=100 * season, revenue=frame["revenue"] + 300 * season)
    (one,) = client(frame).suggestions
    assert one.setting == "yearly_seasonality"
    assert one.reason.endswith("of what trend and controls leave open")


@pytest.mark.parametrize("term", ["events", "holidays"])
def test_days_that_come_every_year_are_no_cycle_once_they_are_named(term: str) -> None:
    """A sale at the end of each November in monthly rows: a smooth cycle was suggested beside its event."""
    frame = rows("MS", 60)
    months = pd.DatetimeIndex(frame["week"])
    frame.loc[months.month == 11, "revenue"] += 800
    assert [one.code for one in client(frame).suggestions] == ["yearly-cycle"]
    sale = {"sale": [f"{year}-11-30" for year in sorted(set(months.year))]}
    named = {"events": sale} if term == "events" else {"holidays": {"country": "DE", "days": sale}}
    assert client(frame, **named).suggestions == ()
