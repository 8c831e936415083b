"""All clients on one page: which one needs a human today, and why.

Here: order, wording and data of the portfolio page, and the page itself.
Not here: where a client stands or its numbers (they arrive as a frame), one client's report (render.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd

from mmm_engine.client.natural_order import NaturalOrder, natural_order
from mmm_engine.report import bundle, numbers, plain_words, wording
from mmm_engine.report.page import CellKind, Tone, write_cell
from mmm_engine.scores.advice import ADVICE, subject_of

_CHECK = re.compile(r"([a-z_]+)(?: \([^)]*\))?: ")
#: Stands for the verdict of a client that is refreshed for the first time right now.
FIRST_REFRESH = "first refresh under way"
#: Verdicts from worst to best; a word that is not listed counts as the first.
VERDICTS: dict[str, Tone] = {
    "do not use": "bad",
    "never refreshed": "bad",
    "usable with care": "care",
    FIRST_REFRESH: "plain",
    "usable": "good",
}


@dataclass(frozen=True)
class Measure:
    """One numeric column of the page.

    Attributes:
        name: Column of the frame.
        label: Heading.
        kind: How it is written.
        limit: Beyond it the number is marked; None marks nothing.
        side: Whether the limit is a least or a most.
        hint: What the number is, for those who ask.
    """

    name: str
    label: str
    kind: CellKind
    limit: float | None
    side: Literal["least", "most"]
    hint: str

    def is_beyond(self, number: float, late_after: float) -> bool:
        """Whether a number lies beyond the limit; the age of data has one for each client."""
        limit = late_after if self.name == "stale_days" else self.limit
        return limit is not None and (number > limit if self.side == "most" else number < limit)


#: Age of data in days from which on they are late where a client's rhythm is not known.
LATE_AFTER = 14.0
MEASURES = (
    Measure("stale_days", "Days old", "count", LATE_AFTER, "most", "Days since the last row of data began"),
    Measure("mape_h08", "MAPE", "share", None, "most", "Mean absolute error of the last 8 unseen rows"),
    Measure("skill_h08", "Skill", "ratio", 0.0, "least", "Above 0: closer than the seasonal naive forecast"),
    Measure("coverage_90_h08", "In 90%", "share", 0.5, "least", "Unseen rows inside their 90% interval"),
    Measure("stability", "Stability", "ratio", 0.8, "least", "Overlap of channel shares across windows"),
    Measure(
        "drift",
        "Drift",
        "ratio",
        1.0,
        "most",
        "Drift statistic over its limit; an alarm from 1 on",
    ),
    Measure("rhat_max", "R-hat", "fine", 1.01, "most", "Largest R-hat of all parameters"),
    Measure("ess_min", "ESS", "count", 400.0, "least", "Smallest effective sample size"),
    Measure(
        "divergences",
        "Diverg.",
        "count",
        None,
        "most",
        "Divergent draws; a check judges their share of all draws",
    ),
    Measure("seconds", "Seconds", "count", None, "most", "Wall time of the last refresh"),
)


@dataclass(frozen=True)
class PortfolioRow:
    """One client as the page shows it.

    Attributes:
        client: Id, made safe to show.
        verdict: Its overall verdict.
        reason: Why, in words.
        last_date: Last row of data, ISO, "" when unknown.
        recorded_at: Last refresh, ISO with minutes, "" when unknown.
        numbers: One per measure, None when not defined.
        trend: Recent values for the sparkline, oldest first.
        link: Relative address of the report, "" when there is none.
        late_after: Age of its data in days from which on they are late by the client's own rhythm.
    """

    client: str
    verdict: str
    reason: str
    last_date: str
    recorded_at: str
    numbers: tuple[float | None, ...]
    trend: tuple[float | None, ...]
    link: str
    late_after: float = LATE_AFTER

    @property
    def is_late(self) -> bool:
        """Whether its data are late by its own rhythm, or of unknown age."""
        age = self.numbers[[measure.name for measure in MEASURES].index("stale_days")]
        return age is None or age > self.late_after

    @property
    def marked(self) -> bool:
        """Whether one of its numbers lies beyond its limit."""
        return any(
            number is not None and measure.is_beyond(number, self.late_after)
            for number, measure in zip(self.numbers, MEASURES, strict=True)
        )


def portfolio_rows(frame: pd.DataFrame, *, link: str = "../report/{client}.html") -> tuple[PortfolioRow, ...]:
    """Rows of the page, worst first: by verdict, then by age of the data, then by skill.

    Args:
        frame: Columns client, verdict, reason, last_date, recorded_at, the names of MEASURES, trend (a list of
            numbers) and optionally reasons (a list, "check (windows): words" each, the worst first, told instead of
            reason), budget (what its plan says), late_after (days) and report (relative address, "" for none). Missing
            numbers may be NaN or absent.
        link: Relative address of a report where the frame has no column of its own.
    """
    rows = [_row(values, link) for values in frame.to_dict("records")]
    return tuple(sorted(rows, key=_badness))


def render_portfolio(
    frame: pd.DataFrame,
    *,
    generated_at: datetime,
    link: str = "../report/{client}.html",
    trend_label: str = "MAPE over the last refreshes",
    engine_version: str = "",
) -> str:
    """The portfolio page: self-contained, sortable, filterable, made for thousands of rows.

    Args:
        frame: See ``portfolio_rows``.
        generated_at: When the page was made.
        link: Relative address of a client's report.
        trend_label: What the sparkline shows.
        engine_version: Written at the foot.
    """
    rows = portfolio_rows(frame, link=link)
    script = "\n" + bundle.template_text("theme.js", "portfolio.js") + "\n"
    return (
        bundle.environment()
        .get_template("portfolio.html.j2")
        .render(
            summary=summary_words(rows),
            counts=verdict_counts(rows),
            late=sum(row.is_late for row in rows),
            tones=VERDICTS,
            measures=MEASURES,
            trend_label=trend_label,
            generated=f"{numbers.day(generated_at)} {generated_at:%H:%M}",
            engine_version=engine_version,
            css=bundle.template_text("page.css", "portfolio.css"),
            script=script,
            policy=bundle.security_policy(bundle.script_hash(script)),
            page_data=bundle.script_json(_page_data(rows)),
        )
    )


def verdict_counts(rows: tuple[PortfolioRow, ...]) -> dict[str, int]:
    """Clients by verdict, worst first; verdicts without a client are left out, unknown words come first."""
    words = dict.fromkeys([*(row.verdict for row in rows if row.verdict not in VERDICTS), *VERDICTS])
    counts = {word: sum(row.verdict == word for row in rows) for word in words}
    return {word: count for word, count in counts.items() if count}


def summary_words(rows: tuple[PortfolioRow, ...]) -> str:
    """How many clients need a human, in one sentence.

    >>> summary_words(())
    'No client is known yet.'
    """
    if not rows:
        return "No client is known yet."
    tones = [VERDICTS.get(row.verdict, "bad") for row in rows]
    parts = [
        f"{number:,} {one if number == 1 else more}"
        for number, one, more in (
            (tones.count("bad"), "needs a human today", "need a human today"),
            (tones.count("care"), "is usable with care", "are usable with care"),
            (tones.count("plain"), "is refreshed for the first time", "are refreshed for the first time"),
            (tones.count("good"), "is usable", "are usable"),
        )
        if number
    ]
    marked = sum(row.marked for row in rows)
    said = f"Of {wording.count(len(rows), 'client')}, {wording.listing(parts)}."
    return f"{said} Numbers of {marked:,} lie beyond a limit and are marked." if marked else said


def reason_words(reasons: Sequence[str]) -> str:
    """Why a client has its verdict: the worst failed check in a sentence, the others by name.

    >>> reason_words(["holdout_skill (h08): skill -0.1", "drift: crps 1.2", "stability: 0.7"])[:65]
    'Forecast of unseen rows: simply repeating earlier values forecast'
    """
    if not reasons:
        return ""
    first, *others = [_CHECK.match(reason) for reason in reasons]
    if first is None or first[1] not in ADVICE:
        return wording.safe_text("; ".join(reasons), 400)
    words = plain_words.check_words(first[1], ADVICE[first[1]].meaning)
    said = f"{subject_of(first[1])}: {words[:1].lower()}{words[1:]}"
    named = list(dict.fromkeys(subject_of(other[1]) for other in others if other is not None))
    also = f" Also: {wording.listing(named, 3)}." if named else ""
    return wording.safe_text(said[:1].upper() + said[1:] + also, 400)


def _row(values: Mapping[Any, Any], link: str) -> PortfolioRow:
    client = str(values["client"])
    verdict = wording.safe_text(str(values.get("verdict") or "never refreshed"), 40)
    return PortfolioRow(
        client=wording.safe_text(client, 120),
        verdict=verdict,
        reason=_reason(values, verdict),
        last_date=_written(values.get("last_date"), "%Y-%m-%d"),
        recorded_at=_written(values.get("recorded_at"), "%Y-%m-%d %H:%M"),
        numbers=tuple(_number(values.get(measure.name)) for measure in MEASURES),
        trend=tuple(_number(value) for value in _listed(values.get("trend"))),
        link=_relative(values["report"])
        if "report" in values
        else link.format(client=quote(client, safe="")),
        late_after=_number(values.get("late_after")) or LATE_AFTER,
    )


def _reason(values: Mapping[Any, Any], verdict: str) -> str:
    """Why, in words, of a client that passed everything that it did; then what its plan says of the budget."""
    budget = values.get("budget")
    said = _why(values, verdict)
    return f"{said} {wording.safe_text(budget, 300)}".strip() if isinstance(budget, str) and budget else said


def _why(values: Mapping[Any, Any], verdict: str) -> str:
    reasons = values.get("reasons")
    if isinstance(reasons, list | tuple) and reasons:
        return reason_words([str(reason) for reason in reasons])
    said = wording.safe_text(str(values["reason"]), 400) if values.get("reason") else ""
    return said or ("No check failed." if VERDICTS.get(verdict) == "good" else "")


def _badness(row: PortfolioRow) -> tuple[int, float, float, NaturalOrder]:
    order = list(VERDICTS)
    numbers = dict(zip((measure.name for measure in MEASURES), row.numbers, strict=True))
    stale, skill = numbers["stale_days"], numbers["skill_h08"]
    return (
        order.index(row.verdict) if row.verdict in order else 0,
        -(stale if stale is not None else math.inf),
        skill if skill is not None else -math.inf,
        natural_order(row.client),
    )


def _page_data(rows: tuple[PortfolioRow, ...]) -> dict[str, object]:
    """What the page's script draws the table from; lists instead of objects keep 5,000 rows small."""
    return {
        "tones": VERDICTS,
        "verdicts": list(verdict_counts(rows)),
        "measures": [{"name": m.name, "label": m.label, "limit": m.limit, "side": m.side} for m in MEASURES],
        "rows": [
            [
                row.client,
                row.verdict,
                row.reason,
                row.last_date,
                row.recorded_at,
                row.numbers,
                [
                    "" if n is None else write_cell(n, m.kind)
                    for n, m in zip(row.numbers, MEASURES, strict=True)
                ],
                row.trend,
                row.link,
                row.late_after,
            ]
            for row in rows
        ],
    }


def _number(value: object) -> float | None:
    """A finite number rounded to what a page needs, else None."""
    if value is None or isinstance(value, str | bytes) or not pd.api.types.is_number(value):
        return None
    number = float(value)  # type: ignore[arg-type]
    return float(f"{number:.6g}") if math.isfinite(number) else None


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple | np.ndarray) else []


def _written(value: object, form: str) -> str:
    moment = pd.to_datetime(value, errors="coerce")  # type: ignore[call-overload]
    return "" if moment is None or pd.isna(moment) else str(moment.strftime(form))


def _relative(value: object) -> str:
    """A relative address, or "" for anything that could lead off the report folder's own site."""
    address = str(value or "")
    head = address.split("/", 1)[0]
    return "" if address.startswith(("/", "\\")) or ":" in head else quote(address, safe="/.-_~%?=&#")
