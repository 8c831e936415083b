"""Targets with known truth, made from a client's own media and controls.

Here: parameters drawn from the prior or from a fitted posterior, the targets they give, the rule for absurd ones.
Not here: refitting and scoring them (recovery.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.client.windows import Window
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.errors import Fault, FitError
from mmm_engine.model.arrays import ModelData, first_rows, model_data
from mmm_engine.model.lift_arrays import known_lift_tests
from mmm_engine.model.lift_tests import lift_gains, lift_variance
from mmm_engine.model.likelihood import draw_targets
from mmm_engine.model.mean import mean, mean_terms
from mmm_engine.model.prior_draws import draw_parameters
from mmm_engine.model.specification import ModelSpecification, model_specification
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.rows.window import ScaledInputs

RECOVERY = Window("recovery", 0)  # all rows, with a simulated target
_TRIES = 100  # refused draws in a row after which the priors, not chance, are to blame
_NEGATIVE_SHARE_MAX = 0.5


@dataclass(frozen=True)
class SimulatedTarget:
    """A target made from known parameters and a client's own media and controls.

    Attributes:
        inputs: The training rows of the window with the simulated target in place of the observed one.
        truth: Parameters by name, model space, without a draw axis.
        contribution_scaled: True contribution per channel over the training rows, model space, shape (channel,).
        rejected: Draws that the rule refused before this one.
    """

    inputs: ScaledInputs
    truth: dict[str, Floats]
    contribution_scaled: Floats
    rejected: int


def simulate_target(inputs: ScaledInputs, seed: int, fitted: FittedWindow | None = None) -> SimulatedTarget:
    """One simulated target; see `simulate_targets`."""
    return next(simulate_targets(inputs, seed, fitted))


def simulate_targets(
    inputs: ScaledInputs, seed: int, fitted: FittedWindow | None = None
) -> Iterator[SimulatedTarget]:
    """Simulated targets without end, each from other parameters.

    Rule for absurd targets: a draw is refused when its target is not finite or negative in more than half of the
    rows. The rule looks at the target only, so that refits stay calibrated for what is kept.

    Parameters and noise come from two independent streams of the seed: ranks of a truth are uniform only when the noise
    of its target does not hang on it. Refits count the rows in full (`likelihood_power` 1): the model that made a
    target is not wrong about it, and only then are ranks uniform.

    Args:
        inputs: The client's window; its own target is not looked at.
        seed: Seed of both streams.
        fitted: Parameters are drawn from its posterior; from the prior when None.

    Raises:
        FitError: If 100 draws in a row are refused.
    """
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = first_rows(model_data(inputs, specification), inputs.train_rows)
    truth_stream, noise_stream = np.random.default_rng(seed).spawn(2)
    rejected = 0
    for truth in _truths(specification, train, truth_stream, fitted):
        terms = mean_terms(truth, train, specification, numpy_functions())
        mean_scaled = np.asarray(mean(terms), dtype=float)
        target_scaled = draw_targets(mean_scaled, truth, specification, noise_stream)[0]
        if np.isfinite(target_scaled).all() and (target_scaled < 0).mean() <= _NEGATIVE_SHARE_MAX:
            parameters = {name: value[0] for name, value in truth.items()}
            simulated = _with_target(inputs, target_scaled)
            if specification.lift_channels:
                gains = lift_gains(truth, train, specification, terms.multiplier, numpy_functions())
                sd = np.sqrt(np.asarray(lift_variance(gains, train)[0]))
                simulated = _with_lift_tests(simulated, noise_stream.normal(np.asarray(gains[0]), sd))
            yield SimulatedTarget(simulated, parameters, np.asarray(terms.media.sum(axis=-2)[0]), rejected)
            rejected = 0
            continue
        rejected += 1
        if rejected == _TRIES:
            raise FitError(
                f"client '{inputs.config.client}', recovery",
                Fault(
                    "priors",
                    f"{_TRIES} draws in a row with absurd targets",
                    "priors that can produce the target",
                    "tighten the priors",
                ),
            )


def _truths(
    specification: ModelSpecification, train: ModelData, rng: np.random.Generator, fitted: FittedWindow | None
) -> Iterator[dict[str, Floats]]:
    """Parameters by name, each with a draw axis of length one, without end."""
    while True:
        if fitted is None:
            values = draw_parameters(specification, train, _TRIES, rng)
            order = np.arange(_TRIES)
        else:
            values = fitted.draws
            order = rng.permutation(len(next(iter(values.values()))))
        for number in order:
            yield {name: value[number : number + 1] for name, value in values.items()}


def _with_target(inputs: ScaledInputs, target_scaled: Floats) -> ScaledInputs:
    """The training rows with a target that the model itself made, so that its rows count in full."""
    config = inputs.config
    model = config.model.model_copy(update={"likelihood_power": 1.0})
    exact = config.model_copy(update={"model": model})
    rows = inputs.first(inputs.train_rows)
    return replace(rows, window=RECOVERY, target_scaled=target_scaled, config=exact)


def _with_lift_tests(inputs: ScaledInputs, measured_scaled: Floats) -> ScaledInputs:
    """The lift tests of the training rows with results that follow from the truth; the others do not count anyway.

    Args:
        inputs: The training rows.
        measured_scaled: What the tests measured, model space, shape (test, channel with tests).
    """
    tests = list(inputs.config.lift_tests)
    for known in known_lift_tests(inputs):
        measured = float(measured_scaled[known.block, known.column]) * inputs.scales.target
        tests[known.number] = known.test.model_copy(update={"delta_y": measured})
    return replace(inputs, config=inputs.config.with_lift_tests(tests))
