"""R-hat and effective sample sizes: those of arviz_stats whatever the draws, some by hand, and laws."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import scipy.fft
from arviz_stats.base import array_stats
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmm_engine.array_types import Floats
from mmm_engine.posterior.convergence import _fast_length, convergence

Generator = np.random.Generator
Shape = tuple[int, int, int]

SHAPES: list[Shape] = [
    (4, 1000, 3),
    (4, 500, 8),
    (4, 501, 3),  # the middle draw counts for quantiles only
    (1, 1000, 3),
    (1, 7, 2),
    (2, 250, 4),
    (3, 333, 4),
    (9, 100, 4),
    (140, 12, 2),  # numpy adds more than 128 numbers in another order
    (2, 4, 6),
    (4, 5, 6),
    (3, 6, 6),
    (4, 7, 6),
    (2, 8, 6),
    (2, 9, 6),
]
TOO_SMALL: list[Shape] = [(4, 0, 2), (4, 1, 2), (4, 2, 2), (4, 3, 2), (0, 10, 2), (4, 10, 0)]


def by_arviz(draws: Floats) -> Floats:
    """R-hat, bulk and tail effective sample size of draws (chain, draw, element), shape (3, element)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"chain_axis": 0, "draw_axis": 1}
        bulk = array_stats.ess(draws, method="bulk", **axes)
        tail = array_stats.ess(draws, method="tail", prob=(0.05, 0.95), **axes)
        return np.array([array_stats.rhat(draws, **axes), bulk, tail])


def by_us(draws: Floats) -> Floats:
    """The same by this project."""
    found = convergence(draws)
    return np.array([found.rhat, found.ess_bulk, found.ess_tail])


def assert_agrees(draws: Floats) -> None:
    """To 1e-9, NaN and infinity in the same places."""
    np.testing.assert_allclose(by_us(draws), by_arviz(draws), rtol=1e-9, atol=0.0)


def autocorrelated(rng: Generator, shape: Shape, coefficient: float) -> Floats:
    """Stationary first-order autoregressive chains of variance 1."""
    draws = rng.normal(size=shape)
    for t in range(1, shape[1]):
        draws[:, t] = coefficient * draws[:, t - 1] + np.sqrt(1.0 - coefficient**2) * draws[:, t]
    return draws


def with_first_chain(rng: Generator, shape: Shape, change: Callable[[Floats], Floats]) -> Floats:
    """Independent draws whose first chain is changed."""
    draws = rng.normal(size=shape)
    draws[0] = change(draws[0])
    return draws


KINDS: dict[str, Callable[[Generator, Shape], Floats]] = {
    "independent": lambda rng, shape: rng.normal(size=shape),
    "autocorrelated 0.5": lambda rng, shape: autocorrelated(rng, shape, 0.5),
    "autocorrelated 0.9": lambda rng, shape: autocorrelated(rng, shape, 0.9),
    "autocorrelated 0.99": lambda rng, shape: autocorrelated(rng, shape, 0.99),
    "antithetic -0.5": lambda rng, shape: autocorrelated(rng, shape, -0.5),
    "antithetic -0.95": lambda rng, shape: autocorrelated(rng, shape, -0.95),
    "random walk": lambda rng, shape: rng.normal(size=shape).cumsum(axis=1),
    "heavy-tailed": lambda rng, shape: rng.standard_cauchy(size=shape),
    "near the largest float": lambda rng, shape: 1e308 * rng.uniform(-1.7, 1.7, size=shape),
    "coin": lambda rng, shape: rng.integers(0, 2, size=shape).astype(float),
    "die": lambda rng, shape: rng.integers(0, 6, size=shape).astype(float),
    "rounded": lambda rng, shape: np.round(rng.normal(size=shape), 1),
    "rare": lambda rng, shape: (rng.uniform(size=shape) < 0.02).astype(float),
    "stuck chain": lambda rng, shape: with_first_chain(rng, shape, lambda chain: chain[:1]),
    "every chain stuck": lambda rng, shape: np.repeat(rng.normal(size=shape)[:, :1], shape[1], axis=1),
    "shifted chain": lambda rng, shape: with_first_chain(rng, shape, lambda chain: chain + 3.0),
    "wide chain": lambda rng, shape: with_first_chain(rng, shape, lambda chain: chain * 5.0),
    "constant": lambda rng, shape: np.broadcast_to(rng.normal(size=shape[2]), shape).copy(),
    "infinite chain": lambda rng, shape: with_first_chain(
        rng, shape, lambda chain: np.full_like(chain, np.inf)
    ),
    "some infinite": lambda rng, shape: np.where(
        rng.uniform(size=shape) < 0.1, np.inf, rng.normal(size=shape)
    ),
    "both infinities": lambda rng, shape: np.copysign(np.inf, rng.normal(size=shape)),
}


