"""Settings that a careful user would choose, and the schemes that change their priors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mmm_engine.model.specification import model_specification
from tests.benchmarks.truth.clients import MAX_LAG, careful_client
from tests.benchmarks.truth.schemes import SCHEMES, model_changes
from tests.benchmarks.truth.worlds import VisibleChannel, VisibleRows, make_world


def visible(
    spacing: str, rows: int, season: float = 0.0, trend: float = 0.0, weekday: float = 0.0
) -> VisibleRows:
    """Rows of two channels that do nothing, with these movements of sales."""
    rng = np.random.default_rng(7)
    dates = pd.date_range(
        "2022-01-03", periods=rows, freq={"day": "D", "week": "W-MON", "month": "MS"}[spacing]
    )
    year = np.cos(2 * np.pi * dates.day_of_year / 365.25)
    sales = 1 + season * year + trend * np.arange(rows) / rows + weekday * (dates.day_of_week >= 5)
    frame = pd.DataFrame({"date": dates, "sales": 1000 * (sales + 0.03 * rng.standard_normal(rows))})
    frame[["tv", "radio"]] = rng.gamma(2.0, 50.0, (rows, 2))
    return VisibleRows("toy", frame, False, (VisibleChannel("tv"), VisibleChannel("radio")), ())


@pytest.mark.parametrize("spacing", ["day", "week", "month"])
def test_carry_over_fits_the_spacing(spacing: str) -> None:
    """About eight weeks, in rows of any spacing."""
    assert careful_client(visible(spacing, 90)).config.model.adstock.max_lag == MAX_LAG[spacing]


def test_a_season_is_switched_on_where_the_contract_finds_it() -> None:
    """Two years are needed to see a season."""
    plain = careful_client(visible("week", 130)).config.model
    assert (plain.yearly_seasonality, plain.trend) == (None, None)
    seasonal = careful_client(visible("week", 130, season=0.2)).config.model
    assert (seasonal.yearly_seasonality, seasonal.trend) == (2, None)
    rising = careful_client(visible("week", 130, trend=0.5)).config.model
    assert rising.trend is None
    assert rising.baseline is not None  # the default's, which moves by itself
    assert careful_client(visible("week", 90, season=0.2)).config.model.yearly_seasonality is None


def test_days_of_the_week_become_controls_where_sales_have_a_weekly_rhythm() -> None:
    """Six 0/1 columns; none where days are alike."""
    assert careful_client(visible("day", 120)).config.control_names == ()
    assert len(careful_client(visible("day", 120, weekday=0.1)).config.control_names) == 6


def test_settings_follow_what_is_seen_and_not_the_truth() -> None:
    """Another truth behind the same rows changes nothing."""
    world = make_world(0)
    silent = replace(world, contribution=0 * world.contribution, media_effect=0 * world.media_effect)
    assert careful_client(world.rows).config == careful_client(silent.rows).config


def test_spend_share_gives_amplitudes_in_proportion_to_spend() -> None:
    """Two channels, three to one: scales 2 × 0.75 and 2 × 0.25."""
    rows = visible("week", 104)
    rows.frame["tv"] *= 3 * rows.frame["radio"].sum() / rows.frame["tv"].sum()
    config = SCHEMES["spend_share"](careful_client(rows))
    sigmas = [channel.priors["saturation_alpha"]["sigma"] for channel in config.channels]
    assert sigmas == pytest.approx([1.5, 0.5])


def test_changes_of_a_scheme_are_merged_into_the_settings() -> None:
    """The lag that fits the spacing stays."""
    data = careful_client(visible("day", 90))
    config = model_changes(saturation="hill", adstock={"kind": "delayed"})(data)
    assert config.model.saturation == "hill"
    assert (config.model.adstock.kind, config.model.adstock.max_lag) == ("delayed", 28)


@pytest.mark.parametrize("name", list(SCHEMES))
def test_every_scheme_is_a_model_that_the_engine_can_have(name: str) -> None:
    """Prior names and distributions are known to the engine."""
    specification = model_specification(SCHEMES[name](careful_client(visible("week", 104))), "week")
    assert specification.n_channels == 2
