"""The advice of a report: its sentence on the first screen, its section, and that it stays out where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mmm_engine.decisions.advice_record import advice_record, refusal_record
from mmm_engine.decisions.budget_plan import BudgetRequest, plan_budget
from mmm_engine.decisions.planning_window import planning_window
from mmm_engine.report.content import build_content
from mmm_engine.report.figures import draw_charts
from mmm_engine.report.glance import budget
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.page import Sliders
from mmm_engine.report.render import build_report
from tests.engine.decisions.test_planning_window import fitted
from tests.engine.report import case_advice
from tests.engine.report.report_cases import ms_inputs

CHANNELS = case_advice.CHANNELS


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """Advice for a small client, its channels under names of the report's client, through a file."""
    return case_advice.record()


def test_views_do_not_stand_among_amounts_of_money() -> None:
    """A channel that no money buys has no row: its media would be read in the currency."""
    window = replace(planning_window(fitted(), 4), channels=CHANNELS, paid=np.array([True, False, True]))
    advice = advice_record(plan_budget(window, BudgetRequest()))
    assert [row["channel"] for row in advice["channels"]] == [CHANNELS[0], CHANNELS[2]]


def with_advice(advice: dict[str, Any]) -> ReportInputs:
    """The report of `ms` with some advice."""
    return replace(ms_inputs(), advice=advice)


def test_the_first_screen_says_what_to_do(record: dict[str, Any]) -> None:
    """Which channels to raise and cut, the gain with its interval; hold where that is not sure enough."""
    acts = with_advice({**record, "acts": True})
    said = build_content(acts).summary.advice
    assert said.startswith("Budget: ")
    assert "90% interval" in said
    assert "probability" in said
    assert said.startswith(f"{budget(acts)} The plan")  # the page of all clients says the same
    assert budget(with_advice({**record, "acts": False})) == "Budget: hold."
    held = build_content(with_advice({**record, "acts": False})).summary.advice
    assert held.startswith("Budget: hold.")
    assert held in build_report(with_advice({**record, "acts": False})).replace("&#39;", "'")


def test_a_channel_that_is_off_is_said_to_stay_so_with_the_reason(record: dict[str, Any]) -> None:
    """It read "hold" beside the highest return of all; limits as shares of nothing leave it nothing."""
    off = {**record["channels"][0], "today": 0.0, "plan": 0.0, "advice": "hold", "change": None}
    content = build_content(with_advice({**record, "channels": [off, *record["channels"][1:]]}))
    table = content.summary.channels
    assert table is not None
    assert [row[1] for row in table.rows].count("stay at 0") == 1
    (section,) = [section for section in content.sections if section.id == "budget"]
    assert "What spends nothing today stays at 0 (" in section.lead
    assert "stays at 0" not in next(
        one.lead for one in build_content(with_advice(record)).sections if one.id == "budget"
    )


def test_the_section_has_every_number_of_the_advice(record: dict[str, Any]) -> None:
    """Today and plan per channel, "test first" for what cannot be read, frontier, tests; both figures are drawn."""
    content = build_content(with_advice(record))
    (section,) = [section for section in content.sections if section.id == "budget"]
    moves, sliders, frontier, tests = section.items
    assert isinstance(sliders, Sliders)
    assert len(moves.table.rows) == 3
    assert "test first" in {row[4] for row in moves.table.rows}
    np.testing.assert_allclose([row[1] for row in moves.table.rows], [r["today"] for r in record["channels"]])
    assert len(frontier.table.rows) == 20
    assert len(tests.table.rows) == 4
    drawn = draw_charts(content)
    assert {"budget-moves", "budget-frontier"} <= set(drawn)


def test_a_model_that_is_not_to_be_used_moves_no_money() -> None:
    """The first screen says so with the reason, and there is no section."""
    content = build_content(with_advice(refusal_record(["R-hat of 1.4"])))
    assert content.summary.advice == "No money is to be moved by this model: R-hat of 1.4."
    assert "budget" not in {section.id for section in content.sections}


def test_a_report_without_advice_says_nothing_of_budgets() -> None:
    """Reports that were gathered without it stay as they are."""
    content = build_content(ms_inputs())
    assert content.summary.advice == ""
    assert "budget" not in {section.id for section in content.sections}


def test_the_first_screen_has_every_channel_with_what_was_said_before(record: dict[str, Any]) -> None:
    """Advice, spend of the last four weeks, return of the next euro, the last refresh's word; largest spend first."""
    inputs = replace(with_advice({**record, "acts": True}), advice_ledger=case_advice.ledger())
    table = build_content(inputs).summary.channels
    assert table is not None
    heads = [column.label for column in table.columns]
    assert heads[:3] == ["Channel", "Advice", "Last 4 weeks (€)"]
    assert heads[-1] == "Last refresh"
    spend = [float(row[2]) for row in table.rows]
    assert spend == sorted(spend, reverse=True)
    assert "raise at 1.25" in {row[-1] for row in table.rows}
    held = build_content(with_advice({**record, "acts": False})).summary.channels
    assert held is not None
    assert not {"Plan", "Last refresh"} & {column.label for column in held.columns}


def test_advice_says_numbers_that_a_person_would_say(record: dict[str, Any]) -> None:
    """A gap of less than one in a hundred thousand is no number at all; a larger one has three digits."""
    proof = record["proof"]
    texts = []
    for gap, tight in ((8.68e-6, True), (1234.5678, False), (None, False)):
        advice = {**record, "proof": {**proof, "gap": gap, "tight": tight}}
        (section,) = [one for one in build_content(with_advice(advice)).sections if one.id == "budget"]
        texts.append(section.items[0].reading)
    assert "noticeably" in texts[0]
    assert "8.68" not in texts[0]
    assert "1.23" in texts[1]
    assert "not known" in texts[2]


def test_earlier_advice_is_shown_once_its_weeks_have_come(record: dict[str, Any]) -> None:
    """One vintage of two: advised 15,000, spent 17,000, and the bridge adds up in its row."""
    ledger = case_advice.ledger()
    inputs = replace(with_advice(record), advice_ledger=ledger)
    (section,) = [section for section in build_content(inputs).sections if section.id == "budget"]
    outcomes, channels = section.items[-2:]
    (row,) = outcomes.table.rows
    expected, delivery, rest, happened = (float(cell) for cell in row[5:9])
    assert (row[3], row[4]) == (15_000.0, 17_000.0)
    assert expected + delivery + rest == happened == 1_603_500.0
    assert outcomes.reading.startswith("1 of 1 piece")
    assert "snapchat" in channels.reading
    still_open = replace(inputs, advice_ledger=ledger[ledger["scored_at"].isna()])
    (section,) = [section for section in build_content(still_open).sections if section.id == "budget"]
    assert "advice-outcomes" not in {item.id for item in section.items}


def test_earlier_advice_is_shown_where_there_is_none_now() -> None:
    """A model that is not to be used any more: what came of its advice is still told."""
    inputs = replace(with_advice(refusal_record(["R-hat of 1.4"])), advice_ledger=case_advice.ledger())
    (section,) = [section for section in build_content(inputs).sections if section.id == "budget"]
    assert [item.id for item in section.items] == ["advice-outcomes", "advice-delivery"]
