"""Dagster's web interface, closed to pages of other origins that the same browser shows.

Here: which requests are refused, and starting `dagster dev` with a web server that refuses them.
Not here: where Dagster is made to ask (dagster_private/interface.py), the server of published pages (server.py).

Dagster's GraphQL asks for no login: what reaches it may start runs and delete records. Binding to 127.0.0.1 keeps other
machines out, not pages in a browser on this one. A form of any site may post to it, an image of any site may name a
query in its address, a web socket of any site reads answers, and a name that is made to resolve to 127.0.0.1 makes
any site one of ours (https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
HOSTS_VARIABLE = "MMM_UI_HOSTS"
_SAFE = ("GET", "HEAD", "OPTIONS")
_ELSEWHERE = ("cross-site", "same-site")
_MODULE = ["-m", "mmm_assets.pages.interface", "webserver"]


def further_hosts() -> list[str]:
    """Names under which a proxy or a tunnel hands this interface out: $MMM_UI_HOSTS, with commas between."""
    return [name.strip() for name in os.environ.get(HOSTS_VARIABLE, "").split(",") if name.strip()]


def refusal(kind: str, method: str, path: str, headers: Mapping[str, str]) -> str:
    """Why a request is not answered; "" for one that is.

    A page of another origin may link here, and nothing else; scripts, which send no ``Origin``, may ask in JSON.

    Args:
        kind: "http" or "websocket".
        method: Of a request over HTTP.
        path: Its path.
        headers: Its headers, names in lower case.
    """
    origin = headers.get("origin")
    if origin is not None:
        sender = urlsplit(origin)
        if sender.netloc != headers.get("host", "") and sender.hostname not in further_hosts():
            return f"a page of {origin} may not ask here"
    if kind == "websocket":
        return ""
    is_graphql = path.rstrip("/").endswith("/graphql")
    is_link = method in _SAFE and headers.get("sec-fetch-mode") == "navigate"
    if headers.get("sec-fetch-site") in _ELSEWHERE and not is_link:
        return "a page of another site may not ask here"
    if not is_graphql or method == "OPTIONS":
        return ""
    if method in _SAFE:  # the page on which one writes queries; Dagster runs queries of any other address
        return "" if "text/html" in headers.get("accept", "") else "queries are posted, as application/json"
    essence = headers.get("content-type", "").partition(";")[0].strip().lower()
    return "" if essence == "application/json" else "queries are posted as application/json"


class OwnPagesOnly:
    """Middleware that refuses what `refusal` refuses, and lets no other page put this one into a frame."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        reason = refusal(scope["type"], scope.get("method", "GET"), scope["path"], Headers(scope=scope))
        if reason:
            await PlainTextResponse(f"Refused: {reason}.\n", status_code=403)(scope, receive, send)
            return

        async def send_unframed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"x-frame-options", b"SAMEORIGIN")]
            await send(message)

        await self._app(scope, receive, send_unframed)


def guards() -> list[Middleware]:
    """What stands in front of Dagster's web server."""
    hosts = [*HOSTS, *further_hosts()]
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
        Middleware(OwnPagesOnly),
    ]


def main() -> None:
    """Run ``dev`` or ``webserver``, the first argument, with the others as its options."""
    from mmm_assets.dagster_private.interface import run_dev, run_webserver

    what, words = sys.argv[1], sys.argv[2:]
    if what == "dev":
        run_dev(words, _MODULE)
    else:
        run_webserver(words, guards())


if __name__ == "__main__":
    main()
