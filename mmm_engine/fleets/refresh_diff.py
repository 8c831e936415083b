"""Refresh diff: why a channel's return moved since the last refresh.

Here: the fits between the last refresh and this one, each with one thing changed, and the parts of the move that they
give; the parts of every channel sum to its whole move.
Not here: keeping the last refresh (the platform does), how a move is told (report/sections/diff.py).

The order of the steps is fixed: library versions (the last refresh's rows and settings, fitted by today's libraries),
restated periods, new periods, settings. A part is the difference of two means over seeds; what the two published fits,
which have one seed each, deviate from the means over seeds of their own rows and settings is the sampler's noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from mmm_engine.client.config import ClientConfig, SamplerConfig
from mmm_engine.client.windows import FULL
from mmm_engine.fleets.scored_window import fit_window
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.rows.client_data import ClientData
from mmm_engine.rows.window import scale_window

DIFF_COLUMNS = ("channel", "metric", "step", "change", "noise", "before", "after")
VERSIONS, RESTATED, NEW, SETTINGS, NOISE = (
    "library versions",
    "restated periods",
    "new periods",
    "settings",
    "sampler noise",
)
TOGETHER = "new rows and settings"
MOVED_Z = 3.0
MOVED_SHARE = 0.05
REPEATS = 1  # further seeds per state
_INTERVAL_SD = 3.29  # width of a normal's central 90% interval in standard deviations


class Measure(Protocol):
    """Channel returns of rows and settings, fitted with the seed counted up by ``step``."""

    def __call__(self, data: ClientData, step: int) -> pd.DataFrame:
        """Output of `returns.channel_returns`, window "full"."""


@dataclass(frozen=True, eq=False)
class PublishedState:
    """A refresh as it was published.

    Attributes:
        data: Its rows and settings.
        returns: Its `channel_returns`, window "full".
        versions: Engine and libraries that computed it, name to version.
        ess: Smallest effective sample size of its fit.
    """

    data: ClientData
    returns: pd.DataFrame
    versions: Mapping[str, str]
    ess: float


@dataclass(frozen=True, eq=False)
class _Stage:
    """One state on the way from the last refresh to this one: what changed last, and the mean over its seeds."""

    step: str
    runs: tuple[pd.Series, ...]

    @property
    def mean(self) -> pd.Series:
        """Value by (channel, metric)."""
        return sum(self.runs[1:], self.runs[0]) / len(self.runs)


def moved(before: PublishedState, after: PublishedState) -> pd.DataFrame:
    """Channels whose return or share moved by more than the sampler's noise.

    Noise is the Monte Carlo standard error of the difference of two means; a move counts from 3 of them and 5% of the
    earlier value on.

    Returns:
        Columns channel, metric, before, after, change; empty when nothing moved.
    """
    then, now = _spread(before), _spread(after)
    table = then.add_suffix("_before").join(now.add_suffix("_after"), how="inner")
    change = table["mean_after"] - table["mean_before"]
    error = np.hypot(table["error_before"], table["error_after"])
    is_moved = (change.abs() > MOVED_Z * error) & (change.abs() > MOVED_SHARE * table["mean_before"].abs())
    found = pd.DataFrame({"before": table["mean_before"], "after": table["mean_after"], "change": change})
    return found[is_moved].reset_index()


def refresh_diff(before: PublishedState, after: PublishedState, measure: Measure) -> pd.DataFrame:
    """The move of every channel's return and share, split into its causes.

    Args:
        before: The last refresh.
        after: This refresh.
        measure: Fits rows and settings with one seed more at each step; see `fitted_returns`.

    Returns:
        Columns channel, metric ("roas" or "cpa", and "share"), step, change, noise (standard deviation of ``change``
        between seeds), before and after (the published values). Steps that did not happen are left out; the changes
        of a channel and metric sum to after - before. Channels of both refreshes only.
    """
    then, now = _values(before.returns), _values(after.returns)
    shared = then.index.intersection(now.index, sort=False)
    then, now = then[shared], now[shared]
    same_versions = dict(before.versions) == dict(after.versions)
    states = intermediate_states(before.data, after.data)
    stages = []
    for place, (step, data) in enumerate(states):
        runs = [_values(measure(data, seed)).reindex(shared) for seed in range(1, REPEATS + 1)]
        if place == len(states) - 1:
            first = now
        elif place == 0 and same_versions:
            first = then
        else:
            first = _values(measure(data, 0)).reindex(shared)
        stages.append(_Stage(step, (first, *runs)))
    return _parts(then, now, stages, same_versions)


def intermediate_states(before: ClientData, after: ClientData) -> list[tuple[str, ClientData]]:
    """Rows and settings from the last refresh to this one, each with what changed since the one before it.

    Settings change last. Where the rows of this refresh lack a column that the earlier settings name, they change
    first; where that cannot be either, rows and settings change in one step.
    """
    states = [(VERSIONS, before)]
    if before.config.config_version == after.config.config_version:
        return states + _row_states(before, after)
    if _has_columns(after, before.config):
        rows = _row_states(before, _with_settings(after, before.config))
        return [*states, *rows, (SETTINGS, after)]
    if _has_columns(before, after.config):
        first = _with_settings(before, after.config)
        return [*states, (SETTINGS, first), *_row_states(first, after)]
    return [*states, (TOGETHER, after)]


def fitted_returns(
    adapt: Callable[[SamplerConfig], SamplerConfig] = lambda settings: settings,
    progress: ProgressListener | None = None,
) -> Measure:
    """A measure that fits.

    Args:
        adapt: What becomes of a client's sampler settings, for runs that override them.
        progress: Listener of the fits.
    """

    def measure(data: ClientData, step: int) -> pd.DataFrame:
        settings = adapt(data.config.sampler)
        settings = settings.model_copy(update={"seed": (settings.seed + step) % 2**32})
        inputs = scale_window(data, FULL)
        label = f"{data.config.client} refresh diff, {len(data)} rows"
        return fit_window(inputs, sampler=settings, progress=progress, label=label).returns

    return measure


def _row_states(before: ClientData, after: ClientData) -> list[tuple[str, ClientData]]:
    """States with other rows but the same settings."""
    states: list[tuple[str, ClientData]] = []
    old_dates, old_columns = before.frame["date"], list(before.frame.columns)
    is_old = after.frame["date"].isin(old_dates)
    restated = after.frame.loc[is_old, old_columns].reset_index(drop=True)
    if not restated.equals(before.frame):
        states.append((RESTATED, replace(after, frame=restated)))
    if not is_old.all():
        states.append((NEW, after))
    return states


def _has_columns(data: ClientData, config: ClientConfig) -> bool:
    return set(_columns(config)) <= set(data.frame.columns)


def _with_settings(data: ClientData, config: ClientConfig) -> ClientData:
    return replace(data, config=config, frame=data.frame[["date", *_columns(config)]])


def _columns(config: ClientConfig) -> Sequence[str]:
    return (config.target.column, *config.channel_names, *config.cost_names, *config.control_names)


def _parts(then: pd.Series, now: pd.Series, stages: list[_Stage], same_versions: bool) -> pd.DataFrame:
    spread = _noise(stages)
    means = [stage.mean for stage in stages]
    runs = len(stages[0].runs)
    step_noise = spread * np.sqrt(2.0 / runs)
    parts = []
    if not same_versions:
        parts.append((VERSIONS, means[0] - then, spread * np.sqrt(1.0 + 1.0 / runs)))
    parts += [
        (stage.step, means[place] - means[place - 1], step_noise)
        for place, stage in enumerate(stages)
        if place
    ]
    own = now - means[-1] - (then - means[0] if same_versions else 0.0)
    if len(stages) == 1 and same_versions:  # nothing changed: whatever moved is noise
        own = now - then
    parts.append((NOISE, own, spread * np.sqrt((1.0 + same_versions) * (1.0 - 1.0 / runs))))
    frames = [
        pd.DataFrame({"change": change, "noise": noise, "before": then, "after": now}).assign(step=step)
        for step, change, noise in parts
    ]
    table = pd.concat(frames).reset_index()
    return table[list(DIFF_COLUMNS)]


def _noise(stages: list[_Stage]) -> pd.Series:
    """Standard deviation of one fit between seeds, pooled over the stages."""
    variances = [pd.concat(stage.runs, axis=1).var(axis=1, ddof=1) for stage in stages]
    pooled: pd.Series = sum(variances[1:], variances[0]) / len(variances)
    return pooled**0.5


def _values(returns: pd.DataFrame) -> pd.Series:
    """Means of the returns that a report tells, by (channel, metric); undefined ones are left out."""
    known = returns[returns["metric"].isin(_metrics(returns))].dropna(subset="mean")
    return known.set_index(["channel", "metric"])["mean"].astype(float)


def _metrics(returns: pd.DataFrame) -> tuple[str, str]:
    return ("cpa" if (returns["metric"] == "cpa").any() else "roas", "share")


def _spread(state: PublishedState) -> pd.DataFrame:
    """Mean and its Monte Carlo standard error, by (channel, metric)."""
    returns = state.returns[state.returns["metric"].isin(_metrics(state.returns))].dropna(subset="mean")
    frame = returns.set_index(["channel", "metric"])
    error = (frame["q95"] - frame["q05"]) / _INTERVAL_SD / np.sqrt(max(state.ess, 1.0))
    return pd.DataFrame({"mean": frame["mean"].astype(float), "error": error.astype(float)})
