"""The forecast ledger: what was forecast, frozen when it was made, and what happened.

Here: rows of the ledger as frames: freezing a forecast, filling in what happened, judging each row, and all rows of
one horizon or one vintage together.
Not here: where the ledger is kept (store.py), how forecasts are made (results/forecast.py).

A vintage is one forecast of one client: its cutoff and the version of the data it was made from. The first
forecast of a vintage stays; making it again changes nothing. What happened is filled in when it is known and
follows the data when a period is restated: the forecast is frozen, it is held to the best known truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from mmm_engine.history.tables import FORECAST_LEDGER, QUANTILE_WEIGHTS, Table, quantile_level, utc_naive

FORECAST_COLUMNS = ("date", "q05", "q25", "q50", "q75", "q95", "mean")
"""Columns of a forecast frame: quantiles and mean of the target, original units, one row per period ahead."""


def vintage(
    client: str,
    forecast: pd.DataFrame,
    *,
    cutoff: pd.Timestamp,
    issued_at: datetime,
    run_id: str,
    data_version: str,
) -> pd.DataFrame:
    """Ledger rows of one forecast, one per period ahead, not yet scored.

    Args:
        client: Id of the client.
        forecast: Columns ``FORECAST_COLUMNS``, every period after the cutoff once, original units.
        cutoff: Last training date.
        issued_at: When the forecast was made; without a zone it is taken as UTC.
        run_id: The run that made it.
        data_version: Version of the data it was made from.

    Raises:
        ValueError: If a column is missing, a date does not lie after the cutoff or comes twice, a number is
            missing, or the quantiles cross.
    """
    _check_forecast(forecast, cutoff)
    rows = forecast.loc[:, list(FORECAST_COLUMNS)].sort_values("date", ignore_index=True)
    rows = rows.assign(
        client=client,
        issued_at=utc_naive(issued_at),
        cutoff=cutoff,
        horizon=np.arange(1, len(rows) + 1),
        actual=np.nan,
        scored_at=np.datetime64("NaT", "us"),
        run_id=run_id,
        data_version=data_version,
    )
    return rows[list(FORECAST_LEDGER.columns)]


def freeze(ledger: pd.DataFrame, rows: pd.DataFrame, table: Table = FORECAST_LEDGER) -> pd.DataFrame:
    """The ledger with the rows whose key it does not hold yet; rows that it holds stay as they are."""
    frozen = pd.MultiIndex.from_frame(ledger[list(table.key)])
    new = rows[~pd.MultiIndex.from_frame(rows[list(table.key)]).isin(frozen)]
    if new.empty or ledger.empty:
        return ledger if new.empty else new.reset_index(drop=True)
    return pd.concat([ledger, new], ignore_index=True)


def score(ledger: pd.DataFrame, actuals: pd.Series, scored_at: datetime) -> pd.DataFrame:
    """The ledger with what happened filled in where it is known now.

    Args:
        ledger: Rows of one client.
        actuals: Observed target by date, original units; NaN is not known.
        scored_at: Now; written where the actual is new or has changed.
    """
    observed = actuals.set_axis(pd.DatetimeIndex(actuals.index)).dropna().astype(np.float64)
    actual = observed.reindex(pd.DatetimeIndex(ledger["date"])).to_numpy()
    changed = ~np.isnan(actual) & (actual != ledger["actual"].to_numpy())
    return ledger.assign(
        actual=ledger["actual"].mask(changed, actual),
        scored_at=ledger["scored_at"].mask(changed, pd.Timestamp(utc_naive(scored_at))),
    )


def judge(ledger: pd.DataFrame) -> pd.DataFrame:
    """The ledger with four more columns that say how each forecast turned out.

    Returns:
        ``inside_50`` and ``inside_90`` (whether the actual lies in the interval; missing before it is known),
        ``error`` (mean less actual; > 0 means too high) and ``crps`` in units of the target: twice the
        quantile loss, averaged with ``QUANTILE_WEIGHTS``. With five quantiles that is 3% below the CRPS of a
        calibrated normal forecast, 1% below when the actual is 3 to 5 sd off.

    Reference: Gneiting & Raftery (2007), doi:10.1198/016214506000001437 (CRPS from quantile losses).
    """
    actual = ledger["actual"]
    has_come = actual.notna()
    return ledger.assign(
        inside_50=actual.between(ledger["q25"], ledger["q75"]).astype("boolean").where(has_come),
        inside_90=actual.between(ledger["q05"], ledger["q95"]).astype("boolean").where(has_come),
        error=ledger["mean"] - actual,
        crps=sum(
            2 * weight * _quantile_loss(actual - ledger[name], quantile_level(name))
            for name, weight in QUANTILE_WEIGHTS.items()
        ),
    )


VINTAGE = ("client", "cutoff", "data_version")
HORIZON = ("client", "horizon")


def accuracy(judged: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """How forecasts turned out together, for those whose periods have come.

    Args:
        judged: Output of ``judge``.
        by: What is taken together: ``HORIZON`` or ``VINTAGE``.

    Returns:
        The columns of ``by`` with forecasts (how many), coverage_50 and coverage_90 (shares), bias and wape (shares of
        what happened) and crps (units of the target); no row where nothing has come yet. The same numbers as the view
        ``forecast_accuracy`` has by horizon.
    """
    scored = judged.dropna(subset="actual")
    groups = scored.assign(size=scored["actual"].abs(), miss=scored["error"].abs()).groupby(
        list(by), sort=True
    )
    total, mean = (
        groups[["error", "miss", "size", "actual"]].sum(),
        groups[["inside_50", "inside_90", "crps"]].mean(),
    )
    return pd.DataFrame(
        {
            "forecasts": groups.size(),
            "coverage_50": mean["inside_50"].astype(float),
            "coverage_90": mean["inside_90"].astype(float),
            "bias": total["error"] / total["actual"],
            "wape": total["miss"] / total["size"],
            "crps": mean["crps"],
        }
    ).reset_index()


def _quantile_loss(excess: pd.Series, level: float) -> pd.Series:
    """Loss of a quantile that the actual exceeds by ``excess``, in its unit."""
    return pd.Series(np.maximum(level * excess, (level - 1) * excess), index=excess.index)


def _check_forecast(forecast: pd.DataFrame, cutoff: pd.Timestamp) -> None:
    """Refuse what would be frozen wrong for ever."""
    missing = [name for name in FORECAST_COLUMNS if name not in forecast.columns]
    if missing:
        raise ValueError(f"forecast lacks the columns {missing}")
    dates = forecast["date"]
    if dates.duplicated().any() or not (dates > cutoff).all():
        raise ValueError(f"forecast dates must be different and after the cutoff {cutoff:%Y-%m-%d}")
    numbers = forecast.loc[:, list(FORECAST_COLUMNS[1:])].to_numpy(dtype=np.float64)
    if np.isnan(numbers).any():
        raise ValueError("a forecast number is missing")
    if np.any(np.diff(numbers[:, :-1], axis=1) < 0):
        raise ValueError("forecast quantiles cross: wanted q05 <= q25 <= q50 <= q75 <= q95")
