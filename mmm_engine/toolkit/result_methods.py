"""What a fitted model says, in a notebook: its draws as ArviZ has them, and its results as tidy frames.

Here: the methods by which `PymcModel` hands out results and predictions.
Not here: how they are computed (mmm_engine.results), rows to predict put at their place (new_rows.py), budgets
(budget_methods.py).
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from mmm_engine.errors import DataError, Fault
from mmm_engine.fleets.scored_window import ScoredWindow
from mmm_engine.results.inference_data import inference_data, labelled_draws, prior_predictive
from mmm_engine.results.predictive import predict
from mmm_engine.rows.client_data import ClientData
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.toolkit.figures import Figures, Plots
from mmm_engine.toolkit.frames import frame_of
from mmm_engine.toolkit.new_rows import place_rows
from mmm_engine.toolkit.parameter_units import summarize
from mmm_engine.toolkit.report_inputs import notebook_report

if TYPE_CHECKING:
    from mmm_engine.report.inputs import ReportInputs


class ResultMethods(ABC):
    """A model whose results can be looked at."""

    _made: tuple[ScoredWindow, xr.DataTree] | None = None  # a fit and its tree
    _plots: tuple[ScoredWindow, Plots] | None = None  # a fit and its figures
    _data: ClientData
    _fit: ScoredWindow | None

    @abstractmethod
    def _fitted(self, wanted: str) -> ScoredWindow:
        """The fit, which `wanted` needs."""

    @property
    @abstractmethod
    def inputs(self) -> ScaledInputs:
        """All rows in model space."""

    @property
    def idata(self) -> xr.DataTree:
        """The fit as ArviZ has it, for `az.summary`, `az.plot_trace`, `az.loo`, `az.compare`, `az.plot_ppc_dist`, ...

        Groups posterior, sample_stats, posterior_predictive, log_likelihood, prior, prior_predictive, observed_data and
        constant_data, as `mmm_engine.results.inference_data.inference_data` describes them: parameters in model space,
        the target `y` in original units. Made at the first call and kept with the fit.

        Raises:
            FitError: If the model is not fitted.
        """
        fitted = self._fitted("idata")
        if self._made is None or self._made[0] is not fitted:
            self._made = fitted, inference_data(fitted, fitted.prediction)
        return self._made[1]

    def predict(self, X_new: pd.DataFrame | None = None) -> xr.DataArray:
        """Posterior predictive draws of the target `y`, with observation noise, original units.

        Args:
            X_new: Dates, channels and controls in original units. A row with the date of a fitted one takes its place,
                with these media and controls; all others must follow the last fitted row without a gap. Media works
                on from row to row, that of fitted rows too. The fitted rows themselves when None.

        Returns:
            Draws with the dimensions sample and date, in the order of the rows; a sample is a pair of chain and draw
            (`.unstack("sample")` makes them two dimensions). `np.asarray` gives the numbers, shape (draw, row).

        Raises:
            FitError: If the model is not fitted.
            DataError: If columns are missing, or a row is neither a fitted one nor follows without a gap.
        """
        fitted = self._fitted("predict()")
        dates, draws = fitted.prediction.dates, fitted.prediction.draws
        if X_new is not None:
            config = fitted.inputs.config
            rows = frame_of(X_new, f"PymcModel '{config.client}': predict()", config.date)
            placed = place_rows(fitted.inputs, rows)
            prediction = predict(fitted.on_rows(placed.inputs))
            dates, draws = prediction.dates[placed.positions], prediction.draws[:, placed.positions]
        return labelled_draws(draws, dates, fitted.posterior)

    @property
    def plot(self) -> Plots:
        """The report's figures of this fit as methods, such as `model.plot.response_curves()`; shown, it lists them.

        Each gives a plotly figure. Figures of held-out rows and of forecasts are those of fleets
        (`model.holdout_fleet().figures`).

        Raises:
            FitError: If the model is not fitted.
        """
        fitted = self._fitted("plot")
        if self._plots is None or self._plots[0] is not fitted:
            self._plots = fitted, Plots(Figures(partial(self._reported, fitted)))
        return self._plots[1]

    def summarize_variable(self, var_name: str) -> dict[str, Any]:
        """Posterior mean, 95th and 5th percentile of a parameter.

        Those with the target's units are in original units: intercept, y_sigma, the scale of a saturation curve,
        seasonality and changes of the trend's slope (per length of the training rows) in units of the target, sizes of
        events in units of the target times days, controls in units of the target per unit of the control. All others
        (half-saturation, adstock, time variation) are in the model's own.

        Args:
            var_name: Name of the parameter ("intercept", "adstock_alpha", "controls").

        Returns:
            variable, coef (mean), ci_up_cassandra (95th percentile), ci_low_cassandra (5th); numbers for a single
            number, dicts by channel or control for a vector.

        Raises:
            FitError: If the model is not fitted.
            DataError: If there is no such parameter.
        """
        fitted = self._fitted("summarize_variable()")
        return summarize(var_name, fitted)

    def sample_prior_predictive(self, draws: int = 1000, seed: int = 1) -> xr.DataTree:
        """What the model expects before it has seen the target; it need not be fitted.

        Args:
            draws: How many draws, 1 or more.
            seed: Of the draws.

        Returns:
            Groups prior, prior_predictive (`y`, original units), observed_data and constant_data, for
            `az.plot_ppc_dist(tree, group="prior_predictive")`.

        Raises:
            DataError: If `draws` is below 1.
        """
        if draws < 1:
            fault = Fault("draws", repr(draws), "1 or more", "pass a larger number")
            raise DataError("sample_prior_predictive()", fault)
        return prior_predictive(self.inputs, draws, seed)

    def contributions(self) -> pd.DataFrame:
        """What each term adds to the target in each period, original units: date, component, kind, mean, q05, q95.

        Components are the baseline, terms of the calendar, channels, controls and events; `kind` says which is which.
        The means of a period sum to its expected target.

        Raises:
            FitError: If the model is not fitted.
        """
        return self._fitted("contributions()").decomposition.copy()

    def returns(self) -> pd.DataFrame:
        """What each channel brings: channel, metric, mean, quantiles q05 to q95, unit.

        Metrics are contribution (target units, all rows), share (of the expected target), roas (contribution per unit
        of spend), mroas (extra contribution per extra unit at 1% more spend), and cpa where conversions are counted.

        Raises:
            FitError: If the model is not fitted.
        """
        return self._fitted("returns()").returns.copy()

    def response_curves(self) -> pd.DataFrame:
        """Response per period to a steady spend per period, original units.

        Columns channel, spend, mean, q05, q50, q95, unit, extrapolated (beyond the largest spend seen), current
        (today's spend).

        Raises:
            FitError: If the model is not fitted.
        """
        return self._fitted("response_curves()").curves.copy()

    def adstock(self) -> pd.DataFrame:
        """Share of a channel's effect that falls on each period after its media: channel, lag, mean, q05, q95.

        Raises:
            FitError: If the model is not fitted.
        """
        return self._fitted("adstock()").adstock.copy()

    def _reported(self, fitted: ScoredWindow) -> ReportInputs:
        """What the report of the fit is made from."""
        return notebook_report(self._data, fitted, recorded_at=datetime.now(UTC))

    def _repr_html_(self) -> str:
        """What the model is; after a fit also what each channel brings."""
        shown = f"<p>{html.escape(repr(self))}</p>"
        if self._fit is None:
            return shown
        returns = self._fit.returns
        table = returns[returns["metric"] != "mroas"].drop(columns=["q25", "q75"])
        return shown + table.to_html(index=False, float_format="{:,.4g}".format, na_rep="")
