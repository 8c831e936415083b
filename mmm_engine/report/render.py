"""A report's content and figures as one self-contained HTML page.

Here: filling the template, serialising figures.
Not here: words and numbers (content.py), drawing (figures/), packing plotly and the security policy (bundle.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from markupsafe import Markup, escape
from plotly.subplots import make_subplots

from mmm_engine.files.atomic_write import write_text
from mmm_engine.report import bundle
from mmm_engine.report.content import build_content
from mmm_engine.report.figures import Drawing, draw_charts
from mmm_engine.report.figures.style import finish, panel_titles, reference_line
from mmm_engine.report.headline import verdict_tone
from mmm_engine.report.inputs import Audience, ReportInputs
from mmm_engine.report.page import Cell, Column, ReportContent, write_cell
from mmm_engine.report.palette import dark_colors

TONE_WORDS = {"good": "Good", "care": "Take care", "bad": "Problem", "plain": "Note"}
#: Columns and rows up to which a table becomes cards on a phone; larger ones scroll.
CARDS_UP_TO, CARD_ROWS = 8, 40
MARKS = {"good": "✓", "care": "!", "bad": "✕", "plain": "?"}


_ESCAPED_SIGN = re.compile(r"(?<!\\)\\u(00a0|20ac|00a3|2212|2060|2192)")


@dataclass(frozen=True)
class _Packed:
    """A drawing as JSON for the page, with the height to keep free for it."""

    wide: str
    narrow: str
    height: int
    narrow_height: int


def build_report(inputs: ReportInputs, *, audience: Audience = "analyst", diagnostics: str = "") -> str:
    """The whole way: inputs to HTML.

    Args:
        inputs: Frames and facts of one refresh.
        audience: "analyst" or "client".
        diagnostics: Relative address of the analyst's report, which a client's page links to.
    """
    content = build_content(inputs, audience, diagnostics)
    return render_report(content, draw_charts(content), engine_version=inputs.run.engine_version)


def render_report(content: ReportContent, figures: Mapping[str, Drawing], *, engine_version: str = "") -> str:
    """One HTML page that needs nothing but itself.

    Args:
        content: What the report says.
        figures: Chart id to drawing, for every chart of the content.
        engine_version: Written at the foot.

    Returns:
        HTML text, about 2.5 MB; the same arguments give the same text.
    """
    library = bundle.plotly_library()
    script = bundle.template_text("theme.js", "inflate.js", "report.js", "sliders.js")
    tone = verdict_tone(content.summary.verdict)
    return (
        bundle.environment()
        .get_template("report.html.j2")
        .render(
            content=content,
            drawings={name: _pack(drawing) for name, drawing in figures.items()},
            table_cell=table_cell,
            cards_up_to=CARDS_UP_TO,
            card_rows=CARD_ROWS,
            script_json=bundle.script_json,
            tone=tone,
            mark=MARKS[tone],
            tone_words=TONE_WORDS,
            css=bundle.template_text("page.css", "report.css"),
            script=f"\n{script}\n",
            policy=bundle.security_policy(bundle.script_hash(f"\n{script}\n"), library.script_hash),
            page_data=bundle.script_json({"dark": dark_colors(), "file": _file_stem(content.client)}),
            plotly_packed=library.packed,
            plotly_version=library.version,
            engine_version=engine_version,
        )
    )


def prepare() -> None:
    """Do beforehand what else the first report of a process waits for: plotly packed, its parts and templates loaded.

    A process that is forked after it renders its only report in half the time.
    """
    bundle.plotly_library()
    bundle.environment().get_template("report.html.j2")
    days, ones = pd.Series(pd.date_range("2024-01-01", periods=2)), pd.Series([1.0, 1.0])
    outlined = {"size": 1, "line": {"width": 1}}
    figure = make_subplots(rows=1, cols=2, subplot_titles=("1", "2"))
    figure.add_trace(
        go.Scatter(x=days, y=ones, line={"width": 1}, marker=outlined, textfont={"size": 1}), 1, 1
    )
    figure.add_trace(go.Bar(x=ones, y=days, marker={"line": {"width": 1}}, textfont={"size": 1}), 1, 2)
    figure.add_trace(go.Histogram(x=ones, xbins={"size": 1}, marker={"color": "#000"}), 1, 1)
    reference_line(figure, x=0.0, text="0", place={"row": 1, "col": 1})
    figure.update_xaxes(title={"text": "x"})
    _pack(Drawing(panel_titles(finish(figure, 100))))


def write_report(html: str, path: Path) -> Path:
    """Write a page so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, html)
    return path


def table_cell(cell: Cell, column: Column, is_first: bool, is_card: bool = False) -> Markup:
    """One cell: heading of its row when first, with its exact value for CSV when it is a number.

    A cell that may become part of a card on a phone carries the heading of its column.

    >>> str(table_cell(0.123, Column("Share", "share"), False, is_card=True))
    '<td data-label="Share" class="number" data-value="0.123">12%</td>'
    >>> str(table_cell("<b>", Column("Name", "name"), True))
    '<th scope="row"><bdi>&lt;b&gt;</bdi></th>'
    """
    text = escape(write_cell(cell, column.kind))
    if column.kind == "code":
        text = Markup('<bdi class="code">{}</bdi>').format(text)
    elif column.kind == "name":
        text = Markup("<bdi>{}</bdi>").format(text)
    is_labelled = is_card and column.label and not is_first
    attributes = Markup(' data-label="{}"').format(column.label) if is_labelled else Markup("")
    attributes += Markup(' class="number"') if column.aligned else Markup("")
    if isinstance(cell, float):
        value = "" if math.isnan(cell) else f"{cell:.10g}"
        attributes += Markup(' data-value="{}"').format(value)
    shape = Markup('<th scope="row"{}>{}</th>') if is_first else Markup("<td{}>{}</td>")
    return shape.format(attributes, text)


def _pack(drawing: Drawing) -> _Packed:
    narrow = drawing.narrow
    return _Packed(
        wide=_figure_json(drawing.wide),
        narrow=_figure_json(narrow) if narrow is not None else "",
        height=int(drawing.wide.layout.height),
        narrow_height=int((narrow if narrow is not None else drawing.wide).layout.height),
    )


def _figure_json(figure: go.Figure) -> str:
    """The figure for the page; signs that plotly's Python writes in six letters (€, −, →) stand as themselves."""
    text = str(figure.to_json(validate=False, remove_uids=True))
    return bundle.escape_json(_ESCAPED_SIGN.sub(lambda match: chr(int(match[1], 16)), text))


def _file_stem(client: str) -> str:
    """A client's name as the start of file names its reader saves."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in client)[:60] or "client"
