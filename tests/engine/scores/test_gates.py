"""Every gate has a case in which it passes and one in which it fails."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.windows import FULL, Window
from mmm_engine.report.bundle import check_report
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.window import ScaledInputs, Scales, fit_scales, scale_window
from mmm_engine.scores.gates import (
    check_calibration,
    check_convergence,
    check_cutoff,
    check_drift,
    check_fitted_rows,
    check_history,
    check_identification,
    check_recovery,
    check_sensitivity,
    check_skill,
    check_stability,
)
from mmm_engine.simulation.client import simulate_client
from tests.engine.scores.test_plausibility import PLAUSIBILITY

LIMITS = ThresholdConfig()
GOOD = {
    "rhat_max": 1.004,
    "ess_bulk_min": 900.0,
    "ess_tail_min": 700.0,
    "divergence_rate": 0.0,
    "divergences": 0.0,
    "tree_depth_hits": 0.0,
    "bfmi_min": 0.8,
}


def _scores(values: dict[str, float], split: str = "all", channel: str = "all") -> pd.DataFrame:
    rows = [(split, channel, metric, value, "score") for metric, value in values.items()]
    return pd.DataFrame(rows, columns=["split", "channel", "metric", "value", "unit"])


def test_converged_fit_passes() -> None:
    """All numbers inside their thresholds."""
    verdict = check_convergence(_scores(GOOD), LIMITS, FULL)
    assert verdict.passed
    assert verdict.reason == "R-hat 1.004, smallest ESS 700, 0 divergences"


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("rhat_max", 1.02, "R-hat 1.02 (wanted at most 1.01)"),
        ("ess_bulk_min", 399.0, "bulk ESS 399 (wanted at least 400)"),
        ("ess_tail_min", 12.0, "tail ESS 12 (wanted at least 400)"),
        ("divergence_rate", 0.02, "share of divergent draws 0.02 (wanted at most 0.001)"),
        ("rhat_max", 1.01004, "R-hat 1.01004 (wanted at most 1.01)"),
        ("tree_depth_hits", 1.0, "tree-depth hits 1 (wanted at most 0)"),
        ("bfmi_min", 0.2, "BFMI 0.2 (wanted at least 0.3)"),
        ("rhat_max", math.nan, "R-hat not defined (wanted at most 1.01)"),
    ],
)
def test_each_sampler_number_can_fail(metric: str, value: float, words: str) -> None:
    """One number out of bounds, or missing, is named with its threshold."""
    verdict = check_convergence(_scores(GOOD | {metric: value}), LIMITS, FULL)
    assert not verdict.passed
    assert words in verdict.reason


def test_only_full_blocks() -> None:
    """Decisions are read from `full`: a bad holdout window warns, a bad full window is an error and blocks."""
    bad = _scores(GOOD | {"rhat_max": 2.0})
    full, window = check_convergence(bad, LIMITS, FULL), check_convergence(bad, LIMITS, Window.holding_out(4))
    assert (full.severity, full.blocking) == ("error", True)
    assert (window.severity, window.blocking) == ("warning", False)


def test_client_threshold_overrides_the_default() -> None:
    """A client file may ask for less."""
    loose = ThresholdConfig(rhat_max=1.1)
    assert check_convergence(_scores(GOOD | {"rhat_max": 1.05}), loose, FULL).passed


_FORECAST = {"bias": 0.0, "coverage_90": 0.9}


def _convergence(values: dict[str, float], limits: ThresholdConfig, window: str) -> Any:
    return check_convergence(_scores(values), limits, window)


def _holdout(values: dict[str, float], limits: ThresholdConfig, window: Window) -> Any:
    return check_calibration(_scores(values, split="test"), limits, window)


def _narrow(values: dict[str, float], limits: ThresholdConfig, window: Window) -> Any:
    """The upper end of the coverage band is off unless a client sets it."""
    own = limits if "coverage_90_max" in limits.model_fields_set else ThresholdConfig(coverage_90_max=0.95)
    return _holdout(values, own, window)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bias": 0.4, "coverage_90": 0.9}, "bias +40% is beyond ±20%"),
        ({"bias": 0.0, "coverage_90": 0.25}, "90% intervals hold 25% of the rows, wanted at least 50%"),
    ],
)
def test_each_held_out_number_can_fail(values: dict[str, float], words: str) -> None:
    """Gross bias, intervals that are too narrow."""
    verdict = check_calibration(_scores(values, split="test"), LIMITS, Window.holding_out(8))
    assert verdict.failed
    assert words in verdict.reason


def test_good_forecasts_pass() -> None:
    """The reason gives the numbers."""
    scores = _scores({"bias": 0.03, "coverage_90": 0.875}, split="test")
    verdict = check_calibration(scores, LIMITS, Window.holding_out(8))
    assert verdict.passed
    assert verdict.reason == "bias +3.0%, 90% intervals hold 88%"


H04, H08, H12 = map(Window.holding_out, (4, 8, 12))


@pytest.mark.parametrize(
    ("skills", "outcome", "severity"),
    [
        ({H04: 0.3, H08: 0.2, H12: 0.1}, "passed", "warning"),
        ({H04: -0.4, H08: 0.2, H12: 0.1}, "failed", "warning"),
        ({H04: 0.3, H08: -0.2, H12: 0.1}, "passed", "warning"),
        ({H04: 0.3, H08: -0.5, H12: 0.1}, "failed", "warning"),
        ({H04: 0.3, H08: -0.2, H12: -0.1}, "failed", "error"),
        ({H04: -0.77, H08: -0.71, H12: -0.24}, "failed", "error"),
        ({H04: -0.43, H08: -0.01, H12: -0.04}, "failed", "warning"),
        ({H08: -0.01, H12: -0.25}, "failed", "error"),
        ({H04: -0.3}, "failed", "warning"),
        ({H12: -0.3}, "failed", "error"),
        ({H08: math.nan, H12: -0.3}, "failed", "error"),
        ({H04: math.nan}, "not judged", "warning"),
        ({}, "not judged", "warning"),
    ],
)
def test_a_naive_forecast_that_clearly_wins_on_every_longer_window_is_an_error(
    skills: dict[Window, float], outcome: str, severity: str
) -> None:
    """Four rows, one of two longer windows, or a hundredth on both may be chance; a clear loss on both is not."""
    verdict = check_skill(skills, LIMITS)
    assert (verdict.outcome, verdict.severity, verdict.blocking) == (outcome, severity, False)


def test_windows_that_the_naive_forecast_wins_are_named() -> None:
    """One fault of several windows is one verdict with all its numbers."""
    reason = check_skill({H04: 0.5, H08: -0.2, H12: -0.1}, LIMITS).reason
    assert (
        reason == "the seasonal naive forecast wins on h08, h12: skill 0.50 (h04), -0.20 (h08), -0.10 (h12)"
    )


def test_a_few_divergences_are_a_warning_where_all_else_is_sound() -> None:
    """15 of 4,000 draws do not lose a client whose chains agree; 15 of them and an R-hat of 1.02 do."""
    few = GOOD | {"divergence_rate": 15 / 4000, "divergences": 15.0}
    verdict = check_convergence(_scores(few), LIMITS, FULL)
    assert (verdict.failed, verdict.severity, verdict.blocking) == (True, "warning", False)
    assert check_convergence(_scores(few | {"rhat_max": 1.02}), LIMITS, FULL).blocking
    assert check_convergence(_scores(few | {"divergence_rate": 0.011}), LIMITS, FULL).blocking


_TOY = simulate_client("toy", periods=60, channels=2, seed=5)
WEEKS = client_data_from_frame(_TOY.config, _TOY.frame)


def _with_scale(inputs: ScaledInputs, column: str, factor: float) -> ScaledInputs:
    """The window as if a column had been scaled by another number."""
    scales, target = inputs.scales, WEEKS.config.target.column
    if column == target:
        return replace(inputs, scales=replace(scales, target=scales.target * factor))
    return replace(
        inputs, scales=replace(scales, media=scales.media | {column: scales.media[column] * factor})
    )


def test_leaking_row_is_caught() -> None:
    """A split that ends later, or earlier, than the client's rows say."""
    inputs = scale_window(WEEKS, H04)
    assert check_cutoff(inputs, WEEKS).passed
    for train_rows in (55, 57, 59):
        assert check_cutoff(replace(inputs, train_rows=train_rows), WEEKS).failed


