"""A client whose truth is known, fitted to see whether this machine still finds it.

Here: the canary, its fit, and the verdict on what was found.
Not here: what follows from a miss (the code location holds back what it was about to publish), simulations on a
client's own rows (fleets/recovery.py).

The canary is the same every time. A library, a compiler or a processor that computes something else moves it by more
than the posterior allows; chance does not, since the seed stays.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.windows import FULL
from mmm_engine.fleets.scored_window import fit_window
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.window import scale_window
from mmm_engine.scores.gates import check_convergence
from mmm_engine.scores.verdict import Verdict
from mmm_engine.simulation.client import Simulation, simulate_client

CANARY = "canary"
Z_MAX = 4.0  # of a calibrated posterior one truth in 16,000 lies further out
_NORMAL_90 = 3.2897  # width of a normal's central 90% in standard deviations
_SHORT_CHAINS = ThresholdConfig(
    rhat_max=1.05, ess_min=100, divergence_rate_max=0.02
)  # enough to see them agree
_SAMPLER = SamplerConfig(draws=500, tune=500, chains=2, seed=1, time_budget=600.0, ess_target=None)


def simulated_canary() -> Simulation:
    """The client and its truth."""
    return simulate_client(CANARY, periods=130, channels=3, seed=11)


def check_canary(simulation: Simulation, sampler: SamplerConfig = _SAMPLER) -> Verdict:
    """Fit the canary and compare what its channels contributed with what they truly did.

    Raises:
        FitError: If it cannot be fitted at all.
    """
    inputs = scale_window(client_data_from_frame(simulation.config, simulation.frame), FULL)
    fitted = fit_window(inputs, sampler=sampler, label=CANARY)
    health = check_convergence(fitted.health, _SHORT_CHAINS, inputs.window)
    if not health.passed:
        return Verdict("canary", False, "error", True, f"the canary: {health.reason}", health.numbers)
    return judge_canary(fitted.returns, simulation.truth["channels"])


def judge_canary(returns: pd.DataFrame, truth: dict[str, dict[str, float]]) -> Verdict:
    """The verdict on found and true contributions.

    Args:
        returns: Output of `returns.channel_returns`.
        truth: Channel to its true numbers; ``contribution`` summed over all rows.
    """
    found = returns[returns["metric"] == "contribution"].set_index("channel")
    known = pd.Series({channel: numbers["contribution"] for channel, numbers in truth.items()})
    sd = (found["q95"] - found["q05"]) / _NORMAL_90
    z = ((found["mean"] - known) / sd).reindex(known.index)
    missed = z[~(z.abs() <= Z_MAX)]
    named = ", ".join(
        f"{channel} found {found['mean'].get(channel, np.nan):.4g}, true {known[channel]:.4g} ({value:+.1f} sd)"
        for channel, value in zip(map(str, missed.index), missed, strict=True)
    )
    reason = (
        f"the canary's truth was missed by more than chance allows: {named}"
        if len(missed)
        else f"the canary's truth was found, at most {z.abs().max():.1f} sd away"
    )
    numbers = {f"z_{channel}": float(value) for channel, value in z.items()}
    return Verdict("canary", missed.empty, "error", True, reason, numbers)
