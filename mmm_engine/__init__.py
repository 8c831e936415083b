"""Bayesian marketing-mix models: fitted fast, judged on weeks they have not seen.

Here: the library, usable alone; importing this package is cheap, `PymcModel` and everything heavy load on first use.
Not here: Dagster, homes, the command line (mmm_assets).
Imports, each wing only from those before it: errors, version, array_types, distributions, compiler, files, client,
rows, simulation, model, posterior, results, scores, fleets, history, report, toolkit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmm_engine.version import ENGINE_VERSION

if TYPE_CHECKING:
    from mmm_engine.toolkit import PymcModel

__all__ = ["ENGINE_VERSION", "PymcModel"]


def __getattr__(name: str) -> Any:
    if name == "PymcModel":
        from mmm_engine.toolkit import PymcModel

        return PymcModel
    raise AttributeError(f"module 'mmm_engine' has no attribute '{name}'")
