"""A baseline that wanders: its arrays and mean by hand, forecasts that widen, and the same density as numpy's."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mmm_engine.client.model_config import BaselineConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.errors import ConfigError
from mmm_engine.model.arrays import model_data
from mmm_engine.model.mean import mean_terms
from mmm_engine.model.pymc_reference import build_pymc_mmm
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.fit import fit
from mmm_engine.results.decomposition import contributions
from mmm_engine.results.forecast import forecast
from mmm_engine.rows.calendar import Calendar
from mmm_engine.rows.wandering_baseline import baseline_steps
from tests.engine.model_cases import small_inputs


def _weeks(count: int) -> Calendar:
    return Calendar(np.datetime64("2024-01-01") + 7 * np.arange(count), "week")


def test_steps_by_hand() -> None:
    """Nine training weeks and two knots: a step over four weeks each, straight between, and one step beyond."""
    time, steps = baseline_steps(_weeks(14), 9, BaselineConfig(knots=2))
    assert time[:, 0] == pytest.approx(np.arange(14) / 8)
    assert steps[:, 0].tolist() == [0.0, 0.25, 0.5, 0.75] + [1.0] * 10
    assert steps[:, 1].tolist() == [0.0] * 5 + [0.25, 0.5, 0.75, 1.0] + [1.0] * 5
    assert steps[:, 2].tolist() == [0.0] * 9 + [0.25, 0.5, 0.75, 1.0, 1.0]
    assert [part.shape for part in baseline_steps(_weeks(14), 9, None)] == [(14, 0), (14, 0)]


def test_months_move_by_their_days() -> None:
    """January has 31 of the 59 days between the first and the third month's first day."""
    days = np.array(["2023-01-01", "2023-02-01", "2023-03-01"], dtype="datetime64[D]")
    time, _ = baseline_steps(Calendar(days, "month"), 3, BaselineConfig(knots=2))
    assert time[:, 0] == pytest.approx([0.0, 31 / 59, 1.0])


def test_the_level_of_a_row_by_hand() -> None:
    """Intercept, share of the slope, and the steps behind the row."""
    inputs = small_inputs(rows=9, held_out=0, baseline={"knots": 2}, adstock={"kind": "none"})
    specification = model_specification(inputs.config, "week")
    values = {spec.name: np.full(spec.size, 0.1) for spec in specification.parameters}
    values |= {spec.name: np.float64(0.1) for spec in specification.parameters if spec.dim is None}
    values |= {
        "intercept": np.float64(0.5),
        "baseline_slope": np.float64(0.8),
        "baseline_step": np.array([0.2, -0.1, 9.0]),
    }
    terms = mean_terms(values, model_data(inputs, specification), specification, numpy_functions())
    expected = [0.5, 0.65, 0.8, 0.95, 1.1, 1.175, 1.25, 1.325, 1.4]
    assert terms.intercept == pytest.approx(np.array(expected))


@pytest.mark.parametrize(("knots", "step"), [(12, 0.17 / math.sqrt(12)), (4, 0.085)])
def test_more_knots_have_smaller_steps(knots: int, step: float) -> None:
    """The prior of the level at the last training row is the same for any number of knots."""
    inputs = small_inputs(rows=40, baseline={"knots": knots})
    prior = model_specification(inputs.config, "week").parameter("baseline_step").parts[0].prior
    assert dict(prior.arguments)["sigma"] == pytest.approx(step)


def test_a_level_that_moved_is_found_and_forecasts_widen() -> None:
    """Sales that fall by a third within a year: the baseline follows them, and intervals grow with each row to come."""
    rows = np.arange(104)
    level = np.where(rows < 26, 0.9, np.where(rows < 78, 0.9 - 0.3 * (rows - 26) / 52, 0.6))
    inputs = small_inputs(rows=104, held_out=0, preset="calibrated", baseline={"knots": 8})
    target = level + 0.01 * np.random.default_rng(2).standard_normal(104)
    window = fit(replace(inputs, target_scaled=target))
    parts = contributions(window)
    assert parts["kind"].sel(component="baseline").item() == "baseline"
    baseline = parts.sel(component="baseline").mean("draw").to_numpy() / inputs.scales.target
    assert baseline[:13].mean() - baseline[-13:].mean() == pytest.approx(0.3, abs=0.05)
    ahead = forecast(window, horizon=26)
    width = (ahead["q95"] - ahead["q05"]).to_numpy()
    assert width[-4:].mean() > 1.5 * width[:4].mean()


def test_pymc_marketing_has_no_such_baseline() -> None:
    """The reference says so, and what to write."""
    with pytest.raises(ConfigError, match="baseline: null"):
        build_pymc_mmm(small_inputs(rows=40, baseline={"knots": 4}))
