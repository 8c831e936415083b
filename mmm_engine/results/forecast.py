"""Forecast: the next periods under a plan for media and controls.

Here: quantiles of the target for the periods after the last row; last year's pattern where nothing is planned.
Not here: reading a plan (rows/plan.py), freezing forecasts and scoring them later (history/ledger.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.errors import DataError, Fault
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.predictive import predict
from mmm_engine.results.quantiles import QUANTILES, quantile_columns
from mmm_engine.rows.window import ScaledInputs

DEFAULT_HORIZON = 8
_RECENT_WEEKS = 4
FORECAST_COLUMNS = ["date", *QUANTILES, "mean"]


def forecast(
    window: FittedWindow,
    *,
    horizon: int = DEFAULT_HORIZON,
    plan: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Predictive quantiles of the periods after the last row of a window.

    Args:
        window: Fitted on all rows (`full`).
        horizon: Number of periods, 1 to 53.
        plan: Media and controls of the first periods in original units, one column each, at most `horizon` rows. Every
            channel must be there; a control that is not, periods after the plan, or everything where None, follow
            last year's values (days those of the same day of the week). Where there is no last year they follow the
            mean of the last 8 rows, days that of the same day of the week in the last 4 weeks.

    Returns:
        Columns date, q05, q25, q50, q75, q95, mean; original units. What is assumed of media stands under
        `frame.attrs["media"]` (`media_assumed`).

    Raises:
        DataError: If the horizon or the plan does not fit.
    """
    extended = extend_inputs(window.inputs, horizon, plan)
    prediction = predict(window.on_rows(extended))
    frame = pd.DataFrame(quantile_columns(prediction.draws[:, -horizon:]))
    frame.insert(0, "date", extended.dates[-horizon:])
    frame["mean"] = prediction.mean_draws[:, -horizon:].mean(axis=0)
    frame = frame[FORECAST_COLUMNS]
    frame.attrs["media"] = media_assumed(window.inputs, extended, 0 if plan is None else len(plan))
    return frame


def media_assumed(inputs: ScaledInputs, extended: ScaledInputs, planned: int) -> dict[str, Any]:
    """Where the media of future rows come from, and where they go beyond anything seen.

    Args:
        inputs: The window without the future rows.
        extended: The window with them.
        planned: Future rows that follow a plan.

    Returns:
        planned; otherwise ("last_year" or "recent": what rows after the plan follow); beyond (channel to its largest
        future media over the largest seen, where that is above 1); beyond_rows (numbers of those future rows).
    """
    seen = inputs.media_scaled.max(axis=0)
    future = extended.media_scaled[len(inputs.media_scaled) :]
    above = future > seen * (1.0 + 1e-9)
    factors = {
        name: float(future[:, place].max() / seen[place])
        for place, name in enumerate(inputs.config.channel_names)
        if above[:, place].any() and seen[place] > 0
    }
    return {
        "planned": planned,
        "otherwise": "last_year" if _has_last_year(inputs) else "recent",
        "beyond": factors,
        "beyond_rows": [int(row) for row in np.flatnonzero(above.any(axis=1))],
    }


def extend_inputs(inputs: ScaledInputs, horizon: int, plan: pd.DataFrame | None = None) -> ScaledInputs:
    """The window with `horizon` future rows appended, whose target is NaN.

    Raises:
        DataError: If rows are held out, the horizon is not 1 to 53, or the plan lacks columns, rows or values.
    """
    _check(inputs, horizon, plan)
    media = _planned(
        inputs, inputs.media_scaled, inputs.config.channel_names, inputs.scales.media_array(), horizon, plan
    )
    controls = _planned(
        inputs,
        inputs.controls_scaled,
        inputs.config.control_names,
        inputs.scales.control_array(),
        horizon,
        plan,
    )
    return inputs.extended(media, controls)


def _check(inputs: ScaledInputs, horizon: int, plan: pd.DataFrame | None) -> None:
    who = f"client '{inputs.config.client}', forecast"
    if inputs.horizon:
        raise DataError(
            who, Fault("window", f"'{inputs.window}'", "a window without held-out rows", "use 'full'")
        )
    if not 1 <= horizon <= 53:
        raise DataError(
            who, Fault("horizon", str(horizon), "1 to 53 periods", "choose a horizon in that range")
        )
    if plan is None:
        return
    names = list(inputs.config.channel_names)
    missing = [name for name in names if name not in plan.columns]
    faults = [
        Fault(f"column '{name}'", "no such column in the plan", "one column per channel", "add it")
        for name in missing
    ]
    if len(plan) > horizon:
        found, wanted = f"{len(plan)} rows", f"at most {horizon}, one per period"
        faults.append(Fault("plan", found, wanted, "forecast more periods or plan fewer"))
    given = [name for name in (*names, *inputs.config.control_names) if name in plan.columns]
    values = plan[given].to_numpy(float)
    if not np.isfinite(values).all():
        faults.append(Fault("plan", "missing or infinite values", "numbers", "fill them (0 is allowed)"))
    elif (plan[[name for name in names if name in plan.columns]].to_numpy(float) < 0).any():
        faults.append(Fault("plan", "negative media", "0 or more", "correct the plan"))
    if faults:
        raise DataError(who, faults)


def _has_last_year(inputs: ScaledInputs) -> bool:
    """Whether there are rows a year before the next ones, which these can follow."""
    return len(inputs.calendar) >= inputs.calendar.year_back


def _planned(
    inputs: ScaledInputs,
    rows: Floats,
    names: tuple[str, ...],
    scales: Floats,
    horizon: int,
    plan: pd.DataFrame | None,
) -> Floats:
    """Scaled values of the future rows: the plan's, else those one year before, else the recent ones."""
    year, week = inputs.calendar.year_back, 7
    if _has_last_year(inputs):
        values = rows[len(rows) - year + np.arange(horizon) % year]
    elif inputs.period == "day" and len(rows) >= week:
        weeks = min(len(rows) // week, _RECENT_WEEKS)
        recent = rows[len(rows) - week * weeks :].reshape(weeks, week, -1).mean(axis=0)
        values = recent[np.arange(horizon) % week]
    else:
        values = np.tile(rows[-8:].mean(axis=0), (horizon, 1))
    for position, name in enumerate(names):
        if plan is not None and name in plan.columns:
            values[: len(plan), position] = plan[name].to_numpy(float) / scales[position]
    return np.asarray(values, dtype=float)
