"""Whether predictions are as sure as they should be: PIT and coverage at every level.

Here: where actual values fell within their predicted distributions, on seen and on unseen rows.
Not here: errors and skill (trust.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Chart, Column, table_of
from mmm_engine.report.subject import NAN, Subject
from mmm_engine.scores.coverage import IntervalWidth, allowed_hits, interval_width
from mmm_engine.scores.truth_scores import jeffreys_band

JUDGED_LEVELS = (0.5, 0.9)
_WIDTHS: dict[IntervalWidth, str] = {
    "as promised": "held about what they promise, as far as so few rows can tell",
    "too narrow": "are too narrow: more fell outside than chance explains",
    "too wide": "are wider than needed: more fell inside than chance explains",
    "of another shape": "have the wrong shape: too wide in the middle, too narrow at the ends",
}
LEVELS = tuple(round(0.1 * step, 1) for step in range(1, 10))


def calibration_chart(subject: Subject) -> Chart | None:
    """PIT histogram and coverage by level; None when predictions carry no PIT."""
    pit = pit_rows(subject)
    if pit.empty:
        return None
    coverage = coverage_by_level(pit)
    period = subject.inputs.period
    wide = coverage.pivot(index="level", columns="rows", values="held").reset_index()
    columns = {"level": Column("Level of the interval", "share")}
    words = {"train": f"Held of {period}s seen", "test": f"Held of {period}s not seen"}
    columns |= {name: Column(label, "share") for name, label in words.items() if name in wide.columns}
    return Chart(
        id="calibration",
        figure="calibration",
        title="Calibration: do intervals hold as much as they promise?",
        reading=_reading(subject, pit, coverage),
        table=table_of(wide, "Share of actual values inside each central interval", columns),
        frames={"pit": pit, "coverage": coverage},
        options={"period": period},
    )


def pit_rows(subject: Subject) -> pd.DataFrame:
    """Columns rows and pit: "train" of the full model, "test" of the window that holds out most rows."""
    windows = [("train", subject.inputs.full)]
    windows += [("test", window) for window in subject.inputs.holdouts[-1:]]
    frames = [
        window.predictions.loc[window.predictions["split"] == rows, ["pit"]].assign(rows=rows)
        for rows, window in windows
        if "pit" in window.predictions.columns
    ]
    return pd.concat(frames, ignore_index=True).dropna() if frames else pd.DataFrame(columns=["pit", "rows"])


def coverage_by_level(pit: pd.DataFrame) -> pd.DataFrame:
    """Columns rows, level, held, low, high: what central intervals held, with a 95% Jeffreys band for unseen rows.

    A central interval of level L holds a value exactly when its PIT is at most L/2 away from 1/2.
    """
    rows = []
    for name, part in pit.groupby("rows", sort=False):
        distance = np.abs(part["pit"].to_numpy(dtype=float) - 0.5)
        for level in LEVELS:
            hits = int((distance <= level / 2 + 1e-12).sum())
            low, high = jeffreys_band(hits, len(distance)) if name == "test" else (NAN, NAN)
            rows.append((name, level, hits / len(distance), low, high))
    return pd.DataFrame(rows, columns=["rows", "level", "held", "low", "high"])


def _reading(subject: Subject, pit: pd.DataFrame, coverage: pd.DataFrame) -> str:
    period = subject.inputs.period
    counts = pit["rows"].value_counts()
    told = []
    for name, words in (("test", "not seen"), ("train", "seen in training")):
        part = coverage[coverage["rows"] == name]
        held = dict(zip(part["level"], part["held"], strict=True))
        if held:
            half, most = numbers.percent(held[0.5]), numbers.percent(held[0.9])
            told.append(
                f"of {wording.count(int(counts[name]), period)} {words}, {half} fell inside the 50% interval and "
                f"{most} inside the 90% interval"
            )
    reading = wording.sentence("; ".join(told))
    test = coverage[(coverage["rows"] == "test") & coverage["level"].isin(JUDGED_LEVELS)]
    if len(test):
        rows = int(counts["test"])
        hits = {level: round(held * rows) for level, held in zip(test["level"], test["held"], strict=True)}
        reading += f" The intervals of unseen {period}s {_WIDTHS[interval_width(hits, rows)]}"
        (low_50, high_50), (low_90, high_90) = (allowed_hits(level, rows) for level in JUDGED_LEVELS)
        reading += (
            f" (chance alone would put {low_50} to {high_50} of {rows} into right 50% intervals, "
            f"{low_90} to {high_90} into 90% intervals)."
        )
    return reading
