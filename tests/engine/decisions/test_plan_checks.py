"""Whether stored advice may be followed: given, proven, within what was seen."""

from __future__ import annotations

from typing import Any

import pytest

from mmm_engine.decisions.advice_record import refusal_record
from mmm_engine.decisions.plan_checks import advice_verdicts
from mmm_engine.scores.advice import advice_on

SOUND: dict[str, Any] = {
    "refused": [],
    "acts": True,
    "gain": {"better": 0.97, "mean": 1200.0},
    "proof": {"gap_share": 1e-9, "spread": 1e-10, "tight": True, "without_history": []},
    "beyond_seen": [],
}


def outcomes(record: dict[str, Any]) -> list[str]:
    """Outcomes of the three checks."""
    return [verdict.outcome for verdict in advice_verdicts(record)]


def test_sound_advice_passes_all() -> None:
    """With the numbers that plot."""
    verdicts = advice_verdicts(SOUND)
    assert outcomes(SOUND) == ["passed", "passed", "passed"]
    assert verdicts[0].numbers == {"beats_today": 0.97, "gain": 1200.0}
    assert "97% of draws: move money" in verdicts[0].reason


def test_advice_that_could_not_move_anything_says_why() -> None:
    """The check of advice tells it too."""
    held = {**SOUND, "acts": False, "frozen": "nothing may move: the limits keep tv as today"}
    assert advice_verdicts(held)[0].reason == "hold: nothing may move: the limits keep tv as today"
    sure = {**SOUND, "gain": {"better": 1.0, "mean": 1200.0}}
    assert "in nearly every draw: move money" in advice_verdicts(sure)[0].reason


def test_where_there_is_none_there_is_nothing_to_prove() -> None:
    """The reason is that of the refusal."""
    record = refusal_record(["R-hat of 1.4"])
    assert outcomes(record) == ["failed", "not judged", "not judged"]
    assert "R-hat of 1.4" in advice_verdicts(record)[0].reason


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gap_share": 0.01, "tight": False}, ["passed", "failed", "passed"]),
        ({"gap_share": None, "tight": False}, ["passed", "not judged", "passed"]),
        ({"without_history": ["radio"]}, ["passed", "passed", "failed"]),
    ],
)
def test_a_gap_fails_and_an_unknown_one_is_not_judged(changes: dict[str, Any], expected: list[str]) -> None:
    """A channel without history is beyond what was seen, too."""
    assert outcomes({**SOUND, "proof": {**SOUND["proof"], **changes}}) == expected


def test_amounts_beyond_what_was_seen_are_named() -> None:
    """Each channel once."""
    cells = [{"channel": "tv"}, {"channel": "tv"}, {"channel": "radio"}]
    verdict = advice_verdicts({**SOUND, "beyond_seen": cells})[2]
    assert verdict.failed
    assert verdict.reason.endswith("radio, tv")


def test_every_one_says_what_to_do() -> None:
    """And none counts as an error of the model."""
    for verdict in advice_verdicts(SOUND):
        assert advice_on(verdict.check) is not None
        assert verdict.severity == "warning"
