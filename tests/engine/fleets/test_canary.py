"""The canary is found by a sound engine and missed by a broken one."""

from __future__ import annotations

import pandas as pd
import pytest

from mmm_engine.fleets.canary import check_canary, judge_canary, simulated_canary
from mmm_engine.posterior.fitted_window import FittedWindow

TRUTH = {"tv": {"contribution": 100.0}, "search": {"contribution": 50.0}}


def _returns(**means: float) -> pd.DataFrame:
    """Contributions with a standard deviation of 10."""
    rows = [
        (channel, "contribution", mean, mean - 16.4485, mean + 16.4485) for channel, mean in means.items()
    ]
    return pd.DataFrame(rows, columns=["channel", "metric", "mean", "q05", "q95"])


@pytest.mark.parametrize(
    ("found", "passed"),
    [
        ({"tv": 110.0, "search": 45.0}, True),
        ({"tv": 139.0, "search": 50.0}, True),
        ({"tv": 141.0, "search": 50.0}, False),
        ({"tv": 100.0, "search": 9.0}, False),
        ({"tv": 100.0, "search": float("nan")}, False),
        ({"tv": 100.0}, False),
    ],
)
def test_four_standard_deviations_are_the_limit(found: dict[str, float], passed: bool) -> None:
    """Also a channel without a number, or without a row, is a miss."""
    verdict = judge_canary(_returns(**found), TRUTH)
    assert verdict.passed is passed
    assert (verdict.severity, verdict.blocking) == ("error", True)
    if not passed:
        assert "tv found 141, true 100 (+4.1 sd)" in verdict.reason or "search" in verdict.reason


def test_the_engine_finds_the_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room to spare; an engine that loses a third of what media does is caught."""
    simulation = simulated_canary()
    verdict = check_canary(simulation)
    assert verdict.passed, verdict.reason
    assert max(abs(value) for value in verdict.numbers.values()) < 3

    import mmm_engine.fleets.scored_window as scored_window

    sound = scored_window.channel_returns

    def lossy(window: FittedWindow) -> pd.DataFrame:
        frame = sound(window)
        frame[["mean", "q05", "q95"]] *= 0.67
        return frame

    monkeypatch.setattr(scored_window, "channel_returns", lossy)
    assert not check_canary(simulation).passed
