"""The tables of the history: their columns, keys and fact files, and the views that a BI tool reads.

Here: what a row of ``metric_history``, ``forecast_ledger`` and ``advice_ledger`` is, in SQL and in Arrow, and the
views on them.
Not here: files, locks and connections (files.py), what is written when (store.py).

Times are UTC without a zone, dates are dates. A score that is not defined is NaN in the tables, as everywhere
in the engine. The views turn it into NULL: DuckDB ranks NaN above every number, so ``value > 0.2`` would
catch it.

The tables have no PRIMARY KEY, although rows have a key: a write replaces all rows of its fact file (one run, one
client's ledger) in one transaction, which makes keys unique without an index. For 3 million rows the index is
800 of 840 MB, and a write takes 100 ms with it and 40 ms without.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Table:
    """One table, and the Parquet files that it is made from.

    Attributes:
        name: Name in DuckDB, and of the folder of its fact files beside the database.
        columns: SQL type by column, one of ``ARROW_TYPES``.
        key: Columns that make a row one row.
        owner: Columns, all alike in one fact file, that say which file a row lives in.
        nullable: Columns that are empty until something happens.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    owner: tuple[str, ...]
    nullable: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the table and of its fact files."""
        return pa.schema([(name, ARROW_TYPES[sql]) for name, sql in self.columns.items()])

    @property
    def create_sql(self) -> str:
        """Statement that makes the table."""
        columns = [
            f'"{name}" {sql}{"" if name in self.nullable else " NOT NULL"}'
            for name, sql in self.columns.items()
        ]
        return f'CREATE TABLE "{self.name}" ({", ".join(columns)})'

    def delete_sql(self, source: str) -> str:
        """Statement that takes out every row whose fact file is also that of a row in the relation ``source``."""
        owner = _names(self.owner)
        return f'DELETE FROM "{self.name}" WHERE ({owner}) IN (SELECT DISTINCT {owner} FROM {source})'  # noqa: S608

    def insert_sql(self, source: str) -> str:
        """Statement that writes all rows of the relation ``source``."""
        names = _names(tuple(self.columns))
        return f'INSERT INTO "{self.name}" ({names}) SELECT {names} FROM {source}'  # noqa: S608

    def fact_file(self, home: Path, owner: Sequence[str]) -> Path:
        """Where the rows of one owner are kept, for instance ``metric_history/<client>/<run_id>.parquet``."""
        return home.joinpath(self.name, *owner[:-1], f"{owner[-1]}.parquet")

    def fact_files(self, home: Path, client: str = "*") -> list[Path]:
        """All fact files of the table, or only a client's, in the order of their names."""
        owner = [client, *["*"] * (len(self.owner) - 1)]
        return sorted(home.glob("/".join([self.name, *owner[:-1], f"{owner[-1]}.parquet"])))

    def owner_of(self, file: Path) -> tuple[str, ...]:
        """Owner of a fact file: the reverse of ``fact_file``."""
        folders = file.parts[-len(self.owner) : -1]
        return (*folders, file.stem)

    def to_arrow(self, frame: pd.DataFrame) -> pa.Table:
        """The rows of a frame in the types of this table; NaN stays NaN but in nullable columns, where it is NULL.

        Raises:
            ValueError: If a column is missing, unknown or empty where it may not be, or a key comes twice.
        """
        self._check(frame)
        arrays = [
            _array(frame[name], sql, nullable=name in self.nullable) for name, sql in self.columns.items()
        ]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def to_frame(self, table: pa.Table) -> pd.DataFrame:
        """The rows of an Arrow table as a frame, dates and times as datetime64."""
        frame: pd.DataFrame = table.select(list(self.columns)).to_pandas(date_as_object=False)
        return frame

    def _check(self, frame: pd.DataFrame) -> None:
        missing = [name for name in self.columns if name not in frame.columns]
        unknown = [str(name) for name in frame.columns if name not in self.columns]
        if missing or unknown:
            raise ValueError(f"rows for {self.name}: columns missing {missing}, not known {unknown}")
        needed = [n for n, sql in self.columns.items() if sql != "DOUBLE" and n not in self.nullable]
        empty = [name for name in needed if frame[name].isna().any()]
        if empty:
            raise ValueError(f"rows for {self.name}: no value in a row of {empty}")
        twice = frame[frame.duplicated(list(self.key))]
        if len(twice):
            raise ValueError(f"rows for {self.name}: key comes twice: {tuple(twice.iloc[0][list(self.key)])}")


