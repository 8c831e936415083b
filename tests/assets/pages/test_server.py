"""Claims about the server of published pages: these pages, this machine, nothing else of the home."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mmm_assets.pages.server as page_server
from mmm_assets.pages.server import HOST, make_server, note_port, page_address

PAGES = ("report/ms.html", "report/ms.client.html", "portfolio/portfolio.html")
Fetch = Callable[..., tuple[int, bytes]]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Port of a running server with some pages."""
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
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()

    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fetch(port: int) -> Fetch:
    """Status and body of a path on it."""

    def get(path: str, host: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        connection.request("GET", path, headers={"Host": host or f"{HOST}:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    return get


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


def test_a_link_in_the_place_of_a_page_leads_nowhere(tmp_path: Path, fetch: Fetch) -> None:
    """Whoever can plant one would have the server read any file for them."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "storage" / "report" / "link.html").symlink_to(secret)
    assert fetch("/report/link.html")[0] == 404


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/portfolio/portfolio.html", "No client has been refreshed yet"),
        ("/report/shop.html", "shop.html is not written yet"),
        ("/report/app.html", "<li>column &#x27;tv&#x27;: found &lt;b&gt;</li>"),
        ("/report/app.html", '<a href="app.failed.html">The refused results</a>'),
    ],
)
def test_a_page_that_is_not_written_yet_says_when_it_will_be(
    fetch: Fetch, tmp_path: Path, path: str, text: str
) -> None:
    """`mmm ui` names the page of all clients before there is one: whoever opens it waits, the page looks again."""
    (tmp_path / "storage" / "portfolio" / "portfolio.html").unlink()
    (tmp_path / "storage" / "report" / "app.failed.html").write_text("refused")
    status = {"published": False, "reasons": ["column 'tv': found <b>"]}
    (tmp_path / "storage" / "report" / "app.json").write_text(json.dumps(status))
    status, body = fetch(path)
    assert status == 404
    assert text in body.decode()
    assert '<meta http-equiv="refresh" content="10">' in body.decode()


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


def connected(port: int) -> socket.socket:
    """A client that has yet to ask for something."""
    return socket.create_connection((HOST, port), timeout=10)


def is_cut_off(client: socket.socket) -> bool:
    """Whether a connection ends within ten seconds, read to its end."""
    try:
        while client.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def threads_fall_to(count: int) -> bool:
    """Whether there are no more threads than that within ten seconds."""
    until = time.monotonic() + 10
    while threading.active_count() > count and time.monotonic() < until:
        time.sleep(0.02)
    return threading.active_count() <= count


@contextlib.contextmanager
def dripping(port: int) -> Iterator[socket.socket]:
    """A client that sends its request a byte at a time, for ever."""
    client, ended = connected(port), threading.Event()

    def drip() -> None:
        with contextlib.suppress(OSError):
            client.sendall(b"GET /report/ms.html HTTP/1.0\r\nX: ")
            while not ended.wait(0.02):
                client.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    yield client
    ended.set()
    thread.join()
    client.close()


def test_a_client_that_drips_its_request_is_cut_off(
    port: int, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that keep coming do not keep it; another reader gets the page meanwhile."""
    monkeypatch.setattr(page_server, "LONGEST_SECONDS", 0.5)
    with dripping(port) as client:
        assert fetch("/report/ms.html")[0] == 200
        assert is_cut_off(client)


def test_a_client_that_never_reads_its_answer_is_cut_off(
    port: int,
    fetch: Fetch,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A page that no buffer holds; nobody is told, since nobody has to do anything."""
    monkeypatch.setattr(page_server, "LONGEST_SECONDS", 0.5)
    (tmp_path / "storage" / "report" / "ms.html").write_bytes(b"x" * 50_000_000)
    before = threading.active_count()
    client = connected(port)
    client.sendall(f"GET /report/ms.html HTTP/1.0\r\nHost: {HOST}:{port}\r\n\r\n".encode())
    assert fetch("/portfolio/portfolio.html")[0] == 200
    assert threads_fall_to(before)
    client.close()
    assert capfd.readouterr().err == ""


def test_silent_clients_take_no_more_than_their_number_of_threads(
    port: int, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each one more ends the oldest; a reader is served beside them."""
    monkeypatch.setattr(page_server, "MOST_CONNECTIONS", 4)
    before = threading.active_count()
    clients = [connected(port) for _ in range(12)]
    assert fetch("/report/ms.html")[0] == 200
    assert all(is_cut_off(client) for client in clients[:8])
    assert threads_fall_to(before + 4)
    for client in clients:
        client.close()
