"""The canary of a batch: fitted before any client, and what a miss means for them.

Here: judging it, keeping the outcome, the tag that holds a batch back.
Not here: the canary itself (mmm_engine.fleets.canary), publishing (pages/publication.py).

A batch whose canary is missed is fitted and recorded as ever, so that people can look at it, but nothing of it is
published: the last good reports stay and say why.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mmm_assets.storage.io_managers import JsonFiles
from mmm_engine.errors import FitError

ITEM = "@canary"  # in the place of a client in a batch; no client can be called so


def judge() -> str:
    """Fit the canary and keep the outcome; why its batch is to be held back, "" when it was found."""
    from mmm_engine.fleets.canary import check_canary, simulated_canary

    numbers: dict[str, float] = {}
    try:
        verdict = check_canary(simulated_canary())
    except FitError as error:
        reason = str(error)
    else:
        reason, numbers = "" if verdict.passed else verdict.reason, verdict.numbers
    outcome = {"hold": reason, "numbers": numbers, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    JsonFiles().write("canary", None, outcome)
    return reason


def last_hold() -> str:
    """Why the last canary holds clients back; "" when it was found or never fitted."""
    files = JsonFiles()
    outcome: dict[str, Any] = files.read("canary") if files.has("canary") else {}
    return str(outcome.get("hold", ""))
