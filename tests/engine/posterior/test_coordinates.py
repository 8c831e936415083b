"""The sampler's coordinates change the coordinates, never the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.mean import mean, mean_terms
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.bijectors import gaussian_tail_softplus
from mmm_engine.posterior.channel_levels import SaturatingChannels, channel_levels
from mmm_engine.posterior.coordinate_choice import decorrelating_coordinates, plain_coordinates
from mmm_engine.posterior.coordinates import Coordinates
from mmm_engine.posterior.geometry import TrainingData, media_nodes, training_data
from tests.engine.model_cases import small_inputs

XP = numpy_functions()
MODELS: list[dict[str, Any]] = [
    {"time_varying_media": True},
    {"time_varying_media": True, "priors": "calibrated"},
    {"saturation": "logistic", "controls": [{"column": "price", "effect": "negative"}, "promo"]},
    {"saturation": "hill", "yearly_seasonality": 2, "controls": []},
    {"saturation": "tanh", "adstock": {"kind": "weibull_pdf", "max_lag": 4}},
    {"saturation": "none", "adstock": {"kind": "none", "max_lag": 1}, "time_varying_intercept": True},
    {
        "channels": [
            "tv",
            {"column": "radio", "saturation": "logistic"},
            {"column": "tv2", "adstock": {"kind": "delayed"}},
        ]
    },
    {"priors": {"intercept": {"distribution": "Normal", "mu": 0, "sigma": 1}}},
]


def _case(model: dict[str, Any], kind: str) -> tuple[Coordinates, TrainingData]:
    inputs = small_inputs(rows=30, held_out=4, **dict(model))
    specification = model_specification(inputs.config, inputs.calendar.period)
    build = decorrelating_coordinates if kind == "decorrelating" else plain_coordinates
    return build(specification), training_data(inputs, specification)


def _flat_variables(coordinates: Coordinates, flat: Any, data: TrainingData) -> Any:
    variables, _ = coordinates.variables(flat, data, XP)
    return np.concatenate([variables[slot.part.name] for slot in coordinates.slots], axis=-1)


@pytest.mark.parametrize("kind", ["decorrelating", "plain"])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_log_jacobian_is_the_log_determinant(model: dict[str, Any], kind: str) -> None:
    """Against the determinant of a finite-difference Jacobian, up to one constant per specification."""
    coordinates, data = _case(model, kind)
    rng = np.random.default_rng(2)
    offsets = []
    for _ in range(3):
        flat = 0.4 * rng.normal(size=coordinates.size)
        step = 1e-6 * np.eye(coordinates.size)
        jacobian = (
            _flat_variables(coordinates, flat + step, data) - _flat_variables(coordinates, flat - step, data)
        ) / 2e-6
        _, log_determinant = np.linalg.slogdet(jacobian)
        offsets.append(log_determinant - coordinates.variables(flat, data, XP)[1])
    assert offsets == pytest.approx([offsets[0]] * 3, abs=1e-4)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_values_stay_inside_their_support(model: dict[str, Any]) -> None:
    """Far-out points still give positive, unit or bounded values, and finite ones."""
    coordinates, data = _case(model, "decorrelating")
    flat = 3.0 * np.random.default_rng(0).normal(size=(50, coordinates.size))
    variables, log_jacobian = coordinates.variables(flat, data, XP)
    assert np.isfinite(log_jacobian).all()
    for slot in coordinates.slots:
        values = variables[slot.part.name]
        if slot.part.prior.support == "positive":
            assert (values > 0).all(), slot.part.name
        if slot.part.prior.support == "unit":
            assert ((values > 0) & (values < 1)).all(), slot.part.name


def test_total_moves_only_the_level() -> None:
    """A step along the total multiplies baseline and channel effects by one factor, and bends no curve."""
    coordinates, data = _case({"controls": []}, "decorrelating")
    flat = np.zeros(coordinates.size)
    before, _ = coordinates.variables(flat, data, XP)
    flat[next(slot for slot in coordinates.slots if slot.part.name == "intercept").start] += np.log(2.0)
    after, _ = coordinates.variables(flat, data, XP)
    assert after["intercept"] == pytest.approx(2.0 * before["intercept"])
    assert after["saturation_alpha"] == pytest.approx(2.0 * before["saturation_alpha"])
    assert after["saturation_lam"] == pytest.approx(before["saturation_lam"])


@pytest.mark.parametrize("priors", ["toolkit", "calibrated"])
def test_curves_leave_the_total_of_the_rows_alone(priors: str) -> None:
    """Whatever size and course the media's curve has, the mean of the expected target stays: the data pin it.

    The linear terms answer to the curve, and their regressors have means. A total that did not take that in had three
    times the spread with a large curve as with a small one: a funnel in which chains of the sample client `ms` stuck.
    """
    inputs = small_inputs(
        rows=60, held_out=4, time_varying_media=True, baseline={"knots": 8}, controls=["price"], priors=priors
    )
    specification = model_specification(inputs.config, inputs.calendar.period)
    coordinates, data = decorrelating_coordinates(specification), training_data(inputs, specification)
    rng = np.random.default_rng(4)
    flat = np.tile(0.3 * rng.normal(size=coordinates.size), (200, 1))
    starts = {slot.part.name: slice(slot.start, slot.stop) for slot in coordinates.slots}
    flat[:, starts["intercept"]] = np.log(data.target_scaled.mean())
    for name, place in starts.items():
        if name.endswith(("_eta", "_offset")):
            flat[:, place] = rng.normal(size=(200, place.stop - place.start))
    terms = mean_terms(coordinates.parameters(flat, data, XP), data, specification, XP)
    assert np.std(np.log(terms.media.sum(axis=2).mean(axis=1))) > 0.01  # the curve is felt
    assert np.std(np.log(mean(terms).mean(axis=1))) < 0.003  # was 0.016


def test_levels_add_up_to_the_total() -> None:
    """Intercept and mean effects share the total, wherever the point lies; the curves stay above zero."""
    rng = np.random.default_rng(1)
    amplitude, above = 2.0 * rng.normal(size=(40, 5)), rng.gamma(1.0, 1.0, (40, 5))
    half_point = np.array([1e-6, 0.1, 0.3, 1e-6, 1.0])
    saturating = SaturatingChannels(list(range(5)), above, half_point)
    levels = channel_levels(amplitude, saturating, XP).of_total(np.full((40, 1), 0.3), XP)
    total = levels.intercept[:, 0] + levels.effect.sum(axis=1)
    assert total == pytest.approx(np.full(40, np.exp(0.3)))
    assert (levels.intercept > 0).all()
    assert (levels.effect > 0).all()
    assert (levels.half > 0).all()


def test_amplitude_stays_while_the_curve_bends() -> None:
    """One always-on channel along its axis: effect times kept spread is constant, the effect grows fourfold."""
    above = np.array([[2.0], [0.5], [0.1], [0.01]])
    saturating = SaturatingChannels([0], above, np.array([0.3]))
    levels = channel_levels(np.full((4, 1), -1.0), saturating, XP)
    pinned = levels.effect * levels.half / (levels.half + 0.3)
    assert pinned == pytest.approx(np.full((4, 1), pinned[0, 0]))
    assert levels.effect[-1, 0] > 4.0 * levels.effect[0, 0]


def test_one_channel_near_its_bound_leaves_the_others_curves_alone() -> None:
    """The second channel's half-saturation point moves by less than a tenth while the first takes the baseline."""
    above = np.array([[5.0, 1.0], [0.001, 1.0]])
    saturating = SaturatingChannels([0, 1], above, np.array([0.3, 0.02]))
    levels = channel_levels(np.full((2, 2), -0.5), saturating, XP)
    assert levels.intercept[1, 0] < 0.05 * levels.intercept[0, 0]
    assert levels.half[1, 1] == pytest.approx(levels.half[0, 1], rel=0.1)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.floats(0.01, 0.3), st.floats(-4.0, 3.0), st.floats(0.001, 1.0)), min_size=1, max_size=5
    )
)
def test_every_level_can_be_reached(channels: list[tuple[float, float, float]]) -> None:
    """For any effects below the total and any half-saturation points there is a place in the coordinates.

    A map that misses a part of the model's parameters would cut the posterior, and its Jacobian would not tell.
    """
    from scipy.optimize import brentq

    effect, half, point = np.array(channels).T
    effect, half = effect * min(1.0, 0.95 / effect.sum()), np.exp(half)
    pinned = effect * half / (half + point)
    left = 1.0 - pinned.sum()
    taken = (effect - pinned) / left
    crowd = 1.0
    if len(half) > 1:
        crowd = brentq(lambda f: taken.sum() - 1.0 + np.prod(1.0 - f * taken), 1.0, 1.0 / taken.max())
    above = half / crowd - pinned * point / left
    reach = brentq(lambda r: np.tanh(r + r**3 / 3.0) - pinned.sum(), 0.0, 3.0)
    amplitude = [
        brentq(lambda z, a=a: gaussian_tail_softplus(np.array(z), 1.0 / len(half), XP)[0] - a, -8.0, 20.0)
        for a in pinned * reach / pinned.sum()
    ]
    levels = channel_levels(np.array(amplitude), SaturatingChannels(list(range(len(half))), above, point), XP)
    assert (above > 0).all()
    assert levels.effect == pytest.approx(effect, rel=1e-4)
    assert levels.half == pytest.approx(half, rel=1e-4)
    assert levels.intercept == pytest.approx(1.0 - effect.sum(), rel=1e-3)


