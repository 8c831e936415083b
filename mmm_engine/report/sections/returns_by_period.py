"""What each channel brought over all rows, over the last year and over the last quarter, with intervals.

Here: one table whose period a reader chooses; printed, it has all periods.
Not here: the numbers (mmm_engine.results.returns), the chart of all rows (returns.py), all media together (recent.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Column, Sheet, table_of
from mmm_engine.report.subject import Subject

SPANS = {"all": "All rows", "year": "Last year", "quarter": "Last quarter"}


def returns_by_period(subject: Subject) -> tuple[Sheet, ...]:
    """Return or cost per conversion of each paid channel and period; nothing where only one period is known."""
    frame = period_returns(subject)
    if frame["span"].nunique() < 2:
        return ()
    unit = subject.inputs.currency_unit
    is_roas = subject.return_metric == "roas"
    what = "What each channel brought per unit of money" if is_roas else "Cost per conversion"
    shown = frame.assign(
        label=[subject.label(str(name)) for name in frame["channel"]],
        period=frame["span"].map(SPANS),
    )
    columns = {
        "label": Column("Channel", "name"),
        "period": Column("Period", "text"),
        "mean": Column(wording.headed("Return" if is_roas else "Cost", unit), "price"),
        "q05": Column("5%", "price"),
        "q95": Column("95%", "price"),
        "spend": Column(wording.headed("Spend", unit)),
    }
    said = (_mover(subject, frame), "What earlier spend still brings counts in a period.", _doubts(subject))
    title = f"{what}, by period"
    table = table_of(shown, f"{title}, with 90% intervals", columns)
    return (Sheet("returns-by-period", title, " ".join(filter(None, said)), table, choose="Period"),)


def period_returns(subject: Subject) -> pd.DataFrame:
    """Rows of paid channels by period, largest spend first: span, channel, mean, q05, q95, spend; NaN without spend."""
    columns = ["span", "channel", "mean", "q05", "q95", "spend"]
    known = subject.inputs.period_returns
    if known is None:
        return pd.DataFrame(columns=columns)
    order = {name: place for place, name in enumerate(subject.inputs.paid_channels)}
    rows = known[(known["metric"] == subject.return_metric) & known["channel"].isin(list(order))]
    rows = rows.assign(span_place=rows["span"].map(list(SPANS).index), place=rows["channel"].map(order))
    rows = rows.sort_values(["span_place", "place"], kind="stable")[columns]
    return rows.replace([np.inf, -np.inf], np.nan).reset_index(drop=True)


def _mover(subject: Subject, frame: pd.DataFrame) -> str:
    """The channel whose last period differs most from all rows; "" where none can be read."""
    readable = frame[~frame["channel"].isin(subject.unreadable)]
    means = readable.pivot_table(index="channel", columns="span", values="mean", sort=False)
    if "all" not in means:
        return ""
    last = [span for span in SPANS if span in means][-1]
    means = means[(means > 0).all(axis=1)].dropna()
    if means.empty or last == "all":
        return ""
    change = np.abs(np.log(means[last].to_numpy(dtype=float) / means["all"].to_numpy(dtype=float)))
    name = str(means.index[int(change.argmax())])
    unit = subject.inputs.currency_unit if subject.return_metric == "cpa" else subject.brought_unit
    now, ever = (
        readable[(readable["channel"] == name) & (readable["span"] == span)] for span in (last, "all")
    )
    mean, low, high, before = (
        numbers.price(float(part[column].iloc[0]), unit)
        for part, column in ((now, "mean"), (now, "q05"), (now, "q95"), (ever, "mean"))
    )
    return wording.sentence(
        f"{subject.label(name)} differs most: {mean} in the {SPANS[last].lower()} "
        f"({numbers.interval(low, high)}), {before} over all rows."
    )


def _doubts(subject: Subject) -> str:
    names = [subject.label(name) for name in subject.unreadable if name in subject.inputs.paid_channels]
    return f"Not to be read: {wording.listing(names)}." if names else ""
