"""Where the bytes of Dagster's records go: by file, by kind of event, by asset.

Here: sizes of a home's SQLite files and of what stands in them. `make soak` prints them; alone, for any home:

    python -m tests.soak.records dagster_home
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg

from mmm_assets.runs import CLIENT_TAG


def sizes(home: Path) -> dict[str, int]:
    """Bytes of the files below ``history`` and ``schedules``; those of single runs together, as "runs"."""
    total: Counter[str] = Counter()
    for folder in ("history", "schedules"):
        for path in (home / folder).rglob("*"):
            if path.is_file():
                name = path.name.partition(".db")[0]
                total["runs, a file each" if name.count("-") == 4 else name or "without a run"] += (
                    path.stat().st_size
                )
    return dict(total)


def refreshes(home: Path) -> int:
    """How many refreshes have begun: runs that make a client's rows."""
    with _open(home / "history" / "runs.db") as database:
        tagged = database.execute(
            "SELECT run_body FROM runs WHERE run_id IN (SELECT run_id FROM run_tags WHERE key = ?)",
            (CLIENT_TAG,),
        )
        return sum('"client_data"' in body or "client_data_job" in body for (body,) in tagged)


def events(home: Path) -> dict[str, list[int]]:
    """Kind of event to its number and its bytes, copies in the index of all assets counted too; largest first."""
    number: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for path in (home / "history" / "runs").glob("*.db"):
        with _open(path) as database:
            for kind, count, length in database.execute(
                "SELECT dagster_event_type, COUNT(*), SUM(LENGTH(event)) FROM event_logs GROUP BY 1"
            ):
                number[kind or "log line"] += count
                size[kind or "log line"] += length
    return {kind: [number[kind], length] for kind, length in size.most_common()}


def materialisations(home: Path) -> dict[str, list[int]]:
    """Asset to the number of its materialisations and the median bytes of one, largest first."""
    lengths: dict[str, list[int]] = {}
    with _open(home / "history" / "runs" / "index.db") as database:
        for asset, length in database.execute(
            "SELECT asset_key, LENGTH(event) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
        ):
            lengths.setdefault("/".join(json.loads(asset)), []).append(length)
    middle = {asset: [len(one), sorted(one)[len(one) // 2]] for asset, one in lengths.items()}
    return dict(sorted(middle.items(), key=lambda item: -item[1][1]))


def clients_with_two_runs_at_once(instance: dg.DagsterInstance) -> list[str]:
    """Clients of whose runs two were executed at the same time: there must be none."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for record in instance.get_run_records():
        client = record.dagster_run.tags.get(CLIENT_TAG)
        if client and record.start_time:
            spans.setdefault(client, []).append((record.start_time, record.end_time or math.inf))
    return sorted(
        client
        for client, runs in spans.items()
        if any(began < ended for (_, ended), (began, _) in itertools.pairwise(sorted(runs)))
    )


def summary(home: Path) -> dict[str, Any]:
    """All of it, and kB a refresh."""
    files, count = sizes(home), max(refreshes(home), 1)
    return {
        "refreshes": count,
        "kb_a_refresh": {name: round(size / count / 1e3, 1) for name, size in files.items()},
        "kb_a_refresh_in_all": round(sum(files.values()) / count / 1e3, 1),
        "events_number_and_bytes": events(home),
        "materialisations_number_and_bytes_of_one": materialisations(home),
    }


def _open(path: Path) -> Any:
    return closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True))


def main() -> None:
    """Print the sizes of a home."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    print(json.dumps(summary(parser.parse_args().home), indent=1))


if __name__ == "__main__":
    main()
