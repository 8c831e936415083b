"""The mean of the target: a sum of terms, written once.

Here: `mean_terms`, which the sampler differentiates and predictions evaluate, and its parts.
Not here: the arrays it takes (arrays.py), terms and priors (specification.py), the target around the mean
(likelihood.py), original units (results/).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mmm_engine.array_types import Array, ArrayFunctions
from mmm_engine.model.arrays import ModelData
from mmm_engine.model.media_transforms import SATURATIONS, adstock
from mmm_engine.model.parameters import merge_columns
from mmm_engine.model.specification import ModelSpecification
from mmm_engine.model.terms import MediaGroup, TimeProcess
from mmm_engine.model.time_variation import (
    matern52_sqrt_density,
    softplus_multiplier,
)


@dataclass(frozen=True)
class MeanTerms:
    """The additive terms of the mean, model space; their sum is the mean.

    Attributes:
        intercept: Shape (..., date) or (..., 1).
        media: Shape (..., date, channel), time variation included.
        controls: Shape (..., date, control).
        calendar: What follows the calendar by the name of its term, in their order, shape (..., date) each.
        events: Shape (..., date, event), or None.
        multiplier: Time variation of the media, shape (..., date), or None.
    """

    intercept: Array
    media: Array
    controls: Array
    calendar: dict[str, Array]
    events: Array | None
    multiplier: Array | None


# --- mean -----------------------------------------------------------------------------------------


def mean_terms(
    values: Mapping[str, Array], data: ModelData, specification: ModelSpecification, xp: ArrayFunctions
) -> MeanTerms:
    """The terms of the mean, in model space.

    Args:
        values: Parameters by name, shape (...,) for scalars and (..., size) otherwise; `...` are draws or nothing.
        data: Arrays of the rows wanted.
        specification: The model.
        xp: Array functions (compiler/array_functions.py).
    """
    media = saturated_media(values, adstocked_media(values, data, specification, xp), specification, xp)
    multiplier = media_multiplier(values, data, specification, xp)
    media = media if multiplier is None else media * multiplier[..., None]
    intercept, calendar = baseline_terms(values, data, specification, xp)
    controls = (
        data.controls * values["gamma_control"][..., None, :]
        if specification.n_controls
        else data.controls * 0.0
    )
    events = _event_effects(values, data, xp) if specification.n_events else None
    return MeanTerms(intercept, media, controls, calendar, events, multiplier)


def media_multiplier(
    values: Mapping[str, Array], data: ModelData, specification: ModelSpecification, xp: ArrayFunctions
) -> Array | None:
    """Time variation of the media, shape (..., date), None without; arguments are those of `mean_terms`."""
    if specification.media_process is None:
        return None
    return _process(values, specification.media_process, data.media_basis, data.media_frequencies, data, xp)


def baseline_terms(
    values: Mapping[str, Array], data: ModelData, specification: ModelSpecification, xp: ArrayFunctions
) -> tuple[Array, dict[str, Array]]:
    """The intercept and what follows the calendar, as `MeanTerms` has them; arguments are those of `mean_terms`."""
    intercept = values["intercept"][..., None]
    if specification.intercept_process is not None:
        intercept = intercept * _process(
            values,
            specification.intercept_process,
            data.intercept_basis,
            data.intercept_frequencies,
            data,
            xp,
        )
    if specification.baseline_steps:
        line = values["baseline_slope"][..., None] * data.baseline_time[..., 0]
        intercept = intercept + line + values["baseline_step"] @ data.baseline_steps.T
    calendar = {
        term.name: values[term.parameter] @ getattr(data, term.array).T
        for term in specification.calendar_terms
    }
    return intercept, calendar


def mean(terms: MeanTerms) -> Array:
    """The mean, shape (..., date), model space: the sum of its terms."""
    total = terms.intercept + terms.media.sum(axis=-1) + terms.controls.sum(axis=-1)
    for term in terms.calendar.values():
        total = total + term
    return total if terms.events is None else total + terms.events.sum(axis=-1)


def adstocked_media(
    values: Mapping[str, Array], data: ModelData, specification: ModelSpecification, xp: ArrayFunctions
) -> Array:
    """Media with carry-over, shape (..., date, channel)."""
    pieces = []
    for group in specification.adstocks:
        parameters = {short: values[name][..., None, :] for short, name in group.parameters}
        media = (
            data.media_lagged
            if len(specification.adstocks) == 1
            else data.media_lagged[:, :, list(group.channels)]
        )
        pieces.append(adstock(media, group.kind, parameters, group.max_lag, xp))
    return _in_channel_order(pieces, specification.adstocks, xp)


def saturated_media(
    values: Mapping[str, Array], media: Array, specification: ModelSpecification, xp: ArrayFunctions
) -> Array:
    """Response of each channel to (adstocked) media, shape (..., date, channel)."""
    pieces = []
    for group in specification.saturations:
        shape = saturation_shape(media, values, group, specification, xp)
        scale = SATURATIONS[group.kind].scale
        pieces.append(shape if scale is None else values[dict(group.parameters)[scale]][..., None, :] * shape)
    return _in_channel_order(pieces, specification.saturations, xp)


def channel_scales(
    values: Mapping[str, Array], specification: ModelSpecification, xp: ArrayFunctions
) -> Array:
    """The number that multiplies each channel's curve, shape (..., channel); 1 where a curve has none."""
    pieces = []
    for group in specification.saturations:
        names, scale = dict(group.parameters), SATURATIONS[group.kind].scale
        first = values[next(iter(names.values()))]
        pieces.append(xp.ones_like(first) if scale is None else values[names[scale]])
    return _in_channel_order(pieces, specification.saturations, xp)


