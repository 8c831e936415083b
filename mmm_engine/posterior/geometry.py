"""What the sampler's coordinates know of a window's rows: half-spread points of the media, directions of curves.

Here: `TrainingData`, the model's arrays of the training rows with those that only the coordinates look at; the
posterior does not depend on the latter.
Not here: the coordinates (coordinates.py), the arrays of the model (model/arrays.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mmm_engine.array_types import Array, Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.compiler.inputs import declared
from mmm_engine.model import arrays
from mmm_engine.model.arrays import ModelData, process_basis
from mmm_engine.model.specification import ModelSpecification
from mmm_engine.model.terms import TimeProcess
from mmm_engine.model.time_variation import matern52_sqrt_density
from mmm_engine.posterior.linear_terms import affine_map, linear_parts
from mmm_engine.rows.window import ScaledInputs

_QUANTILE_NODES = (np.arange(8) + 0.5) / 8
_HALF_POINTS = np.concatenate([[0.0], np.geomspace(1e-3, 10.0, 60)])  # media have a maximum of one
_TYPICAL_LENGTH = 5.0  # rows; only which axes the coordinates take hangs on it


@dataclass(frozen=True)
class TrainingData(ModelData):
    """The training rows as the log density takes them: the model's arrays and those of the coordinates."""

    half_point: Array = declared("channel")
    """What `half_points` says of the media."""
    media_nodes: Array = declared("node", "channel")
    """Evenly spaced quantiles of the media."""
    media_rotation: Array = declared("media_basis", "media_basis")
    """Axes of the time-varying curve by how far they move it."""
    intercept_rotation: Array = declared("intercept_basis", "intercept_basis")
    linear_map: Array = declared("linear", "linear")
    """From independent coordinates to the coefficients of linear terms (linear_terms.py)."""
    linear_centre: Array = declared("linear")
    """Where those coordinates are 0."""


def axis_sizes(specification: ModelSpecification) -> dict[str, int]:
    """Lengths of the axes of `TrainingData` that a specification fixes."""
    return arrays.axis_sizes(specification) | {
        "node": len(_QUANTILE_NODES),
        "linear": sum(len(linear.part.indices) for linear in linear_parts(specification)),
    }


def training_data(inputs: ScaledInputs, specification: ModelSpecification) -> TrainingData:
    """Arrays of the training rows of a window, those of the coordinates included."""
    media = inputs.media_scaled[: inputs.train_rows]
    model = arrays.first_rows(arrays.model_data(inputs, specification), inputs.train_rows)
    linear_map, linear_centre = affine_map(linear_parts(specification), model)
    return TrainingData(
        **model.arrays(),
        half_point=half_points(media),
        media_nodes=np.quantile(media, _QUANTILE_NODES, axis=0),
        media_rotation=process_rotation(specification.media_process, inputs.train_rows),
        intercept_rotation=process_rotation(specification.intercept_process, inputs.train_rows),
        linear_map=linear_map,
        linear_centre=linear_centre,
    )


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


@lru_cache(maxsize=64)
def process_rotation(process: TimeProcess | None, train_rows: int) -> Floats:
    """Orthonormal columns, the directions of the coefficients that move a curve most first.

    Only what varies over the rows counts: a curve's level is divided out. They hang on the number of rows alone, so
    that every reader of a window shares one (read-only) array.
    """
    basis, frequencies = process_basis(process, train_rows, train_rows)
    weights = matern52_sqrt_density(frequencies, 1.0, _TYPICAL_LENGTH, numpy_functions())
    _, _, axes = np.linalg.svd((basis - basis.mean(axis=0)) * weights, full_matrices=True)
    axes.flags.writeable = False
    return np.asarray(axes.T)
