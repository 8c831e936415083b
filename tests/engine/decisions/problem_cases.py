"""Small budget problems with exact answers: the acceptance cases of the decision layer, by number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmm_engine.decisions.ascent import Limits
from mmm_engine.decisions.budget_problem import BudgetProblem
from mmm_engine.decisions.channel_response import ChannelResponse
from tests.engine.decisions.response_cases import half, hill, root


def problem(
    responses: Sequence[ChannelResponse],
    amount: float | None,
    *,
    by_period: bool = False,
    lower: Sequence[float] | None = None,
    upper: Sequence[float] | None = None,
) -> BudgetProblem:
    """Channels with a budget, bounded by 0 and ten times the budget; even shares, or amounts per period."""
    periods = responses[0].periods
    n = len(responses) * (periods if by_period else 1)
    most = 10.0 * (amount or 100.0)
    limits = Limits.box(
        np.zeros(n) if lower is None else np.array(lower, dtype=float),
        np.full(n, most) if upper is None else np.array(upper, dtype=float),
        amount,
    )
    shares = None if by_period else np.full((periods, len(responses)), 1.0 / periods)
    return BudgetProblem(tuple(responses), shares, limits)


def a1(amount: float = 100.0) -> BudgetProblem:
    """A1: 3 sqrt(x1) + 4 sqrt(x2)."""
    return problem([root("one", 3.0), root("two", 4.0)], amount)


def a2(amount: float | None = 200.0, **limits: Sequence[float]) -> BudgetProblem:
    """A2: beta x / (k + x), beta (50, 80, 9), k (50, 20, 100)."""
    sizes, halves = (50.0, 80.0, 9.0), (50.0, 20.0, 100.0)
    channels = [half(f"c{at}", size, k) for at, (size, k) in enumerate(zip(sizes, halves, strict=True))]
    return problem(channels, amount, **limits)


def a5(amount: float = 150.0) -> BudgetProblem:
    """A5: two S-curves of slope 2, sizes 1.1 and 1."""
    return problem([hill("one", 1.1), hill("two", 1.0)], amount)


def a5b(amount: float = 250.0) -> BudgetProblem:
    """A5b: three S-curves of slope 3, sizes 1, 1.02 and 1.04."""
    return problem([hill(f"c{at}", size, slope=3.0) for at, size in enumerate((1.0, 1.02, 1.04))], amount)
