"""Figures of how far to trust a model.

Here: scores by window, how precise each channel is, stability, sampler health, priors, residuals.
Not here: predictions over time (fit.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mmm_engine.report import numbers
from mmm_engine.report.figures.style import (
    escape,
    finish,
    interval_lines,
    legend_on_top,
    log_axis,
    panel_titles,
    parameter_labels,
    reference_line,
    row_axis,
    row_height,
    row_labels,
    tooltips,
)
from mmm_engine.report.palette import SERIES, color
from mmm_engine.report.residuals import autocorrelation
from mmm_engine.report.wording import comparison_words
from mmm_engine.scores.identification import IDENTIFIED, NOT_IDENTIFIED, WEAK, reading_of

#: Parameters drawn in the prior figure; its table has all.
MOST_PARAMETERS = 40
#: Factor at which the axis of a channel's precision ends.
LARGEST_FACTOR = 20


def scores_by_window(scores: pd.DataFrame, *, compact: bool = False) -> go.Figure:
    """Skill against the naive forecast, error in and out of training, and coverage, by window.

    Args:
        scores: Columns window (in words), split, metric, value.
        compact: Panels below each other, for narrow screens.
    """
    titles = ["skill (above 0: better than naive)", "MAPE", "share inside interval"]
    rows, columns = (3, 1) if compact else (1, 3)
    figure = make_subplots(
        rows, columns, subplot_titles=titles, horizontal_spacing=0.08, vertical_spacing=0.1
    )
    places = [{"row": 1 + i * compact, "col": 1 + i * (not compact)} for i in range(3)]
    windows = [str(name) for name in scores["window"].drop_duplicates()]
    words = [name if compact else _on_two_lines(name) for name in map(escape, windows)]
    skill = _by_window(scores, windows, "test", "skill")
    bars = [color("green" if value >= 0 else "vermillion", 0.9) for value in skill]
    figure.add_trace(go.Bar(x=words, y=skill, marker={"color": bars}, showlegend=False, width=0.45,
                            text=[_signed(v) for v in skill], textposition="outside", cliponaxis=False,
                            hovertemplate="%{x}: skill %{y:.2f}<extra></extra>"), **places[0])  # fmt: skip
    for split, token, name in (("train", "blue", "MAPE in training"), ("test", "orange", "MAPE not seen")):
        figure.add_trace(
            _score_dots(words, _by_window(scores, windows, split, "mape"), name, token), **places[1]
        )
    for metric, token, name, level in (
        ("coverage_90", "purple", "inside 90%", 0.9),
        ("coverage_50", "sky", "inside 50%", 0.5),
    ):
        figure.add_trace(
            _score_dots(words, _by_window(scores, windows, "test", metric), name, token), **places[2]
        )
        reference_line(figure, y=level, place=places[2])
    reference_line(figure, y=0, place=places[0])
    known = [0.0, *(v for v in skill if math.isfinite(v))]
    spread = max(max(known) - min(known), 0.1) * 0.22
    low = min(known) - spread if min(known) < 0 else 0.0
    figure.update_yaxes(range=[low, max(known) + spread], tickformat=".0%", **places[0])
    figure.update_yaxes(rangemode="tozero", tickformat=".1~%", **places[1])
    figure.update_yaxes(range=[0, 1.08], tickformat=".0%", **places[2])
    figure.update_xaxes(type="category", showgrid=False)
    height = 760 if compact else 340
    return panel_titles(legend_on_top(finish(figure, height), compact))


def _on_two_lines(words: str) -> str:
    """Words of a window ("last 12 weeks") on two lines, so that three of them fit under a panel."""
    return words.replace(" ", "<br>", 1)


def channel_precision(
    channels: pd.DataFrame, *, limits: Sequence[float] = (1.9, 3.2), compact: bool = False
) -> go.Figure:
    """By what factor each channel's contribution could be smaller or larger, and whether it can be read.

    Args:
        channels: Columns channel, factor, verdict; in the order to show.
        limits: Factors up to which a channel can be read, and up to which with care.
        compact: Broken labels, for narrow screens.
    """
    names = row_labels(channels["channel"], compact)
    rows = [names[str(name)] for name in channels["channel"]]
    values = np.minimum(channels["factor"].to_numpy(dtype=float), LARGEST_FACTOR)
    groups = (
        (reading_of(IDENTIFIED), "green", "circle"),
        (reading_of(WEAK), "orange", "diamond"),
        (reading_of(NOT_IDENTIFIED), "vermillion", "x"),
    )
    figure = go.Figure()
    for words, token, symbol in groups:
        chosen = (channels["verdict"] == words).to_numpy()
        picked = [row for row, is_in in zip(rows, chosen, strict=True) if is_in]
        if picked:
            figure.add_trace(
                _row_marks(picked, values[chosen], words, token, symbol, "%{y}: × or ÷ %{x:.2f}")
            )
    for limit in limits:
        reference_line(figure, x=limit)
    ticks = [1, 1.5, 2, 3, 5, 10, LARGEST_FACTOR]
    axis = {"type": "log", "range": [-0.02, math.log10(LARGEST_FACTOR) + 0.03], "tickvals": ticks,
            "ticktext": [f"{tick:g}" for tick in ticks], "title": {"text": "90% interval, × and ÷"}}  # fmt: skip
    return finish(figure, row_height(len(rows), 32 if compact else 26), yaxis=row_axis(rows), xaxis=axis)


def stability_overlap(stability: pd.DataFrame, *, minimum: float = 0.8, compact: bool = False) -> go.Figure:
    """Overlap of 50% intervals between the full model and models that saw less, by channel.

    Args:
        stability: Columns split (the comparison), channel, value.
        minimum: From where a channel counts as stable.
        compact: Broken labels, for narrow screens.
    """
    worst = stability.groupby("channel", sort=False)["value"].min().sort_values(ascending=False)
    names = row_labels((str(name) for name in worst.index), compact)
    rows = [names[str(name)] for name in worst.index]
    figure = go.Figure()
    symbols = ("circle", "diamond", "square", "cross", "triangle-up", "star")
    for place, (split, part) in enumerate(stability.groupby("split", sort=False)):
        ys = [names[str(name)] for name in part["channel"]]
        token, symbol = SERIES[place % len(SERIES)], symbols[place % len(symbols)]
        figure.add_trace(_row_marks(ys, part["value"].to_numpy(), escape(comparison_words(str(split))), token, symbol,
                                    "%{y}: %{x:.2f}"))  # fmt: skip
    reference_line(figure, x=minimum)
    return finish(figure, row_height(len(rows), 32 if compact else 26), yaxis=row_axis(rows),
                  xaxis={"range": [-0.02, 1.02], "title": {"text": "overlap (1: the same)"}})  # fmt: skip


def sampler_health(parameters: pd.DataFrame) -> go.Figure:
    """R-hat against effective sample size of every parameter; the good corner is top left.

    Args:
        parameters: Columns window (in words), parameter, rhat, ess_bulk.
    """
    figure = go.Figure()
    symbols = ("circle", "diamond", "square", "cross")
    for place, (window, part) in enumerate(parameters.groupby("window", sort=False)):
        figure.add_trace(
            go.Scatter(
                x=part["rhat"],
                y=part["ess_bulk"],
                name=escape(str(window)),
                mode="markers",
                marker={
                    "color": color(SERIES[place % len(SERIES)], 0.75),
                    "size": 8,
                    "symbol": symbols[place % 4],
                },
                text=[escape(str(name)[:60]) for name in part["parameter"]],
                hovertemplate="%{text}<br>R-hat %{x:.4f}, ESS %{y:,.0f}",
            )
        )
    reference_line(figure, x=1.01)
    reference_line(figure, y=400)
    return finish(
        figure,
        380,
        hovermode="closest",
        xaxis={"title": {"text": "R-hat (1.01 or less wanted)"}, "tickformat": ".3f", "nticks": 6,
               "range": [0.9995, max(1.0125, float(parameters["rhat"].max()) + 0.001)]},
        yaxis=log_axis([300.0, 500.0, *parameters["ess_bulk"]], "effective sample size (400 or more wanted)"),
    )  # fmt: skip


def prior_and_posterior(parameters: pd.DataFrame, *, compact: bool = False) -> go.Figure:
    """Priors and posteriors on one axis, in units of the prior's own 90% range; most moved first.

    Args:
        parameters: Columns parameter, mean, q05, q95, prior_mean, prior_q05, prior_q95.
        compact: Shorter labels, for narrow screens.
    """
    half = (parameters["prior_q95"] - parameters["prior_q05"]) / 2
    frame = pd.DataFrame({"parameter": parameters["parameter"].astype(str)})
    for name in ("mean", "q05", "q95", "prior_q05", "prior_q95"):
        frame[name] = (parameters[name] - parameters["prior_mean"]) / half
    frame = frame.replace([np.inf, -np.inf], np.nan).dropna()
    frame = frame.iloc[frame["mean"].abs().argsort()[::-1][:MOST_PARAMETERS]]
    rows = list(parameter_labels(frame["parameter"], 22 if compact else 42).values())
    figure = go.Figure()
    for low, high, token, width, words in (
        ("prior_q05", "prior_q95", "baseline", 9, "prior, 90% range"),
        ("q05", "q95", "blue", 3, "posterior, 90% interval"),
    ):
        line = {"color": color(token), "width": width}
        figure.add_trace(interval_lines(rows, frame[low], frame[high], name=words, line=line))
    figure.add_trace(
        _row_marks(rows, frame["mean"].to_numpy(), "posterior mean", "blue", "circle", "%{y}: %{x:.2f}")
    )
    figure = finish(figure, row_height(len(rows), 20), yaxis=row_axis(rows),
                    xaxis={"title": {"text": "distance from the prior mean, in half its 90% range"}})  # fmt: skip
    return figure.update_yaxes(tickfont={"size": 10 if compact else 11})


def residuals(
    residuals: pd.DataFrame, *, unit: str = "", period: str = "week", compact: bool = False
) -> go.Figure:
    """Residuals three ways: over time, correlated with their own past, and as a distribution.

    Args:
        residuals: Columns date, residual.
        unit: Unit of the target.
        period: What one lag is.
        compact: Panels below each other, for narrow screens.
    """
    values = residuals["residual"].to_numpy(dtype=float)
    rows, columns = (3, 1) if compact else (1, 3)
    titles = ["over time", f"correlation with earlier {period}s", "distribution"]
    figure = make_subplots(rows, columns, subplot_titles=titles, horizontal_spacing=0.07, vertical_spacing=0.11,
                           column_widths=None if compact else [0.46, 0.27, 0.27])  # fmt: skip
    places = [{"row": 1 + i * compact, "col": 1 + i * (not compact)} for i in range(3)]
    hover = f"%{{x|{numbers.DAY_FORMAT}}}: %{{customdata}}<extra></extra>"
    figure.add_trace(go.Scatter(x=residuals["date"], y=values, mode="markers", hovertemplate=hover,
                                customdata=tooltips(values, unit),
                                marker={"color": color("blue", 0.8), "size": 5}), **places[0])  # fmt: skip
    reference_line(figure, y=0, place=places[0])
    lags = autocorrelation(values)
    figure.add_trace(go.Bar(x=lags["lag"], y=lags["value"], marker={"color": color("blue", 0.8)},
                            hovertemplate="lag %{x}: %{y:.2f}<extra></extra>"), **places[1])  # fmt: skip
    for side in (-1, 1):
        reference_line(figure, y=side * float(lags["bound"].iloc[0]) if len(lags) else 0, place=places[1])
    for trace in _distribution(values):
        figure.add_trace(trace, **places[2])
    figure.update_yaxes(numbers.AXIS, **places[0])
    figure.update_xaxes(numbers.AXIS | {"nticks": 5}, **places[2])
    figure.update_yaxes(showticklabels=False, **places[2])
    figure.update_xaxes(nticks=5, **places[0])
    return panel_titles(finish(figure, 720 if compact else 320, showlegend=False))


# --- parts of figures ---------------------------------------------------------------------------


def _by_window(scores: pd.DataFrame, windows: list[str], split: str, metric: str) -> list[float]:
    part = scores[(scores["split"] == split) & (scores["metric"] == metric)].drop_duplicates("window")
    return [float(value) for value in part.set_index("window")["value"].reindex(windows)]


def _score_dots(windows: list[str], values: list[float], name: str, token: str) -> go.Scatter:
    line, marker = {"color": color(token), "width": 1.5}, {"color": color(token), "size": 10}
    return go.Scatter(x=windows, y=values, name=name, mode="lines+markers", line=line, marker=marker,
                      hovertemplate="%{x}: %{y:.1%}")  # fmt: skip


def _row_marks(
    rows: list[str], values: np.ndarray, name: str, token: str, symbol: str, hover: str
) -> go.Scatter:
    return go.Scatter(x=values, y=rows, name=name, mode="markers", hovertemplate=f"{hover}<extra></extra>",
                      marker={"color": color(token), "size": 10, "symbol": symbol})  # fmt: skip


def _distribution(values: np.ndarray) -> list[go.Scatter | go.Bar]:
    counts, edges = np.histogram(values, bins=min(30, max(8, len(values) // 8)))
    middles, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    spread = float(values.std()) or 1.0
    grid = np.linspace(edges[0], edges[-1], 80)
    normal = (
        len(values)
        * width
        * np.exp(-0.5 * ((grid - values.mean()) / spread) ** 2)
        / (spread * math.sqrt(2 * math.pi))
    )
    return [
        go.Bar(x=middles, y=counts, width=width * 0.94, marker={"color": color("blue", 0.6)},
               customdata=tooltips(middles), hovertemplate="%{customdata}: %{y} rows<extra></extra>"),
        go.Scatter(x=grid, y=normal, mode="lines", line={"color": color("ink"), "width": 1.5}, hoverinfo="skip"),
    ]  # fmt: skip


def _signed(value: float) -> str:
    return numbers.percent(value, signed=True) if math.isfinite(value) else "n/a"