class TestAgreement:
    """The numbers of arviz_stats, the independent implementation."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_kinds_of_draws(self, kind: str, shape: Shape) -> None:
        """Well-behaved, slow, antithetic, discrete, stuck, shifted, constant or infinite: the same to 1e-9."""
        assert_agrees(KINDS[kind](np.random.default_rng(sum(shape)), shape))

    @pytest.mark.parametrize("shape", TOO_SMALL, ids=str)
    def test_too_few_draws(self, shape: Shape) -> None:
        """Below four draws, or without chains or elements, there is nothing but NaN, in the same shape."""
        assert_agrees(np.zeros(shape))

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_one_draw_that_is_not_finite(self, value: float) -> None:
        """One NaN makes its element NaN, one infinity is the largest or smallest draw; other elements are as before."""
        draws = np.random.default_rng(3).normal(size=(4, 100, 5))
        before = by_us(draws)
        draws[2, 17, 1] = value
        assert_agrees(draws)
        assert np.isnan(by_us(draws)[:, 1]).all() == np.isnan(value)
        np.testing.assert_allclose(by_us(draws)[:, [0, 2, 3, 4]], before[:, [0, 2, 3, 4]], rtol=1e-12)

    @given(
        arrays(
            np.float64,
            st.tuples(st.integers(1, 5), st.integers(1, 24), st.integers(1, 3)),
            elements=st.floats() | st.integers(-2, 2).map(float),
        )
    )
    def test_any_floats(self, draws: Floats) -> None:
        """Draws of every size, ties and zeros of both signs included, have the same numbers."""
        assert_agrees(draws)

    @given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(4, 80), st.integers(2, 7))
    def test_few_values(self, seed: int, chains: int, draws: int, values: int) -> None:
        """Discrete draws, where pairs of correlations add up to exactly zero, end at the same lag."""
        shape = (chains, draws, 3)
        assert_agrees(np.random.default_rng(seed).integers(0, values, shape).astype(float))


class TestHandWorked:
    """What a pencil gives."""

    def test_constant_draws(self) -> None:
        """A constant has no R-hat and counts in full, without the middle draw of odd chains in it."""
        found = by_us(np.full((2, 11, 1), 0.1))
        np.testing.assert_array_equal(found[:, 0], [np.nan, 20.0, 20.0])

    def test_antithetic_draws_are_capped(self) -> None:
        """Draws that alternate between two values count log10(n) times, not without bound."""
        draws = np.tile([-1.0, 1.0], (4, 50))[:, :, None]
        assert convergence(draws).ess_bulk == pytest.approx(400 * np.log10(400))

    def test_one_chain_has_no_rhat(self) -> None:
        """Halves of one chain are not compared, but its draws are counted."""
        found = convergence(np.random.default_rng(0).normal(size=(1, 400, 2)))
        assert np.isnan(found.rhat).all()
        assert (found.ess_bulk > 200).all()

    def test_one_shifted_chain_shows_in_the_ranks(self) -> None:
        """A chain away from the others raises R-hat and leaves about as many effective draws as chains."""
        found = convergence(KINDS["shifted chain"](np.random.default_rng(1), (4, 500, 1)))
        assert found.rhat[0] > 1.4
        assert found.ess_bulk[0] < 10

    def test_one_wide_chain_shows_in_the_folded_ranks_only(self) -> None:
        """Chains around the same median have even ranks; distances from it tell the wide one."""
        draws = KINDS["wide chain"](np.random.default_rng(1), (4, 500, 1))
        plain = array_stats.rhat(draws, chain_axis=0, draw_axis=1, method="z_scale")
        assert convergence(draws).rhat[0] > 1.1 > 1.01 > plain[0]

    def test_autocorrelation_divides_the_draws(self) -> None:
        """Coefficient a leaves (1 - a) / (1 + a) of the draws of a long chain."""
        draws = autocorrelated(np.random.default_rng(2), (4, 20_000, 2), 0.8)
        assert convergence(draws).ess_bulk == pytest.approx(80_000 / 9, rel=0.08)


def transformed(draws: Floats, how: str) -> Floats:
    """Small integers, changed so that their order and ties stay."""
    change = {"exp": lambda x: np.exp(x / 7), "cube": lambda x: x**3, "arctan": lambda x: np.arctan(x / 9)}[
        how
    ]
    return np.asarray(change(draws))


whole_numbers = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(4, 30), st.integers(1, 3)),
    elements=st.integers(-40, 40).map(float),
)
seeds = st.integers(0, 2**32 - 1)


class TestLaws:
    """What holds whatever the draws."""

    @given(whole_numbers, st.sampled_from(["exp", "cube", "arctan"]))
    def test_bulk_size_depends_on_ranks_only(self, draws: Floats, how: str) -> None:
        """Every increasing transformation of the draws leaves the bulk effective sample size alone."""
        np.testing.assert_array_equal(
            convergence(transformed(draws, how)).ess_bulk, convergence(draws).ess_bulk
        )

    @given(whole_numbers, st.sampled_from([1.0, 2.0, 0.25]), st.integers(-100, 100))
    def test_rhat_does_not_depend_on_units(self, draws: Floats, scale: float, shift: int) -> None:
        """Other units and another zero leave R-hat alone."""
        np.testing.assert_array_equal(convergence(draws * scale + shift).rhat, convergence(draws).rhat)

    @given(seeds, st.integers(2, 6), st.integers(100, 200), st.floats(-0.9, 0.9))
    @example(seed=0, chains=4, draws=101, coefficient=0.0)
    def test_order_of_chains_does_not_matter(
        self, seed: int, chains: int, draws: int, coefficient: float
    ) -> None:
        """Chains have no numbers: any order gives the same."""
        rng = np.random.default_rng(seed)
        values = autocorrelated(rng, (chains, draws, 2), coefficient)
        np.testing.assert_allclose(by_us(values[rng.permutation(chains)]), by_us(values), rtol=1e-9)

    @given(seeds, st.integers(1, 5), st.integers(4, 60), st.integers(1, 6), st.sampled_from(sorted(KINDS)))
    def test_elements_do_not_see_each_other(
        self, seed: int, chains: int, draws: int, elements: int, kind: str
    ) -> None:
        """All elements together give what each gives alone."""
        rng = np.random.default_rng(seed)
        values = np.concatenate(
            [KINDS[kind](rng, (chains, draws, 1)), rng.normal(size=(chains, draws, elements))], axis=2
        )
        alone = np.concatenate([by_us(values[:, :, [at]]) for at in range(elements + 1)], axis=1)
        np.testing.assert_allclose(by_us(values), alone, rtol=1e-12)

    @pytest.mark.parametrize("size", [1, 4 * 101 * 3, 2**30])
    def test_blocks_do_not_show(self, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """One element at a time, a few, or all at once: the same numbers, NaN in the middle of a block included."""
        draws = autocorrelated(np.random.default_rng(5), (4, 101, 8), 0.7)
        draws[1, 2, [0, 4]] = np.nan
        before = by_us(draws)
        monkeypatch.setattr("mmm_engine.posterior.convergence._BLOCK_DRAWS", size)
        np.testing.assert_allclose(by_us(draws), before, rtol=1e-12)

    @pytest.mark.parametrize("pairs", [1, 2, 1000])
    def test_lags_looked_at_first_do_not_show(self, pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Looking at few lags first saves time and changes nothing, in fast and slow chains side by side."""
        rng = np.random.default_rng(6)
        draws = np.concatenate([autocorrelated(rng, (4, 300, 2), a) for a in (-0.5, 0.0, 0.9, 0.999)], axis=2)
        before = by_us(draws)
        monkeypatch.setattr("mmm_engine.posterior.convergence._FIRST_PAIRS", pairs)
        np.testing.assert_allclose(by_us(draws), before, rtol=1e-12)


