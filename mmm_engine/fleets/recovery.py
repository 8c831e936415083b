"""Recovery: can the model find a truth that is known, given this client's media and controls?

Here: refits of simulated targets, how well each finds its truth, coverage and ranks over many of them.
Not here: making the targets (simulated_targets.py), the formulas (scores/truth_scores.py), whether a channel can be
read (scores/identification.py asks many simulations, and above all the fit itself), the fit (posterior/fit.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.config import SamplerConfig
from mmm_engine.fleets.scored_window import ScoredWindow, fit_window
from mmm_engine.fleets.simulated_targets import SimulatedTarget, simulate_targets
from mmm_engine.model.arrays import first_rows, model_data
from mmm_engine.model.parameters import SHOWN_AS
from mmm_engine.model.prior_draws import prior_values
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.results.draw_evaluation import channel_totals
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.scores.forecast_scores import SCORE_COLUMNS
from mmm_engine.scores.identification import FEW_SIMULATIONS
from mmm_engine.scores.truth_scores import contraction, jeffreys_band, rank_statistic, recovery_score, z_score

ScoreRow = tuple[str, str, str, float, str]

_RANKS = 99  # draws a truth is ranked among: few enough to be independent


@dataclass(frozen=True)
class PriorDraws:
    """What the model expects before it sees a target.

    Attributes:
        parameters: By name, model space, shape (draw, element).
        contribution_scaled: Per channel, summed over the training rows, model space, shape (draw, channel).
    """

    parameters: dict[str, Floats]
    contribution_scaled: Floats


def recovery_scores(
    inputs: ScaledInputs,
    *,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
    seed: int | None = None,
    n_simulations: int = 1,
    fitted: FittedWindow | None = None,
    split: str = "recovery",
) -> pd.DataFrame:
    """Simulations from the prior (or from a fitted posterior), refitted and scored.

    Args:
        inputs: The client's `full` window; its own target is not looked at.
        sampler: Settings of the refits; the client's own when None.
        progress: Listener of the refits.
        seed: Seed of the simulations; that of the sampler when None.
        n_simulations: How many; coverage and ranks say something from about 20 on. With 0 there are no rows.
        fitted: Truth is drawn from its posterior; from the prior when None. The prior tests the model and its code, the
            posterior asks what data like this client's can tell. Only with the prior are coverage and ranks exact.
        split: Name of the scores.

    Returns:
        The score frame of `summarise_recovery`.
    """
    if not n_simulations:
        return pd.DataFrame(columns=list(SCORE_COLUMNS))
    prior = prior_draws(inputs)
    frames = [
        score_refit(fit, simulated, prior)
        for simulated, fit in refits(
            inputs, n_simulations, sampler=sampler, progress=progress, seed=seed, fitted=fitted
        )
    ]
    return summarise_recovery(frames).assign(split=split)


def refits(
    inputs: ScaledInputs,
    n_simulations: int,
    *,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
    seed: int | None = None,
    fitted: FittedWindow | None = None,
) -> Iterator[tuple[SimulatedTarget, ScoredWindow]]:
    """Simulated targets with their refits, one at a time; arguments as those of `recovery_scores`."""
    settings = sampler or inputs.config.sampler
    targets = simulate_targets(inputs, settings.seed if seed is None else seed, fitted)
    for number, simulated in enumerate(islice(targets, n_simulations), start=1):
        label = f"{inputs.config.client} recovery" + (
            f" {number}/{n_simulations}" if n_simulations > 1 else ""
        )
        yield simulated, fit_window(simulated.inputs, sampler=settings, progress=progress, label=label)


def prior_draws(inputs: ScaledInputs) -> PriorDraws:
    """Draws of parameters and channel contributions from the prior, given the client's media."""
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = first_rows(model_data(inputs, specification), inputs.train_rows)
    values = prior_values(specification, train)
    flat = {name: value.reshape(len(value), -1) for name, value in values.items()}
    return PriorDraws(flat, channel_totals(values, train, specification).contribution_scaled)


