"""Our density is pymc-marketing's: same value and gradient, for every term of the model that it has too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from mmm_engine.client.model_config import ModelConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.lift_tests import lift_gains
from mmm_engine.model.likelihood import draw_targets
from mmm_engine.model.mean import MeanTerms, mean, mean_terms
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS
from mmm_engine.model.pymc_reference import INTERCEPT_NAMES, add_lift_tests, build_pymc_mmm, training_frame
from mmm_engine.model.specification import ModelSpecification, model_specification
from mmm_engine.posterior.bijectors import IDENTITY
from mmm_engine.posterior.coordinates import Coordinates
from mmm_engine.posterior.geometry import TrainingData, training_data
from mmm_engine.posterior.log_density import compile_log_density
from mmm_engine.rows.window import ScaledInputs
from tests.engine.model_cases import EVENTS, EXPERIMENTS, HOLIDAYS, LIFTS, small_inputs

DAILY_EVENTS = {"launch": ["2022-01-20"], "sale": [{"start": "2022-01-12", "end": "2022-01-14"}]}
LIKELIHOODS = ("normal", "student_t", "truncated_normal")

COMBINATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("geometric", "michaelis_menten", {"time_varying_media": True}),
    ("geometric", "logistic", {"yearly_seasonality": 2}),
    ("geometric", "hill", {"time_varying_intercept": True}),
    ("delayed", "tanh", {}),
    ("binomial", "root", {}),
    ("weibull_pdf", "hill_sigmoid", {}),
    ("weibull_cdf", "inverse_scaled_logistic", {"likelihood": "student_t"}),
    ("none", "none", {"time_varying_media": True, "time_varying_intercept": True}),
    ("none", "log", {}),
    ("geometric", "michaelis_menten", {"trend": {"changepoints": 3}, "events": EVENTS}),
    ("delayed", "michaelis_menten", {"likelihood": "truncated_normal"}),
    ("geometric", "logistic", {"weekly_seasonality": True, "holidays": HOLIDAYS, "events": DAILY_EVENTS}),
    ("delayed", "logistic", {"lift_tests": EXPERIMENTS}),
    ("geometric", "hill", {"lift_tests": [*LIFTS, *EXPERIMENTS], "time_varying_media": True}),
]
# channels with kinds of their own, which pymc-marketing does not have
MIXED = (
    "geometric",
    "michaelis_menten",
    {
        "channels": [
            {"column": "tv", "adstock": {"kind": "delayed", "max_lag": 6}},
            {"column": "radio", "adstock": {"kind": "none"}, "saturation": "root"},
            {"column": "search", "saturation": "tanh"},
        ]
    },
)
NOISE = 0.05


def _short(value: str | dict[str, Any]) -> str:
    return value if isinstance(value, str) else " ".join(value) or "plain"


def test_table_has_every_option() -> None:
    """A new adstock, saturation or term has to join the table; what has no equal there stands beside it."""
    terms = {name for *_, settings in COMBINATIONS for name in settings}
    beside = {
        "adstock",
        "saturation",
        "n_basis",
        "priors",
        "preset",
        "returns",
        "baseline",
        "likelihood_power",
    }
    assert terms == ModelConfig.model_fields.keys() - beside | {"lift_tests"}
    assert {settings.get("likelihood", "normal") for *_, settings in COMBINATIONS} == set(LIKELIHOODS)
    assert {adstock for adstock, *_ in COMBINATIONS} == set(ADSTOCKS)
    assert {saturation for _, saturation, _ in COMBINATIONS} == set(SATURATIONS)


@pytest.mark.parametrize(("adstock", "saturation", "terms"), COMBINATIONS, ids=_short)
@pytest.mark.filterwarnings("ignore")
def test_density_and_gradient_agree(
    our_density: Any, adstock: str, saturation: str, terms: dict[str, Any]
) -> None:
    """At 100 random points value and gradient agree with pymc-marketing's to 1e-8 relative.

    Values are compared up to a constant: theirs has the normalising constant in single precision.
    """
    inputs = small_inputs(rows=40, adstock={"kind": adstock, "max_lag": 4}, saturation=saturation, **terms)
    ours, coordinates = our_density(model_specification(inputs.config, inputs.calendar.period))
    slots = {slot.part.name: (slot.start, slot.stop) for slot in coordinates.slots}
    train = training_data(inputs, coordinates.specification)
    theirs, variables = _their_density(inputs)
    order = np.concatenate([np.arange(*slots[own]) for _, own, _ in variables])
    kept = np.concatenate([_kept(slots[own], shape) for _, own, shape in variables])
    unused = (
        np.log(2.0) if "trend" in terms else 0.0
    )  # density of their last change of slope, Laplace(0, 0.25), at 0
    rng = np.random.default_rng(1)
    constant, compared = None, 0
    for _ in range(110):
        flat = 0.5 * rng.normal(size=coordinates.size)
        point = {name: _filled(flat[slice(*slots[own])], shape) for name, own, shape in variables}
        value, gradient = ours(flat, train)
        wanted, wanted_gradient = theirs(point)
        wanted_gradient = wanted_gradient[kept]
        assert np.isfinite(gradient).all()
        if not np.isfinite(wanted_gradient).all():
            continue  # their Weibull kernel has no gradient far out in its tail; ours has
        compared += 1
        constant = float(wanted - value) if constant is None else constant
        assert constant == pytest.approx(unused, abs=1e-5)
        assert value + constant == pytest.approx(wanted, rel=1e-8, abs=1e-8)
        assert gradient[order] == pytest.approx(
            wanted_gradient, rel=1e-8, abs=1e-8 * np.abs(wanted_gradient).max()
        )
    assert compared >= 100


@pytest.mark.parametrize(("adstock", "saturation", "terms"), [*COMBINATIONS, MIXED], ids=_short)
def test_every_option_is_fitted_to_data_made_with_it(
    our_density: Any, adstock: str, saturation: str, terms: dict[str, Any]
) -> None:
    """The posterior mode explains data made with the option as its truth does, and finds the mean without the noise.

    A mode, not draws: `tests/benchmarks/model_options.py` draws from all of them, `test_model_terms.py` from one with
    all terms.
    """
    inputs = small_inputs(rows=88, adstock={"kind": adstock, "max_lag": 4}, saturation=saturation, **terms)
    density, coordinates = our_density(model_specification(inputs.config, inputs.calendar.period))
    train, truth, expected = _made_by(coordinates, inputs)

    def loss(point: Any) -> tuple[float, Any]:
        value, gradient = density(point, train)
        return -float(value), -gradient

    start = 0.1 * np.random.default_rng(2).normal(size=coordinates.size)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    assert -found.fun > density(truth, train)[0]
    fitted = mean(_terms(coordinates, found.x, train))
    assert np.std(expected) > 2 * NOISE
    assert np.sqrt(np.mean((fitted - expected) ** 2)) < 0.7 * NOISE
    assert np.std(train.target_scaled - fitted) == pytest.approx(
        np.std(train.target_scaled - expected), rel=0.3
    )


def _made_by(coordinates: Coordinates, inputs: ScaledInputs) -> tuple[TrainingData, Any, Any]:
    """Training rows with a target (and results of lift tests) made by a random truth; the truth; its mean."""
    specification, rng = coordinates.specification, np.random.default_rng(1)
    train = training_data(inputs, specification)
    truth = 0.5 * rng.normal(size=coordinates.size)
    for slot in coordinates.slots:
        prior = dict(slot.part.prior.arguments)
        if slot.part.name == "y_sigma":
            truth[slot.start] = np.log(NOISE)
        elif slot.bijector is IDENTITY and slot.part.prior.distribution == "Normal":
            truth[slot.start : slot.stop] = (
                prior["mu"] + slot.part.prior.typical_scale * truth[slot.start : slot.stop]
            )
    terms = _terms(coordinates, truth, train)
    values = coordinates.parameters(truth, train, numpy_functions())
    expected = np.asarray(mean(terms), dtype=float)
    many = {name: value[None] for name, value in values.items()}
    target = draw_targets(expected[None], many, specification, rng)[0]
    made = replace(train, target_scaled=target)
    if specification.lift_channels:
        gains = lift_gains(values, train, specification, terms.multiplier, numpy_functions())
        made = replace(made, lift_gain=np.asarray(gains, dtype=float))
    return made, truth, expected


def _terms(coordinates: Coordinates, point: Any, train: TrainingData) -> MeanTerms:
    values = coordinates.parameters(point, train, numpy_functions())
    return mean_terms(values, train, coordinates.specification, numpy_functions())


def _filled(values: Any, shape: tuple[int, ...]) -> Any:
    """Our values in their shape: their trend has one more change of slope, at the last row, which changes nothing."""
    size = int(np.prod(shape))
    return np.concatenate([values, np.zeros(size - len(values))]).reshape(shape)


def _kept(slot: tuple[int, int], shape: tuple[int, ...]) -> Any:
    """Which of their elements we have."""
    return np.arange(int(np.prod(shape))) < slot[1] - slot[0]


Density = Callable[[Any, TrainingData], tuple[Any, Any]]


@pytest.fixture(scope="module")
def our_density() -> Callable[[ModelSpecification], tuple[Density, Coordinates]]:
    """The machine code of our density in plain coordinates as a function of a point and of data."""

    def compiled(specification: ModelSpecification) -> tuple[Density, Coordinates]:
        density = compile_log_density(specification, "plain")
        return density.evaluate, density.coordinates

    return compiled


def _their_density(inputs: Any) -> tuple[Any, list[tuple[str, str, tuple[int, ...]]]]:
    mmm = build_pymc_mmm(inputs)
    mmm.build_model(*training_frame(inputs))
    if inputs.config.lift_tests:
        add_lift_tests(mmm, inputs)
    model = mmm.model
    ours = {INTERCEPT_NAMES[inputs.config.model.time_varying_intercept]: "intercept", "delta": "trend_delta"}
    shapes = {name: value.shape for name, value in model.initial_point().items()}
    names = [
        (value.name, ours.get(variable.name, variable.name), shapes[value.name])
        for value, variable in ((value, model.values_to_rvs[value]) for value in model.continuous_value_vars)
    ]
    value = model.compile_fn(model.logp(), mode="FAST_COMPILE")
    gradient = model.compile_fn(model.dlogp(), mode="FAST_COMPILE")
    return (lambda point: (float(value(point)), gradient(point))), names
