"""Figures of the report in a notebook: by name, drawn when they are asked for.

Here: `Figures`, a mapping that a fleet hands out, and `Plots`, the same as methods of a model.
Not here: the figures (mmm_engine.report.figures), which of them a refresh has (mmm_engine.report.content).
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mmm_engine.client.validation import nearest

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from mmm_engine.report.inputs import ReportInputs
    from mmm_engine.report.page import Chart


class Figures(Mapping[str, "go.Figure"]):
    """Figures by name ("contribution_waterfall") or by their short name in the report ("waterfall").

    Each is drawn once, when it is first asked for. Shown in a notebook, it lists names and titles.

    Args:
        report_inputs: Gathers what the report is made from; called when the first name is needed.
    """

    def __init__(self, report_inputs: Callable[[], ReportInputs]) -> None:
        self._report_inputs = report_inputs
        self._drawn: dict[str, go.Figure] = {}

    @cached_property
    def _charts(self) -> dict[str, Chart]:
        from mmm_engine.report.content import build_content

        charts: dict[str, Chart] = {}
        for chart in build_content(self._report_inputs()).charts:
            charts[chart.figure if chart.figure not in charts else f"{chart.figure}_{chart.id}"] = chart
        return charts

    @property
    def titles(self) -> dict[str, str]:
        """What each figure shows, by name."""
        return {name: chart.title for name, chart in self._charts.items()}

    def __getitem__(self, name: str) -> go.Figure:
        """The figure of a name.

        Raises:
            KeyError: If there is none, with the nearest one.
        """
        from mmm_engine.report.figures import draw_chart

        chart = self._charts.get(name) or {chart.id: chart for chart in self._charts.values()}.get(name)
        if chart is None:
            hint = nearest(str(name), self._charts) or f"there are {', '.join(self._charts)}"
            raise KeyError(f"no figure '{name}'; {hint}")
        if chart.id not in self._drawn:
            self._drawn[chart.id] = draw_chart(chart).wide
        return self._drawn[chart.id]

    def __iter__(self) -> Iterator[str]:
        """Names."""
        return iter(self._charts)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._charts)

    def __repr__(self) -> str:
        """Names and titles, a line each."""
        width = max(map(len, self._charts), default=0)
        listed = "\n".join(f"  {name:<{width}}  {title}" for name, title in self.titles.items())
        return f"<{len(self)} figures>\n{listed}"

    def _repr_html_(self) -> str:
        """Names and titles as a table."""
        rows = "".join(
            f"<tr><td><code>{html.escape(name)}</code></td><td>{html.escape(title)}</td></tr>"
            for name, title in self.titles.items()
        )
        return f"<table><thead><tr><th>figure</th><th>shows</th></tr></thead><tbody>{rows}</tbody></table>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


class Plots:
    """The figures of a fitted model as methods: `model.plot.response_curves()`; `dir(model.plot)` lists them.

    Args:
        figures: The figures.
    """

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def __getattr__(self, name: str) -> Callable[[], go.Figure]:
        """What draws the figure of this name.

        Raises:
            AttributeError: If there is none, with the nearest one.
        """
        if name.startswith("_") or name not in self._figures:
            hint = nearest(name, self._figures) or f"there are {', '.join(self._figures)}"
            raise AttributeError(f"no figure '{name}'; {hint}", name=name, obj=self)
        figures = self._figures

        def draw() -> go.Figure:
            return figures[name]

        draw.__name__, draw.__doc__ = name, f"{figures.titles[name]}."
        return draw

    def __dir__(self) -> list[str]:
        """Names of the figures."""
        return [*self._figures]

    def __repr__(self) -> str:
        """Names and titles, a line each."""
        return repr(self._figures)

    def _repr_html_(self) -> str:
        """Names and titles as a table."""
        return self._figures._repr_html_()
