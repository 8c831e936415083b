"""What each channel brought over all rows, over the last year and over the last quarter.

Here: one sheet. A mean over draws of a contribution, divided by what was spent, is exact for any span, because spend is
known; intervals of spans would need the draws, so that the chart of returns has those of all rows.
Not here: returns with intervals (returns.py), all media together (recent.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.inputs import Period
from mmm_engine.report.page import Column, Sheet, table_of
from mmm_engine.report.subject import Subject
from mmm_engine.rows.calendar import YEAR_BACK

SPANS: dict[Period, dict[str, int]] = {
    period: {"Last year": year, "Last quarter": year // 4} for period, year in YEAR_BACK.items()
}


def returns_by_period(subject: Subject) -> tuple[Sheet, ...]:
    """Return or cost per conversion of each paid channel and span; nothing where spend by row is not known."""
    frame = period_returns(subject)
    if frame.empty or len(frame.columns) < 3:
        return ()
    spans = [name for name in frame.columns if name != "channel"]
    columns = {"label": Column("Channel", "name")}
    columns |= {name: Column(wording.headed(name, subject.inputs.currency_unit), "price") for name in spans}
    shown = frame.assign(label=[subject.label(str(name)) for name in frame["channel"]])
    what = (
        "What each channel brought per unit of money"
        if subject.return_metric == "roas"
        else "Cost per conversion"
    )
    said = (
        _mover(subject, frame, spans[-1]),
        "What earlier spend still brings counts in a span.",
        _doubts(subject),
    )
    reading = " ".join(filter(None, said))
    title = f"{what}, by period"
    return (Sheet("returns-by-period", title, reading, table_of(shown, title, columns), is_folded=True),)


def period_returns(subject: Subject) -> pd.DataFrame:
    """Column channel and one for each span that the rows hold: return or cost per conversion; NaN without spend."""
    spend = subject.inputs.spend_by_date
    if spend is None or spend.empty:
        return pd.DataFrame()
    wide = spend.pivot_table(index="date", columns="channel", values="spend", aggfunc="sum").sort_index()
    parts = subject.inputs.decomposition
    brought = parts[parts["kind"] == "channel"].pivot_table(
        index="date", columns="component", values="mean", aggfunc="sum"
    )
    brought = brought.reindex(wide.index)
    names = [
        name for name in subject.inputs.paid_channels if name in wide.columns and name in brought.columns
    ]
    sizes = {"All rows": len(wide)}
    sizes |= {name: size for name, size in SPANS[subject.inputs.period].items() if size < len(wide)}
    result = pd.DataFrame({"channel": names})
    for span, size in sizes.items():
        spent, gained = wide[names].tail(size).sum(), brought[names].tail(size).sum()
        ratio = gained / spent if subject.return_metric == "roas" else spent / gained
        known = (spent > 0) & np.isfinite(ratio) & (gained > 0)
        result[span] = ratio.where(known).to_numpy(dtype=float)
    return result


def _mover(subject: Subject, frame: pd.DataFrame, span: str) -> str:
    """The channel whose last span differs most from all rows; "" where none can be read."""
    readable = frame[~frame["channel"].isin(subject.unreadable)].dropna(subset=["All rows", span])
    if readable.empty:
        return ""
    change = np.abs(np.log(readable[span].to_numpy(dtype=float) / readable["All rows"].to_numpy(dtype=float)))
    row = readable.iloc[int(change.argmax())]
    unit = subject.inputs.currency_unit if subject.return_metric == "cpa" else subject.brought_unit
    now, ever = numbers.price(float(row[span]), unit), numbers.price(float(row["All rows"]), unit)
    return f"{subject.label(str(row['channel']))} differs most: {now} in the {span.lower()}, {ever} over all rows."


def _doubts(subject: Subject) -> str:
    names = [subject.label(name) for name in subject.unreadable if name in subject.inputs.paid_channels]
    return f"Not to be read: {wording.listing(names)}." if names else ""
