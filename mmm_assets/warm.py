"""What a process of runs has behind it before its first run: imports, the definitions, all that reports share.

Here: importing it is all there is to do; `mmm_assets.launching.local` names it for the fork server.
Not here: executing runs (launching/local.py).

Whatever a run has to import, it imports again for every client: opening Dagster's records alone was 1.5 s of processor
time in each of the four runs of a refresh. Nothing here may start threads: the fork server forks after it.
"""

import gc
from importlib import import_module

from mmm_assets.definitions import defs
from mmm_engine.report.render import prepare

_IMPORTED_BY_RUNS = (  # late, by Dagster, by libraries, or by us, so that commands start without them
    "dagster._core.execution.plan.active",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.migration.utils",
    "dagster._core.storage.noop_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.system_config.composite_descent",
    "dagster._core.utility_ops",
    "dagster._core.workspace.autodiscovery",
    "dagster._daemon.controller",
    "dagster._utils.test.definitions",
    "arro3.core",
    "duckdb",
    "encodings.ascii",
    "encodings.utf_8_sig",
    "h5netcdf.legacyapi",
    "h5py._hl.dims",
    "llvmlite.binding",
    "llvmlite.ir",
    "nutpie._lib",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "scipy.optimize",
    "upath.implementations.local",
    "mmm_assets.dagster_private.looks",
    "mmm_assets.dagster_private.moments",
    "mmm_assets.dagster_private.ranges",
    "mmm_assets.dagster_private.requests",
    "mmm_assets.launching.queue",
    "mmm_assets.storage.sqlite",
    "mmm_engine.decisions.advice_draws",
    "mmm_engine.decisions.advice_record",
    "mmm_engine.decisions.guards",
    "mmm_engine.decisions.plan_checks",
    "mmm_engine.fleets.canary",
    "mmm_engine.fleets.recovery",
    "mmm_engine.fleets.refresh_diff",
    "mmm_engine.fleets.stability",
    "mmm_engine.history.store",
    "mmm_engine.model.client_check",
    "mmm_engine.posterior.fit",
    "mmm_engine.report.gather",
    "mmm_engine.report.glance",
    "mmm_engine.results.forecast",
    "mmm_engine.rows.plan",
    "mmm_engine.rows.restatement",
    "mmm_engine.scores.client_verdicts",
    "mmm_engine.scores.drift",
    "mmm_engine.scores.punctuality",
)

__all__ = ["defs"]

for _name in _IMPORTED_BY_RUNS:
    import_module(_name)
defs.get_repository_def()
prepare()
gc.freeze()  # a run neither looks through what it shares with others nor copies its pages by doing so
