"""What a client's model consists of: its terms and their parameters, without names and data.

Here: `ModelSpecification`, everything the compiled code depends on.
Not here: the parameters of each term (terms.py), formulas (mean.py, likelihood.py), default priors
(default_priors.py, media_transforms.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmm_engine.array_types import Array, ArrayFunctions
from mmm_engine.client.config import ClientConfig
from mmm_engine.client.model_config import EventConfig
from mmm_engine.client.validation import Problem
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.yaml_document import Location, name_of
from mmm_engine.model import terms
from mmm_engine.model.default_priors import ClientPriors
from mmm_engine.model.lift_arrays import lift_channels
from mmm_engine.model.parameters import ParameterSpec, Role, assemble
from mmm_engine.model.return_specification import ReturnSpecification, return_problems, return_specification
from mmm_engine.model.terms import (
    CALENDAR_TERMS,
    CalendarTerm,
    Likelihood,
    MediaGroup,
    NoiseArgument,
    TimeProcess,
)
from mmm_engine.rows.calendar import Period

MEDIA_PROCESS = "media_temporal_latent_multiplier"
INTERCEPT_PROCESS = "intercept_latent_process"


@dataclass(frozen=True)
class ModelSpecification:
    """Everything the compiled code depends on; two clients with equal specifications share it.

    Attributes:
        adstocks: Channels by adstock.
        saturations: Channels by response curve.
        media_process: Time variation common to all channels, or None.
        intercept_process: Time variation of the intercept, or None.
        n_controls: Number of controls.
        fourier_order: Order of the yearly seasonality, 0 for none.
        baseline_steps: Steps that the level of the baseline makes, 0 for a baseline that does not wander.
        changepoints: How often the slope of the trend may change, 0 for no trend.
        has_weekdays: Whether days of the week have effects.
        n_holidays: Number of public holidays.
        n_events: Number of events.
        lift_channels: Positions of the channels whose lift tests are part of the likelihood.
        returns: Channels whose scale follows from a prior on what they bring; None without any.
        likelihood: Distribution of the target around the mean.
        noise_arguments: Its arguments beside the mean.
        parameters: Every parameter with its priors, in the order of the flat vector.
    """

    adstocks: tuple[MediaGroup, ...]
    saturations: tuple[MediaGroup, ...]
    media_process: TimeProcess | None
    intercept_process: TimeProcess | None
    n_controls: int
    fourier_order: int
    baseline_steps: int
    changepoints: int
    has_weekdays: bool
    n_holidays: int
    n_events: int
    lift_channels: tuple[int, ...]
    returns: ReturnSpecification | None
    likelihood: Likelihood
    noise_arguments: tuple[NoiseArgument, ...]
    parameters: tuple[ParameterSpec, ...]

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return sum(len(group.channels) for group in self.adstocks)

    @property
    def max_lag(self) -> int:
        """Number of adstock weights of the channel that has most."""
        return max(group.max_lag for group in self.adstocks)

    def parameter(self, name: str) -> ParameterSpec:
        """The parameter of a name.

        Raises:
            KeyError: If there is none.
        """
        for spec in self.parameters:
            if spec.name == name:
                return spec
        raise KeyError(name)

    @property
    def calendar_terms(self) -> tuple[CalendarTerm, ...]:
        """The parts of the target that follow the calendar, in the order in which they are added up."""
        roles = {spec.role for spec in self.parameters}
        return tuple(term for term in CALENDAR_TERMS if term.role in roles)

    def with_role(self, *roles: Role) -> tuple[ParameterSpec, ...]:
        """The parameters that have one of these roles, in the order of the flat vector."""
        return tuple(spec for spec in self.parameters if spec.role in roles)


def model_specification(config: ClientConfig, period: Period) -> ModelSpecification:
    """The specification of a client's model, priors included.

    Args:
        config: The client's settings.
        period: What one row is; half-lives in days become carry-over from row to row.

    Raises:
        ConfigError: With every prior that no parameter has, a likelihood that is not supported, or a prior that cannot
            be read.
    """
    specification, problems = _specification(config, period)
    if problems:
        faults = [
            Fault(name_of(_with_channel_name(config, one.location)), one.found, one.wanted, one.fix)
            for one in problems
        ]
        raise ConfigError(f"client '{config.client}'", faults)
    return specification


def specification_problems(config: ClientConfig, period: Period) -> list[Problem]:
    """Why no model can be specified from settings that are valid by themselves: names of priors, the likelihood."""
    return _specification(config, period)[1]


def _with_channel_name(config: ClientConfig, location: Location) -> Location:
    """A location with the channel's name in place of its position."""
    match location:
        case ("channels", int() as position, *inside):
            return ("channels", config.channel_names[position], *inside)
    return location


