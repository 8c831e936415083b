"""No process that the platform starts takes a module from the folder in which it was started."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmm_assets.pages.server import HOST, start_server

PLANTED = (
    *("http", "socket", "selectors", "struct", "signal", "threading", "typing", "enum", "json", "logging"),
    *("mmm_assets", "mmm_engine", "dagster", "numpy", "llvmlite", "sitecustomize", "usercustomize"),
)
LAUNCH = """
import os, sys
from mmm_assets.launching import local

if __name__ == "__main__":
    os.chdir(sys.argv[1])
    local.root_directory = lambda instance: sys.argv[1]
    local.execute = print  # in the place of a run: what matters is how its process starts
    local.WARM = "keyword"
    local.WarmRunLauncher._instance = None
    launcher = local.WarmRunLauncher()
    run = type("Run", (), {"run_id": "r1"})
    launcher.launch_run(type("Context", (), {"dagster_run": run}))
    launcher._processes["r1"].join(60)
    assert "PYTHONSAFEPATH" not in os.environ
    sys.exit(launcher._processes["r1"].exitcode)
"""


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder of modules that leave a mark where they are imported."""
    folder = tmp_path / "planted"
    folder.mkdir()
    for name in PLANTED:
        mark = folder / f"{name}.imported"
        (folder / f"{name}.py").write_text(
            f"open({str(mark)!r}, 'w').close()\nraise RuntimeError('planted')\n"
        )
    return folder


def test_the_server_of_pages(planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what PYTHONPATH offers; a home in which such files lie is no better."""
    monkeypatch.chdir(planted)
    monkeypatch.setenv("PYTHONPATH", str(planted))
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    server = start_server(planted, port)
    try:
        assert _status(port) == 404
    finally:
        server.kill()
        server.wait()
    assert list(planted.glob("*.imported")) == []


def test_processes_of_runs(planted: Path, tmp_path: Path) -> None:
    """The fork server, its resource tracker and what they fork."""
    script = tmp_path / "launch.py"
    script.write_text(LAUNCH)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, script, planted], capture_output=True, text=True, check=False, env=clean
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("r1 ")
    assert list(planted.glob("*.imported")) == []


def _status(port: int) -> int:
    """Status of a page that is not there, once the server answers."""
    until = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=10)
            connection.request("GET", "/report/none.html")
            return connection.getresponse().status
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
