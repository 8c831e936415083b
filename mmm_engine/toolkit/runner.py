"""Running each fleet on a client's data in memory.

Here: which windows a fleet fits, in which order, and what it hands back.
Not here: the scores (mmm_engine.fleets), the same from stored fits (the platform does that itself).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmm_engine.client.audit_config import Truth
from mmm_engine.client.windows import FULL, STANDARD_WINDOWS, Window, windows_holding_out
from mmm_engine.errors import DataError, Fault
from mmm_engine.fleets.origins import horizon_scores, origin_holdouts
from mmm_engine.fleets.recovery import (
    prior_draws,
    rank_ecdf,
    refits,
    score_refit,
    summarise_recovery,
)
from mmm_engine.fleets.scored_window import ScoredWindow, fit_window
from mmm_engine.fleets.sensitivity import PERTURBATION, sensitivity_runs
from mmm_engine.fleets.stability import stability_scores
from mmm_engine.model.parameters import SHOWN_AS, Role
from mmm_engine.model.specification import ModelSpecification, model_specification
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.results.forecast import DEFAULT_HORIZON, forecast
from mmm_engine.rows.calendar import Period
from mmm_engine.rows.client_data import ClientData
from mmm_engine.rows.plan import read_plan
from mmm_engine.rows.window import ScaledInputs, scale_window, without_scaling
from mmm_engine.scores.identification import identified_scores, readings
from mmm_engine.toolkit.fleet_result import Fleet, FleetResult, Summary, nested, window_scores, window_summary
from mmm_engine.toolkit.report_inputs import notebook_report

if TYPE_CHECKING:
    from mmm_engine.report.inputs import ReportInputs

MONTH: dict[Period, int] = {"day": 28, "week": 4, "month": 1}
STABILITY_CHECKS = ("windows", "seeds", "perturbation", "placebo")
FEWEST_PERIODS = 4  # of a forecast whose plan is shorter

logger = logging.getLogger("mmm_engine.toolkit")


@dataclass(frozen=True, eq=False)
class Runner:
    """What every fleet of one client starts from.

    Attributes:
        data: The client's rows and settings.
        recorded_at: Now.
        fits: Windows that were fitted already; those a fleet fits are added.
        previous: `channel_returns` of the last refresh, when there was one.
        scaled: Whether columns are scaled by their largest training value.
        progress: Listener of the fits.
    """

    data: ClientData
    recorded_at: datetime
    fits: dict[Window, ScoredWindow] = field(default_factory=dict)
    previous: pd.DataFrame | None = None
    scaled: bool = True
    progress: ProgressListener | None = None

    def inputs(self, window: Window) -> ScaledInputs:
        """The client's rows with the window's last ones held out."""
        inputs = scale_window(self.data, window)
        return inputs if self.scaled else without_scaling(inputs)

    def production_fleet(self) -> FleetResult:
        """Hold out the last month, train on the rows before, score both."""
        return self._holdout("production", [MONTH[self.data.period]], origins=0, step=1)

    def holdout_fleet(self, holdouts: Sequence[int], origins: int, step: int) -> FleetResult:
        """Hold out each number of rows, and the windows of the rolling origins.

        Args:
            holdouts: Numbers of rows at the end that a model does not see; they come first among the members.
            origins: Rolling origins for the scores by horizon, 0 for none; origin k holds out k times `step` rows.
            step: Rows between two origins.
        """
        return self._holdout("holdout", holdouts, origins, step)

    def recovery_fleet(self, n_simulations: int, truth: Truth) -> FleetResult:
        """Draw a truth, simulate the target, refit, compare; `n_simulations` times.

        Args:
            n_simulations: How often; from about 20 on coverage says something.
            truth: "prior" tests the model and its code, "posterior" what data like this client's can tell.
        """
        if n_simulations < 1 or truth not in ("prior", "posterior"):
            found = f"n_simulations={n_simulations}, truth='{truth}'"
            fault = Fault("recovery", found, "1 or more, 'prior' or 'posterior'", "pass such values")
            raise DataError(f"client '{self.data.config.client}'", fault)
        inputs = self.inputs(FULL)
        source = self.fitted() if truth == "posterior" else None
        prior = prior_draws(inputs)
        simulations, members, fits = [], {}, []
        for simulated, fit in refits(inputs, n_simulations, progress=self.progress, fitted=source):
            simulations.append(score_refit(fit, simulated, prior))
            members[f"simulation {len(simulations)}"] = window_summary(fit)
            fits = [fit] if n_simulations == 1 else []
        scores = self._with_readings(summarise_recovery(simulations))
        tables = {
            "simulations": pd.concat(
                simulations, keys=range(n_simulations), names=["simulation"]
            ).reset_index("simulation")
        }
        if n_simulations > 1:
            tables["ranks"] = rank_ecdf(simulations)
        specification = model_specification(self.data.config, self.data.period)
        sections = recovery_sections(scores, specification, self.data.config.channel_names)
        return self._result("recovery", members, [scores], fits, tables, sections, recovery=scores)

    def stability_fleet(
        self, checks: Sequence[str], seeds: int = 1, noise: float = PERTURBATION
    ) -> FleetResult:
        """How far channels move when something moves that should not matter, and what a placebo earns.

        Args:
            checks: Any of "windows", "seeds", "perturbation", "placebo"; each costs a fit or more.
            seeds: Fits with another seed.
            noise: Standard deviation of the noise on media and spend, as a share.
        """
        unknown = [check for check in checks if check not in STABILITY_CHECKS]
        if unknown or not checks or seeds < 1 or not 0 < noise < 1:
            found = f"checks {list(checks)}, {seeds} seeds, noise {noise:g}"
            wanted = f"some of {', '.join(STABILITY_CHECKS)}; 1 seed or more; noise between 0 and 1"
            fault = Fault("stability fleet", found, wanted, "pass such values")
            raise DataError(f"client '{self.data.config.client}'", fault)
        full = self.fitted()
        fits, frames = {FULL.name: full}, []
        if "windows" in checks:
            fits = {window.name: self.fitted(window) for window in STANDARD_WINDOWS}
        frames.append(stability_scores([fit.returns for fit in fits.values()], self.previous))
        runs = sensitivity_runs(
            full,
            seeds=seeds if "seeds" in checks else 0,
            noise=noise if "perturbation" in checks else 0,
            placebo="placebo" in checks,
            progress=self.progress,
        )
        for name, scores, refits_of_run in runs:
            frames.append(scores)
            numbered = enumerate(refits_of_run, start=1)
            fits |= {name if number == 1 else f"{name} {number}": fit for number, fit in numbered}
        stability = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
        members = {name: window_summary(fit) for name, fit in fits.items()}
        sections = {
            "stability": {
                split: nested(own, "channel") for split, own in stability.groupby("split", sort=False)
            }
        }
        return self._result(
            "stability", members, [stability], list(fits.values()), {}, sections, stability=stability
        )

    def forecast_fleet(self, horizon: int | None, plan: str | Path | pd.DataFrame | None) -> FleetResult:
        """What the model expects of the next periods.

        Args:
            horizon: Number of periods; that of the plan, at least 4, or 8 without a plan, when None.
            plan: Planned media and controls, as a file or a frame; what it leaves open follows last year's pattern.
        """
        planned = None
        if plan is not None:
            planned = read_plan(Path(plan) if isinstance(plan, str) else plan, self.data)
            if planned.empty:
                found, wanted = "no row after the last row of the data", "the coming periods"
                fault = Fault("the plan", found, wanted, "add them, or leave the plan out")
                raise DataError(f"client '{self.data.config.client}', plan", fault)
            horizon = max(len(planned), FEWEST_PERIODS) if horizon is None else horizon
            if horizon > len(planned):
                said = "The plan covers %d of %d periods; the others follow last year's pattern."
                logger.info(said, len(planned), horizon)
        full = self.fitted()
        frame = forecast(full, horizon=horizon or DEFAULT_HORIZON, plan=planned)
        rows = frame.assign(date=frame["date"].dt.strftime("%Y-%m-%d")).set_index("date")
        sections = {"forecast": rows.to_dict(orient="index")}
        members = {FULL.name: window_summary(full)}
        return self._result("forecast", members, [], [full], {"forecast": frame}, sections, forecast=frame)

    def _with_readings(self, recovery: pd.DataFrame) -> pd.DataFrame:
        """Scores of simulations with the score `identified` of each channel, as far as the model was fitted."""
        config, full = self.data.config, self.fits.get(FULL)
        posterior = recovery.iloc[:0] if full is None else full.scores
        read = readings(posterior, recovery, config.thresholds.recovery_min, config.channel_names)
        return pd.concat([recovery, identified_scores(read, "recovery")], ignore_index=True)

    def fitted(self, window: Window = FULL) -> ScoredWindow:
        """The model fitted on a window; fitted at most once."""
        if window not in self.fits:
            self.fits[window] = fit_window(self.inputs(window), progress=self.progress)
        return self.fits[window]

    def _holdout(self, fleet: Fleet, holdouts: Sequence[int], origins: int, step: int) -> FleetResult:
        origin_rows = origin_holdouts(origins, step)
        asked = windows_holding_out(holdouts, self.data.config.client)
        beside = [Window.holding_out(number) for number in origin_rows if number not in holdouts]
        fits = [self.fitted(window) for window in (*asked, *beside)]
        folds = [(fit.prediction, fit.inputs) for fit in fits if fit.inputs.window.holdout in origin_rows]
        ahead = horizon_scores(folds)
        members = {fit.inputs.window.name: window_summary(fit) for fit in fits}
        sections = {"horizons": nested(ahead, "split")} if origins else {}
        return self._result(fleet, members, [ahead.assign(window="origins")], fits, {}, sections)

    def _result(
        self,
        fleet: Fleet,
        members: Mapping[str, Summary],
        scores: Sequence[pd.DataFrame],
        fits: Sequence[ScoredWindow],
        tables: Mapping[str, pd.DataFrame],
        sections: Mapping[str, Any],
        **reported: pd.DataFrame,
    ) -> FleetResult:
        names = list(members) if len(fits) == len(members) else [fit.inputs.window.name for fit in fits]
        own = [window_scores(fit).assign(window=name) for name, fit in zip(names, fits, strict=True)]
        own += [frame if "window" in frame else frame.assign(window=FULL.name) for frame in scores]
        columns = ["window", "split", "channel", "metric", "value", "unit"]
        table = pd.concat([frame[columns] for frame in own if len(frame)], ignore_index=True)
        held_out = [fit for fit in fits if fit.inputs.horizon]

        @cache
        def report() -> ReportInputs:
            return notebook_report(
                self.data,
                self.fitted(),
                held_out,
                recorded_at=self.recorded_at,
                command=f"PymcModel(…, client_name='{self.data.config.client}').{fleet}_fleet()",
                **reported,
            )

        return FleetResult(fleet, members, table, report, tuple(fits), tables, sections)


def recovery_sections(
    scores: pd.DataFrame, specification: ModelSpecification, channels: Sequence[str]
) -> dict[str, Any]:
    """The parts of a recovery summary: recovery per parameter, scores per channel, counts."""
    parameters = scores[scores["metric"] == "recovery"].set_index("channel")["value"]
    roles = {SHOWN_AS.get(spec.name, spec.name): spec.role for spec in specification.parameters}
    names = [name for name in parameters.index if roles[name] is not Role.BASIS_COEFFICIENTS]
    whole = scores[scores["channel"] == "all"]
    return {
        "recovery": {
            name: float(parameters[name])
            for name in sorted(names, key=lambda name: _guide_order(roles[name]))
        },
        "channels": nested(scores[scores["channel"].isin(channels)], "channel"),
        **{str(metric): float(value) for metric, value in zip(whole["metric"], whole["value"], strict=True)},
    }


_FIRST = (Role.NOISE_SCALE, Role.INTERCEPT, Role.CONTROL_EFFECT)
_LAST = (Role.HALF_SATURATION, Role.SATURATION_SHAPE, Role.SATURATION_SCALE, Role.ADSTOCK)


def _guide_order(role: Role) -> tuple[int, int]:
    """Noise, intercept and controls first, saturation and adstock last: the order data scientists know."""
    if role in _FIRST:
        return 0, _FIRST.index(role)
    return 1, _LAST.index(role) + 1 if role in _LAST else 0
