"""How every figure looks: palette, labels that Plotly cannot misread, axes, bands.

Here: the few building blocks that figures share.
Not here: any figure.

Plotly parses labels as a small HTML dialect and fills ``%{...}`` in templates, so no name reaches it unescaped:
use ``label`` or ``labels_of`` for every text that a client file can choose.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mmm_engine.report import numbers, wording
from mmm_engine.report.palette import color

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SHORT = 26


def escape(text: str) -> str:
    """Text that Plotly shows as it is: no tags, no entities, no template fields.

    >>> escape("<b>%{x}</b> & co")
    '&lt;b&gt;%&#123;x}&lt;/b&gt; &amp; co'
    """
    return html.escape(text, quote=False).replace("%{", "%&#123;")


def label(name: str, limit: int = SHORT) -> str:
    """A name as a Plotly label: readable, bounded, escaped."""
    return escape(wording.display_name(name, limit))


def row_labels(names: Iterable[str], compact: bool) -> dict[str, str]:
    """Labels for one row per name: on one line at a desk, broken over two on a phone."""
    return labels_of(names, 30, width=15) if compact else labels_of(names, 34)


def labels_of(names: Iterable[str], limit: int = SHORT, width: int = 0) -> dict[str, str]:
    """Every name with its own Plotly label; ``width`` breaks labels over lines."""
    unique = wording.display_names((str(name) for name in names), limit)
    return {name: _wrapped(text, width) if width else escape(text) for name, text in unique.items()}


def parameter_labels(names: Iterable[str], limit: int) -> dict[str, str]:
    """Every parameter with a label of its own, cut in the middle: what it is, and whose it is."""
    half = limit // 2
    labels: dict[str, str] = {}
    seen: dict[str, int] = {}
    for name in names:
        text = wording.safe_text(name)
        text = text if len(text) <= limit else f"{text[: half - 1]}…{text[-half:]}"
        seen[text] = seen.get(text, 0) + 1
        labels[name] = escape(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return labels


def tooltips(values: Iterable[float], unit: str = "") -> list[str]:
    """Values as a tooltip shows them with ``%{customdata}``: written by the page's rule, escaped."""
    return [escape(text) for text in numbers.tooltips(values, unit)]


def amounts(unit: str = "", words: str = "") -> dict[str, Any]:
    """An axis of amounts: its ticks by the page's rule, its title with the unit."""
    sign = escape(numbers.sign(unit))
    title = f"{words}, {sign}" if words and sign else words or sign
    return {**numbers.AXIS, "title": {"text": title}}


