"""Lift tests in the likelihood: what each should have measured, by hand and by the whole forward model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.fleets.simulated_targets import simulate_target
from mmm_engine.model.arrays import first_rows, model_data
from mmm_engine.model.lift_arrays import known_lift_tests, lift_arrays, media_paths
from mmm_engine.model.lift_tests import lift_gains, lift_variance, log_lift_likelihood
from mmm_engine.model.likelihood import log_likelihood
from mmm_engine.model.mean import mean_terms
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS, lagged
from mmm_engine.model.prior_draws import draw_parameters
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.geometry import training_data
from mmm_engine.posterior.log_density import compile_log_density
from mmm_engine.rows.window import ScaledInputs
from tests.engine.model_cases import EXPERIMENTS, LIFTS, small_inputs

XP = numpy_functions()
STEADY = 100.0  # media a week
MORE = {
    "channel": "tv",
    "date": "2023-01-02",
    "end": "2023-01-29",
    "delta_x": 50.0,
    "delta_y": 60.0,
    "sigma": 9.0,
}


def _steady(
    tests: list[dict[str, Any]], alpha: float = 0.5, max_lag: int = 45, **model: Any
) -> tuple[ScaledInputs, dict[str, Floats]]:
    """Weeks of steady media, and a Michaelis-Menten curve of 200 with half of it at 100; scales 50 and 1000."""
    adstock = {"kind": "geometric", "max_lag": max_lag}
    inputs = small_inputs(rows=100, held_out=0, adstock=adstock, lift_tests=tests, **model)
    values = {
        "adstock_alpha": np.full(3, alpha), "saturation_alpha": np.full(3, 0.2), "saturation_lam": np.full(3, 2.0)
    }  # fmt: skip
    return replace(inputs, media_scaled=np.full((100, 3), STEADY / 50.0)), values


def _gains(inputs: ScaledInputs, values: dict[str, Floats], multiplier: Floats | None = None) -> Floats:
    """What each test should have measured, original units, shape (test of its channel, channel with tests)."""
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = first_rows(model_data(inputs, specification), inputs.train_rows)
    gains = np.asarray(lift_gains(values, train, specification, multiplier, XP))
    return gains * inputs.scales.target


def _drawn(inputs: ScaledInputs, seed: int) -> dict[str, Floats]:
    """Parameters by name, drawn from the prior."""
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = first_rows(model_data(inputs, specification), inputs.train_rows)
    drawn = draw_parameters(specification, train, 1, np.random.default_rng(seed))
    return {name: value[0] for name, value in drawn.items()}


@pytest.mark.parametrize(("cool_down", "gain"), [(0, 63.8366), (40, 85.6089)])
def test_carry_over_counts_where_it_was_measured(cool_down: int, gain: float) -> None:
    """Four weeks with half as much again bring 11.11, 15.79, 17.95, 18.99, and 85.61 when all of it is awaited.

    A step along the curve would say 20 a week, 80.
    """
    inputs, values = _steady([{**MORE, "x": STEADY, "cool_down": cool_down}])
    assert _gains(inputs, values) == pytest.approx(np.array([[gain]]), abs=1e-4)


def test_a_week_s_test_brings_what_the_week_has_of_it() -> None:
    """The first of these weeks alone; without carry-over it is the step along the curve, 20."""
    one_week = {**MORE, "end": None, "x": STEADY}
    assert _gains(*_steady([one_week])) == pytest.approx(np.array([[200 * 125 / 225 - 100]]))
    assert _gains(*_steady([one_week], alpha=0.0)) == pytest.approx(np.array([[20.0]]))


def test_rows_that_have_the_test_say_what_was_without_it() -> None:
    """No x: the rows have 150 a week, 50 of them from the test."""
    written, values = _steady([{**MORE, "x": STEADY}])
    unwritten, _ = _steady([MORE])
    media = unwritten.media_scaled.copy()
    media[52:56, 0] = (STEADY + 50.0) / 50.0
    assert _gains(replace(unwritten, media_scaled=media), values) == pytest.approx(_gains(written, values))


def test_regions_answer_at_their_media_per_head() -> None:
    """A quarter of the series with a quarter of the media brings a quarter; the rows' own media say the same."""
    everywhere, values = _steady([{**MORE, "x": STEADY}])
    quarter, _ = _steady([{**MORE, "share": 0.25, "x": STEADY / 4, "delta_x": 12.5}])
    assert _gains(quarter, values) == pytest.approx(_gains(everywhere, values) / 4)
    from_rows, _ = _steady([{**MORE, "share": 0.25, "delta_x": 12.5}])
    media = from_rows.media_scaled.copy()
    media[52:56, 0] += 12.5 / 50.0
    assert _gains(replace(from_rows, media_scaled=media), values) == pytest.approx(
        _gains(everywhere, values) / 4
    )


