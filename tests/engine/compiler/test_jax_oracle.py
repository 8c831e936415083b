"""Values and gradients against JAX, which traces, differentiates and compiles the same formulas by code of its own.

Skipped where JAX is not installed: users do not need its 340 MB. `.ci/run` installs it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.geometry import training_data
from mmm_engine.posterior.log_density import compile_log_density, log_density
from tests.engine.compiler.harness import compiled
from tests.engine.compiler.test_random_formulas import grown, trees
from tests.engine.model_cases import EVENTS, LIFTS, small_inputs

jax = pytest.importorskip("jax", reason="JAX is not installed (`.ci/run` installs it)")


@pytest.fixture(scope="module", autouse=True)
def _double_precision() -> Any:
    """JAX computes in single precision unless it is told otherwise."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def jnp() -> Any:
    """JAX's array functions under the names that formulas have for them."""
    from jax import numpy
    from jax.scipy import special

    names = (
        "exp",
        "expm1",
        "where",
        "log",
        "log1p",
        "sqrt",
        "tanh",
        "abs",
        "maximum",
        "minimum",
        "concatenate",
    )
    plain = {name: getattr(numpy, name) for name in names}
    return SimpleNamespace(
        **plain,
        ones_like=numpy.ones_like,
        zeros_like=numpy.zeros_like,
        erfc=special.erfc,
        gammaln=special.gammaln,
        sigmoid=jax.nn.sigmoid,
        softplus=lambda x: numpy.logaddexp(0.0, x),
    )


MODELS: list[dict[str, Any]] = [
    {},
    {"time_varying_media": True, "time_varying_intercept": True, "yearly_seasonality": 2},
    {"saturation": "hill", "adstock": {"kind": "weibull_pdf", "max_lag": 5}, "likelihood": "student_t"},
    {"saturation": "logistic", "adstock": {"kind": "delayed", "max_lag": 5}, "trend": {"changepoints": 3}},
    {"saturation": "tanh", "controls": [], "likelihood": "truncated_normal", "lift_tests": LIFTS},
    {"saturation": "root", "adstock": {"kind": "binomial", "max_lag": 4}, "events": EVENTS},
    {
        "channels": [
            {"column": "tv", "adstock": {"kind": "weibull_cdf", "max_lag": 4}},
            {"column": "radio", "adstock": {"kind": "none"}, "saturation": "hill_sigmoid"},
            {"column": "search", "saturation": "inverse_scaled_logistic"},
        ]
    },
]


@pytest.mark.parametrize(
    ("kind", "model"),
    [*(("decorrelating", model) for model in MODELS), *(("plain", model) for model in MODELS[:2])],
    ids=lambda value: value if isinstance(value, str) else " ".join(value) or "default",
)
def test_log_densities_are_those_of_jax(kind: str, model: dict[str, Any], jnp: Any) -> None:
    """At random points value and gradient of the model's log density agree to 1e-12 of the largest derivative."""
    inputs = small_inputs(rows=40, held_out=4, **dict(model))
    specification = model_specification(inputs.config, inputs.calendar.period)
    density = compile_log_density(specification, kind)
    data = training_data(inputs, specification)

    def formula(flat: Any) -> Any:
        return log_density(density.coordinates, flat, data, jnp)

    derivative = _differentiated(formula, density.coordinates.size)
    for seed in range(3):
        flat = 0.5 * np.random.default_rng(seed).normal(size=density.coordinates.size)
        _assert_equal(density.evaluate(flat, data), derivative(flat))


@settings(max_examples=15)
@given(trees())
def test_random_formulas_are_those_of_jax(jnp: Any, tree: Any) -> None:
    """Elementwise operations in any order have JAX's value and gradient."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        columns = [f[:3], 3.0 * f[3:6], 0.1 * f[6:9]]
        return (grown(tree, xp, columns) * np.array([1.0, -2.0, 0.5])).sum() + (f * f).sum()

    found = compiled(formula, 9, ())(flat := np.random.default_rng(1).normal(size=9), {}, (0, 0))
    assert found.status == 0
    _assert_equal((found.value, found.slopes), _differentiated(lambda at: formula(jnp, at, None), 9)(flat))


def _differentiated(formula: Callable[[Any], Any], size: int) -> Callable[[Any], Any]:
    """Value and gradient by JAX, whose compiler need not optimise what runs three times."""
    traced = jax.jit(jax.value_and_grad(formula)).lower(jax.ShapeDtypeStruct((size,), np.float64))
    compiled_by_jax: Callable[[Any], Any] = traced.compile(
        compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    )
    return compiled_by_jax


def _assert_equal(ours: tuple[float, Any], theirs: tuple[Any, Any]) -> None:
    """To 1e-12: of the value, and of the largest derivative."""
    value, gradient = float(theirs[0]), np.asarray(theirs[1])
    assert ours[0] == pytest.approx(value, rel=1e-12, abs=1e-12)
    assert ours[1] == pytest.approx(gradient, rel=1e-12, abs=1e-12 * max(1.0, np.abs(gradient).max()))
