"""The model: which terms a client has, their priors, and the one formula of the mean.

Here: `ModelStructure` (everything the compiled code depends on, no client names and no data), `ModelData` (the arrays
that are fed into it), the default priors, and `mean_terms`, which the sampler differentiates and predictions evaluate.
Not here: sampling (kernel.py, sampler.py), original units (predict.py).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmm_engine.config import ChannelConfig, ClientConfig
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.priors import ParameterSpec, PriorPart, PriorSpec, assemble, read_prior
from mmm_engine.scaling import ScaledInputs
from mmm_engine.transforms import (
    ADSTOCKS,
    SATURATIONS,
    adstock,
    fourier_modes,
    hsgp_basis,
    hsgp_frequencies,
    lagged,
    matern52_sqrt_density,
    saturate,
    softplus_multiplier,
)

Floats = NDArray[np.float64]
Array = Any  # a numpy array or a symbolic tensor

MEDIA_PROCESS = "media_temporal_latent_multiplier"
INTERCEPT_PROCESS = "intercept_latent_process"

_INTERCEPT = {"distribution": "HalfNormal", "sigma": 1}
_LIKELIHOODS: dict[str, dict[str, Any]] = {
    "normal": {"distribution": "Normal", "sigma": {"distribution": "HalfNormal", "sigma": 2}},
    "student_t": {
        "distribution": "StudentT",
        "nu": {"distribution": "Gamma", "alpha": 2, "beta": 0.1},
        "sigma": {"distribution": "HalfNormal", "sigma": 2},
    },
}
_EFFECTS: dict[str, tuple[dict[str, Any], float]] = {
    "positive": ({"distribution": "HalfNormal", "sigma": 1}, 1.0),
    "negative": ({"distribution": "HalfNormal", "sigma": 1}, -1.0),
    "any": ({"distribution": "Normal", "mu": 0, "sigma": 1}, 1.0),
}
_FOURIER = {"distribution": "Laplace", "mu": 0, "b": 1}
_PROCESS_DEFAULTS: dict[str, dict[str, float]] = {
    "media_tvp_config": {"eta_lam": 10.0, "ls_mu": 5.0, "ls_sigma": 5.0},
    "intercept_tvp_config": {"eta_lam": 1.0, "ls_mu": 5.0, "ls_sigma": 5.0},
}
HALF_WIDTH_PER_ROW = 1.5


@dataclass(frozen=True)
class MediaGroup:
    """Channels (by position) that share a transformation.

    Attributes:
        kind: A key of `ADSTOCKS` or `SATURATIONS`.
        channels: Positions of the channels.
        parameters: (name within the transformation, name in the model) pairs.
        max_lag: Number of kernel weights; 1 for saturations.
    """

    kind: str
    channels: tuple[int, ...]
    parameters: tuple[tuple[str, str], ...]
    max_lag: int = 1


@dataclass(frozen=True)
class TimeProcess:
    """A positive curve over time with mean one: softplus of an approximate Gaussian process (Matérn 5/2).

    Attributes:
        name: Prefix of its parameters.
        n_basis: Number of basis functions.
        half_width: L in rows; None means 1.5 times the training rows.
    """

    name: str
    n_basis: int
    half_width: float | None


@dataclass(frozen=True)
class ModelStructure:
    """Everything the compiled code depends on; two clients with equal structures share it.

    Attributes:
        adstocks: Channels by carry-over kernel.
        saturations: Channels by response curve.
        media_process: Time variation common to all channels, or None.
        intercept_process: Time variation of the intercept, or None.
        n_controls: Number of controls.
        fourier_order: Order of the yearly seasonality, 0 for none.
        likelihood: Distribution of the target around the mean.
        likelihood_constants: Arguments of the likelihood that are fixed numbers.
        parameters: Every parameter with its priors, in the order of the flat vector.
    """

    adstocks: tuple[MediaGroup, ...]
    saturations: tuple[MediaGroup, ...]
    media_process: TimeProcess | None
    intercept_process: TimeProcess | None
    n_controls: int
    fourier_order: int
    likelihood: Literal["Normal", "StudentT"]
    likelihood_constants: tuple[tuple[str, float], ...]
    parameters: tuple[ParameterSpec, ...]

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return sum(len(group.channels) for group in self.adstocks)

    @property
    def max_lag(self) -> int:
        """Longest kernel of any channel."""
        return max(group.max_lag for group in self.adstocks)


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
        target: Shape (date,).
    """

    media_lagged: Array
    controls: Array
    fourier: Array
    media_basis: Array
    media_frequencies: Array
    intercept_basis: Array
    intercept_frequencies: Array
    target: Array

    def arrays(self) -> dict[str, Array]:
        """The arrays by name, in the fixed order in which compiled code takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class MeanTerms:
    """The additive terms of the mean, model space; their sum is the mean.

    Attributes:
        intercept: Shape (..., date) or (..., 1).
        media: Shape (..., date, channel), time variation included.
        controls: Shape (..., date, control).
        seasonality: Shape (..., date), or None.
        multiplier: Time variation of the media, shape (..., date), or None.
    """

    intercept: Array
    media: Array
    controls: Array
    seasonality: Array | None
    multiplier: Array | None


# --- structure ------------------------------------------------------------------------------------


def model_structure(config: ClientConfig) -> ModelStructure:
    """The structure of a client's model, priors included.

    Raises:
        ConfigError: If a prior's name or distribution is not known.
    """
    priors = _Priors(config)
    adstocks, adstock_parameters = _adstock_groups(config, priors)
    saturations, saturation_parameters = _saturation_groups(config, priors)
    media_process, media_parameters = _time_process(
        config.model.time_varying_media, MEDIA_PROCESS, "media_tvp_config", config, priors
    )
    intercept_process, intercept_parameters = _time_process(
        config.model.time_varying_intercept, INTERCEPT_PROCESS, "intercept_tvp_config", config, priors
    )
    likelihood, constants, likelihood_parameters = _likelihood(config, priors)
    order = config.model.yearly_seasonality or 0
    parameters = (
        _whole("intercept", None, 1, priors.take("intercept", _INTERCEPT)),
        *adstock_parameters,
        *saturation_parameters,
        *media_parameters,
        *intercept_parameters,
        *_control_parameters(config, priors),
        *(
            (_whole("gamma_fourier", "fourier_mode", 2 * order, priors.take("gamma_fourier", _FOURIER)),)
            if order
            else ()
        ),
        *likelihood_parameters,
    )
    priors.refuse_unknown()
    return ModelStructure(
        adstocks=adstocks,
        saturations=saturations,
        media_process=media_process,
        intercept_process=intercept_process,
        n_controls=len(config.controls),
        fourier_order=order,
        likelihood=likelihood,
        likelihood_constants=constants,
        parameters=parameters,
    )


class _Priors:
    """The client's own priors, handed out by name; what is never asked for is a mistake."""

    def __init__(self, config: ClientConfig) -> None:
        self._who = f"client '{config.client}'"
        self._given = dict(config.model.priors)
        self._by_channel: list[dict[str, Any]] = [dict(channel.priors) for channel in config.channels]
        self._channel_names = config.channel_names
        self._known: list[str] = []

    def mapping(self, name: str, default: Mapping[str, Any]) -> Mapping[str, Any]:
        self._known.append(name)
        given = self._given.get(name, default)
        return given if isinstance(given, Mapping) else {"value": given}

    def take(self, name: str, default: Mapping[str, Any]) -> PriorSpec:
        return read_prior(self.mapping(name, default), f"model.priors.{name}", self._who)

    def take_channel(self, name: str, default: Mapping[str, Any], channel: int) -> PriorSpec:
        own = self._by_channel[channel].get(name)
        if own is None:
            return self.take(name, default)
        self._known.append(name)
        return read_prior(own, f"channels.{self._channel_names[channel]}.priors.{name}", self._who)

    def refuse_unknown(self) -> None:
        places = [("model.priors", self._given)]
        places += [
            (f"channels.{name}.priors", own)
            for name, own in zip(self._channel_names, self._by_channel, strict=True)
        ]
        known = sorted(set(self._known))
        faults = []
        for place, given in places:
            for name in given:
                if name not in known:
                    near = difflib.get_close_matches(name, known, n=1)
                    hint = f"did you mean '{near[0]}'?" if near else "remove it or choose one of the names"
                    faults.append(
                        Fault(f"{place}.{name}", "an unknown prior", f"one of {', '.join(known)}", hint)
                    )
        if faults:
            raise ConfigError(self._who, faults)


