"""What a unit of spend brings: returns with intervals, marginal returns, effect per contact.

Here: readings and tables about a channel's efficiency.
Not here: response curves (response.py), whether a return may be read at all (report/subject.py decides, this marks it).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Chart, Column, Note, Notes, Section, Sheet, table_of
from mmm_engine.report.sections.returns_by_period import returns_by_period
from mmm_engine.report.subject import Subject
from mmm_engine.scores.identification import NOT_TESTED, REMEDY


def returns_section(subject: Subject) -> Section | None:
    """ROAS or cost per conversion with intervals, against marginal returns, and unpaid channels apart."""
    items: list[Chart | Sheet | Notes] = list(returns_items(subject))
    if len(marginal := _marginal_rows(subject)) > 1:
        items.append(_marginal_chart(subject, marginal))
    if len(volume := _effectiveness_rows(subject)) > 1:
        items.append(_effectiveness_chart(subject, volume))
    if subject.unreadable:
        items.insert(0, _unreadable_notes(subject))
    if subject.inputs.unpaid_channels:
        items.append(_unpaid_sheet(subject))
    if not items:
        return None
    is_roas = subject.return_metric == "roas"
    return Section(
        id="returns",
        title="Return on spend" if is_roas else "Cost per conversion",
        short="Returns" if is_roas else "Cost per conversion",
        lead=f"What {subject.one_of_money} brought on average, and what the next one would bring."
        if is_roas
        else "What one more conversion cost on average, and what the next one would cost.",
        items=tuple(items),
    )


def returns_items(subject: Subject, *, with_marginal: bool = True) -> tuple[Chart | Sheet, ...]:
    """The return of every paid channel with its intervals, and by period; nothing where none is known.

    Args:
        subject: The client.
        with_marginal: Whether the chart also tells what the next unit, spread over all rows, would have brought. Beside
            a plan, which tells it from the spend of today on, the two are easily taken for one.
    """
    frame = return_rows(subject)
    if not with_marginal:
        frame = frame.drop(columns=[name for name in frame.columns if str(name).startswith("marginal")])
    return (_returns_chart(subject, frame), *returns_by_period(subject)) if len(frame) else ()


def return_rows(subject: Subject) -> pd.DataFrame:
    """One row per paid channel with its return and its marginal return, best first."""
    known = subject.returns(subject.return_metric)
    names = [name for name in subject.inputs.paid_channels if name in known.index]
    frame = known.loc[names, ["mean", "q05", "q25", "q50", "q75", "q95"]].rename_axis("channel").reset_index()
    marginal = subject.returns("mroas").reindex(names)
    if subject.return_metric == "cpa":
        # The next conversion costs one over what one unit of money brings: the quantiles swap ends.
        swapped = marginal.rename(columns={"q05": "q95", "q95": "q05"})[["mean", "q05", "q95"]].astype(float)
        marginal = 1 / swapped.where(swapped > 0)
    frame = frame.assign(marginal=marginal["mean"].to_numpy(), marginal_q05=marginal["q05"].to_numpy(),
                         marginal_q95=marginal["q95"].to_numpy())  # fmt: skip
    frame = frame.replace([np.inf, -np.inf], np.nan).dropna(subset=["mean", "q05", "q95"])
    return frame.sort_values("mean", ascending=subject.return_metric == "cpa").reset_index(drop=True)


# --- returns ------------------------------------------------------------------------------------


def _returns_chart(subject: Subject, frame: pd.DataFrame) -> Chart:
    is_roas = subject.return_metric == "roas"
    unit = subject.inputs.currency_unit
    shown = frame.assign(
        label=[subject.label(str(name)) for name in frame["channel"]],
        verdict=[subject.readings[str(name)].words for name in frame["channel"]],
    )
    heading = "Return (ROAS)" if is_roas else "Cost per conversion"
    words = subject.brought_words if is_roas else "cost per conversion"
    columns = {"label": Column("Channel", "name"), "mean": Column(wording.headed(heading, unit), "price")}
    columns |= {f"q{q}": Column(f"{int(q)}%", "price") for q in ("05", "25", "50", "75", "95")}
    if "marginal" in frame.columns:
        columns |= {"marginal": Column(wording.headed("Next unit over all rows", unit), "price")}
        columns |= {"marginal_q05": Column("5%", "price"), "marginal_q95": Column("95%", "price")}
    if set(shown["verdict"]) != {NOT_TESTED}:
        columns |= {"verdict": Column("Can it be read?", "text")}
    columns |= {"channel": Column("Column in the file", "code")}
    return Chart(
        id="returns-by-channel",
        figure="roas_intervals",
        title=f"{heading} by channel with 50% and 90% intervals",
        reading=_returns_reading(subject, frame),
        table=table_of(shown, f"{subject.return_words} of each paid channel", columns),
        frames={"returns": frame},
        options={"metric": subject.return_metric, "unit": unit, "words": words, **_marks(subject)},
    )


def _marks(subject: Subject) -> dict[str, Any]:
    """What a figure needs to tell channels apart: which cannot be read, and the colour of each."""
    return {"unreadable": subject.unreadable, "tokens": subject.channel_tokens}


def _against(subject: Subject, unit: str) -> dict[str, Any]:
    """Options of a figure that sets returns against something else."""
    money = {"currency": subject.inputs.currency_unit, "words": subject.brought_words}
    return {"unit": unit, **money, **_marks(subject)}


def _returns_reading(subject: Subject, frame: pd.DataFrame) -> str:
    readable = frame[~frame["channel"].isin(subject.unreadable)]
    if readable.empty:
        return "No channel's return can be read."
    if subject.return_metric == "cpa":
        cheap, dear = readable.iloc[0], readable.iloc[-1]
        unit = subject.inputs.currency_unit
        return wording.sentence(
            f"{subject.label(str(cheap['channel']))} brings a conversion for "
            f"{numbers.price(float(cheap['mean']), unit)}, {subject.label(str(dear['channel']))} for "
            f"{numbers.price(float(dear['mean']), unit)}; bars that overlap cannot be told apart."
        )
    above, below = int((readable["q05"] > 1).sum()), int((readable["q95"] < 1).sum())
    unsure = len(readable) - above - below
    sure = [
        f"{number} brought back {words}"
        for number, words in ((above, "more than was spent"), (below, "less"))
        if number
    ]
    said = f"Of {wording.count(len(readable), 'channel')} that can be read, "
    if sure:
        said += f"{wording.listing(sure)}, each with 95% certainty"
        said += f"; of {unsure} it is not certain either way" if unsure else ""
    else:
        said += "none is certain to have brought back more than was spent, or less"
    return f"{said}. This is {subject.target}, not profit."


def _unreadable_notes(subject: Subject) -> Notes:
    paid = set(subject.inputs.paid_channels)
    items = tuple(
        Note(
            "bad",
            f"Do not read this {subject.return_words if name in paid else 'effect'}: {subject.label(name)}",
            wording.sentence(subject.readings[name].why),
            wording.sentence(REMEDY[subject.readings[name].reason]),
        )
        for name in subject.unreadable
    )
    return Notes("unreadable", "Channels that cannot be read", items)


def _unpaid_sheet(subject: Subject) -> Sheet:
    units = subject.inputs.spend.drop_duplicates("channel").set_index("channel")
    known = subject.returns("contribution").reindex(subject.inputs.unpaid_channels).dropna(subset=["mean"])
    volume = units["spend"].reindex(known.index)
    frame = known.assign(
        label=[subject.label(str(name)) for name in known.index],
        volume=volume,
        unit=units["unit"].reindex(known.index),
        each=known["mean"] / volume,
        low=known["q05"] / volume,
        high=known["q95"] / volume,
    )
    target = subject.inputs.target_unit
    return Sheet(
        id="unpaid",
        title="Channels without a cost",
        reading="These are measured in their own unit, so they have an effect per unit and no return on spend.",
        table=table_of(
            frame,
            "Effect per unit of channels without a cost",
            {
                "label": Column("Channel", "name"),
                "volume": Column("Volume"),
                "unit": Column("Unit", "text"),
                "mean": Column(wording.headed("Contribution", target)),
                "each": Column(f"{numbers.sign(target) or subject.inputs.target_kind.capitalize()} per unit"),
                "low": Column("5%"),
                "high": Column("95%"),
            },
        ),
    )


# --- return against marginal return and volume --------------------------------------------------


def _marginal_rows(subject: Subject) -> pd.DataFrame:
    roas, mroas = subject.returns("roas"), subject.returns("mroas")
    names = [c for c in subject.paid["channel"] if c in roas.index and c in mroas.index]
    spend = subject.paid.set_index("channel")["spend"].reindex(names)
    frame = pd.DataFrame({"channel": names, "roas": roas["mean"].reindex(names).to_numpy(),
                          "mroas": mroas["mean"].reindex(names).to_numpy(), "spend": spend.to_numpy()})  # fmt: skip
    return frame.replace([np.inf, -np.inf], np.nan).dropna().reset_index(drop=True)


def _marginal_chart(subject: Subject, frame: pd.DataFrame) -> Chart:
    unit = subject.brought_unit
    readable = frame[~frame["channel"].isin(subject.unreadable)]
    ranked = (readable if len(readable) else frame).sort_values("mroas", ascending=False)
    best, worst = ranked.iloc[0], ranked.iloc[-1]
    reading = (
        f"Had every {subject.inputs.period} got a little more, the next {subject.one_of_money} would have brought most "
        f"in {subject.label(str(best['channel']))} ({numbers.price(float(best['mroas']), unit)}) and least in "
        f"{subject.label(str(worst['channel']))} ({numbers.price(float(worst['mroas']), unit)}). Below the dashed line "
        "it brings less than the average one did. The size of a bubble is its spend."
    )
    columns = {
        "label": Column("Channel", "name"),
        "spend": Column(wording.headed("Spend", subject.inputs.currency_unit)),
        "roas": Column(wording.headed("On average", unit), "price"),
        "mroas": Column(wording.headed("Next unit over all rows", unit), "price"),
    }
    labelled = frame.assign(label=[subject.label(str(name)) for name in frame["channel"]])
    return Chart(
        id="marginal",
        figure="roas_against_marginal",
        title="What money brought on average, and what the next would bring",
        reading=reading,
        table=table_of(labelled, "Average and marginal return of each paid channel", columns),
        frames={"returns": frame},
        options=_against(subject, unit),
    )


def _effectiveness_rows(subject: Subject) -> pd.DataFrame:
    """Paid channels that also have a volume of their own: contribution per unit of that volume."""
    if not {"media", "media_unit"} <= set(subject.inputs.spend.columns):
        return pd.DataFrame()
    spend = subject.inputs.spend.drop_duplicates("channel").set_index("channel")
    frame = subject.paid.assign(
        media=spend["media"].reindex(subject.paid["channel"]).to_numpy(dtype=float),
        media_unit=spend["media_unit"].reindex(subject.paid["channel"]).to_numpy(),
    )
    frame = frame[(frame["media"] > 0) & (frame["media"] != frame["spend"])]
    return frame.assign(
        roas=frame["contribution"] / frame["spend"], effectiveness=frame["contribution"] / frame["media"]
    ).reset_index(drop=True)


def _effectiveness_chart(subject: Subject, frame: pd.DataFrame) -> Chart:
    ranked = frame.sort_values("effectiveness", ascending=False)
    best = ranked.iloc[0]
    unit = subject.inputs.target_unit
    volume = wording.safe_text(str(best["media_unit"]), 40)
    reading = (
        f"One unit of {subject.label(str(best['channel']))} ({volume}) does most: "
        f"{numbers.price(float(best['effectiveness']), unit)}. A channel can be effective per contact and still dear."
    )
    columns = {
        "label": Column("Channel", "name"),
        "media": Column("Volume"),
        "media_unit": Column("Unit", "text"),
        "effectiveness": Column(wording.headed("Contribution per unit of volume", unit)),
        "roas": Column(wording.headed("Return (ROAS)", subject.brought_unit), "price"),
    }
    labelled = frame.assign(label=[subject.label(str(name)) for name in frame["channel"]])
    return Chart(
        id="effectiveness",
        figure="roas_against_effectiveness",
        title="Return on spend against effect per contact",
        reading=reading,
        table=table_of(labelled, "Effectiveness of each channel with a volume", columns),
        frames={"returns": frame},
        options=_against(subject, unit),
    )
