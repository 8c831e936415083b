"""How far to trust the model: unseen rows by window, recovery and stability by channel.

Here: scores against the seasonal naive forecast, recovery verdicts, overlap across windows.
Not here: thresholds of the checks (scores/gates.py), the sampler (diagnostics.py).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.headline import skill_words
from mmm_engine.report.inputs import WindowReport
from mmm_engine.report.page import Chart, Column, Item, Section, Sheet, Table, table_of
from mmm_engine.report.sections.calibration import calibration_chart
from mmm_engine.report.subject import Subject
from mmm_engine.scores.identification import (
    CAREFUL_LOG_SD,
    FEW_SIMULATIONS,
    IDENTIFIED,
    READABLE_LOG_SD,
    WEAK,
    interval_factor,
    reading_of,
)

HOLDOUT_METRICS = ("skill", "mape", "wape", "nrmse", "bias", "crps", "coverage_50", "coverage_90")


def holdout_section(subject: Subject) -> Section | None:
    """Scores on unseen rows by window, against the seasonal naive forecast."""
    if not subject.inputs.holdouts:
        return None
    calibration = calibration_chart(subject)
    return Section(
        id="holdout",
        title="Holdout scores and calibration",
        short="Holdout",
        lead="How good forecasts of unseen rows are, next to simply repeating earlier values.",
        items=(_scores_chart(subject), *([calibration] if calibration else [])),
    )


def trust_section(subject: Subject) -> Section | None:
    """Which channels can be read, recovery of parameters, and stability."""
    items: list[Item] = []
    if subject.readability["factor"].notna().any():
        items.append(_readability_chart(subject))
    if len(subject.parameter_recovery):
        items.append(_parameter_sheet(subject))
    if subject.inputs.stability is not None and len(subject.inputs.stability):
        items.append(_stability_chart(subject, subject.inputs.stability))
    if subject.inputs.drift is not None and len(subject.inputs.drift):
        items.append(_drift_sheet(subject.inputs.drift))
    if not items:
        return None
    return Section(
        id="trust",
        title="Which channels can be read, and how stable they are",
        short="Readability and stability",
        lead="How well does the fit know each channel, and does its answer stay put when weeks are left out?",
        items=tuple(items),
    )


# --- holdout ------------------------------------------------------------------------------------


def _scores_chart(subject: Subject) -> Chart:
    rows = [_window_scores(subject, window) for window in subject.inputs.holdouts]
    columns = {
        "window": Column("Window", "text"),
        "cutoff": Column("Trained up to", "date"),
        "horizon": Column(f"Held-out {subject.inputs.period}s", "count"),
        "skill": Column("Skill against naive", "ratio"),
        "mape": Column("MAPE", "share"),
        "train_mape": Column("MAPE in training", "share"),
        "wape": Column("WAPE", "share"),
        "nrmse": Column("NRMSE", "share"),
        "bias": Column("Bias (+ too high)", "signed"),
        "crps": Column("CRPS over mean", "share"),
        "coverage_50": Column("Inside 50% interval", "share"),
        "coverage_90": Column("Inside 90% interval", "share"),
    }
    frames = [w.scores.assign(window=subject.window_words(w.window)) for w in subject.inputs.holdouts]
    long = pd.concat(frames, ignore_index=True)
    return Chart(
        id="holdout-scores",
        figure="scores_by_window",
        title="Scores by held-out window",
        reading=_scores_reading(subject),
        table=table_of(pd.DataFrame(rows), "Scores of unseen rows by window", columns),
        frames={"scores": long[long["channel"] == "all"]},
    )


def _window_scores(subject: Subject, window: WindowReport) -> dict[str, object]:
    scores: dict[str, object] = {name: subject.score(window, "test", name) for name in HOLDOUT_METRICS}
    place = {
        "window": subject.window_words(window.window),
        "cutoff": window.cutoff,
        "horizon": window.horizon,
    }
    return {**place, **scores, "train_mape": subject.score(window, "train", "mape")}


def _scores_reading(subject: Subject) -> str:
    skills = {w.horizon: subject.score(w, "test", "skill") for w in subject.inputs.holdouts}
    known = {horizon: skill for horizon, skill in skills.items() if math.isfinite(skill)}
    if not known:
        return "No comparison with the seasonal naive forecast was recorded."
    won = [horizon for horizon, skill in known.items() if skill >= 0]
    lost = [horizon for horizon, skill in known.items() if skill < 0]
    if len(known) == 1:
        return f"The model's forecast is {skill_words(next(iter(known.values())), subject.repeated)}."
    said = f"The model forecasts better than {subject.repeated} on {wording.share_of(len(won), len(known))} windows"
    worst = min(known, key=lambda horizon: known[horizon])
    if lost:
        hidden = wording.listing([str(h) for h in lost])
        said += f"; repeating {subject.repeated} wins on the last {hidden} {subject.inputs.period}s"
        said += f" (at worst the model is {skill_words(known[worst], subject.repeated).partition(', ')[0]})"
    else:
        said += f", by {numbers.percent(known[worst])} to {numbers.percent(max(known.values()))} in CRPS"
    return wording.sentence(said)


# --- what can be read -----------------------------------------------------------------------------------


def _readability_chart(subject: Subject) -> Chart:
    channels = subject.readability.sort_values("factor")
    good = int((channels["verdict"] == reading_of(IDENTIFIED)).sum())
    careful = int((channels["verdict"] == reading_of(WEAK)).sum())
    reading = f"{good} of {wording.count(len(channels), 'channel')} can be read"
    reading += f", {careful} with care" if careful else ""
    if subject.unreadable:
        reading += f"; do not read {subject.unreadable_words}"
    columns = {
        "label": Column("Channel", "name"),
        "factor": Column("90% interval, × and ÷", "ratio"),
        "verdict": Column("Can it be read?", "text"),
        "why": Column("Why", "text"),
    }
    if subject.simulations >= FEW_SIMULATIONS:
        words = f"in {wording.count(subject.simulations, 'simulation')}"
        columns["recovery"] = Column(f"Recovery {words} (1 is perfect)", "ratio")
        columns["coverage_90"] = Column(f"Truth inside 90% interval {words}", "share")
    labelled = channels.assign(label=[subject.label(str(name)) for name in channels["channel"]])
    return Chart(
        id="readability",
        figure="channel_precision",
        title="Can each channel be read? How many times smaller or larger its contribution could be",
        reading=wording.sentence(reading),
        table=table_of(labelled, "How well each channel's contribution is known", columns),
        frames={"channels": channels},
        options={
            "limits": [float(limit) for limit in interval_factor(np.array([READABLE_LOG_SD, CAREFUL_LOG_SD]))]
        },
    )


def _parameter_sheet(subject: Subject) -> Sheet:
    frame = subject.parameter_recovery
    columns = {
        "parameter": Column("Parameter", "code"),
        "recovery": Column("Recovery (1 is perfect)", "ratio"),
        "coverage_90": Column("Truth inside 90% interval", "share"),
        "z_score": Column("z-score", "ratio"),
        "contraction": Column("Contraction (0: data taught nothing)", "ratio"),
    }
    middle = numbers.decimal(float(frame["recovery"].median()))
    return Sheet(
        id="parameter-recovery",
        title="Recovery of each parameter",
        reading=f"The median over {wording.count(len(frame), 'parameter')} is {middle}.",
        table=table_of(frame, "Recovery of each parameter", columns),
        is_folded=True,
    )


# --- stability ----------------------------------------------------------------------------------


def _stability_chart(subject: Subject, stability: pd.DataFrame) -> Chart:
    channels = stability[(stability["channel"] != "all") & (stability["metric"] == "overlap")]
    worst = channels.groupby("channel", sort=False)["value"].min().sort_values()
    unstable = [str(name) for name in worst.index[worst < subject.inputs.stability_min]]
    return Chart(
        id="stability",
        figure="stability_overlap",
        title="Stability: does each channel's share stay where it was?",
        reading=_stability_reading(subject, stability, unstable),
        table=_stability_table(subject, stability, unstable),
        frames={"stability": channels},
        options={"minimum": subject.inputs.stability_min},
    )


def _stability_reading(subject: Subject, stability: pd.DataFrame, unstable: list[str]) -> str:
    whole = stability[(stability["channel"] == "all") & stability["metric"].isin({"stability", "overlap"})]
    said = [
        f"{numbers.decimal(float(value))} {wording.comparison_words(str(split))}"
        for split, value in zip(whole["split"], whole["value"], strict=True)
        if math.isfinite(value)
    ]
    reading = (
        f"overlap of 50% intervals, weighted by share, is {wording.listing(said)}" if said else "overlap"
    )
    reading += f" (stable from {numbers.decimal(subject.inputs.stability_min, 1)})"
    if unstable:
        names = wording.listing([subject.label(name) for name in unstable], 3)
        reading += f"; below it {'lies' if len(unstable) == 1 else 'lie'} {names}"
    else:
        reading += "; no channel lies below it"
    return wording.sentence(reading)


def _stability_table(subject: Subject, stability: pd.DataFrame, unstable: list[str]) -> Table:
    kinds = {"overlap": ("Overlap", "ratio"), "share_change": ("Share moved", "signed"),
             "roas_change": ("ROAS moved", "signed")}  # fmt: skip
    rows = stability[(stability["channel"] != "all") & stability["metric"].isin(set(kinds))]
    wide = rows.pivot_table(
        index="channel", columns=["split", "metric"], values="value", sort=False, dropna=False
    )
    frame = pd.DataFrame({"label": [subject.label(str(name)) for name in wide.index]})
    columns = {"label": Column("Channel", "name")}
    for split in rows["split"].drop_duplicates():
        for metric, (words, kind) in kinds.items():
            if (split, metric) in wide.columns:
                key = f"{split}/{metric}"
                frame[key] = wide[(split, metric)].to_numpy()
                columns[key] = Column(f"{words} {wording.comparison_words(str(split))}", kind)  # type: ignore[arg-type]
    frame["verdict"] = ["unstable" if str(name) in unstable else "stable" for name in wide.index]
    columns["verdict"] = Column("Verdict", "text")
    return table_of(frame, "Overlap and largest move of each channel", columns)


# --- drift --------------------------------------------------------------------------------------


def _drift_sheet(drift: pd.DataFrame) -> Sheet:
    words = {
        "crps": "Forecast error (CRPS)",
        "bias": "Bias",
        "coverage_90": "Inside 90% interval",
        "mix": "Contribution in other channels than usual",
    }
    watched = drift["limit"].notna()
    reading = "Not enough refreshes are recorded yet to know what is usual for this client."
    numbers_of = {
        "value": Column("Now", "fine"),
        "usual": Column("Usually", "fine"),
        "statistic": Column("Statistic", "ratio"),
        "limit": Column("Limit", "ratio"),
    }
    if watched.any():
        alarms = int(drift["alarm"].sum())
        reading = f"{wording.share_of(alarms, int(watched.sum()))} watched series left their usual range."
    told = drift.assign(
        stream=[words.get(str(name), str(name)) for name in drift["stream"]],
        state=["alarm" if alarm else "usual" if known else "too few refreshes"
               for alarm, known in zip(drift["alarm"], watched, strict=True)],
    )  # fmt: skip
    columns = {
        "stream": Column("Series", "text"),
        **{name: column for name, column in numbers_of.items() if drift[name].notna().any()},
        "state": Column("State", "text"),
        "reason": Column("Reason", "text"),
    }
    return Sheet(
        id="drift",
        title="Drift: has the client left its own usual range?",
        reading=reading,
        table=table_of(told, "Scores of this refresh against the client's own history", columns),
        is_folded=not watched.any(),
    )
