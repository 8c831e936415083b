"""The advice of a report: its sentence on the first screen, its section, and that it stays out where there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mmm_engine.decisions.advice_record import advice_record, refusal_record
from mmm_engine.decisions.budget_plan import BudgetRequest, plan_budget
from mmm_engine.decisions.planning_window import planning_window
from mmm_engine.report.content import build_content
from mmm_engine.report.figures import draw_charts
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.report.render import build_report
from tests.engine.decisions.test_planning_window import fitted
from tests.engine.report.report_cases import ms_inputs

CHANNELS = ("snapchat_cost", "google_ads_video_cost", "google_ads_search_men_cost")


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """Advice for a small client, its channels under names of the report's client, through a file."""
    window = planning_window(fitted(), 4)
    window = replace(window, channels=CHANNELS, currency="EUR")
    advice = advice_record(plan_budget(window, BudgetRequest(value=0.02, unreadable=(CHANNELS[2],))))
    return dict(json.loads(json.dumps(advice, allow_nan=False)))


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
    assert "of draws" in said
    held = build_content(with_advice({**record, "acts": False})).summary.advice
    assert held.startswith("Budget: hold.")
    assert held in build_report(with_advice({**record, "acts": False})).replace("&#39;", "'")


def test_the_section_has_every_number_of_the_advice(record: dict[str, Any]) -> None:
    """Today and plan per channel, "test first" for what cannot be read, frontier, tests; both figures are drawn."""
    content = build_content(with_advice(record))
    (section,) = [section for section in content.sections if section.id == "budget"]
    moves, frontier, tests = section.items
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
