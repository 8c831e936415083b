"""Which terms a client's model has, and the parameters they bring.

Here: `ModelSpecification`, everything the compiled code depends on: no client names, no data.
Not here: the formula (mean.py), default priors (default_priors.py and, for media transforms, media_transforms.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mmm_engine.array_types import Array
from mmm_engine.client.config import ChannelConfig, ClientConfig
from mmm_engine.client.validation import Problem
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.yaml_document import Location, name_of
from mmm_engine.model.default_priors import (
    CONTROL_EFFECTS,
    EVENT_SIGMA,
    EVENT_SIZE,
    FOURIER,
    INTERCEPT,
    LIKELIHOOD_PRIORS,
    PROCESS_DEFAULTS,
    TREND,
    ClientPriors,
)
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS
from mmm_engine.model.parameters import ParameterSpec, PriorPart, assemble
from mmm_engine.model.priors import PriorSpec, read_prior

MEDIA_PROCESS = "media_temporal_latent_multiplier"
INTERCEPT_PROCESS = "intercept_latent_process"


Likelihood = Literal["Normal", "StudentT", "TruncatedNormal"]


LIKELIHOODS: dict[str, tuple[Likelihood, frozenset[str]]] = {
    "Normal": ("Normal", frozenset({"sigma"})),
    "StudentT": ("StudentT", frozenset({"nu", "sigma"})),
    "TruncatedNormal": ("TruncatedNormal", frozenset({"lower", "sigma"})),
}
"""Distributions of the target around its mean, and the arguments each must have: the mean is the model's."""


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
class ModelSpecification:
    """Everything the compiled code depends on; two clients with equal specifications share it.

    Attributes:
        adstocks: Channels by carry-over kernel.
        saturations: Channels by response curve.
        media_process: Time variation common to all channels, or None.
        intercept_process: Time variation of the intercept, or None.
        n_controls: Number of controls.
        fourier_order: Order of the yearly seasonality, 0 for none.
        changepoints: How often the slope of the trend may change, 0 for no trend.
        n_events: Number of events.
        calibrated: Whether lift tests are part of the likelihood.
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
    changepoints: int
    n_events: int
    calibrated: bool
    likelihood: Likelihood
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


def model_specification(config: ClientConfig) -> ModelSpecification:
    """The specification of a client's model, priors included.

    Raises:
        ConfigError: With every prior that no parameter has, a likelihood that is not supported, or a prior that cannot
            be read.
    """
    specification, problems = _specification(config)
    if problems:
        raise ConfigError(
            f"client '{config.client}'",
            [
                Fault(
                    name_of(_with_channel_name(config, problem.location)),
                    problem.found,
                    problem.wanted,
                    problem.fix,
                )
                for problem in problems
            ],
        )
    return specification


def specification_problems(config: ClientConfig) -> list[Problem]:
    """Why no model can be specified from settings that are valid by themselves: names of priors, the likelihood."""
    return _specification(config)[1]


def _with_channel_name(config: ClientConfig, location: Location) -> Location:
    """A location with the channel's name in place of its position."""
    match location:
        case ("channels", int() as position, *inside):
            return ("channels", config.channel_names[position], *inside)
    return location


def _specification(config: ClientConfig) -> tuple[ModelSpecification, list[Problem]]:
    """What the settings specify, and what is wrong with them; with problems it is of no use."""
    priors = ClientPriors(config)
    adstocks, adstock_parameters = _adstock_groups(config, priors)
    saturations, saturation_parameters = _saturation_groups(config, priors)
    media_process, media_parameters = _time_process(
        config.model.time_varying_media, MEDIA_PROCESS, "media_tvp_config", config, priors
    )
    intercept_process, intercept_parameters = _time_process(
        config.model.time_varying_intercept, INTERCEPT_PROCESS, "intercept_tvp_config", config, priors
    )
    likelihood_prior, problems = _likelihood_prior(config, priors)
    likelihood, constants, likelihood_parameters = _likelihood(likelihood_prior)
    order = config.model.yearly_seasonality or 0
    parameters = (
        _whole("intercept", None, 1, priors.take("intercept", INTERCEPT)),
        *adstock_parameters,
        *saturation_parameters,
        *media_parameters,
        *intercept_parameters,
        *_control_parameters(config, priors),
        *(
            (_whole("gamma_fourier", "fourier_mode", 2 * order, priors.take("gamma_fourier", FOURIER)),)
            if order
            else ()
        ),
        *_trend_parameters(config, priors),
        *_event_parameters(config, priors),
        *likelihood_parameters,
    )
    problems += priors.unknown()
    specification = ModelSpecification(
        adstocks=adstocks,
        saturations=saturations,
        media_process=media_process,
        intercept_process=intercept_process,
        n_controls=len(config.controls),
        fourier_order=order,
        changepoints=config.model.trend.changepoints if config.model.trend else 0,
        n_events=len(config.model.events),
        calibrated=bool(config.lift_tests),
        likelihood=likelihood,
        likelihood_constants=constants,
        parameters=parameters,
    )
    return specification, problems


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
    config: ClientConfig, priors: ClientPriors
) -> tuple[tuple[MediaGroup, ...], list[ParameterSpec]]:
    def key(channel: ChannelConfig) -> tuple[str, int]:
        own = channel.adstock or config.model.adstock
        return own.kind, (1 if own.kind == "none" else own.max_lag)

    return _media_groups("adstock", [key(channel) for channel in config.channels], priors)


