"""From a client's fitted windows to the inputs of its report: one way, for windows in memory and windows in files.

Here: `gather_report`, the windows it takes, and the versions of the libraries that made the numbers.
Not here: what the report says (content.py), which checks were asked (scores/gates.py), where frames come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from mmm_engine.report.inputs import ReportInputs, RunInfo, WindowReport, dated_spend, spend_frame

if TYPE_CHECKING:
    from mmm_engine.rows.client_data import ClientData
    from mmm_engine.rows.window import ScaledInputs
    from mmm_engine.scores.verdict import Verdict


class ReportedWindow(Protocol):
    """A fitted window as a report takes it; its columns are those of `WindowReport` and `ReportInputs`.

    `fleets.scored_window.ScoredWindow` computes each frame when it is asked for; a platform may read them from files.
    """

    @property
    def inputs(self) -> ScaledInputs:
        """The rows."""

    @property
    def scores(self) -> pd.DataFrame:
        """Scores of the training and the held-out rows."""

    @property
    def health(self) -> pd.DataFrame:
        """Sampler health."""

    @property
    def predictions(self) -> pd.DataFrame:
        """Observed and predicted target of every row."""

    @property
    def returns(self) -> pd.DataFrame:
        """Contribution, share and return of every channel."""

    @property
    def parameters(self) -> pd.DataFrame:
        """Posterior and prior of every parameter."""

    @property
    def chains(self) -> pd.DataFrame:
        """Ranks, energy and divergences of the chains."""

    @property
    def curves(self) -> pd.DataFrame:
        """Response curves; of the full window only."""

    @property
    def decomposition(self) -> pd.DataFrame:
        """Contributions per row and component; of the full window only."""

    @property
    def adstock(self) -> pd.DataFrame:
        """How effects spread over lags; of the full window only."""

    @property
    def period_returns(self) -> pd.DataFrame | None:
        """Returns by period, None or no rows where an earlier version stored none; of the full window only."""

    @property
    def multiplier(self) -> pd.DataFrame | None:
        """Time variation of media, None or no rows where media is constant; of the full window only."""


def gather_report(
    data: ClientData,
    full: ReportedWindow,
    holdouts: Sequence[ReportedWindow],
    *,
    verdicts: Iterable[Verdict],
    run: RunInfo,
    recovery: pd.DataFrame | None = None,
    stability: pd.DataFrame | None = None,
    forecast: pd.DataFrame | None = None,
    ledger: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
    diff: pd.DataFrame | None = None,
    drift: pd.DataFrame | None = None,
    advice: Mapping[str, Any] | None = None,
    advice_ledger: pd.DataFrame | None = None,
) -> ReportInputs:
    """Everything the report of one client is made from.

    Args:
        data: The client's rows.
        full: The window of all rows, which decisions are read from.
        holdouts: Windows with rows held out.
        verdicts: Outcome of every check.
        run: How to derive the numbers again.
        recovery: Output of the recovery fleet; this and the following leave their section out where None.
        stability: Output of the stability fleet.
        forecast: Output of the forecast fleet.
        ledger: Past forecasts with what happened.
        previous: History rows of the refresh before.
        diff: Why returns moved.
        drift: The client against its own history.
        advice: What to do with the coming budget.
        advice_ledger: Earlier advice with what came of it.
    """
    config, multiplier, by_period = data.config, full.multiplier, full.period_returns
    return ReportInputs(
        client=config.client,
        target_name=config.target.column,
        target_kind=config.target.kind,
        period=data.period,
        currency_unit=config.currency,
        windows={window.inputs.window: _window_report(window) for window in (full, *holdouts)},
        decomposition=full.decomposition,
        curves=full.curves,
        multiplier=None if multiplier is None or multiplier.empty else multiplier,
        spend=spend_frame(full.inputs),
        recovery=recovery,
        stability=stability,
        forecast=forecast,
        findings=data.findings,
        verdicts=tuple(verdicts),
        run=run,
        adstock=full.adstock,
        ledger=ledger,
        previous=previous,
        diff=diff,
        drift=drift,
        advice=advice,
        advice_ledger=advice_ledger,
        period_returns=None if by_period is None or by_period.empty else by_period,
        spend_by_date=dated_spend(full.inputs),
        recovery_min=config.thresholds.recovery_min,
        stability_min=config.thresholds.stability_min,
    )


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Installed versions by distribution name; "not installed" where there is none."""
    versions = {}
    for name in names:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def _window_report(window: ReportedWindow) -> WindowReport:
    return WindowReport(
        window=window.inputs.window,
        cutoff=window.inputs.cutoff,
        horizon=window.inputs.horizon,
        scores=window.scores,
        health=window.health,
        predictions=window.predictions,
        returns=window.returns,
        parameters=window.parameters,
        chains=window.chains,
    )
