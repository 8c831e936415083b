"""A notebook's model and its held-out windows, fitted once for all tests of the notebook face."""

from __future__ import annotations

import pytest

from mmm_engine import PymcModel
from mmm_engine.toolkit.fleet_result import FleetResult
from tests.engine.toolkit.toolkit_cases import SHORT, shop_model


@pytest.fixture(scope="session")
def fitted_model() -> PymcModel:
    """The small client's model, fitted on its sixty weeks."""
    model = shop_model()
    model.fit(**SHORT)
    return model


@pytest.fixture(scope="session")
def fitted_holdout(fitted_model: PymcModel) -> FleetResult:
    """Three held-out windows and two rolling origins."""
    return fitted_model.holdout_fleet(holdouts=[4, 8, 12], origins=2, progressbar=False)
