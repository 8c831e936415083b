"""Does a 90% interval of a channel's contribution hold the truth 9 times in 10, and fail to when the model is wrong?

Truth is drawn from the priors of a 3-channel client of 104 weeks, its target is simulated and the model refitted, many
times: once with the right model, once with one that does not know that media works on (adstock over 1 week, not 8).
Not part of the test suite: 100 simulations of both take minutes.

    python -m tests.benchmarks.recovery_coverage --simulations 100
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from mmm_engine.calibration import jeffreys_band
from mmm_engine.config import ClientConfig, SamplerConfig
from mmm_engine.data import client_data_from_frame
from mmm_engine.fleets.recovery import prior_draws, score_refit, simulate_targets, summarise_recovery
from mmm_engine.fleets.windows import fit_window
from mmm_engine.scaling import ScaledInputs, scale_window
from mmm_engine.simulate import simulate_client

PERIODS, CHANNELS, SEED = 104, 3, 11
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
    return scale_window(data, "full")


def refits(simulations: int, max_lag: int, sampler: SamplerConfig) -> Iterator[pd.DataFrame]:
    """Scores of each refit by a model with this lag; truths and targets are those of the right one."""
    right, model = client_window(RIGHT_LAG), client_window(max_lag)
    prior, targets = prior_draws(model), simulate_targets(right, SEED)
    for _ in range(simulations):
        drawn = next(targets)
        simulated = replace(drawn, inputs=replace(drawn.inputs, config=model.config))
        yield score_refit(fit_window(simulated.inputs, sampler=sampler), simulated, prior)


def report(name: str, frames: list[pd.DataFrame], seconds: float) -> None:
    """Print coverage per channel and over all, with the band that 90 in 100 would have."""
    trials = len(frames)
    low, high = jeffreys_band(round(0.9 * trials), trials)
    print(
        f"\n{name}: {trials} simulations in {seconds:.0f} s; calibrated means {low:.2f} to {high:.2f} per channel"
    )
    table = pd.concat(frames, ignore_index=True)
    own = table[table["kind"] == "contribution"]
    scores = summarise_recovery(frames, 0.3).set_index(["channel", "metric"])["value"]
    for channel, rows in own.groupby("name", sort=False):
        coverage = rows["covered"].mean()
        words = "inside" if low <= coverage <= high else "OUTSIDE"
        print(
            f"  {channel:<24} 90% intervals hold {coverage:.2f} ({words}), "
            f"median recovery {scores[channel, 'contribution_recovery']:.2f}, "
            f"ranks inside their band: {scores.get((channel, 'contribution_ranks_inside'), float('nan')):.0f}, "
            f"identified {scores[channel, 'identified']:g}"
        )
    low, high = jeffreys_band(int(own["covered"].sum()), len(own))
    print(f"  all channels: {own['covered'].mean():.3f}, Jeffreys band {low:.3f} to {high:.3f}")
    print(f"  draws of the prior that were refused: {scores['all', 'rejected_share']:.1%}")


def main() -> None:
    """Run both models and print what they hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=100)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--tune", type=int, default=400)
    parser.add_argument("--chains", type=int, default=2)
    options = parser.parse_args()
    sampler = SamplerConfig(draws=options.draws, tune=options.tune, chains=options.chains, seed=1)
    for name, lag in (("right model", RIGHT_LAG), (f"adstock over {WRONG_LAG} week", WRONG_LAG)):
        start = time.perf_counter()
        frames = list(refits(options.simulations, lag, sampler))
        report(name, frames, time.perf_counter() - start)


if __name__ == "__main__":
    main()
