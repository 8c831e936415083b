"""What each channel returns: contribution, share, return on spend, marginal return, response curve.

Here: draws of contributions set against money, response curves and carry-over, summarised per channel.
Not here: contributions themselves (predict.py), whether a channel's return can be trusted (fleets/recovery.py).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.array_types import Floats
from mmm_engine.model.arrays import first_rows, model_data
from mmm_engine.model.specification import ModelSpecification, model_specification
from mmm_engine.results.draw_evaluation import MORE_MEDIA, channel_totals
from mmm_engine.results.draws import QUANTILES, flat_draws
from mmm_engine.rows.window import ScaledInputs

RETURN_COLUMNS = ["channel", "metric", "mean", *QUANTILES, "unit"]
RETURN_METRICS = ("contribution", "share", "roas", "mroas", "cpa")


def channel_returns(posterior: xr.DataTree, inputs: ScaledInputs) -> pd.DataFrame:
    """Contribution, share and return of every channel over the training rows.

    Returns:
        One row per channel and metric with mean and quantiles over draws:
        `contribution` (target units, summed over the rows), `share` (of the expected target), `roas` (contribution
        per unit of spend), `mroas` (extra contribution per extra unit when every period's spend grows by 1%), and,
        for a target that counts conversions, `cpa` (spend per contributed conversion). A channel without spend in
        the rows has NaN returns.
    """
    specification = model_specification(inputs.config)
    total, marginal, expected = _contribution_draws(posterior, inputs, specification)
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
    posterior: xr.DataTree, inputs: ScaledInputs, specification: ModelSpecification
) -> tuple[Floats, Floats, Floats]:
    """Summed contributions (draw, channel), the same at 1% more media, and the summed mean (draw,)."""
    data = first_rows(model_data(inputs, specification), inputs.train_rows)
    totals = channel_totals(flat_draws(posterior), data, specification)
    scale = inputs.scales.target
    return totals.contribution * scale, totals.contribution_of_more * scale, totals.expected * scale


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
