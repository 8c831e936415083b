"""Measured processes: started one at a time, with wall time, processor time, peak memory, and who else was busy.

Not here: what they do. Only the standard library, and little of it: a child's peak memory starts at its parent's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_QUIET = 0.35  # cores that others may use before a run is put off
_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Run:
    """One finished process.

    Attributes:
        wall: Seconds from start to exit.
        cpu: Processor seconds, its own threads and children.
        peak_mb: Largest resident memory.
        load: The machine's load average over a minute when it began.
        others: Cores that other processes used meanwhile; NaN where the system does not say.
        result: What it answered.
    """

    wall: float
    cpu: float
    peak_mb: float
    load: float
    others: float
    result: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


class Runner:
    """Starts processes and waits for a quiet machine before each.

    Python's bytecode is kept for the session, whatever the environment says of it: compiling every library anew in
    every process would add the same seconds to both sides and hide what differs.

    Args:
        patience: Seconds to wait for others to finish; then it is measured anyway, and `Run.others` tells.
        bytecode: Folder of this session's bytecode.
    """

    def __init__(self, patience: float, bytecode: Path) -> None:
        self.patience = patience
        self._env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._env["PYTHONPYCACHEPREFIX"] = str(bytecode)

    def module(self, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> Run:
        """Run a module of this package that answers in the file given as `--out`."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "answer.json"
            command = ["-m", f"tests.benchmarks.{name}", *arguments, "--out", str(out)]
            return self._run(command, out, env)

    def code(self, text: str, env: Mapping[str, str] | None = None) -> Run:
        """Run Python code that answers in the file named by the variable BENCH_OUT."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "answer.json"
            return self._run(["-c", text], out, {**(env or {}), "BENCH_OUT": str(out)})

    def _run(self, arguments: Sequence[str], out: Path, env: Mapping[str, str] | None) -> Run:
        self._settle()
        load, busy = os.getloadavg()[0], _busy_seconds()
        start = time.perf_counter()
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**self._env, **(env or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode or not out.exists():
                log.seek(0)
                raise RuntimeError(f"{arguments} ended with {process.returncode}:\n{log.read()[-4000:]}")
        cpu = usage.ru_utime + usage.ru_stime
        others = (_busy_seconds() - busy - cpu) / wall
        peak = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
        return Run(wall, cpu, peak, load, others, json.loads(out.read_text()))

    def _settle(self) -> None:
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            before = _busy_seconds()
            time.sleep(_LOOK_SECONDS)
            if not (_busy_seconds() - before) / _LOOK_SECONDS > _QUIET:
                return


def _busy_seconds() -> float:
    """Processor seconds that the whole machine has worked since it started."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return float("nan")
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(
        int, stat.read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
