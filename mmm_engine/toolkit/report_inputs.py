"""From fitted windows in memory to the inputs of the report, for those who work without the platform's storage.

Here: the verdicts that can be given and the provenance of a run in a notebook.
Not here: gathering what the report is made from (report/gather.py), what it says (report/content.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from mmm_engine.fleets.scored_window import ScoredWindow
from mmm_engine.rows.client_data import ClientData
from mmm_engine.scores.client_verdicts import fleet_verdicts, whole_verdicts, window_verdicts
from mmm_engine.scores.gates import check_data
from mmm_engine.scores.verdict import Verdict
from mmm_engine.version import ENGINE_VERSION

if TYPE_CHECKING:
    from mmm_engine.report.inputs import ReportInputs

_LIBRARIES = ("llvmlite", "numpy", "nutpie", "pandas", "pymc", "pytensor", "xarray")


def notebook_report(
    data: ClientData,
    full: ScoredWindow,
    holdouts: Sequence[ScoredWindow] = (),
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
        holdouts: Fitted with rows held out.
        recovery: Output of the recovery fleet.
        stability: Output of the stability fleet.
        forecast: Output of the forecast fleet.
        recorded_at: Now.
        command: What repeats the run, in words.
    """
    from mmm_engine.report.gather import gather_report, library_versions
    from mmm_engine.report.inputs import RunInfo

    run = RunInfo(
        data_version=data.data_version,
        config_version=data.config.config_version,
        engine_version=ENGINE_VERSION,
        versions=library_versions(_LIBRARIES),
        seed=int(full.posterior.attrs["seed"]),
        recorded_at=recorded_at,
        command=command,
        seconds=float(full.posterior.attrs["sample_seconds"]),
    )
    verdicts = _verdicts(data, [full, *holdouts], recovery, stability)
    return gather_report(
        data,
        full,
        holdouts,
        verdicts=verdicts,
        run=run,
        recovery=recovery,
        stability=stability,
        forecast=forecast,
    )


def _verdicts(
    data: ClientData,
    windows: Sequence[ScoredWindow],
    recovery: pd.DataFrame | None,
    stability: pd.DataFrame | None,
) -> Iterator[Verdict]:
    thresholds = data.config.thresholds
    yield check_data(data)
    for window in windows:
        yield from window_verdicts(window)
    yield from whole_verdicts(windows, thresholds)
    yield from fleet_verdicts(recovery, stability, thresholds)
