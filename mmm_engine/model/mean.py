"""The model: the arrays it is fed with and the one formula of its mean and likelihood.

Here: `ModelData`, and `mean_terms`, which the sampler differentiates and predictions evaluate.
Not here: terms and priors (structure.py), sampling (kernel.py, sampler.py), original units (predict.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmm_engine.model.calendar_terms import dates_of, event_occurrences, lift_arrays, trend_hinges
from mmm_engine.model.media_transforms import (
    SATURATIONS,
    adstock,
    fourier_modes,
    half_points,
    hsgp_basis,
    hsgp_frequencies,
    lagged,
    matern52_sqrt_density,
    softplus_multiplier,
)
from mmm_engine.model.priors import assemble
from mmm_engine.model.specification import MediaGroup, ModelStructure, TimeProcess
from mmm_engine.rows.window import ScaledInputs

Floats = NDArray[np.float64]
Array = Any  # a numpy array or an expression

HALF_WIDTH_PER_ROW = 1.5
_NODES = (np.arange(8) + 0.5) / 8
_TYPICAL_LENGTH = 5.0  # rows; only which axes the coordinates take hangs on it


@dataclass(frozen=True)
class ModelData:
    """The arrays a structure is fed with, in model space.

    Attributes:
        media_lagged: Shape (lag, date, channel).
        controls: Shape (date, control).
        fourier: Shape (date, 2 * order).
        media_basis: Shape (date, basis).
        media_frequencies: Shape (basis,).
        intercept_basis: Shape (date, basis).
        intercept_frequencies: Shape (basis,).
        trend: Hinges at the changepoints, shape (date, changepoint).
        event_days: Days to the nearest day of each occurrence of an event, shape (date, occurrence).
        event_members: 1 where an occurrence is one of an event, else 0, shape (occurrence, event).
        lift_from: Media before each lift test, in the channel's column, else 0, shape (test, channel).
        lift_to: The same after it.
        lift_rows: 1 at the row of each test, else 0, shape (test, date).
        lift_gain: What each test brought, shape (test,).
        lift_sigma: Its standard error, shape (test,).
        half_point: What `transforms.half_points` says of the training rows, shape (channel,); the sampler's
            coordinates use it, the model does not.
        media_nodes: Evenly spaced quantiles of the training rows per channel, shape (node, channel); for the same.
        media_rotation: Axes of the time-varying curve by how far they move it, shape (basis, basis); for the same.
        intercept_rotation: Shape (basis, basis); for the same.
        training: 1 over the number of training rows in these rows, else 0: weights of a mean, shape (date,).
        target: Shape (date,).
    """

    media_lagged: Array
    controls: Array
    fourier: Array
    media_basis: Array
    media_frequencies: Array
    intercept_basis: Array
    intercept_frequencies: Array
    trend: Array
    event_days: Array
    event_members: Array
    lift_from: Array
    lift_to: Array
    lift_rows: Array
    lift_gain: Array
    lift_sigma: Array
    half_point: Array
    media_nodes: Array
    media_rotation: Array
    intercept_rotation: Array
    training: Array
    target: Array

    def arrays(self) -> dict[str, Array]:
        """The arrays by name, in the fixed order in which compiled code takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


ARRAY_AXES = {
    "media_lagged": ("lag", "rows", "channel"),
    "controls": ("rows", "control"),
    "fourier": ("rows", "fourier_mode"),
    "media_basis": ("rows", "media_basis"),
    "media_frequencies": ("media_basis",),
    "intercept_basis": ("rows", "intercept_basis"),
    "intercept_frequencies": ("intercept_basis",),
    "trend": ("rows", "changepoint"),
    "event_days": ("rows", "occurrences"),
    "event_members": ("occurrences", "event"),
    "lift_from": ("tests", "channel"),
    "lift_to": ("tests", "channel"),
    "lift_rows": ("tests", "rows"),
    "lift_gain": ("tests",),
    "lift_sigma": ("tests",),
    "half_point": ("channel",),
    "media_nodes": ("node", "channel"),
    "media_rotation": ("media_basis", "media_basis"),
    "intercept_rotation": ("intercept_basis", "intercept_basis"),
    "training": ("rows",),
    "target": ("rows",),
}
"""Names of the axes of each array of `ModelData`, in its order."""

RUNTIME_AXES = ("rows", "occurrences", "tests")
"""Axes whose lengths come with the data; the structure knows the others (`axis_sizes`)."""


