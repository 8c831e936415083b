"""The study's worlds: their truth adds up, their ranges are covered, and nothing of the engine is in them."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.truth.media import adstock_kernel, response, spend_pattern, wandering
from tests.benchmarks.truth.recipes import ROWS, ChannelRecipe, WorldRecipe, draw_recipe
from tests.benchmarks.truth.stored import read_world, read_worlds
from tests.benchmarks.truth.worlds import build_world, make_world

STORED = Path(__file__).parents[3].parent / "shared" / "worlds"
RECIPES = [draw_recipe(number, 1) for number in range(200)]


def plain_recipe(**changes: object) -> WorldRecipe:
    """A weekly world of two channels without anything special."""
    channel = ChannelRecipe("m01", "short", {"half_life": 7.0}, "linear", {}, "always", 1.0, 0.0, 0.0)
    quiet = {
        "spacing": "week", "rows": 104, "media_share": 0.2, "roas": 2.0, "confounding": "none",
        "multiplicative": False, "time_varying": 0.0, "conversions": False, "history": True,
        "channels": (channel, replace(channel, column="m02", saturation="hill", curve={"half": 1.0, "slope": 2.0})),
    }  # fmt: skip
    return replace(RECIPES[0], **{**quiet, **changes})


def test_a_world_depends_on_its_number_and_seed_alone() -> None:
    """The same one again, another one for another number or seed."""
    first, again = make_world(5), make_world(5)
    pd.testing.assert_frame_equal(first.rows.frame, again.rows.frame)
    np.testing.assert_array_equal(first.contribution, again.contribution)
    assert not first.rows.frame["sales"].equals(make_world(6).rows.frame["sales"])
    assert not first.rows.frame["sales"].equals(make_world(5, seed=2).rows.frame["sales"])


def test_generator_imports_nothing_of_the_engine() -> None:
    """A fault in both would cancel itself."""
    for name in ("media", "recipes", "baseline", "worlds", "stored"):
        tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_text())
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(module.startswith("mmm") for module in names), name


@pytest.mark.parametrize("multiplicative", [False, True])
def test_media_have_the_share_and_the_return_of_the_recipe(multiplicative: bool) -> None:
    """Whether media add to the baseline or multiply it."""
    world = build_world(plain_recipe(multiplicative=multiplicative))
    truth = world.channel_truth()
    assert world.expected is not None
    assert world.media_truth() / world.expected.sum() == pytest.approx(0.2, abs=1e-9)
    assert truth["contribution"].sum() / truth["spend"].sum() == pytest.approx(
        2.0, rel=1e-3
    )  # spend is in cents


def test_returns_differ_by_efficiency() -> None:
    """Log 3 more is three times the return."""
    recipe = plain_recipe()
    better = replace(recipe.channels[1], efficiency=float(np.log(3)))
    truth = build_world(replace(recipe, channels=(recipe.channels[0], better))).channel_truth()
    assert truth["roas"][1] / truth["roas"][0] == pytest.approx(3.0, rel=1e-3)


def test_contributions_of_an_additive_world_sum_to_the_effect_of_all_media() -> None:
    """Row by row."""
    world = build_world(plain_recipe())
    np.testing.assert_allclose(world.contribution.sum(axis=1), world.media_effect, rtol=1e-9)


def test_contribution_in_a_multiplicative_world_is_what_sales_lose_without_the_channel() -> None:
    """What needs both channels counts for each of them."""
    recipe = plain_recipe(multiplicative=True)
    alone = build_world(replace(recipe, channels=recipe.channels[:1]))
    np.testing.assert_allclose(alone.contribution[:, 0], alone.media_effect, rtol=1e-9)
    both = build_world(recipe)
    assert (
        both.contribution.sum(axis=1) > both.media_effect
    ).all()  # what needs both channels counts for each


def test_noise_has_the_size_of_the_recipe() -> None:
    """As a share of mean sales."""
    world = build_world(plain_recipe(noise=0.05, rows=312))
    assert world.expected is not None
    errors = world.rows.frame["sales"] - world.expected
    assert errors.std() / world.expected.mean() == pytest.approx(0.05, rel=0.15)


def test_truth_over_a_window_is_that_of_its_rows() -> None:
    """Fits of a training window are judged by it."""
    world = make_world(1)
    first, whole = world.channel_truth(60), world.channel_truth()
    np.testing.assert_allclose(first["contribution"], world.contribution[:60].sum(axis=0))
    assert (first["contribution"] <= whole["contribution"]).all()
    assert world.media_truth(60) == pytest.approx(world.media_effect[:60].sum())


def test_history_before_the_first_row_still_works_in_it() -> None:
    """Media with a half-life of 40 days, bought before the first row or not."""
    recipe = plain_recipe(time_varying=0.0)
    long = replace(recipe.channels[0], adstock="long", adstock_parameters={"half_life": 40.0})
    warm = build_world(replace(recipe, channels=(long,)))
    cold = build_world(replace(recipe, channels=(long,), history=False))
    share = [world.contribution[0, 0] / world.contribution[26:, 0].mean() for world in (warm, cold)]
    assert share[0] > 0.5
    assert share[1] < 0.25


def test_half_of_a_geometric_effect_comes_within_the_half_life() -> None:
    """Kernels are in days; a delayed one peaks at its peak."""
    kernel = adstock_kernel("short", {"half_life": 7.0})
    assert kernel[:7].sum() == pytest.approx(0.5, abs=1e-6)
    assert adstock_kernel("delayed", {"peak": 12.0, "spread": 5.0}).argmax() == 12


@pytest.mark.parametrize("kind", ["michaelis_menten", "hill", "logistic", "exponential"])
def test_half_of_the_largest_effect_is_reached_at_half(kind: str) -> None:
    """In the unit of the media."""
    media = np.array([0.0, 3.0, 1e9])
    np.testing.assert_allclose(response(media, kind, {"half": 3.0, "slope": 1.7}), [0.0, 0.5, 1.0], atol=1e-6)


def test_moods_have_their_memory_and_sparse_spend_is_sparse() -> None:
    """Correlation 1/e after the memory; 10% to 30% of the rows."""
    rng = np.random.default_rng(0)
    mood = wandering(rng, 20_000, 10.0)[:, 0]
    assert np.corrcoef(mood[10:], mood[:-10])[0, 1] == pytest.approx(np.exp(-1), abs=0.05)
    assert mood.std() == pytest.approx(1.0, abs=0.1)
    sparse = spend_pattern(rng, "sparse", mood, wandering(rng, 20_000, 0)[:, 0])
    assert 0.08 < (sparse > 0).mean() < 0.32


def test_ranges_of_the_study_are_covered() -> None:
    """Every form, spacing, number of channels and kind of misspecification occurs often enough to be read."""
    channels = [channel for recipe in RECIPES for channel in recipe.channels]
    for kind in ("adstock", "saturation", "spend_kind"):
        counts = Counter(getattr(channel, kind) for channel in channels)
        assert len(counts) == {"adstock": 5, "saturation": 6, "spend_kind": 4}[kind]
        assert min(counts.values()) > 60
    assert {recipe.spacing for recipe in RECIPES} == {"day", "week", "month"}
    assert all(ROWS[recipe.spacing][0] <= recipe.rows <= ROWS[recipe.spacing][1] for recipe in RECIPES)
    assert {len(recipe.channels) for recipe in RECIPES} == set(range(3, 16))
    for flag in ("multiplicative", "time_varying", "conversions"):
        assert 10 < sum(bool(getattr(recipe, flag)) for recipe in RECIPES) < 50, flag
    assert min(Counter(recipe.confounding for recipe in RECIPES).values()) >= 5
    assert sum(channel.null for channel in channels) > 20
    assert sum(channel.twin_of is not None for channel in channels) > 8
    assert sum(channel.unit == "posts" for channel in channels) > 15


def test_first_worlds_are_spread_as_evenly_as_all() -> None:
    """Twenty worlds cover the range of media shares without gaps."""
    shares = np.sort([np.log(recipe.media_share) for recipe in RECIPES[:20]])
    even = np.linspace(np.log(0.01), np.log(0.6), 20)
    assert np.abs(shares - even).max() < 0.6  # of a range of 4.1: independent draws miss by more than 1


def test_spend_of_a_confounded_channel_follows_the_baseline() -> None:
    """Where the demand is seen it is a control."""
    recipe = next(r for r in RECIPES if r.confounding == "seen" and r.rows > 120 and not r.channels[0].start)
    world = build_world(recipe)
    assert "demand" in world.rows.controls
    followers = world.forms["follows_demand"].to_numpy()
    assert np.corrcoef(world.spend[:, followers][:, 0], world.rows.frame["demand"])[0, 1] > 0.6


def test_null_twin_organic_and_cost_columns_are_what_they_say() -> None:
    """One world with one of each."""
    recipe = plain_recipe()
    base = recipe.channels[0]
    special = (
        base,
        replace(base, column="m02", null=True),
        replace(base, column="m03", twin_of=0),
        replace(base, column="m04", unit="impressions"),
        replace(base, column="m05", unit="posts"),
    )
    world = build_world(replace(recipe, channels=special))
    truth, frame = world.channel_truth(), world.rows.frame
    assert truth["contribution"][1] == 0
    assert truth["roas"][1] == 0
    assert np.corrcoef(frame["m01"], frame["m03"])[0, 1] > 0.95
    assert world.rows.channels[3].cost == "m04_cost"
    np.testing.assert_array_equal(world.spend[:, 3], frame["m04_cost"])
    assert world.rows.channels[4].cost is None
    assert truth["organic"].tolist() == [False, False, False, False, True]
    paid = truth[~truth["organic"]]
    assert paid["contribution"].sum() / paid["spend"].sum() == pytest.approx(2.0, rel=0.02)


def test_stored_worlds_are_read_with_their_truth_over_all_rows() -> None:
    """Contributions per row are not stored, so that no window can be judged."""
    worlds = read_worlds(STORED)
    assert len(worlds) == 15
    world = read_world(STORED, "w01")
    truth = world.channel_truth()
    assert truth["roas"][0] == pytest.approx(3.715791307458896)
    assert world.rows.frame["m00"].sum() == pytest.approx(356.6124)
    assert world.media_truth() == pytest.approx(truth["contribution"].sum())
    with pytest.raises(ValueError, match="over all rows only"):
        world.channel_truth(60)
