"""The same budget planned by us and by pymc-marketing's BudgetOptimizer: one model, the same draws, the same bounds.

    python -m tests.benchmarks.plan_peer --out FILE                both, in one process
    python -m tests.benchmarks.plan_peer --out FILE --first ours   one side's first answer in a new process (or peer)

Here: what stands beside each other in `make bench ARGS="--only plan"`; seconds are processor time.
Not here: our optimiser beside SciPy's (plan.py).

13 channels of a simulated client, geometric adstock of four weeks and Michaelis-Menten curves, which both have; 13
weeks, spread evenly, each channel between 0 and twice an even share. pymc-marketing knows no effect of earlier spend
here, so that it is left out of ours, too. A first answer is everything from a fitted model to a plan, imports included.
What tests are worth is asked of the same client.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

PERIODS, CHANNELS, DRAWS = 13, 13, 1000
SHARED = Path(tempfile.gettempdir()) / "mmm-bench-plan-peer.pickle"


def fitted() -> Any:
    """The client's window and the draws of its posterior, fitted once and kept for the other processes."""
    if SHARED.exists():
        return pickle.loads(SHARED.read_bytes())
    from mmm_engine.client.client_file import client_config_from_mapping
    from mmm_engine.client.config import SamplerConfig
    from mmm_engine.client.windows import FULL
    from mmm_engine.posterior.fit import fit
    from mmm_engine.rows.client_data import client_data_from_frame
    from mmm_engine.rows.window import scale_window
    from mmm_engine.simulation.client import simulate
    from mmm_engine.simulation.recipes import random_recipe

    recipe = replace(random_recipe("peer", rows=161, channels=CHANNELS, seed=3), controls=())
    simulation = simulate(recipe)
    config = client_config_from_mapping(
        {
            "client": "peer",
            "data": "peer.csv",
            "date": recipe.date,
            "target": {"column": recipe.target, "kind": recipe.kind},
            "channels": list(simulation.config.channel_names),
            "model": {
                "adstock": {"kind": "geometric", "max_lag": 4},
                "saturation": "michaelis_menten",
                "priors": "toolkit",
            },
        }
    )
    inputs = scale_window(client_data_from_frame(config, simulation.frame), FULL)
    sampler = SamplerConfig(seed=1, draws=DRAWS, tune=1000, chains=4, ess_target=None)
    window = fit(inputs, sampler=sampler)
    draws = {name: np.asarray(values) for name, values in window.draws.items()}
    SHARED.write_bytes(pickle.dumps((inputs, window.posterior, draws)))
    return inputs, window.posterior, draws


def ours(inputs: Any, posterior: Any) -> tuple[float, Any, Any]:
    """Processor seconds of a plan from a fitted window, the problem and the answer."""
    from mmm_engine.client.decision_config import Objective
    from mmm_engine.decisions.ascent import Limits
    from mmm_engine.decisions.budget_problem import BudgetProblem
    from mmm_engine.decisions.optimiser import optimise
    from mmm_engine.decisions.planning_window import planning_window
    from mmm_engine.posterior.fitted_window import FittedWindow

    start = time.process_time()
    window = planning_window(FittedWindow.of(inputs, posterior), PERIODS, basis=PERIODS)
    responses = tuple(replace(one, carry_in=np.zeros_like(one.carry_in)) for one in window.responses)
    amount = float(window.current.sum())
    limits = Limits.box(np.zeros(CHANNELS), np.full(CHANNELS, 2.0 * amount / CHANNELS), amount)
    problem = BudgetProblem(responses, np.full((PERIODS, CHANNELS), 1.0 / PERIODS), limits)
    even = np.full(CHANNELS, amount / CHANNELS)
    best = optimise(problem, Objective("mean"), even, even)
    return time.process_time() - start, problem, best


def worth_of_tests(inputs: Any, posterior: Any) -> dict[str, list[float]]:
    """By the formula and by nested Monte Carlo."""
    from mmm_engine.decisions.one_thread import one_thread
    from mmm_engine.decisions.planning_window import planning_window
    from mmm_engine.posterior.fitted_window import FittedWindow
    from tests.benchmarks.plan import information, problem_of

    window = planning_window(FittedWindow.of(inputs, posterior), PERIODS, basis=PERIODS)
    return one_thread(information)(problem_of(window, by_period=False), window)


