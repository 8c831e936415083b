"""Figures of how the chains of a fit ran.

Here: rank plots, energy, divergent draws among the others.
Not here: R-hat and effective sample sizes (checks.py).
"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mmm_engine.report.figures.style import (
    escape,
    finish,
    grid_of,
    legend_on_top,
    panel_titles,
    parameter_labels,
    reference_line,
)
from mmm_engine.report.palette import SERIES, color


def rank_plots(ranks: pd.DataFrame, *, compact: bool = False) -> go.Figure:
    """Ranks of each chain's draws among all draws, one panel per parameter; flat lines around 1 are wanted.

    Args:
        ranks: Columns parameter, chain, position (bin), value (relative frequency).
        compact: One panel per row, for narrow screens.
    """
    names = [str(name) for name in ranks["parameter"].drop_duplicates()]
    columns = 1 if compact else min(3, len(names))
    rows = -(-len(names) // columns)
    titles = list(parameter_labels(names, 38).values())
    figure = make_subplots(rows, columns, subplot_titles=titles, shared_xaxes=True, shared_yaxes=True,
                           horizontal_spacing=0.03, vertical_spacing=0.35 / rows)  # fmt: skip
    bins = int(ranks["position"].max()) + 1
    for name, (row, column) in zip(names, grid_of(len(names), columns), strict=True):
        own = ranks[ranks["parameter"] == name]
        for chain, part in own.groupby("chain", sort=True):
            token = SERIES[int(str(chain)) % len(SERIES)]
            words = f"chain {int(str(chain)) + 1}"
            figure.add_trace(
                go.Scatter(x=(part["position"] + 0.5) / bins, y=part["value"], name=words, mode="lines",
                           line={"color": color(token), "width": 1.5, "shape": "hvh"}, legendgroup=words,
                           showlegend=name == names[0], hovertemplate=f"{words}: %{{y:.2f}}<extra></extra>"),
                row, column,
            )  # fmt: skip
        reference_line(figure, y=1, place={"row": row, "col": column})
    figure.update_yaxes(range=[0, max(2.0, 1.1 * float(ranks["value"].max()))], nticks=4)
    figure.update_xaxes(tickformat=".0%", nticks=4)
    height = 96 + 170 * rows
    return panel_titles(legend_on_top(finish(figure, height, hovermode="x"), compact), 12)


def energy(energy: pd.DataFrame) -> go.Figure:
    """Energy of the draws and its change from draw to draw; two curves of one width are wanted.

    Args:
        energy: Columns view ("energy", "transition"), position, value (density).
    """
    figure = go.Figure()
    for view, token, words in (
        ("energy", "blue", "energy, less its mean"),
        ("transition", "orange", "change of energy from draw to draw"),
    ):
        part = energy[energy["view"] == view]
        figure.add_trace(
            go.Scatter(x=part["position"], y=part["value"], name=words, mode="lines", fill="tozeroy",
                       line={"color": color(token), "width": 2, "shape": "spline"},
                       fillcolor=color(token, 0.15), hovertemplate="%{x:.1f}: %{y:.3f}")
        )  # fmt: skip
    return finish(figure, 300, hovermode="closest", xaxis={"title": {"text": "energy"}},
                  yaxis={"title": {"text": "density"}, "rangemode": "tozero"})  # fmt: skip


def divergences(draws: pd.DataFrame, *, compact: bool = False) -> go.Figure:
    """Divergent draws among the others, in the two parameters in which they stand out most.

    Args:
        draws: Columns parameter, position (number of the draw), value, diverging; at least two parameters.
        compact: Shorter axis titles, for narrow screens.
    """
    first, second = [str(name) for name in draws["parameter"].drop_duplicates()][:2]
    wide = draws.pivot(index=["position", "diverging"], columns="parameter", values="value").reset_index()
    figure = go.Figure()
    for is_bad, token, alpha, size, words in (
        (False, "other", 0.45, 5, "draw"),
        (True, "vermillion", 0.95, 9, "divergent draw"),
    ):
        part = wide[wide["diverging"] == is_bad]
        symbol = "x" if is_bad else "circle"
        figure.add_trace(
            go.Scatter(x=part[first], y=part[second], name=words, mode="markers",
                       marker={"color": color(token, alpha), "size": size, "symbol": symbol},
                       hovertemplate="%{x}, %{y}")
        )  # fmt: skip
    limit = 34 if compact else 60
    titles = parameter_labels([first, second], limit)
    return finish(figure, 380, hovermode="closest", xaxis={"title": {"text": titles[first]}},
                  yaxis={"title": {"text": titles[second]}})  # fmt: skip


def calibration(
    pit: pd.DataFrame, coverage: pd.DataFrame, *, period: str = "week", compact: bool = False
) -> go.Figure:
    """Where actual values fell within their predicted distributions, and how much each interval held.

    Args:
        pit: Columns rows ("train", "test"), pit.
        coverage: Columns rows, level, held, low, high (band of what was held, for "test").
        period: What one row is.
        compact: Panels below each other, for narrow screens.
    """
    titles = ["where actual values fell (flat is right)", "held by the central interval"]
    rows, columns = (2, 1) if compact else (1, 2)
    figure = make_subplots(
        rows, columns, subplot_titles=titles, horizontal_spacing=0.1, vertical_spacing=0.14
    )
    places = [{"row": 1 + i * compact, "col": 1 + i * (not compact)} for i in range(2)]
    for kind, token, words in (("train", "blue", "seen in training"), ("test", "orange", "not seen")):
        part = pit[pit["rows"] == kind]
        own = coverage[coverage["rows"] == kind]
        if part.empty:
            continue
        figure.add_trace(
            go.Histogram(x=part["pit"], xbins={"start": 0, "end": 1.0001, "size": 0.1}, histnorm="percent",
                         name=words, marker={"color": color(token, 0.75)}, showlegend=False,
                         hovertemplate=f"%{{x}}: %{{y:.0f}}% of {escape(period)}s<extra>{words}</extra>"),
            **places[0],
        )  # fmt: skip
        if own["low"].notna().any():
            figure.add_trace(
                go.Scatter(x=[*own["level"], *own["level"][::-1]], y=[*own["high"], *own["low"][::-1]],
                           fill="toself", fillcolor=color(token, 0.15), mode="lines", hoverinfo="skip",
                           line={"width": 0, "color": color(token, 0.15)}, name="95% band of the share"),
                **places[1],
            )  # fmt: skip
        figure.add_trace(
            go.Scatter(x=own["level"], y=own["held"], name=words, mode="lines+markers",
                       line={"color": color(token), "width": 2}, marker={"color": color(token), "size": 6},
                       hovertemplate="%{x:.0%} interval held %{y:.0%}"),
            **places[1],
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", name="as promised", hoverinfo="skip",
                   line={"color": color("muted"), "width": 1, "dash": "dash"}),
        **places[1],
    )  # fmt: skip
    reference_line(figure, y=10, place=places[0])
    figure.update_xaxes(range=[0, 1], nticks=6, tickformat=".0%")
    figure.update_xaxes(title={"text": "quantile of the prediction"}, **places[0])
    figure.update_xaxes(title={"text": "level of the interval"}, **places[1])
    figure.update_yaxes(ticksuffix="%", **places[0])
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%", **places[1])
    height = 760 if compact else 380
    return panel_titles(legend_on_top(finish(figure, height, barmode="group", hovermode="closest"), compact))
