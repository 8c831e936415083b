"""`mmm ui`: Dagster's web interface and daemon, and the server of published pages."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from mmm_assets import home
from mmm_assets.cli.terminal import print_parts


def ui(port: Annotated[int, typer.Option(help="Port of the web server.")] = 3000) -> None:
    """Start Dagster's web interface and daemon with the platform's home, on 127.0.0.1 only."""
    from mmm_assets.pages import server

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
