"""Clients with known truth, in plain numpy.

Here: spend, controls and target drawn from a recipe, the truth beside them, the files of such a client.
Not here: the model and its transforms, on purpose: a bug shared by both would cancel itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

from mmm_engine.cells import Days, Floats
from mmm_engine.config import (
    ChannelConfig,
    ClientConfig,
    ControlConfig,
    SamplerConfig,
    TargetConfig,
    check_client_id,
    write_client_config,
)
from mmm_engine.contract import minimum_rows
from mmm_engine.documents import write_text
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.periods import Period, next_days
from mmm_engine.recipes import (
    COMMITTED,
    ChannelRecipe,
    ControlRecipe,
    Recipe,
    SimulatedSaturation,
    TargetKind,
    random_recipe,
)
from mmm_engine.tables import MAX_ROWS
from mmm_engine.terms import AdstockConfig, ModelConfig

_FIGURES = (
    10  # significant figures of the truth file: enough to compare, few enough to be the same everywhere
)


@dataclass(frozen=True)
class Simulation:
    """A simulated client.

    Attributes:
        config: Its settings; the model they describe is the one the data was made with.
        frame: Its rows as they stand in its file: dates as text, counts as whole numbers.
        truth: ``channels`` (per channel ``contribution`` summed over all rows, ``spend``, ``roas`` =
            contribution / spend, ``adstock``, ``lam`` of spend as a share of its maximum, ``alpha`` in target
            units), ``controls`` and ``baseline`` and ``seasonality`` (contributions summed over all rows),
            ``multiplier`` (one number a row, mean 1), ``noise_sd`` in target units, ``seed``.
    """

    config: ClientConfig
    frame: pd.DataFrame
    truth: dict[str, Any]


def simulate_client(
    client: str,
    *,
    periods: int | None = None,
    channels: int | None = None,
    seed: int | None = None,
    period: Period = "week",
    kind: TargetKind = "revenue",
    saturation: SimulatedSaturation = "michaelis_menten",
    multiplier: float = 0.0,
    yearly: float = 0.0,
    noise: float = 0.04,
) -> Simulation:
    """A client with known truth.

    Args:
        client: Id of the client. A client that comes with the platform (``recipes.COMMITTED``) is simulated by its
            own recipe unless ``periods``, ``channels`` or ``seed`` ask for another one.
        periods: Number of rows, by default 161.
        channels: Number of channels, by default 4.
        seed: Seed of the truth and of everything drawn from it, by default 1.
        period: Spacing of the rows.
        kind: Revenue or conversions.
        saturation: Shape of the saturation.
        multiplier: Standard deviation of the slow change in how well media works.
        yearly: Size of the yearly cycle of the baseline as a share of the mean target.
        noise: Standard deviation of the noise as a share of the mean target.

    Raises:
        ConfigError: If the id is not allowed or the client would be too small or too large to refresh.
    """
    check_client_id(client)
    own = next((recipe for recipe in COMMITTED if recipe.client == client), None)
    if own is not None and periods is None and channels is None and seed is None:
        return simulate(own)
    recipe = random_recipe(
        client,
        rows=161 if periods is None else periods,
        channels=4 if channels is None else channels,
        seed=1 if seed is None else seed,
        period=period,
        kind=kind,
        saturation=saturation,
    )
    return simulate(replace(recipe, multiplier=multiplier, yearly=yearly, noise=noise))


def simulate(recipe: Recipe) -> Simulation:
    """The client that a recipe describes; the same recipe gives the same client.

    Raises:
        ConfigError: If the id is not allowed or the client would be too small or too large to refresh.
    """
    config = _config(recipe)
    _check_size(recipe, minimum_rows(config))
    rng = np.random.default_rng(recipe.seed)
    start = np.array([recipe.start], dtype="datetime64[D]")
    days = np.concatenate([start, next_days(start, recipe.period, recipe.rows - 1)])
    multiplier = _multiplier(rng, recipe.rows, recipe.multiplier)
    demand = _demand(rng, days, recipe.period)
    columns: dict[str, Floats] = {}
    baseline = recipe.baseline_share * recipe.level
    seasonality = recipe.yearly * recipe.level * _year(days)
    mean = baseline + seasonality
    media_truth: dict[str, dict[str, float]] = {}
    for channel in recipe.channels:
        columns |= _bought(rng, channel, recipe, days, demand)
        contribution, media_truth[channel.column] = _worked(channel, recipe, columns, multiplier)
        mean = mean + contribution
    control_truth: dict[str, dict[str, float]] = {}
    for control in recipe.controls:
        columns[control.column] = _control(rng, control, recipe, days)
        effect = control.share * recipe.level / float(columns[control.column].mean())
        contribution = effect * columns[control.column]
        control_truth[control.column] = {"contribution": float(contribution.sum()), "effect": effect}
        mean = mean + contribution
    noise_sd = recipe.noise * recipe.level
    target: Floats = np.maximum(mean + rng.normal(0, noise_sd, recipe.rows), 0)
    columns[recipe.target] = np.round(target, 2 if recipe.kind == "revenue" else 0)
    truth = {
        "client": recipe.client,
        "seed": recipe.seed,
        "rows": recipe.rows,
        "channels": media_truth,
        "controls": control_truth,
        "seasonality": float(seasonality.sum()),
        "baseline": baseline * recipe.rows,
        "noise_sd": noise_sd,
        "multiplier": multiplier.tolist(),
    }
    return Simulation(config, _frame(recipe, days, columns), _rounded(truth))


def write_simulation(simulation: Simulation, folder: Path) -> None:
    """Write ``<client>.csv``, ``<client>.truth.json`` and ``<client>.yaml``; the last makes it a client."""
    client = simulation.config.client
    write_text(folder / f"{client}.csv", simulation.frame.to_csv(index=False, lineterminator="\n"))
    truth = json.dumps(simulation.truth, indent=1, ensure_ascii=False) + "\n"
    write_text(folder / f"{client}.truth.json", truth)
    heading = f"Simulated (seed {simulation.truth['seed']}); the truth is in {client}.truth.json"
    write_client_config(simulation.config, folder / f"{client}.yaml", heading)


def adstocked(media: Floats, alpha: float, max_lag: int) -> Floats:
    """Geometric adstock with weights that sum to one, shape (date,); nothing was spent before the first row.

    >>> adstocked(np.array([1.0, 0.0, 0.0]), 0.5, 2)
    array([0.66666667, 0.33333333, 0.        ])
    """
    weights = alpha ** np.arange(max_lag)
    carried: Floats = np.convolve(media, weights / weights.sum())[: len(media)]
    return carried


def saturated(media: Floats, lam: float, kind: SimulatedSaturation) -> Floats:
    """Effect of scaled media as a share of the largest possible effect, shape (date,).

    >>> saturated(np.array([0.5]), 0.5, "michaelis_menten")
    array([0.5])
    """
    shrink = np.exp(-lam * media)
    effect: Floats = media / (lam + media) if kind == "michaelis_menten" else (1 - shrink) / (1 + shrink)
    return effect


def _check_size(recipe: Recipe, least: int) -> None:
    if not least <= recipe.rows <= MAX_ROWS:
        wanted = f"{least} to {MAX_ROWS}, as the data contract has it"
        raise ConfigError(
            f"simulated client '{recipe.client}'",
            Fault("number of rows", str(recipe.rows), wanted, "ask for another number of rows"),
        )


def _multiplier(rng: Generator, rows: int, spread: float) -> Floats:
    """How well media works in each row: slow waves with mean 1 and standard deviation ``spread``."""
    time = np.arange(rows) / rows
    waves = np.zeros(rows)
    for order in (0.5, 1.0, 1.5, 2.0):
        waves += rng.normal() / order * np.cos(2 * np.pi * (order * time + rng.uniform()))
    multiplier: Floats = 1 + spread * (waves - waves.mean()) / waves.std()
    return multiplier


def _demand(rng: Generator, days: Days, period: Period) -> Floats:
    """What people look for, shared by all search campaigns; mean near 1, shape (date,)."""
    return _season(days) * np.exp(_wandering(rng, len(days), 0.8, 0.45))


def _season(days: Days) -> Floats:
    """A shop's year: high before Christmas, a summer sale, a quiet February; shape (date,)."""
    day = _day_of_year(days)
    season = np.ones(len(days))
    for at, width, size in ((330, 22, 0.55), (185, 20, 0.20), (45, 25, -0.20)):
        season += size * np.exp(-0.5 * ((day - at) / width) ** 2)
    return season


