"""The fleets of the notebook face.

Here: the methods by which `PymcModel` runs a fleet, with their defaults.
Not here: what a fleet does (runner.py), what it hands back (fleet_result.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mmm_engine.client.audit_config import Truth
from mmm_engine.fleets.sensitivity import PERTURBATION
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.toolkit.fleet_result import FleetResult
from mmm_engine.toolkit.progress import progress_bars
from mmm_engine.toolkit.runner import STABILITY_CHECKS, Runner


class FleetMethods(ABC):
    """A model whose fleets can be run; they sample with the settings of its last fit."""

    @abstractmethod
    def _runner(self, progress: ProgressListener | None) -> Runner:
        """What a fleet starts from."""

    def recovery_fleet(
        self, n_simulations: int = 1, truth: Truth = "prior", progressbar: bool = True
    ) -> FleetResult:
        """Draw a truth, simulate the target, refit, compare: can this model find what it looks for?

        Args:
            n_simulations: How often; from about 20 on coverage and ranks say something.
            truth: "prior" tests the model and its code; "posterior" what data like this client's can tell.
            progressbar: Whether to draw the progress.
        """
        with progress_bars(progressbar) as progress:
            return self._runner(progress).recovery_fleet(n_simulations, truth)

    @abstractmethod
    def refresh(self, new_data: pd.DataFrame, progressbar: bool = True) -> pd.DataFrame:
        """Append new periods and fit again."""

    def production_fleet(self, new_data: pd.DataFrame | None = None, progressbar: bool = True) -> FleetResult:
        """Refresh where there is new data, hold out the last month, train on the rows before, score both.

        Args:
            new_data: As in `refresh`.
            progressbar: Whether to draw the progress.
        """
        if new_data is not None:
            self.refresh(new_data, progressbar)
        with progress_bars(progressbar) as progress:
            return self._runner(progress).production_fleet()

    def holdout_fleet(
        self, holdouts: Sequence[int] = (4, 8, 12), origins: int = 0, step: int = 4, progressbar: bool = True
    ) -> FleetResult:
        """Hold out each number of rows; with `origins`, also scores by how far ahead a row lies.

        Args:
            holdouts: Numbers of rows at the end that a model does not see.
            origins: Rolling origins, each `step` rows before the last; 0 for none.
            step: Rows between two origins.
            progressbar: Whether to draw the progress.
        """
        with progress_bars(progressbar) as progress:
            return self._runner(progress).holdout_fleet(holdouts, origins, step)

    def stability_fleet(
        self,
        checks: Sequence[str] = STABILITY_CHECKS,
        seeds: int = 1,
        noise: float = PERTURBATION,
        progressbar: bool = True,
    ) -> FleetResult:
        """How far channels move between windows, seeds, refreshes and under noise, and what a placebo earns.

        Args:
            checks: Any of "windows", "seeds", "perturbation", "placebo"; the last refresh is compared as well.
            seeds: Fits with another seed.
            noise: Standard deviation of the noise on media and spend, as a share.
            progressbar: Whether to draw the progress.
        """
        with progress_bars(progressbar) as progress:
            return self._runner(progress).stability_fleet(checks, seeds, noise)

    def forecast_fleet(
        self,
        horizon: int | None = None,
        plan: str | Path | pd.DataFrame | None = None,
        progressbar: bool = True,
    ) -> FleetResult:
        """What the model expects of the next periods.

        Args:
            horizon: Number of periods; that of the plan, or 8, when None.
            plan: Planned media and controls of the next periods, at most 13, as a CSV file or a frame; what it leaves
                open follows last year's pattern.
            progressbar: Whether to draw the progress.
        """
        with progress_bars(progressbar) as progress:
            return self._runner(progress).forecast_fleet(horizon, plan)
