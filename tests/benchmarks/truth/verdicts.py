"""Whether the platform's verdict warns where the total of media is wrong, and keeps quiet where it is right.

Here: verdicts as a fit's record keeps them, the verdict on a world from the records of its windows, the tables.
Not here: the checks (mmm_engine.scores), fitting (`fits.py`).

The recovery and stability fleets, drift and audits are not run in the study: a real refresh asks more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.windows import standard_window
from mmm_engine.scores.gates import check_skill
from mmm_engine.scores.verdict import Verdict, by_check, judge

Record = dict[str, Any]

RIGHT, WRONG = 1.25, 2.0  # factors of estimate over truth
_TO_95 = 1.6449  # standard deviations from the middle of a normal distribution to its 95% quantile
_WORDS = {
    "right": "within 25%",
    "between": "between",
    "wrong": "off by more than a factor of 2",
}


def kept(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Verdicts in the form in which a record keeps them."""
    return [
        {name: getattr(verdict, name) for name in ("check", "passed", "judged", "severity", "numbers")}
        for verdict in verdicts
    ]


def judged_worlds(records: Sequence[Record]) -> pd.DataFrame:
    """One row for each scheme and world whose window of all rows was fitted.

    Returns:
        Columns scheme, world, ratio (estimate over truth of all media), group ("right", "between" or "wrong"), verdict,
        failed (names of failed checks).
    """
    by_world: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if "error" not in record:
            by_world.setdefault((record["scheme"], record["world"]), []).append(record)
    rows = []
    for (scheme, world), fits in by_world.items():
        full = [fit for fit in fits if fit["window"] == "full"]
        ratio = full[0]["media"]["ratio"] if full else None
        if ratio is None:
            continue
        results = by_check(_verdicts(fits))
        failed = tuple(result.check for result in results if result.outcome == "failed")
        verdict = judge(verdict for result in results for verdict in result.verdicts)
        rows.append((scheme, world, ratio, group_of(ratio), verdict, failed))
    return pd.DataFrame(rows, columns=["scheme", "world", "ratio", "group", "verdict", "failed"])


def group_of(ratio: float) -> str:
    """How wrong a total is, by its estimate over its truth.

    >>> group_of(1.2), group_of(0.6), group_of(0.4)
    ('right', 'between', 'wrong')
    """
    off = abs(math.log(ratio)) if ratio > 0.0 else math.inf
    if off <= math.log(RIGHT):
        return "right"
    return "wrong" if off > math.log(WRONG) else "between"


def verdict_table(judged: pd.DataFrame) -> pd.DataFrame:
    """How often each verdict is given, by scheme and by how wrong the total is."""
    rows = []
    for scheme, worlds in judged.groupby("scheme", sort=False):
        for group, words in _WORDS.items():
            those = worlds[worlds["group"] == group]
            shares = {
                verdict: f"{(those['verdict'] == verdict).mean():.0%}" if len(those) else ""
                for verdict in ("usable", "usable with care", "do not use")
            }
            rows.append({"scheme": scheme, "total of media": words, "worlds": f"{len(those)}", **shares})
    return pd.DataFrame(rows)


def marking_table(records: Sequence[Record]) -> pd.DataFrame:
    """How many sound totals a rule must mark at least to catch wrong ones, if intervals are exactly right.

    Where truth over estimate is log-normal with the spread s that the posterior of a world's total has, the total is
    right with probability 2 Phi(log 1.25 / s) - 1 and wrong with 2 Phi(-log 2 / s). The best rule marks the worlds
    whose ratio of these is largest (Neyman and Pearson 1933, doi:10.1098/rsta.1933.0009): those with the largest s. A
    posterior that is right has taken in what the rows say, so that no second look at them does better.

    Returns:
        Columns scheme, "wrong totals caught", "sound totals marked", and what is expected to be wrong and right at all.
    """
    spreads: dict[str, list[float]] = {}
    for record in records:
        if "error" not in record and record["window"] == "full" and record["media"].get("share_q05"):
            low, high = record["media"]["share_q05"], record["media"]["share_q95"]
            spreads.setdefault(record["scheme"], []).append(math.log(high / low) / (2.0 * _TO_95))
    rows = []
    for scheme, spread in spreads.items():
        widest_first = sorted(spread, reverse=True)
        wrong = np.array([_off_by_more(WRONG, one) for one in widest_first])
        right = np.array([1.0 - _off_by_more(RIGHT, one) for one in widest_first])
        caught, marked = wrong.cumsum() / wrong.sum(), right.cumsum() / right.sum()
        for share in (0.7, 0.8, 0.9):
            at = int(np.searchsorted(caught, share))
            rows.append(
                (scheme, f"{share:.0%}", f"{marked[at]:.0%}", f"{wrong.mean():.0%}", f"{right.mean():.0%}")
            )
    names = [
        "scheme",
        "wrong totals caught",
        "sound totals marked",
        "expected to be wrong",
        "expected to be sound",
    ]
    return pd.DataFrame(rows, columns=names)


def check_table(judged: pd.DataFrame) -> pd.DataFrame:
    """How often each check fails, by how wrong the total is; checks that never fail are left out."""
    checks = sorted({check for failed in judged["failed"] for check in failed})
    rows = []
    for scheme, worlds in judged.groupby("scheme", sort=False):
        for check in checks:
            fails = np.array([check in failed for failed in worlds["failed"]])
            cells = {
                words: f"{fails[worlds['group'] == group].mean():.0%}"
                if (worlds["group"] == group).any()
                else ""
                for group, words in _WORDS.items()
            }
            rows.append({"scheme": scheme, "check": check, **cells})
    return pd.DataFrame(rows)


def _off_by_more(factor: float, spread: float) -> float:
    """The probability that a log-normal variable with median 1 is off by more than a factor."""
    return math.erfc(math.log(factor) / spread / math.sqrt(2.0))


def _verdicts(fits: Sequence[Record]) -> list[Verdict]:
    """The verdicts on a world: those on each of its windows, and the one on its forecasts over all of them."""
    told = [
        Verdict(
            one["check"],
            one["passed"],
            one["severity"],
            False,
            "",
            {},
            standard_window(fit["window"]),
            one["judged"],
        )
        for fit in fits
        for one in fit["verdicts"]
    ]
    skills = {
        standard_window(fit["window"]): fit["forecast"].get("skill")
        for fit in fits
        if fit["window"] != "full"
    }
    skill = {window: math.nan if value is None else value for window, value in skills.items()}
    return [*told, check_skill(skill, ThresholdConfig())]
