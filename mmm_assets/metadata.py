"""What the UI shows about a stored value: numbers that plot, small tables.

Here: engine frames as Dagster metadata.
Not here: computing any score (mmm_engine).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import dagster as dg

from mmm_assets.types import DataFrame, Verdict

TABLE_ROWS = 40  # metadata lives in the event log: a table is a glance, the file holds the rest

SCORE_COLUMNS = {
    "split": "string",
    "channel": "string",
    "metric": "string",
    "value": "float",
    "unit": "string",
}
RETURNS_COLUMNS = {
    "channel": "string",
    "metric": "string",
    **dict.fromkeys(("mean", "q05", "q25", "q50", "q75", "q95"), "float"),
    "unit": "string",
}
CURVE_COLUMNS = {
    "channel": "string",
    **dict.fromkeys(("spend", "mean", "q05", "q50", "q95"), "float"),
    "unit": "string",
    "extrapolated": "bool",
    "current": "bool",
}
FORECAST_COLUMNS = {
    "date": "timestamp",
    **dict.fromkeys(("q05", "q25", "q50", "q75", "q95", "mean"), "float"),
}
PREDICTION_COLUMNS = {
    "date": "timestamp",
    "split": "string",
    **dict.fromkeys(("actual", "mean", "q05", "q25", "q50", "q75", "q95"), "float"),
}
DECOMPOSITION_COLUMNS = {
    "date": "timestamp",
    "component": "string",
    "kind": "string",
    **dict.fromkeys(("mean", "q05", "q95"), "float"),
}
PARAMETER_COLUMNS = {
    "parameter": "string",
    **dict.fromkeys(("mean", "sd", "q05", "q50", "q95", "rhat", "ess_bulk", "ess_tail"), "float"),
}
MULTIPLIER_COLUMNS = {"date": "timestamp", **dict.fromkeys(("mean", "q05", "q95"), "float")}


def column_schema(columns: Mapping[str, str]) -> dict[str, Any]:
    """Metadata that shows the columns of an asset in the catalogue."""
    schema = dg.TableSchema(columns=[dg.TableColumn(name, kind) for name, kind in columns.items()])
    return {"dagster/column_schema": schema}


def score_numbers(scores: DataFrame) -> dict[str, float]:
    """Whole-client scores as flat numbers with stable names: ``test_mape``, ``train_crps``, ``rhat_max``.

    Numbers that are not defined are left out: a plot has a gap there.
    """
    whole = scores[scores["channel"] == "all"]
    rows = zip(whole["split"], whole["metric"], whole["value"], strict=True)
    named = {
        (metric if split == "all" else f"{split}_{metric}"): float(value) for split, metric, value in rows
    }
    return {name: value for name, value in named.items() if math.isfinite(value)}


def table(frame: DataFrame) -> dg.TableMetadataValue:
    """The first rows of a frame as a table; numbers to four digits."""
    records = [
        dg.TableRecord({str(name): _cell(value) for name, value in row.items()})
        for row in frame.head(TABLE_ROWS).to_dict("records")
    ]
    columns = [dg.TableColumn(str(name), "string") for name in frame.columns]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))


def verdict_numbers(verdict: Verdict) -> dict[str, Any]:
    """The numbers of a verdict, its reason and its window."""
    numbers: dict[str, Any] = {
        name: float(value) for name, value in verdict.numbers.items() if math.isfinite(value)
    }
    numbers["reason"] = verdict.reason
    if verdict.window is not None:
        numbers["window"] = verdict.window
    return numbers


def _cell(value: object) -> str | float | int | bool | None:
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return str(value)
