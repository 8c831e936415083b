"""Thousands of clients registered: how long a sensor tick, the definitions and the partition pages take.

Run ``python -m tests.soak.registry --folder DIR``; prints seconds. Nothing is fitted.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from tests.soak.fleet import STRUCTURES, write_client

ROOT = Path(__file__).parents[2]
_PAGES = {
    "partition keys": """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
        partitionKeysByDimension { name partitionKeys } } } }""",
    "partition health": """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
        partitionStats { numMaterialized numPartitions numFailed }
        assetPartitionStatuses { __typename ... on MultiPartitionStatuses { ranges { primaryDimStartKey
        primaryDimEndKey secondaryDim { __typename ... on DefaultPartitionStatuses { materializedPartitions } } } } }
        } } }""",
    "one partition": """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
        assetMaterializations(partitions: ["c00042|full"], limit: 1) { timestamp runId } } } }""",
}


def main() -> None:
    """Register the clients, then time what people and the daemon wait for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=5000)
    asked = parser.parse_args()
    data, home = asked.folder / "data", asked.folder / "home"
    _write(data, asked.clients)
    os.environ.update(DAGSTER_HOME=str(home), MMM_DATA_DIR=str(data))
    figures: dict[str, Any] = {"clients": asked.clients}
    from mmm_assets.home import open_instance

    with open_instance(home) as instance:
        figures |= _ticks(instance, data)
        figures |= _automation(instance)
        figures["seconds to record materialisations"] = _materialise(instance, asked.clients)
    figures["definitions load, s"] = _definitions()
    with _webserver(asked.folder / "web.log") as address:
        for name, query in _PAGES.items():
            times = [_ask(address, query) for _ in range(4)]
            figures[f"{name}, first and median s"] = [times[0], sorted(times[1:])[1]]
    print(json.dumps(figures, indent=1))


def _write(data: Path, count: int) -> None:
    """Clients with files of their own; the rows of one are those of all."""
    data.mkdir(parents=True)
    write_client(data, "seed", STRUCTURES[0], seed=1)
    rows, settings = (data / "seed.csv").read_text(), (data / "seed.yaml").read_text()
    for name in ("seed.csv", "seed.yaml"):
        (data / name).unlink()
    then = time.time() - 3600
    for number in range(count):
        client = f"c{number:05d}"
        for ending, text in (("csv", rows), ("yaml", settings.replace("seed", client))):
            path = data / f"{client}.{ending}"
            path.write_text(text)
            os.utime(path, (then, then))


def _ticks(instance: dg.DagsterInstance, data: Path) -> dict[str, float]:
    """Seconds of the sensor's ticks: while clients are taken in, and when nothing is new."""
    from mmm_assets.automation import sensors
    from mmm_assets.storage.resources import ClientFiles

    cursor, times, asked = None, [], 0
    while True:
        began = time.perf_counter()
        with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
            result = sensors.new_data(context, client_files=ClientFiles(data_dir=str(data)))
        times.append(time.perf_counter() - began)
        cursor = result.cursor
        for request in result.dynamic_partitions_requests or []:
            instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        asked += len(result.run_requests or [])
        if not result.run_requests:
            break
    return {
        "runs asked for": asked,
        "longest tick, s": round(max(times), 2),
        "tick with nothing new, s": round(times[-1], 2),
    }


def _automation(instance: dg.DagsterInstance) -> dict[str, float]:
    """Seconds of evaluating all stages: the first time, when nothing happened, when rows of 200 clients are new."""
    from mmm_assets.definitions import defs

    cursor, times = None, {}
    for case in ("first", "nothing new", "200 new", "200 asked for"):
        if case == "200 new":
            for number in range(200):
                rows = dg.AssetMaterialization("client_data", partition=f"c{number:05d}")
                instance.report_runless_asset_event(rows)
        began = time.perf_counter()
        result = dg.evaluate_automation_conditions(defs=defs, instance=instance, cursor=cursor)
        times[f"stages, {case}, s"] = round(time.perf_counter() - began, 2)
        times[f"stages, {case}, asked for"] = result.total_requested
        cursor = result.cursor
    return times


def _materialise(instance: dg.DagsterInstance, count: int) -> float:
    began = time.perf_counter()
    for number in range(count):
        for window in ("full", "h04", "h08", "h12"):
            partition = f"c{number:05d}|{window}"
            instance.report_runless_asset_event(
                dg.AssetMaterialization("holdout_metrics", partition=partition)
            )
    return round(time.perf_counter() - began, 1)


def _definitions() -> float:
    """Seconds in which a fresh process has imported the definitions; the best of three."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import mmm_assets.definitions"], check=True, cwd=ROOT)
        times.append(time.perf_counter() - began)
    return round(min(times), 2)


@contextmanager
def _webserver(log: Path) -> Iterator[str]:
    """Dagster's web server on the code location; its GraphQL address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dagster_webserver", "-w", str(ROOT / "workspace.yaml"), "-p", str(port)]
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as said, subprocess.Popen(command, stdout=said, stderr=said, cwd=ROOT) as process:
        try:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline:
                try:
                    urllib.request.urlopen(f"{address}/server_info", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.5)
            yield f"{address}/graphql"
        finally:
            process.terminate()


def _ask(address: str, query: str) -> float:
    """Seconds until a page's query is answered.

    Raises:
        RuntimeError: If the answer is an error.
    """
    body = json.dumps({"query": query, "variables": {"key": {"path": ["holdout_metrics"]}}}).encode()
    request = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"})
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=300) as answer:
        content = json.load(answer)
    if "errors" in content:
        raise RuntimeError(content["errors"][0]["message"])
    return round(time.perf_counter() - began, 2)


if __name__ == "__main__":
    main()
