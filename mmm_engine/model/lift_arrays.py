"""The lift tests that a window of rows knows, as arrays.

Here: which tests count, their place in the arrays, the arrays.
Not here: the formulas that take them (lift_tests.py), the rows of a test (rows/lift_windows.py).

Only channels with tests have columns. The first test of each channel is in the first block, the second in the second,
and so on: a block has as many slots, one behind another, as its longest test has rows, so that tests of different
channels are computed side by side. Slots and tests that a channel does not have are zeros, and do not count.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.client.lift_test_config import LiftTest
from mmm_engine.model.media_transforms import lagged
from mmm_engine.rows.lift_windows import LiftWindow, lift_window
from mmm_engine.rows.window import ScaledInputs

_YEAR = np.timedelta64(8766, "h")  # 365.25 days


@dataclass(frozen=True)
class KnownLiftTest:
    """A lift test of the training rows.

    Attributes:
        number: Its place among the client's tests.
        test: What it says.
        window: Its rows.
        block: How many tests of its channel come before it.
        column: Its channel, among those that have tests.
    """

    number: int
    test: LiftTest
    window: LiftWindow
    block: int
    column: int


def lift_channels(tests: tuple[LiftTest, ...], channels: tuple[str, ...]) -> tuple[int, ...]:
    """Positions of the channels that have tests, in their order."""
    tested = {test.channel for test in tests}
    return tuple(position for position, channel in enumerate(channels) if channel in tested)


def known_lift_tests(inputs: ScaledInputs) -> list[KnownLiftTest]:
    """The lift tests whose rows are all training rows, in the order of the settings.

    A test that reaches into rows that are held out is left out: the window must not know what came later.
    """
    config = inputs.config
    names = [config.channel_names[at] for at in lift_channels(config.lift_tests, config.channel_names)]
    blocks = Counter[str]()
    known = []
    for number, test in enumerate(config.lift_tests):
        window = lift_window(test, inputs.calendar)
        if window is not None and window.stop <= inputs.train_rows:
            column = names.index(test.channel)
            known.append(KnownLiftTest(number, test, window, blocks[test.channel], column))
            blocks[test.channel] += 1
    return known


def lift_arrays(inputs: ScaledInputs, max_lag: int) -> dict[str, Floats]:
    """`known_lift_tests` as the arrays of `ModelData` whose names begin with "lift".

    Args:
        inputs: The window.
        max_lag: Number of adstock weights of the channel that has most.
    """
    config, target_scale, known = inputs.config, inputs.scales.target, known_lift_tests(inputs)
    columns = lift_channels(config.lift_tests, config.channel_names)
    lengths = [0] * (1 + max((one.block for one in known), default=-1))
    for one in known:
        lengths[one.block] = max(lengths[one.block], len(one.window))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    slots = int(starts[-1])
    without, changed = (np.zeros((max_lag, slots, len(columns))) for _ in range(2))
    share = np.zeros((slots, len(columns)))
    rows = np.zeros((slots, len(columns), len(inputs.calendar)))
    blocks = np.zeros((len(lengths), slots))
    gain, variation, counts = (np.zeros((len(lengths), len(columns))) for _ in range(3))
    sigma = np.ones((len(lengths), len(columns)))
    for block in range(len(lengths)):
        blocks[block, starts[block] : starts[block + 1]] = 1.0
    for one in known:
        test, window, place = one.test, one.window, (one.block, one.column)
        measured = np.arange(window.start, window.stop)
        at = starts[one.block] + np.arange(len(window))
        for array, path in zip((without, changed), media_paths(inputs, one), strict=True):
            array[:, at, one.column] = lagged(path[:, None], max_lag)[:, measured, 0]
        share[at, one.column] = test.share
        rows[at, one.column, measured] = 1.0
        gain[place] = test.delta_y / target_scale
        sigma[place] = test.sigma / target_scale
        variation[place] = test.heterogeneity**2 + test.ageing**2 * years_since(inputs, window)
        counts[place] = 1.0
    return {
        "lift_without": without,
        "lift_with": changed,
        "lift_share": share,
        "lift_rows": rows,
        "lift_blocks": blocks,
        "lift_gain": gain,
        "lift_sigma": sigma,
        "lift_variation": variation,
        "lift_counts": counts,
    }


def media_paths(inputs: ScaledInputs, known: KnownLiftTest) -> tuple[Floats, Floats]:
    """Media of the test's channel in all rows without the change and with it, model space, shape (date,) each."""
    scale = inputs.scales.media[known.test.channel]
    media = inputs.media_scaled[:, inputs.config.channel_names.index(known.test.channel)]
    paths = media.copy(), media.copy()
    changed = slice(known.window.start, known.window.changed)
    for path, values in zip(paths, known.test.media_paths(media[changed] * scale), strict=True):
        path[changed] = np.maximum(values, 0.0) / scale  # numbers of a report are rounded
    return paths


def years_since(inputs: ScaledInputs, window: LiftWindow) -> float:
    """Years between the last row of a test and the last training row."""
    _, last = inputs.calendar.covered_days
    return float((last[inputs.train_rows - 1] - last[window.stop - 1]) / _YEAR)
