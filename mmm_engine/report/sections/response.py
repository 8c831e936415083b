"""How channels respond: response curves, carry-over, effectiveness over time.

Here: readings and tables about the shape of a channel's effect.
Not here: what a unit of spend brought (returns.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Chart, Column, Section, table_of
from mmm_engine.report.subject import Subject


def curves_section(subject: Subject) -> Section | None:
    """Response curves and carry-over."""
    items: list[Chart] = []
    if len(subject.inputs.curves):
        items.append(_curves_chart(subject))
    if subject.inputs.adstock is not None and len(subject.inputs.adstock):
        items.append(_adstock_chart(subject, subject.inputs.adstock))
    if not items:
        return None
    return Section(
        id="curves",
        title="Response curves",
        short="Response",
        lead=f"How contribution per {subject.inputs.period} grows with spend, and how long an effect lasts.",
        items=tuple(items),
    )


def multiplier_section(subject: Subject) -> Section | None:
    """How media effectiveness moved over time, when the model lets it move."""
    frame = subject.inputs.multiplier
    frame = None if frame is None else frame.dropna(subset=["mean"])
    if frame is None or frame.empty:
        return None
    high, low = frame.iloc[int(frame["mean"].argmax())], frame.iloc[int(frame["mean"].argmin())]
    clear = float(((frame["q05"] > 1) | (frame["q95"] < 1)).mean())
    reading = (
        f"Media worked best around {numbers.day(pd.Timestamp(high['date']))} (multiplier "
        f"{numbers.decimal(float(high['mean']))}) and least around {numbers.day(pd.Timestamp(low['date']))} "
        f"({numbers.decimal(float(low['mean']))}); in {numbers.percent(clear)} of {subject.inputs.period}s the 90% "
        "interval leaves out 1."
    )
    columns = {"date": Column("Date", "date"), "mean": Column("Multiplier", "ratio")}
    columns |= {"q05": Column("5%", "ratio"), "q95": Column("95%", "ratio")}
    chart = Chart(
        id="multiplier-over-time",
        figure="time_varying_multiplier",
        title="Multiplier on all media effects over time",
        reading=reading,
        table=table_of(frame, "Time-varying media multiplier", columns),
        frames={"multiplier": frame},
    )
    lead = "One factor for all channels: above 1 media worked better than on average, below 1 worse."
    return Section("multiplier", "Media effectiveness over time", "Over time", lead, (chart,))


def relative_slopes(curves: pd.DataFrame) -> pd.Series:
    """Per channel: what the next unit at current spend brings, over what the average unit brings.

    Args:
        curves: Columns channel, spend, mean, current.

    Returns:
        Index channel; 1 on a straight line, near 0 when saturated; channels without a current row are left out.
    """
    slopes = {}
    for name, curve in curves.groupby("channel", sort=False):
        ordered = curve.sort_values("spend")
        spend, mean = ordered["spend"].to_numpy(dtype=float), ordered["mean"].to_numpy(dtype=float)
        at = np.flatnonzero(ordered["current"].to_numpy(dtype=bool))
        if len(at) and len(spend) > 2 and spend[at[0]] > 0 and mean[at[0]] > 0:
            slopes[name] = float(np.gradient(mean, spend)[at[0]] / (mean[at[0]] / spend[at[0]]))
    return pd.Series(slopes, dtype=float)


def _curves_chart(subject: Subject) -> Chart:
    curves = subject.inputs.curves
    slopes = relative_slopes(curves).sort_values()
    reading = (
        f"The dot is what is spent now (the mean of the last {subject.inputs.period}s); the dotted part lies beyond "
        "any spend the model has seen."
    )
    if len(slopes):
        full, free = str(slopes.index[0]), str(slopes.index[-1])
        said = (
            f"At current spend the next unit brings {numbers.percent(slopes.iloc[0])} of the average one in "
        )
        said += subject.label(full)
        if len(slopes) > 1:
            said += f" (most saturated) and {numbers.percent(slopes.iloc[-1])} in {subject.label(free)} (most headroom)"
        reading = f"{said}. {reading}"
    units = subject.inputs.spend.drop_duplicates("channel").set_index("channel")["unit"].to_dict()
    columns = {
        "label": Column("Channel", "name"),
        "spend": Column(f"Spend or volume per {subject.inputs.period}"),
        "mean": Column(wording.headed("Contribution", subject.inputs.target_unit)),
        "q05": Column("5%"),
        "q95": Column("95%"),
        "place": Column("", "text"),
    }
    place = np.where(curves["current"], "now", np.where(curves["extrapolated"], "extrapolated", ""))
    labelled = curves.assign(label=[subject.label(str(name)) for name in curves["channel"]], place=place)
    money = subject.inputs.currency_unit
    return Chart(
        id="response-curves",
        figure="response_curves",
        title=f"What more spend per {subject.inputs.period} brings",
        reading=reading,
        table=table_of(labelled, "Response curves", columns),
        frames={"curves": curves},
        options={
            "unit": subject.inputs.target_unit,
            "tokens": subject.channel_tokens,
            "spend_units": {
                str(c): money if c in subject.inputs.paid_channels else str(u) for c, u in units.items()
            },
        },
    )


def _adstock_chart(subject: Subject, frame: pd.DataFrame) -> Chart:
    later = frame[frame["lag"] > 0].groupby("channel", sort=False)["mean"].sum()
    later = (later / frame.groupby("channel", sort=False)["mean"].sum()).sort_values()
    period = subject.inputs.period
    reading = f"In the {period} of spending itself the effect is largest"
    if len(later):
        reading = (
            f"{subject.label(str(later.index[-1]))} carries over most of its effect: "
            f"{numbers.percent(later.iloc[-1])} comes after the {period} of spending"
        )
        if len(later) > 1:
            reading += f"; {subject.label(str(later.index[0]))} least, {numbers.percent(later.iloc[0])}"
    columns = {
        "label": Column("Channel", "name"),
        "lag": Column(f"{period.capitalize()}s after", "count"),
        "mean": Column("Share of effect", "share"),
        "q05": Column("5%", "share"),
        "q95": Column("95%", "share"),
    }
    labelled = frame.assign(label=[subject.label(str(name)) for name in frame["channel"]])
    return Chart(
        id="adstock",
        figure="adstock_decay",
        title="How an effect spreads over time",
        reading=wording.sentence(reading),
        table=table_of(labelled, "Adstock weights", columns),
        frames={"adstock": frame},
        options={"period": period},
    )
