"""Stability: how far each channel's share and return move when something moves that should not matter.

Here: comparisons of `channel_returns` frames (windows, the last refresh), as pure functions; and the runs that fit
again: another seed, spend with noise on it, a placebo channel.
Not here: fitting the windows (windows.py), thresholds (gates.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from mmm_engine.calibration import interval_overlap
from mmm_engine.config import SamplerConfig
from mmm_engine.errors import DataError, Fault
from mmm_engine.fleets.windows import WindowFit, fit_window
from mmm_engine.sampler import ProgressListener
from mmm_engine.scaling import ScaledInputs

PERTURBATION = 0.05
PLACEBO = "placebo"
_COLUMNS = ["split", "channel", "metric", "value", "unit"]


def stability_scores(
    returns: Mapping[str, pd.DataFrame], previous: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Overlap, share change and return change per channel, and the weighted overlap of the client.

    The overlap compares the central 50% intervals of a channel's share between windows that differ by a few rows
    (`full` with `h04`, `h04` with `h08`, ...); 1 is identical, above 0.8 is stable. The client's `stability` is the
    mean over channels weighted by their share.

    Args:
        returns: `channel_returns` per window, from the one with most training rows to the one with least.
        previous: `channel_returns` of `full` at the last refresh, when there was one.

    Returns:
        Split "windows" (and "refresh" when `previous` is given); metrics overlap, share_change, roas_change per
        channel and stability for channel "all".
    """
    frames = list(returns.values())
    pairs = list(itertools.pairwise(frames))
    parts = [_compare(pairs, "windows")] if pairs else []
    if previous is not None and frames:
        parts.append(_compare([(frames[0], previous)], "refresh"))
    if not parts:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat(parts, ignore_index=True)


def seed_stability(
    base: WindowFit, *, sampler: SamplerConfig | None = None, progress: ProgressListener | None = None
) -> tuple[pd.DataFrame, WindowFit]:
    """Fit the same rows once more with another seed: what moves is noise of the sampler.

    Args:
        base: A fitted window.
        sampler: Settings of the refit, their seed counted up by one; those of the window's client when None.
        progress: Listener of the refit.

    Returns:
        Rows as those of `stability_scores` with split "seeds"; and the refit.
    """
    settings = sampler or base.inputs.config.sampler
    other = settings.model_copy(update={"seed": (settings.seed + 1) % 2**32})
    again = fit_window(
        base.inputs, sampler=other, progress=progress, label=_label(base.inputs, "another seed")
    )
    return _compare([(again.returns, base.returns)], "seeds"), again


def perturbation_stability(
    base: WindowFit,
    *,
    noise: float = PERTURBATION,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
) -> tuple[pd.DataFrame, WindowFit]:
    """Fit the same target with noise on the media: a finding that 5% of noise overturns is no finding.

    Args:
        base: A fitted window.
        noise: Standard deviation of the factor that multiplies each period's media and spend, which has mean one.
        sampler: Settings of the refit; those of the window's client when None.
        progress: Listener of the refit.

    Returns:
        Rows as those of `stability_scores` with split "perturbation"; and the refit.
    """
    settings = sampler or base.inputs.config.sampler
    rng = np.random.default_rng(settings.seed)
    factor = np.exp(noise * rng.standard_normal(base.inputs.media_scaled.shape) - 0.5 * noise**2)
    inputs = replace(
        base.inputs, media_scaled=base.inputs.media_scaled * factor, spend=base.inputs.spend * factor
    )
    again = fit_window(inputs, sampler=settings, progress=progress, label=_label(inputs, "noise on spend"))
    return _compare([(again.returns, base.returns)], "perturbation"), again


def placebo_stability(
    base: WindowFit,
    *,
    channel: str | None = None,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
) -> tuple[pd.DataFrame, WindowFit]:
    """Fit with one channel more, whose media is another's in random order: it did nothing and should earn nothing.

    With effects that can only be positive its return cannot be 0; it is judged against the channel it copies, which has
    the same spend. A high ratio says that the model cannot tell this channel's effect from the baseline.

    Args:
        base: A fitted window.
        channel: Whose media is shuffled; when None the channel whose media varies most around its mean, whose effect
            is the easiest to see.
        sampler: Settings of the refit; those of the window's client when None.
        progress: Listener of the refit.

    Returns:
        Split "placebo", channel "placebo": share and roas (means), roas_q05, and roas_ratio, the placebo's return over
        that of the channel it copies (0 is perfect); and rows as those of `stability_scores` for the other channels,
        whose results should not move. Then the refit.

    Raises:
        DataError: If there is no such channel.
    """
    source = _source(base, channel)
    inputs = _with_placebo(base.inputs, source, (sampler or base.inputs.config.sampler).seed)
    again = fit_window(inputs, sampler=sampler, progress=progress, label=_label(inputs, "placebo"))
    returns = again.returns
    others = returns[returns["channel"] != PLACEBO]
    moved = _compare([(others, base.returns)], "placebo")
    placebo = returns[returns["channel"] == PLACEBO].set_index("metric")
    copied = returns[returns["channel"] == base.inputs.config.channel_names[source]].set_index("metric")[
        "mean"
    ]
    mean, low = placebo["mean"].astype(float), placebo["q05"].astype(float)
    unit = str(placebo["unit"].astype(str)["roas"])
    rows = [
        ("placebo", PLACEBO, "share", float(mean["share"]), "fraction"),
        ("placebo", PLACEBO, "roas", float(mean["roas"]), unit),
        ("placebo", PLACEBO, "roas_q05", float(low["roas"]), unit),
        ("placebo", PLACEBO, "roas_ratio", float(mean["contribution"] / copied["contribution"]), "fraction"),
    ]
    return pd.concat([pd.DataFrame(rows, columns=_COLUMNS), moved], ignore_index=True), again


