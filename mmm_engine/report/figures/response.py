"""Figures of how channels respond: response curves, carry-over.

Here: `response_curves`, `adstock_decay`.
Not here: what a unit of spend brought (returns.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mmm_engine.report import numbers
from mmm_engine.report.figures.style import (
    band,
    finish,
    grid_of,
    labels_of,
    legend_on_top,
    panel_titles,
    row_axis,
    row_height,
    row_labels,
    tooltips,
)
from mmm_engine.report.palette import channel_colors, color


def response_curves(
    curves: pd.DataFrame,
    *,
    unit: str = "",
    spend_units: Mapping[str, str] | None = None,
    tokens: Mapping[str, str] | None = None,
    compact: bool = False,
) -> go.Figure:
    """One small panel per channel: contribution against spend, today's spend marked, the unseen part dashed.

    Args:
        curves: Columns channel, spend, mean, q05, q95, extrapolated, current.
        unit: Unit of the contribution.
        spend_units: Unit of each channel's x axis.
        tokens: Palette token of each channel; by place where None.
        compact: Two panels a row, for narrow screens.
    """
    channels = [str(name) for name in curves["channel"].drop_duplicates()]
    shades = tokens or channel_colors(channels)
    columns = min(2 if compact else 4, len(channels))
    rows = -(-len(channels) // columns)
    names = labels_of(channels, 22 if compact else 30)
    height = 70 + 190 * rows
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=[names[name] for name in channels],
        horizontal_spacing=0.12 if compact else 0.05,
        vertical_spacing=min(58 / (height - 60), 1 / max(rows - 1, 1)),
    )
    for name, (row, column) in zip(channels, grid_of(len(channels), columns), strict=True):
        part = curves[curves["channel"] == name].sort_values("spend")
        money, token = (spend_units or {}).get(name, ""), shades.get(name, "other")
        for trace in _curve_traces(part, unit, money, token):
            figure.add_trace(trace.update(showlegend=row == 1 and column == 1), row, column)
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(numbers.AXIS | {"nticks": 4, "rangemode": "tozero"})
    figure = legend_on_top(finish(figure, height, hovermode="closest"), compact)
    return panel_titles(figure, 11 if compact else 12)


def adstock_decay(adstock: pd.DataFrame, *, period: str = "week", compact: bool = False) -> go.Figure:
    """How the effect of one period's spend spreads over the periods after it, one bar per channel.

    Args:
        adstock: Columns channel, lag, mean.
        period: What one lag is.
        compact: Broken labels, for narrow screens.
    """
    names = row_labels(adstock["channel"].drop_duplicates(), compact)
    rows = list(names.values())
    lags = sorted(adstock["lag"].unique())
    figure = go.Figure()
    for place, lag in enumerate(lags):
        part = adstock[adstock["lag"] == lag]
        words = f"same {period}" if lag == 0 else f"{lag} {period}{'s' if lag > 1 else ''} later"
        alpha = 1 - 0.8 * place / max(len(lags) - 1, 1)
        figure.add_trace(
            go.Bar(
                y=[names[str(name)] for name in part["channel"]],
                x=part["mean"],
                orientation="h",
                name=words,
                marker={
                    "color": color("ink", round(alpha, 2)),
                    "line": {"width": 1, "color": color("paper")},
                },
                hovertemplate=f"%{{y}}<br>{words}: %{{x:.0%}}<extra></extra>",
            )
        )
    return finish(figure, row_height(len(rows), 32 if compact else 28), barmode="stack", yaxis=row_axis(rows),
                  legend={"traceorder": "normal"}, xaxis={"tickformat": ".0%", "range": [0, 1.001]})  # fmt: skip


def _curve_traces(part: pd.DataFrame, unit: str, money: str, token: str) -> list[go.Scatter]:
    seen = part[~part["extrapolated"].astype(bool)]
    beyond = part[part["spend"] >= seen["spend"].max()] if len(seen) else part
    now = part[part["current"].astype(bool)]
    line = {"color": color(token), "width": 2}

    def curve(rows: pd.DataFrame, name: str, mode: str, **look: Any) -> go.Scatter:
        pairs = zip(tooltips(rows["spend"], money), tooltips(rows["mean"], unit), strict=True)
        return go.Scatter(x=rows["spend"], y=rows["mean"], name=name, mode=mode, **look,
                          customdata=[f"{spent} → {brought}" for spent, brought in pairs],
                          hovertemplate="%{customdata}<extra></extra>")  # fmt: skip

    return [
        band(part["spend"], part["q05"], part["q95"], "90% interval", token, 0.15),
        curve(seen, "spend seen", "lines", line=line),
        curve(beyond, "never seen", "lines", line={**line, "dash": "dot"}),
        curve(now, "spend now", "markers", marker={"size": 9, "color": color("ink")}),
    ]
