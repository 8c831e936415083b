"""Every forecast score against hand-worked numbers, laws that must hold, and independent code."""

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mean_absolute_percentage_error, r2_score

from mmm_engine.scores import forecast_scores

ACTUAL = np.array([100.0, 200.0, 400.0])
FORECAST = np.array([110.0, 180.0, 400.0])
TRAIN = np.array([50.0, 150.0, 250.0])

sensible = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
positive = st.floats(min_value=1.0, max_value=1e6)


@st.composite
def forecasts(draw):
    """Actuals (row,) above zero that differ, and draws (draw, row) around nothing in particular."""
    rows = draw(st.integers(2, 6))
    actual = draw(arrays(np.float64, rows, elements=positive, unique=True))
    draws = draw(arrays(np.float64, (draw(st.integers(2, 9)), rows), elements=sensible))
    return actual, draws


def brute_force_crps(actual, draws):
    """The fair CRPS as its definition reads: every pair of two different draws, shape (row,)."""
    n_draws = len(draws)
    distance = np.abs(draws - actual).mean(axis=0)
    pairs = np.abs(draws[:, None] - draws[None]).sum(axis=(0, 1)) / (n_draws * (n_draws - 1))
    return distance - pairs / 2


def all_scores(actual, draws, train_actual, naive_draws=None):
    """Scores of a test split by name."""
    frame = forecast_scores.score_split(
        actual, draws, draws, train_actual, split="test", naive_draws=naive_draws
    )
    return dict(zip(frame["metric"], frame["value"], strict=True))


class TestHandWorkedNumbers:
    """What a pencil gives."""

    def test_mape(self):
        """Errors of 10%, 10% and 0% average 1/15."""
        assert forecast_scores.mape(ACTUAL, FORECAST) == pytest.approx(0.2 / 3)

    def test_wape(self):
        """A total error of 30 over a total of 700."""
        assert forecast_scores.wape(ACTUAL, FORECAST) == pytest.approx(30 / 700)

    def test_nrmse_uses_the_training_range(self):
        """Squared errors 100 + 400 + 0 over 3 rows, root, over the training range of 200."""
        assert forecast_scores.nrmse(ACTUAL, FORECAST, TRAIN) == pytest.approx(np.sqrt(500 / 3) / 200)

    def test_r_squared(self):
        """SSE 500; SST around 700/3 is 140000/3."""
        assert forecast_scores.r_squared(ACTUAL, FORECAST) == pytest.approx(1 - 500 / (140_000 / 3))

    def test_r_squared_can_be_negative(self):
        """A forecast in the wrong order is worse than the mean."""
        assert forecast_scores.r_squared(np.array([1.0, 3.0]), np.array([3.0, 1.0])) == pytest.approx(-3.0)

    def test_bias_counts_both_directions(self):
        """+10 and -20 leave -10 over 700."""
        assert forecast_scores.bias(ACTUAL, FORECAST) == pytest.approx(-10 / 700)

    def test_bayes_r_squared_averages_over_draws(self):
        """One draw fits exactly (1), one is flat (0): their mean is a half."""
        actual = np.array([1.0, 2.0, 3.0])
        assert forecast_scores.bayes_r_squared(actual, np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]])) == 0.5

    def test_crps_of_two_draws(self):
        """Draws 0 and 2 around 1: distance 1, half of the pair's distance 2 is 1, so 0."""
        assert forecast_scores.crps_rows(np.array([1.0]), np.array([[0.0], [2.0]])) == pytest.approx([0.0])

    def test_crps_of_three_draws(self):
        """Draws 1, 2, 6 and actual 3: (2 + 1 + 3)/3 less half the mean of 1, 5, 4: 2 - 5/3 = 1/3."""
        assert forecast_scores.crps(np.array([3.0]), np.array([[6.0], [1.0], [2.0]])) == pytest.approx(1 / 3)

    def test_crps_scaled_divides_by_the_mean_absolute_training_target(self):
        """1/3 over a mean of |-2| and |4|, which is 3."""
        draws = np.array([[6.0], [1.0], [2.0]])
        scores = all_scores(np.array([3.0]), draws, np.array([-2.0, 4.0]))
        assert scores["crps"] == pytest.approx(1 / 9)

    def test_coverage_counts_rows_inside_the_central_interval(self):
        """Draws 0..100 have the central 50% interval [25, 75]: 25 and 60 are inside, 20 and 76 are not."""
        draws = np.tile(np.arange(101.0)[:, None], (1, 4))
        actual = np.array([25.0, 60.0, 20.0, 76.0])
        assert forecast_scores.interval_coverage(actual, draws, 0.5) == 0.5
        assert forecast_scores.interval_coverage(actual, draws, 0.9) == 1.0

    def test_skill(self):
        """A third less error than the naive forecast is a skill of 1/3; half as much again is -1/2."""
        assert forecast_scores.skill(2.0, 3.0) == pytest.approx(1 / 3)
        assert forecast_scores.skill(3.0, 2.0) == pytest.approx(-0.5)


