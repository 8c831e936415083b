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

    from mmm_engine.client.config import ClientConfig, SamplerConfig
    from mmm_engine.fleets.scored_window import ScoredWindow
    from mmm_engine.history.store import History
    from mmm_engine.posterior.fitted_window import FittedWindow
    from mmm_engine.rows.client_data import ClientData
    from mmm_engine.rows.window import ScaledInputs
    from mmm_engine.scores.verdict import Verdict
else:
    ClientConfig = ClientData = DataFrame = DataTree = FittedWindow = History = SamplerConfig = Any
    ScaledInputs = ScoredWindow = Series = Verdict = Any

__all__ = [
    "ClientConfig",
    "ClientData",
    "DataFrame",
    "DataTree",
    "FittedWindow",
    "History",
    "SamplerConfig",
    "ScaledInputs",
    "ScoredWindow",
    "Series",
    "Verdict",
]
