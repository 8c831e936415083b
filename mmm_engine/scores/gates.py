"""Checks of rows, sampler, forecasts and fleets: predicates on scores, with thresholds and reasons in words.

Here: pure functions of frames and thresholds.
Not here: whether results are plausible (plausibility.py), how scores are computed (forecast_scores.py, fleets/), the
judgement on all checks (verdict.py), Dagster asset checks (they call these).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.windows import FULL, Window
from mmm_engine.rows.client_data import ClientData
from mmm_engine.rows.window import ScaledInputs, fit_scales
from mmm_engine.scores.identification import IDENTIFIED, NOT_IDENTIFIED, WEAK
from mmm_engine.scores.verdict import Severity, Verdict, beside_limit, not_judged, share_beside_limit

CONVERGENCE = (
    # metric, threshold, whether the threshold is a ceiling, what a reader calls it
    ("rhat_max", "rhat_max", True, "R-hat"),
    ("ess_bulk_min", "ess_min", False, "bulk ESS"),
    ("ess_tail_min", "ess_min", False, "tail ESS"),
    ("divergence_rate", "divergence_rate_max", True, "share of divergent draws"),
    ("tree_depth_hits", "tree_depth_hits_max", True, "tree-depth hits"),
    ("bfmi_min", "bfmi_min", False, "BFMI"),
)


DIVERGENCE_TOLERANCE = 10.0  # times the limit, as a warning
LONGER_ROWS = 8  # held-out rows from which on a lost comparison is no chance
CHANCE_SKILL = 0.1  # by which sound models lose a comparison of some ten rows


def check_data(data: ClientData) -> Verdict:
    """The data contract held (or there would be no `ClientData`); warnings are counted."""
    warnings = [finding for finding in data.findings if finding.severity == "warning"]
    numbers = {"rows": float(len(data)), "warnings": float(len(warnings))}
    named = "; ".join(f"{finding.column}: {finding.message}" for finding in warnings[:3])
    reason = f"{len(data)} rows keep the data contract" + (
        f", with {len(warnings)} warning{'s' if len(warnings) > 1 else ''} ({named})" if warnings else ""
    )
    return Verdict("data_contract", True, "error", True, reason, numbers)


def check_cutoff(inputs: ScaledInputs, data: ClientData) -> Verdict:
    """The window trains on the rows before its cutoff alone, and its scales are those of these rows.

    Cutoff and scales are worked out again from the client's rows: a window that says of itself where it ends would
    agree with itself whatever it holds.

    Args:
        inputs: The window as it is stored.
        data: The client's rows.
    """
    window, name = inputs.window, "training_cutoff"
    if inputs.data_version != data.data_version:
        return not_judged(name, "the window was made from other rows than are stored now", window)
    train_rows = window.train_rows(data.period, len(data))
    held_out, cutoff = len(data) - train_rows, pd.Timestamp(data.dates[train_rows - 1])
    is_train = inputs.split == "train"
    late = int((inputs.dates[is_train] > cutoff).sum())
    early = int((inputs.dates[~is_train] <= cutoff).sum())
    leaking = _other_scales(inputs, data)
    numbers = {
        "late_training_rows": float(late),
        "early_held_out_rows": float(early),
        "held_out_rows": float((~is_train).sum()),
        "leaking_scales": float(len(leaking)),
    }
    faults = []
    if late or early or (~is_train).sum() != held_out:
        faults.append(
            f"{late} training rows lie after the cutoff {cutoff:%Y-%m-%d}, {early} held-out rows at or before it, "
            f"{(~is_train).sum()} held-out rows where {held_out} were wanted"
        )
    if leaking:
        faults.append(f"scales that are not those of the training rows: {', '.join(leaking[:3])}")
    reason = "; ".join(faults) or (
        f"{is_train.sum()} training rows end at {cutoff:%Y-%m-%d}, {(~is_train).sum()} held-out rows follow"
    )
    return Verdict(name, not faults, "error", True, reason, numbers, window)


def _other_scales(inputs: ScaledInputs, data: ClientData) -> list[str]:
    """Columns whose scale is not that of the training rows, which the client's rows say."""
    train_rows = inputs.window.train_rows(data.period, len(data))
    stored, expected = inputs.scales, fit_scales(data.first(train_rows))
    target = data.config.target.column
    scales = {target: (stored.target, expected.target)}
    for by_column, fresh in ((stored.media, expected.media), (stored.controls, expected.controls)):
        scales |= {column: (by_column.get(column, math.nan), scale) for column, scale in fresh.items()}
    others = [
        column for column, (scale, fresh) in scales.items() if not math.isclose(scale, fresh, rel_tol=1e-9)
    ]
    # rounded to four digits, which another machine may round the other way; 1 where a version did not judge it
    if stored.baseline != 1.0 and not math.isclose(stored.baseline, expected.baseline, rel_tol=1e-3):
        others.append("the baseline's steps")
    return others