def _whole(name: str, dim: str | None, size: int, prior: PriorSpec) -> ParameterSpec:
    return ParameterSpec(name, dim, (PriorPart(name, tuple(range(size)), prior),))


def _by_prior(name: str, dim: str, priors: list[tuple[PriorSpec, float]]) -> ParameterSpec:
    """A parameter whose elements may have different priors: elements with the same one become one part."""
    groups: dict[tuple[PriorSpec, float], list[int]] = {}
    for index, key in enumerate(priors):
        groups.setdefault(key, []).append(index)
    parts = tuple(
        PriorPart(name if len(groups) == 1 else f"{name}_{number}", tuple(indices), prior, sign)
        for number, ((prior, sign), indices) in enumerate(groups.items())
    )
    return ParameterSpec(name, dim, parts)


def _adstock_groups(
    config: ClientConfig, priors: _Priors
) -> tuple[tuple[MediaGroup, ...], list[ParameterSpec]]:
    def key(channel: ChannelConfig) -> tuple[str, int]:
        own = channel.adstock or config.model.adstock
        return own.kind, (1 if own.kind == "none" else own.max_lag)

    return _media_groups("adstock", [key(channel) for channel in config.channels], priors)


def _saturation_groups(
    config: ClientConfig, priors: _Priors
) -> tuple[tuple[MediaGroup, ...], list[ParameterSpec]]:
    keys = [(channel.saturation or config.model.saturation, 1) for channel in config.channels]
    return _media_groups("saturation", keys, priors)


