"""Claims about the server of published pages: these pages, this machine, nothing else of the home."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mmm_assets.pages.server import HOST, make_server, note_port, page_address

PAGES = ("report/ms.html", "report/ms.client.html", "portfolio/portfolio.html")
Fetch = Callable[..., tuple[int, bytes]]


@pytest.fixture
def fetch(tmp_path: Path) -> Iterator[Fetch]:
    """Status and body of a path on a running server."""
    for name in (
        "report/ms.html",
        "report/ms.client.html",
        "report/ms.json",
        "portfolio/portfolio.html",
        "secret.html",
    ):
        path = tmp_path / "storage" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<p>{name}</p>")
    server = make_server(tmp_path, 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def get(path: str, host: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, server.server_port, timeout=10)
        connection.request("GET", path, headers={"Host": host or f"{HOST}:{server.server_port}"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    yield get
    server.shutdown()
    server.server_close()
    thread.join()


def test_published_pages_are_served(fetch: Fetch) -> None:
    """Reports of both kinds, the portfolio, and the way there from the root."""
    assert fetch("/report/ms.html") == (200, b"<p>report/ms.html</p>")
    assert fetch("/report/ms.client.html")[0] == 200
    assert fetch("/portfolio/portfolio.html?x=1")[0] == 200
    assert fetch("/")[0] == 302


@pytest.mark.parametrize(
    "path",
    ["/report/ms.json", "/secret.html", "/report/../secret.html", "/report/%2e%2e/secret.html", "/report/",
     "/report/MS.html", "/report/..%2fsecret.html", "/report/none.html", "/metric_history.duckdb"],
)  # fmt: skip
def test_nothing_else_is(fetch: Fetch, path: str) -> None:
    """Other files, folders, paths that climb, clients that do not exist."""
    assert fetch(path)[0] == 404


def test_a_foreign_name_gets_nothing(fetch: Fetch) -> None:
    """A page elsewhere that resolves its own name to this machine."""
    assert fetch("/report/ms.html", host="evil.example")[0] == 403


def test_addresses_follow_the_port_of_the_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mmm ui --port 4000` serves pages on 4001."""
    monkeypatch.delenv("MMM_PAGES_PORT", raising=False)
    assert page_address("report/ms.html") == "http://127.0.0.1:3001/report/ms.html"
    monkeypatch.setenv("MMM_PAGES_PORT", "4001")
    assert page_address("report/ms.html") == "http://127.0.0.1:4001/report/ms.html"


def test_a_command_links_to_where_the_pages_of_its_home_are_served(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mmm ui --port 5000` was started elsewhere; another address is said by a variable."""
    monkeypatch.delenv("MMM_PAGES_PORT", raising=False)
    note_port(home, 5001)
    monkeypatch.delenv("MMM_PAGES_PORT")
    assert page_address("report/ms.html") == "http://127.0.0.1:5001/report/ms.html"
    monkeypatch.setenv("MMM_PAGES_URL", "https://reports.example.org/mmm/")
    assert page_address("report/ms.html") == "https://reports.example.org/mmm/report/ms.html"
