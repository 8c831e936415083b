"""Figures of a budget: today against the plan, and what other budgets would bring.

Here: `budget_moves`, `budget_frontier`.
Not here: the plan (mmm_engine.decisions).
"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from mmm_engine.report.figures.style import (
    amounts,
    band,
    finish,
    reference_line,
    row_axis,
    row_height,
    row_labels,
    tooltips,
)
from mmm_engine.report.palette import color

TONES = {"raise": "green", "cut": "vermillion", "hold": "other", "test first": "purple"}


def budget_moves(table: pd.DataFrame, *, unit: str = "", compact: bool = False) -> go.Figure:
    """Money of each channel today and in the plan, joined by a line.

    Args:
        table: Columns channel, today, plan, advice; in the order to show.
        unit: Of money.
        compact: Broken labels, for narrow screens.
    """
    names = row_labels(table["channel"], compact)
    rows = [names[str(name)] for name in table["channel"]]
    figure = go.Figure()
    for row, today, plan, advice in zip(rows, table["today"], table["plan"], table["advice"], strict=True):
        line = {"color": color(TONES[advice]), "width": 4}
        figure.add_trace(
            go.Scatter(
                x=[today, plan], y=[row, row], mode="lines", line=line, hoverinfo="skip", showlegend=False
            )
        )
    for name, column, marker in (
        (
            "today",
            "today",
            {"color": color("muted"), "size": 9, "symbol": "circle-open", "line": {"width": 2}},
        ),
        (
            "plan",
            "plan",
            {"color": [color(TONES[advice]) for advice in table["advice"]], "size": 11, "symbol": "circle"},
        ),
    ):
        figure.add_trace(
            go.Scatter(
                x=table[column],
                y=rows,
                mode="markers",
                marker=marker,
                name=name,
                customdata=tooltips(table[column], unit),
                hovertemplate=f"%{{y}}<br>{name}: %{{customdata}}<extra></extra>",
            )
        )
    reach = max(float(table["today"].max()), float(table["plan"].max()), 1e-9)
    axis = {**amounts(unit), "range": [-0.025 * reach, 1.06 * reach]}  # a dot at zero keeps off its name
    return finish(figure, row_height(len(rows)), xaxis=axis, yaxis=row_axis(rows))


def budget_frontier(
    frontier: pd.DataFrame, *, unit: str = "", target: str = "", today: float | None = None
) -> go.Figure:
    """What the best plan of each budget brings, with its 90% interval.

    Args:
        frontier: Columns budget, response, response_q05, response_q95.
        unit: Of money.
        target: Of the response.
        today: Budget to mark.
    """
    budget = frontier["budget"]
    figure = go.Figure(band(budget, frontier["response_q05"], frontier["response_q95"], "90%", "blue", 0.18))
    pairs = zip(tooltips(budget, unit), tooltips(frontier["response"], target), strict=True)
    figure.add_trace(
        go.Scatter(
            x=budget,
            y=frontier["response"],
            mode="lines",
            name="best plan of each budget",
            line={"color": color("blue"), "width": 2},
            customdata=[f"{spent}: {brought}" for spent, brought in pairs],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    if today is not None:
        reference_line(figure, x=today, text="today")
    return finish(
        figure,
        340,
        xaxis=amounts(unit, "budget"),
        yaxis=amounts(target, "media bring"),
    )
