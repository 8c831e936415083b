"""How much rows count: the power of their likelihood, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.client.config import ClientConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.errors import ConfigError
from mmm_engine.fleets.simulated_targets import simulate_target
from mmm_engine.model.arrays import ModelData, axes_of, first_rows, model_data
from mmm_engine.model.likelihood import log_likelihood, row_log_likelihood
from mmm_engine.model.mean import mean, mean_terms
from mmm_engine.model.prior_draws import draw_parameters
from mmm_engine.model.pymc_reference import build_pymc_mmm
from mmm_engine.model.specification import ModelSpecification, model_specification, parameter_values
from mmm_engine.posterior.explanations import leave_one_out
from mmm_engine.posterior.geometry import training_data
from mmm_engine.posterior.log_density import compile_log_density
from tests.engine.model_cases import LIFTS, small_config, small_inputs

XP = numpy_functions()


def _window(**model: Any) -> tuple[ModelSpecification, ModelData, dict[str, Any]]:
    """A specification, its training rows, and one draw of its parameters from the prior."""
    inputs = small_inputs(**model)
    specification = model_specification(inputs.config, "week")
    train = first_rows(model_data(inputs, specification), inputs.train_rows)
    drawn = draw_parameters(specification, train, 1, np.random.default_rng(4))
    return specification, train, {name: value[0] for name, value in drawn.items()}


def _likelihood(specification: ModelSpecification, data: ModelData, values: dict[str, Any]) -> float:
    terms = mean_terms(values, data, specification, XP)
    return float(np.asarray(log_likelihood(values, terms, data, specification, XP)))


def _with_power(data: ModelData, power: float) -> ModelData:
    return replace(data, likelihood_power=np.asarray(power))


def _each_row_twice(data: ModelData) -> ModelData:
    """The same rows, each of them two times."""
    longer = {
        name: np.repeat(getattr(data, name), 2, axis=axes.index("rows"))
        for name, axes in axes_of(data).items()
        if "rows" in axes
    }
    longer["training"] = longer["training"] / 2  # weights of a mean
    return replace(data, **longer)


@pytest.mark.parametrize("likelihood", ["normal", "student_t", "truncated_normal"])
def test_two_rows_that_count_half_say_what_one_says(likelihood: str) -> None:
    """The law that the setting is named after."""
    specification, data, values = _window(likelihood=likelihood)
    once = _likelihood(specification, _with_power(data, 1.0), values)
    assert _likelihood(specification, _with_power(_each_row_twice(data), 0.5), values) == pytest.approx(once)


def test_lift_tests_count_in_full() -> None:
    """They say for themselves how wrong they may be: what is left without any rows is theirs."""
    specification, data, values = _window(lift_tests=LIFTS)
    alone = _likelihood(specification, _with_power(data, 0.0), values)
    full = _likelihood(specification, _with_power(data, 1.0), values)
    half = _likelihood(specification, _with_power(data, 0.5), values)
    assert alone != 0.0
    assert half - alone == pytest.approx(0.5 * (full - alone))


def test_machine_code_takes_the_power_with_the_rows() -> None:
    """One compiled density for every power: from 1 to 0.25 goes three quarters of the rows' log likelihood."""
    inputs = small_inputs(controls=[], saturation="none", adstock={"kind": "none"})
    specification = model_specification(inputs.config, "week")
    density = compile_log_density(specification, "plain")
    data = training_data(inputs, specification)
    flat = 0.3 * np.random.default_rng(0).normal(size=density.coordinates.size)
    variables, _ = density.coordinates.variables(flat[None], data, XP)
    draws = parameter_values(specification, variables, XP)
    location = np.asarray(mean(mean_terms(draws, data, specification, XP)))
    rows = row_log_likelihood(np.asarray(data.target_scaled), location, draws, specification).sum()
    full, _ = density.evaluate(flat, replace(data, likelihood_power=np.asarray(1.0)))
    quarter, _ = density.evaluate(flat, replace(data, likelihood_power=np.asarray(0.25)))
    assert full - quarter == pytest.approx(0.75 * rows)


@given(power=st.sampled_from([0.3, 0.5, 1.0]), seed=st.integers(0, 20))
def test_a_row_left_out_of_a_mean_by_hand(power: float, seed: int) -> None:
    """A normal mean with a flat prior: without row i it lies around the others' mean with variance 1 / (w (n - 1))."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=30)
    means = rng.normal(rows.mean(), np.sqrt(1 / (power * 30)), size=4000)
    told = -0.5 * (rows - means[:, None]) ** 2 - 0.5 * np.log(2 * np.pi)
    variance = 1 + 1 / (power * 29)
    others = (rows.sum() - rows) / 29
    exact = -0.5 * (rows - others) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance)
    assert leave_one_out(told, power) == pytest.approx(exact, abs=0.05)


def test_draws_of_a_stuck_chain_have_the_likelihood_that_they_have() -> None:
    """They are all the same, which the smoothing of tails refuses: a client's refresh ended in its error."""
    row = np.array([-1.0, -2.5, 0.3])
    assert leave_one_out(np.tile(row, (600, 1)), 0.5) == pytest.approx(row)


def test_client_files_count_rows_by_half_and_the_toolkit_in_full() -> None:
    """A power in the file is what it says."""
    assert small_config(priors="calibrated").model.likelihood_power == 0.5
    assert small_config(priors="toolkit").model.likelihood_power == 1.0
    assert small_config(priors="toolkit", likelihood_power=0.7).model.likelihood_power == 0.7


def test_a_fit_stored_before_there_was_a_power_had_none() -> None:
    """It was fitted with rows that count in full, whatever the default is today."""
    record = small_config(priors="calibrated").model_dump(mode="json")
    del record["model"]["likelihood_power"]
    assert ClientConfig.from_record(record).model.likelihood_power == 1.0


def test_refits_of_simulated_targets_count_rows_in_full() -> None:
    """The model that made a target is not wrong about it; the machine code is that of the client's own fit."""
    inputs = small_inputs(priors="calibrated")
    simulated = simulate_target(inputs, 3).inputs
    assert simulated.config.model.likelihood_power == 1.0
    assert model_specification(simulated.config, "week") == model_specification(inputs.config, "week")


def test_pymc_marketing_counts_rows_in_full() -> None:
    """A model that cannot be handed over is refused with what to write."""
    inputs = small_inputs(priors="toolkit", likelihood_power=0.5)
    with pytest.raises(ConfigError, match=r"a power of 0\.5; wanted 1.*write 'likelihood_power: 1'"):
        build_pymc_mmm(inputs)
