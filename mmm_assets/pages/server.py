"""Published pages over HTTP, on this machine only, so that links in Dagster's interface open them.

Here: a server for the report and portfolio pages below a root, and the address of each.
Not here: writing pages (publication.py), Dagster's own web server.

It hands out these pages and nothing else of what is stored, answers only to its own address (a page elsewhere that
resolves its name to 127.0.0.1 gets nothing), bounds the time and the number of connections, and ends with the process
that started it.
"""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mmm_assets.home import home_dir, root_at, storage_dir
from mmm_assets.storage.objects import is_local
from mmm_engine.files.atomic_write import write_text

HOST = "127.0.0.1"
PORT = 3001  # beside Dagster's 3000
PORT_VARIABLE = "MMM_PAGES_PORT"
URL_VARIABLE = "MMM_PAGES_URL"
_NOTE = "pages.port"
_PAGE = re.compile(r"^/(report/[a-z0-9][a-z0-9_-]{0,62}(\.client|\.failed)?|portfolio/portfolio)\.html$")
_NOT_YET = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><meta http-equiv="refresh" content="10">
<title>{title}</title>
<style>body {{font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem}}
  li {{white-space: pre-line}}</style>
</head>
<body>
<h1>{title}</h1>
<p>{text} This page looks again every ten seconds.</p>
<p><a href="/portfolio/portfolio.html">All clients</a></p>
</body>
</html>
"""
_PARENT_SECONDS = 2.0
LONGEST_SECONDS = 30.0
"""From the first byte of a request to the last of its answer; a page takes milliseconds."""
MOST_CONNECTIONS = 64
"""Each has a thread; one more ends the oldest."""


def page_address(page: str) -> str:
    """Address of a page: below $MMM_PAGES_URL where others serve the pages, else while `mmm ui` of this home runs.

    Args:
        page: Its path below storage, for example "report/ms.html".
    """
    elsewhere = os.environ.get(URL_VARIABLE)
    return f"{elsewhere.rstrip('/')}/{page}" if elsewhere else f"http://{HOST}:{_port()}/{page}"


def note_port(home: Path, port: int) -> None:
    """Note where the pages of a home are served: runs of commands link to the same place as those of the daemon."""
    os.environ[PORT_VARIABLE] = str(port)
    write_text(home / _NOTE, f"{port}\n")


def _port() -> int:
    """The port of this process's `mmm ui`, else that of the home's last one, else the usual one."""
    named = os.environ.get(PORT_VARIABLE)
    note = home_dir() / _NOTE
    noted = note.read_text().strip() if named is None and note.is_file() else named
    return int(noted) if noted and noted.isdigit() else PORT


def start_server(root: Path, port: int) -> subprocess.Popen[bytes]:
    """Serve the pages below a root from a process of its own until this one ends.

    Isolated (`-I`): no module of the current folder, of `PYTHONPATH` or of the user's own packages takes the place of
    one that it imports.
    """
    module = ["-I", "-m", "mmm_assets.pages.server"]
    command = [sys.executable, *module, str(root), str(port), str(os.getpid())]
    return subprocess.Popen(command, cwd=root if is_local(root) else None)


class PatientServer(ThreadingHTTPServer):
    """A server that clients cannot hold up: one that is slow to ask or to read is cut off, and only that one.

    A time limit for each read alone would not do: a client that sends a byte now and then never meets it.
    """

    request_queue_size = 128  # connections that wait to be taken; 5 of the standard library's are soon full

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._began: dict[socket.socket, float] = {}  # open connections, the oldest first
        self._lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection, in place of the oldest where there are too many."""
        with self._lock:
            if len(self._began) >= MOST_CONNECTIONS:
                self._cut_off(next(iter(self._began)))
            self._began[request] = time.monotonic()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Twice a second: cut off what takes too long."""
        limit = time.monotonic() - LONGEST_SECONDS
        with self._lock:
            for late in [request for request, began in self._began.items() if began < limit]:
                self._cut_off(late)

    def close_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._began.pop(request, None)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away or were cut off."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def _cut_off(self, request: socket.socket) -> None:
        """End a connection; the thread that waits for it then ends by itself."""
        self._began.pop(request, None)
        with contextlib.suppress(OSError):  # it may have ended meanwhile
            request.shutdown(socket.SHUT_RDWR)


def make_server(root: Path, port: int) -> PatientServer:
    """A server that is ready to serve; port 0 takes any free one.

    Raises:
        OSError: If the port is taken.
    """
    storage = storage_dir(root)

    class Pages(BaseHTTPRequestHandler):
        """Answers with a page, or says when there will be one."""

        def do_GET(self) -> None:
            """Send a page."""
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            """Say whether a page is there."""
            self._answer(with_body=False)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

        def _answer(self, *, with_body: bool) -> None:
            addresses = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}  # type: ignore[attr-defined]
            if self.headers.get("Host") not in addresses:
                self.send_error(HTTPStatus.FORBIDDEN)
                return
            path = self.path.split("?", 1)[0]
            if path == "/":
                self.send_response(HTTPStatus.FOUND)
                self.send_header("Location", "/portfolio/portfolio.html")
                self.end_headers()
                return
            file = storage / path[1:]
            if not _PAGE.fullmatch(path) or file.is_symlink():
                self.send_error(HTTPStatus.NOT_FOUND, "no such page")
                return
            there = file.is_file()
            body = file.read_bytes() if there else _not_yet(file).encode()
            self.send_response(HTTPStatus.OK if there else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-cache")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    return PatientServer((HOST, port), Pages)


def _not_yet(file: Path) -> str:
    """What is shown in place of a page that is not written yet; it looks again by itself."""
    refused = file.with_name(f"{file.stem}.failed.html")
    if file.parent.name == "portfolio":
        title, text = "No client has been refreshed yet", "This page is written when the first one is."
    elif reasons := _refused(file.with_name(f"{file.name.split('.')[0]}.json")):
        title = f"No report of {file.stem} is published"
        listed = "".join(f"<li>{html.escape(reason)}</li>" for reason in reasons)
        link = f'<a href="{refused.name}">The refused results</a>' if refused.is_file() else ""
        text = f"Its last refresh was refused:<ul>{listed}</ul>{link}</p><p>"
    else:
        title = f"{file.name} is not written yet"
        text = "It is written when the client's refresh ends; <code>mmm list</code> says where each client stands."
    return _NOT_YET.format(title=title, text=text)


def _refused(status: Path) -> list[str]:
    """Why a client's last refresh was refused, as publication.py notes it; nothing where it was not."""
    if status.is_symlink():
        return []
    with contextlib.suppress(OSError, ValueError):
        noted = json.loads(status.read_text(encoding="utf-8"))
        return [] if noted["published"] else [str(reason) for reason in noted["reasons"]]
    return []


def _end_with(parent: int) -> None:
    """End this process when its parent is gone."""
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os._exit(0)


def main() -> None:
    """Serve; arguments: root, port, id of the process to end with."""
    root, port, parent = root_at(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    try:
        server = make_server(root, port)
    except OSError as error:
        print(f"Reports are not served: port {port}: {error.strerror}", file=sys.stderr)
        return
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
