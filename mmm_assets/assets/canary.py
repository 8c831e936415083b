"""The canary: a simulated client with a known answer, fitted every day before the clients.

Here: canary.
Not here: the fit and its verdict (mmm_engine.fleets.canary), what a miss stops (pages/publication.py).

When the truth is missed, something is wrong with the machine or the libraries, not with a client: everything is fitted
and recorded as ever, so that people can look at it, but nothing is published until a canary is found again.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from mmm_assets.assets.conditions import by_clock_and_version
from mmm_assets.assets.stamps import MCMC_POOL
from mmm_engine.errors import FitError
from mmm_engine.version import ENGINE_VERSION


@dg.asset(
    group_name="inputs",
    kinds={"json", "pymc"},
    io_manager_key="json_files",
    pool=MCMC_POOL,
    code_version=ENGINE_VERSION,
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=49), warn_window=timedelta(hours=25)
    ),
    automation_condition=by_clock_and_version("0 1 * * *"),
)
def canary(context: dg.AssetExecutionContext) -> dict[str, Any]:
    """A fit whose answer is known; while the last one missed it, no report and no forecast is published."""
    from mmm_engine.fleets.canary import check_canary, simulated_canary

    numbers: dict[str, float] = {}
    try:
        verdict = check_canary(simulated_canary())
    except FitError as error:
        reason = str(error)
    else:
        reason, numbers = "" if verdict.passed else verdict.reason, dict(verdict.numbers)
    context.add_asset_metadata({**numbers, "found": not reason})
    return {"hold": reason, "numbers": numbers, "at": datetime.now(UTC).isoformat(timespec="seconds")}
