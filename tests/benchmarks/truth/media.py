"""Media of the study's worlds in plain numpy: what is bought, how long it works, how it saturates.

Here: patterns of spend, carry-over kernels in days, response curves. Nothing is shared with the engine, on purpose: a
fault in both would cancel itself.
Not here: which of them a world gets (`recipes.py`), how channels and baseline add up (`worlds.py`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]

AdstockKind = Literal["none", "short", "long", "delayed", "weibull"]
SaturationKind = Literal["michaelis_menten", "hill", "logistic", "power", "linear", "exponential"]
SpendKind = Literal["always", "flights", "sparse", "on_off"]

LONGEST_EFFECT = 180  # days after which nothing works any more


def adstock_kernel(kind: AdstockKind, parameters: dict[str, float]) -> Floats:
    """Share of the effect that falls on each day after the spend, shape (day,); sums to one.

    | kind | weight of day d | parameters, in days where not said otherwise |
    |---|---|---|
    | none | all on day 0 | |
    | short, long | 2^(-d / half_life) | half_life |
    | delayed | exp(-((d - peak) / spread)^2 / 2) | peak, spread |
    | weibull | density at d + 1/2 | shape (a number), scale |

    >>> adstock_kernel("short", {"half_life": 1.0})[:3].round(3)
    array([0.5  , 0.25 , 0.125])
    """
    if kind == "none":
        return np.ones(1)
    day = np.arange(LONGEST_EFFECT, dtype=float)
    if kind in ("short", "long"):
        weights = 0.5 ** (day / parameters["half_life"])
    elif kind == "delayed":
        weights = np.exp(-0.5 * ((day - parameters["peak"]) / parameters["spread"]) ** 2)
    else:
        ratio = (day + 0.5) / parameters["scale"]
        weights = ratio ** (parameters["shape"] - 1) * np.exp(-(ratio ** parameters["shape"]))
    return np.asarray(weights / weights.sum())


def response(media: Floats, kind: SaturationKind, parameters: dict[str, float]) -> Floats:
    """Effect of (carried over) media up to a factor, same shape; 0 at 0 and rising.

    | kind | curve of x | parameters |
    |---|---|---|
    | michaelis_menten | x / (half + x) | half |
    | hill | x^slope / (half^slope + x^slope) | half, slope |
    | logistic | tanh(x log(3) / (2 half)) | half |
    | exponential | 1 - 2^(-x / half) | half |
    | power | x^power | power |
    | linear | x | |

    ``half`` is the x of half the largest effect, in the unit of the media.

    >>> response(np.array([0.0, 2.0]), "logistic", {"half": 2.0}).round(12)
    array([0. , 0.5])
    """
    if kind == "linear":
        return media
    if kind == "power":
        return np.asarray(media ** parameters["power"])
    relative = media / parameters["half"]
    if kind == "michaelis_menten":
        return np.asarray(relative / (1 + relative))
    if kind == "hill":
        raised = relative ** parameters["slope"]
        return np.asarray(raised / (1 + raised))
    if kind == "logistic":
        return np.asarray(np.tanh(0.5 * np.log(3) * relative))
    return np.asarray(1 - 0.5**relative)


def wandering(rng: Generator, rows: int, memory: float, columns: int = 1) -> Floats:
    """A stationary series with mean 0 and standard deviation 1, shape (row, column).

    Args:
        rng: Source of chance.
        rows: Length.
        memory: Rows after which the correlation has fallen to 1/e (first-order autoregression); 0 for none.
        columns: How many independent series.
    """
    keep = np.exp(-1 / memory) if memory > 0 else 0.0
    series = rng.standard_normal((rows, columns))
    for row in range(1, rows):
        series[row] = keep * series[row - 1] + np.sqrt(1 - keep**2) * series[row]
    return series


def spend_pattern(rng: Generator, kind: SpendKind, mood: Floats, memoryless_mood: Floats) -> Floats:
    """Spend per row up to a factor, shape (row,), zero or more.

    Args:
        rng: Source of chance.
        kind: ``always`` varies and never ends, ``flights`` are bursts of several rows, ``sparse`` single rows,
            ``on_off`` bursts of one and the same height.
        mood: Series with memory (`wandering`) that makes rows strong or weak; what channels' moods share makes their
            spend correlated.
        memoryless_mood: The same without memory, for sparse spend.
    """
    rows = len(mood)
    if kind == "always":
        return np.asarray(np.exp(rng.uniform(0.25, 0.8) * mood))
    if kind == "sparse":
        active = memoryless_mood > np.quantile(memoryless_mood, 1 - rng.uniform(0.1, 0.3))
        return np.asarray(active * np.exp(0.5 * rng.standard_normal(rows)))
    active = mood > np.quantile(mood, 1 - rng.uniform(0.25, 0.6))
    height = np.ones(rows) if kind == "on_off" else np.exp(0.35 * rng.standard_normal(rows))
    return np.asarray(active * height)


def carried_over(daily_media: Floats, kernel: Floats) -> Floats:
    """Media at work on each day, shape (day,): today's and what is left of earlier days'.

    >>> carried_over(np.array([4.0, 0.0, 0.0]), np.array([0.5, 0.25, 0.25]))
    array([2., 1., 1.])
    """
    size = len(daily_media) + len(kernel) - 1
    spectrum = np.fft.rfft(daily_media, size) * np.fft.rfft(kernel, size)
    working = np.fft.irfft(spectrum, size)[: len(daily_media)]
    return np.asarray(np.maximum(working, 0.0))  # rounding of the transform
