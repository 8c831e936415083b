"""Priors of a client's model: the defaults by name, and the client's own in their place.

Here: defaults of everything but media (their transforms carry their own), and handing priors out by name.
Not here: which parameters a model has (specification.py), reading one prior (priors.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmm_engine.client.config import ClientConfig
from mmm_engine.client.validation import nearest
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.model.priors import PriorSpec, read_prior

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


TREND = {"distribution": "Laplace", "mu": 0, "b": 0.25}


EVENT_SIGMA = {"distribution": "Gamma", "mu": 7, "sigma": 1}  # days


EVENT_SIZE = {
    "distribution": "Normal",
    "mu": 0,
    "sigma": 10,
}  # area under the bump: share of the scale times days


PROCESS_DEFAULTS: dict[str, dict[str, float]] = {
    "media_tvp_config": {"eta_lam": 10.0, "ls_mu": 5.0, "ls_sigma": 5.0},
    "intercept_tvp_config": {"eta_lam": 1.0, "ls_mu": 5.0, "ls_sigma": 5.0},
}


class ClientPriors:
    """The client's own priors, handed out by name; what is never asked for is a mistake."""

    def __init__(self, config: ClientConfig) -> None:
        self._who = f"client '{config.client}'"
        self._given = dict(config.model.priors)
        self._by_channel: list[dict[str, Any]] = [dict(channel.priors) for channel in config.channels]
        self._channel_names = config.channel_names
        self._known: list[str] = []

    def mapping(self, name: str, default: Mapping[str, Any]) -> Mapping[str, Any]:
        """A prior as it is written: the client's, else the default."""
        self._known.append(name)
        given = self._given.get(name, default)
        return given if isinstance(given, Mapping) else {"value": given}

    def take(self, name: str, default: Mapping[str, Any]) -> PriorSpec:
        """The prior of a parameter: the client's, else the default."""
        return read_prior(self.mapping(name, default), f"model.priors.{name}", self._who)

    def take_channel(self, name: str, default: Mapping[str, Any], channel: int) -> PriorSpec:
        """The prior of a channel's parameter: the channel's own, else the model's, else the default."""
        own = self._by_channel[channel].get(name)
        if own is None:
            return self.take(name, default)
        self._known.append(name)
        return read_prior(own, f"channels.{self._channel_names[channel]}.priors.{name}", self._who)

    def refuse_unknown(self) -> None:
        """Refuses priors that no parameter has asked for.

        Raises:
            ConfigError: With every such name and the nearest known one.
        """
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
                    hint = nearest(name, known) or "remove it or choose one of the names"
                    faults.append(
                        Fault(f"{place}.{name}", "an unknown prior", f"one of {', '.join(known)}", hint)
                    )
        if faults:
            raise ConfigError(self._who, faults)
