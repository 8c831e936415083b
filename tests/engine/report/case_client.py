"""The simulated client behind hand-made report inputs: spend, parts of the target, draws around the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.50, "q75": 0.75, "q95": 0.95}
DRAWS = 400


@dataclass(frozen=True)
class Case:
    """The simulated client behind the frames."""

    dates: pd.DatetimeIndex
    spend: pd.DataFrame  # date x channel
    parts: dict[str, np.ndarray]  # component -> (draw, date)
    kinds: dict[str, str]
    actual: np.ndarray
    noise: float
    seed: int


def score(split: str, channel: str, metric: str, value: float, unit: str = "score") -> dict[str, object]:
    """One row of a score frame."""
    return {"split": split, "channel": channel, "metric": metric, "value": value, "unit": unit}


def simulated_case(
    channels: dict[str, float], *, rows: int, level: float, seed: int, controls: tuple[str, ...]
) -> Case:
    """A client whose channels have these returns (contribution per unit of spend) on a baseline of this level."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2021-10-04", periods=rows, freq="W-MON")
    phase = 2 * np.pi * np.arange(rows) / 52
    truth: dict[str, np.ndarray] = {
        "baseline": level * (1 + 0.1 * np.sin(phase - 1.2) + 0.0008 * np.arange(rows))
    }
    kinds = {"baseline": "baseline"}
    spend = pd.DataFrame(index=dates)
    wave = 1 + 0.18 * np.sin(phase + 0.6)
    for number, (name, roas) in enumerate(channels.items()):
        weekly = _flights(
            rng, rows, level * 0.3 / len(channels) * (0.4 + 1.3 * rng.random()) / max(roas, 0.02)
        )
        spend[name] = weekly
        half = weekly.mean() * (0.8 + 0.3 * number)
        truth[name] = 1.6 * roas * weekly / (1 + 0.6 * weekly / half) * wave
        kinds[name] = "channel"
    for name in controls:
        truth[name] = level * 0.02 * rng.poisson(0.8, rows)
        kinds[name] = "control"
    parts = {name: np.exp(rng.normal(0, 0.03 if name == "baseline" else 0.22, (DRAWS, 1))) * value[None, :]
             for name, value in truth.items()}  # fmt: skip
    total = sum(truth.values())
    noise = 0.035 * float(np.mean(total))
    return Case(dates, spend, parts, kinds, total + rng.normal(0, noise, rows), noise, seed)


def _flights(rng: np.random.Generator, rows: int, weekly: float) -> np.ndarray:
    on = np.repeat(rng.random(rows // 6 + 1) > 0.25, 6)[:rows]
    return weekly * on * np.exp(rng.normal(0, 0.35, rows)) + weekly * 0.05


def quantiles(draws: np.ndarray) -> dict[str, np.ndarray]:
    """Quantiles over draws (draw, date) by the name of their column."""
    return {name: np.quantile(draws, level, axis=0) for name, level in QUANTILES.items()}
