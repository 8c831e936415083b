"""Simulated clients: the same recipe gives the same files, and the truth beside them is true."""

import ast
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mmm_engine.simulation.client
import mmm_engine.simulation.media
from mmm_engine.client.model_config import TrendConfig
from mmm_engine.errors import ConfigError
from mmm_engine.rows.client_data import client_data_from_frame, read_client
from mmm_engine.simulation.client import simulate, simulate_client, write_simulation
from mmm_engine.simulation.media import adstocked, saturated
from mmm_engine.simulation.recipes import COMMITTED, HARBOR, LUMEN, MS

DATA = Path(__file__).parents[3] / "data"

MS_COLUMNS = [
    "date_week",
    "ecommerce_revenue",
    "snapchat_cost",
    "emails_delivered",
    "facebook_ads_conversions_cost",
    "facebook_ads_brand_awareness_cost",
    "facebook_ads_engagement_cost",
    "google_ads_video_cost",
    "google_ads_shopping_cost",
    "google_ads_search_men_cost",
    "google_ads_search_kids_cost",
    "google_ads_display_only_cost",
    "google_ads_search_brand_cost",
    "google_ads_search_women_cost",
    "google_ads_search_others_cost",
    "youtube_organic_views",
    "events",
]


@pytest.mark.parametrize("client", [recipe.client for recipe in COMMITTED])
def test_the_committed_files_are_what_their_recipe_gives(tmp_path, client):
    """Byte for byte: nobody edited them, and nothing in the simulation moved."""
    write_simulation(simulate_client(client), tmp_path)
    for suffix in ("csv", "yaml", "truth.json"):
        name = f"{client}.{suffix}"
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


@pytest.mark.parametrize(
    ("client", "rows", "period", "channels"),
    [("ms", 161, "week", 13), ("lumen", 120, "week", 4), ("harbor", 72, "month", 3)],
)
def test_the_committed_clients_satisfy_the_contract_without_a_finding(client, rows, period, channels):
    """What the platform ships is what it asks for."""
    data = read_client(client, DATA)
    assert (len(data), data.period, len(data.config.channels), data.findings) == (rows, period, channels, ())


def test_ms_has_exactly_the_columns_that_its_readers_know():
    """Order and types of the guide: money with decimals; emails, views and events whole."""
    frame = pd.read_csv(DATA / "ms.csv")
    assert list(frame.columns) == MS_COLUMNS
    whole = [name for name in frame.columns if frame[name].dtype.kind == "i"]
    assert whole == ["emails_delivered", "youtube_organic_views", "events"]
    assert frame["date_week"].str.fullmatch(r"\d{4}-\d{2}-\d{2}").all()
    config = read_client("ms", DATA).config
    assert config.channel_names == tuple(name for name in MS_COLUMNS if name.endswith(("_cost", "_views")))
    assert set(config.control_names) == {"events", "emails_delivered"}
    assert (config.model.adstock.max_lag, config.model.saturation) == (4, "michaelis_menten")
    assert config.model.time_varying_media
    assert not config.model.time_varying_intercept


def test_the_spend_of_ms_is_realistic():
    """Bursts with silence between them, search campaigns that follow one demand while they run, a high December."""
    data = read_client("ms", DATA)
    silent = dict(zip(MS.channels, (data.media == 0).mean(axis=0), strict=True))
    for channel, share in silent.items():
        bounds = (0.25, 0.75) if channel.pattern in ("flights", "search") else (0, 0.1)
        assert bounds[0] <= share <= bounds[1], channel.column
    search = [
        data.media[:, index] for index, channel in enumerate(MS.channels) if channel.pattern == "search"
    ]
    for first, second in itertools.combinations(search, 2):
        both = (first > 0) & (second > 0)
        assert 0.3 < np.corrcoef(np.log(first[both]), np.log(second[both]))[0, 1] < 0.95
    december = data.dates.month.isin([11, 12])
    shopping = data.media[:, data.config.channel_names.index("google_ads_shopping_cost")]
    assert shopping[december].mean() > 1.2 * shopping[~december].mean()


