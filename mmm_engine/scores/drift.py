"""Drift: has a client's forecast, or its channel mix, left the range it usually keeps?

Here: the alarm rule, as pure functions of a client's recorded scores, and what it is applied to.
Not here: whether one refresh is good enough (gates.py), where scores are kept (history/store.py).

Every refresh adds one value to each watched series. The last ``recent`` values are measured in standard
deviations of the values before them (robust: outliers of the past are pulled in), clipped, and averaged
with weights that fade into the past (EWMA). An alarm needs that average beyond its limit, and of the last
three values the two that are left without the most extreme one to agree, so one noisy refresh is not
enough. Scores of neighbouring refreshes share weeks; where the past shows it, the limit widens. The limits
hold the rate of false alarms of a client, over all its series together, at ``monthly_rate``; what that
leaves in power is measured in tests/engine/scores/test_drift.py. It is close to what is possible: a limit that
sees more shifts of one series has more false alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from mmm_engine.array_types import Floats
from mmm_engine.client.windows import FULL, Window
from mmm_engine.rows.calendar import DAYS_PER_ROW
from mmm_engine.rows.usual_spread import usual_spread
from mmm_engine.scores.forecast_scores import SCORE_COLUMNS

Direction = Literal["up", "down", "both"]

_AGREEMENT = 0.75  # sd: what two of the last three values must reach on average without the most extreme one
_WINSOR = 2.5
_WINSOR_SD = 0.9887  # sd of a standard normal that is pulled in at 2.5
# Looks share values, so crossings come in runs of which only the first opens an alarm; measured.
_NEW_PER_CROSSING = 0.52


@dataclass(frozen=True)
class Watched:
    """One series that is watched.

    Attributes:
        direction: The side that is bad.
        skew_factor: Part of the usual chance of crossing the limit; below 1 where the values are skewed to that side.
    """

    direction: Direction
    skew_factor: float = 1.0

    @property
    def alpha_weight(self) -> float:
        """Its alpha-spending weight: its part of the allowed rate of false alarms, in limits that it can cross."""
        return (2 if self.direction == "both" else 1) / self.skew_factor


WATCHED: Mapping[str, Watched] = {
    "crps": Watched("up"),
    "bias": Watched("both"),
    "coverage_90": Watched("down", skew_factor=0.5),
    "mix": Watched("up"),
}
"""What is watched: three test scores, and the share of contribution that sits in other channels than usual."""


WATCHED_WINDOW = Window.holding_out(4)


@dataclass(frozen=True)
class DriftRule:
    """The constants of the alarm rule.

    Attributes:
        weight: Weight of the newest value in the average; 0.35 serves sudden and slow shifts about equally.
        clip: No value counts for more standard deviations than this.
        recent: Refreshes that are judged; those before them are the usual range.
        baseline: At most so many refreshes make the usual range.
        min_baseline: Fewer than this do not; until then there is no alarm.
        monthly_rate: Share of clients, none of which drifts, that may get an alarm in a month.
        window: Window whose test scores are watched.
    """

    weight: float = 0.35
    clip: float = 3.0
    recent: int = 10
    baseline: int = 104
    min_baseline: int = 16
    monthly_rate: float = 0.05
    window: Window = WATCHED_WINDOW


@dataclass(frozen=True)
class Chart:
    """Where series stand against their own past.

    Attributes:
        usual: Robust mean of the baseline, shape (series,), unit of the values.
        sd: Robust standard deviation of the baseline, shape (series,), same unit.
        z: Recent values in standard deviations from ``usual``, clipped, shape (series, recent).
        statistic: Weighted average of ``z`` over its own standard error, shape (series,).
        freedom: Degrees of freedom of that standard error, shape (series,).
    """

    usual: Floats
    sd: Floats
    z: Floats
    statistic: Floats
    freedom: Floats


def chart(values: Floats, rule: DriftRule, sd_floor: float = 0.0) -> Chart:
    """Measure the last values of each series against those before.

    Args:
        values: One value per refresh, oldest first, no NaN, shape (series, refresh).
        rule: The constants.
        sd_floor: The standard deviation is taken to be at least this, unit of the values.

    Raises:
        ValueError: If there are fewer than ``recent + min_baseline`` refreshes.

    Reference: Lucas & Saccucci (1990), doi:10.1080/00401706.1990.10484583.
    """
    if values.shape[1] < rule.recent + rule.min_baseline:
        raise ValueError(f"{values.shape[1]} refreshes are fewer than {rule.recent} + {rule.min_baseline}")
    past = values[:, -rule.recent - rule.baseline : -rule.recent]
    past, sd = _winsorised(past)
    usual = past.mean(axis=1)
    sd = np.maximum(sd, np.maximum(sd_floor, 1e-12 + 1e-9 * np.abs(usual)))
    z = np.clip((values[:, -rule.recent :] - usual[:, None]) / sd[:, None], -rule.clip, rule.clip)
    fade = (1 - rule.weight) ** np.arange(rule.recent)[::-1]
    count = past.shape[1]
    rho = _autocorrelation(past - usual[:, None])
    # Variance of the average of z when neighbours correlate with rho, and of the usual value itself.
    stay = (1 - rule.weight) * rho
    average = rule.weight**2 * np.sum(fade**2) * (1 + stay) / (1 - stay)
    variance = average + (1 + rho) / (1 - rho) / count
    effective = np.maximum(count * (1 - rho**2) / (1 + rho**2), 4.0)
    return Chart(usual, sd, z, rule.weight * (z @ fade) / np.sqrt(variance), effective - 1)


def alarmed(chart: Chart, direction: Direction, probability: float) -> tuple[NDArray[np.bool_], Floats]:
    """Whether each series raises an alarm, and its limit.

    Args:
        chart: Where the series stand.
        direction: The side that is bad.
        probability: Chance that a series without drift is beyond the limit on one side, at one refresh.

    Returns:
        Alarms, shape (series,), and limits of the absolute statistic, shape (series,).
    """
    limit = -np.asarray(stdtrit(chart.freedom, probability), dtype=np.float64)
    last = np.sort(chart.z[:, -3:], axis=1)
    up = (chart.statistic > limit) & (last[:, :2].mean(axis=1) > _AGREEMENT)
    down = (chart.statistic < -limit) & (last[:, 1:].mean(axis=1) < -_AGREEMENT)
    sides = {"up": up, "down": down, "both": up | down}
    return sides[direction], limit


def crossing_probability(refreshes_per_month: float, alpha_weights: float, rule: DriftRule) -> float:
    """Chance of each limit to be crossed at one refresh that keeps a client at ``monthly_rate`` false alarms.

    Args:
        refreshes_per_month: How often the client is looked at.
        alpha_weights: Sum of the alpha-spending weights of its series.
        rule: The constants.

    >>> round(crossing_probability(52 / 12, 6, DriftRule()), 4)
    0.0037
    """
    return rule.monthly_rate / (_NEW_PER_CROSSING * max(refreshes_per_month, 1.0) * alpha_weights)


def variance_stabilised(stream: str, values: Floats, rows: int) -> Floats:
    """Values on a scale on which their noise has one size and is about symmetric, same shape.

    Args:
        stream: One of ``WATCHED``.
        values: Values of the series, any shape.
        rows: Rows behind each coverage.

    Reference: Anscombe (1948), doi:10.1093/biomet/35.3-4.246 (counts: here the rows that were missed).
    """
    if stream == "coverage_90":
        return np.asarray(-np.sqrt(1 - values + 0.375 / rows), dtype=np.float64)
    if stream in {"crps", "mix"}:
        return np.log(np.maximum(values, 1e-9))
    return values


def mix_distance(shares: Floats, rule: DriftRule) -> Floats:
    """Share of all contribution that sits in other channels than usual, in [0, 1], shape (..., refresh).

    Half the sum of absolute differences to the mean shares of the baseline. A refresh of the baseline is held
    against the mean of the others there, or it would look closer than a new one can be.

    Args:
        shares: Share of contribution, shape (..., refresh, channel).
        rule: The constants.
    """
    past = shares[..., -rule.recent - rule.baseline : -rule.recent, :]
    difference = shares - past.mean(axis=-2, keepdims=True)
    count = past.shape[-2]
    own = np.zeros(shares.shape[-2], dtype=bool)
    own[-rule.recent - rule.baseline : -rule.recent] = True
    difference[..., own, :] *= count / (count - 1)
    return np.asarray(np.abs(difference).sum(axis=-1) / 2, dtype=np.float64)


def drift_scores(history: pd.DataFrame, rule: DriftRule | None = None) -> pd.DataFrame:
    """Where one client stands at its last refresh, one row per watched series.

    Args:
        history: Recorded scores of one client, the columns of ``History.read(client)``.
        rule: The constants.

    Returns:
        Columns stream, value (at the last refresh), usual (median of those before), statistic, limit, alarm
        and reason (in words); NaN and no alarm for a series whose past is too short.
    """
    rule = rule or DriftRule()
    series = _series(history, rule)
    needed = rule.recent + rule.min_baseline
    ready = {name: values for name, values in series.items() if len(values) >= needed}
    alpha_weights = sum(WATCHED[name].alpha_weight for name in ready)
    rows = []
    for name in WATCHED:
        if name in ready:
            rows.append(_judge(name, ready[name], _coverage_rows(history, rule), alpha_weights, rule))
        else:
            reason = f"{len(series.get(name, ()))} of the {needed} refreshes needed are recorded"
            rows.append((name, np.nan, np.nan, np.nan, np.nan, False, reason))
    return pd.DataFrame(rows, columns=["stream", "value", "usual", "statistic", "limit", "alarm", "reason"])


def drift_score_frame(drift: pd.DataFrame) -> pd.DataFrame:
    """Rows for the history, from ``drift_scores``: metric ``drift_<stream>``, at least 1 in a state of alarm.

    Returns:
        Columns ``SCORE_COLUMNS``. The value is the statistic over its limit; without an alarm it stays
        below 1, also when the limit was crossed by one noisy refresh.
    """
    ratio = (drift["statistic"] / drift["limit"]).abs()
    values = ratio.where(drift["alarm"], ratio.clip(upper=0.99))
    frame = pd.DataFrame({"metric": "drift_" + drift["stream"], "value": values})
    return frame.assign(split="all", channel="all", unit="score")[list(SCORE_COLUMNS)]


def _judge(
    stream: str, values: pd.Series, coverage_rows: int, alpha_weights: float, rule: DriftRule
) -> tuple[str, float, float, float, float, bool, str]:
    """One row of ``drift_scores``."""
    watched = WATCHED[stream]
    days = np.median(np.diff(values.index.to_numpy()) / np.timedelta64(1, "D"))
    chance = crossing_probability(DAYS_PER_ROW["month"] / max(float(days), 1.0), alpha_weights, rule)
    numbers = values.to_numpy(dtype=np.float64)
    # A coverage of few rows jumps, even when its past was 1 throughout.
    floor = 0.25 / np.sqrt(coverage_rows) if stream == "coverage_90" else 0.0
    state = chart(variance_stabilised(stream, numbers, coverage_rows)[None, :], rule, floor)
    alarm, limit = alarmed(state, watched.direction, watched.skew_factor * chance)
    value = float(numbers[-1])
    usual = float(np.median(numbers[-rule.recent - rule.baseline : -rule.recent]))
    verb = "has left" if alarm[0] else "keeps"
    reason = f"{stream} {verb} its usual range: now {value:.3g}, usually {usual:.3g}"
    return (stream, value, usual, float(state.statistic[0]), float(limit[0]), bool(alarm[0]), reason)


def _coverage_rows(history: pd.DataFrame, rule: DriftRule) -> int:
    """Held-out rows of the window that is watched."""
    rows = history.loc[history["window"] == rule.window.name, "horizon"]
    return max(int(rows.max()), 1) if len(rows) else 1


def _series(history: pd.DataFrame, rule: DriftRule) -> dict[str, pd.Series]:
    """The watched series of a client by cutoff; a cutoff that was refreshed again counts once, the last time."""
    last = history.sort_values("recorded_at").drop_duplicates(
        ["cutoff", "window", "split", "channel", "metric"], keep="last"
    )
    watched = last[
        (last["window"] == rule.window.name) & (last["split"] == "test") & (last["channel"] == "all")
    ]
    series = {
        str(metric): rows.set_index("cutoff")["value"].sort_index().dropna()
        for metric, rows in watched.groupby("metric")
        if metric in WATCHED
    }
    shares = last[(last["window"] == FULL.name) & (last["split"] == "train") & (last["metric"] == "share")]
    table = shares.pivot_table(index="cutoff", columns="channel", values="value", aggfunc="last").sort_index()
    if len(table) >= rule.recent + rule.min_baseline:
        # A channel that is not there yet, or no longer, has no share.
        distance = mix_distance(table.fillna(0.0).to_numpy(dtype=np.float64), rule)
        series["mix"] = pd.Series(distance, index=table.index)
    return series


def _winsorised(past: Floats) -> tuple[Floats, Floats]:
    """The past with its outliers pulled in, shape (series, refresh), and its standard deviation, shape (series,)."""
    median = np.median(past, axis=1, keepdims=True)
    spread = usual_spread(past)[:, None]
    # More than half the values may be one and the same (a coverage of 1): then there is no robust spread.
    spread = np.where(spread > 0, spread, np.inf)
    pulled = np.clip(past, median - _WINSOR * spread, median + _WINSOR * spread)
    return pulled, np.asarray(pulled.std(axis=1, ddof=1) / _WINSOR_SD, dtype=np.float64)


def _autocorrelation(centred: Floats) -> Floats:
    """Correlation of neighbours, shape (series,); 0 unless it is clearly above 0."""
    count = centred.shape[1]
    power = np.sum(centred**2, axis=1)
    products = np.sum(centred[:, 1:] * centred[:, :-1], axis=1)
    rho = np.divide(products, power, out=np.zeros(len(centred)), where=power > 0)
    corrected = np.minimum(rho + (1 + 3 * rho) / count, 0.9)  # the estimate is low in short series
    return np.where(rho > 1.645 / np.sqrt(count), corrected, 0.0)
