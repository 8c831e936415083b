"""Clients with known truth whose form the generator of the study (worlds.py) does not make: one function for each.

Here: rows and true contributions of some forty clients. The docstring of each says what is odd about it.
Not here: what they are made of (odd_parts.py), fitting and judging them (odd_clients.py).

What a client does not say otherwise is alike: 130 weeks, 4 channels, a yearly season of 12%, Michaelis-Menten curves
with the half-saturation point at the mean spend, geometric carry-over, 25% of sales from media, noise of 5%.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from tests.benchmarks.truth.media import Floats
from tests.benchmarks.truth.odd_parts import WEEKS, OddClient, carried_over, hill, parts, steady_spend, yearly

ODD: dict[str, Callable[[], OddClient]] = {}


def _odd(make: Callable[[], OddClient]) -> Callable[[], OddClient]:
    ODD[make.__name__] = make
    return make


def _media(seed: int, channels: int = 4, rows: int = WEEKS, **how: float) -> Floats:
    return steady_spend(np.random.default_rng(seed), rows, channels, **how)


@_odd
def ordinary() -> OddClient:
    """Nothing."""
    return parts(1).client()


@_odd
def few_rows_36() -> OddClient:
    """36 weeks."""
    return parts(2, rows=36, baseline=np.full(36, 1e5)).client()


@_odd
def few_rows_45() -> OddClient:
    """45 weeks, 5 channels."""
    return parts(3, rows=45, channels=5).client()


@_odd
def year_52() -> OddClient:
    """52 weeks, 6 channels."""
    return parts(4, rows=52, channels=6).client()


@_odd
def channels_22() -> OddClient:
    """22 channels in 120 weeks, 35% of sales."""
    return parts(5, rows=120, channels=22, share=0.35).client()


@_odd
def channel_1() -> OddClient:
    """One channel."""
    return parts(6, channels=1, share=0.2).client()


@_odd
def media_80() -> OddClient:
    """Media bring 80% of sales."""
    return parts(7, share=0.8).client()


@_odd
def media_90() -> OddClient:
    """Media bring 90% of sales."""
    return parts(8, share=0.9, channels=6).client()


@_odd
def media_02() -> OddClient:
    """Media bring 0.2% of sales."""
    return parts(9, share=0.002).client()


@_odd
def noisy_40() -> OddClient:
    """Noise of 40% of mean sales."""
    made = parts(10, noise=0.4, share=0.2)
    return made.client(sales=np.maximum(made.sales, 0))


@_odd
def noise_none() -> OddClient:
    """No noise."""
    return parts(11, noise=0.0).client()


@_odd
def shift() -> OddClient:
    """The level rises by half at once."""
    baseline = 1e5 * (1 + yearly(WEEKS))
    baseline[60:] *= 1.5
    return parts(12, baseline=baseline).client()


@_odd
def pandemic() -> OddClient:
    """Sales and spend fall by 60% at once and recover slowly."""
    row = np.arange(156)
    dip = 1 - 0.6 * np.exp(-np.maximum(row - 55, 0) / 12.0) * (row >= 55)
    spend = _media(13, rows=156) * (0.15 + 0.85 * dip)[:, None]
    return parts(13, rows=156, baseline=1e5 * (1 + yearly(156)) * dip, spend=spend).client(start="2019-01-07")


@_odd
def black_friday() -> OddClient:
    """Sales × 2.5 and spend × 4 in the same week of each year."""
    days = pd.date_range("2022-01-03", periods=156, freq="W-MON")
    peak = (days.month == 11) & (days.day >= 20) & (days.day <= 27)
    spend = _media(14, rows=156) * np.where(peak, 4.0, 1.0)[:, None]
    return parts(
        14, rows=156, spend=spend, baseline=1e5 * (1 + yearly(156, size=0.05)) * np.where(peak, 2.5, 1.0)
    ).client()


@_odd
def always_on() -> OddClient:
    """One channel gets the same every week, but 0.4%."""
    rng = np.random.default_rng(15)
    spend = steady_spend(rng, WEEKS, 4)
    spend[:, 0] = 20000 * (1 + 0.004 * rng.normal(size=WEEKS))
    return parts(15, spend=spend, split=[0.4, 0.2, 0.2, 0.2]).client()


@_odd
def spend_share_of_sales() -> OddClient:
    """One channel gets 5% of the same week's sales and returns 0.3; demand wanders."""
    rng = np.random.default_rng(16)
    spend = steady_spend(rng, WEEKS, 3)
    demand = np.convolve(rng.normal(size=WEEKS + 9), np.ones(10) / np.sqrt(10), "valid")
    made = parts(
        16, spend=spend, baseline=1e5 * (1 + yearly(WEEKS) + 0.12 * demand), share=0.1, split=[0.3, 0.3, 0.4]
    )
    bought = 0.05 * made.sales * np.exp(0.05 * rng.normal(size=WEEKS))
    brought = np.column_stack([made.contribution, 0.3 * bought])
    return made.client(
        spend=np.column_stack([spend, bought]), contribution=brought, sales=made.sales + 0.3 * bought
    )


