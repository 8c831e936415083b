"""`mmm ui` refuses ports that are taken, before anything is started or written."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from mmm_assets.pages import server


@pytest.mark.parametrize("taken", [0, 1], ids=["interface", "pages"])
def test_a_port_that_is_taken_is_told_before_anything_starts(mmm, home, monkeypatch, taken: int):
    """Typed twice by mistake it once left a second daemon beside the first, and pages without a server."""
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("Dagster was started"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, _, err = mmm("ui", "--port", str(port - taken))
    assert code == 2
    assert f"found port {port} in use; wanted ports {port - taken} and {port - taken + 1} free" in err
    assert "if another mmm ui runs" in err
    assert not (home / "pages.port").exists()


def test_services_can_be_ended_where_a_script_started_them(mmm, home, monkeypatch):
    """`mmm ui &` of a script ignores interrupts, and so did all of Dagster's services, which then outlived it."""
    seen: list[object] = []
    monkeypatch.chdir(home.parent)
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(server, "start_server", lambda *_: None)
    monkeypatch.setattr(os, "execv", lambda *_: seen.append(signal.getsignal(signal.SIGINT)))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        mmm("ui", "--port", str(port))
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.default_int_handler]


def test_any_command_can_be_ended_where_a_script_started_it(mmm):
    """Dagster has SIGTERM do what SIGINT does: `mmm refresh acme &` of a script went on whatever it was sent."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        mmm("--version")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
