"""Verdicts on a model: predicates on scores, with thresholds and reasons in words.

Here: what makes a model fit to publish, as pure functions of frames and thresholds.
Not here: how scores are computed (metrics.py, fleets/), Dagster asset checks (they call these).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check.

    Attributes:
        check: Name of the check, the same in Dagster, history and report.
        passed: Whether the numbers are inside their thresholds.
        severity: "error" when a failure makes the model unfit for decisions.
        blocking: Whether a failure stops what comes after it.
        reason: One sentence with the number and its threshold.
        numbers: The numbers the verdict was read from.
        window: The window judged, or None for the client as a whole.
    """

    check: str
    passed: bool
    severity: Severity
    blocking: bool
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)
    window: str | None = None