class TestManners:
    """What a caller may rely on beside the numbers."""

    @pytest.mark.parametrize("shape", [(4, 100, 1), (4, 101, 3)], ids=str)
    def test_draws_are_only_read(self, shape: Shape) -> None:
        """The caller's array is as before, in every memory layout."""
        values = np.random.default_rng(7).normal(size=shape)
        for layout in (values, np.asfortranarray(values), values[::-1, ::-1]):
            draws = layout.copy(order="K")
            draws.flags.writeable = False
            np.testing.assert_allclose(by_us(draws), by_us(np.ascontiguousarray(layout)), rtol=1e-12)
            np.testing.assert_array_equal(draws, layout)

    @pytest.mark.parametrize("kind", KINDS)
    def test_no_warnings(self, kind: str) -> None:
        """Constants and infinities give NaN or infinity in silence."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            convergence(KINDS[kind](np.random.default_rng(8), (4, 20, 3)))

    def test_memory_does_not_grow_with_the_elements(self) -> None:
        """Two thousand elements (32 MB of draws) are worked through with less than 20 MB beside them."""
        draws = np.random.default_rng(9).normal(size=(4, 500, 2000))
        tracemalloc.start()
        try:
            convergence(draws)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 20e6

    def test_import_is_light(self) -> None:
        """Neither arviz_stats nor scipy.stats, which take seconds to import, has a part in it."""
        code = (
            "import sys, numpy, mmm_engine.posterior.convergence as c\n"
            "c.convergence(numpy.random.default_rng(0).normal(size=(4, 20, 2)))\n"
            "heavy = {'arviz_stats', 'scipy.stats', 'xarray', 'pandas'} & set(sys.modules)\n"
            "sys.exit(str(heavy) if heavy else 0)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def test_transform_lengths_are_those_of_scipy(self) -> None:
        """Products of 2, 3 and 5, the next one up."""
        found = [_fast_length(n) for n in range(1, 3000)]
        assert found == [scipy.fft.next_fast_len(n, real=True) for n in range(1, 3000)]
