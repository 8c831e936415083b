"""From fitted windows in memory to the inputs of the report, for those who work without the platform's storage.

Here: gathering frames, verdicts and provenance of one client.
Not here: what the report says (mmm_engine.report), the same from stored results (the platform does that itself).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import pandas as pd

from mmm_engine.fleets.window_fit import WindowFit
from mmm_engine.posterior.chain_views import chain_frame
from mmm_engine.posterior.diagnostics import parameter_summary
from mmm_engine.posterior.parameter_table import parameter_frame
from mmm_engine.results.decomposition import contributions, decomposition_frame, multiplier_frame
from mmm_engine.results.predictive import predictive_frame
from mmm_engine.results.response import adstock_weights, response_curves
from mmm_engine.rows.client_data import ClientData
from mmm_engine.scores import gates
from mmm_engine.version import ENGINE_VERSION

if TYPE_CHECKING:
    from mmm_engine.report.inputs import ReportInputs, RunInfo, WindowReport

_LIBRARIES = ("llvmlite", "numpy", "nutpie", "pandas", "pymc", "pytensor", "xarray")


def gather_report(
    data: ClientData,
    full: WindowFit,
    windows: Sequence[WindowFit] = (),
    *,
    recovery: pd.DataFrame | None = None,
    stability: pd.DataFrame | None = None,
    forecast: pd.DataFrame | None = None,
    recorded_at: datetime,
    command: str = "",
) -> ReportInputs:
    """Everything the report of one client is made from.

    Args:
        data: The client's rows.
        full: Fitted on all of them.
        windows: Fitted with rows held out.
        recovery: Output of the recovery fleet.
        stability: Output of the stability fleet.
        forecast: Output of the forecast fleet.
        recorded_at: Now.
        command: What repeats the run, in words.
    """
    from mmm_engine.report.inputs import ReportInputs, spend_frame

    config = data.config
    fits = [full, *(window for window in windows if window.inputs.horizon)]
    return ReportInputs(
        client=config.client,
        target_name=config.target.column,
        target_kind=config.target.kind,
        period=data.period,
        currency_unit=config.currency,
        windows={fit.inputs.window: _window_report(fit) for fit in fits},
        decomposition=decomposition_frame(contributions(full.posterior, full.inputs)),
        curves=response_curves(full.posterior, full.inputs),
        multiplier=multiplier_frame(full.posterior, full.inputs),
        spend=spend_frame(full.inputs),
        recovery=recovery,
        stability=stability,
        forecast=forecast,
        findings=data.findings,
        verdicts=tuple(_verdicts(data, fits, recovery, stability)),
        run=_run_info(data, full, recorded_at, command),
        adstock=adstock_weights(full.posterior, full.inputs),
        recovery_min=config.thresholds.recovery_min,
        stability_min=config.thresholds.stability_min,
    )


def _verdicts(
    data: ClientData, fits: Sequence[WindowFit], recovery: pd.DataFrame | None, stability: pd.DataFrame | None
) -> Iterator[gates.Verdict]:
    thresholds = data.config.thresholds
    yield gates.check_data(data)
    for fit in fits:
        yield gates.check_convergence(fit.health, thresholds, fit.inputs.window)
        if fit.inputs.horizon:
            yield gates.check_holdout(fit.scores, thresholds, fit.inputs.window)
    if recovery is not None:
        yield gates.check_recovery(recovery, thresholds)
    between = None if stability is None else stability[stability["split"] == "windows"]
    if between is not None and len(between):
        yield gates.check_stability(between, thresholds)


def _window_report(fit: WindowFit) -> WindowReport:
    from mmm_engine.report.inputs import WindowReport

    return WindowReport(
        window=fit.inputs.window,
        cutoff=fit.inputs.cutoff,
        horizon=fit.inputs.horizon,
        scores=fit.scores,
        health=fit.health,
        predictions=predictive_frame(fit.prediction, fit.inputs),
        returns=fit.returns,
        parameters=parameter_frame(fit.posterior, fit.inputs.config),
        chains=chain_frame(fit.posterior, parameter_summary(fit.posterior)),
    )


def _run_info(data: ClientData, full: WindowFit, recorded_at: datetime, command: str) -> RunInfo:
    from mmm_engine.report.inputs import RunInfo

    return RunInfo(
        data_version=data.data_version,
        config_version=data.config.config_version,
        engine_version=ENGINE_VERSION,
        versions={name: version(name) for name in _LIBRARIES},
        seed=int(full.posterior.attrs["seed"]),
        recorded_at=recorded_at,
        command=command,
        seconds=float(full.posterior.attrs["sample_seconds"]),
    )
