"""Where frozen advice is kept: its rows as facts and in the database, the draws behind it beside them.

Here: `AdviceHistory`: freezing advice once, handing out the draws of what is open, filling in what came of it.
Not here: the rows (advice_ledger.py), what the draws hold (decisions/advice_draws.py).

``advice_ledger/<client>.parquet`` holds the rows, ``advice_draws/<client>/<vintage>.npz`` the draws of one vintage. The
draws are needed as long as a period may be restated; without them the ledger keeps what it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from mmm_engine.client.config import check_client_id
from mmm_engine.files.atomic_write import PRIVATE_FILE, make_private_folder, replace_file
from mmm_engine.history import advice_ledger
from mmm_engine.history.facts import FactStore, Names
from mmm_engine.history.ledger import freeze
from mmm_engine.history.tables import ADVICE_LEDGER

DRAWS = "advice_draws"
_ORDER = '"client", "cutoff", "issued_at", "channel" = \'all\', "advised" DESC, "channel"'


class AdviceHistory(FactStore):
    """The frozen advice of all clients; see `FactStore` for its arguments."""

    def freeze(self, client: str, rows: pd.DataFrame, draws: bytes) -> int:
        """Put advice into the ledger; what is there of the same vintage stays.

        Args:
            client: Id of the client.
            rows: Output of `advice_ledger.vintage_rows`.
            draws: A file of the draws behind it.

        Returns:
            Number of rows that were frozen now.

        Raises:
            HistoryError: If the history cannot be written.
        """
        rows = ADVICE_LEDGER.to_frame(ADVICE_LEDGER.to_arrow(rows))
        with self._exclusive():
            before = self._client_facts(ADVICE_LEDGER, client)
            after = freeze(before, rows, ADVICE_LEDGER)
            if len(after) > len(before):
                # draws first: rows without draws could never be filled in
                file = self._draws_file(client, rows.iloc[0])
                make_private_folder(file.parent)
                replace_file(file, lambda path: path.write_bytes(draws), PRIVATE_FILE)
                if self._others is not None:
                    self._others.hand_out_file(file)
            self._write_client_facts(ADVICE_LEDGER, client, after)
        return len(after) - len(before)

    def come(self, client: str, last: pd.Timestamp) -> Iterator[tuple[pd.DataFrame, bytes]]:
        """Advice whose last period is not after `last`, its rows and the file of its draws; left out without that file.

        Raises:
            HistoryError: If the history cannot be read.
        """
        with self._exclusive():
            ledger = self._client_facts(ADVICE_LEDGER, client)
        for _, rows in ledger[ledger["last_date"] <= last].groupby(list(advice_ledger.VINTAGE), sort=True):
            file = self._draws_file(client, rows.iloc[0])
            if not file.exists() and self._others is not None:
                self._others.fetch_file(file)
            if file.exists():
                yield rows, file.read_bytes()

    def fill_in(self, client: str, outcomes: pd.DataFrame, *, scored_at: datetime | None = None) -> int:
        """Fill in what came of frozen advice.

        Args:
            client: Id of the client.
            outcomes: Columns of the ledger's key and of `advice_ledger.OUTCOME`.
            scored_at: Now, unless given.

        Returns:
            Number of ledger rows whose outcome is new or was restated.

        Raises:
            HistoryError: If the history cannot be written.
        """
        if outcomes.empty:
            return 0
        with self._exclusive():
            before = self._client_facts(ADVICE_LEDGER, client)
            after = advice_ledger.fill_in(before, outcomes, scored_at or datetime.now(UTC))
            changed = after["scored_at"].notna() & (after["scored_at"] != before["scored_at"])
            if changed.any():
                self._write_client_facts(ADVICE_LEDGER, client, after)
        return int(changed.sum())

    def read(self, client: Names = None) -> pd.DataFrame:
        """Frozen advice and what came of it, oldest vintage first; the row "all" ends each.

        Raises:
            HistoryError: If the history cannot be read.
        """
        return self._read(ADVICE_LEDGER, ADVICE_LEDGER.name, {"client": client}, _ORDER)

    def _draws_file(self, client: str, row: pd.Series) -> Path:
        vintage = f"{row['cutoff']:%Y-%m-%d}-{row['data_version']}-{row['request_version']}"
        return self._home / DRAWS / check_client_id(client) / f"{vintage}.npz"
