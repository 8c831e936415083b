"""What a report is made from: the frames and facts of one refresh of one client.

Here: the values a caller gathers, with the columns each frame must have.
Not here: any arithmetic on them (content.py), any drawing (figures/), any file (render.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from mmm_engine.client.config import units_of_money
from mmm_engine.client.windows import FULL, Window
from mmm_engine.scores.verdict import Verdict

if TYPE_CHECKING:
    from mmm_engine.rows.finding import Finding
    from mmm_engine.rows.window import ScaledInputs

TargetKind = Literal["revenue", "conversions"]
Period = Literal["day", "week", "month"]
Audience = Literal["analyst", "client"]


@dataclass(frozen=True, eq=False)
class WindowReport:
    """One fitted window.

    Attributes:
        window: Which rows were held out.
        cutoff: Last training date.
        horizon: Held-out rows after the cutoff (0 for "full").
        scores: Columns split, channel, metric, value, unit.
        health: Same columns; sampler health.
        predictions: Columns date, split, actual, mean, q05, q25, q50, q75, q95, and optionally pit.
        returns: Columns channel, metric, mean, q05, q25, q50, q75, q95, unit.
        parameters: Columns parameter, mean, sd, q05, q50, q95, rhat, ess_bulk, ess_tail; optionally
            prior_mean, prior_sd, prior_q05 and prior_q95.
        chains: Ranks, energy and single draws, the columns of ``chains.chain_frame``; None when not kept.
    """

    window: Window
    cutoff: pd.Timestamp
    horizon: int
    scores: pd.DataFrame
    health: pd.DataFrame
    predictions: pd.DataFrame
    returns: pd.DataFrame
    parameters: pd.DataFrame
    chains: pd.DataFrame | None = None


@dataclass(frozen=True)
class RunInfo:
    """What is needed to derive every number of the report again.

    Attributes:
        data_version: Hash of the client's rows.
        config_version: Hash of the client's settings.
        engine_version: Version of mmm_engine.
        versions: Library name to version.
        seed: Seed of the sampler.
        recorded_at: When the refresh finished.
        command: The command line that repeats it; with earlier ones before it whose numbers are still shown.
        seconds: Wall time of the refresh, in seconds.
        run_id: Identifier in the metric history, "" when not recorded.
    """

    data_version: str
    config_version: str
    engine_version: str
    versions: dict[str, str]
    seed: int
    recorded_at: datetime
    command: str
    seconds: float
    run_id: str = ""


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """Everything one client's report is made from; sections without input are left out.

    Attributes:
        client: Client id.
        target_name: Column name of the target.
        target_kind: "revenue" (ROAS is reported) or "conversions" (cost per conversion is reported).
        period: What one row is.
        currency_unit: Unit of money, shown after numbers ("EUR"); "" when it is not known.
        windows: Reports of the fitted windows; the one of all rows must be there.
        decomposition: Columns date, component, kind, mean, q05, q95 (window "full").
        curves: Columns channel, spend, mean, q05, q50, q95, unit, extrapolated, current; per period.
        multiplier: Columns date, mean, q05, q95, or None when media is not time-varying.
        spend: Columns channel, spend, unit: totals over the training rows. A unit other than
            ``currency_unit`` or one of `units_of_money` says that the channel has no cost (views, mails), so it
            has no ROAS. Optional columns media and media_unit give a paid channel's own volume
            (impressions), which adds the effectiveness chart.
        recovery: Score columns. Rows of a media channel: contribution_recovery, contribution_coverage_90; of channel
            "all": simulations. Other rows carry a parameter's name in ``channel``: recovery,
            coverage_90, z_score, contraction.
        stability: Score columns; split names the comparison ("windows", "refresh"). Rows of a channel:
            overlap, share_change, roas_change; of channel "all": stability.
        forecast: Columns date, q05, q25, q50, q75, q95, mean.
        findings: Warnings and notes of the data contract.
        verdicts: Outcome of every check.
        run: How to re-derive the report.
        adstock: Columns channel, lag, mean, q05, q95: share of an effect that falls on each lag.
        ledger: Past forecasts: issued_at, date, horizon, q05, q50, q95, actual (NaN until it is known).
        previous: History rows (window, split, channel, metric, value, cutoff, data_version, config_version,
            engine_version, recorded_at) of the refresh before this one.
        diff: Why returns moved, columns channel, metric ("roas", "cpa" or "share"), step, change, noise, before and
            after; the changes of one channel and metric sum to after - before.
        drift: Output of ``drift.drift_scores``: the client against its own history.
        advice: Output of ``advice_record.advice_record`` or of its ``refusal_record``: what to do with the budget.
        spend_by_date: Columns date, channel, spend: money of each channel over the training rows.
        period_returns: Output of ``returns.returns_by_period``: returns of all rows, the last year, the last quarter.
        advice_ledger: Earlier advice and what came of it, output of ``History.advice.read``.
        recovery_min: Recovery over many simulations below this means "do not read".
        stability_min: Overlap below this means "unstable".
    """

    client: str
    target_name: str
    target_kind: TargetKind
    period: Period
    currency_unit: str
    windows: dict[Window, WindowReport]
    decomposition: pd.DataFrame
    curves: pd.DataFrame
    multiplier: pd.DataFrame | None
    spend: pd.DataFrame
    recovery: pd.DataFrame | None
    stability: pd.DataFrame | None
    forecast: pd.DataFrame | None
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    run: RunInfo
    adstock: pd.DataFrame | None = None
    ledger: pd.DataFrame | None = None
    previous: pd.DataFrame | None = None
    diff: pd.DataFrame | None = None
    drift: pd.DataFrame | None = None
    advice: Mapping[str, Any] | None = None
    advice_ledger: pd.DataFrame | None = None
    spend_by_date: pd.DataFrame | None = None
    period_returns: pd.DataFrame | None = None
    recovery_min: float = 0.3
    stability_min: float = 0.8

    @property
    def full(self) -> WindowReport:
        """The window that decisions are read from."""
        return self.windows[FULL]

    @property
    def holdouts(self) -> tuple[WindowReport, ...]:
        """Windows with held-out rows, shortest horizon first."""
        return tuple(sorted((w for w in self.windows.values() if w.horizon > 0), key=lambda w: w.horizon))

    @property
    def target_unit(self) -> str:
        """Unit of the target: money for revenue, the kind itself for conversions."""
        return self.currency_unit if self.target_kind == "revenue" else self.target_kind

    @property
    def paid_channels(self) -> tuple[str, ...]:
        """Channels bought with money, largest spend first."""
        money = units_of_money(self.currency_unit)
        paid = self.spend[self.spend["unit"].isin(money)].sort_values("spend", ascending=False)
        return tuple(str(name) for name in paid["channel"])

    @property
    def unpaid_channels(self) -> tuple[str, ...]:
        """Channels measured in something else than money, in input order."""
        paid = set(self.paid_channels)
        return tuple(str(name) for name in self.spend["channel"] if str(name) not in paid)


def spend_frame(inputs: ScaledInputs) -> pd.DataFrame:
    """Totals of each channel over the training rows of a window.

    Returns:
        Columns channel, spend, unit ("spend" for a channel with a cost column, which is counted in money), media and
        media_unit (the channel's own volume).
    """
    rows, channels = inputs.train_rows, inputs.config.channels
    media = (inputs.media_scaled[:rows] * inputs.scales.media_array()).sum(axis=0)
    return pd.DataFrame(
        {
            "channel": [channel.column for channel in channels],
            "spend": inputs.spend[:rows].sum(axis=0),
            "unit": ["spend" if channel.cost else channel.unit for channel in channels],
            "media": media,
            "media_unit": [channel.unit for channel in channels],
        }
    )


def dated_spend(inputs: ScaledInputs) -> pd.DataFrame:
    """Money of each channel and training row of a window: columns date, channel, spend."""
    rows = inputs.train_rows
    names = [channel.column for channel in inputs.config.channels]
    wide = pd.DataFrame(inputs.spend[:rows], columns=names).assign(date=pd.DatetimeIndex(inputs.dates[:rows]))
    return wide.melt("date", var_name="channel", value_name="spend")