def _media_groups(
    role: str, keys: list[tuple[str, int]], priors: _Priors
) -> tuple[tuple[MediaGroup, ...], list[ParameterSpec]]:
    """Channels grouped by transformation, and the parameters of each group.

    With one group the names are pymc-marketing's ("adstock_alpha", one value per channel); with several each name
    carries its group ("adstock_delayed_alpha", one value per channel of that group).
    """
    positions: dict[tuple[str, int], list[int]] = {}
    for position, key in enumerate(keys):
        positions.setdefault(key, []).append(position)
    groups, parameters = [], []
    for (kind, max_lag), channels in positions.items():
        label = "" if len(positions) == 1 else f"{kind}_" if role == "saturation" else f"{kind}{max_lag}_"
        dim = "channel" if len(positions) == 1 else f"channel_{role}_{label.rstrip('_')}"
        names = []
        for parameter in (ADSTOCKS if role == "adstock" else SATURATIONS)[kind].parameters:
            name = f"{role}_{label}{parameter.name}"
            own = [(priors.take_channel(name, parameter.prior, channel), 1.0) for channel in channels]
            parameters.append(_by_prior(name, dim, own))
            names.append((parameter.name, name))
        groups.append(MediaGroup(kind, tuple(channels), tuple(names), max_lag))
    return tuple(groups), parameters


def _time_process(
    wanted: bool, name: str, setting: str, config: ClientConfig, priors: _Priors
) -> tuple[TimeProcess | None, list[ParameterSpec]]:
    if not wanted:
        return None, []
    values = {
        "m": float(config.model.n_basis),
        "L": None,
        **_PROCESS_DEFAULTS[setting],
        **priors.mapping(setting, {}),
    }
    eta = {"distribution": "Exponential", "lam": values["eta_lam"]}
    length = {"distribution": "InverseGamma", "mu": values["ls_mu"], "sigma": values["ls_sigma"]}
    coefficients = {"distribution": "Normal", "mu": 0, "sigma": 1}
    n_basis = int(values["m"])
    who, where = f"client '{config.client}'", f"model.priors.{setting}"
    parameters = [
        _whole(f"{name}_raw_eta", None, 1, read_prior(eta, where, who)),
        _whole(f"{name}_raw_ls", None, 1, read_prior(length, where, who)),
        _whole(
            f"{name}_raw_hsgp_coefs_offset", f"{name}_basis", n_basis, read_prior(coefficients, where, who)
        ),
    ]
    half_width = None if values["L"] is None else float(values["L"])
    return TimeProcess(name, n_basis, half_width), parameters


