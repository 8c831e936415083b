"""Posteriors against a truth: hand-worked numbers, laws, and posteriors whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from mmm_engine.scores import truth_scores


class TestRecovery:
    """How well a posterior finds the truth."""

    def test_is_the_error_relative_to_the_truth(self):
        """Points off by 10%, 50% and 300% of the truth score 0.9, 0.5 and 0 (cut off)."""
        draws = np.array([[11.0, 15.0, 40.0]] * 4)
        assert truth_scores.recovery_score(draws, np.array([10.0, 10.0, 10.0])) == pytest.approx(
            [0.9, 0.5, 0.0]
        )

    def test_uses_the_size_of_a_negative_truth(self):
        """-9 for -10 is off by 10%."""
        draws = np.array([[-9.0], [-9.0]])
        assert truth_scores.recovery_score(draws, np.array([-10.0])) == pytest.approx([0.9])

    def test_is_not_defined_for_a_truth_of_zero(self):
        """There is no error relative to 0; the other elements keep their scores."""
        draws = np.array([[1.0, 9.0], [1.0, 9.0]])
        scores = truth_scores.recovery_score(draws, np.array([0.0, 10.0]))
        assert scores == pytest.approx([np.nan, 0.9], nan_ok=True)

    def test_never_exceeds_one(self):
        """A fair CRPS can be slightly negative; the score is clipped."""
        assert truth_scores.recovery_score(np.array([[0.5], [1.5]]), np.array([1.0])).tolist() == [1.0]


class TestZScoreAndContraction:
    """Where the posterior sits and what the data taught."""

    def test_z_score_counts_posterior_sds_above_the_truth(self):
        """Draws 1, 3, 5: mean 3, sd 2. Truth 1 is one sd below, truth 4 half a sd above."""
        draws = np.array([[1.0, 1.0], [3.0, 3.0], [5.0, 5.0]])
        assert truth_scores.z_score(draws, np.array([1.0, 4.0])).tolist() == [1.0, -0.5]

    def test_a_posterior_without_spread_has_no_z_score(self):
        """Equal draws and a single draw: NaN, not infinity."""
        assert np.isnan(truth_scores.z_score(np.ones((3, 1)), np.array([2.0]))).all()
        assert np.isnan(truth_scores.z_score(np.ones((1, 1)), np.array([2.0]))).all()

    def test_contraction_is_one_less_the_variance_ratio(self):
        """Half the spread is a quarter of the variance: the data taught three quarters."""
        prior = np.array([[-2.0], [2.0]])
        assert truth_scores.contraction(prior / 2, prior).tolist() == [0.75]
        assert truth_scores.contraction(prior, prior).tolist() == [0.0]
        assert truth_scores.contraction(2 * prior, prior).tolist() == [-3.0]

    def test_a_fixed_prior_has_no_contraction(self):
        """Nothing can be taught about a constant."""
        assert np.isnan(truth_scores.contraction(np.array([[0.0], [1.0]]), np.ones((4, 1)))).all()

    def test_scores_of_an_exact_posterior_are_standard(self):
        """Normal mean with a normal prior, the exact posterior: z has mean 0 and sd 1 over simulations."""
        rng = np.random.default_rng(6)
        truth = rng.normal(size=3000)
        data = truth + rng.normal(size=3000)
        draws = data / 2 + np.sqrt(0.5) * rng.normal(size=(500, 3000))
        z = truth_scores.z_score(draws, truth)
        assert z.mean() == pytest.approx(0, abs=0.06)
        assert z.std() == pytest.approx(1, abs=0.05)
        ranks = truth_scores.rank_statistic(draws, truth) / 500
        assert np.histogram(ranks, bins=5, range=(0, 1))[0] == pytest.approx(np.full(5, 600), abs=100)


class TestRank:
    """Where the truth sits among the draws."""

    def test_counts_draws_below(self):
        """0 when all are above, n when all are below."""
        draws = np.tile(np.array([1.0, 2.0, 3.0])[:, None], (1, 3))
        assert truth_scores.rank_statistic(draws, np.array([0.0, 2.5, 9.0])).tolist() == [0, 2, 3]

    def test_refuses_nan(self):
        """A whole number has no room for "not defined"."""
        with pytest.raises(ValueError, match="NaN"):
            truth_scores.rank_statistic(np.array([[np.nan]]), np.array([1.0]))


interval = st.tuples(st.floats(-1e3, 1e3), st.floats(0.01, 1e3)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)


class TestOverlap:
    """What two intervals share."""

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ((0.0, 10.0), (0.0, 10.0), 1.0),
            ((0.0, 10.0), (5.0, 15.0), 0.5),
            ((0.0, 10.0), (20.0, 30.0), 0.0),
            ((0.0, 10.0), (0.0, 30.0), 0.5),  # shares 10, mean length 20
            ((3.0, 3.0), (3.0, 3.0), 1.0),
            ((3.0, 3.0), (4.0, 4.0), 0.0),
            ((3.0, 3.0), (0.0, 4.0), 0.0),
        ],
    )
    def test_hand_worked(self, a, b, expected):
        """Shared length over mean length."""
        ends = [np.array([end]) for end in (*a, *b)]
        assert truth_scores.interval_overlap(*ends).tolist() == [expected]

    @given(interval, interval)
    def test_is_symmetric_and_between_zero_and_one(self, a, b):
        """Whichever window comes first."""
        ends = [np.array([end]) for end in (*a, *b)]
        forward = truth_scores.interval_overlap(*ends)[0]
        assert forward == pytest.approx(truth_scores.interval_overlap(*ends[2:], *ends[:2])[0])
        assert 0 <= forward <= 1 + 1e-12

    def test_keeps_nan(self):
        """An end that is not known is not an overlap of 0."""
        one, nan = np.array([1.0]), np.array([np.nan])
        assert np.isnan(truth_scores.interval_overlap(one, nan, one, one)).all()

    def test_refuses_swapped_ends(self):
        """Low and high in the wrong order."""
        with pytest.raises(ValueError, match="above its upper end"):
            truth_scores.interval_overlap(np.array([2.0]), np.array([1.0]), np.array([1.0]), np.array([2.0]))

    def test_refuses_other_shapes(self):
        """Four ends of the same elements."""
        with pytest.raises(ValueError, match="one shape"):
            truth_scores.interval_overlap(np.zeros(2), np.ones(2), np.zeros(1), np.ones(1))


class TestJeffreysBand:
    """How sure a measured coverage is."""

    def test_ninety_of_a_hundred(self):
        """The band that a claim of 90% coverage over 100 simulations is held to."""
        assert truth_scores.jeffreys_band(90, 100) == pytest.approx((0.830, 0.948), abs=0.001)

    def test_agrees_with_the_beta_distribution(self):
        """Quantiles of Beta(k + 1/2, n - k + 1/2) from an independent function."""
        assert truth_scores.jeffreys_band(7, 20, 0.8) == pytest.approx(beta(7.5, 13.5).ppf([0.1, 0.9]))

    def test_is_one_sided_at_the_edges(self):
        """None and all: 0 and 1 belong to the band."""
        assert truth_scores.jeffreys_band(0, 10)[0] == 0
        assert truth_scores.jeffreys_band(10, 10)[1] == 1

    @pytest.mark.parametrize(
        ("hits", "trials", "level"), [(3, 2, 0.9), (-1, 2, 0.9), (0, 0, 0.9), (1, 2, 95)]
    )
    def test_refuses_impossible_counts(self, hits, trials, level):
        """More hits than trials, no trial, a level that is not a mass."""
        with pytest.raises(ValueError, match="wanted"):
            truth_scores.jeffreys_band(hits, trials, level)


def test_elements_must_match():
    """Draws of three elements have no truth of one: numpy would broadcast it in silence."""
    for call in (truth_scores.z_score, truth_scores.rank_statistic, truth_scores.recovery_score):
        with pytest.raises(ValueError, match="shape"):
            call(np.zeros((4, 3)), np.zeros(1))
    with pytest.raises(ValueError, match="shape"):
        truth_scores.contraction(np.zeros((4, 3)), np.zeros((4, 1)))