def test_scales_of_held_out_rows_are_caught() -> None:
    """The largest value stands in a held-out row: scales that have seen it say so, and the column is named."""
    column = WEEKS.config.channel_names[0]
    frame = WEEKS.frame.copy()
    frame.loc[frame.index[-1], column] = 10 * frame[column].max()
    data = replace(WEEKS, frame=frame)
    inputs = scale_window(data, H04)
    assert check_cutoff(inputs, data).passed
    scales: Scales = fit_scales(data)
    seen_all = replace(inputs, scales=replace(inputs.scales, media=scales.media))
    verdict = check_cutoff(seen_all, data)
    assert verdict.failed
    assert column in verdict.reason
    assert check_cutoff(_with_scale(inputs, data.config.target.column, 1.01), data).failed


def test_a_window_of_other_rows_is_not_judged() -> None:
    """Its cutoff says nothing about the rows that are stored now."""
    inputs = replace(scale_window(WEEKS, H04), data_version="other")
    assert check_cutoff(inputs, WEEKS).outcome == "not judged"


@pytest.mark.parametrize("name", ["cutoff", "train_rows", "data_version", "config_version"])
def test_a_posterior_of_other_rows_is_caught(name: str) -> None:
    """What the posterior says of itself must be the window's."""
    inputs = scale_window(WEEKS, H04)
    attributes: dict[str, Any] = {
        "cutoff": inputs.cutoff.isoformat(),
        "train_rows": 56,
        "data_version": inputs.data_version,
        "config_version": inputs.config.config_version,
    }
    assert check_fitted_rows(attributes, inputs).passed
    verdict = check_fitted_rows(attributes | {name: "2031"}, inputs)
    assert (verdict.failed, verdict.blocking) == (True, True)
    assert name in verdict.reason


