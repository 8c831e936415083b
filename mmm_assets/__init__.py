"""The Dagster code location: runs mmm_engine for all clients, stores, checks, schedules and reports.

Reading order: partitions, io_managers, resources, assets/inputs, assets/fits, assets/fleets, assets/outputs, checks,
definitions; then refresh (one client's chain of runs), sensors and cli.
"""

import warnings

# Single-run backfill policies are beta and partitioned checks preview in Dagster 1.13; every definition would warn. The
# tests pin what we rely on of both.
for _message in (
    ".*`backfill_policy`.*",
    ".*partitions_def.*AssetCheckSpec.*",
    ".*`partitions_def`.*asset_check.*",
):
    warnings.filterwarnings("ignore", message=_message)
