"""What the sampler's coordinates know of a window's rows: half-spread points of the media, directions of curves.

Here: `TrainingData`, the model's arrays of the training rows with those that only the coordinates look at; the
posterior does not depend on the latter.
Not here: the coordinates (coordinates.py), the arrays of the model (model/arrays.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmm_engine.array_types import Array, Floats
from mmm_engine.compiler.inputs import declared
from mmm_engine.model import arrays
from mmm_engine.model.arrays import ModelData
from mmm_engine.model.parameters import free_variables
from mmm_engine.model.specification import ModelSpecification
from mmm_engine.posterior.curve_axes import AXES, curve_axes
from mmm_engine.posterior.linear_terms import affine_map, linear_parts, regression
from mmm_engine.rows.window import ScaledInputs

_QUANTILE_NODES = (np.arange(8) + 0.5) / 8
_MISSED = 0.1  # of the mean of the top eighth of rows, below which its quantile misses what the channel does
_MOST_POSITIONS = 400  # the map's product grows with their square: a tenth of a gradient at 114
_HALF_POINTS = np.concatenate([[0.0], np.geomspace(1e-3, 10.0, 60)])  # media have a maximum of one


@dataclass(frozen=True)
class TrainingData(ModelData):
    """The training rows as the log density takes them: the model's arrays and those of the coordinates."""

    half_point: Array = declared("channel")
    """What `half_points` says of the media."""
    media_nodes: Array = declared("node", "channel")
    """What `media_nodes` takes of the media."""
    media_axes: Array = declared("media_basis", "media_axis")
    """Directions of the time-varying curve of the media of which the rows say most (curve_axes.py)."""
    media_axis_precision: Array = declared("media_axis")
    media_score: Array = declared("media_basis")
    media_answer: Array = declared("linear", "media_basis")
    intercept_axes: Array = declared("intercept_basis", "intercept_axis")
    intercept_axis_precision: Array = declared("intercept_axis")
    intercept_score: Array = declared("intercept_basis")
    intercept_answer: Array = declared("linear", "intercept_basis")
    linear_map: Array = declared("linear", "linear")
    """From independent coordinates to the coefficients of linear terms (linear_terms.py)."""
    linear_centre: Array = declared("linear")
    """Where those coordinates are 0."""
    mode_map: Array = declared("position", "position")
    """From what the sampler moves in to the coordinates (mode.py); the identity where no mode was looked for."""
    mode: Array = declared("position")
    """Where the coordinates are when what the sampler moves in is 0; empty in a very large model, as is the map."""


def positions_about_mode(specification: ModelSpecification) -> int:
    """How many coordinates are taken from the mode: all of a model's, or none of those of a very large one."""
    positions = sum(len(part.indices) for part in free_variables(specification.parameters))
    return positions if positions <= _MOST_POSITIONS else 0


def axis_sizes(specification: ModelSpecification) -> dict[str, int]:
    """Lengths of the axes of `TrainingData` that a specification fixes."""
    sizes = arrays.axis_sizes(specification)
    return sizes | {
        "position": positions_about_mode(specification),
        "node": len(_QUANTILE_NODES),
        "media_axis": min(AXES, sizes["media_basis"]),
        "intercept_axis": min(AXES, sizes["intercept_basis"]),
        "linear": sum(len(linear.part.indices) for linear in linear_parts(specification)),
    }


def training_data(inputs: ScaledInputs, specification: ModelSpecification) -> TrainingData:
    """Arrays of the training rows of a window, those of the coordinates included, but without a mode."""
    media = inputs.media_scaled[: inputs.train_rows]
    model = arrays.first_rows(arrays.model_data(inputs, specification), inputs.train_rows)
    parts = linear_parts(specification)
    fitted = regression(parts, model)
    linear_map, linear_centre = affine_map(parts, fitted)
    media_curve, intercept_curve = (
        curve_axes(np.asarray(basis), np.asarray(frequencies), level, fitted, len(linear_centre))
        for basis, frequencies, level in (
            (model.media_basis, model.media_frequencies, relative_media(media)),
            (model.intercept_basis, model.intercept_frequencies, np.ones(len(media))),
        )
    )
    positions = positions_about_mode(specification)
    return TrainingData(
        **model.arrays(),
        mode_map=np.eye(positions),
        mode=np.zeros(positions),
        half_point=half_points(media),
        media_nodes=media_nodes(media),
        linear_map=linear_map,
        linear_centre=linear_centre,
        media_axes=media_curve.axes,
        media_axis_precision=media_curve.precision,
        media_score=media_curve.score,
        media_answer=media_curve.answer,
        intercept_axes=intercept_curve.axes,
        intercept_axis_precision=intercept_curve.precision,
        intercept_score=intercept_curve.score,
        intercept_answer=intercept_curve.answer,
    )


def media_nodes(media: Floats) -> Floats:
    """A few values that stand for a channel's media where the mean of its curve is estimated: evenly spaced quantiles.

    Of a channel that runs, or runs noticeably, in less than a sixteenth of the rows all of them would be about 0, its
    curve would seem to bring nothing, and its scale as the sampler sees it would be out by factors of up to 1e8. Its
    last node is the mean of the top eighth of its rows.

    Args:
        media: Shape (date, channel), model space, not negative.

    Returns:
        Shape (node, channel); zeros for a channel without media.
    """
    nodes = np.quantile(media, _QUANTILE_NODES, axis=0)
    eighth = max(1, len(media) // len(_QUANTILE_NODES))
    top = np.sort(media, axis=0)[-eighth:].mean(axis=0)
    nodes[-1] = np.where(nodes[-1] < _MISSED * top, top, nodes[-1])
    return np.asarray(nodes)


def half_points(media: Floats) -> Floats:
    """Where a Michaelis-Menten curve flattens a channel: the half-saturation point that keeps half of its spread.

    The relative spread of m / (h + m) over the rows, as a part of that of m, falls with h, about as h / (h + c) for a
    channel that always runs. One that pauses keeps most of it whatever the curve: its c is 0.

    Args:
        media: Shape (date, channel), model space, not negative.

    Returns:
        c, >= 0, shape (channel,).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        curves = media / (media + _HALF_POINTS[1:, None, None])
        kept = curves.std(axis=1) / curves.mean(axis=1) / (media.std(axis=0) / media.mean(axis=0))
    flat = np.where(np.isfinite(kept), kept, 1.0) < 0.5
    return np.asarray(_HALF_POINTS[flat.sum(axis=0)])


def relative_media(media: Floats) -> Floats:
    """About the media's effect at each row over its mean: that of all channels, each over its own mean.

    Args:
        media: Shape (date, channel), model space, not negative.

    Returns:
        Shape (date,); ones where no channel has any media.
    """
    means = media.mean(axis=0)
    active = means > 0.0
    return (
        np.asarray((media[:, active] / means[active]).mean(axis=1)) if active.any() else np.ones(len(media))
    )
