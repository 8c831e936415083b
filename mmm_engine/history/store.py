"""Metric history and forecast ledger: every score ever recorded, in one DuckDB file.

Here: what is written when, and reading it back.
Not here: the columns (tables.py), facts and database (facts.py, files.py), ledger rows (ledger.py), advice
(advice_store.py).

The truth are Parquet files: ``metric_history/<client>/<run_id>.parquet`` holds the scores of one run,
``forecast_ledger/<client>.parquet`` the forecasts of one client. The DuckDB file beside them is what is
queried. A fact is written first and the database after it, so the database can always be made again from the
facts: when it is missing, was made by another version of the platform, or is damaged (``rebuild``). Several machines
share facts through a place that all of them reach (shared.py); each has a database of its own, which follows.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa

from mmm_engine.client.config import check_client_id
from mmm_engine.history import ledger
from mmm_engine.history.advice_store import AdviceHistory
from mmm_engine.history.facts import FactStore, Names
from mmm_engine.history.tables import FORECAST_LEDGER, METRIC_HISTORY, utc_naive

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
"""What a run id may look like: it becomes a file name."""

_ORDER = '"recorded_at", "client", "window", "split", "channel", "metric"'


def history_rows(
    scores: pd.DataFrame,
    *,
    client: str,
    window: str,
    cutoff: pd.Timestamp,
    horizon: int,
    data_version: str,
    config_version: str,
    engine_version: str,
    run_id: str,
    recorded_at: datetime,
) -> pd.DataFrame:
    """Rows of ``metric_history`` for the score frame of one window.

    Args:
        scores: Columns split, channel, metric, value, unit.
        client: Id of the client.
        window: Name of the window.
        cutoff: Last training date.
        horizon: Held-out periods after it, 0 for ``full``.
        data_version: Version of the client's rows.
        config_version: Version of the client's settings.
        engine_version: Version of this package.
        run_id: The run that computed the scores.
        recorded_at: When; without a zone it is taken as UTC.
    """
    rows = scores.assign(
        client=client,
        window=window,
        cutoff=cutoff,
        horizon=horizon,
        data_version=data_version,
        config_version=config_version,
        engine_version=engine_version,
        run_id=run_id,
        recorded_at=utc_naive(recorded_at),
    )
    return rows[list(METRIC_HISTORY.columns)]


class History(FactStore):
    """The recorded scores and forecasts of all clients; see `FactStore` for its arguments."""

    @property
    def advice(self) -> AdviceHistory:
        """Frozen advice on budgets."""
        return AdviceHistory(self.path, patience=self.patience, shared=self.shared)

    def append(self, rows: pd.DataFrame) -> int:
        """Record the scores of one or more runs; recording a run again replaces its rows of the same key.

        Args:
            rows: Columns of ``METRIC_HISTORY`` (see ``history_rows``), any order.

        Returns:
            Number of rows recorded.

        Raises:
            ValueError: If the columns do not fit, a key comes twice, or a run id cannot be a file name.
            ConfigError: If a client id is not allowed.
            HistoryError: If the history cannot be written.
        """
        if rows.empty:
            return 0
        runs = METRIC_HISTORY.to_frame(METRIC_HISTORY.to_arrow(rows)).groupby(list(METRIC_HISTORY.owner))
        files = {self._run_file(str(client), str(run_id)): run for (client, run_id), run in runs}
        with self._exclusive():
            self._fetch({METRIC_HISTORY.owner_of(file)[0] for file in files})
            written = [self._write_run(file, run) for file, run in files.items()]
            self._store(METRIC_HISTORY, pa.concat_tables(written))
        return len(rows)

    def read(
        self,
        client: Names = None,
        metric: Names = None,
        window: Names = None,
        split: Names = None,
        *,
        since: datetime | None = None,
        latest: bool = False,
    ) -> pd.DataFrame:
        """Recorded scores, oldest first.

        Args:
            client: Only these clients.
            metric: Only these metrics.
            window: Only these windows.
            split: Only these splits.
            since: Only what was recorded then or later.
            latest: Only the last run of each client, window, split and metric.

        Returns:
            Columns of ``METRIC_HISTORY``, ``cutoff`` and ``recorded_at`` (UTC) as datetime64.

        Raises:
            HistoryError: If the history cannot be read.
        """
        filters = {"client": client, "metric": metric, "window": window, "split": split}
        relation = "latest_metrics" if latest else METRIC_HISTORY.name
        return self._read(METRIC_HISTORY, relation, filters, _ORDER, since=since)

    def freeze_forecast(
        self,
        client: str,
        forecast: pd.DataFrame,
        *,
        cutoff: pd.Timestamp,
        issued_at: datetime,
        run_id: str,
        data_version: str,
    ) -> int:
        """Put a forecast into the ledger; one with the same cutoff and data that is there already stays.

        Args:
            client: Id of the client.
            forecast: Columns date, q05, q25, q50, q75, q95, mean; original units.
            cutoff: Last training date.
            issued_at: When the forecast was made; without a zone it is taken as UTC.
            run_id: The run that made it.
            data_version: Version of the data it was made from.

        Returns:
            Number of periods that were frozen now.

        Raises:
            ValueError: If the forecast is incomplete, overlaps the training dates, or its quantiles cross.
            HistoryError: If the history cannot be written.
        """
        rows = ledger.vintage(
            client, forecast, cutoff=cutoff, issued_at=issued_at, run_id=run_id, data_version=data_version
        )
        rows = FORECAST_LEDGER.to_frame(FORECAST_LEDGER.to_arrow(rows))
        with self._exclusive():
            before = self._client_facts(FORECAST_LEDGER, client)
            after = ledger.freeze(before, rows)
            self._write_client_facts(FORECAST_LEDGER, client, after)
        return len(after) - len(before)

    def score_forecasts(self, client: str, actuals: pd.Series, *, scored_at: datetime | None = None) -> int:
        """Fill in what happened for the client's frozen forecasts.

        Args:
            client: Id of the client.
            actuals: Observed target by date, original units; dates that were never forecast do no harm.
            scored_at: Now, unless given.

        Returns:
            Number of ledger rows whose actual is new or was restated.

        Raises:
            HistoryError: If the history cannot be written.
        """
        with self._exclusive():
            before = self._client_facts(FORECAST_LEDGER, client)
            if before.empty:
                return 0
            after = ledger.score(before, actuals, scored_at or datetime.now(UTC))
            self._write_client_facts(FORECAST_LEDGER, client, after)
        return int((after["actual"].notna() & (after["actual"] != before["actual"])).sum())

    def ledger(self, client: Names = None) -> pd.DataFrame:
        """Frozen forecasts and how they turned out, oldest vintage first.

        Returns:
            Columns of ``FORECAST_LEDGER``, and those of ``ledger.judge``: inside_50, inside_90, error, crps.

        Raises:
            HistoryError: If the history cannot be read.
        """
        order = '"client", "cutoff", "issued_at", "date"'
        return ledger.judge(self._read(FORECAST_LEDGER, FORECAST_LEDGER.name, {"client": client}, order))

    # Facts

    def _run_file(self, client: str, run_id: str) -> Path:
        if not RUN_ID.fullmatch(run_id):
            raise ValueError(f"run id {run_id!r}: wanted letters, digits, '_', '.' and '-', at most 128")
        return METRIC_HISTORY.fact_file(self._home, (check_client_id(client), run_id))

    def _write_run(self, file: Path, run: pd.DataFrame) -> pa.Table:
        """Write the scores of one run, together with those it recorded before; returns all of them."""
        if file.exists():
            earlier = METRIC_HISTORY.to_frame(self._read_fact(METRIC_HISTORY, file))
            run = pd.concat([earlier, run]).drop_duplicates(list(METRIC_HISTORY.key), keep="last")
        rows = METRIC_HISTORY.to_arrow(run)
        self._write(METRIC_HISTORY, rows, file)
        return rows
