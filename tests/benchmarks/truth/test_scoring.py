"""Scores of one fit and the tables of many, against numbers worked by hand."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.config import SamplerConfig
from tests.benchmarks.truth.fits import FitNumbers
from tests.benchmarks.truth.scoring import score_channel, score_fit, shortest_interval
from tests.benchmarks.truth.study import BEGIN, END, Task, kept_fits, make_name, run, with_tables
from tests.benchmarks.truth.tables import (
    by_group,
    channels_frame,
    fits_frame,
    overall,
    readable,
    report,
    share_with_error,
)
from tests.benchmarks.truth.worlds import World, make_world

HEALTH = {
    "rhat_max": 1.004,
    "ess_bulk_min": 900.0,
    "ess_tail_min": 700.0,
    "divergences": 0.0,
    "sample_seconds": 1.0,
}
SAMPLER = SamplerConfig(draws=60, tune=80, chains=2, seed=1, cores=1, ess_target=None)


def fit_around(world: World, factor: float) -> FitNumbers:
    """A fit whose draws lie evenly between 0.8 and 1.2 times a multiple of the truth."""
    truth = world.channel_truth()["contribution"].to_numpy()
    draws = np.linspace(0.8, 1.2, 401)[:, None] * factor * truth
    readable = (1.0,) * draws.shape[1]
    return FitNumbers(world_channels(world), draws, readable, len(world.rows.frame), True, HEALTH, {})


def world_channels(world: World) -> tuple[str, ...]:
    """Columns of the channels."""
    return tuple(channel.column for channel in world.rows.channels)


def record(world: World, scheme: str, factor: float) -> dict[str, object]:
    """What the study keeps of such a fit."""
    head = {"world": world.rows.name, "scheme": scheme, "window": "full", "seconds": 2.0, "tags": world.tags}
    return {**head, **score_fit(world, fit_around(world, factor))}


def test_interval_ratio_and_width_of_a_channel() -> None:
    """Draws 0 to 100: the 90% interval is 5 to 95, the 50% interval 25 to 75."""
    scores = score_channel(np.linspace(0.0, 100.0, 101), truth=40.0, sales=1000.0)
    assert (scores["in_90"], scores["in_50"]) == (True, True)
    assert scores["ratio"] == pytest.approx(50 / 40)
    assert scores["width"] == pytest.approx(90 / 40)
    assert (scores["share"], scores["share_q95"]) == pytest.approx((0.04, 0.095))
    assert score_channel(np.linspace(0.0, 100.0, 101), truth=20.0, sales=1.0)["in_50"] is False
    assert score_channel(np.linspace(0.0, 100.0, 101), truth=97.0, sales=1.0)["in_90"] is False


def test_the_shortest_interval_of_a_skewed_posterior_leaves_nothing_out_at_its_steep_end() -> None:
    """Exponential draws: from 0 to log(10), where equal tails reach from log(20 / 19) to log(20)."""
    draws = -np.log1p(-(np.arange(20_000) + 0.5) / 20_000)
    np.testing.assert_allclose(shortest_interval(draws, 0.9), [0.0, np.log(10.0)], atol=1e-3)
    scores = score_channel(draws, truth=0.01, sales=1000.0)
    assert (scores["in_90"], scores["in_shortest_90"]) == (False, True)
    assert scores["width"] / scores["width_shortest_90"] == pytest.approx(
        np.log(19.0) / np.log(10.0), rel=1e-3
    )


def test_crps_of_the_log_is_the_log_error_of_a_sure_forecast() -> None:
    """Three times too high is log 3; a draw of 0 costs a bounded amount."""
    assert score_channel(np.full(50, 30.0), truth=10.0, sales=1.0)["crps_log"] == pytest.approx(np.log(3))
    assert score_channel(np.full(50, 10.0), truth=10.0, sales=1.0)["crps_log"] == pytest.approx(0.0)
    bounded = score_channel(np.zeros(50), truth=10.0, sales=1.0)["crps_log"]
    assert bounded == pytest.approx(np.log(1e4))


def test_a_channel_without_effect_has_no_relative_scores() -> None:
    """What it is credited with is told as a share of sales."""
    scores = score_channel(np.linspace(0.0, 10.0, 101), truth=0.0, sales=100.0)
    assert (scores["ratio"], scores["width"], scores["crps_log"]) == (None, None, None)
    assert scores["share_q95"] == pytest.approx(0.095)


def test_a_fit_around_the_truth_covers_it_and_ranks_channels_rightly() -> None:
    """And its record can be written as JSON."""
    world = make_world(1)
    scores = score_fit(world, fit_around(world, 1.0))
    effective = [channel for channel in scores["channels"] if not channel["null"]]
    assert all(channel["in_90"] and channel["ratio"] == pytest.approx(1.0) for channel in effective)
    assert scores["rank_correlation"] == pytest.approx(1.0)
    assert scores["media"]["ratio"] == pytest.approx(1.0)
    json.dumps(scores, allow_nan=False)


def test_a_fit_of_twice_the_truth_covers_nothing() -> None:
    """Its intervals begin at 1.6 times the truth."""
    world = make_world(1)
    scores = score_fit(world, fit_around(world, 2.0))
    assert not any(channel["in_90"] for channel in scores["channels"] if not channel["null"])
    assert scores["media"]["ratio"] == pytest.approx(2.0)


def test_channels_in_another_order_are_refused() -> None:
    """Nothing is matched by position alone."""
    world = make_world(1)
    fit = replace(fit_around(world, 1.0), channels=world_channels(world)[::-1])
    with pytest.raises(ValueError, match="are not those of the truth"):
        score_fit(world, fit)


def test_standard_error_counts_worlds_where_channels_agree() -> None:
    """Ten channels that hit or miss together are one piece of evidence."""
    hits = pd.Series([True] * 10 + [False] * 10)
    one_each = pd.Series(range(20))
    share, error = share_with_error(hits, one_each)
    assert (share, error) == pytest.approx((0.5, 0.5 / np.sqrt(20)))
    two_worlds = pd.Series(["a"] * 10 + ["b"] * 10)
    assert share_with_error(hits, two_worlds)[1] == pytest.approx(np.sqrt(2 * 5**2) / 20)
    assert share_with_error(hits, pd.Series(["a"] * 20))[1] == pytest.approx(
        error
    )  # never below the binomial


def test_answers_are_told_apart_by_what_their_intervals_held() -> None:
    """Ten channels that are read and hold the truth, ten that are not and are four times too high."""
    rows = [
        {"scheme": "s", "world": f"w{number}", "identified": answer, "in_90": answer == 1.0, "in_50": False,
         "ratio": 1.1 if answer else 4.0, "null": False}
        for number in range(10) for answer in (1.0, 0.0)
    ]  # fmt: skip
    table = readable(pd.DataFrame(rows)).set_index("answer")
    assert table.loc["can be read", "in 90%"].startswith("100.0%")
    assert table.loc["do not read", "in 90%"].startswith("0.0%")
    assert table["median error, × or ÷"].tolist() == ["1.1", "4"]
    assert table["off by more than 2"].tolist() == ["0%", "100%"]


def test_tables_tell_schemes_apart() -> None:
    """One row per scheme, and per group and scheme."""
    worlds = [make_world(number) for number in range(3)]
    records = [
        record(world, name, factor) for world in worlds for name, factor in (("good", 1.0), ("bad", 2.0))
    ]
    fits, channels = fits_frame(records), channels_frame(records)
    table = overall(fits, channels[~channels["null"]]).set_index("scheme")
    assert table.loc["good", "in 90%"].startswith("100.0%")
    assert table.loc["bad", "in 90%"].startswith("0.0%")
    assert table.loc["bad", "all media: estimate ÷ truth"] == "2"
    spacing = by_group(channels, channels["world_spacing"])
    assert set(spacing["scheme"]) == {"good", "bad"}
    text = report(records)
    for title in (
        "### The worlds",
        "### Overall",
        "by true saturation",
        "by spacing of the rows",
        "by what the model leaves out",
    ):
        assert title in text


def test_failed_fits_count_against_the_gate() -> None:
    """A fit that the engine gave up is not left out."""
    world = make_world(0)
    failed = {
        "world": "x",
        "scheme": "good",
        "window": "full",
        "seconds": 1.0,
        "tags": world.tags,
        "error": "no",
    }
    records = [record(world, "good", 1.0), failed]
    channels = channels_frame(records)
    table = overall(fits_frame(records), channels[~channels["null"]])
    assert table.loc[0, "worlds"] == "2"
    assert table.loc[0, "pass the gate"].startswith("50.0%")


def test_kept_fits_count_only_for_the_same_code_and_sampler(tmp_path) -> None:
    """A line that was being written when the run was killed is passed over."""
    task = Task(make_name(0, 1), 0, 1, None, "toolkit", "full", SAMPLER)
    line = json.dumps(
        {"world": task.world, "scheme": "toolkit", **task.settings, "code": "aa", "seconds": 1.0}
    )
    (tmp_path / "toolkit.jsonl").write_text(line + "\n" + line[:30])  # the second one was being written
    assert list(kept_fits(tmp_path, [task], "aa")) == [task]
    assert list(kept_fits(tmp_path, [task], None)) == [task]
    assert kept_fits(tmp_path, [task], "bb") == {}
    other = replace(task, sampler=SAMPLER.model_copy(update={"draws": 61}))
    assert kept_fits(tmp_path, [other], "aa") == {}
    assert kept_fits(tmp_path, [replace(task, scheme="spend_share")], "aa") == {}


def test_tables_take_the_place_of_those_on_the_page() -> None:
    """What a person wrote around them stays; a page without marks is not touched."""
    page = f"# Truth\n\n{BEGIN}\nold\n{END}\n\nMore.\n"
    once = with_tables(page, "new\n")
    assert once == f"# Truth\n\n{BEGIN}\n\nnew\n\n{END}\n\nMore.\n"
    assert with_tables(once, "new\n") == once
    with pytest.raises(ValueError, match="lacks the line"):
        with_tables("# Truth\n", "new")


def test_a_held_out_window_is_fitted_and_scored_against_the_truth_of_its_rows() -> None:
    """The whole way of one fit, on the training rows of h12."""
    start = time.process_time()
    outcome = run(Task(make_name(1, 1), 1, 1, None, "toolkit", "h12", SAMPLER))
    assert "error" not in outcome
    world = make_world(1)
    truth = world.channel_truth(len(world.rows.frame) - 12)
    assert [channel["channel"] for channel in outcome["channels"]] == list(truth["channel"])
    assert [channel["roas"] for channel in outcome["channels"]] == pytest.approx(list(truth["roas"]))
    assert 0 <= outcome["forecast"]["coverage_90"] <= 1
    assert outcome["health"]["rhat_max"] > 0.9
    assert 0 < outcome["health"]["cpu_seconds"] < time.process_time() - start
    json.dumps(outcome, allow_nan=False)