@_odd
def pulsed() -> OddClient:
    """Four campaigns of three weeks for each channel, long gaps."""
    rng = np.random.default_rng(17)
    spend = np.zeros((140, 4))
    for channel in range(4):
        for start in rng.choice(np.arange(4, 134), 4, replace=False):
            spend[start : start + 3, channel] = rng.lognormal(10, 0.4)
    return parts(17, rows=140, spend=spend, share=0.08).client()


@_odd
def twins() -> OddClient:
    """One channel is 1.5 times another."""
    spend = _media(18)
    spend[:, 1] = np.round(spend[:, 0] * 1.5, 2)
    return parts(18, spend=spend).client()


@_odd
def single_burst() -> OddClient:
    """One channel ran for three weeks only."""
    spend = _media(19)
    spend[:, 3] = 0
    spend[70:73, 3] = 60000
    return parts(19, spend=spend, split=[0.4, 0.3, 0.28, 0.02]).client()


@_odd
def negative_effect() -> OddClient:
    """One channel lowers sales."""
    made = parts(20)
    contribution = made.contribution.copy()
    contribution[:, 0] *= -0.6
    return made.client(contribution=contribution, sales=made.sales - 1.6 * made.contribution[:, 0])


@_odd
def saturated() -> OddClient:
    """Curves are flat from 2% of the mean spend on."""
    return parts(21, half=0.02).client()


@_odd
def invoices() -> OddClient:
    """Spend is booked in the first of four weeks, media run evenly."""
    made = parts(51, spend=_media(51, channels=3))
    booked = np.zeros_like(made.spend)
    for start in range(0, WEEKS, 4):
        booked[start] = made.spend[start : start + 4].sum(axis=0)
    return made.client(spend=booked)


@_odd
def threshold() -> OddClient:
    """Curves with a slope of 5: nothing below a threshold."""
    return parts(22, slope=5.0, half=1.2).client()


@_odd
def late_effects() -> OddClient:
    """All effects come three weeks later."""
    spend = _media(23, vary=0.8, rho=0.1)
    earlier = np.vstack([np.tile(spend.mean(axis=0), (3, 1)), spend])[:WEEKS]
    return parts(23, spend=earlier, keep=0.2).client(spend=spend)


@_odd
def mediator() -> OddClient:
    """TV drives the spend on search."""
    rng = np.random.default_rng(24)
    spend = steady_spend(rng, WEEKS, 3, rho=0.1, vary=0.8)
    seen = hill(carried_over(spend[:, 0], 0.5), spend[:, 0].mean())
    search = 3000 * (0.5 + 2 * seen) * np.exp(0.1 * rng.normal(size=WEEKS))
    made = parts(24, spend=np.column_stack([spend, search]), split=[0.2, 0.2, 0.2, 0.4])
    return made.client(names=("tv", "radio", "social", "search"))


@_odd
def price_media() -> OddClient:
    """A price that falls whenever a channel is up, as a control."""
    rng = np.random.default_rng(25)
    spend = steady_spend(rng, WEEKS, 4)
    moves = spend[:, 0] / spend[:, 0].mean() - 1
    price = 10 * (1 - 0.08 * moves / moves.std() + 0.02 * rng.normal(size=WEEKS))
    made = parts(25, spend=spend, baseline=1e5 * (1 + yearly(WEEKS) - 2.0 * (price / 10 - 1)), share=0.15)
    return made.client(price=np.round(price, 3))


@_odd
def counts_of_two() -> OddClient:
    """Conversions: Poisson counts with a mean of 2."""
    rng = np.random.default_rng(26)
    made = parts(26, spend=steady_spend(rng, WEEKS, 3), level=1.2, share=0.4)
    return made.client(sales=rng.poisson(made.expected).astype(float), kind="conversions")


