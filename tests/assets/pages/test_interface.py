"""Dagster's web interface answers its own pages and scripts, not pages of other sites that the same browser shows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dagster_webserver.webserver import DagsterWebserver

from mmm_assets.dagster_private.interface import put_in_front
from mmm_assets.pages.interface import guards, refusal

HOST = "127.0.0.1:3000"
OWN, ELSEWHERE = f"http://{HOST}", "http://evil.example"
JSON = "application/json"


def asked(method: str = "POST", path: str = "/graphql", kind: str = "http", **headers: str) -> str:
    """Why a request with such headers is refused."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return refusal(kind, method, path, {"host": HOST, **named})


@pytest.mark.parametrize(
    "request_",
    [
        {"content_type": JSON, "origin": OWN, "sec_fetch_site": "same-origin"},  # the interface itself
        {"content_type": f"{JSON}; charset=utf-8"},  # a script
        {"method": "GET", "path": "/runs", "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},  # a link
        {"method": "GET", "path": "/", "sec_fetch_site": "none", "sec_fetch_mode": "navigate"},
        {"method": "GET", "accept": "text/html,*/*"},  # the page on which one writes queries
        {"kind": "websocket", "origin": OWN},
        {"kind": "websocket"},
    ],
    ids=str,
)  # fmt: skip
def test_own_pages_links_and_scripts_are_answered(request_: dict[str, str]) -> None:
    """Nobody who works with the interface notices the guard."""
    assert asked(**request_) == ""


@pytest.mark.parametrize(
    "request_",
    [
        {"content_type": "application/x-www-form-urlencoded", "origin": ELSEWHERE},  # a form with ?query=
        {"content_type": "text/plain", "origin": "null"},  # the same in a sandboxed frame
        {"content_type": "text/plain"},  # a browser that says no origin
        {"content_type": f"text/plain;{JSON}"},  # Dagster looks for the words anywhere
        {"content_type": JSON, "origin": ELSEWHERE},
        {"content_type": JSON, "origin": "http://127.0.0.1:8888"},  # another server of this machine
        {"method": "GET", "accept": "image/*"},  # an image with ?query=
        {"method": "GET", "path": "/logs/x", "sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
        {"path": "/report_asset_materialization/x", "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
        {"kind": "websocket", "origin": ELSEWHERE},  # answers of a web socket can be read from anywhere
    ],
    ids=str,
)  # fmt: skip
def test_other_pages_are_refused(request_: dict[str, str]) -> None:
    """Whatever a browser sends for a page of another origin without asking first."""
    assert asked(**request_) != ""


def test_a_proxy_that_was_named_may_hand_the_interface_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pages have its name as their origin."""
    proxied = {"content_type": JSON, "origin": "https://mmm.example.org"}
    assert asked(**proxied) != ""
    monkeypatch.setenv("MMM_UI_HOSTS", "other.example.org, mmm.example.org")
    assert asked(**proxied) == ""


def test_the_guard_stands_in_front_of_dagsters_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Foreign names and foreign pages are refused by the application that Dagster builds; no page frames another."""
    monkeypatch.setattr(DagsterWebserver, "build_middleware", DagsterWebserver.build_middleware)
    put_in_front(guards())
    application = DagsterWebserver(None).create_asgi_app()
    status, headers = _answer(application, host=HOST)
    assert (status, headers["x-frame-options"]) == (200, "SAMEORIGIN")
    assert _answer(application, host="rebound.example:3000")[0] == 400
    assert _answer(application, host=HOST, origin=ELSEWHERE)[0] == 403


def _answer(application: Any, **headers: str) -> tuple[int, dict[str, str]]:
    """Status and headers of an application's answer to a question that needs no workspace."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/server_info", "root_path": "", "query_string": b""}
    asyncio.run(
        application({**scope, "scheme": "http", "http_version": "1.1", "headers": lines}, receive, send)
    )
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}
