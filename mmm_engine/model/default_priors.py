"""Priors of a client's model: the defaults by name, and the client's own in their place.

Here: defaults of everything but media (their transforms carry their own), and handing priors out by name.
Not here: which parameters a model has (specification.py), reading one prior (priors.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mmm_engine.client.config import ClientConfig
from mmm_engine.client.log_normal import HalfLife
from mmm_engine.client.model_config import KINDS_WITH_HALF_LIFE
from mmm_engine.client.validation import Problem, nearest
from mmm_engine.distributions.family import Support
from mmm_engine.distributions.table import DISTRIBUTIONS
from mmm_engine.files.yaml_document import Location
from mmm_engine.model.media_transforms import SATURATIONS, TransformParameter
from mmm_engine.model.parameters import Role, Unit
from mmm_engine.model.priors import FROM_RETURN, PriorSpec, read_prior
from mmm_engine.rows.calendar import DAYS_PER_ROW, Period

INTERCEPT = {"distribution": "HalfNormal", "sigma": 1}

LIKELIHOOD_PRIORS: dict[str, dict[str, Any]] = {
    "normal": {"distribution": "Normal", "sigma": {"distribution": "HalfNormal", "sigma": 2}},
    "student_t": {
        "distribution": "StudentT",
        "nu": {"distribution": "Gamma", "alpha": 2, "beta": 0.1},
        "sigma": {"distribution": "HalfNormal", "sigma": 2},
    },
    "truncated_normal": {
        "distribution": "TruncatedNormal",
        "lower": 0,
        "sigma": {"distribution": "HalfNormal", "sigma": 2},
    },
}

CONTROL_EFFECTS: dict[str, tuple[dict[str, Any], float]] = {
    "positive": ({"distribution": "HalfNormal", "sigma": 1}, 1.0),
    "negative": ({"distribution": "HalfNormal", "sigma": 1}, -1.0),
    "any": ({"distribution": "Normal", "mu": 0, "sigma": 1}, 1.0),
}

FOURIER = {"distribution": "Laplace", "mu": 0, "b": 1}

WEEKDAY = {"distribution": "Normal", "mu": 0, "sigma": 0.25}
"""Of orthonormal contrasts of the seven days, so that no day is special (calendar_terms.py)."""

HOLIDAY_LEVEL = {"distribution": "Normal", "mu": 0, "sigma": 0.2}
"""What holidays have in common; all of a row's days are holidays where the effect is this."""

HOLIDAY = {
    "distribution": "Normal",
    "mu": 0,
    "sigma": {"distribution": "LogNormal", "mu": -2, "sigma": 0.7},
}
"""How each holiday differs from that: how much they differ is learnt from all of them, 0.04 to 0.43 before the data."""

TREND = {"distribution": "Laplace", "mu": 0, "b": 0.25}

BASELINE_SLOPE = {"distribution": "Normal", "mu": 0, "sigma": 0.2}
"""Rise or fall from the first training row to the last."""

_HALF_SATURATION = {
    "distribution": "LogNormal",
    "mu": -0.5,
    "sigma": 0.8,
}  # of the largest spend seen: 0.16 to 2.3

CALIBRATED: dict[tuple[str, str], dict[str, Any]] = {
    ("hill", "slope"): {"distribution": "Gamma", "mu": 1.3, "sigma": 0.6},
    ("hill", "kappa"): _HALF_SATURATION,
    ("michaelis_menten", "lam"): _HALF_SATURATION,
    ("inverse_scaled_logistic", "lam"): _HALF_SATURATION,
    ("logistic", "lam"): {
        "distribution": "LogNormal",
        "mu": 0.6,
        "sigma": 0.8,
    },  # half at log(3) / lam: the same
}
"""Priors of the preset `calibrated` by transform and parameter, where they are not the transform's own.

A half-saturation point far below the spend seen makes a switch of a channel, which looks like baseline: the prior has
it in the range of the spend.
"""


def retention_prior(half_life: HalfLife, kind: str, days: float) -> dict[str, Any]:
    """The prior of alpha of an adstock of a half-life h in days, where a row has d days.

    With geometric weights alpha^l half is left after h days if alpha = 2^(-d / h). With delayed ones, which are
    alpha^((l - theta)^2), half of the peak is left h days after it if alpha = 2^(-(d / h)^2); the half-life that
    stands for it is (h / d)^2 rows, whose logarithm has twice the standard deviation.

    Args:
        half_life: Median and spread, in days.
        kind: One of `KINDS_WITH_HALF_LIFE`.
        days: d.
    """
    power = 2 if kind == "delayed" else 1
    return {
        "distribution": "HalfLife",
        "median": (half_life.median / days) ** power,
        "sigma": power * half_life.sigma,
    }


