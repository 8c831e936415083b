"""Trend, events, a target that ends at 0, lift tests: densities against pymc-marketing's, arrays by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine.arrays import numpy_functions
from mmm_engine.calendar_terms import event_occurrences, lift_arrays, row_of, trend_hinges
from mmm_engine.coordinates import plain_coordinates
from mmm_engine.fleets.simulated import simulate_target
from mmm_engine.kernel import log_density, symbolic_data
from mmm_engine.model import ARRAY_RANKS, ModelData, mean, mean_terms, model_data, training_data
from mmm_engine.predict import draw_targets, expected_target
from mmm_engine.reference import build_pymc_mmm, lift_frame, training_frame
from mmm_engine.scaling import ScaledInputs
from mmm_engine.structure import model_structure
from tests.engine.model_cases import small_inputs

EVENTS = {"launch": ["2022-03-01"], "sale": [{"start": "2022-07-04", "end": "2022-07-12"}]}
LIFTS = [
    {"channel": "tv", "date": "2022-02-09", "x": 20.0, "delta_x": 10.0, "delta_y": 60.0, "sigma": 20.0},
    {"channel": "search", "date": "2022-06-06", "x": 30.0, "delta_x": -15.0, "delta_y": -40.0, "sigma": 30.0},
]


def term_inputs(**model: Any) -> ScaledInputs:
    """Forty rows, eight of them held out, with these terms in the model; `lift_tests` go to the client."""
    lifts = model.pop("lift_tests", [])
    inputs = small_inputs(rows=40, **model)
    config = inputs.config.model_validate({**inputs.config.model_dump(mode="json"), "lift_tests": lifts})
    return replace(inputs, config=config)


@pytest.mark.parametrize(
    "terms",
    [
        {"trend": {"changepoints": 3}, "events": EVENTS},
        {"likelihood": "truncated_normal"},
        {"lift_tests": LIFTS},
        {"lift_tests": LIFTS, "time_varying_media": True, "saturation": "hill"},
    ],
    ids=["trend and events", "truncated", "lift tests", "lift tests over time"],
)
@pytest.mark.filterwarnings("ignore")
def test_density_is_pymc_marketings(terms: dict[str, Any]) -> None:
    """Differences between random points agree to 1e-8 relative; the gradient is finite."""
    inputs = term_inputs(**terms)
    ours, slots = _our_density(inputs)
    theirs, names = _their_density(inputs)
    rng = np.random.default_rng(1)
    values = []
    for _ in range(15):
        flat = 0.5 * rng.normal(size=max(stop for _, stop in slots.values()))
        point = {
            name: np.resize(np.concatenate([flat[slice(*slots[own])], np.zeros(1)]), shape)
            for name, own, shape in names
        }
        value, gradient = ours(flat)
        assert np.isfinite(gradient).all()
        values.append((value, theirs(point)))
    own, wanted = np.array(values).T
    assert np.ptp(wanted) > 1
    assert own - own[0] == pytest.approx(wanted - wanted[0], rel=1e-8, abs=1e-6)


def _our_density(inputs: ScaledInputs) -> tuple[Any, dict[str, tuple[int, int]]]:
    import pytensor
    import pytensor.tensor as pt

    structure = model_structure(inputs.config)
    coordinates, data, flat = plain_coordinates(structure), symbolic_data(), pt.dvector("flat")
    value = log_density(coordinates, flat, data)
    function = pytensor.function(
        [flat, *data.arrays().values()],
        [value, pt.grad(value, flat)],
        mode="FAST_COMPILE",
        on_unused_input="ignore",
    )
    arrays = list(training_data(model_data(inputs, structure), inputs.train_rows).arrays().values())
    slots = {slot.part.name: (slot.start, slot.stop) for slot in coordinates.slots}
    return (lambda point: function(point, *arrays)), slots


def _their_density(inputs: ScaledInputs) -> tuple[Any, list[tuple[str, str, tuple[int, ...]]]]:
    """Their density, and (name of the value, our name, shape); their trend has a last changepoint that we leave out."""
    mmm = build_pymc_mmm(inputs)
    mmm.build_model(*training_frame(inputs))
    if inputs.config.lift_tests:
        mmm.add_lift_test_measurements(lift_frame(inputs))
    model = mmm.model
    shapes = {name: value.shape for name, value in model.initial_point().items()}
    ours = {"intercept_contribution": "intercept", "delta": "trend_delta"}
    names = [
        (
            value.name,
            ours.get(model.values_to_rvs[value].name, model.values_to_rvs[value].name),
            shapes[value.name],
        )
        for value in model.continuous_value_vars
    ]
    value = model.compile_fn(model.logp(), mode="FAST_COMPILE")
    return (lambda point: float(value(point))), names


# --- arrays by hand --------------------------------------------------------------------------------


def test_every_array_has_a_rank() -> None:
    """Compiled code takes the arrays by this list: same names, same order."""
    assert tuple(ARRAY_RANKS) == tuple(ModelData.__dataclass_fields__)
    inputs = term_inputs(trend={"changepoints": 2}, events=EVENTS, lift_tests=LIFTS)
    arrays = model_data(inputs, model_structure(inputs.config)).arrays()
    assert {name: array.ndim for name, array in arrays.items()} == ARRAY_RANKS


def test_trend_hinges_by_hand() -> None:
    """Slopes may change at 0 and at a half; time is 1 at the last training row and goes on after it."""
    days = np.datetime64("2022-01-03") + 7 * np.arange(6)
    hinges = trend_hinges(days, 5, 2)
    assert hinges[:, 0].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]
    assert hinges[:, 1].tolist() == [0.0, 0.0, 0.0, 0.25, 0.5, 0.75]
    assert trend_hinges(days, 5, 0).shape == (6, 0)


def test_event_days_by_hand() -> None:
    """Distance to the nearest day of each occurrence, 0 within it; two occurrences belong to one event."""
    inputs = term_inputs(events={"sale": ["2022-01-17", {"start": "2022-01-20", "end": "2022-01-26"}]})
    days = inputs.dates.to_numpy().astype("datetime64[D]")
    distance, members = event_occurrences(inputs.config, days)
    assert distance[:4, 0].tolist() == [14.0, 7.0, 0.0, 7.0]
    assert distance[:5, 1].tolist() == [17.0, 10.0, 3.0, 0.0, 5.0]
    assert members.tolist() == [[1.0], [1.0]]


def test_event_effect_by_hand() -> None:
    """On its day the bump is size / (sigma sqrt(2 pi)), and an event that comes twice has both bumps."""
    inputs = term_inputs(events={"sale": ["2022-01-17", "2022-06-20"]})
    structure = model_structure(inputs.config)
    values = {
        "intercept": np.zeros(1),
        "gamma_control": np.zeros((1, 2)),
        "adstock_alpha": np.full((1, 3), 0.5),
        "saturation_alpha": np.zeros((1, 3)),
        "saturation_lam": np.ones((1, 3)),
        "event_sigma": np.array([7.0]),
        "event_effect_size": np.array([[2.0]]),
    }
    terms = mean_terms(values, model_data(inputs, structure), structure, None, numpy_functions())
    peak = 2.0 / (7.0 * math.sqrt(2 * math.pi))
    assert terms.events[0, 2, 0] == pytest.approx(peak)
    assert terms.events[0, 24, 0] == pytest.approx(peak)
    assert terms.events[0, 3, 0] == pytest.approx(peak * math.exp(-0.5))
    assert mean(terms)[0] == pytest.approx(terms.events[0, :, 0])


def test_a_date_belongs_to_the_period_that_holds_it() -> None:
    """From its first day to the day before the next one; dates outside belong to none."""
    days = np.datetime64("2022-01-03") + 7 * np.arange(3)
    dates = ("2022-01-02", "2022-01-03", "2022-01-09", "2022-01-10", "2022-01-23", "2022-01-24")
    assert [row_of(days, date) for date in dates] == [None, 0, 0, 1, 2, None]


def test_lift_tests_are_scaled_and_kept_out_of_windows_before_them() -> None:
    """Media by the channel's scale, results by the target's; a test in a held-out week is not known yet."""
    inputs = term_inputs(lift_tests=[*LIFTS, {**LIFTS[0], "date": "2022-09-14"}])
    arrays = lift_arrays(inputs)
    assert arrays["lift_from"].tolist() == [[0.4, 0.0, 0.0], [0.0, 0.0, 0.6]]
    assert arrays["lift_to"] == pytest.approx(np.array([[0.6, 0.0, 0.0], [0.0, 0.0, 0.3]]))
    assert arrays["lift_gain"].tolist() == [0.06, -0.04]
    assert arrays["lift_sigma"].tolist() == [0.02, 0.03]
    assert np.argwhere(arrays["lift_rows"]).tolist() == [[0, 5], [1, 22]]
    later = lift_arrays(replace(inputs, train_rows=40))
    assert len(later["lift_gain"]) == 3


def test_truncated_targets_have_the_mean_they_promise() -> None:
    """Draws are never negative and average to the expected target, also where most of the normal lies below 0."""
    structure = model_structure(term_inputs(likelihood="truncated_normal").config)
    location = np.tile([3.0, 0.2, -2.0], (200_000, 1))
    values = {"y_sigma": np.ones(200_000)}
    drawn = draw_targets(location, values, structure, np.random.default_rng(0))
    expected = expected_target(location[:1], {"y_sigma": np.ones(1)}, structure)[0]
    assert drawn.min() >= 0
    assert drawn.mean(axis=0) == pytest.approx(expected, abs=0.01)
    assert expected[0] == pytest.approx(3.0, abs=0.01)
    assert pd.Series(expected).is_monotonic_decreasing


def test_simulated_truth_makes_its_own_lift_tests() -> None:
    """Recovery does not hold a simulated truth against experiments with the real one."""
    inputs = term_inputs(lift_tests=[{**LIFTS[0], "sigma": 1e-6}, {**LIFTS[1], "date": "2022-09-14"}])
    simulated = simulate_target(inputs, 3)
    truth, test = simulated.truth, simulated.inputs.config.lift_tests
    alpha, lam = truth["saturation_alpha"][0], truth["saturation_lam"][0]
    gain = alpha * (0.6 / (lam + 0.6) - 0.4 / (lam + 0.4)) * 1000.0
    assert [one.delta_y for one in test] == pytest.approx([gain], abs=1e-4)
