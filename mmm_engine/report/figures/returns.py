"""Figures of what a unit of spend brings.

Here: returns with intervals, against marginal returns and volume, response curves, carry-over.
Not here: contributions (contribution.py).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mmm_engine.report.figures.style import (
    band,
    color,
    escape,
    finish,
    grid_of,
    interval_lines,
    labels_of,
    panel_titles,
    reference_line,
    row_axis,
    row_height,
    row_labels,
)


def roas_intervals(
    returns: pd.DataFrame,
    *,
    metric: str = "roas",
    unit: str = "",
    unreadable: Collection[str] = (),
    compact: bool = False,
) -> go.Figure:
    """Return of each channel with 50% and 90% intervals and its marginal return.

    Args:
        returns: Columns channel, mean, q05, q25, q75, q95, and optionally marginal; in the order to show.
        metric: "roas" (marked at 1) or "cpa" (logarithmic axis).
        unit: Unit of the return.
        unreadable: Channels drawn grey and marked "do not read".
        compact: Broken labels, for narrow screens.
    """
    names = row_labels(returns["channel"], compact)
    rows = [names[str(name)] for name in returns["channel"]]
    tokens = ["other" if name in unreadable else "blue" for name in returns["channel"]]
    figure = go.Figure()
    _add_intervals(figure, rows, returns, tokens)
    figure.add_trace(_return_points(rows, returns, tokens, unit))
    if "marginal" in returns.columns:
        figure.add_trace(_marginal_points(rows, returns, unit))
    axis: dict[str, Any] = {"title": {"text": escape(unit)}}
    if metric == "cpa":
        axis |= {"type": "log", "tickformat": "~s", "dtick": "D2"}
    else:
        reference_line(figure, x=1)
        axis |= {"range": _bounded(figure, rows, returns)}
    for row, name, high in zip(rows, returns["channel"], returns["q95"], strict=True):
        if name in unreadable:
            place = math.log10(high) if metric == "cpa" else min(high, axis["range"][1] * 0.88)
            figure.add_annotation(
                x=place, y=row, text="do not read", showarrow=False, xanchor="left", xshift=8
            )
    figure = finish(figure, row_height(len(rows)), xaxis=axis, yaxis=row_axis(rows))
    return figure.update_annotations(font={"color": color("vermillion")})


def roas_against_marginal(
    returns: pd.DataFrame,
    *,
    unit: str = "",
    currency: str = "",
    unreadable: Collection[str] = (),
    compact: bool = False,
) -> go.Figure:
    """Average return against marginal return; the size of a bubble is spend, the diagonal is "no saturation".

    Args:
        returns: Columns channel, roas, mroas, spend.
        unit: Unit of both returns.
        currency: Unit of spend.
        unreadable: Channels drawn grey.
        compact: Fewer labels, for narrow screens.
    """
    reach = max(float(returns["roas"].max()) * 1.35, 1e-9)
    top = max(float(returns["mroas"].max()) * 1.2, 1e-9)
    figure = go.Figure(
        go.Scatter(x=[0, reach], y=[0, reach], mode="lines", name="next unit as good as the average",
                   line={"color": color("muted"), "width": 1, "dash": "dash"}, hoverinfo="skip")
    )  # fmt: skip
    figure.add_trace(
        _bubbles(
            returns,
            "roas",
            "mroas",
            unreadable,
            f"average %{{x:.3g}}, marginal %{{y:.3g}} {escape(unit)}",
            currency,
            compact,
        )
    )
    return finish(
        figure,
        440,
        hovermode="closest",
        xaxis={"title": {"text": f"average return ({escape(unit)})"}, "range": [0, reach]},
        yaxis={"title": {"text": f"marginal return ({escape(unit)})"}, "range": [0, top]},
    )


def roas_against_effectiveness(
    returns: pd.DataFrame,
    *,
    unit: str = "",
    currency: str = "",
    unreadable: Collection[str] = (),
    compact: bool = False,
) -> go.Figure:
    """Return on spend against contribution per unit of media volume; the size of a bubble is spend.

    Args:
        returns: Columns channel, roas, effectiveness, spend.
        unit: Unit of the target.
        currency: Unit of spend.
        unreadable: Channels drawn grey.
        compact: Fewer labels, for narrow screens.
    """
    figure = go.Figure(
        _bubbles(
            returns,
            "roas",
            "effectiveness",
            unreadable,
            f"return %{{x:.3g}}, %{{y:.3g}} {escape(unit)} per contact",
            currency,
            compact,
        )
    )
    return finish(
        figure,
        420,
        hovermode="closest",
        xaxis={"title": {"text": f"{escape(unit)} per {escape(currency)}"}, "rangemode": "tozero"},
        yaxis={"title": {"text": f"{escape(unit)} per unit of volume"}, "type": "log"},
        showlegend=False,
    )


def response_curves(
    curves: pd.DataFrame,
    *,
    unit: str = "",
    spend_units: Mapping[str, str] | None = None,
    compact: bool = False,
) -> go.Figure:
    """One small panel per channel: contribution against spend, today's spend marked, the unseen part dashed.

    Args:
        curves: Columns channel, spend, mean, q05, q95, extrapolated, current.
        unit: Unit of the contribution.
        spend_units: Unit of each channel's x axis.
        compact: Two panels a row, for narrow screens.
    """
    channels = [str(name) for name in curves["channel"].drop_duplicates()]
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
        money = escape((spend_units or {}).get(name, ""))
        for trace in _curve_traces(part, unit, money):
            figure.add_trace(trace.update(showlegend=row == 1 and column == 1), row, column)
    figure.update_xaxes(tickformat="~s", nticks=4, rangemode="tozero")
    figure.update_yaxes(tickformat="~s", nticks=4, rangemode="tozero")
    top = {"margin": {"l": 8, "r": 12, "t": 64, "b": 8}, "legend": {"y": 1 + 26 / (height - 72)}}
    return panel_titles(finish(figure, height, hovermode="closest", **top), 11 if compact else 12)


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
                    "color": color("blue", round(alpha, 2)),
                    "line": {"width": 1, "color": color("paper")},
                },
                hovertemplate=f"%{{y}}<br>{words}: %{{x:.0%}}<extra></extra>",
            )
        )
    return finish(figure, row_height(len(rows), 32 if compact else 28), barmode="stack", yaxis=row_axis(rows),
                  legend={"traceorder": "normal"}, xaxis={"tickformat": ".0%", "range": [0, 1.001]})  # fmt: skip


# --- parts of figures ---------------------------------------------------------------------------


def _add_intervals(figure: go.Figure, rows: list[str], returns: pd.DataFrame, tokens: list[str]) -> None:
    """50% and 90% intervals, grey where a return must not be read."""
    bars = (("q05", "q95", 2, 0.9, "90% interval"), ("q25", "q75", 8, 0.4, "50% interval"))
    for low, high, width, alpha, words in bars:
        for place, shade in enumerate(sorted(set(tokens))):  # "blue" before "other"
            chosen = [own == shade for own in tokens]
            part = returns[chosen]
            names = [row for row, is_in in zip(rows, chosen, strict=True) if is_in]
            line = {"color": color(shade, alpha), "width": width}
            figure.add_trace(
                interval_lines(names, part[low], part[high], name=words, line=line, showlegend=place == 0)
            )


def _return_points(rows: list[str], returns: pd.DataFrame, tokens: list[str], unit: str) -> go.Scatter:
    return go.Scatter(
        x=returns["mean"],
        y=rows,
        name="average",
        mode="markers",
        marker={"size": 10, "color": [color(token) for token in tokens],
                "line": {"color": color("paper"), "width": 1.5}},
        customdata=returns[["q05", "q95"]],
        hovertemplate=f"%{{y}}<br>%{{x:.3g}} {escape(unit)}<br>90% interval %{{customdata[0]:.3g}} to "
        "%{customdata[1]:.3g}<extra></extra>",
    )  # fmt: skip


def _marginal_points(rows: list[str], returns: pd.DataFrame, unit: str) -> go.Scatter:
    return go.Scatter(
        x=returns["marginal"],
        y=rows,
        name="marginal (next unit)",
        mode="markers",
        marker={"size": 9, "symbol": "diamond-open", "color": color("vermillion"), "line": {"width": 2}},
        hovertemplate=f"%{{y}}<br>next unit %{{x:.3g}} {escape(unit)}<extra></extra>",
    )


def _bounded(figure: go.Figure, rows: list[str], returns: pd.DataFrame) -> tuple[float, float]:
    """An axis range that one very wide interval cannot take over; what it cuts off is written at the edge."""
    highs, low = returns["q95"], min(0.0, float(returns["q05"].min()))
    reach = max(2.5 * float(highs.quantile(0.75)), 1.2 * float(returns["mean"].max()), 1.1)
    if float(highs.max()) <= reach:
        return low, max(1.06 * float(highs.max()), 1.1)
    for row, high in zip(rows, highs, strict=True):
        if high > reach:
            figure.add_annotation(
                x=reach, y=row, text=f"to {high:.3g} ▸", showarrow=False, xanchor="right", yshift=-9
            )
    return low, reach


def _bubbles(
    returns: pd.DataFrame,
    x: str,
    y: str,
    unreadable: Collection[str],
    words: str,
    currency: str,
    compact: bool,
) -> go.Scatter:
    names = labels_of(returns["channel"], 24)
    largest = float(returns["spend"].max()) or 1.0
    sizes = [10 + 34 * math.sqrt(max(float(spend), 0.0) / largest) for spend in returns["spend"]]
    tokens = ["other" if name in unreadable else "blue" for name in returns["channel"]]
    return go.Scatter(
        x=returns[x],
        y=returns[y],
        name="channel (size: spend)",
        mode="markers+text",
        text=_uncrowded(returns, x, y, names, 20 if compact else 8),
        hovertext=[names[str(name)] for name in returns["channel"]],
        textposition="middle right",
        textfont={"size": 11, "color": color("ink")},
        cliponaxis=False,
        marker={"size": sizes, "color": [color(token, 0.45) for token in tokens],
                "line": {"width": 1.5, "color": [color(token) for token in tokens]}},
        customdata=returns["spend"],
        hovertemplate=f"%{{hovertext}}<br>{words}<br>spend %{{customdata:.3s}} {escape(currency)}<extra></extra>",
    )  # fmt: skip


def _uncrowded(returns: pd.DataFrame, x: str, y: str, names: Mapping[str, str], letters: int) -> list[str]:
    """Labels of bubbles, largest spend first, left out where they would run into one already there.

    Args:
        returns: Channels with their two coordinates and spend.
        x: Column on the horizontal axis.
        y: Column on the vertical axis.
        names: Label of each channel.
        letters: Width of one letter, in thousandths of the axis.
    """
    frame = returns.reset_index(drop=True)
    across, up = frame[x] / (float(frame[x].max()) * 1.35 or 1), frame[y] / (float(frame[y].max()) * 1.2 or 1)
    texts, placed = [""] * len(frame), list[tuple[float, float, float]]()
    for place in frame["spend"].argsort()[::-1]:
        name = names[str(frame["channel"][place])]
        start, end, level = across[place], across[place] + (len(name) + 5) * letters / 1000, up[place]
        is_free = all(
            abs(level - other) > 0.06 or end < left or start > right for left, right, other in placed
        )
        if is_free and end < 1.02:
            texts[place] = name
            placed.append((start, end, level))
    return texts


def _curve_traces(part: pd.DataFrame, unit: str, money: str) -> list[go.Scatter]:
    seen = part[~part["extrapolated"].astype(bool)]
    beyond = part[part["spend"] >= seen["spend"].max()] if len(seen) else part
    now = part[part["current"].astype(bool)]
    hover = f"%{{x:.3s}} {money} → %{{y:.3s}} {escape(unit)}<extra></extra>"
    line = {"color": color("blue"), "width": 2}
    return [
        band(part["spend"], part["q05"], part["q95"], "90% interval", "blue", 0.15),
        go.Scatter(x=seen["spend"], y=seen["mean"], name="spend seen", mode="lines", line=line, hovertemplate=hover),
        go.Scatter(x=beyond["spend"], y=beyond["mean"], name="never seen (extrapolated)", mode="lines",
                   line={**line, "dash": "dot"}, hovertemplate=hover),
        go.Scatter(x=now["spend"], y=now["mean"], name="spend now", mode="markers", hovertemplate=hover,
                   marker={"size": 9, "color": color("orange"), "line": {"width": 1.5, "color": color("ink")}}),
    ]  # fmt: skip
