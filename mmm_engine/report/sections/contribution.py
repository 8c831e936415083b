"""Where the target comes from: parts over time, totals, shares against spend, ranks.

Here: everything that adds up to the target.
Not here: return per unit of spend (returns.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.inputs import Period
from mmm_engine.report.page import Chart, Column, Section, Sheet, Table, table_of
from mmm_engine.report.subject import Subject

#: Above this many rows the table behind the area chart is summed by month.
LONG_TABLE = 400


def contribution_section(subject: Subject) -> Section | None:
    """Decomposition over time, waterfall, parts of the whole, shares against spend, ranks by quarter."""
    if not subject.totals["mean"].sum():
        return None
    charts = [_area_chart(subject), _waterfall_chart(subject), _parts_chart(subject)]
    shares = shares_against_spend(subject.paid)
    if len(shares) > 1:
        charts.append(_shares_chart(subject, shares))
    ranks = ranks_by_quarter(subject.inputs.decomposition, subject.inputs.period)
    if ranks["date"].nunique() > 1 and ranks["channel"].nunique() > 1:
        charts.append(_ranks_chart(subject, ranks))
    return Section(
        id="contribution",
        title=f"Sources of {subject.target}",
        short="Contribution",
        lead="What the model credits to the baseline, to controls and to each channel; the parts add up to its fit.",
        items=(*charts, _contribution_sheet(subject)),
    )


def ranks_by_quarter(decomposition: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Date (quarter start), channel, contribution and rank (1 is largest) of every channel and whole quarter.

    Quarters that the rows only begin or end are left out: their sums are of fewer rows.
    """
    channels = decomposition[decomposition["kind"] == "channel"]
    dates = pd.to_datetime(channels["date"])
    channels = channels.assign(date=dates.dt.to_period("Q").dt.start_time)[whole_quarters(dates, period)]
    sums = channels.groupby(["date", "component"], sort=False)["mean"].sum()
    frame = sums.rename("contribution").rename_axis(["date", "channel"]).reset_index()
    ranks = frame.groupby("date")["contribution"].rank(ascending=False, method="first")
    return frame.assign(rank=ranks.astype(int))


def whole_quarters(dates: pd.Series, period: Period) -> pd.Series:
    """Whether the rows hold all of the quarter of each date; a row counts to the quarter in which it begins."""
    step = {"day": pd.DateOffset(days=1), "week": pd.DateOffset(weeks=1), "month": pd.DateOffset(months=1)}[
        period
    ]
    quarters = dates.dt.to_period("Q")
    first, last = dates.min(), dates.max()
    begins_before = first - step < quarters.dt.start_time
    ends_after = last + step >= quarters.dt.end_time.dt.normalize() + pd.Timedelta(days=1)
    return pd.Series(begins_before & ends_after)


def shares_against_spend(paid: pd.DataFrame) -> pd.DataFrame:
    """Channel, spend_share and contribution_share among paid channels with spend, and the return of spend."""
    paid = paid[(paid["spend"] > 0) & paid["contribution"].notna()]
    if not paid["contribution"].sum():
        paid = paid.iloc[:0]
    return paid.assign(
        spend_share=paid["spend"] / paid["spend"].sum(),
        contribution_share=paid["contribution"] / paid["contribution"].sum(),
        roas=paid["contribution"] / paid["spend"],
    )


def _area_chart(subject: Subject) -> Chart:
    frame = subject.inputs.decomposition
    totals = subject.totals.set_index("component")["mean"]
    whole = float(totals.sum())
    first = subject.totals.iloc[0]
    media = frame[frame["kind"] == "channel"].groupby("date")["mean"].sum()
    peak = pd.Timestamp(media.index[int(media.argmax())]) if len(media) else None
    reading = (
        f"{subject.label(str(first['component']))} makes up {numbers.percent(float(first['mean']) / whole)}"
    )
    reading += f" of modelled {subject.target}, media {numbers.percent(subject.media_share)}"
    if peak is not None:
        reading += f"; media was largest on {numbers.day(peak)} with {subject.amount(float(media.max()))}"
    return Chart(
        id="decomposition",
        figure="decomposition_area",
        title=f"Parts of {subject.target} over time",
        reading=wording.sentence(reading),
        table=_parts_over_time(subject),
        frames={"decomposition": frame},
        options={"unit": subject.inputs.target_unit, "tokens": subject.channel_tokens},
    )


