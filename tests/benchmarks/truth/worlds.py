"""Worlds: clients whose truth is known, in plain numpy.

Here: `World` with the rows a user would see and the truth behind them, `Workings` with what went into it, and
`make_world`, which builds one from its recipe. Nothing of the engine is used.
Not here: what is drawn (`recipes.py`), formulas of media (`media.py`), what sells without media (`baseline.py`), worlds
stored as files (`stored.py`).

How a world comes about: media is spent evenly over the days of each row; per day it is carried over, then saturates;
the mean over the days of a row is the row's response r. With baseline b (level, trend, season, weekday, controls,
demand) and coefficients c that bring each channel its return:

    additive:        sales = b + sum_c c r + noise
    multiplicative:  sales = b exp(sum_c c r) (1 + noise)

The contribution of a channel in a row is what expected sales lose without it (all else the same), that of all media
what they lose without any: in additive worlds the sum of the channels'.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.optimize import brentq

from tests.benchmarks.truth.baseline import (
    baseline_shapes,
    control_columns,
    demand_shape,
    demand_size,
    effectiveness,
    season_shape,
)
from tests.benchmarks.truth.media import (
    LONGEST_EFFECT,
    Floats,
    adstock_kernel,
    carried_over,
    response,
    spend_pattern,
    wandering,
)
from tests.benchmarks.truth.recipes import DAYS_PER_ROW, ChannelRecipe, WorldRecipe, draw_recipe

_OFFSETS = {"day": "D", "week": "W-MON", "month": "MS"}
_FEWEST_ACTIVE = 6  # rows in which every channel spends


@dataclass(frozen=True)
class VisibleChannel:
    """What a user knows of a channel: its column, what it counts, the column of its costs where that is another."""

    column: str
    unit: str = "spend"
    cost: str | None = None


@dataclass(frozen=True, eq=False)
class VisibleRows:
    """What a user knows of a client.

    Attributes:
        name: Id of the client.
        frame: ``date``, ``sales``, channels, costs and controls; one row a period, ascending.
        conversions: ``sales`` counts instead of being money.
        channels: The channels.
        controls: Columns of the controls.
    """

    name: str
    frame: pd.DataFrame
    conversions: bool
    channels: tuple[VisibleChannel, ...]
    controls: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Workings:
    """What went into a world's sales: no score needs it, an observer who knew more would (`oracle.py`, `informed.py`).

    Attributes:
        at_work: Media carried over, mean over the days of each row, unit of the channel's mean media, (date, channel).
        response: Response to it times how well media works in the row, up to a factor, shape (date, channel).
        trend: What the trend adds to sales, shape (date,).
        demand: What demand adds to sales, shape (date,).
        noise: Standard deviation of each row's noise, shape (date,).
    """

    at_work: Floats
    response: Floats
    trend: Floats
    demand: Floats
    noise: Floats


@dataclass(frozen=True, eq=False)
class World:
    """A client and its truth.

    Attributes:
        rows: What a user sees.
        forms: Per channel: channel, adstock, saturation, null, organic and further facts that scores are grouped by.
        tags: Facts about the world that scores are grouped by.
        spend: Money (or media of an organic channel) per row, shape (date, channel).
        contribution: True contribution, shape (date, channel); one row of totals where rows are not known.
        media_effect: What all media bring together, shape (date,), or one total.
        expected: Sales without noise, shape (date,), or None where it is not known.
        workings: What went into sales, or None where it is not known.
    """

    rows: VisibleRows
    forms: pd.DataFrame
    tags: dict[str, Any]
    spend: Floats
    contribution: Floats
    media_effect: Floats
    expected: Floats | None = None
    workings: Workings | None = None

    def channel_truth(self, first_rows: int | None = None) -> pd.DataFrame:
        """Truth per channel over the first rows of the client, over all of them where None.

        Returns:
            The columns of ``forms`` and contribution, spend, roas (contribution per unit of spend; 0 for a null
            channel) and share (of sales).

        Raises:
            ValueError: If fewer than all rows are wanted and only totals are known.
        """
        sales = self.rows.frame["sales"].to_numpy(dtype=float)[:first_rows].sum()
        contribution, spend = (
            self._first(self.contribution, first_rows).sum(axis=0),
            self.spend[:first_rows].sum(axis=0),
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            roas = contribution / spend  # NaN for a channel that starts later
        return self.forms.assign(
            contribution=contribution, spend=spend, roas=roas, share=contribution / sales
        )

    def media_truth(self, first_rows: int | None = None) -> float:
        """What all media brought together over the first rows, over all where None."""
        return float(self._first(self.media_effect, first_rows).sum())

    def _first(self, values: Floats, first_rows: int | None) -> Floats:
        if first_rows is None or first_rows == len(self.rows.frame):
            return values
        if len(values) != len(self.rows.frame):
            raise ValueError(f"world '{self.rows.name}': truth is known over all rows only")
        return values[:first_rows]


def make_world(number: int, seed: int = 1) -> World:
    """World ``number`` of a seed: the same one on every machine and in every run.

    >>> make_world(3).rows.name
    's1w003'
    """
    return build_world(draw_recipe(number, seed))


def build_world(recipe: WorldRecipe) -> World:
    """The world of a recipe."""
    rng = np.random.default_rng([recipe.seed, recipe.number, 1])
    before = -(-LONGEST_EFFECT // DAYS_PER_ROW[recipe.spacing]) if recipe.history else 0
    dates = _dates(recipe, before)
    demand, season = demand_shape(rng, recipe, len(dates)), season_shape(rng, dates)
    media = _media(rng, recipe, season, demand, before)
    at_work, answers = _responses(media, recipe)
    at_work, answers = at_work[before:], answers[before:] * effectiveness(rng, recipe)[:, None]
    media, dates, demand, season = media[before:], dates[before:], demand[before:], season[before:]
    controls, control_effect = control_columns(rng, recipe)
    trend, calendar = baseline_shapes(rng, recipe, dates, season)
    demand_effect = demand_size(recipe) * demand
    baseline = np.maximum(1 + trend + calendar + control_effect + demand_effect, 0.1)  # of a level of 1

    effects = answers * _coefficients(recipe, baseline, answers)
    expected = _expected_sales(recipe, baseline, effects)
    level = _sales_level(rng, recipe) / expected.mean()
    contribution = level * _contribution(recipe, expected, effects)
    spend, columns = _as_exported(
        rng, recipe, media * _money_per_unit(recipe, media, contribution.sum(axis=0))
    )
    sales = _with_noise(rng, recipe, level * expected)
    frame = pd.DataFrame({"date": dates, "sales": sales} | columns | controls)
    if recipe.confounding == "seen":
        frame["demand"] = (100 * (1 + 0.3 * demand) + 2 * rng.standard_normal(len(demand))).round(2)
    channels = tuple(
        VisibleChannel(channel.column, channel.unit, _cost_column(channel)) for channel in recipe.channels
    )
    control_names = tuple(frame.columns[2 + len(columns) :])
    rows = VisibleRows(recipe.name, frame, recipe.conversions, channels, control_names)
    media_effect = level * (expected - baseline)
    tags = _tags(recipe) | {"oracle_r2": float(1 - np.var(sales - level * expected) / np.var(sales))}
    workings = Workings(
        at_work, answers, level * trend, level * demand_effect, level * _noise_size(recipe, expected)
    )
    return World(rows, _forms(recipe), tags, spend, contribution, media_effect, level * expected, workings)


def _dates(recipe: WorldRecipe, before: int) -> pd.DatetimeIndex:
    first = pd.date_range("2021-03-01", periods=1, freq=_OFFSETS[recipe.spacing])[0]
    rows = pd.date_range(first, periods=recipe.rows, freq=_OFFSETS[recipe.spacing])
    earlier = pd.date_range(end=first, periods=before + 1, freq=_OFFSETS[recipe.spacing])[:-1]
    return pd.DatetimeIndex(earlier.append(rows))


def _media(rng: Generator, recipe: WorldRecipe, season: Floats, demand: Floats, before: int) -> Floats:
    """Media per row up to a factor of each channel, shape (date, channel)."""
    rows, count, days = len(season), len(recipe.channels), DAYS_PER_ROW[recipe.spacing]
    shared, single = np.sqrt(recipe.correlation), np.sqrt(1 - recipe.correlation)
    moods = shared * wandering(rng, rows, 20 / days) + single * wandering(rng, rows, 20 / days, count)
    quick = shared * wandering(rng, rows, 0) + single * wandering(rng, rows, 0, count)
    planned = 1 + rng.uniform(0, 0.4) * season  # budgets follow the calendar a little
    media = np.empty((rows, count))
    for position, channel in enumerate(recipe.channels):
        if channel.twin_of is not None:
            media[:, position] = media[:, channel.twin_of] * np.exp(0.04 * rng.standard_normal(rows))
            continue
        mood = moods[:, position]
        pattern = spend_pattern(rng, channel.spend_kind, mood, quick[:, position]) * planned
        if channel.follows_demand:
            pattern = np.exp(rng.uniform(0.3, 0.6) * demand + 0.15 * rng.standard_normal(rows))
        start = before + round(channel.start * recipe.rows) if channel.start else 0
        pattern = np.where(np.arange(rows) >= start, pattern, 0.0)
        if (pattern[before:] > 0).sum() < _FEWEST_ACTIVE:
            pattern[before:] = np.exp(0.4 * mood[before:])
        media[:, position] = pattern
    return np.asarray(media / media[before:].mean(axis=0))


def _responses(media: Floats, recipe: WorldRecipe) -> tuple[Floats, Floats]:
    """Media at work and response of every channel in each row up to a factor, each of shape (date, channel)."""
    columns = [
        _row_response(column, channel, recipe)
        for column, channel in zip(media.T, recipe.channels, strict=True)
    ]
    at_work, answers = zip(*columns, strict=True)
    return np.column_stack(at_work), np.column_stack(answers)


def _row_response(media: Floats, channel: ChannelRecipe, recipe: WorldRecipe) -> tuple[Floats, Floats]:
    """Media at work and response, means over the days of each row, each of shape (date,)."""
    days = DAYS_PER_ROW[recipe.spacing]
    working = carried_over(
        np.repeat(media / days, days), adstock_kernel(channel.adstock, channel.adstock_parameters)
    )
    usual = float(working[working > 0.05 * working.max()].mean())
    curve = {name: value * usual if name == "half" else value for name, value in channel.curve.items()}
    answer = response(working / (1.0 if "half" in curve else usual), channel.saturation, curve)
    return working.reshape(-1, days).mean(axis=1), answer.reshape(-1, days).mean(axis=1)


def _contribution_shares(recipe: WorldRecipe) -> Floats:
    """Shares of the effect of all media that channels should have, shape (channel,)."""
    size = np.array(
        [0.0 if channel.null else channel.weight * np.exp(channel.efficiency) for channel in recipe.channels]
    )
    return np.asarray(size / size.sum())


def _coefficients(recipe: WorldRecipe, baseline: Floats, answers: Floats) -> Floats:
    """Coefficients that give media the recipe's share of sales and channels their parts of it, shape (channel,)."""
    shares = _contribution_shares(recipe)
    if not recipe.multiplicative:
        total = baseline.sum() * recipe.media_share / (1 - recipe.media_share)
        return np.asarray(shares * total / answers.sum(axis=0))
    direction = shares / (answers * baseline[:, None]).sum(axis=0) * baseline.sum()

    def gap(size: float) -> float:
        sales = _expected_sales(recipe, baseline, answers * (size * direction))
        return float(1 - baseline.sum() / sales.sum() - recipe.media_share)

    return np.asarray(brentq(gap, 0.0, 3.0) * direction)


