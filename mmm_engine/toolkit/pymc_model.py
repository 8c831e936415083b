"""One client's model from a frame: data, priors, fit, refresh.

Here: `PymcModel`, its words and its log lines.
Not here: its settings (arguments.py), its fleets (fleet_methods.py), budgets (budget_methods.py), its results
(result_methods.py), and anything it does: rows (new_rows.py), fits (mmm_engine.posterior.fit).
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
import xarray as xr

from mmm_engine.client.model_config import HolidaysConfig
from mmm_engine.client.windows import FULL, Window
from mmm_engine.errors import Fault, FitError
from mmm_engine.fleets.scored_window import ScoredWindow, fit_window
from mmm_engine.model.parameters import MODEL_NAMES
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.window import ScaledInputs, scale_window, without_scaling
from mmm_engine.toolkit.arguments import (
    Columns,
    checked_config,
    column_entries,
    lift_tests,
    log_data,
    log_settings,
    model_terms,
    named_entries,
    plain_numbers,
)
from mmm_engine.toolkit.budget_methods import BudgetMethods
from mmm_engine.toolkit.fleet_methods import FleetMethods
from mmm_engine.toolkit.frames import frame_of
from mmm_engine.toolkit.new_rows import append_rows
from mmm_engine.toolkit.prior_arguments import ModelPriors, plain_priors
from mmm_engine.toolkit.progress import progress_bars
from mmm_engine.toolkit.result_methods import ResultMethods
from mmm_engine.toolkit.runner import Runner
from mmm_engine.toolkit.saved_model import SavedModel

if TYPE_CHECKING:
    from pymc_marketing.mmm import MMM

logger = logging.getLogger("mmm_engine.toolkit")


class PymcModel(FleetMethods, BudgetMethods, ResultMethods):
    """A marketing-mix model of one client.

    Args:
        client_data: One row per period, original units; dates may be its index, if that has their name.
        target_name: Column to explain; {"column": "leads", "kind": "conversions"} where it is a count.
        date_column: Column of the dates.
        channel_names: Media columns: names, or mappings as in client files, such as {"column": "tv_views", "unit":
            "views", "cost": "tv_cost", "adstock": {"kind": "delayed", "max_lag": 8}}.
        control_names: Other columns that explain the target, in the same forms ({"column": "price", "effect":
            "negative"}); their effects are positive unless they or `priors` say otherwise.
        client_name: Names the client in messages and reports: a-z, 0-9, '_' and '-'.
        lag_max: Periods over which media works, the current one included.
        scale_data: Divide every column by its largest absolute training value.
        saturation: michaelis_menten (default), logistic, inverse_scaled_logistic, hill (default of the calibrated
            priors), hill_sigmoid, tanh, root, log or none.
        adstock: geometric, delayed, binomial, weibull_pdf, weibull_cdf or none.
        priors: Overrides of `model_priors`: name to a pymc-extras `Prior`, an `HSGPKwargs` or a mapping. Or
            "calibrated": priors on what channels bring, whose intervals are measured to hold the truth.
        calibrations: Lift tests, one row each: channel, date, x, delta_x, delta_y, sigma (of delta_y), original units.
        time_varying_media, time_varying_intercept: Let the effect of all media, or the baseline, vary over time.
        number_of_basis: Basis functions of a time-varying term.
        yearly_seasonality: Fourier order of a yearly cycle, 1 to 10.
        weekly_seasonality: Give each day of the week an effect, for daily rows.
        trend: How often the slope of a linear trend may change.
        events: Name to days of what moves the target around certain days: "2024-11-29", a list of such days, or
            {"start": ..., "end": ...}. Days to come are part of forecasts.
        holidays: Public holidays, from `mmm_engine.client.holidays.public_holidays`.
        likelihood: normal, student_t, or truncated_normal for a target that comes near 0 and is never negative.
        currency: Written after amounts of money, such as "EUR"; changes no number.
        likelihood_power: How much a row counts, above 0 and at most 1; 0.5 with the calibrated priors, else 1.

    Raises:
        ConfigError: With every setting that is wrong.
        DataError: With every fault of the rows.
    """

    def __init__(
        self,
        client_data: pd.DataFrame,
        target_name: str | Mapping[str, str],
        date_column: str,
        channel_names: Columns,
        control_names: Columns = (),
        client_name: str = "client0",
        lag_max: int = 4,
        scale_data: bool = True,
        saturation: str | None = None,
        adstock: str = "geometric",
        priors: Mapping[str, Any] | str | None = None,
        calibrations: pd.DataFrame | None = None,
        time_varying_media: bool = False,
        time_varying_intercept: bool = False,
        number_of_basis: int = 50,
        yearly_seasonality: int | None = None,
        trend: int | None = None,
        events: Mapping[str, Any] | None = None,
        likelihood: str = "normal",
        weekly_seasonality: bool = False,
        holidays: HolidaysConfig | Mapping[str, Any] | None = None,
        currency: str = "",
        likelihood_power: float | None = None,
    ) -> None:
        logger.info("Creating the client's data configuration.")
        who = f"PymcModel '{client_name}'"
        settings: dict[str, Any] = {
            "client": client_name,
            "data": f"{client_name}.csv",
            "date": date_column,
            "target": target_name if isinstance(target_name, str) else dict(target_name),
            "currency": currency,
            "channels": column_entries(channel_names, who),
            "controls": column_entries(control_names, who),
            "model": {
                "adstock": {"kind": adstock, "max_lag": lag_max},
                **({} if saturation is None else {"saturation": saturation}),
                "time_varying_media": time_varying_media,
                "time_varying_intercept": time_varying_intercept,
                "n_basis": number_of_basis,
                "yearly_seasonality": yearly_seasonality,
                "weekly_seasonality": weekly_seasonality,
                "holidays": holidays,
                "trend": None if trend is None else {"changepoints": trend},
                "events": named_entries(events, who, "events"),
                "likelihood": likelihood,
                **({} if likelihood_power is None else {"likelihood_power": likelihood_power}),
            },
            "lift_tests": [] if calibrations is None else lift_tests(calibrations, client_name),
        }
        preset = priors if isinstance(priors, str) else "toolkit"
        own = {} if isinstance(priors, str) else named_entries(priors, who, "priors")
        client_data = frame_of(client_data, f"{who}: client_data", date_column)
        self._begin(plain_numbers(settings), own, preset, bool(scale_data), client_data)
        log_data(self._data, self._scaled)
        log_settings(self._data.config)

    def _begin(
        self, settings: dict[str, Any], own: dict[str, Any], preset: str, scaled: bool, rows: pd.DataFrame
    ) -> None:
        """Take up settings, priors of one's own, and rows; nothing is fitted."""
        self._settings, self._given, self._preset, self._scaled = settings, own, preset, scaled
        self._priors: ModelPriors | None = None
        self._shown: dict[str, Any] = {}
        self._data = client_data_from_frame(checked_config(settings, own, preset), rows)
        self._fit: ScoredWindow | None = None
        self._windows: dict[Window, ScoredWindow] = {}
        self._previous: pd.DataFrame | None = None
        self.restated: pd.DataFrame | None = None

    # --- data and settings -----------------------------------------------------------------------

    @property
    def model_priors(self) -> dict[str, Any]:
        """Priors in use, as pymc-extras objects; what is set here counts at the next fit."""
        if self._priors is None:
            from mmm_engine.model.pymc_reference import model_priors

            shown = model_priors(model_specification(self._data.config, self._data.period), len(self._data))
            given = {MODEL_NAMES.get(name, name): prior for name, prior in self._given.items()}
            own = {name: prior for name, prior in given.items() if not isinstance(prior, Mapping)}
            self._priors = ModelPriors(shown | own, self._check_priors)
            self._shown = copy.deepcopy(dict(self._priors))
        return self._priors

    @property
    def inputs(self) -> ScaledInputs:
        """All rows in model space, as the model is fitted on them."""
        self._fold_priors()
        inputs = scale_window(self._data, FULL)
        return inputs if self._scaled else without_scaling(inputs)

    @property
    def posterior(self) -> xr.DataTree:
        """Draws of the fitted parameters, model space, with the sampler's statistics."""
        return self._fitted("posterior").posterior

    def get_data(self) -> pd.DataFrame:
        """The client's rows in original units."""
        return self._data.frame.rename(columns={"date": self._data.config.date})

    def get_covariates(self) -> pd.DataFrame:
        """Dates, channels and controls, scaled as the model sees them."""
        inputs, config = self.inputs, self._data.config
        media = pd.DataFrame(inputs.media_scaled, columns=list(config.channel_names))
        controls = pd.DataFrame(inputs.controls_scaled, columns=list(config.control_names))
        frame = pd.concat([pd.Series(inputs.dates, name=config.date), media, controls], axis=1)
        logger.info("Covariates DataFrame constructed with shape %s.", frame.shape)
        return frame

    def get_target(self, original_scale: bool = True) -> pd.Series:
        """The target, in original units or scaled."""
        logger.info("Returning target variable in %s scale.", "original" if original_scale else "model")
        inputs = self.inputs
        values = inputs.target if original_scale else inputs.target_scaled
        return pd.Series(values, name=self._data.config.target.column)

    def build_pymc_mmm(self) -> MMM:
        """An unfitted pymc-marketing `MMM` of the same model, for those who go on by hand.

        It takes its rows from `mmm_engine.model.pymc_reference.training_frame(model.inputs)`. Lift tests are part of
        its likelihood, with carry-over and age as here; `MMM.save` does not keep them, and building it anew drops them.

        Raises:
            ConfigError: If the model has no equal there.
        """
        from mmm_engine.model.pymc_reference import build_with_lift_tests

        return build_with_lift_tests(self.inputs)

    # --- fit and refresh -------------------------------------------------------------------------

    def fit(
        self,
        draws: int = 1000,
        tune: int = 1000,
        chains: int = 4,
        cores: int | None = None,
        progressbar: bool = True,
        seed: int = 1,
        target_accept: float = 0.95,
    ) -> None:
        """Sample the posterior on all rows; fleets and refreshes use the same settings afterwards.

        Raises:
            ConfigError: If a setting or a changed prior is wrong.
            FitError: If sampling fails.
        """
        sampler: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
        sampler |= {"cores": cores, "target_accept": target_accept}
        sampler["ess_target"] = None  # so many draws as are asked for
        settings = {**self._settings, "sampler": plain_numbers(sampler)}
        checked_config(settings, self._given, self._preset)  # before anything wrong is kept
        self._settings = settings
        self._sample(progressbar)

    def refresh(self, new_data: pd.DataFrame, progressbar: bool = True) -> pd.DataFrame:
        """Append new periods and fit again, with the settings of the last fit.

        Args:
            new_data: All columns of the client; periods that are known may come again, the new word counts.
            progressbar: Whether to draw the progress.

        Returns:
            What was restated: date, column, before, after; kept as `restated`.

        Raises:
            FitError: If the model was not fitted before.
            DataError: If columns are missing, a cell is wrong, or there is a gap.
        """
        before = self._fitted("refresh()")
        config = self._data.config
        rows = frame_of(new_data, f"PymcModel '{config.client}': refresh()", config.date)
        data, restated = append_rows(self._data, rows)
        logger.info(
            "Added %d new periods to %s's %d rows.",
            len(data) - len(self._data),
            config.client,
            len(self._data),
        )
        for row in restated.itertuples():
            logger.info(
                "Restated: %s of %s, %g before, %g now.",
                row.column,
                f"{row.date:%Y-%m-%d}",
                row.before,
                row.after,
            )
        self._previous = before.returns
        self._fold_priors()
        self._data, self._priors, self.restated = data, None, restated
        self._sample(progressbar)
        return restated

    def save(self, path: str | Path) -> Path:
        """Write rows, settings, priors and the fit into one NetCDF file, which `load` reads, and say where it is.

        ArviZ opens it too (`az.from_netcdf`): groups posterior and sample_stats. Fits of fleets are not in it.
        """
        self._fold_priors()
        own, rows = plain_priors(self._given), self._data.frame
        saved = SavedModel(self._settings, own, self._preset, self._scaled, rows, self._fit, self._previous)
        saved.write(Path(path))
        return Path(path)

    def log_to_mlflow(self, experiment: str | None = None, run_name: str | None = None) -> str:
        """Log the fit into the active run of MLflow, or into a new one, and say its id.

        Parameters are the settings, metrics the scores and returns; artifacts are `model.nc` (which `load` and
        `az.from_netcdf` read), `report.html` and `settings.json`. Where runs are kept is MLflow's setting.

        Args:
            experiment: Name of the experiment of a new run.
            run_name: Name of a new run, the client's when None.

        Raises:
            FitError: If the model is not fitted.
            MMMError: If MLflow is not installed (`pip install 'mmm-platform[mlflow]'`).
        """
        from mmm_engine.report.render import build_report, write_report
        from mmm_engine.toolkit.mlflow_run import log_run

        fit = self._fitted("log_to_mlflow()")

        def report(path: Path) -> Path:
            return write_report(build_report(self._reported(fit)), path)

        return log_run(fit, self.save, report, experiment=experiment, run_name=run_name)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The model that `save` wrote, in this version of the library or an earlier one.

        Raises:
            DataError: If the file is none that `save` wrote, or a later version's.
        """
        saved, model = SavedModel.read(Path(path)), cls.__new__(cls)
        model._begin(saved.settings, saved.priors, saved.preset, saved.scaled, saved.rows)
        model._fit, model._previous = saved.fit, saved.previous
        model._windows = {} if saved.fit is None else {FULL: saved.fit}
        return model

    # --- inside ----------------------------------------------------------------------------------

    def __repr__(self) -> str:
        """Client, rows, terms of the model, and whether it is fitted."""
        config, dates = self._data.config, self._data.dates
        state = "not fitted"
        if self._fit is not None:
            sizes = self._fit.posterior["posterior"].sizes
            state = f"fitted with {sizes['chain']} × {sizes['draw']} draws"
        return (
            f"<PymcModel '{config.client}': {len(dates)} {self._data.calendar.periods} from {dates[0]:%Y-%m-%d} to "
            f"{dates[-1]:%Y-%m-%d}, {', '.join(model_terms(config))}; {state}>"
        )

    def _check_priors(self, changed: Mapping[str, Any]) -> None:
        checked_config(self._settings, self._given | dict(changed), self._preset)

    def _fold_priors(self) -> None:
        """Take up what was changed in `model_priors` and in the sampler's settings."""
        shown: Mapping[str, Any] = self._priors or {}
        changed = {name: prior for name, prior in shown.items() if repr(prior) != repr(self._shown.get(name))}
        given = self._given | changed
        config = checked_config(self._settings, given, self._preset)  # before anything wrong is kept
        self._given, self._data = given, replace(self._data, config=config)
        self._shown |= copy.deepcopy(changed)

    def _sample(self, progressbar: bool) -> None:
        inputs = self.inputs
        config, sampler = inputs.config, inputs.config.sampler
        logger.info(
            "Sampling %s's MMM using %d chains, %d draws, and %d tuning steps.",
            config.client,
            sampler.chains,
            sampler.draws,
            sampler.tune,
        )
        with progress_bars(progressbar) as progress:
            self._fit = fit_window(inputs, progress=progress)
        self._windows = {FULL: self._fit}
        divergences = int(self._fit.posterior["sample_stats"]["diverging"].sum())
        if divergences:
            logger.warning("Divergences after tuning: %d; increase target_accept.", divergences)
        logger.info("Predicting the training rows.")
        self._fit.prediction  # noqa: B018  (computed once, here, kept with the fit)
        logger.info("Sampling completed.")

    def _fitted(self, wanted: str) -> ScoredWindow:
        """The fit, which `wanted` needs.

        Raises:
            FitError: If there is none.
        """
        if self._fit is None:
            fault = Fault(wanted, "a model that is not fitted yet", "a fitted one", "call fit() first")
            raise FitError(f"PymcModel '{self._data.config.client}'", fault)
        return self._fit

    def _runner(self, progress: ProgressListener | None) -> Runner:
        """What a fleet starts from: rows, settings, and the windows that were fitted with these very ones."""
        self._fold_priors()
        if any(fit.inputs.config != self._data.config for fit in self._windows.values()):
            self._windows = {}
        return Runner(self._data, datetime.now(UTC), self._windows, self._previous, self._scaled, progress)
