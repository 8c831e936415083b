"""How far numbers usually lie from their middle, whatever a few of them do.

Here: `usual_spread`, what findings, scores and reports measure rows that stand out with.
Not here: which rows stand out (outliers.py, results/plausibility.py), of which number of spreads on (each caller).
"""

from __future__ import annotations

import numpy as np

from mmm_engine.array_types import Floats

# 1 over the upper quartile of the standard normal distribution: half of its values lie within one median absolute
# deviation. Hampel (1974), The influence curve and its role in robust estimation, JASA 69, 383-393.
_MAD_TO_SD = 1.4826


def usual_spread(values: Floats, about: float | None = None) -> Floats:
    """Standard deviation by the median absolute deviation: that of normal values, which outliers hardly move.

    Args:
        values: Shape (..., value), finite.
        about: What deviations are measured from; the median when None.

    Returns:
        Shape (...,), in the unit of the values; 0 where more than half of them are one and the same.

    >>> round(float(usual_spread(np.array([1.0, 2.0, 3.0, 4.0, 1000.0]))), 4)
    1.4826
    """
    middle = np.median(values, axis=-1, keepdims=True) if about is None else about
    return np.asarray(_MAD_TO_SD * np.median(np.abs(values - middle), axis=-1), dtype=np.float64)