def test_recovery_and_stability_can_fail() -> None:
    """Below the threshold, or nothing recorded at all."""
    assert check_recovery(_scores({"recovery": 0.7}), LIMITS).passed
    assert not check_recovery(_scores({"recovery": 0.1}), LIMITS).passed
    assert check_recovery(_scores({}), LIMITS).outcome == "not judged"
    assert check_stability(_scores({"stability": 0.9}), LIMITS).passed
    assert not check_stability(_scores({"stability": 0.5}), LIMITS).passed
    assert check_stability(_scores({}), LIMITS).outcome == "not judged"
    assert check_sensitivity(_scores({}), LIMITS).outcome == "not judged"
    unknown = check_sensitivity(_scores({"roas_ratio": math.nan}).assign(split="placebo"), LIMITS)
    assert unknown.outcome == "not judged"
    assert "is not defined" in unknown.reason
    assert check_identification(_scores({})).outcome == "not judged"


def _drift(statistic: float, limit: float = 4.0, alarm: bool | None = None) -> pd.DataFrame:
    raised = statistic > limit if alarm is None else alarm
    row = ("crps", 0.2, 0.1, statistic, limit, raised, "crps has left its usual range")
    return pd.DataFrame([row], columns=["stream", "value", "usual", "statistic", "limit", "alarm", "reason"])


