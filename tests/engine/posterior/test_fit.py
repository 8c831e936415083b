"""Log density and sampler: compiled once, reproducible, the same posterior in either coordinates."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats

from mmm_engine.client.config import SamplerConfig
from mmm_engine.errors import FitError
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.fit import fit
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.geometry import training_data
from mmm_engine.posterior.log_density import compile_log_density, compiled_count
from mmm_engine.posterior.nuts import cores_for
from mmm_engine.posterior.progress import FitProgress
from mmm_engine.rows.window import ScaledInputs
from tests.engine.model_cases import small_inputs

SHORT = SamplerConfig(draws=50, tune=50, chains=2, seed=5, ess_target=None)


def test_posterior_has_labelled_dimensions(fitted_small: xr.DataTree) -> None:
    """Channels and controls carry their names; attributes say what was fitted."""
    posterior = fitted_small["posterior"]
    assert posterior["saturation_lam"].dims == ("chain", "draw", "channel")
    assert list(posterior["channel"].to_numpy()) == ["tv", "radio", "search"]
    assert list(posterior["control"].to_numpy()) == ["price", "promo"]
    assert fitted_small.attrs["client"] == "toy"
    assert fitted_small.attrs["train_rows"] == 52
    assert fitted_small.attrs["chains"] == 2


def test_progress_counts_up_to_all_draws(fitted_small: xr.DataTree, fit_messages: list[FitProgress]) -> None:
    """Messages name the fit, never go back, and end with every chain done."""
    assert fit_messages
    shares = [message.share for message in fit_messages]
    assert shares == sorted(shares)
    assert fit_messages[-1].label == "toy h08"
    assert [chain.draw for chain in fit_messages[-1].chains] == [600, 600]
    assert fit_messages[-1].finished


def test_another_window_compiles_nothing(fitted_small: xr.DataTree, small_window: ScaledInputs) -> None:
    """Fewer rows, other numbers, another client's names: the compiled code is the same object."""
    density = compile_log_density(model_specification(small_window.config, "week"))
    before = compiled_count()
    fit(
        small_inputs(rows=47, held_out=3, seed=9, time_varying_media=True, channels=["a", "b", "c"]),
        sampler=SHORT,
    )
    assert compiled_count() == before
    assert compile_log_density(model_specification(small_window.config, "week")) is density


def test_same_seed_same_numbers(fitted_small: xr.DataTree, small_window: ScaledInputs) -> None:
    """Two fits with one seed are equal to the last digit; another seed differs."""
    one, two = fit(small_window, sampler=SHORT), fit(small_window, sampler=SHORT)
    other = fit(small_window, sampler=SHORT.model_copy(update={"seed": 6}))
    for name in one.posterior["posterior"].data_vars:
        assert np.array_equal(one.posterior["posterior"][name], two.posterior["posterior"][name]), name
    assert not np.array_equal(
        one.posterior["posterior"]["intercept"], other.posterior["posterior"]["intercept"]
    )


def test_compiled_gradient_is_that_of_its_density(
    fitted_small: xr.DataTree, small_window: ScaledInputs
) -> None:
    """Against central differences."""
    specification = model_specification(small_window.config, "week")
    density = compile_log_density(specification)
    train = training_data(small_window, specification)
    point = 0.3 * np.random.default_rng(0).normal(size=density.coordinates.size)
    _, gradient = density.evaluate(point, train)
    for position in range(0, density.coordinates.size, 7):
        step = np.zeros_like(point)
        step[position] = 1e-6
        slope = (density.evaluate(point + step, train)[0] - density.evaluate(point - step, train)[0]) / 2e-6
        assert gradient[position] == pytest.approx(slope, rel=1e-4, abs=1e-4)


def test_truth_free_posterior_fits_the_rows(fitted_window: FittedWindow) -> None:
    """A short run on easy data converges well enough to be read, without a divergence."""
    health = fitted_window.health.set_index("metric")["value"]
    assert health["rhat_max"] < 1.05
    assert health["divergences"] <= 2
    assert health["tree_depth_hits"] == 0
    assert health["bfmi_min"] > 0.3


