"""Predictions of rows after the training rows are pymc-marketing's own, draw by draw, on the same posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mmm_engine.model.pymc_reference import build_pymc_mmm, training_frame
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.predictive import predict
from mmm_engine.rows.window import ScaledInputs

_DRAWS = 5


@pytest.mark.filterwarnings("ignore")
def test_held_out_mean_is_pymc_marketings(fitted_small: xr.DataTree, small_window: ScaledInputs) -> None:
    """The last 8 weeks given the ones before, carry-over and time variation included, within 1e-6."""
    posterior = fitted_small["posterior"].dataset.isel(draw=slice(0, _DRAWS))
    mmm = build_pymc_mmm(small_window)
    mmm.build_model(*training_frame(small_window))
    mmm.idata = xr.DataTree.from_dict({"posterior": _as_theirs(posterior, mmm)})
    theirs = mmm.sample_posterior_predictive(
        _held_out(small_window),
        include_last_observations=True,
        extend_idata=False,
        combined=False,
        var_names=["mu"],
        progressbar=False,
    )["mu"].transpose("chain", "draw", "date")
    rows, scale = small_window.train_rows, small_window.scales.target
    tree = xr.DataTree.from_dict({"posterior": posterior})
    ours = (
        predict(FittedWindow.of(small_window, tree), seed=0).mean_draws[:, rows:].reshape(theirs.shape)
        / scale
    )
    assert theirs.shape == (2, _DRAWS, 8)
    assert np.abs(theirs.to_numpy() - ours).max() < 1e-6


def _as_theirs(posterior: xr.Dataset, mmm: Any) -> xr.Dataset:
    """Our posterior under their names, with the time average of the multiplier that they keep from the fit."""
    import pymc as pm

    ours, theirs = "media_temporal_latent_multiplier_basis", "media_temporal_latent_multiplier_raw_m"
    renamed = posterior.rename({"intercept": "intercept_contribution", ours: theirs}).drop_vars(theirs)
    kept = pm.compute_deterministics(
        renamed, model=mmm.model, var_names=list(mmm.frozen_deterministics), progressbar=False
    )
    return renamed.merge(kept)


def _held_out(inputs: ScaledInputs) -> pd.DataFrame:
    config = inputs.config
    media = pd.DataFrame(
        inputs.media_scaled * inputs.scales.media_array(), columns=list(config.channel_names)
    )
    controls = pd.DataFrame(inputs.controls_scaled, columns=list(config.control_names))
    frame = pd.concat([pd.Series(inputs.dates, name="date"), media, controls], axis=1)
    return frame.iloc[inputs.train_rows :]
