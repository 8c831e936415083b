"""The same question as advice.py, on the worlds of the truth study: channels that do nothing, demand that moves spend.

    python -m tests.benchmarks.advice_worlds --out FILE --clients 20

Here: worlds of the study with weekly rows whose media add to sales and work alike all the time; the truth of a plan.
Not here: what is drawn for a world (truth/), simulated clients that the platform makes itself (advice.py).

The model knows none of their forms: carry-over that peaks late, responses it cannot have, spend that follows demand.
The true curve of a channel is known up to its usual media, which is found from the true contributions, row by row.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, minimize, minimize_scalar

from mmm_engine.client.config import SamplerConfig
from mmm_engine.decisions.budget_plan import BudgetPlan, BudgetRequest, plan_budget
from mmm_engine.decisions.guards import UNFIT
from mmm_engine.errors import MMMError
from tests.benchmarks.advice import Judged, judged, kept
from tests.benchmarks.truth.clients import careful_client
from tests.benchmarks.truth.media import Floats, adstock_kernel, carried_over, response
from tests.benchmarks.truth.recipes import DAYS_PER_ROW, ChannelRecipe, WorldRecipe, draw_recipe
from tests.benchmarks.truth.schemes import SCHEMES
from tests.benchmarks.truth.study import make_name
from tests.benchmarks.truth.worlds import World, build_world

SEED, AFTER = 1, 26
_CLOSE = 0.02  # share of a contribution's size by which its reproduction may miss


class TrueCurve:
    """What a channel of a world brings with any media.

    Args:
        channel: Its recipe.
        media: Its media over the rows there are, shape (date,).
        contribution: What it brought, shape (date,).
    """

    def __init__(self, channel: ChannelRecipe, media: Floats, contribution: Floats) -> None:
        self._channel, self._media = channel, media
        self._size = 0.0
        self.error = 0.0
        if channel.null or not contribution.any():
            return
        low, high = np.log(media[media > 0].mean()) + np.array([-3.0, 3.0])
        best = minimize_scalar(
            lambda usual: self._miss(usual, contribution), bounds=(low, high), method="bounded"
        )
        self._usual = float(np.exp(best.x))
        answer = self._answer(media, self._usual)
        late = slice(AFTER, None)  # earlier rows still have the effect of media before the first
        self._size = float(answer[late] @ contribution[late] / (answer[late] @ answer[late]))
        self.error = float(
            np.abs(self._size * answer - contribution)[late].mean() / contribution[late].mean()
        )

    def brought(self, plan: Floats) -> float:
        """What a plan of media brings in its rows and after them, over none in its rows."""
        if not self._size:
            return 0.0
        paths = [np.concatenate([self._media, part, np.zeros(AFTER)]) for part in (plan, np.zeros(len(plan)))]
        first = len(self._media)
        more, none = (self._answer(path, self._usual)[first:].sum() for path in paths)
        return self._size * float(more - none)

    def _answer(self, media: Floats, usual: float) -> Floats:
        channel, days = self._channel, DAYS_PER_ROW["week"]
        kernel = adstock_kernel(channel.adstock, channel.adstock_parameters)
        working = carried_over(np.repeat(media / days, days), kernel)
        curve = {
            name: value * usual / days if name == "half" else value for name, value in channel.curve.items()
        }
        scale = 1.0 if "half" in curve else usual / days
        return np.asarray(response(working / scale, channel.saturation, curve).reshape(-1, days).mean(axis=1))

    def _miss(self, usual: float, contribution: Floats) -> float:
        answer = self._answer(self._media, float(np.exp(usual)))[AFTER:]
        truth = contribution[AFTER:]
        size = answer @ truth / max(float(answer @ answer), 1e-300)
        return float(np.square(size * answer - truth).sum() / np.square(truth).sum())


def worlds() -> Any:
    """Numbers, recipes and worlds that can be judged, one after the other."""
    for number in count():
        recipe = draw_recipe(number, SEED)
        if recipe.spacing == "week" and not recipe.multiplicative and not recipe.time_varying:
            yield number, recipe, build_world(recipe)


def curves_of(recipe: WorldRecipe, world: World) -> list[TrueCurve]:
    """The true curve of each channel, of the media that its column counts."""
    columns = [channel.column for channel in world.rows.channels]
    media = world.rows.frame[columns].to_numpy(dtype=float)
    return [
        TrueCurve(channel, media[:, at], world.contribution[:, at])
        for at, channel in enumerate(recipe.channels)
    ]


def judged_world(world: World) -> Judged:
    """The world fitted as a careful user would."""
    data = careful_client(world.rows)
    config = SCHEMES["calibrated"](data)
    return judged(config, data.frame, SamplerConfig(seed=1))


def true_response(curves: list[TrueCurve], plan: BudgetPlan, spend: Floats) -> float:
    """What a plan of money truly brings, at the prices of the last rows."""
    media = plan.window.media_frame(spend).drop(columns="date").to_numpy()
    return sum(curve.brought(media[:, at]) for at, curve in enumerate(curves))


def oracle(curves: list[TrueCurve], plan: BudgetPlan) -> float:
    """What the best plan within the same limits truly brings, from three starts (curves may be S-shaped)."""
    limits, shares = plan.problem.limits, plan.problem.shares
    assert shares is not None
    today = plan.window.current.sum(axis=0)
    paid = limits.cost > 0.0
    scale = float(today[paid].mean()) or 1.0
    size = true_response(curves, plan, plan.window.current) or 1.0

    def loss(z: Floats) -> float:
        whole = today.copy()
        whole[paid] = z * scale
        return -true_response(curves, plan, shares * whole) / size

    budget = float(today[paid].sum()) / scale
    best = 0.0
    for start in (today, limits.lower, limits.upper):
        answer = minimize(
            loss,
            start[paid] / scale,
            method="SLSQP",
            bounds=Bounds(limits.lower[paid] / scale, limits.upper[paid] / scale),
            constraints=LinearConstraint(np.ones(int(paid.sum())), budget, budget),
            options={"maxiter": 200, "ftol": 1e-9},
        )
        best = max(best, -float(answer.fun) if answer.success else 0.0)
    return best * size


def outcome(number: int, recipe: WorldRecipe, world: World, known: Judged) -> dict[str, Any]:
    """What the advice promises, and what it truly brings."""
    curves = curves_of(recipe, world)
    free = plan_budget(known.window, BudgetRequest())
    plan = plan_budget(known.window, BudgetRequest(unreadable=known.unreadable))
    today = true_response(curves, plan, known.window.current)
    gain = true_response(curves, plan, plan.spend) - today
    best = max(oracle(curves, free) - today, 0.0)
    return {
        "client": make_name(number, SEED),
        "verdict": known.verdict,
        "channels": len(recipe.channels),
        "unreadable": len(known.unreadable),
        "error": max(curve.error for curve in curves),
        "confounding": recipe.confounding,
        "acts": bool(plan.acts and known.verdict != UNFIT),
        "would_act": bool(plan.acts),
        "better": plan.gain.better,
        "promised": [plan.gain.gain, plan.gain.gain_q05, plan.gain.gain_q95],
        "today": today,
        "gain": gain,
        "possible": best,
        "share": gain / best if best > 1e-3 * today else None,
    }


def main() -> None:
    """Fit, plan and judge every world, and write the answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--fits", type=Path, help="folder in which fits are kept")
    chosen = parser.parse_args()
    found: list[dict[str, Any]] = []
    for number, recipe, world in islice(worlds(), chosen.clients):
        path = None if chosen.fits is None else chosen.fits / f"world{number:03d}.pickle"
        try:
            known = kept(path, partial(judged_world, world))
            found.append(outcome(number, recipe, world, known))
        except MMMError as error:
            found.append({"client": make_name(number, SEED), "refused": str(error)[:200], "acts": False})
        print(json.dumps(found[-1]), flush=True)
        chosen.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