def axis_sizes(structure: ModelStructure) -> dict[str, int]:
    """Lengths of the axes that a structure fixes."""
    return {
        "lag": structure.max_lag,
        "channel": structure.n_channels,
        "control": structure.n_controls,
        "fourier_mode": 2 * structure.fourier_order,
        "media_basis": structure.media_process.n_basis if structure.media_process else 0,
        "intercept_basis": structure.intercept_process.n_basis if structure.intercept_process else 0,
        "changepoint": structure.changepoints,
        "event": structure.n_events,
        "node": len(_NODES),
    }


@dataclass(frozen=True)
class MeanTerms:
    """The additive terms of the mean, model space; their sum is the mean.

    Attributes:
        intercept: Shape (..., date) or (..., 1).
        media: Shape (..., date, channel), time variation included.
        controls: Shape (..., date, control).
        seasonality: Shape (..., date), or None.
        trend: Shape (..., date), or None.
        events: Shape (..., date, event), or None.
        multiplier: Time variation of the media, shape (..., date), or None.
    """

    intercept: Array
    media: Array
    controls: Array
    seasonality: Array | None
    trend: Array | None
    events: Array | None
    multiplier: Array | None


# --- data -----------------------------------------------------------------------------------------


def model_data(inputs: ScaledInputs, structure: ModelStructure) -> ModelData:
    """Arrays of all rows of a window, train then test: carry-over crosses the cutoff by itself."""
    rows = len(inputs.dates)
    fourier = np.zeros((rows, 0))
    if structure.fourier_order:
        fourier = fourier_modes(inputs.dates.day_of_year.to_numpy(float), structure.fourier_order)
    media_basis, media_frequencies = _process_basis(structure.media_process, rows, inputs.train_rows)
    intercept_basis, intercept_frequencies = _process_basis(
        structure.intercept_process, rows, inputs.train_rows
    )
    event_days, event_members = event_occurrences(inputs)
    return ModelData(
        media_lagged=lagged(inputs.media_scaled, structure.max_lag),
        controls=inputs.controls_scaled,
        fourier=fourier,
        media_basis=media_basis,
        media_frequencies=media_frequencies,
        intercept_basis=intercept_basis,
        intercept_frequencies=intercept_frequencies,
        trend=trend_hinges(dates_of(inputs), inputs.train_rows, structure.changepoints),
        event_days=event_days,
        event_members=event_members,
        **lift_arrays(inputs),
        half_point=half_points(inputs.media_scaled[: inputs.train_rows]),
        media_nodes=np.quantile(inputs.media_scaled[: inputs.train_rows], _NODES, axis=0),
        media_rotation=_rotation(structure.media_process, inputs.train_rows),
        intercept_rotation=_rotation(structure.intercept_process, inputs.train_rows),
        training=np.where(np.arange(rows) < inputs.train_rows, 1.0 / inputs.train_rows, 0.0),
        target=inputs.target_scaled,
    )


def training_data(data: ModelData, train_rows: int) -> ModelData:
    """The training rows of `model_data`."""
    return replace(
        data,
        media_lagged=data.media_lagged[:, :train_rows],
        controls=data.controls[:train_rows],
        fourier=data.fourier[:train_rows],
        media_basis=data.media_basis[:train_rows],
        intercept_basis=data.intercept_basis[:train_rows],
        trend=data.trend[:train_rows],
        event_days=data.event_days[:train_rows],
        lift_rows=data.lift_rows[:, :train_rows],
        training=data.training[:train_rows],
        target=data.target[:train_rows],
    )


def _process_basis(process: TimeProcess | None, rows: int, train_rows: int) -> tuple[Floats, Floats]:
    if process is None:
        return np.zeros((rows, 0)), np.zeros(0)
    width = half_width(process, train_rows)
    basis = hsgp_basis(np.arange(rows, dtype=float), (train_rows - 1) / 2.0, width, process.n_basis)
    return basis, hsgp_frequencies(width, process.n_basis)


@lru_cache(maxsize=64)
def _rotation(process: TimeProcess | None, train_rows: int) -> Floats:
    """Orthonormal columns, the directions of the coefficients that move a curve most first.

    Only what varies over the rows counts: a curve's level is divided out. They hang on the number of rows alone, so
    that every reader of a window shares one (read-only) array.
    """
    basis, frequencies = _process_basis(process, train_rows, train_rows)
    weights = matern52_sqrt_density(frequencies, 1.0, _TYPICAL_LENGTH, np)
    _, _, axes = np.linalg.svd((basis - basis.mean(axis=0)) * weights, full_matrices=True)
    axes.flags.writeable = False
    return np.asarray(axes.T)


