"""The Dagster code location: runs mmm_engine for all clients, stores, checks, schedules and reports.

Here: partitions, stored values, checks, pages, assets, the chain of runs of a client, automation, the command `mmm`.
Not here: any model, score or wording of a report (mmm_engine, which never imports this package).
Imports, each only from those before it: types, dagster_private, home, partitions, runs, metadata, verdicts;
launching, storage, checks, pages, assets, refreshes, automation; definitions, warm, cli. Read them in this order.
"""

import ctypes
import os
import warnings

# Arrow's allocator and the C library keep what was freed by thread: a process that stays grew by 0.8 MB a refresh, of
# which no object knew. With one allocator and two places of it that is 0.1 MB. Arrow reads its variable when it is
# imported, the C library its own when a process starts, so that this one is told.
_M_ARENA_MAX, _ARENAS = -8, 2
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
if "MALLOC_ARENA_MAX" not in os.environ and hasattr(_library := ctypes.CDLL(None), "mallopt"):
    _library.mallopt(_M_ARENA_MAX, _ARENAS)

# Single-run backfill policies and data versions of outputs are beta and partitioned checks preview in Dagster 1.13:
# every definition would warn, and every refresh. The tests pin what we rely on of each.
for _message in (
    ".*`backfill_policy`.*",
    ".*`data_version` of initializer `Output.*",
    ".*partitions_def.*AssetCheckSpec.*",
    ".*`partitions_def`.*asset_check.*",
):
    warnings.filterwarnings("ignore", message=_message)
