"""All checks that can be asked of a client's fitted windows, in one place for notebooks and platform.

Here: which check is asked of which window, and which of the client as a whole.
Not here: the checks (gates.py, plausibility.py), checks of what is stored (the code location asks them).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import pandas as pd

from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.windows import FULL
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.scores.gates import (
    check_calibration,
    check_convergence,
    check_recovery,
    check_skill,
    check_stability,
    held_out_skill,
)
from mmm_engine.scores.plausibility import plausibility_verdicts
from mmm_engine.scores.verdict import Verdict


class JudgedWindow(Protocol):
    """A fitted window as the checks take it; `fleets.scored_window.ScoredWindow` is one."""

    @property
    def inputs(self) -> ScaledInputs:
        """The rows."""

    @property
    def metrics(self) -> pd.DataFrame:
        """Scores, sampler health and, of window `full`, plausibility in one score frame."""

    @property
    def returns(self) -> pd.DataFrame:
        """Contribution, share and return of every channel."""

    @property
    def parameters(self) -> pd.DataFrame:
        """Posterior and prior of every parameter."""


def window_verdicts(window: JudgedWindow) -> tuple[Verdict, ...]:
    """Verdicts on one window: its sampler, and its held-out rows where it has any."""
    inputs, thresholds = window.inputs, window.inputs.config.thresholds
    converged = check_convergence(window.metrics, thresholds, inputs.window)
    if not inputs.horizon:
        return (converged,)
    return (converged, check_calibration(window.metrics, thresholds, inputs.window))


def whole_verdicts(windows: Iterable[JudgedWindow], thresholds: ThresholdConfig) -> tuple[Verdict, ...]:
    """Verdicts on the client as a whole: its forecasts over all windows, and what the fit of all rows says."""
    by_window = {window.inputs.window: window for window in windows}
    held_out = {name: window for name, window in by_window.items() if window.inputs.horizon}
    skill = check_skill(
        {name: held_out_skill(window.metrics) for name, window in held_out.items()}, thresholds
    )
    full = by_window.get(FULL)
    if full is None:
        return (skill,)
    config = full.inputs.config
    bought = [name for name, paid in zip(config.channel_names, config.paid, strict=True) if paid]
    # what a view or a mail brings has no bounds that hold for money
    returns = full.returns[full.returns["channel"].isin(bought)]
    return (skill, *plausibility_verdicts(full.metrics, returns, full.parameters, thresholds))


def fleet_verdicts(
    recovery: pd.DataFrame | None, stability: pd.DataFrame | None, thresholds: ThresholdConfig
) -> tuple[Verdict, ...]:
    """Verdicts on the client's fleets, as far as they were run.

    Args:
        recovery: Scores of the recovery fleet.
        stability: Scores of the stability fleet; only the split "windows" is judged.
        thresholds: The client's thresholds.
    """
    verdicts = [] if recovery is None else [check_recovery(recovery, thresholds)]
    between = None if stability is None else stability[stability["split"] == "windows"]
    if between is not None and len(between):
        verdicts.append(check_stability(between, thresholds))
    return tuple(verdicts)
