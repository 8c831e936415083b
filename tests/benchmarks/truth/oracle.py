"""What could be known of returns at best: the posterior of an observer who knows a world's workings.

Here: `oracle_fit`, draws of contributions where carry-over, curves, and the size of the noise are known, and the
baseline either whole or by its forms. Unknown is what each channel brings, under the family of the default's prior.
Not here: worlds (`worlds.py`), the model that is told some of the truth (`informed.py`), tables (`floor.py`).

Let x_c be the true contribution of channel c in each row over its sum, and theta_c the sum that is asked for. Sales
less what is known of them are

    y = sum_c theta_c x_c + e,    e ~ Normal(0, S)                                                  (1)

with S = diag(noise^2) where the baseline is known. Where only its forms are, S gains Z G Z' for a constant, season,
days of the week, controls, demand, a trend along its true line (coefficients with a sd of mean sales, G: as good as
flat), and for a trend that walks the covariance of a random walk with its true step. The baseline's coefficients are
thereby integrated out, and the log likelihood is quadratic in theta:

    b' theta - theta' A theta / 2,    A = X' S^-1 X,    b = X' S^-1 y                               (2)

With e_c the sums at which all media bring 10% of sales in proportion to spend, u_c = log(theta_c / e_c) has the
default's prior (mmm_engine/model/return_priors.py, (2) to (4b)): an unknown level with sd 1.2 that paid channels share,
deviations whose spread is learnt or told, organic channels around the mean of the paid ones.

u is drawn by generalised elliptical slice sampling (Murray, Adams & MacKay 2010, arXiv:1001.0175; Nishihara, Murray &
Adams 2014, arXiv:1210.7477): the ellipse is that of a multivariate t like the posterior, the slice corrects it.

Where media multiply the baseline, contributions do not add up to what all media bring: the rest is taken as known. A
channel without effect is known to have none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from mmm_engine.client.return_priors import EXPECTED_MEDIA_SHARE, SPREAD, SPREAD_DF, UNPAID_SPREAD
from mmm_engine.posterior.convergence import convergence
from tests.benchmarks.truth.baseline import season_forms
from tests.benchmarks.truth.fits import FitNumbers
from tests.benchmarks.truth.media import Floats
from tests.benchmarks.truth.worlds import World

LEVEL_SIGMA = 1.2  # of the default's level (ReturnsConfig.level_sigma)
DF = 5.0  # of the t
CHAINS, WARM_UP, DRAWS = 16, (200, 400, 600), 1000  # the ellipse is fitted anew after each part


@dataclass(frozen=True)
class Knowledge:
    """What an observer knows besides carry-over, curves and noise.

    Attributes:
        baseline: The whole baseline; its forms alone where False.
        spread: How far channels' returns lie apart in this world; learnt from the channels where False.
        power: What the likelihood is raised to; 1 is right for one who knows the truth, the default has 0.5.
    """

    baseline: bool
    spread: bool = False
    power: float = 1.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """The log likelihood (2) of contributions: A, shape (channel, channel), and b, shape (channel,)."""

    precision: Floats
    projection: Floats

    def log_likelihood(self, contribution: Floats) -> Floats:
        """Up to a constant; shape (draw,) of contributions of shape (draw, channel)."""
        quadratic = ((contribution @ self.precision) * contribution).sum(axis=1)
        return np.asarray(contribution @ self.projection - 0.5 * quadratic)


@dataclass(frozen=True, eq=False)
class ReturnFamily:
    """The default's prior on u.

    Attributes:
        expected: e, shape (channel,).
        paid: Whether money buys the channel, shape (channel,); one at least.
        spread: Standard deviation of paid channels around their level.
        learnt: Whether that is only where the spread is centred.
    """

    expected: Floats
    paid: np.ndarray
    spread: float = SPREAD
    learnt: bool = True

    def log_density(self, deviation: Floats) -> Floats:
        """Up to a constant; shape (draw,) of u of shape (draw, channel)."""
        shared, variance, count = deviation[:, self.paid], self.spread**2, int(self.paid.sum())
        mean = shared.mean(axis=1)
        apart = ((shared - mean[:, None]) ** 2).sum(axis=1)
        density = -0.5 * mean**2 / (LEVEL_SIGMA**2 + variance / count)
        if self.learnt:
            density -= 0.5 * (SPREAD_DF + count - 1) * np.log1p(apart / (SPREAD_DF * variance))
        else:
            density -= 0.5 * apart / variance
        from_mean = (deviation[:, ~self.paid] - mean[:, None]) / UNPAID_SPREAD
        return np.asarray(density - 0.5 * (from_mean**2).sum(axis=1))

    def covariance(self) -> Floats:
        """Of u where the spread is what it is centred on, shape (channel, channel)."""
        of_mean = LEVEL_SIGMA**2 + self.spread**2 / self.paid.sum()
        own = np.where(self.paid, self.spread**2, UNPAID_SPREAD**2)
        both_paid = np.outer(self.paid, self.paid)
        return np.asarray(of_mean + np.diag(own) - both_paid * self.spread**2 / self.paid.sum())


def oracle_fit(world: World, knowledge: Knowledge, draws: int = DRAWS) -> FitNumbers:
    """Draws of every channel's contribution by one who knows the world's workings.

    Args:
        world: It knows its workings (`worlds.make_world`).
        knowledge: How much of them is told.
        draws: How many of each chain.

    Raises:
        ValueError: If the world's workings are not known (one that is stored as files).
    """
    if world.workings is None or world.expected is None:
        raise ValueError(f"world '{world.rows.name}' is stored without its workings: take one that is made")
    active = ~world.forms["null"].to_numpy(dtype=bool)
    totals = world.contribution.sum(axis=0)
    shapes = world.contribution[:, active] / totals[active]
    family = _family(world, active, knowledge.spread)
    told = evidence(_less_what_is_known(world, knowledge), shapes, _covariance(world, knowledge))
    told = Evidence(knowledge.power * told.precision, knowledge.power * told.projection)
    drawn = draw_contributions(told, family, np.random.default_rng(1), draws)
    contribution = np.zeros((CHAINS * draws, len(totals)))
    contribution[:, active] = drawn.reshape(CHAINS * draws, -1)
    health = convergence(np.log(drawn))
    rhat = float(np.max(health.rhat))
    return FitNumbers(
        channels=tuple(world.forms["channel"]),
        contribution=contribution,
        identified=(None,) * len(totals),
        train_rows=len(world.rows.frame),
        converged=rhat <= 1.01,
        health={
            "rhat_max": rhat,
            "ess_bulk_min": float(np.min(health.ess_bulk)),
            "ess_tail_min": float(np.min(health.ess_tail)),
            "divergences": 0.0,
            "sample_seconds": 0.0,
        },
        forecast={},
    )


def evidence(rest: Floats, shapes: Floats, covariance: Floats) -> Evidence:
    """What rows say of contributions, (2).

    Args:
        rest: y, sales less what is known of them, shape (date,).
        shapes: X, each channel's contribution over its sum, shape (date, channel).
        covariance: S, shape (date, date).
    """
    weighted = np.linalg.solve(covariance, np.column_stack([shapes, rest]))
    return Evidence(shapes.T @ weighted[:, :-1], shapes.T @ weighted[:, -1])


def draw_contributions(
    told: Evidence, family: ReturnFamily, rng: np.random.Generator, draws: int = DRAWS
) -> Floats:
    """Draws of theta, shape (chain, draw, channel), of so many draws a chain."""

    def log_posterior(deviation: Floats) -> Floats:
        contribution = family.expected * np.exp(deviation)
        return told.log_likelihood(contribution) + family.log_density(deviation)

    count = len(family.expected)
    centre = minimize(lambda u: -float(log_posterior(u[None])[0]), np.zeros(count), method="BFGS").x
    at_mode = family.expected * np.exp(centre)
    curvature = at_mode[:, None] * told.precision * at_mode + np.linalg.inv(family.covariance())
    spread = np.linalg.inv(curvature)
    deviation = centre + rng.standard_normal((CHAINS, count)) @ np.linalg.cholesky(spread).T
    for size in (*WARM_UP, draws):
        kept = _walk(deviation, log_posterior, (centre, spread), size, rng)
        deviation, pooled = kept[:, -1], kept.reshape(-1, count)
        centre, spread = pooled.mean(axis=0), np.atleast_2d(np.cov(pooled.T))
    return np.asarray(family.expected * np.exp(kept))


def _walk(
    deviation: Floats,
    log_posterior: Callable[[Floats], Floats],
    ellipse: tuple[Floats, Floats],
    draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Draws of u from each chain's first one, shape (chain, draw, channel); an ellipse is a centre and a covariance."""
    centre, root = ellipse[0], np.linalg.cholesky(ellipse[1])

    def log_ratio(standard: Floats) -> Floats:
        return log_posterior(centre + standard @ root.T) - _log_t(standard)

    standard = np.linalg.solve(root, (deviation - centre).T).T
    kept = np.empty((len(deviation), draws, len(centre)))
    for draw in range(draws):
        freedom = rng.chisquare(DF + len(centre), (len(standard), 1))
        scale = np.sqrt((DF + (standard**2).sum(axis=1, keepdims=True)) / freedom)  # of the t's normal
        standard = _next_on_slice(standard, scale, log_ratio, rng)
        kept[:, draw] = centre + standard @ root.T
    return kept