class TestLaws:
    """What must hold for any numbers."""

    @given(forecasts())
    def test_a_perfect_forecast_scores_best(self, case):
        """Errors are 0, R² and coverage 1, and it beats any naive forecast that is not perfect itself."""
        actual, _ = case
        draws = np.tile(actual, (3, 1))
        scores = all_scores(actual, draws, actual, naive_draws=draws + 1.0)
        for name in ("mape", "wape", "nrmse", "bias", "crps", "crps_units"):
            assert scores[name] == pytest.approx(0, abs=1e-12), name
        for name in ("r_squared", "bayes_r_squared", "coverage_50", "coverage_90", "skill"):
            assert scores[name] == pytest.approx(1), name

    @given(forecasts(), st.sampled_from([0.01, 0.5, 1000.0]))
    def test_the_unit_does_not_matter(self, case, factor):
        """Cents, euros or thousands: every score but ``crps_units`` stays, and that one scales."""
        actual, draws = case
        naive = actual + np.array([[5.0], [6.0]])
        before = all_scores(actual, draws, actual, naive)
        after = all_scores(factor * actual, factor * draws, factor * actual, factor * naive)
        before["crps_units"] *= factor
        for name, value in before.items():
            assert after[name] == pytest.approx(value, rel=1e-6, abs=1e-6, nan_ok=True), name

    @given(forecasts(), st.randoms(use_true_random=False))
    def test_the_order_of_draws_does_not_matter(self, case, random):
        """Draws are a sample, not a sequence."""
        actual, draws = case
        order = random.sample(range(len(draws)), len(draws))
        assert forecast_scores.crps(actual, draws[order]) == pytest.approx(
            forecast_scores.crps(actual, draws), abs=1e-6
        )

    @given(forecasts())
    def test_crps_of_a_point_is_the_absolute_error(self, case):
        """Many equal draws and a single draw both say one number."""
        actual, draws = case
        expected = np.abs(actual - draws[0])
        assert forecast_scores.crps_rows(actual, draws[:1]) == pytest.approx(expected)
        assert forecast_scores.crps_rows(actual, np.tile(draws[0], (5, 1))) == pytest.approx(
            expected, abs=1e-6
        )

    @given(forecasts())
    def test_sorted_crps_equals_its_definition(self, case):
        """The O(n log n) form and the sum over all pairs agree."""
        actual, draws = case
        assert forecast_scores.crps_rows(actual, draws) == pytest.approx(
            brute_force_crps(actual, draws), abs=1e-5
        )

    @given(forecasts())
    def test_crps_agrees_with_scoringrules(self, case):
        """The fair ensemble CRPS of an independent library."""
        actual, draws = case
        theirs = scoringrules.crps_ensemble(actual, draws, m_axis=0, estimator="fair")
        assert forecast_scores.crps_rows(actual, draws) == pytest.approx(theirs, abs=1e-5)

    @given(forecasts())
    def test_point_scores_agree_with_scikit_learn(self, case):
        """R² and MAPE of an independent library."""
        actual, draws = case
        forecast = forecast_scores.point_forecast(draws)
        assert forecast_scores.r_squared(actual, forecast) == pytest.approx(
            r2_score(actual, forecast), rel=1e-6
        )
        theirs = mean_absolute_percentage_error(actual, forecast)
        assert forecast_scores.mape(actual, forecast) == pytest.approx(theirs)

    @given(forecasts(), positive)
    def test_bias_above_zero_means_forecast_too_high(self, case, excess):
        """The sign, stated once in ``bias``."""
        actual, _ = case
        assert forecast_scores.bias(actual, actual + excess) > 0
        assert forecast_scores.bias(actual, actual - excess) < 0

    @given(forecasts())
    def test_a_wider_level_covers_no_less(self, case):
        """The 90% interval holds the 50% interval."""
        actual, draws = case
        narrow, wide = (forecast_scores.interval_coverage(actual, draws, level) for level in (0.5, 0.9))
        assert narrow <= wide


