"""Fitted models shared by all tests of the engine: sampling is slow, so each specification is fitted once."""

from __future__ import annotations

import pytest
import xarray as xr

from mmm_engine.posterior.fit import fit
from mmm_engine.posterior.progress import FitProgress
from mmm_engine.rows.window import ScaledInputs
from tests.engine.model_cases import small_inputs


@pytest.fixture(scope="session")
def small_window() -> ScaledInputs:
    """Sixty weeks, three channels, time-varying media, the last eight weeks held out."""
    return small_inputs(time_varying_media=True)


@pytest.fixture(scope="session")
def fit_messages() -> list[FitProgress]:
    """What `fitted_small` reported while it was fitted."""
    return []


@pytest.fixture(scope="session")
def fitted_small(small_window: ScaledInputs, fit_messages: list[FitProgress]) -> xr.DataTree:
    """The posterior of `small_window`."""
    return fit(small_window, label="toy h08", progress=fit_messages.append)