def score_refit(fit: ScoredWindow, simulated: SimulatedTarget, prior: PriorDraws) -> pd.DataFrame:
    """How well one refit finds its truth.

    Returns:
        One row per parameter element (model space), and per channel one for its contribution and one for its ROAS
        (original units): kind ("parameter", "contribution", "roas"), name, element, truth, mean, sd, q05, q95,
        recovery, z_score, contraction, covered, rank (truth among 99 draws). The attribute `rejected` counts the draws
        that were refused on the way to this truth.
    """
    inputs, values = simulated.inputs, fit.draws
    frames = []
    for name, truth in simulated.truth.items():
        draws = values[name].reshape(len(values[name]), -1)
        rows = _compare(draws, np.atleast_1d(truth), prior.parameters[name])
        shown = SHOWN_AS.get(name, name)
        frames.append(rows.assign(kind="parameter", name=shown, element=np.arange(len(rows))))
    channels = list(inputs.config.channel_names)
    contribution_scaled = channel_totals(values, fit.training_arrays, fit.specification).contribution_scaled
    scale, spend = inputs.scales.target, inputs.spend.sum(axis=0)
    with np.errstate(divide="ignore"):
        units = {
            "contribution": np.full(len(channels), scale),
            "roas": np.where(spend > 0, scale / spend, np.nan),
        }
    for kind, unit in units.items():
        known = np.isfinite(unit)
        rows = _compare(
            contribution_scaled[:, known] * unit[known],
            simulated.contribution_scaled[known] * unit[known],
            prior.contribution_scaled[:, known] * unit[known],
        )
        names = [name for name, is_known in zip(channels, known, strict=True) if is_known]
        frames.append(rows.assign(kind=kind, name=names, element=0))
    frame = pd.concat(frames, ignore_index=True)
    frame.attrs["rejected"] = simulated.rejected
    return frame


def summarise_recovery(simulations: list[pd.DataFrame]) -> pd.DataFrame:
    """Scores over one or many simulations.

    Args:
        simulations: Outputs of `score_refit`.

    Returns:
        Split "recovery". Per parameter (its name in `channel`): recovery (median over elements, then simulations),
        coverage_90, z_score (means), contraction (median). Per media channel: contribution_recovery,
        contribution_coverage_90, contribution_contraction, roas_recovery and roas_coverage_90; with several
        simulations also the Jeffreys band of each coverage (_low, _high), and from 10 on contribution_ranks_inside: 1
        when the ECDF of the ranks stays inside its band, else 0. For channel "all": simulations and rejected_share.
    """
    table = pd.concat(
        [frame.assign(simulation=number) for number, frame in enumerate(simulations)], ignore_index=True
    )
    rejected = sum(int(frame.attrs.get("rejected", 0)) for frame in simulations)
    count = len(simulations)
    rows: list[ScoreRow] = []
    for name, own in table[table["kind"] == "parameter"].groupby("name", sort=False):
        rows += _parameter_rows(str(name), own)
    for name, own in table[table["kind"] == "contribution"].groupby("name", sort=False):
        rows += _channel_rows(str(name), own, "contribution")
        roas = table[(table["kind"] == "roas") & (table["name"] == name)]
        if len(roas):
            rows += _channel_rows(str(name), roas, "roas")
    if count >= FEW_SIMULATIONS:
        for name, ecdf in rank_ecdf(simulations).groupby("channel", sort=False):
            inside = ecdf["ecdf"].between(ecdf["low"], ecdf["high"]).all()
            rows.append(("recovery", str(name), "contribution_ranks_inside", float(inside), "score"))
    rows.append(("recovery", "all", "simulations", float(count), "count"))
    rows.append(("recovery", "all", "rejected_share", rejected / (rejected + count), "fraction"))
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def with_identification(recovery: pd.DataFrame, identification: pd.DataFrame) -> pd.DataFrame:
    """Scores of a refresh in which what many simulations say of the channels takes the place of what one says.

    Args:
        recovery: Scores of one simulation, as `summarise_recovery` gives them.
        identification: The same over many.
    """
    channels = identification.loc[identification["metric"] == "contribution_recovery", "channel"]
    kept = recovery[~recovery["channel"].isin(set(channels))]
    whole = identification[identification["channel"].isin({*channels, "all"})]
    kept = kept[kept["channel"] != "all"] if len(channels) else kept
    return pd.concat([kept, whole if len(channels) else whole.iloc[:0]], ignore_index=True)


