"""The settings of a model: its terms and their priors, checked once at the door.

Here: what the section ``model`` of a client file may say, and the overrides of a single channel.
Not here: columns, sampler and thresholds (config.py), what a prior or an adstock means (priors.py, transforms.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mmm_engine.documents import describe, shorten
from mmm_engine.settings import Frozen, Problem, nearest, refusal

PROCESS_SETTINGS = ("media_tvp_config", "intercept_tvp_config")  # the priors of a time-varying term
PROCESS_KEYS = ("m", "L", "eta_lam", "ls_mu", "ls_sigma", "cov_func")

AdstockKind = Literal["geometric", "delayed", "binomial", "weibull_pdf", "weibull_cdf", "none"]
SaturationKind = Literal[
    "michaelis_menten",
    "logistic",
    "inverse_scaled_logistic",
    "hill",
    "hill_sigmoid",
    "tanh",
    "root",
    "log",
    "none",
]


def _checked_priors(priors: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    problems = [found for name, prior in priors.items() for found in _prior_problems(name, prior)]
    if problems:
        raise refusal(*problems)
    return priors


def _prior_problems(name: str, prior: dict[str, object]) -> Iterator[Problem]:
    try:
        json.dumps(prior, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        wanted = "text, finite numbers, lists and mappings"
        yield Problem((name,), "a prior with other values", wanted, "mend the values of the prior")
        return
    if name in PROCESS_SETTINGS:
        yield from _process_problems(name, prior)
    elif not isinstance(prior.get("distribution"), str):
        wanted = "a mapping with the name of its distribution and numbers for its parameters"
        yield Problem(
            (name,), "a prior without 'distribution'", wanted, "write {distribution: HalfNormal, sigma: 1}"
        )


def _process_problems(name: str, settings: dict[str, object]) -> Iterator[Problem]:
    """Faults in the settings of a time-varying term."""
    for key, value in settings.items():
        if key not in PROCESS_KEYS:
            fix = nearest(key, PROCESS_KEYS) or "delete it"
            yield Problem(
                (name, key), f"an unknown setting {shorten(key)}", f"one of {', '.join(PROCESS_KEYS)}", fix
            )
        elif key == "cov_func":
            if str(value).lower() != "matern52":
                yield Problem((name, key), describe(value), "'matern52'", "delete it: there is no other one")
        elif isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            yield Problem((name, key), describe(value), "a number above 0", "write such a number")


Priors = Annotated[dict[str, dict[str, object]], AfterValidator(_checked_priors)]


class AdstockConfig(Frozen):
    """How long a period's media goes on working.

    ``max_lag`` is the number of periods that carry an effect, the current one included.
    """

    kind: AdstockKind = "geometric"
    max_lag: Annotated[int, Field(ge=1, le=52)] = 4


class ModelConfig(Frozen):
    """The structure of the model.

    ``yearly_seasonality`` is a Fourier order, ``n_basis`` the number of HSGP basis functions.
    """

    adstock: AdstockConfig = AdstockConfig()
    saturation: SaturationKind = "michaelis_menten"
    time_varying_media: bool = False
    time_varying_intercept: bool = False
    yearly_seasonality: Annotated[int, Field(ge=1, le=10)] | None = None
    n_basis: Annotated[int, Field(ge=5, le=500)] = 50
    likelihood: Literal["normal", "student_t"] = "normal"
    priors: Priors = Field(default_factory=dict)
