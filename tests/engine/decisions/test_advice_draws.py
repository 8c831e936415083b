"""Frozen draws of advice: what happened is what was expected, a delivery that is the model's, and a rest."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.decisions.advice_draws import AdviceDraws
from mmm_engine.decisions.budget_plan import BudgetPlan, BudgetRequest, plan_budget
from mmm_engine.decisions.planning_window import planning_window
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.forecast import extend_inputs
from mmm_engine.results.predictive import predict
from tests.engine.decisions.test_planning_window import MODELS, fitted

PERIODS = 5


def planned(window: FittedWindow) -> BudgetPlan:
    """The best plan for the coming periods."""
    return plan_budget(planning_window(window, PERIODS), BudgetRequest())


def expected_under(window: FittedWindow, plan: BudgetPlan, media: np.ndarray) -> float:
    """Mean of the target over the periods with other media, from the model's own prediction."""
    frame = plan.window.frame(media).drop(columns="date")
    prediction = predict(window.on_rows(extend_inputs(window.inputs, PERIODS, frame)))
    return float(prediction.mean_draws[:, -PERIODS:].sum(axis=1).mean())


@pytest.mark.parametrize("model", MODELS)
def test_delivery_is_the_difference_of_two_predictions(model: str) -> None:
    """expected + delivery is what the model predicts for the media that were bought; the bridge closes to 1e-9."""
    window = fitted(**MODELS[model])
    plan = planned(window)
    draws = AdviceDraws.of(plan, window)
    bought = np.random.default_rng(1).gamma(1.0, 40.0, draws.advised.shape)
    bridge = draws.bridge(bought, happened=12_345.0)
    under = expected_under(window, plan, bought)
    assert bridge.expected + bridge.delivery.sum() == pytest.approx(under, rel=1e-9)
    assert bridge.expected + bridge.delivery.sum() + bridge.rest == pytest.approx(12_345.0, rel=1e-12)


def test_what_was_spent_as_advised_delivers_exactly_that() -> None:
    """No delivery of any channel, to the last digit; the rest is then all of the difference."""
    window = fitted()
    plan = planned(window)
    draws = AdviceDraws.of(plan, window)
    media = plan.window.media_frame(draws.advised).drop(columns="date").to_numpy()
    bridge = draws.bridge(media, happened=bridge_mean(draws) + 7.0)
    np.testing.assert_allclose(bridge.delivery, 0.0, atol=1e-9)
    assert bridge.rest == pytest.approx(7.0)


def bridge_mean(draws: AdviceDraws) -> float:
    """What was expected."""
    return float(draws.expected.mean())


def test_far_more_than_expected_is_at_the_end_of_the_draws() -> None:
    """Probability 1 of less than an enormous target, 0 of less than none; in between where the draws lie."""
    window = fitted()
    draws = AdviceDraws.of(planned(window), window)
    media = np.zeros_like(draws.advised)
    assert draws.bridge(media, 1e12).pit == 1.0
    assert draws.bridge(media, -1e12).pit == 0.0


def test_hold_advises_what_is_spent_today() -> None:
    """A plan that is not sure enough is not what was advised."""
    window = fitted()
    plan = planned(window)
    vars(plan)["gain"] = _Unsure()
    np.testing.assert_array_equal(AdviceDraws.of(plan, window).advised, plan.window.current)


class _Unsure:
    """A gain that half of the draws have."""

    better, gain = 0.5, 1.0


def test_the_file_holds_all_of_it() -> None:
    """The bridge of what was read is that of what was written, bit by bit; another file is refused."""
    window = fitted(**MODELS["everything"])
    draws = AdviceDraws.of(planned(window), window)
    content = draws.to_bytes()
    bought = np.random.default_rng(2).gamma(1.0, 40.0, draws.advised.shape)
    one, other = (each.bridge(bought, 900.0) for each in (draws, AdviceDraws.from_bytes(content)))
    np.testing.assert_array_equal(one.delivery, other.delivery)
    assert (one.expected, one.rest, one.pit) == (other.expected, other.rest, other.pit)
    with pytest.raises(ValueError, match="draws"):
        AdviceDraws.from_bytes(content[:200])


def test_few_draws_are_kept() -> None:
    """At most 200, spread over all of them, however many there were."""
    window = planning_window(fitted(), PERIODS)
    assert len(AdviceDraws.of(planned(fitted()), fitted()).expected) == min(
        30, window.responses[0].draws_count
    )
