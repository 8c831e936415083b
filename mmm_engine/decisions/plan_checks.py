"""Whether stored advice may be followed as it stands: there is some, it is proven, it stays within what was seen.

Here: `advice_verdicts`, from the record of a plan.
Not here: the record (advice_record.py), when a model gives no advice (guards.py), what a failure means
(scores/advice.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmm_engine.decisions.certificate import NEGLIGIBLE
from mmm_engine.decisions.plan_words import in_draws
from mmm_engine.scores.verdict import Verdict, not_judged

GIVEN, PROVEN, WITHIN_SEEN = "advice_given", "advice_proven", "advice_within_seen"


def advice_verdicts(record: Mapping[str, Any]) -> tuple[Verdict, ...]:
    """Three verdicts on the output of `advice_record` or `refusal_record`; they do not count in the model's own."""
    if record["refused"]:
        reason = f"no advice: {'; '.join(record['refused'])}"
        nothing = "there is no advice to judge"
        given = Verdict(GIVEN, False, "warning", False, reason)
        return given, not_judged(PROVEN, nothing), not_judged(WITHIN_SEEN, nothing)
    gain = record["gain"]
    reason = (
        f"the plan beats today's {in_draws(gain['better'])}: {'move money' if record['acts'] else 'hold'}"
    )
    if record.get("frozen"):  # plans of earlier versions do not say
        reason = f"hold: {record['frozen']}"
    numbers = {"beats_today": gain["better"], "gain": gain["mean"]}
    return (
        Verdict(GIVEN, True, "warning", False, reason, numbers),
        _proven(record["proof"]),
        _within_seen(record["beyond_seen"], record["proof"]["without_history"]),
    )


def _proven(proof: Mapping[str, Any]) -> Verdict:
    if proof["gap_share"] is None:
        return not_judged(PROVEN, "whether a very different plan brings more is not known")
    numbers = {"gap_share": proof["gap_share"], "marginals_spread": proof["spread"]}
    equality = f"differ by {proof['spread']:.1e}" if proof["spread"] else "are equal"
    reason = f"another plan may bring {proof['gap_share']:.1e} more (at most {NEGLIGIBLE:.0e}), marginals {equality}"
    return Verdict(PROVEN, bool(proof["tight"]), "warning", False, reason, numbers)


def _within_seen(beyond: list[Mapping[str, Any]], without_history: list[str]) -> Verdict:
    channels = sorted({str(cell["channel"]) for cell in beyond} | set(without_history))
    numbers = {
        "amounts_beyond_seen": float(len(beyond)),
        "channels_without_history": float(len(without_history)),
    }
    reason = (
        f"more in one period than was ever seen: {', '.join(channels)}"
        if channels
        else "no period gets more than was ever seen"
    )
    return Verdict(WITHIN_SEEN, not channels, "warning", False, reason, numbers)
