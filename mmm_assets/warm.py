"""What a process of runs has behind it before its first run: imports, and the definitions put together.

Here: importing it is all there is to do; `mmm_assets.launching.local` names it for the fork server.
Not here: executing runs (launching/local.py).

Nothing imported here may start threads: the fork server forks after it.
"""

import mmm_engine.fleets.holdout
import mmm_engine.posterior.fit
import mmm_engine.report.gather
import mmm_engine.report.render
from mmm_assets.definitions import defs

__all__ = ["defs", "mmm_engine"]

defs.get_repository_def()
