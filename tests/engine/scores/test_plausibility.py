"""Every check of what a fit says has a case in which it passes, one in which it fails, one that it cannot judge."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.scores.plausibility import (
    check_baseline,
    check_controls,
    check_curves,
    check_explained,
    check_explanations,
    check_known,
    check_media,
    check_priors,
    check_residuals,
    check_support,
)

LIMITS = ThresholdConfig()
SOUND = {"media_share": 0.2, "media_share_prior_q95": 1.1}


def _scores(values: dict[str, float], split: str = "all", channel: str = "all") -> pd.DataFrame:
    rows = [(split, channel, metric, value, "fraction") for metric, value in values.items()]
    return pd.DataFrame(rows, columns=["split", "channel", "metric", "value", "unit"])


def _returns(metric: str = "roas", **medians: float) -> pd.DataFrame:
    rows = [(channel, metric, value) for channel, value in medians.items()]
    return pd.DataFrame(rows, columns=["channel", "metric", "q50"])


def _media(values: tuple[dict[str, float], pd.DataFrame], limits: ThresholdConfig) -> Any:
    return check_media(_scores(values[0]), values[1], limits)


def _controls(shares: dict[str, float], limits: ThresholdConfig) -> Any:
    parts = [_scores({"control_share": share}, channel=name) for name, share in shares.items()]
    return check_controls(pd.concat(parts), limits)


def _support(numbers: tuple[float, float], limits: ThresholdConfig) -> Any:
    return check_support(_scores({"media_support": numbers[0], "media_support_sd": numbers[1]}), limits)


def _curves(kept: tuple[float, float], limits: ThresholdConfig) -> Any:
    scores = _scores({"kept_at_tenth": kept[0], "channel_share": kept[1]}, channel="tv")
    return check_curves(scores, limits)


def _parameters(**medians: float) -> pd.DataFrame:
    frame = pd.DataFrame({"parameter": list(medians), "q50": list(medians.values())})
    return frame.assign(prior_q01=0.0, prior_q99=1.0)


PLAUSIBILITY: list[tuple[str, Any, Any, Any, dict[str, float], str]] = [
    # check, how it is asked, what it passes, what it fails, the override under which that passes too, severity
    (
        "fit_explains",
        lambda value, limits: check_explained(_scores({"r_squared": value}, split="train"), limits),
        0.5,
        0.05,
        {"r_squared_min": 0.0},
        "error",
    ),
    (
        "baseline_positive",
        lambda value, limits: check_baseline(_scores({"baseline_negative": value}), limits),
        0.01,
        0.2,
        {"baseline_negative_max": 0.3},
        "error",
    ),
    (
        "media_plausible",
        _media,
        (SOUND, _returns(tv=3.0)),
        (SOUND | {"media_share": 0.82}, _returns(tv=3.0)),
        {"media_share_max": 0.9},
        "error",
    ),
    (
        "media_plausible",
        _media,
        (SOUND, _returns(tv=3.0)),
        (SOUND, _returns(tv=3.0, print=1664.0)),
        {"roas_max": 2000.0},
        "error",
    ),
    (
        "media_plausible",
        lambda least, limits: check_media(
            _scores(SOUND),
            _returns("cpa", tv=2.0),
            limits if limits != LIMITS else ThresholdConfig(cost_per_conversion_min=least),
        ),
        1.0,
        5.0,
        {"cost_per_conversion_min": 0.5},
        "error",
    ),
    (
        "media_known",
        lambda far, limits: check_known(
            _scores({"media_share_far": far, "media_share_q05": 0.01, "media_share_q95": 0.1}), limits
        ),
        0.04,
        0.3,
        {"media_far_max": 0.4},
        "warning",
    ),
    ("media_supported", _support, (0.9, 0.4), (3.0, 0.5), {"media_support_min": 0.4}, "warning"),
    ("media_supported", _support, (1.0, 0.2), (0.2, 0.1), {"media_support_min": 0.01}, "error"),
    (
        "controls_plausible",
        _controls,
        {"price": -1.2, "promo": 0.1},
        {"rival": 0.75},
        {"control_share_max": 0.8},
        "error",
    ),
    ("curves_plausible", _curves, (0.1, 0.2), (0.9, 0.2), {"flat_response_max": 0.95}, "warning"),
    (
        "residuals",
        lambda value, limits: check_residuals(_scores({"residual_autocorrelation": value}), limits),
        -0.2,
        0.9,
        {"autocorrelation_max": 1.0},
        "warning",
    ),
    (
        "prior_pushes",
        check_priors,
        _parameters(a=0.5),
        _parameters(a=0.5, b=1.2, c=1.2),
        {"prior_pushes_max": 2},
        "warning",
    ),
    (
        "prior_pushes",
        check_priors,
        _parameters(a=0.5),
        _parameters(a=-0.1, b=-0.1),
        {"prior_pushes_max": 2},
        "warning",
    ),
]


@pytest.mark.parametrize(("check", "ask", "good", "bad", "override", "severity"), PLAUSIBILITY)
def test_every_check_fails_and_every_threshold_can_be_moved(
    check: str, ask: Any, good: Any, bad: Any, override: dict[str, float], severity: str
) -> None:
    """One row per number that is judged: passes, fails, passes under the client's own threshold."""
    passed, failed = ask(good, LIMITS), ask(bad, LIMITS)
    assert (passed.check, passed.outcome, failed.outcome) == (check, "passed", "failed"), failed.reason
    assert ask(bad, ThresholdConfig.model_validate(override)).passed
    assert (failed.severity, failed.blocking) == (severity, False)


