"""The terms of a client's model, each with the parameters that it brings.

Here: channels grouped by transformation, time variation, controls, seasonality, trend, events, noise; names, roles,
units and priors of their parameters.
Not here: all terms together (specification.py), their formulas (mean.py, likelihood.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmm_engine.client.config import ChannelConfig, ClientConfig
from mmm_engine.client.validation import Problem
from mmm_engine.files.yaml_document import Location
from mmm_engine.model.default_priors import (
    BASELINE_SLOPE,
    CONTROL_EFFECTS,
    EVENT_SIGMA,
    EVENT_SIZE,
    FOURIER,
    HOLIDAY,
    HOLIDAY_LEVEL,
    INTERCEPT,
    LIKELIHOOD_PRIORS,
    POSITIVE,
    TREND,
    WEEKDAY,
    ClientPriors,
)
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS, TransformParameter
from mmm_engine.model.parameters import ParameterSpec, PriorPart, Role, Unit, with_one_prior, with_priors
from mmm_engine.model.priors import FROM_RETURN, PriorSpec, read_prior
from mmm_engine.rows.wandering_baseline import BASELINE_WALK

Likelihood = Literal["Normal", "StudentT", "TruncatedNormal"]


@dataclass(frozen=True)
class NoiseArgument:
    """An argument of the distribution of the target around its mean.

    Attributes:
        name: PyMC's name of the argument.
        value: A fixed number, or the name of the parameter that it is.
    """

    name: str
    value: float | str


LIKELIHOODS: dict[str, tuple[Likelihood, frozenset[str]]] = {
    "Normal": ("Normal", frozenset({"sigma"})),
    "StudentT": ("StudentT", frozenset({"nu", "sigma"})),
    "TruncatedNormal": ("TruncatedNormal", frozenset({"lower", "sigma"})),
}
"""Distributions of the target around its mean, and the arguments each must have: the mean is the model's."""

_NOISE_ARGUMENTS = {  # (role, unit) of the arguments that may have priors
    "sigma": (Role.NOISE_SCALE, Unit.TARGET),
    "nu": (Role.DEGREES_OF_FREEDOM, Unit.NUMBER),
}


@dataclass(frozen=True)
class CalendarTerm:
    """A part of the target that follows the calendar: coefficients times regressors that the dates alone give.

    Attributes:
        name: What results call it.
        role: Role of the parameter that holds its coefficients.
        parameter: Name of that parameter.
        array: The array of `ModelData` that holds its regressors, shape (date, coefficient).
    """

    name: str
    role: Role
    parameter: str
    array: str


CALENDAR_TERMS = (
    CalendarTerm("seasonality", Role.SEASONALITY, "gamma_fourier", "fourier"),
    CalendarTerm("trend", Role.TREND, "trend_delta", "trend"),
    CalendarTerm("weekday", Role.WEEKDAY, "gamma_weekday", "weekdays"),
    CalendarTerm("holidays", Role.HOLIDAY, "gamma_holiday", "holidays"),
)
"""Every one that a model can have, in the order in which they are added up."""

WEEKDAY_CONTRASTS = 6
"""Seven effects that add up to zero have six dimensions."""


@dataclass(frozen=True)
class MediaGroup:
    """Channels (by position) that share a transformation.

    Attributes:
        kind: A key of `ADSTOCKS` or `SATURATIONS`.
        channels: Positions of the channels.
        parameters: (name within the transformation, name in the model) pairs.
        max_lag: Number of adstock weights; 1 for saturations.
    """

    kind: str
    channels: tuple[int, ...]
    parameters: tuple[tuple[str, str], ...]
    max_lag: int = 1


@dataclass(frozen=True)
class TimeProcess:
    """A positive curve over time with mean one: softplus of an approximate Gaussian process (Matérn 5/2).

    Attributes:
        name: Its name, with which those of its parameters begin.
        n_basis: Number of basis functions.
        half_width: L in rows; None means 1.5 times the training rows.
        amplitude: Name of the parameter that is the process's standard deviation, eta.
        length_scale: Name of the parameter that is its length scale, in periods.
        coefficients: Name of the parameter that holds the standardised coefficients of the basis functions.
    """

    name: str
    n_basis: int
    half_width: float | None
    amplitude: str
    length_scale: str
    coefficients: str


def intercept_parameter(priors: ClientPriors) -> ParameterSpec:
    """The baseline before everything that varies."""
    return with_one_prior(
        "intercept", Role.INTERCEPT, Unit.TARGET, None, 1, priors.take("intercept", INTERCEPT)
    )