def test_crps_keeps_its_digits_far_from_zero():
    """A level of 1e9 with errors of 1 does not drown the spread in rounding."""
    rng = np.random.default_rng(1)
    actual, draws = rng.normal(size=3), rng.normal(size=(4000, 3))
    far = forecast_scores.crps_rows(actual + 1e9, draws + 1e9)
    assert far == pytest.approx(forecast_scores.crps_rows(actual, draws), abs=1e-6)


def test_fair_crps_does_not_depend_on_the_number_of_draws():
    """5 draws give on average what 500 give; sd 100 around the truth scores 100 (sqrt 2 - 1)/sqrt pi."""
    rng = np.random.default_rng(2)
    actual = np.zeros(4000)
    known = 100 * (np.sqrt(2) - 1) / np.sqrt(np.pi)
    for n_draws in (5, 50, 500):
        score = forecast_scores.crps(actual, rng.normal(0, 100, size=(n_draws, 4000)))
        assert score == pytest.approx(known, rel=0.03), n_draws


def test_bayes_r_squared_is_blind_to_bias_and_r_squared_is_not():
    """A forecast half as high again: the reason why one is gated on and the other is a footnote."""
    rng = np.random.default_rng(3)
    actual = rng.normal(1000, 100, size=104)
    draws = 1.5 * 1000 + (actual - 1000) + rng.normal(0, 20, size=(400, 1))
    assert forecast_scores.bayes_r_squared(actual, draws) > 0.95
    assert forecast_scores.r_squared(actual, forecast_scores.point_forecast(draws)) < -20


class TestUndefinedScoresAreNaN:
    """No score is invented where there is none."""

    @pytest.mark.parametrize(
        ("metric", "actual", "train_actual"),
        [
            ("mape", [0.0, 0.0, 1.0], [1.0, 2.0]),  # an error relative to 0
            ("wape", [0.0, 0.0], [1.0, 2.0]),  # the same over all rows
            ("bias", [-1.0, 1.0], [1.0, 2.0]),  # the target adds up to 0
            ("nrmse", [1.0, 2.0], [3.0, 3.0]),  # the training target never changes
            ("r_squared", [0.1, 0.1, 0.1], [1.0, 2.0]),  # the target of the split never changes
            ("r_squared", [0.1], [1.0, 2.0]),
            ("crps", [1.0, 2.0], [0.0, 0.0]),  # the training target is 0 throughout
            ("skill", [1.0, 2.0], [1.0, 2.0]),  # the naive forecast is exactly right
        ],
    )
    def test_where_there_is_nothing_to_divide_by(self, metric, actual, train_actual):
        """A score relative to 0 is NaN, not infinite and not 0."""
        rows, train = np.array(actual), np.array(train_actual)
        scores = all_scores(rows, np.ones((3, rows.size)), train, naive_draws=np.tile(rows, (2, 1)))
        assert np.isnan(scores[metric])

    def test_a_missing_draw_makes_every_score_nan(self):
        """Also the coverage, where a comparison with NaN would count as a miss."""
        draws = np.ones((4, 2))
        draws[0, 0] = np.nan
        scores = all_scores(np.array([1.0, 2.0]), draws, np.array([1.0, 2.0]), np.ones((2, 2)))
        assert all(np.isnan(value) for value in scores.values()), scores