def _parts_over_time(subject: Subject) -> Table:
    frame = subject.inputs.decomposition
    wide = frame.pivot_table(
        index="date", columns="component", values="mean", aggfunc="sum", sort=False
    ).sort_index()
    caption = wording.headed(
        f"Contribution of each part per {subject.inputs.period}", subject.inputs.target_unit
    )
    if len(wide) > LONG_TABLE:
        wide = wide.groupby(pd.to_datetime(wide.index).to_period("M").start_time).sum()
        caption = wording.headed("Contribution of each part, summed by month", subject.inputs.target_unit)
    order = [str(name) for name in subject.totals["component"]]
    columns = {"date": Column("Date", "date")} | {name: Column(subject.label(name)) for name in order}
    return table_of(wide[order].rename_axis("date").reset_index(), caption, columns)


def _waterfall_chart(subject: Subject) -> Chart:
    totals = subject.totals
    whole = float(totals["mean"].sum())
    channels = totals[totals["kind"] == "channel"]
    leaders = list(zip(channels["component"], channels["mean"], strict=True))[:3]
    top = [f"{subject.label(str(name))} ({subject.amount(float(size))})" for name, size in leaders]
    lead = "The largest channels are" if len(top) > 1 else "The only channel is"
    start = numbers.day(pd.Timestamp(subject.inputs.decomposition["date"].min()))
    end = numbers.day(pd.Timestamp(subject.inputs.decomposition["date"].max()))
    shares = totals.assign(
        share=totals["mean"] / whole, label=[subject.label(str(c)) for c in totals["component"]]
    )
    return Chart(
        id="waterfall",
        figure="contribution_waterfall",
        title=f"From baseline to all of {subject.target}, {start} to {end}",
        reading=f"{lead} {wording.listing(top)}; all parts together make {subject.amount(whole)}.",
        table=table_of(
            shares,
            f"Contribution of each part, {start} to {end}",
            {
                "label": Column("Part", "name"),
                "kind": Column("Kind", "text"),
                "mean": Column(wording.headed("Contribution", subject.inputs.target_unit)),
                "share": Column("Share", "share"),
            },
        ),
        frames={"decomposition": subject.inputs.decomposition},
        options={"unit": subject.inputs.target_unit, "tokens": subject.channel_tokens},
    )


def _parts_chart(subject: Subject) -> Chart:
    by_kind = subject.totals.groupby("kind", sort=False, as_index=False)["mean"].sum()
    by_kind = by_kind.assign(share=by_kind["mean"] / by_kind["mean"].sum())
    names = {"channel": "media", "control": "controls", "event": "events", "weekday": "days of the week"}
    labels = [names.get(str(kind), str(kind)) for kind in by_kind["kind"]]
    said = [
        f"{label} {numbers.percent(share)}" for label, share in zip(labels, by_kind["share"], strict=True)
    ]
    return Chart(
        id="parts",
        figure="contribution_parts",
        title="Parts of the whole",
        reading=wording.sentence(wording.listing(said, 6)),
        table=table_of(
            by_kind.assign(label=labels),
            "Contribution by kind of part",
            {
                "label": Column("Kind", "text"),
                "mean": Column(wording.headed("Contribution", subject.inputs.target_unit)),
                "share": Column("Share", "share"),
            },
        ),
        frames={"decomposition": subject.inputs.decomposition},
        options={"unit": subject.inputs.target_unit, "tokens": subject.channel_tokens},
    )