def test_media_work_as_they_did_in_the_weeks_of_the_test() -> None:
    """Time variation counts row by row: 11.11 and so on, each times its week's strength."""
    inputs, values = _steady([{**MORE, "x": STEADY}], time_varying_media=True)
    strength = np.ones(100)
    strength[52:56] = 0.5, 1.0, 2.0, 0.0
    carried = STEADY + 50.0 * (1 - 0.5 ** np.arange(1, 4))
    by_week = 200 * carried / (100 + carried) - 100
    wanted = 0.5 * by_week[0] + by_week[1] + 2.0 * by_week[2]
    assert _gains(inputs, values, strength) == pytest.approx(np.array([[wanted]]))


@given(
    alpha=st.floats(0.01, 0.95),
    weeks=st.integers(1, 6),
    cool_down=st.integers(3, 8),
    share=st.floats(0.05, 1.0),
    delta=st.floats(-0.9, 3.0).filter(lambda change: abs(change) > 0.01),
)
@settings(max_examples=40, deadline=None)
def test_a_straight_curve_brings_its_slope_once_all_is_awaited(
    alpha: float, weeks: int, cool_down: int, share: float, delta: float
) -> None:
    """Without saturation carry-over only moves the effect: slope times media, when the cool-down covers the lags."""
    end = str(np.datetime64("2023-01-02") + 7 * weeks - 1)
    change = delta * STEADY * share
    test = {
        **MORE,
        "end": end,
        "cool_down": cool_down,
        "share": share,
        "x": STEADY * share,
        "delta_x": change,
    }
    inputs, values = _steady([test], alpha=alpha, max_lag=4, saturation="none")
    values = {**values, "saturation_beta": np.full(3, 0.3)}
    slope = 0.3 * inputs.scales.target / 50.0
    assert _gains(inputs, values) == pytest.approx(np.array([[slope * change * weeks]]), rel=1e-9, abs=1e-9)


MIXED: dict[str, Any] = {
    "channels": [
        {"column": "tv", "adstock": {"kind": "delayed", "max_lag": 6}},
        {"column": "radio", "adstock": {"kind": "none"}, "saturation": "root"},
        {"column": "search", "saturation": "tanh"},
    ],
    "time_varying_media": True,
}
KINDS = [
    {"adstock": {"kind": adstock, "max_lag": 4}, "saturation": saturation}
    for adstock in ADSTOCKS
    for saturation in SATURATIONS
]