def adstock_groups(
    config: ClientConfig, priors: ClientPriors
) -> tuple[tuple[MediaGroup, ...], list[ParameterSpec]]:
    """Channels grouped by adstock and number of weights, and the parameters of each group."""

    def key(channel: ChannelConfig) -> tuple[str, int]:
        adstock = channel.adstock or config.model.adstock
        return adstock.kind, (1 if adstock.kind == "none" else adstock.max_lag)

    keys = [key(channel) for channel in config.channels]
    labels = {(kind, max_lag): f"{kind}{max_lag}" for kind, max_lag in keys}
    parameters = {kind: adstock.parameters for kind, adstock in ADSTOCKS.items()}
    return _media_groups("adstock", keys, labels, parameters, priors)


def saturation_groups(
    config: ClientConfig, priors: ClientPriors
) -> tuple[tuple[MediaGroup, ...], list[ParameterSpec]]:
    """Channels grouped by response curve, and the parameters of each group."""
    keys: list[tuple[str, int]] = [
        (channel.saturation or config.model.saturation, 1) for channel in config.channels
    ]
    labels: dict[tuple[str, int], str] = {(kind, max_lag): kind for kind, max_lag in keys}
    parameters = {kind: saturation.parameters for kind, saturation in SATURATIONS.items()}
    return _media_groups("saturation", keys, labels, parameters, priors)


def _media_groups(
    transform: str,
    keys: Sequence[tuple[str, int]],
    labels: dict[tuple[str, int], str],
    transform_parameters: dict[str, tuple[TransformParameter, ...]],
    priors: ClientPriors,
) -> tuple[tuple[MediaGroup, ...], list[ParameterSpec]]:
    """Channels grouped by transformation, and the parameters of each group.

    With one group the names are pymc-marketing's ("adstock_alpha", one value per channel); with several each name
    carries its group ("adstock_delayed8_alpha", one value per channel of that group).
    """
    positions: dict[tuple[str, int], list[int]] = {}
    for position, key in enumerate(keys):
        positions.setdefault(key, []).append(position)
    groups, parameters = [], []
    for (kind, max_lag), channels in positions.items():
        label = labels[kind, max_lag]
        prefix = transform if len(positions) == 1 else f"{transform}_{label}"
        dim = "channel" if len(positions) == 1 else f"channel_{transform}_{label}"
        names = []
        for parameter in transform_parameters[kind]:
            name = f"{prefix}_{parameter.name}"
            channel_priors = [(priors.take_media(name, kind, parameter, at), 1.0) for at in channels]
            parameters.append(with_priors(name, parameter.role, parameter.unit, dim, channel_priors))
            names.append((parameter.name, name))
        groups.append(MediaGroup(kind, tuple(channels), tuple(names), max_lag))
    return tuple(groups), parameters


def channels_that_follow(groups: Sequence[MediaGroup], parameters: Sequence[ParameterSpec]) -> list[int]:
    """Positions of the channels whose curve's scale follows from a prior on a return."""
    scales = {spec.name: spec for spec in parameters if spec.role is Role.SATURATION_SCALE}
    positions = []
    for group in groups:
        for name in dict(group.parameters).values():
            parts = scales[name].parts if name in scales else ()
            indices = [index for part in parts if part.prior == FROM_RETURN for index in part.indices]
            positions += [group.channels[index] for index in indices]
    return sorted(positions)


def time_process(
    name: str, setting: str, config: ClientConfig, priors: ClientPriors
) -> tuple[TimeProcess, list[ParameterSpec]]:
    """A slow curve over time and its three parameters.

    Args:
        name: Name of the curve.
        setting: Name of its settings among the client's priors.
        config: The client.
        priors: Its priors.
    """
    values = {
        "m": float(config.model.n_basis),
        "L": None,
        **priors.process_settings(setting),
    }
    eta = {"distribution": "Exponential", "lam": values["eta_lam"]}
    length = {"distribution": "InverseGamma", "mu": values["ls_mu"], "sigma": values["ls_sigma"]}
    standard_normal = {"distribution": "Normal", "mu": 0, "sigma": 1}
    n_basis = int(values["m"])
    half_width = None if values["L"] is None else float(values["L"])
    process = TimeProcess(
        name=name,
        n_basis=n_basis,
        half_width=half_width,
        amplitude=f"{name}_raw_eta",
        length_scale=f"{name}_raw_ls",
        coefficients=f"{name}_raw_hsgp_coefs_offset",
    )
    who, where = f"client '{config.client}'", f"model.priors.{setting}"
    parameters = [
        with_one_prior(
            process.amplitude,
            Role.TIME_VARIATION_AMPLITUDE,
            Unit.NUMBER,
            None,
            1,
            read_prior(eta, where, who),
        ),
        with_one_prior(
            process.length_scale, Role.LENGTH_SCALE, Unit.PERIODS, None, 1, read_prior(length, where, who)
        ),
        with_one_prior(
            process.coefficients,
            Role.BASIS_COEFFICIENTS,
            Unit.NUMBER,
            f"{name}_basis",
            n_basis,
            read_prior(standard_normal, where, who),
        ),
    ]
    return process, parameters


