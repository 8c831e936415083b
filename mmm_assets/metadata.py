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

TABLE_ROWS = 10  # metadata lives in the event log: a table is a glance, the file holds the rest

# Column to its type and meaning, as the catalogue shows them.
_QUANTILES = {f"q{level:02d}": ("float", f"{level}% quantile over draws") for level in (5, 25, 50, 75, 95)}
_SPREAD = {name: _QUANTILES[name] for name in ("q05", "q95")}
_MEAN = {"mean": ("float", "mean over draws")}
_DATE = {"date": ("timestamp", "first day of the period")}
_SPLIT = {"split": ("string", "train, test, or all for what belongs to the fit as a whole")}
_CHANNEL = {"channel": ("string", "media column, or all")}

SCORE_COLUMNS = {
    **_SPLIT,
    **_CHANNEL,
    "metric": ("string", "name of the score"),
    "value": ("float", "NaN where it is not defined"),
    "unit": ("string", "fraction, target, count, score or seconds"),
}
RETURNS_COLUMNS = {
    **_CHANNEL,
    "metric": ("string", "contribution, share, roas, mroas or cpa"),
    **_MEAN,
    **_QUANTILES,
    "unit": ("string", "what the numbers count"),
}
PERIOD_RETURNS_COLUMNS = {
    "span": ("string", "all rows, the last year or the last quarter"),
    "rows": ("int", "how many rows that is"),
    "spend": ("float", "money of the span; media where a channel has no cost"),
    **RETURNS_COLUMNS,
}
CURVE_COLUMNS = {
    **_CHANNEL,
    "spend": ("float", "steady spend per period, original units"),
    **_MEAN,
    **{name: _QUANTILES[name] for name in ("q05", "q50", "q95")},
    "unit": ("string", "what the response counts"),
    "extrapolated": ("bool", "beyond the largest spend seen in training"),
    "current": ("bool", "mean spend of the last rows, as many as count as today"),
}
FORECAST_COLUMNS = {**_DATE, **_QUANTILES, **_MEAN}
PREDICTION_COLUMNS = {
    **_DATE,
    **_SPLIT,
    "actual": ("float", "observed target"),
    **_MEAN,
    **_QUANTILES,
    "pit": ("float", "share of draws below the observed target"),
}
DECOMPOSITION_COLUMNS = {
    **_DATE,
    "component": ("string", "baseline, trend, seasonality, a channel, a control or an event"),
    "kind": ("string", "baseline, trend, seasonality, channel, control or event"),
    **_MEAN,
    **_SPREAD,
}
PARAMETER_COLUMNS = {
    "parameter": ("string", "name, with its channel or control in brackets; model space"),
    **_MEAN,
    "sd": ("float", "standard deviation over draws"),
    **{name: _QUANTILES[name] for name in ("q05", "q50", "q95")},
    "rhat": ("float", "rank-normalised split R-hat"),
    "ess_bulk": ("float", "effective sample size of the bulk"),
    "ess_tail": ("float", "effective sample size of the tails"),
    "prior_q01": ("float", "1% quantile of its prior"),
    "prior_q99": ("float", "99% quantile of its prior"),
    "prior_mean": ("float", "mean of the prior"),
    "prior_sd": ("float", "standard deviation of the prior"),
    "prior_q05": ("float", "5% quantile of the prior"),
    "prior_q95": ("float", "95% quantile of the prior"),
}
ADSTOCK_COLUMNS = {
    **_CHANNEL,
    "lag": ("int", "periods after the media, 0 is the same period"),
    "mean": ("float", "share of the effect that falls on the lag"),
    **_SPREAD,
}
CHAIN_COLUMNS = {
    "view": ("string", "rank, energy, transition or draw"),
    "parameter": ("string", "name, with its channel or control in brackets; model space"),
    "chain": ("int", "number of the chain, -1 for all"),
    "position": ("float", "bin, energy or number of the draw"),
    "value": ("float", "relative frequency, density or value of the draw"),
    "diverging": ("bool", "whether the draw ended a divergent trajectory"),
}
DIFF_COLUMNS = {
    **_CHANNEL,
    "metric": ("string", "roas, cpa or share"),
    "step": ("string", "what changed"),
    "change": ("float", "part of the move that this brought; parts sum to after - before"),
    "noise": ("float", "standard deviation of the part between seeds"),
    "before": ("float", "value of the last published refresh"),
    "after": ("float", "value of this refresh"),
}
MULTIPLIER_COLUMNS = {**_DATE, **_MEAN, **_SPREAD}

Columns = Mapping[str, tuple[str, str]]


def column_schema(columns: Columns) -> dict[str, Any]:
    """Metadata that shows the columns of an asset in the catalogue."""
    listed = [dg.TableColumn(name, kind, description=meaning) for name, (kind, meaning) in columns.items()]
    return {"dagster/column_schema": dg.TableSchema(columns=listed)}


def score_numbers(scores: DataFrame) -> dict[str, float]:
    """Whole-client scores as flat numbers with stable names: ``test_mape``, ``train_crps``, ``rhat_max``.

    Numbers that are not defined are left out: a plot has a gap there.
    """
    whole = scores[scores["channel"] == "all"]
    rows = zip(whole["split"], whole["metric"], whole["value"], strict=True)
    named = {
        (metric if split == "all" else f"{split}_{metric}"): float(value) for split, metric, value in rows
    }
    return {name: _short(value) for name, value in named.items() if math.isfinite(value)}


def table(frame: DataFrame) -> dg.TableMetadataValue:
    """The first rows of a frame as a table; numbers to six digits."""
    records = [
        dg.TableRecord({str(name): _cell(value) for name, value in row.items()})
        for row in frame.head(TABLE_ROWS).to_dict("records")
    ]
    columns = [dg.TableColumn(str(name), "string") for name in frame.columns]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))


def verdict_numbers(verdict: Verdict) -> dict[str, Any]:
    """The numbers of a verdict, how it came out, and its window; its reason is the evaluation's description."""
    numbers: dict[str, Any] = {
        name: _short(value) for name, value in verdict.numbers.items() if math.isfinite(value)
    }
    numbers |= {"outcome": verdict.outcome, **_advice(verdict)}
    if verdict.window is not None:
        numbers["window"] = verdict.window.name
    return numbers


def _advice(verdict: Verdict) -> dict[str, str]:
    """What a failure means and what to do; nothing for what did not fail."""
    from mmm_engine.scores.advice import advice_on

    advice = advice_on(verdict.check) if verdict.failed else None
    return {"what_it_means": advice.meaning, "what_to_do": advice.remedy} if advice else {}


def _cell(value: object) -> str | float | int | bool | None:
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return _short(value) if math.isfinite(value) else None
    return str(value)


def _short(value: float) -> float:
    """The number to six digits: enough for a plot, readable in a table."""
    return float(f"{value:.6g}")