def _shares_chart(subject: Subject, frame: pd.DataFrame) -> Chart:
    gap = frame["contribution_share"] - frame["spend_share"]
    over, under = frame.iloc[int(gap.argmax())], frame.iloc[int(gap.argmin())]
    reading = (
        f"{_share_words(subject, over)}, more than its part; {_share_words(subject, under)}, less than its part. "
        "Shares are among paid channels."
    )
    labels = [subject.label(str(name)) for name in frame["channel"]]
    return Chart(
        id="shares",
        figure="share_against_spend",
        title="Share of contribution against share of spend",
        reading=wording.sentence(reading),
        table=table_of(
            frame.assign(label=labels),
            "Shares among paid channels",
            {
                "label": Column("Channel", "name"),
                "spend": Column(wording.headed("Spend", subject.inputs.currency_unit)),
                "contribution": Column(wording.headed("Contribution", subject.inputs.target_unit)),
                "spend_share": Column("Share of spend", "share"),
                "contribution_share": Column("Share of contribution", "share"),
                "roas": Column(wording.headed("Return (ROAS)", subject.brought_unit), "price"),
            },
        ),
        frames={"shares": frame},
        options={"unit": subject.brought_unit, "unreadable": subject.unreadable},
    )


def _share_words(subject: Subject, row: pd.Series) -> str:
    spent, gained = (
        numbers.percent(float(row["spend_share"])),
        numbers.percent(float(row["contribution_share"])),
    )
    return f"{subject.label(str(row['channel']))} takes {spent} of spend and brings {gained} of contribution"


def _ranks_chart(subject: Subject, frame: pd.DataFrame) -> Chart:
    ranks = frame.pivot(index="date", columns="channel", values="rank")
    moves = ranks.iloc[-1] - ranks.iloc[0]
    best, worst = str(moves.idxmin()), str(moves.idxmax())
    first, last = ranks.iloc[0], ranks.iloc[-1]
    said = [
        f"{subject.label(str(last.idxmin()))} brought most in {_quarter(ranks.index[-1])}, the last whole quarter"
    ]
    if moves[best] < 0:
        said.append(
            f"{subject.label(best)} rose from rank {first[best]} in {_quarter(ranks.index[0])} to {last[best]}"
        )
    if moves[worst] > 0:
        said.append(f"{subject.label(worst)} fell from {first[worst]} to {last[worst]}")
    wide = ranks.T.assign(label=[subject.label(str(c)) for c in ranks.columns]).sort_values(ranks.index[-1])
    columns = {"label": Column("Channel", "name")}
    columns |= {date: Column(_quarter(date), "count") for date in ranks.index}
    return Chart(
        id="ranks",
        figure="channel_ranks",
        title="Rank of each channel by whole quarter",
        reading=wording.sentence("; ".join(said)),
        table=table_of(wide, "Rank by contribution, 1 is largest", columns),
        frames={"ranks": frame},
        options={"unit": subject.inputs.target_unit, "tokens": subject.channel_tokens},
    )


def _quarter(date: pd.Timestamp) -> str:
    return f"{date.year} Q{date.quarter}"


def _contribution_sheet(subject: Subject) -> Sheet:
    frame, shares = subject.returns("contribution"), subject.returns("share")
    frame = frame.sort_values("mean", ascending=False)
    joined = frame.assign(
        label=[subject.label(str(name)) for name in frame.index],
        share=shares["mean"].reindex(frame.index) if len(shares) else np.nan,
        low=shares["q05"].reindex(frame.index) if len(shares) else np.nan,
        high=shares["q95"].reindex(frame.index) if len(shares) else np.nan,
    )
    unit = subject.inputs.target_unit
    return Sheet(
        id="contributions",
        title="Contribution of each channel with its uncertainty",
        reading=(
            f"Totals over {subject.periods(len(subject.inputs.full.predictions))}; "
            "5% and 95% are the bounds of the 90% interval."
        ),
        table=table_of(
            joined,
            "Contribution of each channel",
            {
                "label": Column("Channel", "name"),
                "mean": Column(wording.headed("Contribution", unit)),
                "q05": Column("5%"),
                "q95": Column("95%"),
                "share": Column(f"Share of {subject.target}", "share"),
                "low": Column("5%", "share"),
                "high": Column("95%", "share"),
            },
        ),
        is_folded=True,
    )
