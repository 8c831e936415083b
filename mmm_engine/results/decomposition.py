"""What each term of the mean adds to the target, row by row, in original units.

Not here: predictions (predictive.py), money per channel (returns.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.arrays import model_data
from mmm_engine.model.mean import media_multiplier
from mmm_engine.model.specification import model_specification
from mmm_engine.results.draw_evaluation import all_terms
from mmm_engine.results.draws import draw_chunks, flat_draws
from mmm_engine.rows.window import ScaledInputs


def contributions(posterior: xr.DataTree, inputs: ScaledInputs) -> xr.DataArray:
    """What each term adds to the target, original units, dims (draw, date, component).

    Components are "baseline", "seasonality" and "trend" where the model has them, the channels, the controls and the
    events; their sum is the expected target of `predict`, but for what a likelihood that ends at 0 adds to it near 0.
    The coordinate `kind` says which is which: baseline, seasonality, trend, channel, control or event.
    """
    specification = model_specification(inputs.config)
    config = inputs.config
    names, kinds = ["baseline"], ["baseline"]
    if specification.fourier_order:
        names, kinds = [*names, "seasonality"], [*kinds, "seasonality"]
    if specification.changepoints:
        names, kinds = [*names, "trend"], [*kinds, "trend"]
    events = [event.name for event in config.model.events]
    names += [*config.channel_names, *config.control_names, *events]
    kinds += ["channel"] * len(config.channels) + ["control"] * len(config.controls) + ["event"] * len(events)
    terms = all_terms(flat_draws(posterior), model_data(inputs, specification), specification)
    values = np.swapaxes(terms, 1, 2) * inputs.scales.target
    coords = {"date": inputs.dates, "component": names, "kind": ("component", kinds)}
    return xr.DataArray(values, dims=("draw", "date", "component"), coords=coords, name="contribution")


def decomposition_frame(contribution: xr.DataArray) -> pd.DataFrame:
    """Contributions per row and component: date, component, kind, mean, q05, q95."""
    average = contribution.mean("draw").to_numpy()
    low, high = np.quantile(contribution.to_numpy(), [0.05, 0.95], axis=0)
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


def multiplier_frame(posterior: xr.DataTree, inputs: ScaledInputs) -> pd.DataFrame | None:
    """Time variation of the media effect: date, mean, q05, q95 (1 = average); None without time variation."""
    specification = model_specification(inputs.config)
    if specification.media_process is None:
        return None
    data, xp = model_data(inputs, specification), numpy_functions()
    values = flat_draws(posterior)
    draws: Floats = np.concatenate(
        [media_multiplier(chunk, data, specification, xp) for chunk in draw_chunks(values)]
    )
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    return pd.DataFrame({"date": inputs.dates, "mean": draws.mean(axis=0), "q05": low, "q95": high})
