"""The code location: assets, checks, jobs, sensors and resources put together.

Here: assembly, and nothing else.
Not here: anything assembled.

Importing this module imports neither PyMC nor pandas: the engine is imported inside the functions that use it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg

from mmm_assets.assets import audits, canary, catalogue, diff, fits, fleets, inputs, outputs
from mmm_assets.automation import alerts, failures, retention, schedules, sensors
from mmm_assets.checks import gates
from mmm_assets.dagster_private.waiting import patient_executor
from mmm_assets.pages.publication import Publication
from mmm_assets.refreshes import jobs
from mmm_assets.storage.io_managers import (
    ClientDataFiles,
    FrameFiles,
    HtmlFiles,
    JsonFiles,
    PosteriorFiles,
    ScaledInputsFiles,
)
from mmm_assets.storage.published import PublishedStates
from mmm_assets.storage.resources import ClientFiles, MetricHistory, SamplerOverrides
from mmm_assets.storage.results import ResultStore

ASSETS = (
    canary.canary,
    inputs.client_data,
    inputs.scaled_inputs,
    fits.fitted_posterior,
    fits.window_results,
    fleets.recovery_scores,
    fleets.stability_scores,
    fleets.forecast,
    diff.refresh_diff,
    audits.origin_scores,
    audits.identification_scores,
    audits.sensitivity_scores,
    outputs.metric_history,
    outputs.budget_plan,
    outputs.report,
    outputs.portfolio,
)


def build_defs(home: Path | None = None, data_dir: Path | None = None, **overrides: Any) -> dg.Definitions:
    """All definitions of the code location.

    Args:
        home: Dagster's home; None: $DAGSTER_HOME, looked up when an asset runs.
        data_dir: Folder of client files; None: $MMM_DATA_DIR, looked up when an asset runs.
        **overrides: Resources that take the place of the usual ones, by name (tests).
    """
    return dg.Definitions(
        assets=[
            catalogue.catalogued(inputs.CLIENT_FILE),
            *dg.map_asset_specs(catalogue.made_by_this_code, ASSETS),
        ],
        asset_checks=gates.ALL_CHECKS,
        jobs=[*jobs.ASSET_JOBS, retention.forget_old_runs, schedules.look_for_late_rows],
        sensors=[
            sensors.new_data,
            sensors.stages,
            failures.broken_refreshes,
            alerts.failure_notices,
            retention.hourly_forgetting,
        ],
        schedules=[
            schedules.nightly_portfolio,
            schedules.weekly_trust,
            schedules.daily_punctuality,
            retention.nightly_forgetting,
        ],
        resources={**_resources(home, data_dir), **overrides},
        # One process per run: a fit uses all cores by its chains, and a process per step would import PyMC each time.
        executor=patient_executor,
    )


def _resources(home: Path | None, data_dir: Path | None) -> dict[str, Any]:
    root = str(home or "")
    return {
        "client_files": ClientFiles(data_dir=str(data_dir or "")),
        "sampler": SamplerOverrides(),
        "history": MetricHistory(path=str(home / "metric_history.duckdb") if home else ""),
        "publication": Publication(root=root),
        "published": PublishedStates(root=root),
        "results": ResultStore(root=root),
        "client_data_files": ClientDataFiles(root=root),
        "scaled_inputs_files": ScaledInputsFiles(root=root),
        "posterior_files": PosteriorFiles(root=root),
        "frame_files": FrameFiles(root=root),
        "html_files": HtmlFiles(root=root),
        "json_files": JsonFiles(root=root),
        "io_manager": JsonFiles(root=root),  # the default: without it Dagster would fall back to pickle
    }


defs = build_defs()
