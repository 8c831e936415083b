"""How one fit's intervals compare with the truth.

Here: from draws and truth to the flat numbers that are kept of a fit (`score_fit`).
Not here: fitting (`fits.py`), averages over fits (`tables.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from mmm_engine.scores.forecast_scores import crps_rows
from tests.benchmarks.truth.fits import FitNumbers
from tests.benchmarks.truth.media import Floats
from tests.benchmarks.truth.verdicts import kept
from tests.benchmarks.truth.worlds import World

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
_SMALLEST = (
    1e-4  # of the truth: logs of returns below it count as this, so that one draw near 0 decides nothing
)


def score_fit(world: World, fit: FitNumbers) -> dict[str, Any]:
    """What is kept of a fit: sampler health, all media, one entry per channel, the forecast.

    Returns:
        ``channels`` (a list of mappings, `score_channel` with facts about the channel), ``media`` (the same of all
        media together), ``rank_correlation`` (Spearman's, between estimated and true returns of channels that have a
        cost and do something; None with fewer than three), ``converged``, ``health``, ``forecast`` and ``verdicts``.
    """
    truth = world.channel_truth(fit.train_rows)
    sales = float(world.rows.frame["sales"].to_numpy(dtype=float)[: fit.train_rows].sum())
    if tuple(truth["channel"]) != fit.channels:
        raise ValueError(
            f"world '{world.rows.name}': fitted channels {fit.channels} are not those of the truth"
        )
    channels = [
        {
            **facts,
            **score_channel(draws, contribution, sales),
            "roas": _number(roas),
            "spend": spend,
            "identified": identified,
            "evidence": {name: _number(value) for name, value in evidence.items()},
        }
        for draws, identified, evidence, facts, contribution, roas, spend in zip(
            fit.contribution.T,
            fit.identified,
            fit.evidence or ({},) * len(fit.channels),
            world.forms.to_dict("records"),
            truth["contribution"].to_numpy(),
            truth["roas"].to_numpy(),
            truth["spend"].to_numpy(),
            strict=True,
        )
    ]
    return {
        "channels": channels,
        "media": score_channel(fit.contribution.sum(axis=1), world.media_truth(fit.train_rows), sales),
        "rank_correlation": _rank_correlation(channels),
        "converged": fit.converged,
        "health": {name: _number(value) for name, value in fit.health.items()},
        "forecast": {name: _number(value) for name, value in fit.forecast.items()},
        "verdicts": kept(fit.verdicts),
    }


def score_channel(draws: Floats, truth: float, sales: float) -> dict[str, Any]:
    """Interval, error and width of one contribution.

    A return is the contribution over a spend that is known, so that coverage, ratio, relative width and CRPS of the
    logarithm are the same for both. Relative scores are None where the truth is 0; ``share_q05`` and ``share_q95``, the
    ends of the interval as shares of sales, say what a channel without effect is credited with. Intervals leave out the
    same share at both ends; the shortest one with 90% is scored beside.

    Args:
        draws: Draws of the contribution, target units, shape (draw,).
        truth: The true one, 0 or more.
        sales: Sum of the target over the same rows.
    """
    quantiles = dict(zip(QUANTILES, np.quantile(draws, list(QUANTILES.values())), strict=True))
    scores: dict[str, Any] = {
        "share": truth / sales,
        "share_q05": quantiles["q05"] / sales,
        "share_q50": quantiles["q50"] / sales,
        "share_q95": quantiles["q95"] / sales,
        "in_90": bool(quantiles["q05"] <= truth <= quantiles["q95"]),
        "in_50": bool(quantiles["q25"] <= truth <= quantiles["q75"]),
        "ratio": None,
        "width": None,
        "crps_log": None,
        "in_shortest_90": None,
        "width_shortest_90": None,
    }
    if truth > 0:
        low, high = shortest_interval(draws, 0.9)
        scores["in_shortest_90"], scores["width_shortest_90"] = (
            bool(low <= truth <= high),
            (high - low) / truth,
        )
        relative = np.maximum(draws / truth, _SMALLEST)
        scores["ratio"] = quantiles["q50"] / truth
        scores["width"] = (quantiles["q95"] - quantiles["q05"]) / truth
        scores["crps_log"] = float(crps_rows(np.zeros(1), np.log(relative)[:, None])[0])
    return {name: float(value) if isinstance(value, np.floating) else value for name, value in scores.items()}


def shortest_interval(draws: Floats, share: float) -> tuple[float, float]:
    """Ends of the shortest interval that has a share of the draws (of one mode: the highest density interval).

    >>> shortest_interval(np.array([0.0, 1.0, 1.1, 1.2, 5.0]), 0.6)
    (1.0, 1.2)
    """
    ordered = np.sort(draws)
    reach = max(1, round(share * len(ordered))) - 1
    first = int(np.argmin(ordered[reach:] - ordered[: len(ordered) - reach]))
    return float(ordered[first]), float(ordered[first + reach])


def _rank_correlation(channels: list[dict[str, Any]]) -> float | None:
    frame = pd.DataFrame([channel for channel in channels if not channel["null"] and not channel["organic"]])
    if len(frame) < 3 or (frame["spend"] <= 0).any():
        return None
    return _number(spearmanr(frame["roas"], frame["ratio"] * frame["roas"]).statistic)


def _number(value: float) -> float | None:
    """A number that JSON can hold; None where there is none."""
    return float(value) if np.isfinite(value) else None
