"""Priors as data scientists write them, pymc-extras `Prior` and `HSGPKwargs`, and as the client file has them.

Here: from either form to the mappings of the client file, those of single channels included, or to plain values.
Not here: what a prior means (mmm_engine.model.priors), the way back (mmm_engine.model.pymc_reference: `model_priors`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from mmm_engine.client.model_config import PROCESS_KEYS, PROCESS_SETTINGS
from mmm_engine.distributions.arguments import BESIDE_ARGUMENTS
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS
from mmm_engine.model.parameters import MODEL_NAMES

PriorMapping = dict[str, Any]

_CHANNEL_PRIORS = {
    f"{transform}_{parameter.name}"
    for transform, kinds in (("adstock", ADSTOCKS), ("saturation", SATURATIONS))
    for kind in kinds.values()
    for parameter in kind.parameters
}


class ModelPriors(dict[str, Any]):
    """The priors of a model by name; what a fit would refuse is refused when it is set.

    Args:
        priors: All priors of the model.
        check: Takes what is to be set, and raises a ConfigError where the model cannot have it.
    """

    def __init__(self, priors: Mapping[str, Any], check: Callable[[Mapping[str, Any]], object]) -> None:
        super().__init__(priors)
        self._check = check

    def __setitem__(self, name: str, prior: Any) -> None:
        """Set a prior.

        Raises:
            ConfigError: If the model has no such parameter, or this is no prior of it.
        """
        self.update({name: prior})

    def update(self, *priors: Any, **named: Any) -> None:
        """Set several priors, all or none.

        Raises:
            ConfigError: If one of them is no prior of this model.
        """
        changed = dict(*priors, **named)
        self._check(changed)
        super().update(changed)

    def __ior__(self, priors: Any) -> Self:  # type: ignore[override,misc]  # `|` gives a plain dict
        """Set several priors, as `update` does."""
        self.update(priors)
        return self

    def setdefault(self, name: str, prior: Any = None) -> Any:
        """The prior of that name; set, as an assignment does, where there is none."""
        if name not in self:
            self[name] = prior
        return self[name]


def prior_mappings(
    priors: Mapping[str, Any], channels: Sequence[str], who: str
) -> tuple[dict[str, PriorMapping], dict[str, dict[str, PriorMapping]]]:
    """Priors in any form as the client file has them.

    Args:
        priors: Name to a pymc-extras `Prior`, an `HSGPKwargs`, or a mapping of either's arguments. An argument may be
            an array with one number per channel.
        channels: Names of the channels, in their order.
        who: Whose priors these are, for messages.

    Returns:
        The priors of the model by name; and by channel, those that differ between channels.

    Raises:
        ConfigError: With every prior that is not understood.
    """
    common: dict[str, PriorMapping] = {}
    own: dict[str, dict[str, PriorMapping]] = {}
    faults: list[Fault] = []
    for written, prior in priors.items():
        name = MODEL_NAMES.get(written, written)
        try:
            mapping = _mapping(name, prior)
            by_channel = _by_channel(name, mapping, channels)
        except _UnreadableError as error:
            faults.append(Fault(f"priors['{written}']", str(error), _WANTED, _FIX))
            continue
        if by_channel is None:
            common[name] = mapping
        else:
            for channel, one in zip(channels, by_channel, strict=True):
                own.setdefault(channel, {})[name] = one
    if faults:
        raise ConfigError(who, faults)
    return common, own


def plain_priors(priors: Mapping[str, Any]) -> dict[str, PriorMapping]:
    """Priors that `prior_mappings` understands as mappings of names, numbers and lists, under the model's names."""
    return {
        name: _mapping(name, prior)
        for name, prior in ((MODEL_NAMES.get(written, written), prior) for written, prior in priors.items())
    }


_WANTED = "a Prior, an HSGPKwargs, or a mapping such as {'distribution': 'HalfNormal', 'sigma': 1}"
_FIX = "write the prior so; `model_priors` shows those in use"


class _UnreadableError(Exception):
    """What was found instead of a prior."""


def _mapping(name: str, prior: object) -> PriorMapping:
    return _process(prior) if name in PROCESS_SETTINGS else _prior(prior)


def _prior(value: object) -> PriorMapping:
    """`{distribution: name, argument: number, list of numbers or prior}`."""
    if isinstance(value, Mapping):
        name = value.get("distribution", value.get("dist"))
        raw = value.get("kwargs", {key: entry for key, entry in value.items() if key not in BESIDE_ARGUMENTS})
    elif hasattr(value, "distribution") and hasattr(value, "parameters"):
        transform = getattr(value, "transform", None)
        if transform:
            raise _UnreadableError(f"a prior with the transform '{transform}'")
        name, raw = value.distribution, value.parameters
    else:
        raise _UnreadableError(f"{value!r:.80}")
    if not isinstance(name, str) or not isinstance(raw, Mapping):
        raise _UnreadableError("a prior without a distribution")
    return {"distribution": name, **{str(key): _argument(entry) for key, entry in raw.items()}}


def _argument(value: object) -> Any:
    if isinstance(value, Mapping) or hasattr(value, "distribution"):
        return _prior(value)
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise _UnreadableError(f"the argument {value!r:.80}") from None
    if numbers.ndim > 1:
        raise _UnreadableError(f"an argument of shape {numbers.shape}")
    return numbers.tolist()


def _process(value: object) -> PriorMapping:
    """Settings of a time-varying term; those that are not set are left to their defaults."""
    dump = getattr(value, "model_dump", None)
    settings = dump(mode="json") if callable(dump) else value
    if not isinstance(settings, Mapping):
        raise _UnreadableError(f"{value!r:.80}")
    return {
        str(key): entry for key, entry in settings.items() if entry is not None or key not in PROCESS_KEYS
    }


def _by_channel(name: str, mapping: PriorMapping, channels: Sequence[str]) -> list[PriorMapping] | None:
    """One mapping per channel when an argument holds one number per channel, else None."""
    lengths = {len(value) for value in mapping.values() if isinstance(value, list)}
    if not lengths:
        return None
    if lengths != {len(channels)} or name not in _CHANNEL_PRIORS:
        listed = " and ".join(map(str, sorted(lengths)))
        raise _UnreadableError(
            f"an argument with {listed} numbers (only priors of saturation and adstock may have one per channel, "
            f"here {len(channels)})"
        )
    return [
        {key: value[position] if isinstance(value, list) else value for key, value in mapping.items()}
        for position in range(len(channels))
    ]
