"""Does a 90% interval of a channel's contribution hold the truth 9 times in 10, and fail to when the model is wrong?

Truth is drawn from the priors of a 3-channel client of 104 weeks, its target is simulated and the model refitted, many
times: once with the right model, once with one that does not know that media works on (adstock over 1 week, not 8).
Not part of the test suite: 100 simulations of both take minutes. Each refit is kept in a folder, so that a run that is
stopped, or that may only take so many seconds, goes on where it was.

    python -m tests.benchmarks.recovery_coverage --simulations 100 --folder /tmp/coverage --seconds 200
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import pandas as pd

from mmm_engine.client.config import ClientConfig, SamplerConfig
from mmm_engine.client.windows import FULL
from mmm_engine.fleets.recovery import prior_draws, score_refit, summarise_recovery
from mmm_engine.fleets.scored_window import fit_window
from mmm_engine.fleets.simulated_targets import SimulatedTarget, simulate_targets
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.window import ScaledInputs, scale_window
from mmm_engine.scores.truth_scores import jeffreys_band
from mmm_engine.simulation.client import simulate_client

PERIODS, CHANNELS, SEED = 104, 3, 11
COVERAGE = 0.9  # what the intervals promise
RIGHT_LAG, WRONG_LAG = 8, 1
# Carry-over that matters, noise of some per cent: with looser priors the data say too little to refute a model.
PRIORS = {
    "likelihood": {"distribution": "Normal", "sigma": {"distribution": "HalfNormal", "sigma": 0.1}},
    "adstock_alpha": {"distribution": "Beta", "alpha": 4.0, "beta": 2.0},
}


def client_window(max_lag: int) -> ScaledInputs:
    """All rows of the client, its model with an adstock over so many weeks."""
    simulation = simulate_client("bench", periods=PERIODS, channels=CHANNELS, seed=SEED)
    values = simulation.config.model_dump(mode="json")
    values["model"] |= {"adstock": {"kind": "geometric", "max_lag": max_lag}, "priors": PRIORS}
    data = client_data_from_frame(ClientConfig.model_validate(values), simulation.frame)
    return scale_window(data, FULL)


def truths(count: int, max_lag: int) -> Iterator[SimulatedTarget]:
    """Simulated targets for a model with this lag; truths and targets are those of the right one."""
    model = client_window(max_lag)
    for drawn in islice(simulate_targets(client_window(RIGHT_LAG), SEED), count):
        yield replace(drawn, inputs=replace(drawn.inputs, config=model.config))


def refit_share(share: int, shares: int, options: argparse.Namespace) -> None:
    """Fit every so-manieth simulation that is not in the folder yet, until the time is over."""
    end = time.perf_counter() + options.seconds
    sampler = SamplerConfig(
        draws=options.draws, tune=options.tune, chains=options.chains, seed=1, cores=1, ess_target=None
    )
    for lag in (RIGHT_LAG, WRONG_LAG):
        prior = prior_draws(client_window(lag))
        for number, simulated in enumerate(truths(options.simulations, lag)):
            file = refit_file(options.folder, lag, number)
            if number % shares != share or file.exists():
                continue
            if time.perf_counter() > end:
                return
            start = time.perf_counter()
            frame = score_refit(fit_window(simulated.inputs, sampler=sampler), simulated, prior)
            frame.attrs["seconds"] = time.perf_counter() - start
            frame.to_parquet(file.with_suffix(".part"))
            file.with_suffix(".part").rename(file)


def refit_file(folder: Path, lag: int, number: int) -> Path:
    """Where the scores of one refit are kept."""
    return folder / f"lag{lag}_{number:03d}.parquet"


def report(name: str, frames: list[pd.DataFrame]) -> None:
    """Print coverage per channel and over all, with the band that 90 in 100 would have."""
    trials = len(frames)
    seconds = sum(frame.attrs["seconds"] for frame in frames)
    low, high = jeffreys_band(round(COVERAGE * trials), trials)
    print(
        f"\n{name}: {trials} simulations, {seconds:.0f} s of fitting on one core; "
        f"{COVERAGE:.0%} of {trials} has the Jeffreys band {low:.2f} to {high:.2f}"
    )
    table = pd.concat(frames, ignore_index=True)
    own = table[table["kind"] == "contribution"]
    scores = summarise_recovery(frames).set_index(["channel", "metric"])["value"]
    for channel, rows in own.groupby("name", sort=False):
        coverage = rows["covered"].mean()
        words = "inside" if low <= coverage <= high else "OUTSIDE"
        print(
            f"  {channel:<24} 90% intervals hold {coverage:.2f} ({words}), "
            f"median recovery {scores[channel, 'contribution_recovery']:.2f}, "
            f"ranks inside their band: {scores.get((channel, 'contribution_ranks_inside'), float('nan')):.0f}"
        )
    low, high = jeffreys_band(int(own["covered"].sum()), len(own))
    print(f"  all channels: {own['covered'].mean():.3f}, Jeffreys band {low:.3f} to {high:.3f}")
    print(f"  draws of the prior that were refused: {scores['all', 'rejected_share']:.1%}")


def main() -> None:
    """Refit as many as the time allows, then print what both models hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=100)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--tune", type=int, default=400)
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no refit begins after so long")
    parser.add_argument("--folder", type=Path, default=Path("coverage"), help="where refits are kept")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    work = partial(refit_share, shares=options.processes, options=options)
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        pool.map(work, range(options.processes), chunksize=1)
    print(f"this run took {time.perf_counter() - start:.0f} s in {options.processes} processes")
    for name, lag in (("right model", RIGHT_LAG), (f"adstock over {WRONG_LAG} week", WRONG_LAG)):
        files = [refit_file(options.folder, lag, number) for number in range(options.simulations)]
        frames = [pd.read_parquet(file) for file in files if file.exists()]
        if frames:
            report(name, frames)


if __name__ == "__main__":
    main()
