"""Are a client's rows late, by the client's own rhythm?

Here: the rhythm of past refreshes, the verdict on now.
Not here: whether rows may be used (rows/contract.py), where refreshes are recorded (history/store.py).

A client that hands in rows every Monday is late after two weeks, one that does so each quarter is not.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from mmm_engine.scores.verdict import Verdict, not_judged

CHECK = "rows_in_time"
ARRIVALS = 12  # the rhythm is that of the last dozen
ENOUGH = 3  # arrivals before there is a rhythm; two have one gap
SLACK_DAYS = 2.0  # a weekend


def check_punctuality(refreshes: pd.DataFrame, now: datetime) -> Verdict:
    """Whether new rows should have come by now.

    Rows have arrived when a refresh was recorded whose last training date is later than that of all before. They are
    late when the last arrival lies back more than one and a half of the median gap between arrivals, and two days.

    Args:
        refreshes: Columns cutoff (last training date of the full window) and recorded_at (UTC), one row or more for
            each refresh.
        now: With its zone.

    Returns:
        A warning that names both numbers; not judged as long as there are fewer than three arrivals.
    """
    arrivals = _arrivals(refreshes)
    if len(arrivals) < ENOUGH:
        come = ("not come yet", "come once", "come twice")[len(arrivals)]
        reason = f"new rows have {come}; from the third time on there is a rhythm"
        return not_judged(CHECK, reason)
    waited = (pd.Timestamp(now).tz_convert(None) - arrivals.iloc[-1]) / pd.Timedelta(days=1)
    days = np.diff(arrivals.to_numpy()) / np.timedelta64(1, "D")
    rhythm = float(np.median(days))
    limit = 1.5 * rhythm + SLACK_DAYS
    said = f"last new rows {_days(waited)} ago; they come every {_days(rhythm)}, late after {_days(limit)}"
    numbers = {"days_since_new_rows": waited, "usual_days": rhythm, "late_after_days": limit}
    return Verdict(CHECK, waited <= limit, "warning", False, said, numbers)


def _arrivals(refreshes: pd.DataFrame) -> pd.Series:
    """When rows arrived, oldest first, the last dozen."""
    first = refreshes.groupby("cutoff")["recorded_at"].min().sort_index()
    return first[first == first.cummax()].tail(ARRIVALS)


def _days(number: float) -> str:
    """Days in words.

    >>> _days(1.02), _days(0.2), _days(13.6)
    ('1 day', '0.2 days', '14 days')
    """
    text = f"{number:.1f}" if number < 0.95 else f"{number:.0f}"
    return f"{text} {'day' if text == '1' else 'days'}"
