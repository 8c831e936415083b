"""Figures of what moved since the last refresh.

Here: waterfalls of single channels, causes of every channel's move.
Not here: contributions (contribution.py).
"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mmm_engine.report import numbers
from mmm_engine.report.figures.style import (
    escape,
    finish,
    grid_of,
    labels_of,
    panel_titles,
    reference_line,
    row_axis,
    row_height,
    row_labels,
)
from mmm_engine.report.palette import SERIES, color


def refresh_waterfall(diff: pd.DataFrame, *, unit: str = "", compact: bool = False) -> go.Figure:
    """From a channel's earlier return through every cause to its present one, one panel per channel.

    Both returns are dots, because the axis does not begin at 0; the bars between them are moves.

    Args:
        diff: Columns channel, step, change, noise, before, after.
        unit: Unit of the return.
        compact: One panel per row, for narrow screens.
    """
    names = [str(name) for name in diff["channel"].drop_duplicates()]
    steps = [str(step) for step in diff["step"].drop_duplicates()]
    rows = ["last refresh", *(escape(step[:40]) for step in steps), "this refresh"]
    labels = labels_of(names, 40)
    columns = 1 if compact else len(names)
    figure = make_subplots(-(-len(names) // columns), columns, subplot_titles=[labels[name] for name in names],
                           shared_yaxes=not compact, horizontal_spacing=0.04, vertical_spacing=0.12)  # fmt: skip
    for name, (row, column) in zip(names, grid_of(len(names), columns), strict=True):
        own = diff[diff["channel"] == name].drop_duplicates("step").set_index("step").reindex(steps)
        before, after = float(own["before"].max()), float(own["after"].max())
        changes = own["change"].fillna(0.0).to_numpy(dtype=float)
        starts = before + changes.cumsum() - changes
        tokens = ["green" if change >= 0 else "vermillion" for change in changes]
        bars = go.Bar(
            y=rows[1:-1],
            x=changes,
            base=starts,
            orientation="h",
            marker={"color": [color(token, 0.9) for token in tokens]},
            text=[_signed(change) for change in changes],
            textposition="outside",
            cliponaxis=False,
            constraintext="none",
            showlegend=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
        ends = go.Scatter(
            y=[rows[0], rows[-1]],
            x=[before, after],
            mode="markers+text",
            marker={"color": [color("muted"), color("ink")], "size": 11},
            text=[escape(numbers.price(end, unit)) for end in (before, after)],
            textposition="middle right",
            cliponaxis=False,
            showlegend=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
        for trace in (bars, ends):
            figure.add_trace(trace, row, column)
        reached = [before, after, *starts, *(starts + changes)]
        low, high = min(reached), max(reached)
        gap = max(high - low, 0.02 * abs(high) or 1.0)
        left = max(low - 0.9 * gap, min(0.0, low))
        figure.update_xaxes(range=[left, high + 0.75 * gap], nticks=4, row=row, col=column)
    figure.update_yaxes(row_axis(rows))
    height = 70 + (38 + 30 * len(rows)) * (len(names) if compact else 1)
    margin = {"l": 8, "r": 12, "t": 40, "b": 8}
    return panel_titles(finish(figure, height, margin=margin))


def refresh_diff(diff: pd.DataFrame, *, metric: str = "roas", compact: bool = False) -> go.Figure:
    """Each channel's move since the last refresh, stacked by cause.

    Args:
        diff: Columns channel, step, change.
        metric: What moved ("roas", "cpa" or "share"), for the axis title.
        compact: Broken labels, for narrow screens.
    """
    names = row_labels(diff["channel"].drop_duplicates(), compact)
    rows = list(names.values())
    figure = go.Figure()
    for place, (step, part) in enumerate(diff.groupby("step", sort=False)):
        words = escape(str(step)[:40])
        ys = [names[str(name)] for name in part["channel"]]
        figure.add_trace(go.Bar(y=ys, x=part["change"], orientation="h", name=words,
                                marker={"color": color(SERIES[place % len(SERIES)], 0.9)},
                                customdata=[_signed(change) for change in part["change"]],
                                hovertemplate=f"%{{y}}<br>{words}: %{{customdata}}<extra></extra>"))  # fmt: skip
    reference_line(figure, x=0)
    titles = {"roas": "change in ROAS", "cpa": "change in cost per conversion", "share": "change in share"}
    axis = {"title": {"text": titles[metric]}} | ({"tickformat": ".1%"} if metric == "share" else {})
    return finish(figure, row_height(len(rows), 30), barmode="relative", yaxis=row_axis(rows), xaxis=axis)


def _signed(change: float) -> str:
    return ("+" if change >= 0 else "") + numbers.grouped(float(change))