def saturation_shape(
    media: Array,
    values: Mapping[str, Array],
    group: MediaGroup,
    specification: ModelSpecification,
    xp: ArrayFunctions,
) -> Array:
    """Response of a group's channels up to their scale, shape (..., date, channel of the group)."""
    saturation = SATURATIONS[group.kind]
    parameters = {
        short: values[name][..., None, :] for short, name in group.parameters if short != saturation.scale
    }
    group_media = media if len(specification.saturations) == 1 else media[..., list(group.channels)]
    return saturation.shape(group_media, parameters, xp)


def _in_channel_order(pieces: list[Array], groups: tuple[MediaGroup, ...], xp: ArrayFunctions) -> Array:
    """The channels of all groups, each in its place, shape (..., date, channel)."""
    return merge_columns(_same_leading_shape(pieces, xp), [group.channels for group in groups], xp)


def _same_leading_shape(pieces: list[Array], xp: ArrayFunctions) -> list[Array]:
    """Pieces whose draws axis may be missing (adstock without parameters), made to agree."""
    widest = max(pieces, key=lambda piece: piece.ndim)
    return [
        piece if piece.ndim == widest.ndim else piece + xp.zeros_like(widest[..., :1]) for piece in pieces
    ]


def _event_effects(values: Mapping[str, Array], data: ModelData, xp: ArrayFunctions) -> Array:
    """What each event adds, shape (..., date, event): a Gaussian bump around its days, or its peak in its row.

    The size is the area under the bump. In weekly and monthly rows, whose distance is 0, the peak falls on the rows
    that share days with the event.
    """
    sigma = values["event_sigma"][..., None, None]
    bumps = xp.exp(-0.5 * (data.event_days / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
    return ((bumps * data.event_shares) @ data.event_members) * values["event_effect_size"][..., None, :]


def _process(
    values: Mapping[str, Array],
    process: TimeProcess,
    basis: Array,
    frequencies: Array,
    data: ModelData,
    xp: ArrayFunctions,
) -> Array:
    eta = values[process.amplitude][..., None]
    length_scale = values[process.length_scale][..., None]
    offsets = values[process.coefficients]
    # eta outside: the sampler's coordinates need the curve of size one too
    latent = eta * ((offsets * matern52_sqrt_density(frequencies, 1.0, length_scale, xp)) @ basis.T)
    return softplus_multiplier(latent, data.training, xp)
