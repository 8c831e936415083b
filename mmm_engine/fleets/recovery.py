"""Recovery: can the model find parameters that are known, given this client's media and controls?

Here: truth drawn from the prior, a target simulated with it, the refit, and how well truth is found.
Not here: the formulas (calibration.py), the fit (sampler.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mmm_engine.arrays import numpy_functions
from mmm_engine.calibration import contraction, recovery_score, z_score
from mmm_engine.config import SamplerConfig
from mmm_engine.errors import Fault, FitError
from mmm_engine.model import mean, mean_terms, model_data, parameter_values, training_data
from mmm_engine.predict import flat_draws
from mmm_engine.priors import draw_prior
from mmm_engine.sampler import ProgressListener, fit
from mmm_engine.scaling import ScaledInputs
from mmm_engine.structure import model_structure

Floats = NDArray[np.float64]

_COLUMNS = ["split", "channel", "metric", "value", "unit"]
_TRIES = 100
_NEGATIVE_SHARE_MAX = 0.5


@dataclass(frozen=True)
class SimulatedTarget:
    """A target made from known parameters and a client's own media and controls.

    Attributes:
        inputs: The window with the simulated target in place of the observed one.
        truth: Parameters by name, model space, without a draw axis.
        contribution: True contribution per channel, summed over the training rows, model space, shape (channel,).
        rejected: Draws from the prior that the rule refused before this one.
    """

    inputs: ScaledInputs
    truth: dict[str, Floats]
    contribution: Floats
    rejected: int


def recovery_scores(
    inputs: ScaledInputs,
    *,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
    seed: int | None = None,
) -> pd.DataFrame:
    """One simulation from the prior, refitted and scored.

    Args:
        inputs: The client's `full` window; its own target is not looked at.
        sampler: Settings of the refit; the client's own when None.
        progress: Listener of the refit.
        seed: Seed of the simulation; that of the sampler when None.

    Returns:
        Split "recovery". Per parameter (in `channel`): recovery, coverage_90, z_score (mean over elements),
        contraction (median). Per media channel: contribution_recovery, contribution_coverage_90.
    """
    settings = sampler or inputs.config.sampler
    simulated = simulate_target(inputs, settings.seed if seed is None else seed)
    posterior = fit(
        simulated.inputs, sampler=settings, label=f"{inputs.config.client} recovery", progress=progress
    )
    return score_recovery(posterior, simulated)


def simulate_target(inputs: ScaledInputs, seed: int) -> SimulatedTarget:
    """A target simulated with parameters drawn from the prior.

    Rule for absurd targets: a draw is refused when its target is not finite or negative in more than half of the
    rows. The rule looks at the target only, so that the refit stays calibrated for what is kept.

    Raises:
        FitError: If 100 draws in a row are refused.
    """
    structure = model_structure(inputs.config)
    train = training_data(model_data(inputs, structure), inputs.train_rows)
    xp = numpy_functions()
    variables = draw_prior(structure.parameters, _TRIES, seed)
    values = parameter_values(structure, variables, xp)
    rng = np.random.default_rng(seed)
    for number in range(_TRIES):
        truth = {name: value[number : number + 1] for name, value in values.items()}
        terms = mean_terms(truth, train, structure, None, xp)
        noise = rng.standard_normal(inputs.train_rows) * truth.get("y_sigma", np.array([1.0]))[0]
        target = mean(terms)[0] + noise
        if np.isfinite(target).all() and (target < 0).mean() <= _NEGATIVE_SHARE_MAX:
            simulated = replace(
                inputs,
                window="recovery",
                dates=inputs.dates[: inputs.train_rows],
                target_scaled=target,
                media_scaled=inputs.media_scaled[: inputs.train_rows],
                controls_scaled=inputs.controls_scaled[: inputs.train_rows],
                spend=inputs.spend[: inputs.train_rows],
            )
            contribution = terms.media.sum(axis=-2)[0]
            return SimulatedTarget(
                simulated, {name: value[0] for name, value in truth.items()}, contribution, number
            )
    raise FitError(
        f"client '{inputs.config.client}', recovery",
        Fault(
            "priors",
            f"{_TRIES} draws with absurd targets",
            "priors that can produce the target",
            "tighten the priors",
        ),
    )


def score_recovery(posterior: xr.DataTree, simulated: SimulatedTarget) -> pd.DataFrame:
    """How well a refit finds the truth of a simulation; see `recovery_scores` for the rows."""
    structure = model_structure(simulated.inputs.config)
    values = flat_draws(posterior)
    prior = parameter_values(structure, draw_prior(structure.parameters, 1000, seed=0), numpy_functions())
    rows: list[tuple[str, str, str, float, str]] = []
    for spec in structure.parameters:
        draws = values[spec.name].reshape(len(values[spec.name]), -1)
        truth = np.atleast_1d(simulated.truth[spec.name])
        name = _GUIDE_NAMES.get(spec.name, spec.name)
        before = prior[spec.name].reshape(len(prior[spec.name]), -1)
        rows += [
            ("recovery", name, "recovery", recovery_score(draws, truth), "score"),
            ("recovery", name, "coverage_90", float(np.mean(_covered(draws, truth))), "fraction"),
            ("recovery", name, "z_score", float(np.mean(z_score(draws, truth))), "score"),
            ("recovery", name, "contraction", float(np.median(contraction(draws, before))), "score"),
        ]
    return pd.DataFrame(rows + _channel_rows(values, simulated), columns=_COLUMNS)


_GUIDE_NAMES = {"gamma_control": "controls"}


def _channel_rows(
    values: dict[str, Floats], simulated: SimulatedTarget
) -> list[tuple[str, str, str, float, str]]:
    inputs = simulated.inputs
    structure = model_structure(inputs.config)
    data = model_data(inputs, structure)
    draws = mean_terms(values, data, structure, None, numpy_functions()).media.sum(axis=-2)
    covered = _covered(draws, simulated.contribution)
    rows: list[tuple[str, str, str, float, str]] = []
    for position, channel in enumerate(inputs.config.channel_names):
        one = slice(position, position + 1)
        score = recovery_score(draws[:, one], simulated.contribution[one])
        rows.append(("recovery", channel, "contribution_recovery", score, "score"))
        rows.append(("recovery", channel, "contribution_coverage_90", float(covered[position]), "fraction"))
    return rows


def _covered(draws: Floats, truth: Floats) -> NDArray[np.bool_]:
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    return np.asarray((low <= truth) & (truth <= high))
