"""What each channel returns: contribution, share, return on spend, marginal return, response curve.

Here: draws of contributions set against money, response curves and carry-over, summarised per channel.
Not here: contributions themselves (predict.py), whether a channel's return can be trusted (fleets/recovery.py).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.mean import model_data, saturated_media, training_data
from mmm_engine.model.media_transforms import adstock
from mmm_engine.model.specification import ModelStructure, model_structure
from mmm_engine.results.draw_evaluation import MORE_MEDIA, channel_totals
from mmm_engine.results.predictive import QUANTILES, draw_chunks, flat_draws
from mmm_engine.rows.window import ScaledInputs

Floats = NDArray[np.float64]

RETURN_COLUMNS = ["channel", "metric", "mean", *QUANTILES, "unit"]
RETURN_METRICS = ("contribution", "share", "roas", "mroas", "cpa")
CURVE_COLUMNS = ["channel", "spend", "mean", "q05", "q50", "q95", "unit", "extrapolated", "current"]
ADSTOCK_COLUMNS = ["channel", "lag", "mean", "q05", "q95"]
_CURVE_POINTS = 41
_CURVE_REACH = 1.5  # how far beyond the largest spend seen a curve is drawn


def channel_returns(posterior: xr.DataTree, inputs: ScaledInputs) -> pd.DataFrame:
    """Contribution, share and return of every channel over the training rows.

    Returns:
        One row per channel and metric with mean and quantiles over draws:
        `contribution` (target units, summed over the rows), `share` (of the expected target), `roas` (contribution
        per unit of spend), `mroas` (extra contribution per extra unit when every period's spend grows by 1%), and,
        for a target that counts conversions, `cpa` (spend per contributed conversion). A channel without spend in
        the rows has NaN returns.
    """
    structure = model_structure(inputs.config)
    total, marginal, expected = _contribution_draws(posterior, inputs, structure)
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


def response_curves(posterior: xr.DataTree, inputs: ScaledInputs) -> pd.DataFrame:
    """Response per period of each channel to a steady spend per period, original units.

    Returns:
        Columns channel, spend (per period), mean, q05, q50, q95 (target units per period), unit, extrapolated (beyond
        the largest spend in the training rows) and current (the point nearest the mean spend of the training rows).
    """
    structure = model_structure(inputs.config)
    media = inputs.media_scaled[: inputs.train_rows]
    grid = np.linspace(0.0, _CURVE_REACH, _CURVE_POINTS)[:, None] * media.max(axis=0)
    chunks = draw_chunks(flat_draws(posterior))
    xp = numpy_functions()
    draws = (
        np.concatenate([saturated_media(chunk, grid, structure, xp) for chunk in chunks])
        * inputs.scales.target
    )
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95], axis=0)
    average = draws.mean(axis=0)
    frames = []
    for position, channel in enumerate(inputs.config.channels):
        spend = grid[:, position] * inputs.scales.media[channel.column] * _money_per_unit(inputs, position)
        current = np.zeros(_CURVE_POINTS, dtype=bool)
        current[np.abs(grid[:, position] - media[:, position].mean()).argmin()] = True
        frames.append(
            pd.DataFrame(
                {
                    "channel": channel.column,
                    "spend": spend,
                    "mean": average[:, position],
                    "q05": low[:, position],
                    "q50": middle[:, position],
                    "q95": high[:, position],
                    "unit": "target per period",
                    "extrapolated": grid[:, position] > media[:, position].max() * (1.0 + 1e-9),
                    "current": current,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)[CURVE_COLUMNS]


def adstock_weights(posterior: xr.DataTree, inputs: ScaledInputs) -> pd.DataFrame:
    """How the effect of a channel's media spreads over the periods that follow, before saturation.

    Returns:
        Columns channel, lag (0 is the period of the media itself), mean, q05, q95: share of the effect that falls on
        each lag; the means of a channel sum to one. Channels without carry-over have lag 0 only.
    """
    structure = model_structure(inputs.config)
    values, xp = flat_draws(posterior), numpy_functions()
    frames: dict[int, pd.DataFrame] = {}
    for group in structure.adstocks:
        impulse = np.zeros((group.max_lag, group.max_lag, len(group.channels)))
        impulse[np.arange(group.max_lag), np.arange(group.max_lag)] = (
            1.0  # (lag, date, channel): one unit at date 0
        )
        own = {short: values[name][:, None, :] for short, name in group.parameters}
        weights = np.asarray(adstock(impulse, group.kind, own, group.max_lag, xp), dtype=float)
        weights = weights.reshape(-1, group.max_lag, len(group.channels))
        low, high = np.quantile(weights, [0.05, 0.95], axis=0)
        for place, channel in enumerate(group.channels):
            frames[channel] = pd.DataFrame(
                {
                    "channel": inputs.config.channel_names[channel],
                    "lag": np.arange(group.max_lag),
                    "mean": weights[:, :, place].mean(axis=0),
                    "q05": low[:, place],
                    "q95": high[:, place],
                }
            )
    return pd.concat([frames[channel] for channel in sorted(frames)], ignore_index=True)[ADSTOCK_COLUMNS]


def return_scores(returns: pd.DataFrame) -> pd.DataFrame:
    """Channel returns as a score frame for the history: metrics `roas`, `roas_q05`, ...; `roas` is the mean.

    Args:
        returns: Output of `channel_returns`.
    """
    pieces = []
    for column in ("mean", *QUANTILES):
        suffix = "" if column == "mean" else f"_{column}"
        piece = returns[["channel", "unit"]].assign(metric=returns["metric"] + suffix, value=returns[column])
        pieces.append(piece.assign(split="train"))
    return pd.concat(pieces, ignore_index=True)[["split", "channel", "metric", "value", "unit"]]


def returns_from_history(scores: pd.DataFrame) -> pd.DataFrame | None:
    """The channel returns that `return_scores` wrote, from history rows of one run and window; None without any."""
    names = {f"{metric}{suffix}" for metric in RETURN_METRICS for suffix in _suffixes()}
    own = scores[(scores["split"] == "train") & scores["metric"].isin(names)]
    if own.empty:
        return None
    parts = own["metric"].str.extract(r"^(?P<metric>.+?)(?:_(?P<column>q\d\d))?$")
    tidy = own.assign(metric=parts["metric"], column=parts["column"].fillna("mean"))
    wide = tidy.pivot_table(
        index=["channel", "metric", "unit"], columns="column", values="value", dropna=False
    )
    return wide.reset_index().rename_axis(columns=None).reindex(columns=RETURN_COLUMNS).dropna(subset="mean")


def _suffixes() -> Iterable[str]:
    return ("", *(f"_{name}" for name in QUANTILES))


def _contribution_draws(
    posterior: xr.DataTree, inputs: ScaledInputs, structure: ModelStructure
) -> tuple[Floats, Floats, Floats]:
    """Summed contributions (draw, channel), the same at 1% more media, and the summed mean (draw,)."""
    data = training_data(model_data(inputs, structure), inputs.train_rows)
    totals = channel_totals(flat_draws(posterior), data, structure)
    scale = inputs.scales.target
    return totals.contribution * scale, totals.contribution_of_more * scale, totals.expected * scale


def _money_per_unit(inputs: ScaledInputs, position: int) -> float:
    """Money per unit of the media column: 1 where the column is money."""
    channel = inputs.config.channels[position]
    media = inputs.media_scaled[: inputs.train_rows, position].sum() * inputs.scales.media[channel.column]
    return float(inputs.spend[: inputs.train_rows, position].sum() / media) if media > 0.0 else 1.0


def _summary(metric: str, draws: Floats, inputs: ScaledInputs) -> pd.DataFrame:
    quantiles = np.quantile(draws, list(QUANTILES.values()), axis=0)
    kind = inputs.config.target.kind
    units = [
        _unit(metric, "spend" if channel.cost else channel.unit, kind) for channel in inputs.config.channels
    ]
    # the mean of a ratio with a contribution near zero below it does not exist: the median stands for it
    centre = quantiles[2] if metric == "cpa" else draws.mean(axis=0)
    return pd.DataFrame(
        {
            "channel": inputs.config.channel_names,
            "metric": metric,
            "mean": centre,
            **dict(zip(QUANTILES, quantiles, strict=True)),
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
