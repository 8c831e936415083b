"""What the notebook face hands back about budgets: the response of a plan, and a plan that was chosen.

Here: `BudgetResult` and `ResponseResult`, with tables, figures, CSV and what a notebook shows.
Not here: how a plan is chosen (mmm_engine.decisions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.decisions.budget_plan import BudgetPlan
from mmm_engine.decisions.certificate import Certificate, HeldOutGain
from mmm_engine.decisions.planning_window import PlanningWindow

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, eq=False)
class BudgetResult:
    """A plan that was chosen.

    Attributes:
        chosen: The plan with everything that is known of it.
    """

    chosen: BudgetPlan

    @property
    def table(self) -> pd.DataFrame:
        """One row per channel: today, plan, advice, response, what the next unit of money brings."""
        return self.chosen.table

    @property
    def plan(self) -> pd.DataFrame:
        """Money per period and channel."""
        return self.chosen.plan

    @property
    def media(self) -> pd.DataFrame:
        """Media per period and channel: what `forecast_fleet(plan=...)` takes."""
        return self.chosen.media

    @property
    def certificate(self) -> Certificate:
        """Why no other plan within the limits is better."""
        return self.chosen.certificate

    @property
    def gain(self) -> HeldOutGain:
        """How much better than today the plan is, on draws that did not choose it."""
        return self.chosen.gain

    @property
    def tests(self) -> pd.DataFrame:
        """What a test of each channel would be worth in a quarter, best first."""
        return self.chosen.tests

    @cached_property
    def frontier(self) -> pd.DataFrame:
        """The best plan of each of twenty budgets."""
        return self.chosen.frontier()

    def compare(self, plans: Mapping[str, Any]) -> pd.DataFrame:
        """Named plans beside today's and this one, on the same draws: frames, totals by channel, or arrays."""
        return self.chosen.compare(plans)

    @cached_property
    def figures(self) -> Mapping[str, go.Figure]:
        """Figures by name: "moves" (today against the plan, per channel) and "frontier"."""
        from mmm_engine.report.figures.budget import budget_frontier, budget_moves

        unit = self.chosen.window.currency
        return {
            "moves": budget_moves(self.table, unit=unit),
            "frontier": budget_frontier(self.frontier, unit=unit, target=self.chosen.window.target_kind),
        }

    def to_csv(self, path: str | Path) -> Path:
        """Write the plan, money per period and channel, and say where it is."""
        self.plan.to_csv(path, index=False, date_format="%Y-%m-%d")
        return Path(path)

    def summary(self) -> str:
        """One sentence: what to do, and how sure that is."""
        return self.chosen.sentence

    def __repr__(self) -> str:
        """The sentence."""
        return f"<BudgetResult: {self.summary()}>"

    def _repr_html_(self) -> str:
        """The sentence and the table."""
        import html

        return f"<p>{html.escape(self.summary())}</p>{_rounded(self.table).to_html(index=False)}"


@dataclass(frozen=True, eq=False)
class ResponseResult:
    """What a plan brings.

    Attributes:
        window: The periods.
        spend: The plan: money, shape (period, channel).
    """

    window: PlanningWindow
    spend: Floats

    @cached_property
    def draws(self) -> Floats:
        """Incremental target of each channel, carry-out included, shape (channel, draw); paired between plans."""
        return np.stack(
            [response.draws(self.spend[:, at]) for at, response in enumerate(self.window.responses)]
        )

    @property
    def table(self) -> pd.DataFrame:
        """Columns channel, spend, mean, q05, q95 (target units); the last row is all channels together."""
        draws = np.vstack([self.draws, self.draws.sum(axis=0)])
        low, high = np.quantile(draws, [0.05, 0.95], axis=1)
        spend = self.spend.sum(axis=0)
        return pd.DataFrame(
            {
                "channel": [*self.window.channels, "all"],
                "spend": [*spend, float(spend[self.window.paid].sum())],
                "mean": draws.mean(axis=1),
                "q05": low,
                "q95": high,
            }
        )

    def to_csv(self, path: str | Path) -> Path:
        """Write the table, and say where it is."""
        self.table.to_csv(path, index=False)
        return Path(path)

    def __repr__(self) -> str:
        """What all channels bring together."""
        whole = self.table.iloc[-1]
        return f"<ResponseResult: {whole['mean']:,.6g} (90%: {whole['q05']:,.6g} to {whole['q95']:,.6g})>"

    def _repr_html_(self) -> str:
        """The table."""
        return str(_rounded(self.table).to_html(index=False))


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as people read them."""
    shown = {
        str(name): column.map("{:,.4g}".format)
        for name, column in frame.items()
        if pd.api.types.is_float_dtype(column)
    }
    return frame.assign(**shown)
