"""The sampler's coordinates change the coordinates, never the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mmm_engine.arrays import numpy_functions
from mmm_engine.coordinates import Coordinates, plain_coordinates, round_coordinates
from mmm_engine.model import ModelData, model_data, training_data
from mmm_engine.structure import model_structure
from tests.engine.model_cases import small_inputs

XP = numpy_functions()
MODELS: list[dict[str, Any]] = [
    {"time_varying_media": True},
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


def _case(model: dict[str, Any], kind: str) -> tuple[Coordinates, ModelData]:
    inputs = small_inputs(rows=30, held_out=4, **dict(model))
    structure = model_structure(inputs.config)
    build = round_coordinates if kind == "round" else plain_coordinates
    return build(structure), training_data(model_data(inputs, structure), inputs.train_rows)


def _flat_variables(coordinates: Coordinates, flat: Any, data: ModelData) -> Any:
    variables, _ = coordinates.variables(flat, data, XP)
    return np.concatenate([variables[slot.part.name] for slot in coordinates.slots], axis=-1)


@pytest.mark.parametrize("kind", ["round", "plain"])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_log_jacobian_is_the_log_determinant(model: dict[str, Any], kind: str) -> None:
    """Against the determinant of a finite-difference Jacobian, up to one constant per structure."""
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
    coordinates, data = _case(model, "round")
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
    """A step along the total multiplies baseline and channel effects by one factor."""
    coordinates, data = _case({"controls": []}, "round")
    flat = np.zeros(coordinates.size)
    before, _ = coordinates.variables(flat, data, XP)
    flat[next(slot for slot in coordinates.slots if slot.part.name == "intercept").start] += np.log(2.0)
    after, _ = coordinates.variables(flat, data, XP)
    assert after["intercept"] == pytest.approx(2.0 * before["intercept"])
    assert after["saturation_alpha"] == pytest.approx(2.0 * before["saturation_alpha"])


def test_signed_intercept_keeps_plain_coordinates() -> None:
    """Total and shares need a positive intercept; without one the levels keep their own maps."""
    coordinates, _ = _case(MODELS[-1], "round")
    assert coordinates.levels == ()
