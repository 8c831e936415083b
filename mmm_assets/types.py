"""Names of engine types for annotations in the Dagster layer.

Dagster resolves annotations when it loads definitions; importing the engine's types there would import pandas,
xarray and scikit-learn into every command and every daemon tick. Type checkers see the real types, Dagster sees Any.

Here: nothing but names.
Not here: any value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame, Series
    from xarray import DataTree

    from mmm_engine.config import ClientConfig, SamplerConfig
    from mmm_engine.data import ClientData
    from mmm_engine.fleets.windows import WindowFit
    from mmm_engine.gates import Verdict
    from mmm_engine.history import History
    from mmm_engine.scaling import ScaledInputs
else:
    ClientConfig = ClientData = DataFrame = DataTree = History = SamplerConfig = ScaledInputs = Series = Any
    Verdict = WindowFit = Any

__all__ = [
    "ClientConfig",
    "ClientData",
    "DataFrame",
    "DataTree",
    "History",
    "SamplerConfig",
    "ScaledInputs",
    "Series",
    "Verdict",
    "WindowFit",
]
