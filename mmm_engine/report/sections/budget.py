"""What to do with the coming budget: today against the plan, why to believe it, what other budgets would bring.

Here: the section of the advice, its sentence and its table for the first screen.
Not here: the plan (mmm_engine.decisions), figures (report/figures/budget.py), what came of earlier advice
(advice_ledger.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mmm_engine.decisions.plan_words import resting
from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Chart, Column, Item, Section, Sheet, Slider, Sliders, Table, table_of
from mmm_engine.report.sections.advice_ledger import last_advice, past_advice
from mmm_engine.report.subject import Subject

MOST_NAMED = 3
#: Share of what the best plans bring below which what a test is worth is called nothing.
_WORTH_A_WORD = 1e-4


def advice_sentence(subject: Subject) -> str:
    """What to do, in one sentence; "" where nothing is known of a budget."""
    advice = subject.inputs.advice
    if advice is None:
        return ""
    if advice["refused"]:
        return wording.safe_text(
            f"No money is to be moved by this model: {'; '.join(advice['refused'])}.", 600
        )
    if advice.get("frozen"):  # records of earlier versions do not say
        return wording.safe_text(f"Budget: hold. {wording.sentence(advice['frozen'])}", 600)
    if not advice["acts"]:
        return f"Budget: hold. {_gain_words(subject, advice)}, which is not sure enough to move money."
    better = numbers.probability(advice["gain"]["better"])
    return (
        f"{advice_words(subject)} {_gain_words(subject, advice)}; it beats today's with {better} probability."
    )


def advice_words(subject: Subject) -> str:
    """What to raise and what to cut, the largest moves first; "" where no money is to be planned by this model."""
    advice = subject.inputs.advice
    if advice is None or advice["refused"]:
        return ""
    if advice.get("frozen") or not advice["acts"]:
        return "Budget: hold."
    channels = pd.DataFrame(advice["channels"])
    channels = channels.assign(moved=(channels["plan"] - channels["today"]).abs())
    channels = channels.sort_values("moved", ascending=False, kind="stable")
    parts = []
    for verb in ("raise", "cut"):
        named = [subject.label(str(name)) for name in channels.loc[channels["advice"] == verb, "channel"]]
        if named:
            parts.append(f"{verb} {wording.listing(named, MOST_NAMED)}")
    parts = parts or ["keep the totals of channels, spread as planned"]
    return f"Budget: {'; '.join(parts)}."


def budget_section(subject: Subject) -> Section | None:
    """Today's plan against the suggested one, the frontier, and what tests would be worth."""
    advice, past = subject.inputs.advice, past_advice(subject)
    if advice is None or advice["refused"]:
        return Section("budget", "Budget", "Budget", "What came of earlier advice.", past) if past else None
    when = f"from {numbers.day(pd.Timestamp(advice['first']))} to {numbers.day(pd.Timestamp(advice['last']))}"
    lead = (
        f"What to do with the budget of the next {subject.periods(advice['periods'])}, {when}. Today's budget "
        f"goes on as in the last {subject.periods(advice['basis'])}."
    )
    if idle := resting(pd.DataFrame(advice["channels"])):
        lead += (
            f" What spends nothing today stays at 0 ({wording.listing([subject.label(name) for name in idle])}), "
            "whatever it would bring: bounds in the client file let it begin."
        )
    items: tuple[Item, ...] = (
        _moves(subject, advice),
        *_sliders(subject, advice),
        _frontier(subject, advice),
    )
    items += (_tests(subject, advice), *past)
    return Section("budget", "Budget", "Budget", lead, items)


def advice_table(subject: Subject) -> Table | None:
    """Each channel on the first screen: spend, what the next unit of money brings, what to do, what was said before."""
    advice = subject.inputs.advice
    if advice is None or advice["refused"]:
        return None
    said = last_advice(subject)
    channels = pd.DataFrame(advice["channels"]).sort_values("today", ascending=False, kind="stable")
    channels = channels.assign(
        channel=[subject.label(str(name)) for name in channels["channel"]],
        advice=channels["advice"].mask(channels["channel"].isin(resting(channels)), "stay at 0"),
        interval=[
            f"{numbers.decimal(low)} to {numbers.decimal(high)}"
            for low, high in zip(channels["marginal_q05"], channels["marginal_q95"], strict=True)
        ],
        before=[said.get(str(name), "–") for name in channels["channel"]],
        change=["–" if pd.isna(move) else numbers.percent(move, signed=True) for move in channels["change"]],
    )
    verb = "earns" if advice["value_known"] else "brings"
    last, money = f"Last {subject.periods(advice['basis'])}", subject.inputs.currency_unit
    if advice["basis"] < advice["periods"] or advice["periods"] % advice["basis"]:
        last = f"Today, {subject.periods(advice['periods'])}"
    columns = {
        "channel": Column("Channel", "name"),
        "advice": Column("Advice", "text"),
        "today": Column(wording.headed(last, money)),
        "change": Column("Plan", "amount"),
        "marginal": Column(f"Next {subject.one_of_money} {verb}", "ratio"),
        "interval": Column("90% interval", "text"),
    }
    if not advice["acts"]:
        del columns["change"]  # nothing is to be moved
    if advice["value_known"]:
        columns["beats_break_even"] = Column("Pays for itself", "share")
    if said:
        columns["before"] = Column("Last refresh", "text")
    return table_of(channels, "What to do with each channel", columns)


