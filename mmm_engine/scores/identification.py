"""Whether a channel's contribution, and with it its return, can be read: the one rule that everybody asks.

Here: the rule, the words for its answers, the answers for scores that were stored.
Not here: the evidence (results/evidence.py, fleets/recovery.py), what an answer means for the model as a whole
(gates.py).

The limits were chosen on simulated clients with known truth, and tried on others: docs/truth.md has the table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.rows.feedback import FOLLOWS_T
from mmm_engine.scores.truth_scores import jeffreys_band

IDENTIFIED, WEAK, NOT_IDENTIFIED = 1.0, 0.5, 0.0
"""Values of the score `identified`."""

READABLE_LOG_SD, CAREFUL_LOG_SD = 0.5, 0.7
"""Sd of a log contribution up to which it is read, or read with care: 90% intervals of a factor 2.3 or 3.2 each way."""

FEW_SIMULATIONS = 10
"""Simulations below which their coverage says nothing against a channel."""

NOT_TESTED = "not tested"
_READINGS = {IDENTIFIED: "can be read", WEAK: "read with care", NOT_IDENTIFIED: "do not read"}
_CONTRACTION_MIN = 0.5
_OUT_OF_LINE_MAX = 2.0
_AUTOCORRELATION_MAX = 0.15
_DAYS_PER_ROW_MIN = 7.0
_SMALL_SHARE = 0.01
_PARTNER_CORRELATION = -0.4
_COVERAGE = 0.9
_REFUTED_LEVEL = 0.998  # one channel in a thousand that is calibrated is called wrong

Reason = Literal[
    "precise",
    "imprecise",
    "wide",
    "small",
    "together",
    "prior",
    "out_of_line",
    "rows_err_together",
    "daily_rows",
    "follows_sales",
    "refuted",
    "not_found_again",
    "not_tested",
]

WHY: Mapping[Reason, str] = {
    "precise": "the rows tell its effect well enough",
    "imprecise": "the rows tell its effect roughly: it could be two or three times smaller or larger",
    "wide": "the rows tell too little of its effect: it could be several times smaller or larger",
    "small": "too small to be told from nothing",
    "together": "only its sum with {partner} can be read: the rows cannot tell the two apart",
    "prior": "its interval is narrow because the prior is: the rows say little of it",
    "out_of_line": "its return lies far above the other channels': its spend may follow a demand of its own",
    "rows_err_together": "what the model leaves open moves in waves, so that intervals are narrower than they look",
    "daily_rows": "in daily rows effects that last for weeks are hard to tell from a baseline that moves",
    "follows_sales": "its spend follows last period's sales, which the model takes for its effect",
    "refuted": "on simulated sales its 90% intervals held the known answer too seldom",
    "not_found_again": "on simulated sales with a known answer the model did not find it again",
    "not_tested": "nothing is stored that tells",
}
"""Why a channel has its reading, as the end of a sentence; `{partner}` is another channel."""

REMEDY: Mapping[Reason, str] = {
    "precise": "",
    "imprecise": "vary this channel's spend on its own, or run a lift test",
    "wide": "vary this channel's spend on its own, or run a lift test",
    "small": "read no return from it; its share of sales is bounded",
    "together": "read the two as one, or vary one of them while the other stays",
    "prior": "check where the prior comes from, or run a lift test",
    "out_of_line": "add what drives demand as a control, or run a lift test",
    "rows_err_together": "add a trend, a season or the control that is missing",
    "daily_rows": "add the rows up to weeks and compare, or run a lift test",
    "follows_sales": "add what drives demand as a control, or run a lift test",
    "refuted": "look at the checks of the sampler and at the priors of this channel",
    "not_found_again": "vary this channel's spend on its own, or run a lift test",
    "not_tested": "refresh the client",
}
"""What can be done about it, "" where nothing need be."""


@dataclass(frozen=True)
class ChannelEvidence:
    """What is known about how well a channel's contribution is known; NaN where it was not looked at.

    Attributes:
        log_sd: Posterior sd of the logarithm of the contribution.
        robust_log_sd: The same where neighbouring rows err together.
        log_contraction: 1 - posterior variance / prior variance of that logarithm.
        out_of_line: Return against those of the other channels, in standard deviations.
        residual_autocorrelation: Of neighbouring training rows, the same for all channels.
        days_per_row: Usual number of days from one row to the next, the same for all channels.
        follows_sales: t value of last period's sales for this channel's spend.
        upper_share: Upper end of the 90% interval of its share of the target.
        partner_correlation: Posterior correlation with the contribution of the channel it trades places with.
        together_log_sd: `robust_log_sd` of the sum of both.
        recovery: Median recovery of the contribution over simulations.
        coverage: Share of simulations whose 90% interval held the truth.
        simulations: How many.
    """

    log_sd: float = math.nan
    robust_log_sd: float = math.nan
    log_contraction: float = math.nan
    out_of_line: float = math.nan
    residual_autocorrelation: float = math.nan
    days_per_row: float = math.nan
    follows_sales: float = math.nan
    upper_share: float = math.nan
    partner_correlation: float = math.nan
    together_log_sd: float = math.nan
    recovery: float = math.nan
    coverage: float = math.nan
    simulations: int = 0


@dataclass(frozen=True)
class Reading:
    """Whether a channel can be read.

    Attributes:
        channel: Its column.
        identified: 1 can be read, 0.5 with care, 0 not; NaN when nothing was looked at.
        reason: Why.
        partner: The channel that it can only be read together with, "" when there is none.
    """

    channel: str
    identified: float
    reason: Reason
    partner: str = ""

    @property
    def words(self) -> str:
        """The reading as an instruction."""
        return reading_of(self.identified)

    @property
    def why(self) -> str:
        """Why, as the end of a sentence."""
        return WHY[self.reason].format(partner=self.partner)


def identification(evidence: ChannelEvidence, recovery_min: float) -> tuple[float, Reason]:
    """The score `identified` of a channel and the reason.

    Let w be the larger of `log_sd` and `robust_log_sd`.

    0, not identified: from 10 simulations on, their recovery lies below `recovery_min`, or the 90% intervals clearly
    held the truth less often than they promise (the 99.8% Jeffreys band of their coverage ends below 0.9: of 20 at most
    12 held it); or w is above 0.7. Such a channel is "small" when its share of the target is below 1% with 95%
    probability, and "together" when its contribution trades places with another's (correlation below -0.4) and their
    sum has a w of at most 0.5.

    1, identified: w is at most 0.5 and nothing speaks against it. 0.5, weak, is everything between, and what has a
    narrow interval for a doubtful reason: the prior (contraction below 0.5), a return more than 2 standard deviations
    above the other channels', residuals with an autocorrelation above 0.15, spend that follows sales (t above 3.5),
    or rows that are days.

    What was not looked at (NaN) speaks for or against nobody; without any posterior evidence the answer is NaN, unless
    simulations say no.

    Args:
        evidence: What is known of the channel.
        recovery_min: The client's threshold for what simulations must find again.

    Reference: Brown, Cai & DasGupta (2001), doi:10.1214/ss/1009213286 (Jeffreys interval).

    >>> identification(ChannelEvidence(log_sd=0.2, robust_log_sd=0.3, log_contraction=0.9), 0.3)
    (1.0, 'precise')
    >>> identification(ChannelEvidence(log_sd=0.2, robust_log_sd=0.9, log_contraction=0.9), 0.3)
    (0.0, 'wide')
    """
    if evidence.simulations >= FEW_SIMULATIONS:
        hits = round(evidence.coverage * evidence.simulations)
        if jeffreys_band(hits, evidence.simulations, _REFUTED_LEVEL)[1] < _COVERAGE:
            return NOT_IDENTIFIED, "refuted"
        if evidence.recovery < recovery_min:
            return NOT_IDENTIFIED, "not_found_again"
    width = max(evidence.log_sd, evidence.robust_log_sd)
    if math.isnan(width):
        return math.nan, "not_tested"
    if width > CAREFUL_LOG_SD:
        return NOT_IDENTIFIED, _why_wide(evidence)
    doubts: dict[Reason, bool] = {
        "prior": evidence.log_contraction < _CONTRACTION_MIN,
        "follows_sales": evidence.follows_sales > FOLLOWS_T,
        "out_of_line": evidence.out_of_line > _OUT_OF_LINE_MAX,
        "rows_err_together": evidence.residual_autocorrelation > _AUTOCORRELATION_MAX,
        "daily_rows": evidence.days_per_row < _DAYS_PER_ROW_MIN,
    }
    for reason, applies in doubts.items():
        if applies:
            return WEAK, reason
    if width > READABLE_LOG_SD:
        return WEAK, "together" if _is_pair(evidence) else "imprecise"
    return IDENTIFIED, "precise"


def readings(
    scores: pd.DataFrame, recovery: pd.DataFrame | None, recovery_min: float, channels: Sequence[str]
) -> dict[str, Reading]:
    """The reading of every channel, from scores as they are stored.

    Args:
        scores: Scores of the window of all rows, with those of `results.evidence.channel_evidence`.
        recovery: Scores of simulations (`fleets.recovery.summarise_recovery`), None without any.
        recovery_min: The client's threshold.
        channels: The client's channels, in the order of its file.
    """
    posterior = _wide(scores[scores["split"] == "train"])
    simulated = {} if recovery is None else _wide(recovery)
    everywhere = posterior.get("all", {})
    simulations = simulated.get("all", {}).get("simulations", math.nan)
    names = {field.name for field in fields(ChannelEvidence)} - {"recovery", "coverage", "simulations"}
    result = {}
    for channel in channels:
        numbers = {**everywhere, **posterior.get(channel, {})}
        refitted = simulated.get(channel, {})
        is_simulated = math.isfinite(simulations) and math.isfinite(
            refitted.get("contribution_coverage_90", math.nan)
        )
        evidence = ChannelEvidence(
            **{name: value for name, value in numbers.items() if name in names},
            recovery=refitted.get("contribution_recovery", math.nan),
            coverage=refitted.get("contribution_coverage_90", math.nan),
            simulations=int(simulations) if is_simulated else 0,
        )
        identified, reason = identification(evidence, recovery_min)
        partner = numbers.get("partner", math.nan)
        other = channels[int(partner)] if reason == "together" and 0 <= partner < len(channels) else ""
        result[channel] = Reading(channel, identified, reason, other)
    return result


def identified_scores(readings_by_channel: Mapping[str, Reading], split: str) -> pd.DataFrame:
    """The score `identified` of every channel as a score frame, so that history and BI tools have it."""
    rows = [
        (split, name, "identified", each.identified, "score") for name, each in readings_by_channel.items()
    ]
    return pd.DataFrame(rows, columns=["split", "channel", "metric", "value", "unit"])


def interval_factor(log_sd: Floats) -> Floats:
    """How far the ends of a 90% interval lie from its middle, as a factor: exp(1.645 sd) of a log-normal contribution.

    >>> interval_factor(np.array([0.4])).round(1)
    array([1.9])
    """
    return np.asarray(np.exp(1.645 * log_sd))


def reading_of(identified: float) -> str:
    """A score `identified` as an instruction to a reader.

    >>> reading_of(1.0), reading_of(0.5), reading_of(0.0), reading_of(float("nan"))
    ('can be read', 'read with care', 'do not read', 'not tested')
    """
    return _READINGS.get(identified, NOT_TESTED)


def _why_wide(evidence: ChannelEvidence) -> Reason:
    if _is_pair(evidence):
        return "together"
    return "small" if evidence.upper_share < _SMALL_SHARE else "wide"


def _is_pair(evidence: ChannelEvidence) -> bool:
    """Whether the sum with another channel is known where the channel is not."""
    trades_places = evidence.partner_correlation < _PARTNER_CORRELATION
    return trades_places and evidence.together_log_sd <= READABLE_LOG_SD


def _wide(scores: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Values by channel and metric."""
    values: dict[str, dict[str, float]] = {}
    for channel, metric, value in zip(scores["channel"], scores["metric"], scores["value"], strict=True):
        values.setdefault(str(channel), {})[str(metric)] = float(value)
    return values
