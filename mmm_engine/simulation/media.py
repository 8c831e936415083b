"""Media of simulated clients, in plain numpy: what is bought, what it brings, what experiments say of it.

Here: patterns of spend drawn from a recipe, adstock and saturation, lift tests with known truth.
Not here: the other parts of the target and the files (client.py); the model and its transforms, on purpose: a bug
shared by both would cancel itself.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from mmm_engine.array_types import Days, Floats
from mmm_engine.client.lift_test_config import LiftTest
from mmm_engine.rows.calendar import Period
from mmm_engine.simulation.recipes import ChannelRecipe, Recipe, SimulatedSaturation


def adstocked(media: Floats, alpha: float, max_lag: int) -> Floats:
    """Geometric adstock with weights that sum to one, shape (date,); nothing was spent before the first row.

    carried[t] = Σ_l w[l] media[t - l] with w[l] = alpha^l / Σ_k alpha^k, l and k from 0 to max_lag - 1.

    Args:
        media: Media of each row, any unit, shape (date,).
        alpha: Share of an effect that is left one period later, 0 to 1.
        max_lag: Rows over which media works, its own included.

    Reference: Jin et al. (2017), "Bayesian methods for media mix modeling with carryover and shape effects".

    >>> adstocked(np.array([1.0, 0.0, 0.0]), 0.5, 2)
    array([0.66666667, 0.33333333, 0.        ])
    """
    weights = alpha ** np.arange(max_lag)
    carried: Floats = np.convolve(media, weights / weights.sum())[: len(media)]
    return carried


def saturated(media: Floats, lam: float, kind: SimulatedSaturation) -> Floats:
    """Effect of scaled media as a share of the largest possible effect, shape (date,).

    michaelis_menten: media / (lam + media), one half at media = lam.
    logistic: (1 - exp(-lam media)) / (1 + exp(-lam media)) = tanh(lam media / 2).

    Args:
        media: Media as a share of its maximum, shape (date,).
        lam: Half-saturation point, or slope; above 0.
        kind: Which of the two.

    >>> saturated(np.array([0.5]), 0.5, "michaelis_menten")
    array([0.5])
    """
    shrink = np.exp(-lam * media)
    effect: Floats = media / (lam + media) if kind == "michaelis_menten" else (1 - shrink) / (1 + shrink)
    return effect


def media_multiplier(rng: Generator, rows: int, spread: float) -> Floats:
    """How well media works in each row: slow waves with mean 1 and standard deviation ``spread``."""
    time = np.arange(rows) / rows
    waves = np.zeros(rows)
    for order in (0.5, 1.0, 1.5, 2.0):
        waves += rng.normal() / order * np.cos(2 * np.pi * (order * time + rng.uniform()))
    multiplier: Floats = 1 + spread * (waves - waves.mean()) / waves.std()
    return multiplier


def market_demand(rng: Generator, days: Days) -> Floats:
    """What people look for, shared by all search campaigns; mean near 1, shape (date,)."""
    return shop_season(days) * np.exp(wandering(rng, len(days), 0.8, 0.45))


def shop_season(days: Days) -> Floats:
    """A shop's year: high before Christmas, a summer sale, a quiet February; shape (date,)."""
    day = day_of_year(days)
    season = np.ones(len(days))
    for at, width, size in ((330, 22, 0.55), (185, 20, 0.20), (45, 25, -0.20)):
        season += size * np.exp(-0.5 * ((day - at) / width) ** 2)
    return season


def wandering(rng: Generator, rows: int, memory: float, spread: float) -> Floats:
    """A first-order autoregression with mean 0 and standard deviation ``spread``, shape (date,)."""
    steps = rng.normal(0, spread, rows)
    values = np.empty(rows)
    values[0] = steps[0]
    for row in range(1, rows):
        values[row] = memory * values[row - 1] + np.sqrt(1 - memory**2) * steps[row]
    return values


