"""What starts a refresh without a person, and what carries it on.

Here: the sensor on the data folder, which asks for the rows of clients; the sensor that asks for each stage after them.
Not here: when a stage is due (assets/conditions.py), what starts by the clock (schedules.py), what the files say
(mmm_engine).
Dagster: https://docs.dagster.io/guides/automate/sensors

Rules. A file counts as changed when its content (or the engine) changes, not when its date does. A file that may still
be written waits. The same content never runs twice in a row, content that comes back does run again. A file that is
gone deletes nothing. A client that was refreshed from these very files by hand is up to date.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from mmm_assets.assets.inputs import CLIENT_FILE
from mmm_assets.partitions import clients, registered_clients
from mmm_assets.refreshes import jobs
from mmm_assets.runs import CLIENT_TAG
from mmm_assets.storage.fingerprints import SOURCE, fingerprint, signature, source_files
from mmm_assets.storage.resources import ClientFiles
from mmm_engine.client.client_file import list_clients
from mmm_engine.client.natural_order import natural_order

SETTLE_SECONDS = 5.0
CLIENTS_PER_TICK = 200


@dataclass(frozen=True)
class Seen:
    """A client's files when they were last acted on.

    Attributes:
        names: Files, relative to the data folder; the client's YAML first.
        looks: Their signature.
        content: Their fingerprint.
    """

    names: list[str]
    looks: list[int]
    content: str


@dataclass
class Cursor:
    """What the sensor remembers between ticks.

    Attributes:
        seen: Client to its files when they were last acted on.
        waiting: Client to the signature of files that may still be written.
        requests: Number of ticks that asked for a refresh: part of every run key, so that content which comes back
            is not taken for a request that was already answered.
    """

    seen: dict[str, Seen] = field(default_factory=dict)
    waiting: dict[str, list[int]] = field(default_factory=dict)
    requests: int = 0

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """The cursor of the last tick; an empty one the first time."""
        stored: dict[str, Any] = json.loads(text) if text else {}
        seen = {client: Seen(*entry) for client, entry in stored.get("seen", {}).items()}
        return cls(seen, stored.get("waiting", {}), stored.get("requests", 0))

    def text(self) -> str:
        """The cursor as it is stored."""
        seen = {client: (entry.names, entry.looks, entry.content) for client, entry in self.seen.items()}
        return json.dumps(
            {"seen": seen, "waiting": self.waiting, "requests": self.requests}, separators=(",", ":")
        )


@dg.sensor(
    job=jobs.DATA,
    minimum_interval_seconds=4,  # Dagster's loop over sensors turns every five seconds
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Refreshes clients whose files are new or have changed.",
)
def new_data(
    context: dg.SensorEvaluationContext, client_files: ClientFiles
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a refresh of every client whose files have changed and settled."""
    cursor = Cursor.parse(context.cursor)
    changed = list(_changed(client_files.folder, cursor, context.instance, time.time()))
    if not changed:
        return dg.SensorResult(
            skip_reason=f"nothing new for {len(cursor.seen)} clients, {len(cursor.waiting)} still being written",
            cursor=cursor.text(),
        )
    cursor.requests += 1
    new = sorted(set(changed).difference(registered_clients(context.instance)), key=natural_order)
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=f"{cursor.requests}-{client}-{cursor.seen[client].content}",
                partition_key=client,
                tags={CLIENT_TAG: client},
            )
            for client in changed
        ],
        dynamic_partitions_requests=[clients.build_add_request(new)] if new else [],
        asset_events=[
            dg.AssetMaterialization(
                CLIENT_FILE.key,
                partition=client,
                metadata={SOURCE: cursor.seen[client].content, "files": ", ".join(cursor.seen[client].names)},
            )
            for client in changed
        ],
        cursor=cursor.text(),
    )


stages = dg.AutomationConditionSensorDefinition(
    "stages",
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=10,  # sooner when something was recorded (dagster_private/looks.py)
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Carries refreshes on: windows after rows, fleets after windows, then history, report and portfolio.",
)


def _changed(folder: Path, cursor: Cursor, instance: dg.DagsterInstance, now: float) -> Iterator[str]:
    """Clients to refresh; the cursor takes note of what was looked at."""
    changed_clients = 0
    for client in list_clients(folder):
        before = cursor.seen.get(client)
        if before is None and client not in cursor.waiting:
            fresh = signature([folder / f"{client}.yaml"])
            if not _settled(fresh, None, now):  # not worth reading yet: thousands may have come at once
                cursor.waiting[client] = fresh
                continue
        paths = _files(client, folder, before)
        looks = signature(paths)
        if before is not None and before.looks == looks:
            cursor.waiting.pop(client, None)
            continue
        if not _settled(looks, cursor.waiting.get(client), now):
            cursor.waiting[client] = looks
            continue
        if changed_clients == CLIENTS_PER_TICK:  # the rest is still unseen and comes with the next tick
            return
        content = fingerprint(paths)
        refreshed_from = before.content if before is not None else _refreshed_from(instance, client)
        cursor.waiting.pop(client, None)
        cursor.seen[client] = Seen([str(path.relative_to(folder)) for path in paths], looks, content)
        if content != refreshed_from:
            changed_clients += 1
            yield client


def _files(client: str, folder: Path, before: Seen | None) -> Sequence[Path]:
    """The client's files; its YAML is read only when it was touched (thousands of clients, every few seconds)."""
    if before is not None:
        paths = [folder / name for name in before.names]
        if signature(paths[:1]) == before.looks[:2]:
            return paths
    return source_files(client, folder)


def _settled(looks: list[int], earlier: list[int] | None, now: float) -> bool:
    """Whether files look finished: old enough, or untouched since the last tick (clocks can be wrong)."""
    youngest = now - max(looks[::2]) / 1e9
    return youngest >= SETTLE_SECONDS or looks == earlier


def _refreshed_from(instance: dg.DagsterInstance, client: str) -> str | None:
    """Fingerprint of the files that the client was last refreshed from, by whatever way."""
    of_client = dg.AssetRecordsFilter(asset_key=dg.AssetKey("client_data"), asset_partitions=[client])
    records = instance.fetch_materializations(of_client, limit=1).records
    materialisation = records[0].asset_materialization if records else None
    value = materialisation.metadata.get(SOURCE) if materialisation else None
    return str(value.value) if value is not None else None
