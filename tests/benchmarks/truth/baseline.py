"""What moves a world's sales beside its media: trend, season, days of the week, controls, demand.

Here: series as shares of a baseline of level 1, and how well media works over time.
Not here: media (`media.py`), how all of it adds up to sales (`worlds.py`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from tests.benchmarks.truth.media import Floats, wandering
from tests.benchmarks.truth.recipes import DAYS_PER_ROW, WorldRecipe


def baseline_shapes(
    rng: Generator, recipe: WorldRecipe, dates: pd.DatetimeIndex, season: Floats
) -> tuple[Floats, Floats]:
    """What trend and calendar (season, days of the week) add to a baseline of level 1, each of shape (date,)."""
    rows = len(dates)
    time = np.linspace(-0.5, 0.5, rows)
    steps = np.cumsum(rng.standard_normal(rows))
    trend = {
        "flat": np.zeros(rows),
        "linear": recipe.trend_size * time,
        "bent": 1.5 * recipe.trend_size * np.abs(time - rng.uniform(-0.25, 0.25)),
        "walk": recipe.trend_size * (steps - steps.mean()) / max(np.ptp(steps), 1e-12),
    }[recipe.trend]
    week = rng.uniform(-1, 1, 7)
    week = recipe.weekday * (week - week.mean()) / np.abs(week - week.mean()).max()
    return np.asarray(trend), np.asarray(recipe.season * season + week[dates.day_of_week.to_numpy()])


def season_shape(rng: Generator, dates: pd.DatetimeIndex) -> Floats:
    """A year's shape with largest value 1 (in size), shape (date,); a sum of `season_forms`."""
    phase = _year_phase(dates)
    wave = np.cos(phase - rng.uniform(0, 2 * np.pi)) + 0.5 * rng.normal() * np.cos(
        2 * phase - rng.uniform(0, 2 * np.pi)
    )
    if rng.random() < 0.4:  # weeks before Christmas
        wave = wave + 1.5 * _before_christmas(phase)
    return np.asarray(wave / np.abs(wave).max())


def season_forms(dates: pd.DatetimeIndex) -> Floats:
    """The forms that every season is a sum of: two waves of the year and the weeks before Christmas, (date, 5)."""
    phase = _year_phase(dates)
    waves = [wave(order * phase) for order in (1, 2) for wave in (np.cos, np.sin)]
    return np.column_stack([*waves, _before_christmas(phase)])


def _year_phase(dates: pd.DatetimeIndex) -> Floats:
    return np.asarray(2 * np.pi * dates.day_of_year.to_numpy() / 365.25)


def _before_christmas(phase: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * ((phase - 2 * np.pi * 0.94) / 0.2) ** 2))


def control_columns(rng: Generator, recipe: WorldRecipe) -> tuple[dict[str, Floats], Floats]:
    """Columns of the controls, and what they do to the baseline together, shape (date,)."""
    rows = recipe.rows
    columns, effect = {}, np.zeros(rows)
    for position, size in enumerate(recipe.control_effects):
        name, column = (
            ("price", (20 + np.cumsum(rng.normal(0, 0.15, rows))).round(4)),
            ("promo", (wandering(rng, rows, 1)[:, 0] > rng.uniform(0.8, 1.4)).astype(float)),
            ("weather", (12 + 8 * wandering(rng, rows, 3)[:, 0]).round(2)),
        )[position]
        if np.ptp(column) > 0:
            columns[name] = column
            effect += size * (column - column.mean()) / column.std()
    return columns, effect


def demand_shape(rng: Generator, recipe: WorldRecipe, rows: int) -> Floats:
    """What people look for, standard deviation 1: a month's memory, beside media and calendar."""
    return wandering(rng, rows, 30 / DAYS_PER_ROW[recipe.spacing])[:, 0]


def demand_size(recipe: WorldRecipe) -> float:
    """What one standard deviation of demand sells, as a share of the baseline."""
    return 0.0 if recipe.confounding == "none" else 0.1


def effectiveness(rng: Generator, recipe: WorldRecipe) -> Floats:
    """How well media works in each row: mean 1, slow waves where the recipe says so; shape (date,)."""
    rows = recipe.rows
    time = np.arange(rows) / rows
    waves = np.zeros(rows)
    for order in (0.5, 1.0, 1.5, 2.5):
        waves += rng.normal() / order * np.cos(2 * np.pi * (order * time + rng.random()))
    factor = np.exp(recipe.time_varying * (waves - waves.mean()) / waves.std())
    return np.asarray(factor / factor.mean())