def _log_t(standard: Floats) -> Floats:
    """Log density of a multivariate t up to a constant, shape (chain,)."""
    return np.asarray(-0.5 * (DF + standard.shape[1]) * np.log1p((standard**2).sum(axis=1) / DF))


def _next_on_slice(
    standard: Floats, scale: Floats, log_ratio: Callable[[Floats], Floats], rng: np.random.Generator
) -> Floats:
    """The next point of each chain, shape (chain, channel): on its ellipse, above its slice."""
    chains = len(standard)
    other = scale * rng.standard_normal(standard.shape)
    height = log_ratio(standard) + np.log(rng.random(chains))
    angle = rng.uniform(0.0, 2 * np.pi, chains)
    low, high = angle - 2 * np.pi, angle.copy()
    proposal, waiting = standard.copy(), np.arange(chains)
    while len(waiting):
        turn = angle[waiting, None]
        proposal[waiting] = standard[waiting] * np.cos(turn) + other[waiting] * np.sin(turn)
        waiting = waiting[log_ratio(proposal[waiting]) < height[waiting]]
        low[waiting] = np.where(angle[waiting] < 0, angle[waiting], low[waiting])
        high[waiting] = np.where(angle[waiting] < 0, high[waiting], angle[waiting])
        angle[waiting] = rng.uniform(low[waiting], high[waiting])
    return proposal


