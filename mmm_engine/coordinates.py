"""The coordinates the sampler moves in: maps from a flat real vector to the model's free variables.

Here: one map per support ("plain"), and the maps that make a media-mix posterior round ("round"): total and shares
instead of levels, effect instead of scale, Gaussian tails. The model and its priors are the same in both; only the
log Jacobian differs.
Not here: the density itself (kernel.py).

Why: the data pin the sum of baseline and channel effects to a per cent or two while its parts are loose, so in the
parameters' own coordinates the posterior is a thin curved sheet, and a curve's scale and its half-saturation point
trade off along a ridge. On the reference client this takes the gradient evaluations per draw from about 180 to 34.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmm_engine.model import ModelData, adstocked_media, parameter_values, saturation_shape
from mmm_engine.priors import ParameterSpec, PriorPart, PriorSpec, Support, assemble, free_variables
from mmm_engine.structure import MediaGroup, ModelStructure
from mmm_engine.transforms import SATURATIONS

Floats = NDArray[np.float64]
Array = Any  # a numpy array or a symbolic tensor

# keep logs finite for a channel that is silent or constant; any positive numbers are valid
_LEVEL_FLOOR = 1e-3
_SPREAD_FLOOR = 0.03


@dataclass(frozen=True)
class Slot:
    """Where a free variable lives in the flat vector, and its map.

    Attributes:
        part: The free variable.
        start: First position.
        stop: One past the last position.
        map: "log", "identity", "logit", "interval", "soft", "score", or "total" when it is part of total and shares.
    """

    part: PriorPart
    start: int
    stop: int
    map: str


@dataclass(frozen=True)
class Coordinates:
    """A bijection between flat vectors and free variables, for one structure.

    Attributes:
        slots: One per free variable, in flat order.
        levels: Names of the free variables that total and shares replace: the intercept, then channel scales.
        structure: The model.
    """

    slots: tuple[Slot, ...]
    levels: tuple[str, ...]
    structure: ModelStructure

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return self.slots[-1].stop

    def variables(self, flat: Array, data: ModelData, xp: Any) -> tuple[dict[str, Array], Array]:
        """Free variables of a flat vector and the log Jacobian determinant, up to a constant.

        Args:
            flat: Shape (..., size).
            data: Training rows; total and shares look at the media.
            xp: Array functions (arrays.py).

        Returns:
            Variables by name, each (..., its size), and the log determinant, shape (...).
        """
        variables: dict[str, Array] = {}
        log_jacobian: Array = 0.0
        for slot in self.slots:
            if slot.map == "total":
                continue
            value, log_slope = _MAPS[slot.map](flat[..., slot.start : slot.stop], slot.part.prior, xp)
            variables[slot.part.name] = value
            log_jacobian = log_jacobian + log_slope.sum(axis=-1)
        if self.levels:
            log_jacobian = log_jacobian + self._add_levels(flat, variables, data, xp)
        return variables, log_jacobian

    def _add_levels(self, flat: Array, variables: dict[str, Array], data: ModelData, xp: Any) -> Array:
        """Adds intercept and channel scales, read from total and isometric log-ratio shares.

        A channel's share is shifted by the relative spread of its curve, so that a step in the half-saturation point
        keeps what the data see, the amplitude of the effect, and moves the level along.
        """
        slots = [slot for slot in self.slots if slot.map == "total"]
        position = xp.concatenate([flat[..., slot.start : slot.stop] for slot in slots], axis=-1)
        ratios = position[..., 1:] @ _ratio_basis(sum(slot.stop - slot.start for slot in slots)).T
        moments = self._means_and_spreads(variables, data, xp)
        curves = [moments[slot.part.name] for slot in slots[1:]]
        none = xp.zeros_like(position[..., :1])
        shifts = [none, *(none - xp.log(spread / level) for level, spread in curves)]
        ratios = ratios + xp.concatenate(shifts, axis=-1)
        total = position[..., :1] + self._control_shift(variables, data, xp)
        log_levels = total + ratios - xp.logsumexp(ratios)
        start, log_jacobian = 0, 0.0
        for slot, level in zip(slots, [None, *(level for level, _ in curves)], strict=True):
            stop = start + slot.stop - slot.start
            log_value = log_levels[..., start:stop]
            if level is not None:
                log_value = log_value - xp.log(level)
            variables[slot.part.name] = xp.exp(log_value)
            log_jacobian = log_jacobian + log_value.sum(axis=-1)
            start = stop
        return log_jacobian

    def _control_shift(self, variables: Mapping[str, Array], data: ModelData, xp: Any) -> Array:
        """What the controls take from (or add to) the total of baseline and channels, on the log scale.

        The data pin the sum of all terms; a control with a mean effect trades off against the baseline.
        """
        spec = next((spec for spec in self.structure.parameters if spec.name == "gamma_control"), None)
        if spec is None:
            return 0.0
        taken = (assemble(spec, variables, xp) * data.controls.mean(axis=0)).sum(axis=-1)[..., None]
        share = -taken / data.target.mean()
        bounded = xp.maximum(share, -0.5)
        return xp.log1p(bounded) + 2.0 * (
            share - bounded
        )  # log(1 + share), continued by its tangent below -1/2

    def _means_and_spreads(
        self, variables: Mapping[str, Array], data: ModelData, xp: Any
    ) -> dict[str, tuple[Array, Array]]:
        """Mean and standard deviation over the rows of the curves with scale one, per scale variable.

        The curves are those of the likelihood, carry-over included: compiled, they are computed once for both.
        """
        known = {
            spec.name: assemble(spec, variables, xp)
            for spec in self.structure.parameters
            if all(part.name in variables for part in spec.parts)
        }
        adstocked = adstocked_media(known, data, self.structure, xp)
        parts = {slot.part.name: slot.part for slot in self.slots}
        found: dict[str, tuple[Array, Array]] = {}
        for group in self.structure.saturations:
            spec = _scale_of(self.structure, group)
            if spec is None or not all(part.name in self.levels for part in spec.parts):
                continue
            shape = saturation_shape(adstocked, known, group, self.structure, xp)
            level = shape.mean(axis=-2)
            variance = ((shape - level[..., None, :]) ** 2).mean(axis=-2)
            level = level + _LEVEL_FLOOR
            spread = xp.sqrt(variance + (_SPREAD_FLOOR * level) ** 2)
            for part in spec.parts:
                own = list(parts[part.name].indices)
                whole = len(own) == len(group.channels)
                found[part.name] = (level, spread) if whole else (level[..., own], spread[..., own])
        return found

    def parameters(self, flat: Array, data: ModelData, xp: Any) -> dict[str, Array]:
        """The model's parameters (signs and parts put together) of flat vectors."""
        return parameter_values(self.structure, self.variables(flat, data, xp)[0], xp)