def _label(inputs: ScaledInputs, what: str) -> str:
    return f"{inputs.config.client} {what}"


def _source(base: WindowFit, channel: str | None) -> int:
    """Position of the channel that the placebo copies.

    Raises:
        DataError: If there is no such channel, or one is called like the placebo.
    """
    names = base.inputs.config.channel_names
    if (channel is not None and channel not in names) or PLACEBO in names:
        fault = Fault(
            "placebo", f"the channel '{channel or PLACEBO}'", f"one of {', '.join(names)}", "choose one"
        )
        raise DataError(f"client '{base.inputs.config.client}', stability", fault)
    if channel is not None:
        return names.index(channel)
    media = base.inputs.media_scaled[: base.inputs.train_rows]
    return int((media.std(axis=0) / np.maximum(media.mean(axis=0), 1e-12)).argmax())


def _with_placebo(inputs: ScaledInputs, source: int, seed: int) -> ScaledInputs:
    """The window with a last channel that repeats another one's media in random order."""
    config, names = inputs.config, inputs.config.channel_names
    order = np.random.default_rng(seed).permutation(inputs.train_rows)
    order = np.concatenate([order, np.arange(inputs.train_rows, len(inputs.dates))])
    added = config.channels[source].model_copy(update={"column": PLACEBO, "cost": None})
    scales = {**inputs.scales.media, PLACEBO: inputs.scales.media[names[source]]}
    return replace(
        inputs,
        config=config.model_copy(update={"channels": (*config.channels, added)}),
        scales=replace(inputs.scales, media=scales),
        media_scaled=np.column_stack([inputs.media_scaled, inputs.media_scaled[order, source]]),
        spend=np.column_stack([inputs.spend, inputs.spend[order, source]]),
    )


def _compare(pairs: list[tuple[pd.DataFrame, pd.DataFrame]], split: str) -> pd.DataFrame:
    table = pd.concat([_pair(newer, older) for newer, older in pairs])
    by_channel = table.groupby(level=0, sort=False)
    overlap = by_channel["overlap"].mean()
    weight = by_channel["weight"].mean()
    measures = {
        "overlap": (overlap, "fraction"),
        "share_change": (by_channel["share_change"].agg(_largest), "fraction"),
        "roas_change": (by_channel["roas_change"].agg(_largest), "fraction"),
    }
    rows = [
        (split, channel, metric, float(value), unit)
        for metric, (values, unit) in measures.items()
        for channel, value in values.items()
    ]
    known = overlap.notna() & (weight > 0)
    total = float(np.average(overlap[known], weights=weight[known])) if known.any() else float("nan")
    rows.append((split, "all", "stability", total, "fraction"))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _pair(newer: pd.DataFrame, older: pd.DataFrame) -> pd.DataFrame:
    share, share_before = _metric(newer, "share"), _metric(older, "share")
    share_before = share_before.reindex(share.index)
    roas = _metric(newer, "roas")["mean"]
    roas_before = _metric(older, "roas")["mean"].reindex(roas.index)
    overlap = interval_overlap(
        share["q25"].to_numpy(),
        share["q75"].to_numpy(),
        share_before["q25"].to_numpy(),
        share_before["q75"].to_numpy(),
    )
    return pd.DataFrame(
        {
            "overlap": overlap,
            "weight": share["mean"],
            "share_change": share["mean"] - share_before["mean"],
            "roas_change": roas / roas_before - 1.0,
        }
    )


def _metric(returns: pd.DataFrame, metric: str) -> pd.DataFrame:
    return returns[returns["metric"] == metric].set_index("channel")


def _largest(changes: pd.Series) -> float:
    """The change that is largest in size, with its sign; NaN when none is known."""
    known = changes.dropna().to_numpy()
    return float(known[np.abs(known).argmax()]) if len(known) else float("nan")
