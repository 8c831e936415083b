"""What is known of channels' returns before the data, in the client's own units.

Here: the settings `returns` of the model and of a single channel.
Not here: how a return becomes a prior of the model's parameters (model/return_priors.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmm_engine.client.validation import Frozen, Problem, refusal
from mmm_engine.files.yaml_document import describe

ReturnKind = Literal["roas", "mroas", "cost_per_conversion", "contribution_share"]
"""What is known: return per unit of spend, of one more unit of spend, spend per unit of target, share of the target."""

LevelKind = Literal["roas", "mroas", "cost_per_conversion", "total_media_share"]

EXPECTED_MEDIA_SHARE = 0.10  # of the target, where a client says nothing of the level
_SD_TO_95 = 1.6448536269514722  # standard deviations from the median of a normal to its 95% point

_Positive = Annotated[float, Field(gt=0)]


def _with_median(values: object, sigma: str) -> object:
    """Settings in which `low` and `high`, the 5% and 95% points, are written as a median and a spread."""
    if not isinstance(values, Mapping) or not {"low", "high"} & set(values):
        return values
    rest = {name: value for name, value in values.items() if name not in ("low", "high")}
    ends: list[float] = []
    problems = []  # all at the section itself: one end without the other would be a second fault
    for name in ("low", "high"):
        value = values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            wanted = f"a number above 0 for '{name}'"
            problems.append(Problem((), describe(value), wanted, "write low and high together"))
        else:
            ends.append(float(value))
    problems += [
        Problem((), f"'{name}' beside 'low' and 'high'", "one of the two forms", f"delete '{name}'")
        for name in ("median", sigma)
        if name in rest
    ]
    if not problems and ends[0] >= ends[1]:
        found = f"'high' {ends[1]:g} and 'low' {ends[0]:g}"
        problems.append(Problem((), found, f"for 'high' a number above low ({ends[0]:g})", "swap the two"))
    if problems:
        raise refusal(*problems)
    low, high = ends
    return {**rest, "median": math.sqrt(low * high), sigma: math.log(high / low) / (2.0 * _SD_TO_95)}


class ReturnPrior(Frozen):
    """What a single channel brings: log-normal, told by its median and the standard deviation of its logarithm.

    ``low`` and ``high`` may stand for them, the points with 5% below and 5% above: {low: 0.5, high: 3}.
    """

    prior: ReturnKind = "roas"
    median: _Positive
    sigma: _Positive = 0.7

    @model_validator(mode="before")
    @classmethod
    def _read_quantiles(cls, values: object) -> object:
        return _with_median(values, "sigma")


class ReturnsConfig(Frozen):
    """What channels bring that say nothing of their own: an unknown level that they share, and a spread around it.

    The logarithm of a channel's return is that of the level plus a normal deviation of sd ``channel_sigma``; the level
    is log-normal around ``median``, sd ``level_sigma`` (0: known). Without a ``median`` the level is centred where all
    media together bring 10% of the target. ``low`` and ``high`` may stand for ``median`` and ``level_sigma``, the
    points with 5% below and 5% above. With ``total_media_share`` the level is the share of all media together.
    """

    prior: LevelKind = "roas"
    median: _Positive | None = None
    level_sigma: Annotated[float, Field(ge=0)] = 1.2
    channel_sigma: _Positive = 0.9

    @model_validator(mode="before")
    @classmethod
    def _read_quantiles(cls, values: object) -> object:
        return _with_median(values, "level_sigma")

    @model_validator(mode="after")
    def _check_total(self) -> ReturnsConfig:
        if self.prior == "total_media_share" and self.level_sigma == 0.0:
            problem = Problem(
                ("level_sigma",), "0", "a number above 0 for a total share", "write 0.05 or more"
            )
            raise refusal(problem)
        return self
