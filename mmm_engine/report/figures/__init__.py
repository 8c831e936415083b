"""Every figure as a function of a tidy frame, for the report and for notebooks.

Here: the registry (name -> function), and drawing all charts of a report.
Not here: the figures (fit.py, contribution.py, returns.py, response.py, checks.py, chains.py, diff.py, budget.py),
their look (style.py). Imports: words, residuals and the form of a chart from the rest of `report/`, constants of
`scores`; frames are arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from mmm_engine.report.figures.budget import budget_frontier, budget_moves
from mmm_engine.report.figures.chains import calibration, divergences, energy, rank_plots
from mmm_engine.report.figures.checks import (
    channel_precision,
    prior_and_posterior,
    residuals,
    sampler_health,
    scores_by_window,
    stability_overlap,
)
from mmm_engine.report.figures.contribution import (
    channel_ranks,
    contribution_parts,
    contribution_waterfall,
    decomposition_area,
    share_against_spend,
)
from mmm_engine.report.figures.diff import refresh_diff, refresh_waterfall
from mmm_engine.report.figures.fit import (
    fit_and_holdout,
    forecast_fan,
    forecast_ledger,
    holdout_forecasts,
    time_varying_multiplier,
)
from mmm_engine.report.figures.response import adstock_decay, response_curves
from mmm_engine.report.figures.returns import (
    roas_against_effectiveness,
    roas_against_marginal,
    roas_intervals,
)
from mmm_engine.report.page import Chart, ReportContent

FIGURES: dict[str, Callable[..., go.Figure]] = {
    function.__name__: function
    for function in (
        fit_and_holdout,
        holdout_forecasts,
        decomposition_area,
        contribution_waterfall,
        contribution_parts,
        share_against_spend,
        channel_ranks,
        roas_intervals,
        roas_against_marginal,
        roas_against_effectiveness,
        response_curves,
        adstock_decay,
        time_varying_multiplier,
        scores_by_window,
        calibration,
        channel_precision,
        stability_overlap,
        forecast_fan,
        forecast_ledger,
        sampler_health,
        rank_plots,
        energy,
        divergences,
        prior_and_posterior,
        residuals,
        refresh_waterfall,
        refresh_diff,
        budget_moves,
        budget_frontier,
    )
}


@dataclass(frozen=True, eq=False)
class Drawing:
    """A chart as drawn: for a desk, and for a phone where its panels must be arranged differently."""

    wide: go.Figure
    narrow: go.Figure | None = None


def draw_charts(content: ReportContent) -> dict[str, Drawing]:
    """Chart id to drawing, for every chart of a report."""
    return {chart.id: draw_chart(chart) for chart in content.charts}


def draw_chart(chart: Chart) -> Drawing:
    """One chart, wide and, where its figure has a compact form, narrow."""
    function = FIGURES[chart.figure]
    arguments: dict[str, Any] = {**chart.frames, **chart.options}
    has_compact = "compact" in inspect.signature(function).parameters
    return Drawing(function(**arguments), function(**arguments, compact=True) if has_compact else None)