@pytest.mark.parametrize("model", [*KINDS, MIXED], ids=str)
def test_effects_are_differences_of_two_runs_of_the_model(model: dict[str, Any]) -> None:
    """Media of all rows replaced by hand, the whole forward model twice: the same for every kind of channel."""
    inputs = small_inputs(rows=60, lift_tests=[*LIFTS, *EXPERIMENTS], **model)
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = first_rows(model_data(inputs, specification), inputs.train_rows)
    values = _drawn(inputs, 5)
    multiplier = mean_terms(values, train, specification, XP).multiplier
    gains = np.asarray(lift_gains(values, train, specification, multiplier, XP))
    known = known_lift_tests(inputs)
    assert len(known) == 5
    for one in known:
        brought = []
        for path in media_paths(inputs, one):
            media = inputs.media_scaled[: inputs.train_rows].copy()
            media[:, inputs.config.channel_names.index(one.test.channel)] = path[: inputs.train_rows]
            other = replace(train, media_lagged=lagged(media, specification.max_lag))
            response = np.asarray(mean_terms(values, other, specification, XP).media).sum(axis=1)
            brought.append(response[one.window.start : one.window.stop].sum())
        wanted = one.test.share * (brought[1] - brought[0])
        assert gains[one.block, one.column] == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_arrays_by_hand() -> None:
    """Blocks one behind another, the longest test of each first; media by their scale, results by the target's."""
    inputs = small_inputs(rows=40, lift_tests=EXPERIMENTS)
    arrays = lift_arrays(inputs, 4)
    tv = inputs.media_scaled[:, 0]
    assert arrays["lift_blocks"].tolist() == [[1, 1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1]]
    assert arrays["lift_share"].tolist() == [[0.25, 1.0], *([[0.25, 0.0]] * 4), [1.0, 0.0], [1.0, 0.0]]
    assert arrays["lift_without"][0, :, 0] == pytest.approx(
        [0.4] * 3 + [tv[8], tv[9], tv[17] + 0.12, tv[18] + 0.12]
    )
    assert arrays["lift_with"][0, :, 0] == pytest.approx([0.6] * 3 + [tv[8], tv[9], tv[17], tv[18]])
    assert arrays["lift_with"][1, :, 0] == pytest.approx([tv[4], 0.6, 0.6, 0.6, tv[8], tv[16], tv[17]])
    assert arrays["lift_with"][0, :, 1].tolist() == [0.3, 0, 0, 0, 0, 0, 0]
    assert np.argwhere(arrays["lift_rows"][:, 0]).tolist() == [
        [0, 5],
        [1, 6],
        [2, 7],
        [3, 8],
        [4, 9],
        [5, 17],
        [6, 18],
    ]
    assert np.argwhere(arrays["lift_rows"][:, 1]).tolist() == [[0, 22]]
    assert arrays["lift_gain"].tolist() == [[0.04, -0.04], [-0.03, 0.0]]
    assert arrays["lift_sigma"].tolist() == [[0.02, 0.03], [0.015, 1.0]]
    assert arrays["lift_counts"].tolist() == [[1.0, 1.0], [1.0, 0.0]]
    # the last training row ends on 2022-08-14; the tests on 2022-03-13 and 2022-05-15
    ages = [154 / 365.25, 91 / 365.25]
    assert arrays["lift_variation"][:, 0] == pytest.approx([0.09 + 0.16 * ages[0], 0.04 * ages[1]])
    assert arrays["lift_variation"][:, 1].tolist() == [0.0, 0.0]


def test_a_window_knows_the_tests_whose_rows_it_has() -> None:
    """A test that is measured into the held-out weeks is not known yet, nor one after them."""
    last_week = {**LIFTS[0], "date": "2022-08-08"}
    tests = [*LIFTS, {**last_week, "cool_down": 1}, {**LIFTS[0], "date": "2022-09-14"}, last_week]
    inputs = small_inputs(rows=40, lift_tests=tests)  # 32 training rows, the last one from 2022-08-08 on
    assert [(one.number, one.block, one.column) for one in known_lift_tests(inputs)] == [
        (0, 0, 0), (1, 0, 1), (4, 1, 0)
    ]  # fmt: skip
    assert len(known_lift_tests(replace(inputs, train_rows=40))) == 5


def test_each_test_has_its_own_normal_likelihood() -> None:
    """By scipy: variance of the result, of differences between tests and of ageing; two tests of a channel apart."""
    inputs = small_inputs(rows=40, lift_tests=EXPERIMENTS)
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = first_rows(model_data(inputs, specification), inputs.train_rows)
    gains = np.array([[0.06, -0.05], [-0.02, 7.0]])  # the last is no test
    spreads = np.sqrt([0.09 + 0.16 * 154 / 365.25, 0.0, 0.04 * 91 / 365.25])
    sd = np.hypot([0.02, 0.03, 0.015], spreads * [0.06, -0.05, -0.02])
    wanted = stats.norm.logpdf([0.04, -0.04, -0.03], [0.06, -0.05, -0.02], sd).sum()
    assert float(np.asarray(log_lift_likelihood(gains, train, XP))) == pytest.approx(wanted)
    assert np.sqrt(lift_variance(gains, train))[0] == pytest.approx(sd[:2])


def test_a_precise_old_test_ages_faster_than_a_vague_one() -> None:
    """Two years at 10% a year and an effect of 2: sd 0.1 becomes 0.3, sd 1 becomes 1.04."""
    inputs = small_inputs(rows=200, held_out=0, lift_tests=[
        {**LIFTS[0], "date": "2023-11-03", "sigma": sigma, "ageing": 0.1} for sigma in (100.0, 1000.0)
    ])  # fmt: skip
    arrays = lift_arrays(inputs, 4)
    train = model_data(inputs, model_specification(inputs.config, inputs.calendar.period))
    assert arrays["lift_variation"][:, 0] == pytest.approx(0.01 * 2.0, rel=4e-3)
    assert np.sqrt(lift_variance(np.full((2, 1), 2.0), train)[:, 0]) == pytest.approx([0.3, 1.0392], rel=2e-3)


