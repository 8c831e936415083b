"""Figures of what a unit of spend brings.

Here: returns with intervals, against marginal returns and volume.
Not here: contributions (contribution.py), response curves and carry-over (response.py).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mmm_engine.report import numbers
from mmm_engine.report.figures.style import (
    escape,
    finish,
    interval_lines,
    labels_of,
    legend_on_top,
    log_axis,
    reference_line,
    row_axis,
    row_height,
    row_labels,
    tooltips,
)
from mmm_engine.report.palette import channel_colors, color


def roas_intervals(
    returns: pd.DataFrame,
    *,
    metric: str = "roas",
    unit: str = "",
    words: str = "",
    unreadable: Collection[str] = (),
    tokens: Mapping[str, str] | None = None,
    compact: bool = False,
) -> go.Figure:
    """Return of each channel with 50% and 90% intervals and its marginal return.

    Args:
        returns: Columns channel, mean, q05, q25, q75, q95, and optionally marginal; in the order to show.
        metric: "roas" (marked at 1) or "cpa" (logarithmic axis).
        unit: Unit of the return.
        words: Title of the axis; the unit where it is empty.
        unreadable: Channels drawn grey and marked "do not read".
        tokens: Palette token of each channel; by place where None.
        compact: Broken labels, for narrow screens.
    """
    names = row_labels(returns["channel"], compact)
    rows = [names[str(name)] for name in returns["channel"]]
    shades = _shades(returns["channel"], unreadable, tokens)
    figure = go.Figure()
    _add_intervals(figure, rows, returns, shades)
    figure.add_trace(_return_points(rows, returns, shades, unit))
    if "marginal" in returns.columns:
        figure.add_trace(_marginal_points(rows, returns, unit))
    title = escape(words or numbers.sign(unit))
    axis: dict[str, Any] = {**numbers.AXIS, "title": {"text": title}}
    if metric == "cpa":
        axis = log_axis([*returns["q05"], *returns["q95"], *returns.get("marginal", [])], title)
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
    words: str = "",
    unreadable: Collection[str] = (),
    tokens: Mapping[str, str] | None = None,
    compact: bool = False,
) -> go.Figure:
    """Average return against marginal return; the size of a bubble is spend, the diagonal is "no saturation".

    Args:
        returns: Columns channel, roas, mroas, spend.
        unit: Unit of both returns.
        currency: Unit of spend.
        words: What a return is, for the axes.
        unreadable: Channels drawn grey.
        tokens: Palette token of each channel; by place where None.
        compact: Fewer labels, for narrow screens.
    """
    reach = max(float(returns["roas"].max()) * 1.35, 1e-9)
    top = max(float(returns["mroas"].max()) * 1.2, 1e-9)
    figure = go.Figure(
        go.Scatter(x=[0, reach], y=[0, reach], mode="lines", name="next unit as good as the average",
                   line={"color": color("muted"), "width": 1, "dash": "dash"}, hoverinfo="skip")
    )  # fmt: skip
    hovers = [
        f"average {escape(numbers.price(mean, unit))}, next unit over all rows {escape(numbers.price(more, unit))}"
        for mean, more in zip(returns["roas"], returns["mroas"], strict=True)
    ]
    shades = _shades(returns["channel"], unreadable, tokens)
    figure.add_traces(_bubbles(returns, "roas", "mroas", shades, hovers, currency, compact))
    of = f", {escape(words)}" if words else ""
    figure = finish(
        figure,
        480 if compact else 440,
        hovermode="closest",
        xaxis={**numbers.AXIS, "title": {"text": f"on average{of}"}, "range": [0, reach]},
        yaxis={**numbers.AXIS, "title": {"text": f"of the next unit over all rows{of}"}, "range": [0, top]},
    )
    return legend_on_top(figure, compact, below=10)


def roas_against_effectiveness(
    returns: pd.DataFrame,
    *,
    unit: str = "",
    currency: str = "",
    words: str = "",
    unreadable: Collection[str] = (),
    tokens: Mapping[str, str] | None = None,
    compact: bool = False,
) -> go.Figure:
    """Return on spend against contribution per unit of media volume; the size of a bubble is spend.

    Args:
        returns: Columns channel, roas, effectiveness, spend.
        unit: Unit of the target.
        currency: Unit of spend.
        words: What a return is, for the axes.
        unreadable: Channels drawn grey.
        tokens: Palette token of each channel; by place where None.
        compact: Fewer labels, for narrow screens.
    """
    hovers = [
        f"return {escape(numbers.price(mean, unit))}, {escape(numbers.price(each, unit))} per contact"
        for mean, each in zip(returns["roas"], returns["effectiveness"], strict=True)
    ]
    shades = _shades(returns["channel"], unreadable, tokens)
    figure = go.Figure(_bubbles(returns, "roas", "effectiveness", shades, hovers, currency, compact))
    figure = finish(
        figure,
        460 if compact else 420,
        hovermode="closest",
        xaxis={**numbers.AXIS, "title": {"text": escape(words)}, "rangemode": "tozero"},
        yaxis=log_axis(returns["effectiveness"], f"{escape(numbers.sign(unit))} per unit of volume"),
    )
    return legend_on_top(figure, compact, below=10)


# --- parts of figures ---------------------------------------------------------------------------


def _shades(channels: pd.Series, unreadable: Collection[str], tokens: Mapping[str, str] | None) -> list[str]:
    """Palette token of each row: that of its channel, grey where it must not be read."""
    tokens = tokens or channel_colors(channels)
    return ["other" if name in unreadable else tokens.get(str(name), "other") for name in channels]


def _add_intervals(figure: go.Figure, rows: list[str], returns: pd.DataFrame, shades: list[str]) -> None:
    """50% and 90% intervals in the colours of their channels, grey where a return must not be read."""
    bars = (("q05", "q95", 2, 0.9, "90% interval"), ("q25", "q75", 8, 0.4, "50% interval"))
    for low, high, width, alpha, words in bars:
        key = {"name": words, "line": {"color": color("muted", alpha), "width": width}}
        figure.add_trace(go.Scatter(x=[None], y=[rows[0]], mode="lines", **key))
        for shade in dict.fromkeys(shades):
            chosen = [own == shade for own in shades]
            part = returns[chosen]
            names = [row for row, is_in in zip(rows, chosen, strict=True) if is_in]
            line = {"color": color(shade, alpha), "width": width}
            figure.add_trace(
                interval_lines(names, part[low], part[high], name=words, line=line, showlegend=False)
            )


def _return_points(rows: list[str], returns: pd.DataFrame, shades: list[str], unit: str) -> go.Scatter:
    hovers = [
        escape(
            f"{numbers.price(mean, unit)}, {numbers.interval(numbers.price(low, unit), numbers.price(high, unit))}"
        )
        for mean, low, high in zip(returns["mean"], returns["q05"], returns["q95"], strict=True)
    ]
    return go.Scatter(
        x=returns["mean"],
        y=rows,
        name="average",
        mode="markers",
        marker={"size": 10, "color": [color(shade) for shade in shades],
                "line": {"color": color("paper"), "width": 1.5}},
        customdata=hovers,
        hovertemplate="%{y}<br>%{customdata}<extra></extra>",
    )  # fmt: skip


def _marginal_points(rows: list[str], returns: pd.DataFrame, unit: str) -> go.Scatter:
    return go.Scatter(
        x=returns["marginal"],
        y=rows,
        name="the next unit, over all rows",
        mode="markers",
        marker={"size": 9, "symbol": "diamond-open", "color": color("ink"), "line": {"width": 2}},
        customdata=[escape(numbers.price(value, unit)) for value in returns["marginal"]],
        hovertemplate="%{y}<br>the next unit, over all rows: %{customdata}<extra></extra>",
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
                x=reach,
                y=row,
                text=f"to {numbers.grouped(high)} ▸",
                showarrow=False,
                xanchor="right",
                yshift=-9,
            )
    return low, reach


def _bubbles(
    returns: pd.DataFrame,
    x: str,
    y: str,
    shades: list[str],
    hovers: list[str],
    currency: str,
    compact: bool,
) -> list[go.Scatter]:
    """Bubbles by spend, every one with its name or, where names would run into each other, a number of the legend."""
    names = labels_of(returns["channel"], 24)
    largest = float(returns["spend"].max()) or 1.0
    sizes = [14 + 30 * math.sqrt(max(float(spend), 0.0) / largest) for spend in returns["spend"]]
    texts = _uncrowded(returns, x, y, names, 20 if compact else 8)
    crowded = [place for place, text in enumerate(texts) if not text]
    keys = {place: str(number) for number, place in enumerate(crowded, 1)}
    rows = [names[str(name)] for name in returns["channel"]]
    spent = tooltips(returns["spend"], currency)
    bubbles = go.Scatter(
        x=returns[x],
        y=returns[y],
        name="size: spend",
        mode="markers+text",
        text=[keys.get(place, text) for place, text in enumerate(texts)],
        textposition=["middle center" if place in keys else "middle right" for place in range(len(rows))],
        textfont={"size": 11, "color": color("ink")},
        cliponaxis=False,
        showlegend=False,
        marker={"size": sizes, "color": [color(shade, 0.45) for shade in shades],
                "line": {"width": 1.5, "color": [color(shade) for shade in shades]}},
        customdata=[f"{row}<br>{words}<br>spend {money}"
                    for row, words, money in zip(rows, hovers, spent, strict=True)],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    legend = [
        go.Scatter(x=[None], y=[None], mode="markers", name=f"{number} {rows[place]}",
                   marker={"size": 9, "color": color(shades[place])})
        for place, number in keys.items()
    ]  # fmt: skip
    return [bubbles, *legend]


def _uncrowded(returns: pd.DataFrame, x: str, y: str, names: Mapping[str, str], letters: int) -> list[str]:
    """Labels of bubbles, largest spend first, "" where one would run into another already there.

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