def rank_ecdf(simulations: list[pd.DataFrame], seed: int = 0) -> pd.DataFrame:
    """The ECDF of the ranks of each channel's true contribution, with its simultaneous 95% band.

    Uniform ranks say that the posterior is right on average. Ranks are spread within their step, so that the band of
    a continuous uniform holds.

    Args:
        simulations: Outputs of `score_refit`.
        seed: Seed of that spread and of the band's simulation.

    Returns:
        Columns channel, rank (as a fraction), ecdf, low, high.

    Reference: Säilynoja, Bürkner & Vehtari (2022), doi:10.1007/s11222-022-10090-6.
    """
    from arviz_stats.ecdf_utils import ecdf_pit

    table = pd.concat(simulations, ignore_index=True)
    frames = []
    for name, own in table[table["kind"] == "contribution"].groupby("name", sort=False):
        rng = np.random.default_rng(seed)
        pit = (own["rank"].to_numpy() + rng.uniform(size=len(own))) / (_RANKS + 1)
        points, ecdf, low, high = ecdf_pit(pit, 0.95, 1000, rng=rng)
        frames.append(pd.DataFrame({"channel": name, "rank": points, "ecdf": ecdf, "low": low, "high": high}))
    return pd.concat(frames, ignore_index=True)


def _compare(draws: Floats, truth: Floats, before: Floats) -> pd.DataFrame:
    """One row per element: the truth, the posterior, and how they compare."""
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    picked = np.linspace(0, len(draws) - 1, min(_RANKS, len(draws))).astype(int)
    return pd.DataFrame(
        {
            "truth": truth,
            "mean": draws.mean(axis=0),
            "sd": draws.std(axis=0, ddof=1),
            "q05": low,
            "q95": high,
            "recovery": recovery_score(draws, truth),
            "z_score": z_score(draws, truth),
            "contraction": contraction(draws, before),
            "covered": (low <= truth) & (truth <= high),
            "rank": rank_statistic(draws[picked], truth),
        }
    )


def _parameter_rows(name: str, own: pd.DataFrame) -> list[ScoreRow]:
    each = own.groupby("simulation")["recovery"].median()
    return [
        ("recovery", name, "recovery", float(each.median()), "score"),
        ("recovery", name, "coverage_90", float(own["covered"].mean()), "fraction"),
        ("recovery", name, "z_score", float(own["z_score"].mean()), "score"),
        ("recovery", name, "contraction", float(own["contraction"].median()), "score"),
    ]


def _channel_rows(name: str, own: pd.DataFrame, kind: str) -> list[ScoreRow]:
    hits, trials = int(own["covered"].sum()), len(own)
    recovery, learnt = float(own["recovery"].median()), float(own["contraction"].median())
    rows: list[ScoreRow] = [
        ("recovery", name, f"{kind}_recovery", recovery, "score"),
        ("recovery", name, f"{kind}_coverage_90", hits / trials, "fraction"),
    ]
    if trials > 1:
        low, high = jeffreys_band(hits, trials)
        rows.append(("recovery", name, f"{kind}_coverage_90_low", low, "fraction"))
        rows.append(("recovery", name, f"{kind}_coverage_90_high", high, "fraction"))
    if kind == "contribution":
        rows.append(("recovery", name, "contribution_contraction", learnt, "score"))
    return rows
