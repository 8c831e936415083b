"""Log densities of priors: PyMC's numbers, on numpy arrays and in machine code, with mass one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from mmm_engine.client.log_normal import HalfLife
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.distributions.table import DISTRIBUTIONS
from mmm_engine.model.default_priors import retention_prior
from mmm_engine.model.parameters import PriorPart, log_prior
from mmm_engine.model.priors import PriorSpec, read_prior
from mmm_engine.model.pymc_half_life import HalfLifePrior
from tests.engine.compiler.harness import compiled

XP = numpy_functions()

CASES: list[dict[str, Any]] = [
    {"distribution": "HalfNormal"},
    {"distribution": "HalfNormal", "sigma": 2.0},
    {"distribution": "HalfNormal", "tau": 4.0},
    {"distribution": "HalfCauchy", "beta": 0.5},
    {"distribution": "HalfStudentT", "nu": 4.0, "sigma": 2.0},
    {"distribution": "HalfStudentT", "nu": 4.0, "lam": 3.0},
    {"distribution": "Exponential"},
    {"distribution": "Exponential", "lam": 3.0},
    {"distribution": "Exponential", "scale": 3.0},
    {"distribution": "Gamma", "alpha": 3.0, "beta": 2.0},
    {"distribution": "Gamma", "alpha": 0.7, "beta": 2.0},
    {"distribution": "Gamma", "mu": 3.0, "sigma": 2.0},
    {"distribution": "InverseGamma", "alpha": 3.0},
    {"distribution": "InverseGamma", "alpha": 3.0, "beta": 2.0},
    {"distribution": "InverseGamma", "mu": 3.0, "sigma": 2.0},
    {"distribution": "LogNormal"},
    {"distribution": "LogNormal", "mu": 0.5, "sigma": 0.7},
    {"distribution": "LogNormal", "mu": 0.5, "tau": 3.0},
    {"distribution": "Weibull", "alpha": 2.0, "beta": 3.0},
    {"distribution": "Weibull", "alpha": 0.8, "beta": 0.5},
    {"distribution": "ChiSquared", "nu": 3.0},
    {"distribution": "Wald", "mu": 2.0},
    {"distribution": "Wald", "mu": 2.0, "lam": 3.0},
    {"distribution": "Wald", "mu": 2.0, "phi": 3.0},
    {"distribution": "Wald", "lam": 2.0, "phi": 3.0},
    {"distribution": "Beta", "alpha": 1.0, "beta": 3.0},
    {"distribution": "Beta", "alpha": 0.6, "beta": 2.5},
    {"distribution": "Beta", "mu": 0.3, "sigma": 0.1},
    {"distribution": "Beta", "mu": 0.3, "nu": 6.0},
    {"distribution": "Kumaraswamy", "a": 2.0, "b": 3.0},
    {"distribution": "LogitNormal"},
    {"distribution": "LogitNormal", "mu": 0.5, "sigma": 1.5},
    {"distribution": "LogitNormal", "mu": 0.5, "tau": 3.0},
    {"distribution": "HalfLife", "median": 1.0},
    {"distribution": "HalfLife", "median": 7.0, "sigma": 0.7},
    {"distribution": "Normal"},
    {"distribution": "Normal", "mu": 1.0, "sigma": 2.0},
    {"distribution": "Normal", "mu": 1.0, "tau": 4.0},
    {"distribution": "StudentT", "nu": 3.0},
    {"distribution": "StudentT", "nu": 5.0, "mu": 1.0, "sigma": 2.0},
    {"distribution": "StudentT", "nu": 5.0, "lam": 4.0},
    {"distribution": "Laplace", "mu": 1.0, "b": 2.0},
    {"distribution": "AsymmetricLaplace", "kappa": 2.0, "mu": 1.0, "b": 0.5},
    {"distribution": "AsymmetricLaplace", "q": 0.3, "mu": 1.0, "b": 0.5},
    {"distribution": "Cauchy", "alpha": 1.0, "beta": 2.0},
    {"distribution": "Logistic"},
    {"distribution": "Logistic", "mu": 1.0, "s": 2.0},
    {"distribution": "Gumbel", "mu": 1.0, "beta": 2.0},
    {"distribution": "SkewNormal"},
    {"distribution": "SkewNormal", "mu": 1.0, "sigma": 2.0, "alpha": 4.0},
    {"distribution": "SkewNormal", "mu": 1.0, "tau": 0.5, "alpha": -2.0},
    {"distribution": "Uniform"},
    {"distribution": "Uniform", "lower": -1.0, "upper": 3.0},
    {"distribution": "TruncatedNormal", "mu": 1.0, "sigma": 2.0},
    {"distribution": "TruncatedNormal", "mu": 1.0, "sigma": 2.0, "lower": 0.0},
    {"distribution": "TruncatedNormal", "mu": 1.0, "sigma": 2.0, "upper": 3.0},
    {"distribution": "TruncatedNormal", "mu": 1.0, "tau": 2.0, "lower": -1.0, "upper": 2.0},
    {"distribution": "TruncatedNormal", "mu": -4.0, "sigma": 1.0, "lower": 0.0},
]
POINTS = {
    "positive": np.array([0.01, 0.3, 1.1, 2.9, 30.0]),
    "unit": np.array([1e-6, 0.2, 0.5, 0.77, 1.0 - 1e-6]),
    "real": np.array([-9.0, -0.4, 0.3, 1.7, 20.0]),
    "interval": np.array([1e-6, 0.3, 0.6, 0.9, 1.0 - 1e-6]),
}
# PyMC 6 has constants of these in single precision
_SINGLE = {"HalfCauchy": 1e-8, "HalfStudentT": 1e-8, "SkewNormal": 1e-7}

by_case = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.values())))


def _arguments(case: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in case.items() if name != "distribution"}


def _points(case: dict[str, Any]) -> Any:
    return POINTS[DISTRIBUTIONS[case["distribution"]].support]


def _density(case: dict[str, Any], x: Any) -> Any:
    """The density, arguments as the client file gives them."""
    spec = read_prior(case, "prior", "test")
    return _log_density(spec.distribution, x, dict(spec.arguments), XP)


def _log_density(distribution: str, x: Any, arguments: dict[str, Any], xp: Any) -> Any:
    """The density of a family, arguments in any of its parametrisations."""
    family = DISTRIBUTIONS[distribution]
    return family.log_density(x, family.standard(arguments), xp)


def _pymc_density(distribution: str, x: Any, arguments: dict[str, Any]) -> Any:
    """PyMC's numbers; its numbers in formulas are doubles here, not single precision where that seems to do."""
    import pymc as pm
    from pytensor.scalar.basic import autocast_float_as

    whole = {name: np.broadcast_to(value, x.shape).astype(float) for name, value in arguments.items()}
    with autocast_float_as("float64"):
        if distribution == "HalfLife":
            with pm.Model(check_bounds=False) as model:
                HalfLifePrior(arguments["median"], arguments.get("sigma", 1.0)).create_variable("x")
            return np.array([float(pm.logp(model["x"], value).eval()) for value in x])
        return pm.logp(getattr(pm, distribution).dist(**whole), x).eval()