def plain_coordinates(structure: ModelStructure) -> Coordinates:
    """One map per support, as PyMC's default transforms have them."""
    return _coordinates(structure, (), {})


def round_coordinates(structure: ModelStructure) -> Coordinates:
    """Total and shares, effect instead of scale, Gaussian tails, wherever they apply to the structure.

    Total and shares need a positive intercept and curves with a positive scale that has one prior and whose other
    parameters have one part each; where that fails, those variables keep their plain maps.
    """
    maps: dict[str, str] = {}
    for part in free_variables(structure.parameters):
        if part.prior.distribution == "Beta" and dict(part.prior.arguments).get("alpha") == 1.0:
            maps[part.name] = "score"
        elif part.prior.support == "positive" and _weakly_identified(part):
            maps[part.name] = "soft"
    return _coordinates(structure, _levels(structure), maps)


def _weakly_identified(part: PriorPart) -> bool:
    name = part.name
    return name.startswith(("saturation_", "gamma_control", "adstock_")) or name.endswith("_raw_eta")


def _levels(structure: ModelStructure) -> tuple[str, ...]:
    """Names of the variables that total and shares replace; none when the intercept may be negative."""
    intercept = next(spec for spec in structure.parameters if spec.name == "intercept").parts[0]
    scales = [_scale_of(structure, group) for group in structure.saturations]
    names = [part.name for spec in scales if spec is not None and _is_positive(spec) for part in spec.parts]
    return ("intercept", *names) if intercept.prior.support == "positive" and names else ()


