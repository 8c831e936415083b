"""The outcome of one check, and the judgement on a client that follows from all of them.

Here: `Verdict`, checks over all windows, `judge`.
Not here: the checks themselves (gates.py, plausibility.py), what a failure means and what to do (advice.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from mmm_engine.client.windows import Window

Severity = Literal["error", "warning"]
Outcome = Literal["passed", "failed", "not judged"]
Judgement = Literal["usable", "usable with care", "do not use"]

#: Checks without which nobody knows whether the model is sound: where they could not be judged, care is asked for.
NEEDED = frozenset({"sampler_converged", "holdout_skill"})


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check.

    Attributes:
        check: Name of the check, the same in Dagster, history and report.
        passed: Whether the numbers are inside their thresholds; False where nothing could be judged.
        severity: "error" when a failure makes the model unfit for decisions.
        blocking: Whether a failure stops what comes after it.
        reason: One sentence with the number and its threshold.
        numbers: The numbers the verdict was read from.
        window: The window judged, or None for the client as a whole.
        judged: Whether there was anything to judge.
    """

    check: str
    passed: bool
    severity: Severity
    blocking: bool
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)
    window: Window | None = None
    judged: bool = True

    def __post_init__(self) -> None:
        if self.passed and not self.judged:
            raise ValueError(f"the check '{self.check}' was not judged, so that it cannot have passed")

    @property
    def failed(self) -> bool:
        """Whether the numbers are outside their thresholds."""
        return self.judged and not self.passed

    @property
    def outcome(self) -> Outcome:
        """In words."""
        if not self.judged:
            return "not judged"
        return "passed" if self.passed else "failed"


def not_judged(check: str, reason: str, window: Window | None = None) -> Verdict:
    """The verdict of a check that had nothing to judge: neither good nor bad news."""
    return Verdict(check, False, "warning", False, reason, window=window, judged=False)


@dataclass(frozen=True)
class CheckResult:
    """One check over all windows that it was asked of: a fault that several windows share is one fault.

    Attributes:
        verdicts: Its verdicts, those of the worst outcome first.
    """

    verdicts: tuple[Verdict, ...]

    @property
    def check(self) -> str:
        """Name of the check."""
        return self.verdicts[0].check

    @property
    def outcome(self) -> Outcome:
        """Failed where a window failed, passed where one passed and none failed."""
        outcomes = {verdict.outcome for verdict in self.verdicts}
        return next(word for word in _WORST_FIRST if word in outcomes)

    @property
    def severity(self) -> Severity:
        """That of the worst failure."""
        is_error = any(verdict.failed and verdict.severity == "error" for verdict in self.verdicts)
        return "error" if is_error else "warning"

    @property
    def worst(self) -> tuple[Verdict, ...]:
        """The verdicts that decide: of failures those of the worst severity."""
        return tuple(
            verdict
            for verdict in self.verdicts
            if verdict.outcome == self.outcome and (not verdict.failed or verdict.severity == self.severity)
        )

    @property
    def reason(self) -> str:
        """That of the first verdict that decides."""
        return self.worst[0].reason

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows of the verdicts that decide."""
        return tuple(verdict.window for verdict in self.worst if verdict.window is not None)


_WORST_FIRST: tuple[Outcome, ...] = ("failed", "passed", "not judged")


def by_check(verdicts: Iterable[Verdict]) -> tuple[CheckResult, ...]:
    """One result for each check, errors first, then other failures, then what was not judged, then what passed."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.check, []).append(verdict)
    return tuple(sorted((CheckResult(tuple(group)) for group in groups.values()), key=_badness))


def _badness(result: CheckResult) -> int:
    if result.outcome == "failed":
        return 0 if result.severity == "error" else 1
    return 2 if result.outcome == "not judged" else 3


def judge(verdicts: Iterable[Verdict]) -> Judgement:
    """The model as a whole.

    Unfit when an error failed; to be used with care when only warnings did, or when a check could not be judged without
    which nobody knows whether the model is sound.
    """
    results = by_check(verdicts)
    failed = [result for result in results if result.outcome == "failed"]
    if any(result.severity == "error" for result in failed):
        return "do not use"
    unknown = any(result.outcome == "not judged" and result.check in NEEDED for result in results)
    return "usable with care" if failed or unknown else "usable"


def beside_limit(value: float, limit: float, digits: int = 4) -> str:
    """A number beside its limit, with as many digits as it takes to see on which side it lies.

    Args:
        value: The number.
        limit: Its limit.
        digits: Significant digits that are told at least.

    >>> beside_limit(1.0124, 1.01), beside_limit(1.01004, 1.01), beside_limit(399.0, 400.0)
    ('1.012', '1.01004', '399')
    """
    if math.isnan(value):
        return "not defined"
    texts = (f"{value:.{number}g}" for number in range(digits, 17))
    return next((text for text in texts if float(text) != limit), repr(value))


def share_beside_limit(share: float, limit: float) -> str:
    """A share in percent beside its limit, as `beside_limit` tells numbers.

    >>> share_beside_limit(0.82, 0.7), share_beside_limit(0.7001, 0.7), share_beside_limit(0.7, 0.7)
    ('82%', '70.01%', '70%')
    """
    if math.isnan(share):
        return "not defined"
    texts = (f"{share:.{digits}%}" for digits in range(15))
    differing = (text for text in texts if float(text[:-1]) != float(f"{100.0 * limit:.12g}"))
    return f"{share:.0%}" if share == limit else next(differing, f"{share:%}")


def share_words(share: float) -> str:
    """A share in percent with one decimal; one that would then read 0.0% has two significant digits.

    >>> share_words(0.168), share_words(0.002), share_words(0.000034), share_words(0.0)
    ('16.8%', '0.2%', '0.0034%', '0.0%')
    """
    return f"{share:.1%}" if abs(share) >= _LEAST_DECIMAL or not share else f"{100.0 * share:.2g}%"


_LEAST_DECIMAL = 0.001