def finish(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """The figure with its height, its own layout, and the look that all figures share."""
    figure.layout.template = (
        _template()
    )  # by `update_layout` it is copied once more: half of what a figure takes
    return figure.update_layout({"height": height, **layout})


@lru_cache(maxsize=1)
def _template() -> go.layout.Template:
    """The shared look: a template, because plotly's Python is slow at setting every axis of every figure."""
    axis = {
        "gridcolor": color("grid"),
        "zeroline": False,
        "linecolor": color("grid"),
        "tickfont": {"color": color("muted"), "size": 12},
        "title": {"font": {"color": color("muted"), "size": 12}},
        "automargin": True,
    }
    font = {"family": FONT, "size": 13, "color": color("ink")}
    return go.layout.Template(
        layout={
            "xaxis": axis,
            "yaxis": axis,
            "annotationdefaults": {"font": {"color": color("muted"), "size": 11}, "showarrow": False},
            "margin": {"l": 8, "r": 12, "t": 36, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": font,
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom",
                       "font": {"size": 12}},
            "hoverlabel": {"bgcolor": color("paper"), "bordercolor": color("grid"), "namelength": -1,
                           "font": {**font, "size": 12}, "align": "left"},
            "bargap": 0.25,
        }
    )  # fmt: skip


def panel_titles(figure: go.Figure, size: int = 13) -> go.Figure:
    """Titles of small multiples in the page's type, not in plotly's own size."""
    return figure.update_annotations(font={"size": size, "color": color("ink")})


def log_axis(values: Iterable[float], words: str = "") -> dict[str, Any]:
    """A logarithmic axis over positive values, its ticks (1, 2 and 5 of every decade) by the page's rule.

    Args:
        values: What has to be seen; those that are not above 0 are not.
        words: Title.
    """
    seen = [float(value) for value in values if value > 0 and math.isfinite(value)] or [1.0]
    low, high = min(seen) / 1.15, max(seen) * 1.15
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    digits = (1, 2, 5) if len(decades) < 5 else (1,)
    ticks = [digit * 10.0**decade for decade in decades for digit in digits]
    return {"type": "log", "range": [math.log10(low), math.log10(high)], "tickvals": ticks,
            "ticktext": [numbers.compact(tick) for tick in ticks], "title": {"text": words}}  # fmt: skip


def legend_on_top(figure: go.Figure, compact: bool, below: int = 26) -> go.Figure:
    """The figure, higher by a legend of its own rows above the titles of panels, which it would else cover.

    Args:
        figure: With its height and traces.
        compact: Whether it is drawn for a narrow screen.
        below: Pixels between legend and panels, for their titles.
    """
    names = [trace.name for trace in figure.data if trace.showlegend is not False and trace.name]
    widest = 48 + 7 * max(
        (len(name) for name in names), default=0
    )  # plotly.js gives every entry the widest one's room
    rows = math.ceil(len(names) / max(1, (320 if compact else 900) // widest))
    top = 19 * rows + below
    legend = {"yref": "container", "y": 1.0, "yanchor": "top"}
    height = figure.layout.height + top - 36
    return figure.update_layout(height=height, margin={"l": 8, "r": 12, "t": top, "b": 8}, legend=legend)


def band(
    dates: pd.Series, low: pd.Series, high: pd.Series, name: str, token: str, alpha: float
) -> go.Scatter:
    """A filled interval over time: out along the upper edge, back along the lower."""
    return go.Scatter(
        x=[*dates, *reversed(list(dates))],
        y=[*high, *reversed(list(low))],
        fill="toself",
        fillcolor=color(token, alpha),
        line={"width": 0, "color": color(token, alpha)},
        mode="lines",
        name=name,
        hoverinfo="skip",
    )


def reference_line(
    figure: go.Figure,
    *,
    x: float | None = None,
    y: float | None = None,
    text: str = "",
    place: Mapping[str, int] | None = None,
) -> None:
    """A dashed line that marks a threshold or a neutral value, in one panel of a figure that has several.

    Args:
        figure: With its traces.
        x: Where an upright line stands.
        y: Where a level line lies.
        text: Written at the end of the line.
        place: Row and column of the panel ("row", "col", from 1).
    """
    across, up = _axes(figure, place)
    shape = {"type": "line", "line": {"color": color("muted"), "width": 1, "dash": "dash"}}
    if x is not None:
        figure.add_shape(**shape, x0=x, x1=x, xref=across, y0=0, y1=1, yref=f"{up} domain")
        if text:
            figure.add_annotation(
                text=text,
                x=x,
                xref=across,
                xanchor="left",
                y=1,
                yref=f"{up} domain",
                yanchor="top",
                showarrow=False,
            )
    if y is not None:
        figure.add_shape(**shape, x0=0, x1=1, xref=f"{across} domain", y0=y, y1=y, yref=up)


def _axes(figure: go.Figure, place: Mapping[str, int] | None) -> tuple[str, str]:
    """Names of the axes of a panel: "x2" and "y2" for the second."""
    if place is None:
        return "x", "y"
    panel = figure.get_subplot(**place)
    return panel.xaxis.plotly_name.replace("axis", ""), panel.yaxis.plotly_name.replace("axis", "")


def row_height(rows: int, each: int = 34, around: int = 96) -> int:
    """Height of a figure with one row per channel."""
    return around + each * max(rows, 2)


def interval_lines(
    rows: Sequence[str], low: Iterable[float], high: Iterable[float], **trace: Any
) -> go.Scatter:
    """One horizontal line per row, from low to high, as a single trace."""
    xs: list[float | None] = []
    ys: list[str | None] = []
    for row, start, end in zip(rows, low, high, strict=True):
        xs += [start, end, None]
        ys += [row, row, None]
    return go.Scatter(x=xs, y=ys, mode="lines", hoverinfo="skip", connectgaps=False, **trace)


def row_axis(rows: Sequence[str]) -> dict[str, Any]:
    """A category axis that keeps the given order, first row on top."""
    return {"type": "category", "categoryorder": "array", "categoryarray": list(rows), "showgrid": False,
            "range": [len(rows) - 0.4, -0.6]}  # fmt: skip


def grid_of(number: int, columns: int) -> list[tuple[int, int]]:
    """Row and column (from 1) of each small multiple."""
    return [(place // columns + 1, place % columns + 1) for place in range(number)]


def _wrapped(text: str, width: int) -> str:
    if wording.is_isolated(text):  # breaking isolated right-to-left text would tear its isolation apart
        return escape(text)
    return "<br>".join(escape(line) for line in textwrap.wrap(text, width, max_lines=2, placeholder="…"))
