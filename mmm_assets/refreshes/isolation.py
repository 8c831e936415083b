"""Work that may die: one item after the other in a child process.

Here: the child, handing it items, noticing that it hangs or died, going on with a fresh child without the culprit.
Not here: what the work is (batches.py).

A fit that runs out of memory or into a fault of compiled code takes its whole process with it. A child costs its
imports once for all its items, and again only after a death.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, cast

GRACE_SECONDS = 15.0  # for a child that is asked to stop
_FIRST_TO_GO = "500"  # of -1000 to 1000: short of memory, the system ends a child before the daemon

Say = Callable[[str], object]
Task = Callable[[str, Mapping[str, Any], Say], Sequence[str]]
"""What a child does with an item: gets it, the options and where to say how far it is; returns what failed."""


@dataclass(frozen=True)
class Ended:
    """How the work on one item ended.

    Attributes:
        item: The item.
        failures: What failed, in words; empty when all went well.
        died: Whether the child did not survive it.
    """

    item: str
    failures: tuple[str, ...]
    died: bool = False


def each_in_child(
    task: str, items: Sequence[str], options: Mapping[str, Any], *, seconds: float, say: Say
) -> Iterator[Ended]:
    """Do a task for every item, in order.

    Args:
        task: ``module:function`` of a `Task`; the child imports it.
        items: What it is done for.
        options: Given to the task, as JSON.
        seconds: An item that takes longer is given up and its child killed.
        say: Told what the child says.
    """
    waiting = list(items)
    while waiting:
        with _Child(task, options) as child:
            while waiting and child.alive:
                yield child.do(waiting.pop(0), seconds, say)


class _Child:
    """A child process that does one item at a time."""

    def __init__(self, task: str, options: Mapping[str, Any]) -> None:
        self.alive = True
        command = [sys.executable, "-m", __name__, task, json.dumps(dict(options))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._requests = cast("IO[str]", self._process.stdin)
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._overdue = False
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let the child end; one that is in the middle of an item is interrupted, at last killed."""
        with contextlib.suppress(OSError):
            if kind is None:
                self._requests.close()
            else:
                self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def do(self, item: str, seconds: float, say: Say) -> Ended:
        """Have the child do an item, and wait for it."""
        with contextlib.suppress(OSError):  # a child that is gone sends no answer either
            self._requests.write(json.dumps(item) + "\n")
            self._requests.flush()
        timer = threading.Timer(seconds, self._give_up)
        timer.start()
        try:
            while (message := self._messages.get()) is not None:
                if "said" not in message:
                    return Ended(item, tuple(message["failures"]))
                say(message["said"])
        finally:
            timer.cancel()
        self.alive = False
        return Ended(item, (f"given up after {seconds:g} s" if self._overdue else self._death(),), died=True)

    def _give_up(self) -> None:
        self._overdue = True
        self._process.kill()

    def _listen(self) -> None:
        for line in cast("IO[str]", self._process.stdout):
            self._messages.put(json.loads(line))
        self._messages.put(None)

    def _death(self) -> str:
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return (
                "its process was killed (signal 9), as the system does when memory runs out; "
                "fit fewer chains side by side (sampler.cores) or give the machine more memory"
            )
        return f"its process died ({signal.strsignal(-code) if code < 0 else f'exit code {code}'})"


def serve(task: str, options: Mapping[str, Any]) -> None:
    """Do what the parent asks for on stdin, until it hangs up; answers go to stdout, one line of JSON each."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent started in the background ignores it
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else prints must not mix with the answers
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    items: queue.Queue[str | None] = queue.Queue()
    working = threading.Event()
    threading.Thread(target=_receive, args=(items, working), daemon=True).start()
    module, _, name = task.partition(":")
    function: Task = getattr(importlib.import_module(module), name)

    def say(text: str) -> None:
        answers.write(json.dumps({"said": text}) + "\n")

    while (item := items.get()) is not None:
        working.set()
        try:
            failures = list(function(item, options, say))
        except Exception as error:  # whatever one item does must not cost the others
            failures = [f"{type(error).__name__}: {error}"]
        working.clear()
        answers.write(json.dumps({"failures": failures}) + "\n")


def _receive(items: queue.Queue[str | None], working: threading.Event) -> None:
    """Take items from the parent; when it is gone, so is the reason to go on."""
    for line in sys.stdin:
        items.put(json.loads(line))
    if working.is_set():
        os._exit(1)
    items.put(None)


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]))
