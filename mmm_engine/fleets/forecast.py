"""Forecast: the next periods under a plan for media and controls.

Here: quantiles of the target for 4 to 13 periods after the last row, and the plan they assume: a file or a frame of
planned media, or the last year's pattern.
Not here: freezing forecasts and scoring them later (ledger.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mmm_engine.cells import Rows, read_numbers
from mmm_engine.dates import read_dates
from mmm_engine.errors import DataError, Fault
from mmm_engine.periods import PERIODS_PER_YEAR, next_days
from mmm_engine.predict import QUANTILES, predict
from mmm_engine.scaling import ScaledInputs
from mmm_engine.settings import nearest
from mmm_engine.tables import Table, read_table, table_from_frame

Floats = NDArray[np.float64]

DEFAULT_HORIZON = 8
PLAN_ROWS = (4, 13)
FORECAST_COLUMNS = ["date", *QUANTILES, "mean"]


def forecast(
    posterior: xr.DataTree,
    inputs: ScaledInputs,
    *,
    horizon: int = DEFAULT_HORIZON,
    plan: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Predictive quantiles of the periods after the last row of `inputs`.

    Args:
        posterior: Fitted on all rows (`full`).
        inputs: The `full` window.
        horizon: Number of periods, 1 to 53.
        plan: Media and controls per period in original units, one column each, `horizon` rows. Every channel must be
            there; a control that is not, or everything where None, follows last year's values, and the mean of the
            last 8 rows where there is no last year.

    Returns:
        Columns date, q05, q25, q50, q75, q95, mean; original units.

    Raises:
        DataError: If the horizon or the plan does not fit.
    """
    extended = extend_inputs(inputs, horizon, plan)
    prediction = predict(posterior, extended)
    draws = prediction.draws[:, -horizon:]
    quantiles = np.quantile(draws, list(QUANTILES.values()), axis=0)
    frame = pd.DataFrame(dict(zip(QUANTILES, quantiles, strict=True)))
    frame.insert(0, "date", extended.dates[-horizon:])
    frame["mean"] = prediction.mean_draws[:, -horizon:].mean(axis=0)
    return frame[FORECAST_COLUMNS]


def extend_inputs(inputs: ScaledInputs, horizon: int, plan: pd.DataFrame | None = None) -> ScaledInputs:
    """The window with `horizon` future rows appended, whose target is NaN.

    Raises:
        DataError: If rows are held out, the horizon is not 1 to 53, or the plan lacks columns, rows or values.
    """
    _check(inputs, horizon, plan)
    dates = _future_dates(inputs, horizon)
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
    return replace(
        inputs,
        dates=pd.DatetimeIndex(inputs.dates.append(dates)),
        target_scaled=np.concatenate([inputs.target_scaled, np.full(horizon, np.nan)]),
        media_scaled=np.vstack([inputs.media_scaled, media]),
        controls_scaled=np.vstack([inputs.controls_scaled, controls]),
        spend=np.vstack([inputs.spend, np.full((horizon, inputs.spend.shape[1]), np.nan)]),
    )


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
    if len(plan) != horizon:
        faults.append(Fault("plan", f"{len(plan)} rows", f"{horizon} rows", "give one row per period"))
    given = [name for name in (*names, *inputs.config.control_names) if name in plan.columns]
    values = plan[given].to_numpy(float)
    if not np.isfinite(values).all():
        faults.append(Fault("plan", "missing or infinite values", "numbers", "fill them (0 is allowed)"))
    elif (plan[[name for name in names if name in plan.columns]].to_numpy(float) < 0).any():
        faults.append(Fault("plan", "negative media", "0 or more", "correct the plan"))
    if faults:
        raise DataError(who, faults)


def _future_dates(inputs: ScaledInputs, horizon: int) -> pd.DatetimeIndex:
    days = next_days(inputs.dates.to_numpy().astype("datetime64[D]"), inputs.period, horizon)
    return pd.DatetimeIndex(days.astype("datetime64[ns]"), name=inputs.dates.name)