def check_fitted_rows(attributes: Mapping[Any, Any], inputs: ScaledInputs) -> Verdict:
    """The posterior says of itself that it was fitted on exactly the window's training rows and settings.

    Args:
        attributes: Of the posterior, or of a frame that was read from it: cutoff, train_rows, versions.
        inputs: The window that it is judged on.
    """
    expected = {
        "cutoff": inputs.cutoff.isoformat(),
        "train_rows": str(inputs.train_rows),
        "data_version": inputs.data_version,
        "config_version": inputs.config.config_version,
    }
    said = {name: str(attributes.get(name)) for name in expected}
    differing = [name for name, value in expected.items() if said[name] != value]
    reason = (
        "; ".join(
            f"the posterior was fitted with {name} {said[name]}, the window has {expected[name]}"
            for name in differing
        )
        or f"the posterior was fitted on the window's {inputs.train_rows} training rows, up to {inputs.cutoff:%Y-%m-%d}"
    )
    numbers = {"differing": float(len(differing))}
    return Verdict("fitted_rows", not differing, "error", True, reason, numbers, inputs.window)


def check_convergence(health: pd.DataFrame, thresholds: ThresholdConfig, window: Window) -> Verdict:
    """The sampler converged; on `full`, the window decisions are read from, a failure is an error and blocks.

    A few divergent draws, up to `DIVERGENCE_TOLERANCE` times the limit, are a warning where all else is sound: draws
    that agree and are worth enough are not lost for them, and the fit was tried again with smaller steps before.

    Args:
        health: Output of `sampler.sampler_health`, or a score frame that holds it.
        thresholds: The client's thresholds.
        window: The window.
    """
    stored = dict(zip(health["metric"], health["value"].astype(float), strict=True))
    values = {metric: stored.get(metric, math.nan) for metric, *_ in CONVERGENCE}
    faults, names = [], []
    for metric, threshold, is_ceiling, name in CONVERGENCE:
        value, limit = values[metric], float(getattr(thresholds, threshold))
        if not (value <= limit if is_ceiling else value >= limit):
            side = "at most" if is_ceiling else "at least"
            faults.append(f"{name} {beside_limit(value, limit)} (wanted {side} {limit:g})")
            names.append(metric)
    few = DIVERGENCE_TOLERANCE * thresholds.divergence_rate_max
    is_tolerable = names == ["divergence_rate"] and values["divergence_rate"] <= few
    stops = window == FULL and not is_tolerable
    if not faults:
        smallest = min(values["ess_bulk_min"], values["ess_tail_min"])
        reason = (
            f"R-hat {values['rhat_max']:.3f}, smallest ESS {smallest:.0f}, "
            f"{stored.get('divergences', 0.0):.0f} divergences"
        )
    elif is_tolerable:
        reason = f"chains agree, with some divergences: {faults[0]}"
    else:
        reason = "the sampler did not converge: " + ", ".join(faults)
    severity: Severity = "error" if stops else "warning"
    return Verdict("sampler_converged", not faults, severity, stops, reason, values, window)