def _expected_sales(recipe: WorldRecipe, baseline: Floats, effects: Floats) -> Floats:
    together = effects.sum(axis=1)
    return np.asarray(baseline * np.exp(together) if recipe.multiplicative else baseline + together)


def _contribution(recipe: WorldRecipe, expected: Floats, effects: Floats) -> Floats:
    """What expected sales lose without each channel, shape (date, channel)."""
    return np.asarray(expected[:, None] * -np.expm1(-effects) if recipe.multiplicative else effects)


def _with_noise(rng: Generator, recipe: WorldRecipe, expected: Floats) -> Floats:
    """Sales as they are recorded: never negative, in cents or whole conversions, shape (date,)."""
    noisy = expected + _noise_size(recipe, expected) * rng.standard_normal(len(expected))
    return np.asarray(np.maximum(noisy, 0.0).round(0 if recipe.conversions else 2))


def _noise_size(recipe: WorldRecipe, expected: Floats) -> Floats:
    """Standard deviation of each row's noise, shape (date,)."""
    size = expected if recipe.multiplicative else np.full_like(expected, expected.mean())
    return np.asarray(recipe.noise * size)


def _sales_level(rng: Generator, recipe: WorldRecipe) -> float:
    """Mean sales per row."""
    per_day = np.exp(rng.uniform(np.log(100), np.log(3000))) * (1 if recipe.conversions else 10)
    return float(per_day * DAYS_PER_ROW[recipe.spacing])


