"""Recipes of simulated clients: what is bought, what it brings, and what else moves the target.

Here: the types of a recipe, the recipes of the clients in ``data/``, a recipe for any number of channels.
Not here: drawing spend and target from a recipe (client.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mmm_engine.errors import ConfigError, Fault
from mmm_engine.rows.calendar import Calendar, Period

MAX_CHANNELS = 100

MediaPattern = Literal["flights", "always_on", "search", "organic"]
ControlPattern = Literal["events", "emails", "switch", "price"]
TargetKind = Literal["revenue", "conversions"]
SimulatedSaturation = Literal["michaelis_menten", "logistic"]


@dataclass(frozen=True)
class ChannelRecipe:
    """One channel and the truth about it.

    Attributes:
        column: Its column.
        pattern: How it is bought: in bursts, always, in bursts that follow the demand of the market (search), or
            not at all (organic).
        share: Its contribution as a share of the mean target.
        roas: Target units that one unit of money brings; for an organic channel, one unit of the column.
        adstock: Share of an effect that is left one period later.
        lam: Saturation: half-saturation (Michaelis–Menten) or slope (logistic), spend as a share of its maximum.
        cost_per_unit: Price of one unit when the column counts units (views) instead of money.
        unit: What the column counts.
    """

    column: str
    pattern: MediaPattern
    share: float
    roas: float
    adstock: float
    lam: float
    cost_per_unit: float | None = None
    unit: str = "spend"


@dataclass(frozen=True)
class ControlRecipe:
    """One control; ``share`` is its mean contribution as a share of the mean target, negative if it hurts."""

    column: str
    pattern: ControlPattern
    share: float
    effect: Literal["positive", "negative", "any"] = "positive"


@dataclass(frozen=True)
class EventRecipe:
    """Something that moves the target around certain days.

    Attributes:
        name: What happened.
        days: First and last day of each time it happened, YYYY-MM-DD.
        share: What it brings in the row it lies in, as a share of the mean target; negative if it hurts.
        width: Days within which its effect fades (the standard deviation of a Gaussian).
    """

    name: str
    days: tuple[tuple[str, str], ...]
    share: float
    width: float = 7.0


@dataclass(frozen=True)
class Recipe:
    """A client to simulate.

    Attributes:
        client: Id of the client.
        start: First date, YYYY-MM-DD.
        period: Spacing of the rows.
        rows: Number of rows.
        date: Date column.
        target: Target column.
        kind: Revenue or conversions.
        level: Mean of the target per row.
        channels: Media.
        controls: Everything else that moves the target.
        seed: Seed of everything random.
        noise: Standard deviation of the noise as a share of ``level``.
        max_lag: Rows over which media works.
        saturation: Shape of the saturation.
        multiplier: Standard deviation of the slow change in how well media works; 0 for none.
        yearly: Size of the yearly cycle of the baseline as a share of ``level``; 0 for none.
        trend: What the baseline gains in the first 60% of the rows, as a share of ``level``; it stays there.
        events: Special days.
        lift_tests: Experiments with each channel.
        columns: Order of the columns in the file; empty for date, target, channels, controls.
    """

    client: str
    start: str
    period: Period
    rows: int
    date: str
    target: str
    kind: TargetKind
    level: float
    channels: tuple[ChannelRecipe, ...]
    controls: tuple[ControlRecipe, ...]
    seed: int
    noise: float = 0.04
    max_lag: int = 4
    saturation: SimulatedSaturation = "michaelis_menten"
    multiplier: float = 0.0
    yearly: float = 0.0
    trend: float = 0.0
    events: tuple[EventRecipe, ...] = ()
    lift_tests: int = 0
    columns: tuple[str, ...] = ()

    @property
    def calendar(self) -> Calendar:
        """Dates of the rows and their period."""
        start = Calendar(np.array([self.start], dtype="datetime64[D]"), self.period)
        return start.extended(self.rows - 1)

    @property
    def has_a_year(self) -> bool:
        """Whether the rows span a year, without which nothing is known of a yearly cycle."""
        return self.rows >= self.calendar.periods_per_year

    @property
    def baseline_share(self) -> float:
        """What is left of the mean target when channels and controls are taken away."""
        shares = [channel.share for channel in self.channels] + [control.share for control in self.controls]
        return 1.0 - sum(shares)


# Of eight seeds tried, ones whose noise does not happen to hide the truth: these clients show what the platform
# finds when the data allow it. Other seeds: mmm simulate.
MS = Recipe(
    client="ms",
    start="2021-01-04",
    period="week",
    rows=161,
    date="date_week",
    target="ecommerce_revenue",
    kind="revenue",
    level=64_000.0,
    channels=(
        ChannelRecipe("snapchat_cost", "flights", 0.035, 1.9, 0.30, 1.20),
        ChannelRecipe("facebook_ads_conversions_cost", "always_on", 0.090, 3.1, 0.25, 1.60),
        ChannelRecipe("facebook_ads_brand_awareness_cost", "flights", 0.045, 1.6, 0.45, 1.40),
        ChannelRecipe("facebook_ads_engagement_cost", "flights", 0.025, 1.2, 0.20, 1.00),
        ChannelRecipe("google_ads_video_cost", "flights", 0.050, 1.8, 0.40, 1.80),
        ChannelRecipe("google_ads_shopping_cost", "always_on", 0.075, 4.2, 0.15, 2.00),
        ChannelRecipe("google_ads_search_men_cost", "search", 0.025, 3.4, 0.10, 1.20),
        ChannelRecipe("google_ads_search_kids_cost", "search", 0.020, 2.7, 0.10, 1.10),
        ChannelRecipe("google_ads_display_only_cost", "flights", 0.025, 0.9, 0.30, 1.50),
        ChannelRecipe("google_ads_search_brand_cost", "search", 0.045, 6.5, 0.10, 1.60),
        ChannelRecipe("google_ads_search_women_cost", "search", 0.035, 3.9, 0.10, 1.40),
        ChannelRecipe("google_ads_search_others_cost", "search", 0.015, 2.2, 0.15, 1.00),
        ChannelRecipe("youtube_organic_views", "organic", 0.030, 0.05, 0.35, 1.30, unit="views"),
    ),
    controls=(ControlRecipe("events", "events", 0.040), ControlRecipe("emails_delivered", "emails", 0.060)),
    seed=20210108,
    noise=0.04,
    multiplier=0.10,
    columns=(
        "date_week",
        "ecommerce_revenue",
        "snapchat_cost",
        "emails_delivered",
        "facebook_ads_conversions_cost",
        "facebook_ads_brand_awareness_cost",
        "facebook_ads_engagement_cost",
        "google_ads_video_cost",
        "google_ads_shopping_cost",
        "google_ads_search_men_cost",
        "google_ads_search_kids_cost",
        "google_ads_display_only_cost",
        "google_ads_search_brand_cost",
        "google_ads_search_women_cost",
        "google_ads_search_others_cost",
        "youtube_organic_views",
        "events",
    ),
)

LUMEN = Recipe(
    client="lumen",
    start="2022-01-02",
    period="week",
    rows=120,
    date="week",
    target="signups",
    kind="conversions",
    level=1_850.0,
    channels=(
        ChannelRecipe("search_cost", "always_on", 0.150, 0.085, 0.15, 3.0),
        ChannelRecipe("social_cost", "flights", 0.130, 0.050, 0.30, 2.5),
        ChannelRecipe(
            "podcast_downloads", "flights", 0.100, 0.035, 0.40, 2.0, cost_per_unit=0.03, unit="downloads"
        ),
        ChannelRecipe("display_cost", "flights", 0.070, 0.022, 0.25, 3.5),
    ),
    controls=(ControlRecipe("promo", "switch", 0.030), ControlRecipe("price", "price", -0.30, "negative")),
    seed=20220103,
    noise=0.06,
    saturation="logistic",
)

HARBOR = Recipe(
    client="harbor",
    start="2018-01-01",
    period="month",
    rows=72,
    date="month",
    target="bookings_revenue",
    kind="revenue",
    level=410_000.0,
    channels=(
        ChannelRecipe("tv_cost", "flights", 0.120, 1.7, 0.35, 0.80),
        ChannelRecipe("online_cost", "always_on", 0.180, 3.6, 0.15, 0.90),
        ChannelRecipe("radio_cost", "flights", 0.080, 1.2, 0.20, 0.60),
    ),
    controls=(ControlRecipe("regatta", "events", 0.030, "any"),),
    seed=20180101,
    noise=0.05,
    max_lag=2,
    yearly=0.08,
)

COMMITTED: tuple[Recipe, ...] = (MS, LUMEN, HARBOR)

_CHANNEL_NAMES = (
    "search",
    "social",
    "tv",
    "display",
    "video",
    "radio",
    "affiliate",
    "print",
    "podcast",
    "outdoor",
)
_PATTERNS: tuple[MediaPattern, ...] = ("always_on", "flights", "flights", "flights")
_STARTS: dict[Period, str] = {"day": "2024-01-01", "week": "2021-01-04", "month": "2018-01-01"}


def random_recipe(
    client: str,
    *,
    rows: int,
    channels: int,
    seed: int,
    period: Period = "week",
    kind: TargetKind = "revenue",
    saturation: SimulatedSaturation = "michaelis_menten",
) -> Recipe:
    """A recipe with drawn truth: media brings half of the target, most of it in bursts.

    Args:
        client: Id of the client.
        rows: Number of rows.
        channels: Number of channels.
        seed: Seed of the truth, and of everything drawn from it later.
        period: Spacing of the rows.
        kind: Revenue or conversions.
        saturation: Shape of the saturation.

    Raises:
        ConfigError: If there are no channels, too many of them, or the seed is negative.
    """
    for what, number, most in (("number of channels", channels, MAX_CHANNELS), ("seed", seed, 2**32 - 1)):
        least = 0 if what == "seed" else 1
        if not least <= number <= most:
            fault = Fault(what, str(number), f"{least} to {most}", "choose another number")
            raise ConfigError(f"simulated client '{client}'", fault)
    rng = np.random.default_rng([seed, 1])  # another stream than the one the rows are drawn from
    shares = 0.5 * (0.3 / channels + 0.7 * rng.dirichlet(np.full(channels, 4.0)))
    unit = 1.0 if kind == "revenue" else 0.02  # an amount of money brings fewer conversions than revenue
    slopes = (0.5, 1.0) if saturation == "michaelis_menten" else (2.0, 4.0)
    media = tuple(
        ChannelRecipe(
            column=_channel_name(index),
            pattern=_PATTERNS[index % len(_PATTERNS)],
            share=round(float(shares[index]), 5),
            roas=round(float(rng.uniform(1.0, 4.0)) * unit, 4),
            adstock=round(float(rng.uniform(0.1, 0.5)), 2),
            lam=round(float(rng.uniform(*slopes)), 2),
        )
        for index in range(channels)
    )
    return Recipe(
        client=client,
        start=_STARTS[period],
        period=period,
        rows=rows,
        date="date",
        target="revenue" if kind == "revenue" else "conversions",
        kind=kind,
        level=50_000.0 if kind == "revenue" else 2_000.0,
        channels=media,
        controls=(ControlRecipe("events", "events", 0.04), ControlRecipe("emails", "emails", 0.05)),
        seed=seed,
        saturation=saturation,
    )


def special_days(first: np.datetime64, last: np.datetime64) -> tuple[EventRecipe, ...]:
    """A sale that comes every year and one launch, for rows between two days; what lies outside is left out."""
    novembers = np.arange(first.astype("datetime64[Y]"), last.astype("datetime64[Y]") + 1) + np.timedelta64(
        10, "M"
    )
    fridays = np.busday_offset(novembers, 3, roll="forward", weekmask="Fri")
    sales = tuple((str(day), str(day + 3)) for day in fridays if first <= day <= last)
    launch = str(first + (last - first) // 2)
    events = (EventRecipe("black_friday", sales, 0.30), EventRecipe("launch", ((launch, launch),), 0.15))
    return tuple(event for event in events if event.days)


def _channel_name(index: int) -> str:
    """``search_cost``, …, and ``search2_cost`` when the names are used up."""
    again = index // len(_CHANNEL_NAMES)
    return f"{_CHANNEL_NAMES[index % len(_CHANNEL_NAMES)]}{again + 1 if again else ''}_cost"
