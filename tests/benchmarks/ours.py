"""A: a refresh with the engine. Windows, scores, health, returns, predictions and one recovery fit.

Run by bench.py as a process of its own, so that imports, threads and memory are its own.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tests.benchmarks.worker import Clock, answer, arguments, sampler_values

if TYPE_CHECKING:
    from mmm_engine.client.config import SamplerConfig
    from mmm_engine.fleets.scored_window import ScoredWindow
    from mmm_engine.rows.window import ScaledInputs


def main() -> None:
    """Refresh a case as often as asked and answer with what it took."""
    given = arguments(main.__doc__ or "").parse_args()
    clock = Clock()
    with clock.phase("imports"):
        import mmm_engine.fleets.recovery
        import mmm_engine.posterior.fit  # noqa: F401
        from mmm_engine.client.config import SamplerConfig

    settings = SamplerConfig(**sampler_values(given), ess_target=None)
    rounds = [refresh(given, settings) for _ in range(given.rounds)]
    answer(given.out, {"imports": clock.seconds["imports"], "rounds": rounds})


def refresh(given: argparse.Namespace, settings: SamplerConfig) -> dict[str, Any]:
    """One refresh of a case."""
    from tests.benchmarks.cases import windows

    clock = Clock()
    with clock.phase("rows"):
        selected = windows(given.case, given.windows)
    fits = [_window(inputs, settings, clock) for inputs in selected]
    if not given.no_recovery:
        fits.append(_recovery(selected[0], settings, clock))
    return {"seconds": clock.total(), "phases": clock.seconds, "fits": fits}


def _window(inputs: ScaledInputs, settings: SamplerConfig, clock: Clock) -> dict[str, Any]:
    from mmm_engine.fleets.scored_window import fit_window
    from mmm_engine.results.predictive import predictive_frame

    with clock.phase("fit"):
        fit = fit_window(inputs, sampler=settings)
    with clock.phase("predictions"):
        predictive_frame(fit.prediction, inputs)
    with clock.phase("scores"):
        scores = fit.scores
    with clock.phase("returns"):
        _ = fit.returns
    crps = scores.loc[(scores["split"] == "train") & (scores["metric"] == "crps"), "value"]
    return {**_record(fit, clock), "crps": float(crps.iloc[0])}


def _recovery(inputs: ScaledInputs, settings: SamplerConfig, clock: Clock) -> dict[str, Any]:
    from mmm_engine.fleets.recovery import prior_draws, refits, score_refit, summarise_recovery

    with clock.phase("recovery scores"):
        prior = prior_draws(inputs)
    with clock.phase("fit"):
        simulated, fit = next(refits(inputs, 1, sampler=settings))
    with clock.phase("recovery scores"):
        summarise_recovery([score_refit(fit, simulated, prior)], inputs.config.thresholds.recovery_min)
    return _record(fit, clock)


def _record(fit: ScoredWindow, clock: Clock) -> dict[str, Any]:
    with clock.phase("health"):
        health = dict(zip(fit.health["metric"], fit.health["value"], strict=True))
    sampling = float(fit.posterior.attrs["sample_seconds"])
    clock.move(sampling, "fit", "sampling")
    return {
        "window": fit.inputs.window,
        "sample_seconds": sampling,
        "compile_seconds": float(fit.posterior.attrs["compile_seconds"]),
        "divergences": int(health["divergences"]),
        "ess_bulk": float(health["ess_bulk_min"]),
        "ess_tail": float(health["ess_tail_min"]),
        "rhat": float(health["rhat_max"]),
        "steps": float(fit.posterior["sample_stats"]["n_steps"].mean()),
    }


if __name__ == "__main__":
    main()
