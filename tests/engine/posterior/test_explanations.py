"""Chains that settle in several places: found, weighed by what they predict, stacked, and told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.config import SamplerConfig
from mmm_engine.posterior import explanations
from mmm_engine.posterior import fit as fitting
from mmm_engine.posterior.explanations import (
    Explanation,
    chains_that_agree,
    mixture,
    places_attributes,
    places_scores,
    stacking_weights,
)
from mmm_engine.scores.plausibility import check_explanations

SETTINGS = SamplerConfig(draws=300, tune=300, chains=4, max_draws=600, ess_target=100.0, seed=3)


def test_chains_are_grouped_by_where_they_settle():
    """Whatever their order: two around 0, two around 3, one around -5."""
    rng = np.random.default_rng(1)
    centres = np.array([0.0, 3.0, 0.0, -5.0, 3.0])
    draws = centres[:, None, None] + rng.normal(size=(5, 400, 2))
    assert chains_that_agree(draws) == [[0, 2], [1, 4], [3]]


def test_weights_by_hand():
    """Three rows that only the first explains, one that only the second does: 3 to 1."""
    densities = np.array([[1.0, 1.0, 1.0, 1e-12], [1e-12, 1e-12, 1e-12, 1.0]])
    assert stacking_weights(np.log(densities)) == pytest.approx([0.75, 0.25], abs=1e-6)


def test_a_place_that_predicts_worse_everywhere_gets_nothing():
    """Also where it holds most of the chains: how many end in a place does not count."""
    weights = stacking_weights(np.array([[-1.0] * 50, [-1.7] * 50, [-1.1] * 50]))
    assert weights == pytest.approx([1.0, 0.0, 0.0], abs=1e-3)


def test_a_mixture_has_the_draws_of_its_places_in_their_proportion():
    """A quarter of 800 draws from the place that weighs a quarter, in every chain."""
    draws = np.array([0.0, 1.0, 0.0, 1.0])[:, None, None] * np.ones((4, 200, 3))
    places = [Explanation((0, 2), 0.75, np.ones(1)), Explanation((1, 3), 0.25, np.ones(1))]
    mixed = mixture(places, draws, seed=1)
    assert mixed.shape == draws.shape
    assert mixed.mean() == pytest.approx(0.25)
    assert (mixed.mean(axis=(1, 2)) > 0.1).all()


def _sampler(centres: list[float], seen: list[tuple[int, float]]):
    """Stands in for NUTS: chain k wiggles around ``centres[k % len(centres)]`` in a coordinate that matters little."""

    def sample(density, train, settings, name, progress, spread=1.0):
        seen.append((settings.chains, spread))
        rng = np.random.default_rng(settings.seed)
        draws = 0.05 * rng.normal(size=(settings.chains, settings.draws, density.coordinates.size))
        (slot,) = [one for one in density.coordinates.slots if one.part.name == "saturation_lam"]
        draws[:, :, slot.start] += np.resize(centres, settings.chains)[:, None]
        zeros = np.zeros(draws.shape[:2])
        stats = {
            "diverging": zeros.astype(bool),
            "reached_max_treedepth": zeros.astype(bool),
            "tree_depth": zeros,
            "energy": rng.normal(size=draws.shape[:2]),
        }
        return draws, stats

    return sample


def test_two_places_become_one_posterior_that_says_so(small_window, monkeypatch):
    """All draws are spent, then chains are doubled from wider starts; what they agree on within a place is judged."""
    seen: list[tuple[int, float]] = []
    monkeypatch.setattr(fitting, "sample", _sampler([-0.2, 0.2], seen))
    monkeypatch.setattr(explanations, "stacking_weights", lambda densities: np.array([0.4, 0.6]))
    window = fitting.fit(small_window, sampler=SETTINGS)
    assert seen == [(4, 1.0), (4, 1.0), (8, 2.0)]
    health = window.health.set_index(["metric", "channel"])["value"]
    assert health["explanations", "all"] == 2.0
    assert health["rhat_max", "all"] < 1.02
    assert health["ess_bulk_min", "all"] < 8 * 600 / 2 * 1.2  # of one place, not of the mixture
    verdict = check_explanations(window.health)
    assert not verdict.passed
    assert "2 explanations fit the rows, the first with 60% of the weight" in verdict.reason


def test_a_place_that_predicts_badly_is_left_out(small_window, monkeypatch):
    """Chains that are stuck far away: one explanation is left, and the draws are its own."""
    monkeypatch.setattr(fitting, "sample", _sampler([0.0, -8.0], []))
    window = fitting.fit(small_window, sampler=SETTINGS)
    assert window.parameter_summary["rhat"].max() < 1.02
    assert check_explanations(window.health).passed


def test_a_chain_alone_in_a_place_is_no_explanation(small_window, monkeypatch):
    """Nobody knows whether it has settled: the disagreement stands, and the gate refuses."""
    monkeypatch.setattr(fitting, "sample", _sampler([-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4], []))
    window = fitting.fit(small_window, sampler=SETTINGS)
    assert window.parameter_summary["rhat"].max() > 1.5
    assert "explanations" not in window.posterior.attrs


def test_chains_that_agree_have_one_explanation(small_window, monkeypatch):
    """And are drawn once."""
    seen: list[tuple[int, float]] = []
    monkeypatch.setattr(fitting, "sample", _sampler([0.0], seen))
    window = fitting.fit(small_window, sampler=SETTINGS)
    assert seen == [(4, 1.0)]
    assert check_explanations(window.health).passed


def test_the_channel_that_differs_most_is_named():
    """With its share in either place, and the weight of the heavier one."""
    places = [
        Explanation((0, 1), 0.6, np.array([0.02, 0.1])),
        Explanation((2, 3), 0.4, np.array([0.21, 0.09])),
    ]
    rows = places_scores(places_attributes(places, ["tv", "radio"]), chains=4)
    scores = pd.DataFrame(rows, columns=["split", "channel", "metric", "value", "unit"])
    reason = check_explanations(scores).reason
    assert "'tv' brings 2.0% of the target in one, 21.0% in another" in reason
    assert "60% of the weight" in reason


@pytest.mark.parametrize(("chains", "outcome"), [(1, "not judged"), (2, "passed")])
def test_a_single_chain_agrees_with_itself(chains, outcome):
    """Whatever other explanations there are."""
    rows = places_scores({}, chains)
    scores = pd.DataFrame(rows, columns=["split", "channel", "metric", "value", "unit"])
    assert check_explanations(scores).outcome == outcome
