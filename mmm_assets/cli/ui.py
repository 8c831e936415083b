"""`mmm ui`: Dagster's web interface and daemon, and the server of published pages."""

from __future__ import annotations

import os
import socket
import sys
from typing import Annotated

import typer

from mmm_assets import home
from mmm_assets.cli.options import refuse
from mmm_assets.cli.terminal import print_parts


def ui(port: Annotated[int, typer.Option(help="Port of the web server.")] = 3000) -> None:
    """Start Dagster's web interface and daemon with the platform's home, on 127.0.0.1 only."""
    from mmm_assets.pages import server

    _require_free(port)
    folder = home.prepare_home(home.home_dir())
    if not (folder / "history").exists():
        home.open_quietly(folder).dispose()  # records that the daemon would begin take up more room
    if "://" not in os.environ.get(home.DATA_VARIABLE, ""):
        os.environ[home.DATA_VARIABLE] = str(home.data_dir())  # whatever folder this was called from
    workspace = str(home.shipped_file("workspace.yaml"))
    server.note_port(folder, port + 1)
    server.start_server(home.results_root(), port + 1)
    print_parts(f"Dagster on http://127.0.0.1:{port} (home {folder}); stop with Ctrl-C.")
    print_parts(f"Portfolio and reports: {server.page_address('portfolio/portfolio.html')}")
    sys.stdout.flush()
    command = [sys.executable, "-P", "-W", "ignore", "-m", "mmm_assets.pages.interface", "dev"]
    os.chdir(folder)  # an .env file of whatever folder this was called from must not change the home
    os.execv(sys.executable, [*command, "-w", workspace, "-h", "127.0.0.1", "-p", str(port)])  # noqa: S606


def _require_free(port: int) -> None:
    """Refuse ports that somebody listens on: beside the interface that has them a second daemon would be started.

    Raises:
        ConfigError: If the port of the web server, or the one after it for pages, is taken.
    """
    for each in (port, port + 1):
        with socket.socket() as probe:
            probe.settimeout(2.0)
            if probe.connect_ex(("127.0.0.1", each)) == 0:
                fix = f"if another mmm ui runs, look at it or stop it; else choose others: --port {port + 10}"
                refuse("--port", f"port {each} in use", f"ports {port} and {port + 1} free", fix)
