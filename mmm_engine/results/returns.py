"""What each channel returns: contribution, share, return on spend, marginal return, cost per conversion.

Here: draws of contributions set against money, summarised per channel; how the history records them.
Not here: contributions row by row (decomposition.py), response curves (response.py), whether a channel's return can
be trusted (fleets/recovery.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.model.arrays import MORE_MEDIA
from mmm_engine.model.draw_chunks import draw_chunks
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.draw_evaluation import all_terms, channel_totals
from mmm_engine.results.quantiles import QUANTILES, quantile_columns
from mmm_engine.rows.calendar import YEAR_BACK
from mmm_engine.rows.window import ScaledInputs

STATISTICS = ("mean", *QUANTILES)
RETURN_COLUMNS = ["channel", "metric", *STATISTICS, "unit"]
PERIOD_COLUMNS = ["span", "rows", "spend", *RETURN_COLUMNS]
RETURN_METRICS = ("contribution", "share", "roas", "mroas", "cpa")

# The history's rows have a metric and no statistic: here stands the name under which each statistic of a return is
# recorded. Names never change, since the history keeps them; both ways are looked up in this table.
RECORDED_NAMES = {
    (metric, statistic): metric if statistic == "mean" else f"{metric}_{statistic}"
    for metric in RETURN_METRICS
    for statistic in STATISTICS
}
_RETURN_OF_NAME = {name: return_statistic for return_statistic, name in RECORDED_NAMES.items()}


def channel_returns(window: FittedWindow) -> pd.DataFrame:
    """Contribution, share and return of every channel over the training rows.

    Returns:
        One row per channel and metric with mean and quantiles over draws:
        `contribution` (target units, summed over the rows), `share` (of the expected target), `roas` (contribution
        per unit of spend), `mroas` (extra contribution per extra unit when every period's spend grows by 1%), and,
        for a target that counts conversions, `cpa` (spend per contributed conversion). A channel without spend in
        the rows has NaN returns.
    """
    inputs = window.inputs
    total, marginal, expected = _contribution_draws(window)
    spend = inputs.spend[: inputs.train_rows].sum(axis=0)
    paid = np.where(spend > 0.0, spend, np.nan)
    draws = {
        "contribution": total,
        "share": total / expected[:, None],
        "roas": total / paid,
        "mroas": (marginal - total) / (MORE_MEDIA * paid),
    }
    kind = inputs.config.target.kind
    if kind == "conversions":
        with np.errstate(divide="ignore", invalid="ignore"):
            draws["cpa"] = paid / total
    frames = [_summary(metric, values, inputs) for metric, values in draws.items()]
    frame = pd.concat(frames, ignore_index=True)
    order = {name: position for position, name in enumerate(inputs.config.channel_names)}
    return frame.sort_values("channel", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def returns_by_period(window: FittedWindow) -> pd.DataFrame:
    """Return of every channel over all training rows, the last year and the last quarter, with intervals.

    What earlier media still bring counts to the rows in which it comes. Spans that the training rows do not exceed are
    left out.

    Returns:
        One row per span, channel and metric: span ("all", "year", "quarter"), rows, spend, and the columns of
        `channel_returns`. Metrics are `contribution`, `roas`, and `cpa` where conversions are counted; a channel
        without spend in the span has NaN returns.
    """
    inputs = window.inputs
    rows, scale = inputs.train_rows, inputs.scales.target
    year = YEAR_BACK[inputs.period]
    sizes = {"all": rows} | {
        span: size for span, size in (("year", year), ("quarter", year // 4)) if size < rows
    }
    totals = _last_rows_totals(window, list(sizes.values()))
    frames = []
    for place, (span, size) in enumerate(sizes.items()):
        total = totals[:, :, place] * scale
        spend = inputs.spend[rows - size : rows].sum(axis=0)
        paid = np.where(spend > 0.0, spend, np.nan)
        draws = {"contribution": total, "roas": total / paid}
        if inputs.config.target.kind == "conversions":
            with np.errstate(divide="ignore", invalid="ignore"):
                draws["cpa"] = paid / total
        for metric, values in draws.items():
            frame = _summary(metric, values, inputs)
            frames.append(frame.assign(span=span, rows=size, spend=spend)[PERIOD_COLUMNS])
    return pd.concat(frames, ignore_index=True)


def return_scores(returns: pd.DataFrame) -> pd.DataFrame:
    """Channel returns as a score frame for the history: each statistic is a metric, named by `RECORDED_NAMES`.

    Args:
        returns: Output of `channel_returns`.
    """
    long = returns.melt(["channel", "metric", "unit"], list(STATISTICS), var_name="statistic")
    names = [RECORDED_NAMES[key] for key in zip(long["metric"], long["statistic"], strict=True)]
    return long.assign(split="train", metric=names)[["split", "channel", "metric", "value", "unit"]]


def returns_from_history(scores: pd.DataFrame) -> pd.DataFrame | None:
    """The channel returns that `return_scores` wrote, from history rows of one run and window; None without any."""
    rows = scores[(scores["split"] == "train") & scores["metric"].isin(list(_RETURN_OF_NAME))]
    if rows.empty:
        return None
    metrics, statistics = zip(*(_RETURN_OF_NAME[name] for name in rows["metric"]), strict=True)
    wide = rows.assign(metric=metrics, statistic=statistics).pivot_table(
        index=["channel", "metric", "unit"], columns="statistic", values="value", dropna=False
    )
    return wide.reset_index().rename_axis(columns=None).reindex(columns=RETURN_COLUMNS).dropna(subset="mean")


def _contribution_draws(window: FittedWindow) -> tuple[Floats, Floats, Floats]:
    """Summed contributions (draw, channel), the same at 1% more media, and the summed mean (draw,); original units."""
    totals = channel_totals(window.draws, window.training_arrays, window.specification)
    scale = window.inputs.scales.target
    scaled = (totals.contribution_scaled, totals.contribution_of_more_scaled, totals.expected_scaled)
    contribution, contribution_of_more, expected = (draws * scale for draws in scaled)
    return contribution, contribution_of_more, expected


def _last_rows_totals(window: FittedWindow, sizes: Sequence[int]) -> Floats:
    """Contribution of each channel in the last training rows, so many of them, model space: (draw, channel, size).

    Some draws at a time, because what each channel brings in each row in every draw may be gigabytes.
    """
    specification, rows, parts = window.specification, window.inputs.train_rows, []
    first = 1 + len(specification.calendar_terms)  # the intercept and the calendar come before the channels
    for chunk in draw_chunks(window.draws):
        terms = all_terms(chunk, window.training_arrays, specification)
        media = terms[:, first : first + specification.n_channels]
        parts.append(np.stack([media[:, :, rows - size :].sum(axis=2) for size in sizes], axis=2))
    return np.concatenate(parts)


def _summary(metric: str, draws: Floats, inputs: ScaledInputs) -> pd.DataFrame:
    quantiles, kind = quantile_columns(draws), inputs.config.target.kind
    units = [
        _unit(metric, "spend" if channel.cost else channel.unit, kind) for channel in inputs.config.channels
    ]
    # the mean of a ratio with a contribution near zero below it does not exist: the median stands for it
    centre = quantiles["q50"] if metric == "cpa" else draws.mean(axis=0)
    return pd.DataFrame(
        {
            "channel": inputs.config.channel_names,
            "metric": metric,
            "mean": centre,
            **quantiles,
            "unit": units,
        }
    )[RETURN_COLUMNS]


def _unit(metric: str, unit: str, kind: str) -> str:
    target = "revenue" if kind == "revenue" else "conversions"
    return {
        "contribution": "target",
        "share": "fraction",
        "roas": f"{target} per {unit}",
        "mroas": f"{target} per extra {unit}",
        "cpa": f"{unit} per conversion",
    }[metric]
