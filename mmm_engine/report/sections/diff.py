"""What moved since the last refresh, and why.

Here: the move of each channel split into its causes, in words, as waterfalls and as a table.
Not here: the fits that split it (fleets/refresh_diff.py), the list of moves on the first screen (report/headline.py).
"""

from __future__ import annotations

import math

import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Chart, Column, Section, Table, table_of
from mmm_engine.report.subject import Subject

#: Channels with a waterfall of their own.
DRAWN = 3
#: A part counts when it is larger than so many standard deviations between seeds.
CLEAR = 2.0


def diff_section(subject: Subject) -> Section | None:
    """Why a return moved since the last refresh, split into its causes."""
    diff = told_diff(subject)
    if diff.empty:
        return None
    charts = [_waterfall_chart(subject, diff)]
    if diff["channel"].nunique() > 1:
        charts.append(_causes_chart(subject, diff))
    lead = (
        "The last refresh's model fitted again with one thing changed at a time; the parts of a channel sum to its "
        "whole move."
    )
    return Section("diff", "What moved, and why", "What moved", lead, tuple(charts))


def told_diff(subject: Subject) -> pd.DataFrame:
    """Rows of the diff for the return that the report tells, else for shares; largest mover first, may be empty."""
    diff = subject.inputs.diff
    if diff is None or diff.empty:
        return pd.DataFrame(columns=["channel", "metric", "step", "change", "noise", "before", "after"])
    paid = set(subject.inputs.paid_channels)
    own = diff[(diff["metric"] == subject.return_metric) & diff["channel"].isin(paid)]
    own = own if len(own) else diff[diff["metric"] == "share"]
    size = ((own["after"] - own["before"]) / own["before"].abs()).abs()
    order = own.assign(size=size).groupby("channel", sort=False)["size"].first().sort_values(ascending=False)
    place = {channel: rank for rank, channel in enumerate(order.index)}
    ranked = own.assign(place=own["channel"].map(place)).sort_values("place", kind="stable")
    return ranked.drop(columns="place").reset_index(drop=True)


def cause_words(subject: Subject, channel: str) -> str:
    """The main cause of a channel's move in a phrase, "" when no diff knows the channel.

    Causes in the direction of the move that stand clear of the sampler's noise are named, largest first.
    """
    diff = told_diff(subject)
    own = diff[diff["channel"] == channel]
    if own.empty:
        return ""
    move = float(own["after"].iloc[0] - own["before"].iloc[0])
    parts = own[own["step"] != "sampler noise"]
    clear = parts[(parts["change"].abs() > CLEAR * parts["noise"]) & (parts["change"] * move > 0)]
    clear = clear.sort_values("change", key=abs, ascending=False)
    if clear.empty:
        return "no more than fitting the same rows again may give"
    named = [
        f"{wording.safe_text(str(step), 60)} ({_signed(subject, float(change))})"
        for step, change in zip(clear["step"], clear["change"], strict=True)
        if abs(change) > 0.15 * abs(move)
    ]
    return f"because of {wording.listing(named)}" if named else ""


def _signed(subject: Subject, change: float) -> str:
    """A change of a return, or of a share in percentage points."""
    diff = told_diff(subject)
    if (diff["metric"] == "share").all():
        return f"{numbers.decimal(100 * change, 1, signed=True)} percentage points"
    if change == 0 or not math.isfinite(change):
        return numbers.decimal(change, signed=True)
    digits = max(0, min(6, 2 - math.floor(math.log10(abs(change)))))
    return numbers.decimal(change, digits, signed=True)


def _waterfall_chart(subject: Subject, diff: pd.DataFrame) -> Chart:
    names = list(diff["channel"].drop_duplicates())[:DRAWN]
    drawn = diff[diff["channel"].isin(names)]
    said = []
    for name in names:
        own = diff[diff["channel"] == name]
        before, after = float(own["before"].iloc[0]), float(own["after"].iloc[0])
        told = f"{subject.label(str(name))} {_signed(subject, after - before)}"
        cause = cause_words(subject, str(name))
        said.append(
            f"{told} {cause}" if cause.startswith("because") else f"{told}, {cause}" if cause else told
        )
    return Chart(
        id="refresh-waterfall",
        figure="refresh_waterfall",
        title=f"From the last refresh to this one: {_metric_words(subject, diff)} of the channels that moved most",
        reading=wording.sentence("; ".join(said)),
        table=_parts_table(subject, drawn),
        frames={"diff": drawn},
        options={"unit": "" if (diff["metric"] == "share").all() else subject.inputs.currency_unit},
    )


def _causes_chart(subject: Subject, diff: pd.DataFrame) -> Chart:
    sizes = diff.assign(size=diff["change"].abs()).groupby("step", sort=False)["size"].sum()
    shares = (sizes / sizes.sum()).sort_values(ascending=False)
    said = [f"{wording.safe_text(str(step), 60)} {numbers.percent(share)}" for step, share in shares.items()]
    reading = f"Of all movement, over {wording.count(diff['channel'].nunique(), 'channel')}: {wording.listing(said, 6)}"
    return Chart(
        id="refresh-diff",
        figure="refresh_diff",
        title=f"Causes of every channel's move in {_metric_words(subject, diff)}",
        reading=wording.sentence(reading),
        table=_parts_table(subject, diff),
        frames={"diff": diff},
        options={"metric": str(diff["metric"].iloc[0])},
    )


def _metric_words(subject: Subject, diff: pd.DataFrame) -> str:
    return f"share of {subject.target}" if (diff["metric"] == "share").all() else subject.return_words


def _parts_table(subject: Subject, diff: pd.DataFrame) -> Table:
    labelled = diff.assign(label=[subject.label(str(name)) for name in diff["channel"]])
    columns = {
        "label": Column("Channel", "name"),
        "before": Column("Last refresh", "fine"),
        "step": Column("Cause", "text"),
        "change": Column("Change", "fine"),
        "noise": Column("SD between seeds", "fine"),
        "after": Column("This refresh", "fine"),
    }
    return table_of(labelled, "Causes of each move; they sum to the whole move", columns)
