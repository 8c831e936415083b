"""The study's verdicts on worlds: what is stopped, marked and let through, worked by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from mmm_engine.scores.verdict import Severity, Verdict, not_judged
from tests.benchmarks.truth.verdicts import (
    check_table,
    group_of,
    judged_worlds,
    kept,
    marking_table,
    verdict_table,
)


def _fit(
    world: str, ratio: float, *verdicts: Verdict, window: str = "full", skill: float | None = None
) -> dict[str, Any]:
    return {
        "scheme": "calibrated",
        "world": world,
        "window": window,
        "media": {"ratio": ratio},
        "forecast": {} if skill is None else {"skill": skill},
        "verdicts": kept(verdicts),
    }


def _failed(check: str, severity: Severity = "warning") -> Verdict:
    return Verdict(check, False, severity, False, "")


FITS = [
    _fit("a", 1.1, Verdict("sampler_converged", True, "error", True, "")),
    _fit("a", 1.1, window="h12", skill=0.3),
    _fit("b", 3.0, _failed("residuals"), not_judged("drift", "")),
    _fit("b", 3.0, _failed("holdout_calibration"), window="h12", skill=0.2),
    _fit("c", 0.3),
    _fit("c", 0.3, window="h08", skill=-0.2),
    _fit("c", 0.3, window="h12", skill=-0.1),
]


def test_windows_of_a_world_are_judged_together() -> None:
    """Sound, marked, and stopped because the naive forecast wins on both longer windows."""
    judged = judged_worlds(FITS).set_index("world")
    assert judged["verdict"].to_dict() == {"a": "usable", "b": "usable with care", "c": "do not use"}
    assert judged["group"].to_dict() == {"a": "right", "b": "wrong", "c": "wrong"}
    assert judged["failed"]["b"] == ("residuals", "holdout_calibration")


def test_tables_are_shares_of_worlds() -> None:
    """Of two wrong totals one is marked and one stopped."""
    judged = judged_worlds(FITS)
    wrong = verdict_table(judged).set_index("total of media").loc["off by more than a factor of 2"]
    assert wrong.drop("scheme").to_dict() == {
        "worlds": "2",
        "usable": "0%",
        "usable with care": "50%",
        "do not use": "50%",
    }
    checks = check_table(judged).set_index("check")["off by more than a factor of 2"]
    assert checks.to_dict() == {"holdout_calibration": "50%", "holdout_skill": "50%", "residuals": "50%"}


@pytest.mark.parametrize(
    ("ratio", "group"), [(1.25, "right"), (0.8, "right"), (1.3, "between"), (2.01, "wrong"), (0.0, "wrong")]
)
def test_groups_are_symmetrical_in_the_factor(ratio: float, group: str) -> None:
    """Half and double are equally wrong; a total of nothing is wrong."""
    assert group_of(ratio) == group


def test_fits_that_failed_are_left_out() -> None:
    """A world without a fit of all rows has no total to be judged by."""
    broken = {"scheme": "calibrated", "world": "d", "window": "full", "error": "FitError"}
    assert judged_worlds([broken, _fit("e", 1.0, window="h12", skill=0.1)]).empty


def test_what_any_rule_must_mark_by_hand() -> None:
    """Nine totals known to a spread of 0.2 and one of 1.

    The wide one is wrong with 2 Phi(-0.693) = 0.488 and right with 2 Phi(0.223) - 1 = 0.177, each of the others with
    2 Phi(-3.466) = 0.00053 and 2 Phi(1.116) - 1 = 0.735: to catch 90% it alone is marked, 0.177 of 6.80 sound ones.
    """
    spreads = [0.2] * 9 + [1.0]
    media = [{"share_q05": 0.1, "share_q95": 0.1 * math.exp(2 * 1.6449 * s), "ratio": 1.0} for s in spreads]
    records = [
        {"scheme": "calibrated", "world": str(at), "window": "full", "media": one}
        for at, one in enumerate(media)
    ]
    table = marking_table(records)
    assert table["sound totals marked"].tolist() == ["3%", "3%", "3%"]
    assert set(table["expected to be wrong"]) == {"5%"}
    assert set(table["expected to be sound"]) == {"68%"}