def _is_positive(spec: ParameterSpec) -> bool:
    return all(part.prior.support == "positive" and part.sign > 0 for part in spec.parts)


def _scale_of(structure: ModelStructure, group: MediaGroup) -> ParameterSpec | None:
    """The parameter that multiplies the curves of a group, if they have one."""
    short = SATURATIONS[group.kind].scale
    name = dict(group.parameters).get(short) if short is not None else None
    return next((spec for spec in structure.parameters if spec.name == name), None)


def _coordinates(structure: ModelStructure, levels: tuple[str, ...], maps: Mapping[str, str]) -> Coordinates:
    slots, start = [], 0
    for part in free_variables(structure.parameters):
        stop = start + len(part.indices)
        kind = "total" if part.name in levels else maps.get(part.name, _PLAIN[part.prior.support])
        slots.append(Slot(part, start, stop, kind))
        start = stop
    return Coordinates(tuple(slots), levels, structure)


def _ratio_basis(size: int) -> Floats:
    """Orthonormal basis of the vectors that sum to zero, shape (size, size - 1) (Egozcue et al. 2003)."""
    basis = np.zeros((size, size - 1))
    for column in range(size - 1):
        basis[: column + 1, column] = 1.0
        basis[column + 1, column] = -(column + 1.0)
        basis[:, column] /= math.sqrt((column + 1.0) * (column + 2.0))
    return basis


# --- maps: (flat values, prior, xp) -> (values, log slope), elementwise ---------------------------


def _identity(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    return z, z * 0.0


def _log(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    return xp.exp(z), z


def _logit(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    return xp.sigmoid(z), -xp.softplus(-z) - xp.softplus(z)


def _interval(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    low, high = prior.bounds
    if math.isinf(low) and math.isinf(high):
        return _identity(z, prior, xp)
    if math.isinf(high):
        return low + xp.exp(z), z
    if math.isinf(low):
        return high - xp.exp(z), z
    value, log_slope = _logit(z, prior, xp)
    return low + (high - low) * value, log_slope + math.log(high - low)


def _soft(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    """x = s (z Phi(z) + phi(z)): linear to the right, a Gaussian tail towards zero; dx/dz = s Phi(z)."""
    scale = _typical_scale(prior)
    below = 0.5 * xp.erfc(-z / math.sqrt(2.0))
    density = xp.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    return scale * (z * below + density), xp.log(below) + math.log(scale)


def _score(z: Array, prior: PriorSpec, xp: Any) -> tuple[Array, Array]:
    """Normal score of Beta(1, b): x = 1 - Phi(-z)^(1/b)."""
    exponent = 1.0 / float(dict(prior.arguments)["beta"])  # type: ignore[arg-type]
    # log Phi(-z) by the tail that is small, so that neither end rounds to 0 or 1
    low, high = xp.minimum(z, 0.0) / math.sqrt(2.0), xp.maximum(z, 0.0) / math.sqrt(2.0)
    log_above = xp.where(z < 0.0, xp.log1p(-0.5 * xp.erfc(-low)), xp.log(0.5 * xp.erfc(high)))
    log_slope = (exponent - 1.0) * log_above - 0.5 * z**2 - 0.5 * math.log(2.0 * math.pi) + math.log(exponent)
    return -xp.expm1(exponent * log_above), log_slope


def _typical_scale(prior: PriorSpec) -> float:
    """A length on which the prior's density changes; any positive number is valid, this one is convenient."""
    arguments = {name: value for name, value in prior.arguments if isinstance(value, float)}
    if "sigma" in arguments and prior.distribution in ("HalfNormal", "Gamma", "HalfStudentT"):
        return arguments["sigma"]
    if prior.distribution == "Gamma" and "beta" in arguments:
        return math.sqrt(arguments.get("alpha", 1.0)) / arguments["beta"]
    if prior.distribution == "Exponential":
        return 1.0 / arguments["lam"] if "lam" in arguments else arguments.get("scale", 1.0)
    return 1.0


_MAPS = {
    "identity": _identity,
    "log": _log,
    "logit": _logit,
    "interval": _interval,
    "soft": _soft,
    "score": _score,
}
_PLAIN: dict[Support, str] = {"positive": "log", "unit": "logit", "real": "identity", "interval": "interval"}
