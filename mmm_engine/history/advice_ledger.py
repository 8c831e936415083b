"""The advice ledger: what was advised, frozen when it was said, what was spent, and what happened.

Here: rows of the ledger as frames: freezing advice, filling in what came of it, all vintages together.
Not here: where the ledger is kept (advice_store.py), the bridge from what was expected to what happened
(decisions/advice_draws.py).

A vintage is one piece of advice: client, cutoff, version of the data, and version of what was asked for. It has one row
for each channel and one for all of them. The first advice of a vintage stays. What came of it is filled in when every
period of it has come, and follows the data when a period is restated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.history.tables import ADVICE_LEDGER, ALL_CHANNELS, utc_naive

VINTAGE = ("client", "cutoff", "data_version", "request_version")
OUTCOME = ("spent", "delivery", "happened", "rest", "pit")
"""What is filled in later: money; what the difference between spent and advised was expected to bring; the target;
what is left of it; and, as `pit`, the probability of less than what happened."""


def vintage_rows(
    client: str,
    channels: Sequence[Mapping[str, Any]],
    *,
    expected: Mapping[str, float],
    acts: bool,
    dates: tuple[pd.Timestamp, pd.Timestamp],
    cutoff: pd.Timestamp,
    issued_at: datetime,
    run_id: str,
    data_version: str,
    request_version: str,
) -> pd.DataFrame:
    """Ledger rows of one piece of advice, one per channel and one for all, of which nothing has come yet.

    Args:
        client: Id of the client.
        channels: Of each channel: channel, advice, today and advised (money of the window), marginal (what the next
            unit of money brings), expected (target in the window), and whether it is `paid`.
        expected: Of the whole target in the window under the advice: mean, q05, q95.
        acts: Whether money was to be moved.
        dates: First and last period of the window.
        cutoff: Last training date.
        issued_at: When it was said; without a zone it is taken as UTC.
        run_id: The run that said it.
        data_version: Version of the data it was made from.
        request_version: Version of what was asked for.

    Raises:
        ValueError: If the window does not lie after the cutoff, or a channel comes twice.
    """
    if not cutoff < dates[0] <= dates[1]:
        raise ValueError(
            f"advice for {dates[0]:%Y-%m-%d} to {dates[1]:%Y-%m-%d} at a cutoff {cutoff:%Y-%m-%d}"
        )
    frame = pd.DataFrame(list(channels))
    if frame["channel"].duplicated().any() or ALL_CHANNELS in set(frame["channel"]):
        raise ValueError(f"advice names a channel twice, or one that is called '{ALL_CHANNELS}'")
    paid = frame.pop("paid").astype(bool)
    whole = {
        "channel": ALL_CHANNELS,
        "advice": "move money" if acts else "hold",
        **{name: float(frame.loc[paid, name].sum()) for name in ("today", "advised")},
        "marginal": np.nan,
        "expected": expected["mean"],
        "q05": expected["q05"],
        "q95": expected["q95"],
    }
    rows = pd.concat([frame.assign(q05=np.nan, q95=np.nan), pd.DataFrame([whole])], ignore_index=True)
    rows = rows.assign(
        client=client,
        issued_at=utc_naive(issued_at),
        cutoff=cutoff,
        first_date=dates[0],
        last_date=dates[1],
        **dict.fromkeys(OUTCOME, np.nan),
        scored_at=np.datetime64("NaT", "us"),
        run_id=run_id,
        data_version=data_version,
        request_version=request_version,
    )
    return rows[list(ADVICE_LEDGER.columns)]


def fill_in(ledger: pd.DataFrame, outcomes: pd.DataFrame, scored_at: datetime) -> pd.DataFrame:
    """The ledger with what came of some of its advice; `scored_at` moves where that is new or was restated.

    Args:
        ledger: Rows of one client.
        outcomes: Columns of the ledger's key and of `OUTCOME`.
        scored_at: Now.
    """
    key = list(ADVICE_LEDGER.key)
    matched = ledger[key].merge(outcomes, on=key, how="left", validate="one_to_one")
    filled = ledger.copy()
    new = matched["spent"].notna().to_numpy()
    changed = np.zeros(len(ledger), dtype=bool)
    for name in OUTCOME:
        now, before = matched[name].to_numpy(dtype=float), ledger[name].to_numpy(dtype=float)
        changed |= new & ~((now == before) | (np.isnan(now) & np.isnan(before)))
        filled[name] = np.where(new, now, before)
    filled["scored_at"] = ledger["scored_at"].mask(changed, pd.Timestamp(utc_naive(scored_at)))
    return filled


def outcomes_of(ledger: pd.DataFrame) -> pd.DataFrame:
    """The rows for all channels whose periods have come, oldest first, with `inside_90` beside them.

    A vintage is inside where what happened lies in the 90% interval of what the advice's own draws expect at the spend
    that was delivered.
    """
    whole = ledger[(ledger["channel"] == ALL_CHANNELS) & ledger["scored_at"].notna()]
    whole = whole.sort_values(["first_date", "issued_at"], ignore_index=True)
    return whole.assign(inside_90=whole["pit"].between(0.05, 0.95))


def calibration(ledger: pd.DataFrame) -> pd.DataFrame:
    """How far what happened was from what the advice expected at the spend there was, over all vintages of a client.

    Returns:
        Columns client; vintages; coverage_90 (0.9 is right); bias (sum of the rest over what happened; above 0 more
        happened than was expected); rest (its mean size over what happened). Vintages whose periods overlap are not
        independent of each other.
    """
    whole = outcomes_of(ledger)
    groups = whole.assign(size=whole["rest"].abs()).groupby("client", sort=True)
    sums = groups[["rest", "size", "happened"]].sum()
    return pd.DataFrame(
        {
            "vintages": groups.size(),
            "coverage_90": groups["inside_90"].mean(),
            "bias": sums["rest"] / sums["happened"],
            "rest": sums["size"] / sums["happened"],
        }
    ).reset_index()