def _family(world: World, active: np.ndarray, spread_is_told: bool) -> ReturnFamily:
    paid = ~world.forms["organic"].to_numpy(dtype=bool)
    spend = np.where(paid, world.spend.sum(axis=0), 0.0)
    media = EXPECTED_MEDIA_SHARE * float(world.rows.frame["sales"].sum()) / len(paid)  # an equal part
    expected = np.where(paid, spend / spend.sum() * paid.sum() * media, media)
    spread = float(world.tags["spread"]) if spread_is_told else SPREAD
    return ReturnFamily(expected[active], paid[active], spread, learnt=not spread_is_told)


def _less_what_is_known(world: World, knowledge: Knowledge) -> Floats:
    """y of (1)."""
    assert world.expected is not None
    together = world.contribution.sum(axis=1)
    known = world.media_effect - together  # 0 where media add to the baseline
    if knowledge.baseline:
        known = world.expected - together
    return np.asarray(world.rows.frame["sales"].to_numpy(dtype=float) - known)


def _covariance(world: World, knowledge: Knowledge) -> Floats:
    """S of (1)."""
    workings = world.workings
    assert workings is not None
    noise = np.diag(workings.noise**2)
    if knowledge.baseline:
        return noise
    forms = _baseline_forms(world)
    mean_sales = float(world.rows.frame["sales"].mean())
    covariance = noise + mean_sales**2 * forms @ forms.T
    if world.tags["trend"] == "walk":
        row = np.arange(len(noise))
        covariance += np.diff(workings.trend).std() ** 2 * np.minimum(row[:, None], row)
    return np.asarray(covariance)


def _baseline_forms(world: World) -> Floats:
    """Z: a constant and what moves the baseline, each with mean 0 and sd 1, shape (date, form)."""
    workings, tags = world.workings, world.tags
    assert workings is not None
    frame = world.rows.frame
    controls = [name for name in world.rows.controls if name != "demand"]
    pieces = [frame[controls].to_numpy(dtype=float), workings.demand[:, None]]
    dates = pd.DatetimeIndex(frame["date"])
    if tags["season"] > 0:
        pieces.append(season_forms(dates))
    if tags["weekday"] > 0:
        pieces.append((dates.day_of_week.to_numpy()[:, None] == np.arange(1, 7)).astype(float))
    if tags["trend"] != "walk":
        pieces.append(workings.trend[:, None])
    forms = np.column_stack(pieces)
    forms = forms[:, np.ptp(forms, axis=0) > 0]
    return np.column_stack([np.ones(len(frame)), (forms - forms.mean(axis=0)) / forms.std(axis=0)])
