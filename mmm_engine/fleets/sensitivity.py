"""Sensitivity: fits that are made only to see what moves: other seeds, noise on spend, a placebo channel.

Here: each of these runs, and all that are asked for in one go.
Not here: the comparison itself (stability.py), how many runs an audit makes (mmm_engine.client.audit_config).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from mmm_engine.client.config import SamplerConfig
from mmm_engine.errors import DataError, Fault
from mmm_engine.fleets.scored_window import ScoredWindow, fit_window
from mmm_engine.fleets.stability import compare_returns
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.results.returns import RECORDED_NAMES
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.scores.forecast_scores import SCORE_COLUMNS

PERTURBATION = 0.05
PLACEBO = "placebo"


def sensitivity_runs(
    base: ScoredWindow,
    *,
    seeds: int = 1,
    noise: float = PERTURBATION,
    placebo: bool = True,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
) -> Iterator[tuple[str, pd.DataFrame, list[ScoredWindow]]]:
    """Each run that is asked for, one after the other; 0 or False leaves one out.

    Yields:
        "seeds", "perturbation" or "placebo"; its scores; its refits.
    """
    if seeds:
        yield "seeds", *seed_stability(base, seeds=seeds, sampler=sampler, progress=progress)
    if noise:
        yield "perturbation", *perturbation_stability(base, noise=noise, sampler=sampler, progress=progress)
    if placebo:
        yield "placebo", *placebo_stability(base, sampler=sampler, progress=progress)


def sensitivity_scores(runs: Iterable[tuple[str, pd.DataFrame, list[ScoredWindow]]]) -> pd.DataFrame:
    """Scores of `sensitivity_runs`: splits "seeds", "perturbation" and "placebo"; no rows when none was asked for."""
    frames = [scores for _, scores, _ in runs]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(SCORE_COLUMNS))


def seed_stability(
    base: ScoredWindow,
    *,
    seeds: int = 1,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
) -> tuple[pd.DataFrame, list[ScoredWindow]]:
    """Fit the same rows again with other seeds: what moves is noise of the sampler.

    Args:
        base: A fitted window.
        seeds: How often.
        sampler: Settings of the refits, their seed counted up; those of the window's client when None.
        progress: Listener of the refits.

    Returns:
        Rows as those of `stability_scores` with split "seeds", each refit against the base; and the refits.
    """
    settings = sampler or base.inputs.config.sampler
    fits = [
        fit_window(
            base.inputs,
            sampler=settings.model_copy(update={"seed": (settings.seed + number) % 2**32}),
            progress=progress,
            label=_label(base.inputs, f"another seed {number}/{seeds}" if seeds > 1 else "another seed"),
        )
        for number in range(1, seeds + 1)
    ]
    return compare_returns([(again.returns, base.returns) for again in fits], "seeds"), fits


def perturbation_stability(
    base: ScoredWindow,
    *,
    noise: float = PERTURBATION,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
) -> tuple[pd.DataFrame, list[ScoredWindow]]:
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
    return compare_returns([(again.returns, base.returns)], "perturbation"), [again]


def placebo_stability(
    base: ScoredWindow,
    *,
    channel: str | None = None,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
) -> tuple[pd.DataFrame, list[ScoredWindow]]:
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
    moved = compare_returns([(others, base.returns)], "placebo")
    placebo = returns[returns["channel"] == PLACEBO].set_index("metric")
    copied = returns[returns["channel"] == base.inputs.config.channel_names[source]].set_index("metric")[
        "mean"
    ]
    mean, low = placebo["mean"].astype(float), placebo["q05"].astype(float)
    unit = str(placebo["unit"].astype(str)["roas"])
    rows = [
        ("placebo", PLACEBO, "share", float(mean["share"]), "fraction"),
        ("placebo", PLACEBO, "roas", float(mean["roas"]), unit),
        ("placebo", PLACEBO, RECORDED_NAMES["roas", "q05"], float(low["roas"]), unit),
        ("placebo", PLACEBO, "roas_ratio", float(mean["contribution"] / copied["contribution"]), "fraction"),
    ]
    return pd.concat([pd.DataFrame(rows, columns=list(SCORE_COLUMNS)), moved], ignore_index=True), [again]


def _label(inputs: ScaledInputs, what: str) -> str:
    return f"{inputs.config.client} {what}"


def _source(base: ScoredWindow, channel: str | None) -> int:
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
