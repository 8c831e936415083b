"""The rows of a lift test: where media were changed, and where the target was measured.

Here: `LiftWindow`, that of a test among the rows of a calendar, the media that a test means there.
Not here: what a test says (client/lift_test_config.py), what the model makes of it (model/lift_arrays.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.client.lift_test_config import LiftTest
from mmm_engine.rows.calendar import Calendar


@dataclass(frozen=True)
class LiftWindow:
    """Rows of a test by position.

    Attributes:
        start: The first row with other media, and the first in which the target was measured.
        changed: One past the last row with other media.
        stop: One past the last row in which the target was measured: the cool-down is over.
    """

    start: int
    changed: int
    stop: int

    def __len__(self) -> int:
        """Number of rows in which the target was measured."""
        return self.stop - self.start


def lift_window(test: LiftTest, calendar: Calendar) -> LiftWindow | None:
    """The rows of a test; None where one of them lies outside the calendar."""
    first, last = calendar.row_of(test.date), calendar.row_of(test.end or test.date)
    if first is None or last is None or last + 1 + test.cool_down > len(calendar):
        return None
    return LiftWindow(first, last + 1, last + 1 + test.cool_down)


def media_range(test: LiftTest, media: Floats, window: LiftWindow | None) -> tuple[float, float]:
    """The least and the most media of the test's rows, without the change or with it; NaN where nothing says.

    Args:
        test: The test.
        media: Media of its channel in all rows, original units, shape (date,).
        window: Its rows, None where some are not there; a test with an ``x`` of its own needs none.
    """
    rows = np.array([np.nan]) if window is None else media[window.start : window.changed]
    paths = np.concatenate(test.media_paths(rows if test.x is None else np.zeros(1)))
    return float(paths.min()), float(paths.max())
