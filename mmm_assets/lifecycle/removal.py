"""Removing a client: its results and pages, and where that is asked for everything that tells of it.

Here: which files are a client's, `remove_client`, `erase_client`.
Not here: recorded scores and forecasts (mmm_engine.history.clients), Dagster's files (dagster_private/erasure.py).

A removed client leaves what an audit may ask for: recorded scores, forecasts and advice, and Dagster's runs. An erased
one leaves nothing below the home. Input files are inputs: whoever put them there takes them away.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from mmm_assets import home
from mmm_assets.dagster_private import erasure
from mmm_assets.partitions import clients
from mmm_assets.refreshes.locks import client_at_rest
from mmm_assets.runs import CLIENT_TAG
from mmm_assets.storage.home_faults import refuse_open
from mmm_assets.storage.objects import is_local
from mmm_engine.client.config import check_client_id
from mmm_engine.history.clients import ClientHistory

_QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Removed:
    """What was deleted of a client.

    Attributes:
        files: Results, pages and what of them was in the quarantine.
        facts: Files of recorded scores, forecasts and advice.
        runs: Runs of Dagster.
    """

    files: int = 0
    facts: int = 0
    runs: int = 0


def stored_files(root: Path, client: str) -> Iterator[Path]:
    """Files of results and pages of a client below a root: those that bear its id, and those in folders that do."""
    for top in (home.storage_dir(root), root / _QUARANTINE / "storage"):
        for asset in top.iterdir() if top.is_dir() else ():
            for entry in asset.iterdir() if asset.is_dir() else ():
                if entry.name.lstrip(".").partition(".")[0] == client:
                    yield from (
                        (part for part in entry.rglob("*") if part.is_file()) if entry.is_dir() else (entry,)
                    )


def is_known(folder: Path, client: str) -> bool:
    """Whether anything is stored of a client, recorded of it, or registered under its id."""
    check_client_id(client)
    if (
        any(True for _ in stored_files(home.results_root(), client))
        or (folder / "metric_history" / client).is_dir()
    ):
        return True
    if not (folder / "history").is_dir():
        return False
    with home.open_instance(folder) as instance:
        return client in instance.get_dynamic_partitions(str(clients.name))


def remove_client(folder: Path, client: str, say: Callable[[str], object] = str) -> Removed:
    """Delete a client's results and pages, and its partition; what is recorded of it stays.

    Args:
        folder: Dagster's home.
        client: Id of the client.
        say: Told what it waits for: a refresh under way, which would write its results afterwards.
    """
    check_client_id(client)
    with home.open_instance(folder) as instance, client_at_rest(instance, client, say):
        return remove_results(folder, client, instance)


def remove_results(folder: Path, client: str, instance: dg.DagsterInstance) -> Removed:
    """The same for a client that the caller holds."""
    count = _delete_files(home.results_root(), client) + _delete_trials(folder, client)
    instance.delete_dynamic_partition(str(clients.name), client)
    return Removed(files=count)


def erase_client(folder: Path, client: str, say: Callable[[str], object] = str) -> Removed:
    """Delete everything below the home that tells of a client.

    With it go copies of Dagster's files and of the history's database that were damaged once: they cannot be searched.

    Args:
        folder: Dagster's home.
        client: Id of the client.
        say: Told what it waits for.

    Raises:
        HomeError: If a process has Dagster's files open.
    """
    refuse_open(folder, (folder / "history" / "runs.db", folder / "history" / "runs" / "index.db"))
    removed = remove_client(folder, client, say)
    history = ClientHistory(home.history_path(folder), shared=home.shared_root(folder))
    own_runs = history.run_ids(client)
    facts = history.forget(client)
    run_ids = erasure.erase_client(folder, client, CLIENT_TAG)
    for run_id in run_ids:
        for place in (folder / "storage" / run_id, folder / "logs" / run_id):  # what a run has printed
            shutil.rmtree(place, ignore_errors=True)
    for copy in (folder / _QUARANTINE).rglob("*"):
        of_facts = copy.parent.name in ("metric_history", "forecast_ledger", "advice_ledger")
        is_own = copy.name.partition(".")[0] in {client, *own_runs}
        if copy.is_file() and (".db" in copy.name or (of_facts and is_own)):
            copy.unlink()
    (folder / "locks" / f"{client}.lock").unlink(missing_ok=True)
    for note in (folder / "locks").glob("*.renaming"):
        if client in (note.stem, *note.read_text(encoding="utf-8").split()):
            note.unlink()
    shutil.rmtree(folder / home.TRIALS, ignore_errors=True)
    return Removed(removed.files, facts, len(run_ids))


def _delete_files(root: Path, client: str) -> int:
    """Delete a client's files below a root; how many they were."""
    files = list(stored_files(root, client))
    for file in files:
        file.unlink()
    if is_local(root):
        for top in (home.storage_dir(root), root / _QUARANTINE / "storage"):
            for folder in top.glob(f"*/{client}"):
                shutil.rmtree(folder, ignore_errors=True)
    return len(files)


def _delete_trials(folder: Path, client: str) -> int:
    trials = folder / home.TRIALS
    return _delete_files(trials, client) if trials.is_dir() else 0