def _money_per_unit(recipe: WorldRecipe, media: Floats, contribution: Floats) -> Floats:
    """Money (posts, where a channel is organic) per unit of media of mean 1, shape (channel,).

    Spend is in proportion to the channels' weights, and in sum such that all channels together return what the recipe
    says (per conversion: a tenth of it, so that a conversion costs some units of money).
    """
    weight = np.array([channel.weight for channel in recipe.channels])
    organic = np.array([channel.unit == "posts" for channel in recipe.channels])
    level = recipe.roas * (0.1 if recipe.conversions else 1.0)
    total = contribution[~organic].sum() / level
    money = np.where(organic, 40.0 * len(media), total * weight / weight[~organic].sum())
    return np.asarray(money / media.sum(axis=0))


def _as_exported(rng: Generator, recipe: WorldRecipe, amounts: Floats) -> tuple[Floats, dict[str, Floats]]:
    """Spend per row, shape (date, channel), and the columns of channels and costs, rounded as an export is."""
    spend, columns, costs = np.empty_like(amounts), {}, {}
    for position, channel in enumerate(recipe.channels):
        amount = amounts[:, position]
        if channel.unit == "impressions":
            price = 0.008 * np.exp(0.12 * wandering(rng, len(amount), 8)[:, 0])  # money per impression
            columns[channel.column] = (amount / 0.008).round(0)
            costs[f"{channel.column}_cost"] = spend[:, position] = _rounded(amount * price / 0.008)
        else:
            columns[channel.column] = spend[:, position] = _rounded(amount)
    return spend, columns | costs