def _saturation_groups(
    config: ClientConfig, priors: ClientPriors
) -> tuple[tuple[MediaGroup, ...], list[ParameterSpec]]:
    keys = [(channel.saturation or config.model.saturation, 1) for channel in config.channels]
    return _media_groups("saturation", keys, priors)


def _media_groups(
    role: str, keys: Sequence[tuple[str, int]], priors: ClientPriors
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
    wanted: bool, name: str, setting: str, config: ClientConfig, priors: ClientPriors
) -> tuple[TimeProcess | None, list[ParameterSpec]]:
    if not wanted:
        return None, []
    values = {
        "m": float(config.model.n_basis),
        "L": None,
        **PROCESS_DEFAULTS[setting],
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


def _control_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    if not config.controls:
        return []
    own = []
    for control in config.controls:
        default, sign = CONTROL_EFFECTS[control.effect]
        own.append((priors.take("gamma_control", default), sign))
    return [_by_prior("gamma_control", "control", own)]


def _trend_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    """Changes of the slope, one at each changepoint."""
    if config.model.trend is None:
        return []
    prior = priors.take("trend_delta", TREND)
    return [_whole("trend_delta", "changepoint", config.model.trend.changepoints, prior)]


def _event_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    """Width that all events share, and the size of each."""
    if not config.model.events:
        return []
    size = priors.take("event_effect_size", EVENT_SIZE)
    return [
        _whole("event_sigma", None, 1, priors.take("event_sigma", EVENT_SIGMA)),
        _whole("event_effect_size", "event", len(config.model.events), size),
    ]


def _likelihood_prior(config: ClientConfig, priors: ClientPriors) -> tuple[PriorSpec, list[Problem]]:
    """The likelihood's distribution with its arguments, and what is wrong with it; the default where it is wrong."""
    default = LIKELIHOOD_PRIORS[config.model.likelihood]
    prior = priors.take("likelihood", default)
    problem = _likelihood_problem(prior)
    if problem is None:
        return prior, []
    return read_prior(default, "model.likelihood", f"client '{config.client}'"), [problem]


def _likelihood_problem(prior: PriorSpec) -> Problem | None:
    location: Location = ("model", "priors", "likelihood")
    if prior.distribution not in LIKELIHOODS:
        wanted = f"one of {', '.join(LIKELIHOODS)}"
        return Problem(location, prior.distribution, wanted, "choose one of these")
    arguments = dict(prior.arguments)
    _, names = LIKELIHOODS[prior.distribution]
    if prior.distribution == "TruncatedNormal" and {**arguments, "sigma": 0.0} != {
        "lower": 0.0,
        "sigma": 0.0,
    }:
        wanted = "TruncatedNormal(lower=0, sigma=…)"
        return Problem(location, str(prior), wanted, "the target is 0 or more: write it so")
    if arguments.keys() != names:
        wanted = f"{prior.distribution} with {' and '.join(sorted(names))}: its mean is the model's"
        return Problem(location, str(prior), wanted, "write these arguments and no others")
    return None


def _likelihood(prior: PriorSpec) -> tuple[Likelihood, tuple[tuple[str, float], ...], list[ParameterSpec]]:
    constants = tuple((name, value) for name, value in prior.arguments if not isinstance(value, PriorSpec))
    parameters = [
        _whole(f"y_{name}", None, 1, value) for name, value in prior.arguments if isinstance(value, PriorSpec)
    ]
    return LIKELIHOODS[prior.distribution][0], constants, parameters


def parameter_values(
    specification: ModelSpecification, variables: Mapping[str, Array], xp: Any
) -> dict[str, Array]:
    """Parameters by name from the free variables that carry them."""
    return {parameter.name: assemble(parameter, variables, xp) for parameter in specification.parameters}


def dimension_labels(config: ClientConfig, specification: ModelSpecification) -> dict[str, list[Any]]:
    """Labels of every dimension a parameter of the client's model can have."""
    labels: dict[str, list[Any]] = {
        "channel": list(config.channel_names),
        "control": list(config.control_names),
        "event": [event.name for event in config.model.events],
    }
    for spec in specification.parameters:
        if spec.dim is not None and spec.dim not in labels:
            labels[spec.dim] = list(range(spec.size))
    for role, groups in (("adstock", specification.adstocks), ("saturation", specification.saturations)):
        for group in groups:
            for spec in specification.parameters:
                if (
                    spec.dim
                    and spec.dim.startswith(f"channel_{role}")
                    and spec.name in dict(group.parameters).values()
                ):
                    labels[spec.dim] = [config.channel_names[position] for position in group.channels]
    return labels
