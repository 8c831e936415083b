"""Simulation-based calibration: is a truth drawn from the prior a draw like any other of the posterior?

A truth is drawn from the model's own priors, data from the truth (lift tests too), and the model is fitted to them. The
rank of the truth among the draws is uniform if the prior, its Jacobians, the likelihood and the sampler belong together
(Talts et al. 2018, arXiv:1804.06788). Ranks are taken of every parameter, of each channel's contribution, and of the
log likelihood, which sees faults that leave single parameters alone (Modrák et al. 2023, doi:10.1214/23-BA1404).
Ranks are judged by their ECDF (rank_ecdf.py). Not part of the test suite: 900 fits take minutes.

    python -m tests.benchmarks.sbc [--simulations 300] [--seed 1] [--structures returns,lift_tests,time_variation]
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from mmm_engine.array_types import Floats, Integers
from mmm_engine.client.config import SamplerConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.fleets.simulated_targets import SimulatedTarget, simulate_targets
from mmm_engine.model.arrays import first_rows, model_data
from mmm_engine.model.likelihood import log_likelihood
from mmm_engine.model.mean import mean_terms
from mmm_engine.posterior.fit import fit
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.scores.truth_scores import rank_statistic
from tests.benchmarks.rank_ecdf import share_as_unusual
from tests.engine.model_cases import EXPERIMENTS, small_inputs

RANKS = 99  # draws among which a rank is taken: far enough apart to be nearly independent
SAMPLER = SamplerConfig(draws=500, tune=500, chains=2, cores=1, ess_target=None)
NOISE = {"distribution": "Normal", "sigma": {"distribution": "HalfNormal", "sigma": 0.2}}
_XP = numpy_functions()

STRUCTURES: dict[str, dict[str, Any]] = {
    # no prior that looks at the target: data may not move the prior that a truth comes from
    "returns": {
        "preset": "calibrated", "saturation": "hill", "channels": ["tv", "radio"],
        "returns": {"prior": "roas", "low": 0.5, "high": 4.0},
        "controls": [{"column": "price", "effect": "any"}], "trend": {"changepoints": 2},
    },
    "lift_tests": {
        "channels": ["tv", {"column": "search", "adstock": {"kind": "delayed", "max_lag": 5}}],
        "lift_tests": EXPERIMENTS, "controls": ["promo"],
    },
    "time_variation": {
        "saturation": "logistic", "channels": ["tv", "radio"], "time_varying_media": True, "n_basis": 8,
        "yearly_seasonality": 1, "controls": [], "likelihood": "student_t",
    },
}  # fmt: skip
"""Priors on returns whose spread is learnt, with a free Hill slope; lift tests of several weeks; time-varying media
with heavy tails."""


def structure(name: str) -> ScaledInputs:
    """A small window with the model of a structure: 60 weeks of two channels."""
    settings = dict(STRUCTURES[name])  # the helper takes out what it knows
    priors = {} if settings.get("likelihood") == "student_t" else {"likelihood": NOISE}
    return small_inputs(rows=60, held_out=0, priors=priors, **settings)


def ranks_of(
    inputs: ScaledInputs, simulations: int, sampler: SamplerConfig = SAMPLER, seed: int = 1
) -> dict[str, Integers]:
    """Ranks by quantity, each of shape (simulation,), 0 to `RANKS`.

    Args:
        inputs: The window whose media and model are taken; its target is not looked at.
        simulations: How many truths.
        sampler: Settings of each fit.
        seed: Of the truths and their data.
    """
    ranks: dict[str, list[int]] = {}
    for number, simulated in enumerate(islice(simulate_targets(inputs, seed), simulations)):
        settings = sampler.model_copy(update={"seed": number})
        fitted = fit(simulated.inputs, sampler=settings, label=f"simulation {number}")
        for name, rank in _ranks(simulated, fitted):
            ranks.setdefault(name, []).append(rank)
    return {name: np.array(values) for name, values in ranks.items()}


def _ranks(simulated: SimulatedTarget, fitted: FittedWindow) -> Iterator[tuple[str, int]]:
    count = len(next(iter(fitted.draws.values())))
    kept = np.linspace(0, count - 1, RANKS).astype(int)
    draws = {name: value[kept] for name, value in fitted.draws.items()}
    truth = {name: np.asarray(value)[None] for name, value in simulated.truth.items()}
    for name, value in truth.items():
        yield from _named(name, draws[name], value[0])
    yield from _named("contribution", _contributions(fitted, draws), _contributions(fitted, truth)[0])
    yield from _named("log likelihood", _log_likelihoods(fitted, draws), _log_likelihoods(fitted, truth)[0])


def _named(name: str, draws: Floats, truth: Floats) -> Iterator[tuple[str, int]]:
    ranks = rank_statistic(draws.reshape(len(draws), -1), np.atleast_1d(truth))
    for element, rank in enumerate(ranks):
        yield (f"{name}[{element}]" if len(ranks) > 1 else name), int(rank)


def _contributions(fitted: FittedWindow, values: dict[str, Floats]) -> Floats:
    terms = mean_terms(values, fitted.training_arrays, fitted.specification, _XP)
    return np.asarray(terms.media.sum(axis=-2))


def _log_likelihoods(fitted: FittedWindow, values: dict[str, Floats]) -> Floats:
    specification = fitted.specification
    data = first_rows(model_data(fitted.inputs, specification), fitted.inputs.train_rows)
    result = []
    for draw in range(len(next(iter(values.values())))):
        one = {name: value[draw] for name, value in values.items()}
        terms = mean_terms(one, data, specification, _XP)
        result.append(float(np.asarray(log_likelihood(one, terms, data, specification, _XP))))
    return np.array(result)[:, None]


def judged(ranks: dict[str, Integers]) -> dict[str, float]:
    """By quantity, the share of uniform samples whose ECDF departs at least as far from uniform."""
    return {name: share_as_unusual(values, RANKS) for name, values in ranks.items()}


def main() -> None:
    """Fit, rank, print a table."""
    parser = argparse.ArgumentParser(description="Simulation-based calibration of small models.")
    parser.add_argument("--simulations", type=int, default=300, help="of each structure")
    parser.add_argument("--seed", type=int, default=1, help="of the truths and their data")
    parser.add_argument("--structures", default=",".join(STRUCTURES))
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    print(
        "| structure | fits | quantities | outside their 95% band | least share | band of all together | seconds |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in options.structures.split(","):
        start = time.perf_counter()
        shares = judged(ranks_of(structure(name), options.simulations, seed=options.seed))
        seconds = time.perf_counter() - start
        outside = [quantity for quantity, share in shares.items() if share < 0.05]
        least = min(shares, key=shares.__getitem__)
        together = "inside" if shares[least] > 0.05 / len(shares) else "outside"
        print(
            f"| {name} | {options.simulations} | {len(shares)} | {len(outside)} | {shares[least]:.3f} ({least}) | "
            f"{together} | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
