"""A posterior belongs to a configuration by the names in it: never by the order in which numbers happen to stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from mmm_engine.errors import FitError
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.predictive import predict
from mmm_engine.rows.window import ScaledInputs
from tests.engine.model_cases import EVENTS, drawn_from_prior, small_inputs

MODEL: Mapping[str, Any] = {"events": EVENTS, "time_varying_media": True}
OWN_CURVES = [  # groups of channels that share a curve have dimensions of their own
    {"column": "tv", "saturation": "tanh"},
    {"column": "radio", "adstock": {"kind": "none"}},
    {"column": "search", "saturation": "tanh"},
]


def _inputs(**model: Any) -> ScaledInputs:
    return small_inputs(**{**MODEL, **model})


def _changed(posterior: xr.DataTree, change: Callable[[xr.Dataset], xr.Dataset]) -> xr.DataTree:
    return xr.DataTree.from_dict({"posterior": change(posterior["posterior"].to_dataset())})


@pytest.mark.parametrize(
    "model", [{}, {"channels": OWN_CURVES}, {"controls": []}, {"likelihood": "student_t"}]
)
def test_the_posterior_of_a_configuration_is_taken(model: dict[str, Any]) -> None:
    """Every dimension a model can have is labelled as the check expects it."""
    inputs = _inputs(**model)
    window = FittedWindow.of(inputs, drawn_from_prior(inputs))
    assert np.isfinite(predict(window).mean_draws).all()


def test_a_posterior_from_a_file_is_taken(tmp_path: Path) -> None:
    """Labels come back from NetCDF as they were."""
    inputs = _inputs()
    drawn_from_prior(inputs).to_netcdf(tmp_path / "posterior.nc", engine="h5netcdf")
    with xr.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf") as posterior:
        assert FittedWindow.of(inputs, posterior.load()).draws


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"channels": ["radio", "tv", "search"]}, "'channel': found tv, radio, search; wanted radio, tv, search"),
        ({"channels": ["tv", "radio", "video"]}, "'channel': found tv, radio, search; wanted tv, radio, video"),
        ({"channels": ["tv", "search"]}, "'channel': found tv, radio, search; wanted tv, search"),
        ({"channels": ["tv", "radio", "search", "a"]}, "found tv, radio, search; wanted tv, radio, search, a"),
        ({"controls": ["promo", "price"]}, "'control': found price, promo; wanted promo, price"),
        ({"controls": ["price"]}, "'control': found price, promo; wanted price,"),
        ({"events": dict(reversed(EVENTS.items()))}, "'event': found launch, sale; wanted sale, launch"),
        ({"events": {"launch": EVENTS["launch"]}}, "'event': found launch, sale; wanted launch,"),
    ],
)  # fmt: skip
def test_other_names_or_another_order_are_refused(model: dict[str, Any], message: str) -> None:
    """Dropped, added, renamed or exchanged since the fit: one error says what was fitted and what is configured."""
    fitted, now = drawn_from_prior(_inputs()), _inputs(**model)
    with pytest.raises(FitError, match="client 'toy', the fitted posterior") as error:
        FittedWindow.of(now, fitted)
    assert message in str(error.value)
    assert "fit the window again" in str(error.value)
    window = FittedWindow.of(_inputs(), fitted)
    with pytest.raises(FitError, match="the fitted posterior"):
        window.on_rows(now)


def test_groups_of_channels_are_compared_too() -> None:
    """The dimension of channels that share a curve names its channels."""
    fitted = drawn_from_prior(_inputs(channels=OWN_CURVES))
    other = [{**OWN_CURVES[0], "column": "search"}, OWN_CURVES[1], {**OWN_CURVES[2], "column": "tv"}]
    with pytest.raises(FitError, match="found tv, search; wanted search, tv"):
        FittedWindow.of(_inputs(channels=other), fitted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda group: group.isel(channel=[0, 2, 1]), "'channel': found tv, search, radio"),
        (lambda group: group.isel(channel=[0, 1]), "'channel': found tv, radio; wanted tv, radio, search"),
        (lambda group: group.drop_vars("channel"), "'channel': found no labels"),
        (lambda group: group.drop_vars("y_sigma"), "parameters: found"),
        (lambda group: group.assign(extra=group["y_sigma"]), "parameters: found"),
        (
            lambda group: group.assign(saturation_lam=group["saturation_lam"].transpose("channel", "chain", "draw")),
            "'saturation_lam': found channel, chain, draw; wanted chain, draw, channel",
        ),
    ],
)  # fmt: skip
def test_a_changed_posterior_is_refused(change: Callable[[xr.Dataset], xr.Dataset], message: str) -> None:
    """Channels cut or exchanged in the posterior itself, labels lost, parameters gone, axes in another order."""
    inputs = _inputs()
    with pytest.raises(FitError) as error:
        FittedWindow.of(inputs, _changed(drawn_from_prior(inputs), change))
    assert message in str(error.value)
