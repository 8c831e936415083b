"""What a plan says in one sentence: what to do, what that gains, and how sure it is.

Here: the words of advice, how amounts and shares of draws are said, the sentence where nothing may move.
Not here: the plan (budget_plan.py), the report's words (report/sections/budget.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

RAISE, HOLD, CUT, TEST_FIRST = "raise", "hold", "cut", "test first"

_MOST_NAMED = 3


def written(amount: float) -> str:
    """An amount with the three digits that such a number has, thousands apart.

    >>> written(12345.6), written(-0.012345), written(1234567.0)
    ('12,300', '-0.0123', '1,230,000')
    """
    return f"{float(f'{amount:.3g}'):,.12g}"


def in_draws(share: float) -> str:
    """In how many draws something is so. Draws never know that something is certain or impossible.

    >>> in_draws(1.0), in_draws(0.731), in_draws(0.004)
    ('in nearly every draw', 'in 73% of draws', 'in hardly any draw')
    """
    if share > 0.99:
        return "in nearly every draw"
    return "in hardly any draw" if share < 0.01 else f"in {share:.0%} of draws"


def chance(share: float) -> str:
    """A share of draws where there is room for a number only.

    >>> chance(1.0), chance(0.731), chance(0.004)
    ('>99%', '73%', '<1%')
    """
    return ">99%" if share > 0.99 else "<1%" if share < 0.01 else f"{share:.0%}"


def moves_sentence(table: pd.DataFrame, gain: str, better: float) -> str:
    """What to raise and what to cut.

    Args:
        table: Output of `BudgetPlan.table`.
        gain: What the plan gains, in words.
        better: Share of draws in which it gains.
    """
    moved = table.assign(moved=(table["plan"] - table["today"]).abs())
    moved = moved.sort_values("moved", ascending=False, kind="stable")
    parts = [
        f"{verb} {', '.join(names)}"
        for verb in (RAISE, CUT)
        if (names := [str(name) for name in moved.loc[moved["advice"] == verb, "channel"]][:_MOST_NAMED])
    ]
    what = "; ".join(parts) or "keep the channels' totals and spread them as planned"
    return f"{what[:1].upper()}{what[1:]}: gains {gain}, and beats today {in_draws(better)}."


def resting(table: pd.DataFrame) -> list[str]:
    """Channels that spend nothing today and nothing in the plan, however much they would bring.

    Args:
        table: Output of `BudgetPlan.table`, or the channels of a record of it.

    >>> resting(pd.DataFrame({"channel": ["tv", "radio"], "today": [0.0, 5.0], "plan": [0.0, 0.0]}))
    ['tv']
    """
    return [str(name) for name in table.loc[(table["today"] == 0) & (table["plan"] == 0), "channel"]]


def frozen_reason(paid: Sequence[str], free: Sequence[str], unreadable: Sequence[str]) -> str:
    """Why no money can move, "" where some can.

    Args:
        paid: Channels that money buys.
        free: Those of them that may get more or less than today.
        unreadable: Channels whose return the model cannot read.

    >>> frozen_reason(["tv", "radio"], [], ["tv", "radio"])
    'the model cannot read the return of any channel, so that all go on as today; test one first (tv, radio)'
    >>> frozen_reason(["tv", "radio"], [], ["tv"])
    'nothing may move: the limits keep radio as today, and the model cannot read the return of tv'
    >>> frozen_reason(["tv", "radio"], ["tv"], [])
    ''
    """
    if free:
        return ""
    unknown = [name for name in paid if name in unreadable]
    kept = [name for name in paid if name not in unreadable]
    if not paid:
        return "no channel is bought with money, so that there is none to move"
    if not kept:
        return (
            "the model cannot read the return of any channel, so that all go on as today; "
            f"test one first ({_listed(unknown)})"
        )
    said = f"nothing may move: the limits keep {_listed(kept)} as today"
    return f"{said}, and the model cannot read the return of {_listed(unknown)}" if unknown else said


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
