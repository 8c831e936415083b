"""Figures as files, for slides and mails.

Here: static pictures where Kaleido is installed, interactive pages always.
Not here: drawing (the other modules of this folder).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import plotly.graph_objects as go

from mmm_engine.errors import Fault, MMMError

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".webp")


def save_figure(figure: go.Figure, path: Path, *, width: int = 1100) -> Path:
    """Write a figure to a file whose ending says how.

    Args:
        figure: Any figure of this folder.
        path: Ends in .html (interactive, self-contained) or in one of ``PICTURES`` (needs Kaleido).
        width: Of a picture, in pixels; its height is the figure's own.

    Raises:
        MMMError: If the ending is not known, or a picture is wanted and Kaleido is not installed.
    """
    ending = path.suffix.lower()
    if ending not in (".html", *PICTURES):
        wanted = f"a name that ends in .html or {', '.join(PICTURES)}"
        raise MMMError(
            "figure", Fault(str(path), f"the ending '{path.suffix}'", wanted, "choose one of these")
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".html":
        figure.write_html(path, include_plotlyjs=True)
        return path
    if find_spec("kaleido") is None:
        found, fix = (
            "no Kaleido",
            "install it (pip install kaleido; it needs Chrome or Chromium) or write .html",
        )
        raise MMMError("figure", Fault(str(path), found, "Kaleido, which draws pictures", fix))
    paper = go.Figure(figure).update_layout(paper_bgcolor="white", plot_bgcolor="white")
    paper.write_image(path, width=width, height=figure.layout.height, scale=2)
    return path