@pytest.mark.parametrize("recipe", COMMITTED, ids=[recipe.client for recipe in COMMITTED])
def test_the_truth_explains_the_target(recipe):
    """Baseline, channels, controls and season, put together again from the file, leave noise of the stated size."""
    truth = json.loads((DATA / f"{recipe.client}.truth.json").read_text())
    data = read_client(recipe.client, DATA)
    multiplier = np.array(truth["multiplier"])
    parts = [np.full(len(data), truth["baseline"] / len(data))]
    for index, name in enumerate(data.config.channel_names):
        of = truth["channels"][name]
        scaled = data.media[:, index] / data.media[:, index].max()
        carried = adstocked(scaled, of["adstock"], data.config.model.adstock.max_lag)
        part = of["alpha"] * multiplier * saturated(carried, of["lam"], recipe.saturation)
        assert part.sum() == pytest.approx(of["contribution"], rel=1e-6)
        assert data.spend[:, index].sum() == pytest.approx(of["spend"], rel=1e-6)
        assert of["contribution"] / of["spend"] == pytest.approx(of["roas"], rel=1e-6)
        assert part.sum() / data.target.sum() == pytest.approx(recipe.channels[index].share, rel=0.05)
        parts.append(part)
    for index, name in enumerate(data.config.control_names):
        of = truth["controls"][name]
        parts.append(of["effect"] * data.controls[:, index])
        assert parts[-1].sum() == pytest.approx(of["contribution"], rel=1e-6)
    explained = np.sum(parts, axis=0)
    if recipe.yearly == 0:
        noise = data.target - explained
        assert noise.std() == pytest.approx(truth["noise_sd"], rel=0.2)
        assert 0.85 < 1 - noise.var() / data.target.var() < 0.97
    assert explained.sum() == pytest.approx(data.target.sum(), rel=0.02)
    assert multiplier.mean() == pytest.approx(1)


def test_media_controls_and_baseline_of_ms_share_the_target_as_intended():
    """About half of it is media, from 1% to 12% a channel, about 40% is baseline."""
    shares = [channel.share for channel in MS.channels]
    assert 0.45 <= sum(shares) <= 0.55
    assert min(shares) >= 0.01
    assert max(shares) <= 0.12
    assert 0.35 <= MS.baseline_share <= 0.45


def test_adstock_carries_effects_on_for_max_lag_rows():
    """Worked by hand: weights 4/7, 2/7, 1/7; the last effect falls out of the rows."""
    assert adstocked(np.array([7.0, 0, 0, 0, 7.0]), 0.5, 3) == pytest.approx([4, 2, 1, 0, 4])
    assert adstocked(np.array([1.0, 2.0]), 0.9, 1) == pytest.approx([1, 2])


def test_saturation_is_zero_at_zero_and_below_one():
    """Worked by hand: half at lam for Michaelis–Menten; tanh(lam x / 2) for the logistic curve."""
    spend = np.array([0.0, 0.5, 1.0])
    assert saturated(spend, 0.5, "michaelis_menten") == pytest.approx([0, 1 / 2, 2 / 3])
    assert saturated(spend, 3.0, "logistic") == pytest.approx(np.tanh(1.5 * spend))


def test_another_seed_is_another_client_and_the_same_seed_the_same():
    """Everything random comes from the seed."""
    one, again, other = (simulate_client("x", seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.frame, again.frame)
    assert one.truth == again.truth
    assert not one.frame.equals(other.frame)
    assert one.truth["channels"] != other.truth["channels"]


def test_a_shipped_client_of_another_shape_is_not_the_shipped_one():
    """``mmm simulate ms`` gives ms; with options it gives what was asked for."""
    assert list(simulate_client("ms").frame.columns) == MS_COLUMNS
    assert len(simulate_client("ms", periods=60, channels=2).config.channels) == 2


@settings(max_examples=40, deadline=None)
@given(
    st.integers(28, 200),
    st.integers(1, 12),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(["revenue", "conversions"]),
    st.sampled_from(["michaelis_menten", "logistic"]),
    st.sampled_from([0.0, 0.1]),
)
def test_every_simulated_client_satisfies_the_contract(
    periods, channels, seed, period, kind, saturation, more
):
    """Any shape, any seed: rows that the platform accepts, and whole conversions."""
    simulation = simulate_client(
        "any", periods=periods, channels=channels, seed=seed, period=period, kind=kind, saturation=saturation,
        multiplier=more, yearly=more,
    )  # fmt: skip
    data = client_data_from_frame(simulation.config, simulation.frame)
    assert (len(data), data.period) == (periods, period)
    assert len(simulation.truth["channels"]) == channels
    assert kind == "revenue" or (data.target == np.round(data.target)).all()
    has_a_year = periods >= {"day": 365, "week": 52, "month": 12}[period]
    assert data.config.model.yearly_seasonality == (2 if more and has_a_year else None)
    assert data.config.model.time_varying_media == (more > 0)


def test_files_of_a_simulation_make_a_client(tmp_path):
    """Settings, rows and truth, readable by the platform."""
    write_simulation(simulate(replace(LUMEN, client="mine")), tmp_path)
    data = read_client("mine", tmp_path)
    assert data.config.target.kind == "conversions"
    assert data.config.cost_names == ("podcast_downloads_cost",)
    assert set(json.loads((tmp_path / "mine.truth.json").read_text())["channels"]) == set(
        data.config.channel_names
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".client.schema.json", "mine.csv", "mine.truth.json", "mine.yaml"]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"channels": 0}, "number of channels: found 0; wanted 1 to 100"),
        ({"seed": -1}, "seed: found -1; wanted 0 to 4294967295"),
        ({"periods": 27}, "number of rows: found 27; wanted 28 to 100000"),
    ],
)
def test_shapes_that_could_not_be_refreshed_are_refused(options, fault):
    """The contract's own limits."""
    with pytest.raises(ConfigError, match=fault):
        simulate_client("x", **options)
    with pytest.raises(ConfigError, match="found the client id"):
        simulate_client("../x")
    with pytest.raises(ConfigError, match="number of rows: found 25; wanted 26"):
        simulate(replace(HARBOR, rows=25))


