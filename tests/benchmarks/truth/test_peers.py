"""Other tools on the same worlds: what they are given, what is read from their answers, without a fit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.config import SamplerConfig
from tests.benchmarks.truth import peers
from tests.benchmarks.truth.clients import careful_client
from tests.benchmarks.truth.peer_exchange import read_answer, write_request
from tests.benchmarks.truth.peer_meridian import varying_parameters
from tests.benchmarks.truth.peer_pymc import spend_share_scales
from tests.benchmarks.truth.peers import BEGIN, END, PEERS, fit_and_keep, interpreter, run_peer, summary
from tests.benchmarks.truth.scoring import score_fit
from tests.benchmarks.truth.study import Task, make_name, with_tables
from tests.benchmarks.truth.worlds import World, make_world

SAMPLER = SamplerConfig(draws=50, tune=60, chains=2, seed=3, cores=1, ess_target=None)

MERIDIAN = Task(make_name(3, 1), 3, 1, None, "meridian", "full", SAMPLER)


@pytest.fixture(scope="module")
def world() -> World:
    """A world that the study makes."""
    return make_world(3)


def answer(
    folder: Path, contribution: np.ndarray, seed: int = 1, divergences: int = 0, **parameters: Any
) -> None:
    """The files of a tool's answer; without parameters, two of independent draws."""
    shape, rng = contribution.shape[:2], np.random.default_rng(seed)
    parameters = parameters or {"alpha": rng.normal(size=(*shape, 2)), "sigma": rng.normal(size=shape)}
    np.savez(folder / "answer.npz", contribution=contribution, **parameters)
    facts = {"tool": "other 1.0", "sample_seconds": 12.5, "cpu_seconds": 20.0, "divergences": divergences}
    (folder / "answer.json").write_text(json.dumps(facts))


def test_another_tool_is_given_the_rows_and_settings_of_the_careful_client(
    world: World, tmp_path: Path
) -> None:
    """The same target, media and lag; controls in standard deviations."""
    data = careful_client(world.rows)
    write_request(data, SAMPLER, True, tmp_path)
    request = json.loads((tmp_path / "request.json").read_text())
    rows = pd.read_csv(tmp_path / "rows.csv", parse_dates=["date"])
    columns = [channel["column"] for channel in request["channels"]]
    assert tuple(columns) == data.config.channel_names
    np.testing.assert_allclose(rows["sales"], data.target)
    np.testing.assert_allclose(rows[columns], data.media)
    costs = [channel["cost"] or channel["column"] for channel in request["channels"]]
    np.testing.assert_allclose(rows[costs], data.spend)
    np.testing.assert_allclose(rows[request["controls"]].mean(), 0.0, atol=1e-9)
    np.testing.assert_allclose(rows[request["controls"]].std(ddof=0), 1.0)
    assert request["max_lag"] == data.config.model.adstock.max_lag
    assert request["yearly_seasonality"] == data.config.model.yearly_seasonality
    assert [request[name] for name in ("advice", "draws", "tune", "chains", "seed")] == [True, 50, 60, 2, 3]


def test_an_answer_is_scored_like_any_fit(world: World, tmp_path: Path) -> None:
    """Draws at twice the truth: every ratio is 2, no interval holds; nothing is said of what can be read."""
    data = careful_client(world.rows)
    truth = world.channel_truth()["contribution"].to_numpy()
    answer(tmp_path, np.broadcast_to(2 * truth, (4, 500, len(truth))))
    fit, tool = read_answer(data, tmp_path)
    scores = score_fit(world, fit)
    assert tool == "other 1.0"
    assert scores["media"]["ratio"] == pytest.approx(2 * truth.sum() / world.media_truth())
    effective = [channel for channel in scores["channels"] if not channel["null"]]
    assert [channel["ratio"] for channel in effective] == pytest.approx([2.0] * len(effective))
    assert not any(channel["in_90"] for channel in effective)
    assert {channel["identified"] for channel in scores["channels"]} == {None}
    assert (scores["health"]["sample_seconds"], scores["health"]["cpu_seconds"]) == (12.5, 20.0)
    json.dumps(scores, allow_nan=False)


def test_chains_that_disagree_do_not_pass(world: World, tmp_path: Path) -> None:
    """Independent draws pass; chains at different places do not, nor do many divergences."""
    data = careful_client(world.rows)
    contribution = np.ones((4, 500, len(data.config.channel_names)))
    answer(tmp_path, contribution)
    assert read_answer(data, tmp_path)[0].converged
    apart = np.random.default_rng(1).normal(size=(4, 500)) + np.arange(4)[:, None]
    answer(tmp_path, contribution, sigma=apart)
    fit = read_answer(data, tmp_path)[0]
    assert not fit.converged
    assert fit.health["rhat_max"] > 1.2
    answer(tmp_path, contribution, divergences=400)
    assert not read_answer(data, tmp_path)[0].converged


