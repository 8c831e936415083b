"""What a world is made of: everything that is drawn before the first row exists.

Here: `WorldRecipe` and `ChannelRecipe`, and how they are drawn from a number and a seed.
Not here: rows and truth (`worlds.py`), formulas (`media.py`).

World number k of a seed is the same however many worlds there are. The quantities that decide most (media's share,
rows, channels, noise, correlation, return, spacing) follow a scrambled Halton sequence, so that any first n worlds are
spread evenly over their ranges (Owen 2017, arXiv:1706.02808).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.random import Generator
from scipy.stats import qmc

from tests.benchmarks.truth.media import AdstockKind, Floats, SaturationKind, SpendKind

Spacing = Literal["day", "week", "month"]
TrendKind = Literal["flat", "linear", "bent", "walk"]
Confounding = Literal["none", "seen", "unseen"]

MEDIA_SHARE = (0.01, 0.6)
NOISE = (0.015, 0.12)
CORRELATION = (0.0, 0.85)
CHANNELS = (3, 15)
ROAS_LEVEL = (0.3, 10.0)
EFFICIENCY_SPREAD = (0.3, 1.0)  # standard deviation of the log of channels' returns around their level
LARGEST_SPEND = 0.5  # of sales: nobody spends more
ROWS: dict[Spacing, tuple[int, int]] = {"day": (90, 400), "week": (60, 312), "month": (60, 120)}
DAYS_PER_ROW: dict[Spacing, int] = {"day": 1, "week": 7, "month": 30}
SPACINGS: tuple[tuple[Spacing, float], ...] = (("week", 0.65), ("day", 0.85), ("month", 1.0))  # cumulative

TRENDS: tuple[TrendKind, ...] = ("flat", "linear", "bent", "walk")
CONFOUNDINGS: tuple[Confounding, ...] = ("none", "seen", "unseen")
ADSTOCKS: tuple[AdstockKind, ...] = ("none", "short", "short", "long", "delayed", "delayed", "weibull")
SATURATIONS: tuple[SaturationKind, ...] = (
    "michaelis_menten", "hill", "hill", "logistic", "power", "linear", "exponential"
)  # fmt: skip
SPEND_KINDS: tuple[SpendKind, ...] = ("always", "always", "always", "flights", "flights", "sparse", "on_off")


@dataclass(frozen=True)
class ChannelRecipe:
    """One channel.

    Attributes:
        column: Its name.
        adstock: Form of the carry-over.
        adstock_parameters: In days (`media.adstock_kernel`).
        saturation: Form of the response.
        curve: Parameters of `media.response`, ``half`` as a multiple of the channel's usual media.
        spend_kind: Pattern of the spend.
        weight: Size of its spend (or media, where it is organic) up to a factor.
        efficiency: Log of its return less the level of all channels.
        start: Share of the rows that are over when it starts.
        null: It does nothing.
        unit: What its column counts: "spend", "impressions" (with a column of costs) or "posts" (organic: no cost).
        follows_demand: Its spend follows the demand that also moves sales.
        twin_of: Position of the channel whose spend it repeats up to some per cent, or None.
    """

    column: str
    adstock: AdstockKind
    adstock_parameters: dict[str, float]
    saturation: SaturationKind
    curve: dict[str, float]
    spend_kind: SpendKind
    weight: float
    efficiency: float
    start: float
    null: bool = False
    unit: Literal["spend", "impressions", "posts"] = "spend"
    follows_demand: bool = False
    twin_of: int | None = None


@dataclass(frozen=True)
class WorldRecipe:
    """One world.

    Attributes:
        number: Its number.
        seed: Seed of the study; seed and number decide everything.
        spacing: Of the rows.
        rows: How many.
        media_share: Of sales, all channels together, over all rows.
        roas: Of all channels with a cost together.
        spread: Of the log of channels' returns.
        noise: Standard deviation of a row as a share of mean sales.
        correlation: Of the moods that channels' spend follows.
        trend: Its form.
        trend_size: Change over all rows as a share of the baseline.
        season: Largest yearly swing as a share of the baseline.
        weekday: Largest weekly swing (daily rows) as a share of the baseline.
        control_effects: Standard deviation of each control's effect, signed, as a share of the baseline.
        history: Spend before the first row still works in the first rows.
        multiplicative: Media multiplies the baseline instead of adding to it.
        time_varying: Standard deviation over time of how well media works, 0 for none.
        confounding: Whether one channel's spend follows a demand that moves sales, and whether that demand is a column.
        conversions: The target counts.
        channels: The channels.
    """

    number: int
    seed: int
    spacing: Spacing
    rows: int
    media_share: float
    roas: float
    spread: float
    noise: float
    correlation: float
    trend: TrendKind
    trend_size: float
    season: float
    weekday: float
    control_effects: tuple[float, ...]
    history: bool
    multiplicative: bool
    time_varying: float
    confounding: Confounding
    conversions: bool
    channels: tuple[ChannelRecipe, ...]

    @property
    def name(self) -> str:
        """Name of the world, the id of its client."""
        return f"s{self.seed}w{self.number:03d}"


def draw_recipe(number: int, seed: int) -> WorldRecipe:
    """The recipe of world ``number`` of a seed; both 0 or more."""
    even = _evenly_spread(seed, number)
    rng = np.random.default_rng([seed, number, 0])
    spacing = next(name for name, share in SPACINGS if even[0] < share)
    media_share = _between_logs(even[1], *MEDIA_SHARE)
    roas = _between_logs(even[2], max(ROAS_LEVEL[0], media_share / LARGEST_SPEND), ROAS_LEVEL[1])
    confounding: Confounding = CONFOUNDINGS[rng.choice(3, p=[0.84, 0.08, 0.08])]
    trend: TrendKind = TRENDS[rng.choice(4, p=[0.3, 0.25, 0.2, 0.25])]
    spread = float(rng.uniform(*EFFICIENCY_SPREAD))
    count = round(_between_logs(even[4], CHANNELS[0] - 0.49, CHANNELS[1] + 0.49))
    return WorldRecipe(
        number=number,
        seed=seed,
        spacing=spacing,
        rows=round(_between_logs(even[3], *ROWS[spacing])),
        media_share=media_share,
        roas=roas,
        spread=spread,
        noise=_between_logs(even[5], *NOISE),
        correlation=CORRELATION[0] + even[6] * (CORRELATION[1] - CORRELATION[0]),
        trend=trend,
        trend_size=0.0 if trend == "flat" else float(rng.uniform(0.1, 0.5) * rng.choice([-1, 1, 1])),
        season=float(rng.choice([0.0, 0.05, 0.12, 0.25])),
        weekday=float(rng.uniform(0.03, 0.2)) if spacing == "day" and rng.random() < 0.8 else 0.0,
        control_effects=_control_effects(rng),
        history=bool(rng.random() < 0.7),
        multiplicative=bool(rng.random() < 0.15),
        time_varying=float(rng.uniform(0.2, 0.45)) if rng.random() < 0.15 else 0.0,
        confounding=confounding,
        conversions=bool(rng.random() < 0.12),
        channels=_draw_channels(rng, count, spread, confounding != "none"),
    )


def _draw_channels(rng: Generator, count: int, spread: float, confounded: bool) -> tuple[ChannelRecipe, ...]:
    null = int(rng.integers(count)) if rng.random() < 0.2 else None
    twin = count - 1 if rng.random() < 0.1 else None
    organic = 1 if rng.random() < 0.15 else None
    impressions = rng.random(count) < (0.4 if rng.random() < 0.25 else 0.0)
    late = rng.random(count) < (0.3 if rng.random() < 0.35 else 0.0)
    channels = []
    for position in range(count):
        adstock = ADSTOCKS[rng.integers(len(ADSTOCKS))]
        saturation = SATURATIONS[rng.integers(len(SATURATIONS))]
        channels.append(
            ChannelRecipe(
                column=f"m{position + 1:02d}",
                adstock=adstock,
                adstock_parameters=_adstock_parameters(rng, adstock),
                saturation=saturation,
                curve=_curve(rng, saturation),
                spend_kind=SPEND_KINDS[rng.integers(len(SPEND_KINDS))],
                weight=float(rng.lognormal(0.0, 0.9)),
                efficiency=float(spread * rng.standard_normal()),
                start=float(rng.uniform(0.2, 0.6)) if late[position] else 0.0,
                null=position == null,
                unit="posts" if position == organic else "impressions" if impressions[position] else "spend",
                follows_demand=confounded and position == 0,
                twin_of=0 if position == twin else None,
            )
        )
    return tuple(channels)


def _control_effects(rng: Generator) -> tuple[float, ...]:
    """Up to three, of either sign."""
    count = int(rng.integers(0, 4))
    return tuple(float(effect) for effect in rng.uniform(0.005, 0.05, count) * rng.choice([-1, 1], count))


def _adstock_parameters(rng: Generator, kind: AdstockKind) -> dict[str, float]:
    if kind == "short":
        return {"half_life": _between_logs(rng.random(), 1.0, 8.0)}
    if kind == "long":
        return {"half_life": _between_logs(rng.random(), 12.0, 42.0)}
    if kind == "delayed":
        peak = float(rng.uniform(4.0, 21.0))
        return {"peak": peak, "spread": peak * float(rng.uniform(0.4, 0.9))}
    if kind == "weibull":
        return {"shape": float(rng.uniform(0.7, 2.5)), "scale": _between_logs(rng.random(), 4.0, 25.0)}
    return {}


def _curve(rng: Generator, kind: SaturationKind) -> dict[str, float]:
    if kind == "linear":
        return {}
    if kind == "power":
        return {"power": float(rng.uniform(0.35, 0.85))}
    half = {"half": float(np.clip(rng.lognormal(0.2, 0.7), 0.2, 5.0))}
    return {**half, "slope": float(rng.uniform(0.7, 3.0))} if kind == "hill" else half


@lru_cache(maxsize=4)
def _sequence(seed: int, count: int) -> Floats:
    return np.asarray(qmc.Halton(d=7, scramble=True, rng=np.random.default_rng(seed)).random(count))


def _evenly_spread(seed: int, number: int) -> Floats:
    """Point ``number`` of the sequence, shape (7,), each in [0, 1)."""
    block = 256
    return np.asarray(_sequence(seed, block * (number // block + 1))[number])


def _between_logs(share: float, low: float, high: float) -> float:
    return float(low * (high / low) ** share)
