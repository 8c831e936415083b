"""How every figure looks: palette, labels that Plotly cannot misread, axes, bands.

Here: the few building blocks that figures share.
Not here: any figure.

Plotly parses labels as a small HTML dialect and fills ``%{...}`` in templates, so no name reaches it unescaped:
use ``label`` or ``labels_of`` for every text that a client file can choose.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mmm_engine.report import wording

#: Token -> (light, dark). Series colours are Okabe and Ito's, told apart under every common colour blindness;
#: yellow is darkened on white and blue lightened on black for contrast.
PALETTE: dict[str, tuple[str, str]] = {
    "ink": ("#1c2430", "#e6ebf2"),
    "muted": ("#5c6878", "#9fabbb"),
    "grid": ("#e4e8ee", "#2b3442"),
    "paper": ("#ffffff", "#171d26"),
    "blue": ("#0072b2", "#4ea8e0"),
    "orange": ("#e69f00", "#f0b232"),
    "green": ("#009e73", "#2fc396"),
    "vermillion": ("#d55e00", "#f58142"),
    "purple": ("#cc79a7", "#dc93bc"),
    "sky": ("#56b4e9", "#86cbf2"),
    "yellow": ("#b5a300", "#e8dc52"),
    "baseline": ("#c9d1dc", "#3d4959"),
    "trend": ("#b8c2d0", "#4a586b"),
    "seasonality": ("#a5b1c2", "#57667a"),
    "weekday": ("#9aa7ba", "#616f84"),
    "holidays": ("#8e9cb0", "#6c7a90"),
    "control": ("#7d8ba0", "#7889a0"),
    "event": ("#5f6d82", "#97a7bc"),
    "other": ("#93a0b0", "#6a7788"),
}
#: Colours of channels, largest contribution first; further channels are grouped or grey.
SERIES = ("blue", "orange", "green", "vermillion", "purple", "sky", "yellow")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SHORT = 26


def color(token: str, alpha: float = 1.0) -> str:
    """A palette colour as ``rgba(...)``, the one form that the page swaps between light and dark.

    >>> color("blue", 0.2)
    'rgba(0,114,178,0.2)'
    """
    return "rgba({},{},{},{:g})".format(*_channels(PALETTE[token][0]), alpha)


def dark_colors() -> dict[str, str]:
    """Light ``"r,g,b"`` to dark ``"r,g,b"``: what the page needs to redraw a figure for a dark background."""
    return {",".join(map(str, _channels(light))): ",".join(map(str, _channels(dark)))
            for light, dark in PALETTE.values()}  # fmt: skip


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


def channel_colors(ordered: Sequence[str], most: int = len(SERIES)) -> dict[str, str]:
    """Palette token of each channel, given largest first; those past ``most`` share "other"."""
    return {name: SERIES[place] if place < most else "other" for place, name in enumerate(ordered)}


def finish(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """The figure with its height, its own layout, and the look that all figures share."""
    return figure.update_layout({"template": _template(), "height": height, **layout})


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
    figure: go.Figure, *, x: float | None = None, y: float | None = None, **where: Any
) -> None:
    """A dashed line that marks a threshold or a neutral value."""
    line = {"color": color("muted"), "width": 1, "dash": "dash"}
    if x is not None:
        figure.add_vline(x=x, line=line, **where)
    if y is not None:
        figure.add_hline(y=y, line=line, **where)


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


def _channels(hex_color: str) -> tuple[int, int, int]:
    return int(hex_color[1:3], 16), int(hex_color[3:5], 16), int(hex_color[5:7], 16)


def _wrapped(text: str, width: int) -> str:
    if wording.is_isolated(text):  # breaking isolated right-to-left text would tear its isolation apart
        return escape(text)
    return "<br>".join(escape(line) for line in textwrap.wrap(text, width, max_lines=2, placeholder="…"))
