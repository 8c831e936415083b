"""Presets: what holds where a client file says nothing of saturation, returns and priors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mmm_engine.client.client_file import client_config_from_mapping, read_client_config, write_client_config
from mmm_engine.client.config import ClientConfig
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
    assert model_specification(_config()).returns is not None


@pytest.mark.parametrize("priors", ["toolkit", {"preset": "toolkit"}])
def test_the_toolkit_s_by_name(priors: Any) -> None:
    """Michaelis-Menten and priors in model space, as a name or as an entry of the mapping."""
    config = _config(priors=priors)
    assert (config.model.saturation, config.model.returns, config.model.priors) == (
        "michaelis_menten",
        None,
        {},
    )
    scale = model_specification(config).parameter("saturation_alpha").parts[0].prior
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
    """Naming what a file had before changes no number and no version."""
    assert _config(priors="toolkit").config_version == "89ec1e54bcb0"
    assert _config().config_version != _config(priors="toolkit").config_version
