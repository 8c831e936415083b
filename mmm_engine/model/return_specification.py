"""Which channels have priors on their returns, and the arrays that carry what those priors say.

Here: `ReturnSpecification`, the part that compiled code depends on; a client's numbers as arrays.
Not here: what a client may say (client/return_priors.py), the formulas (return_priors.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.client.return_priors import (
    EXPECTED_MEDIA_SHARE,
    SPREAD,
    UNPAID_SPREAD,
    ReturnPrior,
    ReturnsConfig,
)
from mmm_engine.client.validation import Problem
from mmm_engine.model.media_transforms import SATURATIONS
from mmm_engine.rows.window import ScaledInputs


@dataclass(frozen=True)
class ReturnSpecification:
    """Channels, by position, whose scale follows from a prior on what they bring.

    Attributes:
        shared: Those around a level that they share.
        unpaid: Those that no money buys, around the mean of the shared ones.
        single: Those with a prior of their own.
        marginal: Those of the shared and the single ones whose prior is on the marginal return.
        on_total: Whether the level is that of the total of the shared ones.
        learns_spread: Whether it is not known how far the shared ones lie apart.
    """

    shared: tuple[int, ...]
    unpaid: tuple[int, ...]
    single: tuple[int, ...]
    marginal: tuple[int, ...]
    on_total: bool
    learns_spread: bool

    @property
    def channels(self) -> tuple[int, ...]:
        """All of them."""
        return (*self.shared, *self.unpaid, *self.single)


def return_specification(config: ClientConfig, following: Sequence[int]) -> ReturnSpecification | None:
    """The channels of a client whose scale follows from a return, None without any.

    Args:
        config: The client.
        following: Positions of the channels whose scale has no prior of its own.
    """
    returns = config.model.returns
    if returns is None or not following:
        return None
    single = tuple(position for position in following if config.channels[position].returns is not None)
    others = tuple(position for position in following if position not in single)
    shared = tuple(position for position in others if config.paid[position])
    if returns.prior == "total_media_share" or not shared:
        shared = others
    marginal = {position for position in shared if returns.prior == "mroas"}
    marginal |= {position for position in single if _own(config, position).prior == "mroas"}
    return ReturnSpecification(
        shared=shared,
        unpaid=tuple(position for position in others if position not in shared),
        single=single,
        marginal=tuple(sorted(marginal)),
        on_total=returns.prior == "total_media_share",
        learns_spread=returns.channel_sigma is None,
    )


def return_problems(config: ClientConfig, following: Sequence[int]) -> Iterator[Problem]:
    """Returns that a channel's settings name and no parameter follows.

    Args:
        config: The client.
        following: Positions of the channels whose scale has no prior of its own.
    """
    for position, channel in enumerate(config.channels):
        if channel.returns is None or (config.model.returns is not None and position in following):
            continue
        kind = channel.saturation or config.model.saturation
        if SATURATIONS[kind].scale is None:
            found, wanted = f"a return, and the curve '{kind}', which has no scale", "a curve with a scale"
            fix = "write 'saturation: inverse_scaled_logistic': the same curve, told by its scale and half-saturation"
        elif config.model.returns is None:
            found, wanted = "a return, and a model without priors on returns", "'returns' in the model too"
            fix = "write 'returns: {}' in the section 'model', or delete it here"
        else:
            found, wanted = "a return, and a prior of the curve's scale", "one of the two"
            fix = "delete one: the scale follows from the return"
        yield Problem(("channels", position, "returns"), found, wanted, fix)


def return_arrays(inputs: ScaledInputs, specification: ReturnSpecification | None) -> dict[str, Floats]:
    """What the priors say, as arrays of `ModelData`: return_expected, return_sigma, level_sigma, silent."""
    channels = len(inputs.config.channels)
    expected, sigma, level = np.ones(channels), np.ones(channels), 1.0
    silent = (inputs.media_scaled[: inputs.train_rows] == 0.0).all(axis=0).astype(float)
    returns = inputs.config.model.returns
    if specification is not None and returns is not None:
        spend = inputs.money_in_training / inputs.scales.target
        total = float(
            np.abs(inputs.target_scaled[: inputs.train_rows]).sum()
        )  # net figures may sum to 0 or less
        around = [*specification.shared, *specification.unpaid]
        expected[around] = _shared_expectation(returns, spend[around], total)
        sigma[around], level = returns.channel_sigma or SPREAD, returns.level_sigma
        sigma[list(specification.unpaid)] = UNPAID_SPREAD
        for position in specification.single:
            own = _own(inputs.config, position)
            expected[position] = _expectation(own.prior, own.median, spend[[position]], total)[0]
            sigma[position] = own.sigma
        expected[silent == 1.0] = 1.0
    return {
        "return_expected": expected,
        "return_sigma": sigma,
        "level_sigma": np.asarray(level),
        "silent": silent,
    }


def _own(config: ClientConfig, position: int) -> ReturnPrior:
    own = config.channels[position].returns
    assert own is not None  # noqa: S101  (asked of channels that have one)
    return own


def _shared_expectation(returns: ReturnsConfig, spend: Floats, total: float) -> Floats:
    """Sums of contributions, model space, that the shared level is centred on, shape (channel,).

    Where nothing says what a single channel brings (no median, a prior on the total, no spend), each channel has an
    equal part of all media; those with spend divide theirs by it.
    """
    on_total = returns.prior == "total_media_share"
    share = returns.median if on_total and returns.median is not None else EXPECTED_MEDIA_SHARE
    media, paid = share * total, spend > 0.0
    parts = np.full(len(spend), media / max(len(spend), 1))
    if returns.median is not None and not on_total:
        parts[paid] = _expectation(returns.prior, returns.median, spend[paid], total)
    elif paid.any():
        parts[paid] = spend[paid] / spend[paid].sum() * paid.sum() * media / len(spend)
    return parts


def _expectation(prior: str, median: float, spend: Floats, total: float) -> Floats:
    """The sums of contributions, model space, at which a return is at its median; one for each spend."""
    if prior == "contribution_share":
        return np.full_like(spend, median * total)
    return spend / median if prior == "cost_per_conversion" else median * spend