def in_rows(prior: Mapping[str, Any], days: float) -> dict[str, Any]:
    """A prior of a time that is written for weekly rows, for rows of so many days.

    Args:
        prior: A distribution whose arguments are all lengths of time, in weeks: HalfNormal(sigma), Gamma(mu, sigma).
        days: Days of a row.
    """
    weeks = days / DAYS_PER_ROW["week"]
    return {name: value if name == "distribution" else value / weeks for name, value in prior.items()}


EVENT_SIGMA = {"distribution": "Gamma", "mu": 7, "sigma": 1}
"""Days."""

EVENT_SIZE = {"distribution": "Normal", "mu": 0, "sigma": 10}
"""Area under the bump: share of the target's scale times days."""

PROCESS_DEFAULTS: dict[str, dict[str, float]] = {
    "media_tvp_config": {"eta_lam": 10.0, "ls_mu": 5.0, "ls_sigma": 5.0},
    "intercept_tvp_config": {"eta_lam": 1.0, "ls_mu": 5.0, "ls_sigma": 5.0},
}

CALIBRATED_MEDIA_LENGTH = {"ls_mu": 20.0, "ls_sigma": 8.0}
"""Weeks over which the preset `calibrated` lets media work better or worse: what comes and goes within a few weeks
cannot be told from noise and carry-over, and beside a baseline that wanders it only blurs the curve's size."""


Range = tuple[float, float]
"""The open interval that a parameter must lie in."""

POSITIVE: Range = (0.0, math.inf)
FRACTION: Range = (0.0, 1.0)
ANY: Range = (-math.inf, math.inf)

_NEGLIGIBLE = (
    1e-9  # mass that a prior may have beyond each end of a range: Normal(1, 0.001) is a positive number
)


