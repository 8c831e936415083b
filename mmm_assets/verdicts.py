"""Verdicts on stored values; checks, report and forecast ask the same ones.

Here: which gate applies to which stored value, which checks are of data and model, and which failures keep results from
being published.
Not here: thresholds and predicates (mmm_engine.scores.gates), recording evaluations in Dagster (checks/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mmm_assets.types import ClientData, DataFrame, ScaledInputs, Verdict

if TYPE_CHECKING:
    from mmm_engine.client.thresholds import ThresholdConfig
    from mmm_engine.client.windows import Window


BESIDE_THE_MODEL = frozenset(
    {
        "advice_given",
        "advice_proven",
        "advice_within_seen",
        "history_rows",
        "newest_results",
        "report_self_contained",
        "rows_in_time",
    }
)
"""Checks of what is made of a model: plan, history and page. All others are of data and model: the verdict follows from
them, and they are those that the report lists."""


def of_cutoff(inputs: ScaledInputs, data: ClientData) -> Verdict:
    """Verdict on the split of a window: no training row after the cutoff, scales of the training rows alone."""
    from mmm_engine.scores import gates

    return gates.check_cutoff(inputs, data)


def of_fitted_rows(inputs: ScaledInputs, attributes: Mapping[Any, Any]) -> Verdict:
    """Verdict on the rows that a posterior, or a frame read from it, says it was fitted on."""
    from mmm_engine.scores import gates

    return gates.check_fitted_rows(attributes, inputs)


def of_sampler(inputs: ScaledInputs, scores: DataFrame) -> Verdict:
    """Verdict on the sampler of a window."""
    from mmm_engine.scores import gates

    return gates.check_convergence(scores, inputs.config.thresholds, inputs.window)


def of_held_out_rows(inputs: ScaledInputs, scores: DataFrame) -> Verdict:
    """Verdict on the held-out rows of a window; not judged where it holds out none."""
    from mmm_engine.scores import gates

    return gates.check_calibration(scores, inputs.config.thresholds, inputs.window)


def of_drift(history: DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Verdict on the last refresh of a client against those before."""
    from mmm_engine.scores import gates
    from mmm_engine.scores.drift import drift_scores

    return gates.check_drift(drift_scores(history), thresholds)


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
    return tuple(v for v in verdicts if v.failed and v.severity == "error" and v.blocking)


def of_nothing(check: str) -> Verdict:
    """The verdict of a check for which nothing of the client's present rows and settings is stored."""
    from mmm_engine.scores.verdict import not_judged

    return not_judged(check, "there are no results of the present rows and settings; refresh the client")


def of_missing(window: Window, fault: str = "") -> Verdict:
    """The failed verdict on a window that has no results for the client's present rows and settings.

    Args:
        window: Which one.
        fault: Why it could not be fitted, where that was tried.
    """
    from mmm_engine.scores.verdict import Verdict

    reason = f"window '{window}' has no fit for the present rows and settings; " + (
        fault or "refresh the client"
    )
    return Verdict("window_fitted", False, "error", True, reason, window=window)
