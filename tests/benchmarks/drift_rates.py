"""Drift alarms: share of stable clients with an alarm in a month, and share of planted shifts that are seen in time.

Run `python -m tests.benchmarks.drift_rates`. Weekly refreshes, judged one after the other as the platform does it;
all series of a client count together. Stable histories are simulated with noise that refreshes share or do not share.
Not here: the rule (mmm_engine/scores/drift.py), the claims that CI holds it to (tests/engine/scores/test_drift.py,
whose simulated clients these are).
"""

from __future__ import annotations

import numpy as np

from mmm_engine.scores.truth_scores import jeffreys_band
from tests.engine.scores import test_drift as simulated

CLIENTS = 500
HALF_YEAR = 26


def main() -> None:
    """Print both tables."""
    simulated.CLIENTS = CLIENTS
    print(
        f"False alarms of {CLIENTS} stable clients, half a year of weekly refreshes: new alarms per client and month"
    )
    print(f"{'history':34} {'past refreshes':>14} {'a month':>8}   95% band")
    for words, simulate in (
        ("refreshes that share no weeks", simulated.independent_clients),
        ("refreshes that share three weeks", simulated.overlapping_clients),
    ):
        for past in (26, 62, 114):
            clients = simulate(np.random.default_rng(past), past + HALF_YEAR + 1)
            state = simulated.alarms(clients, range(past, past + HALF_YEAR + 1))
            opened = int((state[:, 1:] & ~state[:, :-1]).sum())
            looks = CLIENTS * HALF_YEAR
            low, high = jeffreys_band(opened, looks)
            rates = (simulated.WEEKLY * share for share in (opened / looks, low, high))
            rate, low, high = rates
            print(f"{words:34} {past:14d} {rate:8.1%}   {low:.1%} to {high:.1%}")
    print("\nShifts seen in time, after a year of past")
    print(f"{'what shifts':34} {'size':>5} {'within':>7} {'seen':>6}")
    cases = (
        ("crps, bias and coverage together", simulated.FORECAST, ("crps", "bias", "coverage_90", "mix")),
        ("crps, the only series watched", ("crps",), ("crps",)),
        ("crps, one of four watched", ("crps",), ("crps", "bias", "coverage_90", "mix")),
    )
    for words, shifts, watched in cases:
        for size, within in ((2, 3), (1, 10)):
            clients = simulated.independent_clients(np.random.default_rng(2), 62 + within + 1)
            clients = {name: clients[name] for name in watched}
            seen = simulated.detected(clients, shifts, size, within, start=62)
            print(f"{words:34} {size:3d} sd {within:7d} {seen:6.0%}")


if __name__ == "__main__":
    main()