def _flights(rng: Generator, rows: int, period: Period) -> Floats:
    """Bursts of spending with nothing between them, shape (date,)."""
    longest = min({"day": 35, "week": 8, "month": 3}[period], rows // 4)  # a short client has bursts too
    values = np.zeros(rows)
    row = int(rng.integers(0, longest))
    while row < rows:
        length = int(rng.integers(max(longest // 3, 1), longest + 1))
        level = rng.lognormal(0, 0.35)
        values[row : row + length] = level
        row += length + int(rng.integers(max(longest // 3, 1), longest + 2))
    return values * rng.lognormal(0, 0.15, rows)


def bought(
    rng: Generator, channel: ChannelRecipe, recipe: Recipe, days: Days, demand: Floats
) -> dict[str, Floats]:
    """The channel's column as it stands in the file, and its cost column if it has one; each of shape (date,)."""
    rows = recipe.rows
    if channel.pattern == "flights":
        pattern = _flights(rng, rows, recipe.period) * shop_season(days) ** 0.5
    elif channel.pattern == "search":
        running = _flights(rng, rows, recipe.period) > 0  # budgets run out, campaigns are rebuilt
        pattern = demand * np.exp(wandering(rng, rows, 0.3, 0.35)) * running
    elif channel.pattern == "always_on":
        pattern = shop_season(days) ** 0.5 * np.exp(wandering(rng, rows, 0.8, 0.45))
        # what always ran cannot be told from the baseline; a few dark periods (outages, tests) make the difference
        for start in rng.integers(0, rows - 2, size=max(rows // 50, 2)):
            pattern[start : start + 2] = 0.0
    else:
        pattern = np.exp(wandering(rng, rows, 0.5, 0.5)) + 3 * (rng.uniform(size=rows) < 0.05)
    money = pattern / pattern.sum() * channel.share * recipe.level * rows / channel.roas
    cost = cost_name(channel)
    if cost is not None and channel.cost_per_unit is not None:
        return {channel.column: np.round(money / channel.cost_per_unit), cost: np.round(money, 2)}
    return {channel.column: np.round(money, 2 if channel.unit == "spend" else 0)}


def worked(
    channel: ChannelRecipe, recipe: Recipe, columns: dict[str, Floats], multiplier: Floats
) -> tuple[Floats, dict[str, float]]:
    """What a channel brought in each row, in target units and shape (date,), and the truth about it."""
    media = columns[channel.column]
    carried = adstocked(media / media.max(), channel.adstock, recipe.max_lag)
    shape = multiplier * saturated(carried, channel.lam, recipe.saturation)
    alpha = channel.share * recipe.level / shape.mean()
    contribution = alpha * shape
    spend = float(columns[cost_name(channel) or channel.column].sum())
    truth = {
        "contribution": float(contribution.sum()),
        "spend": spend,
        "roas": float(contribution.sum()) / spend,
        "adstock": channel.adstock,
        "lam": channel.lam,
        "alpha": float(alpha),
    }
    return contribution, truth


_TEST_ROWS: dict[Period, tuple[int, int]] = {"day": (14, 7), "week": (4, 2), "month": (1, 0)}
"""Rows of a test with other media, and rows of its cool-down."""


def experiments(
    recipe: Recipe,
    days: Days,
    columns: dict[str, Floats],
    truth: dict[str, dict[str, float]],
    multiplier: Floats,
) -> tuple[LiftTest, ...]:
    """Experiments that raise each channel by half of what it usually has; results with a fifth of noise.

    What a test measures is what the channel brings in its rows and its cool-down with the media of the test, less what
    it brings there without: carry-over and the strength of media in these rows included.
    """
    rng = np.random.default_rng([recipe.seed, 2])  # another stream than the one the rows are drawn from
    tests, (length, cool_down) = [], _TEST_ROWS[recipe.period]
    first, last = len(days) // 4, min(3 * len(days) // 4, len(days) - length - cool_down)
    for channel in recipe.channels:
        media, of = columns[channel.column], truth[channel.column]
        usual = float(np.median(media[media > 0]))
        for row in rng.choice(np.arange(first, last), recipe.lift_tests, replace=False):
            before, after = (
                _brought(media, slice(row, row + length), spent, of, recipe) for spent in (usual, 1.5 * usual)
            )
            measured = slice(row, row + length + cool_down)
            gain = float((multiplier * (after - before))[measured].sum())
            tests.append(
                LiftTest(
                    channel=channel.column,
                    date=str(days[row]),
                    end=str(days[row + length - 1]) if length > 1 else None,
                    cool_down=cool_down,
                    x=_as_written(usual),
                    delta_x=_as_written(0.5 * usual),
                    delta_y=_as_written(rng.normal(gain, 0.2 * gain)),
                    sigma=_as_written(0.2 * gain),
                )
            )
    return tuple(tests)


def _brought(media: Floats, rows: slice, spent: float, of: dict[str, float], recipe: Recipe) -> Floats:
    """What a channel would bring in each row with other media in some, before the time variation; shape (date,)."""
    path = media.copy()
    path[rows] = spent
    carried = adstocked(path / media.max(), of["adstock"], recipe.max_lag)
    return of["alpha"] * saturated(carried, of["lam"], recipe.saturation)


def _as_written(number: float) -> float:
    """A number with the four significant figures that a report of an experiment has."""
    return float(f"{number:.4g}")


def cost_name(channel: ChannelRecipe) -> str | None:
    """Name of the cost column of a channel that has one."""
    return None if channel.cost_per_unit is None else f"{channel.column}_cost"


def day_of_year(days: Days) -> Floats:
    """Number of each day within its year, from 1, shape (date,)."""
    number: Floats = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.float64) + 1
    return number
