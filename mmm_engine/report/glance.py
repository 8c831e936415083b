"""A report in one sentence and one small picture, for places that show a few lines of Markdown.

Here: the sentences of the first screen, the fit as a line of a few hundred points.
Not here: the page (render.py), who shows it (mmm_assets).
"""

from __future__ import annotations

import base64

import numpy as np
import pandas as pd

from mmm_engine.report.headline import build_summary
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.sections.budget import advice_words
from mmm_engine.report.subject import Subject

WIDTH, HEIGHT = 640, 120
POINTS = 104  # two years of weeks
_MARGIN = 4


def sentence(inputs: ReportInputs) -> str:
    """The verdict and why, as the first screen says it."""
    summary = build_summary(Subject(inputs))
    return f"{summary.verdict.capitalize()}. {summary.because}"


def budget(inputs: ReportInputs) -> str:
    """What to do with the coming budget, as the first screen says it; "" where there is no plan."""
    return advice_words(Subject(inputs))


def glance(inputs: ReportInputs) -> str:
    """The fit as a picture in Markdown: numbers alone, so that no text of a client is ever read as markup."""
    picture = base64.b64encode(fit_picture(inputs.full.predictions).encode()).decode()
    legend = f"Observed (dark) and the model (blue), last {POINTS} rows at most"
    return f"![{legend}](data:image/svg+xml;base64,{picture})"


def fit_picture(predictions: pd.DataFrame) -> str:
    """Observed and predicted target as a small SVG.

    Args:
        predictions: Columns date, actual, mean, q05, q95.
    """
    rows = predictions.sort_values("date").tail(POINTS)
    values = rows[["actual", "mean", "q05", "q95"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    across = np.linspace(_MARGIN, WIDTH - _MARGIN, len(rows))
    down = HEIGHT - _MARGIN - (values - low) / ((high - low) or 1.0) * (HEIGHT - 2 * _MARGIN)
    actual, mean, q05, q95 = (_points(across, down[:, column]) for column in range(4))
    band = f"{q95} {' '.join(reversed(q05.split()))}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<polygon points="{band}" fill="#cfe0f5"/>'
        f'<polyline points="{actual}" fill="none" stroke="#222" stroke-width="1.2"/>'
        f'<polyline points="{mean}" fill="none" stroke="#2a6fc9" stroke-width="1.6"/></svg>'
    )


def _points(across: np.ndarray, down: np.ndarray) -> str:
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in zip(across, down, strict=True) if np.isfinite(y))
