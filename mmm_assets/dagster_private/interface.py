"""Dagster's web interface with middleware in front.

Here: `dagster dev` with another module in place of its web server, the web server with middleware of ours.
Not here: what the middleware refuses (mmm_assets.pages.interface).

Neither has a setting for it: `dagster dev` starts `python -m dagster_webserver`, whose application asks
`DagsterWebserver.build_middleware` for what stands in front of it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from dagster._cli import dev
from dagster_webserver import cli
from dagster_webserver.webserver import DagsterWebserver
from starlette.middleware import Middleware

_STOCK = ["-m", "dagster_webserver"]


def with_module(command: Sequence[str], module: Sequence[str]) -> list[str]:
    """A command of `dagster dev`, with other words where it starts the stock web server.

    >>> with_module(["python", "-m", "dagster_webserver", "--port", "3000"], ["-m", "mine"])
    ['python', '-m', 'mine', '--port', '3000']
    """
    words = list(command)
    return [words[0], *module, *words[3:]] if words[1:3] == _STOCK else words


def run_dev(words: Sequence[str], module: Sequence[str]) -> None:
    """Run `dagster dev`, which ends with its processes.

    Args:
        words: Its options.
        module: What Python is told to run in place of the stock web server, as ``["-m", "mine"]``.
    """
    stock: Any = dev
    start = stock.open_ipc_subprocess

    def start_ours(command: Sequence[str], **settings: Any) -> Any:
        return start(with_module(command, module), **settings)

    stock.open_ipc_subprocess = start_ours
    dev.dev_command.main(args=list(words), prog_name="dagster dev")


def run_webserver(words: Sequence[str], guards: Sequence[Middleware]) -> None:
    """Run the web server with middleware in front of its own, first the first.

    Args:
        words: Options of `dagster-webserver`.
        guards: The middleware.
    """
    put_in_front(guards)
    sys.argv[1:] = words
    cli.main()  # type: ignore[no-untyped-call]


def put_in_front(guards: Sequence[Middleware]) -> None:
    """Let every web server that this process makes have middleware in front of its own."""
    server: Any = DagsterWebserver
    stock = server.build_middleware
    server.build_middleware = lambda self: [*guards, *stock(self)]
