"""Stability: how far each channel's share and return move when something moves that should not matter.

Here: comparisons of `channel_returns` frames (windows, the last refresh), as pure functions.
Not here: fitting the windows (scored_window.py), the runs that fit again only to compare (sensitivity.py), thresholds
(scores/gates.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mmm_engine.scores.forecast_scores import SCORE_COLUMNS
from mmm_engine.scores.truth_scores import interval_overlap


def stability_scores(returns: Sequence[pd.DataFrame], previous: pd.DataFrame | None = None) -> pd.DataFrame:
    """Overlap, share change and return change per channel, and the weighted overlap of the client.

    The overlap compares the central 50% intervals of a channel's share between windows that differ by a few rows
    (`full` with `h04`, `h04` with `h08`, ...); 1 is identical, above 0.8 is stable. The client's `stability` is the
    mean over channels weighted by their share.

    Args:
        returns: `channel_returns` of each window, from the one with most training rows to the one with least.
        previous: `channel_returns` of `full` at the last refresh, when there was one.

    Returns:
        Split "windows" (and "refresh" when `previous` is given); metrics overlap, share_change, roas_change per
        channel and stability for channel "all".
    """
    pairs = list(itertools.pairwise(returns))
    parts = [compare_returns(pairs, "windows")] if pairs else []
    if previous is not None and returns:
        parts.append(compare_returns([(returns[0], previous)], "refresh"))
    if not parts:
        return pd.DataFrame(columns=list(SCORE_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def compare_returns(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], split: str) -> pd.DataFrame:
    """Rows as those of `stability_scores` under the name `split`, over pairs of `channel_returns` frames.

    Overlaps are means over the pairs, changes the largest in size; a pair is (newer, older), changes are newer less
    older.
    """
    table = pd.concat([_pair(newer, older) for newer, older in pairs])
    by_channel = table.groupby(level=0, sort=False)
    overlap = by_channel["overlap"].mean()
    weight = by_channel["weight"].mean()
    measures = {
        "overlap": (overlap, "fraction"),
        "share_change": (by_channel["share_change"].agg(_largest), "fraction"),
        "roas_change": (by_channel["roas_change"].agg(_largest), "fraction"),
    }
    rows = [
        (split, channel, metric, float(value), unit)
        for metric, (values, unit) in measures.items()
        for channel, value in values.items()
    ]
    known = overlap.notna() & (weight > 0)
    total = float(np.average(overlap[known], weights=weight[known])) if known.any() else float("nan")
    rows.append((split, "all", "stability", total, "fraction"))
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def _pair(newer: pd.DataFrame, older: pd.DataFrame) -> pd.DataFrame:
    share, share_before = _metric(newer, "share"), _metric(older, "share")
    share_before = share_before.reindex(share.index)
    roas = _metric(newer, "roas")["mean"]
    roas_before = _metric(older, "roas")["mean"].reindex(roas.index)
    overlap = interval_overlap(
        share["q25"].to_numpy(),
        share["q75"].to_numpy(),
        share_before["q25"].to_numpy(),
        share_before["q75"].to_numpy(),
    )
    return pd.DataFrame(
        {
            "overlap": overlap,
            "weight": share["mean"],
            "share_change": share["mean"] - share_before["mean"],
            "roas_change": roas / roas_before - 1.0,
        }
    )


def _metric(returns: pd.DataFrame, metric: str) -> pd.DataFrame:
    return returns[returns["metric"] == metric].set_index("channel")


def _largest(changes: pd.Series) -> float:
    """The change that is largest in size, with its sign; NaN when none is known."""
    known = changes.dropna().to_numpy()
    return float(known[np.abs(known).argmax()]) if len(known) else float("nan")
