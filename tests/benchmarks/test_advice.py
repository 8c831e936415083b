"""The benchmark of advice judges by the truth: curves by hand, a simulation, shares of what is possible."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine.simulation.client import simulate
from tests.benchmarks.advice import recipe_of, summary, true_response


def test_the_true_response_is_the_curve_of_the_truth() -> None:
    """alpha x / (lam + x) = 100 / 2 for each week at the largest media; nothing is carried over."""
    history = pd.DataFrame({"tv": [0.0, 400.0]})
    truth = {"channels": {"tv": {"adstock": 0.0, "lam": 1.0, "alpha": 100.0}}}
    simulation: Any = SimpleNamespace(frame=history, truth=truth)
    recipe: Any = SimpleNamespace(
        channels=[SimpleNamespace(column="tv")], max_lag=1, saturation="michaelis_menten"
    )
    assert true_response(recipe, simulation, np.full((3, 1), 400.0)) == pytest.approx(150.0)


def test_the_contributions_of_a_simulation_are_those_of_its_truth() -> None:
    """Its rows, planned over no history but themselves, bring what the truth says that they brought."""
    recipe = recipe_of(0)
    whole = simulate(recipe)
    columns = [channel.column for channel in recipe.channels]
    media = whole.frame[columns].to_numpy(dtype=float)
    alone: Any = SimpleNamespace(
        frame=whole.frame[columns].iloc[[0]] * 0 + media.max(axis=0), truth=whole.truth
    )
    brought = true_response(recipe, alone, media)
    said = sum(channel["contribution"] for channel in whole.truth["channels"].values())
    # one row of the largest media before them, and the effect after them, are all that differ
    assert brought == pytest.approx(said, rel=0.05)


def test_a_summary_of_clients_that_all_hold_says_so() -> None:
    """Nothing was moved, so that nothing can be said of moves; what was promised is judged all the same."""
    held = {
        "acts": False,
        "gain": 2.0,
        "share": 0.2,
        "possible": 10.0,
        "today": 100.0,
        "promised": [1.0, 0.0, 3.0],
    }
    told = summary([held, held])
    assert (told["clients"], told["acts"], told["held"], told["inside_90"]) == (2, 0, 2, 1.0)
    of_moves = (
        "share_q25",
        "share_median",
        "share_q75",
        "share_of_all",
        "gain_of_today",
        "promised_over_true",
    )
    assert all(np.isnan(told[name]) for name in of_moves)


def test_a_summary_counts_clients_that_were_told_to_move_money() -> None:
    """Two of three are; one of them gains half of what was possible, the other loses."""
    base = {"verdict": "usable", "today": 100.0, "possible": 10.0}
    found = [
        base | {"acts": True, "gain": 5.0, "share": 0.5, "promised": [6.0, 4.0, 8.0]},
        base | {"acts": True, "gain": -1.0, "share": -0.1, "promised": [3.0, 1.0, 5.0]},
        base | {"acts": False, "gain": 9.0, "share": 0.9, "promised": [1.0, -1.0, 3.0]},
    ]
    told = summary(found)
    assert (told["clients"], told["acts"], told["beats"]) == (3, 2, 1)
    assert told["held"] == 1
    assert told["share_of_all"] == pytest.approx(4.0 / 20.0)
    assert told["inside_90"] == pytest.approx(1 / 3)
    assert told["promised_over_true"] == pytest.approx(9.0 / 4.0)