def _control_parameters(config: ClientConfig, priors: _Priors) -> list[ParameterSpec]:
    if not config.controls:
        return []
    own = []
    for control in config.controls:
        default, sign = _EFFECTS[control.effect]
        own.append((priors.take("gamma_control", default), sign))
    return [_by_prior("gamma_control", "control", own)]


def _likelihood(
    config: ClientConfig, priors: _Priors
) -> tuple[Literal["Normal", "StudentT"], tuple[tuple[str, float], ...], list[ParameterSpec]]:
    prior = priors.take("likelihood", _LIKELIHOODS[config.model.likelihood])
    if prior.distribution not in ("Normal", "StudentT"):
        raise ConfigError(
            f"client '{config.client}'",
            Fault("model.priors.likelihood", prior.distribution, "Normal or StudentT", "choose one of these"),
        )
    constants = tuple((name, value) for name, value in prior.arguments if not isinstance(value, PriorSpec))
    parameters = [
        _whole(f"y_{name}", None, 1, value) for name, value in prior.arguments if isinstance(value, PriorSpec)
    ]
    return ("Normal" if prior.distribution == "Normal" else "StudentT"), constants, parameters


# --- data -----------------------------------------------------------------------------------------


def model_data(inputs: ScaledInputs, structure: ModelStructure) -> ModelData:
    """Arrays of all rows of a window, train then test: carry-over crosses the cutoff by itself."""
    time = np.arange(len(inputs.dates), dtype=float)
    fourier = np.zeros((len(time), 0))
    if structure.fourier_order:
        fourier = fourier_modes(inputs.dates.dayofyear.to_numpy(float), structure.fourier_order)
    media_basis, media_frequencies = _process_basis(structure.media_process, time, inputs.train_rows)
    intercept_basis, intercept_frequencies = _process_basis(
        structure.intercept_process, time, inputs.train_rows
    )
    return ModelData(
        media_lagged=lagged(inputs.media_scaled, structure.max_lag),
        controls=inputs.controls_scaled,
        fourier=fourier,
        media_basis=media_basis,
        media_frequencies=media_frequencies,
        intercept_basis=intercept_basis,
        intercept_frequencies=intercept_frequencies,
        target=inputs.target_scaled,
    )


def training_data(data: ModelData, train_rows: int) -> ModelData:
    """The training rows of `model_data`."""
    return ModelData(
        media_lagged=data.media_lagged[:, :train_rows],
        controls=data.controls[:train_rows],
        fourier=data.fourier[:train_rows],
        media_basis=data.media_basis[:train_rows],
        media_frequencies=data.media_frequencies,
        intercept_basis=data.intercept_basis[:train_rows],
        intercept_frequencies=data.intercept_frequencies,
        target=data.target[:train_rows],
    )


def _process_basis(process: TimeProcess | None, time: Floats, train_rows: int) -> tuple[Floats, Floats]:
    if process is None:
        return np.zeros((len(time), 0)), np.zeros(0)
    half_width = process.half_width or HALF_WIDTH_PER_ROW * train_rows
    basis = hsgp_basis(time, (train_rows - 1) / 2.0, half_width, process.n_basis)
    return basis, hsgp_frequencies(half_width, process.n_basis)


# --- mean -----------------------------------------------------------------------------------------


