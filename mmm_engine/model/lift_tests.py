"""What lift tests say about the parameters: two passes of the forward model over the rows of each test.

Here: the effect that the model gives each test, and the log likelihood of what the tests measured.
Not here: the arrays (lift_arrays.py), the target itself (likelihood.py).

A test of channel c measured the target over the rows from the first with other media to the end of its cool-down. With
x the media without the change, x' with it (per head of the whole series), m the time variation of media, s the share of
the series that was in the test, adstock and saturation a and f of the channel:

    D = s * sum over t of m(t) [f(a(x')(t)) - f(a(x)(t))]                                        (1)

Carry-over out of rows before the test is in both passes; what the test carries beyond its window is in neither. The
measured effect is normal around D, tests independent given the parameters, each with the variance

    sigma^2 + (heterogeneity^2 + ageing^2 * years) D^2                                           (2)

Effects of one channel differ between tests by `heterogeneity` of the effect (the random effect of a meta-analysis,
DerSimonian & Laird 1986, doi:10.1016/0197-2456(86)90046-2), and drift like a random walk, `ageing` of the effect in a
year: what is added to the variance does not depend on sigma, so that a precise old test ages faster than a vague one.
Several tests of a channel stay apart, so that each is compared with the model at its own media, rows and age.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from mmm_engine.array_types import Array, ArrayFunctions
from mmm_engine.model.arrays import ModelData
from mmm_engine.model.mean import adstocked_media, saturated_media
from mmm_engine.model.specification import ModelSpecification
from mmm_engine.model.terms import MediaGroup


def lift_gains(
    values: Mapping[str, Array],
    data: ModelData,
    specification: ModelSpecification,
    multiplier: Array | None,
    xp: ArrayFunctions,
) -> Array:
    """D of (1): what each lift test should have measured, model space, shape (..., test, channel with tests).

    Args:
        values: Parameters by name, shape (...,) for scalars and (..., size) otherwise.
        data: Training rows.
        specification: The model; it has lift tests.
        multiplier: Time variation of the media, shape (..., date), or None.
        xp: Array functions.
    """
    tested, tested_values = _tested_part(values, specification)
    before, after = (
        saturated_media(
            tested_values,
            adstocked_media(tested_values, replace(data, media_lagged=media), tested, xp),
            tested,
            xp,
        )
        for media in (data.lift_without, data.lift_with)
    )
    effect = (after - before) * data.lift_share
    if multiplier is not None:
        effect = effect * (multiplier[..., None, None, :] * data.lift_rows).sum(axis=-1)
    return data.lift_blocks @ effect


def lift_variance(gains: Array, data: ModelData) -> Array:
    """(2): variance of what each test measured around its effect D, model space squared, shape of `gains`."""
    return data.lift_sigma**2 + data.lift_variation * gains**2


def log_lift_likelihood(gains: Array, data: ModelData, xp: ArrayFunctions) -> Array:
    """Log likelihood of what the tests measured, a number; constants are kept.

    Args:
        gains: Output of `lift_gains`, shape (test, channel with tests).
        data: Training rows.
        xp: Array functions.
    """
    variance = lift_variance(gains, data)
    density = (data.lift_gain - gains) ** 2 / variance + xp.log(2.0 * math.pi * variance)
    return -0.5 * (data.lift_counts * density).sum()


def _tested_part(
    values: Mapping[str, Array], specification: ModelSpecification
) -> tuple[ModelSpecification, dict[str, Array]]:
    """The model's channels that have tests, and their parameters."""
    place = {channel: column for column, channel in enumerate(specification.lift_channels)}
    tested_values = dict(values)
    kept_groups: list[tuple[MediaGroup, ...]] = []
    for groups in (specification.adstocks, specification.saturations):
        kept: list[MediaGroup] = []
        for group in groups:
            inside = [index for index, channel in enumerate(group.channels) if channel in place]
            if not inside:
                continue
            kept.append(replace(group, channels=tuple(place[group.channels[index]] for index in inside)))
            for _, name in group.parameters:
                tested_values[name] = values[name][..., inside]
        kept_groups.append(tuple(kept))
    adstocks, saturations = kept_groups
    return replace(specification, adstocks=adstocks, saturations=saturations), tested_values
