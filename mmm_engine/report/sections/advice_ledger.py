"""What came of earlier advice: advised, spent, happened, and what was said at the last refresh.

Here: sheets of the advice whose periods have come, `last_advice` for the first screen.
Not here: the present advice (budget.py), the ledger (mmm_engine.history.advice_ledger).
"""

from __future__ import annotations

import pandas as pd

from mmm_engine.history.advice_ledger import VINTAGE, outcomes_of
from mmm_engine.history.tables import ALL_CHANNELS
from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Column, Sheet, table_of
from mmm_engine.report.subject import Subject


def last_advice(subject: Subject) -> dict[str, str]:
    """What the last refresh before this one said of each channel ("raise at 1.94"); empty where there was none."""
    ledger, advice = subject.inputs.advice_ledger, subject.inputs.advice
    if ledger is None or advice is None or advice["refused"]:
        return {}
    earlier = ledger[
        (ledger["first_date"] < pd.Timestamp(advice["first"])) & (ledger["channel"] != ALL_CHANNELS)
    ]
    last = earlier[earlier["issued_at"] == earlier["issued_at"].max()]
    return {
        str(name): f"{word} at {numbers.decimal(marginal)}"
        for name, word, marginal in zip(last["channel"], last["advice"], last["marginal"], strict=True)
    }


def past_advice(subject: Subject) -> tuple[Sheet, ...]:
    """Every piece of advice whose periods have come, and the channels of the last of them; nothing without any."""
    ledger = subject.inputs.advice_ledger
    if ledger is None or ledger.empty:
        return ()
    come = outcomes_of(ledger)
    return (_vintages(subject, come), _channels(subject, ledger, come.iloc[-1])) if len(come) else ()


def _vintages(subject: Subject, come: pd.DataFrame) -> Sheet:
    target, money = subject.inputs.target_unit, subject.inputs.currency_unit
    last, inside = come.iloc[-1], int(come["inside_90"].sum())
    pieces = wording.count(len(come), "piece")
    reading = (
        f"{inside} of {pieces} of advice whose {subject.inputs.period}s have come ended within the 90% interval of its "
        f"own draws at the spend there was. After the last, {numbers.compact(last['spent'], money)} was spent instead "
        f"of {numbers.compact(last['advised'], money)}. Spending otherwise than advised made a difference of "
        f"{subject.amount(last['delivery'])}; the rest, {subject.amount(last['rest'])} "
        f"({numbers.percent(last['rest'] / last['happened'], signed=True)} of what happened), is noise and what the "
        "model does not know."
    )
    columns = {
        "first_date": Column("From", "date"),
        "last_date": Column("To", "date"),
        "advice": Column("Advice", "text"),
        "advised": Column(wording.headed("Advised", money)),
        "spent": Column(wording.headed("Spent", money)),
        "expected": Column(wording.headed("Expected", target)),
        "delivery": Column("Delivery"),
        "rest": Column("Rest"),
        "happened": Column(wording.headed("Happened", target)),
        "inside": Column("Within 90%", "text"),
    }
    shown = come.assign(inside=come["inside_90"].map({True: "yes", False: "no"}))
    caption = "Happened = expected + delivery + rest"
    return Sheet("advice-outcomes", "What came of earlier advice", reading, table_of(shown, caption, columns))


def _channels(subject: Subject, ledger: pd.DataFrame, last: pd.Series) -> Sheet:
    mine = (ledger[list(VINTAGE)] == last[list(VINTAGE)]).all(axis=1)
    rows = ledger[mine & (ledger["channel"] != ALL_CHANNELS)].sort_values(
        "advised", ascending=False, kind="stable"
    )
    rows = rows.assign(channel=[subject.label(str(name)) for name in rows["channel"]])
    most = rows.iloc[int(rows["delivery"].abs().argmax())]
    reading = f"Delivery differed most in {most['channel']}, where it made {subject.amount(float(most['delivery']))}."
    target = subject.inputs.target_unit
    columns = {
        "channel": Column("Channel", "name"),
        "advice": Column("Advice", "text"),
        "today": Column("Before"),
        "advised": Column("Advised"),
        "spent": Column("Spent"),
        "delivery": Column(wording.headed("Delivery", target)),
    }
    span = f"{numbers.day(last['first_date'])} to {numbers.day(last['last_date'])}"
    table = table_of(rows, f"Advised and spent, {span}", columns)
    return Sheet("advice-delivery", f"Advised and spent by channel, {span}", reading, table, is_folded=True)
