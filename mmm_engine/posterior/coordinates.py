"""The coordinates the sampler moves in: maps from a flat real vector to the model's free variables.

Here: `Coordinates`, which puts the maps of variables together. The model and its priors are the same in any; only the
log Jacobian differs.
Not here: which variable takes which map (coordinate_choice.py), the maps (bijectors.py, channel_levels.py), the density
(log_density.py), finding the mode (mode.py).

Why: the data pin the sum of baseline and channel effects to a per cent or two while its parts are loose, so in the
parameters' own coordinates the posterior is a thin curved sheet; a curve's scale and its half-saturation point trade
off along a ridge; and weakly identified positive parameters have long left tails. The decorrelating
reparameterisation straightens all three and takes a third to a fifth of the gradient evaluations per draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmm_engine.array_types import Array, ArrayFunctions, Operand
from mmm_engine.model.mean import saturation_shape
from mmm_engine.model.parameters import (
    ParameterSpec,
    PriorPart,
    Role,
    assemble,
    merge_columns,
)
from mmm_engine.model.specification import ModelSpecification, parameter_values
from mmm_engine.model.terms import MediaGroup
from mmm_engine.model.time_variation import matern52_sqrt_density
from mmm_engine.posterior.bijectors import (
    GAUSSIAN_TAIL_SOFTPLUS,
    Bijector,
    normal_score,
)
from mmm_engine.posterior.channel_levels import Levels, SaturatingChannels, channel_levels
from mmm_engine.posterior.curve_axes import CurveAxes, without_size
from mmm_engine.posterior.geometry import TrainingData
from mmm_engine.posterior.linear_terms import REGRESSORS, LinearPart

_LEVEL_FLOOR = 1e-9  # keeps the log of a silent channel's mean curve finite; far below that of a steep one
_SMALLEST_HALF_POINT = 1e-6  # keeps a curve that cannot flatten its channel in the formulas
_TYPICAL_MEDIA_PART = 0.3  # of the target, where levels are sampled one by one; any positive number is valid


@dataclass(frozen=True)
class Slot:
    """Where a free variable lives in the flat vector, and its bijector.

    Attributes:
        part: The free variable.
        start: First position.
        stop: One past the last position.
        bijector: Its own map; None where it is mapped jointly with others (channel_levels.py).
    """

    part: PriorPart
    start: int
    stop: int
    bijector: Bijector | None


@dataclass(frozen=True)
class ChannelLevels:
    """Channels of one response curve whose levels are sampled jointly with the intercept.

    Attributes:
        group: The channels and their curve.
        scale: The parameter that multiplies the curve.
        half: The parameter that is its half-saturation point, where it has one.
    """

    group: MediaGroup
    scale: ParameterSpec
    half: ParameterSpec | None


@dataclass(frozen=True)
class Coordinates:
    """A bijection between flat vectors and free variables, for one specification.

    Attributes:
        slots: One per free variable, in flat order.
        channels: Groups whose levels are sampled jointly with the intercept (channel_levels.py); empty for plain maps.
        curves: Whether coefficients of time-varying curves are sampled apart from the curves' sizes.
        linear: Coefficients of linear terms that are sampled together; empty for plain maps.
        about_mode: Whether flat vectors are taken from the mode, in the units of the posterior there (mode.py).
        specification: The model.
    """

    slots: tuple[Slot, ...]
    channels: tuple[ChannelLevels, ...]
    curves: bool
    linear: tuple[LinearPart, ...]
    about_mode: bool
    specification: ModelSpecification

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return self.slots[-1].stop

    def variables(
        self, flat: Array, data: TrainingData, xp: ArrayFunctions
    ) -> tuple[dict[str, Array], Operand]:
        """Free variables of a flat vector and the log Jacobian determinant, up to a constant.

        Args:
            flat: Shape (..., size).
            data: Training rows; total and shares look at the media.
            xp: Array functions (compiler/array_functions.py).

        Returns:
            Variables by name, each (..., its size), and the log determinant, shape (...).
        """
        if self.about_mode:
            flat = data.mode + flat @ data.mode_map.T
        variables: dict[str, Array] = {}
        log_jacobian: Operand = 0.0
        for slot in self.slots:
            if slot.bijector is None:
                continue
            value, log_slope = slot.bijector.forward(flat[..., slot.start : slot.stop], slot.part.prior, xp)
            variables[slot.part.name] = value
            log_jacobian = log_jacobian + log_slope.sum(axis=-1)
        if self.linear:
            self._mix_linear_terms(variables, data, xp)
        levels: Levels | None = None
        media_part: Operand = _TYPICAL_MEDIA_PART
        if self.channels:
            levels, log_slopes = self._levels_of_one(flat, variables, data, xp)
            log_jacobian = log_jacobian + log_slopes
            media_part = levels.effect.sum(axis=-1)[..., None]
        if self.curves:
            log_jacobian = log_jacobian + self._mix_curves(variables, media_part, data, xp)
        if levels is not None:
            # last: the data pin the total that is left once the linear terms have answered to the curves
            log_jacobian = log_jacobian + self._add_total(flat, levels, variables, data, xp)
        return variables, log_jacobian

    def _levels_of_one(
        self, flat: Array, variables: dict[str, Array], data: TrainingData, xp: ArrayFunctions
    ) -> tuple[Levels, Operand]:
        """Levels that add up to 1 (channel_levels.py); adds half-saturation points.

        Returns:
            The levels and the log Jacobian of the points above their bounds, shape (...).
        """
        saturating, log_slopes = self._saturating(flat, data, xp)
        amplitude = xp.concatenate(
            [self._elements(flat, group.scale, xp) for group in self.channels], axis=-1
        )
        levels = channel_levels(amplitude, saturating, xp)
        halves = [group.half for group in self.channels if group.half is not None]
        if levels.half is not None:
            self._store(variables, halves, levels.half)
        return levels, log_slopes

    def _add_total(
        self,
        flat: Array,
        levels_of_one: Levels,
        variables: dict[str, Array],
        data: TrainingData,
        xp: ArrayFunctions,
    ) -> Array:
        """Adds intercept and channel scales; the log Jacobian, shape (...)."""
        log_total = self._elements(flat, intercept_of(self.specification), xp) + self._linear_shift(
            variables, data, xp
        )
        levels = levels_of_one.of_total(log_total, xp)
        log_curves = self._log_mean_curves(variables, data, xp)
        scale = levels.effect * xp.exp(-log_curves)
        self._store(variables, [group.scale for group in self.channels], scale)
        variables[intercept_of(self.specification).name] = levels.intercept
        return levels.log_jacobian - log_curves.sum(axis=-1)

    def _mix_linear_terms(self, variables: dict[str, Array], data: TrainingData, xp: ArrayFunctions) -> None:
        """Turns independent coordinates into coefficients of linear terms (linear_terms.py); a constant Jacobian."""
        pieces = [variables[linear.part.name] for linear in self.linear]
        independent = pieces[0] if len(pieces) == 1 else xp.concatenate(pieces, axis=-1)
        coefficients = independent @ data.linear_map.T + data.linear_centre
        for linear, piece in self._linear_pieces(coefficients):
            variables[linear.part.name] = piece

    def _mix_curves(
        self, variables: dict[str, Array], media_part: Operand, data: TrainingData, xp: ArrayFunctions
    ) -> Operand:
        """Turns independent coordinates into coefficients of time-varying curves (curve_axes.py).

        `media_part` is the media's part of the target, shape (..., 1). Returns the log Jacobian.
        """
        log_jacobian: Operand = 0.0
        media = CurveAxes(data.media_axes, data.media_axis_precision, data.media_score, data.media_answer)
        intercept = CurveAxes(
            data.intercept_axes, data.intercept_axis_precision, data.intercept_score, data.intercept_answer
        )
        for process, frequencies, curve, part in (
            (self.specification.media_process, data.media_frequencies, media, media_part),
            (self.specification.intercept_process, data.intercept_frequencies, intercept, 1.0 - media_part),
        ):
            if process is None:
                continue
            # as the model writes it: compiled once
            length_scale = variables[process.length_scale][..., 0][..., None]
            weights = matern52_sqrt_density(frequencies, 1.0, length_scale, xp)
            size = variables[process.amplitude] * part
            coefficients, log_narrowing = without_size(
                variables[process.coefficients], size, weights, curve, xp
            )
            variables[process.coefficients] = coefficients
            log_jacobian = log_jacobian + log_narrowing
            if self.linear:
                answer = (size * weights * coefficients) @ curve.answer.T
                for linear, shift in self._linear_pieces(answer):
                    variables[linear.part.name] = variables[linear.part.name] + shift
        return log_jacobian

    def _linear_pieces(self, coefficients: Array) -> Iterator[tuple[LinearPart, Array]]:
        """Coefficients of all linear terms, one behind another, by term."""
        start = 0
        for linear in self.linear:
            stop = start + len(linear.part.indices)
            yield linear, coefficients[..., start:stop]
            start = stop

    def _saturating(
        self, flat: Array, data: TrainingData, xp: ArrayFunctions
    ) -> tuple[SaturatingChannels | None, Operand]:
        """Channels with a half-saturation point and where they are above its bound; the sum of the log slopes."""
        above_bound: list[Array] = []
        log_slopes: Operand = 0.0
        positions: list[int] = []
        members: list[int] = []
        slots = {slot.part.name: slot for slot in self.slots}
        start = 0
        for group in self.channels:
            stop = start + len(group.group.channels)
            if group.half is not None:
                pieces = []
                for part in group.half.parts:
                    slot = slots[part.name]
                    bijector = normal_score(part.prior) or GAUSSIAN_TAIL_SOFTPLUS
                    value, log_slope = bijector.forward(flat[..., slot.start : slot.stop], part.prior, xp)
                    pieces.append(value)
                    log_slopes = log_slopes + log_slope.sum(axis=-1)
                above_bound.append(merge_columns(pieces, [part.indices for part in group.half.parts], xp))
                positions += range(start, stop)
                members += group.group.channels
            start = stop
        if not above_bound:
            return None, log_slopes
        half_point = data.half_point[members] + _SMALLEST_HALF_POINT
        return SaturatingChannels(positions, xp.concatenate(above_bound, axis=-1), half_point), log_slopes

    def _log_mean_curves(
        self, variables: Mapping[str, Array], data: TrainingData, xp: ArrayFunctions
    ) -> Array:
        """Logarithm of about the mean of each channel's curve with scale one, shape (..., channel).

        Read from a few quantiles of the media instead of all rows with their carry-over: any positive function makes
        valid coordinates, this one is nearly as round, and exact means took half of the time of an evaluation.
        """
        values = {
            spec.name: assemble(spec, variables, xp)
            for spec in self.specification.parameters
            if all(part.name in variables for part in spec.parts)
        }
        shapes = [
            saturation_shape(data.media_nodes, values, g.group, self.specification, xp) for g in self.channels
        ]
        return xp.concatenate([xp.log(shape.mean(axis=-2) + _LEVEL_FLOOR) for shape in shapes], axis=-1)

    def _elements(self, flat: Array, spec: ParameterSpec, xp: ArrayFunctions) -> Array:
        """Flat values of a parameter's elements, in their order."""
        slots = {slot.part.name: slot for slot in self.slots}
        pieces = [flat[..., slots[part.name].start : slots[part.name].stop] for part in spec.parts]
        return merge_columns(pieces, [part.indices for part in spec.parts], xp)

    def _store(self, variables: dict[str, Array], specs: Sequence[ParameterSpec], values: Array) -> None:
        """Hands the elements of parameters, one behind another, out to the free variables that carry them."""
        start = 0
        for spec in specs:
            elements = values[..., start : start + spec.size]
            for part in spec.parts:
                whole = len(part.indices) == spec.size
                variables[part.name] = elements if whole else elements[..., list(part.indices)]
            start += spec.size

    def _linear_shift(
        self, variables: Mapping[str, Array], data: TrainingData, xp: ArrayFunctions
    ) -> Operand:
        """What trend, seasonality and controls take from (or add to) the total of baseline and channels, log scale.

        The data pin the sum of all terms; a regressor with a mean effect trades off against the baseline.
        """
        pieces: list[Array] = []
        for spec in self.specification.with_role(*REGRESSORS):
            coefficients = assemble(spec, variables, xp)
            coefficients = coefficients[..., None] if spec.dim is None else coefficients
            means = getattr(data, REGRESSORS[spec.role]).mean(axis=0)
            pieces.append((coefficients * means).sum(axis=-1))
        if not pieces:
            return 0.0
        share = -sum(pieces[1:], pieces[0])[..., None] / data.target_scaled.mean()
        bounded = xp.maximum(share, -0.5)
        # log(1 + share), continued by its tangent below -1/2
        return xp.log1p(bounded) + 2.0 * (share - bounded)

    def parameters(self, flat: Array, data: TrainingData, xp: ArrayFunctions) -> dict[str, Array]:
        """The model's parameters (signs and parts put together) of flat vectors."""
        return parameter_values(self.specification, self.variables(flat, data, xp)[0], xp)


def intercept_of(specification: ModelSpecification) -> ParameterSpec:
    """The parameter that is the baseline's level."""
    (intercept,) = specification.with_role(Role.INTERCEPT)
    return intercept
