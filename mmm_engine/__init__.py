"""Bayesian marketing-mix models: fitted fast, judged on weeks they have not seen.

Importing this package is cheap: `PymcModel`, the notebook face, and everything heavy load on first use.
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
