"""Verdicts on a model: predicates on scores, with thresholds and reasons in words.

Here: what makes a model fit to publish, as pure functions of frames and thresholds.
Not here: how scores are computed (forecast_scores.py, fleets/), Dagster asset checks (they call these).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.windows import FULL, Window
from mmm_engine.rows.client_data import ClientData
from mmm_engine.scores.identification import IDENTIFIED, NOT_IDENTIFIED, WEAK

Severity = Literal["error", "warning"]
Judgement = Literal["usable", "usable with care", "do not use"]

CONVERGENCE = (
    # metric, threshold, whether the threshold is a ceiling, what a reader calls it
    ("rhat_max", "rhat_max", True, "R-hat"),
    ("ess_bulk_min", "ess_min", False, "bulk ESS"),
    ("ess_tail_min", "ess_min", False, "tail ESS"),
    ("divergence_rate", "divergence_rate_max", True, "share of divergent draws"),
    ("tree_depth_hits", "tree_depth_hits_max", True, "tree-depth hits"),
    ("bfmi_min", "bfmi_min", False, "BFMI"),
)


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check.

    Attributes:
        check: Name of the check, the same in Dagster, history and report.
        passed: Whether the numbers are inside their thresholds.
        severity: "error" when a failure makes the model unfit for decisions.
        blocking: Whether a failure stops what comes after it.
        reason: One sentence with the number and its threshold.
        numbers: The numbers the verdict was read from.
        window: The window judged, or None for the client as a whole.
    """

    check: str
    passed: bool
    severity: Severity
    blocking: bool
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)
    window: Window | None = None


def check_data(data: ClientData) -> Verdict:
    """The data contract held (or there would be no `ClientData`); warnings are counted."""
    warnings = [finding for finding in data.findings if finding.severity == "warning"]
    numbers = {"rows": float(len(data)), "warnings": float(len(warnings))}
    named = "; ".join(f"{finding.column}: {finding.message}" for finding in warnings[:3])
    reason = f"{len(data)} rows keep the data contract" + (
        f", with {len(warnings)} warnings ({named})" if warnings else ""
    )
    return Verdict("data_contract", True, "error", True, reason, numbers)


def check_cutoff(frame: pd.DataFrame, cutoff: pd.Timestamp, window: Window) -> Verdict:
    """No training row lies after the cutoff, no held-out row at or before it, and the window has its length.

    Args:
        frame: Columns date and split, as stored.
        cutoff: Last training date that the scales and the fit say they saw.
        window: The window.
    """
    train = frame.loc[frame["split"] == "train", "date"]
    test = frame.loc[frame["split"] == "test", "date"]
    late, early = int((train > cutoff).sum()), int((test <= cutoff).sum())
    passed = late == 0 and early == 0 and len(test) == window.holdout
    reason = (
        f"{len(train)} training rows end at {cutoff:%Y-%m-%d}, {len(test)} held-out rows follow"
        if passed
        else f"{late} training rows lie after the cutoff {cutoff:%Y-%m-%d}, {early} held-out rows at or before it, "
        f"{len(test)} held-out rows where {window.holdout} were wanted"
    )
    numbers = {
        "late_training_rows": float(late),
        "early_held_out_rows": float(early),
        "held_out_rows": float(len(test)),
    }
    return Verdict("training_cutoff", passed, "error", True, reason, numbers, window)


def check_convergence(health: pd.DataFrame, thresholds: ThresholdConfig, window: Window) -> Verdict:
    """The sampler converged; on `full`, the window decisions are read from, a failure is an error and blocks.

    Args:
        health: Output of `sampler.sampler_health`, or a score frame that holds it.
        thresholds: The client's thresholds.
        window: The window.
    """
    values = dict(zip(health["metric"], health["value"], strict=True))
    faults = []
    for metric, threshold, ceiling, name in CONVERGENCE:
        value, limit = float(values.get(metric, math.nan)), float(getattr(thresholds, threshold))
        inside = value <= limit if ceiling else value >= limit
        if not inside:
            faults.append(f"{name} {value:.4g} (wanted {'at most' if ceiling else 'at least'} {limit:g})")
    numbers = {metric: float(values.get(metric, math.nan)) for metric, *_ in CONVERGENCE}
    full = window == FULL
    reason = (
        f"R-hat {numbers['rhat_max']:.3f}, smallest ESS {min(numbers['ess_bulk_min'], numbers['ess_tail_min']):.0f}, "
        f"{values.get('divergences', 0.0):.0f} divergences"
        if not faults
        else "the sampler did not converge: " + ", ".join(faults)
    )
    return Verdict(
        "sampler_converged", not faults, "error" if full else "warning", full, reason, numbers, window
    )


