"""What every fleet hands back: one small interface over its fits, scores, figures and report.

Here: `FleetResult`, and the short summary of a fitted window.
Not here: running a fleet (runner.py), gathering the inputs of its report (report_inputs.py), figures (figures.py).
"""

from __future__ import annotations

import html
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from mmm_engine.fleets.scored_window import ScoredWindow
from mmm_engine.toolkit.figures import Figures

if TYPE_CHECKING:
    from mmm_engine.report.inputs import ReportInputs

logger = logging.getLogger("mmm_engine.toolkit")

Summary = dict[str, Any]
Fleet = Literal["production", "holdout", "recovery", "stability", "forecast"]

SUMMARY_METRICS = ("mape", "nrmse", "r_squared", "crps")


@dataclass(frozen=True, eq=False)
class FleetResult:
    """The outcome of one fleet; `len` counts its members, an index (number or name) gives a member's summary.

    Attributes:
        fleet: Which fleet it is.
        members: Name to summary of what was fitted: windows, or simulations.
        scores: Every score, tidy: window, split, channel, metric, value, unit.
        report_inputs: Gathers what the report is made from; called when a figure or the report is first asked for.
        fits: The fitted windows, for those who go on with their posteriors.
        tables: Other frames by name ("forecast", "simulations", "ranks").
        sections: Parts of the summary beside those of the members ("recovery", "stability", "horizons", ...).
    """

    fleet: Fleet
    members: Mapping[str, Summary]
    scores: pd.DataFrame
    report_inputs: Callable[[], ReportInputs]
    fits: tuple[ScoredWindow, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    sections: Mapping[str, Any] = field(default_factory=dict)

    def summary(self) -> Summary:
        """Sampler health and the usual scores, then what this fleet is about.

        With several members, counts are summed, depths are maxima and scores are means over members; where the members
        are windows, each stands under "windows" too.
        """
        summaries = list(self.members.values())
        pooled = _pooled(summaries)
        if len(self.fits) == len(summaries) > 1:
            pooled["windows"] = dict(self.members)
        return pooled | dict(self.sections)

    @cached_property
    def figures(self) -> Figures:
        """Every figure of the report by name, drawn when it is asked for; shown, it lists the names."""
        return Figures(self.report_inputs)

    def save_figure(self, name: str, path: str | Path) -> Path:
        """Write one figure as a picture (needs Kaleido) or as a page, by the ending of the path.

        Args:
            name: A key of `figures`.
            path: For example "waterfall.png" or "waterfall.html".
        """
        from mmm_engine.report.figures.export import save_figure

        return save_figure(self.figures[name], Path(path))

    def generate_report(self, output_html: str | Path) -> Path:
        """Write the report as one self-contained HTML page and say where it is.

        Args:
            output_html: Where to write it; missing folders are made.
        """
        from mmm_engine.report.render import build_report, write_report

        path = write_report(build_report(self.report_inputs()), Path(output_html))
        logger.info("Report of the %s fleet written to %s.", self.fleet, path)
        return path

    def __len__(self) -> int:
        """Number of members."""
        return len(self.members)

    def __getitem__(self, key: int | str) -> Summary:
        """Summary of one member, by position or by name."""
        name = key if isinstance(key, str) else list(self.members)[key]
        return self.members[name]

    def __iter__(self) -> Iterator[Summary]:
        """Summaries of the members."""
        return iter(self.members.values())

    def __repr__(self) -> str:
        """Which fleet, and its members."""
        names = list(self.members)
        listed = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
        return f"<{self.fleet} fleet of {len(names)}: {listed}>"

    def _repr_html_(self) -> str:
        """The members and their scores as a table."""
        rows = {
            name: {
                "divergences": member["divergences"],
                **{
                    f"{split} {metric}": value
                    for split in ("train", "test")
                    for metric, value in member.get(split, {}).items()
                },
            }
            for name, member in self.members.items()
        }
        table = pd.DataFrame.from_dict(rows, orient="index")
        shown = table.to_html(float_format="{:.3g}".format, na_rep="")
        return f"<p>{html.escape(repr(self))}</p>{shown}"


def window_summary(fit: ScoredWindow) -> Summary:
    """Divergences, tree depth, and mape, nrmse, r_squared and crps of each split, as plain numbers."""
    health = dict(zip(fit.health["metric"], fit.health["value"], strict=True))
    summary: Summary = {
        "divergences": int(health["divergences"]),
        "max_tree_depth": int(health["max_tree_depth"]),
    }
    for split in ("train", "test"):
        own = fit.scores[(fit.scores["split"] == split) & (fit.scores["channel"] == "all")]
        values = dict(zip(own["metric"], own["value"], strict=True))
        if values:
            summary[split] = {name: float(values[name]) for name in SUMMARY_METRICS}
    return summary


def window_scores(fit: ScoredWindow) -> pd.DataFrame:
    """Scores and sampler health of one window, with its name: window, split, channel, metric, value, unit."""
    scores = pd.concat([fit.scores, fit.health], ignore_index=True)
    scores.insert(0, "window", fit.inputs.window.name)
    return scores


def nested(
    scores: pd.DataFrame, by: str, metrics: Mapping[str, str] | None = None
) -> dict[str, dict[str, float]]:
    """Scores as a dict of dicts: `by` ("channel" or "split") to metric to value.

    Args:
        scores: Score frame.
        by: Column of the outer keys.
        metrics: Metric to the name it gets; all under their own names when None.
    """
    known = scores if metrics is None else scores[scores["metric"].isin(list(metrics))]
    return {
        str(key): {
            (metrics or {}).get(str(metric), str(metric)): float(value)
            for metric, value in zip(part["metric"], part["value"], strict=True)
        }
        for key, part in known.groupby(by, sort=False)
    }


def _pooled(summaries: list[Summary]) -> Summary:
    """Summaries of several members in one."""
    pooled: Summary = {
        "divergences": sum(summary["divergences"] for summary in summaries),
        "max_tree_depth": max(summary["max_tree_depth"] for summary in summaries),
    }
    for split in ("train", "test"):
        own = [summary[split] for summary in summaries if split in summary]
        if own:
            pooled[split] = {
                name: float(np.mean([scores[name] for scores in own])) for name in SUMMARY_METRICS
            }
    return pooled
