"""Terms of the calendar that pymc-marketing does not have, as effects that its `MMM` adds to the mean.

Here: days of the week, public holidays, events in weekly and monthly rows; regressors are ours (calendar_terms.py).
Not here: everything that pymc-marketing has itself (pymc_reference.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import pymc.dims as pmd
from pymc_marketing.mmm.additive_effect import MuEffect

from mmm_engine.array_types import Floats
from mmm_engine.rows.calendar import Calendar, Period


class RowEventEffect(MuEffect):  # type: ignore[misc]  # pymc-marketing has no types
    """Events that fall on the rows that share days with them; theirs fall on days alone.

    Attributes:
        prefix: Name of the term.
        period: What a row is.
        shares: What of each event falls on each row, of dates: shape (date, event).
        names: The events.
        sigma: Prior of their width in days, shared.
        size: Prior of the area under each bump.
    """

    prefix: str
    period: Period
    shares: Callable[[Calendar], Floats]
    names: list[str]
    sigma: Any
    size: Any

    def create_data(self, mmm: Any) -> None:
        """The shares at the model's dates."""
        mmm.model.add_coord("event", self.names)
        pmd.Data("event_shares", self._shares(mmm.model), dims=("date", "event"))

    def create_effect(self, mmm: Any) -> Any:
        """Their sum over events, dims (date)."""
        sigma = self.sigma.create_variable("event_sigma", xdist=True)
        size = self.size.create_variable("event_effect_size", xdist=True)
        peak = size / (sigma * np.sqrt(2.0 * np.pi))
        effect = (mmm.model["event_shares"] * peak).sum(dim="event")
        return pmd.Deterministic(f"{self.prefix}_effect_contribution", effect)

    def set_data(self, mmm: Any, model: Any, X: Any) -> None:
        """The shares at other dates."""
        pm.set_data({"event_shares": self._shares(model)}, model=model)

    def _shares(self, model: Any) -> Floats:
        days = np.asarray(model.coords["date"], dtype="datetime64[D]")
        return self.shares(Calendar(days, self.period))


class CalendarEffect(MuEffect):  # type: ignore[misc]  # pymc-marketing has no types
    """Coefficients times regressors that the dates give.

    Attributes:
        prefix: Name of the term.
        period: What a row is.
        regressors: Regressors of dates, shape (date, coefficient).
        priors: Prior of each variable by name; the variables, one behind another, are the coefficients.
        columns: Which regressors each variable multiplies, by name.
    """

    prefix: str
    period: Period
    regressors: Callable[[Calendar], Floats]
    priors: dict[str, Any]
    columns: dict[str, list[int]]

    def create_data(self, mmm: Any) -> None:
        """The regressors of the model's dates."""
        regressors = self._regressors(mmm.model)
        for name, columns in self.columns.items():
            prior = self.priors[name]
            if prior.dims:
                mmm.model.add_coord(prior.dims[0], range(len(columns)))
                pmd.Data(f"{name}_regressors", regressors[:, columns], dims=("date", prior.dims[0]))
            else:
                pmd.Data(f"{name}_regressors", regressors[:, columns].sum(axis=1), dims="date")

    def create_effect(self, mmm: Any) -> Any:
        """Their sum over coefficients, dims (date)."""
        parts = []
        for name, prior in self.priors.items():
            part = mmm.model[f"{name}_regressors"] * prior.create_variable(name, xdist=True)
            parts.append(part.sum(dim=prior.dims[0]) if prior.dims else part)
        return pmd.Deterministic(f"{self.prefix}_effect_contribution", sum(parts[1:], parts[0]))

    def set_data(self, mmm: Any, model: Any, X: Any) -> None:
        """The regressors of other dates."""
        regressors = self._regressors(model)
        for name, columns in self.columns.items():
            values = regressors[:, columns]
            pm.set_data(
                {f"{name}_regressors": values if self.priors[name].dims else values.sum(axis=1)}, model=model
            )

    def _regressors(self, model: Any) -> Floats:
        days = np.asarray(model.coords["date"], dtype="datetime64[D]")
        return self.regressors(Calendar(days, self.period))