def _specification(config: ClientConfig, period: Period) -> tuple[ModelSpecification, list[Problem]]:
    """What the settings specify, and what is wrong with them; with problems it is of no use."""
    priors = ClientPriors(config, period)
    adstocks, adstock_parameters = terms.adstock_groups(config, priors)
    saturations, saturation_parameters = terms.saturation_groups(config, priors)
    media_process, intercept_process = None, None
    media_parameters: list[ParameterSpec] = []
    intercept_parameters: list[ParameterSpec] = []
    if config.model.time_varying_media:
        media_process, media_parameters = terms.time_process(
            MEDIA_PROCESS, "media_tvp_config", config, priors
        )
    if config.model.time_varying_intercept:
        intercept_process, intercept_parameters = terms.time_process(
            INTERCEPT_PROCESS, "intercept_tvp_config", config, priors
        )
    likelihood_prior, problems = terms.likelihood_prior(config, priors)
    likelihood, noise_arguments, noise_parameters = terms.noise(likelihood_prior)
    parameters = (
        terms.intercept_parameter(priors),
        *adstock_parameters,
        *saturation_parameters,
        *media_parameters,
        *intercept_parameters,
        *terms.control_parameters(config, priors),
        *terms.seasonality_parameters(config, priors),
        *terms.baseline_parameters(config, priors),
        *terms.trend_parameters(config, priors),
        *terms.weekday_parameters(config, priors),
        *terms.holiday_parameters(config, priors),
        *terms.event_parameters(config, priors),
        *noise_parameters,
    )
    following = terms.channels_that_follow(saturations, saturation_parameters)
    problems += [*priors.problems(), *return_problems(config, following)]
    specification = ModelSpecification(
        adstocks=adstocks,
        saturations=saturations,
        media_process=media_process,
        intercept_process=intercept_process,
        n_controls=len(config.controls),
        fourier_order=config.model.yearly_seasonality or 0,
        baseline_steps=config.model.baseline.steps if config.model.baseline else 0,
        changepoints=config.model.trend.changepoints if config.model.trend else 0,
        has_weekdays=config.model.weekly_seasonality,
        n_holidays=len(config.model.holidays.days) if config.model.holidays else 0,
        n_events=len(config.model.events),
        lift_channels=lift_channels(config.lift_tests, config.channel_names),
        returns=return_specification(config, following),
        likelihood=likelihood,
        noise_arguments=noise_arguments,
        parameters=parameters,
    )
    return specification, problems


def parameter_values(
    specification: ModelSpecification, variables: Mapping[str, Array], xp: ArrayFunctions
) -> dict[str, Array]:
    """Parameters by name from the free variables that carry them."""
    return {parameter.name: assemble(parameter, variables, xp) for parameter in specification.parameters}


def dimension_labels(config: ClientConfig, specification: ModelSpecification) -> dict[str, list[Any]]:
    """Labels of every dimension a parameter of the client's model can have; numbers where nothing has a name."""
    labels: dict[str, list[Any]] = {
        "channel": list(config.channel_names),
        "control": list(config.control_names),
        "event": [event.name for event in config.model.events],
        "holiday": ["every holiday", *(holiday.name for holiday in _holidays(config))],
    }
    names = config.channel_names
    for group in (*specification.adstocks, *specification.saturations):
        for _, name in group.parameters:
            dim = specification.parameter(name).dim
            assert dim is not None  # noqa: S101  (parameters of channels have one)
            if len(group.channels) < specification.n_channels:  # else it is the dimension of all channels
                labels[dim] = [names[position] for position in group.channels if position < len(names)]
    for spec in specification.parameters:
        if spec.dim is not None and spec.dim not in labels:
            labels[spec.dim] = list(range(spec.size))
    return labels


def _holidays(config: ClientConfig) -> tuple[EventConfig, ...]:
    return config.model.holidays.days if config.model.holidays else ()
