"""How far a baseline wanders, judged from the training rows: the evidence is that of a dense normal; what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.windows import Window
from mmm_engine.fleets.simulated_targets import simulate_target
from mmm_engine.model.arrays import model_data
from mmm_engine.model.specification import model_specification
from mmm_engine.rows.client_data import ClientData, client_data_from_frame
from mmm_engine.rows.wandering_baseline import _NOISES, _SIZES, log_evidence
from mmm_engine.rows.window import ScaledInputs, fit_scales, scale_window
from mmm_engine.simulation.client import simulate_client

ROWS = 120


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_the_evidence_is_that_of_a_dense_normal(power: float) -> None:
    """Rows that count by p: the integral is a normal with variance sigma^2 / p, times sigma^((1 - p) n)."""
    rng = np.random.default_rng(0)
    others, steps, target = rng.normal(size=(7, 2)), rng.normal(size=(7, 3)), rng.normal(size=7)
    ours = log_evidence(target, others, steps, power)
    for size, noise in ((0, 0), (9, 7), (18, 14)):
        covariance = _NOISES[noise] ** 2 / power * np.eye(7) + others @ others.T
        covariance += _SIZES[size] ** 2 * steps @ steps.T
        dense = multivariate_normal(np.zeros(7), covariance).logpdf(target)
        dense += (1.0 - power) * 7 * np.log(_NOISES[noise]) + 3.5 * np.log(2.0 * np.pi)
        assert ours[size, noise] == pytest.approx(dense)


def _client(level: Any, **model: Any) -> ClientData:
    """Weekly sales around a level, with the media of a simulated client and three per cent of noise."""
    simulation = simulate_client("toy", periods=ROWS, seed=3)
    settings = simulation.config.model_dump(mode="json")
    settings["controls"], settings["lift_tests"] = [], []
    settings["model"] = model
    config = client_config_from_mapping(settings)
    frame = simulation.frame.copy()
    noise = 1.0 + 0.03 * np.random.default_rng(1).standard_normal(ROWS)
    frame[config.target.column] = 1000.0 * level * noise
    return client_data_from_frame(config, frame[["date", config.target.column, *config.channel_names]])


def _walk() -> Any:
    return 1.0 + np.cumsum(np.repeat(0.2 * np.random.default_rng(5).standard_normal(12), 10)) / 10


def test_a_level_that_walks_has_larger_steps_than_one_that_stands() -> None:
    """Twelve steps of 0.2 against none."""
    walking, standing = fit_scales(_client(_walk())).baseline, fit_scales(_client(np.ones(ROWS))).baseline
    assert standing < 0.4
    assert walking > 2.0


def test_a_season_and_a_line_are_no_walk() -> None:
    """What the file's other terms explain does not count as wandering."""
    weeks = np.arange(ROWS)
    season = 1.0 + 0.2 * np.sin(2 * np.pi * weeks / 52.18) + 0.3 * weeks / ROWS
    assert fit_scales(_client(season, yearly_seasonality=2)).baseline < 0.4
    assert fit_scales(_client(season)).baseline > 1.0


def test_neither_units_nor_the_order_of_channels_matter() -> None:
    """Sales in cents, and the channels backwards."""
    data = _client(_walk())
    frame, config = data.frame.copy(), data.config
    frame[config.target.column] *= 100.0
    assert fit_scales(replace(data, frame=frame)).baseline == pytest.approx(
        fit_scales(data).baseline, rel=1e-3
    )
    backwards = config.model_copy(update={"channels": config.channels[::-1]})
    reordered = client_data_from_frame(backwards, data.frame)
    assert fit_scales(reordered).baseline == pytest.approx(fit_scales(data).baseline, rel=1e-3)


@pytest.mark.parametrize(
    "model",
    [
        {"baseline": None},
        {"priors": {"baseline_step": {"distribution": "Normal", "mu": 0, "sigma": 0.01}}},
        {"priors": "toolkit"},
    ],
)
def test_who_says_the_size_himself_is_heard(model: dict[str, Any]) -> None:
    """No baseline that wanders, or steps with a prior of the client's own: nothing is judged."""
    assert fit_scales(_client(_walk(), **model)).baseline == 1.0


def test_the_model_takes_the_size() -> None:
    """Steps of the model are those of the calendar times the size, in the rows held out too; an old record has 1."""
    inputs = scale_window(_client(_walk()), Window.holding_out(12))
    specification = model_specification(inputs.config, inputs.calendar.period)
    steps = np.asarray(model_data(inputs, specification).baseline_steps)
    assert steps.max() == inputs.scales.baseline > 1.0
    record = inputs.record()
    del record["scales"]["baseline"]
    before = ScaledInputs.from_record(inputs.frame(), record)
    assert np.asarray(model_data(before, specification).baseline_steps).max() == 1.0


def test_a_simulated_target_keeps_the_size_of_its_truth() -> None:
    """Refits have the prior that the truth was drawn from: only then are ranks uniform."""
    inputs = scale_window(_client(_walk()), Window("full", 0))
    assert simulate_target(inputs, seed=1).inputs.scales == inputs.scales
