"""B: the same refresh as a user of pymc-marketing would write it: a loop with a fresh `MMM` for each window.

Same rows, priors, scales and sampler settings as ours.py, and the same scores; PyMC picks nutpie by itself. The fifth
fit recovers a simulated target. Returns are left out, and all cores are handed over (PyMC's own default is half of
them, one of two), which only helps this side.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from tests.benchmarks.worker import Clock, answer, arguments, sampler_values

if TYPE_CHECKING:
    import pandas as pd

    from mmm_engine.rows.window import ScaledInputs


def main() -> None:
    """Run the loop over a case as often as asked and answer with what it took."""
    given = arguments(main.__doc__ or "").parse_args()
    clock = Clock()
    with clock.phase("imports"):
        import nutpie  # noqa: F401  (PyMC imports it at the first fit; here, so that imports are counted apart)
        import pymc_marketing.mmm  # noqa: F401

    rounds = [loop(given) for _ in range(given.rounds)]
    answer(given.out, {"imports": clock.seconds["imports"], "rounds": rounds})


def loop(given: argparse.Namespace) -> dict[str, Any]:
    """Every window of a case once, and one recovery fit."""
    from mmm_engine.fleets.simulated_targets import simulate_target
    from tests.benchmarks.cases import windows

    clock, fits = Clock(), []
    with clock.phase("rows"):
        selected = windows(given.case, given.windows)
    for inputs in selected:
        mmm, record = _fit(inputs, given, clock)
        fits.append({**record, "crps": _scores(mmm, inputs, clock)})
    if not given.no_recovery:
        with clock.phase("recovery scores"):
            simulated = simulate_target(selected[0], selected[0].config.sampler.seed)
        mmm, record = _fit(simulated.inputs, given, clock)
        with clock.phase("recovery scores"):
            _recovery(mmm, simulated.truth)
        fits.append(record)
    return {"seconds": clock.total(), "phases": clock.seconds, "fits": fits}


def _fit(inputs: ScaledInputs, given: argparse.Namespace, clock: Clock) -> tuple[Any, dict[str, Any]]:
    from mmm_engine.model.pymc_reference import build_pymc_mmm

    rows = inputs.train_rows
    with clock.phase("build"):
        mmm = build_pymc_mmm(inputs)
        frame, target = _frame(inputs)
    with clock.phase("fit"):
        found = mmm.fit(
            frame.iloc[:rows],
            target.iloc[:rows],
            progressbar=False,
            random_seed=inputs.config.sampler.seed,
            cores=len(os.sched_getaffinity(0)),
            **sampler_values(given),
        )
    with clock.phase("health"):
        summary = _summary(mmm, found)
    sampling = float(found["posterior"].attrs["sampling_time"])
    clock.move(sampling, "fit", "sampling")
    return mmm, {
        "window": inputs.window,
        "sample_seconds": sampling,
        "divergences": int(found["sample_stats"]["diverging"].sum()),
        "ess_bulk": float(summary["ess_bulk"].min()),
        "ess_tail": float(summary["ess_tail"].min()),
        "rhat": float(summary["rhat"].max()),
        "steps": float(found["sample_stats"]["n_steps"].mean()),
    }


def _summary(mmm: Any, found: Any) -> pd.DataFrame:
    """R-hat and effective sample sizes of every free parameter, by the same code as ours.py."""
    import xarray as xr

    from mmm_engine.posterior.diagnostics import parameter_summary

    names = [variable.name for variable in mmm.model.free_RVs]
    free = found["posterior"].to_dataset()[names].transpose("chain", "draw", ...)
    return parameter_summary(xr.DataTree.from_dict({"posterior": free}))


def _scores(mmm: Any, inputs: ScaledInputs, clock: Clock) -> float:
    """Predictive draws and scores of the training rows and the held-out rows; the training CRPS."""
    from mmm_engine.scores.forecast_scores import score_split
    from mmm_engine.scores.seasonal_naive import seasonal_naive_draws

    rows, actual = inputs.train_rows, inputs.target
    frame, _ = _frame(inputs)
    with clock.phase("predictions"):
        train = _predict(mmm, frame.iloc[:rows], inputs)
    with clock.phase("scores"):
        scores = score_split(actual[:rows], train, train, actual[:rows], split="train")
    if inputs.horizon:
        with clock.phase("predictions"):
            test = _predict(mmm, frame.iloc[rows:], inputs, include_last_observations=True)
        with clock.phase("scores"):
            naive = seasonal_naive_draws(actual[:rows], inputs.horizon, inputs.calendar.season_length)
            score_split(actual[rows:], test, test, actual[:rows], split="test", naive_draws=naive)
    return float(scores.loc[scores["metric"] == "crps", "value"].iloc[0])


def _predict(mmm: Any, frame: pd.DataFrame, inputs: ScaledInputs, **options: Any) -> Any:
    """Predictive draws in original units, shape (draw, date)."""
    drawn = mmm.sample_posterior_predictive(frame, extend_idata=False, progressbar=False, **options)
    return drawn["y"].transpose("sample", "date").to_numpy() * inputs.scales.target


def _recovery(mmm: Any, truth: dict[str, Any]) -> dict[str, float]:
    """Mean CRPS of each parameter against its truth."""
    import numpy as np

    from mmm_engine.scores.forecast_scores import crps_rows

    posterior, found = mmm.idata["posterior"], {}
    for name, known in truth.items():
        if name not in posterior:
            continue  # the intercept has another name there; one number more or less costs nothing
        draws = posterior[name].to_numpy().reshape(-1, np.size(known))
        found[name] = float(crps_rows(np.atleast_1d(known), draws).mean())
    return found


def _frame(inputs: ScaledInputs) -> tuple[pd.DataFrame, pd.Series]:
    """All rows as `MMM` takes them: media and target in original units, controls scaled by us."""
    from dataclasses import replace

    from mmm_engine.model.pymc_reference import training_frame

    return training_frame(replace(inputs, train_rows=len(inputs.dates)))


if __name__ == "__main__":
    main()