METRIC_HISTORY = Table(
    name="metric_history",
    columns={
        "client": "VARCHAR",
        "window": "VARCHAR",
        "split": "VARCHAR",
        "channel": "VARCHAR",
        "metric": "VARCHAR",
        "value": "DOUBLE",
        "unit": "VARCHAR",
        "cutoff": "DATE",
        "horizon": "BIGINT",
        "data_version": "VARCHAR",
        "config_version": "VARCHAR",
        "engine_version": "VARCHAR",
        "run_id": "VARCHAR",
        "recorded_at": "TIMESTAMP",
    },
    key=("client", "window", "split", "channel", "metric", "run_id"),
    owner=("client", "run_id"),
)

FORECAST_LEDGER = Table(
    name="forecast_ledger",
    columns={
        "client": "VARCHAR",
        "issued_at": "TIMESTAMP",
        "cutoff": "DATE",
        "date": "DATE",
        "horizon": "BIGINT",
        "q05": "DOUBLE",
        "q25": "DOUBLE",
        "q50": "DOUBLE",
        "q75": "DOUBLE",
        "q95": "DOUBLE",
        "mean": "DOUBLE",
        "actual": "DOUBLE",
        "scored_at": "TIMESTAMP",
        "run_id": "VARCHAR",
        "data_version": "VARCHAR",
    },
    key=("client", "cutoff", "data_version", "date"),
    owner=("client",),
    nullable=("actual", "scored_at"),
)

ALL_CHANNELS = "all"
"""Channel of the row of an advice ledger that stands for all of them together."""

ADVICE_LEDGER = Table(
    name="advice_ledger",
    columns={
        "client": "VARCHAR",
        "issued_at": "TIMESTAMP",
        "cutoff": "DATE",
        "first_date": "DATE",
        "last_date": "DATE",
        "channel": "VARCHAR",
        "advice": "VARCHAR",
        "today": "DOUBLE",
        "advised": "DOUBLE",
        "marginal": "DOUBLE",
        "expected": "DOUBLE",
        "q05": "DOUBLE",
        "q95": "DOUBLE",
        "spent": "DOUBLE",
        "delivery": "DOUBLE",
        "happened": "DOUBLE",
        "rest": "DOUBLE",
        "pit": "DOUBLE",
        "scored_at": "TIMESTAMP",
        "run_id": "VARCHAR",
        "data_version": "VARCHAR",
        "request_version": "VARCHAR",
    },
    key=("client", "cutoff", "data_version", "request_version", "channel"),
    owner=("client",),
    nullable=("spent", "delivery", "happened", "rest", "pit", "scored_at"),
)

TABLES = (METRIC_HISTORY, FORECAST_LEDGER, ADVICE_LEDGER)

QUANTILE_WEIGHTS: Mapping[str, float] = {"q05": 0.15, "q25": 0.225, "q50": 0.25, "q75": 0.225, "q95": 0.15}
"""Share of all quantile levels that lie nearest to each stored one: its weight in an approximate CRPS."""


def quantile_level(column: str) -> float:
    """Level of a quantile column.

    >>> quantile_level("q05")
    0.05
    """
    return int(column[1:]) / 100


def utc_naive(moment: datetime) -> datetime:
    """The moment in UTC without its zone, as the tables store it; a moment without a zone is taken as UTC.

    >>> from datetime import timedelta, timezone
    >>> utc_naive(datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2))))
    datetime.datetime(2026, 3, 1, 10, 0)
    """
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def definitions() -> list[str]:
    """Statements that make all tables and views in an empty database, in order."""
    tables = [table.create_sql for table in TABLES]
    return [*tables, _LATEST_METRICS, _METRIC_TREND, _OPEN_ALARMS, _forecast_accuracy(), _ADVICE_OUTCOMES]


def definitions_version() -> str:
    """Hash of ``definitions``: a database made with others is made again from the facts."""
    return hashlib.sha256("\n".join(definitions()).encode()).hexdigest()[:12]


