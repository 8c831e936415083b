"""One fit of the study: what the engine says about a world under a scheme.

Here: the only place where the study meets the engine's fits and their draws; what comes out are plain numbers.
Not here: settings (`clients.py`, `schemes.py`), comparing with the truth (`scoring.py`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmm_engine.client.config import ClientConfig, SamplerConfig
from mmm_engine.client.windows import FULL, Window
from mmm_engine.fleets.scored_window import ScoredWindow
from mmm_engine.posterior.fit import fit
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.draw_evaluation import channel_totals
from mmm_engine.results.evidence import channel_evidence
from mmm_engine.rows.client_data import ClientData, client_data_from_frame
from mmm_engine.rows.window import scale_window
from mmm_engine.scores.client_verdicts import whole_verdicts, window_verdicts
from mmm_engine.scores.gates import check_convergence
from mmm_engine.scores.identification import readings
from mmm_engine.scores.verdict import Verdict
from tests.benchmarks.truth.media import Floats


@dataclass(frozen=True, eq=False)
class FitNumbers:
    """What is scored of a fit.

    Attributes:
        channels: Columns of the channels.
        contribution: Draws of each channel's contribution over the training rows, target units, (draw, channel).
        identified: Whether each channel can be read (1), with care (0.5) or not (0), by the engine's rule; None of
            another tool's fit.
        train_rows: Number of training rows.
        converged: Whether the fit passed the gate ``sampler_converged``.
        health: Sampler health by metric (rhat_max, ess_bulk_min, ess_tail_min, divergences, cpu_seconds, …).
        forecast: Scores of the held-out rows by metric (coverage_90, skill, …), empty without any.
        verdicts: Of all checks that can be asked of the window, but for the skill over all windows.
        evidence: What the engine knows of each channel (`results.evidence`), by metric; None of another tool's fit.
    """

    channels: tuple[str, ...]
    contribution: Floats
    identified: tuple[float | None, ...]
    train_rows: int
    converged: bool
    health: dict[str, float]
    forecast: dict[str, float]
    verdicts: tuple[Verdict, ...] = ()
    evidence: tuple[dict[str, float], ...] | None = None


def fit_client(data: ClientData, config: ClientConfig, window: Window, sampler: SamplerConfig) -> FitNumbers:
    """The fit of a client's window under other settings.

    Args:
        data: Rows of the client.
        config: What is fitted: the client's settings with the priors and forms of a scheme.
        window: Which rows are held out.
        sampler: Draws, tuning, chains, seed, cores.

    Raises:
        ConfigError: If the model cannot have such a prior.
        FitError: If the sampler gives up.
    """
    inputs = scale_window(client_data_from_frame(config, data.frame), window)
    start = time.process_time()
    fitted = ScoredWindow.from_fitted(fit(inputs, sampler=sampler))
    cpu_seconds = time.process_time() - start
    evidence = channel_evidence(fitted)
    health = dict(zip(fitted.health["metric"], fitted.health["value"].astype(float), strict=True))
    return FitNumbers(
        channels=config.channel_names,
        contribution=_contributions(fitted),
        identified=_identified(evidence, config),
        evidence=_by_channel(evidence, config),
        train_rows=inputs.train_rows,
        converged=check_convergence(fitted.health, config.thresholds, window).passed,
        health={**health, "cpu_seconds": round(cpu_seconds, 2)},
        forecast=_forecast_scores(fitted) if inputs.horizon else {},
        verdicts=_verdicts(fitted),
    )


def _verdicts(fitted: ScoredWindow) -> tuple[Verdict, ...]:
    whole = whole_verdicts([fitted], fitted.inputs.config.thresholds) if fitted.inputs.window == FULL else ()
    return (*window_verdicts(fitted), *(verdict for verdict in whole if verdict.check != "holdout_skill"))


def _contributions(fitted: FittedWindow) -> Floats:
    totals = channel_totals(fitted.draws, fitted.training_arrays, fitted.specification)
    return np.asarray(totals.contribution_scaled * fitted.inputs.scales.target)


def _identified(evidence: pd.DataFrame, config: ClientConfig) -> tuple[float, ...]:
    told = readings(evidence, None, config.thresholds.recovery_min, config.channel_names)
    return tuple(reading.identified for reading in told.values())


def _by_channel(evidence: pd.DataFrame, config: ClientConfig) -> tuple[dict[str, float], ...]:
    of_all = evidence.loc[evidence["channel"] == "all"].set_index("metric")["value"]
    return tuple(
        {**of_all, **evidence.loc[evidence["channel"] == name].set_index("metric")["value"]}
        for name in config.channel_names
    )


def _forecast_scores(fitted: ScoredWindow) -> dict[str, float]:
    scores = fitted.scores
    held_out = scores[scores["split"] == "test"]
    return dict(zip(held_out["metric"], held_out["value"].astype(float), strict=True))
