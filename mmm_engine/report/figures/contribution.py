"""Figures of what adds up to the target.

Here: decomposition over time, waterfall, parts, shares against spend, ranks.
Not here: return per unit of spend (returns.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mmm_engine.report import numbers
from mmm_engine.report.figures.style import (
    amounts,
    escape,
    finish,
    label,
    labels_of,
    row_axis,
    row_height,
    row_labels,
    tooltips,
)
from mmm_engine.report.palette import SERIES, channel_colors, color
from mmm_engine.report.subject import CALENDAR_KINDS, component_totals

#: Channels with a colour of their own in the chart of ranks; more would be a tangle.
LEADERS = 4
_KIND_TOKENS = {kind: kind for kind in ("baseline", *CALENDAR_KINDS, "control", "event")}


def decomposition_area(
    decomposition: pd.DataFrame,
    *,
    unit: str = "",
    top: int = len(SERIES),
    tokens: Mapping[str, str] | None = None,
    compact: bool = False,
) -> go.Figure:
    """Stacked areas of all parts; channels past the largest are summed into one.

    Args:
        decomposition: Columns date, component, kind, mean.
        unit: Unit of the target.
        top: Channels shown on their own.
        tokens: Palette token of each channel; by size where None.
        compact: Room for a legend of one column, for narrow screens.
    """
    figure = go.Figure()
    for name, token, part in _layers(decomposition, top, tokens):
        figure.add_trace(
            go.Scatter(
                x=part.index,
                y=part.to_numpy(),
                name=name,
                stackgroup="parts",
                mode="lines",
                line={"width": 0.5, "color": color("paper")},
                fillcolor=color(token, 0.9),
                customdata=tooltips(part, unit),
                hovertemplate="%{customdata}",
            )
        )
    axis = amounts(unit)
    height = 360 + 20 * len(figure.data) if compact else 440
    return finish(figure, height, hovermode="x unified", yaxis=axis, legend={"traceorder": "normal"})


def contribution_waterfall(
    decomposition: pd.DataFrame,
    *,
    unit: str = "",
    tokens: Mapping[str, str] | None = None,
    compact: bool = False,
) -> go.Figure:
    """Horizontal waterfall from the baseline through controls and channels to the whole.

    Args:
        decomposition: Columns date, component, kind, mean.
        unit: Unit of the target.
        tokens: Palette token of each channel; by size where None.
        compact: Broken labels and less text, for narrow screens.
    """
    totals = component_totals(decomposition)
    names = row_labels(totals["component"], compact)
    whole = float(totals["mean"].sum())
    steps = totals["mean"].to_numpy(dtype=float)
    starts = steps.cumsum() - steps
    rows = [*(names[str(name)] for name in totals["component"]), "all parts"]
    shares = [numbers.percent(step / whole) for step in steps]
    text = (
        shares
        if compact
        else [f"{numbers.compact(float(step))} · {share}" for step, share in zip(steps, shares, strict=True)]
    )
    text.append(numbers.compact(float(whole)))
    of_channels = tokens or channel_colors(totals.loc[totals["kind"] == "channel", "component"])
    kinds = zip(totals["component"], totals["kind"], strict=True)
    shades = [of_channels.get(str(name), "other") if kind == "channel" else _KIND_TOKENS.get(str(kind), "other")
              for name, kind in kinds] + ["ink"]  # fmt: skip
    figure = go.Figure(
        go.Bar(
            y=rows,
            x=[*steps, whole],
            base=[*starts, 0.0],
            orientation="h",
            marker={"color": [color(shade, 0.9) for shade in shades], "line": {"width": 0}},
            text=text,
            textposition=["inside" if step > 0.5 * whole else "outside" for step in [*steps, whole]],
            insidetextanchor="middle",
            textfont={"color": [color("paper") if t == "ink" else color("ink") for t in shades]},
            constraintext="none",
            cliponaxis=False,
            customdata=tooltips([*steps, whole], unit),
            hovertemplate="%{y}<br>%{customdata}<extra></extra>",
        )
    )
    reach = max(float((starts + steps).max()), whole)
    axis = {
        **amounts(unit),
        "range": [min(0.0, float(starts.min())), reach * 1.22],
    }
    return finish(figure, row_height(len(rows), 30, 60), yaxis=row_axis(rows), xaxis=axis, showlegend=False,
                  margin={"l": 8, "r": 12, "t": 8, "b": 8})  # fmt: skip


def contribution_parts(
    decomposition: pd.DataFrame,
    *,
    unit: str = "",
    top: int = len(SERIES),
    tokens: Mapping[str, str] | None = None,
    compact: bool = False,
) -> go.Figure:
    """One bar of 100%: the whole target cut into its parts.

    Args:
        decomposition: Columns date, component, kind, mean.
        unit: Unit of the target.
        top: Channels shown on their own.
        tokens: Palette token of each channel; by size where None.
        compact: Room for a legend of one column, for narrow screens.
    """
    figure = go.Figure()
    layers = [(name, token, float(part.sum())) for name, token, part in _layers(decomposition, top, tokens)]
    whole = sum(size for _, _, size in layers)
    for name, token, size in layers:
        figure.add_trace(
            go.Bar(
                x=[size / whole],
                y=[""],
                name=name,
                orientation="h",
                marker={"color": color(token, 0.9), "line": {"width": 1, "color": color("paper")}},
                text=[numbers.percent(size / whole) if size / whole >= 0.04 else ""],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                hovertemplate=f"%{{x:.1%}}, {escape(numbers.compact(size, unit))}",
            )
        )
    axis = {"visible": False, "range": [0, 1], "fixedrange": True}
    legend = {"traceorder": "normal", "yref": "container", "y": 0.0, "yanchor": "bottom", "maxheight": 0.95}
    below = 16 + 19 * (len(layers) if compact else -(-len(layers) // 4))
    return finish(figure, 98 + below, barmode="stack", xaxis=axis, yaxis={"visible": False}, legend=legend, bargap=0.1,
                  margin={"l": 8, "r": 12, "t": 8, "b": below})  # fmt: skip


def share_against_spend(
    shares: pd.DataFrame, *, unit: str = "", unreadable: Collection[str] = (), compact: bool = False
) -> go.Figure:
    """Share of spend and share of contribution of each paid channel, joined by a line.

    Args:
        shares: Columns channel, spend_share, contribution_share, roas; largest spend first.
        unit: Unit of the target.
        unreadable: Channels whose contribution must not be read.
        compact: Broken labels, for narrow screens.
    """
    names = row_labels(shares["channel"], compact)
    rows = [names[str(name)] for name in shares["channel"]]
    figure = go.Figure()
    for row, spent, gained in zip(rows, shares["spend_share"], shares["contribution_share"], strict=True):
        token = "green" if gained >= spent else "vermillion"
        figure.add_trace(go.Scatter(x=[spent, gained], y=[row, row], mode="lines", showlegend=False, hoverinfo="skip",
                                    line={"color": color(token, 0.55), "width": 5}))  # fmt: skip
    figure.add_trace(_share_points(rows, shares["spend_share"], "share of spend", "circle-open", "muted"))
    figure.add_trace(
        _share_points(rows, shares["contribution_share"], "share of contribution", "circle", "blue")
    )
    reach = float(shares[["spend_share", "contribution_share"]].max().max())
    for row, channel, roas, far in zip(
        rows,
        shares["channel"],
        shares["roas"],
        shares[["spend_share", "contribution_share"]].max(axis=1),
        strict=True,
    ):
        words = (
            "do not read" if channel in unreadable else f"return {escape(numbers.price(float(roas), unit))}"
        )
        figure.add_annotation(x=far, y=row, text=words, showarrow=False, xanchor="left", xshift=12)
    return finish(figure, row_height(len(rows)), yaxis=row_axis(rows),
                  xaxis={"tickformat": ".0%", "range": [-0.01, reach * (1.5 if compact else 1.2)]})  # fmt: skip


def channel_ranks(
    ranks: pd.DataFrame, *, unit: str = "", tokens: Mapping[str, str] | None = None, compact: bool = False
) -> go.Figure:
    """Rank of each channel by quarter; the leaders of the last quarter are drawn in their colours.

    Args:
        ranks: Columns date (quarter start), channel, contribution, rank.
        unit: Unit of the contribution.
        tokens: Palette token of each channel; by rank where None.
        compact: Shorter names at the right edge, for narrow screens.
    """
    last = ranks[ranks["date"] == ranks["date"].max()].sort_values("rank")
    order = [str(name) for name in last["channel"]]
    tokens, names = tokens or channel_colors(order), row_labels(order, compact)
    figure = go.Figure()
    for name in reversed(order):
        part = ranks[ranks["channel"] == name].sort_values("date")
        is_leader = name in order[:LEADERS]
        ends = [""] * (len(part) - 1) + [names[name]]
        figure.add_trace(
            go.Scatter(
                x=[_quarter(date) for date in part["date"]],
                y=part["rank"],
                name=names[name],
                mode="lines+markers+text",
                text=ends,
                textposition="middle right",
                textfont={"size": 9 if compact else 11, "color": color("ink" if is_leader else "muted")},
                line={
                    "color": color(tokens[name] if is_leader else "other", 1 if is_leader else 0.45),
                    "width": 3 if is_leader else 1.5,
                },
                marker={"size": 8 if is_leader else 5},
                cliponaxis=False,
                hovertemplate="rank %{y}, %{customdata}",
                customdata=tooltips(part["contribution"], unit),
            )
        )
    axis = {
        "autorange": "reversed",
        "dtick": 1 if len(order) <= 8 else 2,
        "tick0": 1,
        "title": {"text": "rank"},
    }
    margin = {"l": 8, "r": 92 if compact else 210, "t": 12, "b": 8}
    return finish(figure, row_height(len(order), 28, 80), yaxis=axis, showlegend=False, margin=margin,
                  xaxis={"type": "category", "showgrid": False, **_quarter_ticks(ranks["date"], compact)})  # fmt: skip


#: Quarters that fit on the axis of a desk, each with its name.
_QUARTERS_NAMED = 20


def _quarter(date: pd.Timestamp) -> str:
    return f"{date.year} Q{date.quarter}"


def _quarter_ticks(dates: pd.Series, compact: bool) -> dict[str, list[str]]:
    """Ticks of an axis of quarters: every quarter, its year below the first one shown and each Q1; else years alone."""
    quarters = sorted(dates.unique())
    is_short = len(quarters) <= (6 if compact else _QUARTERS_NAMED)
    shown = quarters if is_short else [date for date in quarters if date.quarter == 1] or quarters[:1]
    texts = [f"Q{date.quarter}<br>{date.year}" if date.quarter == 1 or not place else f"Q{date.quarter}"
             for place, date in enumerate(shown)]  # fmt: skip
    if not is_short:
        texts = [str(date.year) for date in shown]
    return {"tickvals": [_quarter(date) for date in shown], "ticktext": texts}


def _layers(
    decomposition: pd.DataFrame, top: int, tokens: Mapping[str, str] | None
) -> list[tuple[str, str, pd.Series]]:
    """Label, palette token and values by date of each area, bottom to top."""
    totals = component_totals(decomposition)
    wide = decomposition.pivot_table(
        index="date", columns="component", values="mean", aggfunc="sum"
    ).sort_index()
    layers = []
    # a falling trend is negative: an area can only show it within the baseline
    for kinds in (
        ("baseline", "trend"),
        ("seasonality",),
        ("weekday",),
        ("holidays",),
        ("control",),
        ("event",),
    ):
        members = [str(c) for c in totals.loc[totals["kind"].isin(kinds), "component"]]
        if kinds[0] == "control" and len(members) > 1:  # the one that moves most has a name
            largest = max(members, key=lambda member: float(np.abs(wide[member].to_numpy(dtype=float)).sum()))
            members.remove(largest)
            layers.append((label(largest), "control", wide[largest]))
        if members:
            name = label(members[0]) if len(members) == 1 else f"{len(members)} {kinds[0]}s"
            name = "baseline and trend" if "trend" in members[1:] else name
            is_rest = bool(layers) and layers[-1][1] == kinds[0]
            name = f"{len(members)} other controls" if is_rest and len(members) > 1 else name
            layers.append((name, "controls" if is_rest else kinds[0], wide[members].sum(axis=1)))
    channels = [str(c) for c in totals.loc[totals["kind"] == "channel", "component"]]
    shown, rest = (channels, []) if len(channels) <= top + 1 else (channels[:top], channels[top:])
    tokens, names = tokens or channel_colors(channels), labels_of(shown)
    layers += [(names[name], tokens[name], wide[name]) for name in shown]
    if rest:
        layers.append((f"{len(rest)} smaller channels", "other", wide[rest].sum(axis=1)))
    return layers


def _share_points(rows: list[str], values: pd.Series, name: str, symbol: str, token: str) -> go.Scatter:
    return go.Scatter(
        x=values,
        y=rows,
        name=name,
        mode="markers",
        marker={
            "size": 11,
            "symbol": symbol,
            "color": color(token),
            "line": {"width": 2, "color": color(token)},
        },
        hovertemplate=f"%{{y}}<br>{name} %{{x:.1%}}<extra></extra>",
    )
