"""A fleet refreshed by the live daemon: who finishes, why the others do not, what it costs beside sampling.

`make soak` runs this module; ``--sound 8`` makes a short rehearsal. Everything happens below ``--folder``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import dagster as dg
import pandas as pd

from mmm_assets.pages.publication import Publication, Status
from tests.soak import records
from tests.soak.fleet import FAULTS, KILLED, STRUCTURES, write_client, write_fleet

ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 5.0
LATE = "late-comer"
_said_at: dict[str, float] = {}


def main() -> None:
    """Write the fleet, run the daemon until everybody has ended, print and check what happened."""
    asked = _arguments()
    data, home = asked.folder / "data", asked.folder / "home"
    sound = write_fleet(data, asked.sound, FAULTS)
    clients = [*sound, *FAULTS]
    began = time.time()
    for path in data.iterdir():  # files that nobody has touched for a minute
        os.utime(path, (began - 60, began - 60))
    memory = []
    with _ui(home, data, asked.folder / "ui.log") as ui:
        statuses: dict[str, Status] = {}
        seen, publication, restart = began, Publication(root=str(home)), asked.restart
        while len(statuses) < len(clients) and time.time() - seen < asked.patience:
            time.sleep(_LOOK_SECONDS)
            _kill_worker_of(KILLED, home)
            for client in set(clients) - set(statuses):
                if (status := publication.status(client)) is not None:
                    statuses[client], seen = status, time.time()  # seen: when the last one came to its end
            memory.append((round(time.time() - began), len(statuses), _resident_mb(ui.pid)))
            progress(len(statuses), len(clients), began)
            if restart and statuses:
                ui.kill()
                ui.start()
                restart, seen = False, time.time()
        wall = seen - began
        spent = _processor_seconds(ui.pid)
        dropped = _drop_one(data, home, asked.patience)
    figures = _figures(home, sound, statuses, wall, memory)
    figures["one_more_client"] = dropped
    figures["processor_seconds_a_client"] = {
        name: round(value / len(clients), 2) for name, value in spent.items()
    }
    figures["load"] = round(os.getloadavg()[0], 1)
    (asked.folder / "figures.json").write_text(json.dumps(figures, indent=1))
    print(json.dumps({name: value for name, value in figures.items() if name != "memory"}, indent=1))
    sys.exit(1 if figures["wrong"] else 0)


def progress(ended: int, clients: int, began: float, every: float = 30.0) -> None:
    """Say on standard error how far a fleet has come, at most every so many seconds."""
    now = time.time()
    if now - _said_at.get("progress", 0.0) >= every or ended == clients:
        _said_at["progress"] = now
        load = os.getloadavg()[0]
        print(f"{now - began:6.0f} s: {ended} of {clients} clients ended, load {load:.1f}", file=sys.stderr)


def _drop_one(data: Path, home: Path, patience: float) -> dict[str, float]:
    """Drop the files of one more client beside the running daemon; seconds until its report, and how many sampled."""
    from mmm_engine.history.store import History

    began, publication = time.time(), Publication(root=str(home))
    write_client(data, LATE, STRUCTURES[0], seed=4711)
    while publication.status(LATE) is None and time.time() - began < patience:
        time.sleep(0.5)
    seconds = time.time() - began
    sampling = float(sampling_seconds(History(home / "metric_history.duckdb").read(LATE)).sum())
    return {"seconds": round(seconds, 1), "sampling_seconds": round(sampling, 1)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--sound", type=int, default=188)
    parser.add_argument(
        "--patience", type=float, default=240.0, help="Seconds without news after which it ends."
    )
    parser.add_argument(
        "--restart", action="store_true", help="Kill everything once, mid-batch, and start again."
    )
    return parser.parse_args()


class _ui:  # noqa: N801  (reads as a function)
    """`mmm ui` as a context: the web server, the daemon, the code server and the runs."""

    def __init__(self, home: Path, data: Path, log: Path) -> None:
        self._environment = {**os.environ, "DAGSTER_HOME": str(home), "MMM_DATA_DIR": str(data)}
        self._log = log.open("w")
        self.start()

    @property
    def pid(self) -> int:
        """Process id of `mmm ui`."""
        return self._process.pid

    def start(self) -> None:
        """Start it, as the leader of a group of processes."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        code = "from mmm_assets.cli.app import main; main()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, "ui", "--port", str(port)],
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill(self) -> None:
        """Kill -9 everything that it started, runs under way among it."""
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
        self._log.close()