def _planned(
    inputs: ScaledInputs,
    rows: Floats,
    names: tuple[str, ...],
    scales: Floats,
    horizon: int,
    plan: pd.DataFrame | None,
) -> Floats:
    """Scaled values of the future rows: the plan's, else those one year before, else the recent mean."""
    year = PERIODS_PER_YEAR[inputs.period]
    if len(rows) >= year:
        values = rows[len(rows) - year + np.arange(horizon) % year]
    else:
        values = np.tile(rows[-8:].mean(axis=0), (horizon, 1))
    for position, name in enumerate(names):
        if plan is not None and name in plan.columns:
            values[:, position] = plan[name].to_numpy(float) / scales[position]
    return np.asarray(values, dtype=float)


def read_plan(source: Path | pd.DataFrame, inputs: ScaledInputs) -> pd.DataFrame:
    """Planned media and controls of the next periods, checked, one row per period.

    Args:
        source: A CSV or Parquet file, or a frame: date, every channel, and the controls that are known; original units.
        inputs: The `full` window that the plan goes on from.

    Returns:
        The planned columns, in order of date; their number of rows is the horizon.

    Raises:
        DataError: With every fault: unknown columns, cells that are no numbers, dates that are not those of the next
            4 to 13 periods.
    """
    config = inputs.config
    wanted = {config.date, "date", *config.channel_names, *config.control_names}
    who = f"client '{config.client}', plan" + (f" {source.name}" if isinstance(source, Path) else "")
    if isinstance(source, Path):
        table, faults = read_table(source, wanted)
        if table is None or faults:
            raise DataError(who, faults)
    else:
        table = table_from_frame(source)
    faults = list(_header_faults(table, wanted, config.channel_names))
    dated = config.date if config.date in table.header else "date"
    if dated not in table.header:
        faults.append(Fault(f"column '{config.date}'", "no such column", "the dates of the plan", "add it"))
    if faults:
        raise DataError(who, faults)
    days, faults, _ = read_dates(table.columns[dated], dated, table.rows)
    columns = {}
    rows = Rows(table.rows, days)
    for name in (*config.channel_names, *config.control_names):
        if name in table.columns:
            columns[name], cell_faults = read_numbers(table.columns[name], name, rows)
            faults += cell_faults
    if not faults:
        faults = list(_calendar_faults(dated, days, inputs))
    if faults:
        raise DataError(who, faults)
    return pd.DataFrame(columns).iloc[np.argsort(days)].reset_index(drop=True)


def _header_faults(table: Table, wanted: set[str], channels: tuple[str, ...]) -> Iterator[Fault]:
    for name in channels:
        if name not in table.header:
            fix = nearest(name, table.header) or "add the column (0 is allowed)"
            yield Fault(f"column '{name}'", "no such column", "one column per channel", fix)
    for name in sorted(set(table.header) - wanted):
        near = nearest(name, wanted)
        if near:  # a misspelt control would be replaced by last year's pattern in silence
            yield Fault(
                f"column '{name}'", "a column that the model does not know", "a channel or control", near
            )


def _calendar_faults(column: str, days: NDArray[np.datetime64], inputs: ScaledInputs) -> Iterator[Fault]:
    low, high = PLAN_ROWS
    if not low <= len(days) <= high:
        yield Fault("plan", f"{len(days)} rows", f"{low} to {high} rows", "plan so many periods")
        return
    expected = next_days(inputs.dates.to_numpy().astype("datetime64[D]"), inputs.period, len(days))
    if not np.array_equal(np.sort(days), expected):
        first = np.sort(days)[np.sort(days) != expected][0]
        wanted = (
            f"one row a {inputs.period} from {expected[0]} to {expected[-1]}, after the last row of the data"
        )
        yield Fault(f"column '{column}'", f"{first}", wanted, "correct the dates of the plan")