def half_width(process: TimeProcess, train_rows: int) -> float:
    """Half-width L of the basis of a time-varying term, in rows."""
    return process.half_width or HALF_WIDTH_PER_ROW * train_rows


# --- mean -----------------------------------------------------------------------------------------


def mean_terms(values: Mapping[str, Array], data: ModelData, structure: ModelStructure, xp: Any) -> MeanTerms:
    """The terms of the mean, in model space.

    Args:
        values: Parameters by name, shape (...,) for scalars and (..., size) otherwise; `...` are draws or nothing.
        data: Arrays of the rows wanted.
        structure: The model.
        xp: Array functions (arrays.py).
    """
    media = saturated_media(values, adstocked_media(values, data, structure, xp), structure, xp)
    multiplier = media_multiplier(values, data, structure, xp)
    media = media if multiplier is None else media * multiplier[..., None]
    intercept, seasonality, trend = baseline_terms(values, data, structure, xp)
    controls = (
        data.controls * values["gamma_control"][..., None, :] if structure.n_controls else data.controls * 0.0
    )
    events = _event_effects(values, data, xp) if structure.n_events else None
    return MeanTerms(intercept, media, controls, seasonality, trend, events, multiplier)


def media_multiplier(
    values: Mapping[str, Array], data: ModelData, structure: ModelStructure, xp: Any
) -> Array:
    """Time variation of the media, shape (..., date), None without; arguments are those of `mean_terms`."""
    if structure.media_process is None:
        return None
    return _process(values, structure.media_process, data.media_basis, data.media_frequencies, data, xp)


def baseline_terms(
    values: Mapping[str, Array], data: ModelData, structure: ModelStructure, xp: Any
) -> tuple[Array, Array | None, Array | None]:
    """Intercept, seasonality and trend as `mean_terms` has them; arguments are those of `mean_terms`."""
    intercept = values["intercept"][..., None]
    if structure.intercept_process is not None:
        intercept = intercept * _process(
            values,
            structure.intercept_process,
            data.intercept_basis,
            data.intercept_frequencies,
            data,
            xp,
        )
    seasonality = values["gamma_fourier"] @ data.fourier.T if structure.fourier_order else None
    trend = values["trend_delta"] @ data.trend.T if structure.changepoints else None
    return intercept, seasonality, trend


def mean(terms: MeanTerms) -> Array:
    """The mean, shape (..., date), model space: the sum of its terms."""
    total = terms.intercept + terms.media.sum(axis=-1) + terms.controls.sum(axis=-1)
    for term in (terms.seasonality, terms.trend):
        total = total if term is None else total + term
    return total if terms.events is None else total + terms.events.sum(axis=-1)


def adstocked_media(
    values: Mapping[str, Array], data: ModelData, structure: ModelStructure, xp: Any
) -> Array:
    """Media with carry-over, shape (..., date, channel)."""
    pieces = []
    for group in structure.adstocks:
        parameters = {short: values[name][..., None, :] for short, name in group.parameters}
        media = (
            data.media_lagged
            if len(structure.adstocks) == 1
            else data.media_lagged[:, :, list(group.channels)]
        )
        pieces.append(adstock(media, group.kind, parameters, group.max_lag, xp))
    return _in_channel_order(pieces, structure.adstocks, xp)


def saturated_media(values: Mapping[str, Array], media: Array, structure: ModelStructure, xp: Any) -> Array:
    """Response of each channel to (adstocked) media, shape (..., date, channel)."""
    pieces = []
    for group in structure.saturations:
        shape = saturation_shape(media, values, group, structure, xp)
        scale = SATURATIONS[group.kind].scale
        pieces.append(shape if scale is None else values[dict(group.parameters)[scale]][..., None, :] * shape)
    return _in_channel_order(pieces, structure.saturations, xp)


def saturation_shape(
    media: Array, values: Mapping[str, Array], group: MediaGroup, structure: ModelStructure, xp: Any
) -> Array:
    """Response of a group's channels up to their scale, shape (..., date, channel of the group)."""
    saturation = SATURATIONS[group.kind]
    parameters = {
        short: values[name][..., None, :] for short, name in group.parameters if short != saturation.scale
    }
    own = media if len(structure.saturations) == 1 else media[..., list(group.channels)]
    return saturation.shape(own, parameters, xp)


