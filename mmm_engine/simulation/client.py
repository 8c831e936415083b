"""Clients with known truth, in plain numpy.

Here: controls and target drawn from a recipe, the truth beside them, the files of such a client.
Not here: media (media.py), and on purpose the model and its transforms: a bug shared by both would cancel.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

from mmm_engine.array_types import Days, Floats
from mmm_engine.client.client_file import write_client_config
from mmm_engine.client.config import (
    ChannelConfig,
    ClientConfig,
    ControlConfig,
    TargetConfig,
    check_client_id,
)
from mmm_engine.client.lift_tests import lift_test_frame
from mmm_engine.client.model_config import AdstockConfig, EventConfig, EventDays, ModelConfig, TrendConfig
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.atomic_write import write_text
from mmm_engine.files.limits import MAX_ROWS
from mmm_engine.rows.calendar import Calendar, Period
from mmm_engine.rows.contract import minimum_rows
from mmm_engine.simulation.media import (
    bought,
    cost_name,
    day_of_year,
    experiments,
    market_demand,
    media_multiplier,
    shop_season,
    wandering,
    worked,
)
from mmm_engine.simulation.recipes import (
    COMMITTED,
    ControlRecipe,
    EventRecipe,
    Recipe,
    SimulatedSaturation,
    TargetKind,
    random_recipe,
    special_days,
)

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
            units), ``controls`` and ``baseline`` and ``seasonality`` (contributions summed over all rows), where the
            recipe has them ``trend`` and ``events``, ``multiplier`` (one number a row, mean 1), ``noise_sd`` in
            target units, ``seed``.
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
    trend: float = 0.0,
    events: bool = False,
    lift_tests: int = 0,
) -> Simulation:
    """A client with known truth.

    Args:
        client: Id of the client. A client that comes with the platform (``recipes.COMMITTED``) is simulated by its
            own recipe unless the options that `mmm simulate` knows ask for another one.
        periods: Number of rows, by default 161.
        channels: Number of channels, by default 4.
        seed: Seed of the truth and of everything drawn from it, by default 1.
        period: Spacing of the rows.
        kind: Revenue or conversions.
        saturation: Shape of the saturation.
        multiplier: Standard deviation of the slow change in how well media works.
        yearly: Size of the yearly cycle of the baseline as a share of the mean target.
        noise: Standard deviation of the noise as a share of the mean target.
        trend: What the baseline gains over time, as a share of the mean target; negative for a loss.
        events: Whether there are a sale every November and a launch.
        lift_tests: Number of experiments with each channel.

    Raises:
        ConfigError: If the id is not allowed or the client would be too small or too large to refresh.
    """
    check_client_id(client)
    committed = next((recipe for recipe in COMMITTED if recipe.client == client), None)
    if committed is not None and (periods, channels, seed, trend, events, lift_tests) == (
        None,
        None,
        None,
        0,
        False,
        0,
    ):
        return simulate(committed)
    recipe = random_recipe(
        client,
        rows=161 if periods is None else periods,
        channels=4 if channels is None else channels,
        seed=1 if seed is None else seed,
        period=period,
        kind=kind,
        saturation=saturation,
    )
    days = recipe.calendar.days
    return simulate(
        replace(
            recipe,
            multiplier=multiplier,
            yearly=yearly,
            noise=noise,
            trend=trend,
            lift_tests=lift_tests,
            events=special_days(days[0], days[-1]) if events else (),
        )
    )


def simulate(recipe: Recipe) -> Simulation:
    """The client that a recipe describes; the same recipe gives the same client.

    Raises:
        ConfigError: If the id is not allowed or the client would be too small or too large to refresh.
    """
    config = _config(recipe)
    _check_size(recipe, minimum_rows(config))
    rng = np.random.default_rng(recipe.seed)
    calendar = recipe.calendar
    days = calendar.days
    multiplier = media_multiplier(rng, recipe.rows, recipe.multiplier)
    demand = market_demand(rng, days)
    columns: dict[str, Floats] = {}
    trend = recipe.trend * recipe.level * np.minimum(np.arange(recipe.rows) / (0.6 * (recipe.rows - 1)), 1.0)
    baseline = recipe.baseline_share * recipe.level - trend.mean()
    seasonality = recipe.yearly * recipe.level * _year(days)
    special = {event.name: recipe.level * _bumps(event, calendar) for event in recipe.events}
    mean = baseline + trend + seasonality + sum(special.values())
    media_truth: dict[str, dict[str, float]] = {}
    for channel in recipe.channels:
        columns |= bought(rng, channel, recipe, days, demand)
        contribution, media_truth[channel.column] = worked(channel, recipe, columns, multiplier)
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
    truth |= {"trend": float(trend.sum())} if recipe.trend else {}
    truth |= {"events": {name: float(effect.sum()) for name, effect in special.items()}} if special else {}
    tests = experiments(recipe, days, columns, media_truth, multiplier)
    return Simulation(config.with_lift_tests(tests), _frame(recipe, days, columns), _rounded(truth))


def write_simulation(simulation: Simulation, folder: Path) -> None:
    """Write ``<client>.csv``, ``<client>.truth.json``, its lift tests and, last, ``<client>.yaml``."""
    client = simulation.config.client
    write_text(folder / f"{client}.csv", simulation.frame.to_csv(index=False, lineterminator="\n"))
    truth = json.dumps(simulation.truth, indent=1, ensure_ascii=False) + "\n"
    write_text(folder / f"{client}.truth.json", truth)
    if simulation.config.calibration is not None:
        tests = lift_test_frame(simulation.config.lift_tests).to_csv(index=False, lineterminator="\n")
        write_text(folder / simulation.config.calibration, tests)
    heading = f"Simulated (seed {simulation.truth['seed']}); the truth is in {client}.truth.json"
    write_client_config(simulation.config, folder / f"{client}.yaml", heading, for_editors=True)


def _check_size(recipe: Recipe, least: int) -> None:
    if not least <= recipe.rows <= MAX_ROWS:
        wanted = f"{least} to {MAX_ROWS}, as the data contract has it"
        raise ConfigError(
            f"simulated client '{recipe.client}'",
            Fault("number of rows", str(recipe.rows), wanted, "ask for another number of rows"),
        )


def _year(days: Days) -> Floats:
    """Two harmonics of the calendar year with mean 0 and largest value near 1, shape (date,)."""
    phase = 2 * np.pi * day_of_year(days) / 365.25
    wave: Floats = 0.8 * np.cos(phase - 3.6) + 0.3 * np.sin(2 * phase - 0.5)
    centred: Floats = wave - wave.mean()
    return centred


def _bumps(event: EventRecipe, calendar: Calendar) -> Floats:
    """What an event brings in each row as a share of the mean target, shape (date,).

    In daily rows it is at full size on its days and fades as exp(-d² / (2 width²)) with the d days between. Weeks and
    months have the part of it whose days they hold.
    """
    first, last = calendar.covered_days
    bumps = np.zeros(len(calendar))
    for start, end in event.days:
        if calendar.period != "day":
            shared = np.minimum(last, np.datetime64(end)) - np.maximum(first, np.datetime64(start))
            length = (np.datetime64(end) - np.datetime64(start)).astype(np.int64) + 1
            bumps += event.share * np.maximum(shared.astype(np.int64) + 1, 0) / length
            continue
        ahead = (np.datetime64(start) - last).astype(np.int64)
        behind = (first - np.datetime64(end)).astype(np.int64)
        bumps += event.share * np.exp(-0.5 * (np.maximum(np.maximum(ahead, behind), 0) / event.width) ** 2)
    return bumps


def _control(rng: Generator, control: ControlRecipe, recipe: Recipe, days: Days) -> Floats:
    """A control's column as it stands in the file, shape (date,)."""
    rows = recipe.rows
    if control.pattern == "events":
        return np.round(rng.poisson(0.8 * shop_season(days))).astype(np.float64)
    if control.pattern == "emails":
        sent = 42_000 * np.exp(wandering(rng, rows, 0.3, 0.30)) * (1 + 0.8 * (rng.uniform(size=rows) < 0.12))
        delivered: Floats = np.round(sent * shop_season(days) ** 0.5)
        return delivered
    if control.pattern == "switch":
        return (rng.uniform(size=rows) < 0.2).astype(np.float64)
    steps = np.repeat(rng.normal(0, 0.08, rows // 6 + 1), 6)[:rows]
    return np.round(29.9 * np.exp(steps), 2)


def _config(recipe: Recipe) -> ClientConfig:
    channels = tuple(
        ChannelConfig(column=channel.column, unit=channel.unit, cost=cost_name(channel))
        for channel in recipe.channels
    )
    return ClientConfig(
        client=recipe.client,
        data=f"{recipe.client}.csv",
        date=recipe.date,
        target=TargetConfig(column=recipe.target, kind=recipe.kind),
        channels=channels,
        controls=tuple(ControlConfig(column=entry.column, effect=entry.effect) for entry in recipe.controls),
        currency="EUR",
        model=ModelConfig(
            adstock=AdstockConfig(max_lag=recipe.max_lag),
            saturation=recipe.saturation,
            time_varying_media=recipe.multiplier > 0,
            yearly_seasonality=2 if recipe.yearly > 0 and recipe.has_a_year else None,
            trend=TrendConfig(changepoints=5) if recipe.trend else None,
            events=tuple(_event(event) for event in recipe.events),
        ),
        calibration=f"{recipe.client}.lift.csv" if recipe.lift_tests else None,
    )


def _event(event: EventRecipe) -> EventConfig:
    return EventConfig(
        name=event.name, days=tuple(EventDays(start=start, end=end) for start, end in event.days)
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