def control_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    """The effect of each control, with the sign that the client gives it."""
    if not config.controls:
        return []
    control_priors = []
    for control in config.controls:
        default, sign = CONTROL_EFFECTS[control.effect]
        control_priors.append((priors.take("gamma_control", default), sign))
    return [
        with_priors("gamma_control", Role.CONTROL_EFFECT, Unit.TARGET_PER_CONTROL, "control", control_priors)
    ]


def seasonality_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    """Weights of the sines and cosines of the year."""
    order = config.model.yearly_seasonality
    if not order:
        return []
    prior = priors.take("gamma_fourier", FOURIER)
    return [with_one_prior("gamma_fourier", Role.SEASONALITY, Unit.TARGET, "fourier_mode", 2 * order, prior)]


def weekday_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    """Contrasts of the days of the week."""
    if not config.model.weekly_seasonality:
        return []
    prior = priors.take("gamma_weekday", WEEKDAY)
    name, dim = "gamma_weekday", "weekday_contrast"
    return [with_one_prior(name, Role.WEEKDAY, Unit.TARGET, dim, WEEKDAY_CONTRASTS, prior)]


def holiday_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    """The effect that all holidays have, and how each differs from it."""
    holidays = config.model.holidays
    if holidays is None:
        return []
    level = PriorPart("gamma_holiday_level", (0,), priors.take("gamma_holiday_level", HOLIDAY_LEVEL))
    others = tuple(range(1, 1 + len(holidays.days)))
    deviations = PriorPart("gamma_holiday", others, priors.take("gamma_holiday", HOLIDAY))
    return [ParameterSpec("gamma_holiday", Role.HOLIDAY, Unit.TARGET, "holiday", (level, deviations))]


def trend_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    """Changes of the slope, one at each changepoint."""
    if config.model.trend is None:
        return []
    prior, changepoints = priors.take("trend_delta", TREND), config.model.trend.changepoints
    return [
        with_one_prior(
            "trend_delta", Role.TREND, Unit.TARGET_PER_TRAINING, "changepoint", changepoints, prior
        )
    ]


def baseline_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    """The slope of the baseline, and its steps from knot to knot, those of rows to come included."""
    if config.model.baseline is None:
        return []
    knots = config.model.baseline.knots
    step = {"distribution": "Normal", "mu": 0, "sigma": BASELINE_WALK / math.sqrt(knots)}
    slope_prior, step_prior = (
        priors.take("baseline_slope", BASELINE_SLOPE),
        priors.take("baseline_step", step),
    )
    return [
        with_one_prior("baseline_slope", Role.BASELINE_SLOPE, Unit.TARGET_PER_TRAINING, None, 1, slope_prior),
        with_one_prior(
            "baseline_step", Role.BASELINE_STEP, Unit.TARGET, "knot", config.model.baseline.steps, step_prior
        ),
    ]


def event_parameters(config: ClientConfig, priors: ClientPriors) -> list[ParameterSpec]:
    """Width that all events share, and the size of each."""
    if not config.model.events:
        return []
    size, events = priors.take("event_effect_size", EVENT_SIZE), len(config.model.events)
    return [
        with_one_prior(
            "event_sigma",
            Role.EVENT_WIDTH,
            Unit.DAYS,
            None,
            1,
            priors.take("event_sigma", EVENT_SIGMA, POSITIVE),
        ),
        with_one_prior("event_effect_size", Role.EVENT_SIZE, Unit.TARGET_DAYS, "event", events, size),
    ]


def likelihood_prior(config: ClientConfig, priors: ClientPriors) -> tuple[PriorSpec, list[Problem]]:
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


def noise(prior: PriorSpec) -> tuple[Likelihood, tuple[NoiseArgument, ...], list[ParameterSpec]]:
    """The distribution of the target around its mean, its arguments, and those of them that are parameters."""
    arguments, parameters = [], []
    for name, value in prior.arguments:
        if isinstance(value, PriorSpec):
            role, unit = _NOISE_ARGUMENTS[name]
            parameters.append(with_one_prior(f"y_{name}", role, unit, None, 1, value))
            arguments.append(NoiseArgument(name, f"y_{name}"))
        else:
            arguments.append(NoiseArgument(name, value))
    return LIKELIHOODS[prior.distribution][0], tuple(arguments), parameters
