"""The map about the mode takes curvature and correlation out, and never moves the posterior."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from mmm_engine.array_types import Floats
from mmm_engine.client.config import SamplerConfig
from mmm_engine.fleets.simulated_targets import simulate_target
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.coordinate_choice import decorrelating_coordinates
from mmm_engine.posterior.geometry import TrainingData, training_data
from mmm_engine.posterior.log_density import CompiledLogDensity, compile_log_density
from mmm_engine.posterior.mode import about_mode
from mmm_engine.posterior.nuts import _starting_point, sample
from tests.engine.model_cases import small_inputs

CURVES: dict[str, Any] = {"time_varying_media": True, "baseline": {"knots": 8}, "priors": "calibrated"}


@dataclass
class _Rows:
    """What `about_mode` changes of training rows."""

    mode: Floats
    mode_map: Floats


def _stub(log_density: Any, size: int) -> CompiledLogDensity:
    """A density of plain numbers in the place of a compiled one."""
    coordinates = SimpleNamespace(
        about_mode=True,
        size=size,
        slots=(),
        specification=SimpleNamespace(with_role=lambda *roles: (), saturations=()),
    )
    stub = SimpleNamespace(
        coordinates=coordinates,
        data_buffer=lambda train: None,
        density=lambda point, buffer: log_density(point),
    )
    return cast(CompiledLogDensity, stub)


def _nowhere(size: int) -> TrainingData:
    return cast(TrainingData, _Rows(np.zeros(size), np.eye(size)))


def _case(**model: Any) -> tuple[CompiledLogDensity, TrainingData]:
    inputs = small_inputs(rows=60, held_out=4, **model)
    specification = model_specification(inputs.config, inputs.calendar.period)
    return compile_log_density(specification), training_data(inputs, specification)


def test_normal_by_hand() -> None:
    """A normal posterior with mean (3, -1), variances 2 and 1 and covariance 0.8: its mean, its covariance."""
    mean, covariance = np.array([3.0, -1.0]), np.array([[2.0, 0.8], [0.8, 1.0]])
    precision = np.linalg.inv(covariance)

    def log_density(point: Floats) -> tuple[float, Floats]:
        return float(-0.5 * (point - mean) @ precision @ (point - mean)), -precision @ (point - mean)

    found = about_mode(_stub(log_density, 2), _nowhere(2))
    assert found.mode == pytest.approx(mean, abs=1e-4)
    mapped = np.asarray(found.mode_map)
    assert mapped @ mapped.T == pytest.approx(covariance, rel=1e-6)


def test_flat_directions_are_not_stretched_without_end() -> None:
    """Where the density hardly bends, here with a variance of 100, steps have twice the usual scale and no more."""

    def log_density(point: Floats) -> tuple[float, Floats]:
        bend = np.array([1.0, 0.01])
        return float(-0.5 * bend @ point**2), -bend * point

    mapped = np.asarray(about_mode(_stub(log_density, 2), _nowhere(2)).mode_map)
    assert mapped @ mapped.T == pytest.approx(np.diag([1.0, 4.0]), rel=1e-6)


def test_very_large_models_have_no_map() -> None:
    """Its product in each gradient, and 32 MB for 2,000 coordinates, would cost more than it brings."""
    channels = [f"c{at}" for at in range(150)]
    inputs = small_inputs(rows=30, held_out=4, channels=channels, controls=[])
    specification = model_specification(inputs.config, inputs.calendar.period)
    train, coordinates = training_data(inputs, specification), decorrelating_coordinates(specification)
    assert coordinates.size > 400
    assert not coordinates.about_mode
    assert np.asarray(train.mode_map).shape == (0, 0)
    assert np.abs(_starting_point(coordinates.size, train, 1.0)(1)).max() <= 1.0


def test_no_finite_density_leaves_the_coordinates() -> None:
    """The sampler is the one to tell that nothing fits."""
    rows = _nowhere(3)
    found = about_mode(_stub(lambda point: (float("nan"), np.full(3, np.nan)), 3), rows)
    assert found is rows


def test_plain_coordinates_are_left_alone() -> None:
    """They stand for PyMC's own transforms."""
    inputs = small_inputs(rows=60, held_out=4)
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = training_data(inputs, specification)
    assert about_mode(compile_log_density(specification, "plain"), train) is train


