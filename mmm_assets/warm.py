"""What a process of runs has behind it before its first run: imports, and the definitions put together.

Here: importing it is all there is to do; `mmm_assets.launching.local` names it for the fork server.
Not here: executing runs (launching/local.py).

Nothing imported here may start threads: the fork server forks after it.
"""

import duckdb
import h5netcdf
import pyarrow.parquet

import mmm_engine.decisions.advice_record
import mmm_engine.fleets.recovery
import mmm_engine.history.store
import mmm_engine.posterior.fit
import mmm_engine.report.gather
import mmm_engine.report.render
import mmm_engine.scores.client_verdicts
from mmm_assets.definitions import defs

__all__ = ["defs", "duckdb", "h5netcdf", "mmm_engine", "pyarrow"]

defs.get_repository_def()
