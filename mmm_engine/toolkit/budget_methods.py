"""The decisions of the notebook face: what a plan brings, which plan is best.

Here: the methods `response` and `optimize_budget` of `PymcModel`, with their words.
Not here: the work itself (mmm_engine.decisions), what is handed back (budget_result.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.decision_config import BUDGET_WORDS, OBJECTIVE_WORDS, Budget, Objective
from mmm_engine.decisions.budget_plan import BudgetRequest, plan_budget
from mmm_engine.decisions.limits import Group, Rules
from mmm_engine.decisions.planning_window import PlanningWindow, planning_window
from mmm_engine.errors import DataError, Fault
from mmm_engine.fleets.scored_window import ScoredWindow
from mmm_engine.toolkit.budget_result import BudgetResult, ResponseResult


class BudgetMethods(ABC):
    """A model whose media can be planned."""

    @abstractmethod
    def _fitted(self, wanted: str) -> ScoredWindow:
        """The fit, which `wanted` needs."""

    def response(
        self, plan: pd.DataFrame | Mapping[str, float] | Floats, horizon: int | None = None, basis: int = 4
    ) -> ResponseResult:
        """What a plan of money for the coming periods brings, over all draws, carry-out included.

        Args:
            plan: A frame with a column per channel and a row per period (channels that are not there go on as
                today); or totals by channel, spread as today; or an array of shape (period, channel).
            horizon: Number of periods; the rows of the plan, or 4, when None.
            basis: How many of the last rows are "today".

        Raises:
            FitError: If the model is not fitted.
            DataError: If the plan names unknown channels, or has other numbers than amounts.
        """
        rows = 4 if isinstance(plan, Mapping) and not isinstance(plan, pd.DataFrame) else len(plan)
        window = self._planning_window(horizon or rows, basis)
        return ResponseResult(window, window.spend_of(plan))

    def optimize_budget(
        self,
        horizon: int = 4,
        budget: str | float = "last_4",
        *,
        objective: str = "mean",
        within: float | None = 0.3,
        bounds: Mapping[str, tuple[Any, Any]] | None = None,
        groups: Sequence[Group] = (),
        keep: Sequence[str] = (),
        by: str = "channel",
        step: float | None = None,
        beyond_seen: bool = False,
        margin: float | None = None,
        test_error: float = 0.2,
    ) -> BudgetResult:
        """The best plan of money for the coming periods, with its certificate.

        Args:
            horizon: Number of periods, 1 to 53.
            budget: An amount for all periods, or last_4, last_13, profit, "roi 2", "mroi 1", "+20000", "-10%".
            objective: mean, "worst 5%", "reach 120000" or "beat today".
            within: How far a channel's total may move from today's, as a share; None: not limited.
            bounds: Smallest and largest amount of a channel for all periods, which count instead of `within`; with
                `by="period"` each may be one amount per period.
            groups: Limits of several channels together.
            keep: Channels that go on as today.
            by: "channel" decides on totals, "period" on the amount of each channel and period.
            step: With `by="period"`: largest change from one period to the next, as a share of today's mean amount.
            beyond_seen: Whether a period may get more than the largest amount ever seen.
            margin: What a unit of the target earns before media: share of revenue, or money per conversion.
            test_error: Standard error of a test of a channel, as a share of its return, for what tests are worth.

        Raises:
            FitError: If the model is not fitted.
            DataError: If a setting is wrong, or the limits do not allow the budget (the message says which they allow).
        """
        read, aim = Budget.read(budget), Objective.read(objective)
        faults = []
        if read is None:
            faults.append(Fault("budget", repr(budget), BUDGET_WORDS, "write one of these"))
        if aim is None:
            faults.append(Fault("objective", repr(objective), OBJECTIVE_WORDS, "write one of these"))
        if by not in ("channel", "period"):
            faults.append(Fault("by", repr(by), "'channel' or 'period'", "write one of these"))
        if faults or read is None or aim is None:
            raise DataError("optimize_budget()", faults)
        rules = Rules(within, dict(bounds or {}), tuple(groups), tuple(keep), step, beyond_seen)
        request = BudgetRequest(read, aim, rules, by == "period", margin, (), test_error)
        return BudgetResult(plan_budget(self._planning_window(horizon, read.basis), request))

    def _planning_window(self, horizon: int, basis: int) -> PlanningWindow:
        return planning_window(self._fitted("a plan"), horizon, basis=basis)
