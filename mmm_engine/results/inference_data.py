"""A fit as ArviZ has it: one tree with a group for each thing that is known of the model.

Here: `inference_data` of a fitted window, `prior_predictive` of one that need not be fitted, labels of predictions.
Not here: what the platform stores of a fit (posterior/fitted_window.py).

Names follow pymc-marketing: the target is `y`, its rows the dimension `date`. Parameters are in model space, as they
were sampled; the target and everything about its rows are in original units.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.array_types import Floats
from mmm_engine.model.arrays import ModelData, first_rows, model_data
from mmm_engine.model.likelihood import draw_targets, row_log_likelihood
from mmm_engine.model.prior_draws import draw_parameters
from mmm_engine.model.specification import ModelSpecification, model_specification
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.labels import parameter_group
from mmm_engine.results.draw_evaluation import expected_targets
from mmm_engine.results.predictive import Prediction
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.version import ENGINE_VERSION

TARGET = "y"
_SAMPLE = ("chain", "draw")


def inference_data(window: FittedWindow, prediction: Prediction) -> xr.DataTree:
    """Everything that ArviZ asks of a fit, for the training rows.

    Args:
        window: The fitted window.
        prediction: Output of `predict` for it.

    Returns:
        A tree whose groups have the coordinates chain, draw, date, channel, control, ...:

        - `posterior` and `prior`: parameters, model space;
        - `sample_stats`: of the sampler (lp, diverging, energy, ...), and whatever else was stored with the draws;
        - `posterior_predictive` and `prior_predictive`: `y` with noise, original units, (chain, draw, date);
        - `observed_data`: `y`, original units, (date,);
        - `log_likelihood`: log density of each observed `y` in its original unit, (chain, draw, date), without lift
          tests. With z = y / s, where s is the target's scale, it is log p(z) - log s; so fits with other scales
          can be compared;
        - `constant_data`: media and controls of the training rows, original units, and the scales of all columns.
    """
    inputs, specification = window.inputs, window.specification
    groups = {name: _numbered(group.to_dataset()) for name, group in window.posterior.children.items()}
    sizes = window.posterior["posterior"].sizes
    rows = inputs.train_rows
    location = expected_targets(window.draws, window.training_arrays, specification)
    scaled = row_log_likelihood(inputs.target_scaled[:rows], location, window.draws, specification)
    shape = (sizes["chain"], sizes["draw"])
    groups["posterior_predictive"] = _of_rows(prediction.draws[:, :rows], inputs, shape)
    groups["log_likelihood"] = _of_rows(scaled - np.log(inputs.scales.target), inputs, shape)
    seed = int(window.posterior.attrs.get("seed", 0))
    groups |= _prior_groups(
        window.prior_draws, window.training_arrays, inputs, specification, np.random.default_rng(seed)
    )
    groups |= _data_groups(inputs)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(window.posterior.attrs)
    return tree


def prior_predictive(inputs: ScaledInputs, draws: int = 1000, seed: int = 1) -> xr.DataTree:
    """What the model expects before it has seen the target: draws from the priors, and targets that follow from them.

    Args:
        inputs: The window; of the target only its scale counts.
        draws: How many.
        seed: Of the draws.

    Returns:
        Groups `prior`, `prior_predictive`, `observed_data` and `constant_data`, as `inference_data` has them.
    """
    specification = model_specification(inputs.config, inputs.calendar.period)
    arrays = first_rows(model_data(inputs, specification), inputs.train_rows)
    rng = np.random.default_rng(seed)
    values = draw_parameters(specification, arrays, draws, rng)
    tree = xr.DataTree.from_dict(
        _prior_groups(values, arrays, inputs, specification, rng) | _data_groups(inputs)
    )
    tree.attrs = {"client": inputs.config.client, "engine_version": ENGINE_VERSION, "seed": seed}
    return tree


def labelled_draws(draws: Floats, dates: pd.DatetimeIndex, posterior: xr.DataTree) -> xr.DataArray:
    """Draws of the target with the chain and the draw that each came from, as pymc-marketing labels predictions.

    Args:
        draws: Shape (sample, date), chains one after the other.
        dates: Of the columns.
        posterior: The fit that the draws are from.

    Returns:
        `y` with the dimensions sample, whose index is made of chain and draw, and date.
    """
    sizes = posterior["posterior"].sizes
    pairs = pd.MultiIndex.from_product([range(sizes["chain"]), range(sizes["draw"])], names=_SAMPLE)
    coords = xr.Coordinates.from_pandas_multiindex(pairs, "sample")
    array = xr.DataArray(draws, dims=("sample", "date"), coords=coords, name=TARGET)
    return array.assign_coords(date=dates.to_numpy())


def _prior_groups(
    values: Mapping[str, Floats],
    arrays: ModelData,
    inputs: ScaledInputs,
    specification: ModelSpecification,
    rng: np.random.Generator,
) -> dict[str, xr.Dataset]:
    """Parameters from their priors as one chain, and the targets that follow."""
    drawn = {name: np.asarray(draws, dtype=float) for name, draws in values.items()}
    one_chain = {name: draws[None] for name, draws in drawn.items()}
    location = expected_targets(drawn, arrays, specification)
    targets = draw_targets(location, drawn, specification, rng) * inputs.scales.target
    return {
        "prior": _numbered(parameter_group(one_chain, inputs.config, specification)),
        "prior_predictive": _of_rows(targets, inputs, (1, len(targets))),
    }


def _data_groups(inputs: ScaledInputs) -> dict[str, xr.Dataset]:
    """The training rows in original units."""
    rows, config, scales = inputs.train_rows, inputs.config, inputs.scales
    coords = {
        "date": inputs.dates[:rows],
        "channel": list(config.channel_names),
    }
    media = inputs.media_scaled[:rows] * scales.media_array()
    controls = inputs.controls_scaled[:rows] * scales.control_array()
    constant = {
        "channel_data": (("date", "channel"), media),
        "channel_scale": (("channel",), scales.media_array()),
        "target_scale": ((), scales.target),
    }
    if config.controls:
        coords["control"] = list(config.control_names)
        constant |= {
            "control_data": (("date", "control"), controls),
            "control_scale": (("control",), scales.control_array()),
        }
    observed = xr.Dataset({TARGET: (("date",), inputs.target[:rows])}, coords={"date": coords["date"]})
    return {"observed_data": observed, "constant_data": xr.Dataset(constant, coords=coords)}


def _of_rows(values: Floats, inputs: ScaledInputs, shape: tuple[int, int]) -> xr.Dataset:
    """Values per draw and training row, shape (chain × draw, date), as the variable `y`."""
    rows = inputs.train_rows
    variable = ((*_SAMPLE, "date"), values.reshape(*shape, rows))
    return _numbered(xr.Dataset({TARGET: variable}, coords={"date": inputs.dates[:rows]}))


def _numbered(group: xr.Dataset) -> xr.Dataset:
    """The group with numbers for its chains and draws, where it has some."""
    sizes = {str(name): size for name, size in group.sizes.items()}
    return group.assign_coords({name: np.arange(sizes[name]) for name in _SAMPLE if name in sizes})