GATES: list[tuple[str, Any, Any, Any, dict[str, float]]] = [
    # check, how it is asked, what it passes, what it fails, the override under which that passes too
    *(
        ("sampler_converged", _convergence, GOOD, GOOD | {metric: bad}, {threshold: loose})
        for metric, bad, threshold, loose in [
            ("rhat_max", 1.02, "rhat_max", 1.03),
            ("ess_bulk_min", 399.0, "ess_min", 300.0),
            ("ess_tail_min", 399.0, "ess_min", 300.0),
            ("divergence_rate", 0.02, "divergence_rate_max", 0.02),
            ("tree_depth_hits", 1.0, "tree_depth_hits_max", 2),
            ("bfmi_min", 0.2, "bfmi_min", 0.1),
        ]
    ),
    *(
        ("holdout_calibration", _holdout, _FORECAST, _FORECAST | {metric: bad}, {threshold: loose})
        for metric, bad, threshold, loose in [
            ("bias", 0.3, "bias_abs_max", 0.4),
            ("bias", -0.3, "bias_abs_max", 0.4),
            ("coverage_90", 0.4, "coverage_90_min", 0.3),
        ]
    ),
    ("holdout_calibration", _narrow, _FORECAST, _FORECAST | {"coverage_90": 1.0}, {"coverage_90_max": 1.0}),
    ("holdout_skill", check_skill, {H04: 0.2}, {H04: -0.1}, {"skill_min": -0.5}),
    (
        "recovery",
        check_recovery,
        _scores({"recovery": 0.5}),
        _scores({"recovery": 0.2}),
        {"recovery_min": 0.1},
    ),
    (
        "stability",
        check_stability,
        _scores({"stability": 0.9}),
        _scores({"stability": 0.5}),
        {"stability_min": 0.4},
    ),
    (
        "sensitivity",
        check_sensitivity,
        _scores({"roas_ratio": 0.2}).assign(split="placebo"),
        _scores({"roas_ratio": 0.7}).assign(split="placebo"),
        {"placebo_max": 0.8},
    ),
    ("drift", check_drift, _drift(3.0), _drift(5.0), {"drift_max": 1.5}),
]


@pytest.mark.parametrize(("check", "ask", "good", "bad", "override"), GATES)
def test_every_gate_fails_and_every_threshold_can_be_moved(
    check: str, ask: Any, good: Any, bad: Any, override: dict[str, float]
) -> None:
    """One row per number that is gated: passes, fails, passes under the client's own threshold."""
    where = (FULL,) if check in ("sampler_converged", "holdout_calibration") else ()
    passed, failed = ask(good, LIMITS, *where), ask(bad, LIMITS, *where)
    assert (passed.check, passed.passed, failed.passed) == (check, True, False), failed.reason
    assert ask(bad, ThresholdConfig.model_validate(override), *where).passed
    expected = ("error", True) if check == "sampler_converged" else ("warning", False)
    assert (failed.severity, failed.blocking) == expected


def test_every_threshold_has_a_row() -> None:
    """A threshold that no test moves may be one that nothing reads."""
    overrides = [*(row[4] for row in GATES), *(row[4] for row in PLAUSIBILITY)]
    moved = {name for override in overrides for name in override}
    assert moved == set(ThresholdConfig.model_fields) - {"restated_max"}  # rows/test_restatement.py moves it


def test_a_short_past_is_no_drift_and_says_so() -> None:
    """Before enough refreshes are recorded nothing is judged, which is no praise."""
    verdict = check_drift(
        _drift(math.nan, math.nan, alarm=False).assign(reason="3 of the 26 refreshes needed are recorded"),
        LIMITS,
    )
    assert verdict.outcome == "not judged"
    assert "3 of the 26" in verdict.reason


def test_report_that_loads_from_elsewhere_fails() -> None:
    """A script from a server, a page that is cut off, a page that is too large."""
    page = "<!doctype html><html><body>ok</body></html>"
    assert check_report(page).passed
    assert not check_report(page.replace("ok", '<script src="https://cdn.example/x.js"></script>')).passed
    assert not check_report(page[:-7]).passed
    assert not check_report(page.replace("ok", "x" * 7_000_000)).passed


def test_history_counts_rows() -> None:
    """One row too few fails."""
    assert check_history(10, 10).passed
    assert not check_history(9, 10).passed
    assert check_history(0, 0).outcome == "not judged"
    assert check_history(3, 0).failed