def peer(inputs: Any, draws: dict[str, np.ndarray], amount: float) -> tuple[list[float], np.ndarray, int]:
    """Seconds of pymc-marketing's first and second plan, its totals per channel, and its number of evaluations."""
    warnings.simplefilter("ignore")
    import xarray as xr

    from mmm_engine.model.pymc_reference import build_pymc_mmm

    mmm = build_pymc_mmm(inputs)
    frame, target = peer_rows(inputs)
    mmm.build_model(frame, target)
    mmm.idata = xr.DataTree.from_dict({"posterior": posterior_of(mmm, inputs, draws)})
    start = time.process_time()
    ahead = inputs.extended(np.zeros((PERIODS, CHANNELS)), np.zeros((PERIODS, 0))).dates[-PERIODS:]
    optimizer = mmm.budget_optimizer(str(ahead[0].date()), str(ahead[-1].date()))
    bounds = xr.DataArray(
        np.tile([0.0, 2.0 * amount / CHANNELS / PERIODS], (CHANNELS, 1)),
        dims=("channel", "bound"),
        coords={"channel": list(inputs.config.channel_names), "bound": ["lower", "upper"]},
    )
    seconds = []
    for _ in range(2):
        answer = optimizer.allocate_budget(amount / PERIODS, budget_bounds=bounds)
        seconds.append(time.process_time() - start)
        start = time.process_time()
    found = answer.budgets.sel(channel=list(inputs.config.channel_names)).to_numpy()
    return seconds, found * PERIODS, int(answer.scipy_result.nfev)


def peer_rows(inputs: Any) -> tuple[Any, Any]:
    """The rows as pymc-marketing takes them."""
    import pandas as pd

    media = inputs.media_scaled * inputs.scales.media_array()
    frame = pd.DataFrame(media, columns=list(inputs.config.channel_names))
    frame.insert(0, "date", inputs.dates)
    return frame, pd.Series(inputs.target, name=inputs.config.target.column)


def posterior_of(mmm: Any, inputs: Any, draws: dict[str, np.ndarray]) -> Any:
    """Our draws under the names of its free parameters, one chain; 0 for those that have nothing to do with media."""
    import xarray as xr

    variables = {}
    for variable in mmm.model.free_RVs:
        values = draws.get(variable.name, np.zeros(4 * DRAWS))
        dims = ("channel",) if values.ndim > 1 else ()
        variables[variable.name] = (("chain", "draw", *dims), values[None])
    return xr.Dataset(variables, coords={"channel": list(inputs.config.channel_names)})


def main() -> None:
    """Measure, and write the answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--first", choices=["ours", "peer"])
    chosen = parser.parse_args()
    if chosen.first is None:
        SHARED.unlink(missing_ok=True)  # of an earlier benchmark, perhaps of other code
    inputs, posterior, draws = fitted()
    amount = float(inputs.spend[-PERIODS:].sum())
    if chosen.first == "ours":
        ours(inputs, posterior)
        found: dict[str, Any] = {"first_s": time.process_time()}
    elif chosen.first == "peer":
        peer(inputs, draws, amount)
        found = {"first_s": time.process_time()}
    else:
        _, problem, best = ours(inputs, posterior)
        warm = min(ours(inputs, posterior)[0] for _ in range(3))
        seconds, totals, evaluations = peer(inputs, draws, amount)
        value, gradient = problem.mean(totals)[:2]
        free = (totals > 1e-6 * amount) & (totals < problem.limits.upper * (1 - 1e-6))
        found = {
            "ours_s": warm,
            "ours_value": best.end.value,
            "ours_spread": best.end.spread,
            "peer_first_s": seconds[0],
            "peer_s": seconds[1],
            "peer_value": value,
            "peer_spread": float(np.ptp(gradient[free]) / gradient[free].mean()),
            "peer_evaluations": evaluations,
            "peer_spends": float(totals.sum() / amount),
            "information": worth_of_tests(inputs, posterior),
        }
    chosen.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