def check_holdout(scores: pd.DataFrame, thresholds: ThresholdConfig, window: Window) -> Verdict:
    """The held-out rows were forecast better than the seasonal naive, without gross bias, with honest intervals.

    Args:
        scores: Score frame of the window; only split "test" is looked at.
        thresholds: The client's thresholds.
        window: The window.
    """
    test = scores[(scores["split"] == "test") & (scores["channel"] == "all")]
    values = {str(metric): float(value) for metric, value in zip(test["metric"], test["value"], strict=True)}
    skill, bias = values.get("skill", math.nan), values.get("bias", math.nan)
    coverage = values.get("coverage_90", math.nan)
    faults = []
    if not skill > thresholds.skill_min:
        faults.append(
            "the seasonal naive forecast is better"
            if skill <= 0
            else f"skill {skill:.2f} is not above {thresholds.skill_min:g}"
        )
        faults[-1] += f" (skill {skill:.2f})" if skill <= 0 else ""
    if not abs(bias) <= thresholds.bias_abs_max:
        faults.append(f"bias {bias:+.0%} is beyond ±{thresholds.bias_abs_max:.0%}")
    low, high = thresholds.coverage_90_min, thresholds.coverage_90_max
    if not low <= coverage <= high:
        wanted = f"at least {low:.0%}" if not coverage >= low else f"at most {high:.0%}"
        faults.append(f"90% intervals hold {coverage:.0%} of the rows, wanted {wanted}")
    reason = (
        f"skill {skill:.2f} over the seasonal naive, bias {bias:+.1%}, 90% intervals hold {coverage:.0%}"
        if not faults
        else "; ".join(faults)
    )
    numbers = {"skill": skill, "bias": bias, "coverage_90": coverage}
    return Verdict("holdout_skill", not faults, "warning", False, reason, numbers, window)


def check_priors(parameters: pd.DataFrame, thresholds: ThresholdConfig, window: Window) -> Verdict:
    """The posterior stays where the prior allows: data that push against a prior call for another one.

    Args:
        parameters: Columns parameter, q50, prior_q01, prior_q99, as `plausibility.with_prior_ranges` gives them.
        thresholds: The client's thresholds.
        window: The window.
    """
    outside = (parameters["q50"] < parameters["prior_q01"]) | (parameters["q50"] > parameters["prior_q99"])
    pushed = parameters[outside]
    count = len(pushed) if parameters["prior_q01"].notna().all() else math.nan
    passed = count <= thresholds.prior_pushes_max
    named = [
        f"{row.parameter} {row.q50:.3g} (prior {row.prior_q01:.3g} to {row.prior_q99:.3g})"
        for row in pushed.head(3).itertuples()
    ]
    reason = (
        f"{count} of {len(parameters)} parameters lie outside the 1% to 99% of their prior"
        f"{': ' + ', '.join(named) if named else ''}, wanted at most {thresholds.prior_pushes_max}"
    )
    return Verdict("prior_pushes", passed, "warning", False, reason, {"prior_pushes": float(count)}, window)


def check_baseline(scores: pd.DataFrame, thresholds: ThresholdConfig, window: Window) -> Verdict:
    """Without media and controls something would still be sold: a baseline below 0 takes credit from nobody.

    Args:
        scores: Score frame of the window with the metric `baseline_negative`.
        thresholds: The client's thresholds.
        window: The window.
    """
    own = scores.loc[scores["metric"] == "baseline_negative", "value"]
    value = float(own.iloc[0]) if len(own) else math.nan
    passed = value <= thresholds.baseline_negative_max
    reason = (
        f"the baseline of a training row is below 0 with probability {value:.1%}, "
        f"wanted at most {thresholds.baseline_negative_max:.0%}"
    )
    return Verdict(
        "baseline_positive", passed, "warning", False, reason, {"baseline_negative": value}, window
    )


