"""Verdicts on stored values; checks, report and forecast ask the same ones.

Here: which gate applies to which stored value, and which failures keep results from being published.
Not here: thresholds and predicates (mmm_engine.scores.gates), recording evaluations in Dagster (checks/).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mmm_assets.types import DataFrame, ScaledInputs, Verdict

if TYPE_CHECKING:
    from mmm_engine.client.thresholds import ThresholdConfig
    from mmm_engine.client.windows import Window


def of_window(inputs: ScaledInputs, scores: DataFrame, parameters: DataFrame) -> tuple[Verdict, ...]:
    """Verdicts on one window: its split, its sampler, its parameters and baseline, its held-out rows if it has any."""
    verdicts = [
        of_cutoff(inputs),
        of_sampler(inputs, scores),
        of_priors(inputs, parameters),
        of_baseline(inputs, scores),
    ]
    return (*verdicts, of_holdout(inputs, scores)) if inputs.horizon else tuple(verdicts)


def of_cutoff(inputs: ScaledInputs) -> Verdict:
    """Verdict on the split of a window: no training row after the cutoff."""
    from mmm_engine.scores import gates

    return gates.check_cutoff(inputs.frame(), inputs.cutoff, inputs.window)


def of_sampler(inputs: ScaledInputs, scores: DataFrame) -> Verdict:
    """Verdict on the sampler of a window."""
    from mmm_engine.scores import gates

    return gates.check_convergence(scores, inputs.config.thresholds, inputs.window)


def of_priors(inputs: ScaledInputs, parameters: DataFrame) -> Verdict:
    """Verdict on the parameters of a window against their priors."""
    from mmm_engine.scores import gates

    return gates.check_priors(parameters, inputs.config.thresholds, inputs.window)


def of_baseline(inputs: ScaledInputs, scores: DataFrame) -> Verdict:
    """Verdict on the baseline of a window."""
    from mmm_engine.scores import gates

    return gates.check_baseline(scores, inputs.config.thresholds, inputs.window)


def of_drift(history: DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Verdict on the last refresh of a client against those before."""
    from mmm_engine.scores import gates
    from mmm_engine.scores.drift import drift_scores

    return gates.check_drift(drift_scores(history), thresholds)


def of_holdout(inputs: ScaledInputs, scores: DataFrame) -> Verdict:
    """Verdict on the held-out rows of a window; one that holds out nothing passes and says so."""
    from mmm_engine.scores import gates

    if not inputs.horizon:
        reason = f"window '{inputs.window}' holds out no rows"
        return gates.Verdict("holdout_skill", True, "warning", False, reason, window=inputs.window)
    return gates.check_holdout(scores, inputs.config.thresholds, inputs.window)


def of_fleets(
    recovery: DataFrame | None, stability: DataFrame | None, thresholds: ThresholdConfig
) -> tuple[Verdict, ...]:
    """Verdicts on the client as a whole, as far as its fleets were run."""
    from mmm_engine.scores import gates

    verdicts = []
    if recovery is not None:
        verdicts.append(gates.check_recovery(recovery, thresholds))
    if stability is not None:
        verdicts.append(gates.check_stability(stability, thresholds))
    return tuple(verdicts)


def of_audit(
    identification: DataFrame | None, sensitivity: DataFrame | None, thresholds: ThresholdConfig
) -> tuple[Verdict, ...]:
    """Verdicts of the last audit, as far as it ran; parts that were left out have none."""
    from mmm_engine.scores import gates

    verdicts = []
    if identification is not None and len(identification):
        verdicts.append(gates.check_identification(identification))
    if sensitivity is not None and len(sensitivity):
        verdicts.append(gates.check_sensitivity(sensitivity, thresholds))
    return tuple(verdicts)


def refused(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The failed verdicts that keep a client's new results from being published."""
    return tuple(v for v in verdicts if not v.passed and v.severity == "error" and v.blocking)


def of_missing(window: Window, fault: str = "") -> Verdict:
    """The failed verdict on a window that has no results for the client's present rows and settings.

    Args:
        window: Which one.
        fault: Why it could not be fitted, where that was tried.
    """
    from mmm_engine.scores import gates

    reason = f"window '{window}' has no fit for the present rows and settings; " + (
        fault or "refresh the client"
    )
    return gates.Verdict("window_fitted", False, "error", True, reason, window=window)
