"""The coming periods of a fitted window: the response of a plan is the difference of two predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine.decisions.planning_window import planning_window
from mmm_engine.errors import DataError
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.predictive import predict
from mmm_engine.rows.window import ScaledInputs
from tests.engine.model_cases import EVENTS, drawn_from_prior, small_inputs

OWN_KINDS = [
    {"column": "tv", "adstock": {"kind": "delayed", "max_lag": 6}, "saturation": "hill"},
    {"column": "radio", "adstock": {"kind": "none"}, "saturation": "log"},
    {"column": "search", "unit": "clicks", "cost": "search_cost", "saturation": "root"},
]
MODELS: dict[str, dict[str, Any]] = {
    "plain": {},
    "time-varying media": {"time_varying_media": True},
    "everything": {
        "time_varying_media": True,
        "yearly_seasonality": 2,
        "trend": {"changepoints": 2},
        "events": EVENTS,
        "channels": OWN_KINDS,
    },
    "weibull": {"adstock": {"kind": "weibull_pdf", "max_lag": 8}, "saturation": "hill_sigmoid"},
    "lines": {"adstock": {"kind": "binomial", "max_lag": 3}, "saturation": "none"},
}


def fitted(**model: Any) -> FittedWindow:
    """A window without held-out rows, and draws of its prior."""
    inputs = small_inputs(held_out=0, **model)
    return FittedWindow.of(inputs, drawn_from_prior(inputs))


def predicted(window: FittedWindow, media: np.ndarray, rows: int) -> np.ndarray:
    """Expected target of the coming rows under some media (model space), nothing after them; shape (draw,)."""
    inputs: ScaledInputs = window.inputs
    ahead = np.zeros((rows, media.shape[1]))
    ahead[: len(media)] = media
    extended = inputs.extended(ahead, np.zeros((rows, len(inputs.config.controls))))
    return predict(window.on_rows(extended)).mean_draws[:, -rows:].sum(axis=1)


@pytest.mark.parametrize("model", MODELS)
def test_the_response_is_the_difference_of_two_predictions(model: str) -> None:
    """predict(plan) - predict(no media in the window), summed over all rows that the plan reaches, to 1e-9."""
    window = fitted(**MODELS[model])
    planned = planning_window(window, 5)
    spend = np.random.default_rng(1).gamma(1.0, 30.0, planned.current.shape)
    media = np.column_stack([r.media(spend[:, at]) for at, r in enumerate(planned.responses)])
    rows = 5 + window.specification.max_lag - 1
    expected = predicted(window, media, rows) - predicted(window, np.zeros_like(media), rows)
    response = sum(r.draws(spend[:, at]) for at, r in enumerate(planned.responses))
    np.testing.assert_allclose(response, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_today_is_the_last_rows_exactly() -> None:
    """Money and media of the last rows, repeated until the window is full; largest spend is that of one period."""
    window = fitted(channels=OWN_KINDS)
    planned = planning_window(window, 6, basis=4)
    place = [56, 57, 58, 59, 56, 57]
    np.testing.assert_allclose(planned.current, window.inputs.spend[place], rtol=1e-12)
    media = planned.media_frame(planned.current)
    scales = window.inputs.scales.media_array()
    np.testing.assert_allclose(
        media[list(planned.channels)], window.inputs.media_scaled[place] * scales, rtol=1e-12
    )
    np.testing.assert_allclose(
        np.column_stack([r.media(planned.largest[:, at]) for at, r in enumerate(planned.responses)]),
        np.broadcast_to(window.inputs.media_scaled.max(axis=0), (6, 3)),
        rtol=1e-12,
    )
    assert list(planned.dates) == list(pd.date_range("2023-02-27", periods=6, freq="7D"))


def test_plans_come_in_the_forms_that_people_have_them_in() -> None:
    """A frame keeps what it does not name; totals are spread as today; arrays are periods by channels."""
    planned = planning_window(fitted(), 3, basis=3)
    frame = planned.spend_of(pd.DataFrame({"tv": [1.0, 2.0, 3.0]}))
    np.testing.assert_array_equal(frame[:, 0], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(frame[:, 1:], planned.current[:, 1:])
    totals = planned.spend_of({"radio": 30.0})
    assert totals[:, 1].sum() == pytest.approx(30.0)
    np.testing.assert_allclose(totals[:, 1] / 30.0, planned.shares[:, 1])
    np.testing.assert_array_equal(planned.spend_of(np.ones((3, 3))), np.ones((3, 3)))


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"telly": 3.0}, "no such channel"),
        ({"tv": -3.0}, "amounts of 0 or more"),
        (pd.DataFrame({"tv": [1.0]}), "1 rows; wanted 3, one per week"),
        (pd.DataFrame({"tv": [1.0, None, 2.0]}), "found nan"),
        (np.ones((2, 3)), "shape \\(2, 3\\)"),
    ],
)
def test_plans_that_cannot_be_meant_are_refused(plan: Any, words: str) -> None:
    """One error that says what was found and what was wanted."""
    with pytest.raises(DataError, match=words):
        planning_window(fitted(), 3).spend_of(plan)


@pytest.mark.parametrize(("periods", "basis"), [(0, 4), (54, 4), (4, 0), (4, 61)])
def test_windows_out_of_range_are_refused(periods: int, basis: int) -> None:
    """Coming periods are 1 to 53, and today lies within the rows."""
    with pytest.raises(DataError, match="in that range"):
        planning_window(fitted(), periods, basis=basis)


def test_held_out_rows_are_refused() -> None:
    """What comes after rows that the model has not seen is not the coming weeks."""
    inputs = small_inputs(held_out=8)
    with pytest.raises(DataError, match="without held-out rows"):
        planning_window(FittedWindow.of(inputs, drawn_from_prior(inputs)), 4)