def check_drift(drift: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Errors, coverage and channel shares keep to the range that earlier refreshes made usual.

    Args:
        drift: Output of `drift.drift_scores`; a series whose past is too short is left out.
        thresholds: The client's thresholds.
    """
    ratio = (drift["statistic"] / drift["limit"]).abs().where(drift["limit"].notna(), 0.0)
    left = drift[drift["alarm"] & (ratio >= thresholds.drift_max)]
    known = int(drift["limit"].notna().sum())
    reason = "; ".join(left["reason"]) or (
        f"{known} series keep to their usual range" if known else str(drift["reason"].iloc[0])
    )
    numbers = {f"drift_{stream}": value for stream, value in zip(drift["stream"], ratio, strict=True)}
    return Verdict("drift", left.empty, "warning", False, reason, numbers)


def check_recovery(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Known parameters are found again: the median recovery over parameters."""
    recovery = scores.loc[scores["metric"] == "recovery", "value"]
    value = float(recovery.median()) if len(recovery) else math.nan
    passed = value >= thresholds.recovery_min
    reason = f"median recovery {value:.2f} over {len(recovery)} parameters, wanted at least {thresholds.recovery_min:g}"
    return Verdict("recovery", passed, "warning", False, reason, {"recovery": value})


def check_stability(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Channel shares stay put across windows: the weighted overlap of their central 50% intervals."""
    own = scores.loc[(scores["metric"] == "stability") & (scores["channel"] == "all"), "value"]
    value = float(own.iloc[0]) if len(own) else math.nan
    passed = value >= thresholds.stability_min
    reason = f"weighted overlap {value:.2f} across windows (wanted at least {thresholds.stability_min:g})"
    return Verdict("stability", passed, "warning", False, reason, {"stability": value})


def check_identification(scores: pd.DataFrame) -> Verdict:
    """Every channel's contribution can be read: none is called not identified.

    Args:
        scores: Output of `recovery.summarise_recovery`; metric identified is 1, 0.5 (weak) or 0 per channel.
    """
    channels = scores[scores["metric"] == "identified"]
    lost = [str(name) for name in channels.loc[channels["value"] == NOT_IDENTIFIED, "channel"]]
    identified, weak = (int((channels["value"] == value).sum()) for value in (IDENTIFIED, WEAK))
    reason = f"{identified} of {len(channels)} channels identified, {weak} weak, {len(lost)} not identified"
    reason += f": {', '.join(lost)}" if lost else ""
    numbers = {"identified": float(identified), "weak": float(weak), "not_identified": float(len(lost))}
    return Verdict("identification", not lost, "warning", False, reason, numbers)


def check_sensitivity(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """What should not matter does not: another seed and noise on spend move little, a placebo earns little.

    Args:
        scores: Output of `sensitivity.sensitivity_scores`.
        thresholds: The client's thresholds.
    """
    values = {
        (str(split), str(metric)): float(value)
        for split, metric, value in zip(scores["split"], scores["metric"], scores["value"], strict=True)
    }
    limits = {
        ("seeds", "stability"): ("overlap with other seeds", thresholds.stability_min, 1.0),
        ("perturbation", "stability"): ("overlap under noise on spend", thresholds.stability_min, 1.0),
        ("placebo", "roas_ratio"): (
            "return of the placebo over the channel it copies",
            thresholds.placebo_max,
            -1.0,
        ),
    }
    told, passed, numbers = [], True, {}
    for (split, metric), (words, limit, sign) in limits.items():
        if (split, metric) in values:
            value = numbers[f"{split}_{metric}"] = values[split, metric]
            passed = passed and sign * value >= sign * limit
            told.append(f"{words} {value:.2f} (wanted {'at least' if sign > 0 else 'at most'} {limit:g})")
    return Verdict("sensitivity", passed, "warning", False, "; ".join(told) or "nothing was run", numbers)


def check_history(recorded: int, expected: int) -> Verdict:
    """Every score of the refresh is in the history, once."""
    passed = recorded == expected
    reason = f"{recorded} rows recorded" + ("" if passed else f" where {expected} were expected")
    numbers = {"recorded": float(recorded), "expected": float(expected)}
    return Verdict("history_rows", passed, "error", False, reason, numbers)


def judge(verdicts: Iterable[Verdict]) -> Judgement:
    """The model as a whole: unfit when an error failed, to be used with care when only warnings did."""
    failed = [verdict for verdict in verdicts if not verdict.passed]
    if any(verdict.severity == "error" for verdict in failed):
        return "do not use"
    return "usable with care" if failed else "usable"
