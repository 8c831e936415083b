"""Every gate has a case in which it passes and one in which it fails."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from mmm_engine.config import ThresholdConfig
from mmm_engine.gates import (
    check_convergence,
    check_cutoff,
    check_history,
    check_holdout,
    check_recovery,
    check_report,
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
    verdict = check_convergence(_scores(GOOD), LIMITS, "full")
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
    verdict = check_convergence(_scores(GOOD | {metric: value}), LIMITS, "full")
    assert not verdict.passed
    assert words in verdict.reason


def test_only_full_blocks() -> None:
    """Decisions are read from `full`: a bad holdout window warns, a bad full window is an error and blocks."""
    bad = _scores(GOOD | {"rhat_max": 2.0})
    full, window = check_convergence(bad, LIMITS, "full"), check_convergence(bad, LIMITS, "h04")
    assert (full.severity, full.blocking) == ("error", True)
    assert (window.severity, window.blocking) == ("warning", False)


def test_client_threshold_overrides_the_default() -> None:
    """A client file may ask for less."""
    loose = ThresholdConfig(rhat_max=1.1)
    assert check_convergence(_scores(GOOD | {"rhat_max": 1.05}), loose, "full").passed


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
    verdict = check_holdout(_scores(values, split="test"), LIMITS, "h08")
    assert not verdict.passed
    assert words in verdict.reason


def test_good_holdout_passes() -> None:
    """The reason gives the numbers."""
    verdict = check_holdout(
        _scores({"skill": 0.6, "bias": 0.03, "coverage_90": 0.875}, split="test"), LIMITS, "h08"
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
    assert check_cutoff(_split(["2024-01-08", "2024-01-15"], weeks), cutoff, "h04").passed
    assert not check_cutoff(_split(["2024-01-08", "2024-01-22"], weeks), cutoff, "h04").passed
    assert not check_cutoff(_split(["2024-01-08", "2024-01-15"], weeks[:3]), cutoff, "h04").passed
    assert not check_cutoff(_split(["2024-01-08"], ["2024-01-15", *weeks[:3]]), cutoff, "h04").passed


def test_recovery_and_stability_can_fail() -> None:
    """Below the threshold, or nothing recorded at all."""
    assert check_recovery(_scores({"recovery": 0.7}), LIMITS).passed
    assert not check_recovery(_scores({"recovery": 0.1}), LIMITS).passed
    assert not check_recovery(_scores({}), LIMITS).passed
    assert check_stability(_scores({"stability": 0.9}), LIMITS).passed
    assert not check_stability(_scores({"stability": 0.5}), LIMITS).passed
    assert not check_stability(_scores({}), LIMITS).passed


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
