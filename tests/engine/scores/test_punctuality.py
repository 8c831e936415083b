"""Rows are late by each client's own rhythm."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from mmm_engine.scores.punctuality import check_punctuality

START = pd.Timestamp("2026-01-05 08:00")


def refreshes(days: list[float], cutoffs: list[int] | None = None) -> pd.DataFrame:
    """A refresh some days after the start; its last training date is a week later each time, unless told otherwise."""
    weeks = range(len(days)) if cutoffs is None else cutoffs
    return pd.DataFrame(
        {
            "cutoff": [pd.Timestamp("2025-12-29") + pd.Timedelta(weeks=week) for week in weeks],
            "recorded_at": [START + pd.Timedelta(days=day) for day in days],
        }
    )


def after(days: float) -> datetime:
    """So many days after the start."""
    return START.to_pydatetime().replace(tzinfo=UTC) + timedelta(days=days)


@pytest.mark.parametrize(
    ("rhythm", "waited", "passed"),
    [
        (7, 12.4, True),
        (7, 12.6, False),
        (91, 138.0, True),
        (91, 139.0, False),
        (1, 3.4, True),
        (1, 3.6, False),
    ],
)
def test_late_is_after_one_and_a_half_gaps_and_two_days(rhythm, waited, passed):
    """7 days: 12.5; 91 days: 138.5; 1 day: 3.5."""
    verdict = check_punctuality(refreshes([0, rhythm, 2 * rhythm]), after(2 * rhythm + waited))
    assert (verdict.passed, verdict.judged, verdict.severity) == (passed, True, "warning")
    assert verdict.numbers["late_after_days"] == pytest.approx(1.5 * rhythm + 2)
    assert verdict.numbers["days_since_new_rows"] == pytest.approx(waited)


def test_a_refresh_of_the_same_rows_is_no_arrival():
    """Refreshed daily from rows that came weekly: the rhythm is a week, and the last rows are 16 days old."""
    recorded = refreshes([0, 1, 7, 8, 14, 29, 30], [0, 0, 1, 1, 2, 2, 2])
    verdict = check_punctuality(recorded, after(30))
    assert not verdict.passed
    assert verdict.reason == "last new rows 16 days ago; they come every 7 days, late after 12 days"


def test_one_long_gap_does_not_make_the_rhythm():
    """The median of 7, 7, 40, 7."""
    verdict = check_punctuality(refreshes([0, 7, 14, 54, 61]), after(61))
    assert verdict.numbers["usual_days"] == 7.0


@pytest.mark.parametrize(("count", "said"), [(0, "not come yet"), (1, "come once"), (2, "come twice")])
def test_without_a_rhythm_nothing_is_late(count, said):
    """However long ago."""
    verdict = check_punctuality(refreshes([7.0 * number for number in range(count)]), after(1000))
    assert verdict.outcome == "not judged"
    assert verdict.reason == f"new rows have {said}; from the third time on there is a rhythm"


def test_rows_that_were_taken_back_are_no_arrival():
    """A refresh whose rows end earlier than before, then the usual ones."""
    recorded = refreshes([0, 7, 8, 14], [0, 1, 0, 2])
    assert check_punctuality(recorded, after(14)).numbers["usual_days"] == 7.0