def mean_terms(
    values: Mapping[str, Array], data: ModelData, structure: ModelStructure, train_rows: int | None, xp: Any
) -> MeanTerms:
    """The terms of the mean, in model space.

    Args:
        values: Parameters by name, shape (...,) for scalars and (..., size) otherwise; `...` are draws or nothing.
        data: Arrays of the rows wanted.
        structure: The model.
        train_rows: Rows over which time variation has mean one; None means all rows of `data`.
        xp: `numpy` or `pytensor.tensor`.
    """
    media = _saturated(_adstocked(values, data, structure, xp), values, structure, xp)
    multiplier = None
    if structure.media_process is not None:
        multiplier = _process(
            values, structure.media_process, data.media_basis, data.media_frequencies, train_rows, xp
        )
        media = media * multiplier[..., None]
    intercept = values["intercept"][..., None]
    if structure.intercept_process is not None:
        intercept = intercept * _process(
            values,
            structure.intercept_process,
            data.intercept_basis,
            data.intercept_frequencies,
            train_rows,
            xp,
        )
    controls = (
        data.controls * values["gamma_control"][..., None, :] if structure.n_controls else data.controls * 0.0
    )
    seasonality = None
    if structure.fourier_order:
        seasonality = values["gamma_fourier"] @ data.fourier.T
    return MeanTerms(intercept, media, controls, seasonality, multiplier)


def mean(terms: MeanTerms) -> Array:
    """The mean, shape (..., date), model space: the sum of its terms."""
    total = terms.intercept + terms.media.sum(axis=-1) + terms.controls.sum(axis=-1)
    return total if terms.seasonality is None else total + terms.seasonality


def saturated_media(values: Mapping[str, Array], media: Array, structure: ModelStructure, xp: Any) -> Array:
    """Response of each channel to a steady level of (adstocked) media, shape (..., date, channel)."""
    return _saturated(media, values, structure, xp)


def _adstocked(values: Mapping[str, Array], data: ModelData, structure: ModelStructure, xp: Any) -> Array:
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


def _saturated(media: Array, values: Mapping[str, Array], structure: ModelStructure, xp: Any) -> Array:
    pieces = []
    for group in structure.saturations:
        parameters = {short: values[name][..., None, :] for short, name in group.parameters}
        own = media if len(structure.saturations) == 1 else media[..., list(group.channels)]
        pieces.append(saturate(own, group.kind, parameters, xp))
    return _in_channel_order(pieces, structure.saturations, xp)


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


def _process(
    values: Mapping[str, Array],
    process: TimeProcess,
    basis: Array,
    frequencies: Array,
    train_rows: int | None,
    xp: Any,
) -> Array:
    eta = values[f"{process.name}_raw_eta"][..., None]
    length_scale = values[f"{process.name}_raw_ls"][..., None]
    offsets = values[f"{process.name}_raw_hsgp_coefs_offset"]
    latent = (offsets * matern52_sqrt_density(frequencies, eta, length_scale, xp)) @ basis.T
    return softplus_multiplier(latent, train_rows, xp)


def log_likelihood(values: Mapping[str, Array], data: ModelData, structure: ModelStructure, xp: Any) -> Array:
    """Log likelihood of the target of `data`, a symbolic scalar, written out for speed.

    Constants are kept, so that the value equals PyMC's.
    """
    residual = data.target - mean(mean_terms(values, data, structure, None, xp))
    arguments = {name: value for name, value in structure.likelihood_constants}
    sigma = values["y_sigma"] if "y_sigma" in values else arguments["sigma"]
    rows = data.target.shape[0]
    squares = (residual / sigma) ** 2
    if structure.likelihood == "Normal":
        return -0.5 * squares.sum() - rows * (xp.log(sigma) + 0.5 * math.log(2.0 * math.pi))
    nu = values["y_nu"] if "y_nu" in values else arguments["nu"]
    constant = (
        xp.gammaln((nu + 1.0) / 2.0) - xp.gammaln(nu / 2.0) - 0.5 * xp.log(nu * math.pi) - xp.log(sigma)
    )
    return rows * constant - 0.5 * (nu + 1.0) * xp.log1p(squares / nu).sum()


def parameter_values(structure: ModelStructure, variables: Mapping[str, Array], xp: Any) -> dict[str, Array]:
    """Parameters by name from the free variables that carry them."""
    return {parameter.name: assemble(parameter, variables, xp) for parameter in structure.parameters}
