"""What each term of the mean adds to the target, row by row, in original units.

Not here: predictions (predictive.py), money per channel (returns.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.draw_chunks import draw_chunks
from mmm_engine.model.mean import media_multiplier
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.draw_evaluation import all_terms
from mmm_engine.results.quantiles import quantiles


def contributions(window: FittedWindow) -> xr.DataArray:
    """What each term adds to the target, original units, dims (draw, date, component).

    Components are "baseline", the terms of the calendar that the model has ("seasonality", "trend", "weekday",
    "holidays"), the channels, the controls and the events; their sum is the expected target of `predict`, but for what
    a likelihood that ends at 0 adds to it near 0.
    The coordinate `kind` says which is which: baseline, the name of a term of the calendar, channel, control or event.
    """
    inputs, config, specification = window.inputs, window.inputs.config, window.specification
    names = ["baseline", *(term.name for term in specification.calendar_terms)]
    kinds = list(names)
    events = [event.name for event in config.model.events]
    names += [*config.channel_names, *config.control_names, *events]
    kinds += ["channel"] * len(config.channels) + ["control"] * len(config.controls) + ["event"] * len(events)
    terms = all_terms(window.draws, window.arrays, specification)
    terms *= inputs.scales.target
    values = np.swapaxes(terms, 1, 2)
    coords = {"date": inputs.dates, "component": names, "kind": ("component", kinds)}
    return xr.DataArray(values, dims=("draw", "date", "component"), coords=coords, name="contribution")


def decomposition_frame(contribution: xr.DataArray) -> pd.DataFrame:
    """Contributions per row and component: date, component, kind, mean, q05, q95."""
    draws = contribution.transpose("draw", "component", "date").to_numpy()  # as they lie in memory
    average = draws.mean(axis=0).T
    low, high = np.swapaxes(quantiles(draws, [0.05, 0.95]), 1, 2)
    dates = contribution["date"].to_numpy()
    components, kinds = contribution["component"].to_numpy(), contribution["kind"].to_numpy()
    return pd.DataFrame(
        {
            "date": np.repeat(dates, len(components)),
            "component": np.tile(components, len(dates)),
            "kind": np.tile(kinds, len(dates)),
            "mean": average.ravel(),
            "q05": low.ravel(),
            "q95": high.ravel(),
        }
    )


def multiplier_frame(window: FittedWindow) -> pd.DataFrame | None:
    """Time variation of the media effect: date, mean, q05, q95 (1 = average); None without time variation."""
    if window.specification.media_process is None:
        return None
    arrays, specification, xp = window.arrays, window.specification, numpy_functions()
    draws: Floats = np.concatenate(
        [media_multiplier(chunk, arrays, specification, xp) for chunk in draw_chunks(window.draws)]
    )
    low, high = quantiles(draws, [0.05, 0.95])
    return pd.DataFrame({"date": window.inputs.dates, "mean": draws.mean(axis=0), "q05": low, "q95": high})
