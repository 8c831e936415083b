"""Figures of a budget: today against the plan, and what other budgets would bring.

Here: `budget_moves`, `budget_frontier`.
Not here: the plan (mmm_engine.decisions).
"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from mmm_engine.report.figures.style import (
    band,
    color,
    escape,
    finish,
    reference_line,
    row_axis,
    row_height,
    row_labels,
)

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
        hover = f"%{{y}}<br>{name}: %{{x:,.4s}} {escape(unit)}<extra></extra>"
        figure.add_trace(
            go.Scatter(x=table[column], y=rows, mode="markers", marker=marker, name=name, hovertemplate=hover)
        )
    axis = {"title": {"text": escape(unit)}, "rangemode": "tozero", "tickformat": "~s"}
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
    hover = f"%{{x:,.4s}} {escape(unit)}: %{{y:,.4s}} {escape(target)}<extra></extra>"
    figure.add_trace(
        go.Scatter(
            x=budget,
            y=frontier["response"],
            mode="lines",
            name="best plan of each budget",
            line={"color": color("blue"), "width": 2},
            hovertemplate=hover,
        )
    )
    if today is not None:
        reference_line(figure, x=today, annotation_text="today")
    return finish(
        figure,
        340,
        xaxis={"title": {"text": f"budget, {escape(unit)}" if unit else "budget"}, "tickformat": "~s"},
        yaxis={"title": {"text": f"media bring, {escape(target)}"}, "tickformat": "~s"},
    )
