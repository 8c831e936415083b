"""Advice for a small client, as a refresh keeps it, under the names of channels of the report's 13-channel client."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd

from mmm_engine.decisions.advice_record import advice_record
from mmm_engine.decisions.budget_plan import BudgetPlan, BudgetRequest, plan_budget
from mmm_engine.decisions.planning_window import planning_window
from mmm_engine.history.advice_ledger import VINTAGE, vintage_rows
from mmm_engine.report.inputs import ReportInputs
from tests.engine.decisions.test_planning_window import fitted
from tests.engine.report.report_cases import ms_inputs

CHANNELS = ("snapchat_cost", "google_ads_video_cost", "google_ads_search_men_cost")


@cache
def advised() -> BudgetPlan:
    """A plan over draws of a prior; the last channel cannot be read."""
    window = replace(planning_window(fitted(), 4), channels=CHANNELS, currency="EUR")
    return plan_budget(window, BudgetRequest(value=0.2, unreadable=(CHANNELS[2],)))


@cache
def _record() -> str:
    return json.dumps(advice_record(advised()), allow_nan=False)


def record() -> dict[str, Any]:
    """The advice, through a file."""
    return dict(json.loads(_record()))


def ledger() -> pd.DataFrame:
    """Advice of eight and of four weeks ago; of the older one, 2,000 was spent more and 3,500 more happened."""
    first = pd.Timestamp(record()["first"])
    vintages = []
    for weeks, version in ((8, "a" * 12), (4, "b" * 12)):
        begin = first - pd.Timedelta(weeks=weeks)
        channels = [
            {"channel": name, "advice": word, "today": 5_000.0, "advised": advised_now, "marginal": 1.25,
             "expected": 9_000.0, "paid": True}
            for name, word, advised_now in zip(CHANNELS, ("raise", "cut", "test first"), (6e3, 4e3, 5e3), strict=True)
        ]  # fmt: skip
        vintages.append(
            vintage_rows(
                "ms",
                channels,
                expected={"mean": 1_600_000.0, "q05": 1_500_000.0, "q95": 1_700_000.0},
                acts=True,
                dates=(begin, begin + pd.Timedelta(weeks=3)),
                cutoff=begin - pd.Timedelta(weeks=1),
                issued_at=begin.to_pydatetime(),
                run_id=f"run-{weeks}",
                data_version=version,
                request_version="c" * 12,
            )
        )
    frame = pd.concat(vintages, ignore_index=True)
    come = frame["data_version"] == "a" * 12
    whole = come & (frame["channel"] == "all")
    frame.loc[come, "spent"] = frame.loc[come, "advised"]
    frame.loc[come, "delivery"] = 0.0
    frame.loc[come & (frame["channel"] == CHANNELS[0]), ["spent", "delivery"]] = [8_000.0, 1_500.0]
    frame.loc[whole, ["spent", "delivery", "happened", "rest", "pit"]] = [
        17_000.0,
        1_500.0,
        1_603_500.0,
        2_000.0,
        0.6,
    ]
    frame.loc[come, "scored_at"] = pd.Timestamp(record()["first"])
    assert frame.groupby(list(VINTAGE)).size().tolist() == [4, 4]
    return frame


def advice_inputs(**changes: Any) -> ReportInputs:
    """The report of the 13-channel client with advice, and what came of earlier advice."""
    return replace(ms_inputs(), advice=record() | changes, advice_ledger=ledger())
