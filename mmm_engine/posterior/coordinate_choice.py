"""Which variable takes which map: "plain" coordinates and "decorrelating" ones.

Here: the two kinds of coordinates of a model. Plain ones have one map per support. Decorrelating ones have log total
effect, amplitudes, half-saturation excess and Gaussian tails, wherever they apply, and are taken from the mode unless
the model is very large.
Not here: putting maps together (coordinates.py), the maps (bijectors.py, channel_levels.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from mmm_engine.model.media_transforms import SATURATIONS
from mmm_engine.model.parameters import MEDIA_ROLES, ParameterSpec, Role, free_variables
from mmm_engine.model.specification import ModelSpecification
from mmm_engine.model.terms import MediaGroup
from mmm_engine.posterior.bijectors import BY_SUPPORT, GAUSSIAN_TAIL_SOFTPLUS, Bijector, normal_score
from mmm_engine.posterior.coordinates import ChannelLevels, Coordinates, Slot, intercept_of
from mmm_engine.posterior.geometry import positions_about_mode
from mmm_engine.posterior.linear_terms import LinearPart, linear_parts

_WEAKLY_IDENTIFIED = MEDIA_ROLES | {Role.CONTROL_EFFECT}


def plain_coordinates(specification: ModelSpecification) -> Coordinates:
    """One map per support, as PyMC's default transforms have them."""
    return _coordinates(specification, (), {}, curves=False, linear=(), about_mode=False)


def decorrelating_coordinates(specification: ModelSpecification) -> Coordinates:
    """Total, amplitudes and Gaussian tails, wherever they apply to the specification.

    Total and amplitudes need a positive intercept and curves with a positive scale; where that fails, those
    variables keep their plain maps.
    """
    bijectors: dict[str, Bijector] = {}
    for spec in specification.parameters:
        for part in free_variables((spec,)):
            score = normal_score(part.prior)
            if score is not None:
                bijectors[part.name] = score
            elif part.prior.support == "positive" and spec.role in _WEAKLY_IDENTIFIED:
                bijectors[part.name] = GAUSSIAN_TAIL_SOFTPLUS
    return _coordinates(
        specification,
        _channels(specification),
        bijectors,
        curves=_positive_etas(specification),
        linear=linear_parts(specification),
        about_mode=positions_about_mode(specification) > 0,
    )


def _channels(specification: ModelSpecification) -> tuple[ChannelLevels, ...]:
    """Groups of channels whose levels are sampled jointly; none when the intercept may be negative."""
    if not intercept_of(specification).is_positive:
        return ()
    groups = []
    for group in specification.saturations:
        saturation = SATURATIONS[group.kind]
        scale = _parameter_of(specification, group, saturation.scale)
        if scale is None or not scale.is_positive:
            continue
        half = _parameter_of(specification, group, saturation.half)
        groups.append(ChannelLevels(group, scale, half if half is not None and half.is_positive else None))
    return tuple(groups)


def _positive_etas(specification: ModelSpecification) -> bool:
    return all(spec.is_positive for spec in specification.with_role(Role.TIME_VARIATION_AMPLITUDE))


def _parameter_of(
    specification: ModelSpecification, group: MediaGroup, short: str | None
) -> ParameterSpec | None:
    return None if short is None else specification.parameter(dict(group.parameters)[short])


def _coordinates(
    specification: ModelSpecification,
    channels: tuple[ChannelLevels, ...],
    bijectors: Mapping[str, Bijector],
    *,
    curves: bool,
    linear: tuple[LinearPart, ...],
    about_mode: bool,
) -> Coordinates:
    joint = {intercept_of(specification).name} if channels else set()
    for channel in channels:
        joint |= {
            part.name for spec in (channel.scale, channel.half) if spec is not None for part in spec.parts
        }
    slots, start = [], 0
    for part in free_variables(specification.parameters):
        stop = start + len(part.indices)
        bijector = bijectors.get(part.name, BY_SUPPORT[part.prior.support])
        slots.append(Slot(part, start, stop, None if part.name in joint else bijector))
        start = stop
    return Coordinates(tuple(slots), channels, curves, linear, about_mode, specification)
