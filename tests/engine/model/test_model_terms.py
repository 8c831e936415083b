"""Trend, events, a target that ends at 0, kinds per channel: arrays and terms by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmm_engine.array_types import Floats
from mmm_engine.client.client_file import read_client_config
from mmm_engine.client.config import SamplerConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.compiler.inputs import axes_of
from mmm_engine.fleets.recovery import prior_draws, score_refit
from mmm_engine.fleets.scored_window import ScoredWindow, fit_window
from mmm_engine.fleets.simulated_targets import SimulatedTarget, simulate_target
from mmm_engine.model.arrays import ModelData, axis_sizes, control_references, model_data
from mmm_engine.model.calendar_terms import event_occurrences, trend_hinges
from mmm_engine.model.likelihood import draw_targets, expected_target
from mmm_engine.model.mean import mean, mean_terms
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.draws import flat_draws
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.decomposition import contributions, decomposition_frame
from mmm_engine.results.forecast import extend_inputs, forecast
from mmm_engine.results.predictive import predict
from mmm_engine.results.response import response_curves
from mmm_engine.rows.calendar import Calendar, Period
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.toolkit.parameter_units import summarize
from tests.engine.model_cases import EVENTS, EXPERIMENTS, LIFTS, drawn_from_prior, small_config, small_inputs


def test_every_array_has_named_axes() -> None:
    """Machine code takes the arrays by this table: same names, same order, axes as long as the specification says."""
    inputs = small_inputs(rows=40, trend={"changepoints": 2}, events=EVENTS, lift_tests=EXPERIMENTS)
    specification = model_specification(inputs.config, inputs.calendar.period)
    sizes = axis_sizes(specification) | {"rows": 40, "occurrences": 2, "tests": 2, "test_rows": 5 + 2}
    for name, array in model_data(inputs, specification).arrays().items():
        assert array.shape == tuple(sizes[axis] for axis in axes_of(ModelData)[name]), name


def test_trend_hinges_by_hand() -> None:
    """Slopes may change at 0 and at a half; time is 1 at the last training row and goes on after it."""
    days = np.datetime64("2022-01-03") + 7 * np.arange(6)
    calendar = Calendar(days, "week")
    hinges = trend_hinges(calendar, 5, 2)
    assert hinges[:, 0].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]
    assert hinges[:, 1].tolist() == [0.0, 0.0, 0.0, 0.25, 0.5, 0.75]
    assert trend_hinges(calendar, 5, 0).shape == (6, 0)


def test_event_shares_by_hand() -> None:
    """A day of a week belongs to that week alone; seven days over two weeks are divided by days."""
    inputs = small_inputs(
        rows=40, events={"sale": ["2022-01-17", "2022-01-23", {"start": "2022-01-20", "end": "2022-01-26"}]}
    )
    distance, shares, members = event_occurrences(inputs.config.model.events, inputs.calendar)
    assert not distance.any()
    assert shares[:5, 0].tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]  # a Monday
    assert shares[:5, 1].tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]  # a Sunday
    assert shares[:5, 2] == pytest.approx([0.0, 0.0, 4 / 7, 3 / 7, 0.0])
    assert members.tolist() == [[1.0], [1.0], [1.0]]


@pytest.mark.parametrize(
    ("period", "freq", "start", "shares"),
    [
        ("week", "W-MON", "2022-01-31", [0.0, 1.0, 0.0, 0.0]),
        ("week", "W-THU", "2022-02-03", [0.0, 1.0, 0.0, 0.0]),
        ("week", "W-FRI", "2022-01-28", [0.0, 1.0, 0.0, 0.0]),
        ("month", "MS", "2022-01-01", [0.0, 1.0, 0.0, 0.0]),
        ("month", "ME", "2022-01-31", [0.0, 1.0, 0.0, 0.0]),
    ],
)
def test_an_event_belongs_to_the_row_that_covers_it(
    period: Period, freq: str, start: str, shares: list[float]
) -> None:
    """2022-02-10 is a Thursday: within a row, or its first or its last day, it belongs to that row alone."""
    events = small_config(events={"sale": "2022-02-10"}).model.events
    calendar = Calendar(pd.date_range(start, periods=4, freq=freq).to_numpy(), period)
    distance, of_rows, _ = event_occurrences(events, calendar)
    assert of_rows[:, 0].tolist() == shares
    assert not distance.any()


def test_in_daily_rows_an_event_works_around_its_days() -> None:
    """Distances are days, as pymc-marketing counts them."""
    events = small_config(events={"sale": {"start": "2022-02-10", "end": "2022-02-11"}}).model.events
    distance, shares, _ = event_occurrences(
        events, Calendar(np.datetime64("2022-02-08") + np.arange(6), "day")
    )
    assert distance[:, 0].tolist() == [2.0, 1.0, 0.0, 0.0, 1.0, 2.0]
    assert (shares == 1.0).all()


def test_event_effect_by_hand() -> None:
    """In its week the effect is size / (sigma sqrt(2 pi)), in no other; an event that comes twice has it twice."""
    inputs = small_inputs(rows=40, events={"sale": ["2022-01-17", "2022-06-20"]})
    specification = model_specification(inputs.config, inputs.calendar.period)
    values = {
        "intercept": np.zeros(1),
        "gamma_control": np.zeros((1, 2)),
        "adstock_alpha": np.full((1, 3), 0.5),
        "saturation_alpha": np.zeros((1, 3)),
        "saturation_lam": np.ones((1, 3)),
        "event_sigma": np.array([7.0]),
        "event_effect_size": np.array([[2.0]]),
    }
    terms = mean_terms(values, model_data(inputs, specification), specification, numpy_functions())
    peak = 2.0 / (7.0 * math.sqrt(2 * math.pi))
    assert terms.events[0, 2, 0] == pytest.approx(peak)
    assert terms.events[0, 24, 0] == pytest.approx(peak)
    assert terms.events[0, [1, 3, 23, 25], 0].tolist() == [0.0] * 4
    assert mean(terms)[0] == pytest.approx(terms.events[0, :, 0])


def test_event_effect_in_daily_rows_by_hand() -> None:
    """A bump around the day that fades over a width of sigma days."""
    inputs = small_inputs(rows=40, weekly_seasonality=True, events={"sale": "2022-01-17"})
    specification = model_specification(inputs.config, inputs.calendar.period)
    draws = flat_draws(drawn_from_prior(inputs, 1))
    values = {**draws, "event_sigma": np.array([7.0]), "event_effect_size": np.array([[2.0]])}
    terms = mean_terms(values, model_data(inputs, specification), specification, numpy_functions())
    peak = 2.0 / (7.0 * math.sqrt(2 * math.pi))
    assert terms.events[0, 14, 0] == pytest.approx(peak)
    assert terms.events[0, [13, 15], 0] == pytest.approx(peak * math.exp(-0.5 / 49))
    assert terms.events[0, [7, 21], 0] == pytest.approx(peak * math.exp(-0.5))


def test_truncated_targets_have_the_mean_they_promise() -> None:
    """Draws are never negative and average to the expected target, also where most of the normal lies below 0."""
    specification = model_specification(small_inputs(rows=40, likelihood="truncated_normal").config, "week")
    location = np.tile([3.0, 0.2, -2.0], (200_000, 1))
    values = {"y_sigma": np.ones(200_000)}
    drawn = draw_targets(location, values, specification, np.random.default_rng(0))
    expected = expected_target(location[:1], {"y_sigma": np.ones(1)}, specification)[0]
    assert drawn.min() >= 0
    assert drawn.mean(axis=0) == pytest.approx(expected, abs=0.01)
    assert expected[0] == pytest.approx(3.0, abs=0.01)
    assert pd.Series(expected).is_monotonic_decreasing


def test_the_trend_goes_on_and_events_are_planned_ahead() -> None:
    """After the last row each draw keeps its last slope; an event of a future week moves that week most."""
    events = {"sale": ["2022-03-07", "2022-11-10"]}
    inputs = small_inputs(rows=40, held_out=0, trend={"changepoints": 3}, events=events)
    ahead = extend_inputs(inputs, 8)
    parts = contributions(FittedWindow.of(ahead, drawn_from_prior(inputs)))
    trend = parts.sel(component="trend").to_numpy()
    steps = np.diff(trend[:, -9:], axis=1)
    assert np.abs(steps).max() > 1
    assert steps == pytest.approx(np.repeat(steps[:, :1], 8, axis=1))
    assert np.diff(trend[:, -16:-8], axis=1) == pytest.approx(steps[:, :7])
    sale = parts.sel(component="sale").to_numpy()
    week = np.abs(sale[:, 40:]).argmax(axis=1)
    assert {str(ahead.dates[40 + row].date()) for row in week} == {"2022-11-07"}


def test_all_terms_add_up_and_have_their_kind() -> None:
    """Baseline, trend, season, channels, controls and events make the expected target."""
    inputs = small_inputs(rows=40, trend={"changepoints": 2}, events=EVENTS, yearly_seasonality=1)
    window = FittedWindow.of(inputs, drawn_from_prior(inputs))
    parts = contributions(window)
    assert parts.sum("component").to_numpy() == pytest.approx(predict(window).mean_draws)
    kinds = decomposition_frame(parts).drop_duplicates("component").set_index("component")["kind"]
    assert kinds.to_dict() == {
        "baseline": "baseline", "seasonality": "seasonality", "trend": "trend", "tv": "channel", "radio": "channel",
        "search": "channel", "price": "control", "promo": "control", "launch": "event", "sale": "event",
    }  # fmt: skip


def test_each_channel_may_have_its_own_adstock_and_saturation(tmp_path: Path) -> None:
    """A client file with three kinds of each; every channel works as in a model where all are of its kind."""
    kinds = {
        "tv": ("delayed", 6, "hill", {"saturation_hill_kappa": {"distribution": "HalfNormal", "sigma": 2}}),
        "radio": ("geometric", 4, "michaelis_menten", {}),
        "search": ("none", 1, "log", {}),
    }
    lines = [
        f"  {name}: {{adstock: {{kind: {adstock}, max_lag: {lag}}}, saturation: {saturation}, priors: {priors}}}\n"
        for name, (adstock, lag, saturation, priors) in kinds.items()
    ]
    text = "client: toy\ndata: toy.csv\ndate: date\ntarget: sales\nchannels:\n" + "".join(lines)
    (tmp_path / "toy.yaml").write_text(text.replace("'", '"'))
    config = read_client_config(tmp_path / "toy.yaml")
    inputs = replace(small_inputs(rows=40, controls=[]), config=config)
    own, specification = _prior_values(inputs), model_specification(config, "week")
    assert [group.kind for group in specification.adstocks] == ["delayed", "geometric", "none"]
    mixed = mean_terms(own, model_data(inputs, specification), specification, numpy_functions()).media
    for position, (adstock, lag, saturation, _) in enumerate(kinds.values()):
        alike = small_config(adstock={"kind": adstock, "max_lag": lag}, saturation=saturation, controls=[])
        plain = model_specification(alike, "week")
        values = {
            spec.name: np.repeat(own[_name_among_kinds(spec.name, adstock, lag, saturation)], 3, axis=-1)
            if spec.dim == "channel"
            else own[spec.name]
            for spec in plain.parameters
        }
        single = mean_terms(values, model_data(inputs, plain), plain, numpy_functions()).media
        assert mixed[..., position] == pytest.approx(single[..., position])
        assert np.ptp(mixed[..., position]) > 0


def _name_among_kinds(name: str, adstock: str, lag: int, saturation: str) -> str:
    """`adstock_alpha` of a model with one kind as it is called where kinds differ."""
    role, short = name.split("_", 1)
    return f"{role}_{adstock}{lag}_{short}" if role == "adstock" else f"{role}_{saturation}_{short}"


def _prior_values(inputs: ScaledInputs) -> dict[str, Floats]:
    """Draws of the prior by name, shape (draw, ...)."""
    return flat_draws(drawn_from_prior(inputs))


# --- one fit with every term -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def truth() -> SimulatedTarget:
    """A target made by all terms at once: kinds per channel, trend, season, events, no negative values, lift tests."""
    noise = {
        "distribution": "TruncatedNormal",
        "lower": 0,
        "sigma": {"distribution": "HalfNormal", "sigma": 0.1},
    }
    inputs = small_inputs(
        rows=112,
        channels=[
            {"column": "tv", "adstock": {"kind": "delayed", "max_lag": 5}},
            {"column": "radio", "saturation": "logistic"},
        ],
        controls=["price"],
        trend={"changepoints": 3},
        events={"launch": "2023-03-01", "sale": ["2022-07-04", {"start": "2023-07-03", "end": "2023-07-09"}]},
        yearly_seasonality=1,
        likelihood="truncated_normal",
        lift_tests=LIFTS[:1],
        priors={"likelihood": noise},
    )
    return simulate_target(inputs, 2)  # its expected target lies well above 0


@pytest.fixture(scope="module")
def fitted(truth: SimulatedTarget) -> ScoredWindow:
    """Two short chains on it."""
    return fit_window(
        truth.inputs, sampler=SamplerConfig(draws=300, tune=400, chains=2, seed=1, ess_target=None)
    )


def test_a_fit_with_every_term_finds_its_truth(truth: SimulatedTarget, fitted: ScoredWindow) -> None:
    """Most parameters and all contributions lie inside their 90% intervals, and the chains agree."""
    scores = score_refit(fitted, truth, prior_draws(truth.inputs))
    assert scores.loc[scores["kind"] == "parameter", "covered"].mean() > 0.7
    assert scores.loc[scores["kind"] == "contribution", "recovery"].median() > 0.5
    health = fitted.health.set_index("metric")["value"]
    assert health["rhat_max"] < 1.1
    assert health["divergence_rate"] < 0.02


def test_every_term_reaches_numbers_that_are_shown(fitted: ScoredWindow) -> None:
    """Parameters under their labels, parts that add up to the target, returns, curves and a forecast above 0."""
    names = set(fitted.parameter_summary["parameter"])
    assert {"trend_delta[2]", "event_effect_size[sale]", "event_sigma", "adstock_delayed5_alpha[tv]"} <= names
    parts = contributions(fitted)
    whole = parts.sum("component").to_numpy()
    expected, noise = fitted.prediction.mean_draws, 1000.0 * fitted.draws["y_sigma"][:, None]
    clear = whole > 3.0 * noise  # nearer to 0 a likelihood that ends there adds to the parts
    assert clear.mean() > 0.8
    assert whole[clear] == pytest.approx(expected[clear], rel=0.02)
    assert (expected >= whole - 1e-9).all()
    assert fitted.prediction.draws.min() >= 0
    returns = fitted.returns.set_index(["channel", "metric"])["mean"]
    for channel in ("tv", "radio"):
        expected = parts.sel(component=channel).sum("date").mean("draw").item()
        assert returns[channel, "contribution"] == pytest.approx(expected)
    assert len(response_curves(fitted)) == 2 * 42
    ahead = forecast(fitted, horizon=8)
    assert (ahead["q05"] >= 0).all()
    assert ahead["mean"].between(ahead["q05"], ahead["q95"]).all()


def test_sizes_of_events_and_changes_of_slope_are_in_units_of_the_target(fitted: ScoredWindow) -> None:
    """Model space times the scale of the target."""
    draws = fitted.posterior["posterior"].dataset
    size = summarize("event_effect_size", fitted)["coef"]
    assert size["sale"] == pytest.approx(1000 * draws["event_effect_size"].sel(event="sale").mean().item())
    slopes = summarize("trend_delta", fitted)["coef"]
    assert slopes["0"] == pytest.approx(1000 * draws["trend_delta"][..., 0].mean().item())


@pytest.mark.parametrize(
    ("values", "preset", "reference", "expected"),
    [
        ([4.0, 5.0, 6.0, 9.0], "calibrated", None, 5.0),  # the mean of the three training rows
        ([4.0, 5.0, 6.0, 9.0], "toolkit", None, 0.0),
        ([4.0, 5.0, 6.0, 9.0], "calibrated", "zero", 0.0),
        ([0.0, 1.0, 0.5, 1.0], "calibrated", None, 0.0),  # a promotion comes near 0
        ([0.0, 1.0, 0.5, 1.0], "toolkit", "mean", 0.5),
        ([-4.0, -5.0, -6.0, -9.0], "calibrated", None, -5.0),
        ([-4.0, 5.0, 6.0, 9.0], "calibrated", None, 0.0),  # a temperature passes 0
        ([0.5, 5.0, 6.0, 9.0], "calibrated", None, 0.0),  # less than a tenth of the largest
    ],
)
def test_controls_that_are_never_near_zero_count_from_their_mean(
    values: list[float], preset: str, reference: str | None, expected: float
) -> None:
    """By hand, over three training rows of four."""
    control = {"column": "price", "effect": "any", "reference": reference}
    inputs = small_inputs(rows=4, held_out=1, preset=preset, controls=[control], adstock={"kind": "none"})
    inputs = replace(inputs, controls_scaled=np.array(values)[:, None])
    assert control_references(inputs) == pytest.approx([expected])
    arrays = model_data(inputs, model_specification(inputs.config, "week"))
    assert arrays.controls[:, 0] == pytest.approx(np.array(values) - expected)
