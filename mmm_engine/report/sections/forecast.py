"""What comes next, and how earlier forecasts turned out.

Here: the fan of the coming periods, the ledger of past forecasts.
Not here: held-out scores (trust.py).
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Chart, Column, Section, table_of
from mmm_engine.report.sections.fit import prediction_columns
from mmm_engine.report.subject import Subject

#: Past rows shown to the left of the fan.
CONTEXT_ROWS = 52


def forecast_section(subject: Subject) -> Section | None:
    """Forecast fan and, when the ledger is given, past forecasts against what happened."""
    charts = []
    if (fan := fan_chart(subject)) is not None:
        charts.append(fan)
    ledger = subject.inputs.ledger
    if ledger is not None and ledger["actual"].notna().any():
        charts.append(_ledger_chart(subject, _dated(ledger)))
    if not charts:
        return None
    lead = f"The next {subject.inputs.period}s of {subject.target} with 50% and 90% intervals."
    return Section("forecast", "Forecast", "Forecast", lead, tuple(charts))


def fan_chart(subject: Subject) -> Chart | None:
    """The coming periods with what they assume of media; None without a forecast."""
    forecast = subject.inputs.forecast
    if forecast is None or forecast.empty:
        return None
    past = subject.inputs.full.predictions[["date", "actual"]].tail(CONTEXT_ROWS)
    unit = subject.inputs.target_unit
    low, high = float(forecast["q05"].min()), float(forecast["q95"].max())
    whole = subject.amount(float(forecast["mean"].sum()))
    reading = (
        f"The next {subject.periods(len(forecast))} are expected to bring {whole}"
        f"{_against_last_year(subject, forecast)}; single {subject.inputs.period}s lie between "
        f"{numbers.span(low, high, unit, 'and')} (outermost 90% bounds).{_media_words(subject, forecast)}"
    )
    beyond = forecast["date"].iloc[[int(row) for row in _assumed(forecast).get("beyond_rows", [])]]
    columns = {
        name: column for name, column in prediction_columns(unit).items() if name not in {"split", "actual"}
    }
    return Chart(
        id="fan",
        figure="forecast_fan",
        title=f"Forecast of {subject.target}",
        reading=reading,
        table=table_of(forecast, f"Forecast of {subject.target}", columns),
        frames={"forecast": forecast, "past": past},
        options={"unit": unit, "beyond": tuple(beyond)},
    )


def _assumed(forecast: pd.DataFrame) -> dict[str, Any]:
    """What the forecast says that it assumes of media (`results.forecast.media_assumed`); empty where it is old."""
    return dict(forecast.attrs.get("media") or {})


def _media_words(subject: Subject, forecast: pd.DataFrame) -> str:
    """Which media the forecast assumes, and which of it goes beyond anything seen."""
    assumed = _assumed(forecast)
    if not assumed:
        return ""
    planned, others = int(assumed["planned"]), len(forecast) - int(assumed["planned"])
    pattern = (
        "of a year ago" if assumed["otherwise"] == "last_year" else f"of the last {subject.inputs.period}s"
    )
    if not others:
        said = " Media follow the client's plan."
    elif planned:
        said = f" Media follow the client's plan for {subject.periods(planned)}, then those {pattern}."
    else:
        said = f" It assumes media like those {pattern}, because no plan is given."
    beyond = {subject.label(name): float(factor) for name, factor in assumed["beyond"].items()}
    if beyond:
        named = [f"{name} ({numbers.percent(factor - 1, signed=True)})" for name, factor in beyond.items()]
        said += f" Beyond anything seen in one {subject.inputs.period}, so that its effect is a guess: "
        said += f"{wording.listing(named)}."
    return said


def _against_last_year(subject: Subject, forecast: pd.DataFrame) -> str:
    """The forecast total over the same rows a year earlier, when those rows exist."""
    past = subject.inputs.full.predictions.set_index("date")["actual"]
    dates = pd.DatetimeIndex(forecast["date"])
    year = {"day": pd.DateOffset(days=364), "week": pd.DateOffset(weeks=52), "month": pd.DateOffset(years=1)}
    before = past.reindex(dates - year[subject.inputs.period])
    if before.isna().any() or not before.sum():
        return ""
    change = float(forecast["mean"].sum() / before.sum() - 1)
    return f", {numbers.more_or_less(change)} in the same {subject.inputs.period}s a year earlier"


def _dated(ledger: pd.DataFrame) -> pd.DataFrame:
    """The ledger with real timestamps; a database hands out plain dates."""
    return ledger.assign(date=pd.to_datetime(ledger["date"]), issued_at=pd.to_datetime(ledger["issued_at"]))


def _ledger_chart(subject: Subject, ledger: pd.DataFrame) -> Chart:
    scored = ledger.dropna(subset=["actual"])
    issues = scored["issued_at"].nunique()
    inside = float(scored["actual"].between(scored["q05"], scored["q95"]).mean())
    refreshes = wording.count(issues, "earlier refresh", "earlier refreshes")
    reading = (
        f"Of {wording.count(len(scored), 'forecast')} from {refreshes} whose {subject.inputs.period} has arrived, "
        f"{numbers.percent(inside)} were inside their 90% interval."
    )
    unit = subject.inputs.target_unit
    columns = {
        "issued_at": Column("Issued", "date"),
        "date": Column("For", "date"),
        "horizon": Column(f"{subject.inputs.period.capitalize()}s ahead", "count"),
        "q50": Column(wording.headed("Forecast", unit)),
        "q05": Column("5%"),
        "q95": Column("95%"),
        "actual": Column(wording.headed("What happened", unit)),
    }
    return Chart(
        id="ledger",
        figure="forecast_ledger",
        title="Earlier forecasts against what happened",
        reading=reading,
        table=table_of(ledger, "Forecasts as they were issued", columns),
        frames={"ledger": ledger},
        options={"unit": unit},
    )
