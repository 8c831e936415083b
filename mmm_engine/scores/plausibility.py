"""Checks of what a converged fit says: could it be so? Each is asked of window `full`, which decisions are read from.

Here: media, controls, baseline, curves, priors, and whether the fit explains anything, as pure functions of frames.
Not here: how the numbers come about (results/plausibility.py), sampler and forecasts (gates.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import bdtr

from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.windows import FULL
from mmm_engine.scores.verdict import (
    Severity,
    Verdict,
    beside_limit,
    not_judged,
    share_beside_limit,
    share_words,
)

PUSHED_BY_CHANCE = 0.02  # of parameters that lie outside the central 98% of their prior when it is right
_SURE = 0.99  # chance allows no more pushes than it brings with this probability
_TO_90 = 1.6448536269514722  # standard deviations from a normal's middle to the end of its central 90%
_SLOPES = (
    r"saturation_(?:\w+_)?slope"  # parameters that decide what a curve does below the spend that was seen
)
_EXCUSABLE = -1.0  # R² of all rows from which on a few outliers may be what it lacks
_WORN_SHARE = 0.01  # of the target, that a channel must bring before its flat curve matters


def check_media(scores: pd.DataFrame, returns: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Media bring a share and returns that a business can have; beyond them an error.

    The share of all media may not exceed `media_share_max`, nor the 95% point of what the prior says of it. Median
    returns of channels may not exceed `roas_max`, median costs per conversion not fall below
    `cost_per_conversion_min`.

    Args:
        scores: Score frame of the window, with `media_share` and `media_share_prior_q95`.
        returns: Output of `channel_returns`.
        thresholds: The client's thresholds.
    """
    share, prior = _of_all(scores, "media_share"), _of_all(scores, "media_share_prior_q95")
    if math.isnan(share):
        return not_judged("media_plausible", "what media bring in total was not recorded; refresh the client")
    limit = min(thresholds.media_share_max, prior) if prior > 0.0 else thresholds.media_share_max
    faults = []
    if share > limit:
        whose = "the 95% point of its prior" if limit < thresholds.media_share_max else "media_share_max"
        faults.append(
            f"media bring {share_beside_limit(share, limit)} of the target, wanted at most {limit:.0%} ({whose})"
        )
    faults += _implausible_returns(returns, thresholds)
    reason = (
        "; ".join(faults) or f"media bring {share_words(share)} of the target, no return is out of bounds"
    )
    numbers = {"media_share": share, "media_share_limit": limit}
    return Verdict("media_plausible", not faults, "error", False, reason, numbers, FULL)


def _implausible_returns(returns: pd.DataFrame, thresholds: ThresholdConfig) -> Iterator[str]:
    medians = {
        metric: returns[returns["metric"] == metric].set_index("channel")["q50"] for metric in ("roas", "cpa")
    }
    if medians["cpa"].empty:  # a target that counts money
        high = medians["roas"][medians["roas"] > thresholds.roas_max].sort_values(ascending=False)
        if len(high):
            named = ", ".join(f"{channel} {value:,.4g}" for channel, value in high.head(3).items())
            yield (
                f"median return per unit of spend: {named}, wanted at most {thresholds.roas_max:g} (roas_max)"
                f"{_OTHER_UNITS if len(high) == len(medians['roas']) else ''}"
            )
    elif thresholds.cost_per_conversion_min is not None:
        cheap = medians["cpa"][medians["cpa"] < thresholds.cost_per_conversion_min].sort_values()
        if len(cheap):
            named = ", ".join(f"{channel} {value:,.4g}" for channel, value in cheap.head(3).items())
            least = f"{thresholds.cost_per_conversion_min:g} (cost_per_conversion_min)"
            yield f"median cost per conversion: {named}, wanted at least {least}"


_OTHER_UNITS = ", of every channel: is spend counted in thousands, or in another currency than the target?"


