"""How evenly dates lie: what tells the order of their parts, and weeks from months.

Not here: which dates there should be (rows/calendar.py).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np

_STEPS = ((1, 1), (7, 7), (28, 31))  # days between rows that are days, weeks or months
NEARLY_EVEN = 0.9


def evenness(days: Sequence[datetime.date]) -> float:
    """Share of the steps between the days that are those of days, of weeks or of months, whichever is largest.

    >>> evenness([datetime.date(2024, 1, 1), datetime.date(2024, 1, 8), datetime.date(2024, 1, 10)])
    0.5
    """
    steps = np.diff(np.unique(np.array(days, dtype="datetime64[D]"))).astype(int)
    shares = [float(((low <= steps) & (steps <= high)).mean()) for low, high in _STEPS if len(steps)]
    return max(shares, default=0.0)
