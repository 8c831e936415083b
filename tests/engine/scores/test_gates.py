"""Every gate has a case in which it passes and one in which it fails."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.windows import FULL, Window
from mmm_engine.report.bundle import check_report
from mmm_engine.scores.gates import (
    check_baseline,
    check_convergence,
    check_cutoff,
    check_drift,
    check_history,
    check_holdout,
    check_priors,
    check_recovery,
    check_sensitivity,
    check_stability,
    judge,
)

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
        ("divergence_rate", 0.002, "share of divergent draws 0.002 (wanted at most 0.001)"),
        ("tree_depth_hits", 1.0, "tree-depth hits 1 (wanted at most 0)"),
        ("bfmi_min", 0.2, "BFMI 0.2 (wanted at least 0.3)"),
        ("rhat_max", math.nan, "R-hat nan"),
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


_FORECAST = {"skill": 0.5, "bias": 0.0, "coverage_90": 0.9}


def _convergence(values: dict[str, float], limits: ThresholdConfig, window: str) -> Any:
    return check_convergence(_scores(values), limits, window)


def _holdout(values: dict[str, float], limits: ThresholdConfig, window: str) -> Any:
    return check_holdout(_scores(values, split="test"), limits, window)


def _narrow(values: dict[str, float], limits: ThresholdConfig, window: str) -> Any:
    """The upper end of the coverage band is off unless a client sets it."""
    own = limits if "coverage_90_max" in limits.model_fields_set else ThresholdConfig(coverage_90_max=0.95)
    return _holdout(values, own, window)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"skill": -0.3, "bias": 0.0, "coverage_90": 0.9},
            "the seasonal naive forecast is better (skill -0.30)",
        ),
        ({"skill": 0.5, "bias": 0.4, "coverage_90": 0.9}, "bias +40% is beyond ±20%"),
        ({"skill": 0.5, "bias": 0.0, "coverage_90": 0.25}, "90% intervals hold 25% of the rows"),
        ({"skill": math.nan, "bias": 0.0, "coverage_90": 0.9}, "skill nan"),
    ],
)
def test_each_holdout_number_can_fail(values: dict[str, float], words: str) -> None:
    """Naive forecast wins, gross bias, intervals that are too narrow, a score that is not defined."""
    verdict = check_holdout(_scores(values, split="test"), LIMITS, Window.holding_out(8))
    assert not verdict.passed
    assert words in verdict.reason


def test_good_holdout_passes() -> None:
    """The reason gives the numbers."""
    verdict = check_holdout(
        _scores({"skill": 0.6, "bias": 0.03, "coverage_90": 0.875}, split="test"),
        LIMITS,
        Window.holding_out(8),
    )
    assert verdict.passed
    assert verdict.reason == "skill 0.60 over the seasonal naive, bias +3.0%, 90% intervals hold 88%"


def _split(train: list[str], test: list[str]) -> pd.DataFrame:
    rows = [(date, "train") for date in train] + [(date, "test") for date in test]
    frame = pd.DataFrame(rows, columns=["date", "split"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


def test_leaking_row_is_caught() -> None:
    """A training row after the cutoff fails; so does a window of the wrong length."""
    cutoff = pd.Timestamp("2024-01-15")
    weeks = ["2024-01-22", "2024-01-29", "2024-02-05", "2024-02-12"]
    assert check_cutoff(_split(["2024-01-08", "2024-01-15"], weeks), cutoff, Window.holding_out(4)).passed
    assert not check_cutoff(_split(["2024-01-08", "2024-01-22"], weeks), cutoff, Window.holding_out(4)).passed
    assert not check_cutoff(
        _split(["2024-01-08", "2024-01-15"], weeks[:3]), cutoff, Window.holding_out(4)
    ).passed
    assert not check_cutoff(
        _split(["2024-01-08"], ["2024-01-15", *weeks[:3]]), cutoff, Window.holding_out(4)
    ).passed


def test_recovery_and_stability_can_fail() -> None:
    """Below the threshold, or nothing recorded at all."""
    assert check_recovery(_scores({"recovery": 0.7}), LIMITS).passed
    assert not check_recovery(_scores({"recovery": 0.1}), LIMITS).passed
    assert not check_recovery(_scores({}), LIMITS).passed
    assert check_stability(_scores({"stability": 0.9}), LIMITS).passed
    assert not check_stability(_scores({"stability": 0.5}), LIMITS).passed
    assert not check_stability(_scores({}), LIMITS).passed


def _parameters(**medians: float) -> pd.DataFrame:
    frame = pd.DataFrame({"parameter": list(medians), "q50": list(medians.values())})
    return frame.assign(prior_q01=0.0, prior_q99=1.0)


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
            ("divergence_rate", 0.002, "divergence_rate_max", 0.01),
            ("tree_depth_hits", 1.0, "tree_depth_hits_max", 2),
            ("bfmi_min", 0.2, "bfmi_min", 0.1),
        ]
    ),
    *(
        ("holdout_skill", _holdout, _FORECAST, _FORECAST | {metric: bad}, {threshold: loose})
        for metric, bad, threshold, loose in [
            ("skill", -0.1, "skill_min", -0.5),
            ("bias", 0.3, "bias_abs_max", 0.4),
            ("bias", -0.3, "bias_abs_max", 0.4),
            ("coverage_90", 0.4, "coverage_90_min", 0.3),
        ]
    ),
    ("holdout_skill", _narrow, _FORECAST, _FORECAST | {"coverage_90": 1.0}, {"coverage_90_max": 1.0}),
    ("prior_pushes", check_priors, _parameters(a=0.5), _parameters(a=0.5, b=1.2), {"prior_pushes_max": 1}),
    ("prior_pushes", check_priors, _parameters(a=0.5), _parameters(a=-0.1), {"prior_pushes_max": 1}),
    (
        "baseline_positive",
        check_baseline,
        _scores({"baseline_negative": 0.01}),
        _scores({"baseline_negative": 0.2}),
        {"baseline_negative_max": 0.3},
    ),
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
    where = () if check in ("recovery", "stability", "sensitivity", "drift") else (FULL,)
    passed, failed = ask(good, LIMITS, *where), ask(bad, LIMITS, *where)
    assert (passed.check, passed.passed, failed.passed) == (check, True, False), failed.reason
    assert ask(bad, ThresholdConfig.model_validate(override), *where).passed
    expected = ("error", True) if check == "sampler_converged" else ("warning", False)
    assert (failed.severity, failed.blocking) == expected


def test_every_threshold_has_a_row_above() -> None:
    """A threshold that no test moves may be one that nothing reads."""
    assert {name for *_, override in GATES for name in override} == set(ThresholdConfig.model_fields)


@pytest.mark.parametrize(
    ("ask", "undefined"),
    [
        (check_priors, _parameters(a=0.5).assign(prior_q01=math.nan)),
        (check_baseline, _scores({"baseline_negative": math.nan})),
        (check_baseline, _scores({})),
    ],
)
def test_a_number_that_is_not_defined_never_passes(ask: Any, undefined: pd.DataFrame) -> None:
    """NaN is no good news."""
    assert not ask(undefined, LIMITS, FULL).passed


def test_a_short_past_is_no_drift_and_says_so() -> None:
    """Before enough refreshes are recorded nothing is judged."""
    verdict = check_drift(
        _drift(math.nan, math.nan, alarm=False).assign(reason="3 of the 26 refreshes needed are recorded"),
        LIMITS,
    )
    assert verdict.passed
    assert "3 of the 26" in verdict.reason


def test_pushed_parameters_are_named_with_their_prior() -> None:
    """So that a reader knows which prior to look at."""
    reason = check_priors(_parameters(a=0.5, beta=3.5), LIMITS, FULL).reason
    assert "1 of 2 parameters" in reason
    assert "beta 3.5 (prior 0 to 1)" in reason


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


def test_judgement_follows_the_worst_failure() -> None:
    """Errors make a model unfit, warnings ask for care."""
    good = check_history(1, 1)
    warning = check_stability(_scores({"stability": 0.1}), LIMITS)
    error = check_history(0, 1)
    assert judge([good]) == "usable"
    assert judge([good, warning]) == "usable with care"
    assert judge([good, warning, error]) == "do not use"