def check_known(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """What all media bring is known to within a factor of 2, by the posterior's own word.

    No rule that sees the rows alone can mark totals that are off by a factor better than the posterior's probability
    of that, as long as its intervals are calibrated: it is the likelihood ratio (Neyman and Pearson 1933).

    No prior on returns says that media bring nothing, so that no interval reaches 0. Where the rows alone do not rule
    it out (the 90% interval of `media_support` does), a failure says so.

    Args:
        scores: Score frame of the window, with `media_share_far`, the quantiles of `media_share`, and, if it was
            recorded, `media_support` with its standard error.
        thresholds: The client's thresholds.
    """
    far = _of_all(scores, "media_share_far")
    if math.isnan(far):
        return not_judged("media_known", "what media bring was not recorded; refresh the client")
    low, high = _of_all(scores, "media_share_q05"), _of_all(scores, "media_share_q95")
    reason = (
        f"all media bring {share_words(low)} to {share_words(high)} of the target (90% interval), "
        f"off by more than a factor of 2 with probability {share_beside_limit(far, thresholds.media_far_max)}, "
        f"wanted at most {thresholds.media_far_max:.0%}"
    )
    passed = far <= thresholds.media_far_max
    if not passed and _of_all(scores, "media_support") <= _TO_90 * _of_all(scores, "media_support_sd"):
        reason += "; by their movements from row to row media may as well bring nothing"
    return Verdict("media_known", passed, "warning", False, reason, {"media_share_far": far}, FULL)


def check_support(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """The movements of media from row to row support what media are credited with, slow movements left aside.

    An error where the 90% interval of the support lies below `media_support_min`: media took credit for something
    else. A warning where it lies above 1 over that: they bring more than they are credited with. An interval that
    reaches across says nothing; how well the total is known is asked by `media_known`. A limit of 0 leaves
    nothing to judge.

    Args:
        scores: Score frame of the window, with `media_support` and `media_support_sd`.
        thresholds: The client's thresholds.
    """
    if not thresholds.media_support_min:
        return not_judged("media_supported", "media_support_min is 0: nothing is asked of media")
    support, sd = _of_all(scores, "media_support"), _of_all(scores, "media_support_sd")
    if math.isnan(support) or math.isnan(sd):
        return not_judged("media_supported", "media do not move, or there are hardly more rows than terms")
    low, high = support - _TO_90 * sd, support + _TO_90 * sd
    least = thresholds.media_support_min
    most = 1.0 / least
    passed = high >= least and low <= most
    reason = (
        f"apart from trend and season the rows give media {low:.2f} to {high:.2f} times what they are credited with "
        f"(90% interval), wanted {least:g} to {most:g}"
    )
    severity: Severity = "error" if high < least else "warning"
    numbers = {"media_support": support, "media_support_sd": sd}
    return Verdict("media_supported", passed, severity, False, reason, numbers, FULL)


def check_baseline(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """Without media something would still be sold: everything but media, controls included, is not below 0.

    An error, because media are then credited with more than everything.

    Args:
        scores: Score frame of the window, with `baseline_negative`.
        thresholds: The client's thresholds.
    """
    value = _of_all(scores, "baseline_negative")
    if math.isnan(value):
        reason = "the target itself lies below 0 in many rows, or the baseline was not recorded"
        return not_judged("baseline_positive", reason)
    told = share_beside_limit(value, thresholds.baseline_negative_max)
    reason = (
        f"without media a training row is expected below 0 with probability {told}, "
        f"wanted at most {thresholds.baseline_negative_max:.0%}"
    )
    passed = value <= thresholds.baseline_negative_max
    return Verdict("baseline_positive", passed, "error", False, reason, {"baseline_negative": value}, FULL)


def check_controls(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """No single control moves most of the target; one that does takes it from baseline and media.

    Args:
        scores: Score frame of the window, with `control_share` of each control; a client without controls has none.
        thresholds: The client's thresholds.
    """
    shares = _of_each(scores, "control_share")
    if not shares:
        return not_judged(
            "controls_plausible", "the model has no controls, or their shares were not recorded"
        )
    heavy = {name: share for name, share in shares.items() if not share <= thresholds.control_share_max}
    numbers = {f"control_share_{name}": share for name, share in shares.items()}
    if heavy:
        named = ", ".join(
            f"'{name}' moves {share_beside_limit(share, thresholds.control_share_max)}"
            for name, share in heavy.items()
        )
        reason = (
            f"{named} of the target, wanted at most {thresholds.control_share_max:.0%} for a single control"
        )
    else:
        largest = max(shares, key=lambda name: shares[name])
        reason = f"the largest control, '{largest}', moves {shares[largest]:.0%} of the target"
    return Verdict("controls_plausible", not heavy, "error", False, reason, numbers, FULL)


def check_curves(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """No channel stands for the baseline: what it brings follows its media.

    A curve whose half-saturation lies far below the media seen is flat where there are data. Such a channel brings the
    same at a tenth of its media, as the baseline would.

    Args:
        scores: Score frame of the window, with `kept_at_tenth` and `channel_share` of each channel.
        thresholds: The client's thresholds.
    """
    kept, share = _of_each(scores, "kept_at_tenth"), _of_each(scores, "channel_share")
    kept = {name: value for name, value in kept.items() if not math.isnan(value)}
    if not kept:
        return not_judged("curves_plausible", "the curves were not recorded; refresh the client")
    flat = {
        name: value
        for name, value in kept.items()
        if value > thresholds.flat_response_max and not share.get(name, 1.0) < _WORN_SHARE
    }
    named = ", ".join(
        f"'{name}' {share_beside_limit(value, thresholds.flat_response_max)}" for name, value in flat.items()
    )
    reason = (
        f"with a tenth of its media a channel would still bring: {named}, "
        f"wanted at most {thresholds.flat_response_max:.0%}"
        if flat
        else "what every channel brings follows its media"
    )
    numbers = {f"kept_at_tenth_{name}": value for name, value in kept.items()}
    return Verdict("curves_plausible", not flat, "warning", False, reason, numbers, FULL)


def check_explained(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """The fit explains something of the rows that it was trained on; one that does not is no model of them.

    Where a few rows stand out, the others are judged: squares of outliers would drown what a fit explains. A fit that
    misses all rows together by more than twice their variance is not excused by any.

    Args:
        scores: Score frame of the window, with `r_squared` of the training rows, and `r_squared_usual` where recorded.
        thresholds: The client's thresholds.
    """
    train = scores[scores["split"] == "train"]
    value = _of_all(train, "r_squared")
    if value >= _EXCUSABLE:
        value = float(np.fmax(value, _of_all(scores, "r_squared_usual")))
    if math.isnan(value):
        return not_judged("fit_explains", "the target does not vary: there is nothing to explain")
    reason = (
        f"the fit explains {share_beside_limit(value, thresholds.r_squared_min)} of the movement of its "
        "training rows (R²), "
        f"wanted at least {thresholds.r_squared_min:.0%}"
        if value >= 0.0
        else f"the fit misses its training rows by more than their mean does (R² {value:,.2f})"
    )
    passed = value >= thresholds.r_squared_min
    return Verdict("fit_explains", passed, "error", False, reason, {"r_squared": value}, FULL)


def check_residuals(scores: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """What the fit leaves over has no memory: errors that last say that the baseline moves in a way it cannot follow.

    Args:
        scores: Score frame of the window, with `residual_autocorrelation`.
        thresholds: The client's thresholds.
    """
    value = _of_all(scores, "residual_autocorrelation")
    if math.isnan(value):
        return not_judged("residuals", "the residuals were not recorded; refresh the client")
    reason = (
        f"neighbouring errors of training rows correlate {beside_limit(value, thresholds.autocorrelation_max, 2)}, "
        f"wanted at most {thresholds.autocorrelation_max:g}"
    )
    passed = value <= thresholds.autocorrelation_max
    return Verdict("residuals", passed, "warning", False, reason, {"residual_autocorrelation": value}, FULL)


def check_explanations(scores: pd.DataFrame) -> Verdict:
    """The rows have one explanation: chains from different starts settle in one place.

    Args:
        scores: Score frame of the window, with `explanations`; of several, the shares that channels have in them.
    """
    name, count = "one_explanation", _of_all(scores, "explanations")
    if math.isnan(count):
        reason = (
            "a single chain cannot tell, or explanations were not counted; refresh the client with several"
        )
        return not_judged(name, reason)
    if count <= 1.0:
        return Verdict(
            name, True, "warning", False, "all chains settle in one place", {"explanations": count}, FULL
        )
    reason = f"{count:.0f} explanations fit the rows"
    low, high = _of_each(scores, "explanation_low"), _of_each(scores, "explanation_high")
    if high:
        widest = max(high, key=lambda channel: high[channel] - low[channel])
        reason += (
            f", the first with {_of_all(scores, 'explanation_weight'):.0%} of the weight: '{widest}' brings "
            f"{low[widest]:.1%} of the target in one, {high[widest]:.1%} in another"
        )
    return Verdict(name, False, "warning", False, reason, {"explanations": count}, FULL)


def check_priors(parameters: pd.DataFrame, thresholds: ThresholdConfig) -> Verdict:
    """The posterior stays where the prior allows: data that push against a prior call for another one.

    Of priors that are right 2% of parameters lie outside the central 98%; as many as chance brings pass, unless
    the client file sets `prior_pushes_max`. One that lies outside by more than the width of that range is no chance.
    Nor is the slope of a curve above its range: such a channel works from a threshold on, and what all channels bring
    below the spend that was seen hangs on slopes.

    Args:
        parameters: Columns parameter, q50, prior_q01, prior_q99, as `parameter_frame` gives them.
        thresholds: The client's thresholds.
    """
    if parameters["prior_q01"].isna().any():
        return not_judged("prior_pushes", "the ranges of the priors were not recorded; refresh the client")
    low, high, median = (parameters[name].to_numpy(dtype=float) for name in ("prior_q01", "prior_q99", "q50"))
    beyond = np.maximum(low - median, median - high)
    far = beyond > high - low
    steep = (median > high) & parameters["parameter"].str.match(_SLOPES).to_numpy(dtype=bool)
    count, allowed = int((beyond > 0.0).sum()), thresholds.prior_pushes_max
    if allowed is None:
        allowed = _pushes_by_chance(len(parameters))
    else:
        far, steep = np.zeros_like(far), np.zeros_like(steep)
    passed = count <= allowed and not far.any() and not steep.any()
    order = np.argsort(-beyond / np.maximum(high - low, 1e-300))[: min(count, 3)]
    named = ", ".join(
        f"{parameters['parameter'].iloc[at]} {median[at]:.3g} (prior {low[at]:.3g} to {high[at]:.3g})"
        for at in order
    )
    reason = (
        f"{count} of {len(parameters)} parameters {'lies' if count == 1 else 'lie'} outside the 1% to 99% of "
        f"{'its' if count == 1 else 'their'} prior{': ' + named if named else ''}, wanted at most {allowed}"
        f"{' and none by more than that range' if far.any() else ''}"
        f"{_TOO_STEEP if steep.any() else ''}"
    )
    return Verdict("prior_pushes", passed, "warning", False, reason, {"prior_pushes": float(count)}, FULL)


_TOO_STEEP = (
    " and no slope above it: a curve this steep works from a threshold on "
    "('saturation_slope: {distribution: Gamma, mu: 4, sigma: 2}' under 'priors' allows it)"
)


def _pushes_by_chance(parameters: int) -> int:
    """The 99% point of how many of so many parameters lie outside the central 98% of priors that are right."""
    counts = np.arange(parameters + 1.0)
    return int(np.argmax(bdtr(counts, parameters, PUSHED_BY_CHANCE) >= _SURE))


def _of_all(scores: pd.DataFrame, metric: str) -> float:
    """One score of the client as a whole; NaN where it is not recorded."""
    rows = scores.loc[(scores["metric"] == metric) & (scores["channel"] == "all"), "value"]
    return float(rows.iloc[0]) if len(rows) else math.nan


def _of_each(scores: pd.DataFrame, metric: str) -> dict[str, float]:
    """One score of every channel or control that has it."""
    rows = scores[(scores["metric"] == metric) & (scores["channel"] != "all")]
    return dict(zip(rows["channel"].astype(str), rows["value"].astype(float), strict=True))


def plausibility_verdicts(
    scores: pd.DataFrame,
    returns: pd.DataFrame,
    parameters: pd.DataFrame,
    thresholds: ThresholdConfig,
) -> tuple[Verdict, ...]:
    """All checks of this module, asked of window `full`.

    Args:
        scores: Its scores, sampler health and plausibility numbers in one score frame.
        returns: Output of `channel_returns`.
        parameters: Output of `parameter_frame`.
        thresholds: The client's thresholds.
    """
    return (
        check_explained(scores, thresholds),
        check_baseline(scores, thresholds),
        check_media(scores, returns, thresholds),
        check_known(scores, thresholds),
        check_support(scores, thresholds),
        check_controls(scores, thresholds),
        check_curves(scores, thresholds),
        check_residuals(scores, thresholds),
        check_explanations(scores),
        check_priors(parameters, thresholds),
    )