def _in_channel_order(pieces: list[Array], groups: tuple[MediaGroup, ...], xp: Any) -> Array:
    if len(pieces) == 1:
        return pieces[0]
    order = np.argsort([channel for group in groups for channel in group.channels])
    return xp.concatenate(_same_leading_shape(pieces, xp), axis=-1)[..., order]


def _same_leading_shape(pieces: list[Array], xp: Any) -> list[Array]:
    """Pieces whose draws axis may be missing (a kernel without parameters), made to agree."""
    widest = max(pieces, key=lambda piece: piece.ndim)
    return [
        piece if piece.ndim == widest.ndim else piece + xp.zeros_like(widest[..., :1]) for piece in pieces
    ]


def _event_effects(values: Mapping[str, Array], data: ModelData, xp: Any) -> Array:
    """A Gaussian bump around the days of each occurrence, shape (..., date, event); the size is the area under it."""
    sigma = values["event_sigma"][..., None, None]
    bumps = xp.exp(-0.5 * (data.event_days / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
    return (bumps @ data.event_members) * values["event_effect_size"][..., None, :]


def _process(
    values: Mapping[str, Array],
    process: TimeProcess,
    basis: Array,
    frequencies: Array,
    data: ModelData,
    xp: Any,
) -> Array:
    eta = values[f"{process.name}_raw_eta"][..., None]
    length_scale = values[f"{process.name}_raw_ls"][..., None]
    offsets = values[f"{process.name}_raw_hsgp_coefs_offset"]
    # eta outside: the sampler's coordinates need the curve of size one too
    latent = eta * ((offsets * matern52_sqrt_density(frequencies, 1.0, length_scale, xp)) @ basis.T)
    return softplus_multiplier(latent, data.training, xp)


def log_likelihood(values: Mapping[str, Array], data: ModelData, structure: ModelStructure, xp: Any) -> Array:
    """Log likelihood of the target of `data` and of the lift tests, a number.

    Constants are kept, so that the value equals PyMC's.
    """
    terms = mean_terms(values, data, structure, xp)
    expected = mean(terms)
    arguments = dict(structure.likelihood_constants)
    sigma = values["y_sigma"] if "y_sigma" in values else arguments["sigma"]
    rows = data.target.shape[0]
    squares = ((data.target - expected) / sigma) ** 2
    lifts = _lift_likelihood(values, data, structure, terms, xp) if structure.calibrated else 0.0
    if structure.likelihood == "StudentT":
        nu = values["y_nu"] if "y_nu" in values else arguments["nu"]
        constant = (
            xp.gammaln((nu + 1.0) / 2.0) - xp.gammaln(nu / 2.0) - 0.5 * xp.log(nu * math.pi) - xp.log(sigma)
        )
        return lifts + rows * constant - 0.5 * (nu + 1.0) * xp.log1p(squares / nu).sum()
    normal = -0.5 * squares.sum() - rows * (xp.log(sigma) + 0.5 * math.log(2.0 * math.pi))
    if structure.likelihood == "TruncatedNormal":
        normal = normal - xp.log(_share_above_zero(expected / sigma, xp)).sum()
    return lifts + normal


def _share_above_zero(standardised: Array, xp: Any) -> Array:
    """Mass of a normal distribution above 0, from its mean in standard deviations; never 0."""
    return xp.maximum(0.5 * xp.erfc(-standardised / math.sqrt(2.0)), 1e-300)


def lift_gains(
    values: Mapping[str, Array], data: ModelData, structure: ModelStructure, terms: MeanTerms, xp: Any
) -> Array:
    """What each lift test should have brought, model space, shape (..., test).

    A step along the channel's curve, at the strength media has in the period of the test; carry-over plays no part.
    """
    after = saturated_media(values, data.lift_to, structure, xp)
    gain = (after - saturated_media(values, data.lift_from, structure, xp)).sum(axis=-1)
    return gain if terms.multiplier is None else gain * (terms.multiplier @ data.lift_rows.T)


def _lift_likelihood(
    values: Mapping[str, Array], data: ModelData, structure: ModelStructure, terms: MeanTerms, xp: Any
) -> Array:
    squares = ((data.lift_gain - lift_gains(values, data, structure, terms, xp)) / data.lift_sigma) ** 2
    return -0.5 * squares.sum() - xp.log(data.lift_sigma * math.sqrt(2.0 * math.pi)).sum()


def parameter_values(structure: ModelStructure, variables: Mapping[str, Array], xp: Any) -> dict[str, Array]:
    """Parameters by name from the free variables that carry them."""
    return {parameter.name: assemble(parameter, variables, xp) for parameter in structure.parameters}