def test_signed_intercept_keeps_plain_coordinates() -> None:
    """Total and amplitudes need a positive intercept; without one the levels keep their own maps."""
    coordinates, _ = _case(MODELS[-1], "decorrelating")
    assert coordinates.channels == ()


@pytest.mark.parametrize("quiet", [0.0, 0.001], ids=["silent", "hardly on"])
def test_a_channel_of_one_burst_starts_at_the_scale_of_the_target(quiet: float) -> None:
    """Quantiles that miss three weeks of a campaign made it a million times the target: chains never came back."""
    inputs = small_inputs(rows=130, held_out=0, priors="calibrated")
    media = inputs.media_scaled.copy()
    media[:, 0] = quiet
    media[70:73, 0] = 1.0
    inputs = replace(inputs, media_scaled=media, spend=media * 50.0)
    specification = model_specification(inputs.config, inputs.calendar.period)
    data = training_data(inputs, specification)
    centre = decorrelating_coordinates(specification)
    parameters = centre.parameters(np.zeros((1, centre.size)), data, XP)
    terms = mean_terms({name: np.asarray(each) for name, each in parameters.items()}, data, specification, XP)
    assert np.asarray(mean(terms)).max() < 20.0 * np.asarray(data.target_scaled).max()


def test_nodes_are_quantiles_unless_they_miss_the_channel() -> None:
    """Steady channels keep their coordinates; a burst in 3 of 80 rows has 3 of its top 10; none stays none."""
    rng = np.random.default_rng(5)
    media = np.column_stack([rng.uniform(0.2, 1.0, 80), np.zeros(80), np.zeros(80)])
    media[40:43, 1] = 1.0
    nodes = media_nodes(media)
    assert np.array_equal(nodes[:, 0], np.quantile(media[:, 0], (np.arange(8) + 0.5) / 8))
    assert nodes[:, 1] == pytest.approx([0.0] * 7 + [0.3])
    assert not nodes[:, 2].any()