def test_every_distribution_has_a_density_and_cases() -> None:
    """Nobody adds a prior, or a way to write one, without a comparison."""
    written = {(case["distribution"], _way(case)) for case in CASES}
    assert written == {
        (name, way.names) for name, one in DISTRIBUTIONS.items() for way in one.parametrisations
    }


def _way(case: dict[str, Any]) -> frozenset[str]:
    way = DISTRIBUTIONS[case["distribution"]].parametrisation(frozenset(_arguments(case)))
    assert way is not None
    return way.names


@by_case
def test_densities_are_pymc_s(case: dict[str, Any]) -> None:
    """To 1e-10 at five points from one end of the support to the other."""
    distribution, x = case["distribution"], _points(case)
    if distribution == "SkewNormal":
        x = np.array([0.2, 0.4, 0.9, 1.3, 1.7])  # PyMC's loses its digits in the tails: see below
    wanted = _pymc_density(distribution, x, _arguments(case))
    near = _SINGLE.get(distribution, 1e-10)
    assert np.isfinite(wanted).all()
    assert _density(case, x) + 0.0 * x == pytest.approx(wanted, rel=near, abs=near)


@pytest.mark.parametrize(
    ("case", "theirs"),
    [
        (
            {"distribution": "SkewNormal", "mu": 1.0, "sigma": 2.0, "alpha": 4.0},
            stats.skewnorm(4.0, 1.0, 2.0),
        ),
        (
            {"distribution": "SkewNormal", "mu": 1.0, "tau": 4.0, "alpha": -2.0},
            stats.skewnorm(-2.0, 1.0, 0.5),
        ),
        ({"distribution": "HalfCauchy", "beta": 0.5}, stats.halfcauchy(0.0, 0.5)),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",  # no addresses: workers must agree
)
def test_densities_are_scipy_s_where_pymc_rounds(case: dict[str, Any], theirs: Any) -> None:
    """Tails of the skewed normal, and what PyMC has in single precision, to 1e-10."""
    x = POINTS["positive"] if case["distribution"] == "HalfCauchy" else np.linspace(-6.0, 8.0, 29)
    assert _density(case, x) == pytest.approx(theirs.logpdf(x), rel=1e-10, abs=1e-10)


@by_case
@pytest.mark.filterwarnings("ignore:overflow")
def test_densities_have_mass_one(case: dict[str, Any]) -> None:
    """The integral over the support is 1: no constant is lost or doubled."""
    spec = read_prior(case, "prior", "test")
    ends = {"positive": (0.0, math.inf), "unit": (0.0, 1.0), "real": (-math.inf, math.inf)}
    low, high = spec.bounds if spec.support == "interval" else ends[spec.support]

    def height(x: float) -> float:
        return float(np.exp(_density(case, np.array([x]))).item())

    middle = 0.5 if spec.support == "unit" else min(max(1.0, low), high)
    parts = [integrate.quad(height, *ends, limit=200)[0] for ends in ((low, middle), (middle, high))]
    assert sum(parts) == pytest.approx(1.0, abs=1e-6)


@by_case
def test_arguments_may_be_arrays(case: dict[str, Any]) -> None:
    """Arguments with an element for each point give what each gives alone."""
    arguments, x = _arguments(case), _points(case)
    distribution, factors = case["distribution"], np.array([0.9, 1.0, 1.05, 1.1, 0.95])
    fixed = {name: value for name, value in arguments.items() if name in ("lower", "upper")}
    varied = {name: value * factors for name, value in arguments.items() if name not in fixed}
    together = _log_density(distribution, x, varied | fixed, XP) + 0.0 * x
    for at in range(len(x)):
        alone = _log_density(distribution, x[at], {n: value[at] for n, value in varied.items()} | fixed, XP)
        assert together[at] == pytest.approx(alone, rel=1e-14, abs=1e-14)


@by_case
def test_machine_code_has_the_same_density_and_its_slopes(case: dict[str, Any]) -> None:
    """Compiled, the sum over the points is numpy's; slopes in points and arguments are those of differences."""
    numbers, x = _arguments(case), np.clip(_points(case), -5.0, 5.0)
    x = np.clip(x, 0.02, 0.98) if DISTRIBUTIONS[case["distribution"]].support in ("unit", "interval") else x
    fixed = {name: value for name, value in numbers.items() if name in ("lower", "upper")}
    names = [name for name in numbers if name not in fixed]
    point = np.concatenate([x, [numbers[name] for name in names]])

    def total(flat: Any, xp: Any) -> Any:
        arguments = {name: flat[5 + at : 6 + at] for at, name in enumerate(names)}
        density = _log_density(case["distribution"], flat[:5], arguments | fixed, xp)
        return (density + 0.0 * flat[:5]).sum() + (flat * flat).sum()

    found = compiled(lambda xp, flat, _: total(flat, xp), len(point), ())(point, {}, (0, 0))
    assert found.status == 0
    assert found.value == pytest.approx(total(point, XP), rel=1e-12, abs=1e-12)
    steps = 1e-6 * np.eye(len(point))
    wanted = [(total(point + step, XP) - total(point - step, XP)) / 2e-6 for step in steps]
    assert found.slopes == pytest.approx(np.array(wanted), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("sigma", [0.2, 1.5])
def test_hyperpriors_are_arguments(sigma: float) -> None:
    """A prior on a prior's scale: the density is that at the scale's value, summed over the elements."""
    scale = PriorSpec("HalfNormal", (("sigma", 1.0),))
    part = PriorPart("beta", (0, 1, 2), PriorSpec("Normal", (("mu", 0.5), ("sigma", scale))))
    beta = np.array([0.1, -0.7, 2.0])
    found = log_prior(part, {"beta": beta, "beta_sigma": np.array([sigma])}, XP)
    assert found == pytest.approx(stats.norm(0.5, sigma).logpdf(beta).sum(), rel=1e-13)
    wanted = _pymc_density("Normal", beta, {"mu": 0.5, "sigma": sigma}).sum()
    assert found == pytest.approx(wanted, rel=1e-10)


def test_hyperpriors_of_two_arguments() -> None:
    """Both arguments of a Gamma may have priors of their own."""
    own = PriorSpec("Exponential", (("lam", 1.0),))
    part = PriorPart("lam", (0, 1), PriorSpec("Gamma", (("mu", own), ("sigma", own))))
    variables = {"lam": np.array([0.3, 2.5]), "lam_mu": np.array([1.7]), "lam_sigma": np.array([0.6])}
    wanted = _pymc_density("Gamma", variables["lam"], {"mu": 1.7, "sigma": 0.6}).sum()
    assert log_prior(part, variables, XP) == pytest.approx(wanted, rel=1e-10)


def test_flat_priors_count_every_element() -> None:
    """Three elements, each uniform on an interval of length 4, have log density -3 log 4."""
    part = PriorPart("x", (0, 1, 2), PriorSpec("Uniform", (("lower", -1.0), ("upper", 3.0))))
    found = log_prior(part, {"x": np.array([0.0, 1.0, 2.0])}, XP)
    assert found == pytest.approx(-3.0 * math.log(4.0))


@pytest.mark.parametrize(("days", "left"), [(1.0, 0.90572), (7.0, 0.5), (30.4375, 0.04910)])
def test_a_half_life_in_days_is_the_same_whatever_the_rows_are(days: float, left: float) -> None:
    """Of an effect with a half-life of 7 days 2^(-d / 7) is left after a row of d days, worked by hand."""
    config = HalfLife(median=7.0, sigma=1.0)
    prior = read_prior(retention_prior(config, "geometric", days), "prior", "test")
    quantile, arguments = prior.family.quantile, prior.family.standard(dict(prior.arguments))
    assert quantile is not None
    assert float(quantile(0.5, arguments)) == pytest.approx(left, abs=1e-5)
    ends = np.array([quantile(p, arguments) for p in (0.05, 0.95)])
    assert -days * math.log(2.0) / np.log(ends) == pytest.approx(
        7.0 * np.exp([-1.644854, 1.644854]), rel=1e-5
    )


@pytest.mark.parametrize("mu", [-5.0, -9.0, -30.0])
def test_truncation_far_out_in_the_tail(mu: float) -> None:
    """A normal distribution cut to a far tail of itself is scipy's to 1e-8, and finite."""
    x = np.array([0.01, 0.1, 0.5])
    case = {"distribution": "TruncatedNormal", "mu": mu, "sigma": 1.0, "lower": 0.0}
    wanted = stats.norm(mu, 1.0).logpdf(x) - stats.norm(mu, 1.0).logsf(0.0)
    assert _density(case, x) == pytest.approx(wanted, rel=1e-8, abs=1e-8)
    mirrored = {"distribution": "TruncatedNormal", "mu": -mu, "sigma": 1.0, "upper": 0.0}
    assert _density(mirrored, -x) == pytest.approx(wanted, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("mu", [-30.0, -9.0, 1.0, 9.0, 30.0])
def test_truncation_at_both_ends(mu: float) -> None:
    """An interval far from the mean, on either side, has scipy's density to 1e-8."""
    x = np.array([-0.9, 0.1, 1.5])
    case = {"distribution": "TruncatedNormal", "mu": mu, "sigma": 1.0, "lower": -1.0, "upper": 2.0}
    wanted = stats.truncnorm(-1.0 - mu, 2.0 - mu, mu, 1.0).logpdf(x)
    assert _density(case, x) == pytest.approx(wanted, rel=1e-8, abs=1e-8)
