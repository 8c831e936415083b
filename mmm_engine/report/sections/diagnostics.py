"""Behind the model: the sampler, what the fit leaves over, parameters, priors.

Here: what an analyst looks at; a client's page links to it.
Not here: scores on unseen rows (trust.py).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Chart, Column, Item, Section, Sheet, table_of
from mmm_engine.report.residuals import autocorrelation, durbin_watson, residual_frame
from mmm_engine.report.sections.chains import chain_charts
from mmm_engine.report.subject import Subject, pick

HEALTH_COLUMNS = {
    "divergences": Column("Divergences", "count"),
    "rhat_max": Column("Largest R-hat", "fine"),
    "ess_bulk_min": Column("Smallest bulk ESS", "count"),
    "ess_tail_min": Column("Smallest tail ESS", "count"),
    "max_tree_depth": Column("Deepest tree", "count"),
    "tree_depth_hits": Column("Tree depth hits", "count"),
    "bfmi_min": Column("Smallest BFMI", "ratio"),
    "sample_seconds": Column("Sampling (s)", "count"),
}


def sampler_section(subject: Subject) -> Section:
    """Convergence of every window, parameter by parameter."""
    items: list[Item] = [_sampler_chart(subject), *chain_charts(subject)]
    full = subject.inputs.full.parameters
    if {"prior_mean", "prior_q05", "prior_q95"} <= set(full.columns) and full["prior_mean"].notna().any():
        items.append(_prior_chart(full.dropna(subset=["prior_mean", "prior_q05", "prior_q95"])))
    items.append(_parameter_sheet(full))
    lead = "Whether the chains agree and explored enough for the numbers on this page to be repeatable."
    return Section("sampler", "Sampler health", "Sampler", lead, tuple(items))


def residual_section(subject: Subject) -> Section | None:
    """Residuals over time, against their past, and their distribution."""
    frame = residual_frame(subject.inputs.full.predictions).dropna(subset=["residual"])
    if frame.empty:
        return None
    residual = frame["residual"].to_numpy(dtype=float)
    chart = Chart(
        id="residuals-three-ways",
        figure="residuals",
        title="Residuals over time, by lag, and as a distribution",
        reading=_residual_reading(subject, frame, residual),
        table=table_of(
            frame,
            "Residuals: actual minus fitted",
            {
                "date": Column("Date", "date"),
                "actual": Column(wording.headed("Actual", subject.inputs.target_unit)),
                "mean": Column("Fitted"),
                "residual": Column("Residual"),
            },
        ),
        frames={"residuals": frame},
        options={"unit": subject.inputs.target_unit, "period": subject.inputs.period},
    )
    lags = Sheet(
        id="residual-lags",
        title="Autocorrelation by lag",
        reading="A value beyond the bound says that errors last: something regular is missing in the model.",
        table=table_of(
            autocorrelation(residual),
            "Autocorrelation of residuals",
            {
                "lag": Column("Lag", "count"),
                "value": Column("Correlation", "ratio"),
                "bound": Column("Bound", "ratio"),
            },
        ),
        is_folded=True,
    )
    lead = "What the fit leaves over should look like noise: no trend, no memory, no heavy tail."
    return Section("residuals", "Residuals", "Residuals", lead, (chart, lags))


# --- sampler ------------------------------------------------------------------------------------


def _sampler_chart(subject: Subject) -> Chart:
    windows = (subject.inputs.full, *subject.inputs.holdouts)
    rows = [
        {
            "window": subject.window_words(w.window),
            **{name: pick(w.health, channel="all", metric=name) for name in HEALTH_COLUMNS},
        }
        for w in windows
    ]
    health = pd.DataFrame(rows)
    frame = pd.concat(
        [w.parameters.assign(window=subject.window_words(w.window)) for w in windows], ignore_index=True
    )
    return Chart(
        id="sampler-health",
        figure="sampler_health",
        title="R-hat and effective sample size of every parameter",
        reading=_sampler_reading(health),
        table=table_of(
            health, "Sampler health by window", {"window": Column("Window", "text"), **HEALTH_COLUMNS}
        ),
        frames={"parameters": frame},
    )


def _sampler_reading(health: pd.DataFrame) -> str:
    divergences = health["divergences"].where(np.isfinite(health["divergences"]), 0)
    diverged = health.loc[divergences > 0, "window"]
    said = "no divergences"
    if len(diverged):
        windows = wording.listing([str(name) for name in diverged])
        said = f"{wording.count(int(divergences.sum()), 'divergence')} (in the fit of {windows})"
    rhat, ess = float(health["rhat_max"].max()), float(health["ess_bulk_min"].min())
    return wording.sentence(
        f"{said}; over all fits the largest R-hat is {numbers.decimal(rhat, 3)} (1.01 or less wanted) and the "
        f"smallest effective sample size {numbers.decimal(ess, 0)} (400 or more wanted)"
    )


def _prior_chart(frame: pd.DataFrame) -> Chart:
    width = (frame["q95"] - frame["q05"]) / (frame["prior_q95"] - frame["prior_q05"])
    unmoved = int((width > 0.9).sum())
    outside = frame[(frame["mean"] < frame["prior_q05"]) | (frame["mean"] > frame["prior_q95"])]
    reading = (
        f"The data narrowed {len(frame) - unmoved} of {wording.count(len(frame), 'prior')} by a tenth or more"
    )
    if unmoved:
        reading += f"; the other {unmoved} mostly repeat what was assumed"
    if len(outside):
        names = [wording.safe_text(str(name), 60) for name in outside["parameter"]]
        reading += f"; {wording.listing(names, 2)} moved outside the prior's 90% range"
    columns = {
        "parameter": Column("Parameter", "code"),
        "prior_mean": Column("Prior mean", "fine"),
        "prior_q05": Column("Prior 5%", "fine"),
        "prior_q95": Column("Prior 95%", "fine"),
        "mean": Column("Posterior mean", "fine"),
        "q05": Column("5%", "fine"),
        "q95": Column("95%", "fine"),
    }
    return Chart(
        id="priors",
        figure="prior_and_posterior",
        title="Priors against posteriors",
        reading=wording.sentence(reading),
        table=table_of(frame, "Prior and posterior of each parameter", columns),
        frames={"parameters": frame},
    )


def _parameter_sheet(frame: pd.DataFrame) -> Sheet:
    columns = {"parameter": Column("Parameter", "code")}
    columns |= {name: Column(label, "fine") for name, label in (("mean", "Mean"), ("sd", "SD"), ("q05", "5%"),
                ("q50", "50%"), ("q95", "95%"), ("rhat", "R-hat"))}  # fmt: skip
    columns |= {"ess_bulk": Column("Bulk ESS", "count"), "ess_tail": Column("Tail ESS", "count")}
    return Sheet(
        id="parameters",
        title="All parameters of the full model",
        reading="In model space (scaled to the largest training value), as sampled.",
        table=table_of(frame, "Posterior of each parameter, window full", columns),
        is_folded=True,
    )


# --- residuals ----------------------------------------------------------------------------------


def _residual_reading(subject: Subject, frame: pd.DataFrame, residual: np.ndarray) -> str:
    largest = frame.iloc[int(frame["residual"].abs().argmax())]
    side = "above" if largest["residual"] > 0 else "below"
    lags = autocorrelation(residual)
    first = float(lags["value"].iloc[0]) if len(lags) else math.nan
    bound = float(lags["bound"].iloc[0]) if len(lags) else math.nan
    memory = "inside" if abs(first) <= bound else "outside"
    return (
        f"Neighbouring {subject.inputs.period}s correlate {numbers.decimal(first, signed=True)}, {memory} the "
        f"±{numbers.decimal(bound)} expected of noise (Durbin–Watson {numbers.decimal(durbin_watson(residual))}, "
        f"2 is ideal); the largest miss is {numbers.day(pd.Timestamp(largest['date']))}, "
        f"{subject.amount(abs(float(largest['residual'])))} {side} the fit."
    )
