"""One fault counts once, what could not be judged has not passed, and the worst failure decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.client.windows import STANDARD_WINDOWS, Window
from mmm_engine.scores.advice import ADVICE, advice_on, subject_of
from mmm_engine.scores.verdict import (
    Severity,
    Verdict,
    beside_limit,
    by_check,
    judge,
    not_judged,
    share_beside_limit,
)

H04, H08 = Window.holding_out(4), Window.holding_out(8)


def _verdict(
    check: str, passed: bool = True, severity: Severity = "warning", window: Window | None = None
) -> Verdict:
    return Verdict(check, passed, severity, False, f"{check} of {window}", window=window)


def test_the_worst_failure_decides() -> None:
    """Errors make a model unfit, warnings ask for care."""
    good, warning, error = _verdict("a"), _verdict("b", False), _verdict("c", False, "error")
    assert judge([good]) == "usable"
    assert judge([good, warning]) == "usable with care"
    assert judge([good, warning, error]) == "do not use"


def test_an_error_that_passed_or_was_not_judged_is_none() -> None:
    """Severity says what a failure would be."""
    assert judge([_verdict("a", True, "error"), not_judged("drift", "too short a past")]) == "usable"


@pytest.mark.parametrize("check", ["sampler_converged", "holdout_skill"])
def test_care_is_asked_for_where_the_essential_was_not_judged(check: str) -> None:
    """A client without a single held-out row is not called usable."""
    assert judge([_verdict("a"), not_judged(check, "no rows")]) == "usable with care"


def test_not_judged_cannot_pass() -> None:
    """The two exclude each other."""
    with pytest.raises(ValueError, match="was not judged"):
        Verdict("a", True, "warning", False, "", judged=False)


def test_a_fault_of_several_windows_is_one_fault() -> None:
    """Its windows are named, its reason is that of the first."""
    verdicts = [_verdict("sampler", False, window=window) for window in (H04, H08)]
    (result,) = by_check([_verdict("sampler", window=STANDARD_WINDOWS[0]), *verdicts])
    assert (result.outcome, result.windows, result.reason) == ("failed", (H04, H08), "sampler of h04")


def test_an_error_of_one_window_is_told_before_warnings_of_others() -> None:
    """Only the windows that decide are named."""
    warning, error = _verdict("a", False, window=H04), _verdict("a", False, "error", H08)
    (result,) = by_check([warning, error])
    assert (result.severity, result.windows) == ("error", (H08,))


def test_worst_checks_come_first() -> None:
    """Errors, warnings, what was not judged, what passed."""
    results = by_check(
        [
            _verdict("good"),
            not_judged("unknown", ""),
            _verdict("care", False),
            _verdict("bad", False, "error"),
        ]
    )
    assert [result.check for result in results] == ["bad", "care", "unknown", "good"]


VERDICTS = st.lists(
    st.builds(
        _verdict,
        st.sampled_from("abc"),
        st.booleans(),
        st.sampled_from(["error", "warning"]),
        st.sampled_from([None, *STANDARD_WINDOWS]),
    )
)


@given(VERDICTS, st.randoms())
def test_order_and_repetition_change_no_judgement(verdicts: list[Verdict], random: object) -> None:
    """The judgement is that of a set; saying a fault twice makes it no worse."""
    shuffled = [*verdicts, *verdicts]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(shuffled) == judge(verdicts)
    assert len(by_check(shuffled)) == len({verdict.check for verdict in verdicts})


@given(st.floats(0.5, 2.0, exclude_min=True), st.sampled_from([1.0, 1.01, 1.05]))
def test_a_number_beside_its_limit_never_reads_like_it(value: float, limit: float) -> None:
    """No "R-hat 1.01 (wanted at most 1.01)"."""
    if value != limit:
        assert float(beside_limit(value, limit)) != limit


@given(st.floats(0.0, 1.0), st.sampled_from([0.05, 0.1, 0.35, 0.5, 0.7]))
def test_a_share_beside_its_limit_never_reads_like_it(share: float, limit: float) -> None:
    """No "bias +20% is beyond ±20%"."""
    if abs(share - limit) > 1e-9:
        assert share_beside_limit(share, limit) != f"{limit:.0%}"


def test_advice_is_words_for_readers() -> None:
    """Whole sentences, known by the check's name."""
    for check, advice in ADVICE.items():
        assert advice.meaning.endswith("."), check
        assert advice.remedy.endswith("."), check
        assert advice_on(check) is advice
    assert advice_on("of_somebody") is None
    assert subject_of("of_somebody") == "of somebody"
