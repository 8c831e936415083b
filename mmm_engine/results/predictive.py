"""From posterior draws to the target: predictions and contributions in original units, train and held-out rows alike.

Here: the only place where draws leave model space. All rows of a window are computed together, so the adstock of the
first held-out row sees the last training rows.
Not here: scores of predictions (metrics.py), money per channel (returns.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.mean import media_multiplier, model_data
from mmm_engine.model.specification import ModelStructure, model_structure
from mmm_engine.results.draw_evaluation import all_terms, expected_targets
from mmm_engine.rows.window import ScaledInputs

Floats = NDArray[np.float64]

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
_CHUNK = 32  # draws evaluated at once: bounds memory, and stays in the processor's cache


@dataclass(frozen=True)
class Prediction:
    """Posterior predictive draws of every row of a window, original units.

    Attributes:
        dates: Shape (date,).
        split: "train" or "test", shape (date,).
        mean_draws: Expected target per draw, shape (draw, date).
        draws: With observation noise, shape (draw, date).
    """

    dates: pd.DatetimeIndex
    split: NDArray[np.str_]
    mean_draws: Floats
    draws: Floats


def predict(posterior: xr.DataTree, inputs: ScaledInputs, *, seed: int | None = None) -> Prediction:
    """Posterior predictive draws of the training and the held-out rows.

    Args:
        posterior: Output of `sampler.fit`.
        inputs: The window it was fitted on; rows after the training rows are predicted.
        seed: Seed of the observation noise; that of the fit when None.
    """
    structure = model_structure(inputs.config)
    values = flat_draws(posterior)
    location = expected_targets(values, model_data(inputs, structure), structure)
    rng = np.random.default_rng(posterior.attrs.get("seed", 0) if seed is None else seed)
    scale = inputs.scales.target
    drawn = draw_targets(location, values, structure, rng)
    expected = expected_target(location, values, structure)
    return Prediction(inputs.dates, inputs.split, expected * scale, drawn * scale)


def predictive_frame(prediction: Prediction, inputs: ScaledInputs) -> pd.DataFrame:
    """Actual target and predictive quantiles per row: date, split, actual, mean, q05, q25, q50, q75, q95, pit.

    ``pit``, the probability integral transform, is the share of draws below the actual value: uniform on [0, 1] over
    rows that the model has not seen when its forecasts are right about their own uncertainty.
    """
    quantiles = np.quantile(prediction.draws, list(QUANTILES.values()), axis=0)
    return pd.DataFrame(
        {
            "date": prediction.dates,
            "split": prediction.split,
            "actual": inputs.target,
            "mean": prediction.mean_draws.mean(axis=0),
            **dict(zip(QUANTILES, quantiles, strict=True)),
            "pit": (prediction.draws < inputs.target).mean(axis=0),
        }
    )


def contributions(posterior: xr.DataTree, inputs: ScaledInputs) -> xr.DataArray:
    """What each term adds to the target, original units, dims (draw, date, component).

    Components are "baseline", "seasonality" and "trend" where the model has them, the channels, the controls and the
    events; their sum is the expected target of `predict`, but for what a likelihood that ends at 0 adds to it near 0.
    The coordinate `kind` says which is which: baseline, seasonality, trend, channel, control or event.
    """
    structure = model_structure(inputs.config)
    config = inputs.config
    names, kinds = ["baseline"], ["baseline"]
    if structure.fourier_order:
        names, kinds = [*names, "seasonality"], [*kinds, "seasonality"]
    if structure.changepoints:
        names, kinds = [*names, "trend"], [*kinds, "trend"]
    events = [event.name for event in config.model.events]
    names += [*config.channel_names, *config.control_names, *events]
    kinds += ["channel"] * len(config.channels) + ["control"] * len(config.controls) + ["event"] * len(events)
    terms = all_terms(flat_draws(posterior), model_data(inputs, structure), structure)
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
    structure = model_structure(inputs.config)
    if structure.media_process is None:
        return None
    data, xp = model_data(inputs, structure), numpy_functions()
    values = flat_draws(posterior)
    draws: Floats = np.concatenate(
        [media_multiplier(chunk, data, structure, xp) for chunk in draw_chunks(values)]
    )
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    return pd.DataFrame({"date": inputs.dates, "mean": draws.mean(axis=0), "q05": low, "q95": high})


def flat_draws(posterior: xr.DataTree) -> dict[str, Floats]:
    """Parameters by name with chains joined, each of shape (draw, ...), model space."""
    draws = {}
    for name, array in posterior["posterior"].data_vars.items():
        values = array.to_numpy()
        draws[str(name)] = values.reshape(-1, *values.shape[2:])
    return draws


def draw_chunks(values: dict[str, Floats]) -> Iterator[dict[str, Floats]]:
    """The same draws in blocks that fit the processor's cache."""
    total = len(next(iter(values.values())))
    for start in range(0, total, _CHUNK):
        yield {name: value[start : start + _CHUNK] for name, value in values.items()}


def draw_targets(
    location: Floats, values: dict[str, Floats], structure: ModelStructure, rng: np.random.Generator
) -> Floats:
    """Random targets around the sum of all terms, model space, shape (draw, date).

    Args:
        location: Sum of all terms, shape (draw, date).
        values: Parameters by name, shape (draw, ...).
        structure: The model.
        rng: Source of randomness.
    """
    from scipy.special import ndtr, ndtri

    sigma = _noise_sd(values, structure)
    if structure.likelihood == "Normal":
        return np.asarray(location + rng.standard_normal(location.shape) * sigma)
    if structure.likelihood == "TruncatedNormal":
        # by inversion in the upper tail, which is exact also where almost all of the normal lies below 0
        above = ndtr(location / sigma)
        drawn = location - sigma * ndtri(above * (1.0 - rng.uniform(size=location.shape)))
        return np.asarray(np.maximum(drawn, 0.0))
    constants = dict(structure.likelihood_constants)
    nu = values["y_nu"][:, None] if "y_nu" in values else constants["nu"]
    return np.asarray(location + rng.standard_t(nu, location.shape) * sigma)


def expected_target(location: Floats, values: dict[str, Floats], structure: ModelStructure) -> Floats:
    """Mean of the target given the sum of all terms, model space, shape (draw, date).

    It is that sum, except where a likelihood ends at 0: what would lie below is spread above.
    """
    from scipy.special import log_ndtr

    if structure.likelihood != "TruncatedNormal":
        return location
    sigma = _noise_sd(values, structure)
    standardised = location / sigma
    log_density = -0.5 * standardised**2 - 0.5 * np.log(2.0 * np.pi)
    return np.asarray(location + sigma * np.exp(log_density - log_ndtr(standardised)))


def _noise_sd(values: dict[str, Floats], structure: ModelStructure) -> Floats | float:
    return (
        values["y_sigma"][:, None] if "y_sigma" in values else dict(structure.likelihood_constants)["sigma"]
    )