def test_an_answer_for_other_channels_is_refused(world: World, tmp_path: Path) -> None:
    """Columns are matched by position, so that their number must be right."""
    data = careful_client(world.rows)
    answer(tmp_path, np.ones((2, 50, len(data.config.channel_names) + 1)))
    with pytest.raises(ValueError, match=r"other 1\.0 answered for"):
        read_answer(data, tmp_path)


def test_priors_by_share_of_spend_have_a_mean_of_1() -> None:
    """Spend 30 and 10: shares 3/4 and 1/4 of two paid channels; a channel without cost gets 1."""
    channels = [
        {"column": "tv", "cost": None, "paid": True},
        {"column": "views", "cost": "euros", "paid": True},
        {"column": "posts", "cost": None, "paid": False},
    ]
    rows = pd.DataFrame({"tv": [10.0, 20.0], "views": [1e6, 1e6], "euros": [4.0, 6.0], "posts": [3.0, 3.0]})
    np.testing.assert_allclose(spend_share_scales({"channels": channels}, rows), [1.5, 0.5, 1.0])


def test_what_does_not_vary_has_no_convergence() -> None:
    """A constant element (R-hat is not defined) is left out, others of the same array stay."""
    draws = np.random.default_rng(1).normal(size=(2, 50, 3))
    draws[..., 1] = 4.0
    kept = varying_parameters({"tau": draws, "fixed": np.ones((2, 50))})
    assert set(kept) == {"tau"}
    np.testing.assert_array_equal(kept["tau"], draws[..., [0, 2]])


def test_a_tool_that_breaks_says_why_and_is_tried_again(tmp_path: Path) -> None:
    """An environment without Meridian: the record says so, holds no scores, and is not kept."""
    record = fit_and_keep(MERIDIAN, Path(sys.executable), tmp_path, "code")
    assert not list(tmp_path.iterdir())
    assert "No module named 'meridian'" in record["error"]
    assert record["code"] == PEERS["meridian"].code
    assert "channels" not in record
    json.dumps(record)


def test_a_tool_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it printed until then (bytes, warnings of its libraries) is not its error."""
    monkeypatch.setattr(peers, "_LONGEST_FIT", 0.01)
    assert run_peer(MERIDIAN, Path(sys.executable))["error"] == "not done after 0.01 s"


def test_the_table_of_failures_alone() -> None:
    """No fit has a channel: cells are empty, and the table is there."""
    head = {"world": "w", "window": "full", "seconds": 1.0, "tags": {}}
    table = summary([{**head, "scheme": "meridian", "error": "it broke"}])
    assert "0 of 1" in table
    assert "| w | failed |" in table


def test_a_tool_that_is_not_installed_is_told_beforehand(tmp_path: Path) -> None:
    """With what to do; pymc-marketing comes with the development environment."""
    for python in (tmp_path / "nowhere", Path(sys.executable)):
        with pytest.raises(FileNotFoundError, match="pip install google-meridian"):
            interpreter(PEERS["meridian"], python)
    assert interpreter(PEERS["pymc_marketing"], tmp_path) == Path(sys.executable)


def test_the_table_has_each_tool_over_the_same_worlds(world: World, tmp_path: Path) -> None:
    """One scheme at the truth, one at twice, one that failed."""
    data = careful_client(world.rows)
    truth = world.channel_truth()["contribution"].to_numpy()
    spread = np.random.default_rng(2).uniform(0.5, 1.5, (4, 500, 1))
    records = []
    for scheme, factor in (("calibrated", 1.0), ("pymc_marketing", 2.0)):
        answer(tmp_path, spread * factor * truth)
        fit, tool = read_answer(data, tmp_path)
        head = {"world": world.rows.name, "window": "full", "seconds": 20.0, "tags": world.tags}
        named = {} if scheme == "calibrated" else {"tool": tool}
        records.append({**head, "scheme": scheme, **named, **score_fit(world, fit)})
    records.append({**head, "scheme": "meridian", "error": "it broke"})
    table = summary(records)
    assert "| this platform, preset `calibrated` | 1 of 1 |" in table
    assert "| other 1.0, its default priors | 1 of 1 |" in table
    assert "0 of 1 |" in table
    effective = int((truth > 0).sum())
    ours, theirs, failed = table.splitlines()[-1].split("|")[2:5]
    assert ours.strip().startswith(f"{effective} of {effective}, ")
    assert theirs.strip().startswith(f"0 of {effective}, ")
    assert failed.strip() == "failed"


def test_the_tables_of_other_tools_have_a_place_of_their_own() -> None:
    """Those of the study stay."""
    page = f"<!-- tables -->\nstudy\n{BEGIN}\nold\n{END}\nafter"
    changed = with_tables(page, "new", BEGIN, END)
    assert "study" in changed
    assert "old" not in changed
    assert f"{BEGIN}\n\nnew\n\n{END}\nafter" in changed
