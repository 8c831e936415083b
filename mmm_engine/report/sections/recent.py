"""The last periods against those before and those of a year ago: target, spend, what media brought, and why it moved.

Here: the comparison as a section, for clients and analysts.
Not here: what moved between two refreshes of the model (diff.py), the forecast (forecast.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.inputs import Period
from mmm_engine.report.page import Column, Section, Sheet, table_of
from mmm_engine.report.subject import NAN, Subject
from mmm_engine.rows.calendar import YEAR_BACK

#: Rows that count as now.
RECENT: dict[Period, int] = {"day": 28, "week": 4, "month": 4}
_LARGEST = 4  # causes that are named


@dataclass(frozen=True)
class Span:
    """Sums over some rows.

    Attributes:
        target: What was sold.
        spend: Money for media; NaN where it is not known row by row.
        media: What media brought.
        parts: What each part of the model brought, by its column.
    """

    target: float
    spend: float
    media: float
    parts: pd.Series


def recent_section(subject: Subject) -> Section | None:
    """Now against before and a year ago; None where there are too few rows for two spans."""
    now, before, year = spans(subject)
    if now is None or before is None:
        return None
    number = subject.periods(RECENT[subject.inputs.period])
    lead = f"The last {number} against the {number} before and the same {number} a year ago."
    return Section("recent", f"The last {number}", "Now", lead, (_sheet(subject, now, before, year),))


def spans(subject: Subject) -> tuple[Span | None, Span | None, Span | None]:
    """Now, before and a year ago; None for those that the rows do not hold."""
    size = RECENT[subject.inputs.period]
    return (
        _span(subject, 0, size),
        _span(subject, size, size),
        _span(subject, YEAR_BACK[subject.inputs.period], size),
    )


def recent_words(subject: Subject, now: Span, before: Span, year: Span | None) -> str:
    """How the target moved against the rows before, and what moved it."""
    number = subject.periods(RECENT[subject.inputs.period])
    said = f"{subject.target} of the last {number} came to {subject.amount(now.target)}, "
    said += f"{_moved(now.target, before.target)} in the {number} before"
    said += f" and {_moved(now.target, year.target)} a year ago" if year is not None else ""
    return f"{wording.sentence(said)} {_causes(subject, now, before)}".strip()


def _span(subject: Subject, back: int, size: int) -> Span | None:
    """Sums over ``size`` rows that end ``back`` rows before the last."""
    rows = subject.inputs.full.predictions.sort_values("date")
    end = len(rows) - back
    if end < size:
        return None
    dates = set(pd.to_datetime(rows["date"].iloc[end - size : end]))
    parts = subject.inputs.decomposition
    parts = parts[pd.to_datetime(parts["date"]).isin(dates)]
    paid = subject.inputs.spend_by_date
    spent = NAN
    if paid is not None:
        money = paid[
            pd.to_datetime(paid["date"]).isin(dates) & paid["channel"].isin(subject.inputs.paid_channels)
        ]
        spent = float(money["spend"].sum())
    return Span(
        target=float(rows["actual"].iloc[end - size : end].sum()),
        spend=spent,
        media=float(parts.loc[parts["kind"] == "channel", "mean"].sum()),
        parts=parts.groupby("component", sort=False)["mean"].sum(),
    )


def _sheet(subject: Subject, now: Span, before: Span, year: Span | None) -> Sheet:
    size = RECENT[subject.inputs.period]
    measures = {
        subject.target: ("target", subject.inputs.target_unit),
        "Spend on media": ("spend", subject.inputs.currency_unit),
        f"{subject.target} brought by media": ("media", subject.inputs.target_unit),
    }
    rows = []
    for label, (name, unit) in measures.items():
        values = [getattr(span, name) if span is not None else NAN for span in (now, before, year)]
        if np.isfinite(values[0]):
            rows.append(_row(label, values, unit))
    if now.spend > 0 and before.spend > 0:
        returns = [
            span.media / span.spend if span is not None and span.spend > 0 else NAN
            for span in (now, before, year)
        ]
        rows.append(_row(subject.brought_words, returns, subject.brought_unit, each=True))
    columns = {
        "label": Column("", "name"),
        "now": Column(f"Last {size}", "amount"),
        "before": Column(f"{size} before", "amount"),
        "change": Column("Change", "signed"),
    }
    if year is not None:
        columns |= {"year": Column("A year ago", "amount"), "yearly": Column("Change in a year", "signed")}
    table = table_of(
        pd.DataFrame(rows), f"Now, before and a year ago, {size} {subject.inputs.period}s each", columns
    )
    return Sheet(
        "recent-table", "Now, before, and a year ago", recent_words(subject, now, before, year), table
    )


def _row(label: str, values: list[float], unit: str, *, each: bool = False) -> dict[str, object]:
    write = numbers.price if each else numbers.compact
    now, before, year = values
    written = [write(value, unit) if np.isfinite(value) else "–" for value in values]
    return {
        "label": label[:1].upper() + label[1:],
        **dict(zip(("now", "before", "year"), written, strict=True)),
        "change": now / before - 1 if before else NAN,
        "yearly": now / year - 1 if np.isfinite(year) and year else NAN,
    }


def _moved(now: float, then: float) -> str:
    return numbers.more_or_less(now / then - 1) if then else "up from nothing"


def _causes(subject: Subject, now: Span, before: Span) -> str:
    """The parts of the model that moved most, and what the model leaves open."""
    moves = (now.parts - before.parts).dropna()
    moves = moves[moves.abs().sort_values(ascending=False).index]
    whole = now.target - before.target
    if moves.empty or not whole:
        return ""
    named = [
        f"{subject.label(str(name))} ({_signed(subject, float(move))})"
        for name, move in moves.head(_LARGEST).items()
    ]
    rest = float(moves.iloc[_LARGEST:].sum())
    if len(moves) > _LARGEST:
        named.append(f"everything else ({_signed(subject, rest)})")
    open_part = _signed(subject, whole - float(moves.sum()))
    return (
        f"The model puts the difference to before, {_signed(subject, whole)}, down to {wording.listing(named, 8)}; "
        f"{open_part} it does not explain."
    )


def _signed(subject: Subject, value: float) -> str:
    return (f"+{numbers.JOINER}" if value > 0 else "") + subject.amount(value)