def check_calibration(scores: pd.DataFrame, thresholds: ThresholdConfig, window: Window) -> Verdict:
    """The held-out rows were forecast without gross bias, inside honest intervals.

    Args:
        scores: Score frame of the window; only split "test" is looked at.
        thresholds: The client's thresholds.
        window: The window.
    """
    values = _held_out(scores)
    numbers = {name: values.get(name, math.nan) for name in ("bias", "coverage_90")}
    bias, coverage = numbers["bias"], numbers["coverage_90"]
    if math.isnan(bias) or math.isnan(coverage):
        return not_judged("holdout_calibration", f"window '{window}' holds out no rows", window)
    faults = []
    if abs(bias) > thresholds.bias_abs_max:
        faults.append(
            f"bias {'+' if bias > 0 else '-'}{share_beside_limit(abs(bias), thresholds.bias_abs_max)} "
            f"is beyond ±{thresholds.bias_abs_max:.0%}"
        )
    low, high = thresholds.coverage_90_min, thresholds.coverage_90_max
    if not low <= coverage <= high:
        limit = low if coverage < low else high
        wanted = f"{'at least' if coverage < low else 'at most'} {limit:.0%}"
        faults.append(
            f"90% intervals hold {share_beside_limit(coverage, limit)} of the rows, wanted {wanted}"
        )
    reason = "; ".join(faults) or f"bias {bias:+.1%}, 90% intervals hold {coverage:.0%}"
    unseen = scores.loc[scores["metric"] == "unseen", "channel"]
    if len(unseen):
        reason += f"; without a training row, so that the effect was taken for 0: {', '.join(unseen)}"
    return Verdict("holdout_calibration", not faults, "warning", False, reason, numbers, window)


def check_skill(skills: Mapping[Window, float], thresholds: ThresholdConfig) -> Verdict:
    """The model forecasts held-out rows better than the seasonal naive forecast.

    A warning where it does not so on average over the windows: of several that overlap, one may be lost by chance. An
    error where the naive forecast wins on all of the longer ones, by more than `CHANCE_SKILL` in their mean: four rows
    may be chance, and so may a loss by a hair; a model that knows clearly less about the next quarter than last year's
    sales do cannot say what moves them.

    Args:
        skills: `skill` of every window with held-out rows; NaN where it is not defined.
        thresholds: The client's thresholds.
    """
    defined = {window: skill for window, skill in skills.items() if not math.isnan(skill)}
    if not defined:
        return not_judged("holdout_skill", "no held-out rows were compared with the seasonal naive forecast")
    lost = {window for window, skill in defined.items() if not skill > thresholds.skill_min}
    longer = {window for window in defined if window.holdout >= LONGER_ROWS}
    told = ", ".join(f"{skill:.2f} ({window})" for window, skill in defined.items())
    all_longer = bool(longer) and longer <= lost
    passed = not all_longer and sum(defined.values()) / len(defined) > thresholds.skill_min
    if not lost:
        reason = f"closer than the seasonal naive forecast: skill {told}"
    elif passed:
        reason = f"closer than the seasonal naive forecast on average over the windows: skill {told}"
    elif thresholds.skill_min == 0.0:
        reason = f"the seasonal naive forecast wins on {', '.join(w.name for w in defined if w in lost)}: skill {told}"
    else:
        reason = f"skill {told}, wanted above {thresholds.skill_min:g}"
    mean_of_longer = sum(defined[window] for window in longer) / max(len(longer), 1)
    clearly = all_longer and mean_of_longer < thresholds.skill_min - CHANCE_SKILL
    severity: Severity = "error" if clearly else "warning"
    numbers = {f"skill_{window}": skill for window, skill in defined.items()}
    return Verdict("holdout_skill", passed, severity, False, reason, numbers)


