"""Channels whose response is known in closed form: one draw or a few, no client, no fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.decisions.channel_response import ChannelResponse


def channel(
    name: str,
    kind: str,
    size: Any,
    *,
    periods: int = 1,
    weights: Any = (1.0,),
    carry_out: bool = True,
    rate: Any = 1.0,
    price_growth: float = 0.0,
    reference: float = 1.0,
    **parameters: Any,
) -> ChannelResponse:
    """A channel with `size` times the curve `kind` of its media, without anything before the window.

    Args:
        name: Of the channel.
        kind: Of the curve.
        size: What multiplies the curve, a number or one per draw.
        periods: Of the window.
        weights: Adstock weights by lag, not normalised; numbers, or rows of one per draw.
        carry_out: Whether the rows after the window count.
        rate: Media per unit of money.
        price_growth: How fast prices grow with spend.
        reference: Spend at which the price is 1 / rate.
        parameters: Of the curve, numbers or one per draw.
    """
    sizes = np.atleast_1d(np.asarray(size, dtype=float))
    draws = max([len(sizes), *[np.size(value) for value in parameters.values()]])
    lags = np.array([np.broadcast_to(np.asarray(weight, float), draws) for weight in weights])
    rows = periods + (len(lags) - 1 if carry_out else 0)
    return ChannelResponse(
        name,
        kind,
        {key: np.broadcast_to(np.asarray(value, float), draws).copy() for key, value in parameters.items()},
        lags,
        np.zeros((rows, draws)),
        np.broadcast_to(sizes, (rows, draws)).copy(),
        np.broadcast_to(np.asarray(rate, float), periods).copy(),
        price_growth,
        np.full(periods, reference),
    )


def root(name: str, size: Any, **options: Any) -> ChannelResponse:
    """size sqrt(x)."""
    return channel(name, "root", size, alpha=0.5, **options)


def half(name: str, size: Any, at: Any, **options: Any) -> ChannelResponse:
    """size x / (at + x)."""
    return channel(name, "michaelis_menten", size, lam=at, **options)


def hill(name: str, size: Any, at: Any = 100.0, slope: Any = 2.0, **options: Any) -> ChannelResponse:
    """size x^slope / (at^slope + x^slope)."""
    return channel(name, "hill", size, kappa=at, slope=slope, **options)


def linear(name: str, size: Any, **options: Any) -> ChannelResponse:
    """size x."""
    return channel(name, "none", size, **options)


def random_channel(name: str, seed: int, periods: int = 5, draws: int = 7, lags: int = 3) -> ChannelResponse:
    """A concave channel with carry-in, seasonal factors and prices, all from a seed."""
    rng = np.random.default_rng(seed)
    rows = periods + lags - 1

    def uniform(*shape: int) -> Floats:
        return np.asarray(rng.uniform(0.4, 1.6, shape))

    return ChannelResponse(
        name,
        "michaelis_menten",
        {"lam": uniform(draws)},
        uniform(lags, draws),
        np.vstack([uniform(lags - 1, draws), np.zeros((rows - lags + 1, draws))]),
        uniform(rows, draws),
        uniform(periods),
    )
