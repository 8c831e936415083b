"""What the outside sees of a client: the last good report, and whether it is still the newest word.

Here: putting a report in place, refusing to, marking the last good one stale, the status that the portfolio reads.
Not here: why results are refused (mmm_engine.scores.gates), how a page looks (mmm_engine.report).

Beside ``report/<client>.html`` (the last good page) stand ``<client>.json`` (its status), where it was asked for
``<client>.client.html`` (the same for the client's eyes) and, after a refusal, ``<client>.failed.html`` (what was
refused, for whoever looks into it).
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from mmm_assets.runs import Refresh
from mmm_assets.storage.io_managers import ROOT, HtmlFiles, JsonFiles
from mmm_assets.storage.objects import put_text

ASSET = "report"
_BANNER = re.compile(r"<!-- stale -->.*?<!-- /stale -->", re.DOTALL)
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True)
class Status:
    """Where a client stands after its last refresh.

    Attributes:
        client: Id of the client.
        verdict: "usable", "usable with care" or "do not use".
        published: Whether the last refresh put its report in place.
        reasons: Why not, or what to take care of.
        refresh: Id of the last refresh.
        at: When it ended, ISO 8601, UTC.
        seconds: How long it took.
        good_at: When the report in place was published; "" when there is none.
        budget: What its plan says of the coming budget, in a few words; "" when it was not published.
    """

    client: str
    verdict: str
    published: bool
    reasons: tuple[str, ...]
    refresh: str
    at: str
    seconds: float = 0.0
    good_at: str = ""
    budget: str = ""


class Publication(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The published pages below ``storage/report``."""

    root: str = Field(default="", description=ROOT)

    def publish(
        self, client: str, verdict: str, cautions: Sequence[str], refresh: Refresh, budget: str = ""
    ) -> None:
        """Record that the client's report is in place; what was refused before is gone."""
        self.failed_path(client).unlink(missing_ok=True)
        now, reasons = refresh.ended_at, tuple(cautions)
        self._write(Status(client, verdict, True, reasons, refresh.id, now, refresh.seconds, now, budget))

    def refuse(self, client: str, reasons: Sequence[str], refresh: Refresh, page: str | None = None) -> Path:
        """Keep the last good report, mark it stale, and store the refused page beside it.

        Returns:
            Where the refused page is stored (or would be).
        """
        earlier = self.status(client)
        good_at = earlier.good_at if earlier else ""
        failed = self.failed_path(client)
        if page is not None:
            put_text(failed, page)
        for good in (self.report_path(client), self.client_path(client)):
            if good.is_file():
                put_text(good, mark_stale(good.read_text(encoding="utf-8"), reasons, refresh.ended))
        now = refresh.ended_at
        status = Status(
            client, "do not use", False, tuple(reasons), refresh.id, now, refresh.seconds, good_at=good_at
        )
        self._write(status)
        return failed

    def status(self, client: str) -> Status | None:
        """Where the client stands, or None when it was never refreshed to the end."""
        stored = JsonFiles(root=self.root).read_or_none(ASSET, client)
        if stored is None:
            return None
        known = {field.name for field in fields(Status)}  # a later version on another machine may say more
        stored = {name: value for name, value in stored.items() if name in known}
        return Status(**{**stored, "reasons": tuple(stored["reasons"])})

    def held_back(self) -> str:
        """Why nothing may be published at all: the last canary was missed; "" when it was found or never fitted."""
        stored = JsonFiles(root=self.root).read_or_none("canary")
        return str(stored.get("hold", "")) if stored else ""

    def report_path(self, client: str) -> Path:
        """The last good report."""
        return HtmlFiles(root=self.root).path(ASSET, client)

    def client_path(self, client: str) -> Path:
        """The last good report as it is written for the client, where one was asked for."""
        return self.report_path(client).with_suffix(".client.html")

    def wants_client_page(self, client: str) -> bool:
        """Whether a page for the client was asked for once; every refresh writes it again then."""
        return self.client_path(client).is_file()

    def put_client_page(self, client: str, page: str) -> Path:
        """Put the page for the client in place."""
        path = self.client_path(client)
        put_text(path, page)
        return path

    def failed_path(self, client: str) -> Path:
        """The page of the last refused refresh."""
        return self.report_path(client).with_suffix(".failed.html")

    def _write(self, status: Status) -> None:
        JsonFiles(root=self.root).write(ASSET, status.client, asdict(status))


def mark_stale(page: str, reasons: Sequence[str], since: datetime) -> str:
    """The page with a banner that says since when and why it is not the newest word; an earlier banner is replaced.

    >>> print(mark_stale("<body><p>results</p></body>", ["R-hat 1.2 > 1.01"], datetime(2026, 3, 1)).count("R-hat"))
    1
    """
    listed = "".join(f'<li style="white-space:pre-line">{html.escape(reason)}</li>' for reason in reasons)
    banner = (
        '<!-- stale --><div role="alert" style="margin:0;padding:1rem 2rem;background:#7a1f1f;color:#fff;'
        'font:16px/1.5 system-ui,sans-serif"><strong>Stale since '
        f"{since:%Y-%m-%d %H:%M} UTC.</strong> Newer results of this client were refused and are not shown:"
        f'<ul style="margin:.25rem 0 0">{listed}</ul></div><!-- /stale -->'
    )
    fresh = _BANNER.sub("", page)
    body = _BODY.search(fresh)
    place = body.end() if body else 0
    return fresh[:place] + banner + fresh[place:]