@pytest.mark.parametrize(
    "verdict",
    [
        check_explained(_scores({}), LIMITS),
        check_baseline(_scores({}), LIMITS),
        check_baseline(_scores({"baseline_negative": math.nan}), LIMITS),
        check_media(_scores({}), _returns(tv=3.0), LIMITS),
        check_known(_scores({}), LIMITS),
        check_support(_scores({}), LIMITS),
        check_support(_scores({}), ThresholdConfig(media_support_min=0.0)),
        _support((0.2, 0.1), ThresholdConfig(media_support_min=0.0)),
        check_controls(_scores({}), LIMITS),
        check_curves(_scores({}), LIMITS),
        _curves((math.nan, 0.2), LIMITS),
        check_explanations(_scores({})),
        check_explanations(_scores({"explanations": math.nan})),
        check_residuals(_scores({}), LIMITS),
        check_priors(_parameters(a=0.5).assign(prior_q01=math.nan), LIMITS),
    ],
    ids=lambda verdict: verdict.check,
)
def test_what_is_not_known_is_not_judged(verdict: Any) -> None:
    """Neither passed nor failed."""
    assert verdict.outcome == "not judged"
    assert not verdict.passed
    assert not verdict.failed


def test_media_may_not_exceed_what_the_client_said() -> None:
    """The 95% point of the client's own prior is the limit where it lies below the general one."""
    verdict = check_media(
        _scores({"media_share": 0.3, "media_share_prior_q95": 0.15}), _returns(tv=1.0), LIMITS
    )
    assert verdict.failed
    assert verdict.reason == "media bring 30% of the target, wanted at most 15% (the 95% point of its prior)"


@pytest.mark.parametrize(("support", "says_so"), [((0.3, 0.9), True), ((1.3, 0.4), False), (None, False)])
def test_a_total_that_may_be_nothing_is_called_so(support: tuple[float, float] | None, says_so: bool) -> None:
    """No interval of a positive prior reaches 0: the rows are asked by themselves whether media bring anything."""
    numbers = {"media_share_far": 0.38, "media_share_q05": 0.008, "media_share_q95": 0.114}
    if support is not None:
        numbers |= dict(zip(("media_support", "media_support_sd"), support, strict=True))
    assert ("may as well bring nothing" in check_known(_scores(numbers), LIMITS).reason) == says_so


def test_returns_that_are_all_out_of_bounds_ask_for_the_unit() -> None:
    """Spend in thousands puts every channel's return beyond belief; a fault of one channel does not."""
    every = _media((SOUND, _returns(tv=900.0, search=2400.0)), LIMITS)
    one = _media((SOUND, _returns(tv=900.0, search=2.0)), LIMITS)
    assert "is spend counted in thousands" in every.reason
    assert "is spend counted in thousands" not in one.reason