@pytest.mark.parametrize(
    "model", [{}, {"priors": "calibrated", "baseline": {"knots": 8}, "saturation": "logistic"}], ids=str
)
def test_density_is_flat_and_round_at_the_mode(model: dict[str, Any]) -> None:
    """No slope; curvature 1 in every direction, or less where the map does not stretch; none between directions."""
    density, train = _case(**model)
    train = about_mode(density, train)
    steps = 1e-4 * np.eye(density.coordinates.size)
    slopes = [density.evaluate(-s, train)[1] - density.evaluate(s, train)[1] for s in steps]
    curvature = np.stack(slopes) / 2e-4
    bends = np.diag(curvature)
    assert np.abs(density.evaluate(np.zeros(len(steps)), train)[1]).max() < 0.05
    assert bends.max() == pytest.approx(1.0, abs=0.02)
    assert np.median(bends) == pytest.approx(1.0, abs=0.02)
    assert np.abs(curvature - np.diag(bends)).max() < 0.02


def test_what_is_nothing_like_normal_is_not_mixed() -> None:
    """Sizes of time-varying curves, half-saturation points with slopes: neither stretched nor mixed with others."""
    density, train = _case(
        time_varying_media=True,
        time_varying_intercept=True,
        priors="calibrated",
        channels=["tv", "radio", {"column": "search", "saturation": "michaelis_menten"}],
        saturation="hill",
    )
    found = about_mode(density, train)
    places = {slot.part.name: range(slot.start, slot.stop) for slot in density.coordinates.slots}
    bent = {name for name in places if name.endswith(("_eta", "hill_kappa", "hill_slope"))}
    kept = [at for name in bent for at in places[name]]
    mode_map = np.asarray(found.mode_map)
    covariance = mode_map @ mode_map.T
    assert len(bent) == 4, places.keys()
    assert len(kept) == 6
    assert covariance[kept] == pytest.approx(np.eye(len(covariance))[kept], abs=1e-9)
    (half,) = places["saturation_michaelis_menten_lam"]
    assert covariance[half, half] != pytest.approx(
        1.0, abs=1e-3
    )  # a curve with nothing but a half-saturation point


def test_chains_start_where_they_did() -> None:
    """Within the usual distance of the centre of the coordinates, wherever the mode is: they may find another."""
    density, train = _case()
    found, size = about_mode(density, train), density.coordinates.size
    for seed in range(5):
        start = np.asarray(found.mode) + np.asarray(found.mode_map) @ _starting_point(size, found, 2.0)(seed)
        assert start == pytest.approx(_starting_point(size, train, 2.0)(seed), abs=1e-9)
        assert np.abs(start).max() <= 2.0
        assert np.abs(start).max() > 1.0


def test_starts_need_little_stack() -> None:
    """The sampler asks for them in threads of its own, where solving 114 equations ended the process."""
    code = """
import threading
from types import SimpleNamespace
import numpy as np
from mmm_engine.posterior.nuts import _starting_point
start = _starting_point(400, SimpleNamespace(mode=np.zeros(400), mode_map=2.0 * np.eye(400)), 1.0)
threading.stack_size(192 * 1024)
found = []
thread = threading.Thread(target=lambda: found.append(start(1)))
thread.start(); thread.join()
assert np.abs(found[0]).max() <= 0.5
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_posterior_of_a_simulated_target_is_round() -> None:
    """Draws of what the sampler moves in have standard deviations of 0.5 to 2; without the map one of them has 0.06.

    A ridge regression of the target on media takes the bend of their curves for noise: the steps of the baseline that
    it expects are far too wide.
    """
    inputs = small_inputs(rows=100, held_out=4, priors="calibrated", baseline={"knots": 8})
    simulated = simulate_target(inputs, 3).inputs
    specification = model_specification(simulated.config, simulated.calendar.period)
    density, train = compile_log_density(specification), training_data(simulated, specification)
    settings = SamplerConfig(draws=400, tune=400, chains=2, seed=1, ess_target=None)
    spreads = [
        sample(density, rows, settings, "simulated", None)[0].reshape(800, -1).std(axis=0)
        for rows in (train, about_mode(density, train))
    ]
    assert np.abs(np.log(spreads[0])).max() > np.log(5.0)
    assert np.abs(np.log(spreads[1])).max() < np.log(2.0)
