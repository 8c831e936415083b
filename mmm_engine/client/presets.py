"""Named sets of defaults for a model: what holds where a client file says nothing.

Here: which presets there are, and the forms they choose.
Not here: the priors of single parameters under a preset (model/default_priors.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from mmm_engine.client.validation import Problem, nearest, refusal
from mmm_engine.files.yaml_document import shorten

Preset = Literal["calibrated", "toolkit"]
"""calibrated: priors on returns, a free Hill curve and a baseline that may wander; how often its intervals hold the
truth is measured (`make truth`).
toolkit: the priors of the in-house toolkit, in model space; what `PymcModel` takes when it is told nothing else."""

CALIBRATED_POWER = 0.5
"""How much a row counts by default; chosen by how often intervals hold the truth (docs/decisions/0066)."""

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "calibrated": {
        "saturation": "hill",
        "returns": {},
        "baseline": {},
        "likelihood_power": CALIBRATED_POWER,
    },
    "toolkit": {"saturation": "michaelis_menten"},
}
"""Settings of the model by preset, for those that a client file does not name."""


_BASELINES = ("trend", "time_varying_intercept")
"""Other terms that move the baseline: a file that has one of them gets no second one by default."""


def with_preset(values: object) -> object:
    """Settings of a model with the preset taken out of ``priors``, and what it chooses filled in.

    ``priors`` is the name of a preset, or a mapping of priors with the name under ``preset``.
    """
    if not isinstance(values, Mapping):
        return values
    settings = dict(values)
    priors = settings.get("priors")
    if isinstance(priors, str):
        settings["preset"], settings["priors"] = priors, {}
    elif isinstance(priors, Mapping) and "preset" in priors:
        settings["preset"] = priors["preset"]
        settings["priors"] = {name: prior for name, prior in priors.items() if name != "preset"}
    preset = settings.setdefault("preset", "calibrated")
    if preset not in PRESETS:
        names = get_args(Preset)
        fix = nearest(str(preset), names) or "choose one of these"
        raise refusal(
            Problem(("priors",), f"the preset {shorten(preset)}", f"one of {', '.join(names)}", fix)
        )
    for name, value in PRESETS[preset].items():
        if name != "baseline" or not any(settings.get(other) for other in _BASELINES):
            settings.setdefault(name, value)
    return settings