def test_no_interval_of_something_reads_as_nothing() -> None:
    """Media that bring 0.003% of a target that hardly moves do not bring '0.0% to 0.0%'."""
    numbers = {"media_share_far": 0.12, "media_share_q05": 0.000034, "media_share_q95": 0.000151}
    assert "bring 0.0034% to 0.015% of" in check_known(_scores(numbers), LIMITS).reason
    assert "bring 0.009% of" in _media((SOUND | {"media_share": 9e-5}, _returns()), LIMITS).reason


def test_a_flat_curve_of_a_channel_that_brings_nothing_is_no_fault() -> None:
    """Half a percent of the target is no baseline."""
    assert _curves((0.9, 0.005), LIMITS).passed


def test_a_channel_whose_curve_is_not_known_leaves_the_others_to_be_judged() -> None:
    """It neither passes nor fails; of a channel whose share is not known, a flat curve matters."""
    known = _scores({"kept_at_tenth": 0.9, "channel_share": 0.2}, channel="tv")
    unknown = _scores({"kept_at_tenth": math.nan, "channel_share": 0.2}, channel="radio")
    assert set(check_curves(pd.concat([known, unknown]), LIMITS).numbers) == {"kept_at_tenth_tv"}
    assert _curves((0.9, math.nan), LIMITS).failed


def test_a_fit_that_misses_by_more_than_the_mean_says_so() -> None:
    """R² far below 0 is not a percentage."""
    reason = check_explained(_scores({"r_squared": -5738.0}, split="train"), LIMITS).reason
    assert reason == "the fit misses its training rows by more than their mean does (R² -5,738.00)"


def test_a_fit_of_all_but_a_few_outliers_explains() -> None:
    """Five slips of an export have most of the squares of 130 rows; what the others follow is no bad model."""
    train = _scores({"r_squared": 0.04}, split="train")
    assert check_explained(train, LIMITS).failed
    assert check_explained(pd.concat([train, _scores({"r_squared_usual": 0.6})]), LIMITS).passed
    assert check_explained(pd.concat([train, _scores({"r_squared_usual": math.nan})]), LIMITS).failed
    hopeless = _scores({"r_squared": -3e6}, split="train")
    assert check_explained(pd.concat([hopeless, _scores({"r_squared_usual": 0.6})]), LIMITS).failed


def test_as_many_pushes_as_chance_brings_pass() -> None:
    """With right priors 2% of parameters lie outside: of 95 six at most in 99 of 100 cases."""
    slightly = {f"p{number}": 1.1 for number in range(6)}
    inside = {f"q{number}": 0.5 for number in range(89)}
    assert check_priors(_parameters(**slightly, **inside), LIMITS).passed
    assert check_priors(_parameters(**slightly, p6=1.1, **inside), LIMITS).failed


def test_a_slope_above_its_prior_is_no_chance() -> None:
    """A channel that works from a threshold on: with slopes that priors rule out its total was twice the truth."""
    others = {f"p{number}": 0.5 for number in range(40)}
    chance = check_priors(_parameters(**others, gamma=1.05), LIMITS)
    steep = check_priors(_parameters(**others, saturation_slope=1.05), LIMITS)
    flat = check_priors(_parameters(**others, saturation_slope=-0.05), LIMITS)
    assert (chance.passed, steep.passed, flat.passed) == (True, False, True)
    assert steep.reason.startswith(
        "1 of 41 parameters lies outside the 1% to 99% of its prior: saturation_slope"
    )
    assert (
        "wanted at most 3 and no slope above it: a curve this steep works from a threshold on" in steep.reason
    )
    own_curve = check_priors(_parameters(**others, saturation_hill_slope=1.05), LIMITS)
    assert own_curve.failed
    assert check_priors(
        _parameters(**others, saturation_slope=1.05), ThresholdConfig(prior_pushes_max=1)
    ).passed


def test_a_parameter_far_outside_its_prior_is_no_chance() -> None:
    """Further out than its range is wide."""
    inside = {f"q{number}": 0.5 for number in range(89)}
    verdict = check_priors(_parameters(far=2.1, **inside), LIMITS)
    assert verdict.failed
    assert "far 2.1 (prior 0 to 1)" in verdict.reason
    assert check_priors(_parameters(far=1.9, **inside), LIMITS).passed