def _array(column: pd.Series, sql: str, *, nullable: bool) -> pa.Array:
    """A column in the Arrow type of a SQL type."""
    if sql == "DOUBLE":
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return pa.array(numbers, pa.float64(), from_pandas=nullable)
    if sql == "BIGINT":
        return pa.array(column.to_numpy(dtype=np.int64), pa.int64())
    if sql == "VARCHAR":
        return pa.array([str(text) for text in column], pa.string())
    times = pd.to_datetime(column)
    times = (times.dt.tz_convert(None) if times.dt.tz else times).astype("datetime64[us]")
    return pa.array(times, pa.timestamp("us"), from_pandas=True).cast(ARROW_TYPES[sql], safe=sql != "DATE")


def _names(columns: tuple[str, ...]) -> str:
    """Quoted column names, comma-separated (``window`` is a word of SQL)."""
    return ", ".join(f'"{name}"' for name in columns)


# The latest run is looked up per metric: a channel that a client dropped disappears with the run that dropped
# it, and a fleet that runs less often than the others keeps its last scores.
# Aggregate and join: on 46 million rows 5 s for all clients together, where a window function takes minutes.
_LATEST_METRICS = """
CREATE VIEW latest_metrics AS
WITH latest AS (
    SELECT client, "window", split, metric, max({'at': recorded_at, 'run_id': run_id}).run_id AS run_id
    FROM metric_history
    GROUP BY ALL)
SELECT history.* REPLACE (CASE WHEN isnan(value) THEN NULL ELSE value END AS value)
FROM metric_history AS history
JOIN latest USING (client, "window", split, metric, run_id)
"""

_METRIC_TREND = """
CREATE VIEW metric_trend AS
WITH defined AS (
    SELECT * REPLACE (CASE WHEN isnan(value) THEN NULL ELSE value END AS value) FROM metric_history)
SELECT *,
    row_number() OVER series AS refresh,
    lag(value) OVER series AS previous_value,
    value - lag(value) OVER series AS change,
    avg(value) OVER (series ROWS BETWEEN 12 PRECEDING AND 1 PRECEDING) AS mean_before,
    stddev_samp(value) OVER (series ROWS BETWEEN 12 PRECEDING AND 1 PRECEDING) AS sd_before
FROM defined
WINDOW series AS (
    PARTITION BY client, "window", split, channel, metric ORDER BY recorded_at, run_id)
"""


# A drift score (scores/drift.py) is the statistic over its limit: 1 and above is an alarm.
_OPEN_ALARMS = """
CREATE VIEW open_alarms AS
SELECT client, substr(metric, length('drift_') + 1) AS stream, value AS severity, recorded_at, run_id
FROM latest_metrics
WHERE starts_with(metric, 'drift_') AND value >= 1
"""


# One row for each piece of advice whose periods have come; happened = expected + delivery + rest.
_ADVICE_OUTCOMES = f"""
CREATE VIEW advice_outcomes AS
SELECT client, issued_at, cutoff, first_date, last_date, advice, advised, spent, expected, delivery, rest, happened,
    rest / nullif(happened, 0) AS rest_share,
    pit BETWEEN 0.05 AND 0.95 AS inside_90
FROM advice_ledger
WHERE channel = '{ALL_CHANNELS}' AND scored_at IS NOT NULL
"""  # noqa: S608 (a constant of this file)


def _forecast_accuracy() -> str:
    """View of how past forecasts turned out, by client and periods ahead; ``crps`` in units of the target."""
    losses = [
        f"{2 * weight} * greatest({quantile_level(name)} * (actual - {name}), "
        f"({quantile_level(name)} - 1) * (actual - {name}))"
        for name, weight in QUANTILE_WEIGHTS.items()
    ]
    return f"""
CREATE VIEW forecast_accuracy AS
SELECT client, horizon,
    count(*) AS forecasts,
    min(date) AS first_date,
    max(date) AS last_date,
    avg((actual BETWEEN q25 AND q75)::INTEGER) AS coverage_50,
    avg((actual BETWEEN q05 AND q95)::INTEGER) AS coverage_90,
    sum("mean" - actual) / nullif(sum(actual), 0) AS bias,
    sum(abs("mean" - actual)) / nullif(sum(abs(actual)), 0) AS wape,
    avg({" + ".join(losses)}) AS crps
FROM forecast_ledger
WHERE scored_at IS NOT NULL
GROUP BY client, horizon
"""  # noqa: S608 (built from the columns of this file)
