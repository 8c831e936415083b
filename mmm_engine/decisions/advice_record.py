"""Advice as plain values that a file can keep: what a refresh says about the coming budget.

Here: `advice_record`, from a plan or from why there is none.
Not here: the plan (budget_plan.py), how a page shows it (report/sections/budget.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.decisions.budget_plan import BudgetPlan
from mmm_engine.decisions.plan_grid import gain_grid

FRONTIER_POINTS = 20
_FRONTIER_COLUMNS = ["budget", "response", "response_q05", "response_q95", "marginal"]


def advice_record(plan: BudgetPlan) -> dict[str, Any]:
    """A plan as numbers, texts and lists of them; NaN as None.

    Returns:
        sentence, acts, frozen (why no money can move, "" where some can), first and last (days), periods, basis, unit,
        value_known, objective; spend and spend_today; gain, proof; `grid` (output of `plan_grid.gain_grid`); and the
        rows of `channels` (the paid ones), `frontier`, `tests`, `binding`, `beyond_seen`.
    """
    window, proof, gain = plan.window, plan.certificate, plan.gain
    paid = window.paid
    record = {
        "refused": [],
        "sentence": plan.sentence,
        "acts": plan.acts,
        "frozen": plan.frozen,
        "first": f"{window.dates[0]:%Y-%m-%d}",
        "last": f"{window.dates[-1]:%Y-%m-%d}",
        "periods": window.periods,
        "basis": window.basis,
        "unit": plan.gain_unit,
        "value_known": plan.request.value is not None,
        "objective": plan.request.objective.kind,
        "spend": float(plan.spend[:, paid].sum()),
        "spend_today": float(window.current[:, paid].sum()),
        "gain": {
            "better": gain.better,
            "mean": gain.gain,
            "q05": gain.gain_q05,
            "q95": gain.gain_q95,
            "worst": gain.worst,
        },
        "proof": {
            "method": proof.method,
            "price": proof.price,
            "spread": proof.spread,
            "gap": proof.gap,
            "gap_share": proof.gap_share,
            "tight": proof.is_tight,
            "price_of_caution": proof.price_of_caution,
            "without_history": list(proof.without_history),
        },
        "channels": _rows(plan.table[paid]),  # counts of media have no place among amounts of money
        "frontier": _rows(plan.frontier(FRONTIER_POINTS)[_FRONTIER_COLUMNS]),
        "tests": _rows(plan.tests),
        "grid": gain_grid(plan),
        "binding": _rows(proof.binding),
        "beyond_seen": _rows(proof.beyond_seen.assign(date=proof.beyond_seen["date"].astype(str))),
    }
    return {name: _plain(value) for name, value in record.items()}


def refusal_record(reasons: Sequence[str]) -> dict[str, Any]:
    """What is kept where there is no advice: why."""
    return {"refused": list(reasons), "sentence": f"No advice: {'; '.join(reasons)}", "acts": False}


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's, NaN and infinity as None, all the way down."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