def _rounded(amount: Floats) -> Floats:
    """To hundredths, and to four digits of the mean where amounts are small."""
    digits = max(2, 4 - int(np.floor(np.log10(max(float(amount.mean()), 1e-12)))))
    return np.asarray(amount.round(digits))


def _cost_column(channel: ChannelRecipe) -> str | None:
    return f"{channel.column}_cost" if channel.unit == "impressions" else None


def _forms(recipe: WorldRecipe) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "channel": channel.column,
            "adstock": channel.adstock,
            "saturation": channel.saturation,
            "spend_kind": channel.spend_kind,
            "null": channel.null,
            "organic": channel.unit == "posts",
            "follows_demand": channel.follows_demand,
            "twin": channel.twin_of is not None
            or any(other.twin_of == position for other in recipe.channels),
            "late": channel.start > 0,
        }
        for position, channel in enumerate(recipe.channels)
    )


def _tags(recipe: WorldRecipe) -> dict[str, Any]:
    """The recipe without its channels, flat, as JSON can hold it."""
    tags = asdict(recipe)
    del tags["channels"], tags["control_effects"]
    tags["controls"] = len(recipe.control_effects)
    tags["n_channels"] = len(recipe.channels)
    tags["late"] = any(channel.start > 0 for channel in recipe.channels)
    tags["null"] = any(channel.null for channel in recipe.channels)
    tags["twin"] = any(channel.twin_of is not None for channel in recipe.channels)
    tags["organic"] = any(channel.unit == "posts" for channel in recipe.channels)
    return tags
