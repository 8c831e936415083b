"""Priors: read from a client file, named where they are wrong, put together from parts."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.client.config import ClientConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.errors import ConfigError
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS
from mmm_engine.model.parameters import ParameterSpec, PriorPart, Role, Unit, assemble, free_variables
from mmm_engine.model.prior_draws import draw_variables
from mmm_engine.model.priors import read_prior
from mmm_engine.model.specification import model_specification, specification_problems
from mmm_engine.posterior.coordinate_choice import decorrelating_coordinates
from mmm_engine.posterior.geometry import training_data
from mmm_engine.posterior.log_density import log_density
from tests.engine.model_cases import EVENTS, small_config, small_inputs


def test_both_spellings_of_a_prior_are_read() -> None:
    """pymc-extras writes priors in two ways; dims are ours to decide."""
    short = read_prior({"distribution": "Gamma", "mu": 2, "sigma": 1, "dims": "channel"}, "here", "me")
    long = read_prior({"dist": "Gamma", "kwargs": {"mu": 2, "sigma": 1}}, "here", "me")
    assert short == long
    assert str(short) == "Gamma(mu=2, sigma=1)"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"distribution": "HalfNormale", "sigma": 1}, "did you mean 'HalfNormal'"),
        ({"distribution": "HalfNormal", "sigma": "wide"}, "model.priors.intercept.sigma"),
        ({"distribution": "HalfNormal", "sigma": float("nan")}, "a finite number"),
        ("HalfNormal", "a mapping such as"),
    ],
)
def test_wrong_priors_say_what_is_wrong(value: object, message: str) -> None:
    """Unknown distribution, text for a number, NaN, no mapping."""
    with pytest.raises(ConfigError, match=message):
        model_specification(_with(value), "week")


def _with(value: object) -> ClientConfig:
    config = small_config()
    return config.model_copy(
        update={"model": config.model.model_copy(update={"priors": {"intercept": value}})}
    )


def test_unknown_prior_name_suggests_the_right_one() -> None:
    """A typo in a prior's name is refused by name."""
    with pytest.raises(ConfigError, match="did you mean 'saturation_lam'"):
        model_specification(
            small_config(priors={"saturation_lamb": {"distribution": "HalfNormal", "sigma": 1}}), "week"
        )


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (
            {"distribution": "Laplace", "b": 1},
            "found Laplace; wanted one of Normal, StudentT, TruncatedNormal",
        ),
        (
            {"distribution": "Normal", "mu": 3, "sigma": 1},
            "wanted Normal with sigma: its mean is the model's",
        ),
        ({"distribution": "Normal", "tau": 1}, "wanted Normal with sigma"),
        ({"distribution": "StudentT", "nu": 4}, "wanted StudentT with nu and sigma"),
        (
            {"distribution": "TruncatedNormal", "lower": 1, "sigma": 1},
            "TruncatedNormal\\(lower=0, sigma=…\\)",
        ),
    ],
    ids=lambda value: value["distribution"] if isinstance(value, dict) else "",
)
def test_likelihoods_have_their_arguments_and_no_others(prior: dict[str, object], message: str) -> None:
    """A mean, a precision or a missing scale would be left out without a word, or stop the fit."""
    with pytest.raises(ConfigError, match=message):
        model_specification(small_config(priors={"likelihood": prior}), "week")


def test_a_channel_has_priors_of_its_own_parameters_only() -> None:
    """A name that belongs to the model, or to another channel's curve, is refused where it stands."""
    half = {"distribution": "HalfNormal", "sigma": 1}
    channels = {
        "tv": {"saturation": "hill", "priors": {"saturation_hill_kappa": half}},
        "radio": {"priors": {"saturation_hill_kappa": half, "intercept": half}},
    }
    with pytest.raises(ConfigError) as refused:
        model_specification(small_config(channels=channels), "week")
    assert [fault.where for fault in refused.value.faults] == [
        "channels.radio.priors.intercept",
        "channels.radio.priors.saturation_hill_kappa",
    ]


NORMAL = {"distribution": "Normal", "mu": 0.5, "sigma": 0.2}


@pytest.mark.parametrize(
    ("name", "prior", "found"),
    [
        ("adstock_alpha", {"distribution": "HalfNormal", "sigma": 0.3}, "which reaches from 0 to inf"),
        ("adstock_alpha", {"distribution": "Uniform", "lower": 0, "upper": 2}, "which reaches from 0 to 2"),
        ("saturation_lam", NORMAL, "which reaches from -inf to inf; wanted a prior on numbers above 0: HalfNormal, "),
        ("saturation_alpha", {**NORMAL, "mu": {"distribution": "Normal", "mu": 9, "sigma": 0.1}}, "reaches from -inf"),
        ("saturation_alpha", {"distribution": "TruncatedNormal", "lower": -1, "mu": 1, "sigma": 1}, "from -1 to inf"),
        ("event_sigma", NORMAL, "write for example Gamma(mu=7, sigma=1)"),
    ],
)  # fmt: skip
def test_a_prior_that_reaches_beyond_its_parameter_is_refused(
    name: str, prior: dict[str, object], found: str
) -> None:
    """A carry-over above 1, a curve that falls, a bump of negative width: once, whatever the number of channels."""
    with pytest.raises(ConfigError) as refused:
        model_specification(small_config(priors={name: prior}, events=EVENTS), "week")
    (fault,) = refused.value.faults
    assert fault.where == f"model.priors.{name}"
    assert found in str(fault)