@_odd
def counts_rare() -> OddClient:
    """Conversions: 0 in 70% of 200 weeks."""
    rng = np.random.default_rng(27)
    made = parts(27, rows=200, spend=steady_spend(rng, 200, 2), level=0.25, share=0.3)
    return made.client(sales=rng.poisson(made.expected).astype(float), kind="conversions")


@_odd
def multiplicative_noise() -> OddClient:
    """Log-normal noise of 20%."""
    made = parts(28, noise=0.0)
    noise = np.random.default_rng(280).normal(size=WEEKS)
    return made.client(sales=made.expected * np.exp(0.2 * noise - 0.02))


@_odd
def outliers() -> OddClient:
    """Five weeks are off by factors of 0.1 to 4."""
    made = parts(29)
    sales = made.sales.copy()
    sales[np.random.default_rng(290).choice(WEEKS, 5, replace=False)] *= np.array([3, 0.1, 4, 2.5, 0.2])
    return made.client(sales=sales)


@_odd
def steep_trend() -> OddClient:
    """Sales grow 30 times."""
    return parts(30, baseline=1e4 * np.exp(np.arange(WEEKS) / WEEKS * np.log(30)), share=0.1).client()


@_odd
def trend_and_spend() -> OddClient:
    """Sales and spend grow 6 times together."""
    growth = np.exp(np.arange(WEEKS) / WEEKS * np.log(6))
    spend = _media(31, vary=0.25) * growth[:, None]
    return parts(31, spend=spend, baseline=5e4 * growth * (1 + yearly(WEEKS)), share=0.1).client()


@_odd
def monthly_36() -> OddClient:
    """36 months."""
    return parts(32, rows=36, year=12, keep=0.15).client(freq="MS", start="2021-01-01")


@_odd
def daily_rhythm() -> OddClient:
    """400 days with a rhythm of the week of 0.5 to 1.6."""
    days = pd.date_range("2022-01-03", periods=400, freq="D")
    rhythm = np.array([1, 0.95, 0.95, 1, 1.2, 1.6, 0.5])[days.day_of_week]
    return parts(33, rows=400, baseline=1e4 * rhythm * (1 + yearly(400, 365)), keep=0.7).client(freq="D")


@_odd
def new_channel() -> OddClient:
    """One channel begins 8 weeks before the end."""
    spend = _media(34)
    spend[:-8, 3] = 0
    return parts(34, spend=spend, split=[0.35, 0.35, 0.25, 0.05]).client()


def _scaled(of_spend: float, of_sales: float) -> OddClient:
    made = parts(35)
    return made.client(
        spend=made.spend * of_spend, sales=made.sales * of_sales, contribution=made.contribution * of_sales
    )


@_odd
def small_units() -> OddClient:
    """All money × 1e-8."""
    return _scaled(1e-8, 1e-8)


@_odd
def huge_units() -> OddClient:
    """All money × 1e9."""
    return _scaled(1e9, 1e9)


@_odd
def cents() -> OddClient:
    """Spend in cents, sales in euros."""
    return _scaled(100.0, 1.0)


@_odd
def spend_in_thousands() -> OddClient:
    """Spend in thousands, sales in euros."""
    return _scaled(1e-3, 1.0)


@_odd
def stock() -> OddClient:
    """A stock of 1e9 with movements of 1e4."""
    made = parts(36, spend=_media(36))
    return made.client(sales=made.sales + 1e9)


@_odd
def one_demand() -> OddClient:
    """All channels follow a demand that nobody recorded."""
    rng = np.random.default_rng(38)
    demand = np.convolve(rng.normal(size=WEEKS + 5), np.ones(6) / np.sqrt(6), "valid")
    spend = steady_spend(rng, WEEKS, 4, vary=0.15, rho=0.0) * np.exp(0.35 * demand)[:, None]
    return parts(38, spend=spend, baseline=1e5 * (1 + 0.25 * demand + yearly(WEEKS)), share=0.05).client()


@_odd
def null_media() -> OddClient:
    """Media have no effect."""
    rng = np.random.default_rng(39)
    spend = steady_spend(rng, WEEKS, 4)
    made = parts(39, spend=spend, share=0.2)
    baseline = made.expected - made.contribution.sum(axis=1)
    return made.client(
        sales=baseline * (1 + 0.05 * rng.normal(size=WEEKS)), contribution=made.contribution * 0
    )