class TestScoreSplit:
    """The tidy frame of one split."""

    def test_has_the_fixed_columns_and_one_row_per_metric(self):
        """Names, order and units are what history and report rely on."""
        frame = forecast_scores.score_split(
            ACTUAL,
            ACTUAL + np.eye(3),
            ACTUAL + np.eye(3),
            TRAIN,
            split="test",
            naive_draws=ACTUAL + np.eye(3),
        )
        assert tuple(frame.columns) == forecast_scores.SCORE_COLUMNS
        assert dict(zip(frame["metric"], frame["unit"], strict=True)) == {
            "mape": "fraction",
            "wape": "fraction",
            "nrmse": "fraction",
            "r_squared": "score",
            "bayes_r_squared": "score",
            "bias": "fraction",
            "crps": "fraction",
            "crps_units": "target",
            "coverage_50": "fraction",
            "coverage_90": "fraction",
            "skill": "score",
        }
        assert set(frame["split"]) == {"test"}
        assert set(frame["channel"]) == {"all"}

    def test_training_rows_have_no_skill(self):
        """Without a naive forecast there is no row, rather than a number that means nothing."""
        frame = forecast_scores.score_split(
            ACTUAL, ACTUAL + np.eye(3), ACTUAL + np.eye(3), TRAIN, split="train"
        )
        assert "skill" not in set(frame["metric"])

    def test_the_point_forecast_is_the_predictive_mean(self):
        """Not the mean of the noise-free draws, which only ``bayes_r_squared`` reads."""
        frame = forecast_scores.score_split(
            ACTUAL, ACTUAL + 7 * np.ones((2, 3)), np.zeros((2, 3)), TRAIN, split="test"
        )
        scores = dict(zip(frame["metric"], frame["value"], strict=True))
        assert scores["bias"] == pytest.approx(21 / 700)
        assert scores["bayes_r_squared"] == 0


class TestRefusals:
    """Shapes that numpy would broadcast in silence."""

    @pytest.mark.parametrize("forecast", [np.zeros(2), np.zeros((3, 1)), np.float64(1.0) * np.ones(1)])
    def test_point_scores_refuse_other_shapes(self, forecast):
        """A column vector, or a single number, for three rows."""
        with pytest.raises(ValueError, match="one shape"):
            forecast_scores.wape(ACTUAL, forecast)

    @pytest.mark.parametrize("draws", [np.zeros(3), np.zeros((3, 1)), np.zeros((0, 3)), np.zeros((2, 4))])
    def test_draw_scores_refuse_other_shapes(self, draws):
        """One dimension, (row, draw) swapped round, no draw, a row too many."""
        with pytest.raises(ValueError, match="shape"):
            forecast_scores.crps(ACTUAL, draws)

    def test_no_row_is_no_score(self):
        """An empty split is a mistake of the caller."""
        with pytest.raises(ValueError, match="at least one"):
            forecast_scores.mape(np.zeros(0), np.zeros(0))

    @pytest.mark.parametrize("level", [0.0, 1.0, 90.0])
    def test_coverage_refuses_a_level_that_is_not_a_mass(self, level):
        """90 is not 0.9."""
        with pytest.raises(ValueError, match="level"):
            forecast_scores.interval_coverage(ACTUAL, np.zeros((2, 3)), level)