def test_a_channel_s_prior_that_reaches_beyond_is_refused_where_it_stands() -> None:
    """The prior of the model is sound, that of one channel is not."""
    channels = ["tv", {"column": "radio", "priors": {"adstock_alpha": NORMAL}}]
    with pytest.raises(ConfigError) as refused:
        model_specification(small_config(channels=channels), "week")
    assert [fault.where for fault in refused.value.faults] == ["channels.radio.priors.adstock_alpha"]


@pytest.mark.parametrize(
    ("name", "prior"),
    [
        ("saturation_slope", {"distribution": "Normal", "mu": 1, "sigma": 0.1}),
        ("adstock_alpha", {"distribution": "Uniform", "lower": 0.1, "upper": 0.9}),
        ("adstock_alpha", {"distribution": "TruncatedNormal", "mu": 0.5, "sigma": 1, "lower": 0, "upper": 1}),
        ("saturation_kappa", {"distribution": "Beta", "alpha": 2, "beta": 2}),
        ("intercept", NORMAL),
        ("gamma_control", NORMAL),
    ],
)
def test_a_prior_with_all_its_mass_where_the_parameter_may_be_stands(
    name: str, prior: dict[str, object]
) -> None:
    """Ends of its own, a subset, a normal ten deviations above 0; and parameters that may be anything."""
    specification = model_specification(small_config(saturation="hill", priors={name: prior}), "week")
    assert specification.parameter(name).parts[0].prior.distribution == prior["distribution"]


def test_every_default_prior_lies_within_its_parameter() -> None:
    """Nothing of what a client gets without writing it would be refused."""
    for preset in ("toolkit", "calibrated"):
        for saturation in SATURATIONS:
            for adstock in ADSTOCKS:
                model = {
                    "preset": preset,
                    "saturation": saturation,
                    "adstock": {"kind": adstock, "max_lag": 3},
                }
                assert specification_problems(small_config(events=EVENTS, **model), "week") == []


def test_a_beta_prior_may_have_a_prior_on_its_second_argument() -> None:
    """Beta(1, b) with b known has a map of its own; with a prior on b it takes the general one."""
    prior = {"distribution": "Beta", "alpha": 1, "beta": {"distribution": "Gamma", "mu": 3, "sigma": 1}}
    inputs = small_inputs(priors={"adstock_alpha": prior})
    specification = model_specification(inputs.config, inputs.calendar.period)
    coordinates, data = decorrelating_coordinates(specification), training_data(inputs, specification)
    flat = 0.3 * np.random.default_rng(0).normal(size=coordinates.size)
    variables, _ = coordinates.variables(flat, data, numpy_functions())
    assert np.isfinite(log_density(coordinates, flat, data, numpy_functions()))
    assert ((variables["adstock_alpha"] > 0.0) & (variables["adstock_alpha"] < 1.0)).all()
    assert variables["adstock_alpha_beta"].shape == (1,)


def test_own_prior_replaces_the_default() -> None:
    """The client's prior is the one the model carries."""
    specification = model_specification(
        small_config(priors={"intercept": {"distribution": "HalfNormal", "sigma": 3}}), "week"
    )
    assert str(specification.parameters[0].parts[0].prior) == "HalfNormal(sigma=3)"


def test_control_effects_may_differ_in_sign() -> None:
    """Negative effects are minus a positive variable; elements keep their order."""
    config = small_config(
        controls=[{"column": "price", "effect": "negative"}, "promo", {"column": "rain", "effect": "any"}]
    )
    spec = next(
        spec for spec in model_specification(config, "week").parameters if spec.name == "gamma_control"
    )
    variables = {part.name: np.full((1, len(part.indices)), 2.0) for part in spec.parts}
    assert assemble(spec, variables, numpy_functions()).tolist() == [[-2.0, 2.0, 2.0]]


def test_hyperpriors_come_before_what_depends_on_them() -> None:
    """A prior whose argument is a prior adds a variable in front of it, and can be drawn."""
    nested = read_prior(
        {"distribution": "HalfNormal", "sigma": {"distribution": "HalfNormal", "sigma": 1}}, "x", "me"
    )
    spec = ParameterSpec(
        "beta", Role.SATURATION_SCALE, Unit.TARGET, "channel", (PriorPart("beta", (0, 1), nested),)
    )
    assert [part.name for part in free_variables((spec,))] == ["beta_sigma", "beta"]
    drawn = draw_variables((spec,), 4000, np.random.default_rng(1))
    assert drawn["beta"].shape == (4000, 2)
    # E|N(0, s)| = s sqrt(2/pi) with s itself half-normal of mean sqrt(2/pi): together 2/pi
    assert drawn["beta"].mean() == pytest.approx(2 / np.pi, rel=0.1)


def test_prior_draws_have_the_prior_s_moments() -> None:
    """Gamma(mu 2, sigma 1) has mean 2 and standard deviation 1; Beta(1, 3) has mean 1/4."""
    drawn = draw_variables(
        model_specification(small_config(), "week").parameters, 4000, np.random.default_rng(0)
    )
    assert drawn["saturation_alpha"].mean() == pytest.approx(2.0, rel=0.05)
    assert drawn["saturation_alpha"].std() == pytest.approx(1.0, rel=0.05)
    assert drawn["adstock_alpha"].mean() == pytest.approx(0.25, rel=0.05)
