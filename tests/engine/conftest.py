"""Fitted models shared by all tests of the engine: sampling is slow, so each specification is fitted once."""

from __future__ import annotations

import pytest
import xarray as xr

from mmm_engine.posterior.fit import fit
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.progress import FitProgress
from mmm_engine.rows.window import ScaledInputs
from tests.engine.model_cases import small_inputs


@pytest.fixture(scope="session")
def small_window() -> ScaledInputs:
    """Sixty weeks, three channels, time-varying media, the last eight weeks held out."""
    return small_inputs(time_varying_media=True)


@pytest.fixture(scope="session")
def fit_messages() -> list[FitProgress]:
    """What `fitted_window` reported while it was fitted."""
    return []


@pytest.fixture(scope="session")
def fitted_window(small_window: ScaledInputs, fit_messages: list[FitProgress]) -> FittedWindow:
    """`small_window`, fitted."""
    return fit(small_window, label="toy h08", progress=fit_messages.append)


@pytest.fixture(scope="session")
def fitted_small(fitted_window: FittedWindow) -> xr.DataTree:
    """The posterior of `small_window`."""
    return fitted_window.posterior