def _processes() -> Iterator[tuple[int, int, str]]:
    """(process id, parent, command line) of everything that runs."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            yield int(entry.name), parent, (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue


_NAMES = {
    "dagster._daemon run": "daemon",
    "api grpc": "code server",
    "pages.interface webserver": "web server",
    "multiprocessing.forkserver": "runs",
}


def _below(root: int) -> Iterator[tuple[int, str]]:
    """(process id, name) of what `mmm ui` has started; "other" for what has no name of its own."""
    parents = {pid: (parent, command) for pid, parent, command in _processes()}
    for pid, (parent, command) in parents.items():
        ancestor = parent
        while ancestor in parents and ancestor != root:
            ancestor = parents[ancestor][0]
        if ancestor == root:
            yield pid, next((name for mark, name in _NAMES.items() if mark in command), "other")


def _resident_mb(root: int) -> dict[str, float]:
    """Resident memory of the daemon, the code server and the web server, in MB."""
    used = {}
    for pid, name in _below(root):
        status = Path(f"/proc/{pid}/status")
        if name not in ("runs", "other") and status.exists():
            lines = status.read_text().splitlines()
            used[name] = next(
                (int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0
            )
    return {name: round(value, 1) for name, value in used.items()}


def _processor_seconds(root: int) -> dict[str, float]:
    """Seconds of processors by process, those of children that have ended included; a busy machine changes them little.

    Fields 14 to 17 of /proc/PID/stat (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
    """
    spent: dict[str, float] = {}
    for pid, name in _below(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
        except OSError:
            continue
        spent[name] = spent.get(name, 0.0) + sum(map(int, fields)) / os.sysconf("SC_CLK_TCK")
    return {name: round(value, 1) for name, value in spent.items()}


def _kill_worker_of(client: str, home: Path) -> None:
    """Kill the process that fits a client, once it does, and again when the fit is repeated."""
    from mmm_assets.dagster_private.tags import ASSET_PARTITION_RANGE_START_TAG
    from mmm_assets.runs import CLIENT_TAG, PROCESS_TAG

    if not (home / "history" / "runs.db").exists():
        return
    os.environ["DAGSTER_HOME"] = str(home)
    started = dg.RunsFilter(tags={CLIENT_TAG: client}, statuses=[dg.DagsterRunStatus.STARTED])
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for run in instance.get_runs(filters=started):
            if ASSET_PARTITION_RANGE_START_TAG in run.tags and PROCESS_TAG in run.tags:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(run.tags[PROCESS_TAG].split(":")[1]), signal.SIGKILL)


def _figures(
    home: Path, sound: list[str], statuses: dict[str, Status], wall: float, memory: list[Any]
) -> dict[str, Any]:
    """What happened, and what of it is wrong."""
    from mmm_engine.history.store import History

    history = History(home / "metric_history.duckdb").read()
    history = history[history["client"] != LATE]
    finished = [client for client in sound if client in statuses and statuses[client].published]
    wrong = [f"{client}: {_said(statuses.get(client))}" for client in sound if client not in finished]
    reasons = {}
    for client, fault in FAULTS.items():
        said = _said(statuses.get(client))
        reasons[client] = said[:160]
        if client not in statuses or statuses[client].published or fault.reason not in said:
            wrong.append(f"{client}: {said} (wanted: {fault.reason})")
    recorded = {*sound, *(client for client, fault in FAULTS.items() if fault.recorded)}
    expected = {client: _receipt(home, client) for client in recorded}
    rows = history.groupby("client").size().to_dict()
    if {client: int(rows.get(client, 0)) for client in recorded | set(rows)} != expected:
        wrong.append("the history does not hold exactly the rows of the receipts")
    if history.duplicated(["client", "window", "split", "channel", "metric", "run_id"]).any():
        wrong.append("the history holds a row twice")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        twice = records.clients_with_two_runs_at_once(instance)
    wrong += [f"{client}: two runs at the same time" for client in twice]
    sampling = sampling_seconds(history)
    return {
        "clients": len(sound) + len(FAULTS),
        "finished": len(finished),
        "failed_with_the_right_reason": len(FAULTS)
        - sum(name in FAULTS for name in (w.split(":")[0] for w in wrong)),
        "wall_seconds": round(wall, 1),
        "sampling_seconds": round(float(sampling.sum()), 1),
        "wall_minus_sampling_per_client": round(
            (wall - float(sampling.sum())) / (len(sound) + len(FAULTS)), 2
        ),
        "history_rows": len(history),
        "expected_rows": sum(expected.values()),
        "facts": sum(path.parent.name != LATE for path in (home / "metric_history").glob("*/*.parquet")),
        "runs": _runs(home),
        "records": records.summary(home),
        "memory_first_and_last_mb": [memory[len(memory) // 4], memory[-1]] if memory else [],
        "reasons": reasons,
        "wrong": wrong,
        "memory": memory,
    }


def _runs(home: Path) -> dict[str, Any]:
    """Runs by how they ended, and what a finished one took beside waiting: median seconds by what it made."""
    ends: dict[str, int] = {}
    seconds: dict[str, list[float]] = {}
    queued: list[float] = []
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for record in instance.get_run_records():
            run = record.dagster_run
            ends[run.status.value] = ends.get(run.status.value, 0) + 1
            if record.start_time and record.end_time:
                made = sorted(key.to_user_string() for key in run.asset_selection or ())
                seconds.setdefault(made[0] if made else run.job_name, []).append(
                    record.end_time - record.start_time
                )
                queued.append(record.start_time - record.create_timestamp.timestamp())
    medians = {name: round(statistics.median(values), 2) for name, values in seconds.items()}
    return {
        "ends": ends,
        "median_seconds": medians,
        "median_wait": round(statistics.median(queued or [0.0]), 1),
    }


def _said(status: Status | None) -> str:
    return "no status" if status is None else "; ".join(status.reasons) or status.verdict


def _receipt(home: Path, client: str) -> int:
    """Rows that a client's refresh says it recorded."""
    path = home / "storage" / "metric_history" / f"{client}.json"
    return sum(part["rows"] for part in json.loads(path.read_text())) if path.exists() else -1


def sampling_seconds(history: pd.DataFrame) -> pd.Series:
    """Seconds of sampling of each client: its windows, and its recovery, which is timed as another full window."""
    seconds = history[history["metric"] == "sample_seconds"]
    windows = seconds.groupby("client")["value"].sum()
    recovered = history.loc[history["metric"] == "recovery", "client"].unique()
    full = seconds[(seconds["window"] == "full") & seconds["client"].isin(recovered)]
    return windows.add(full.groupby("client")["value"].sum(), fill_value=0.0)


if __name__ == "__main__":
    main()
