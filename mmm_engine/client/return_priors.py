"""What is known of channels' returns before the data, in the client's own units.

Here: the settings `returns` of the model and of a single channel.
Not here: how a return becomes a prior of the model's parameters (model/return_priors.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmm_engine.client.log_normal import with_median
from mmm_engine.client.validation import Frozen, Problem, refusal

ReturnKind = Literal["roas", "mroas", "cost_per_conversion", "contribution_share"]
"""What is known: return per unit of spend, of one more unit of spend, spend per unit of target, share of the target."""

LevelKind = Literal["roas", "mroas", "cost_per_conversion", "total_media_share"]

EXPECTED_MEDIA_SHARE = 0.10  # of the target, where a client says nothing of the level

SPREAD, SPREAD_DF = 0.55, 8.0
"""Of channels' log returns around their level where it is not known: its square is scaled inverse chi-squared with this
scale and these degrees of freedom, so that it lies between 0.40 and 0.94 in nine of ten cases."""

UNPAID_SPREAD = 1.2
"""Of the log contribution of a channel that no money buys around the mean of the paid ones: nothing tells its size."""

_Positive = Annotated[float, Field(gt=0)]


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
        return with_median(values, "sigma")


class ReturnsConfig(Frozen):
    """What channels bring that say nothing of their own: an unknown level that they share, and a spread around it.

    The logarithm of a channel's return is that of the level plus a normal deviation of sd ``channel_sigma``, which is
    learnt from the channels where it is None; the level is log-normal around ``median``, sd ``level_sigma`` (0: known).
    Without a ``median`` the level is centred where all media together bring 10% of the target. ``low`` and ``high`` may
    stand for ``median`` and ``level_sigma``, the points with 5% below and 5% above. With ``total_media_share`` the
    level is the share of all media together. A channel that no money buys has no return: it is expected to bring an
    equal part of what the others bring, give or take a factor of three.
    """

    prior: LevelKind = "roas"
    median: _Positive | None = None
    level_sigma: Annotated[float, Field(ge=0)] = 1.2
    channel_sigma: _Positive | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_quantiles(cls, values: object) -> object:
        return with_median(values, "level_sigma")

    @model_validator(mode="after")
    def _check_total(self) -> ReturnsConfig:
        if self.prior == "total_media_share" and self.level_sigma == 0.0:
            problem = Problem(
                ("level_sigma",), "0", "a number above 0 for a total share", "write 0.05 or more"
            )
            raise refusal(problem)
        return self
