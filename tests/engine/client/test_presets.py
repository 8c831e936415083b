"""Presets: what holds where a client file says nothing of saturation, returns and priors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from mmm_engine.client.client_file import client_config_from_mapping, read_client_config, write_client_config
from mmm_engine.client.config import ClientConfig
from mmm_engine.client.model_config import BaselineConfig
from mmm_engine.client.return_priors import ReturnsConfig
from mmm_engine.errors import ConfigError
from mmm_engine.model.specification import model_specification


def _config(**model: Any) -> ClientConfig:
    return client_config_from_mapping(
        {
            "client": "acme",
            "data": "a.csv",
            "date": "week",
            "target": "sales",
            "channels": ["tv"],
            "model": model,
            "sampler": {"ess_target": None},
        }
    )


def test_nothing_said_is_calibrated() -> None:
    """A Hill curve and priors on returns; its scale has no prior of its own."""
    model = _config().model
    assert (model.preset, model.saturation, model.returns) == ("calibrated", "hill", ReturnsConfig())
    assert model_specification(_config(), "week").returns is not None


@pytest.mark.parametrize("priors", ["toolkit", {"preset": "toolkit"}])
def test_the_toolkit_s_by_name(priors: Any) -> None:
    """Michaelis-Menten and priors in model space, as a name or as an entry of the mapping."""
    config = _config(priors=priors)
    assert (config.model.saturation, config.model.returns, config.model.priors) == (
        "michaelis_menten",
        None,
        {},
    )
    scale = model_specification(config, "week").parameter("saturation_alpha").parts[0].prior
    assert str(scale) == "Gamma(mu=2, sigma=1)"


def test_what_is_written_stands_beside_the_preset() -> None:
    """A saturation, a prior, and no returns where the file says so."""
    intercept = {"distribution": "HalfNormal", "sigma": 2}
    model = _config(
        priors={"preset": "calibrated", "intercept": intercept}, saturation="log", returns=None
    ).model
    assert (model.saturation, model.returns, model.priors) == ("log", None, {"intercept": intercept})


def test_a_name_that_is_none_is_refused() -> None:
    """With the nearest one."""
    with pytest.raises(ConfigError, match=r"the preset 'calibratd'.*did you mean 'calibrated'"):
        _config(priors="calibratd")


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"priors": "toolkit"},
        {"returns": None},
        {"priors": "toolkit", "returns": {"prior": "mroas", "median": 1.5}},
        {"priors": {"preset": "toolkit", "intercept": {"distribution": "HalfNormal", "sigma": 2}}},
    ],
)
def test_a_written_file_reads_back_equal(tmp_path: Path, model: dict[str, Any]) -> None:
    """The preset by its name, what it chooses left out."""
    write_client_config(_config(**model), tmp_path / "acme.yaml")
    assert read_client_config(tmp_path / "acme.yaml") == _config(**model)


def test_settings_stored_before_there_were_presets_are_the_toolkit_s() -> None:
    """A stored posterior belongs to the priors that it was fitted with."""
    record = _config(priors="toolkit").model_dump(mode="json")
    for name in ("preset", "returns"):
        del record["model"][name]
    assert ClientConfig.from_record(record) == _config(priors="toolkit")


def test_the_toolkit_s_version_is_that_of_files_before_presets() -> None:
    """Naming what a file had before, its 1,000 steps of tuning too, changes no number and no version."""
    before = _config(priors="toolkit")
    sampler = before.sampler.model_copy(update={"tune": 1000})
    assert before.model_copy(update={"sampler": sampler}).config_version == "89ec1e54bcb0"
    assert _config().config_version != _config(priors="toolkit").config_version


def test_the_baseline_may_wander_unless_another_term_moves_it(tmp_path: Path) -> None:
    """A trend or a time-varying intercept takes its place; `baseline: null` is constant, also when written and read."""
    assert _config().model.baseline == BaselineConfig(knots=12)
    assert _config(priors="toolkit").model.baseline is None
    assert _config(trend={"changepoints": 3}).model.baseline is None
    assert _config(time_varying_intercept=True).model.baseline is None
    assert _config(trend={"changepoints": 3}, baseline={"knots": 4}).model.baseline == BaselineConfig(knots=4)
    for written in (None, {"knots": 4}):
        config = _config(baseline=written)
        write_client_config(config, tmp_path / "acme.yaml")
        assert read_client_config(tmp_path / "acme.yaml") == config


@pytest.mark.parametrize(
    ("written", "median", "sigma"),
    [(14, 14.0, 0.8), ({"median": 3}, 3.0, 0.8), ({"low": 3.5, "high": 14}, 7.0, math.log(2) / 1.6448536)],
)
def test_a_half_life_is_written_as_a_number_a_median_or_two_ends(
    written: Any, median: float, sigma: float
) -> None:
    """In days; the prior of what is left after a weekly row follows."""
    config = _config(adstock={"kind": "geometric", "half_life": written})
    half_life = config.model.adstock.half_life
    assert half_life is not None
    assert (half_life.median, half_life.sigma) == pytest.approx((median, sigma))
    prior = dict(model_specification(config, "week").parameter("adstock_alpha").parts[0].prior.arguments)
    assert (prior["median"], prior["sigma"]) == pytest.approx((median / 7, sigma))


def test_half_lives_by_spacing_kind_and_place() -> None:
    """Seven days are one weekly row; a delayed adstock falls with the square; a channel's own comes first."""
    assert str(model_specification(_config(), "week").parameter("adstock_alpha").parts[0].prior) == (
        "HalfLife(median=1, sigma=0.8)"
    )
    daily = _config(adstock={"kind": "delayed", "half_life": {"median": 3, "sigma": 0.5}})
    parameters = model_specification(daily, "day")
    assert str(parameters.parameter("adstock_alpha").parts[0].prior) == "HalfLife(median=9, sigma=1)"
    assert str(parameters.parameter("adstock_theta").parts[0].prior) == "HalfNormal(sigma=7)"
    beta = {"distribution": "Beta", "alpha": 1, "beta": 3}
    by_name = _config(priors={"adstock_alpha": beta})
    assert str(model_specification(by_name, "week").parameter("adstock_alpha").parts[0].prior) == (
        "Beta(alpha=1, beta=3)"
    )


def test_a_half_life_of_another_kind_is_refused() -> None:
    """A Weibull has no single half-life: its own parameters are named instead."""
    with pytest.raises(ConfigError, match="geometric and delayed"):
        _config(adstock={"kind": "weibull_pdf", "half_life": 7})
