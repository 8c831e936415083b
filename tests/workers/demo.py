"""Two workers refresh a few clients; one of them is killed in mid-fit, the broker and the database are restarted.

`make workers-demo` runs this module. Everything happens below ``--folder``; it ends whatever it started.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.soak.fleet import SAMPLER, STRUCTURES, write_client
from tests.soak.records import clients_with_two_runs_at_once
from tests.soak.soak import progress, sampling_seconds
from tests.workers import seconds
from tests.workers.services import Postgres, RabbitMQ, free_port, missing, wait_until

ROOT = Path(__file__).parents[2]
LONG = "long-fit"  # is at it long enough to lose its worker


def main() -> int:
    """Start everything, refresh, disturb, print what happened; 1 when a client was not published."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whatever was started ends all the same
    if lacking := missing():
        print(
            f"skipped: {', '.join(lacking)} not installed (make workers, apt-get install rabbitmq-server postgresql)"
        )
        return 0
    data, home = asked.folder / "data", asked.folder / "home"
    data.mkdir(parents=True)
    figures: dict[str, Any] = {"clients": asked.clients + (not asked.quiet), "workers": asked.workers}
    with ExitStack() as stack:
        database = Postgres(asked.folder / "postgres")
        stack.callback(database.stop)
        broker = RabbitMQ(asked.folder / "rabbitmq")
        stack.callback(broker.stop)
        environment = _environment(home, data, database, broker)
        workers = [
            stack.enter_context(_worker(f"w{n}", asked.folder, environment)) for n in range(asked.workers)
        ]
        ui = stack.enter_context(_services(asked.folder, environment))
        _wait_until_ready()
        roots = {"Postgres": database.pid, "RabbitMQ": broker.pid, "web server": ui.pid}
        roots |= {f"worker {number}": worker.pid for number, worker in enumerate(workers, start=1)}
        before = seconds.processor_seconds(roots)
        clients, began = _write(data, asked), time.time()
        if not asked.quiet:
            figures |= _disturb(home, workers, asked.folder, environment, stack, broker, database)
        statuses = _wait_for(home, clients, asked.patience)
        figures["wall_seconds"] = round(max(statuses.values(), default=began) - began, 1)
        figures["published"] = len(statuses)
        after = sorted(at - began for at in statuses.values())
        figures["first_and_middle_page_after"] = (
            [round(after[0], 1), round(after[len(after) // 2], 1)] if after else []
        )
        figures |= _figures(home, began)
        if asked.quiet:  # else some have been killed, and their seconds with them
            spent = seconds.processor_seconds(roots)
            figures["processor_seconds_a_client"] = {
                name: round((value - before.get(name, 0.0)) / len(clients), 2)
                for name, value in spent.items()
            }
        figures["records_kb_a_client"] = database.kb_by_table(len(clients))
    spare = figures["wall_seconds"] * asked.workers - figures["sampling_seconds"]
    figures["overhead_seconds_a_client_and_worker"] = round(spare / len(clients), 2)
    figures["wrong"] = [*sorted(set(clients) - set(statuses)), *figures["clients_with_two_runs_at_once"]]
    figures["load"] = round(os.getloadavg()[0], 1)
    stages = figures.pop("stages")
    print(json.dumps(figures, indent=1))
    print("\nMedian seconds of a stage's runs (tests/workers/seconds.py says what each is):")
    print("\n".join(seconds.lines(stages)))
    return 1 if figures["wrong"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--patience", type=float, default=900.0, help="Seconds until it gives up.")
    parser.add_argument("--quiet", action="store_true", help="Kill and restart nothing: figures of speed.")
    parser.add_argument(
        "--draws", type=int, default=SAMPLER["draws"], help="Of each chain: how long a fit is."
    )
    parser.add_argument(
        "--tune", type=int, default=SAMPLER["tune"], help="Of each chain: long fits whose results are small."
    )
    return parser.parse_args()


def _wait_until_ready() -> None:
    """Until the daemon looks at files and the canary of the new home has been fitted, by a worker."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        wait_until(
            lambda: instance.get_latest_materialization_event(dg.AssetKey("canary")), "the canary", 600.0
        )


def _write(data: Path, asked: argparse.Namespace) -> list[str]:
    clients = [f"c{number:04d}" for number in range(asked.clients)]
    sampler = {**SAMPLER, "draws": asked.draws, "tune": asked.tune, "cores": 1}
    for number, client in enumerate(clients):
        write_client(data, client, STRUCTURES[number % len(STRUCTURES)], seed=number, sampler=sampler)
    if not asked.quiet:
        clients.append(LONG)
        write_client(data, LONG, STRUCTURES[0], seed=99, sampler={**sampler, "draws": 8_000})
    for path in data.iterdir():  # files that nobody has touched for a minute
        os.utime(path, (time.time() - 60,) * 2)
    return clients


def _environment(home: Path, data: Path, database: Postgres, broker: RabbitMQ) -> dict[str, str]:
    """What daemon and workers are told, and what this process needs to look into the instance."""
    home.mkdir()
    shutil.copyfile(ROOT / "deploy" / "workers" / "dagster.yaml", home / "dagster.yaml")
    told = {
        "DAGSTER_HOME": str(home),
        "MMM_DATA_DIR": str(data),
        "MMM_POSTGRES_URL": database.url,
        "MMM_RESULTS_URL": f"db+{database.url}",
        "MMM_BROKER_URL": broker.url,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    os.environ.update(told)
    return {**os.environ, **told}


@contextmanager
def process_until_end(
    command: list[str], log: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A group of processes that ends with the block."""
    with log.open("a") as said:
        process = subprocess.Popen(
            command, env=environment, stdout=said, stderr=said, cwd=ROOT, start_new_session=True
        )
        try:
            yield process
        finally:
            for how in (signal.SIGTERM, signal.SIGKILL):
                if process.poll() is None:
                    os.killpg(process.pid, how)
                    try:
                        process.wait(30)
                    except subprocess.TimeoutExpired:
                        continue
            _kill_group(process.pid)


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _worker(name: str, folder: Path, environment: dict[str, str]) -> Any:
    settings = str(ROOT / "deploy" / "workers" / "celery.yaml")
    command = [
        str(Path(sys.executable).parent / "dagster-celery"),
        "worker",
        "start",
        "-A",
        "dagster_celery.app",
    ]
    command += ["-y", settings, "-n", name, "--", "--concurrency=1"]
    return process_until_end(command, folder / f"{name}.log", environment)


def _services(folder: Path, environment: dict[str, str]) -> Any:
    code = "from mmm_assets.cli.app import main; main()"
    command = [sys.executable, "-c", code, "ui", "--port", str(free_port())]
    return process_until_end(command, folder / "ui.log", environment)


def _disturb(
    home: Path,
    workers: list[subprocess.Popen[bytes]],
    folder: Path,
    environment: dict[str, str],
    stack: ExitStack,
    broker: RabbitMQ,
    database: Postgres,
) -> dict[str, float]:
    """Kill -9 the worker that fits the long client, start another; then restart the broker, then the database."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        fitting = wait_for_fit(instance, LONG)
        killed = time.time()
        _kill_group(_worker_of(instance, fitting.run_id, workers, folder).pid)
        seen = wait_until(lambda: instance.get_run_by_id(fitting.run_id).is_finished, "the killed run")
        stack.enter_context(_worker("w9", folder, environment))

        again = dg.RunsFilter(tags={"dagster/parent_run_id": fitting.run_id})

        def repeated() -> bool:
            return any(record.end_time for record in instance.get_run_records(again))

        wait_until(repeated, "the repeated run", 600.0)
        (record, *_) = instance.get_run_records(again)
    broker.stop()
    broker.start()
    database.stop("immediate")
    database.start()
    return {
        "killed_worker_seen_after": round(seen, 1),
        "its_run_asked_for_again_after": round(record.create_timestamp.timestamp() - killed, 1),
        "its_run_begun_elsewhere_after": round((record.start_time or 0.0) - killed, 1),
        "its_run_finished_after": round((record.end_time or 0.0) - killed, 1),
    }


def wait_for_fit(instance: Any, client: str) -> Any:
    """The run that fits a client, once its fit has begun."""
    import dagster as dg

    from mmm_assets.dagster_private.tags import ASSET_PARTITION_RANGE_START_TAG
    from mmm_assets.runs import CLIENT_TAG

    fits: list[Any] = []

    def begun() -> bool:
        runs = instance.get_runs(
            dg.RunsFilter(tags={CLIENT_TAG: client}, statuses=[dg.DagsterRunStatus.STARTED])
        )
        for run in runs:
            if ASSET_PARTITION_RANGE_START_TAG in run.tags:
                steps = {event.step_key for event in instance.all_logs(run.run_id, of_type=_STEP_START)}
                fits.extend([run] if "fitted_posterior" in steps else [])
        return bool(fits)

    from dagster import DagsterEventType

    _STEP_START = DagsterEventType.STEP_START
    wait_until(begun, f"a fit of {client}", 600.0)
    return fits[0]


def _worker_of(
    instance: Any, run_id: str, workers: list[subprocess.Popen[bytes]], folder: Path
) -> subprocess.Popen[bytes]:
    """The worker that executes a run, by the process id that the run has recorded."""
    from dagster import DagsterEventType

    messages = [str(e.message) for e in instance.all_logs(run_id, of_type=DagsterEventType.ENGINE_EVENT)]
    (pid,) = [
        int(m.split("pid: ")[1].rstrip(").")) for m in messages if "Started process for run (pid: " in m
    ]
    return next(worker for worker in workers if os.getpgid(pid) == worker.pid)


def _wait_for(home: Path, clients: list[str], patience: float) -> dict[str, float]:
    """When each client was published."""
    from mmm_assets.pages.publication import Publication

    publication, done = Publication(root=str(home)), {}
    began = time.time()
    while len(done) < len(clients) and time.time() - began < patience:
        for client in set(clients) - set(done):
            status = publication.status(client)
            if status is not None and status.published:
                done[client] = datetime.fromisoformat(status.at).timestamp()
        progress(len(done), len(clients), began)
        time.sleep(1.0)
    return done


def _figures(home: Path, began: float) -> dict[str, Any]:
    import dagster as dg

    from mmm_engine.history.store import History

    by_end: dict[str, int] = {}
    with dg.DagsterInstance.get() as instance:
        for run in instance.get_runs():
            by_end[run.status.value] = by_end.get(run.status.value, 0) + 1
        twice = clients_with_two_runs_at_once(instance)
        stages = seconds.by_stage(instance, began)
    sampling = float(sampling_seconds(History(home / "metric_history.duckdb").read()).sum())
    return {
        "runs": by_end,
        "clients_with_two_runs_at_once": twice,
        "sampling_seconds": round(sampling, 1),
        "stages": stages,
    }


if __name__ == "__main__":
    sys.exit(main())