def _sliders(subject: Subject, advice: Mapping[str, Any]) -> tuple[Sliders, ...]:
    """A slider for each channel; none where the advice has no grid, or no channel spends."""
    grid = advice.get("grid")
    if not grid or not grid["channels"]:
        return ()
    names = ("today", "plan", "seen", "fixed")
    sliders = [
        Slider(subject.label(str(one["channel"])), **{name: one[name] for name in names})
        for one in grid["channels"]
    ]
    fixed = [slider.name for slider in sliders if slider.fixed]
    reading = (
        f"Move a channel; the answer covers the next {subject.periods(advice['periods'])} and what goes on "
        f"working after them, over {grid['draws']} draws of the model, the same for every plan."
    )
    if advice["value_known"]:
        reading += " Gains are net of the money spent more."
    if fixed:
        reading += f" The model cannot read {wording.listing(fixed)}: a test comes first."
    net = bool(advice["value_known"])
    title = "Try another plan"
    unit, money = subject.gain_around(str(advice["unit"])), numbers.around(subject.inputs.currency_unit)
    return (Sliders("budget-sliders", title, reading, unit, money, tuple(sliders), grid, net),)


def _gain_words(subject: Subject, advice: Mapping[str, Any]) -> str:
    gain = advice["gain"]
    mean, low, high = (subject.gained(gain[name], advice["unit"]) for name in ("mean", "q05", "q95"))
    behind = subject.gain_around(str(advice["unit"]))[1]
    ends = numbers.interval(low.removesuffix(behind), high.removesuffix(behind))
    return f"The plan for the next {subject.periods(advice['periods'])} gains {mean} ({ends})"


def _moves(subject: Subject, advice: Mapping[str, Any]) -> Chart:
    channels = pd.DataFrame(advice["channels"])
    proof, money, unit = advice["proof"], subject.inputs.currency_unit, str(advice["unit"])
    if proof["gap"] is None:
        known = "whether a very different plan brings more is not known"
    elif proof["tight"]:
        known = "no other plan within the limits brings noticeably more"
    else:
        most = subject.amount(proof["gap"])
        known = f"no other plan within the limits brings more than {most} more"
    reading = (
        f"{_gain_words(subject, advice)}; in the worst 5% of cases {subject.gained(advice['gain']['worst'], unit)}. "
        f"The next {subject.one_of_money} brings {subject.gained_by_one(proof['price'], unit)}, and {known}."
    )
    earns = "earns" if advice["value_known"] else "brings"
    columns = {
        "label": Column("Channel", "name"),
        "today": Column(wording.headed("Today", money)),
        "plan": Column(wording.headed("Plan", money)),
        "change": Column("Change", "signed"),
        "advice": Column("Advice", "text"),
        "marginal": Column(f"Next unit from today's spend {earns}", "ratio"),
        "marginal_q05": Column("5%", "ratio"),
        "marginal_q95": Column("95%", "ratio"),
    }
    if advice["value_known"]:
        columns["beats_break_even"] = Column("Beats break-even", "share")
    return Chart(
        id="budget-moves",
        figure="budget_moves",
        title="Today against the plan",
        reading=reading,
        table=table_of(
            channels.assign(label=[subject.label(str(name)) for name in channels["channel"]]),
            "Money per channel, today and in the plan",
            columns,
        ),
        frames={"table": channels},
        options={"unit": money},
    )


def _frontier(subject: Subject, advice: Mapping[str, Any]) -> Chart:
    frontier = pd.DataFrame(advice["frontier"])
    money, unit = subject.inputs.currency_unit, subject.inputs.target_unit
    low, high = frontier.iloc[0], frontier.iloc[-1]
    budgets = [subject.money(end["budget"]) for end in (low, high)]
    brought = numbers.span(low["response"], high["response"], unit)
    reading = (
        f"From a budget of {budgets[0]} to one of {budgets[1]} the best plan brings {brought}; "
        f"the next {subject.one_of_money} brings {subject.gained_by_one(low['marginal'], advice['unit'])} at first and "
        f"{subject.gained_by_one(high['marginal'], advice['unit'])} in the end."
    )
    columns = {
        "budget": Column(wording.headed("Budget", money)),
        "response": Column(wording.headed("Media bring", unit)),
        "response_q05": Column("5%"),
        "response_q95": Column("95%"),
        "marginal": Column("Next unit of money", "ratio"),
    }
    return Chart(
        id="budget-frontier",
        figure="budget_frontier",
        title="What other budgets would bring",
        reading=reading,
        table=table_of(frontier, "The best plan of each budget", columns),
        frames={"frontier": frontier},
        options={"unit": money, "target": unit, "today": advice["spend_today"]},
    )


def _tests(subject: Subject, advice: Mapping[str, Any]) -> Sheet:
    tests = pd.DataFrame(advice["tests"])
    least = _WORTH_A_WORD * max(abs(float(point["response"])) for point in advice["frontier"])
    tests = tests.assign(worth=tests["worth"].where(tests["worth"] >= least, 0.0))
    first, everything = tests.iloc[0], float(tests["worth"].iloc[-1])
    unit = wording.safe_text(str(advice["unit"]), 40)
    whole = subject.gained(everything, advice["unit"])
    if not everything:
        reading = "To know every return exactly would change this plan by next to nothing: it needs no test."
    elif not first["worth"]:
        reading = (
            f"No test of one channel would change this plan; to know everything is worth {whole} a quarter."
        )
    else:
        reading = (
            f"A test that tells the return of {subject.label(str(first['channel']))} within 20% is worth "
            f"{subject.gained(first['worth'], advice['unit'])} a quarter; knowing everything, {whole}."
        )
    columns = {"label": Column("Channel", "name"), "worth": Column(wording.headed("Worth a quarter", unit))}
    labels = [subject.label(str(name)) for name in tests["channel"]]
    table = table_of(tests.assign(label=labels), "What a test of each channel is worth", columns)
    return Sheet("budget-tests", "What a test would be worth", reading, table)
