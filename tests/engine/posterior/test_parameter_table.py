"""Claims about priors beside posteriors, against distributions whose quantiles are known."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.model.arrays import model_data
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.parameter_table import parameter_frame, prior_frame
from tests.engine.model_cases import small_inputs


@pytest.fixture(scope="module")
def priors() -> pd.DataFrame:
    """Priors of a client with two channels, a positive and a negative control."""
    config = client_config_from_mapping(
        {
            "client": "acme", "data": "acme.csv", "date": "week", "target": "sales", "channels": ["tv", "radio"],
            "controls": [{"column": "promo"}, {"column": "price", "effect": "negative"}],
            "model": {"priors": {"preset": "toolkit", "intercept": {"distribution": "Normal", "mu": 2, "sigma": 0.5}}},
        }
    )  # fmt: skip
    specification = model_specification(config, "week")
    inputs = small_inputs(rows=40)
    return prior_frame(config, specification, model_data(inputs, specification)).set_index("parameter")


def test_a_prior_of_the_client_file_is_told_as_it_is_written(priors: pd.DataFrame) -> None:
    """Normal(2, 0.5): mean, sd and 90% range, within the error of 1000 draws."""
    row = priors.loc["intercept"]
    assert row["prior_mean"] == pytest.approx(2, abs=0.06)
    assert row["prior_sd"] == pytest.approx(0.5, rel=0.1)
    low, high = stats.norm(2, 0.5).ppf([0.05, 0.95])
    assert row["prior_q05"] == pytest.approx(low, abs=0.12)
    assert row["prior_q95"] == pytest.approx(high, abs=0.12)


def test_adstock_has_its_beta_prior_for_every_channel(priors: pd.DataFrame) -> None:
    """Beta(1, 3) has mean 1/4."""
    for channel in ("tv", "radio"):
        assert priors.loc[f"adstock_alpha[{channel}]", "prior_mean"] == pytest.approx(0.25, abs=0.03)


def test_a_negative_effect_has_a_negative_prior(priors: pd.DataFrame) -> None:
    """The half-normal is mirrored, as the effect is."""
    assert priors.loc["gamma_control[promo]", "prior_q05"] > 0
    assert priors.loc["gamma_control[price]", "prior_q95"] < 0


def test_every_parameter_of_a_fit_has_its_prior(fitted_window: FittedWindow) -> None:
    """Names agree between posterior and prior, so no row is left without."""
    frame = parameter_frame(fitted_window)
    assert frame["prior_q95"].notna().all()
    assert (frame["prior_q95"] > frame["prior_q05"]).all()
