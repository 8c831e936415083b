"""Names and ranges of a prior's arguments: what is wrong is named, and what is right is not refused."""

from __future__ import annotations

from typing import Any

import pytest

from mmm_engine.distributions.arguments import prior_problems
from mmm_engine.distributions.table import DISTRIBUTIONS
from mmm_engine.errors import ConfigError
from mmm_engine.model.priors import read_prior

HALF = {"distribution": "HalfNormal", "sigma": 1}


@pytest.mark.parametrize(
    ("prior", "fault"),
    [
        (
            {"distribution": "HalfNormal", "sd": 0.3},
            "intercept.sd: found an unknown argument 'sd'; wanted HalfNormal(sigma > 0) or HalfNormal(tau > 0); "
            "did you mean 'sigma'?",
        ),
        (
            {"distribution": "HalfNormal", "sigmaa": 5},
            "intercept.sigmaa: found an unknown argument 'sigmaa'; wanted HalfNormal(sigma > 0) or "
            "HalfNormal(tau > 0); did you mean 'sigma'?",
        ),
        (
            {"distribution": "Gamma", "mu": 2},
            "intercept: found Gamma with mu alone; wanted Gamma(alpha > 0, beta > 0) or Gamma(mu > 0, sigma > 0); "
            "add sigma",
        ),
        (
            {"distribution": "Gamma"},
            "intercept: found Gamma with no arguments; wanted Gamma(alpha > 0, beta > 0) or Gamma(mu > 0, sigma > 0); "
            "add alpha and beta",
        ),
        (
            {"distribution": "Gamma", "mu": 2, "beta": 1},
            "intercept: found Gamma with beta and mu; wanted Gamma(alpha > 0, beta > 0) or Gamma(mu > 0, sigma > 0); "
            "keep the arguments of one of them",
        ),
        (
            {"distribution": "Normal", "mu": 0, "sigma": 1, "tau": 1},
            "intercept: found Normal with mu and sigma and tau; wanted Normal(mu, sigma > 0) or Normal(mu, tau > 0); "
            "keep the arguments of one of them",
        ),
        (
            {"distribution": "Normal", "mu": 0, "sigma": -1},
            "intercept.sigma: found -1; wanted a number above 0, or a prior; write such a value",
        ),
        (
            {"distribution": "HalfNormal", "sigma": 0},
            "intercept.sigma: found 0; wanted a number above 0, or a prior; write such a value",
        ),
        (
            {"distribution": "HalfNormal", "sigma": True},
            "intercept.sigma: found True; wanted a number above 0, or a prior; correct it",
        ),
        (
            {"distribution": "Beta", "mu": 1.5, "nu": 4},
            "intercept.mu: found 1.5; wanted a number above 0 and below 1, or a prior; write such a value",
        ),
        (
            {"distribution": "Beta", "mu": 0.5, "sigma": 0.5},
            "intercept: found Beta with mu 0.5, sigma 0.5; wanted sigma below sqrt(mu (1 - mu)); correct one of them",
        ),
        (
            {"distribution": "Beta", "mu": 0.5, "sigma": HALF},
            "intercept.sigma: found a prior; wanted a number above 0; write a number: a prior cannot stand here",
        ),
        (
            {"distribution": "Beta", "alpha": 1, "beta": {"distribution": "Normal", "mu": 3, "sigma": 1}},
            "intercept.beta: found Normal, which reaches from -inf to inf; wanted a prior on numbers above 0; "
            "choose another distribution",
        ),
        (
            {"distribution": "HalfNormal", "sigma": {"distribution": "HalfNormal", "sgma": 1}},
            "intercept.sigma.sgma: found an unknown argument 'sgma'; wanted HalfNormal(sigma > 0) or "
            "HalfNormal(tau > 0); did you mean 'sigma'?",
        ),
        (
            {"distribution": "TruncatedNormal", "mu": 0, "sigma": 1, "lower": 2, "upper": 1},
            "intercept: found TruncatedNormal with lower 2, mu 0, sigma 1, upper 1; wanted lower below upper; "
            "correct one of them",
        ),
        (
            {"distribution": "Uniform", "lower": HALF, "upper": 1},
            "intercept.lower: found a prior; wanted a number; write a number: a prior cannot stand here",
        ),
        (
            {"distribution": "Normal", "mu": [1, 2], "sigma": 1},
            "intercept.mu: found [1, 2]; wanted a number, or a prior; correct it",
        ),
        (
            {"distribution": "Normal", "mu": 0, "sigma": 1, "transform": "sigmoid"},
            "intercept.transform: found 'sigmoid'; wanted no transform; delete it",
        ),
        (
            {"distribution": "Gama", "mu": 2, "sigma": 1},
            "intercept: found distribution 'Gama'; wanted a distribution that is supported; did you mean 'Gamma'?",
        ),
        (
            {"distribution": "Wald", "mu": 2, "lam": 1, "alpha": 0.5},  # its support would not begin at 0
            "intercept.alpha: found an unknown argument 'alpha'; wanted Wald(mu > 0, lam > 0) or "
            "Wald(mu > 0, phi > 0) or Wald(lam > 0, phi > 0) or Wald(mu > 0); delete it",
        ),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused_by_name(prior: dict[str, Any], fault: str) -> None:
    """Place, what stands there, what may stand there, and the nearest right name."""
    with pytest.raises(ConfigError) as refused:
        read_prior(prior, "intercept", "me")
    assert [str(one) for one in refused.value.faults] == [fault]


def test_all_faults_of_a_prior_come_at_once() -> None:
    """A mistyped name and a value out of range, each in its place."""
    prior = {"distribution": "StudentT", "nu": -1, "mew": 2, "sigma": 0}
    assert [problem.path for problem in prior_problems(prior)] == [("mew",), ("nu",), ("sigma",)]


@pytest.mark.parametrize(
    "prior",
    [
        {"distribution": "HalfNormal"},
        {"dist": "Gamma", "kwargs": {"mu": 2, "sigma": 1}},
        {"distribution": "Normal", "mu": "-2", "sigma": 1, "dims": "channel", "centered": False},
        {"distribution": "Beta", "alpha": 1, "beta": HALF},
        {"distribution": "Beta", "mu": {"distribution": "Beta", "alpha": 1, "beta": 1}, "nu": HALF},
        {"distribution": "HalfNormal", "sigma": {"distribution": "Uniform", "lower": 0, "upper": 2}},
        {"distribution": "Normal", "mu": {"distribution": "Normal"}, "sigma": {**HALF, "sigma": HALF}},
        {"distribution": "TruncatedNormal", "lower": 0},
        {"distribution": "Wald", "mu": 2},
    ],
    ids=str,
)
def test_right_arguments_are_not_refused(prior: dict[str, Any]) -> None:
    """Defaults, both spellings, numbers as text, priors on arguments as far as they stay in the argument's range."""
    assert list(prior_problems(prior)) == []
    read_prior(prior, "intercept", "me")


def test_no_two_parametrisations_have_the_same_required_arguments() -> None:
    """Which one is meant is always clear: the first that fits is the only one with these names, or has defaults."""
    for family in DISTRIBUTIONS.values():
        ways = [way.names for way in family.parametrisations]
        assert len(set(ways)) == len(ways)
        for way in family.parametrisations:
            assert family.parametrisation(way.names) is way
