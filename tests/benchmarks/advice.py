"""Does advice help? Simulated clients whose truth is known: what the advised plan truly brings, beside today's.

    python -m tests.benchmarks.advice --out FILE               20 clients, twenty minutes of processor time
    python -m tests.benchmarks.advice --out FILE --fits DIR    keeps fits there, to judge another rule on them

Here: the figures of `make bench ARGS="--only advice"`. A client is simulated, fitted with the settings that a new
client gets, and planned for; then the truth says what the plan, today's plan and the plan of an oracle bring.
Not here: the optimiser's speed (plan.py), tables (bench.py).

The oracle knows the curves and obeys the same limits: today's budget, no channel more than 30% from today, no week
above the most ever seen. All of the truth is plain numpy; nothing of the model or of the optimiser is used for it.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, minimize

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.config import ClientConfig, SamplerConfig
from mmm_engine.client.windows import FULL
from mmm_engine.decisions.budget_plan import BudgetPlan, BudgetRequest, plan_budget
from mmm_engine.decisions.guards import UNFIT, unreadable_channels
from mmm_engine.decisions.planning_window import PlanningWindow, planning_window
from mmm_engine.fleets.scored_window import fit_window
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.window import scale_window
from mmm_engine.scores.client_verdicts import whole_verdicts, window_verdicts
from mmm_engine.scores.verdict import judge
from mmm_engine.simulation.client import Simulation, simulate
from mmm_engine.simulation.media import adstocked, saturated
from mmm_engine.simulation.recipes import Recipe, random_recipe

Floats = np.ndarray[Any, np.dtype[np.float64]]
CLIENTS, FIRST_SEED, HORIZON, MAX_LAG = 20, 1001, 4, 8


@dataclass(frozen=True, eq=False)
class Judged:
    """What is known of a client before a plan is made.

    Attributes:
        window: The periods to plan for.
        verdict: Of the fit.
        unreadable: Channels that the fit says cannot be read.
    """

    window: PlanningWindow
    verdict: str
    unreadable: tuple[str, ...]


def recipe_of(number: int) -> Recipe:
    """A client with 4 to 10 channels, noise of 3 to 7%, with and without a season."""
    recipe = random_recipe(
        f"advice{number:02d}", rows=161, channels=4 + 2 * (number % 4), seed=FIRST_SEED + number
    )
    return replace(recipe, noise=0.03 + 0.02 * (number % 3), yearly=0.1 * (number % 2))


def config_of(recipe: Recipe, simulation: Simulation) -> ClientConfig:
    """The settings that a new client gets; they know neither the curve nor the carry-over."""
    return client_config_from_mapping(
        {
            "client": recipe.client,
            "data": f"{recipe.client}.csv",
            "date": recipe.date,
            "target": {"column": recipe.target, "kind": recipe.kind},
            "channels": list(simulation.config.channel_names),
            "controls": [{"column": name, "effect": "any"} for name in simulation.config.control_names],
            "model": {
                "adstock": {"kind": "geometric", "max_lag": MAX_LAG},
                "yearly_seasonality": 2 if recipe.yearly else None,
            },
        }
    )


def judged(config: ClientConfig, frame: pd.DataFrame, sampler: SamplerConfig) -> Judged:
    """A client fitted on all rows."""
    data = client_data_from_frame(config, frame)
    fitted = fit_window(scale_window(data, FULL), sampler=sampler)
    whole = whole_verdicts([fitted], config.thresholds)
    verdicts = [*window_verdicts(fitted), *(one for one in whole if one.check != "holdout_skill")]
    names, limit = config.channel_names, config.thresholds.recovery_min
    unreadable = unreadable_channels(fitted.scores, None, names, limit)
    return Judged(planning_window(fitted, HORIZON), judge(verdicts), unreadable)


def true_response(recipe: Recipe, simulation: Simulation, spend: Floats) -> float:
    """What a plan truly brings in its weeks and after them, over no media in its weeks.

    Args:
        recipe: Of the client.
        simulation: With its rows and its truth.
        spend: Shape (week, channel).
    """
    total = 0.0
    for at, channel in enumerate(recipe.channels):
        history = simulation.frame[channel.column].to_numpy(dtype=float)
        truth = simulation.truth["channels"][channel.column]
        brought = []
        for plan in (spend[:, at], np.zeros(len(spend))):
            path = np.concatenate([history, plan, np.zeros(recipe.max_lag)]) / history.max()
            carried = adstocked(path, truth["adstock"], recipe.max_lag)
            brought.append(truth["alpha"] * saturated(carried, truth["lam"], recipe.saturation).sum())
        total += brought[0] - brought[1]
    return float(total)


def oracle(recipe: Recipe, simulation: Simulation, plan: BudgetPlan) -> float:
    """What the best plan within the same limits truly brings."""
    limits, shares = plan.problem.limits, plan.problem.shares
    today = plan.window.current.sum(axis=0)
    assert shares is not None
    scale = today.mean()
    answer = minimize(
        lambda z: -true_response(recipe, simulation, shares * z * scale) / 1e5,
        today / scale,
        method="SLSQP",
        bounds=Bounds(limits.lower / scale, limits.upper / scale),
        constraints=LinearConstraint(np.ones(len(today)), today.sum() / scale, today.sum() / scale),
        options={"maxiter": 500, "ftol": 1e-12},
    )
    return float(-answer.fun * 1e5)


def outcome(number: int, known: Judged) -> dict[str, Any]:
    """What the advice for one client promises, and what it truly brings."""
    recipe = recipe_of(number)
    simulation = simulate(recipe)
    free = plan_budget(known.window, BudgetRequest())
    plan = plan_budget(known.window, BudgetRequest(unreadable=known.unreadable))
    today = true_response(recipe, simulation, known.window.current)
    best = oracle(recipe, simulation, free) - today
    gain = true_response(recipe, simulation, plan.spend) - today
    return {
        "client": recipe.client,
        "verdict": known.verdict,
        "channels": len(recipe.channels),
        "unreadable": len(known.unreadable),
        "acts": bool(plan.acts and known.verdict != UNFIT),
        "better": plan.gain.better,
        "promised": [plan.gain.gain, plan.gain.gain_q05, plan.gain.gain_q95],
        "today": today,
        "gain": gain,
        "possible": best,
        "share": gain / best,
    }


def summary(found: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What all clients say together.

    Returns:
        clients; acts (told to move money) and beats (of them, those whose plan truly beats today's); held; quartiles
        of the share of the possible gain that acting clients realise, and that share of all of their gains together;
        inside_90 (true gains within the promised interval, all clients), promised_over_true (acting ones). What is
        said of acting clients is NaN without any.
    """
    acting = [one for one in found if one["acts"]]
    low, middle, high = np.quantile([one["share"] for one in acting] or [np.nan], [0.25, 0.5, 0.75]).tolist()
    gained = sum(one["gain"] for one in acting)
    inside = [one["promised"][1] <= one["gain"] <= one["promised"][2] for one in found]
    return {
        "clients": len(found),
        "acts": len(acting),
        "beats": sum(one["gain"] > 0.0 for one in acting),
        "held": len(found) - len(acting),
        "share_q25": low,
        "share_median": middle,
        "share_q75": high,
        "share_of_all": gained / sum(one["possible"] for one in acting) if acting else np.nan,
        "gain_of_today": float(np.median([one["gain"] / one["today"] for one in acting] or [np.nan])),
        "inside_90": float(np.mean(inside)),
        "promised_over_true": sum(one["promised"][0] for one in acting) / gained if acting else np.nan,
    }


def known_of(number: int, folder: Path | None, sampler: SamplerConfig) -> Judged:
    """The fit of a client, kept in a folder where there is one."""

    def fresh() -> Judged:
        recipe = recipe_of(number)
        simulation = simulate(recipe)
        return judged(config_of(recipe, simulation), simulation.frame, sampler)

    return kept(None if folder is None else folder / f"advice{number:02d}.pickle", fresh)


def kept(path: Path | None, fit: Callable[[], Judged]) -> Judged:
    """A fit that is read from its file where that is there, else made and written to it."""
    if path is not None and path.exists():
        known: Judged = pickle.loads(path.read_bytes())
        return known
    known = fit()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(known))
    return known


def main() -> None:
    """Fit, plan and judge every client, and write the answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--first", type=int, default=0, help="number of the first client")
    parser.add_argument("--fits", type=Path, help="folder in which fits are kept")
    chosen = parser.parse_args()
    numbers = range(chosen.first, chosen.first + chosen.clients)
    found = []
    for number in numbers:
        found.append(outcome(number, known_of(number, chosen.fits, SamplerConfig(seed=1))))
        print(json.dumps(found[-1]), flush=True)
        chosen.out.write_text(json.dumps({"clients": found}))


if __name__ == "__main__":
    main()