def held_out_skill(scores: pd.DataFrame) -> float:
    """The skill over the seasonal naive forecast in a window's score frame; NaN where it is not defined."""
    return _held_out(scores).get("skill", math.nan)


def _held_out(scores: pd.DataFrame) -> dict[str, float]:
    test = scores[(scores["split"] == "test") & (scores["channel"] == "all")]
    return dict(zip(test["metric"].astype(str), test["value"].astype(float), strict=True))


def check_drift(drift: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Errors, coverage and channel shares keep to the range that earlier refreshes made usual.

    Args:
        drift: Output of `drift.drift_scores`; a series whose past is too short is left out.
        thresholds: The client's thresholds.
    """
    watched = int(drift["limit"].notna().sum())
    if not watched:
        return not_judged("drift", str(drift["reason"].iloc[0]))
    ratio = (drift["statistic"] / drift["limit"]).abs().where(drift["limit"].notna(), 0.0)
    left = drift[drift["alarm"] & (ratio >= thresholds.drift_max)]
    reason = "; ".join(left["reason"]) or f"{watched} series keep to their usual range"
    numbers = {f"drift_{stream}": value for stream, value in zip(drift["stream"], ratio, strict=True)}
    return Verdict("drift", left.empty, "warning", False, reason, numbers)


def check_recovery(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Known parameters are found again: the median recovery over parameters."""
    recovery = scores.loc[scores["metric"] == "recovery", "value"]
    value = float(recovery.median())
    if math.isnan(value):
        return not_judged("recovery", "no simulated target was fitted")
    passed = value >= thresholds.recovery_min
    told = beside_limit(value, thresholds.recovery_min, 2)
    reason = (
        f"median recovery {told} over {len(recovery)} parameters, wanted at least {thresholds.recovery_min:g}"
    )
    return Verdict("recovery", passed, "warning", False, reason, {"recovery": value})


def check_stability(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Channel shares stay put across windows: the weighted overlap of their central 50% intervals."""
    own = scores.loc[(scores["metric"] == "stability") & (scores["channel"] == "all"), "value"]
    value = float(own.iloc[0]) if len(own) else math.nan
    if math.isnan(value):
        return not_judged("stability", "there are no two windows to compare")
    passed = value >= thresholds.stability_min
    reason = (
        f"weighted overlap {beside_limit(value, thresholds.stability_min, 2)} across windows "
        f"(wanted at least {thresholds.stability_min:g})"
    )
    return Verdict("stability", passed, "warning", False, reason, {"stability": value})


def check_identification(scores: pd.DataFrame) -> Verdict:
    """Every channel's contribution can be read: none is called not identified.

    Args:
        scores: Output of `recovery.summarise_recovery`; metric identified is 1, 0.5 (weak) or 0 per channel.
    """
    channels = scores[scores["metric"] == "identified"]
    if channels.empty:
        return not_judged("identification", "no simulated target was fitted")
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
        if math.isnan(values.get((split, metric), 0.0)):
            told.append(f"{words} is not defined")
        elif (split, metric) in values:
            value = numbers[f"{split}_{metric}"] = values[split, metric]
            passed = passed and sign * value >= sign * limit
            told.append(
                f"{words} {beside_limit(value, limit, 2)} (wanted {'at least' if sign > 0 else 'at most'} {limit:g})"
            )
    if not numbers:
        return not_judged("sensitivity", "; ".join(told) or "nothing was run")
    return Verdict("sensitivity", passed, "warning", False, "; ".join(told), numbers)


def check_history(recorded: int, expected: int) -> Verdict:
    """Every score of the refresh is in the history, once."""
    if not expected and not recorded:
        return not_judged("history_rows", "the refresh had no scores to record")
    passed = recorded == expected
    reason = f"{recorded} rows recorded" + ("" if passed else f" where {expected} were expected")
    numbers = {"recorded": float(recorded), "expected": float(expected)}
    return Verdict("history_rows", passed, "error", False, reason, numbers)