def test_a_model_without_lift_tests_has_none_of_their_arrays() -> None:
    """Nothing is added to its density, and its buffer has no number of theirs."""
    inputs = small_inputs(rows=40)
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = model_data(inputs, specification)
    assert (
        sum(np.asarray(array).size for name, array in train.arrays().items() if name.startswith("lift_")) == 0
    )
    with_tests = small_inputs(rows=40, lift_tests=LIFTS)
    values = _drawn(inputs, 0)
    terms = mean_terms(values, train, specification, XP)
    plain = log_likelihood(values, terms, train, specification, XP)
    tested_specification = model_specification(with_tests.config, "week")
    tested = first_rows(model_data(with_tests, tested_specification), 40)
    gains = lift_gains(values, tested, tested_specification, None, XP)
    both = log_likelihood(values, terms, tested, tested_specification, XP)
    assert both == pytest.approx(plain + log_lift_likelihood(gains, tested, XP))


def test_a_window_before_all_tests_shares_the_code_of_those_after() -> None:
    """Which channels have tests is part of the structure; which tests a window knows comes with its rows."""
    late = [{**LIFTS[0], "date": "2022-09-26"}]
    before, after = small_inputs(rows=40, lift_tests=late), small_inputs(rows=40, held_out=0, lift_tests=late)
    specification = model_specification(before.config, "week")
    assert specification == model_specification(after.config, "week")
    assert len(known_lift_tests(before)) == 0
    assert len(known_lift_tests(after)) == 1
    train = first_rows(model_data(before, specification), before.train_rows)
    assert log_lift_likelihood(np.zeros((0, 1)), train, XP) == 0.0


def test_simulated_truth_makes_its_own_lift_tests() -> None:
    """Recovery does not hold a simulated truth against experiments with the real one; those held out do not count."""
    inputs = small_inputs(
        rows=40, lift_tests=[{**LIFTS[0], "sigma": 1e-6}, {**LIFTS[1], "date": "2022-09-14"}]
    )
    simulated = simulate_target(inputs, 3)
    truth, tests = simulated.truth, simulated.inputs.config.lift_tests
    gain = _gains(simulated.inputs, truth)[0, 0]
    assert [one.delta_y for one in tests] == pytest.approx([gain, LIFTS[1]["delta_y"]], abs=1e-4)


def test_simulated_results_are_as_uncertain_as_the_likelihood_says() -> None:
    """Over many simulations the results lie around the effect by sigma and by the differences between tests."""
    inputs = small_inputs(rows=40, lift_tests=[{**LIFTS[0], "heterogeneity": 0.5}])
    deviations = []
    for seed in range(300):
        simulated = simulate_target(inputs, seed)
        gain = _gains(simulated.inputs, simulated.truth)[0, 0]
        sd = np.hypot(LIFTS[0]["sigma"], 0.5 * gain)
        deviations.append((simulated.inputs.config.lift_tests[0].delta_y - gain) / sd)
    assert np.std(deviations) == pytest.approx(1.0, abs=0.13)


def test_the_compiled_density_has_the_lift_tests() -> None:
    """Two channels of three have tests, one of them two: value and gradient, against differences of the value."""
    inputs = small_inputs(rows=40, lift_tests=EXPERIMENTS, time_varying_media=True, saturation="hill")
    specification = model_specification(inputs.config, inputs.calendar.period)
    density, train = compile_log_density(specification), training_data(inputs, specification)
    point = 0.3 * np.random.default_rng(2).normal(size=density.coordinates.size)
    value, gradient = density.evaluate(point, train)
    assert np.isfinite(value)
    for at in range(0, len(point), 5):
        step = np.zeros_like(point)
        step[at] = 1e-5
        slope = (density.evaluate(point + step, train)[0] - density.evaluate(point - step, train)[0]) / 2e-5
        assert gradient[at] == pytest.approx(slope, rel=1e-4, abs=1e-4)