def test_health_counts_what_the_sampler_reports(fitted_window: FittedWindow) -> None:
    """Planted divergences and depth hits are counted; a chain that sits elsewhere shows in R-hat."""
    tree = fitted_window.posterior.copy(deep=True)
    tree["sample_stats"]["diverging"].values[0, :3] = True
    tree["sample_stats"]["reached_max_treedepth"].values[1, :2] = True
    tree["posterior"]["intercept"].values[0] += 5.0
    health = FittedWindow.of(fitted_window.inputs, tree).health.set_index("metric")["value"]
    base = fitted_window.health.set_index("metric")["value"]
    assert health["divergences"] == base["divergences"] + 3
    assert health["divergence_rate"] == pytest.approx(health["divergences"] / 600)
    assert health["tree_depth_hits"] == 2
    assert health["rhat_max"] > 1.5


def test_summary_is_that_of_arviz(fitted_window: FittedWindow) -> None:
    """R-hat and effective sample sizes of one element, computed alone."""
    draws = fitted_window.posterior["posterior"]["saturation_lam"].sel(channel="radio").to_numpy()
    row = fitted_window.parameter_summary.set_index("parameter").loc["saturation_lam[radio]"]
    assert row["rhat"] == pytest.approx(float(array_stats.rhat(draws, chain_axis=0, draw_axis=1)))
    assert row["ess_bulk"] == pytest.approx(
        float(array_stats.ess(draws, chain_axis=0, draw_axis=1, method="bulk"))
    )
    assert row["mean"] == pytest.approx(draws.mean())


def test_cores_never_exceed_machine_or_chains() -> None:
    """`cores` in the client file is an upper bound."""
    assert cores_for(SamplerConfig(chains=1, cores=64)) == 1
    assert cores_for(SamplerConfig(chains=4, cores=1)) == 1


def test_hopeless_data_fail_with_a_message(fitted_small: xr.DataTree, small_window: ScaledInputs) -> None:
    """NaN in the log density everywhere: no traceback from the sampler, but who, what and what to do."""
    broken = replace(small_window, target_scaled=np.full_like(small_window.target_scaled, np.nan))
    with pytest.raises(FitError, match=r"toy h08: sampler: found .* check the priors"):
        fit(broken, sampler=SHORT)


def test_engine_imports_are_light() -> None:
    """Importing the package and reading a client's files loads no sampler and no PyMC."""
    code = (
        "import sys, mmm_engine, mmm_engine.client.config, mmm_engine.rows.client_data, mmm_engine.history.store\n"
        "heavy = {'pymc', 'pytensor', 'numba', 'pymc_marketing', 'arviz', 'nutpie'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_draws_grow_until_the_target_is_met(fitted_small: xr.DataTree, small_window: ScaledInputs) -> None:
    """A target above what the first attempt gives adds draws; what was used is recorded; the seed stays."""
    settings = SHORT.model_copy(update={"ess_target": 300.0, "max_draws": 800, "tune": 200})
    window = fit(small_window, sampler=settings)
    tree = window.posterior
    assert 50 < tree.attrs["draws"] <= 800
    assert tree["posterior"].sizes["draw"] == tree.attrs["draws"]
    reached = window.parameter_summary[["ess_bulk", "ess_tail"]].min(axis=None)
    assert reached >= 300 or tree.attrs["draws"] == 800


def test_budget_ends_a_hopeless_target(fitted_small: xr.DataTree, small_window: ScaledInputs) -> None:
    """More effective samples than draws cannot be had: the budget is spent and the fit returns."""
    settings = SHORT.model_copy(update={"ess_target": 1e6, "max_draws": 120})
    assert fit(small_window, sampler=settings).posterior.attrs["draws"] == 120


def test_a_fit_ends_when_its_time_budget_is_spent(
    fitted_small: xr.DataTree, small_window: ScaledInputs
) -> None:
    """A sampler that would go on for an hour is stopped and says what to do; the next fit is not harmed."""
    endless = SHORT.model_copy(update={"draws": 100_000, "tune": 100_000, "time_budget": 0.3})
    with pytest.raises(FitError, match=r"not done after 0\.3 s.*time_budget"):
        fit(small_window, sampler=endless)
    assert fit(small_window, sampler=SHORT).posterior.attrs["draws"] == 50
