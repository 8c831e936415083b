"""What to do with the coming budget: today against the plan, why to believe it, what other budgets would bring.

Here: the section of the advice, its sentence and its table for the first screen.
Not here: the plan (mmm_engine.decisions), figures (report/figures/budget.py), what came of earlier advice
(advice_ledger.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mmm_engine.report import wording
from mmm_engine.report.page import Chart, Column, Item, Section, Sheet, Slider, Sliders, Table, table_of
from mmm_engine.report.sections.advice_ledger import last_advice, past_advice
from mmm_engine.report.subject import Subject

MOST_NAMED = 3


def advice_sentence(subject: Subject) -> str:
    """What to do, in one sentence; "" where nothing is known of a budget."""
    advice = subject.inputs.advice
    if advice is None:
        return ""
    if advice["refused"]:
        return wording.safe_text(
            f"No money is to be moved by this model: {'; '.join(advice['refused'])}.", 600
        )
    if not advice["acts"]:
        return f"Budget: hold. {_gain_words(subject, advice)}, which is not sure enough to move money."
    channels = pd.DataFrame(advice["channels"])
    channels = channels.assign(moved=(channels["plan"] - channels["today"]).abs())
    channels = channels.sort_values("moved", ascending=False, kind="stable")
    parts = []
    for verb in ("raise", "cut"):
        named = [subject.label(str(name)) for name in channels.loc[channels["advice"] == verb, "channel"]]
        if named:
            shown = named[:MOST_NAMED] + (
                [f"{len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
            )
            parts.append(f"{verb} {wording.listing(shown)}")
    parts = parts or ["keep the totals of channels, spread as planned"]
    better = wording.percent(advice["gain"]["better"])
    return f"Budget: {'; '.join(parts)}. {_gain_words(subject, advice)} and beats today in {better} of draws."


def budget_section(subject: Subject) -> Section | None:
    """Today's plan against the suggested one, the frontier, and what tests would be worth."""
    advice, past = subject.inputs.advice, past_advice(subject)
    if advice is None or advice["refused"]:
        return Section("budget", "Budget", "Budget", "What came of earlier advice.", past) if past else None
    when = f"from {wording.day(pd.Timestamp(advice['first']))} to {wording.day(pd.Timestamp(advice['last']))}"
    lead = (
        f"What to do with the budget of the next {subject.periods(advice['periods'])}, {when}. Today is the last "
        f"{subject.periods(advice['basis'])}, exactly."
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
        interval=[
            f"{wording.decimal(low)} to {wording.decimal(high)}"
            for low, high in zip(channels["marginal_q05"], channels["marginal_q95"], strict=True)
        ],
        before=[said.get(str(name), "–") for name in channels["channel"]],
    )
    verb = "earns" if advice["value_known"] else "brings"
    last, money = f"Last {subject.periods(advice['basis'])}", subject.inputs.currency_unit
    if advice["basis"] < advice["periods"] or advice["periods"] % advice["basis"]:
        last = f"Today, {subject.periods(advice['periods'])}"
    columns = {
        "channel": Column("Channel", "name"),
        "advice": Column("Advice", "text"),
        "today": Column(wording.headed(last, money)),
        "change": Column("Plan", "signed"),
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
    unit = wording.safe_text(str(advice["unit"]), 40)
    names = ("today", "plan", "seen", "fixed")
    sliders = [
        Slider(subject.label(str(one["channel"])), **{name: one[name] for name in names})
        for one in grid["channels"]
    ]
    fixed = [slider.name for slider in sliders if slider.fixed]
    reading = (
        f"Move a channel; {grid['draws']} draws of the model answer, the same for every plan, for the next "
        f"{subject.periods(advice['periods'])} and what goes on working after them."
    )
    if advice["value_known"]:
        reading += " Gains are net of the money spent more."
    if fixed:
        reading += f" The model cannot read {wording.listing(fixed)}: a test comes first."
    money = subject.inputs.currency_unit
    net = bool(advice["value_known"])
    title = "Try another plan"
    return (Sliders("budget-sliders", title, reading, unit, money, tuple(sliders), grid, net),)


def _gain_words(subject: Subject, advice: Mapping[str, Any]) -> str:
    gain = advice["gain"]
    unit = wording.safe_text(str(advice["unit"]), 40)
    amounts = [wording.compact(gain[name]) for name in ("q05", "q95")]
    return (
        f"The plan for the next {subject.periods(advice['periods'])} gains {wording.compact(gain['mean'], unit)} "
        f"(90% interval {amounts[0]} to {amounts[1]})"
    )


def _moves(subject: Subject, advice: Mapping[str, Any]) -> Chart:
    channels = pd.DataFrame(advice["channels"])
    proof, money = advice["proof"], subject.inputs.currency_unit
    if proof["gap"] is None:
        known = "whether a very different plan brings more is not known"
    elif proof["tight"]:
        known = "no other plan within the limits brings noticeably more"
    else:
        most = subject.amount(proof["gap"])
        known = f"no other plan within the limits brings more than {most} more"
    reading = (
        f"{_gain_words(subject, advice)}; in the worst 5% of draws {wording.compact(advice['gain']['worst'])}. "
        f"The next unit of money brings {wording.decimal(proof['price'])}, and {known}."
    )
    earns = "earns" if advice["value_known"] else "brings"
    columns = {
        "channel": Column("Channel", "name"),
        "today": Column(wording.headed("Today", money)),
        "plan": Column(wording.headed("Plan", money)),
        "change": Column("Change", "signed"),
        "advice": Column("Advice", "text"),
        "marginal": Column(f"Next unit {earns}", "ratio"),
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
        table=table_of(channels, "Money per channel, today and in the plan", columns),
        frames={"table": channels},
        options={"unit": money},
    )


def _frontier(subject: Subject, advice: Mapping[str, Any]) -> Chart:
    frontier = pd.DataFrame(advice["frontier"])
    money, unit = subject.inputs.currency_unit, subject.inputs.target_unit
    low, high = frontier.iloc[0], frontier.iloc[-1]
    budgets, brought = (
        [wording.compact(end[name]) for end in (low, high)] for name in ("budget", "response")
    )
    reading = (
        f"From a budget of {budgets[0]} to one of {budgets[1]} the best plan brings {brought[0]} to {brought[1]}; "
        f"the next unit of money brings {wording.decimal(low['marginal'])} at first and "
        f"{wording.decimal(high['marginal'])} in the end."
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
    first = tests.iloc[0]
    unit = wording.safe_text(str(advice["unit"]), 40)
    worth = [wording.compact(tests.iloc[at]["worth"], unit) for at in (0, -1)]
    reading = (
        f"A test that tells the return of {subject.label(str(first['channel']))} within 20% is worth {worth[0]} "
        f"a quarter; knowing everything, {worth[1]}."
    )
    columns = {"channel": Column("Channel", "name"), "worth": Column(wording.headed("Worth a quarter", unit))}
    table = table_of(tests, "What a test of each channel is worth", columns)
    return Sheet("budget-tests", "What a test would be worth", reading, table)
