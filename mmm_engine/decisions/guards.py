"""When a model gives no advice, and which channels it must leave alone.

Here: `refuse_unfit`, `unreadable_channels`, from verdicts and scores that are stored.
Not here: the verdicts (scores/verdict.py), the rule that says whether a channel can be read (scores/identification.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mmm_engine.errors import Fault, MMMError
from mmm_engine.scores.advice import subject_of
from mmm_engine.scores.identification import NOT_IDENTIFIED, readings
from mmm_engine.scores.verdict import Verdict, judge

UNFIT = "do not use"


class UnfitModelError(MMMError):
    """Advice was asked of a model that is not to be used.

    Attributes:
        reasons: What each failed check is about and what it found, as a page says it.
    """

    def __init__(self, who: str, faults: Sequence[Fault], reasons: Sequence[str] = ()) -> None:
        super().__init__(who, faults)
        self.reasons = tuple(reasons)


def refuse_unfit(client: str, verdicts: Sequence[Verdict]) -> None:
    """Refuses advice from a model whose verdict is "do not use".

    Raises:
        UnfitModelError: With the checks that failed.
    """
    if judge(verdicts) != UNFIT:
        return
    failed = [verdict for verdict in verdicts if verdict.failed and verdict.severity == "error"]
    faults = [
        Fault(
            f"check '{verdict.check}'",
            verdict.reason,
            "a model that may be used",
            "no money is to be moved by this model; mend what the check names and refresh",
        )
        for verdict in failed
    ]
    reasons = [f"{subject_of(verdict.check)}: {verdict.reason}" for verdict in failed]
    raise UnfitModelError(f"client '{client}', plan", faults, reasons)


def unreadable_channels(
    scores: pd.DataFrame, recovery: pd.DataFrame | None, channels: Sequence[str], recovery_min: float
) -> tuple[str, ...]:
    """Channels whose contribution must not be read, in their order; none where nothing is stored that tells.

    Args:
        scores: Scores of the window of all rows.
        recovery: Scores of simulations, None without any.
        channels: All channels of the client.
        recovery_min: The client's threshold for what simulations must find again.
    """
    told = readings(scores, recovery, recovery_min, channels)
    return tuple(name for name, reading in told.items() if reading.identified == NOT_IDENTIFIED)
