"""Processes that tests kill, race or watch: forked from one server, so that the imports are paid once.

Here: starting a process with the environment of the test, waiting for it, what it complained of.
Not here: what such processes do (functions of modules beside the tests; `PRELOADED` names those modules).
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

PRELOADED = [
    "tests.assets.refreshes.refresh_process",
    "tests.assets.rights_process",
    "tests.engine.history.history_cases",
]
PATIENCE_SECONDS = float(os.environ.get("MMM_PATIENCE", "120"))

# Forked from a server without threads: a fork of the test's own process would inherit locks that other threads hold.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(PRELOADED)


@dataclass(frozen=True)
class Forked:
    """A process that was started.

    Attributes:
        process: The process.
        complaints: File with what it wrote to stderr.
    """

    process: BaseProcess
    complaints: Path

    def exit_code(self) -> int:
        """Exit code once it has ended, below 0 for a signal; a process that failed by itself raises its stderr."""
        self.process.join(PATIENCE_SECONDS)
        code = self.process.exitcode
        if code is None or code > 0:
            self.process.kill()
            raise AssertionError(f"exit code {code}: {self.complaints.read_text()[-3000:]}")
        return code


def start(function: Callable[..., object], *arguments: Any, complaints: Path) -> Forked:
    """Call a function in a process of its own.

    Args:
        function: Function of a module that can be imported; what it prints is dropped.
        arguments: What it is called with; they are pickled.
        complaints: File that takes its stderr.
    """
    process = _SERVER.Process(target=_run, args=(function, arguments, dict(os.environ), complaints))
    process.start()
    return Forked(process, complaints)


def _run(
    function: Callable[..., object],
    arguments: tuple[Any, ...],
    environment: Mapping[str, str],
    complaints: Path,
) -> None:
    os.environ.clear()  # the server has the environment of its start
    os.environ.update(environment)
    for descriptor, path in ((1, os.devnull), (2, complaints)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    function(*arguments)
