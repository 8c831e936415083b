"""Sales of a baseline and of channels with known contributions: what odd clients (odd_worlds.py) are made of.

Here: spend, carry-over, curves, and sales taken apart.
Not here: what is odd about a client (odd_worlds.py), the generator of the study (worlds.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tests.benchmarks.truth.media import Floats

WEEKS = 130


@dataclass(frozen=True, eq=False)
class OddClient:
    """A client as a user has it, and its truth.

    Attributes:
        frame: Columns date, sales, channels and controls.
        channels: Names of the columns of spend.
        controls: Names of the controls.
        kind: Of the target, revenue or conversions.
        contribution: What each channel brings over all rows.
    """

    frame: pd.DataFrame
    channels: tuple[str, ...]
    controls: tuple[str, ...]
    kind: str
    contribution: Floats


def carried_over(media: Floats, keep: float) -> Floats:
    """Geometric carry-over of one channel, weights that add up to 1 over twelve rows."""
    weights = keep ** np.arange(12)
    return np.convolve(media, weights / weights.sum())[: len(media)]


def hill(media: Floats, half: float, slope: float = 1.0) -> Floats:
    """media^slope / (half^slope + media^slope)."""
    powered = np.maximum(media, 0) ** slope
    return powered / (powered + half**slope)


def steady_spend(
    rng: np.random.Generator, rows: int, channels: int, vary: float = 0.5, rho: float = 0.3
) -> Floats:
    """Correlated spend around log-normal levels, with a memory from row to row; shape (row, channel)."""
    common = rng.normal(size=rows)
    moves = np.sqrt(rho) * common[:, None] + np.sqrt(1 - rho) * rng.normal(size=(rows, channels))
    level = rng.lognormal(9, 0.8, channels)
    for row in range(1, rows):
        moves[row] = 0.4 * moves[row - 1] + 0.9 * moves[row]
    return level * np.exp(vary * moves)


def yearly(rows: int, year: int = 52, size: float = 0.12) -> Floats:
    """A wave of the year around 0."""
    return size * np.sin(2 * np.pi * np.arange(rows) / year + 0.5)


@dataclass(frozen=True, eq=False)
class Parts:
    """Sales taken apart: spend, contributions (row, channel), sales without noise and with it."""

    spend: Floats
    contribution: Floats
    expected: Floats
    sales: Floats

    def client(
        self, *, freq: str = "W-MON", start: str = "2022-01-03", kind: str = "revenue", **columns: Any
    ) -> OddClient:
        """As a user has it; `columns` replace sales, spend or contributions, or are controls."""
        spend, sales = columns.pop("spend", self.spend), columns.pop("sales", self.sales)
        contribution, names = columns.pop("contribution", self.contribution), columns.pop("names", None)
        channels = tuple(names or (f"ch{number}" for number in range(1, spend.shape[1] + 1)))
        frame = pd.DataFrame({"date": pd.date_range(start, periods=len(sales), freq=freq), "sales": sales})
        written = np.round(spend, 2) if spend.max() > 50 else spend
        frame = frame.assign(**dict(zip(channels, written.T, strict=True)), **columns)
        return OddClient(frame, channels, tuple(columns), kind, contribution.sum(axis=0))


def parts(
    seed: int,
    *,
    rows: int = WEEKS,
    channels: int = 4,
    share: float = 0.25,
    noise: float = 0.05,
    level: float = 100_000.0,
    spend: Floats | None = None,
    keep: float | None = None,
    slope: float = 1.0,
    half: float = 1.0,
    baseline: Floats | None = None,
    split: Sequence[float] | None = None,
    year: int = 52,
) -> Parts:
    """Sales of a baseline and of channels that bring `share` of them; `half` is in units of the mean spend."""
    rng = np.random.default_rng(seed)
    media = steady_spend(rng, rows, channels) if spend is None else spend
    count = media.shape[1]
    keeps = rng.uniform(0.1, 0.6, count) if keep is None else np.full(count, keep)
    of_media = rng.dirichlet(np.full(count, 3.0)) if split is None else np.asarray(split)
    carried = np.column_stack([carried_over(one, kept) for one, kept in zip(media.T, keeps, strict=True)])
    middle = [one[one > 0].mean() for one in carried.T]
    effect = np.column_stack([hill(one, half * at, slope) for one, at in zip(carried.T, middle, strict=True)])
    without = level * (1 + yearly(rows, year)) if baseline is None else baseline
    total = without.mean() * share / (1 - share)
    contribution = effect / effect.mean(axis=0) * of_media * total
    expected = without + contribution.sum(axis=1)
    return Parts(media, contribution, expected, expected + noise * expected.mean() * rng.normal(size=rows))
