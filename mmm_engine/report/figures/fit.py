"""Figures of the target over time: fit, held-out forecasts, fan, ledger, multiplier.

Here: anything with dates on its x axis and an interval around a line.
Not here: parts of the target (contribution.py), residuals (checks.py).
"""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mmm_engine.report import numbers, wording
from mmm_engine.report.figures.style import (
    amounts,
    band,
    finish,
    grid_of,
    legend_on_top,
    panel_titles,
    reference_line,
    tooltips,
)
from mmm_engine.report.palette import SERIES, color


def fit_and_holdout(
    predictions: pd.DataFrame, baseline: pd.DataFrame | None = None, *, unit: str = ""
) -> go.Figure:
    """Actual against predicted with its 90% interval; held-out rows in another colour.

    Args:
        predictions: Columns date, split, actual, mean, q05, q95.
        baseline: Columns date, mean: what would have come without media; left out when None.
        unit: Unit of the target.
    """
    figure = go.Figure()
    for split, token, words in (("train", "blue", "fitted"), ("test", "orange", "forecast, not seen")):
        part = predictions[predictions["split"] == split]
        if part.empty:
            continue
        figure.add_trace(band(part["date"], part["q05"], part["q95"], "90% interval", token, 0.18))
        figure.add_trace(_line(part["date"], part["mean"], words, token, unit))
    if baseline is not None:
        figure.add_trace(_line(baseline["date"], baseline["mean"], "baseline", "muted", unit, dash="dot"))
    figure.add_trace(_dots(predictions["date"], predictions["actual"], "actual", unit))
    return finish(
        figure, 400, hovermode="x unified", yaxis=amounts(unit), xaxis={"hoverformat": numbers.DAY_FORMAT}
    )


def holdout_forecasts(
    predictions: pd.DataFrame, *, unit: str = "", period: str = "row", compact: bool = False
) -> go.Figure:
    """Held-out forecasts with 50% and 90% intervals, one panel per window, the last training rows to the left.

    Args:
        predictions: Columns window, date, split, actual, mean, q05, q25, q75, q95.
        unit: Unit of the target.
        period: What one row is.
        compact: One panel per row, for narrow screens.
    """
    windows = [(str(name), part) for name, part in predictions.groupby("window", sort=False)]
    titles = [
        f"last {wording.count(int((part['split'] == 'test').sum()), period)} held out" for _, part in windows
    ]
    columns = 1 if compact else len(windows)
    rows = -(-len(windows) // columns)
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=titles,
        shared_yaxes=True,
        horizontal_spacing=0.03,
        vertical_spacing=0.09,
    )
    for (_, part), (row, column) in zip(windows, grid_of(len(windows), columns), strict=True):
        first = row == 1 and column == 1
        for trace in _holdout_traces(part, unit):
            figure.add_trace(trace.update(showlegend=first), row, column)
    figure.update_yaxes(numbers.AXIS)
    figure.update_yaxes(title=amounts(unit)["title"], col=1)
    figure.update_xaxes(nticks=4)
    height = 90 + 230 * rows if compact else 360
    return panel_titles(legend_on_top(finish(figure, height, hovermode="x unified"), compact))


def forecast_fan(
    forecast: pd.DataFrame,
    past: pd.DataFrame | None = None,
    *,
    unit: str = "",
    beyond: Collection[pd.Timestamp] = (),
) -> go.Figure:
    """The coming periods with 50% and 90% intervals, after what happened last.

    Args:
        forecast: Columns date, q05, q25, q75, q95, mean.
        past: Columns date, actual.
        unit: Unit of the target.
        beyond: Dates whose planned media go beyond anything seen; they are marked.
    """
    figure = go.Figure()
    if past is not None and len(past):
        figure.add_trace(_line(past["date"], past["actual"], "actual", "ink", unit, width=1.5))
    figure.add_trace(band(forecast["date"], forecast["q05"], forecast["q95"], "90% interval", "orange", 0.18))
    figure.add_trace(band(forecast["date"], forecast["q25"], forecast["q75"], "50% interval", "orange", 0.35))
    figure.add_trace(_line(forecast["date"], forecast["mean"], "forecast", "vermillion", unit))
    far = forecast[forecast["date"].isin(list(beyond))]
    if len(far):
        words = "planned media never seen"
        marker = {"symbol": "diamond-open", "size": 11, "color": color("ink"), "line": {"width": 2}}
        figure.add_trace(
            go.Scatter(
                x=far["date"], y=far["mean"], name=words, mode="markers", marker=marker, hoverinfo="skip"
            )
        )
    return finish(figure, 360, hovermode="x unified", yaxis=amounts(unit))


def forecast_ledger(ledger: pd.DataFrame, *, unit: str = "") -> go.Figure:
    """Forecasts as they were issued, with 90% intervals, against what happened.

    Args:
        ledger: Columns issued_at, date, horizon, q05, q50, q95, actual.
        unit: Unit of the target.
    """
    figure = go.Figure()
    issues = list(ledger.groupby("issued_at", sort=True))[-len(SERIES) :]
    for token, (issued, part) in zip(SERIES, issues, strict=False):
        name = f"issued {numbers.day(pd.Timestamp(issued))}"  # type: ignore[arg-type]
        figure.add_trace(
            band(part["date"], part["q05"], part["q95"], name, token, 0.16).update(showlegend=False)
        )
        figure.add_trace(_line(part["date"], part["q50"], name, token, unit))
    known = ledger.dropna(subset=["actual"]).drop_duplicates("date")
    figure.add_trace(_dots(known["date"], known["actual"], "what happened", unit))
    return finish(figure, 340, hovermode="closest", yaxis=amounts(unit))


def time_varying_multiplier(multiplier: pd.DataFrame) -> go.Figure:
    """The factor on all media effects over time with its 90% interval; 1 is the average.

    Args:
        multiplier: Columns date, mean, q05, q95.
    """
    figure = go.Figure(
        band(multiplier["date"], multiplier["q05"], multiplier["q95"], "90% interval", "green", 0.2)
    )
    figure.add_trace(_line(multiplier["date"], multiplier["mean"], "multiplier", "green", ""))
    reference_line(figure, y=1)
    return finish(figure, 300, hovermode="x unified", yaxis_title="multiplier on media")


def _holdout_traces(part: pd.DataFrame, unit: str) -> list[go.Scatter]:
    train, test = part[part["split"] == "train"], part[part["split"] == "test"]
    return [
        band(test["date"], test["q05"], test["q95"], "90% interval", "orange", 0.18),
        band(test["date"], test["q25"], test["q75"], "50% interval", "orange", 0.35),
        _line(train["date"], train["mean"], "fitted", "blue", unit),
        _line(test["date"], test["mean"], "forecast, not seen", "vermillion", unit),
        _dots(part["date"], part["actual"], "actual", unit),
    ]


def _line(
    dates: pd.Series, values: pd.Series, name: str, token: str, unit: str, *, dash: str = "solid",
    width: float = 2,
) -> go.Scatter:  # fmt: skip
    return go.Scatter(
        x=dates,
        y=values,
        name=name,
        mode="lines",
        line={"color": color(token), "width": width, "dash": dash},
        customdata=tooltips(values, unit),
        hovertemplate="%{customdata}",
    )


def _dots(dates: pd.Series, values: pd.Series, name: str, unit: str) -> go.Scatter:
    return go.Scatter(
        x=dates,
        y=values,
        name=name,
        mode="markers",
        marker={"color": color("ink"), "size": 5},
        customdata=tooltips(values, unit),
        hovertemplate="%{customdata}",
    )
