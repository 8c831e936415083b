"""The runs that a refresh consists of: one job per stage.

Here: which assets one run can hold (a run has one kind of partition), in which order the runs follow.
Not here: executing them (chain.py), launching them on new data (automation/sensors.py).
Dagster: https://docs.dagster.io/guides/build/jobs/asset-jobs
"""

from __future__ import annotations

import dagster as dg

from mmm_assets.storage.results import WINDOW_FRAMES

_READINGS = tuple(WINDOW_FRAMES.values())  # everything that is read from a posterior

DATA = dg.define_asset_job(
    "client_data_job",
    selection=["client_data"],
    description="Refresh a client: read and check its files. Windows, fleets, report and the page of all clients "
    "follow by themselves.",
)
WINDOWS = dg.define_asset_job(
    "windows_job",
    selection=["scaled_inputs", "fitted_posterior", *_READINGS],
    description="Fit a client's windows and read everything from their posteriors.",
)
RESULTS = dg.define_asset_job(
    "window_results_job",
    selection=list(_READINGS),
    description="Read everything from posteriors that are already fitted.",
)
FLEETS = dg.define_asset_job(
    "fleets_job",
    selection=["recovery_scores", "stability_scores", "forecast", "refresh_diff"],
    description="Recovery, stability, forecast and refresh diff of a client.",
)
AUDIT = dg.define_asset_job(
    "audit_job",
    selection=["origin_scores", "identification_scores", "sensitivity_scores"],
    description="The deep look at a client's fitted model: rolling origins, identified channels, sensitivity.",
)
PUBLISH = dg.define_asset_job(
    "publish_job",
    selection=["metric_history", "budget_plan", "report"],
    description="Record a client's scores, plan its budget and publish its report.",
)
PORTFOLIO = dg.define_asset_job(
    "portfolio_job", selection=["portfolio"], description="All clients on one page, worst first."
)

CANARY = dg.define_asset_job(
    "canary_job", selection=["canary"], description="Fit a simulated client whose answer is known."
)

ASSET_JOBS = (DATA, WINDOWS, RESULTS, FLEETS, AUDIT, PUBLISH, PORTFOLIO, CANARY)
