"""How well the model follows the past, and rows it has not seen.

Here: the fit chart, the held-out forecasts, the table of accuracy by split.
Not here: skill and calibration by window (trust.py), residuals (diagnostics.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.inputs import WindowReport
from mmm_engine.report.page import Chart, Column, Section, Sheet, table_of
from mmm_engine.report.subject import CALENDAR_KINDS, NAN, Subject
from mmm_engine.scores import forecast_scores

#: Training rows shown to the left of a held-out forecast.
CONTEXT_ROWS = 26
ACCURACY = {"r_squared": "R²", "mape": "MAPE", "wape": "WAPE", "nrmse": "NRMSE"}


def fit_section(subject: Subject) -> Section:
    """Fit over all rows, held-out forecasts, accuracy by split."""
    holdout = (_holdout_chart(subject),) if subject.inputs.holdouts else ()
    return Section(
        id="fit",
        title="Fit and held-out forecasts",
        short="Fit",
        lead=f"Does the model follow {subject.target}, and does it still do so on rows it has not seen?",
        items=(_fit_chart(subject), *holdout, _accuracy_sheet(subject)),
    )


def prediction_columns(unit: str) -> dict[str, Column]:
    """Table columns of a prediction frame."""
    return {
        "date": Column("Date", "date"),
        "split": Column("Split", "text"),
        "actual": Column(wording.headed("Actual", unit)),
        "mean": Column(wording.headed("Predicted", unit)),
        "q05": Column("5%"),
        "q25": Column("25%"),
        "q50": Column("50%"),
        "q75": Column("75%"),
        "q95": Column("95%"),
    }


def _fit_chart(subject: Subject) -> Chart:
    frame = subject.inputs.full.predictions
    inside = float(frame["actual"].between(frame["q05"], frame["q95"]).mean())
    r_squared = forecast_scores.r_squared(frame["actual"].to_numpy(), frame["mean"].to_numpy())
    reading = (
        f"Over {subject.periods(len(frame))} the model explains {numbers.percent(r_squared)} of the movement "
        f"in {subject.target} (R² {numbers.decimal(r_squared)}), and {numbers.percent(inside)} of "
        f"{subject.inputs.period}s lie inside its 90% interval."
    )
    baseline = subject.inputs.decomposition
    baseline = baseline[baseline["kind"].isin({"baseline", *CALENDAR_KINDS})]
    lowest = baseline.groupby("date", sort=True)["mean"].sum().reset_index()
    unit = subject.inputs.target_unit
    return Chart(
        id="fit-over-time",
        figure="fit_and_holdout",
        title=f"Actual and fitted {subject.target}, model trained on every row",
        reading=reading,
        table=table_of(frame, f"Actual and fitted {subject.target}", prediction_columns(unit)),
        frames={"predictions": frame, "baseline": lowest},
        options={"unit": unit},
    )


def _holdout_chart(subject: Subject) -> Chart:
    windows = subject.inputs.holdouts
    frame = pd.concat([_tail(window) for window in windows], ignore_index=True)
    said = []
    for window in windows:
        test = window.predictions[window.predictions["split"] == "test"]
        hits = int(test["actual"].between(test["q05"], test["q95"]).sum())
        off = float(test["mean"].sum() / test["actual"].sum() - 1) if test["actual"].sum() else NAN
        size = numbers.percent(abs(off))
        total = "total right" if size == "0%" else f"total {size} too {'high' if off > 0 else 'low'}"
        said.append(
            f"last {subject.periods(window.horizon)}: {wording.share_of(hits, len(test))} inside the 90% interval, "
            f"{total}"
        )
    tests = frame[frame["split"] == "test"]
    return Chart(
        id="held-out",
        figure="holdout_forecasts",
        title="Forecasts of rows the model has not seen",
        reading=wording.sentence("; ".join(said)),
        table=table_of(
            tests,
            "Held-out forecasts by window",
            {"window": Column("Window", "text"), **prediction_columns(subject.inputs.target_unit)},
        ),
        frames={"predictions": frame},
        options={"unit": subject.inputs.target_unit, "period": subject.inputs.period},
    )


def _tail(window: WindowReport) -> pd.DataFrame:
    shown = window.predictions.tail(window.horizon + CONTEXT_ROWS)
    return shown.assign(window=window.window.name)


def _accuracy_sheet(subject: Subject) -> Sheet:
    rows = [
        {"window": subject.window_words(window.window), "split": split, **_accuracy(subject, window, split)}
        for window in (subject.inputs.full, *subject.inputs.holdouts)
        for split in _splits(window)
    ]
    columns = {"window": Column("Window", "text"), "split": Column("Rows", "text")}
    columns |= {"rows": Column("Count", "count"), "r_squared": Column("R²", "ratio")}
    columns |= {name: Column(ACCURACY[name], "share") for name in ("mape", "wape", "nrmse")}
    return Sheet(
        id="accuracy",
        title="Accuracy by window and split",
        reading=(
            "MAPE: mean absolute error in percent of each actual. WAPE: summed absolute error over summed "
            "actuals. NRMSE: root mean squared error over the range of the training target."
        ),
        table=table_of(pd.DataFrame(rows), "Accuracy of the point forecast by window and split", columns),
    )


def _splits(window: WindowReport) -> list[str]:
    found = list(dict.fromkeys(window.predictions["split"].astype(str)))
    return found if len(found) == 1 else [*found, "all"]


def _accuracy(subject: Subject, window: WindowReport, split: str) -> dict[str, float]:
    frame = window.predictions
    part = frame if split == "all" else frame[frame["split"] == split]
    values = {name: subject.score(window, split, name) for name in ACCURACY}
    if split == "all" and all(np.isnan(value) for value in values.values()):
        actual, mean = part["actual"].to_numpy(dtype=float), part["mean"].to_numpy(dtype=float)
        train = frame.loc[frame["split"] == "train", "actual"].to_numpy(dtype=float)
        values = {
            "r_squared": forecast_scores.r_squared(actual, mean),
            "mape": forecast_scores.mape(actual, mean),
            "wape": forecast_scores.wape(actual, mean),
            "nrmse": forecast_scores.nrmse(actual, mean, train),
        }
    return {"rows": float(len(part)), **values}
