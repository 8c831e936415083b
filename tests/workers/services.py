"""Postgres and RabbitMQ of our own, on free ports, with everything below one folder.

Here: starting, restarting and ending them.
Not here: workers and runs (demo.py).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_PATIENCE = 300.0


def missing() -> list[str]:
    """What of Postgres, RabbitMQ and Dagster's packages for workers is not installed here."""
    from importlib.util import find_spec

    lacking = [name for name in ("dagster_celery", "dagster_postgres") if find_spec(name) is None]
    lacking += [name for name in ("initdb",) if _postgres_program(name) is None]
    return lacking + [name for name in ("rabbitmq-server", "rabbitmqctl") if shutil.which(name) is None]


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Postgres:
    """A database server of our own."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        folder.mkdir(parents=True)
        if os.geteuid() == 0:  # it refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
            for parent in folder.parents[:-1]:
                parent.chmod(parent.stat().st_mode | 0o011)
        self._run("initdb", "-D", str(folder / "data"), "-U", "mmm", "--auth=trust")
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "mmm", "mmm")

    @property
    def url(self) -> str:
        """Its address for SQLAlchemy."""
        return f"postgresql+psycopg2://mmm@127.0.0.1:{self.port}/mmm"

    @property
    def pid(self) -> int:
        """The process below which all others of it are."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        self._run(
            "pg_ctl",
            "-D",
            str(self._folder / "data"),
            "-o",
            options,
            "-l",
            str(self._folder / "log"),
            "-w",
            "start",
        )

    def stop(self, how: str = "fast") -> None:
        """Stop it; ``immediate`` as a crash would."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", how, "-w", "stop")

    def kb_by_table(self, clients: int) -> dict[str, float]:
        """kB a client of each table with its indexes, largest first."""
        from sqlalchemy import create_engine, text

        sizes = "SELECT relname, pg_total_relation_size(relid) FROM pg_catalog.pg_statio_user_tables ORDER BY 2 DESC"
        engine = create_engine(self.url)
        with engine.connect() as connection:
            rows = [(name, round(size / 1e3 / clients, 1)) for name, size in connection.execute(text(sizes))]
        engine.dispose()
        return {"in all": round(sum(size for _, size in rows), 1), **dict(rows[:6])}

    def _run(self, program: str, *words: str) -> None:
        command = [str(_postgres_program(program)), *words]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder)


class RabbitMQ:
    """A broker of our own."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        folder.mkdir(parents=True)
        self._node = f"mmm{self.port}@localhost"
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "feature_flags"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "ERL_EPMD_PORT": str(free_port()),  # a directory of nodes of our own, which ends with us
        }
        (folder / "plugins").write_text("[].")
        self.start()

    @property
    def url(self) -> str:
        """Its address for Celery."""
        return f"pyamqp://guest:guest@127.0.0.1:{self.port}//"

    @property
    def pid(self) -> int:
        """The process below which all others of it are."""
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "out").open("a") as said:
            self._process = subprocess.Popen(
                [_broker_program()], env=self._environment, stdout=said, stderr=said, start_new_session=True
            )
        try:
            wait_until(self._answers, "RabbitMQ")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Kill it, as a crash would."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        subprocess.run(["epmd", "-kill"], env=self._environment, check=False, capture_output=True)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            try:  # a port alone may still be that of the one that was killed
                probe.connect(("127.0.0.1", self.port))
                probe.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(probe.recv(1))
            except OSError:
                return False


def wait_until(true: Callable[[], bool], what: str, patience: float = _PATIENCE) -> float:
    """Wait until something holds; the seconds that took.

    Raises:
        TimeoutError: If it never does.
    """
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > patience:
            raise TimeoutError(f"{what}: not there after {patience:.0f} s")
        time.sleep(0.25)
    return time.monotonic() - began


def _broker_program() -> str:
    """RabbitMQ's own script; the one on the PATH becomes the user "rabbitmq", who may not write here."""
    script = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return str(script) if script.exists() else "rabbitmq-server"


def _postgres_program(name: str) -> Path | None:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    on_path = shutil.which(name)
    return places[0] if places else Path(on_path) if on_path else None