def test_the_simulation_does_not_know_the_model():
    """Plain numpy: a bug shared with the model would cancel itself."""
    imported = {
        node.module
        for module in (mmm_engine.simulation.client, mmm_engine.simulation.media)
        for node in ast.walk(ast.parse(Path(module.__file__).read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    wings = {name.split(".")[1] for name in imported if name and name.startswith("mmm_engine.")}
    assert wings <= {"array_types", "errors", "files", "client", "rows", "simulation"}


def test_trend_events_and_lift_tests_are_part_of_the_truth(tmp_path):
    """The baseline gains 20% and stands still, two events leave their bumps, and each channel has two experiments."""
    simulation = simulate_client(
        "toy", periods=120, channels=2, trend=0.2, events=True, lift_tests=2, noise=0.0
    )
    write_simulation(simulation, tmp_path)
    data = read_client("toy", tmp_path)
    config, truth = data.config, simulation.truth
    assert config == simulation.config
    assert data.findings == ()
    assert (config.model.trend, config.calibration) == (TrendConfig(changepoints=5), "toy.lift.csv")
    assert {event.name: [day.start for day in event.days] for event in config.model.events} == {
        "black_friday": ["2021-11-26", "2022-11-25"], "launch": ["2022-02-24"]
    }  # fmt: skip
    plain = simulate_client("toy", periods=120, channels=2, noise=0.0)
    other = data.target - plain.frame["revenue"].to_numpy()
    gained = 10_000 * np.minimum(np.arange(120) / (0.6 * 119), 1)
    special = other - (gained - gained.mean())
    assert special.sum() == pytest.approx(sum(truth["events"].values()), rel=1e-4)
    # the week of 2021-11-22 has three of the sale's four days, Friday to Sunday; the next one has its Monday
    assert special[46:48] == pytest.approx([0.75 * 0.3 * 50_000, 0.25 * 0.3 * 50_000], rel=1e-4)
    assert special[[45, 48]] == pytest.approx([0.0, 0.0], abs=1e-6 * 50_000)
    assert truth["trend"] == pytest.approx(gained.sum())
    assert truth["baseline"] + truth["trend"] == pytest.approx(plain.truth["baseline"])
    assert [test.channel for test in config.lift_tests] == [
        name for name in config.channel_names for _ in range(2)
    ]
    for test in config.lift_tests:
        of, media = truth["channels"][test.channel], data.media[:, config.channel_names.index(test.channel)]
        assert test.x is not None
        assert test.end is not None
        start, stop = data.calendar.row_of(test.date), data.calendar.row_of(test.end)
        assert start is not None
        assert (stop, test.cool_down) == (start + 3, 2)
        brought = []
        for x in (test.x + test.delta_x, test.x):
            path = media.copy()
            path[start : start + 4] = x
            carried = adstocked(path / media.max(), of["adstock"], config.model.adstock.max_lag)
            brought.append(saturated(carried, of["lam"], "michaelis_menten")[start : start + 6].sum())
        gain = of["alpha"] * (brought[0] - brought[1])
        assert test.sigma == pytest.approx(0.2 * gain, rel=1e-3)
        assert abs(test.delta_y - gain) < 4 * test.sigma


def test_options_of_the_command_replace_the_recipe_of_a_committed_client():
    """Asking for a trend must not be ignored because the client's id is known."""
    assert simulate_client("ms", trend=0.1).config.model.trend is not None
    assert simulate_client("ms").config.model.trend is None
