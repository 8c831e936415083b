"""Response: what a channel brings at each level of spend, and how its effect spreads over the periods after.

Not here: returns of the spend there was (returns.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.draw_chunks import draw_chunks
from mmm_engine.model.mean import saturated_media
from mmm_engine.model.media_transforms import adstock
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.quantiles import quantiles
from mmm_engine.rows.window import ScaledInputs

CURVE_COLUMNS = ["channel", "spend", "mean", "q05", "q50", "q95", "unit", "extrapolated", "current"]


ADSTOCK_COLUMNS = ["channel", "lag", "mean", "q05", "q95"]


_CURVE_POINTS = 41


_SAME = 1e-6  # share of the largest media below which two points are one


_CURVE_REACH = 1.5  # how far beyond the largest spend seen a curve is drawn


def response_curves(window: FittedWindow) -> pd.DataFrame:
    """Response per period of each channel to a steady spend per period, original units.

    Returns:
        Columns channel, spend (per period), mean, q05, q50, q95 (target units per period), unit, extrapolated (beyond
        the largest spend in the training rows) and current (the mean of the last training rows, as many as the client
        file's `decision` calls today: 4 unless its budget says otherwise).
    """
    inputs, xp = window.inputs, numpy_functions()
    media = inputs.media_scaled[: inputs.train_rows]
    today = media[-inputs.config.decision.basis :].mean(axis=0)
    steps = np.linspace(0.0, _CURVE_REACH, _CURVE_POINTS)[:, None] * media.max(axis=0)
    steps = np.where(np.abs(steps - today) <= _SAME * media.max(axis=0), today, steps)
    grid = np.sort(np.concatenate([steps, today[None]]), axis=0)
    responses = [
        saturated_media(chunk, grid, window.specification, xp) for chunk in draw_chunks(window.draws)
    ]
    draws = np.concatenate(responses) * inputs.scales.target
    low, middle, high = quantiles(draws, [0.05, 0.5, 0.95])
    average = draws.mean(axis=0)
    frames = []
    for position, channel in enumerate(inputs.config.channels):
        spend = grid[:, position] * inputs.scales.media[channel.column] * money_per_unit(inputs, position)
        current = np.zeros(len(grid), dtype=bool)
        current[np.searchsorted(grid[:, position], today[position])] = True
        frames.append(
            pd.DataFrame(
                {
                    "channel": channel.column,
                    "spend": spend,
                    "mean": average[:, position],
                    "q05": low[:, position],
                    "q50": middle[:, position],
                    "q95": high[:, position],
                    "unit": "target per period",
                    "extrapolated": grid[:, position] > media[:, position].max() * (1.0 + 1e-9),
                    "current": current,
                }
            ).drop_duplicates("spend")
        )
    return pd.concat(frames, ignore_index=True)[CURVE_COLUMNS]


def adstock_weights(window: FittedWindow) -> pd.DataFrame:
    """How the effect of a channel's media spreads over the periods that follow, before saturation.

    Returns:
        Columns channel, lag (0 is the period of the media itself), mean, q05, q95: share of the effect that falls on
        each lag; the means of a channel sum to one. Channels without carry-over have lag 0 only.
    """
    frames: dict[int, pd.DataFrame] = {}
    for group in window.specification.adstocks:
        impulse = np.zeros((group.max_lag, group.max_lag, len(group.channels)))  # (lag, date, channel)
        impulse[np.arange(group.max_lag), np.arange(group.max_lag)] = 1.0  # one unit at date 0
        parameters = {short: window.draws[name][:, None, :] for short, name in group.parameters}
        lagged = adstock(impulse, group.kind, parameters, group.max_lag, numpy_functions())
        weights = np.asarray(lagged, dtype=float)
        weights = weights.reshape(-1, group.max_lag, len(group.channels))
        low, high = np.quantile(weights, [0.05, 0.95], axis=0)
        for place, channel in enumerate(group.channels):
            frames[channel] = pd.DataFrame(
                {
                    "channel": window.inputs.config.channel_names[channel],
                    "lag": np.arange(group.max_lag),
                    "mean": weights[:, :, place].mean(axis=0),
                    "q05": low[:, place],
                    "q95": high[:, place],
                }
            )
    return pd.concat([frames[channel] for channel in sorted(frames)], ignore_index=True)[ADSTOCK_COLUMNS]


def money_per_unit(inputs: ScaledInputs, position: int) -> float:
    """Money per unit of the media column: 1 where the column is money."""
    channel = inputs.config.channels[position]
    media = inputs.media_scaled[: inputs.train_rows, position].sum() * inputs.scales.media[channel.column]
    return float(inputs.spend[: inputs.train_rows, position].sum() / media) if media > 0.0 else 1.0