def _year(days: Days) -> Floats:
    """Two harmonics of the calendar year with mean 0 and largest value near 1, shape (date,)."""
    phase = 2 * np.pi * _day_of_year(days) / 365.25
    wave: Floats = 0.8 * np.cos(phase - 3.6) + 0.3 * np.sin(2 * phase - 0.5)
    centred: Floats = wave - wave.mean()
    return centred


def _day_of_year(days: Days) -> Floats:
    number: Floats = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.float64) + 1
    return number


def _wandering(rng: Generator, rows: int, memory: float, spread: float) -> Floats:
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


def _bought(
    rng: Generator, channel: ChannelRecipe, recipe: Recipe, days: Days, demand: Floats
) -> dict[str, Floats]:
    """The channel's column as it stands in the file, and its cost column if it has one; each of shape (date,)."""
    rows = recipe.rows
    if channel.pattern == "flights":
        pattern = _flights(rng, rows, recipe.period) * _season(days) ** 0.5
    elif channel.pattern == "search":
        running = _flights(rng, rows, recipe.period) > 0  # budgets run out, campaigns are rebuilt
        pattern = demand * np.exp(_wandering(rng, rows, 0.3, 0.35)) * running
    elif channel.pattern == "always_on":
        pattern = _season(days) ** 0.5 * np.exp(_wandering(rng, rows, 0.8, 0.45))
        # what always ran cannot be told from the baseline; a few dark periods (outages, tests) make the difference
        for start in rng.integers(0, rows - 2, size=max(rows // 50, 2)):
            pattern[start : start + 2] = 0.0
    else:
        pattern = np.exp(_wandering(rng, rows, 0.5, 0.5)) + 3 * (rng.uniform(size=rows) < 0.05)
    money = pattern / pattern.sum() * channel.share * recipe.level * rows / channel.roas
    cost = _cost_name(channel)
    if cost is not None and channel.cost_per_unit is not None:
        return {channel.column: np.round(money / channel.cost_per_unit), cost: np.round(money, 2)}
    return {channel.column: np.round(money, 2 if channel.unit == "spend" else 0)}


def _worked(
    channel: ChannelRecipe, recipe: Recipe, columns: dict[str, Floats], multiplier: Floats
) -> tuple[Floats, dict[str, float]]:
    """What a channel brought in each row, in target units and shape (date,), and the truth about it."""
    media = columns[channel.column]
    carried = adstocked(media / media.max(), channel.adstock, recipe.max_lag)
    shape = multiplier * saturated(carried, channel.lam, recipe.saturation)
    alpha = channel.share * recipe.level / shape.mean()
    contribution = alpha * shape
    spend = float(columns[_cost_name(channel) or channel.column].sum())
    truth = {
        "contribution": float(contribution.sum()),
        "spend": spend,
        "roas": float(contribution.sum()) / spend,
        "adstock": channel.adstock,
        "lam": channel.lam,
        "alpha": float(alpha),
    }
    return contribution, truth


def _cost_name(channel: ChannelRecipe) -> str | None:
    """Name of the cost column of a channel that has one."""
    return None if channel.cost_per_unit is None else f"{channel.column}_cost"


def _control(rng: Generator, control: ControlRecipe, recipe: Recipe, days: Days) -> Floats:
    """A control's column as it stands in the file, shape (date,)."""
    rows = recipe.rows
    if control.pattern == "events":
        return np.round(rng.poisson(0.8 * _season(days))).astype(np.float64)
    if control.pattern == "emails":
        sent = 42_000 * np.exp(_wandering(rng, rows, 0.3, 0.30)) * (1 + 0.8 * (rng.uniform(size=rows) < 0.12))
        delivered: Floats = np.round(sent * _season(days) ** 0.5)
        return delivered
    if control.pattern == "switch":
        return (rng.uniform(size=rows) < 0.2).astype(np.float64)
    steps = np.repeat(rng.normal(0, 0.08, rows // 6 + 1), 6)[:rows]
    return np.round(29.9 * np.exp(steps), 2)


def _config(recipe: Recipe) -> ClientConfig:
    channels = tuple(
        ChannelConfig(column=channel.column, unit=channel.unit, cost=_cost_name(channel))
        for channel in recipe.channels
    )
    return ClientConfig(
        client=recipe.client,
        data=f"{recipe.client}.csv",
        date=recipe.date,
        target=TargetConfig(column=recipe.target, kind=recipe.kind),
        channels=channels,
        controls=tuple(ControlConfig(column=entry.column, effect=entry.effect) for entry in recipe.controls),
        model=ModelConfig(
            adstock=AdstockConfig(max_lag=recipe.max_lag),
            saturation=recipe.saturation,
            time_varying_media=recipe.multiplier > 0,
            yearly_seasonality=2 if recipe.yearly > 0 else None,
        ),
        sampler=SamplerConfig(ess_target=400.0),
    )


def _frame(recipe: Recipe, days: Days, columns: dict[str, Floats]) -> pd.DataFrame:
    """The rows as they stand in the file: whole numbers without a point, money with two places."""
    cells: dict[str, Any] = {recipe.date: days.astype(str)}
    for name, values in columns.items():
        whole = bool((values == np.round(values)).all())
        cells[name] = values.astype(np.int64) if whole else values
    inputs = [name for name in columns if name != recipe.target]
    order = recipe.columns or (recipe.date, recipe.target, *inputs)
    return pd.DataFrame(cells)[list(order)]


def _rounded(value: Any) -> Any:
    """The same values with ``_FIGURES`` significant figures, so that they print alike on every machine."""
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return float(f"{value:.{_FIGURES}g}") if isinstance(value, float) else value
