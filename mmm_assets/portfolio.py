"""The page of all clients: worst first, with the reason.

Here: order and HTML of the portfolio page.
Not here: where a client stands (publication.py), its numbers (mmm_engine.history).
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from datetime import datetime

from mmm_assets.publication import Status
from mmm_assets.types import DataFrame, History

SHOWN = {  # heading -> (window, split, metric) in the metric history
    "R-hat": ("full", "all", "rhat_max"),
    "MAPE, train": ("full", "train", "mape"),
    "MAPE, h12": ("h12", "test", "mape"),
    "Skill, h12": ("h12", "test", "skill"),
    "Coverage 90, h12": ("h12", "test", "coverage_90"),
}
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%}th,td{padding:.45rem .6rem;text-align:left;border-bottom:1px solid #d8dee4}
th{font-weight:600;color:#57606a}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bad{color:#a40e26;font-weight:600}.care{color:#7d4e00;font-weight:600}.good{color:#116329;font-weight:600}
td ul{margin:0;padding-left:1.1rem}small{color:#57606a}
"""


def render_portfolio(
    clients: Sequence[str], statuses: Sequence[Status], history: History, now: datetime
) -> str:
    """One self-contained page over all clients."""
    by_client = {status.client: status for status in statuses}
    numbers = _latest_numbers(history.read(latest=True))
    ordered = sorted(clients, key=lambda client: _badness(client, by_client.get(client)))
    rows = "\n".join(_row(client, by_client.get(client), numbers.get(client, {})) for client in ordered)
    refused = sum(not status.published for status in statuses)
    headings = "".join(f'<th class="n">{html.escape(name)}</th>' for name in SHOWN)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Portfolio</title><style>{_STYLE}</style></head><body>
<h1>Portfolio</h1>
<p>{len(clients)} clients, {refused} with a refused refresh, {len(clients) - len(statuses)} never refreshed to the end.
<small>{now:%Y-%m-%d %H:%M} UTC</small></p>
<table><thead><tr><th>Client</th><th>Verdict</th><th>Why</th>{headings}<th>Last good report</th></tr></thead>
<tbody>
{rows}
</tbody></table></body></html>
"""


def _badness(client: str, status: Status | None) -> tuple[int, int, str]:
    """Sort key: refused, then never refreshed, then by the number of things to take care of."""
    if status is None:
        return (1, 0, client)
    return (0 if not status.published else 2, -len(status.reasons), client)


def _row(client: str, status: Status | None, numbers: dict[str, float]) -> str:
    """One client."""
    verdict = status.verdict if status else "never refreshed"
    tone = {"usable": "good", "usable with care": "care"}.get(verdict, "bad")
    reasons = status.reasons if status else ("no refresh came to its end",)
    why = (
        "<ul>" + "".join(f"<li>{html.escape(reason)}</li>" for reason in reasons) + "</ul>" if reasons else ""
    )
    cells = "".join(f'<td class="n">{_number(numbers.get(name, math.nan))}</td>' for name in SHOWN)
    name = html.escape(client)
    good = status.good_at if status else ""
    link = f'<a href="../report/{name}.html">{html.escape(good[:10])}</a>' if good else "none"
    return f'<tr><td>{name}</td><td class="{tone}">{html.escape(verdict)}</td><td>{why}</td>{cells}<td>{link}</td></tr>'


def _latest_numbers(latest: DataFrame) -> dict[str, dict[str, float]]:
    """The shown numbers by client and heading."""
    wanted = {place: heading for heading, place in SHOWN.items()}
    whole = latest[latest["channel"] == "all"]
    numbers: dict[str, dict[str, float]] = {}
    for row in whole.itertuples():
        heading = wanted.get((row.window, row.split, row.metric))
        if heading is not None:
            numbers.setdefault(row.client, {})[heading] = float(row.value)
    return numbers


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
