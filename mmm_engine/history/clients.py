"""Clients in the history as a whole: forgetting one, recording one under another id.

Here: `ClientHistory`.
Not here: rows of a client (store.py, advice_store.py), what else is stored of it (mmm_assets).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa

from mmm_engine.client.config import check_client_id
from mmm_engine.errors import Fault, HistoryError
from mmm_engine.history.advice_store import DRAWS
from mmm_engine.history.facts import FactStore
from mmm_engine.history.files import build_database
from mmm_engine.history.tables import METRIC_HISTORY, TABLES


class ClientHistory(FactStore):
    """The history, client by client; see `FactStore` for its arguments."""

    def run_ids(self, client: str) -> set[str]:
        """Names of the fact files of a client's runs."""
        return {path.stem for path in METRIC_HISTORY.fact_files(self._home, check_client_id(client))}

    def forget(self, client: str) -> int:
        """Delete everything that is recorded of a client, here and where facts are shared.

        The database is made again without it, and older copies of the database are deleted: they hold its rows.

        Returns:
            Number of files that were deleted.

        Raises:
            HistoryError: If the history cannot be written.
        """
        with self._exclusive():
            count = sum(self._forget_below(root, client) for root in (self._home, self.shared) if root)
            if self._has_facts():
                build_database(self.path)
            else:
                for ending in ("", ".wal"):
                    Path(f"{self.path}{ending}").unlink(missing_ok=True)
            for copy in self._home.glob(f"{self.path.name}.replaced*"):
                copy.unlink()
        return count

    def copy(self, client: str, new: str) -> int:
        """Record everything under another id too, under which nothing is recorded; `forget` then ends a rename.

        Two steps, so that whoever renames can note which of them is done and go on after an interruption.

        Returns:
            Number of rows that are recorded under the new id.

        Raises:
            HistoryError: If something is recorded under the new id, or the history cannot be written.
        """
        check_client_id(new)
        count = 0
        with self._exclusive():
            self._fetch([client, new])
            if any(table.fact_files(self._home, new) for table in TABLES):
                fault = Fault(
                    f"client '{new}'", "recorded scores or forecasts", "an id without any", "choose another"
                )
                raise HistoryError("metric history", fault)
            files = [(table, file) for table in TABLES for file in table.fact_files(self._home, client)]
            for table, file in files:
                rows = self._read_fact(table, file)
                place = rows.schema.get_field_index("client")
                names = pa.array([new] * len(rows), rows.schema.field(place).type)
                renamed = rows.set_column(place, rows.schema.field(place), names)
                self._write(table, renamed, table.fact_file(self._home, (new, *table.owner_of(file)[1:])))
                count += len(rows)
            draws = self._home / DRAWS / client
            if self._others is not None:
                self._others.fetch_folder(draws)
            if draws.is_dir():
                shutil.copytree(draws, self._home / DRAWS / new)
                if self._others is not None:
                    for copy in (self._home / DRAWS / new).iterdir():
                        self._others.hand_out_file(copy)
        return count

    def _forget_below(self, root: Path, client: str) -> int:
        """Delete the files of a client below a root; how many they were."""
        files = [file for table in TABLES for file in table.fact_files(root, client)]
        draws = root / DRAWS / client
        files += list(draws.iterdir()) if draws.is_dir() else []
        notes = [root / "shared_facts" / table.name / f"{client}.json" for table in TABLES]
        files += [note for note in notes if note.exists()]
        for file in files:
            file.unlink()
        if isinstance(root, Path):
            for folder in (draws, root / METRIC_HISTORY.name / client):
                shutil.rmtree(folder, ignore_errors=True)
        return len(files)
