"""The ladder: what is tried before a fit is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.posterior.effort import next_attempt

SETTINGS = SamplerConfig(draws=1000, tune=1000, max_draws=4000, ess_target=400.0)


def _summary(ess: float = 900.0, rhat: float = 1.002) -> pd.DataFrame:
    return pd.DataFrame({"ess_bulk": [ess, 2000.0], "ess_tail": [1500.0, 1200.0], "rhat": [1.0, rhat]})


def _next(
    ess: float = 900.0, rhat: float = 1.002, divergent: float = 0.0, settings: SamplerConfig = SETTINGS
) -> dict[str, float] | None:
    """What the next attempt changes."""
    attempt = next_attempt(_summary(ess, rhat), divergent, settings, ThresholdConfig())
    if attempt is None:
        return None
    before, after = settings.model_dump(), attempt.settings.model_dump()
    return {name: value for name, value in after.items() if value != before[name]}


def test_a_sound_fit_is_left_alone() -> None:
    """Enough effective samples, chains that agree, and as many divergences as are allowed."""
    assert _next() is None
    assert _next(divergent=0.001) is None


@pytest.mark.parametrize(
    ("ess", "draws"),
    [(399.0, 2000), (200.0, 2400), (100.0, 4000), (1.0, 4000)],
)
def test_few_effective_samples_ask_for_more_draws(ess: float, draws: int) -> None:
    """1.2 times what the target needs at this rate, in hundreds, at least twice and at most `max_draws`."""
    assert _next(ess) == {"draws": draws}


def test_chains_that_disagree_are_drawn_longer() -> None:
    """Also where there are effective samples enough."""
    assert _next(rhat=1.011) == {"draws": 2000}


def test_a_few_divergent_draws_are_tried_with_smaller_steps_then_with_more_tuning_too() -> None:
    """More than the gate allows, at most five times as many; two rungs, not a third."""
    assert _next(divergent=0.0015) == {"target_accept": 0.98}
    assert _next(divergent=0.005) == {"target_accept": 0.98}
    smaller = SETTINGS.model_copy(update={"target_accept": 0.98})
    assert _next(divergent=0.0015, settings=smaller) == {"target_accept": 0.99, "tune": 2000}
    careful = SETTINGS.model_copy(update={"target_accept": 0.99, "tune": 2000})
    assert _next(divergent=0.0015, settings=careful) is None


def test_many_divergent_draws_are_tried_with_the_smallest_steps_at_once() -> None:
    """More than five times what the gate allows: the rung between would be time lost."""
    assert _next(divergent=0.0052) == {"target_accept": 0.99, "tune": 2000}


def test_both_rungs_may_be_climbed_at_once() -> None:
    """One attempt for both, and its reason names both."""
    attempt = next_attempt(_summary(200.0, 1.2), 0.01, SETTINGS, ThresholdConfig())
    assert attempt is not None
    assert attempt.reason == "its chains disagree and draws diverge"
    assert (attempt.settings.draws, attempt.settings.target_accept) == (2400, 0.99)


def test_effort_ends() -> None:
    """At `max_draws` and eight chains; without a target, as when a command names its draws, no ladder at all."""
    assert _next(100.0, settings=SETTINGS.model_copy(update={"draws": 4000, "chains": 8})) is None
    assert _next(1.0, 2.0, 0.5, settings=SETTINGS.model_copy(update={"ess_target": None})) is None


def test_thresholds_of_the_client_decide() -> None:
    """A client that allows more disagreement is not drawn again for less."""
    loose = ThresholdConfig(rhat_max=1.05, divergence_rate_max=0.05)
    assert next_attempt(_summary(rhat=1.04), 0.01, SETTINGS, loose) is None


@pytest.mark.parametrize(("ess", "rhat"), [(900.0, 1.2), (300.0, 1.002)])
def test_more_chains_when_all_draws_are_spent(ess: float, rhat: float) -> None:
    """Twice as many, up to eight; then nothing is left to try."""
    spent = SETTINGS.model_copy(update={"draws": 4000})
    assert _next(ess, rhat, settings=spent) == {"chains": 8}
    assert _next(ess, rhat, settings=spent.model_copy(update={"chains": 8})) is None
