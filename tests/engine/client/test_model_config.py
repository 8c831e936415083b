"""The section `model` of a client file: terms and how they may be written."""

from pathlib import Path

import pytest

from mmm_engine.client.client_file import (
    client_config_from_mapping,
    read_client_config,
    write_client_config,
)
from mmm_engine.errors import ConfigError
from tests.engine.client_cases import SETTINGS, read_shop


def test_settings_of_a_time_varying_term_are_read() -> None:
    """The basis of a time-varying term is set like a prior, without a distribution."""
    settings = {"m": 20, "L": 90.5, "eta_lam": 2.0, "cov_func": "matern52"}
    config = client_config_from_mapping(SETTINGS | {"model": {"priors": {"media_tvp_config": settings}}})
    assert config.model.priors["media_tvp_config"] == settings


def test_events_are_written_in_many_ways(tmp_path: Path) -> None:
    """A day, several days, from one day to another; the same settings come back from the file that is written."""
    events = "{sale: [2022-11-25, {start: 2023-11-24, end: 2023-11-27}], tv: 2022-03-01}"
    text = f"model: {{trend: {{changepoints: 4}}, events: {events}}}\n"
    with pytest.raises(ConfigError, match="the event 'tv', a name that is used for something else"):
        read_shop(tmp_path, text)
    config = read_shop(tmp_path, text.replace("tv: 2022", "launch: 2022"))
    assert [event.name for event in config.model.events] == ["sale", "launch"]
    assert [day.start for day in config.model.events[0].days] == ["2022-11-25", "2023-11-24"]
    write_client_config(config, tmp_path / "shop.yaml")
    assert read_client_config(tmp_path / "shop.yaml") == config
