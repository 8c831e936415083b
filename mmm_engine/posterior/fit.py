"""Fitting: the posterior of one window, drawn with NUTS on compiled code.

Here: `fit`, the form of a posterior, and drawing again where effective samples miss their target.
Not here: compilation (log_density.py), the sampler (nuts.py), what parameters mean in original units (results/).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mmm_engine.array_types import Array, Floats
from mmm_engine.client.config import SamplerConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.specification import ModelSpecification, model_specification
from mmm_engine.posterior.diagnostics import attach_summary, parameter_summary
from mmm_engine.posterior.effort import next_attempt
from mmm_engine.posterior.explanations import (
    Explanation,
    explanations,
    mixture,
    places_attributes,
    worst_of_each,
)
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.geometry import TrainingData, training_data
from mmm_engine.posterior.labels import parameter_group
from mmm_engine.posterior.log_density import CompiledLogDensity, compile_log_density
from mmm_engine.posterior.mode import about_mode
from mmm_engine.posterior.nuts import cores_for, sample
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.rows.window import ScaledInputs, constant_in_training
from mmm_engine.version import ENGINE_VERSION

logger = logging.getLogger(__name__)

_WIDE = 2.0  # how far chains start from the centre where others disagreed


def fit(
    inputs: ScaledInputs,
    *,
    sampler: SamplerConfig | None = None,
    label: str = "",
    progress: ProgressListener | None = None,
    coordinates: str = "decorrelating",
) -> FittedWindow:
    """The posterior of a window's training rows.

    Args:
        inputs: The window; only its training rows are looked at.
        sampler: Draws, tuning, chains, seed; the client's own settings when None.
        label: Shown with the progress.
        progress: Called a few times a second, from another thread.
        coordinates: "decorrelating" or "plain" (coordinate_choice.py); the posterior is the same.

    Returns:
        The window with its posterior: groups `posterior` (model space; dims chain, draw and channel, control, ... by
        name) and `sample_stats`; the root attributes say what was fitted with what.

    Raises:
        FitError: If no chain finds a finite log density, the draws are not finite, or the time budget is spent.
    """
    settings = sampler or inputs.config.sampler
    specification = model_specification(inputs.config, inputs.calendar.period)
    density = compile_log_density(specification, coordinates)
    train = about_mode(density, training_data(inputs, specification))
    name = label or f"{inputs.config.client} {inputs.window}"
    logger.info(
        "Sampling %s with %d chains, %d draws and %d tuning steps.",
        name,
        settings.chains,
        settings.draws,
        settings.tune,
    )
    start = time.perf_counter()
    spread = 1.0
    while True:
        draws, stats = sample(density, train, settings, name, progress, spread)
        parameters = density.coordinates.parameters(draws, train, numpy_functions())
        window = FittedWindow(inputs, _tree(parameters, stats, inputs, specification), specification)
        divergence_rate = float(stats["diverging"].mean())
        more = next_attempt(window.parameter_summary, divergence_rate, settings, inputs.config.thresholds)
        if more is None:
            break
        spread = _WIDE if more.settings.chains > settings.chains else spread
        settings = more.settings
        logger.info(
            "Drawing %s again, %d chains of %d draws: %s.", name, settings.chains, settings.draws, more.reason
        )
    places: list[Explanation] = []
    if spread > 1.0 and window.parameter_summary["rhat"].max() > inputs.config.thresholds.rhat_max:
        places = explanations(
            draws, {name: np.asarray(values) for name, values in parameters.items()}, train, specification
        )
    if places:
        logger.info("The chains of %s settled in %d places; they are stacked.", name, len(places))
        window = _stacked(window, places, draws, settings, density, train)
    seconds = time.perf_counter() - start
    attributes = _attributes(inputs, settings, density, seconds, name)
    window.posterior.attrs = attributes | places_attributes(places, inputs.config.channel_names)
    logger.info("Sampling of %s took %.1f s, %d divergences.", name, seconds, int(stats["diverging"].sum()))
    return window


def _stacked(
    window: FittedWindow,
    places: list[Explanation],
    draws: Floats,
    settings: SamplerConfig,
    density: CompiledLogDensity,
    train: TrainingData,
) -> FittedWindow:
    """The window with draws of the mixture of all places, and the worst diagnostics of any of them."""
    inputs, specification = window.inputs, window.specification
    mixed = density.coordinates.parameters(mixture(places, draws, settings.seed), train, numpy_functions())
    stats = {str(name): values.to_numpy() for name, values in window.posterior["sample_stats"].items()}
    posterior = _tree(mixed, stats, inputs, specification)
    summaries = [
        parameter_summary(window.posterior.isel(chain=list(place.chains), missing_dims="ignore"))
        for place in places
    ]
    summary = worst_of_each(summaries, parameter_summary(posterior))
    return FittedWindow(inputs, attach_summary(posterior, summary), specification)


def _tree(
    parameters: Mapping[str, Array],
    stats: dict[str, NDArray[Any]],
    inputs: ScaledInputs,
    specification: ModelSpecification,
) -> xr.DataTree:
    posterior = parameter_group(parameters, inputs.config, specification)
    sample_stats = xr.Dataset({name: (("chain", "draw"), value) for name, value in stats.items()})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": sample_stats})


def _attributes(
    inputs: ScaledInputs, settings: SamplerConfig, density: CompiledLogDensity, seconds: float, label: str
) -> dict[str, Any]:
    return {
        "client": inputs.config.client,
        "window": inputs.window.name,
        "label": label,
        "cutoff": inputs.cutoff.isoformat(),
        "train_rows": inputs.train_rows,
        "data_version": inputs.data_version,
        "config_version": inputs.config.config_version,
        "engine_version": ENGINE_VERSION,
        "draws": settings.draws,
        "tune": settings.tune,
        "chains": settings.chains,
        "target_accept": settings.target_accept,
        "seed": settings.seed,
        "cores": cores_for(settings),
        "compile_seconds": round(density.compile_seconds, 3),
        "sample_seconds": round(seconds, 3),
        "constant_in_training": json.dumps(constant_in_training(inputs)),
    }
