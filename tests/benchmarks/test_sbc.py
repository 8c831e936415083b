"""Simulation-based calibration in small: right ranks pass, a wrong Jacobian or a wrong likelihood does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

import mmm_engine.posterior.log_density as compiled
from mmm_engine.array_types import Array
from mmm_engine.client.config import SamplerConfig
from mmm_engine.model.mean import channel_scales
from mmm_engine.model.return_priors import log_return_prior
from tests.benchmarks.rank_ecdf import share_as_unusual
from tests.benchmarks.sbc import STRUCTURES, judged, ranks_of, structure
from tests.engine.model_cases import small_inputs

FITS = 40
SAMPLER = SamplerConfig(draws=100, tune=150, chains=1, cores=1, ess_target=None)


def _window() -> Any:
    """One straight channel whose return has a prior, and noise that hides it."""
    return small_inputs(
        rows=24, held_out=0, channels=["tv"], controls=[], adstock={"kind": "none"}, saturation="none",
        returns={"prior": "roas", "median": 2.0, "level_sigma": 0.0, "channel_sigma": 0.9},
        priors={"likelihood": {"distribution": "Normal", "sigma": 2.0}},
    )  # fmt: skip


def test_ranks_of_a_right_model_are_inside_the_band() -> None:
    """Scale, level, contribution and likelihood of 40 fits; the band of all of them together."""
    shares = judged(ranks_of(_window(), FITS, SAMPLER))
    assert shares.keys() == {"intercept", "saturation_beta", "contribution", "log likelihood"}
    assert min(shares.values()) > 0.05 / len(shares)


def test_a_forgotten_jacobian_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The density of the return taken for that of the scale: without the product of the 1 / b."""

    def without_jacobian(values: Any, data: Any, specification: Any, terms: Any, xp: Any) -> Array:
        right = log_return_prior(values, data, specification, terms, xp)
        return right + xp.log(channel_scales(values, specification, xp)).sum(axis=-1)

    monkeypatch.setattr(compiled, "log_return_prior", without_jacobian)
    monkeypatch.setattr(compiled, "_compiled", {})
    shares = judged(ranks_of(_window(), FITS, SAMPLER))
    assert shares["contribution"] < 0.001


def test_a_band_holds_what_it_says() -> None:
    """Of uniform samples 5% leave their 95% band; one rank too often, or ranks in the middle only, leave it."""
    rng = np.random.default_rng(3)
    shares = [share_as_unusual(rng.integers(0, 100, 100), 99) for _ in range(1000)]
    assert np.mean(np.array(shares) < 0.05) == pytest.approx(0.05, abs=0.025)
    assert share_as_unusual(np.full(30, 50), 99) < 0.001
    assert share_as_unusual(rng.integers(25, 75, 100), 99) < 0.001
    assert share_as_unusual(rng.integers(0, 80, 100), 99) < 0.01


def test_a_departure_by_hand() -> None:
    """Of four ranks from 0 to 1 all are 0: 4 below 1 where half is expected, as in one sample of eight."""
    assert 2.0 * binom.sf(3, 4, 0.5) == 0.125
    assert share_as_unusual(np.zeros(4, dtype=np.int64), 1) == pytest.approx(0.125, abs=0.02)
    with pytest.raises(ValueError, match="wanted 0 to 1"):
        share_as_unusual(np.array([0, 2]), 1)


@pytest.mark.parametrize("name", STRUCTURES)
def test_no_prior_of_a_structure_looks_at_the_target(name: str) -> None:
    """Else the prior of the fit were not the one that the truth came from."""
    returns = structure(name).config.model.returns
    assert returns is None or (returns.median is not None and returns.prior == "roas")