class ClientPriors:
    """The client's own priors, handed out by name; a name that no parameter has asked for is a mistake."""

    def __init__(self, config: ClientConfig, period: Period) -> None:
        self._who = f"client '{config.client}'"
        self._preset = config.model.preset
        self._days = DAYS_PER_ROW[period]
        self._adstocks = [channel.adstock or config.model.adstock for channel in config.channels]
        self._has_returns = config.model.returns is not None
        self._channel_names = config.channel_names
        self._of_model = dict(config.model.priors)
        self._of_channels = [dict(channel.priors) for channel in config.channels]
        self._model_names: set[str] = set()
        self._names_by_channel: list[set[str]] = [set() for _ in config.channels]
        self._out_of_range: dict[Location, Problem] = {}

    def mapping(self, name: str, default: Mapping[str, Any]) -> Mapping[str, Any]:
        """A prior as it is written: the client's, else the default."""
        self._model_names.add(name)
        return self._of_model.get(name, default)

    def process_settings(self, setting: str) -> Mapping[str, Any]:
        """The settings of a time-varying curve: the client's, where they say nothing the preset's."""
        defaults: dict[str, Any] = dict(PROCESS_DEFAULTS[setting])
        if self._preset == "calibrated" and setting == "media_tvp_config":
            defaults |= in_rows(CALIBRATED_MEDIA_LENGTH, self._days)
        return {**defaults, **self.mapping(setting, {})}

    def take(self, name: str, default: Mapping[str, Any], allowed: Range = ANY) -> PriorSpec:
        """The prior of a parameter: the client's, else the default.

        Args:
            name: The parameter's name in the model.
            default: The default, as it is written.
            allowed: What the parameter may be; a prior that reaches beyond is one of the `problems`.

        Raises:
            ConfigError: If it cannot be read.
        """
        prior = read_prior(self.mapping(name, default), f"model.priors.{name}", self._who)
        self._check_range(("model", "priors", name), prior, default, allowed)
        return prior

    def take_channel(
        self, name: str, default: Mapping[str, Any], channel: int, allowed: Range = ANY
    ) -> PriorSpec:
        """The prior of a channel's parameter: the channel's own, else the model's, else the default; as `take`.

        Raises:
            ConfigError: If it cannot be read.
        """
        self._names_by_channel[channel].add(name)
        channel_prior = self._of_channels[channel].get(name)
        if channel_prior is None:
            return self.take(name, default, allowed)
        self._model_names.add(name)
        prior = read_prior(channel_prior, f"channels.{self._channel_names[channel]}.priors.{name}", self._who)
        self._check_range(("channels", channel, "priors", name), prior, default, allowed)
        return prior

    def take_media(self, name: str, kind: str, parameter: TransformParameter, channel: int) -> PriorSpec:
        """The prior of a parameter of a channel's adstock or curve.

        With priors on returns the scale of a curve follows from them, unless the client writes a prior of its own.

        Args:
            name: The parameter's name in the model.
            kind: The transformation.
            parameter: The parameter within it, with the transformation's own default.
            channel: Position of the channel.
        """
        default = self._media_default(kind, parameter, channel)
        allowed = FRACTION if parameter.unit is Unit.FRACTION else POSITIVE
        prior = self.take_channel(name, default, channel, allowed)
        written = name in self._of_model or name in self._of_channels[channel]
        is_scale = parameter.role is Role.SATURATION_SCALE and SATURATIONS[kind].scale == parameter.name
        follows = self._has_returns and is_scale  # tanh has a parameter of that role which is no factor
        return FROM_RETURN if follows and not written else prior

    def problems(self) -> Iterator[Problem]:
        """Priors that reach beyond what their parameter may be, and priors of parameters that there are not."""
        yield from self._out_of_range.values()
        yield from self._unknown()

    def _check_range(
        self, location: Location, prior: PriorSpec, default: Mapping[str, Any], allowed: Range
    ) -> None:
        if _within(prior, allowed):
            return
        low, high = prior.bounds
        families = [name for name, family in DISTRIBUTIONS.items() if family.support in _SUPPORTS[allowed]]
        found = f"{prior}, which reaches from {low:g} to {high:g}"
        wanted = f"a prior on {_IN_WORDS[allowed]}: {', '.join(families)}, or one with such ends"
        fix = f"write for example {read_prior(default, 'the default', self._who)}"
        self._out_of_range[location] = Problem(location, found, wanted, fix)

    def _media_default(self, kind: str, parameter: TransformParameter, channel: int) -> Mapping[str, Any]:
        """The prior of a parameter of a channel's adstock or curve where no prior is written for it by name."""
        calibrated = self._preset == "calibrated"
        if parameter.role is Role.ADSTOCK and kind in KINDS_WITH_HALF_LIFE and parameter.name == "alpha":
            half_life = self._adstocks[channel].half_life or (HalfLife() if calibrated else None)
            if half_life is not None:
                return retention_prior(half_life, kind, self._days)
        if calibrated and parameter.unit is Unit.PERIODS:
            return in_rows(parameter.prior, self._days)
        return CALIBRATED.get((kind, parameter.name), parameter.prior) if calibrated else parameter.prior

    def _unknown(self) -> Iterator[Problem]:
        """Priors that no parameter has asked for, each with the nearest name that one has."""
        places: list[tuple[Location, dict[str, Any], set[str]]] = [
            (("model", "priors"), self._of_model, self._model_names)
        ]
        for channel, (priors, names) in enumerate(
            zip(self._of_channels, self._names_by_channel, strict=True)
        ):
            places.append((("channels", channel, "priors"), priors, names))
        for location, priors, names in places:
            for name in sorted(priors.keys() - names):
                hint = nearest(name, names) or "remove it or choose one of the names"
                wanted = f"one of {', '.join(sorted(names))}" if names else "no prior: it has no parameters"
                yield Problem((*location, name), "an unknown prior", wanted, hint)


_IN_WORDS = {POSITIVE: "numbers above 0", FRACTION: "numbers between 0 and 1"}
_SUPPORTS: dict[Range, tuple[Support, ...]] = {POSITIVE: ("positive", "unit"), FRACTION: ("unit",)}


def _within(prior: PriorSpec, allowed: Range) -> bool:
    """Whether a prior has (practically) all of its mass within a range."""
    low, high = prior.bounds
    if low >= allowed[0] and high <= allowed[1]:
        return True
    arguments, family = dict(prior.arguments), prior.family
    if family.support != "real" or family.quantile is None:
        return False
    numbers = {name: value for name, value in arguments.items() if not isinstance(value, PriorSpec)}
    if len(numbers) < len(arguments):
        return False
    ends = family.quantile(np.array([_NEGLIGIBLE, 1.0 - _NEGLIGIBLE]), family.standard(numbers))
    return bool(ends[0] >= allowed[0] and ends[1] <= allowed[1])
