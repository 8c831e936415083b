"""More effort before a fit is refused: what another attempt looks like.

Here: the ladder, as a function of how the last attempt went.
Not here: drawing (nuts.py, fit.py), the limits that a fit is judged by (client/thresholds.py).

| what is wrong | next attempt | until |
|---|---|---|
| too few effective samples, chains that disagree | as many draws as needed, at least twice as many | `max_draws` |
| a few draws that diverge | smaller steps (`target_accept` 0.98) | tried once |
| more draws that diverge, or still some | still smaller steps (0.99) and twice the tuning | tried once |
| either of the first though all draws are spent | twice the chains, from starts twice as far apart | 8 chains |

Chains that still disagree then sit in places of their own (explanations.py).

Both may change in one attempt. Chains cannot be prolonged: the same seed with more draws begins with the same draws. A
fit costs seconds and a refused client a person's morning, so that the ladder is climbed unless a client says
`ess_target: null`, or the command names the draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.thresholds import ThresholdConfig

CAREFUL = 0.99  # target_accept where draws diverged
_SMALLER = 0.98  # enough where a chain strayed once into a tail; half the time of the next rung
_FEW = 5.0  # times the rate that is allowed
MOST_CHAINS = 8


@dataclass(frozen=True)
class Attempt:
    """Another attempt at a fit.

    Attributes:
        settings: How to draw.
        reason: Why, in words.
    """

    settings: SamplerConfig
    reason: str


def next_attempt(
    summary: pd.DataFrame, divergence_rate: float, settings: SamplerConfig, thresholds: ThresholdConfig
) -> Attempt | None:
    """Another attempt, None where the last one is sound, no more is wanted, or all effort is spent.

    Args:
        summary: Columns ess_bulk, ess_tail and rhat, one row per parameter element.
        divergence_rate: Share of draws that diverged.
        settings: How the last attempt was drawn.
        thresholds: What the fit will be judged by.
    """
    if settings.ess_target is None:
        return None
    changes: dict[str, float] = {}
    reasons = []
    smallest = float(np.nanmin(summary[["ess_bulk", "ess_tail"]]))
    disagree = float(np.nanmax(summary["rhat"])) > thresholds.rhat_max
    if smallest < settings.ess_target or disagree:
        shortage = "its chains disagree" if disagree else "effective samples miss the target"
        if settings.draws < settings.max_draws:
            needed = 1.2 * settings.draws * settings.ess_target / max(smallest, 1.0)
            rounded = math.ceil(needed / 100.0) * 100
            changes["draws"] = min(settings.max_draws, max(2 * settings.draws, rounded))
            reasons.append(shortage)
        elif settings.chains < MOST_CHAINS:
            changes["chains"] = min(2 * settings.chains, MOST_CHAINS)
            reasons.append(f"{shortage}, and more chains from other starts show where they settle")
    if divergence_rate > thresholds.divergence_rate_max and settings.target_accept < CAREFUL:
        few = divergence_rate <= _FEW * thresholds.divergence_rate_max
        if few and settings.target_accept < _SMALLER:
            changes["target_accept"] = _SMALLER
        else:
            changes |= {"target_accept": CAREFUL, "tune": min(2 * settings.tune, 100_000)}
        reasons.append("draws diverge")
    if not changes:
        return None
    return Attempt(settings.model_copy(update=changes), " and ".join(reasons))
